// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v3"
)

// copyExample is the script command "example NAME": it copies a folder of
// examples to examples/NAME, and the Component beside it, where the example
// looks for it.
func copyExample(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: example NAME")
	}
	copyFromRepository(ts, "examples/"+args[0])
	copyFromRepository(ts, "kustomize")
}

// copyComponent is the script command "component": it copies the kustomize
// Component of the project to kustomize.
func copyComponent(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: component")
	}
	copyFromRepository(ts, "kustomize")
}

// copyFromRepository copies a folder of the repository to the script's folder,
// unless it is there.
func copyFromRepository(ts *testscript.TestScript, folder string) {
	to := ts.MkAbs(folder)
	if _, err := os.Stat(to); err == nil {
		return
	}
	ts.Check(os.CopyFS(to, os.DirFS(filepath.Join(ts.Getenv("REPOSITORY"), filepath.FromSlash(folder)))))
}

// writeHostile is the script command "hostile KIND FILE": it writes input
// that is too large or too odd to stand in a script.
func writeHostile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: hostile KIND FILE")
	}
	const head = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- apiVersion: peerjob.dev/v1alpha1\n  kind: PeerJob\n  metadata: {name: x}\n  spec:\n"
	var content []byte
	switch args[0] {
	case "nonsense": // just above the limit
		content = bytes.Repeat([]byte("nonsense "), 65<<20/9)
	case "binary":
		content = []byte("\x7fELF\x02\x01\x01\x00\x00\x00\xff\xfe\x00")
	case "utf16":
		content = []byte{0xff, 0xfe}
		for _, c := range []byte("kind: A\n---\nkind: B\n") {
			content = append(content, c, 0)
		}
	case "ports": // 4,000 bad ports
		content = []byte(head + "    peers: 1\n    template: {spec: {containers: [{name: w, image: x, ports: [" + strings.Repeat("{containerPort: 70000}, ", 4000) + "]}]}}\n")
	case "alias-text": // 1 MB of text, 4,000 times
		content = []byte(head + "    peers: 1\n    template: {spec: {containers: [{name: w, image: x, args: [&s " + strings.Repeat("a", 1<<20) + strings.Repeat(", *s", 4000) + "]}]}}\n")
	case "nested":
		content = []byte(head + "    peers: " + strings.Repeat("[", 100000))
	case "nested-map":
		content = []byte(head + "    peers: 1\n    deep: " + strings.Repeat("{a: ", 5000) + "1" + strings.Repeat("}", 5000) + "\n")
	case "aliases": // ten levels of ten: 10,000,000,000 values
		bomb := "    peers: 1\n    template:\n      spec:\n        a0: &a0 x\n"
		for level := 1; level <= 10; level++ {
			below := strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", level-1), 10), ", ")
			bomb += fmt.Sprintf("        a%d: &a%d [%s]\n", level, level, below)
		}
		content = []byte(head + bomb)
	case "alias-lists": // a list of 2,000 containers with 2,000 variables each
		content = []byte(head + "    peers: 1\n    template:\n      spec:\n        containers:\n        - &c\n          name: w\n          image: x\n          env:\n          - &e {name: A, value: b}\n" +
			strings.Repeat("          - *e\n", 2000) + strings.Repeat("        - *c\n", 2000))
	case "values": // 10 MB of values
		for i := range 500_000 {
			content = fmt.Appendf(content, "key%08d: value\n", i)
		}
	default:
		ts.Fatalf("no hostile input %q", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), content, 0o644))
}

// sameYAML is the script command "same FILE FILE": the files hold the same
// documents, however they are written.
func sameYAML(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: same FILE FILE")
	}
	diff := cmp.Diff(decodeAll(ts, ts.ReadFile(args[0])), decodeAll(ts, ts.ReadFile(args[1])))
	if (diff == "") == neg {
		ts.Fatalf("%s and %s (-first +second):\n%s", args[0], args[1], diff)
	}
}

func decodeAll(ts *testscript.TestScript, text string) []any {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	var documents []any
	for {
		var document any
		if err := decoder.Decode(&document); err != nil {
			if err.Error() == "EOF" {
				return documents
			}
			ts.Fatalf("%v", err)
		}
		documents = append(documents, document)
	}
}

// cutItems is the script command "cut FILE FILE": it writes the items of a
// ResourceList, without its results, to another file.
func cutItems(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut FILE FILE")
	}
	text := ts.ReadFile(args[0])
	if !strings.HasPrefix(text, "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:") {
		ts.Fatalf("%s is no ResourceList:\n%s", args[0], text)
	}
	items, _, _ := strings.Cut(text, "\nresults:\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.TrimSuffix(items, "\n")+"\n"), 0o644))
}

// wrongUsage is the script command "usage ARGUMENT...": peerjob with these arguments
// ends with exitUsage and prints nothing on stdout. "stderr" reads what it said.
func wrongUsage(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: usage ARGUMENT...")
	}
	err := ts.Exec("peerjob", args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitUsage {
		ts.Fatalf("peerjob %q: %v, want exit code %d", args, err, exitUsage)
	}
	if stdout := ts.ReadFile("stdout"); stdout != "" {
		ts.Fatalf("peerjob %q prints\n%s", args, stdout)
	}
}
