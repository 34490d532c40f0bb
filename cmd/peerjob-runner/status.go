// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/peerjob/peerjob/barrier"
)

const (
	statusUsage = "Usage: peerjob-runner status [--port=PORT]\n\nWithout --port, the port is that of the runner of this container, or 7450."
	// defaultPort is the default of spec.runner.port.
	defaultPort = 7450
)

// printStatus asks the runner of this container. It is for people, who call it with
// "kubectl exec".
func printStatus(args []string, stdout, stderr io.Writer) int {
	port := uint16(0)
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
	if port == 0 {
		port = runnerPort("/proc")
	}
	text, err := barrier.Status(context.Background(), port)
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "peerjob-runner: %v\n", err)
		return exitFailed
	}
	return print(stdout, stderr, text)
}

// runnerPort is the port of the runner that runs in this container, or the default. Proc
// is where the processes are.
func runnerPort(proc string) uint16 {
	if options := runnerOptions(proc); options != nil && options.port != 0 {
		return options.port
	}
	return defaultPort
}

// runnerOptions are the flags of the runner that runs in this container; nil for none. With
// "hostPID", the processes of other Pods are there, too: one of the same container has the
// same mounts.
func runnerOptions(proc string) *runOptions {
	own, _ := os.Readlink(filepath.Join(proc, "self/ns/mnt")) // without it, no process is of the same container
	lines, _ := filepath.Glob(filepath.Join(proc, "[0-9]*/cmdline"))
	for _, line := range lines {
		mounts, err := os.Readlink(filepath.Join(filepath.Dir(line), "ns/mnt"))
		if err != nil || mounts != own {
			continue // not ours, or ended
		}
		content, _ := os.ReadFile(line) // nothing is no runner's
		words := strings.Split(strings.TrimSuffix(string(content), "\x00"), "\x00")
		if len(words) < 2 || filepath.Base(words[0]) != program || words[1] != "run" {
			continue
		}
		options := &runOptions{}
		if runFlags(options).Parse(words[2:]) == nil {
			return options
		}
	}
	return nil
}
