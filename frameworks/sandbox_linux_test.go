// SPDX-License-Identifier: Apache-2.0

package frameworks

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

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
// others would go on forever; and with the first that fails.
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

// victimVariable is set in the process that TestNothingIsLeft kills, and
// containerVariable in the containers that it started.
const victimVariable, containerVariable = "PEERJOB_VICTIM", "PEERJOB_VICTIM_CONTAINER"

// TestNothingIsLeft kills a process in whose sandbox Pods run, in the ways in
// which a test can end before its time. The last process of a namespace takes
// it along, with its network and its mounts.
func TestNothingIsLeft(t *testing.T) {
	if mark := os.Getenv(victimVariable); mark != "" {
		content := strings.ReplaceAll(string(read(t, "testdata/leader.yaml")), "LEADER", "sleep 1000")
		run(t, expand(t, "leader.yaml", []byte(content)), pod.Image{Env: map[string]string{containerVariable: mark}})
		return
	}
	require(t, nil)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, os.Kill} {
		t.Run(signal.String(), func(t *testing.T) {
			mark := fmt.Sprintf("%d.%d", os.Getpid(), signal)
			victim := exec.Command("/proc/self/exe", "-test.run=^TestNothingIsLeft$")
			victim.Env = append(os.Environ(), victimVariable+"="+mark)
			if err := victim.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				// The signal may have ended it; Wait's error says how it ended.
				if err := victim.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Error(err)
				}
				_ = victim.Wait()
			}()
			waitFor(t, mark, "two Pods run", func(running int) bool { return running >= 4 })
			if err := victim.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			waitFor(t, mark, "nothing is left", func(running int) bool { return running == 0 })
		})
	}
}

// waitFor waits until the number of processes in containers with a mark is as
// it should be.
func waitFor(t *testing.T, mark, what string, ok func(running int) bool) {
	t.Helper()
	running := 0
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		running = 0
		environments, err := filepath.Glob("/proc/[0-9]*/environ")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range environments {
			data, err := os.ReadFile(name)
			if err == nil && bytes.Contains(append([]byte{0}, data...), []byte("\x00"+containerVariable+"="+mark+"\x00")) {
				running++
			}
		}
		if ok(running) {
			return
		}
	}
	t.Fatalf("%s: not after 30 s: %d processes", what, running)
}
