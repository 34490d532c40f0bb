// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/peerjob/peerjob/fn"
)

// doctorInput is the command that writes what doctor reads.
const doctorInput = "kubectl get jobs,pods,services,endpointslices,networkpolicies,events -o yaml"

func newDoctor(options func() (fn.Options, error)) *cobra.Command {
	var doctorOptions fn.DoctorOptions
	command := &cobra.Command{
		Use:   "doctor [FILE | DIRECTORY | -]...",
		Short: "Say why the peers of a running Job do not find each other",
		Long: `doctor reads objects of a cluster and says why the peers of a Job do not find
each other. It checks what lint checks, and the state: Pods that are Pending and
why, names that DNS does not have because a Pod is not ready or has ended, peers
that crash or were evicted, NetworkPolicies that block peers or DNS, a Job that is
suspended or has failed.

It reads what kubectl prints, from stdin ("-", or no argument with a pipe) or
from files. It asks no cluster itself. To look from within a Pod, use
"peerjob-runner doctor". With -o json that writes a report; doctor reads the
reports of several Pods together, as files.

Each finding names the object, says what is so, and what to do. The exit code
is 1 if one of them is an error, and 2 if doctor was called wrongly.
docs/doctor.md lists the findings.`,
		Example: `  ` + doctorInput + ` | peerjob doctor -
  peerjob doctor -o json dump.yaml
  peerjob doctor dump.yaml train-0.json train-1.json`,
		Args: cobra.ArbitraryArgs,
	}
	flags := command.Flags()
	format := formatFlag(command, "how to write: text or json", fn.DoctorFormats())
	flags.StringVar(&doctorOptions.ClusterDomain, "cluster-domain", "", `DNS domain of the cluster (default "cluster.local")`)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		var err error
		if doctorOptions.Format, err = format(); err != nil {
			return err
		}
		opts, err := options()
		if err != nil {
			return err
		}
		if err := checkStdin(args, nil); err != nil {
			return err
		}
		files, err := readDump(args, cmd.InOrStdin(), opts)
		if err != nil {
			return err
		}
		return fn.Doctor(files, cmd.OutOrStdout(), cmd.ErrOrStderr(), doctorOptions)
	}
	return command
}

// readDump reads what the arguments name, or stdin without arguments.
func readDump(args []string, stdin io.Reader, opts fn.Options) ([]fn.File, error) {
	const cure = "pipe objects into stdin: " + doctorInput + " | peerjob doctor -"
	if len(args) == 0 && isTerminal(stdin) {
		return nil, usagef("nothing to look at: %s", cure)
	}
	if len(args) == 0 {
		args = []string{"-"}
	}
	var files []fn.File
	for _, arg := range args {
		read, err := readFiles("doctor", arg, stdin, opts)
		if err != nil {
			return nil, err
		}
		if arg == "-" && isEmpty(read[0]) {
			return nil, emptyStdin("look at", cure)
		}
		files = append(files, read...)
	}
	return files, nil
}
