// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"encoding/binary"
	"io"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

const noTerminal = -1

// controllingTerminal returns the controlling terminal if this process is in its
// foreground group, so that it may give the terminal to a command. Otherwise it returns
// noTerminal.
func controllingTerminal() int {
	terminal, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return noTerminal
	}
	group, err := unix.IoctlGetInt(terminal, unix.TIOCGPGRP)
	if err != nil || group != unix.Getpgrp() {
		_ = unix.Close(terminal)
		return noTerminal
	}
	return terminal
}

// setForeground makes a group the foreground group of the terminal. The caller may
// be in another group: with SIGTTOU blocked, the kernel allows it.
func setForeground(terminal, group int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var block, old unix.Sigset_t
	block.Val[0] = 1 << (unix.SIGTTOU - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &block, &old); err != nil {
		return err
	}
	err := unix.IoctlSetPointerInt(terminal, unix.TIOCSPGRP, group)
	if restored := unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil); err == nil {
		err = restored
	}
	return err
}

// A program must be in the foreground before its first instruction, or its first read
// from the terminal fails or stops it. The parent can't give it the terminal early
// enough, because it learns the pid after execve. The child can't take the terminal
// between fork and execve with package syscall, because SIGTTOU would stop it there. So
// with a terminal, the child is this very program, which takes the terminal and then
// executes the command.

// foregroundName is the argument 0 that makes this program such a child.
const foregroundName = "peerjob-runner-foreground"

// The file descriptors of such a child, besides the standard ones.
const (
	reportFd   = 3 // an error of execve is written here
	terminalFd = 4
)

// Main must be the first call of the program. It does not return if [Supervisor.Start]
// started this process to run a command in the foreground.
func Main() {
	if os.Args[0] != foregroundName || len(os.Args) < 3 {
		return
	}
	unix.CloseOnExec(reportFd)
	unix.CloseOnExec(terminalFd)
	err := setForeground(terminalFd, os.Getpid())
	if err == nil {
		err = syscall.Exec(os.Args[1], os.Args[2:], os.Environ())
	}
	errno, ok := err.(syscall.Errno)
	if !ok {
		errno = unix.EINVAL
	}
	report := binary.NativeEndian.AppendUint32(nil, uint32(errno))
	_, _ = unix.Write(reportFd, report) // the parent reads it, or has ended
	os.Exit(CodeCannotRun)
}

// forkForeground starts a command in a group of its own, the foreground one, and
// returns when the command runs.
func forkForeground(terminal int, path string, command, environment []string) (int, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer func() { _ = read.Close() }()
	pid, err := syscall.ForkExec("/proc/self/exe", append([]string{foregroundName, path}, command...), &syscall.ProcAttr{
		Env: environment, Files: []uintptr{0, 1, 2, write.Fd(), uintptr(terminal)}, Sys: &syscall.SysProcAttr{Setpgid: true},
	})
	_ = write.Close()
	if err != nil {
		return 0, err
	}
	var report [4]byte
	if _, err := io.ReadFull(read, report[:]); err != nil {
		return pid, nil // closed by execve, or by the end of the child, which has a status
	}
	for {
		if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			break
		}
	}
	return 0, syscall.Errno(binary.NativeEndian.Uint32(report[:]))
}
