// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/e2e/cluster"
	"github.com/peerjob/peerjob/e2e/render"
)

var roleRuns = flag.Int("roles", 1, "how often TestRoles runs each group of roles")

// atOnce is how long after the launcher's end the Jobs of all roles are Complete, on a busy
// machine. README.md has the time on an idle one.
const atOnce = 15 * time.Second

// role is a role of a PeerJob, whose container runs a script.
type role struct {
	name   string
	peers  int
	script string
	// more are further fields of the role.
	more string
}

// withRoles is a layer with one PeerJob "job" of these roles, and further fields of its
// spec, under the prefix "dev-".
func withRoles(t *testing.T, spec string, roles ...role) render.Layer {
	t.Helper()
	fields := map[string]any{}
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		t.Fatal(err)
	}
	var all []any
	for _, r := range roles {
		one := map[string]any{
			"name": r.name, "peers": r.peers,
			"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{
				"name": "peer", "image": bashImage, "command": []string{"bash", "-c", r.script},
			}}}},
		}
		if err := yaml.Unmarshal([]byte(r.more), &one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	fields["roles"] = all
	peerJob, err := yaml.Marshal(map[string]any{
		"apiVersion": "peerjob.dev/v1alpha1", "kind": "PeerJob", "metadata": map[string]any{"name": "job"}, "spec": fields,
	})
	if err != nil {
		t.Fatal(err)
	}
	return render.Layer{Files: map[string]string{"job.yaml": string(peerJob)}, Settings: map[string]any{"namePrefix": "dev-"}}
}

// serve is a script that works until it is told to end.
const serve = `echo "rank $PEERJOB_RANK of $PEERJOB_WORLD_SIZE, $PEERJOB_LAUNCHER_LEADER"
while true; do sleep 0.2; done
`

// TestRoles has groups of several Jobs: the launcher's end ends the workers, a failure starts
// all roles again, roles wait for others, and one that never comes is named.
func TestRoles(t *testing.T) {
	t.Parallel()
	for name, check := range map[string]func(*testing.T){
		"a launcher ends, and the workers are told":       launcherEnds,
		"a worker fails, and both roles run again":        workerFails,
		"a role never comes":                              roleNeverComes,
		"a role runs when another one is Complete":        dependsOnComplete,
		"a launcher ends, and no policy, by successRoles": launcherEndsWithoutPolicy,
	} {
		for n := range *roleRuns {
			t.Run(fmt.Sprintf("%s %d", name, n+1), func(t *testing.T) {
				t.Parallel()
				check(t)
			})
		}
	}
}

// endsOf waits for the end of every Job, and returns how each ended, and when.
func endsOf(t *testing.T, jobs []*batchv1.Job) ([]cluster.End, []time.Time) {
	t.Helper()
	ends, times, ctx := make([]cluster.End, len(jobs)), make([]time.Time, len(jobs)), within(t, patience)
	var wait sync.WaitGroup
	for i, job := range jobs {
		wait.Go(func() {
			var err error
			if ends[i], err = kubernetes.WaitForEnd(ctx, job.Namespace, job.Name); err != nil {
				t.Errorf("Job %s: %v", job.Name, err)
			}
			times[i] = time.Now()
		})
	}
	wait.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return ends, times
}

// checkToldToEnd has a launcher that ends after some seconds, and four workers that never
// would.
func checkToldToEnd(t *testing.T, spec string) {
	t.Helper()
	jobs := applyJobs(t, withRoles(t, spec+"\nsuccessRoles: [launcher]",
		role{name: "launcher", peers: 1, script: `sleep 3; echo "ended $EPOCHREALTIME"`},
		role{name: "worker", peers: 4, script: serve}))
	ends, times := endsOf(t, jobs)
	for i, job := range jobs {
		if !ends[i].Complete {
			t.Errorf("Job %s ended with %+v", job.Name, ends[i])
		}
	}
	if t.Failed() {
		return
	}
	launcher := logs(t, jobs[0], corev1.PodSucceeded)["0"]
	end := time.UnixMicro(int64(numberIn(t, launcher, "ended ") * 1e6))
	for i := range jobs {
		if after := times[i].Sub(end); after > atOnce {
			t.Errorf("Job %s was Complete %v after the launcher's command had ended, want %v at most", jobs[i].Name, after, atOnce)
		} else {
			t.Logf("Job %s was Complete %v after the launcher's command had ended", jobs[i].Name, after)
		}
	}
	workers := logs(t, jobs[1], corev1.PodSucceeded)
	if len(workers) != 4 {
		t.Errorf("%d workers succeeded, want 4", len(workers))
	}
	for index, log := range workers {
		rank := string(index[0] + 1) // the launcher is rank 0
		if !containsLine(log, "rank "+rank+" of 5, dev-job-launcher-0.dev-job") {
			t.Errorf("worker %s printed\n%s", index, log)
		}
	}
}

func launcherEnds(t *testing.T) {
	checkToldToEnd(t, "barrier: {start: Enabled, end: Enabled}\nfailurePolicy: {action: FailPeerJob}")
}

func launcherEndsWithoutPolicy(t *testing.T) {
	checkToldToEnd(t, "barrier: {start: Enabled}")
}

// workerFails has a worker that fails in its first attempt: no role runs a second attempt
// while another one runs the first.
func workerFails(t *testing.T) {
	script := strings.Replace(beats, "FAIL", failsAt("1", "1"), 1)
	jobs := applyJobs(t, withRoles(t, restartPolicy,
		role{name: "launcher", peers: 1, script: strings.Replace(beats, "FAIL", "", 1)},
		role{name: "worker", peers: 2, script: script}))
	var follow []func() []*podLog
	for _, job := range jobs {
		follow = append(follow, followAll(t, job))
	}
	ends, _ := endsOf(t, jobs)
	var all []*podLog
	for i, job := range jobs {
		if !ends[i].Complete {
			t.Errorf("Job %s ended with %+v", job.Name, ends[i])
		}
		for _, l := range follow[i]() {
			l.index = job.Name + "-" + l.index // each role counts from 0
			all = append(all, l)
		}
	}
	checkAttempts(t, all, []int{1, 2})
	for _, l := range all {
		if !strings.Contains(l.text, "worker-1 failed with code 3 in attempt 1") {
			t.Errorf("Pod %s does not say who failed:\n%s", l.pod, withoutBeats(l.text))
		}
	}
}

// roleNeverComes has a role that no node is for: every Pod names it, and exits with 75.
func roleNeverComes(t *testing.T) {
	jobs := applyJobs(t, withRoles(t, "barrier: {start: Enabled, startTimeoutSeconds: 10}",
		role{name: "launcher", peers: 1, script: "true", more: "backoffLimit: 0"},
		role{name: "worker", peers: 2, script: "true", more: "backoffLimit: 0\ntemplate: {spec: {nodeSelector: {there: is-none}, containers: [{name: peer, image: " + bashImage + ", command: [bash, -c, 'true']}]}}"}))
	end, err := kubernetes.WaitForEnd(within(t, patience), jobs[0].Namespace, jobs[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	if end.Complete {
		t.Error("the launcher's Job is Complete, and the workers never came")
	}
	for _, pod := range podsOf(t, jobs[0]) {
		ended := pod.Status.ContainerStatuses[0].State.Terminated
		if ended == nil || ended.ExitCode != 75 || !strings.Contains(ended.Message, "worker-0") || !strings.Contains(ended.Message, "worker-1") {
			t.Errorf("Pod %s ended with %+v", pod.Name, ended)
		}
	}
}

// dependsOnComplete has workers that start after the data is there, and not before.
func dependsOnComplete(t *testing.T) {
	// kustomize sorts the Jobs by name.
	jobs := applyJobs(t, withRoles(t, "barrier: {start: Enabled, end: Enabled}",
		role{name: "worker", peers: 2, script: `echo "began $EPOCHREALTIME"`, more: "dependsOn: [{name: data, status: Complete}]"},
		role{name: "data", peers: 2, script: `sleep 3; echo "ended $EPOCHREALTIME"`}))
	data, workers := jobs[0], jobs[1]
	ends, _ := endsOf(t, jobs)
	for i, job := range jobs {
		if !ends[i].Complete {
			t.Errorf("Job %s ended with %+v", job.Name, ends[i])
		}
	}
	if t.Failed() {
		return
	}
	var last, first float64
	for _, log := range logs(t, data, corev1.PodSucceeded) {
		last = max(last, numberIn(t, log, "ended "))
	}
	for _, log := range logs(t, workers, corev1.PodSucceeded) {
		if began := numberIn(t, log, "began "); first == 0 || began < first {
			first = began
		}
	}
	if last == 0 || first < last {
		t.Errorf("the first worker began at %f, and the last one of the data ended at %f", first, last)
	}
}

// numberIn reads the number behind a word of a log.
func numberIn(t *testing.T, log, word string) float64 {
	t.Helper()
	var number float64
	_, after, _ := strings.Cut(log, word)
	if _, err := fmt.Sscan(after, &number); err != nil {
		t.Fatalf("no %q in %q", word, log)
	}
	return number
}
