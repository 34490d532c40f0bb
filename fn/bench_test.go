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

// BenchmarkTemplating shows what templates cost: nothing where they are off, and
// little where there are many.
func BenchmarkTemplating(b *testing.B) {
	const list1000 = `{{ range $i, $p := .Peers }}{{ if $i }},{{ end }}{{ .Hostname }}=http://{{ .Host }}:{{ $.Values.port }}{{ end }}`
	const five = `[{name: A, value: '{{ .Values.image }}'}, {name: B, value: '{{ .Leader }}:{{ .Values.port }}'}, {name: C, value: '{{ if .Values.debug }}debug{{ else }}info{{ end }}'}, {name: D, value: '{{ printf "%s-%d" .Name .Size | upper }}'}, {name: E, value: '{{ .Values.tags | join "," | quote }}'}]`
	const values = `values: {image: "web:1", port: 8080, debug: false, tags: [a, b]}`
	build := func(n, peers int, templating, env string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf("apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: job-%d}\nspec:\n  peers: %d\n  %s\n  template: {spec: {containers: [{name: w, image: x, env: %s}]}}", i, peers, templating, env)
		}
		return list(items...)
	}
	const on = "templating: Enabled\n  " + values
	for _, bm := range []struct{ name, input string }{
		{"off/1000_PeerJobs", build(1000, 3, "suspend: false", five)},
		{"on/1000_PeerJobs_x_5_templates", build(1000, 3, on, five)},
		{"off/1000_peers", build(1, 1000, "suspend: false", `[{name: A, value: x}]`)},
		{"on/list_of_1000_peers", build(1, 1000, on, "[{name: A, value: '"+list1000+"'}]")},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				run(b, bm.input)
			}
		})
	}
}
