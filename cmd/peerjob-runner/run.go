// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/peerjob/peerjob/internal/runner/process"
)

const (
	// terminationMessage is where Kubernetes looks for what a container said last,
	// unless the container says otherwise.
	terminationMessage = "/dev/termination-log"
	// gracePeriod is the default of Kubernetes.
	gracePeriod = 30 * time.Second
	// graceMargin is how long before the end of the grace period the runner leaves, so
	// that the kubelet does not kill it and its exit code stays the command's.
	graceMargin = 2 * time.Second
)

const runUsage = "Usage: peerjob-runner run [FLAGS] -- COMMAND [ARGUMENT...]"

// runOptions are the flags of "run".
type runOptions struct {
	port         uint16
	start, end   *time.Duration // nil: no barrier there
	until        []string
	grace        time.Duration
	message, key string
	command      []string
}

// group is what a runner does with the other peers.
type group interface {
	// WaitStart returns when every peer is there. An error whose Timeout method returns
	// true names the missing ones.
	WaitStart(ctx context.Context) error
	// Ended says that the command ended, and returns when this peer may leave, at the
	// latest when ctx is done.
	Ended(ctx context.Context, exitCode int)
	Close() error
}

// parseRun returns flag.ErrHelp if the arguments ask for help, and the text of it.
func parseRun(args []string) (*runOptions, string, error) {
	o := &runOptions{}
	flags := flag.NewFlagSet("peerjob-runner run", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	flags.Func("port", "the `port` of the group, the same in every peer", func(text string) error {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 {
			return errors.New("must be from 1 to 65535")
		}
		o.port = uint16(port)
		return nil
	})
	flags.Func("start-timeout", "start the command when every peer is there, and exit with 75 after this `time` (0s: no limit)", duration(&o.start))
	flags.Func("end-timeout", "after the command, stay until every peer has ended, at most this `time` (0s: no limit)", duration(&o.end))
	flags.Func("until", "at the end, wait only for these `indexes`, as INDEXES:COUNT (default all); may be repeated", func(text string) error {
		o.until = append(o.until, text)
		return nil
	})
	flags.DurationVar(&o.grace, "grace-period", gracePeriod, "leave before this `time` after SIGTERM is over, the Pod's terminationGracePeriodSeconds")
	flags.StringVar(&o.message, "termination-message", terminationMessage, "append errors to this `file`")
	flags.StringVar(&o.key, "key-file", "", "prove with the key in this `file` to be a peer")
	if err := flags.Parse(args); err != nil {
		var help strings.Builder
		help.WriteString(runUsage + "\n\nFlags:\n")
		flags.SetOutput(&help)
		flags.PrintDefaults()
		return nil, help.String(), err
	}
	o.command = flags.Args()
	if len(o.command) == 0 {
		return nil, "", errors.New("run needs a command: peerjob-runner run [FLAGS] -- COMMAND [ARGUMENT...]")
	}
	if o.port == 0 && (o.start != nil || o.end != nil) {
		return nil, "", errors.New("--start-timeout and --end-timeout need --port")
	}
	return o, "", nil
}

// duration parses a flag that is nil if it is not set.
func duration(to **time.Duration) func(string) error {
	return func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return errors.New("must be a duration from 0s, such as 600s")
		}
		*to = &d
		return nil
	}
}

func runCommand(args []string, stdout, stderr io.Writer) int {
	options, help, err := parseRun(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return print(stdout, stderr, help)
	case err != nil:
		return wrongUsage(stderr, "%v", err)
	}
	// GOGC and GOMEMLIMIT are in the environment for the command.
	debug.SetGCPercent(100)
	debug.SetMemoryLimit(math.MaxInt64)
	r := &runner{options: options, log: newLogger(stderr), terminated: make(chan struct{})}
	code := r.run()
	r.log.close()
	return code
}

// runner runs one command as part of a group.
type runner struct {
	options *runOptions
	log     *logger
	logged  [65]bool // the signals that were logged
	// terminated is closed when the command gets SIGTERM.
	terminated chan struct{}
	group      group // nil without barriers
}

// run returns the exit code.
func (r *runner) run() int {
	supervisor, err := process.New(r.passed)
	if err != nil {
		return r.fail(exitFailed, err)
	}
	if err := supervisor.Start(r.options.command); err != nil {
		return r.fail(exitCode(err), err)
	}
	status, killed := supervisor.Wait()
	if killed > 0 {
		r.log.printf("the command left %d processes, which were killed", killed)
	}
	if status.Code() != 0 {
		r.log.printf("the command %s", status)
	}
	return status.Code()
}

// passed notes a signal that the command got.
func (r *runner) passed(signal process.Signal) {
	if r.logged[signal] || signal == process.SIGWINCH {
		return
	}
	r.logged[signal] = true
	r.log.printf("passed %s on to the command", signal)
	if signal == process.SIGTERM {
		close(r.terminated)
	}
}

// exitCode is the exit code for an error that kept the command from running.
func exitCode(err error) int {
	var stopped *process.StoppedError
	var command *process.CommandError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &stopped):
		return 128 + int(stopped.Signal)
	case errors.As(err, &command):
		return command.Code
	case errors.As(err, &timeout) && timeout.Timeout():
		return exitTimedOut
	}
	return exitFailed
}

// fail reports why the command did not run.
func (r *runner) fail(code int, err error) int {
	text := fmt.Sprintf("%v; the command did not run (exit code %d)", err, code)
	r.log.printf("%s", text)
	if err := appendMessage(r.options.message, "peerjob-runner: "+text); err != nil {
		r.log.printf("write the termination message: %v", err)
	}
	return code
}
