// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/peerjob/peerjob/examples/frameworks"
	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/framework/known"
)

func newFrameworks() *cobra.Command {
	return &cobra.Command{
		Use:   "frameworks [TYPE]",
		Short: "List the frameworks that peerjob wires, or show one",
		Long: `frameworks lists the types of spec.framework. With a type, in upper or lower
case, it prints a PeerJob to start from, with comments that list what the
framework reads.`,
		Example: `  peerjob frameworks
  peerjob frameworks torchrun > peerjob.yaml`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeFramework(text), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listFrameworks(cmd.OutOrStdout())
			}
			for _, entry := range framework.Entries() {
				if strings.EqualFold(entry.Type, args[0]) {
					return showFramework(cmd.OutOrStdout(), &entry)
				}
			}
			return usagef("TYPE: Unsupported value: %q: supported values: %s%s", args[0], strings.Join(framework.Types(), ", "), known.DidYouMean(args[0]))
		},
	}
}

// completeFramework returns the types that begin with a text, in the case of the text: shells
// drop what does not begin with what was typed.
func completeFramework(text string) []string {
	var found []string
	for _, name := range framework.Types() {
		if len(text) <= len(name) && strings.EqualFold(name[:len(text)], text) {
			found = append(found, text+adapt(name[len(text):], text))
		}
	}
	return found
}

// adapt is the rest of a name in lower case if so is what was typed of it.
func adapt(rest, typed string) string {
	if typed != "" && typed == strings.ToLower(typed) {
		return strings.ToLower(rest)
	}
	return rest
}

func listFrameworks(w io.Writer) error {
	var list strings.Builder
	table := tabwriter.NewWriter(&list, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TYPE\tWHAT IT IS")
	for _, entry := range framework.Entries() {
		fmt.Fprintf(table, "%s\t%s\n", entry.Type, entry.About)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, list.String())
	return err
}

// showFramework prints what there is to know of a framework as comments, and
// then the PeerJob of its example: the whole is a file to start from.
func showFramework(w io.Writer, entry *framework.Entry) error {
	text, found := frameworks.PeerJob(entry.Type)
	if !found {
		return fmt.Errorf("%s has no example", entry.Type)
	}
	var about strings.Builder
	fmt.Fprintf(&about, "%s: %s\n\n", entry.Type, entry.About)
	table := tabwriter.NewWriter(&about, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "VARIABLE\tVALUE, OF THREE PEERS\tMEANING")
	for _, row := range entry.Contract() {
		fmt.Fprintf(table, "%s\t%s\t%s\n", row.Name, row.Value, row.Meaning)
	}
	fmt.Fprintln(table, "\nPORT\tNUMBER\tWHO LISTENS")
	for _, port := range entry.Ports {
		fmt.Fprintf(table, "%s\t%d\t%s\n", port.Name, port.Number, port.Meaning)
	}
	if entry.Hostfile != nil {
		fmt.Fprintf(table, "\nFILE\tLINE OF A PEER\t\n%s\t%s\t\n", entry.Hostfile.Path(), entry.Line())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	about.WriteString("\n")
	fmt.Fprintf(&about, "- With roles: %s\n", entry.WithRoles())
	for _, note := range entry.Notes {
		fmt.Fprintf(&about, "- %s\n", note)
	}
	for _, source := range entry.Sources {
		fmt.Fprintf(&about, "- Source: %s\n", source)
	}
	about.WriteString("\nA PeerJob to start from: name it, and set the image and the program.\n")
	for line := range strings.Lines(about.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight("# "+line, " \n")); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, text)
	return err
}
