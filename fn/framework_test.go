// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const mpi = "peers: 2\nframework: {type: OpenMPI, sshSecretName: keys, leader: {command: [mpirun, a]}}"

var (
	peersFile = regexp.MustCompile(`train-peers-[0-9a-f]{10}`)
	owner     = "peerjob.dev/owner: train"
)

// TestRun_framework has the ConfigMap of a framework among the children: in its
// place, marked, immutable, named after its content, and mounted by that name.
func TestRun_framework(t *testing.T) {
	stdout, stderr, failed := run(t, list(peerJob("train", mpi)))
	if failed || stderr != "" {
		t.Fatal(stderr)
	}
	files := peersFile.FindAllString(stdout, -1)
	if len(files) != 2 || files[0] != files[1] {
		t.Fatalf("the ConfigMap is called %v", files)
	}
	want := []string{"PeerJob train", "Service train", "ConfigMap " + files[0], "Job train"}
	if diff := cmp.Diff(want, names(t, stdout)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	for _, text := range []string{"immutable: true", "train-0.train slots=1\n", "train-1.train slots=1\n"} {
		if strings.Count(stdout, text) != 1 {
			t.Errorf("%q is not there once:\n%s", text, stdout)
		}
	}
	if strings.Count(stdout, owner) != 3 {
		t.Errorf("not every child is marked:\n%s", stdout)
	}
	again, stderr, _ := run(t, stdout)
	if again != stdout || stderr != "" {
		t.Errorf("once more: %s\n%s", stderr, cmp.Diff(stdout, again))
	}
}

// TestRun_frameworkHash has a hash in the Job's name, which the file of all peers has
// in it, too: the hash is taken under the name without it, and stays the same.
func TestRun_frameworkHash(t *testing.T) {
	hashed := regexp.MustCompile(`name: train-([0-9a-f]{10})\n`)
	stdout, stderr, failed := run(t, list(peerJob("train", mpi+"\nnameSuffixHash: Enabled")))
	found := hashed.FindStringSubmatch(stdout)
	if failed || stderr != "" || found == nil {
		t.Fatalf("%s\n%s", stderr, stdout)
	}
	for _, text := range []string{"train-" + found[1] + "-0.train-" + found[1] + " slots=1\n", "train-" + found[1] + "-1.train-" + found[1] + " slots=1\n"} {
		if strings.Count(stdout, text) != 1 {
			t.Errorf("%q is not there once:\n%s", text, stdout)
		}
	}
	again, stderr, _ := run(t, stdout)
	if again != stdout || stderr != "" {
		t.Errorf("once more: %s\n%s", stderr, cmp.Diff(stdout, again))
	}
}

// TestMerge_framework: a PeerJob that changes leaves no old ConfigMap behind,
// and one that has a framework no longer none at all.
func TestMerge_framework(t *testing.T) {
	for name, tt := range map[string]struct {
		old, new string
		want     string
		said     string
	}{
		"more peers":       {"peers: 2", "peers: 3", "PeerJob train, Service train, ConfigMap *, Job train", "ConfigMap train-peers-[0-9a-f]{10}: removed: PeerJob train no longer makes it"},
		"a longer name":    {"name: train\n", "name: trains\n", "PeerJob trains, Service trains, ConfigMap *, Job trains, Service train, ConfigMap *, Job train", "ConfigMap train-peers-[0-9a-f]{10}: kept, but PeerJob train, which made it, is not in the list"},
		"no framework":     {"    framework: {type: OpenMPI, sshSecretName: keys, leader: {command: [mpirun, a]}}\n", "", "PeerJob train, Service train, Job train", "ConfigMap train-peers-[0-9a-f]{10}: removed"},
		"another one":      {"OpenMPI", "MPICH", "PeerJob train, Service train, ConfigMap *, Job train", "ConfigMap train-peers-[0-9a-f]{10}: removed"},
		"an edited file":   {"train-1.train slots=1", "train-1.train slots=9", "PeerJob train, Service train, ConfigMap *, Job train", ""},
		"a file that went": {"kind: ConfigMap", "kind: Gone", "PeerJob train, Service train, ConfigMap *, Gone *, Job train", ""},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr := rerun(t, list(peerJob("train", mpi)), replace(tt.old, tt.new))
			got := regexp.MustCompile(`trains?-peers-[0-9a-f]{10}`).ReplaceAllString(strings.Join(names(t, stdout), ", "), "*")
			if got != tt.want {
				t.Errorf("items: %s\nwant:  %s", got, tt.want)
			}
			if !regexp.MustCompile(tt.said).MatchString(stderr) {
				t.Errorf("said %s, want %s", stderr, tt.said)
			}
			if strings.Contains(stdout, "slots=9") {
				t.Error("the edited file was not repaired")
			}
		})
	}
}

// TestRun_frameworkVariables: a variable may use the framework's, and only the
// framework's own container has them.
func TestRun_frameworkVariables(t *testing.T) {
	const spec = "metadata: {name: train}\n  spec:\n    peers: 2\n    framework: {type: PyTorch, containers: [w]}\n    template: {spec: {containers: [{name: w, image: x, env: [{name: URL, value: $(MASTER_ADDR)}]}, {name: v, image: x, env: [{name: URL, value: $(MASTER_ADDR)}]}]}}\n"
	_, stderr, _ := run(t, "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- apiVersion: peerjob.dev/v1alpha1\n  kind: PeerJob\n  "+spec)
	want := "peerjob: warning: PeerJob train: spec.template.spec.containers[1].env[0].value: uses $(MASTER_ADDR), which no variable sets, and it stays in the value as it is; write $$(MASTER_ADDR) if that is meant\n"
	if stderr != want {
		t.Errorf("said %s, want %s", stderr, want)
	}
}

// TestRun_frameworkAdmission moves what the server says of the framework's own
// elements to the framework, and of the user's to the user's place.
func TestRun_frameworkAdmission(t *testing.T) {
	item := peerJob("train", mpi)
	for give, want := range map[string]string{
		"env: [{name: A, value: a}, {name: B=, value: b}]": "spec.template.spec.containers[0].env[1].name",
		"volumeMounts: [{name: none, mountPath: /a}]":      "spec.template.spec.containers[0].volumeMounts[0].name",
	} {
		_, stderr, failed := run(t, list(strings.Replace(item, "image: x", "image: x, "+give, 1)))
		if !failed || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, ": "+want+": ") {
			t.Errorf("%s: %s", give, stderr)
		}
	}
}

// BenchmarkRun_framework is one PeerJob without and with a framework, and one
// with a file of 1,000 peers.
func BenchmarkRun_framework(b *testing.B) {
	for _, bm := range []struct{ name, spec string }{
		{"none", "peers: 4"},
		{"Torchrun", "peers: 4\nframework: {type: Torchrun}"},
		{"OpenMPI", strings.Replace(mpi, "2", "4", 1)},
		{"OpenMPI/peers=1000", strings.Replace(mpi, "2", "1000", 1)},
	} {
		input := list(peerJob("train", bm.spec))
		b.Run(bm.name, func(b *testing.B) {
			for b.Loop() {
				if err := Run(strings.NewReader(input), io.Discard, io.Discard, Options{}); err != nil {
					b.Fatal(fmt.Errorf("%s: %w", bm.name, err))
				}
			}
		})
	}
}
