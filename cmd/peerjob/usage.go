// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/peerjob/peerjob/internal/spell"
)

// usageError is an error in how the command was called: an unknown command or flag,
// a missing argument, a value that a flag does not take.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// reportUsage makes every error of a command's arguments and flags a usageError that
// says which command's help to read.
func reportUsage(command *cobra.Command) {
	command.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w%s%s", err, suggestFlag(cmd, err), helpOf(cmd))
	})
	for _, child := range command.Commands() {
		reportUsage(child)
	}
	check := command.Args
	if check == nil {
		check = cobra.ArbitraryArgs
	}
	command.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usagef("%w%s", err, helpOf(cmd))
		}
		// cobra checks these after Args, where no function can mark their errors.
		if err := errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups()); err != nil {
			return usagef("%w%s", err, helpOf(cmd))
		}
		return nil
	}
}

func helpOf(cmd *cobra.Command) string {
	return fmt.Sprintf("; see %s --help", cmd.CommandPath())
}

// suggestFlag returns the flag that an unknown one was probably meant to be.
func suggestFlag(cmd *cobra.Command, err error) string {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return ""
	}
	var names []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			names = append(names, flag.Name)
		}
	})
	if nearest := spell.Nearest(unknown.GetSpecifiedName(), names); nearest != "" {
		return fmt.Sprintf("; did you mean --%s?", nearest)
	}
	return ""
}

// noSuchCommand returns an error for the arguments of a command that takes none but
// its subcommands.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	name := args[0]
	if isDocument(name) {
		return fmt.Errorf("unknown command %q; to expand a file, run %q", name, cmd.CommandPath()+" expand "+name)
	}
	var names []string
	for _, command := range cmd.Commands() {
		if command.IsAvailableCommand() {
			names = append(names, command.Name())
		}
	}
	if nearest := spell.Nearest(name, names); nearest != "" {
		return fmt.Errorf("unknown command %q; did you mean %q?", name, nearest)
	}
	return fmt.Errorf("unknown command %q; the commands are %s", name, strings.Join(names, ", "))
}

// isDocument reports whether an argument names a file or directory of documents
// rather than a command.
func isDocument(arg string) bool {
	if arg == "-" || slices.Contains(documentFiles, filepath.Ext(arg)) {
		return true
	}
	_, err := os.Stat(arg)
	return err == nil
}
