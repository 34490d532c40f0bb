// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/google/go-cmp/cmp"
	"github.com/peerjob/peerjob/e2e/cluster"
)

var failures = flag.Int("failures", 1, "how often TestFailure runs each way to fail")

// beats is a script that prints its attempt and the time, five times a second, for five
// seconds. What stands in place of FAIL runs each time.
const beats = `for ((i = 0; i < 25; i++)); do
  echo "beat $PEERJOB_ATTEMPT $EPOCHREALTIME"
  FAIL
  sleep 0.2
done
echo "done $PEERJOB_ATTEMPT $EPOCHREALTIME"
`

// failsAt fails a peer in an attempt, after ten beats.
func failsAt(index, attempt string) string {
	return `[ "$JOB_COMPLETION_INDEX $PEERJOB_ATTEMPT $i" != "` + index + ` ` + attempt + ` 10" ] || exit 3`
}

// exhausts has too little memory in its first attempt.
const exhausts = `[ "$JOB_COMPLETION_INDEX $PEERJOB_ATTEMPT $i" != "1 1 10" ] || x=$(seq 100000000)`

const (
	restartPolicy = "failurePolicy: {action: RestartPeerJob, maxRestarts: 3, backoffSeconds: 1}"
	failPolicy    = "failurePolicy: {action: FailPeerJob}\nbarrier: {start: Enabled}"
)

// failure is one way to fail, and what comes of it.
type failure struct {
	name string
	// fail stands in place of FAIL, or script in place of it all.
	fail, script string
	// spec are further fields of the PeerJob.
	spec []string
	// act happens when every peer has printed a beat of the first attempt.
	act func(t *testing.T, job *batchv1.Job, pods []corev1.Pod)
	// attempts are those that ran, in order, in the Pods that lived to the end.
	attempts []int
	// failed says that the Job fails, and reason why.
	failed bool
	reason string
	// codes are the exit codes by index, where the Job fails.
	codes map[string]int32
	// says is in the log of every peer that lived to the end, and last in the termination
	// message of the one that failed first.
	says, message string
}

var waysToFail = []failure{
	{name: "a peer exits", fail: failsAt("1", "1"), spec: []string{restartPolicy}, attempts: []int{1, 2}, says: "job-1.job failed with code 3 in attempt 1"},
	{name: "index 0 exits", fail: failsAt("0", "1"), spec: []string{restartPolicy}, attempts: []int{1, 2}, says: "job-0.job failed with code 3 in attempt 1"},
	{name: "two exit at once", fail: failsAt("1", "1") + "\n" + failsAt("2", "1"), spec: []string{restartPolicy}, attempts: []int{1, 2}, says: "failed with code 3 in attempt 1"},
	{name: "twice", fail: failsAt("1", "1") + "\n" + failsAt("2", "2"), spec: []string{restartPolicy}, attempts: []int{1, 2, 3}, says: "job-2.job failed with code 3 in attempt 2"},
	{name: "others are at the end", spec: []string{restartPolicy}, attempts: []int{1, 2}, says: "job-2.job failed with code 3 in attempt 1",
		fail: `[ "$JOB_COMPLETION_INDEX $i" = "2 10" ] || [ "$JOB_COMPLETION_INDEX" = 2 ] || [ $i -lt 5 ] || exit 0` + "\n" + failsAt("2", "1")},
	{name: "in every attempt", fail: `[ "$JOB_COMPLETION_INDEX $i" != "1 5" ] || exit 3`, spec: []string{"failurePolicy: {action: RestartPeerJob, maxRestarts: 2, backoffSeconds: 1}"},
		attempts: []int{1, 2, 3}, failed: true, codes: map[string]int32{"0": 76, "1": 3, "2": 76},
		says: "job-1.job failed with code 3 in attempt 3", message: "job-1.job failed with code 3 in attempt 3"},
	{name: "index 0 in every attempt", fail: `[ "$JOB_COMPLETION_INDEX $i" != "0 5" ] || exit 3`, spec: []string{"failurePolicy: {action: RestartPeerJob, maxRestarts: 1, backoffSeconds: 1}"},
		attempts: []int{1, 2}, failed: true, codes: map[string]int32{"0": 3, "1": 76, "2": 76},
		says: "job-0.job failed with code 3 in attempt 2", message: "job-0.job failed with code 3 in attempt 2"},
	{name: "out of memory", fail: exhausts, spec: []string{restartPolicy, `template: {spec: {containers: [{name: peer, image: "` + bashImage + `", command: [bash, -c, ` +
		quote(strings.Replace(beats, "FAIL", exhausts, 1)) + `], resources: {limits: {memory: 80Mi}}}]}}`}, attempts: []int{1, 2}, says: "in attempt 1"},
	{name: "the container's process 1 is killed", spec: []string{restartPolicy}, act: killRunner("1"), attempts: []int{1, 2}, says: "job-1.job was lost in attempt 1"},
	{name: "index 0's process 1 is killed", spec: []string{restartPolicy}, act: killRunner("0"), attempts: []int{1, 2}},
	{name: "a Pod is deleted", spec: []string{restartPolicy}, act: deletePeer("1"), attempts: []int{1, 2}, says: "job-1.job was told to end"},
	{name: "index 0's Pod is deleted", spec: []string{restartPolicy}, act: deletePeer("0"), attempts: []int{1, 2}},
	{name: "FailPeerJob, a peer exits", fail: failsAt("1", "1"), spec: []string{failPolicy}, attempts: []int{1}, failed: true, reason: batchv1.JobReasonPodFailurePolicy,
		codes: map[string]int32{"0": 76, "1": 3, "2": 76}, says: "job-1.job failed with code 3 in attempt 1", message: "job-1.job failed with code 3 in attempt 1"},
	{name: "FailPeerJob, index 0 exits", fail: failsAt("0", "1"), spec: []string{failPolicy}, attempts: []int{1}, failed: true, reason: batchv1.JobReasonPodFailurePolicy,
		codes: map[string]int32{"0": 3, "1": 76, "2": 76}, says: "job-0.job failed with code 3 in attempt 1", message: "job-0.job failed with code 3 in attempt 1"},
	{name: "a code that must fail the Job", fail: failsAt("1", "1"), spec: []string{restartPolicy, "podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [3]}}]}"},
		attempts: []int{1}, failed: true, reason: batchv1.JobReasonPodFailurePolicy, codes: map[string]int32{"0": 76, "1": 3, "2": 76},
		says: "job-1.job failed with code 3 in attempt 1", message: "job-1.job failed with code 3 in attempt 1"},
	{name: "FailPeerJob, nobody fails", spec: []string{failPolicy}, attempts: []int{1}},
}

// TestFailure has peers that fail in many ways. The verdict is the policy's, attempts are
// in order in every log, and never do two attempts run at once.
func TestFailure(t *testing.T) {
	t.Parallel()
	for _, tt := range waysToFail {
		for n := range *failures {
			t.Run(fmt.Sprintf("%s %d", tt.name, n+1), func(t *testing.T) {
				t.Parallel()
				tt.check(t)
			})
		}
	}
}

func (f failure) check(t *testing.T) {
	script := f.script
	if script == "" {
		script = strings.Replace(beats, "FAIL", f.fail, 1)
	}
	job := apply(t, peers(3, script, f.spec...).Layer)
	logs := followAll(t, job)
	if f.act != nil {
		f.act(t, job, waitForLogs(t, job, 3, "beat 1 "))
	}
	end, err := kubernetes.WaitForEnd(within(t, patience), job.Namespace, job.Name)
	if err != nil {
		t.Fatal(err)
	}
	all := logs()
	if t.Failed() || testing.Verbose() {
		defer func() {
			for _, l := range all {
				t.Logf("index %s, Pod %s, exit code %s:\n%s", l.index, l.pod, l.code(), withoutBeats(l.text))
			}
		}()
	}
	if end.Complete == f.failed || f.reason != "" && end.Reason != f.reason {
		t.Errorf("the Job ended with %+v", end)
	}
	checkAttempts(t, all, f.attempts)
	whole := lastOf(all)
	for index, l := range whole {
		if f.says != "" && !strings.Contains(l.text, f.says) && !l.late {
			t.Errorf("the log of peer %s does not say %q", index, f.says)
		}
	}
	if !f.failed {
		return
	}
	codes := map[string]int32{}
	for index, l := range whole {
		if l.ended != nil {
			codes[index] = l.ended.ExitCode
		}
	}
	if diff := cmp.Diff(f.codes, codes); diff != "" {
		t.Errorf("exit codes (-want +got):\n%s", diff)
	}
	for index, code := range f.codes {
		if ended := whole[index].ended; code != 76 && ended != nil && !strings.Contains(ended.Message, f.message) {
			t.Errorf("the termination message of peer %s is %q, want %q in it", index, ended.Message, f.message)
		}
	}
}

// checkAttempts holds the beats to this: each peer runs the attempts in order, the last
// Pods of each index the given ones at the end, and no attempt begins before every
// command of the one before has stopped.
func checkAttempts(t *testing.T, all []*podLog, want []int) {
	t.Helper()
	type span struct{ first, last float64 }
	spans := map[int]*span{}
	for _, l := range all {
		got := l.attempts()
		if !slices.IsSorted(got) {
			t.Errorf("peer %s, Pod %s ran the attempts %v", l.index, l.pod, got)
		}
		for _, b := range l.beats() {
			s := spans[b.attempt]
			if s == nil {
				s = &span{b.at, b.at}
				spans[b.attempt] = s
			}
			s.first, s.last = min(s.first, b.at), max(s.last, b.at)
		}
	}
	for attempt, s := range spans {
		if next := spans[attempt+1]; next != nil {
			t.Logf("from the last beat of attempt %d to the first of the next: %.2f s", attempt, next.first-s.last)
			if next.first <= s.last {
				t.Errorf("attempts %d and %d ran at once: one until %f, the other from %f", attempt, attempt+1, s.last, next.first)
			}
		}
	}
	for index, l := range lastOf(all) {
		got := l.attempts()
		if l.late {
			// It replaces a Pod, and was not there for the first ones.
			if len(got) == 0 || got[len(got)-1] != want[len(want)-1] {
				t.Errorf("the new Pod of peer %s ran the attempts %v, want %d at the end", index, got, want[len(want)-1])
			}
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("attempts of peer %s (-want +got):\n%s", index, diff)
		}
	}
}

// podLog is all that the container "peer" of one Pod printed.
type podLog struct {
	index, pod, text string
	created          time.Time
	// late says that the Pod replaces another of its index.
	late  bool
	ended *corev1.ContainerStateTerminated
}

func (l *podLog) code() string {
	if l.ended == nil {
		return "unknown"
	}
	return fmt.Sprintf("%d (%s) %q", l.ended.ExitCode, l.ended.Reason, l.ended.Message)
}

type beat struct {
	attempt int
	at      float64
}

// beats are the beats of a log, in its order.
func (l *podLog) beats() (all []beat) {
	for line := range strings.Lines(l.text) {
		var b beat
		if n, _ := fmt.Sscanf(line, "beat %d %f", &b.attempt, &b.at); n == 2 {
			all = append(all, b)
		}
	}
	return all
}

// attempts are the attempts of a log, in its order, each once in a row.
func (l *podLog) attempts() (all []int) {
	for _, b := range l.beats() {
		all = append(all, b.attempt)
	}
	return slices.Compact(all)
}

func withoutBeats(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "beat ") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// lastOf is the newest Pod of each index.
func lastOf(all []*podLog) map[string]*podLog {
	last := map[string]*podLog{}
	for _, l := range all {
		if before := last[l.index]; before == nil || before.created.Before(l.created) {
			last[l.index] = l
		}
	}
	return last
}

// followAll follows the logs of every Pod that a Job has, because the Pods of a Job that
// fails are deleted. The function that it returns waits for the end of all and returns
// them.
func followAll(t *testing.T, job *batchv1.Job) (wait func() []*podLog) {
	t.Helper()
	ctx := within(t, 2*patience)
	listing, stop := context.WithCancel(ctx)
	var (
		mu        sync.Mutex
		followers sync.WaitGroup
		found     = map[types.UID]*podLog{}
	)
	note := func(pod *corev1.Pod) {
		l := found[pod.UID]
		if l == nil {
			l = &podLog{index: cluster.Index(pod), pod: pod.Name, created: pod.CreationTimestamp.Time}
			for _, other := range found {
				l.late = l.late || other.index == l.index
			}
			found[pod.UID] = l
			followers.Go(func() {
				text := followPod(ctx, pod)
				mu.Lock()
				defer mu.Unlock()
				l.text = text
			})
		}
		for _, status := range pod.Status.ContainerStatuses {
			if status.Name == "peer" && status.State.Terminated != nil {
				l.ended = status.State.Terminated
			}
		}
	}
	look := func() {
		pods, err := kubernetes.Pods(ctx, job.Namespace, job.Name)
		if err != nil {
			return // the next look may succeed
		}
		mu.Lock()
		defer mu.Unlock()
		for _, pod := range pods {
			note(&pod)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for listing.Err() == nil {
			look()
			select {
			case <-listing.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() []*podLog {
		stop()
		<-done
		look()
		followers.Wait()
		var all []*podLog
		for _, l := range found {
			all = append(all, l)
		}
		slices.SortFunc(all, func(a, b *podLog) int { return strings.Compare(a.index+a.created.String(), b.index+b.created.String()) })
		return all
	}
}

// followPod is what the container prints until it ends.
func followPod(ctx context.Context, pod *corev1.Pod) (log string) {
	for ctx.Err() == nil {
		now, err := kubernetes.CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
		if err != nil || now.UID != pod.UID {
			return log // it is gone
		}
		if i := slices.IndexFunc(now.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == "peer" && s.State.Waiting == nil }); i >= 0 {
			text, err := kubernetes.FollowLog(ctx, pod, "peer")
			if len(text) > len(log) {
				log = text
			}
			if err == nil && now.Status.ContainerStatuses[i].State.Terminated != nil {
				return log
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return log
}

// deletePeer deletes the Pod of an index, which has a second to end.
func deletePeer(index string) func(*testing.T, *batchv1.Job, []corev1.Pod) {
	return func(t *testing.T, job *batchv1.Job, pods []corev1.Pod) {
		pod := podOf(t, pods, index)
		if err := kubernetes.CoreV1().Pods(job.Namespace).Delete(interrupted, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(1))}); err != nil {
			t.Fatal(err)
		}
	}
}

func podOf(t *testing.T, pods []corev1.Pod, index string) *corev1.Pod {
	t.Helper()
	for i := range pods {
		if cluster.Index(&pods[i]) == index {
			return &pods[i]
		}
	}
	t.Fatalf("no Pod of index %s", index)
	return nil
}

// killRunner kills process 1 of the container of an index, as the node sees it.
func killRunner(index string) func(*testing.T, *batchv1.Job, []corev1.Pod) {
	return func(t *testing.T, _ *batchv1.Job, pods []corev1.Pod) {
		if os.Getenv(kubeconfigVariable) != "" {
			t.Skip("the processes of a cluster of your own can't be seen from here")
		}
		process := runnerOf(t, podOf(t, pods, index))
		if err := syscall.Kill(process, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
}

// runnerOf is the process of the node that is process 1 of a Pod's container.
func runnerOf(t *testing.T, pod *corev1.Pod) int {
	t.Helper()
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		command, err := os.ReadFile(filepath.Join(folder, "cmdline"))
		if err != nil || !strings.HasPrefix(string(command), "/peerjob/peerjob-runner\x00run\x00") {
			continue
		}
		// Its volumes are in the kubelet's folder of the Pod.
		mounts, err := os.ReadFile(filepath.Join(folder, "mountinfo"))
		if err != nil {
			continue
		}
		if strings.Contains(string(mounts), string(pod.UID)) {
			number, err := strconv.Atoi(filepath.Base(folder))
			if err != nil {
				t.Fatal(err)
			}
			return number
		}
	}
	t.Fatalf("no process of Pod %s", pod.Name)
	return 0
}

// TestFailure_suspend suspends a group that has restarted once, and resumes it. Nobody
// has failed.
func TestFailure_suspend(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t, nil)
	layer := func(suspend string) []byte {
		script := strings.Replace(beats, "FAIL", failsAt("1", "1"), 1)
		return build(t, ns, peers(3, script, restartPolicy, "suspend: "+suspend).Layer)
	}
	manifest := layer("false")
	job := jobOf(t, manifest)
	if err := kubernetes.Apply(interrupted, ns, manifest); err != nil {
		t.Fatal(err)
	}
	logs := followAll(t, job)
	waitForLogs(t, job, 3, "beat 2 ")
	if err := kubernetes.Apply(interrupted, ns, layer("true")); err != nil {
		t.Fatal(err)
	}
	if _, err := kubernetes.WaitForPods(within(t, patience), ns, job.Name, func(pods []corev1.Pod) bool { return len(pods) == 0 }); err != nil {
		t.Fatal(err)
	}
	if err := kubernetes.Apply(interrupted, ns, layer("false")); err != nil {
		t.Fatal(err)
	}
	mustComplete(t, job, patience)
	for _, l := range logs() {
		t.Logf("index %s, Pod %s, exit code %s:\n%s", l.index, l.pod, l.code(), withoutBeats(l.text))
		if l.late {
			if got := l.attempts(); len(got) == 0 {
				t.Errorf("the new Pod of peer %s did nothing", l.index)
			}
			continue
		}
		if diff := cmp.Diff([]int{1, 2}, l.attempts()); diff != "" {
			t.Errorf("attempts of peer %s (-want +got):\n%s", l.index, diff)
		}
		if l.ended != nil && l.ended.ExitCode != 143 {
			t.Errorf("peer %s was suspended and ended with %d, want 143", l.index, l.ended.ExitCode)
		}
	}
}

// TestFailure_fifty measures how long fifty peers on one node take to run again.
func TestFailure_fifty(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fifty Pods take minutes; not with -short")
	}
	job := apply(t, peers(50, strings.Replace(beats, "FAIL", failsAt("7", "1"), 1), restartPolicy).Layer)
	logs := followAll(t, job)
	mustComplete(t, job, 2*patience)
	checkAttempts(t, logs(), []int{1, 2})
}
