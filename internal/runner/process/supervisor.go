// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// killTime is how long [Supervisor.Wait] and [Supervisor.Kill] try to kill what a command
// left.
const killTime = time.Second

// Supervisor runs one command at a time, as process 1 does. A process has at most one,
// for its whole life.
type Supervisor struct {
	passed  func(Signal)
	stopped context.Context
	stop    context.CancelCauseFunc
	// terminal is the controlling terminal, or noTerminal.
	terminal int

	// mu guards what follows. It is held from before a fork until the pid is known, and
	// from before a child is reaped until its pid is forgotten: so no signal gets lost
	// and none reaches another process.
	mu    sync.Mutex
	pid   int         // of the command; 0 if none is running
	runs  int         // how many commands were started
	ended chan Status // receives the status of the command
}

// StoppedError says that the process was asked to end while no command was running.
type StoppedError struct{ Signal Signal }

func (e *StoppedError) Error() string { return "stopped by " + e.Signal.String() }

// New makes this process the supervisor. From now on it takes every signal, and it is the
// parent of every orphan among its descendants. If passed is not nil, it is called
// with each signal that a command got.
func New(passed func(Signal)) (*Supervisor, error) {
	if passed == nil {
		passed = func(Signal) {}
	}
	s := &Supervisor{passed: passed, ended: make(chan Status, 1), terminal: controllingTerminal()}
	s.stopped, s.stop = context.WithCancelCause(context.Background())
	if os.Getpid() != 1 {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return nil, fmt.Errorf("become a subreaper: %w", err)
		}
	}
	signals, err := catchSignals()
	if err != nil {
		return nil, err
	}
	go s.loop(signals)
	return s, nil
}

// Stopped is done when a signal asked this process to end while no command was
// running. Its cause is a [StoppedError].
func (s *Supervisor) Stopped() context.Context { return s.stopped }

// Start starts a command with an environment, in which each variable has the form
// NAME=VALUE. It returns a [CommandError] if the command can't be run, and a [StoppedError]
// if the process was asked to end before. [Supervisor.Wait] must follow before the next
// Start.
func (s *Supervisor) Start(command, environment []string) error {
	path, err := lookup(command[0], os.Getenv("PATH"))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped.Err() != nil {
		return context.Cause(s.stopped)
	}
	s.pid, err = s.fork(path, command, environment)
	if err != nil {
		s.pid = 0
		return commandError(path, err)
	}
	s.runs++
	return nil
}

// Stop tells the command to end, and everything in its process group, and kills them if
// the command has not ended after the grace. It does not wait. Nobody hears of the signal
// through the passed of [New], which is about signals from outside.
func (s *Supervisor) Stop(signal Signal, grace time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pid == 0 {
		return
	}
	s.signalGroup(unix.Signal(signal))
	run := s.runs
	time.AfterFunc(grace, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.pid != 0 && s.runs == run {
			s.signalGroup(unix.SIGKILL)
		}
	})
}

// signalGroup signals the command, which may have moved to another group, and all
// processes in the group that it started with.
func (s *Supervisor) signalGroup(signal unix.Signal) {
	_ = unix.Kill(-s.pid, signal) // an empty group is no error
	if group, err := unix.Getpgid(s.pid); err == nil && group != s.pid {
		_ = unix.Kill(s.pid, signal)
	}
}

// fork starts a command that is found at path, and returns its pid.
func (s *Supervisor) fork(path string, command, environment []string) (int, error) {
	if s.terminal != noTerminal {
		return forkForeground(s.terminal, path, command, environment)
	}
	return syscall.ForkExec(path, command, &syscall.ProcAttr{
		Env: environment, Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setpgid: true},
	})
}

// Wait waits until the command has ended, and kills the processes that it left. It
// returns how many those were.
func (s *Supervisor) Wait() (status Status, killed int) {
	status = <-s.ended
	killed, _ = s.Kill()
	if s.terminal != noTerminal {
		// Without the terminal, a Ctrl-C would reach nobody from now on.
		_ = setForeground(s.terminal, unix.Getpgrp())
	}
	return status, killed
}

// loop handles signals for the life of the process.
func (s *Supervisor) loop(signals *signalReader) {
	for {
		for _, info := range signals.next() {
			s.handle(info)
		}
		// One SIGCHLD can stand for several children, and is in no order with
		// the other signals.
		s.reap()
	}
}

// handle passes one signal on, or ends the wait for a command.
func (s *Supervisor) handle(info signalInfo) {
	if info.ofChild() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.pid != 0:
		if info.send(s.pid) == nil {
			s.passed(info.signal())
		}
	case info.signal().Ends():
		s.stop(&StoppedError{info.signal()})
	}
}

// reap takes the status of every child that ended. A child that stopped runs on if
// nobody else would continue it.
func (s *Supervisor) reap() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG|unix.WUNTRACED, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil || pid == 0:
			return
		case status.Stopped():
			// No shell is here to continue a job. As process 1, the command could not
			// have been stopped by these, Ctrl-Z among them. SIGSTOP is meant.
			jobControl := []syscall.Signal{unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU}
			if pid == s.pid && slices.Contains(jobControl, status.StopSignal()) {
				_ = unix.Kill(-pid, unix.SIGCONT)
			}
		case pid == s.pid:
			s.pid = 0
			s.ended <- Status(status)
		}
	}
}

// Kill kills the processes that a command left, until there are none or killTime is
// over. It returns how many it killed, and whether there are none: a process that waits
// for a device or a file system that does not answer ends late. With a process namespace of its own, the
// end of a container does the same. Here, the container may go on, to wait for other
// peers or to start the command again.
//
// Processes that came from elsewhere, such as those of "kubectl exec", are left alone.
func (s *Supervisor) Kill() (killed int, gone bool) {
	seen := map[int]bool{}
	deadline := time.Now().Add(killTime)
	for pause := time.Millisecond; hasChildren() && time.Now().Before(deadline); pause *= 2 {
		for _, pid := range descendants(os.Getpid()) {
			if unix.Kill(pid, unix.SIGKILL) == nil {
				seen[pid] = true
			}
		}
		time.Sleep(pause) // the loop reaps them
	}
	return len(seen), !hasChildren()
}

// hasChildren says whether this process has any child, reaped or not. It reaps none.
func hasChildren() bool {
	return unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) != unix.ECHILD
}
