// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/peerjob/peerjob/e2e/cluster"
)

// held holds peer 2 in its init container until somebody writes a file, and its command
// until somebody writes another one.
const (
	heldInit   = `[ "$JOB_COMPLETION_INDEX" != 2 ] || until [ -e /tmp/go ]; do sleep 0.2; done`
	heldScript = `echo started
[ "$JOB_COMPLETION_INDEX" != 2 ] || until [ -e /tmp/go ]; do sleep 0.2; done
echo done
`
)

const (
	keySecret = "runner-key"
	withKey   = "runner: {keySecretName: " + keySecret + "}"
	// attack is how long the strangers do what they do, in each phase of the group.
	attack = 20 * time.Second
)

// TestStrangers has Pods in the namespace of a PeerJob that try whatever a stranger can
// try. The group neither starts nor ends before its time, nor is it kept from either.
// Strangers take much of the machine, so no other test runs beside it.
func TestStrangers(t *testing.T) {
	t.Run("without a key", func(t *testing.T) {
		t.Parallel()
		ns := newNamespace(t, nil)
		attacked(t, ns, barrierForLong, []string{"held", "garbage", "forged", "called", "relayed", "replayed", "wait"}, func(job *batchv1.Job) []*corev1.Pod {
			return []*corev1.Pod{strangerPod(job, "strangers", "strangers", "3", "job", "job")}
		})
	})
	// With a key, those who answer under the names of peers are strangers, too.
	t.Run("with a key", func(t *testing.T) {
		t.Parallel()
		ns := newNamespace(t, nil)
		createKey(t, ns)
		// Nobody hears more from who does not know the key than the first message.
		attacked(t, ns, barrierForLong+", "+withKey, []string{"held", "garbage"}, func(job *batchv1.Job) []*corev1.Pod {
			pods := []*corev1.Pod{strangerPod(job, "strangers", "strangers", "3", "job", "job")}
			for i := range 3 {
				index := fmt.Sprint(i)
				pod := strangerPod(job, "impostor-"+index, "impostor", index)
				pod.Labels = map[string]string{"job-name": "job"}
				pod.Spec.Hostname, pod.Spec.Subdomain = "job-"+index, "job"
				pods = append(pods, pod)
			}
			return pods
		})
	})
}

// barrierForLong gives nobody a reason to leave early.
const barrierForLong = "barrier: {start: Enabled, end: Enabled, startTimeoutSeconds: 0, endTimeoutSeconds: 600}"

func createKey(t *testing.T, ns string) {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: keySecret}, StringData: map[string]string{"key": "a key that all peers share"}}
	if _, err := kubernetes.CoreV1().Secrets(ns).Create(interrupted, secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func strangerPod(job *batchv1.Job, name string, role string, args ...string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: job.Namespace},
		Spec: corev1.PodSpec{
			RestartPolicy:                 corev1.RestartPolicyNever,
			TerminationGracePeriodSeconds: new(int64(1)),
			Containers: []corev1.Container{{
				Name: "stranger", Image: toolsImage,
				Command: append([]string{"/tools", role, string(job.UID)}, args...),
			}},
		},
	}
}

// attacked runs the peers in spite of strangers, who must have done so many things that
// the test shows something.
func attacked(t *testing.T, ns, spec string, things []string, strangers func(job *batchv1.Job) []*corev1.Pod) {
	init := `template: {spec: {initContainers: [{name: held, image: "` + bashImage + `", command: [bash, -c, ` + quote(heldInit) + `]}]}}`
	manifest := build(t, ns, peers(3, heldScript, "{"+spec+"}", init).Layer)
	ctx := within(t, 2*patience)
	if err := kubernetes.Apply(ctx, ns, manifest); err != nil {
		t.Fatal(err)
	}
	job, err := kubernetes.BatchV1().Jobs(ns).Get(ctx, "job", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	peer := peersOf(ctx, t, job, func(pod *corev1.Pod) bool {
		if cluster.Index(pod) == "2" {
			for _, status := range pod.Status.InitContainerStatuses {
				if status.Name == "held" && status.State.Running != nil {
					return true
				}
			}
			return false
		}
		return pod.Status.Phase == corev1.PodRunning
	})
	var pods []*corev1.Pod
	for _, pod := range strangers(job) {
		created, err := kubernetes.CoreV1().Pods(ns).Create(ctx, pod, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		pods = append(pods, created)
	}
	defer func() {
		for _, pod := range pods {
			log, _ := kubernetes.Logs(interrupted, pod, "stranger")
			lines := strings.Split(strings.TrimSpace(log), "\n")
			t.Logf("%s: %s", pod.Name, lines[len(lines)-1])
		}
	}()
	attackedFor(ctx, t, pods, things)

	// Nobody has started without peer 2.
	for _, index := range []string{"0", "1"} {
		if log, err := kubernetes.Logs(ctx, peer[index], "peer"); err != nil || containsLine(log, "started") {
			t.Fatalf("peer %s started without peer 2: %v\n%s", index, err, log)
		}
	}
	if _, err := kubernetes.Exec(ctx, peer["2"], "held", "touch", "/tmp/go"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for index, pod := range peer {
		if log, err := kubernetes.WaitForLog(ctx, pod, "peer", "started"); err != nil {
			t.Fatalf("peer %s: %v\n%s", index, err, log)
		}
	}
	checkSoon(t, "all had started", began)

	// Nobody leaves before peer 2.
	attackedFor(ctx, t, pods, things)
	for _, pod := range podsOf(t, job) {
		if pod.Status.Phase != corev1.PodRunning {
			t.Errorf("%s left while peer 2 runs: %s", pod.Name, pod.Status.Phase)
		}
	}
	if _, err := kubernetes.Exec(ctx, peer["2"], "peer", "touch", "/tmp/go"); err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	end, err := kubernetes.WaitForEnd(ctx, ns, "job")
	if err != nil || !end.Complete {
		t.Fatalf("the Job ended with %+v: %v", end, err)
	}
	checkSoon(t, "the Job was complete", began)
	for _, pod := range podsOf(t, job) {
		log, err := kubernetes.Logs(ctx, &pod, "peer")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(log, "\nstarted\n") != 1 || strings.Count(log, "\ndone\n") != 1 {
			t.Errorf("%s did not run once from beginning to end", pod.Name)
		}
		t.Logf("%s:\n%s", pod.Name, log)
	}
}

// checkSoon says when something came after peer 2 was let go. On a busy machine it takes
// longer, but strangers keep nobody waiting for long.
func checkSoon(t *testing.T, what string, began time.Time) {
	t.Helper()
	took := time.Since(began).Round(100 * time.Millisecond)
	t.Logf("%s %v after peer 2 was let go", what, took)
	if took > time.Minute {
		t.Errorf("%s only %v after peer 2 was let go", what, took)
	}
}

// peersOf returns the Pods of three peers by index, when each is as the function wants
// it.
func peersOf(ctx context.Context, t *testing.T, job *batchv1.Job, as func(*corev1.Pod) bool) map[string]*corev1.Pod {
	t.Helper()
	peer := map[string]*corev1.Pod{}
	_, err := kubernetes.WaitForPods(ctx, job.Namespace, job.Name, func(pods []corev1.Pod) bool {
		clear(peer)
		for i := range pods {
			if as(&pods[i]) {
				peer[cluster.Index(&pods[i])] = &pods[i]
			}
		}
		return len(peer) == 3
	})
	if err != nil {
		t.Fatal(err)
	}
	return peer
}

// counted matches each number of what a stranger says it did.
var counted = regexp.MustCompile(`(\w+) (\d+)`)

// attackedFor returns when the strangers have done what they can for a while. None may
// have been told to go, unless by another one.
func attackedFor(ctx context.Context, t *testing.T, pods []*corev1.Pod, things []string) {
	t.Helper()
	time.Sleep(attack)
	impostors := 0
	for _, pod := range pods {
		log, err := kubernetes.WaitForLog(ctx, pod, "stranger", "answered")
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(log), "\n")
		counts := map[string]string{}
		for _, count := range counted.FindAllStringSubmatch(lines[len(lines)-1], -1) {
			counts[count[1]] = count[2]
		}
		if pod.Name != "strangers" {
			if counts["answered"] != "0" {
				impostors++
			}
			continue
		}
		for _, thing := range things {
			if counts[thing] == "0" {
				t.Errorf("the strangers did nothing: %s 0, so the test shows nothing", thing)
			}
		}
		if len(pods) == 1 && counts["go"] != "0" {
			t.Errorf("a stranger was told %s times to go", counts["go"])
		}
	}
	if len(pods) > 1 && impostors == 0 {
		t.Error("nobody asked an impostor, so the test shows nothing")
	}
}
