// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/peerjob/peerjob/fn"
)

// documentFiles match the files of a directory that are read, as kubectl does.
var documentFiles = []string{".yaml", ".yml", ".json"}

func newExpand(options func() (fn.Options, error)) *cobra.Command {
	format := string(fn.YAML)
	command := &cobra.Command{
		Use:   "expand FILE... | DIRECTORY... | -",
		Short: "Replace every PeerJob by its Service and its Job",
		Long: `expand reads YAML and JSON documents, of files, of the *.yaml, *.yml and *.json
files of directories (not of their subdirectories), or of stdin ("-"), and
writes them all with every PeerJob replaced by its Service and its Job. Every
other document stays as it is. Nothing is written when there is an error.`,
		Example: `  peerjob expand peerjob.yaml | kubectl apply -f -
  peerjob expand -o json deploy/ | jq '.items[].metadata.name'`,
		Args: cobra.MinimumNArgs(1),
	}
	command.Flags().StringVarP(&format, "output", "o", format, "how to write: yaml, or json for one v1 List")
	command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{string(fn.YAML), string(fn.JSON)}, cobra.ShellCompDirectiveNoFileComp))
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
		return fn.Expand(files, cmd.OutOrStdout(), cmd.ErrOrStderr(), fn.Format(format), opts)
	}
	return command
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
	defer file.Close()
	content, err := fn.ReadAll(file, opts)
	if err != nil {
		return fn.File{}, fmt.Errorf("%s: %w", name, err)
	}
	return fn.File{Name: name, Content: content}, nil
}
