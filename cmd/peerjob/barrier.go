// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/peerjob/peerjob/barrier"
	"github.com/peerjob/peerjob/barrier/protocol"
	"github.com/peerjob/peerjob/cmd/peerjob/collector"
)

// terminationMessage is where Kubernetes looks for what a container said last.
const terminationMessage = "/dev/termination-log"

func newBarrier(getenv func(string) string) *cobra.Command {
	var port uint16
	var message string
	var end time.Duration
	var start bool
	var until []string
	command := &cobra.Command{
		Use:   "barrier",
		Short: "Take part in the barrier of a PeerJob (in a Pod)",
		Long: `barrier runs as a sidecar in every Pod of a PeerJob with spec.barrier. It tells
index 0 that its peer is there. After SIGTERM, it keeps the Pod in DNS until every
peer has ended, and then exits with 0. It reads its name and its index from the
variables that peerjob sets. docs/barrier.md describes it.`,
		Args: cobra.NoArgs,
	}
	command.PersistentFlags().Uint16Var(&port, "port", 0, "the port of the barrier")
	defined(command.MarkPersistentFlagRequired("port"))
	command.PersistentFlags().StringVar(&message, "termination-message", terminationMessage, "the file for the termination message")
	command.Flags().BoolVar(&start, "start", false, "wait for every peer before the containers start")
	command.Flags().DurationVar(&end, "end-timeout", 0, "stay until every peer has ended, at most this long (default: do not stay)")
	command.Flags().StringArrayVar(&until, "until", nil, "wait only for the end of these indexes, as INDEXES:COUNT (default: all); may be repeated")
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		collector.Steady()
		config, err := barrierConfig(getenv)
		if err != nil {
			return err
		}
		config.Start, config.End, config.EndTimeout = start, end > 0, end
		for _, text := range until {
			u, err := protocol.ParseUntil(text)
			if err != nil {
				return fmt.Errorf("--until: %w", err)
			}
			config.Until = append(config.Until, u)
		}
		terminated, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		err = barrier.Run(terminated, barrier.Options{Config: config, Port: port, Log: logger(cmd.ErrOrStderr()), Message: message})
		return withMessage(message, err)
	}
	command.AddCommand(newBarrierWait(&port, &message), newBarrierStatus(&port))
	return command
}

func newBarrierWait(port *uint16, message *string) *cobra.Command {
	var timeout time.Duration
	command := &cobra.Command{
		Use:   "wait",
		Short: "Wait until every peer is there (in a Pod)",
		Long: fmt.Sprintf(`wait runs as an init container after the sidecar "peerjob barrier" of the same
Pod. It exits with 0 when every peer is there. After the timeout, it exits with
%d and names the missing peers in its log and in its termination message.`, exitTimedOut),
		Args: cobra.NoArgs,
	}
	command.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "wait at most this long")
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		return withMessage(*message, barrier.Wait(ctx, *port, timeout, logger(cmd.ErrOrStderr())))
	}
	return command
}

func newBarrierStatus(port *uint16) *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Print the peers that this Pod waits for (in a Pod)",
		Example: `  kubectl exec train-0-abcde -c peerjob-barrier -- /usr/local/bin/peerjob barrier status --port 7450`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(context.Background(), protocol.CallTimeout)
			defer cancel()
			text, err := barrier.Status(ctx, *port)
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), text)
			return err
		},
	}
}

// barrierConfig reads who this peer is from the variables of a PeerJob's Pod.
func barrierConfig(getenv func(string) string) (protocol.Config, error) {
	size, err := strconv.ParseInt(getenv("PEERJOB_SIZE"), 10, 32)
	if err != nil || size < 1 {
		return protocol.Config{}, fmt.Errorf("PEERJOB_SIZE is %q, and must be the number of peers; this command runs in the Pods of a PeerJob", getenv("PEERJOB_SIZE"))
	}
	index, err := strconv.ParseInt(getenv("JOB_COMPLETION_INDEX"), 10, 32)
	if err != nil || index < 0 || index >= size {
		return protocol.Config{}, fmt.Errorf("JOB_COMPLETION_INDEX is %q, and must be from 0 to %d", getenv("JOB_COMPLETION_INDEX"), size-1)
	}
	job, service := getenv("PEERJOB_NAME"), getenv("PEERJOB_SERVICE")
	if job == "" || service == "" {
		return protocol.Config{}, fmt.Errorf("PEERJOB_NAME and PEERJOB_SERVICE must be set")
	}
	return protocol.Config{
		Job: getenv("PEERJOB_UID"), Index: int32(index), Size: int32(size),
		Name: func(i int32) string { return fmt.Sprintf("%s-%d.%s", job, i, service) },
	}, nil
}

func logger(stderr io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(stderr, nil)) }

// withMessage writes an error into the termination message, too.
func withMessage(file string, err error) error {
	if err != nil {
		return errors.Join(err, barrier.WriteMessage(file, err.Error()))
	}
	return nil
}
