// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/peerjob/peerjob/fn"
	"github.com/peerjob/peerjob/internal/lint"
)

func newCheck(options func() (fn.Options, error)) *cobra.Command {
	var given valueFlags
	var strict bool
	command := &cobra.Command{
		Use:   "check [FILE | DIRECTORY | -]...",
		Short: "Say what is wrong with PeerJobs, and write no object",
		Long: `check expands PeerJobs as expand does and prints what is wrong with them, for
CI and hooks. It writes no object, and says nothing of other documents. lint
checks hand-written Services and Jobs.

It reads YAML and JSON from files, from directories with all their
subdirectories, or from stdin ("-", or no argument with a pipe). The files of one
directory are checked together, each directory by itself. It skips, with a note,
templates of Helm and patches of kustomizations: check what these tools print.

The exit code is 1 if there are errors, with --strict also if there are
warnings, and 2 if check was called wrongly.`,
		Example: `  peerjob check peerjob.yaml
  peerjob check --strict -o github deploy/
  kustomize build overlay | peerjob check -
  helm template chart | peerjob check -`,
		Args: cobra.ArbitraryArgs,
	}
	format := formatFlag(command, "how to write: text, or github (workflow commands)", fn.CheckFormats())
	command.Flags().BoolVar(&strict, "strict", false, "exit with 1 on warnings, too")
	given.add(command.Flags())
	command.RunE = func(cmd *cobra.Command, args []string) error {
		chosen, err := format()
		if err != nil {
			return err
		}
		in, err := given.readValues(cmd, args, options)
		if err != nil {
			return err
		}
		files, err := readCheck(args, cmd.InOrStdin(), in.options)
		if err != nil {
			return err
		}
		err = fn.Check(files, cmd.OutOrStdout(), cmd.ErrOrStderr(), fn.CheckOptions{
			Options: in.options, Format: chosen, Strict: strict, Values: in.values, Assignments: in.assignments,
		})
		return in.verdict(err, strict)
	}
	return command
}

// readCheck reads what the arguments of check name, and the kustomizations beside files
// that it names: they say which of these are patches.
func readCheck(args []string, stdin io.Reader, opts fn.Options) ([]fn.File, error) {
	beside := args
	for _, arg := range args {
		if info, err := os.Stat(arg); err != nil || info.IsDir() {
			continue
		}
		for _, name := range lint.KustomizationNames() {
			name = filepath.Join(filepath.Dir(arg), name)
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
				beside = append(slices.Clip(beside), name)
			}
		}
	}
	read, err := readLint("check", beside, stdin, opts)
	if err != nil {
		return nil, err
	}
	var files []fn.File
	for _, file := range read {
		if file.Skipped {
			continue
		}
		if slices.Contains(lint.KustomizationNames(), filepath.Base(file.Name)) {
			file.Found = !isNamed(args, file.Name)
		}
		files = append(files, file.File)
	}
	return files, nil
}

// isNamed reports whether an argument names a kustomization, or its folder, as kustomize
// takes it.
func isNamed(args []string, name string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		arg = filepath.Clean(arg)
		return arg == filepath.Clean(name) || arg == filepath.Dir(name)
	})
}
