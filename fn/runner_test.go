// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestExpand_runnerFrameworks puts a runner in front of every framework's example: what
// it starts is the container's command without it, in the same environment.
func TestExpand_runnerFrameworks(t *testing.T) {
	files, err := filepath.Glob("../examples/frameworks/*/peerjob.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			plain := jobOf(t, string(content))
			job := jobOf(t, strings.Replace(string(content), "\nspec:\n", "\nspec:\n  barrier: {start: Enabled, end: Enabled}\n", 1))
			want, got := plain.Spec.Template.Spec.Containers[0], job.Spec.Template.Spec.Containers[0]
			runner := slices.Index(got.Command, "--")
			if runner < 0 || got.Command[0] != "/peerjob/peerjob-runner" {
				t.Fatalf("no runner in %q", got.Command)
			}
			if diff := cmp.Diff(want.Command, got.Command[runner+1:]); diff != "" {
				t.Errorf("command (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want.Args, got.Args); diff != "" {
				t.Errorf("args (-want +got):\n%s", diff)
			}
			for _, v := range want.Env {
				if !slices.ContainsFunc(got.Env, func(other corev1.EnvVar) bool { return cmp.Equal(v, other) }) {
					t.Errorf("there is no variable %v", v)
				}
			}
			// The workers of a framework with a leader serve until they are stopped.
			until := slices.Contains(got.Command[:runner], "--until=0")
			if leads := job.Spec.SuccessPolicy != nil; until != leads {
				t.Errorf("the end waits for index 0 alone: %v, and the Job: %v", until, leads)
			}
		})
	}
}

// TestExpand_runnerRoles takes the runner out of every example with roles: what it starts is
// the container's command without it, in the same environment, and it is told of every role.
// A framework whose programs serve forever needs the runner: there, only what the runner is
// told is compared.
func TestExpand_runnerRoles(t *testing.T) {
	files, err := filepath.Glob("../examples/roles/*/peerjob.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	compared := 0
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			peerJob := map[string]any{}
			if err := yaml.Unmarshal(content, &peerJob); err != nil {
				t.Fatal(err)
			}
			spec := peerJob["spec"].(map[string]any)
			// What the runner must know, read off the example.
			var common []string
			waits := make([][]string, len(spec["roles"].([]any)))
			for i, role := range spec["roles"].([]any) {
				role := role.(map[string]any)
				common = append(common, fmt.Sprintf("--role=%v:%v", role["name"], role["peers"]))
				dependsOn, _ := role["dependsOn"].([]any)
				for _, dependency := range dependsOn {
					waits[i] = append(waits[i], fmt.Sprintf("--depends-on=%v:%v", dependency.(map[string]any)["name"], dependency.(map[string]any)["status"]))
				}
				delete(role, "dependsOn")
			}
			success, _ := spec["successRoles"].([]any)
			for _, name := range success {
				common = append(common, fmt.Sprintf("--success-role=%v", name))
			}
			jobs := jobsOf(t, string(content))
			plain := jobs
			needsRunner := spec["framework"] != nil && success != nil
			if !needsRunner {
				for _, key := range []string{"barrier", "failurePolicy", "successRoles", "runner"} {
					delete(spec, key)
				}
				without, err := yaml.Marshal(peerJob)
				if err != nil {
					t.Fatal(err)
				}
				plain = jobsOf(t, string(without))
				compared++
			}
			if len(jobs) != len(waits) || len(plain) != len(waits) {
				t.Fatalf("%d Jobs, and %d without the runner, of %d roles", len(jobs), len(plain), len(waits))
			}
			for i, job := range jobs {
				want, got := plain[i].Spec.Template.Spec.Containers[0], job.Spec.Template.Spec.Containers[0]
				runner := slices.Index(got.Command, "--")
				if runner < 0 || got.Command[0] != "/peerjob/peerjob-runner" {
					t.Fatalf("%s: no runner in %q", job.Name, got.Command)
				}
				wantCommand := want.Command
				if needsRunner {
					wantCommand = wantCommand[runner+1:]
				}
				if diff := cmp.Diff(wantCommand, got.Command[runner+1:]); diff != "" {
					t.Errorf("%s: command (-want +got):\n%s", job.Name, diff)
				}
				if diff := cmp.Diff(want.Args, got.Args); diff != "" {
					t.Errorf("%s: args (-want +got):\n%s", job.Name, diff)
				}
				for _, v := range want.Env {
					if !slices.ContainsFunc(got.Env, func(other corev1.EnvVar) bool { return cmp.Equal(v, other) }) {
						t.Errorf("%s: there is no variable %v", job.Name, v)
					}
				}
				var told []string
				for _, flag := range got.Command[:runner] {
					if name, _, _ := strings.Cut(flag, "="); slices.Contains([]string{"--role", "--depends-on", "--success-role"}, name) {
						told = append(told, flag)
					}
				}
				expected := slices.Concat(common, waits[i])
				slices.Sort(told)
				slices.Sort(expected)
				if diff := cmp.Diff(expected, told); diff != "" {
					t.Errorf("%s: what the runner is told (-want +got):\n%s", job.Name, diff)
				}
			}
		})
	}
	if compared < 2 {
		t.Errorf("%d examples work without the runner", compared)
	}
}

// jobOf is the Job of a PeerJob.
func jobOf(t *testing.T, peerJob string) *batchv1.Job {
	t.Helper()
	jobs := jobsOf(t, peerJob)
	if len(jobs) != 1 {
		t.Fatalf("%d Jobs", len(jobs))
	}
	return jobs[0]
}

// jobsOf are the Jobs of a PeerJob, in the order of its roles.
func jobsOf(t *testing.T, peerJob string) []*batchv1.Job {
	t.Helper()
	var stdout, stderr bytes.Buffer
	options := ExpandOptions{Options: Options{RunnerImage: "example.com/runner:v1"}}
	if err := Expand([]File{{Name: "peerjob.yaml", Content: []byte(peerJob)}}, &stdout, &stderr, options); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	var jobs []*batchv1.Job
	for document := range strings.SplitSeq(stdout.String(), "\n---\n") {
		job := &batchv1.Job{}
		if !strings.Contains(document, "\nkind: Job\n") {
			continue
		}
		if err := yaml.UnmarshalStrict([]byte(document), job); err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		jobs = append(jobs, job)
	}
	return jobs
}
