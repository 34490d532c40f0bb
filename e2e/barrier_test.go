// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/peerjob/peerjob/e2e/cluster"
)

// TestBarrier_killed kills a peer, and the leader, while all run. The one that
// takes its place reaches everyone, and the Job completes.
func TestBarrier_killed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ victim, barrier string }{{"1", barrier}, {"0", barrier}, {"1", unlimitedBarrier}, {"0", unlimitedBarrier}} {
		t.Run("index "+tt.victim+" "+tt.barrier, func(t *testing.T) {
			t.Parallel()
			job := apply(t, peers(3, meet+"echo running\nsleep 40\n"+meet, tt.barrier).Layer)
			pods := waitForLogs(t, job, 3, "running")
			killed := pods[slices.IndexFunc(pods, func(p corev1.Pod) bool { return cluster.Index(&p) == tt.victim })]
			// As a node that is lost: nothing in the Pod has time to end of itself.
			atOnce := metav1.DeleteOptions{GracePeriodSeconds: new(int64(1))}
			if err := kubernetes.CoreV1().Pods(job.Namespace).Delete(interrupted, killed.Name, atOnce); err != nil {
				t.Fatal(err)
			}
			logs := mustComplete(t, job, patience)
			checkMet(t, logs, 3)
			for _, pod := range podsOf(t, job) {
				log, err := kubernetes.Logs(interrupted, &pod, "peer")
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%s:\n%s", pod.Name, log)
			}
		})
	}
}

// TestBarrier_fails has a peer that fails once, and comes back while the others
// still run. Its Pod fails at once.
func TestBarrier_fails(t *testing.T) {
	t.Parallel()
	const script = meet + `[ "$JOB_COMPLETION_INDEX" != 1 ] || [ "$FAILURES" = 1 ] || { echo failing; exit 1; }
[ "$JOB_COMPLETION_INDEX" = 1 ] || sleep 40
`
	failures := `template: {spec: {containers: [{name: peer, image: "` + bashImage + `", command: [bash, -c, ` + quote(script) + `],
  env: [{name: FAILURES, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['` + batchv1.JobIndexFailureCountAnnotation + `']"}}}]}]}}`
	job := apply(t, peers(3, "", failures, "backoffLimitPerIndex: 2", "barrier: {start: Enabled, end: Enabled, endTimeoutSeconds: 5}").Layer)
	checkMet(t, mustComplete(t, job, patience), 3)
}

// onePeerTooMany is a Job with one peer more than nodes can take: each has a port
// of the host, which is there once on each node.
func onePeerTooMany(t *testing.T, port int, spec ...string) (job *batchv1.Job, size int) {
	t.Helper()
	nodes, err := kubernetes.CoreV1().Nodes().List(interrupted, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	size = len(nodes.Items) + 1
	container := fmt.Sprintf("template: {spec: {containers: [{name: peer, image: %q, command: [bash, -c, 'echo ran'], ports: [{containerPort: 8099, hostPort: %d}]}]}}", bashImage, port)
	return apply(t, peers(size, "", append(spec, container)...).Layer), size
}

// TestBarrier_waits has one peer that is never scheduled, and no limit of time:
// the others wait and say for whom, and end at once when the Job is deleted.
func TestBarrier_waits(t *testing.T) {
	t.Parallel()
	job, size := onePeerTooMany(t, 28098, unlimitedBarrier)
	ctx := within(t, patience)
	pods, err := kubernetes.WaitForPods(ctx, job.Namespace, job.Name, func(pods []corev1.Pod) bool {
		scheduled := 0
		for _, pod := range pods {
			for _, status := range pod.Status.ContainerStatuses {
				if status.State.Running != nil {
					scheduled++
				}
			}
		}
		return scheduled == size-1
	})
	if err != nil {
		t.Fatal(err)
	}
	missing := slices.IndexFunc(pods, func(p corev1.Pod) bool { return p.Spec.NodeName == "" })
	name := "job-" + cluster.Index(&pods[missing]) + ".job"
	want := fmt.Sprintf("1 of %d peers: %s (never heard of)", size, name)
	if name == "job-0.job" {
		want = "index 0, job-0.job: "
	}
	for i, pod := range pods {
		if i == missing {
			continue
		}
		log, err := kubernetes.WaitForLog(ctx, &pod, "peer", want)
		if err != nil {
			t.Errorf("%v:\n%s", err, log)
		}
	}
	for _, pod := range podsOf(t, job) {
		if pod.Spec.NodeName != "" && pod.Status.Phase != corev1.PodRunning {
			t.Errorf("%s is %s while it waits", pod.Name, pod.Status.Phase)
		}
		// The command would print nothing and end.
		if log, err := kubernetes.Logs(ctx, &pod, "peer"); err == nil && containsLine(log, "ran") {
			t.Errorf("the command of %s has run:\n%s", pod.Name, log)
		}
	}
	for i, pod := range pods {
		if i == missing {
			continue
		}
		status, err := kubernetes.Exec(ctx, &pod, "peer", "/peerjob/peerjob-runner", "status")
		t.Logf("kubectl exec %s -- /peerjob/peerjob-runner status\n%s", pod.Name, status)
		if err != nil || !strings.Contains(status, want) {
			t.Errorf("no %q in the status of %s: %v", want, pod.Name, err)
		}
	}
	began := time.Now()
	if err := kubernetes.BatchV1().Jobs(job.Namespace).Delete(ctx, job.Name, metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}); err != nil {
		t.Fatal(err)
	}
	if _, err := kubernetes.WaitForPods(ctx, job.Namespace, job.Name, func(pods []corev1.Pod) bool { return len(pods) == 0 }); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 25*time.Second {
		t.Errorf("the Pods were gone %v after the Job was deleted; they waited for each other's end, which never started", took)
	}
}

// TestBarrier_neverScheduled has one peer that is never scheduled: the others
// fail when the time is over, and say who is missing.
func TestBarrier_neverScheduled(t *testing.T) {
	t.Parallel()
	job, n := onePeerTooMany(t, 28099, "backoffLimit: 0", "barrier: {start: Enabled, startTimeoutSeconds: 10}")
	end, err := kubernetes.WaitForEnd(within(t, patience), job.Namespace, job.Name)
	if err != nil {
		t.Fatal(err)
	}
	if end.Complete || end.Reason != batchv1.JobReasonBackoffLimitExceeded {
		t.Errorf("the Job ended with %+v", end)
	}
	pods := podsOf(t, job)
	var missing []string
	for _, pod := range pods {
		if pod.Spec.NodeName == "" {
			missing = append(missing, "job-"+cluster.Index(&pod)+".job")
		}
	}
	if len(missing) == 0 {
		// The Job has deleted it since.
		missing = absent(n, pods)
	}
	told := 0
	for _, pod := range pods {
		for _, status := range pod.Status.ContainerStatuses {
			ended := status.State.Terminated
			if ended == nil || ended.ExitCode == 143 {
				// It found room when another had failed, and the Job's failure ended it.
				continue
			}
			told++
			t.Logf("%s: exit code %d: %s", pod.Name, ended.ExitCode, ended.Message)
			for _, name := range missing {
				if !strings.Contains(ended.Message, name) {
					t.Errorf("%s does not name %s: %s", pod.Name, name, ended.Message)
				}
			}
			if ended.ExitCode != 75 {
				t.Errorf("exit code %d, want 75", ended.ExitCode)
			}
		}
	}
	if told == 0 {
		t.Error("no Pod said who is missing")
	}
}

// absent are the peers that no Pod is there for.
func absent(n int, pods []corev1.Pod) []string {
	var names []string
	for i := range n {
		if !slices.ContainsFunc(pods, func(p corev1.Pod) bool { return cluster.Index(&p) == strconv.Itoa(i) }) {
			names = append(names, fmt.Sprintf("job-%d.job", i))
		}
	}
	return names
}

// TestBarrier_slow has one peer that begins to look for the others when they
// have long ended. They stay for it, and no longer.
func TestBarrier_slow(t *testing.T) {
	t.Parallel()
	job := apply(t, peers(3, "[ \"$JOB_COMPLETION_INDEX\" != 2 ] || sleep 12\n"+meet+"date +%s\n", barrier).Layer)
	logs := mustComplete(t, job, patience)
	checkMet(t, logs, 3)
	ended := time.Now()
	lines := strings.Split(strings.TrimSpace(logs["2"]), "\n")
	seconds, err := strconv.ParseInt(lines[len(lines)-1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if wait := ended.Sub(time.Unix(seconds, 0)); wait > 20*time.Second {
		t.Errorf("the Job was complete %v after the slow peer had ended", wait)
	}
}

// TestBarrier_restricted runs it where the strictest Pod Security Standard is
// enforced.
func TestBarrier_restricted(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	// ping would need a capability or a range of groups that may ping.
	const script = `for ((i = 0; i < PEERJOB_SIZE; i++)); do
  getent hosts "$PEERJOB_NAME-$i.$PEERJOB_SERVICE" && echo "reached $i"
done
/peerjob/peerjob-runner status
`
	secure := `template: {spec: {securityContext: {runAsNonRoot: true, runAsUser: 65534, seccompProfile: {type: RuntimeDefault}},
  containers: [{name: peer, image: "` + bashImage + `", command: [bash, -c, ` + quote(script) + `], securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}}`
	manifest := build(t, ns, peers(3, "", secure, barrier).Layer)
	if err := kubernetes.Apply(interrupted, ns, manifest); err != nil {
		t.Fatal(err)
	}
	logs := mustComplete(t, jobOf(t, manifest), patience)
	// Nobody looks twice: with the start barrier the first lookup succeeds.
	checkMet(t, logs, 3)
	t.Logf("peer 0:\n%s", logs["0"])
}

// TestBarrier_key has peers that prove to each other that they know a key, with each
// delivery of the runner.
func TestBarrier_key(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]string{"init container": withKey, "image volume": "runner: {delivery: ImageVolume, keySecretName: " + keySecret + "}"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := newNamespace(t, nil)
			createKey(t, ns)
			manifest := build(t, ns, peers(3, meet, barrier, spec).Layer)
			if err := kubernetes.Apply(interrupted, ns, manifest); err != nil {
				t.Fatal(err)
			}
			checkMet(t, mustComplete(t, jobOf(t, manifest), patience), 3)
		})
	}
}

// mostResident is how much memory of its own the runner may have, in KiB.
const mostResident = 10 << 10

// TestBarrier_memory has peers that look at process 1, which is the runner.
func TestBarrier_memory(t *testing.T) {
	t.Parallel()
	const script = meet + "grep -E '^(VmHWM|RssAnon|RssFile)' /proc/1/status\n"
	logs := mustComplete(t, apply(t, peers(3, script, barrier).Layer), patience)
	for index, log := range logs {
		t.Logf("peer %s:\n%s", index, log)
		var peak int
		if _, text, found := strings.Cut(log, "VmHWM:"); !found {
			t.Errorf("peer %s does not say how much memory the runner had", index)
		} else if _, err := fmt.Sscanf(text, "%d kB", &peak); err != nil {
			t.Error(err)
		} else if peak > mostResident {
			t.Errorf("the runner of peer %s had %d KiB, want %d at most", index, peak, mostResident)
		}
	}
}

// TestBarrier_suspend suspends a Job while its peers run, and resumes it.
func TestBarrier_suspend(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t, nil)
	layer := func(suspend string) []byte {
		return build(t, ns, peers(3, meet+"echo running\nsleep 10\n"+meet, barrier, "suspend: "+suspend).Layer)
	}
	manifest := layer("false")
	job := jobOf(t, manifest)
	if err := kubernetes.Apply(interrupted, ns, manifest); err != nil {
		t.Fatal(err)
	}
	waitForLogs(t, job, 3, "running")
	if err := kubernetes.Apply(interrupted, ns, layer("true")); err != nil {
		t.Fatal(err)
	}
	if _, err := kubernetes.WaitForPods(within(t, patience), ns, job.Name, func(pods []corev1.Pod) bool { return len(pods) == 0 }); err != nil {
		t.Fatal(err)
	}
	if err := kubernetes.Apply(interrupted, ns, layer("false")); err != nil {
		t.Fatal(err)
	}
	checkMet(t, mustComplete(t, job, patience), 3)
}

// TestBarrier_IPv6 runs it where the peers have no other addresses.
func TestBarrier_IPv6(t *testing.T) {
	t.Parallel()
	requireIPv6(t)
	job := apply(t, peers(3, strings.ReplaceAll(meet, "ping", "ping -6"), barrier, "service: {ipFamilyPolicy: SingleStack, ipFamilies: [IPv6]}").Layer)
	checkMet(t, mustComplete(t, job, patience), 3)
}

// waitForLogs waits until every peer has printed a text, and returns the Pods.
func waitForLogs(t *testing.T, job *batchv1.Job, n int, text string) []corev1.Pod {
	t.Helper()
	ctx := within(t, patience)
	pods, err := kubernetes.WaitForPods(ctx, job.Namespace, job.Name, allRunning(n))
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods {
		if _, err := kubernetes.WaitForLog(ctx, &pod, "peer", text); err != nil {
			t.Fatal(err)
		}
	}
	return pods
}

func podsOf(t *testing.T, job *batchv1.Job) []corev1.Pod {
	t.Helper()
	pods, err := kubernetes.Pods(interrupted, job.Namespace, job.Name)
	if err != nil {
		t.Fatal(err)
	}
	return pods
}
