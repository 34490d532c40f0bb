// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
)

// policyPods are Pods with one container that the runner runs in.
const policyPods = "containers: [{name: w, image: y, command: [a], args: [$(PEERJOB_ATTEMPT)], env: [{name: A, value: b}]}]"

// TestGroup_failurePolicy has what a failure policy adds to a Job.
func TestGroup_failurePolicy(t *testing.T) {
	const restart = "  failurePolicy: {action: RestartPeerJob, maxRestarts: 3}"
	const own = "\n  podFailurePolicy: {rules: [{action: Count, onExitCodes: {operator: In, values: [3]}}, {action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]}"
	tests := map[string]struct{ spec, want string }{
		"none":                            {"  barrier: {start: Enabled, end: Enabled}", ""},
		"none, with the user's":           {"  barrier: {start: Enabled}\n  backoffLimitPerIndex: 1" + own, "Count [3], Ignore; perIndex 1"},
		"FailPeerJob":                     {"  failurePolicy: {action: FailPeerJob}", "Ignore, FailJob [0 143]; Failed"},
		"FailPeerJob and its limits":      {"  failurePolicy: {action: FailPeerJob}\n  backoffLimitPerIndex: 2\n  maxFailedIndexes: 0", "Ignore, FailJob [0 143]; Failed perIndex 2 indexes 0"},
		"FailPeerJob and success":         {"  failurePolicy: {action: FailPeerJob}\n  successPolicy: {rules: [{succeededIndexes: '0'}]}", "Ignore, FailJob [75 76]; Failed all 10"},
		"FailPeerJob and own retries":     {"  failurePolicy: {action: FailPeerJob}\n  backoffLimit: 3\n  successPolicy: {rules: [{succeededIndexes: '0'}]}", "Ignore, FailJob [75 76]; Failed all 3"},
		"FailPeerJob and retries of each": {"  failurePolicy: {action: FailPeerJob}\n  backoffLimitPerIndex: 2\n  maxFailedIndexes: 0\n  successPolicy: {rules: [{succeededIndexes: '0'}]}", "Ignore, FailJob [75 76]; Failed perIndex 2 indexes 0"},
		"FailPeerJob and a leader":        {"  failurePolicy: {action: FailPeerJob}\n  framework: {type: Dask, leader: {command: [a]}}", "Ignore, FailJob [75 76]; Failed all 10"},
		"RestartPeerJob and a leader":     {restart + "\n  framework: {type: Dask, leader: {command: [a]}}", "Ignore, FailJob [76]; Failed perIndex 3 indexes 0"},
		"RestartPeerJob":                  {restart, "Ignore, FailJob [76]; Failed perIndex 3 indexes 0"},
		"RestartPeerJob and the rest":     {restart + own + "\n  podReplacementPolicy: Failed", "Count [3], Ignore, FailJob [76]; Failed perIndex 3 indexes 0"},
		"empty rules":                     {restart + "\n  podFailurePolicy: {rules: []}", "Ignore, FailJob [76]; Failed perIndex 3 indexes 0"},
		"one that is refused":             {"  failurePolicy: {}", "Ignore, FailJob [0 143]; Failed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			svc, job := wrapped(t, tt.spec, policyPods)
			if broken := agreements(svc, job, "train", 4); len(broken) > 0 {
				t.Error(broken)
			}
			if diff := cmp.Diff(tt.want, policyText(&job.Spec)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// policyText is what a Job does about failures, in short.
func policyText(spec *batchv1.JobSpec) string {
	var rules, limits []string
	if spec.PodFailurePolicy != nil {
		for _, rule := range spec.PodFailurePolicy.Rules {
			text := string(rule.Action)
			if rule.OnExitCodes != nil {
				text += fmt.Sprint(" ", rule.OnExitCodes.Values)
			}
			rules = append(rules, text)
		}
	}
	if spec.PodReplacementPolicy != nil {
		limits = append(limits, string(*spec.PodReplacementPolicy))
	}
	if spec.BackoffLimit != nil {
		limits = append(limits, fmt.Sprint("all ", *spec.BackoffLimit))
	}
	if spec.BackoffLimitPerIndex != nil {
		limits = append(limits, fmt.Sprint("perIndex ", *spec.BackoffLimitPerIndex))
	}
	if spec.MaxFailedIndexes != nil {
		limits = append(limits, fmt.Sprint("indexes ", *spec.MaxFailedIndexes))
	}
	if len(rules)+len(limits) == 0 {
		return ""
	}
	return strings.Join(rules, ", ") + "; " + strings.Join(limits, " ")
}

// TestGroup_failurePolicyEnv has the variables that the runner reads, behind those of the
// peers and before the user's, and no PEERJOB_ATTEMPT, which the runner sets.
func TestGroup_failurePolicyEnv(t *testing.T) {
	const failures, ignored = "metadata.annotations['batch.kubernetes.io/job-index-failure-count']", "metadata.annotations['batch.kubernetes.io/job-index-ignored-failure-count']"
	for _, tt := range []struct {
		spec string
		want []string
	}{
		{"  failurePolicy: {action: FailPeerJob}", []string{"PEERJOB_UID metadata.labels['controller-uid']", "A "}},
		{"  failurePolicy: {action: RestartPeerJob, maxRestarts: 1}", []string{"PEERJOB_UID metadata.labels['controller-uid']", "PEERJOB_INDEX_FAILURES " + failures, "PEERJOB_INDEX_IGNORED_FAILURES " + ignored, "A "}},
		{"  failurePolicy: {action: RestartPeerJob, maxRestarts: 1}\n  peerEnv: Disabled", []string{"PEERJOB_UID metadata.labels['controller-uid']", "PEERJOB_INDEX_FAILURES " + failures, "PEERJOB_INDEX_IGNORED_FAILURES " + ignored, "A "}},
	} {
		_, job := wrapped(t, tt.spec, policyPods)
		var got []string
		for _, v := range job.Spec.Template.Spec.Containers[0].Env {
			text := v.Name + " "
			if v.ValueFrom != nil {
				text += v.ValueFrom.FieldRef.FieldPath
			}
			if len(got) > 0 || v.Name == "PEERJOB_UID" {
				got = append(got, text)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.spec, diff)
		}
	}
}

// TestGroup_failurePolicyOrigins says for fields of the Job which field of the PeerJob a
// person has to change when the server refuses them.
func TestGroup_failurePolicyOrigins(t *testing.T) {
	const head, tail = "metadata: {name: train}\nspec:\n  peers: 4\n", "\n  template: {spec: {" + policyPods + "}}\n"
	const restart = "  failurePolicy: {action: RestartPeerJob, maxRestarts: 3, onDisruption: Fail}"
	const rules = "spec.podFailurePolicy.rules"
	const container = "spec.template.spec.containers[0]"
	for _, tt := range []struct {
		spec string
		want map[string]string
	}{
		{restart, map[string]string{
			rules: "spec.failurePolicy", rules + "[0].action": "spec.failurePolicy", rules + "[1].onExitCodes.containerName": "spec.failurePolicy",
			"spec.podReplacementPolicy": "spec.failurePolicy", "spec.backoffLimitPerIndex": "spec.failurePolicy.maxRestarts", "spec.maxFailedIndexes": "spec.failurePolicy",
			// The program, "run", the port and two timeouts; then four flags of the policy.
			container + ".command[4]": "spec.runner", container + ".command[5]": "spec.failurePolicy", container + ".command[8]": "spec.failurePolicy",
			container + ".command[9]": "spec.runner", container + ".command[11]": container + ".command[0]",
			container + ".env[7].name": "spec.peerEnv", container + ".env[8].name": "spec.failurePolicy", container + ".env[9].name": "spec.failurePolicy", container + ".env[10].name": container + ".env[0].name",
		}},
		{restart + "\n  podReplacementPolicy: Failed\n  podFailurePolicy: {rules: [{action: Count, onExitCodes: {operator: In, values: [3]}}]}", map[string]string{
			rules: rules, rules + "[0].action": rules + "[0].action", rules + "[1].action": "spec.failurePolicy", rules + "[2].onExitCodes.values": "spec.failurePolicy",
			"spec.podReplacementPolicy": "spec.podReplacementPolicy",
		}},
		{"  failurePolicy: {action: FailPeerJob}\n  backoffLimitPerIndex: 1\n  maxFailedIndexes: 0", map[string]string{
			rules + "[1].action": "spec.failurePolicy", "spec.backoffLimitPerIndex": "spec.backoffLimitPerIndex", "spec.maxFailedIndexes": "spec.maxFailedIndexes",
			container + ".command[3]": "spec.failurePolicy", container + ".command[4]": "spec.runner",
		}},
		{"  failurePolicy: {action: FailPeerJob}\n  successPolicy: {rules: [{succeededIndexes: '0'}]}", map[string]string{"spec.backoffLimit": "spec.failurePolicy"}},
		{"  failurePolicy: {action: FailPeerJob}\n  backoffLimit: 9\n  successPolicy: {rules: [{succeededIndexes: '0'}]}", map[string]string{"spec.backoffLimit": "spec.backoffLimit"}},
	} {
		origins := objectsOf(t, head+tt.spec+tail)["Job"].Origins
		for path, want := range tt.want {
			if got := origins.Of(path, nil); got != want {
				t.Errorf("%s: %s comes from %s, want %s", tt.spec, path, got, want)
			}
		}
	}
}

// TestGroup_scriptOrigins has a framework's script between the runner and the user's command,
// which is longer than the runner's words and the script together.
func TestGroup_scriptOrigins(t *testing.T) {
	words := strings.TrimSuffix(strings.Repeat("word, ", 60), ", ")
	origins := objectsOf(t, "metadata: {name: train}\nspec:\n  peers: 4\n  failurePolicy: {action: FailPeerJob}\n"+
		"  framework: {type: Ray, leader: {command: ["+words+"]}}\n"+
		"  template: {spec: {containers: [{name: worker, image: x, command: ["+words+"]}]}}\n")["Job"].Origins
	const command = "spec.template.spec.containers[0].command"
	for path, want := range map[string]string{
		command + "[0]": "spec.runner", command + "[4]": "spec.failurePolicy", command + "[8]": "spec.framework",
	} {
		if got := origins.Of(path, nil); got != want {
			t.Errorf("%s comes from %s, want %s", path, got, want)
		}
	}
}
