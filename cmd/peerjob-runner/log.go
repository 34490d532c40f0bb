// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"
)

const (
	// logLines is how many lines wait for a reader. Lines beyond that are dropped.
	logLines = 64
	// logTime is how long the end of the program waits for the last lines.
	logTime = 200 * time.Millisecond
)

// stderr writes to standard error. os.Stderr would end the process with SIGPIPE when
// nobody reads.
type stderr struct{}

func (stderr) Write(p []byte) (n int, err error) {
	for n < len(p) {
		m, err := syscall.Write(2, p[n:])
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return n, err
		}
		n += m
	}
	return n, nil
}

// logger writes one line per event, for people who read "kubectl logs". The command
// shares the stream and its reader can be slow or gone, so nothing waits for a write.
type logger struct {
	lines chan string
	done  chan struct{}
}

func newLogger(to io.Writer) *logger {
	l := &logger{lines: make(chan string, logLines), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for line := range l.lines {
			_, _ = io.WriteString(to, line) // the runner works without a log, too
		}
	}()
	return l
}

// printf logs a line. It must not be called after close.
func (l *logger) printf(format string, args ...any) {
	select {
	case l.lines <- "peerjob-runner: " + fmt.Sprintf(format, args...) + "\n":
	default:
	}
}

// close waits for the lines to be written, but not long.
func (l *logger) close() {
	close(l.lines)
	select {
	case <-l.done:
	case <-time.After(logTime):
	}
}
