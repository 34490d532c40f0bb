// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"runtime/debug"
)

const (
	// smallInput is how much input, in bytes, a run may read without a garbage
	// collection: it is over before one would pay.
	smallInput = 1 << 20
	// smallHeap is the heap, in bytes, above which there is one all the same,
	// for small input that stands for much.
	smallHeap = 128 << 20
)

// deferGC puts off garbage collection for as long as the input is small, and
// returns the input. For one PeerJob that is a tenth of the whole run.
func deferGC(stdin io.Reader) io.Reader {
	percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(smallHeap)
	return &meteredReader{Reader: stdin, restore: func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}}
}

// meteredReader calls restore once more than smallInput was read.
type meteredReader struct {
	io.Reader
	read    int
	restore func()
}

func (r *meteredReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.read += n; r.read > smallInput && r.restore != nil {
		r.restore()
		r.restore = nil
	}
	return n, err
}
