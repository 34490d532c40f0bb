// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/internal/krmlist"
)

// rerun expands once, lets change edit the output as a user or a tool would,
// and expands again.
func rerun(t *testing.T, input string, change func(string) string) (stdout, stderr string) {
	t.Helper()
	once, stderr, failed := run(t, input)
	if failed {
		t.Fatal(stderr)
	}
	edited := change(once)
	if edited == once {
		t.Fatalf("the edit changed nothing:\n%s", once)
	}
	stdout, stderr, _ = run(t, edited)
	return stdout, stderr
}

func replace(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

const settingsPrune = "functionConfig: {apiVersion: v1, kind: ConfigMap, data: {prune: 'true'}}\n"

// immutable is the warning about fields of the Job train.
func immutable(fields string) string {
	return "peerjob: warning: Job train: these can't be changed in a Job that exists: " + fields +
		"; delete the Job in the cluster before you apply this one, or set spec.nameSuffixHash of the PeerJob to Enabled, so that each change is a new Job\n"
}

func TestMerge(t *testing.T) {
	tests := map[string]struct {
		input  string
		change func(string) string
		want   []string
		stderr string
	}{
		"more peers": {
			input: list(peerJob("train", "peers: 2")), change: replace("peers: 2", "peers: 3"),
			want:   []string{"PeerJob train", "Service train", "Job train"},
			stderr: immutable("spec.template.spec.containers[0].env[4].value"),
		},
		"more peers, in kustomize": {
			input: list(peerJob("train", "peers: 2")),
			change: func(s string) string {
				s = strings.Replace(s, "peers: 2", "peers: 3", 1)
				return strings.ReplaceAll(s, "peerjob.dev/owner: train\n", "peerjob.dev/owner: train\n      kustomize.config.k8s.io/id: |\n        kind: Job\n")
			},
			want: []string{"PeerJob train", "Service train", "Job train"},
		},
		"more peers, with nameSuffixHash": {
			input: list(peerJob("train", "peers: 2\nnameSuffixHash: Enabled")), change: replace("peers: 2", "peers: 3"),
			want: []string{"PeerJob train", "Service train-7c8c92b328", "Job train-7c8c92b328"},
			stderr: "peerjob: info: Service train-536b581d75: removed: PeerJob train no longer makes it\n" +
				"peerjob: info: Job train-536b581d75: removed: PeerJob train no longer makes it\n",
		},
		"what a Job can change": {
			input: list(peerJob("train", "peers: 2\nbackoffLimit: 1")), change: replace("backoffLimit: 1\n    template", "backoffLimit: 2\n    suspend: true\n    template"),
			want: []string{"PeerJob train", "Service train", "Job train"},
		},
		"a default that is written out": {
			input: list(peerJob("train", "peers: 2")), change: replace("{containers:", "{dnsPolicy: ClusterFirst, terminationGracePeriodSeconds: 30, securityContext: {}, containers:"),
			want: []string{"PeerJob train", "Service train", "Job train"},
		},
		"another Service name": {
			input:  list(peerJob("train", "peers: 2\nservice: {name: hub}")),
			change: replace("service: {name: hub}", "service: {name: ring}"),
			want:   []string{"PeerJob train", "Service ring", "Job train"},
			stderr: "peerjob: info: Service hub: removed: PeerJob train no longer makes it\n" + immutable("spec.template.metadata.annotations.peerjob.dev/service, spec.template.spec.subdomain"),
		},
		"another name": {
			input:  list(peerJob("train", "peers: 2")),
			change: replace("name: train\n", "name: learn\n"),
			want:   []string{"PeerJob learn", "Service learn", "Job learn", "Service train", "Job train"},
			stderr: "peerjob: warning: Service train: kept, but PeerJob train, which made it, is not in the list; delete it, or set prune: \"true\" in the function's ConfigMap\n" +
				"peerjob: warning: Job train: kept, but PeerJob train, which made it, is not in the list; delete it, or set prune: \"true\" in the function's ConfigMap\n",
		},
		"another name, with prune": {
			input:  list(peerJob("train", "peers: 2")) + settingsPrune,
			change: replace("name: train\n", "name: learn\n"),
			want:   []string{"PeerJob learn", "Service learn", "Job learn"},
			stderr: "peerjob: info: Service train: removed: PeerJob train, which made it, is gone, and prune is set\n" +
				"peerjob: info: Job train: removed: PeerJob train, which made it, is gone, and prune is set\n",
		},
		"renamed by kustomize, as are the children": {
			input: list(peerJob("train", "peers: 2\nservice: {name: hub}")),
			change: func(s string) string {
				s = strings.Replace(s, "name: train\n    annotations:\n", "name: dev-train\n    annotations:\n      internal.config.kubernetes.io/previousNames: train\n", 1)
				return strings.Replace(s, "name: hub\n", "name: dev-hub\n", 1)
			},
			// The Job keeps its name in this list, so it is stale like the Service.
			want: []string{"PeerJob dev-train", "Service hub", "Job dev-train"},
			stderr: "peerjob: info: Service dev-hub: removed: PeerJob dev-train no longer makes it\n" +
				"peerjob: info: Job train: removed: PeerJob dev-train no longer makes it\n",
		},
		"another namespace, in a file": {
			input:  list(inFile("a.yaml", "/p", peerJob("train", "peers: 2"))),
			change: replace("name: train\n", "name: train\n    namespace: ml\n"),
			want:   []string{"PeerJob ml/train", "Service ml/train", "Job ml/train"},
			stderr: "peerjob: info: train.peerjob.yaml: Service train: removed: PeerJob train no longer makes it\n" +
				"peerjob: info: train.peerjob.yaml: Job train: removed: PeerJob train no longer makes it\n",
		},
		"equal names in another package": {
			input: list(inFile("a.yaml", "/p", peerJob("train", "peers: 2")), inFile("a.yaml", "/p/sub", peerJob("train", "peers: 2"))),
			// The subpackage's PeerJob is renamed: what the root's made must stay.
			change: func(s string) string {
				at := strings.LastIndex(s, "  kind: PeerJob\n")
				return s[:at] + strings.Replace(s[at:], "name: train\n", "name: other\n", 1)
			},
			want: []string{"PeerJob train", "Service train", "Job train", "PeerJob other", "Service other", "Job other", "Service train", "Job train"},
			stderr: "peerjob: warning: sub/train.peerjob.yaml: Service train: kept, but PeerJob train, which made it, is not in its package; delete it, or set prune: \"true\" in the function's ConfigMap\n" +
				"peerjob: warning: sub/train.peerjob.yaml: Job train: kept, but PeerJob train, which made it, is not in its package; delete it, or set prune: \"true\" in the function's ConfigMap\n",
		},
		"what a namesake of another namespace made": {
			input: list(peerJob("train", "peers: 2")),
			change: func(s string) string {
				return s + "- apiVersion: v1\n  kind: Service\n  metadata: {name: hub, namespace: ml, annotations: {peerjob.dev/owner: train}}\n"
			},
			want:   []string{"PeerJob train", "Service train", "Job train", "Service ml/hub"},
			stderr: "peerjob: warning: Service ml/hub: kept, but PeerJob train, which made it, is not in the list; delete it, or set prune: \"true\" in the function's ConfigMap\n",
		},
		"another kind with the mark": {
			input: list(peerJob("train", "peers: 2")) + settingsPrune,
			change: func(s string) string {
				return strings.Replace(s, "items:\n", "items:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: notes, annotations: {peerjob.dev/owner: train}}\n- apiVersion: v1\n  kind: Service\n  metadata: {name: empty, annotations: {peerjob.dev/owner: \"\"}}\n", 1)
			},
			want: []string{"Secret notes", "Service empty", "PeerJob train", "Service train", "Job train"},
		},
		"a key twice in a child": {
			input: list(peerJob("train", "peers: 2")), change: replace("    publishNotReadyAddresses: true\n", "    clusterIP: None\n"),
			want: []string{"PeerJob train", "Service train", "Job train"},
		},
		"a child that a user edited": {
			input: list(peerJob("train", "peers: 2")), change: replace("completions: 2", "completions: 7"),
			want: []string{"PeerJob train", "Service train", "Job train"},
		},
		"a child that is there twice": {
			input: list(peerJob("train", "peers: 2")),
			change: func(s string) string {
				return s + "- apiVersion: v1\n  kind: Service\n  metadata: {name: train, annotations: {peerjob.dev/owner: train}}\n"
			},
			want:   []string{"PeerJob train", "Service train", "Job train"},
			stderr: "peerjob: info: Service train: removed: duplicate object; the first one stays\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stdout, stderr := rerun(t, tt.input, tt.change)
			if diff := cmp.Diff(tt.want, names(t, stdout)); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.stderr, stderr); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
			if strings.Count(stdout, "publishNotReadyAddresses: true") != strings.Count(stdout, "clusterIP: None") {
				t.Errorf("a Service was not repaired:\n%s", stdout)
			}
			again, _, _ := run(t, stdout)
			if diff := cmp.Diff(withoutResults(stdout), withoutResults(again)); diff != "" {
				t.Errorf("once more (-before +after):\n%s", diff)
			}
		})
	}
}

// TestMerge_keepsComments has a child that a user wrote comments into, and a
// PeerJob that changed one value of it.
func TestMerge_keepsComments(t *testing.T) {
	stdout, _ := rerun(t, list(peerJob("train", "peers: 2")), func(s string) string {
		s = strings.Replace(s, "peers: 2", "peers: 3", 1)
		s = strings.Replace(s, "- apiVersion: batch/v1", "# above the Job\n- apiVersion: batch/v1", 1)
		s = strings.Replace(s, "completions: 2\n", "completions: 2 # beside it\n", 1)
		s = strings.Replace(s, "enableServiceLinks: false\n", "# above links\n        enableServiceLinks: false\n", 1)
		return strings.Replace(s, "image: x\n          env:", "image: x # the image\n          env:", 1)
	})
	for _, want := range []string{"# above the Job\n", "completions: 3 # beside it\n", "# above links\n", "image: x # the image\n"} {
		if strings.Count(stdout, want) != 1 {
			t.Errorf("%q stands there %d times, want once:\n%s", want, strings.Count(stdout, want), stdout)
		}
	}
}

// TestMerge_equalBytes has a child that another tool wrote in its own way: it
// says the same, so not a byte of it changes.
func TestMerge_equalBytes(t *testing.T) {
	stdout, _ := rerun(t, list(peerJob("train", "peers: 2")), replace("    selector:\n      job-name: train\n", "    selector: {\"job-name\": 'train'} # mine\n"))
	if !strings.Contains(stdout, "selector: {\"job-name\": 'train'} # mine\n") {
		t.Error(stdout)
	}
}

func TestMerge_places(t *testing.T) {
	at := func(o, file, index string) string {
		return strings.ReplaceAll(strings.ReplaceAll(inFile("FILE", "/p", o), "FILE", file), "index: '0'", "index: '"+index+"'")
	}
	tests := map[string]struct {
		input string
		want  []string
	}{
		"beside the PeerJob": {
			list(at(peerJob("train", "peers: 2"), "jobs/a.yaml", "0")),
			[]string{"jobs/a.yaml 0", "jobs/train.peerjob.yaml 0", "jobs/train.peerjob.yaml 1"},
		},
		"two PeerJobs in one file": {
			list(at(peerJob("a", "peers: 2"), "x.yaml", "0"), at(peerJob("b", "peers: 2"), "x.yaml", "1")),
			[]string{"x.yaml 0", "a.peerjob.yaml 0", "a.peerjob.yaml 1", "x.yaml 1", "b.peerjob.yaml 0", "b.peerjob.yaml 1"},
		},
		"one name in two namespaces": {
			list(at(strings.Replace(peerJob("a", "peers: 2"), "name: a", "name: a\n  namespace: m", 1), "x.yaml", "0"), at(peerJob("a", "peers: 2"), "x.yaml", "1")),
			[]string{"x.yaml 0", "a.peerjob.yaml 0", "a.peerjob.yaml 1", "x.yaml 1", "a.peerjob.yaml 2", "a.peerjob.yaml 3"},
		},
		"one name in two packages": {
			list(inFile("x.yaml", "/p", peerJob("a", "peers: 2")), inFile("x.yaml", "/p/sub", peerJob("a", "peers: 2"))),
			[]string{"x.yaml 0", "a.peerjob.yaml 0", "a.peerjob.yaml 1", "x.yaml 0", "a.peerjob.yaml 0", "a.peerjob.yaml 1"},
		},
		"one name in two packages of kpt fn eval": {
			list(
				"apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: sub\n  annotations:\n    config.kubernetes.io/path: sub/Kptfile\n",
				inFile("x.yaml", "", peerJob("a", "peers: 2")), inFile("sub/deep/x.yaml", "", peerJob("a", "peers: 2"))),
			[]string{"sub/Kptfile 0", "x.yaml 0", "a.peerjob.yaml 0", "a.peerjob.yaml 1", "sub/deep/x.yaml 0", "sub/deep/a.peerjob.yaml 0", "sub/deep/a.peerjob.yaml 1"},
		},
		"a file of the user's with the name": {
			list(at(peerJob("a", "peers: 2"), "x.yaml", "0"), strings.Replace(at("apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nspec:", "a.peerjob.yaml", "0"), "spec:", "", 1)),
			[]string{"x.yaml 0", "a.peerjob.yaml 1", "a.peerjob.yaml 2", "a.peerjob.yaml 0"},
		},
		"no file": {list(peerJob("a", "peers: 2")), []string{" 0", " 0", " 0"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, failed := run(t, tt.input)
			if failed {
				t.Fatal(stderr)
			}
			l, err := krmlist.ReadParsed([]byte(stdout))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range l.Objects() {
				if path := o.Annotations[krmlist.PathAnnotation]; path != "" && path != o.Annotations[krmlist.LegacyPathAnnotation] {
					t.Errorf("%v: the two path annotations differ, which kpt refuses", o)
				}
				index := o.Annotations[krmlist.IndexAnnotation]
				if index == "" {
					index = "0"
				}
				got = append(got, o.File+" "+index)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRun_reservedKeysAreNotCopied has every key that an orchestrator puts on
// an object. On a child it would be wrong, and some would reach the cluster.
func TestRun_reservedKeysAreNotCopied(t *testing.T) {
	reserved := []string{
		"config.kubernetes.io/function", "config.k8s.io/function", "config.kubernetes.io/merge-source", "config.kubernetes.io/origin",
		"internal.config.kubernetes.io/containsBinaryData", "internal.config.k8s.io/kpt-source", "internal.kpt.dev/upstream-identifier",
		"kustomize.config.k8s.io/needs-hash", "kustomize.config.k8s.io/behavior", "kustomize.config.k8s.io/id", "config.k8s.io/id",
		"config.kubernetes.io/local-config", "config.kubernetes.io/depends-on", "peerjob.dev/anything", "internal.config.kubernetes.io/previousNames",
	}
	spec := "\n  annotations:\n    example.com/mine: kept\n    client.lifecycle.config.k8s.io/mutation: ignore\n"
	for _, key := range reserved {
		spec += "    " + key + ": \"x\"\n"
	}
	spec += "  labels:\n    app: mine\n    config.kubernetes.io/label: x\n"
	stdout, stderr, failed := run(t, list(strings.Replace(peerJob("train", "peers: 2"), "\nspec:", spec+"spec:", 1)))
	if failed {
		t.Fatal(stderr)
	}
	_, children, _ := strings.Cut(stdout, "- apiVersion: v1\n  kind: Service")
	for _, key := range append(reserved, "config.kubernetes.io/label") {
		if strings.Contains(children, key+":") {
			t.Errorf("%s was copied to a child", key)
		}
	}
	for _, want := range []string{"example.com/mine: kept", "client.lifecycle.config.k8s.io/mutation: ignore", "app: mine"} {
		if got := strings.Count(children, want); got != 2 {
			t.Errorf("%q stands %d times on the children, want on both", want, got)
		}
	}
}
