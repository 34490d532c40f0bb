// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Package os/signal can't do this work. It does not deliver SIGPROF and the signals 32
// to 34, and 34 is SIGRTMIN, which a Pod can have as its stop signal. It does not say
// who sent a signal, so a SIGPIPE that a user sent looks like one of a closed
// connection, and a SIGURG like one of the Go scheduler. And it drops the values of
// real-time signals, and the second of two. So the handler is our own. It gives the Go
// runtime the signals of the Go runtime, and writes all others to a pipe.

const (
	firstRealTime = 34 // SIGRTMIN in C libraries, in container runtimes and in Kubernetes
	lastSignal    = 64
)

// Signal is the number of a signal, from 1 to 64.
type Signal int

// The signals that callers treat differently.
const (
	SIGTERM  = Signal(unix.SIGTERM)
	SIGKILL  = Signal(unix.SIGKILL)
	SIGWINCH = Signal(unix.SIGWINCH)
)

// String returns the name as Kubernetes spells it: "SIGTERM", "SIGRTMIN+3".
func (s Signal) String() string {
	if name := unix.SignalName(unix.Signal(s)); name != "" {
		return name
	}
	switch {
	case s == firstRealTime:
		return "SIGRTMIN"
	case s > firstRealTime && s <= lastSignal:
		return fmt.Sprintf("SIGRTMIN+%d", int(s-firstRealTime))
	}
	return fmt.Sprintf("signal %d", int(s))
}

// ParseSignal reads a name as Kubernetes spells it, which has SIGRTMAX-1, too.
func ParseSignal(name string) (Signal, error) {
	for s := Signal(1); s <= lastSignal; s++ {
		if s.String() == name || s >= firstRealTime && name == strings.TrimSuffix(fmt.Sprintf("SIGRTMAX-%d", int(lastSignal-s)), "-0") {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%q is no signal; write SIGTERM, for example", name)
}

// Ends says whether the default action of the signal ends a process.
func (s Signal) Ends() bool {
	switch unix.Signal(s) {
	case unix.SIGCHLD, unix.SIGCONT, unix.SIGURG, unix.SIGWINCH, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU:
		return false
	}
	return true
}

// signalInfo is the kernel's siginfo_t.
type signalInfo struct {
	number, errno, code int32
	_                   int32
	pid                 int32 // of the sender, if code is not positive
	uid                 uint32
	value               uintptr
	_                   [96]byte
}

const signalInfoSize = int(unsafe.Sizeof(signalInfo{}))

func (i *signalInfo) signal() Signal { return Signal(i.number) }

// ofChild says whether the kernel reports a child, rather than a process sending a
// SIGCHLD.
func (i *signalInfo) ofChild() bool { return i.signal() == Signal(unix.SIGCHLD) && i.code > 0 }

// siQueue is the code of a signal with a value, of sigqueue(3).
const siQueue = -1

// send sends the signal to another process, with its value if it has one.
func (i *signalInfo) send(pid int) error {
	if i.code == siQueue {
		_, _, errno := unix.Syscall(unix.SYS_RT_SIGQUEUEINFO, uintptr(pid), uintptr(i.number), uintptr(unsafe.Pointer(i)))
		if errno == 0 {
			return nil
		}
	}
	return unix.Kill(pid, unix.Signal(i.number))
}

// signalAction is the kernel's struct sigaction, the same for amd64 and arm64.
type signalAction struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

const ignored = 1 // the handler SIG_IGN

// What the handler reads. It is set before the handler is.
var (
	//lint:ignore U1000 the handler writes each signalInfo here
	signalPipe int32
	//lint:ignore U1000 the handler compares: the runtime's own signals have this sender
	ownPid int32
	//lint:ignore U1000 the handler jumps here: to the handler of the Go runtime
	runtimeHandler uintptr
)

// handlerAddress is the address of the handler, which is in assembly.
var handlerAddress uintptr

// catchSignals takes every signal that a process can catch.
func catchSignals() (*signalReader, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, fmt.Errorf("pipe for signals: %w", err)
	}
	// SIGTERM is one that the runtime handles. Its flags and its restorer suit all.
	var action signalAction
	if err := sigaction(unix.SIGTERM, nil, &action); err != nil {
		return nil, err
	}
	signalPipe, ownPid, runtimeHandler = int32(ends[1]), int32(os.Getpid()), action.handler
	action.handler = handlerAddress
	for number := unix.Signal(1); number <= lastSignal; number++ {
		var now signalAction
		if number == unix.SIGKILL || number == unix.SIGSTOP {
			continue
		}
		if err := sigaction(number, nil, &now); err != nil {
			return nil, err
		}
		// "nohup" is meant for the command, too. The Go runtime keeps SIGHUP and SIGINT
		// as they are, and gives any other ignored signal its default action.
		if now.handler == ignored {
			continue
		}
		if err := sigaction(number, &action, nil); err != nil {
			return nil, err
		}
	}
	return &signalReader{pipe: os.NewFile(uintptr(ends[0]), "signals")}, nil
}

func sigaction(number unix.Signal, action, old *signalAction) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(number), uintptr(unsafe.Pointer(action)),
		uintptr(unsafe.Pointer(old)), unsafe.Sizeof(action.mask), 0, 0)
	if errno != 0 {
		return fmt.Errorf("handle %s: %w", Signal(number), errno)
	}
	return nil
}

// signalReader reads what the handler writes.
type signalReader struct {
	pipe   *os.File
	buffer [32]signalInfo
}

// next waits for signals and returns them. They are valid until the next call.
func (r *signalReader) next() []signalInfo {
	// Each record is written at once, so none is read in part.
	n, err := r.pipe.Read(unsafe.Slice((*byte)(unsafe.Pointer(&r.buffer)), len(r.buffer)*signalInfoSize))
	if err != nil {
		panic(fmt.Sprintf("read signals: %v", err)) // of a pipe that is never closed
	}
	return r.buffer[:n/signalInfoSize]
}
