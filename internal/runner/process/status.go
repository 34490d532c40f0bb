// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Status is how a command ended.
type Status unix.WaitStatus

// Code is the exit code: the command's own, or 128+n if signal n killed it.
func (s Status) Code() int {
	if w := unix.WaitStatus(s); w.Signaled() {
		return 128 + int(w.Signal())
	}
	return unix.WaitStatus(s).ExitStatus()
}

// String describes the end: "ended with exit code 3", "was killed by SIGKILL".
func (s Status) String() string {
	if w := unix.WaitStatus(s); w.Signaled() {
		return "was killed by " + Signal(w.Signal()).String()
	}
	return fmt.Sprintf("ended with exit code %d", s.Code())
}
