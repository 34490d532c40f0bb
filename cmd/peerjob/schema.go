// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/peerjob/peerjob/schema"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a PeerJob",
		Long: `schema prints the JSON Schema (draft 7) of a PeerJob, for editors and validators:
every field with its documentation, its words and its bounds. It takes templates
where peerjob renders them.

What the schema refuses, peerjob refuses. peerjob also refuses what no schema can
see; expand says all of it.`,
		Example: `  peerjob schema > peerjob.json
  kubeconform -schema-location peerjob.json peerjob.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(schema.JSON())
			return err
		},
	}
}
