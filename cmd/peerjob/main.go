// SPDX-License-Identifier: Apache-2.0

// Command peerjob expands PeerJobs into headless Services and Indexed Jobs.
//
// Without arguments it is a KRM function: a ResourceList on stdin, a
// ResourceList on stdout. Its subcommands are for people. This package is a
// thin edge: flags, files, streams and the exit code; what happens to the
// objects is in package fn.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/peerjob/peerjob/fn"
	"github.com/peerjob/peerjob/internal/lint"
	"github.com/peerjob/peerjob/internal/results"
)

func main() {
	os.Exit(run(os.Args[0], os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// exitUsage is the exit code of a command that was called wrongly: nothing was read.
const exitUsage = 2

// run is the whole program, called by its name, but the exit: 0 when all is well, exitUsage when the
// command was called wrongly, 1 otherwise.
func run(program string, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if isPostRenderer(args) {
		return asPostRenderer(stdout, func(stdout, stderr io.Writer) int {
			return runCommand(program, args, stdin, stdout, stderr)
		})
	}
	return runCommand(program, args, stdin, stdout, stderr)
}

// runCommand is run, but for what Helm needs.
func runCommand(program string, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot(os.Getenv)
	root.SetArgs(asPlugin(root, program, args, os.Getenv))
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteC()
	if err == nil {
		return 0
	}
	if !errors.Is(err, fn.ErrFailed) {
		writeError(command, err)
	}
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	return 1
}

// writeError writes why a command could not do its work: as one line on stderr, or where
// the command writes workflow commands, as one of them.
func writeError(command *cobra.Command, err error) {
	if format := command.Flags().Lookup("output"); format != nil && format.Value.String() == string(fn.CheckGitHub) {
		finding := lint.Finding{Severity: lint.Error, Message: err.Error()}
		var of *fs.PathError
		if errors.As(err, &of) {
			finding.File = filepath.ToSlash(filepath.Clean(of.Path))
		}
		if lint.WriteGitHub(command.OutOrStdout(), []lint.Finding{finding}) == nil {
			return
		}
	}
	say(command.ErrOrStderr(), err.Error())
}

// say writes a message as one line. Without stderr the exit code has to do.
func say(stderr io.Writer, message string) {
	_, _ = fmt.Fprintf(stderr, "peerjob: %s\n", results.Line(message))
}
