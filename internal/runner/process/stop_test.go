// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// attemptsIn runs a test with process 1 and with a subreaper that run a command so many
// times.
func attemptsIn(t *testing.T, count int, grace, script string, test func(r *run)) {
	inEachMode(t, func(t *testing.T, attr *syscall.SysProcAttr, role string) {
		if role == "restricted" {
			t.Skip("as process 1")
		}
		test(start(t, attr, "attempts", fmt.Sprint(count), grace, "sh", "-c", script))
	})
}

// stop stops the command.
func (r *run) stop() { _, _ = fmt.Fprintln(r.stdin, "stop") }

func TestStop(t *testing.T) {
	attemptsIn(t, 1, "20s", `trap 'echo told; exit 5' TERM; echo ready; while :; do sleep 0.01; done`, func(r *run) {
		r.expect("ready")
		r.stop()
		r.expect("told")
		r.expect("ended with exit code 5; killed 0, gone true")
		r.ends(0)
	})
}

// The processes of the command's group are told, too.
func TestStop_group(t *testing.T) {
	attemptsIn(t, 1, "20s", `
		trap 'wait; exit 6' TERM
		sh -c 'trap "echo worker told; exit" TERM; echo ready; while :; do sleep 0.01; done' &
		wait`, func(r *run) {
		r.expect("ready")
		r.stop()
		r.expect("worker told")
		r.expect("ended with exit code 6; killed 0, gone true")
		r.ends(0)
	})
}

// A command that does not heed the signal is killed after the grace, and so is what it
// has started.
func TestStop_ignored(t *testing.T) {
	attemptsIn(t, 1, "300ms", `trap '' TERM; setsid sh -c 'echo ready; exec sleep 1000' & while :; do :; done`, func(r *run) {
		r.expect("ready")
		began := time.Now()
		r.stop()
		r.expect("was killed by SIGKILL; killed 1, gone true")
		if took := time.Since(began); took < 300*time.Millisecond {
			r.t.Errorf("killed after %v, the grace is 300 ms", took)
		}
		r.ends(0)
	})
}

// A command runs ten times in a row, and leaves an orphan each time.
func TestStop_again(t *testing.T) {
	attemptsIn(t, 10, "20s", `setsid sh -c 'echo attempt $ATTEMPT; exec sleep 1000' & exec sleep 1000`, func(r *run) {
		for attempt := range 10 {
			r.expect(fmt.Sprintf("attempt %d", attempt+1))
			r.stop()
			r.expect("was killed by SIGTERM; killed 1, gone true")
		}
		r.ends(0)
	})
}

// The grace of one command is nothing to the next one, which takes longer.
func TestStop_nextIsNotKilled(t *testing.T) {
	attemptsIn(t, 2, "200ms", `
		if [ $ATTEMPT = 1 ]; then echo ready; exec sleep 1000; fi
		sleep 0.6; echo second`, func(r *run) {
		r.expect("ready")
		r.stop()
		r.expect("was killed by SIGTERM; killed 0, gone true")
		r.expect("second")
		r.expect("ended with exit code 0; killed 0, gone true")
		r.ends(0)
	})
}

// Signals from outside reach the command of each attempt.
func TestStop_signalsGoOn(t *testing.T) {
	attemptsIn(t, 3, "20s", `trap 'echo got USR1; exit 7' USR1; echo ready; while :; do sleep 0.01; done`, func(r *run) {
		for range 3 {
			r.expect("ready")
			r.signal(unix.SIGUSR1)
			r.expect("got USR1")
			r.expect("ended with exit code 7; killed 0, gone true")
		}
		r.ends(0)
	})
}

// The command of each attempt has the terminal.
func TestStop_terminal(t *testing.T) {
	t.Parallel()
	r := startRoleInTerminal(t, "attempts", append([]string{"3", "20s"}, asRole("foreground")...)...)
	for range 3 {
		r.expectLine("foreground: true leader: true")
		r.expectLine("ended with exit code 0; killed 0, gone true")
	}
	r.ends(0)
}

func TestParseSignal(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]unix.Signal{
		"SIGTERM": unix.SIGTERM, "SIGINT": unix.SIGINT, "SIGRTMIN": 34, "SIGRTMIN+3": 37, "SIGRTMIN+15": 49, "SIGRTMAX-1": 63, "SIGRTMAX": 64,
	} {
		if got, err := ParseSignal(name); err != nil || got != Signal(want) {
			t.Errorf("%s: %d, %v, want %d", name, got, err, want)
		}
	}
	for _, name := range []string{"", "TERM", "15", "SIGRTMAX-31", "SIGRTMIN+31"} {
		if got, err := ParseSignal(name); err == nil {
			t.Errorf("%q: %v, want an error", name, got)
		}
	}
}
