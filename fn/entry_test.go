// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRefuse(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if err := Refuse(&stdout, &stderr, errors.New("broken")); !errors.Is(err, ErrFailed) {
		t.Errorf("got the error %v, want ErrFailed", err)
	}
	const list = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\nresults:\n- message: broken\n  severity: error\n"
	if diff := cmp.Diff(list, stdout.String()); diff != "" {
		t.Errorf("stdout (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("peerjob: broken\n", stderr.String()); diff != "" {
		t.Errorf("stderr (-want +got):\n%s", diff)
	}
}

// brokenPipe is a stream whose reader has gone.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func (brokenPipe) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestStreams has streams that fail: the error is that of the stream, and not
// ErrFailed, which means that the input is wrong.
func TestStreams(t *testing.T) {
	const list = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n"
	file := []File{{Name: "a.yaml", Content: []byte("kind: ConfigMap\n")}}
	for name, err := range map[string]error{
		"Run":    Run(strings.NewReader(list), brokenPipe{}, io.Discard, Options{}),
		"Refuse": Refuse(brokenPipe{}, io.Discard, errors.New("no")),
		"Expand": Expand(file, brokenPipe{}, io.Discard, ExpandOptions{}),
	} {
		if !errors.Is(err, io.ErrClosedPipe) || errors.Is(err, ErrFailed) || !strings.HasPrefix(err.Error(), "stdout: ") {
			t.Errorf("%s: got the error %v, want stdout: %v", name, err, io.ErrClosedPipe)
		}
	}
	var stdout, stderr bytes.Buffer
	if err := Run(brokenPipe{}, &stdout, &stderr, Options{}); !errors.Is(err, ErrFailed) {
		t.Errorf("got the error %v, want ErrFailed", err)
	}
	if want := "peerjob: stdin: io: read/write on closed pipe\n"; stderr.String() != want || !strings.Contains(stdout.String(), "items: []\n") {
		t.Errorf("got %q and %q, want %q and a list without items", stderr.String(), stdout.String(), want)
	}
}

// TestExpand_errors holds Expand to its promise: on an error it writes nothing to
// stdout, and one run reports every error.
func TestExpand_errors(t *testing.T) {
	const spec = "spec: {peers: 0, template: {spec: {containers: [{name: w, image: x}]}}}\n"
	peerJob := func(name string) string {
		return "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: " + name + "}\n" + spec
	}
	for name, tt := range map[string]struct {
		files []File
		want  string
	}{
		"two files": {
			[]File{{Name: "a.yaml", Content: []byte(peerJob("a"))}, {Name: "b.yaml", Content: []byte(peerJob("b"))}},
			"peerjob: a.yaml: PeerJob a: spec.peers: Invalid value: 0: must be between 1 and 100000\n" +
				"peerjob: b.yaml: PeerJob b: spec.peers: Invalid value: 0: must be between 1 and 100000\n",
		},
		"no YAML": {
			[]File{{Name: "a.yaml", Content: []byte("kind: ConfigMap\n---\na: [\n")}},
			"peerjob: a.yaml: yaml: line 3: did not find expected node content; line 3 has a bracket without an end; write a: []\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, format := range []Format{YAML, JSON} {
				var stdout, stderr bytes.Buffer
				err := Expand(tt.files, &stdout, &stderr, ExpandOptions{Format: format})
				if !errors.Is(err, ErrFailed) || stdout.Len() > 0 {
					t.Errorf("%s: got the error %v and %q, want ErrFailed and nothing", format, err, stdout.String())
				}
				if diff := cmp.Diff(tt.want, stderr.String()); diff != "" {
					t.Errorf("%s: stderr (-want +got):\n%s", format, diff)
				}
			}
		})
	}
}
