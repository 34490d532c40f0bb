// SPDX-License-Identifier: Apache-2.0

package parallel

import (
	"sync/atomic"
	"testing"
)

func TestFor(t *testing.T) {
	for _, n := range []int{0, 1, 2, 7, 1000} {
		for _, share := range []int{0, 1, 3, 2000} {
			calls := make([]atomic.Int32, n)
			For(n, share, func(i int) { calls[i].Add(1) })
			for i := range calls {
				if got := calls[i].Load(); got != 1 {
					t.Errorf("n %d, share %d: %d is done %d times", n, share, i, got)
				}
			}
		}
	}
}

func TestFor_panics(t *testing.T) {
	for _, n := range []int{1, 1000} {
		func() {
			defer func() {
				if cause := recover(); cause != "no" {
					t.Errorf("n %d: panics with %v", n, cause)
				}
			}()
			For(n, 1, func(i int) {
				if i == n/2 {
					panic("no")
				}
			})
			t.Errorf("n %d: no panic", n)
		}()
	}
}
