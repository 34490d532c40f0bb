// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

// names are all names that follow from a group.
func names(g *Group) map[string]string {
	return map[string]string{
		"job": g.JobName, "service": g.ServiceName(), "service path": g.ServiceNamePath().String(),
		"first": g.PeerName(0), "last": g.PeerName(g.LastIndex()), "domain": g.SearchDomain(g.PeerJob.Namespace),
		"selector": fmt.Sprint(g.SelectorLabels()), "all": strings.Join(slices.Collect(g.PeerNames()), " "),
	}
}

func TestGroup_names(t *testing.T) {
	hub := swap("peers: 3", "peers: 3\n  service: {name: hub}")
	for name, test := range map[string]struct {
		change func(string) string
		hash   string
		want   map[string]string
	}{
		"the name alone": {nil, "", map[string]string{
			"job": "train", "service": "train", "service path": "metadata.name", "first": "train-0.train", "last": "train-2.train", "domain": "ml.svc.cluster.local",
			"selector": "map[job-name:train]", "all": "train-0.train train-1.train train-2.train",
		}},
		"a Service of its own name": {hub, "", map[string]string{
			"job": "train", "service": "hub", "service path": "spec.service.name", "first": "train-0.hub", "last": "train-2.hub", "domain": "ml.svc.cluster.local",
			"selector": "map[job-name:train]", "all": "train-0.hub train-1.hub train-2.hub",
		}},
		"a hash in both": {hub, "abc", map[string]string{
			"job": "train-abc", "service": "hub-abc", "service path": "spec.service.name", "first": "train-abc-0.hub-abc", "last": "train-abc-2.hub-abc", "domain": "ml.svc.cluster.local",
			"selector": "map[job-name:train-abc]", "all": "train-abc-0.hub-abc train-abc-1.hub-abc train-abc-2.hub-abc",
		}},
		"another domain": {swap("peers: 3", "peers: 1\n  clusterDomain: example.org"), "", map[string]string{
			"job": "train", "service": "train", "service path": "metadata.name", "first": "train-0.train", "last": "train-0.train", "domain": "ml.svc.example.org",
			"selector": "map[job-name:train]", "all": "train-0.train",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, names(NewGroup(decodeValid(t, test.change).PeerJob, test.hash))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestGroup_WithPeers leaves the group as it is.
func TestGroup_WithPeers(t *testing.T) {
	g := decodeValid(t, nil)
	if other := g.WithPeers(7); other.Peers() != 7 || other.LastIndex() != 6 || g.Peers() != 3 || *other.Job.Parallelism != 7 {
		t.Errorf("other: %d, this: %d", other.Peers(), g.Peers())
	}
	for first := range g.WithPeers(100000).PeerNames() {
		if first != "train-0.train" {
			t.Error(first)
		}
		break // nothing goes on behind it
	}
	if none := g.WithPeers(0); none.LastIndex() != 0 || len(slices.Collect(none.PeerNames())) != 0 {
		t.Error("no peers have no names")
	}
}

// TestHash holds the hash to the ten first digits of a SHA-256.
func TestHash(t *testing.T) {
	if got, want := Hash([]byte("peer")), fmt.Sprintf("%x", sha256.Sum256([]byte("peer")))[:10]; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	g := decodeValid(t, nil)
	if a, b := g.PeersConfigMapName("a"), g.PeersConfigMapName("b"); a == b || !strings.HasPrefix(a, "train-peers-") || a != g.PeersConfigMapName("a") {
		t.Error(a, b)
	}
}

// TestGroup_PeerEnv holds the variables to the table of the design, in its order: "$(NAME)"
// sees only what stands before it.
func TestGroup_PeerEnv(t *testing.T) {
	want := []string{
		"JOB_COMPLETION_INDEX=metadata.annotations['batch.kubernetes.io/job-completion-index']",
		"PEERJOB_NAME=metadata.labels['job-name']",
		"PEERJOB_NAMESPACE=metadata.namespace",
		"PEERJOB_SERVICE=metadata.annotations['peerjob.dev/service']",
		"PEERJOB_SIZE=3",
		"PEERJOB_LEADER=$(PEERJOB_NAME)-0.$(PEERJOB_SERVICE)",
		"PEERJOB_SELF=$(PEERJOB_NAME)-$(JOB_COMPLETION_INDEX).$(PEERJOB_SERVICE)",
	}
	for uid, want := range map[bool][]string{false: want, true: append(want[:7:7], "PEERJOB_UID=metadata.labels['controller-uid']")} {
		var got []string
		for _, v := range decodeValid(t, nil).PeerEnv(uid) {
			value := v.Value
			if v.ValueFrom != nil {
				value = v.ValueFrom.FieldRef.FieldPath
			}
			got = append(got, v.Name+"="+value)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func containerOf(t *testing.T, text string) *corev1.Container {
	t.Helper()
	c := &corev1.Container{}
	if err := yaml.UnmarshalStrict([]byte(text), c); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return c
}

func TestUsesUID(t *testing.T) {
	for text, want := range map[string]bool{
		"args: [a]":                                                             false,
		"args: ['$(PEERJOB_UID)']":                                              true,
		"command: [sh, -c, 'echo $PEERJOB_UID']":                                true,
		"env: [{name: A, value: $(PEERJOB_UID)}]":                               true,
		"env: [{name: PEERJOB_UID, value: mine}]":                               false,
		"{args: [$(PEERJOB_UID)], env: [{name: PEERJOB_UID, value: mine}]}":     false,
		"volumeMounts: [{name: v, mountPath: /v, subPathExpr: $(PEERJOB_UID)}]": true,
		"volumeMounts: [{name: v, mountPath: /v, subPath: PEERJOB_UID}]":        false,
	} {
		if got := UsesUID(containerOf(t, text)); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

// TestGroup_OwnVariables has variables that say what peerjob's say: they are taken as meant.
func TestGroup_OwnVariables(t *testing.T) {
	const index = "{name: JOB_COMPLETION_INDEX, valueFrom: {fieldRef: {fieldPath: %q}}}"
	annotation := fmt.Sprintf(index, "metadata.annotations['batch.kubernetes.io/job-completion-index']")
	for text, want := range map[string]string{
		"{name: A, value: b}": "A",
		annotation:            "",
		fmt.Sprintf(index, "metadata.labels['batch.kubernetes.io/job-completion-index']"):                                                  "",
		strings.Replace(annotation, "fieldRef: {", "fieldRef: {apiVersion: v1, ", 1):                                                       "",
		fmt.Sprintf(index, "metadata.name"):                                                                                                "JOB_COMPLETION_INDEX",
		"{name: JOB_COMPLETION_INDEX, value: '0'}":                                                                                         "JOB_COMPLETION_INDEX",
		"{name: PEERJOB_SIZE, value: '3'}":                                                                                                 "",
		"{name: PEERJOB_SIZE, value: '4'}":                                                                                                 "PEERJOB_SIZE",
		"{name: PEERJOB_LEADER, value: $(PEERJOB_NAME)-0.$(PEERJOB_SERVICE)}":                                                              "",
		"{name: OTHER, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}":                                                            "OTHER",
		annotation + ", {name: A, value: b}, {name: PEERJOB_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}, {name: C}": "A C",
	} {
		g := decodeValid(t, nil)
		c := containerOf(t, "env: ["+text+"]")
		var got []string
		for _, i := range g.OwnVariables(c) {
			got = append(got, c.Env[i].Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
		// Without the variables of the peers, all are the user's.
		off := decodeValid(t, swap("peers: 3", "peers: 3\n  peerEnv: Disabled"))
		if own := off.OwnVariables(c); len(own) != len(c.Env) || off.HasPeerEnv() {
			t.Errorf("%s: without peerEnv, %d of %d", text, len(own), len(c.Env))
		}
	}
}

func TestGroup_DropOwn(t *testing.T) {
	g := decodeValid(t, swap("image: x", "image: x, env: [{name: A}, {name: PEERJOB_SIZE, value: '3'}, {name: B}]"))
	template := g.Template().DeepCopy()
	template.Labels = map[string]string{"job-name": "train", "batch.kubernetes.io/job-name": "train", "mine": "a"}
	g.DropOwn(template)
	if diff := cmp.Diff([]corev1.EnvVar{{Name: "A"}, {Name: "B"}}, template.Spec.Containers[0].Env); diff != "" {
		t.Errorf("env (-want +got):\n%s", diff)
	}
	if !slices.Equal(slices.Sorted(maps.Keys(template.Labels)), []string{"mine"}) {
		t.Errorf("labels: %v", template.Labels)
	}
	if len(g.Template().Spec.Containers[0].Env) != 3 {
		t.Error("the PeerJob was changed")
	}
}

func TestGroup_files(t *testing.T) {
	g := decodeValid(t, swap("peers: 3", "peers: 3\n  files: [{path: /etc/a b/hosts.txt, content: x}, {path: /etc/ü, content: y, containers: [w]}]"))
	if a, b := g.FileKey(0), g.FileKey(1); a != "0-hosts.txt" || b != "1--" {
		t.Errorf("keys: %q, %q", a, b)
	}
	name := g.FilesConfigMapName()
	if !strings.HasPrefix(name, "train-files-") || len(name) != len("train-files-")+10 {
		t.Error(name)
	}
	for what, change := range map[string]func(){
		"another content": func() { g.PeerJob.Spec.Files[0].Content = "z" },
		"another name":    func() { g.PeerJob.Spec.Files[0].Path = "/etc/hosts" },
	} {
		change()
		if other := g.FilesConfigMapName(); other == name {
			t.Errorf("%s has the same name: %s", what, other)
		} else {
			name = other
		}
	}
	long := decodeValid(t, swap("peers: 3", "peers: 3\n  files: [{path: /"+strings.Repeat("a", 300)+"}]"))
	if key := long.FileKey(0); len(key) > 253 {
		t.Errorf("a ConfigMap takes no key of %d characters", len(key))
	}
	for _, test := range []struct {
		file      int
		container string
		init      bool
		want      bool
	}{{0, "w", false, true}, {0, "i", true, false}, {1, "w", false, true}, {1, "v", false, false}, {1, "w", true, true}} {
		if got := HasFile(&g.PeerJob.Spec.Files[test.file], test.container, test.init); got != test.want {
			t.Errorf("%+v: got %v", test, got)
		}
	}
}

func TestValidate_more(t *testing.T) {
	for name, test := range map[string]struct {
		change func(string) string
		want   []string
	}{
		"no peers":                       {swap("  peers: 3\n", ""), []string{"spec.peers: Required value"}},
		"zero peers":                     {swap("peers: 3", "peers: 0"), []string{"spec.peers: Invalid value: 0: must be between 1 and 100000"}},
		"too many peers":                 {swap("peers: 3", "peers: 100001"), []string{"spec.peers: Invalid value: 100001: must be between 1 and 100000"}},
		"the oldest version":             {swap("peers: 3", "peers: 3\n  kubernetesVersion: '1.22'"), nil},
		"a version before it":            {swap("peers: 3", "peers: 3\n  kubernetesVersion: '1.21'"), []string{`spec.kubernetesVersion: Invalid value: "1.21": must be a minor version from "1.22" to`}},
		"a version to come":              {swap("peers: 3", "peers: 3\n  kubernetesVersion: '1.99'"), []string{`spec.kubernetesVersion: Invalid value: "1.99"`}},
		"a patch version":                {swap("peers: 3", "peers: 3\n  kubernetesVersion: '1.30.1'"), []string{`spec.kubernetesVersion: Invalid value: "1.30.1"`}},
		"a version with a v":             {swap("peers: 3", "peers: 3\n  kubernetesVersion: v1.30"), []string{`spec.kubernetesVersion: Invalid value: "v1.30"`}},
		"a version with a zero before":   {swap("peers: 3", "peers: 3\n  kubernetesVersion: '1.030'"), []string{`spec.kubernetesVersion: Invalid value: "1.030"`}},
		"values without templating":      {swap("peers: 3", "peers: 3\n  values: {a: b}\n  snippets: {a: b}"), []string{"spec.values: Forbidden: is for templates", "spec.snippets: Forbidden: is for templates"}},
		"a source of values, not named":  {swap("peers: 3", "peers: 3\n  templating: Enabled\n  valuesFrom: [{}, {configMapRef: {}}, {configMapRef: {name: A_B}}]"), []string{"spec.valuesFrom[0].configMapRef: Required value", "spec.valuesFrom[1].configMapRef.name: Required value", "spec.valuesFrom[2].configMapRef.name: Invalid value: \"A_B\""}},
		"a file without a path":          {swap("peers: 3", "peers: 3\n  files: [{content: a}]"), []string{"spec.files[0].path: Required value"}},
		"a file at a relative path":      {swap("peers: 3", "peers: 3\n  files: [{path: a}]"), []string{"spec.files[0].path: Invalid value: \"a\""}},
		"a file above the root":          {swap("peers: 3", "peers: 3\n  files: [{path: /../a}]"), []string{"spec.files[0].path: Invalid value"}},
		"two files at one path":          {swap("peers: 3", "peers: 3\n  files: [{path: /a}, {path: /a}]"), []string{"spec.files[1].path: Duplicate value: \"/a\""}},
		"a file below a file":            {swap("peers: 3", "peers: 3\n  files: [{path: /a/b}, {path: /a}]"), []string{"spec.files[0].path: Invalid value: \"/a/b\""}},
		"files of two containers":        {swap("peers: 3", "peers: 3\n  files: [{path: /a, containers: [w]}, {path: /a, containers: [v]}, {path: /b, containers: [w]}, {path: /b/c, containers: [v]}, {path: /b}]"), []string{"spec.files[1].containers[0]: Unsupported value", "spec.files[3].containers[0]: Unsupported value", "spec.files[4].path: Duplicate value: \"/b\""}},
		"files side by side":             {swap("peers: 3", "peers: 3\n  files: [{path: /a/b}, {path: /a/bc}]"), nil},
		"a file of an unknown container": {swap("peers: 3", "peers: 3\n  files: [{path: /a, containers: [w, x]}]"), []string{"spec.files[0].containers[1]: Unsupported value: \"x\": supported values: \"w\""}},
	} {
		t.Run(name, func(t *testing.T) {
			errs := Validate(decodeValid(t, test.change), nil)
			if len(errs) != len(test.want) {
				t.Fatalf("%d errors, want %d: %v", len(errs), len(test.want), errs)
			}
			for i, err := range errs {
				if !strings.HasPrefix(err.Error(), test.want[i]) {
					t.Errorf("error %d is %q, want %q", i, err, test.want[i])
				}
			}
		})
	}
}

// TestWarn has one warning of each kind; internal/rules has the limits of each.
func TestWarn(t *testing.T) {
	for name, test := range map[string]struct {
		change func(string) string
		want   []string
	}{
		"nothing":                  {nil, nil},
		"a port that is forwarded": {swap("peers: 3", "peers: 3\n  service: {ports: [{port: 80, targetPort: 8080}]}"), []string{"spec.service.ports[0].targetPort"}},
		"peers on the host network": {func(s string) string {
			return pod("hostNetwork: true")(swap("image: x", "image: x, ports: [{containerPort: 1}]")(s))
		}, []string{"spec.template.spec.hostNetwork"}},
		"a variable that nothing sets": {swap("image: x", "image: x, args: [$(NOTHING)]"), []string{"spec.template.spec.containers[0].args[0]"}},
		"a number that contradicts":    {swap("image: x", "image: x, args: [--nnodes=4]"), []string{"spec.template.spec.containers[0].args[0]"}},
		"a group size on the Pods":     {swap("template:", "template:\n    metadata: {annotations: {example.com/group-size: '4'}}"), []string{"spec.template.metadata.annotations[example.com/group-size]"}},
		"a group size on the PeerJob":  {swap("namespace: ml", "namespace: ml, labels: {example.com/group-size: '4'}"), []string{"metadata.labels[example.com/group-size]"}},
		"a group size on the Job":      {swap("peers: 3", "peers: 3\n  job: {annotations: {example.com/group-size: '4'}}"), []string{"spec.job.annotations[example.com/group-size]"}},
		"a Job that Argo CD would run again": {func(s string) string {
			return swap("peers: 3", "peers: 3\n  ttlSecondsAfterFinished: 9")(swap("namespace: ml", "namespace: ml, annotations: {argocd.argoproj.io/sync-wave: '1'}")(s))
		}, []string{"spec.ttlSecondsAfterFinished"}},
		"a Job that Flux would run again": {swap("peers: 3", "peers: 3\n  ttlSecondsAfterFinished: 9\n  job: {annotations: {kustomize.toolkit.fluxcd.io/ssa: Merge}}"), []string{"spec.ttlSecondsAfterFinished"}},
		"a hook of Argo CD": {func(s string) string {
			return swap("peers: 3", "peers: 3\n  ttlSecondsAfterFinished: 9")(swap("namespace: ml", "namespace: ml, annotations: {argocd.argoproj.io/hook: Sync, argocd.argoproj.io/sync-wave: '1'}")(s))
		}, nil},
		"a Job that stays":        {swap("namespace: ml", "namespace: ml, annotations: {argocd.argoproj.io/sync-wave: '1'}"), nil},
		"a Job that nobody keeps": {swap("peers: 3", "peers: 3\n  ttlSecondsAfterFinished: 9"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := decodeValid(t, test.change)
			if errs := Validate(g, nil); len(errs) > 0 {
				t.Fatal(errs)
			}
			var got []string
			for _, w := range Warn(g, nil) {
				got = append(got, w.Field)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMinor(t *testing.T) {
	for version, want := range map[string]int{"1.22": 22, "1.36": 36, "1.37": 37, "": -1, "1.": -1, "2.30": -1, "1.-30": -1, "1.30 ": -1, "1.+30": -1, "30": -1} {
		if minor, ok := Minor(version); ok != (want >= 0) || ok && minor != want {
			t.Errorf("%q: %d, %v", version, minor, ok)
		}
	}
	if errs := ValidateVersion("", field.NewPath("v")); len(errs) > 0 {
		t.Errorf("no version is the newest: %v", errs)
	}
}
