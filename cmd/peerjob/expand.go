// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"helm.sh/helm/v3/pkg/strvals"

	"github.com/peerjob/peerjob/fn"
	"github.com/peerjob/peerjob/internal/values"
)

// documentFiles match the files of a directory that are read, as kubectl does.
var documentFiles = []string{".yaml", ".yml", ".json"}

func newExpand(options func() (fn.Options, error)) *cobra.Command {
	format := string(fn.YAML)
	var valueFiles, assignments []string
	var showValues bool
	command := &cobra.Command{
		Use:   "expand FILE... | DIRECTORY... | -",
		Short: "Replace every PeerJob by its Service and its Job",
		Long: `expand reads YAML and JSON documents, of files, of the *.yaml, *.yml and *.json
files of directories (not of their subdirectories), or of stdin ("-"), and
writes them all with every PeerJob replaced by its Service and its Job. Every
other document stays as it is. Nothing is written when there is an error.

Values for the templates of PeerJobs with spec.templating: Enabled can be given
as they are to Helm: --values for files, later ones over earlier ones, and --set
over those. They lie over the values which the PeerJob has itself.`,
		Example: `  peerjob expand peerjob.yaml | kubectl apply -f -
  peerjob expand -o json deploy/ | jq '.items[].metadata.name'
  peerjob expand --values prod.yaml --set image.tag=2.0 peerjob.yaml
  peerjob expand --show-values peerjob.yaml`,
		Args: cobra.MinimumNArgs(1),
	}
	command.Flags().StringVarP(&format, "output", "o", format, "how to write: yaml, or json for one v1 List")
	defined(command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{string(fn.YAML), string(fn.JSON)}, cobra.ShellCompDirectiveNoFileComp)))
	command.Flags().StringArrayVarP(&valueFiles, "values", "f", nil, "a `file` with values for templates; - is stdin; may be given more than once")
	command.Flags().StringArrayVar(&assignments, "set", nil, "values for templates, as `key=value[,key=value]`; may be given more than once")
	command.Flags().BoolVar(&showValues, "show-values", false, "show the merged values and what each template renders, instead of the objects")
	command.MarkFlagsMutuallyExclusive("output", "show-values")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if format != string(fn.YAML) && format != string(fn.JSON) {
			return fmt.Errorf("--output: Unsupported value: %q: supported values: %q, %q", format, fn.JSON, fn.YAML)
		}
		opts, err := options()
		if err != nil {
			return err
		}
		var files []fn.File
		for _, arg := range args {
			read, err := readFiles(arg, cmd.InOrStdin(), opts)
			if err != nil {
				return err
			}
			files = append(files, read...)
		}
		overrides, err := readValues(valueFiles, assignments, cmd.InOrStdin(), opts)
		if err != nil {
			return err
		}
		return fn.Expand(files, cmd.OutOrStdout(), cmd.ErrOrStderr(), fn.ExpandOptions{Options: opts, Format: fn.Format(format), Values: overrides, ShowValues: showValues})
	}
	return command
}

// readValues reads the values of the command line: the files in their order,
// and the assignments over them.
func readValues(names, assignments []string, stdin io.Reader, opts fn.Options) (map[string]any, error) {
	var merged map[string]any
	for _, name := range names {
		files, err := readFiles(name, stdin, opts)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			read, err := values.Read(file.Content)
			if err != nil {
				return nil, fmt.Errorf("--values: %s: %w", file.Name, err)
			}
			merged = values.Merge(merged, read)
		}
	}
	for _, assignment := range assignments {
		set, err := strvals.Parse(assignment)
		if err != nil {
			return nil, fmt.Errorf("--set: Invalid value: %q: %w", assignment, err)
		}
		merged = values.Merge(merged, set)
	}
	return merged, nil
}

// readFiles reads the file, the directory or the stream that an argument
// names.
func readFiles(arg string, stdin io.Reader, opts fn.Options) ([]fn.File, error) {
	if arg == "-" {
		content, err := fn.ReadAll(stdin, opts)
		if err != nil {
			return nil, fmt.Errorf("stdin: %w", err)
		}
		return []fn.File{{Name: "stdin", Content: content}}, nil
	}
	info, err := os.Stat(arg)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		file, err := readFile(arg, opts)
		return []fn.File{file}, err
	}
	entries, err := os.ReadDir(arg)
	if err != nil {
		return nil, err
	}
	var files []fn.File
	for _, entry := range entries {
		if entry.IsDir() || !slices.Contains(documentFiles, filepath.Ext(entry.Name())) {
			continue
		}
		file, err := readFile(filepath.Join(arg, entry.Name()), opts)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: holds no *.yaml, *.yml or *.json file", arg)
	}
	return files, nil
}

func readFile(name string, opts fn.Options) (fn.File, error) {
	file, err := os.Open(name)
	if err != nil {
		return fn.File{}, err
	}
	content, err := fn.ReadAll(file, opts)
	if err := errors.Join(err, file.Close()); err != nil {
		return fn.File{}, fmt.Errorf("%s: %w", name, err)
	}
	return fn.File{Name: name, Content: content}, nil
}
