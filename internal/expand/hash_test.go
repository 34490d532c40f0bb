// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/internal/admission"
	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/peerjob"
)

func hash(t testing.TB, text string) string {
	t.Helper()
	hash, err := Hash(Group(peerjob.NewGroup(read(t, text), "")), admission.Defaulted)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// TestHash has what changes the hash in a Job's name, and what must not.
func TestHash(t *testing.T) {
	const text = "metadata: {name: train}\nspec: {peers: 2, nameSuffixHash: Enabled, template: {spec: {containers: [{name: w, image: x}]}}}"
	changed := func(old, new string) string {
		text := strings.Replace(text, old, new, 1)
		if !strings.Contains(text, new) {
			t.Fatalf("%q is not there", old)
		}
		return hash(t, text)
	}
	first := hash(t, text)
	for _, change := range [][2]string{
		{"image: x", "image: y"},
		{"image: x", "image: x, imagePullPolicy: Never"},
		{"peers: 2", "peers: 3"},
		{"peers: 2", "peers: 2, peerEnv: Disabled"},
		{"peers: 2", "peers: 2, service: {name: hub}"},
		{"peers: 2", "peers: 2, backoffLimitPerIndex: 1"},
		{"peers: 2", "peers: 2, managedBy: example.com/x"},
		{"peers: 2", "peers: 2, successPolicy: {rules: [{succeededIndexes: '0'}]}"},
		{"peers: 2", "peers: 2, podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]}"},
		{"peers: 2", "peers: 2, barrier: {start: Enabled}"},
		{"peers: 2", "peers: 2, framework: {type: PyTorch}"},
	} {
		if got := changed(change[0], change[1]); got == first {
			t.Errorf("%v: the hash stays %s", change, got)
		}
	}
	for _, change := range [][2]string{
		{"peers: 2", "peers: 2, backoffLimit: 3, suspend: true, ttlSecondsAfterFinished: 1"},
		{"peers: 2", "peers: 2, service: {ports: [{port: 1}]}, job: {labels: {a: b}}"},
		{"peers: 2", "peers: 2, kubernetesVersion: '1.30', clusterDomain: example.org"},
		{"peers: 2", "peers: 2, barrier: {start: Disabled}, runner: {port: 9000}"},
		{"spec: {containers: [{name: w, image: x}]}", "spec: {dnsPolicy: ClusterFirst, terminationGracePeriodSeconds: 30, securityContext: {}, schedulerName: default-scheduler, tolerations: [], containers: [{name: w, image: x, imagePullPolicy: Always, terminationMessagePolicy: File}]}"},
		{"name: train", "name: train, labels: {a: b}, annotations: {config.kubernetes.io/path: x}"},
	} {
		if got := changed(change[0], change[1]); got != first {
			t.Errorf("%v: the hash is %s, and was %s", change, got, first)
		}
	}
}

// TestHash_clusterDomain has a field of the PeerJob that reaches the Job only
// through a framework.
func TestHash_clusterDomain(t *testing.T) {
	const text = "metadata: {name: train}\nspec: {peers: 2, clusterDomain: DOMAIN, framework: {type: Torchrun, elastic: {}}, template: {spec: {containers: [{name: w, image: x}]}}}"
	local, other := hash(t, strings.Replace(text, "DOMAIN", "cluster.local", 1)), hash(t, strings.Replace(text, "DOMAIN", "example.org", 1))
	if local == other {
		t.Errorf("two Jobs have the hash %s", local)
	}
}

// goldenHashes are the hashes of this release.
const goldenHashes = "testdata/hashes.txt"

// TestHash_golden holds the hashes of unchanged PeerJobs to those of the release:
// with another one every PeerJob with a nameSuffixHash runs again. Whoever changes
// them says so in CHANGELOG.md under "Changed", from the first release on. UPDATE=1 writes the file.
func TestHash_golden(t *testing.T) {
	var got strings.Builder
	for _, pj := range []struct{ name, text string }{
		{"smallest", "metadata: {name: a}\nspec: {peers: 2, template: {spec: {containers: [{name: w, image: x}]}}}"},
		{"full", full},
		{"barrier", "metadata: {name: a}\nspec: {peers: 2, barrier: {start: Enabled, end: Enabled}, runner: {image: x}, template: {spec: {containers: [{name: w, image: x, command: [a]}]}}}"},
		{"failurePolicy", "metadata: {name: a}\nspec: {peers: 2, failurePolicy: {action: FailPeerJob}, runner: {image: x}, template: {spec: {containers: [{name: w, image: x, command: [a]}]}}}"},
		{"restarts", "metadata: {name: a}\nspec: {peers: 2, failurePolicy: {action: RestartPeerJob, maxRestarts: 3}, runner: {image: x}, template: {spec: {containers: [{name: w, image: x, command: [a]}]}}}"},
		{"roles", roles},
	} {
		fmt.Fprintf(&got, "%s %s\n", pj.name, hash(t, pj.text))
	}
	for _, entry := range framework.Entries() {
		with := ""
		if entry.Leader != nil {
			with += ", leader: {command: [a]}"
		}
		if entry.SSH {
			with += ", sshSecretName: keys"
		}
		fmt.Fprintf(&got, "%s %s\n", entry.Type, hash(t, "metadata: {name: a}\nspec: {peers: 2, framework: {type: "+entry.Type+with+"}, template: {spec: {containers: [{name: w, image: x}]}}}"))
	}
	for _, with := range []string{
		"OpenMPI, sshSecretName: keys, roles: [{name: chief}, {name: worker}]", "TensorFlow", "PyTorch, roles: [{name: chief}, {name: worker}]",
	} {
		typ, _, _ := strings.Cut(with, ",")
		fmt.Fprintf(&got, "roles %s %s\n", typ, hash(t, "metadata: {name: a}\nspec: {framework: {type: "+with+"}, roles: [{name: chief, peers: 1, template: {spec: {containers: [{name: w, image: x, command: [a]}]}}}, {name: worker, peers: 2, template: {spec: {containers: [{name: w, image: x, command: [a]}]}}}]}"))
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(goldenHashes, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenHashes)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("the hash of unchanged PeerJobs changes: say so in CHANGELOG.md under Changed, and write the file again with UPDATE=1 (-want +got):\n%s", diff)
	}
}
