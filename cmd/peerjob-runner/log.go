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
	lines chan logLine
}

type logLine struct {
	text    string
	written chan<- struct{} // closed when all lines before are written, if not nil
}

func newLogger(to io.Writer) *logger {
	l := &logger{lines: make(chan logLine, logLines)}
	go func() {
		for line := range l.lines {
			_, _ = io.WriteString(to, line.text) // the runner works without a log, too
			if line.written != nil {
				close(line.written)
			}
		}
	}()
	return l
}

func (l *logger) printf(format string, args ...any) {
	select {
	case l.lines <- logLine{text: "peerjob-runner: " + fmt.Sprintf(format, args...) + "\n"}:
	default:
	}
}

// flush waits for the lines to be written, but not long.
func (l *logger) flush() {
	written := make(chan struct{})
	timeout := time.After(logTime)
	select {
	case l.lines <- logLine{written: written}:
	case <-timeout:
		return
	}
	select {
	case <-written:
	case <-timeout:
	}
}
