// SPDX-License-Identifier: Apache-2.0

package pod

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// documents are what peerjob writes, less what does not matter here. EXTRA is
// put into the Pod's spec, and POLICY into the Job's.
const documents = `apiVersion: v1
kind: Service
metadata: {name: peers, namespace: ml}
spec: {clusterIP: None, selector: {job-name: sum}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: notes, namespace: ml}
data: {b: two, a: one}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: ml}
data: {key: c2VjcmV0}
---
apiVersion: batch/v1
kind: Job
metadata: {name: sum, namespace: ml}
spec:
  completions: 3
  parallelism: 3
  completionMode: Indexed
POLICY
  template:
    spec:
      subdomain: peers
      enableServiceLinks: false
EXTRA
      containers:
      - name: c
        image: x
        command: [run, "$(LATE)", "$$(LATE)", "$(NOBODY)"]
        args: ["$(EARLY)"]
        env:
        - {name: EARLY, value: "$(LATE) of $(PATH)"}
        - name: LATE
          valueFrom: {fieldRef: {fieldPath: "metadata.annotations['batch.kubernetes.io/job-completion-index']"}}
        - {name: HERE, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
        - {name: TOKEN, valueFrom: {secretKeyRef: {name: keys, key: key}}}
        envFrom: [{prefix: N_, configMapRef: {name: notes}}]
        volumeMounts:
        - {name: notes, mountPath: /notes}
        - {name: keys, mountPath: /key, subPath: key}
      volumes:
      - {name: notes, configMap: {name: notes, items: [{key: a, path: sub/a, mode: 0400}]}}
      - {name: keys, secret: {secretName: keys, defaultMode: 0600}}
`

var addresses = []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}

func objects(t *testing.T, policy, extra string) *Objects {
	t.Helper()
	o, err := Decode([]byte(strings.NewReplacer("POLICY", policy, "EXTRA", extra).Replace(documents)))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestPod(t *testing.T) {
	image := Image{Env: map[string]string{"FROM_IMAGE": "yes", "EARLY": "hidden"}, Dir: "/work"}
	got, err := objects(t, "", "      securityContext: {runAsUser: 7, fsGroup: 9}").Pod(1, addresses, image)
	if err != nil {
		t.Fatal(err)
	}
	want := &Pod{
		Hostname: "sum-1", Address: "10.0.0.2", GraceSeconds: 30,
		Hosts: "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n" +
			"10.0.0.2\tsum-1.peers.ml.svc.cluster.local\tsum-1\n" +
			"10.0.0.1\tsum-0.peers.ml.svc.cluster.local sum-0.peers sum-0.peers.ml sum-0.peers.ml.svc\n" +
			"10.0.0.2\tsum-1.peers.ml.svc.cluster.local sum-1.peers sum-1.peers.ml sum-1.peers.ml.svc\n" +
			"10.0.0.3\tsum-2.peers.ml.svc.cluster.local sum-2.peers sum-2.peers.ml sum-2.peers.ml.svc\n",
		Volumes: []Volume{
			{Name: "notes", Projected: true, Mode: 0o777, Group: 9, Files: []File{{Path: "sub/a", Data: []byte("one"), Mode: 0o440}}},
			{Name: "keys", Projected: true, Mode: 0o1777, Group: 9, Files: []File{{Path: "key", Data: []byte("secret"), Mode: 0o640}}},
		},
		Containers: []Container{{
			Name: "c", Dir: "/work", User: 7, Groups: []int{9},
			Argv: []string{"run", "1", "$(LATE)", "$(NOBODY)", "$(LATE) of $(PATH)"},
			Env: []string{
				"EARLY=$(LATE) of $(PATH)", "FROM_IMAGE=yes", "HERE=10.0.0.2", "HOME=/root", "HOSTNAME=sum-1", "JOB_COMPLETION_INDEX=1",
				"KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT=443", "LATE=1", "N_a=one", "N_b=two", "PATH=" + path, "TOKEN=secret",
			},
			Mounts: []Mount{{Volume: "notes", Path: "/notes"}, {Volume: "keys", SubPath: "key", Path: "/key"}},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestHosts has the names that the cluster's DNS would find, and no others.
func TestHosts(t *testing.T) {
	for _, test := range []struct {
		name, extra string
		change      func(*Objects)
		want        string
	}{
		{"as it is", "", nil, "sum-0.peers.ml.svc.cluster.local sum-0.peers sum-0.peers.ml sum-0.peers.ml.svc"},
		{"a search domain of its own", "      dnsConfig: {searches: [peers.ml.svc.cluster.local]}", nil, "sum-0.peers.ml.svc.cluster.local sum-0.peers sum-0.peers.ml sum-0.peers.ml.svc sum-0"},
		{"no search domains", "      dnsPolicy: None", nil, "sum-0.peers.ml.svc.cluster.local"},
		{"no Service", "", func(o *Objects) { clear(o.Services) }, ""},
		{"not headless", "", func(o *Objects) { o.Services["peers"].Spec.ClusterIP = "" }, ""},
		{"selects others", "", func(o *Objects) { o.Services["peers"].Spec.Selector["job-name"] = "product" }, ""},
		{"in another namespace", "", func(o *Objects) { o.Services["peers"].Namespace = "other" }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := objects(t, "", test.extra)
			if test.change != nil {
				test.change(o)
			}
			got := ""
			for _, line := range strings.Split(o.hosts(1, addresses), "\n") {
				if names, found := strings.CutPrefix(line, "10.0.0.1\t"); found {
					got = names
				}
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestVerdict(t *testing.T) {
	for _, test := range []struct {
		name, policy string
		ended        map[int]int
		succeeded    bool
		reason       string
	}{
		{"none ended", "", map[int]int{}, false, ""},
		{"some succeeded", "", map[int]int{0: 0, 2: 0}, false, ""},
		{"all succeeded", "", map[int]int{0: 0, 1: 0, 2: 0}, true, "every index succeeded"},
		{"one failed", "", map[int]int{0: 0, 2: 4}, false, "index 2 failed with exit code 4"},
		{"the leader succeeded", `{succeededIndexes: "0"}`, map[int]int{0: 0}, true, "the successPolicy is met"},
		{"not the leader", `{succeededIndexes: "0"}`, map[int]int{1: 0}, false, ""},
		{"a failure before the leader's end", `{succeededIndexes: "0"}`, map[int]int{0: 0, 1: 1}, false, "index 1 failed with exit code 1"},
		{"all of a range", `{succeededIndexes: "0-1"}`, map[int]int{0: 0, 1: 0}, true, "the successPolicy is met"},
		{"one of a range", `{succeededIndexes: "0-1"}`, map[int]int{1: 0}, false, ""},
		{"enough of a range", `{succeededIndexes: "0,2", succeededCount: 1}`, map[int]int{2: 0}, true, "the successPolicy is met"},
		{"enough", `{succeededCount: 2}`, map[int]int{1: 0, 2: 0}, true, "the successPolicy is met"},
	} {
		t.Run(test.name, func(t *testing.T) {
			policy := ""
			if test.policy != "" {
				policy = "  successPolicy: {rules: [" + test.policy + "]}"
			}
			succeeded, reason := objects(t, policy, "").Verdict(test.ended)
			if succeeded != test.succeeded || reason != test.reason {
				t.Errorf("%v, %q, want %v, %q", succeeded, reason, test.succeeded, test.reason)
			}
		})
	}
}

// TestPod_unknown has what a Pod may say and this package does not act on.
func TestPod_unknown(t *testing.T) {
	for _, test := range []struct{ extra, want string }{
		{"      hostNetwork: true", "hostNetwork is not known here"},
		{"      setHostnameAsFQDN: true", "another host name than the Job's is not known here"},
		{"      initContainers: [{name: s, image: x, restartPolicy: Always}]", "init container s: a restartPolicy is not known here"},
		{"      initContainers: [{name: s, image: x}]", "container s: has no command, and its image none either"},
	} {
		if _, err := objects(t, "", test.extra).Pod(0, addresses, Image{}); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", strings.TrimSpace(test.extra), err, test.want)
		}
	}
	o := objects(t, "", "")
	clear(o.Secrets)
	if _, err := o.Pod(0, addresses, Image{}); err == nil || err.Error() != "volume keys: no Secret keys" {
		t.Errorf("without the Secret: %v", err)
	}
}

func TestDecode(t *testing.T) {
	job := documents[strings.LastIndex(documents, "---\n"):]
	job = strings.NewReplacer("POLICY", "", "EXTRA", "").Replace(job)
	for _, test := range []struct{ name, documents, want string }{
		{"none", "", "no Job"},
		{"two of one name", job + job, "a second Job sum"},
		{"another kind", "kind: Pod\napiVersion: v1\n", "a Pod of v1: not known here"},
		{"a wrong field", strings.Replace(job, "completionMode", "mode", 1), `unknown field "mode"`},
	} {
		if _, err := Decode([]byte(test.documents)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

func TestParseIndexes(t *testing.T) {
	if got, want := parseIndexes("4,0-2,1"), []int{0, 1, 2, 4}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
