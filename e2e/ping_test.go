// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/e2e/render"
)

var (
	batches = flag.Int("batches", 5, "how many times TestPing starts its copies; 2 with -short")
	copies  = flag.Int("copies", 8, "how many copies of the Job TestPing starts at once")
)

const (
	// pingLimit is how long a copy may take, on a machine that is busy with other
	// things, too. One that finishes does so in seconds.
	pingLimit = 5 * time.Minute
	// pingsInVain is how long a peer may go on pinging one that is done before its
	// Job counts as one that never finishes.
	pingsInVain = 15 * time.Second
)

// TestPing runs the Job of the documentation's page, its script as it stands
// there: several copies at once, in namespaces of their own, several times.
//
// Without the barrier the script has a race of its own: a Pod that is done
// leaves DNS, and a slower peer pings its name forever. How many copies that
// hits is the machine's luck, and is printed. With the barrier all must finish.
// The times are printed, too, and not judged: a busy machine is no fault.
func TestPing(t *testing.T) {
	if testing.Short() {
		*batches = min(*batches, 2)
	}
	page := documentation(t)
	peerJob := map[string]string{"job.yaml": asPeerJob(t, page)}
	settings := map[string]any{"images": taggedBash}
	table := []*series{
		{name: "the page's own YAML", layer: render.Layer{Files: map[string]string{"page.yaml": page}, Settings: settings, Plain: true}},
		{name: "PeerJob", layer: render.Layer{Files: peerJob, Settings: settings}},
		{name: "PeerJob with the barrier", all: true, layer: render.Layer{Files: peerJob, Settings: settings, Patches: []string{barrier}}},
		{name: "PeerJob with the barrier, image volume", all: true, layer: render.Layer{Files: peerJob, Settings: settings, Patches: []string{barrier, imageVolume}}},
	}
	for batch := range *batches {
		for _, s := range table {
			if testing.Short() && !s.all && batch > 0 {
				continue
			}
			t.Run(fmt.Sprintf("%s, batch %d", s.name, batch+1), s.run)
		}
	}
	t.Log(tableOf(table))
	for _, with := range table[2:] {
		if without := table[1]; without.finished() > 0 && with.finished() > 0 {
			t.Logf("%s costs %.1f s of the median", with.name, (with.median() - without.median()).Seconds())
		}
	}
}

// What a user writes to have the barrier, to have one that waits for the start as long as
// it takes, and to have the runner without an init container.
const (
	barrier          = "barrier: {start: Enabled, end: Enabled}"
	unlimitedBarrier = "barrier: {start: Enabled, end: Enabled, startTimeoutSeconds: 0}"
	imageVolume      = "runner: {delivery: ImageVolume}"
)

// series is what came of one form of the Job.
type series struct {
	name  string
	layer render.Layer
	// all says that every copy must finish.
	all bool
	// copies is how many start at once; 0 for the flag's number.
	copies int

	mutex sync.Mutex
	times []time.Duration
	tried int
}

// run starts the copies at once and waits for all of them.
func (s *series) run(t *testing.T) {
	var manifests [][]byte
	for range cmp.Or(s.copies, *copies) {
		manifests = append(manifests, build(t, newNamespace(t, nil), s.layer))
	}
	ctx := within(t, pingLimit)
	var running sync.WaitGroup
	for _, manifest := range manifests {
		running.Go(func() { s.runCopy(ctx, t, manifest) })
	}
	running.Wait()
	// The next batch starts on an idle node.
	for _, manifest := range manifests {
		if err := kubernetes.DeletePods(within(t, patience), jobOf(t, manifest).Namespace); err != nil {
			t.Error(err)
		}
	}
}

func (s *series) runCopy(ctx context.Context, t *testing.T, manifest []byte) {
	job := jobOf(t, manifest)
	began := time.Now()
	if err := kubernetes.Apply(ctx, job.Namespace, manifest); err != nil {
		t.Error(err)
		return
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { cancel(pingsOneThatIsDone(ctx, job)) }()
	end, err := kubernetes.WaitForEnd(ctx, job.Namespace, job.Name)
	took := time.Since(began)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.tried++
	switch {
	case err != nil && !s.all && errors.Is(context.Cause(ctx), errInVain):
		t.Logf("never finishes: %v", context.Cause(ctx))
	case err != nil || !end.Complete:
		t.Errorf("not finished: %v %s %s\n%s", context.Cause(ctx), end.Reason, end.Message, describe(interrupted, job.Namespace))
	default:
		s.times = append(s.times, took)
		checkPings(ctx, t, job)
	}
}

// errInVain says that a Job never finishes.
var errInVain = errors.New("a peer pings one that is done")

// pingsOneThatIsDone returns an error as soon as a peer's last word is that it
// can't ping a peer that has ended a while ago, and whose name is gone.
func pingsOneThatIsDone(ctx context.Context, job *batchv1.Job) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(3 * time.Second):
		}
		pods, err := kubernetes.Pods(ctx, job.Namespace, job.Name)
		if err != nil {
			continue
		}
		for _, pod := range pods {
			if done := lastPinged(ctx, &pod, pods); done != nil {
				return fmt.Errorf("%w: %s pings %s", errInVain, pod.Name, done.Name)
			}
		}
	}
}

// lastPinged returns the Pod that a running peer can't ping, when that has ended
// long enough ago.
func lastPinged(ctx context.Context, pod *corev1.Pod, pods []corev1.Pod) *corev1.Pod {
	if pod.Status.Phase != corev1.PodRunning {
		return nil
	}
	log, err := kubernetes.Logs(ctx, pod, pod.Spec.Containers[0].Name)
	if err != nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(withoutRunner(log)), "\n")
	last := lines[len(lines)-1]
	for _, other := range pods {
		if other.Status.Phase == corev1.PodSucceeded && strings.Contains(last, "Failed to ping pod "+other.Spec.Hostname+".") {
			if end := other.Status.ContainerStatuses[0].State.Terminated; end != nil && time.Since(end.FinishedAt.Time) > pingsInVain {
				return &other
			}
		}
	}
	return nil
}

// checkPings holds each peer's log to the page: it has reached every peer.
func checkPings(ctx context.Context, t *testing.T, job *batchv1.Job) {
	pods, err := kubernetes.Pods(ctx, job.Namespace, job.Name)
	if err != nil {
		t.Error(err)
		return
	}
	if len(pods) != int(*job.Spec.Completions) {
		t.Errorf("%s: %d Pods, want %d", job.Namespace, len(pods), *job.Spec.Completions)
	}
	for _, pod := range pods {
		log, err := kubernetes.Logs(ctx, &pod, job.Spec.Template.Spec.Containers[0].Name)
		if err != nil {
			t.Error(err)
			continue
		}
		for i := range int(*job.Spec.Completions) {
			line := "Successfully pinged pod: " + job.Name + "-" + strconv.Itoa(i) + "." + job.Spec.Template.Spec.Subdomain
			if !containsLine(log, line) {
				t.Errorf("%s/%s: no line %q in its log:\n%s", pod.Namespace, pod.Name, line, log)
			}
		}
	}
}

func (s *series) finished() int { return len(s.times) }

func (s *series) median() time.Duration { return median(s.times) }

// tableOf prints the series below each other.
func tableOf(table []*series) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d copies at once\n%-40s %10s %9s %9s %9s\n", *copies, "", "finished", "fastest", "median", "slowest")
	for _, s := range table {
		slices.Sort(s.times)
		row := fmt.Sprintf("%-40s %10s", s.name, fmt.Sprintf("%d of %d", s.finished(), s.tried))
		if s.finished() > 0 {
			row += fmt.Sprintf(" %8.1fs %8.1fs %8.1fs", s.times[0].Seconds(), s.median().Seconds(), s.times[len(s.times)-1].Seconds())
		}
		out.WriteString(row + "\n")
	}
	return out.String()
}
