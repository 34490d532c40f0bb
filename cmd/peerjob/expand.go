// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/peerjob/peerjob/fn"
	"github.com/peerjob/peerjob/internal/values"
)

// documentFiles match the files of a directory that are read, as kubectl does.
var documentFiles = []string{".yaml", ".yml", ".json"}

// isHidden reports whether an entry of a directory is left out: editors, programs and file
// systems keep files of their own there, such as the lock .#x.yaml.
func isHidden(name string) bool { return strings.HasPrefix(name, ".") }

func newExpand(options func() (fn.Options, error)) *cobra.Command {
	format := string(fn.YAML)
	var given valueFlags
	var showValues, strict bool
	command := &cobra.Command{
		Use:   "expand [FILE | DIRECTORY | -]...",
		Short: "Replace every PeerJob by its Service and its Job",
		Long: `expand reads YAML and JSON documents and writes them with every PeerJob
replaced by its Service and its Job. It reads files, the *.yaml, *.yml and *.json
files of directories (not of their subdirectories, and no hidden ones), or stdin
("-", or no argument with a pipe). Every other document stays as it is. If there
is an error, or with --strict a warning, expand writes nothing.

The templates of PeerJobs with spec.templating: Enabled get values as in Helm:
--values for files, and --set, --set-string, --set-json and --set-file for single
values. Later files override earlier ones, and single values override the files.
All of these override the values in the PeerJob. --show-values shows them, also if
there is an error.

--helm-plugin is for the post-renderer plugin of Helm 4, which drops stderr: errors
become a manifest that Helm refuses with them in its message, and warnings become a
comment. The exit code is then 0.`,
		Example: `  peerjob expand peerjob.yaml | kubectl apply -f -
  helm template chart | peerjob expand | kubectl apply -f -
  peerjob expand -o json deploy/ | jq '.items[].metadata.name'
  peerjob expand --values prod.yaml --set image.tag=2.0 peerjob.yaml
  peerjob expand --show-values peerjob.yaml`,
		Args: cobra.ArbitraryArgs,
	}
	command.Flags().StringVarP(&format, "output", "o", format, "how to write: yaml, or json for one v1 List")
	defined(command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{string(fn.YAML), string(fn.JSON)}, cobra.ShellCompDirectiveNoFileComp)))
	given.add(command.Flags())
	command.Flags().BoolVar(&showValues, "show-values", false, "show the merged values and what each template renders, instead of the objects")
	command.Flags().BoolVar(&strict, "strict", false, "write nothing and exit with 1 on warnings, too")
	command.Flags().Bool(helmFlag, false, "write findings to stdout, as the post-renderer plugin of Helm 4")
	command.MarkFlagsMutuallyExclusive("output", "show-values", helmFlag)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if format != string(fn.YAML) && format != string(fn.JSON) {
			return usagef("--output: Unsupported value: %q: supported values: %q, %q", format, fn.JSON, fn.YAML)
		}
		in, err := given.read(cmd, args, options)
		if isHelm, _ := cmd.Flags().GetBool(helmFlag); isHelm && errors.Is(err, errEmpty) {
			return errors.New(noManifests)
		}
		if err != nil {
			return err
		}
		if err := in.verdict(nil, strict); err != nil {
			return err
		}
		return fn.Expand(in.files, cmd.OutOrStdout(), cmd.ErrOrStderr(), fn.ExpandOptions{
			Options: in.options, Format: fn.Format(format), Values: in.values, Assignments: in.assignments, Strict: strict, ShowValues: showValues,
		})
	}
	return command
}

// valueFlags are the flags that give values to templates.
type valueFlags struct {
	files []string
	sets  setFlags
}

func (v *valueFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&v.files, "values", "f", nil, "a `file` with values for templates; - is stdin; may be given more than once")
	v.sets.add(flags)
}

// input is what a command that expands PeerJobs reads.
type input struct {
	options     fn.Options
	values      []fn.ValuesFile
	assignments []fn.Assignment
	files       []fn.File
	// isDoubtful is whether there was a warning of the flags.
	isDoubtful bool
}

// verdict is the error of a command, or that of warnings of the flags if these are as bad
// as errors.
func (in input) verdict(err error, strict bool) error {
	if err == nil && strict && in.isDoubtful {
		return fn.ErrFailed
	}
	return err
}

// read reads the values, and then the documents that the arguments name.
func (v *valueFlags) read(cmd *cobra.Command, args []string, options func() (fn.Options, error)) (in input, err error) {
	if in, err = v.readValues(cmd, args, options); err != nil {
		return in, err
	}
	in.files, err = readDocuments(cmd.Name(), args, cmd.InOrStdin(), in.options)
	return in, err
}

// readValues reads the values alone.
func (v *valueFlags) readValues(cmd *cobra.Command, args []string, options func() (fn.Options, error)) (in input, err error) {
	if in.options, err = options(); err != nil {
		return in, err
	}
	if err := checkStdin(args, v.files); err != nil {
		return in, err
	}
	if in.values, err = readValues(v.files, cmd.InOrStdin(), in.options); err != nil {
		return in, err
	}
	if in.assignments, err = v.sets.read(in.options); err != nil {
		return in, err
	}
	in.isDoubtful = v.sets.warn(cmd.ErrOrStderr())
	return in, nil
}

// checkStdin refuses arguments that read stdin twice: the second "-" would find it
// empty.
func checkStdin(args, valueFiles []string) error {
	readers := 0
	for _, name := range slices.Concat(args, valueFiles) {
		if name == "-" {
			readers++
		}
	}
	if len(args) == 0 && slices.Contains(valueFiles, "-") {
		return usagef("--values - reads stdin, which the documents are read from; name their files")
	}
	if readers > 1 {
		return usagef("- is given %d times, and stdin can be read only once", readers)
	}
	return nil
}

// readDocuments reads the files, directories and streams that the arguments name, or
// stdin without arguments, for a subcommand.
func readDocuments(subcommand string, args []string, stdin io.Reader, opts fn.Options) ([]fn.File, error) {
	const cure = "name files or directories with PeerJobs, or pipe documents into stdin"
	if len(args) == 0 && isTerminal(stdin) {
		return nil, usagef("nothing to %s: %s", subcommand, cure)
	}
	if len(args) == 0 {
		args = []string{"-"}
	}
	var files []fn.File
	for _, arg := range args {
		read, err := readFiles(subcommand, arg, stdin, opts)
		if err != nil {
			return nil, err
		}
		if arg == "-" && isEmpty(read[0]) {
			return nil, emptyStdin(subcommand, cure)
		}
		files = append(files, read...)
	}
	return files, nil
}

// errEmpty is the error of a program before a pipe that has printed nothing: it has failed,
// or has nothing for anybody.
var errEmpty = errors.New("stdin is empty")

// emptyStdin refuses an empty stdin for a subcommand.
func emptyStdin(subcommand, cure string) error {
	return usagef("nothing to %s: %w; %s", subcommand, errEmpty, cure)
}

// isEmpty reports whether a file has only white space.
func isEmpty(file fn.File) bool { return len(bytes.TrimSpace(file.Content)) == 0 }

// readValues reads the files with values of the command line, in their order.
func readValues(names []string, stdin io.Reader, opts fn.Options) ([]fn.ValuesFile, error) {
	var all []fn.ValuesFile
	for _, name := range names {
		files, err := readFiles("expand", name, stdin, opts)
		if err != nil {
			return nil, fmt.Errorf("--values: %w", err)
		}
		for _, file := range files {
			if kind := values.KindOf(file.Content); kind != "" {
				return nil, usagef("--values: %s: holds a %s and no values; to expand it, name it without -f: peerjob expand %s", file.Name, kind, name)
			}
			read, err := values.Read(file.Content)
			if err != nil {
				return nil, fmt.Errorf("--values: %s: %w", file.Name, err)
			}
			all = append(all, fn.ValuesFile{Name: file.Name, Values: read})
		}
	}
	return all, nil
}

// setFlags are the flags that set values one by one. They have Helm's names, syntax and
// order.
type setFlags struct{ json, typed, text, file []string }

func (s *setFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&s.typed, "set", nil, "values for templates, as `key=value[,key=value]`; may be given more than once")
	flags.StringArrayVar(&s.text, "set-string", nil, "like --set, and every value is a text, as `key=value[,key=value]`")
	flags.StringArrayVar(&s.json, "set-json", nil, "like --set, and every value is JSON, as `key=json`")
	flags.StringArrayVar(&s.file, "set-file", nil, "like --set, and every value is the content of a file, as `key=file`")
}

// read reads the values of the flags, whatever their order on the command line: JSON,
// then --set, texts and files.
func (s *setFlags) read(opts fn.Options) ([]values.Assignment, error) {
	var all []values.Assignment
	for _, flag := range []struct {
		name  string
		texts []string
		parse func(text string) ([]values.Assignment, error)
	}{
		{"--set-json", s.json, values.ParseSetJSON},
		{"--set", s.typed, values.ParseSet},
		{"--set-string", s.text, values.ParseSetString},
		{"--set-file", s.file, func(text string) ([]values.Assignment, error) {
			return values.ParseSetFile(text, func(name string) (string, error) { return readText(name, opts) })
		}},
	} {
		for _, text := range flag.texts {
			read, err := flag.parse(text)
			if err != nil {
				return nil, usagef("%s: Invalid value: %q: %w", flag.name, text, err)
			}
			all = append(all, read...)
		}
	}
	return all, nil
}

// warn warns of words that are no booleans to --set, though they look like some. In a
// values file, they are errors. It reports whether there are any.
func (s *setFlags) warn(stderr io.Writer) (warned bool) {
	for _, text := range s.typed {
		assignments, err := values.ParseSet(text)
		if err != nil {
			continue
		}
		doubtful := values.Doubtful(assignments)
		for _, written := range slices.Sorted(maps.Keys(doubtful)) {
			warned = true
			path, word, _ := strings.Cut(written, "=")
			say(stderr, fmt.Sprintf("warning: --set %s: %q is a text, which is true in a condition; write --set %s=%t, or --set-string %[1]s", written, word, path, doubtful[written]))
		}
	}
	return warned
}

// readText reads a file that becomes one value.
func readText(name string, opts fn.Options) (string, error) {
	file, err := readFile("expand", name, opts)
	switch {
	case err != nil:
		return "", err
	case len(file.Content) > values.MaxSize:
		return "", fmt.Errorf("%s: has %d bytes, and values may have %d", name, len(file.Content), values.MaxSize)
	case !utf8.Valid(file.Content):
		return "", fmt.Errorf("%s: is no UTF-8 text", name)
	}
	return string(file.Content), nil
}

// readFiles reads the file, the directory or the stream that an argument of a
// subcommand names.
func readFiles(subcommand, arg string, stdin io.Reader, opts fn.Options) ([]fn.File, error) {
	if arg == "-" {
		content, err := fn.ReadAll(stdin, opts)
		if err != nil {
			return nil, fmt.Errorf("stdin: %w", err)
		}
		return []fn.File{{Name: "stdin", Content: content}}, nil
	}
	info, err := os.Stat(arg)
	if err != nil {
		return nil, cantRead(arg, err)
	}
	if !info.IsDir() {
		file, err := readFile(subcommand, arg, opts)
		return []fn.File{file}, err
	}
	if isChart(arg) {
		return nil, fmt.Errorf("%s: is a Helm chart, which Helm renders first; run: helm template %s | peerjob %s -", arg, filepath.ToSlash(arg), subcommand)
	}
	entries, err := os.ReadDir(arg)
	if err != nil {
		return nil, err
	}
	var files []fn.File
	for _, entry := range entries {
		name := filepath.Join(arg, entry.Name())
		if isHidden(entry.Name()) || !slices.Contains(documentFiles, filepath.Ext(name)) {
			continue
		}
		info, err := os.Stat(name) // of what a link leads to
		if err != nil {
			return nil, cantRead(name, err)
		}
		if info.IsDir() {
			continue
		}
		file, err := readFile(subcommand, name, opts)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: %s", arg, noDocuments)
	}
	return files, nil
}

func readFile(subcommand, name string, opts fn.Options) (fn.File, error) {
	if isNamedPipe(name) {
		return fn.File{}, fmt.Errorf("%s: %s", name, namedPipe(subcommand, name))
	}
	file, err := os.Open(name)
	if err != nil {
		return fn.File{}, cantRead(name, err)
	}
	content, err := fn.ReadAll(file, opts)
	if err := errors.Join(err, file.Close()); err != nil {
		return fn.File{}, fmt.Errorf("%s: %w", name, err)
	}
	return fn.File{Name: name, Content: content, Chart: chartOf(name)}, nil
}

// isChart reports whether a folder is a chart of Helm.
func isChart(folder string) bool {
	info, err := os.Stat(filepath.Join(folder, "Chart.yaml"))
	return err == nil && info.Mode().IsRegular()
}

// chartOf is the folder of the Helm chart whose template a file is, "" if it is none. That
// of a subchart is the one that Helm renders.
func chartOf(name string) string {
	path, err := filepath.Abs(name)
	if err != nil {
		return ""
	}
	chart, up := "", "."
	for dir := filepath.Dir(path); filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		parent := filepath.Dir(dir)
		base := filepath.Base(dir)
		up = filepath.Join(up, "..")
		isPart := base == "templates" || chart != "" && base == "charts"
		if isPart && isChart(parent) {
			chart = filepath.ToSlash(filepath.Join(filepath.Dir(name), up))
		}
	}
	return chart
}

// noDocuments is what is wrong with a folder that has nothing to read.
const noDocuments = "holds no *.yaml, *.yml or *.json file"

// namedPipe is what is wrong with a file that a subcommand does not open.
func namedPipe(subcommand, name string) string {
	return fmt.Sprintf("is a named pipe, and its writer may never come; read it from stdin: peerjob %s - < %s", subcommand, name)
}

// isNamedPipe reports whether a file is a pipe with a name of its own in the file
// system. /dev/fd/63, which a shell puts in the place of <(command), is none: its
// other end is open.
func isNamedPipe(name string) bool {
	path, err := filepath.EvalSymlinks(name)
	if err != nil {
		return false
	}
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}
