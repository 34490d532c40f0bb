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
// # Rules
//
//   - The first collection is when the process has smallHeap of memory. From then
//     on the heap may grow by room, or by growth of what was alive after the last
//     collection, if that is more.
//   - GOGC and GOMEMLIMIT go before: who sets one of them gets what Go does.
package collector

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// smallHeap is the heap, in bytes, below which nothing is collected.
	smallHeap = 64 << 20
	// room is how much memory, in bytes, the heap may take for what will be garbage. A
	// collection costs by what is alive, which is little beside what is made on the way: one
	// for every few MB more of it would be a sixth of the time of many PeerJobs.
	room = 48 << 20
	// growth is how much a large heap may grow between two collections, in percent of
	// what is alive. Of many objects most stay alive to the end, and Go's own 100 would take
	// twice the memory.
	growth = 50
)

func init() {
	for _, own := range []string{"GOGC", "GOMEMLIMIT"} {
		if os.Getenv(own) != "" {
			return
		}
	}
	debug.SetGCPercent(-1)
	limit := debug.SetMemoryLimit(smallHeap)
	afterNext(func() {
		debug.SetMemoryLimit(limit)
		tune()
	})
}

// afterNext calls a function once after the next collection.
func afterNext(call func()) {
	sentinel := new([64]byte)
	runtime.AddCleanup(sentinel, func(struct{}) { call() }, struct{}{})
}

// tune says when the next collection is, now and after each.
func tune() {
	alive := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(alive)
	debug.SetGCPercent(percentOf(alive[0].Value.Uint64()))
	afterNext(tune)
}

// percentOf is how much a heap may grow, in percent of the bytes that are alive.
func percentOf(alive uint64) int {
	return max(growth, int(room*100/max(alive, 1<<20)))
}
