// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"strings"
	"testing"
)

const foreign = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-%d
  namespace: shop
  labels:
    app: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: web
        image: example.com/web:1.0
        command: ["sh", "-c", "exec web"]
        env:
        - name: A
          value: b
        resources:
          limits: {cpu: 500m, memory: 512Mi}
        ports:
        - containerPort: 8080
`

// foreigners are files with objects that are none of lint's business: documents, a List of
// YAML, and one of JSON.
func foreigners(n int) map[string]File {
	var documents, list, text strings.Builder
	list.WriteString("apiVersion: v1\nkind: List\nitems:\n")
	text.WriteString(`{"apiVersion": "v1", "kind": "List", "items": [`)
	for i := range n {
		object := fmt.Sprintf(foreign, i)
		documents.WriteString("---\n" + object)
		list.WriteString("- " + strings.TrimSuffix(strings.ReplaceAll(object, "\n", "\n  "), "  "))
		fmt.Fprintf(&text, `%s{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web-%d"}, "spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "web", "image": "x"}]}}}}`,
			strings.Repeat(",\n", min(i, 1)), i)
	}
	text.WriteString("]}\n")
	return map[string]File{
		"documents": {Name: "f.yaml", Content: []byte(documents.String())},
		"List":      {Name: "f.yaml", Content: []byte(list.String())},
		"JSON":      {Name: "f.json", Content: []byte(text.String())},
	}
}

// BenchmarkFiles lints 10,000 foreign objects, and 1,000 pairs.
func BenchmarkFiles(b *testing.B) {
	files := foreigners(10_000)
	var pairs strings.Builder
	for i := range 1000 {
		pairs.WriteString("---\n" + strings.NewReplacer("train", fmt.Sprintf("train%d", i), "hub", fmt.Sprintf("hub%d", i)).Replace(right))
	}
	files["pairs"] = File{Name: "f.yaml", Content: []byte(pairs.String())}
	for name, file := range files {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file.Content)))
			b.ReportAllocs()
			for b.Loop() {
				if findings := Files([]File{file}, Options{}); len(findings) > 0 {
					b.Fatal(said(findings))
				}
			}
		})
	}
}

// TestFiles_allocates holds lint to a few allocations for a foreign object: it does not
// parse it.
func TestFiles_allocates(t *testing.T) {
	const objects = 1000
	for name, file := range foreigners(objects) {
		got := testing.AllocsPerRun(3, func() { Files([]File{file}, Options{}) })
		most := 4.0 * objects
		if name == "JSON" {
			most = 12 * objects
		}
		if got > most {
			t.Errorf("%s: %v allocations for %d objects, and %v may be", name, got, objects, most)
		}
	}
}
