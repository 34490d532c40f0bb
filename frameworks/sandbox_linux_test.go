// SPDX-License-Identifier: Apache-2.0

package frameworks

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/frameworks/pod"
)

// TestSandbox holds the ground that the other tests stand on to what a Pod on a
// node sees.
func TestSandbox(t *testing.T) {
	require(t, []need{{"/usr/bin/getent", "libc-bin"}})
	objects := expand(t, "ground.yaml", read(t, "testdata/ground.yaml"))
	out := run(t, objects, pod.Image{})
	if !out.succeeded {
		t.Fatal(out.reason)
	}
	for i, want := range []string{
		`host ground-0 of ground-0.peers.team-a.svc.cluster.local
environment 0 ground team-a peers 3 ground-0.peers ground-0.peers literal $(LATER)
pid 1, uid 1000, gid 2000, groups 2000 3000
interfaces: lo eth0
peer ground-0: 10.244.0.1
peer ground-1: 10.244.0.2
peer ground-2: 10.244.0.3
short names of others: not found
file: 440 0:3000 mounted by name, read-only: yes
its folder: 777
scratch: writable
init container was here: yes
`,
		`environment 1 ground team-a peers 3 ground-0.peers ground-1.peers literal $(LATER)`,
		`environment 2 ground team-a peers 3 ground-0.peers ground-2.peers literal $(LATER)`,
	} {
		got := out.output[i]
		if i > 0 {
			got = strings.Join(lines(got, "^environment.*$"), "\n")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("index %d (-want +got):\n%s", i, diff)
		}
	}
}

// TestJobEnds holds the end of a Job to its policy: with the leader, while the
// others would go on for ever; and with the first that fails.
func TestJobEnds(t *testing.T) {
	require(t, nil)
	for _, test := range []struct {
		name, leader string
		succeeded    bool
		reason       string
	}{
		{"the leader succeeds", "exit 0", true, "the successPolicy is met"},
		{"the leader fails", "exit 3", false, "index 0 failed with exit code 3"},
		{"a process of the leader is killed", "bash -c 'kill -9 $BASHPID'; exit $?", false, "index 0 failed with exit code 137"},
	} {
		t.Run(test.name, func(t *testing.T) {
			content := strings.ReplaceAll(string(read(t, "testdata/leader.yaml")), "LEADER", test.leader)
			out := run(t, expand(t, "leader.yaml", []byte(content)), pod.Image{})
			if out.succeeded != test.succeeded || out.reason != test.reason {
				t.Errorf("succeeded %v: %s, want %v: %s", out.succeeded, out.reason, test.succeeded, test.reason)
			}
			if !strings.Contains(out.output[1], "asked to end") {
				t.Errorf("index 1 was not asked to end: %q", out.output[1])
			}
		})
	}
}
