// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// TestLint_public lints what the public manifests expand to. Nobody wrote them for lint:
// what it finds, each finding judged by a person, is in testdata/lint/public.txt. UPDATE=1
// writes that file.
func TestLint_public(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "testdata", "public", "*.yaml"))
	if err != nil || len(files) < 60 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	var got strings.Builder
	expanded := 0
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var objects, said bytes.Buffer
		base := filepath.Base(name)
		if Expand([]File{{Name: base, Content: content}}, &objects, &said, ExpandOptions{}) != nil {
			continue // one that peerjob refuses
		}
		expanded++
		var findings bytes.Buffer
		if _, err := Lint([]LintFile{{File: File{Name: base, Content: objects.Bytes()}}}, &findings, &said, LintOptions{}); err != nil && !errors.Is(err, ErrFailed) {
			t.Fatal(err)
		}
		got.Write(findings.Bytes())
	}
	fmt.Fprintf(&got, "\n%d manifests\n", expanded)
	golden := filepath.Join("..", "testdata", "lint", "public.txt")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("findings (-%s +lint):\n%s", golden, diff)
	}
}

// besides matches the kinds of objects beside a pair, and inTheWay what is said of them.
var (
	besides  = regexp.MustCompile(`(?m)^kind: (?:NetworkPolicy|ResourceQuota|LimitRange|PodGroup|Workload|ComputeDomain)$`)
	inTheWay = regexp.MustCompile(`waits for \d+ Pods|peers need more|keeps the peers|no Pod would be made`)
)

// TestLint_byHand lints what public manifests expand to, without the marks of peerjob: pairs
// as people write them. Of the objects beside them, lint says what Expand says, as they are
// and with two peers.
func TestLint_byHand(t *testing.T) {
	var files []string
	for _, folder := range []string{"public", "field"} {
		found, err := filepath.Glob(filepath.Join("..", "testdata", folder, "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	peers := regexp.MustCompile(`(?m)^  peers: .*$`)
	manifests, findings := 0, 0
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !besides.Match(content) {
			continue
		}
		for _, content := range [][]byte{content, peers.ReplaceAll(content, []byte("  peers: 2"))} {
			var objects, said, found, summary bytes.Buffer
			if Expand([]File{{Name: "f", Content: content}}, &objects, &said, ExpandOptions{}) != nil {
				continue // one that peerjob refuses
			}
			if _, err := Lint([]LintFile{{File: File{Name: "f", Content: withoutMarks(t, objects.Bytes())}}}, &found, &summary, LintOptions{}); err != nil && !errors.Is(err, ErrFailed) {
				t.Fatal(err)
			}
			want, got := len(inTheWay.FindAll(said.Bytes(), -1)), len(inTheWay.FindAll(found.Bytes(), -1))
			if manifests, findings = manifests+1, findings+got; want != got {
				t.Errorf("%s: %d findings, want %d:\n%s\n%s", name, got, want, found.Bytes(), said.Bytes())
			}
		}
	}
	if t.Logf("%d findings in %d manifests", findings, manifests); findings < 5 {
		t.Error("too few to learn from")
	}
}

// withoutMarks returns objects without what tells that peerjob made them.
func withoutMarks(t *testing.T, objects []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	for decoder := yaml.NewDecoder(bytes.NewReader(objects)); ; {
		var object map[string]any
		if err := decoder.Decode(&object); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		strip(object)
		if err := encoder.Encode(object); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// strip takes out the keys and the variables of peerjob.
func strip(value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			if list, ok := inner.([]any); ok && key == "env" {
				value[key] = slices.DeleteFunc(list, func(variable any) bool { return strings.Contains(fmt.Sprint(variable), "PEERJOB_") })
			}
			if strings.HasPrefix(key, "peerjob.dev/") {
				delete(value, key)
			}
			strip(inner)
		}
	case []any:
		for _, inner := range value {
			strip(inner)
		}
	}
}

// brokenWriter fails.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("is full") }

// TestLint_broken says that stdout can't be written to.
func TestLint_broken(t *testing.T) {
	file := LintFile{File: File{Name: "f", Content: []byte("kind: Job\na: b: c\n")}}
	for _, format := range LintFormats() {
		if _, err := Lint([]LintFile{file}, brokenWriter{}, new(bytes.Buffer), LintOptions{Format: format}); err == nil || err.Error() != "stdout: is full" {
			t.Errorf("%s: %v", format, err)
		}
	}
}
