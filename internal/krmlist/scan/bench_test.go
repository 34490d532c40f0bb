// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const deployment = `- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: NAME
    namespace: shop
    labels: {app: NAME}
  spec:
    replicas: 3
    selector:
      matchLabels: {app: NAME}
    template:
      metadata:
        labels: {app: NAME}
      spec:
        containers:
        - name: web
          image: registry.example.com/shop/web:1.2.3
          args: ["--listen=:8080", "--verbose"] # as in the manual
          env:
          - name: DATABASE
            value: "postgres://database:5432/shop"
          - name: PASSWORD
            valueFrom:
              secretKeyRef: {name: database, key: password}
          ports:
          - containerPort: 8080
            name: http
          resources:
            limits: {cpu: "2", memory: 1Gi}
            requests: {cpu: 500m, memory: 512Mi}
`

func deployments(n int) []byte {
	var out strings.Builder
	out.WriteString(head + "items:\n")
	for i := range n {
		out.WriteString(strings.ReplaceAll(deployment, "NAME", fmt.Sprintf("web-%d", i)))
	}
	return []byte(out.String())
}

// BenchmarkRead reads and writes a list with nothing to do. Copying its bytes
// is the least that it can cost.
func BenchmarkRead(b *testing.B) {
	data := deployments(10000)
	b.Run("copy", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			bytes.Clone(data)
		}
	})
	b.Run("read and write", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			list, err := Read(data, func(string) bool { return false })
			if err != nil {
				b.Fatal(err)
			}
			items := make([][]byte, len(list.Items))
			for i := range list.Items {
				items[i] = list.Items[i].Text
			}
			if err := list.Write(io.Discard, items, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestRead_allocates holds reading to a few allocations an item: a name, and
// nothing that grows with its text.
func TestRead_allocates(t *testing.T) {
	const items = 1000
	data := deployments(items)
	got := testing.AllocsPerRun(5, func() {
		if _, err := Read(data, wanted); err != nil {
			t.Fatal(err)
		}
	})
	if got > 2*items {
		t.Errorf("%v allocations for %d items", got, items)
	}
	if diff := cmp.Diff(items, len(must(Read(data, wanted)).Items)); diff != "" {
		t.Error(diff)
	}
}

func must(list *List, err error) *List {
	if err != nil {
		panic(err)
	}
	return list
}
