// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package process

import "syscall"

// attributes are the system's own: only Linux ends a process with its parent.
func attributes() *syscall.SysProcAttr { return nil }
