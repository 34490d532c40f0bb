// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// BenchmarkRun is the function in one process, on lists of PeerJobs and on
// lists of nothing to do.
func BenchmarkRun(b *testing.B) {
	foreign := "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\ndata:\n  a: b\n  c: |\n    several\n    lines\n"
	for _, bm := range []struct {
		name, item string
		count      int
	}{
		{"PeerJobs", peerJob("NAME", "peers: 4"), 1},
		{"PeerJobs", peerJob("NAME", "peers: 4"), 1000},
		{"ConfigMaps", foreign, 1000},
	} {
		items := make([]string, bm.count)
		for i := range items {
			items[i] = strings.ReplaceAll(bm.item, "NAME", fmt.Sprintf("n%d", i))
		}
		input := list(items...)
		b.Run(fmt.Sprintf("%s=%d", bm.name, bm.count), func(b *testing.B) {
			b.SetBytes(int64(len(input)))
			b.ReportAllocs()
			for b.Loop() {
				if err := Run(strings.NewReader(input), io.Discard, io.Discard, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRun_peers shows that the number of peers costs nothing.
func BenchmarkRun_peers(b *testing.B) {
	for _, peers := range []int{10, 100000} {
		input := list(peerJob("a", fmt.Sprintf("peers: %d", peers)))
		b.Run(fmt.Sprintf("peers=%d", peers), func(b *testing.B) {
			for b.Loop() {
				if err := Run(strings.NewReader(input), io.Discard, io.Discard, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
