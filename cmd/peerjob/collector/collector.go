// SPDX-License-Identifier: Apache-2.0

// Package collector says when the garbage collector may run: not before a
// process has shown that it is more than a short one.
//
// A run on one PeerJob is over before a collection pays, and most of what it
// allocates, the packages of Kubernetes do before main is called. So collecting
// is off as soon as this package is there, and its place in the order is why it
// is a package: Go initializes packages sorted by their paths, those first that
// import nothing that is not there yet
// (https://go.dev/ref/spec#Program_initialization). It imports next to nothing,
// and its path comes before those of k8s.io.
//
// Every command that does more than print help must call [Resume] or [Metered]. Until
// then a heap of 128 MiB is the bound.
package collector

import (
	"io"
	"runtime/debug"
)

const (
	// smallInput is how much input, in bytes, a run may read without a garbage
	// collection.
	smallInput = 1 << 20
	// smallHeap is the heap, in bytes, above which there is one all the same,
	// for small input that stands for much.
	smallHeap = 128 << 20
)

// The settings of the process, as the environment has them.
var percent, limit = debug.SetGCPercent(-1), debug.SetMemoryLimit(smallHeap)

// Resume lets the collector run as usual.
func Resume() {
	debug.SetGCPercent(percent)
	debug.SetMemoryLimit(limit)
}

// Metered returns the input. The collector runs as usual once much of it was
// read.
func Metered(input io.Reader) io.Reader { return &meteredReader{Reader: input} }

type meteredReader struct {
	io.Reader
	read    int
	resumed bool
}

func (r *meteredReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.read += n; r.read > smallInput && !r.resumed {
		Resume()
		r.resumed = true
	}
	return n, err
}
