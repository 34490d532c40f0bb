// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"runtime"
	"testing"
)

func TestPercentOf(t *testing.T) {
	for alive, want := range map[uint64]int{
		0:         4800,
		1 << 20:   4800,
		32 << 20:  150,
		48 << 20:  100,
		95 << 20:  growth,
		960 << 20: growth,
	} {
		if got := percentOf(alive); got != want {
			t.Errorf("%d bytes: %d, want %d", alive, got, want)
		}
	}
}

// TestAfterNext calls the function after a collection, and only once.
func TestAfterNext(t *testing.T) {
	calls := make(chan bool, 10)
	afterNext(func() { calls <- true })
	runtime.GC()
	<-calls
	runtime.GC()
	runtime.GC()
	if len(calls) > 0 {
		t.Errorf("called %d times more", len(calls))
	}
}
