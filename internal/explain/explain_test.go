// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/expand"
	"github.com/peerjob/peerjob/internal/peerjob"
)

func sample(name string, n int32) *v1alpha1.PeerJob {
	pj := &v1alpha1.PeerJob{}
	pj.Name = name
	pj.Spec.Peers = &n
	pj.Spec.Template.Spec.Containers = []corev1.Container{{Name: "worker", Env: []corev1.EnvVar{{Name: "WHO", Value: "$(PEERJOB_SELF) $$(X) $(Y)"}}}}
	return pj
}

func describe(pj *v1alpha1.PeerJob, rendered ...string) Description {
	v1alpha1.Default(pj, v1alpha1.Settings{})
	g := peerjob.NewGroup(pj, "")
	return Describe(g, expand.Group(g), func(path string) bool {
		for _, field := range rendered {
			if strings.HasPrefix(path, field) {
				return true
			}
		}
		return false
	})
}

// Of many peers, the first ones and the last one are shown, whatever writes them.
func TestDescribe_peers(t *testing.T) {
	for n, want := range map[int32]string{1: "\n1 peer; index 0 is the leader\n", 2: "\n2 peers, all at the same time; index 0 is the leader\n"} {
		var out bytes.Buffer
		WriteTable(&out, []Description{describe(sample("train", n))})
		if got := out.String(); !strings.Contains(got, want) || n == 1 != strings.Contains(got, "Indexed: runs 1 peer\n") {
			t.Errorf("%d peers: %q is not in\n%s", n, want, got)
		}
	}
	for n, want := range map[int32][]int32{1: {0}, 3: {0, 1, 2}, 8: {0, 1, 2, 3, 4, 5, 6, 7}, 9: {0, 1, 2, 8}, 100000: {0, 1, 2, 99999}} {
		d := describe(sample("train", n))
		var got []int32
		for _, peer := range d.Peers.Shown {
			got = append(got, peer.Index)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d peers (-want +got):\n%s", n, diff)
		}
		if d.Peers.Count != n {
			t.Errorf("count %d, want %d", d.Peers.Count, n)
		}
		var out bytes.Buffer
		WriteTable(&out, []Description{d})
		WriteDOT(&out, []Description{d})
		WriteMermaid(&out, []Description{d})
		if lines := strings.Count(out.String(), "\n"); lines > 150 {
			t.Errorf("%d peers print %d lines", n, lines)
		}
	}
}

// The name may be as long as the budget says, and no longer: apimachinery's own limit of a
// DNS label is the oracle.
func TestDescribe_nameBudget(t *testing.T) {
	for _, test := range []struct {
		name  string
		peers int32
		want  NameBudget
	}{
		{"train", 3, NameBudget{63 - len("train-2"), 100000, "train-2", 63, ""}},
		{"train", 11, NameBudget{63 - len("train-10"), 100000, "train-10", 63, ""}},
		{strings.Repeat("a", 61), 3, NameBudget{0, 10, strings.Repeat("a", 61) + "-2", 63, ""}},
		{strings.Repeat("a", 59), 3, NameBudget{2, 1000, strings.Repeat("a", 59) + "-2", 63, ""}},
	} {
		if diff := cmp.Diff(test.want, describe(sample(test.name, test.peers)).NameBudget); diff != "" {
			t.Errorf("%s, %d peers (-want +got):\n%s", test.name, test.peers, diff)
		}
	}
	pj := sample("train", 3)
	pj.Namespace = "ml"
	pj.Spec.Template.Spec.SetHostnameAsFQDN = new(true)
	// "train-2.train.ml.svc.cluster.local" has 34 characters, and each of the name counts twice.
	if diff := cmp.Diff(NameBudget{15, 100000, "train-2.train.ml.svc.cluster.local", 64, ""}, describe(pj).NameBudget); diff != "" {
		t.Errorf("setHostnameAsFQDN (-want +got):\n%s", diff)
	}
}

// Every variable says who decides its value.
func TestDescribe_variables(t *testing.T) {
	pj := sample("train", 3)
	pj.Namespace = "ml"
	pj.Spec.Framework = &v1alpha1.Framework{Type: "JAX"}
	pj.Spec.Template.Spec.Containers[0].Env = append(pj.Spec.Template.Spec.Containers[0].Env,
		corev1.EnvVar{Name: "KEY", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "k"}}})
	d := describe(pj, "spec.template.spec.containers[0].env[0].value")
	got := map[string]string{}
	for _, v := range d.Containers[0].Variables {
		got[v.Name] = v.By + ": " + v.Value
	}
	want := map[string]string{
		"JOB_COMPLETION_INDEX": "peerjob: <index>", "PEERJOB_NAME": "peerjob: train", "PEERJOB_NAMESPACE": "peerjob: ml",
		"PEERJOB_SERVICE": "peerjob: train", "PEERJOB_SIZE": "peerjob: 3", "PEERJOB_LEADER": "peerjob: train-0.train", "PEERJOB_SELF": "peerjob: train-<index>.train",
		"JAX_COORDINATOR_ADDRESS": "framework: train-0.train:29500", "JAX_NUM_PROCESSES": "framework: 3", "JAX_PROCESS_ID": "framework: <index>",
		"WHO": "template: train-<index>.train $(X) $(Y)", "KEY": "you: <key k of Secret s>",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	pj = sample("train", 3)
	pj.Spec.PeerEnv = v1alpha1.Disabled
	variables := describe(pj).Containers[0].Variables
	if last := variables[len(variables)-1]; last.Name != "JOB_COMPLETION_INDEX" || last.By != "kubernetes" {
		t.Errorf("without spec.peerEnv: %+v", variables)
	}
}

func TestDescribe_onFailure(t *testing.T) {
	const drained = "spec.failurePolicy.onDisruption: when a Pod is drained, preempted or deleted, the Job replaces it, and then "
	for name, test := range map[string]struct {
		change func(*v1alpha1.PeerJobSpec)
		want   string
	}{
		"default":   {func(*v1alpha1.PeerJobSpec) {}, "spec.backoffLimit is not set: all peers together have 6 retries, the server's default, and then the Job fails and stops every peer."},
		"one retry": {func(s *v1alpha1.PeerJobSpec) { s.BackoffLimit = new(int32(1)) }, "spec.backoffLimit: all peers together have 1 retry, and then the Job fails and stops every peer."},
		"per index": {func(s *v1alpha1.PeerJobSpec) {
			s.BackoffLimitPerIndex, s.MaxFailedIndexes = new(int32(2)), new(int32(0))
		}, "spec.backoffLimitPerIndex: each index has 2 retries, and then that index has failed; spec.maxFailedIndexes: the Job fails and stops every peer when one index has failed."},
		"in place": {func(s *v1alpha1.PeerJobSpec) { s.Template.Spec.RestartPolicy = corev1.RestartPolicyOnFailure }, "restartPolicy OnFailure: the kubelet starts a container again that exits with another code than 0, in the same Pod. If the Pod is lost, the Job creates a new one with the same index and the same name."},
		"code": {func(s *v1alpha1.PeerJobSpec) {
			s.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{Action: batchv1.PodFailurePolicyActionFailJob, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{ContainerName: new("worker"), Operator: batchv1.PodFailurePolicyOnExitCodesOpIn, Values: []int32{3, 4}}}}}
		}, "spec.podFailurePolicy.rules[0]: if the container worker exits with 3 or 4, the Job fails at once."},
		"leader": {func(s *v1alpha1.PeerJobSpec) {
			s.SuccessPolicy = &batchv1.SuccessPolicy{Rules: []batchv1.SuccessPolicyRule{{SucceededIndexes: new("0")}}}
		}, "spec.successPolicy.rules[0]: the Job succeeds and stops every other peer when index 0 has succeeded."},
		"leader of a framework": {func(s *v1alpha1.PeerJobSpec) {
			s.Framework = &v1alpha1.Framework{Type: "Dask", Leader: &v1alpha1.FrameworkLeader{Command: []string{"x"}}}
		}, "spec.framework: the Job succeeds and stops every other peer when index 0 has succeeded."},
		"deadline": {func(s *v1alpha1.PeerJobSpec) { s.ActiveDeadlineSeconds = new(int64(60)) }, "spec.activeDeadlineSeconds: after 60 s the Job fails, whatever its peers do."},
		"start":    {func(s *v1alpha1.PeerJobSpec) { s.Barrier.Start = v1alpha1.Enabled }, "spec.barrier.start: no command starts before every peer was reached by its name; after 600 s without one, a container that waits exits with 75, and its message names who is missing."},
		"group that fails": {func(s *v1alpha1.PeerJobSpec) {
			s.FailurePolicy = &v1alpha1.PeerFailurePolicy{Action: v1alpha1.FailPeerJob}
		}, "If a Pod is lost, the group fails."},
		"limit of a group that fails": {func(s *v1alpha1.PeerJobSpec) {
			s.FailurePolicy = &v1alpha1.PeerFailurePolicy{Action: v1alpha1.FailPeerJob}
		}, "spec.backoffLimit is not set: all peers together have 6 retries, the server's default, and then the Job fails and stops every peer."},
		"group that fails, and has rules": {func(s *v1alpha1.PeerJobSpec) {
			s.FailurePolicy = &v1alpha1.PeerFailurePolicy{Action: v1alpha1.FailPeerJob}
			s.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{Action: batchv1.PodFailurePolicyActionIgnore, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: batchv1.PodFailurePolicyOnExitCodesOpIn, Values: []int32{137}}}}}
		}, "If a Pod is lost, and no rule of spec.podFailurePolicy says otherwise, the group fails."},
		"disruption of a group that fails": {func(s *v1alpha1.PeerJobSpec) {
			s.FailurePolicy = &v1alpha1.PeerFailurePolicy{Action: v1alpha1.FailPeerJob}
		}, drained + "the group fails."},
		"disruption of a group that fails, Continue": {func(s *v1alpha1.PeerJobSpec) {
			s.FailurePolicy = &v1alpha1.PeerFailurePolicy{Action: v1alpha1.FailPeerJob, OnDisruption: v1alpha1.ContinueOnDisruption}
		}, drained + "the other peers run on."},
		"disruption of a group that restarts": {func(s *v1alpha1.PeerJobSpec) {
			s.FailurePolicy = &v1alpha1.PeerFailurePolicy{Action: v1alpha1.RestartPeerJob}
		}, drained + "all peers start again, and no restart is used up."},
		"disruption of a group that restarts, Fail": {func(s *v1alpha1.PeerJobSpec) {
			s.FailurePolicy = &v1alpha1.PeerFailurePolicy{Action: v1alpha1.RestartPeerJob, OnDisruption: v1alpha1.FailOnDisruption}
		}, drained + "the group fails."},
		"disruption of a group that restarts, Continue": {func(s *v1alpha1.PeerJobSpec) {
			s.FailurePolicy = &v1alpha1.PeerFailurePolicy{Action: v1alpha1.RestartPeerJob, OnDisruption: v1alpha1.ContinueOnDisruption}
		}, drained + "the other peers run on; if it was the leader, all peers start again, and no restart is used up."},
		"group that restarts": {func(s *v1alpha1.PeerJobSpec) {
			s.FailurePolicy = &v1alpha1.PeerFailurePolicy{Action: v1alpha1.RestartPeerJob, MaxRestarts: new(int32(1))}
		}, "The runner starts the commands again, and the Job replaces no Pod for that. Only if a Pod is lost, or its container ends, does the Job create a new one, with the same index and the same name."},
		"end": {func(s *v1alpha1.PeerJobSpec) { s.Barrier.End = v1alpha1.Enabled }, "spec.barrier.end: a peer that is done keeps its name in DNS until all are done, for at most 30 s."},
	} {
		pj := sample("train", 3)
		test.change(&pj.Spec)
		said := describe(pj).OnFailure
		found := false
		for _, sentence := range said {
			found = found || sentence == test.want
			if strings.HasPrefix(name, "group") && strings.Contains(sentence, "The Job creates a new Pod") {
				t.Errorf("%s: %q contradicts the policy", name, sentence)
			}
		}
		if !found {
			t.Errorf("%s: %q is not among\n%s", name, test.want, strings.Join(said, "\n"))
		}
	}
}

// The longest name of all roles decides how long metadata.name may be, and the variables that
// the runner gives the command are among the others.
func TestDescribe_roles(t *testing.T) {
	pj := &v1alpha1.PeerJob{}
	pj.Name = "train"
	pj.Spec.FailurePolicy = &v1alpha1.PeerFailurePolicy{Action: v1alpha1.RestartPeerJob, MaxRestarts: new(int32(1))}
	pj.Spec.Runner.Image = "r"
	for _, role := range []struct {
		name  string
		peers int32
	}{{"launcher", 1}, {"worker", 2}, {"ps", 3}} {
		template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "w", Command: []string{"x"}}}}}
		pj.Spec.Roles = append(pj.Spec.Roles, v1alpha1.PeerRole{Name: role.name, Peers: &role.peers, Template: template})
	}
	v1alpha1.Default(pj, v1alpha1.Settings{})
	groups := peerjob.NewGroup(pj, "")
	for i, want := range []struct {
		peers int32
		rank  string
	}{{99995, "0"}, {99996, "<index + 1>"}, {99997, "<index + 3>"}} {
		d := Describe(groups.All()[i], expand.Group(groups), func(string) bool { return false })
		if diff := cmp.Diff(NameBudget{63 - len("train-launcher-0"), want.peers, "train-launcher-0", 63, "launcher"}, d.NameBudget); diff != "" {
			t.Errorf("role %d (-want +got):\n%s", i, diff)
		}
		if want := "The group has 1 restart, and then the Jobs of all roles fail."; !strings.Contains(d.OnFailure[0], want) {
			t.Errorf("role %d: %q is not in %q", i, want, d.OnFailure[0])
		}
		got := map[string]string{}
		for _, container := range d.Containers {
			for _, v := range container.Variables {
				if strings.HasPrefix(v.Name, "PEERJOB_RANK") || v.Name == "PEERJOB_WORLD_SIZE" || v.Name == "PEERJOB_ATTEMPT" {
					got[container.Name+" "+v.Name] = v.Value
				}
			}
		}
		if diff := cmp.Diff(map[string]string{"w PEERJOB_RANK": want.rank, "w PEERJOB_WORLD_SIZE": "6", "w PEERJOB_ATTEMPT": "<attempt, from 1>"}, got); diff != "" {
			t.Errorf("role %d (-want +got):\n%s", i, diff)
		}
	}
}

// What all roles have in common is said once, also in a picture, and the rank that a shell
// adds up is among the variables.
func TestWrite_roles(t *testing.T) {
	pj := &v1alpha1.PeerJob{}
	pj.Name = "train"
	pj.Spec.Framework = &v1alpha1.Framework{Type: "Torchrun", Roles: []v1alpha1.FrameworkRole{{Name: "big"}, {Name: "small"}}}
	for _, name := range []string{"big", "small"} {
		template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "w", Command: []string{"torchrun"}}}, InitContainers: []corev1.Container{{Name: "i"}}}}
		pj.Spec.Roles = append(pj.Spec.Roles, v1alpha1.PeerRole{Name: name, Peers: new(int32(2)), BackoffLimit: new(int32(len(name))), Template: template})
	}
	v1alpha1.Default(pj, v1alpha1.Settings{})
	g := peerjob.NewGroup(pj, "")
	var all []Description
	for _, role := range g.All() {
		all = append(all, Describe(role, expand.Group(g), func(string) bool { return false }))
	}
	rank := Variable{"PET_NODE_RANK", "<index + 2>", Source{byFramework, "spec.framework"}}
	if c := all[1].Containers[1]; c.Name != "w" || !slices.Contains(c.Variables, rank) {
		t.Errorf("%+v is not among the variables of %+v", rank, c)
	}
	var table, picture bytes.Buffer
	WriteTable(&table, append(all, describe(sample("other", 2))))
	WriteMermaid(&picture, all)
	for text, want := range map[string]int{
		"PeerJob train\n\n4 peers in 2 roles, all at the same time; index 0 of the role big is the leader\n": 1,
		"Role big of PeerJob train\n\n2 peers, all at the same time; index 0 is the leader\n":                1,
		"Role small of PeerJob train\n\n2 peers, all at the same time\n":                                     1,
		"PeerJob other\n\n2 peers, all at the same time; index 0 is the leader\n":                            1,
		"  Service  train ": 1, "  Job      train-big ": 1, "  Job      train-small ": 1,
		"Each peer fails for itself": 2, "spec.roles[0].backoffLimit: ": 1, "spec.roles[1].backoffLimit: ": 1,
		"metadata.name may have ": 2, "peers of this role.\n": 2, "tcp-rendezvous": 1,
		"<index + 2>": 1, // not in the init container
	} {
		if got := strings.Count(table.String(), text); got != want {
			t.Errorf("%q is there %d times, want %d, in\n%s", text, got, want, table.String())
		}
	}
	for text, want := range map[string]int{"headless Service": 1, "Indexed Job of the role ": 2, "(\"Pod": 4, "subgraph": 1} {
		if got := strings.Count(picture.String(), text); got != want {
			t.Errorf("%q is there %d times, want %d, in\n%s", text, got, want, picture.String())
		}
	}
}

// When the group is done is said once, and not as what a failure does.
func TestWrite_successRoles(t *testing.T) {
	for name, test := range map[string]struct {
		decide []string
		want   string
	}{
		"none":  {nil, ""},
		"all":   {[]string{"a", "b", "c"}, ""},
		"one":   {[]string{"a"}, "spec.successRoles: when every command of a has ended with 0, the commands of b and c are told to end."},
		"some":  {[]string{"a", "c"}, "spec.successRoles: when every command of a and c has ended with 0, the commands of b are told to end."},
		"later": {[]string{"c"}, "spec.successRoles: when every command of c has ended with 0, the commands of a and b are told to end."},
	} {
		pj := &v1alpha1.PeerJob{}
		pj.Name = "train"
		pj.Spec.SuccessRoles = test.decide
		pj.Spec.FailurePolicy = &v1alpha1.PeerFailurePolicy{Action: v1alpha1.FailPeerJob}
		pj.Spec.Runner.Image = "r"
		for _, role := range []string{"a", "b", "c"} {
			template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "w", Command: []string{"x"}}}}}
			pj.Spec.Roles = append(pj.Spec.Roles, v1alpha1.PeerRole{Name: role, Peers: new(int32(2)), Template: template})
		}
		v1alpha1.Default(pj, v1alpha1.Settings{})
		g := peerjob.NewGroup(pj, "")
		var all []Description
		for _, role := range g.All() {
			all = append(all, Describe(role, expand.Group(g), func(string) bool { return false }))
		}
		var table bytes.Buffer
		WriteTable(&table, all)
		part := ""
		if test.want != "" {
			part = "\nWhen the group is done\n  - " + test.want + "\n\nRole a of PeerJob train\n"
		}
		count := 0
		if part != "" {
			count = 1
		}
		if got := strings.Count(table.String(), "spec.successRoles"); got != count || !strings.Contains(table.String(), part) {
			t.Errorf("%s: %q is not there, or not once, in\n%s", name, part, table.String())
		}
	}
}

// Text of the input stays text in a picture and never reaches a terminal as a control
// sequence.
func TestWrite_hostileText(t *testing.T) {
	pj := sample("train", 2)
	pj.Spec.Template.Spec.Containers[0].Env[0].Value = "a\x1b[31mb\n\"quoted\" <b>"
	pj.Spec.Template.Spec.Containers[0].Name = `x"]; evil -> y`
	d := describe(pj)
	d.Name = `x"]; evil -> <y>` + "\x1b`"
	var out bytes.Buffer
	WriteTable(&out, []Description{d})
	WriteDOT(&out, []Description{d})
	WriteMermaid(&out, []Description{d})
	for _, bad := range []string{"\x1b", `label="x"]`, `["x"]`} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("%q is in\n%s", bad, out.String())
		}
	}
}
