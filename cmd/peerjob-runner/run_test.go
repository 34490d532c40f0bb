// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/peerjob/peerjob/internal/runner/process"
)

// TestGraceLeft has signals that came a while before the command ended. The kubelet
// counts from the signal, so the runner does, too.
func TestGraceLeft(t *testing.T) {
	const grace = 30 * time.Second
	term, interrupt, resize := process.SIGTERM, process.Signal(unix.SIGINT), process.SIGWINCH
	for name, tt := range map[string]struct {
		signals []process.Signal
		ago     time.Duration
		left    time.Duration
		told    bool
	}{
		"no signal":                         {nil, 0, 0, false},
		"SIGTERM, and an end at once":       {[]process.Signal{term}, 0, 28 * time.Second, true},
		"SIGTERM, and a long way to end":    {[]process.Signal{term}, 25 * time.Second, 3 * time.Second, true},
		"SIGTERM, and the grace is over":    {[]process.Signal{term}, 40 * time.Second, -12 * time.Second, true},
		"an image's own stop signal":        {[]process.Signal{interrupt}, 6 * time.Second, 22 * time.Second, true},
		"an interrupt that ended nothing":   {[]process.Signal{interrupt}, time.Minute, 0, false},
		"a terminal that was resized":       {[]process.Signal{resize}, 0, 0, false},
		"the first of two SIGTERMs matters": {[]process.Signal{term, interrupt, term}, 0, 28 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := &runner{options: &runOptions{grace: grace}, log: newLogger(io.Discard)}
			for _, signal := range tt.signals {
				r.passed(signal)
			}
			left, told := r.graceLeft(time.Now().Add(tt.ago))
			if told != tt.told || (left-tt.left).Abs() > time.Second {
				t.Errorf("%v, %t, want %v, %t", left, told, tt.left, tt.told)
			}
		})
	}
}
