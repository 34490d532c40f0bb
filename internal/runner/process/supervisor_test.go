// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// catchable are the signals that a process can catch.
func catchable() []unix.Signal {
	var all []unix.Signal
	for s := unix.Signal(1); s <= lastSignal; s++ {
		if s != unix.SIGKILL && s != unix.SIGSTOP {
			all = append(all, s)
		}
	}
	return all
}

func TestSignals_eachGoesOnOnce(t *testing.T) {
	inEachMode(t, func(t *testing.T, attr *syscall.SysProcAttr, role string) {
		r := start(t, attr, role, asRole("signals")...)
		r.expect("ready")
		for _, s := range catchable() {
			r.signal(s)
			if got, _, _ := strings.Cut(r.line(), " "); got != Signal(s).String() && Signal(s).String() != "signal "+strconv.Itoa(int(s)) {
				t.Fatalf("sent %v, the command got %s", Signal(s), got)
			}
		}
		killRunner(r)
	})
}

// killRunner ends a runner whose command takes every signal.
func killRunner(r *run) {
	r.t.Helper()
	for _, pid := range descendants(r.cmd.Process.Pid) {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	r.ends(128 + int(unix.SIGKILL))
}

// Real-time signals are queued and have a value.
func TestSignals_values(t *testing.T) {
	inEachMode(t, func(t *testing.T, attr *syscall.SysProcAttr, role string) {
		r := start(t, attr, role, asRole("signals")...)
		r.expect("ready")
		const count = 100
		for value := range uintptr(count) {
			info := signalInfo{number: firstRealTime, code: siQueue, pid: int32(os.Getpid()), value: 1000 + value}
			_, _, errno := unix.Syscall(unix.SYS_RT_SIGQUEUEINFO, uintptr(r.cmd.Process.Pid), firstRealTime, uintptr(unsafe.Pointer(&info)))
			if errno != 0 {
				t.Fatal(errno)
			}
		}
		// With several threads, the order is not kept.
		seen := map[string]bool{}
		for range count {
			seen[r.line()] = true
		}
		for value := range count {
			if want := fmt.Sprintf("SIGRTMIN %d", 1000+value); !seen[want] {
				t.Errorf("%s is lost", want)
			}
		}
		killRunner(r)
	})
}

// The Go runtime still gets its own signals.
func TestSignals_ofTheRuntime(t *testing.T) {
	t.Parallel()
	r := start(t, nil, "runtime")
	r.expect("recovered: runtime error: invalid memory address or nil pointer dereference")
	r.expect("true")
	r.ends(0)
}

// A container runtime signals process 1 alone.
func TestSignals_onlyTheCommand(t *testing.T) {
	inEachMode(t, func(t *testing.T, attr *syscall.SysProcAttr, role string) {
		r := start(t, attr, role, "sh", "-c", `
			trap 'echo "got USR1"' USR1
			sleep 1000 & worker=$!
			echo ready
			read line
			kill -0 $worker && echo "worker runs"`)
		r.expect("ready")
		r.signal(unix.SIGUSR1)
		r.expect("got USR1")
		_, _ = fmt.Fprintln(r.stdin)
		r.expect("worker runs")
		r.ends(0)
	})
}

func TestCode(t *testing.T) {
	t.Parallel()
	tests := map[string]int{
		"true":   0,
		"exit 3": 3, "exit 75": 75, "exit 76": 76, "exit 126": 126, "exit 137": 137, "exit 255": 255,
	}
	for _, s := range catchable() {
		if Signal(s).Ends() {
			tests[fmt.Sprintf("kill -%d $$", s)] = 128 + int(s)
		}
	}
	tests["kill -9 $$"] = 137
	for script, code := range tests {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			start(t, nil, "supervise", "sh", "-c", "ulimit -c 0; "+script).ends(code)
		})
	}
}

func TestSignals_defaultActionEndsTheCommand(t *testing.T) {
	inEachMode(t, func(t *testing.T, attr *syscall.SysProcAttr, role string) {
		r := start(t, attr, role, "sh", "-c", "echo ready; exec sleep 1000")
		r.expect("ready")
		r.signal(unix.SIGTERM)
		r.ends(143)
	})
}

func TestSignals_ignoredByTheCommand(t *testing.T) {
	inEachMode(t, func(t *testing.T, attr *syscall.SysProcAttr, role string) {
		r := start(t, attr, role, "sh", "-c", "trap '' TERM; echo ready; cat; echo end; exit 4")
		r.expect("ready")
		r.signal(unix.SIGTERM)
		_, _ = fmt.Fprintln(r.stdin, "still here")
		r.expect("still here")
		_ = r.stdin.Close()
		r.expect("end")
		r.ends(4)
	})
}

func TestOrphans_reaped(t *testing.T) {
	inEachMode(t, func(t *testing.T, attr *syscall.SysProcAttr, role string) {
		r := start(t, attr, role, asRole("orphan")...)
		r.expect("adopted")
		r.expect("reaped")
		r.ends(0)
	})
}

func TestOrphans_statusOfTheCommandIsNotLost(t *testing.T) {
	inEachMode(t, func(t *testing.T, attr *syscall.SysProcAttr, role string) {
		start(t, attr, role, asRole("storm")...).ends(42)
	})
}

// The end of process 1 is the end of all.
func TestWait_killsWhatIsLeft(t *testing.T) {
	inEachMode(t, func(t *testing.T, attr *syscall.SysProcAttr, role string) {
		r := start(t, attr, role, "sh", "-c", `
			setsid sh -c 'trap "" TERM HUP; sleep 1000 & echo ready; wait' & read started
			exit 5`)
		r.expect("ready")
		_, _ = fmt.Fprintln(r.stdin)
		r.ends(5)
		if got, want := r.stderr.String(), "killed 2, children left: false\n"; got != want {
			t.Errorf("stderr %q, want %q", got, want)
		}
	})
}

func TestStart_ownGroup(t *testing.T) {
	t.Parallel()
	r := start(t, nil, "supervise", "sh", "-c", "cut -d' ' -f1,4-6 /proc/$$/stat")
	fields := strings.Fields(r.line())
	r.ends(0)
	session, err := unix.Getsid(0)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{fields[0], strconv.Itoa(r.cmd.Process.Pid), fields[0], strconv.Itoa(session)}
	if !slices.Equal(fields, want) {
		t.Errorf("pid, parent, group and session are %q, want %q", fields, want)
	}
}

func TestStopped(t *testing.T) {
	t.Parallel()
	for _, s := range catchable() {
		if !Signal(s).Ends() {
			continue
		}
		t.Run(Signal(s).String(), func(t *testing.T) {
			t.Parallel()
			r := start(t, nil, "supervise-ask", "sh", "-c", "echo started")
			r.expect("waiting")
			for _, harmless := range catchable() {
				if !Signal(harmless).Ends() {
					r.signal(harmless)
				}
			}
			r.signal(s)
			if line, err := r.stdout.ReadString('\n'); err == nil {
				t.Errorf("the command ran: %q", line)
			}
			r.ends(128 + int(s))
		})
	}
}

// A signal at the time of the start reaches the runner or the command.
func TestStart_signalAtTheSameTime(t *testing.T) {
	t.Parallel()
	for range 40 {
		r := start(t, nil, "supervise-ask", "sleep", "1000")
		r.expect("waiting")
		go func() { _ = r.stdin.Close() }()
		r.signal(unix.SIGTERM)
		r.ends(143)
	}
}

// Nobody here can continue a job, so a stop of job control lasts no longer than it
// would for process 1.
func TestStop_jobControl(t *testing.T) {
	inEachMode(t, func(t *testing.T, attr *syscall.SysProcAttr, role string) {
		r := start(t, attr, role, "sh", "-c", "echo ready; while read line; do echo $line; done")
		r.expect("ready")
		for i, s := range []unix.Signal{unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU} {
			r.signal(s)
			_, _ = fmt.Fprintln(r.stdin, i)
			r.expect(strconv.Itoa(i))
		}
		_ = r.stdin.Close()
		r.ends(0)
	})
}

func TestStop_meant(t *testing.T) {
	inEachMode(t, func(t *testing.T, attr *syscall.SysProcAttr, role string) {
		r := start(t, attr, role, "sh", "-c", "echo ready; while read line; do echo $line; done; exit 6")
		r.expect("ready")
		child := descendants(r.cmd.Process.Pid)[0]
		if err := unix.Kill(child, unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		state := func() string {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
			if err != nil {
				t.Fatal(err)
			}
			return strings.Fields(string(stat))[2]
		}
		for state() != "T" {
			time.Sleep(time.Millisecond)
		}
		r.signal(unix.SIGTERM) // waits, as for a stopped process 1
		r.signal(unix.SIGWINCH)
		if s := state(); s != "T" {
			t.Errorf("state %s, want T", s)
		}
		r.signal(unix.SIGCONT)
		r.ends(143)
	})
}
