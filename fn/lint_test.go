// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
