// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	_ "github.com/peerjob/peerjob/cmd/peerjob/collector" // first of all: it says when to collect garbage
	"github.com/peerjob/peerjob/fn"
)

// maxInputVariable sets the same limit as --max-input. kustomize and kpt pass no
// arguments to a function.
const maxInputVariable = "PEERJOB_MAX_INPUT"

const longHelp = `peerjob expands a PeerJob into a headless Service and an Indexed Job whose Pods
reach each other by name, or says exactly what is wrong.

Without a subcommand, peerjob is a KRM function for kustomize, kpt and Config
Sync: it reads a ResourceList from stdin and writes one to stdout. Each finding
is in the results of the list and is one line on stderr. If there is an error,
the exit code is 1, and nothing changes.

A PeerJob:

  apiVersion: peerjob.dev/v1alpha1
  kind: PeerJob
  metadata:
    name: train
  spec:
    peers: 3
    template:
      spec:
        containers:
        - name: worker
          image: example.com/train:1.0
          command: [sh, -c, "echo I am $(PEERJOB_SELF), the leader is $(PEERJOB_LEADER)"]

Settings, in the data of a v1 ConfigMap as functionConfig:

  clusterDomain      default of spec.clusterDomain ("cluster.local")
  kubernetesVersion  default of spec.kubernetesVersion (unset)
  mode               Expand (default); Validate: check, report, change nothing;
                     KustomizeValidator: the same, for "validators:" of kustomize;
                     Lint: check hand-written Services and Jobs, too (see lint)
  runnerImage        default of spec.runner.image (the runner of this version)
  prune              "true" removes objects whose PeerJob is gone ("false")`

// newRoot returns the command tree. getenv is where variables come from.
func newRoot(getenv func(string) string) *cobra.Command {
	var maxInput string
	var showVersion bool
	root := &cobra.Command{
		Use:   "peerjob",
		Short: "Expand PeerJobs into headless Services and Indexed Jobs",
		Long:  longHelp,
		Example: `  peerjob expand peerjob.yaml | kubectl apply -f -
  kustomize build --enable-alpha-plugins --enable-exec overlay
  kpt fn render package`,
		Args:          noSuchCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	// Not cobra's own flag: a version template would link text/template's executor, which
	// keeps every method of every type, 7 MB, in the binary.
	root.Flags().BoolVar(&showVersion, "version", false, "print the version")
	options := func() (fn.Options, error) {
		source, value := "--max-input", maxInput
		if value == "" {
			source, value = maxInputVariable, getenv(maxInputVariable)
		}
		opts := fn.Options{RunnerImage: runnerOf(currentVersion())}
		if value == "" {
			return opts, nil
		}
		quantity, err := resource.ParseQuantity(value)
		if err != nil || quantity.Value() <= 0 {
			return fn.Options{}, usagef("%s: Invalid value: %q: must be a size above 0, such as 256Mi", source, value)
		}
		opts.MaxInput = quantity.Value()
		return opts, nil
	}
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		if showVersion {
			return printVersion(cmd)
		}
		if isTerminal(cmd.InOrStdin()) {
			return cmd.Help()
		}
		opts, err := options()
		if err != nil {
			return fn.Refuse(cmd.OutOrStdout(), cmd.ErrOrStderr(), err)
		}
		stdin := cmd.InOrStdin()
		opts.InputSize = sizeOf(stdin)
		return fn.Run(stdin, cmd.OutOrStdout(), cmd.ErrOrStderr(), opts)
	}
	expand := newExpand(options)
	explain := newExplain(options)
	check := newCheck(options)
	lint := newLint(options)
	adopt := newAdopt(options)
	doctor := newDoctor(options)
	root.AddCommand(expand, check, explain, adopt, lint, doctor, newFrameworks(), newSchema(), newInstall(), newVersion())
	for _, reader := range []*cobra.Command{root, expand, check, explain, adopt, lint, doctor} {
		reader.Flags().StringVar(&maxInput, "max-input", "",
			fmt.Sprintf("refuse input larger than this, such as 256Mi (default $%s, or %s)", maxInputVariable, resource.NewQuantity(fn.DefaultMaxInput, resource.BinarySI)))
	}
	reportUsage(root)
	return root
}

// isTerminal reports whether a person would have to type the input.
func isTerminal(stdin io.Reader) bool {
	file, ok := stdin.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// formatFlag adds the flag --output, which takes one of the known formats and is the
// first by default. The function that it returns reads the flag.
func formatFlag[F ~string](command *cobra.Command, usage string, known []F) func() (F, error) {
	formats := make([]string, len(known))
	for i, format := range known {
		formats[i] = string(format)
	}
	format := command.Flags().StringP("output", "o", formats[0], usage)
	defined(command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp)))
	return func() (F, error) {
		if !slices.Contains(formats, *format) {
			return "", usagef("%v", field.NotSupported(field.NewPath("--output"), *format, formats))
		}
		return F(*format), nil
	}
}

// defined stops on the error of a flag that the command does not define: a
// mistake in this program, which every test of the command finds.
func defined(err error) {
	if err != nil {
		panic(err)
	}
}
