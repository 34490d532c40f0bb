// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestConsumer builds and runs a module that uses the public packages, as somebody else
// would. Its go.mod has only what it imports; the go command finds the rest in that of
// peerjob.
func TestConsumer(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "testdata", "consumer"))); err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
		if err := cmd.Run(); err != nil {
			t.Fatalf("%q: %v\n%s%s", args, err, &stdout, &stderr)
		}
		return stdout.String()
	}
	run("go", "mod", "edit", "-replace=github.com/peerjob/peerjob="+root)
	run("go", "build", "-mod=mod", "-o", "consumer", ".")
	want := `apiVersion: v1
kind: Service
metadata:
  name: solve
  namespace: team
  annotations:
    peerjob.dev/owner: solve
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    job-name: solve
---
apiVersion: batch/v1
kind: Job
metadata:
  name: solve
  namespace: team
  annotations:
    peerjob.dev/owner: solve
spec:
  completions: 3
  parallelism: 3
  completionMode: Indexed
  template:
    spec:
      subdomain: solve
      restartPolicy: Never
      enableServiceLinks: false
      containers:
      - name: solver
        image: example.com/solver:1.0
        command:
        - solve
`
	if diff := cmp.Diff(want, run("./consumer")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// The program of docs/go.md, in the place of this one.
	page, err := os.ReadFile(filepath.Join(root, "docs", "go.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, program, found := strings.Cut(string(page), "\n```go\n")
	program, _, closed := strings.Cut(program, "\n```\n")
	if !found || !closed {
		t.Fatal("docs/go.md has no program")
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run("go", "build", "-mod=mod", "-o", "consumer", ".")
	if got := run("./consumer"); !strings.Contains(got, "kind: Service\n") || !strings.Contains(got, "  completions: 4\n") {
		t.Errorf("the program of docs/go.md prints\n%s", got)
	}
}
