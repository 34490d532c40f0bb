// SPDX-License-Identifier: Apache-2.0

// Package parallel answers: how is the same done to each of many things, on all
// cores, so that nobody can tell from the result?
//
// # Rules
//
//   - What is done to one thing may not touch another. The order in which they
//     are done is any; what comes of it is kept by index.
//   - A panic reaches the caller, as it would in a loop.
//
// # Never
//
// It never starts a goroutine that outlives the call.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// For calls do for every index below n. At least share of them are left to a
// core, so that few small ones do not pay for the start of another.
func For(n, share int, do func(i int)) {
	share = max(share, 1)
	workers := min(runtime.GOMAXPROCS(0), n/share)
	if workers <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var (
		done  sync.WaitGroup
		next  atomic.Int64
		cause atomic.Pointer[any]
	)
	for range workers {
		done.Go(func() {
			defer func() {
				if found := recover(); found != nil {
					cause.CompareAndSwap(nil, &found)
				}
			}()
			for cause.Load() == nil {
				first := int(next.Add(int64(share))) - share
				for i := first; i < min(first+share, n); i++ {
					do(i)
				}
				if first+share >= n {
					return
				}
			}
		})
	}
	done.Wait()
	if found := cause.Load(); found != nil {
		panic(*found)
	}
}
