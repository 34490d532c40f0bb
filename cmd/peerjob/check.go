// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/peerjob/peerjob/fn"
)

func newCheck(options func() (fn.Options, error)) *cobra.Command {
	var given valueFlags
	command := &cobra.Command{
		Use:   "check [FILE | DIRECTORY | -]...",
		Short: "Say what is wrong with PeerJobs, and write no object",
		Long: `check expands PeerJobs as expand does and prints what is wrong with them, for
CI and hooks. It writes no object, and says nothing of other documents. lint
checks hand-written Services and Jobs.

The exit code is 1 if there are errors, and 2 if check was called wrongly.`,
		Example: `  peerjob check peerjob.yaml
  peerjob check -o github deploy/
  kustomize build overlay | peerjob check -`,
		Args: cobra.ArbitraryArgs,
	}
	format := formatFlag(command, "how to write: text, or github (workflow commands)", fn.CheckFormats())
	given.add(command.Flags())
	command.RunE = func(cmd *cobra.Command, args []string) error {
		chosen, err := format()
		if err != nil {
			return err
		}
		in, err := given.read(cmd, args, options)
		if err != nil {
			return err
		}
		return fn.Check(in.files, cmd.OutOrStdout(), cmd.ErrOrStderr(), fn.CheckOptions{
			Options: in.options, Format: chosen, Values: in.values, Assignments: in.assignments,
		})
	}
	return command
}
