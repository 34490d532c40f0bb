// SPDX-License-Identifier: Apache-2.0

// Command measure answers: how long did one run of a program take, and how
// much memory did it have at its peak?
//
//	measure PROGRAM [ARGUMENT...] 3>result
//
// The program gets the streams of measure. What is written to file descriptor 3
// is one line: the wall time in nanoseconds, the peak memory in bytes and the
// exit code.
//
// # Rules
//
//   - It is as small as a Go program gets, and a process of its own: Linux counts
//     the memory of the parent at the time of the fork into the peak of the
//     child, so that a large harness would make every child look large.
//   - The clock runs from before the program is started until it was waited for.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// resultFile is the file descriptor of the result.
const resultFile = 3

func main() {
	if err := measure(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func measure(argv []string) error {
	streams := []*os.File{os.Stdin, os.Stdout, os.Stderr}
	start := time.Now()
	process, err := os.StartProcess(argv[0], argv, &os.ProcAttr{Files: streams})
	if err != nil {
		return err
	}
	state, err := process.Wait()
	if err != nil {
		return err
	}
	wall := time.Since(start)
	_, err = os.NewFile(resultFile, "result").WriteString(
		strconv.FormatInt(wall.Nanoseconds(), 10) + " " +
			strconv.FormatInt(peakBytes(state), 10) + " " +
			strconv.Itoa(state.ExitCode()) + "\n")
	return err
}

// peakBytes is the largest resident set of the process. Darwin counts it in
// bytes, Linux in KiB.
func peakBytes(state *os.ProcessState) int64 {
	peak := state.SysUsage().(*syscall.Rusage).Maxrss
	if runtime.GOOS == "darwin" {
		return peak
	}
	return peak * 1024
}
