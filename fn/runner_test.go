// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
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

// jobOf is the Job of a PeerJob.
func jobOf(t *testing.T, peerJob string) *batchv1.Job {
	t.Helper()
	var stdout, stderr bytes.Buffer
	options := ExpandOptions{Options: Options{RunnerImage: "example.com/runner:v1"}}
	if err := Expand([]File{{Name: "peerjob.yaml", Content: []byte(peerJob)}}, &stdout, &stderr, options); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	documents := strings.Split(stdout.String(), "\n---\n")
	job := &batchv1.Job{}
	if err := yaml.UnmarshalStrict([]byte(documents[len(documents)-1]), job); err != nil || job.Kind != "Job" {
		t.Fatalf("%v\n%s", err, &stdout)
	}
	return job
}
