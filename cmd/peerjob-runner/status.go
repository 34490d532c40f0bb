// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/peerjob/peerjob/barrier"
)

const (
	statusUsage = "Usage: peerjob-runner status [--port=7450]"
	// defaultPort is the default of spec.runner.port.
	defaultPort = 7450
)

// printStatus asks the runner of this container. It is for people, who call it with
// "kubectl exec".
func printStatus(args []string, stdout, stderr io.Writer) int {
	port := uint16(defaultPort)
	flags := newFlags("status")
	portFlag(flags, &port)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return print(stdout, stderr, help(statusUsage, flags))
	case err != nil:
		return wrongUsage(stderr, "%v", err)
	case flags.NArg() > 0:
		return wrongUsage(stderr, "status takes no arguments, only --port")
	}
	text, err := barrier.Status(context.Background(), port)
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "peerjob-runner: %v\n", err)
		return exitFailed
	}
	return print(stdout, stderr, text)
}
