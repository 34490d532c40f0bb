// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/e2e/cluster"
	"github.com/peerjob/peerjob/e2e/render"
)

// within is a context that ends with the test, with an interrupt, or after a
// time.
func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(interrupted, limit)
	t.Cleanup(cancel)
	return ctx
}

// newNamespace makes a namespace that is deleted with the test.
func newNamespace(t *testing.T, labels map[string]string) string {
	t.Helper()
	ns, err := kubernetes.CreateNamespace(interrupted, labels)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Also when it was interrupted.
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if t.Failed() {
			t.Log(describe(ctx, ns))
		}
		if err := kubernetes.DeleteNamespace(ctx, ns); err != nil {
			t.Log(err)
		}
	})
	return ns
}

// build renders a layer, with the namespace given.
func build(t *testing.T, namespace string, layer render.Layer) []byte {
	t.Helper()
	settings := map[string]any{"namespace": namespace}
	for key, value := range layer.Settings {
		settings[key] = value
	}
	layer.Settings = settings
	out, err := kustomize.Build(interrupted, t.TempDir(), layer)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// apply renders a layer into a new namespace, applies it and returns the Job, the first
// one if there are several.
func apply(t *testing.T, layer render.Layer) *batchv1.Job {
	t.Helper()
	return applyJobs(t, layer)[0]
}

// applyJobs does the same, and returns all Jobs.
func applyJobs(t *testing.T, layer render.Layer) []*batchv1.Job {
	t.Helper()
	manifest := build(t, newNamespace(t, nil), layer)
	jobs := jobsOf(t, manifest)
	if err := kubernetes.Apply(interrupted, jobs[0].Namespace, manifest); err != nil {
		t.Fatalf("%v\n%s", err, manifest)
	}
	return jobs
}

// jobOf is the first Job of a manifest.
func jobOf(t *testing.T, manifest []byte) *batchv1.Job {
	t.Helper()
	return jobsOf(t, manifest)[0]
}

// jobsOf are the Jobs of a manifest. There must be one.
func jobsOf(t *testing.T, manifest []byte) []*batchv1.Job {
	t.Helper()
	var jobs []*batchv1.Job
	for document := range strings.SplitSeq(string(manifest), "\n---\n") {
		job := &batchv1.Job{}
		if err := yaml.Unmarshal([]byte(document), job); err == nil && job.Kind == "Job" {
			jobs = append(jobs, job)
		}
	}
	if len(jobs) == 0 {
		t.Fatalf("no Job in\n%s", manifest)
	}
	return jobs
}

// mustComplete waits until the Job is complete and returns what each peer's
// container printed, by index. A peer that was replaced counts once, with the
// last log.
func mustComplete(t *testing.T, job *batchv1.Job, limit time.Duration) map[string]string {
	t.Helper()
	end, err := kubernetes.WaitForEnd(within(t, limit), job.Namespace, job.Name)
	if err != nil {
		t.Fatal(err)
	}
	if !end.Complete {
		t.Fatalf("Job %s failed: %s: %s", job.Name, end.Reason, end.Message)
	}
	return logs(t, job, corev1.PodSucceeded)
}

// logs returns what the first container of each Pod in a phase printed, by
// index, without the lines of the runner.
func logs(t *testing.T, job *batchv1.Job, phase corev1.PodPhase) map[string]string {
	t.Helper()
	pods, err := kubernetes.Pods(interrupted, job.Namespace, job.Name)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, pod := range pods {
		if pod.Status.Phase != phase {
			continue
		}
		log, err := kubernetes.Logs(interrupted, &pod, pod.Spec.Containers[0].Name)
		if err != nil {
			t.Fatal(err)
		}
		all[cluster.Index(&pod)] = withoutRunner(log)
	}
	return all
}

// withoutRunner is a log without the lines of the runner.
func withoutRunner(log string) string {
	var own strings.Builder
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "peerjob-runner: ") {
			own.WriteString(line)
		}
	}
	return own.String()
}

// containsLine reports whether a text has a line.
func containsLine(text, line string) bool {
	return strings.Contains("\n"+text+"\n", "\n"+line+"\n")
}

// describe is what one wants to see of a namespace when a test failed.
func describe(ctx context.Context, ns string) string {
	var out strings.Builder
	jobs, err := kubernetes.BatchV1().Jobs(ns).List(ctx, listAll)
	if err != nil {
		return err.Error()
	}
	for _, job := range jobs.Items {
		fmt.Fprintf(&out, "Job %s: active %d, succeeded %d, failed %d\n", job.Name, job.Status.Active, job.Status.Succeeded, job.Status.Failed)
		pods, err := kubernetes.Pods(ctx, ns, job.Name)
		if err != nil {
			return err.Error()
		}
		for _, pod := range pods {
			describePod(ctx, &out, &pod)
		}
	}
	return out.String()
}

func describePod(ctx context.Context, out *strings.Builder, pod *corev1.Pod) {
	fmt.Fprintf(out, "Pod %s: %s %s %s\n", pod.Name, pod.Status.Phase, pod.Status.Reason, pod.Status.Message)
	for _, condition := range pod.Status.Conditions {
		if condition.Status == corev1.ConditionFalse && condition.Message != "" {
			fmt.Fprintf(out, "  %s: %s\n", condition.Type, condition.Message)
		}
	}
	for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		fmt.Fprintf(out, "  container %s: restarts %d, started %v", status.Name, status.RestartCount, status.Started != nil && *status.Started)
		if waiting := status.State.Waiting; waiting != nil {
			fmt.Fprintf(out, ", waiting: %s %s", waiting.Reason, waiting.Message)
		}
		if end := status.State.Terminated; end != nil {
			fmt.Fprintf(out, ", ended with %d: %s %s", end.ExitCode, end.Reason, end.Message)
		}
		log, err := kubernetes.Logs(ctx, pod, status.Name)
		if err != nil {
			log = err.Error()
		}
		lines := strings.Split(strings.TrimSpace(log), "\n")
		fmt.Fprintf(out, "\n    %s\n", strings.Join(lines[max(0, len(lines)-8):], "\n    "))
	}
}

var listAll metav1.ListOptions

// containsReached reports whether a line says "reached" of a peer.
func containsReached(log, peer string) bool {
	for line := range strings.Lines(log) {
		if strings.HasPrefix(line, "reached ") && strings.Contains(line, peer) {
			return true
		}
	}
	return false
}
