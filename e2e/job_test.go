// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/peerjob/peerjob/e2e/cluster"
)

// TestJob gives a PeerJob each of the fields that are the Job's own, and holds
// the Job to what its documentation says of the field. The barrier must not
// change any of it.
func TestJob(t *testing.T) {
	t.Parallel()
	const failOne = `[ "$JOB_COMPLETION_INDEX" != 1 ] || exit 42` + "\n"
	for _, test := range []struct {
		name   string
		script string
		spec   []string
		want   cluster.End
		check  func(t *testing.T, job *batchv1.Job)
	}{
		{
			name:   "backoffLimit",
			script: failOne + meet,
			spec:   []string{"backoffLimit: 0"},
			want:   cluster.End{Reason: batchv1.JobReasonBackoffLimitExceeded},
		},
		{
			name:   "backoffLimitPerIndex",
			script: failOne,
			spec:   []string{"backoffLimitPerIndex: 0"},
			want:   cluster.End{Reason: batchv1.JobReasonFailedIndexes},
			check: func(t *testing.T, job *batchv1.Job) {
				if failed := job.Status.FailedIndexes; failed == nil || *failed != "1" || job.Status.CompletedIndexes != "0,2" {
					t.Errorf("failed indexes %v, completed indexes %s; want 1 and 0,2", failed, job.Status.CompletedIndexes)
				}
			},
		},
		{
			name:   "maxFailedIndexes",
			script: failOne + "sleep 300",
			spec:   []string{"backoffLimitPerIndex: 0", "maxFailedIndexes: 0"},
			want:   cluster.End{Reason: batchv1.JobReasonMaxFailedIndexesExceeded},
		},
		{
			name:   "podFailurePolicy",
			script: failOne + "sleep 300",
			spec:   []string{"podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {containerName: peer, operator: In, values: [42]}}]}"},
			want:   cluster.End{Reason: batchv1.JobReasonPodFailurePolicy},
		},
		{
			name: "successPolicy",
			// Index 0 is the only one that ends.
			script: meet + `[ "$JOB_COMPLETION_INDEX" = 0 ] || sleep 300`,
			spec:   []string{`successPolicy: {rules: [{succeededIndexes: "0"}]}`},
			want:   cluster.End{Complete: true, Reason: batchv1.JobReasonSuccessPolicy},
		},
		{
			name:   "activeDeadlineSeconds",
			script: "sleep 300",
			spec:   []string{"activeDeadlineSeconds: 8"},
			want:   cluster.End{Reason: batchv1.JobReasonDeadlineExceeded},
		},
		{
			name: "restartPolicy OnFailure",
			// The container fails once and is started again in its Pod.
			spec: []string{`template: {spec: {restartPolicy: OnFailure, volumes: [{name: scratch, emptyDir: {}}], containers: [{name: peer, image: "` + bashImage +
				`", volumeMounts: [{name: scratch, mountPath: /scratch}], command: [bash, -c, ` +
				quote("[ -e /scratch/second ] || { touch /scratch/second; exit 1; }\n"+meet+stay) + `]}]}}`},
			want: cluster.End{Complete: true, Reason: batchv1.JobReasonCompletionsReached},
			check: func(t *testing.T, job *batchv1.Job) {
				checkMet(t, logs(t, job, corev1.PodSucceeded), 3)
			},
		},
		{
			name: "job, labels and annotations",
			spec: []string{"job: {labels: {a: job}, annotations: {b: job}}", "service: {labels: {a: service}, annotations: {b: service}}"},
			want: cluster.End{Complete: true, Reason: batchv1.JobReasonCompletionsReached},
			check: func(t *testing.T, job *batchv1.Job) {
				service, err := kubernetes.CoreV1().Services(job.Namespace).Get(interrupted, "job", metav1.GetOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if job.Labels["a"] != "job" || job.Annotations["b"] != "job" || service.Labels["a"] != "service" || service.Annotations["b"] != "service" {
					t.Errorf("the Job has %v and %v, the Service %v and %v", job.Labels, job.Annotations, service.Labels, service.Annotations)
				}
			},
		},
	} {
		for name, spec := range map[string][]string{"": nil, " with the barrier": {barrier}} {
			t.Run(test.name+name, func(t *testing.T) {
				t.Parallel()
				layer := peers(3, test.script, append(spec, test.spec...)...)
				job := apply(t, layer.Layer)
				end, err := kubernetes.WaitForEnd(within(t, patience), job.Namespace, job.Name)
				if err != nil {
					t.Fatal(err)
				}
				if end.Complete != test.want.Complete || end.Reason != test.want.Reason {
					t.Fatalf("the Job ended with %+v, want %+v", end, test.want)
				}
				if test.check == nil {
					return
				}
				job, err = kubernetes.BatchV1().Jobs(job.Namespace).Get(interrupted, job.Name, metav1.GetOptions{})
				if err != nil {
					t.Fatal(err)
				}
				test.check(t, job)
			})
		}
	}
}
