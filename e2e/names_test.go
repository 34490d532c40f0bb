// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/peerjob/peerjob/e2e/render"
)

// TestNames renders the same peers under every kind of name that kustomize
// gives, and they meet.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		layer func(t *testing.T) render.Layer
		job   string
	}{
		{"plain", func(*testing.T) render.Layer { return peers(3, meet+stay).Layer }, "job"},
		{"prefix and suffix", func(*testing.T) render.Layer {
			return peers(3, meet+stay).with(render.Layer{Settings: map[string]any{"namePrefix": "dev-", "nameSuffix": "-a"}})
		}, "dev-job-a"},
		{"a Service of another name", func(*testing.T) render.Layer {
			return peers(3, meet+stay, "service: {name: svc}").Layer
		}, "job"},
		{"expanded below a prefix, with the Component", func(t *testing.T) render.Layer { return expandedBelow(t, peers(3, meet+stay)) }, "outer-job"},
		{"the example's overlay", func(*testing.T) render.Layer {
			return render.Layer{Base: filepath.Join(repository, "examples", "ping", "base"), Settings: map[string]any{"namePrefix": "dev-", "images": taggedBash},
				Patches: []string{"peers: 5"}}
		}, "dev-ping"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			job := apply(t, test.layer(t))
			if job.Name != test.job {
				t.Errorf("Job %q, want %q", job.Name, test.job)
			}
			checkMet(t, mustComplete(t, job, patience), int(*job.Spec.Completions))
		})
	}
}

// TestNames_hash changes a PeerJob with nameSuffixHash while its first Job runs. Old and
// new share nothing: the peers of both reach each other to the end. Those of the first
// Job go on until the second is done.
func TestNames_hash(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t, nil)
	const hash = "nameSuffixHash: Enabled"
	// Each peer of the first Job looks up all others again for a minute, and fails when
	// a name that it has met is gone.
	const again = `
for i in $(seq 30); do
  sleep 2
  for peer in $(seq 0 $((PEERJOB_SIZE - 1))); do
    getent hosts "$PEERJOB_NAME-$peer.$PEERJOB_SERVICE" > /dev/null || { echo "lost peer $peer"; exit 1; }
  done
done
echo kept all
`
	var jobs []*batchv1.Job
	for _, script := range []string{"echo first\n" + meet + again + stay, "echo second\n" + meet + stay} {
		manifest := build(t, ns, peers(3, script, hash).Layer)
		if err := kubernetes.Apply(interrupted, ns, manifest); err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, jobOf(t, manifest))
		if len(jobs) == 1 {
			running := func(j *batchv1.Job) bool { return j.Status.Ready != nil && *j.Status.Ready == 3 }
			if err := kubernetes.WaitForJob(within(t, patience), ns, jobs[0].Name, running); err != nil {
				t.Fatal(err)
			}
		}
	}
	if jobs[0].Name == jobs[1].Name || jobs[0].Spec.Template.Spec.Subdomain == jobs[1].Spec.Template.Spec.Subdomain {
		t.Fatalf("both Jobs are %s under %s", jobs[0].Name, jobs[0].Spec.Template.Spec.Subdomain)
	}
	for i, want := range []string{"kept all", "second"} {
		logs := mustComplete(t, jobs[i], patience)
		checkMet(t, logs, 3)
		for index, log := range logs {
			if !containsLine(log, want) {
				t.Errorf("Job %d, peer %s does not say %q:\n%s", i, index, want, log)
			}
		}
	}
}

// TestSuspend makes a suspended Job, which has no Pods, and resumes it.
func TestSuspend(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t, nil)
	manifest := build(t, ns, peers(3, meet+stay, "suspend: true").Layer)
	job := jobOf(t, manifest)
	if err := kubernetes.Apply(interrupted, ns, manifest); err != nil {
		t.Fatal(err)
	}
	isSuspended := func(j *batchv1.Job) bool { return conditionIs(j, batchv1.JobSuspended, "True") }
	if err := kubernetes.WaitForJob(within(t, patience), ns, job.Name, isSuspended); err != nil {
		t.Fatal(err)
	}
	if pods, err := kubernetes.Pods(interrupted, ns, job.Name); err != nil || len(pods) > 0 {
		t.Fatalf("%d Pods of a suspended Job: %v", len(pods), err)
	}
	resumed := build(t, ns, peers(3, meet+stay, "suspend: false").Layer)
	if err := kubernetes.Apply(interrupted, ns, resumed); err != nil {
		t.Fatal(err)
	}
	checkMet(t, mustComplete(t, job, patience), 3)
}

// TestTTL holds a Job to ttlSecondsAfterFinished: it goes, and takes its Pods.
func TestTTL(t *testing.T) {
	t.Parallel()
	job := apply(t, peers(2, meet+stay, "ttlSecondsAfterFinished: 1").Layer)
	ctx := within(t, patience)
	for {
		_, err := kubernetes.BatchV1().Jobs(job.Namespace).Get(ctx, job.Name, metav1.GetOptions{})
		if err != nil && strings.Contains(err.Error(), "not found") {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// expandedBelow is a layer with a prefix over one in which the function has run
// already: only the Component keeps the names together.
func expandedBelow(t *testing.T, layer peerLayer) render.Layer {
	t.Helper()
	base := t.TempDir()
	if _, err := kustomize.Build(interrupted, base, layer.Layer); err != nil {
		t.Fatal(err)
	}
	return render.Layer{Base: base, Plain: true,
		Settings:   map[string]any{"namePrefix": "outer-"},
		Components: []string{filepath.Join(repository, "kustomize")}}
}

func conditionIs(job *batchv1.Job, kind batchv1.JobConditionType, status string) bool {
	for _, c := range job.Status.Conditions {
		if c.Type == kind {
			return string(c.Status) == status
		}
	}
	return false
}
