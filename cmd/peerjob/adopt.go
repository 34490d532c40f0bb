// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/peerjob/peerjob/fn"
)

func newAdopt(options func() (fn.Options, error)) *cobra.Command {
	var adoptOptions fn.AdoptOptions
	command := &cobra.Command{
		Use:   "adopt [FILE | DIRECTORY | -]...",
		Short: "Print the PeerJob that stands for a hand-written Service and Job",
		Long: `adopt reads Services and Jobs as lint does, or live ones as kubectl prints them,
and prints the PeerJob of each pair on stdout. It takes out what the API server
added, mends host names that lead nowhere, and writes spec.framework if the
variables or flags of a framework are what spec.framework sets.

Then it expands each PeerJob and says on stderr in which fields that differs
from the original, and why, or that nothing differs. In a folder with
kustomizations it also lists the patches that need another target.

It does the same for a PyTorchJob, TFJob, MPIJob, JobSet or TrainJob, and says in
plain words what a PeerJob can't. In those of Kubeflow it mends no host names, and
says how the peers reach each other. It changes no file and asks no cluster.`,
		Example: `  peerjob adopt pair.yaml > peerjob.yaml
  kubectl get job,service -l app=train -o yaml | peerjob adopt -
  peerjob adopt --diff pair.yaml
  peerjob adopt overlays/prod base`,
		Args: cobra.ArbitraryArgs,
	}
	flags := command.Flags()
	flags.BoolVar(&adoptOptions.Diff, "diff", false, "print how the expansion differs from the original, instead of the PeerJobs")
	flags.BoolVar(&adoptOptions.Exact, "exact", false, "keep what peerjob has a better default for: no variables of the peers, service links, a Service with ready Pods only")
	flags.BoolVar(&adoptOptions.Variables, "variables", false, "write variables of the peers in the place of their host names, which a prefix would break")
	flags.StringVar(&adoptOptions.ClusterDomain, "cluster-domain", "", `DNS domain of the cluster (default "cluster.local")`)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		opts, err := options()
		if err != nil {
			return err
		}
		if err := checkStdin(args, nil); err != nil {
			return err
		}
		files, err := readLint("adopt", args, cmd.InOrStdin(), opts)
		if err != nil {
			return err
		}
		adoptOptions.RunnerImage = opts.RunnerImage
		return fn.Adopt(files, cmd.OutOrStdout(), cmd.ErrOrStderr(), adoptOptions)
	}
	return command
}
