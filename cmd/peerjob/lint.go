// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/fn"
)

func newLint(options func() (fn.Options, error)) *cobra.Command {
	var lintOptions fn.LintOptions
	command := &cobra.Command{
		Use:   "lint [FILE | DIRECTORY | -]...",
		Short: "Find what keeps the Pods of a hand-written Service and Job apart",
		Long: `lint finds every Job whose Pods mean to find each other by name, and says what
keeps them apart: a Service that is missing, does not select them or is not
headless, host names that lead nowhere, Pods that do not all run at once, and
whatever the API server would refuse. It says nothing of other objects.

It reads YAML and JSON from files, from directories with all their
subdirectories, or from stdin ("-", or no argument with a pipe). Files that
belong together must be linted together. Of kustomizations it knows which files
are patches. It skips templates of Helm and envsubst; render them first.

The exit code is 1 if there are errors, with --strict also if there are
warnings, and 2 if lint was called wrongly.

The annotation peerjob.dev/lint-ignore: id,id keeps findings of an object from
being reported. docs/lint.md lists the ids.`,
		Example: `  peerjob lint pair.yaml
  peerjob lint --strict -o github deploy/
  kustomize build overlay | peerjob lint -
  peerjob lint --diff deploy/
  peerjob lint --fix deploy/`,
		Args: cobra.ArbitraryArgs,
	}
	flags := command.Flags()
	format := formatFlag(command, "how to write: text, json, sarif (2.1.0), or github (workflow commands)", fn.LintFormats())
	flags.BoolVar(&lintOptions.Strict, "strict", false, "exit with 1 on warnings, too")
	flags.BoolVar(&lintOptions.Fix, "fix", false, "mend the files in place, as far as there is one right value, and report what is left")
	flags.BoolVar(&lintOptions.Diff, "diff", false, "print what --fix would change as a unified diff, and write no file")
	flags.StringVar(&lintOptions.ClusterDomain, "cluster-domain", "", `DNS domain of the cluster (default "cluster.local")`)
	flags.StringVar(&lintOptions.KubernetesVersion, "kubernetes-version", "", fmt.Sprintf(`oldest server that the objects are for, "1.%d" to "1.%d" (default the newest)`, v1alpha1.OldestMinor, v1alpha1.NewestMinor))
	command.MarkFlagsMutuallyExclusive("fix", "diff")
	command.MarkFlagsMutuallyExclusive("output", "diff")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		var err error
		if lintOptions.Format, err = format(); err != nil {
			return err
		}
		if err := checkVersion(lintOptions.KubernetesVersion); err != nil {
			return err
		}
		opts, err := options()
		if err != nil {
			return err
		}
		if err := checkStdin(args, nil); err != nil {
			return err
		}
		if lintOptions.Fix && (len(args) == 0 || slices.Contains(args, "-")) {
			return usagef("--fix writes files in place, and stdin is none; use --diff, or name files")
		}
		files, err := readLint("lint", args, cmd.InOrStdin(), opts)
		if err != nil {
			return err
		}
		lintOptions.Version = currentVersion()
		mended, verdict := fn.Lint(files, cmd.OutOrStdout(), cmd.ErrOrStderr(), lintOptions)
		for _, file := range mended {
			if err := replaceFile(file, files); err != nil {
				return err
			}
			say(cmd.ErrOrStderr(), "mended "+file.Name)
		}
		return verdict
	}
	return command
}

// checkVersion refuses a value of --kubernetes-version that is no minor version that
// peerjob knows. "" is none.
func checkVersion(version string) error {
	for minor := v1alpha1.OldestMinor; minor <= v1alpha1.NewestMinor; minor++ {
		if version == fmt.Sprintf("1.%d", minor) {
			return nil
		}
	}
	if version == "" {
		return nil
	}
	return usagef("--kubernetes-version: Invalid value: %q: must be a minor version from \"1.%d\" to \"1.%d\", such as \"1.34\"", version, v1alpha1.OldestMinor, v1alpha1.NewestMinor)
}

// readLint reads what the arguments of a subcommand name. What can't be read is a file
// with a problem, so that the rest is read.
func readLint(subcommand string, args []string, stdin io.Reader, opts fn.Options) ([]fn.LintFile, error) {
	const cure = "name files or directories, or pipe documents into stdin"
	if len(args) == 0 && isTerminal(stdin) {
		return nil, usagef("nothing to %s: %s", subcommand, cure)
	}
	r := &lintReader{subcommand: subcommand, opts: opts, seen: map[string]bool{}}
	if len(args) == 0 {
		args = []string{"-"}
	}
	for _, arg := range args {
		r.read(arg, stdin)
		if last := len(r.files) - 1; arg == "-" && r.files[last].Problem == "" && isEmpty(r.files[last].File) {
			return nil, emptyStdin(subcommand, cure)
		}
	}
	return r.files, nil
}

// lintReader reads files for a subcommand, each once.
type lintReader struct {
	subcommand string

	opts  fn.Options
	files []fn.LintFile
	seen  map[string]bool
}

func (r *lintReader) add(name string, content []byte, err error) {
	file := fn.LintFile{File: fn.File{Name: name, Content: content, Chart: chartOf(name)}}
	if err != nil {
		file.Problem = unreadable + plainError(err)
	}
	r.files = append(r.files, file)
}

const unreadable = "can't be read: "

// cantRead says which file can't be read, and why.
func cantRead(name string, err error) error {
	return errors.New(name + ": " + unreadable + plainError(err))
}

// plainError is an error without the name of the file that it is about.
func plainError(err error) string {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err.Error()
	}
	return err.Error()
}

func (r *lintReader) skip(name, why string) {
	r.files = append(r.files, fn.LintFile{File: fn.File{Name: name, Problem: why}, Skipped: true})
}

// read reads a file, a directory or stdin.
func (r *lintReader) read(arg string, stdin io.Reader) {
	if arg == "-" {
		var content []byte
		var err error
		if file, isFile := stdin.(*os.File); isFile {
			content, err = readSized(file, r.opts)
		} else {
			content, err = fn.ReadAll(stdin, r.opts)
		}
		r.add("stdin", content, err)
		return
	}
	info, err := os.Stat(arg)
	switch {
	case err != nil:
		r.add(arg, nil, err)
	case !info.IsDir():
		r.readFile(arg, true)
	default:
		before := len(r.files)
		r.readFolder(arg)
		if len(r.files) == before {
			r.files = append(r.files, fn.LintFile{File: fn.File{Name: arg, Problem: noDocuments}})
		}
	}
}

// readFile reads one file. A named pipe is not opened: its writer may never come.
func (r *lintReader) readFile(name string, asked bool) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() && (!asked || isNamedPipe(name)) {
		if asked {
			r.files = append(r.files, fn.LintFile{File: fn.File{Name: name, Problem: namedPipe(r.subcommand, name)}})
		} else {
			r.skip(name, "is no regular file")
		}
		return
	}
	if r.seen[canonical(name)] {
		return
	}
	r.seen[canonical(name)] = true
	file, err := os.Open(name)
	if err != nil {
		r.add(name, nil, err)
		return
	}
	content, err := readSized(file, r.opts)
	r.add(name, content, errors.Join(err, file.Close()))
	r.files[len(r.files)-1].Found = !asked
}

// readSized reads a file, a regular one into memory of its size.
func readSized(file *os.File, opts fn.Options) ([]byte, error) {
	return fn.ReadSized(file, sizeOf(file), opts)
}

// sizeOf is the size of a regular file in bytes, 0 for any other input.
func sizeOf(input io.Reader) int64 {
	if file, ok := input.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			return info.Size()
		}
	}
	return 0
}

// canonical is the name of a file without links.
func canonical(name string) string {
	if path, err := filepath.EvalSymlinks(name); err == nil {
		name = path
	}
	if path, err := filepath.Abs(name); err == nil {
		name = path
	}
	return name
}

// readFolder reads the documents below a folder, but for what is hidden. It does not
// follow links to folders, which may lead back.
func (r *lintReader) readFolder(root string) {
	walk := func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			r.add(name, nil, err)
			return nil
		case name != root && isHidden(entry.Name()):
			if entry.IsDir() {
				return fs.SkipDir
			}
		case entry.IsDir() || !slices.Contains(documentFiles, filepath.Ext(name)) && entry.Name() != "Kustomization":
		default:
			if info, err := os.Stat(name); err == nil && info.IsDir() {
				r.skip(name, "is a link to a folder; name that folder to "+r.subcommand+" it")
				return nil
			}
			r.readFile(name, false)
		}
		return nil
	}
	if err := filepath.WalkDir(root, walk); err != nil {
		r.add(root, nil, err)
	}
}

// replaceFile writes a mended file: as a whole or not at all, where a link leads, with
// the mode it had. It refuses a file that has changed since it was read.
func replaceFile(mended fn.File, read []fn.LintFile) error {
	at := slices.IndexFunc(read, func(file fn.LintFile) bool { return file.Name == mended.Name })
	target, err := filepath.EvalSymlinks(mended.Name)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	if err != nil {
		return err
	}
	now, err := os.ReadFile(target)
	if err != nil {
		return err
	}
	if at < 0 || !bytes.Equal(now, read[at].Content) {
		return fmt.Errorf("%s: has changed since it was read; nothing was written; run lint again", mended.Name)
	}
	// A file that may not be written is not replaced either.
	writable, err := os.OpenFile(target, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := writable.Close(); err != nil {
		return err
	}
	return writeWhole(target, info.Mode().Perm(), bytes.NewReader(mended.Content))
}
