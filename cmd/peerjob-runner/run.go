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
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/peerjob/peerjob/barrier"
	"github.com/peerjob/peerjob/barrier/protocol"
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
	// bidTime is how long an index 0 that was told to end tries to tell the others.
	bidTime = 2 * time.Second
)

const runUsage = "Usage: peerjob-runner run [FLAGS] -- COMMAND [ARGUMENT...]"

// runOptions are the flags of "run".
type runOptions struct {
	port       uint16
	start, end *time.Duration // nil: no barrier there
	until      []protocol.Until
	policy     policyOptions
	roles      roleOptions
	grace      time.Duration
	stopSignal process.Signal
	message    string
	keyFile    string
	command    []string
}

func runFlags(o *runOptions) *flag.FlagSet {
	flags := newFlags("run")
	portFlag(flags, &o.port)
	durationFlag(flags, "start-timeout", "start the command when every peer is there, and exit with 75 after this `time` (0s: no limit)", &o.start, 0)
	durationFlag(flags, "end-timeout", "after the command, stay until every peer has ended, at most this `time` (0s: no limit, with --on-failure=RestartPeerJob)", &o.end, 0)
	flags.Func("until", "at the end, wait only for these `indexes`, as INDEXES:COUNT (default all); may be repeated", func(text string) error {
		until, err := protocol.ParseUntil(text)
		o.until = append(o.until, until)
		return err
	})
	policyFlags(flags, &o.policy)
	roleFlags(flags, &o.roles)
	flags.DurationVar(&o.grace, "grace-period", gracePeriod, "leave before this `time` after SIGTERM is over, and kill a command so long after it was told to stop; the Pod's terminationGracePeriodSeconds")
	o.stopSignal = process.SIGTERM
	flags.Func("stop-signal", "the container's stop `signal` (default SIGTERM)", func(text string) (err error) {
		o.stopSignal, err = process.ParseSignal(text)
		return err
	})
	flags.StringVar(&o.message, "termination-message", terminationMessage, "append errors to this `file`")
	flags.StringVar(&o.keyFile, "key-file", "", "prove with the key in this `file` to be a peer")
	return flags
}

func runCommand(args []string, stdout, stderr io.Writer) int {
	options := &runOptions{}
	flags := runFlags(options)
	err := flags.Parse(args)
	options.command = flags.Args()
	switch {
	case errors.Is(err, flag.ErrHelp):
		return print(stdout, stderr, help(runUsage, flags))
	case err != nil:
		return wrongUsage(stderr, "%v", err)
	case len(options.command) == 0:
		return wrongUsage(stderr, "run needs a command: peerjob-runner run [FLAGS] -- COMMAND [ARGUMENT...]")
	}
	if err := errors.Join(options.check(), options.roles.check(options)); err != nil {
		return wrongUsage(stderr, "%v", err)
	}
	// GOGC, GOMEMLIMIT and GOMAXPROCS are in the environment for the command.
	runtime.SetDefaultGOMAXPROCS()
	debug.SetGCPercent(100)
	debug.SetMemoryLimit(math.MaxInt64)
	r := &runner{options: options, log: newLogger(stderr)}
	if r.hasPolicy() {
		r.bidden = make(chan struct{})
	}
	code := r.run(os.Getenv)
	r.log.flush()
	return code
}

// runner runs a command as part of a group.
type runner struct {
	options *runOptions
	log     *logger
	group   *barrier.Group // nil without anything that it is for
	// rank is this peer's place among those of all roles, and worldSize how many they are.
	rank, worldSize int32
	// first is what people call the peer that leads the group.
	first string
	// cannotRun says why the command can't be run, in a group with a failure policy.
	cannotRun string
	logged    [65]bool // the signals that were logged
	// told is when the command first got SIGTERM, and asked when it last got another
	// signal that can be a container's stop signal. The kubelet counts the grace period
	// from there.
	told, asked atomic.Pointer[time.Time]
	// bidden is closed when a group with a failure policy was told to end; nil without one.
	bidden chan struct{}
}

// hasPolicy reports whether the group has a failure policy.
func (r *runner) hasPolicy() bool { return r.options.policy.action != protocol.EachForItself }

// run returns the exit code.
func (r *runner) run(getenv func(string) string) int {
	supervisor, err := process.New(r.passed)
	if err != nil {
		return r.fail(err)
	}
	if err := r.join(getenv); err != nil {
		return r.fail(err)
	}
	for {
		attempt, err := r.waitStart(supervisor.Stopped())
		if left := (*barrier.LeftError)(nil); errors.As(err, &left) && left.Outcome == protocol.GroupFailed {
			return r.end(protocol.CodeGroupFailed)
		}
		if err != nil {
			return r.end(r.fail(err))
		}
		code, err := r.attempt(supervisor, attempt)
		switch {
		case err != nil && !r.hasPolicy():
			return r.end(r.fail(err))
		case errors.As(err, new(*process.StoppedError)):
			r.group.Terminating()
			code = protocol.CodeTerminated
		case err != nil:
			code, r.cannotRun = exitCode(err), fmt.Sprintf("%v; ", err)
			r.log.printf("%v (exit code %d)", err, code)
		}
		if again := r.waitEnd(supervisor.Stopped(), code); !again {
			return r.end(code)
		}
	}
}

// attempt runs the command once, and returns its exit code. It is an error if the command
// can't be run. The group can have it stopped.
func (r *runner) attempt(supervisor *process.Supervisor, attempt int) (code int, err error) {
	command, environment := r.commandOf(attempt)
	// The command writes to the same stream, and not always whole lines at once.
	r.log.flush()
	if err := supervisor.Start(command, environment); err != nil {
		return 0, err
	}
	if r.group != nil {
		r.group.Started()
	}
	ended, heeded := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(heeded)
		if r.group != nil {
			r.heed(supervisor, ended)
		}
	}()
	status, killed := supervisor.Wait()
	close(ended)
	<-heeded // or it would stop the next attempt
	if killed > 0 {
		r.log.printf("the command left processes behind; killed %d", killed)
	}
	if status.Code() != 0 || r.group != nil {
		r.log.printf("the command %s", status)
	}
	if r.hasPolicy() {
		r.clear(supervisor)
		r.bid()
	}
	return status.Code(), nil
}

// heed stops the command when the group wants it. With a failure policy, it kills one that does
// not end when its Pod is told to, before the kubelet kills both: with its exit code, 137,
// the Pod would count as failed.
func (r *runner) heed(supervisor *process.Supervisor, ended <-chan struct{}) {
	stop, bidden := r.group.MustStop(), r.bidden
	var over <-chan time.Time
	for {
		select {
		case <-stop:
			r.log.printf("stopping the command with %s, and SIGKILL after %s", r.options.stopSignal, r.options.grace)
			supervisor.Stop(r.options.stopSignal, r.options.grace)
			stop = nil
		case <-bidden:
			over = time.After(r.options.grace - min(graceMargin, r.options.grace/4) - time.Since(*r.told.Load()))
			bidden = nil
		case <-over:
			r.log.printf("the grace period is nearly over: killing the command")
			supervisor.Stop(process.SIGKILL, 0)
		case <-ended:
			return
		}
	}
}

// clear waits until nothing is left of the command: no attempt may start while something
// of the one before runs.
func (r *runner) clear(supervisor *process.Supervisor) {
	for said := false; ; said = true {
		if _, gone := supervisor.Kill(); gone {
			return
		}
		if !said {
			r.log.printf("the command left processes that do not end of SIGKILL; waiting until they have")
		}
	}
}

// bid gives an index 0 that was told to end the time to tell the others, within the grace
// period.
func (r *runner) bid() {
	left, told := r.graceLeft(time.Now())
	if !told {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(left, bidTime))
	defer cancel()
	r.group.Bid(ctx)
}

// end leaves the group, and returns the exit code: that of the command, unless the
// group has a failure policy, which says more.
func (r *runner) end(code int) int {
	if r.group == nil {
		return code
	}
	if err := r.group.Close(); err != nil {
		r.log.printf("%v", err)
	}
	if r.group.Excused() {
		if code != 0 {
			r.log.printf("exit code 0 in place of %d, that of the command: the group is done", code)
		}
		return 0
	}
	if !r.hasPolicy() {
		return code
	}
	exit := r.group.ExitCode()
	who, here := r.group.Failure()
	switch {
	case here && exit == code:
		r.message(fmt.Sprintf("%s%s, first of all: the group has failed (exit code %d)", r.cannotRun, who, exit))
		r.log.printf("exit code %d: this peer failed first", exit)
	case here:
		r.message(fmt.Sprintf("%s%s, first of all, and no other peer of its Job says so: the group has failed (exit code %d)", r.cannotRun, who, exit))
		r.log.printf("exit code %d in place of %d, that of the command: this peer failed first, and no other peer of its Job says so", exit, code)
	case exit == protocol.CodeGroupFailed && who == "" && code != protocol.CodeTerminated && exit != code:
		text := fmt.Sprintf("the command failed with code %d, and %s was told to end and can't tell the others", code, r.first)
		r.message(fmt.Sprintf("%s: the Job fails (exit code %d)", text, exit))
		r.log.printf("exit code %d in place of %d: %s, so the Job must", exit, code, text)
	case exit == protocol.CodeGroupFailed && who == "" && exit != code:
		r.log.printf("exit code %d in place of %d, that of the command: the Job would take it for a Pod that was told to end", exit, code)
	case exit == protocol.CodeGroupFailed && who != "":
		r.message(fmt.Sprintf("%s: the group has failed (exit code %d)", who, exit))
		r.log.printf("exit code %d: another peer failed first", exit)
	case exit != code:
		r.log.printf("exit code %d in place of %d, that of the command", exit, code)
	}
	return exit
}

// join makes this process a peer of its group, if it has a barrier, a failure policy, or
// roles of which one waits for another or for all.
func (r *runner) join(getenv func(string) string) error {
	o := r.options
	needed := o.start != nil || o.end != nil || r.hasPolicy() || o.roles.needGroup()
	if !needed && !o.roles.isSet() {
		return nil
	}
	identify := peerConfig
	if o.roles.isSet() {
		identify = o.roles.peerConfig
	}
	config, err := identify(getenv)
	if err != nil {
		return err
	}
	r.rank, r.worldSize, r.first = config.Index, config.Size, config.First()
	if !needed {
		return nil // the command still learns its rank
	}
	config.Until = o.until
	config.Start = config.AfterStarted|config.AfterComplete != 0 // without a limit
	if o.start != nil {
		config.Start, config.StartTimeout = true, *o.start
	}
	if o.end != nil {
		config.End, config.EndTimeout = true, *o.end
	}
	if config.Policy, err = o.policy.policy(o.grace, getenv); err != nil {
		return err
	}
	var key []byte
	if o.keyFile != "" {
		if key, err = os.ReadFile(o.keyFile); err != nil {
			return err
		}
		if len(key) == 0 {
			return fmt.Errorf("the key in %s is empty", o.keyFile)
		}
	}
	r.group, err = barrier.Join(context.Background(), barrier.Options{
		Config: config, Port: o.port, Key: key,
		Log: func(line string) { r.log.printf("%s", line) },
	})
	return err
}

// peerConfig reads who this peer is from the variables of a PeerJob's Pod.
func peerConfig(getenv func(string) string) (protocol.Config, error) {
	for _, name := range []string{"PEERJOB_NAME", "PEERJOB_SERVICE", "PEERJOB_UID"} {
		if getenv(name) == "" {
			return protocol.Config{}, fmt.Errorf("%s is not set; peerjob sets it in the containers of a PeerJob", name)
		}
	}
	size, err := strconv.ParseInt(getenv("PEERJOB_SIZE"), 10, 32)
	if err != nil || size < 1 {
		return protocol.Config{}, fmt.Errorf("PEERJOB_SIZE is %q, and must be the number of peers", getenv("PEERJOB_SIZE"))
	}
	index, err := strconv.ParseInt(getenv("JOB_COMPLETION_INDEX"), 10, 32)
	if err != nil || index < 0 || index >= size {
		return protocol.Config{}, fmt.Errorf("JOB_COMPLETION_INDEX is %q, and must be from 0 to %d", getenv("JOB_COMPLETION_INDEX"), size-1)
	}
	return protocol.Config{
		Job: getenv("PEERJOB_UID"), Index: int32(index), Size: int32(size),
		Name: func(i int32) string {
			return fmt.Sprintf("%s-%d.%s", getenv("PEERJOB_NAME"), i, getenv("PEERJOB_SERVICE"))
		},
	}, nil
}

// waitStart waits until the command may start, and returns the attempt.
func (r *runner) waitStart(stopped context.Context) (attempt int, err error) {
	if r.group == nil {
		return 1, nil
	}
	attempt, err = r.group.WaitStart(stopped)
	if err != nil && stopped.Err() != nil {
		r.group.Terminating()
		if r.hasPolicy() {
			r.group.Ended(protocol.CodeTerminated) // if it could have started meanwhile
		}
	}
	return attempt, err
}

// waitEnd waits until this peer may leave, or until its command is to run again, which it
// reports. A signal to end does not end it at once, because the others still need its
// name: it waits until the grace period is nearly over, which may have begun while the
// command ran.
func (r *runner) waitEnd(stopped context.Context, code int) (again bool) {
	if r.group == nil {
		return false
	}
	r.group.Ended(code)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	go func() {
		left, told := r.graceLeft(time.Now())
		if !told {
			select {
			case <-stopped.Done():
				r.group.Terminating()
				left = r.options.grace - graceMargin
			case <-ctx.Done():
				return
			}
		}
		time.Sleep(max(0, left))
		cancel(errors.New("the grace period is nearly over"))
	}()
	again, err := r.group.WaitEnd(ctx)
	if err != nil {
		if ctx.Err() != nil {
			r.log.printf("%v", err) // the group says any other
		}
		r.message(err.Error())
	}
	return again
}

// graceLeft returns how long this peer may still stay if the container was told to end,
// and whether it was. An image's own stop signal is not known here: any signal that ends
// a process may be it, if the command has ended within the grace period. Not with a
// failure policy: there, who leaves early is missed by the others.
func (r *runner) graceLeft(now time.Time) (time.Duration, bool) {
	if told := r.told.Load(); told != nil {
		return r.options.grace - graceMargin - now.Sub(*told), true
	}
	if asked := r.asked.Load(); asked != nil && !r.hasPolicy() && now.Sub(*asked) < r.options.grace {
		return r.options.grace - graceMargin - now.Sub(*asked), true
	}
	return 0, false
}

// passed notes a signal that the command got.
func (r *runner) passed(signal process.Signal) {
	now := time.Now()
	switch {
	case r.tells(signal):
		if r.told.CompareAndSwap(nil, &now) && r.bidden != nil {
			close(r.bidden)
		}
	case signal.Ends():
		r.asked.Store(&now)
	}
	if r.logged[signal] || signal == process.SIGWINCH {
		return
	}
	r.logged[signal] = true
	r.log.printf("passed %s on to the command", signal)
	if r.tells(signal) && r.group != nil {
		r.group.Terminating()
	}
}

// tells reports whether a signal tells the Pod to end.
func (r *runner) tells(signal process.Signal) bool {
	return signal == process.SIGTERM || signal == r.options.stopSignal
}

// exitCode is the exit code for an error that kept the command from running.
func exitCode(err error) int {
	var stopped *process.StoppedError
	var command *process.CommandError
	var timeout *barrier.StartTimeoutError
	var left *barrier.LeftError
	switch {
	case errors.As(err, &stopped):
		return 128 + int(stopped.Signal)
	case errors.As(err, &command):
		return command.Code
	case errors.As(err, &timeout):
		return exitTimedOut
	case errors.As(err, &left) && (left.Outcome == protocol.Together || left.Outcome == protocol.RoleComplete):
		return 0 // the group, or the role, has succeeded before this Pod came
	case errors.As(err, &left):
		return protocol.CodeTerminated
	}
	return exitFailed
}

// fail reports why the command did not run, and returns the exit code.
func (r *runner) fail(err error) int {
	code := exitCode(err)
	so := fmt.Sprintf("the command did not run (exit code %d)", code)
	if r.hasPolicy() {
		if errors.As(err, new(*process.StoppedError)) {
			code = protocol.CodeTerminated // which the Job's podFailurePolicy knows
		}
		so = fmt.Sprintf("exit code %d", code) // it may have run before
	}
	text := fmt.Sprintf("%v; %s", err, so)
	if errors.As(err, new(*barrier.StartTimeoutError)) {
		r.log.printf("%s", so) // the group has said why
	} else {
		r.log.printf("%s", text)
	}
	r.message(text)
	return code
}

// message appends a line to the termination message.
func (r *runner) message(text string) {
	if err := appendMessage(r.options.message, "peerjob-runner: "+text); err != nil {
		r.log.printf("write the termination message: %v", err)
	}
}
