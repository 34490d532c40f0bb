// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// checkNodes holds Nodes to yaml/v3, and reports whether it took the document.
func checkNodes(t *testing.T, document []byte) bool {
	t.Helper()
	got, ok := Nodes(document)
	if !ok {
		return false
	}
	want, err := parseAny(document)
	if err != nil {
		t.Fatalf("takes what yaml/v3 refuses: %v\n%s", err, document)
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("(-yaml/v3 +peerjob):\n%s\n%s", cmp.Diff(want, got), document)
	}
	return true
}

var plainDocuments = map[string]string{
	"an object":         "apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  labels:\n    app.kubernetes.io/name: b\n",
	"a list at its key": "args:\n- --a=$(B):1\n- -c\n- d: e\n  f: g\nh:\n  - i\n  -   j: k\n      l: m\nn: o\n",
	"lists in lists":    "a:\n- - b\n  - c\n- - - d: e\n",
	"values":            "a: 1\nb: true\nc: ~\nd: null\ne:\nf: 1.5\ng: 4Gi\nh: \"x y\"\ni: 'x#y'\nj: {}\nk: []\nl: 2001-02-03\nm: a b  c\nn: http://a:80/b#c\n\"o\": p\n'q': r\n",
	"null at the end":   "a:\n  b:\n",
	"null before":       "a:\n  b:\nc:\n- d:\n- e:\n",
	"text":              "a: |\n  b\n    c\n\n  d: e\nf: |-\n  #!/bin/sh\n  g\n\n\nh:\n- |\n  i\n- j: |-\n    k\n  l: m\n",
	"empty lines":       "\na: b\n\nc:\n\n  d: e\n\n",
}

// TestNodes has what is in most objects: it must be taken.
func TestNodes(t *testing.T) {
	for name, document := range plainDocuments {
		t.Run(name, func(t *testing.T) {
			if !checkNodes(t, []byte(document)) {
				t.Errorf("is left to yaml/v3:\n%s", document)
			}
		})
	}
}

func TestNodes_declines(t *testing.T) {
	for name, document := range map[string]string{
		"a comment":            "a: b # c\n",
		"a comment above":      "# c\na: b\n",
		"an anchor":            "a: &b c\n",
		"an alias":             "a: *b\n",
		"a tag":                "a: !!str 1\n",
		"brackets":             "a: [b]\n",
		"folded text":          "a: >\n  b\n",
		"text that keeps ends": "a: |+\n  b\n",
		"a value of two lines": "a: b\n  c\n",
		"quotes of two lines":  "a: \"b\n  c\"\n",
		"escapes":              "a: \"\\n\"\n",
		"several documents":    "a: b\n---\nc: d\n",
		"a list":               "- a\n",
		"a text":               "a\n",
		"Unicode":              "a: ü\n",
		"Windows":              "a: b\r\n",
		"a tab":                "a:\tb\n",
		"no line end":          "a: b",
		"wrong indentation":    "a: b\n  c: d\n",
		"less indentation":     "a:\n    b: c\n  d: e\n",
		"nothing":              "",
	} {
		t.Run(name, func(t *testing.T) {
			if node, ok := Nodes([]byte(document)); ok {
				t.Errorf("takes %+v", node)
			}
		})
	}
}

// TestNodes_examples reads every document of the examples and the test data, and each of
// them once more as yaml/v3 writes it: plain, as far as it can be.
func TestNodes_examples(t *testing.T) {
	taken := 0
	for _, root := range []string{"../../../examples", "../../../testdata", "../../../bench/input"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".yaml" {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil || len(data) > 1<<14 {
				return err
			}
			for _, document := range bytes.Split(data, []byte("---\n")) {
				if checkNodes(t, document) {
					taken++
				}
				var value any
				if yaml.Unmarshal(document, &value) != nil {
					continue
				}
				written, err := yaml.Marshal(value)
				if err != nil {
					return err
				}
				if checkNodes(t, written) {
					taken++
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if taken < 100 {
		t.Errorf("took only %d documents", taken)
	}
}

func FuzzNodes(f *testing.F) {
	for _, document := range plainDocuments {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		if len(document) < 1<<12 {
			checkNodes(t, document)
		}
	})
}
