// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Command peerjob-runner runs the command of one container of a PeerJob, and takes part
// in the group of its peers. peerjob puts it in front of the command:
//
//	peerjob-runner run --port=7450 --start-timeout=600s -- COMMAND ARGUMENT...
//
// This package is a thin edge: flags, files, the log and the exit code. Package
// internal/runner/process does what process 1 does, and package barrier speaks with the
// peers. Every node pulls this program, and every container of every peer runs it. So it
// links no package of Kubernetes, and package flag in place of cobra, which makes it
// 0.9 MB smaller.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/peerjob/peerjob/barrier/protocol"
	"github.com/peerjob/peerjob/internal/runner/process"
)

// The exit codes of the program itself, besides those of package process. A log line
// tells them from those of the command.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitTimedOut = protocol.CodeTimedOut // not every peer came in time
)

const usage = `peerjob-runner runs a container's command as part of a PeerJob.

Usage:
  peerjob-runner run [FLAGS] -- COMMAND [ARGUMENT...]
                               run a command when every peer is there
  peerjob-runner install DIR   copy this program to DIR/peerjob-runner
  peerjob-runner status [--port=7450]
                               print what this peer waits for, in a running container
  peerjob-runner doctor [--port=7450]
                               print whether this Pod finds its peers, and why not
  peerjob-runner version       print the version

"peerjob-runner run --help" lists the flags.
`

// version is the version that the linker sets: "make build" takes it from hack/version.
var version string

func main() {
	process.Main()
	os.Exit(run(os.Args[1:], os.Stdout, stderr{}))
}

// run is the whole program but the exit.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		_, _ = io.WriteString(stderr, usage) // without stderr the exit code has to do
		return exitUsage
	}
	switch name, args := args[0], args[1:]; name {
	case "run":
		return runCommand(args, stdout, stderr)
	case "install":
		return installProgram(args, stdout, stderr)
	case "status":
		return printStatus(args, stdout, stderr)
	case "doctor":
		return doctorCommand(args, stdout, stderr)
	case "version", "--version":
		return printVersion(stdout, stderr)
	case "help", "--help", "-h":
		return print(stdout, stderr, usage)
	default:
		return wrongUsage(stderr, "unknown command %q; must be run, install, status, doctor or version", name)
	}
}

func wrongUsage(stderr io.Writer, format string, args ...any) int {
	_, _ = fmt.Fprintf(stderr, "peerjob-runner: "+format+"\n", args...)
	return exitUsage
}

// print prints to stdout and returns the exit code.
func print(stdout, stderr io.Writer, text string) int {
	if _, err := io.WriteString(stdout, text); err != nil {
		_, _ = fmt.Fprintf(stderr, "peerjob-runner: %v\n", err)
		return exitFailed
	}
	return 0
}

func printVersion(stdout, stderr io.Writer) int {
	v := version
	if info, ok := debug.ReadBuildInfo(); v == "" && ok {
		v = info.Main.Version
	}
	return print(stdout, stderr, fmt.Sprintf("peerjob-runner %s %s %s/%s\n", v, runtime.Version(), runtime.GOOS, runtime.GOARCH))
}
