// SPDX-License-Identifier: Apache-2.0

package render

import (
	"syscall"
	"time"
)

// threadTime is how long this thread has run on a processor.
func threadTime() time.Duration {
	const thisThread = 1 // RUSAGE_THREAD
	var usage syscall.Rusage
	if err := syscall.Getrusage(thisThread, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
