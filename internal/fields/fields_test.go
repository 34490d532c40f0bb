// SPDX-License-Identifier: Apache-2.0

package fields

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/schema"
)

func read(t testing.TB) *API {
	t.Helper()
	api, err := Read(schema.JSON())
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// TestExplain_everyField explains every field that can be reached, by the names that
// recursive writes.
func TestExplain_everyField(t *testing.T) {
	api := read(t)
	seen := 0
	var walk func(path string, n *node, depth int)
	walk = func(path string, n *node, depth int) {
		for name, inside := range api.fieldsOf(n) {
			seen++
			var out bytes.Buffer
			if err := api.Explain(&out, path+name, false); err != nil {
				t.Errorf("%s: %v", path+name, err)
			}
			if !strings.Contains(out.String(), "\nFIELD: "+name+" <") || strings.Contains(out.String(), "<>") {
				t.Errorf("%s:\n%s", path+name, &out)
			}
			for line := range strings.Lines(out.String()) {
				// Only a word that is longer, such as an address, is wider.
				if len(line) > width+1 && strings.Contains(strings.TrimSpace(line), " ") && !strings.HasPrefix(line, "FIELD:") && !strings.HasPrefix(strings.TrimSpace(line), "enum:") {
					t.Errorf("%s: %d characters: %s", path+name, len(line), line)
				}
			}
			if depth < 5 {
				walk(path+name+".", inside, depth+1)
			}
		}
	}
	walk("", api.root, 0)
	if seen < 500 {
		t.Errorf("only %d fields", seen)
	}
}

// TestExplain_documented holds every field of peerjob's to having a documentation.
func TestExplain_documented(t *testing.T) {
	api := read(t)
	for _, name := range []string{"PeerJobSpec", "PeerService", "PeerBarrier", "Framework", "PeerFile"} {
		for field, n := range api.root.Definitions[name].Properties {
			if !strings.HasPrefix(n.Description, field+" ") && !strings.HasPrefix(n.Description, field+",") {
				t.Errorf("%s.%s: %q", name, field, n.Description)
			}
		}
	}
}

func TestExplain_recursive(t *testing.T) {
	var out bytes.Buffer
	if err := read(t).Explain(&out, "peerjob", true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n  spec\t<PeerJobSpec> -required-\n", "\n      peers\t<integer> -required-\n", "\n        containers\t"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%.3000s", want, &out)
		}
	}
}

func TestIsPath(t *testing.T) {
	api := read(t)
	for text, want := range map[string]bool{
		"peerjob": true, "PeerJobs": true, "spec": true, "spec.": true, "spec.x": true, "metadata.name": true, "kind": true,
		"specs": false, "": false, ".": false, "train": false, "./spec": false, "folder/spec": false, "[": false, "]": false,
	} {
		if got := api.IsPath(text); got != want {
			t.Errorf("IsPath(%q) = %t", text, got)
		}
	}
}

// TestExplain_paths has the paths of errors, and texts that are none. "" is a page.
func TestExplain_paths(t *testing.T) {
	api := read(t)
	for path, want := range map[string]string{
		"spec.values.my-key":                                                "",
		"spec.values.a.b[0].c":                                              "",
		"spec.values[my.key]":                                               "",
		"spec.values":                                                       "",
		"metadata.labels.team":                                              "",
		"metadata.annotations[peerjob.dev/x]":                               "",
		"spec.template.spec.nodeSelector[disk]":                             "",
		"spec.template.spec.containers[].image":                             "",
		"spec.template.spec.containers.image":                               "",
		"spec.template.spec.containers[0].args[1]":                          "",
		"spec.template.spec.containers[0].resources.limits[nvidia.com/gpu]": "",
		"spec.snippets[s]":                                                  "",
		"spec.service.ports[0]":                                             "",
		"peerjob.spec":                                                      "",
		"metadata.annotations.peerjob.dev/x":                                `metadata.annotations.peerjob.dev/x: unknown field; metadata.annotations.peerjob has no fields`,
		"spec[peers]":                                                       "spec[peers]: is neither a list nor a map; write spec",
		"spec.peers[0]":                                                     "spec.peers[0]: is neither a list nor a map; write spec.peers",
		"spec.template.spec.containers[0":                                   `spec.template.spec.containers[0: "[" has no "]"`,
		"spec.template.spec.containers[name].image":                         "spec.template.spec.containers[name]: is a list; write spec.template.spec.containers[0]",
		"spec.template.spec.containers[0][1]":                               "spec.template.spec.containers[0][1]: is neither a list nor a map; write spec.template.spec.containers[0]",
		"spec.template.spec.containers[0]image":                             `spec.template.spec.containers[0]image: needs a dot or the end after "spec.template.spec.containers[0]"`,
		"spec.template.spec.containers[0].imgae":                            `spec.template.spec.containers[0].imgae: unknown field; did you mean "image"?`,
		"metadata.labels[]":                                                 "metadata.labels[]: is a map; write metadata.labels[KEY]",
		"spec.":                                                             `spec.: needs the name of a field after "spec."`,
		"spec..peers":                                                       `spec..peers: needs the name of a field after "spec."`,
		"spec.peers.x":                                                      `spec.peers.x: unknown field; spec.peers has no fields`,
		"peerjob[0]":                                                        "peerjob[0]: is neither a list nor a map; write peerjob",
		"peerjob.":                                                          `peerjob.: needs the name of a field after "peerjob."`,
	} {
		got := ""
		if err := api.Explain(&bytes.Buffer{}, path, false); err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// ofPeerJob matches what an error or a warning of a PeerJob says in docs/validation.md.
var ofPeerJob = regexp.MustCompile(`^(?:warning: )?PeerJob(?: \S+)?: ([a-z]\w*[.[]\S*): (.*)`)

// TestExplain_errors explains the fields of all errors and warnings that the
// documentation shows. A field that there is not has no page.
func TestExplain_errors(t *testing.T) {
	api := read(t)
	text, err := os.ReadFile("../../docs/validation.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(text)) {
		match := ofPeerJob.FindStringSubmatch(line)
		if match == nil || strings.Contains(match[2], "unknown field") || strings.HasSuffix(match[1], "<<") {
			continue
		}
		seen++
		if err := api.Explain(&bytes.Buffer{}, match[1], false); err != nil {
			t.Errorf("%s%v", line, err)
		}
	}
	if seen < 300 {
		t.Errorf("only %d lines", seen)
	}
}

func TestComplete(t *testing.T) {
	api := read(t)
	for text, want := range map[string][]string{
		"s":                        {"spec"},
		"spec.barrier.st":          {"spec.barrier.start", "spec.barrier.startTimeoutSeconds"},
		"peerjob.spec.fi":          {"peerjob.spec.files"},
		"spec.files[0].pa":         {"spec.files[0].path"},
		"spec.template.spec.hostN": {"spec.template.spec.hostNetwork"},
		"spec.nothing.x":           nil,
		"spec.peers.":              nil,
	} {
		if diff := cmp.Diff(want, api.Complete(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// FuzzExplain has any text for a path: no panic, and an error or a page.
func FuzzExplain(f *testing.F) {
	for _, seed := range []string{"spec.barrier", "spec.template.spec.containers[0].env[1].value", "][", "spec[", "peerjob.", "..", "spec.values.x"} {
		f.Add(seed)
	}
	api := read(f)
	f.Fuzz(func(t *testing.T, path string) {
		api.IsPath(path)
		api.Complete(path)
		var out bytes.Buffer
		if err := api.Explain(&out, path, true); (err == nil) == (out.Len() == 0) {
			t.Errorf("%q: %v and %d bytes", path, err, out.Len())
		}
	})
}
