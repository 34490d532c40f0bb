// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/peerjob/peerjob/fn"
)

func newExplain(options func() (fn.Options, error)) *cobra.Command {
	var given valueFlags
	var recursive bool
	command := &cobra.Command{
		Use:   "explain [FILE | DIRECTORY | - | FIELD]...",
		Short: "Show the group of peers that a PeerJob stands for, or what a field means",
		Long: `explain reads PeerJobs as expand does and shows each group of peers: their names,
ports and variables and where each value comes from, the objects that come out
and what ties them, how much room the names leave, and what the group does when
a peer fails. Of many peers it shows the first ones and the last one.

It says what is wrong with a PeerJob in the same words as expand. All other
documents are left out.

With the path of a field instead of a file, explain prints the documentation of
the field, as kubectl explain does: spec.barrier, or the path of an error, such as
'spec.template.spec.containers[0].image' (in quotes, because zsh takes brackets
for a pattern). "peerjob" is the PeerJob as a whole. A file of that name comes
first.`,
		Example: `  peerjob explain peerjob.yaml
  peerjob explain --values prod.yaml -o json peerjob.yaml | jq '.peerJobs[].ports'
  peerjob explain -o dot peerjob.yaml | dot -Tsvg > peers.svg
  peerjob explain -o mermaid peerjob.yaml
  peerjob explain spec.barrier
  peerjob explain 'spec.template.spec.containers[0].image'
  peerjob explain --recursive spec.framework`,
		Args: cobra.ArbitraryArgs,
		ValidArgsFunction: func(_ *cobra.Command, _ []string, text string) ([]string, cobra.ShellCompDirective) {
			if paths := completeField(text); len(paths) > 0 && text != "" {
				return paths, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	command.Flags().BoolVar(&recursive, "recursive", false, "of a field, print only the names of all fields below it")
	format := formatFlag(command, "how to write: table, json, or a picture: mermaid, dot (Graphviz)", fn.ExplainFormats())
	given.add(command.Flags())
	command.RunE = func(cmd *cobra.Command, args []string) error {
		chosen, err := format()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(args, isField) {
			return explainFields(cmd, args, recursive)
		}
		if recursive {
			return usagef("--recursive is for the path of a field, such as peerjob explain --recursive spec.framework")
		}
		for _, arg := range args {
			if err := mayBeField(arg); err != nil {
				return err
			}
		}
		in, err := given.read(cmd, args, options)
		if err != nil {
			return err
		}
		return fn.Explain(in.files, cmd.OutOrStdout(), cmd.ErrOrStderr(), fn.ExplainOptions{
			Options: in.options, Format: chosen, Values: in.values, Assignments: in.assignments,
		})
	}
	return command
}
