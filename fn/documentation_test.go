// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/internal/krmlist"
)

// TestRun_documentation expands, for each form of the Kubernetes page, the
// PeerJob with the page's names, number and Pod template. What comes out must
// be what stands on the page, but for the differences that are listed here.
func TestRun_documentation(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("..", "testdata", "documentation", "*.yaml"))
	if err != nil || len(pages) != 5 {
		t.Fatalf("%d pages, want 5: %v", len(pages), err)
	}
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			var svc corev1.Service
			var job batchv1.Job
			documents := strings.Split(string(text), "---\n")
			unmarshal(t, documents[0], &svc)
			unmarshal(t, documents[1], &job)

			template := job.Spec.Template.DeepCopy()
			template.Spec.Subdomain, template.Spec.RestartPolicy = "", ""
			peerJob, err := yaml.Marshal(map[string]any{
				"apiVersion": "peerjob.dev/v1alpha1",
				"kind":       "PeerJob",
				"metadata":   map[string]any{"name": job.Name},
				"spec":       map[string]any{"peers": 3, "service": map[string]any{"name": svc.Name}, "template": plain(t, template)},
			})
			if err != nil {
				t.Fatal(err)
			}
			stdout, stderr, failed := run(t, list(string(peerJob)))
			if failed {
				t.Fatal(stderr)
			}
			var gotService corev1.Service
			var gotJob batchv1.Job
			l, err := krmlist.ReadParsed([]byte(stdout))
			if err != nil || len(l.Objects()) != 3 {
				t.Fatalf("%d items: %v", len(l.Objects()), err)
			}
			unmarshal(t, encodedItem(t, l.Objects()[1].Node()), &gotService)
			unmarshal(t, encodedItem(t, l.Objects()[2].Node()), &gotJob)

			// The differences.
			owner := map[string]string{"peerjob.dev/owner": "example-job"}
			svc.Annotations = owner
			svc.Spec.PublishNotReadyAddresses = true
			job.Annotations = owner
			job.Spec.Template.Annotations = map[string]string{"peerjob.dev/service": "headless-svc"}
			job.Spec.Template.Spec.EnableServiceLinks = new(false)
			field := func(name, path string) corev1.EnvVar {
				return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}}
			}
			job.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{
				field("JOB_COMPLETION_INDEX", "metadata.annotations['batch.kubernetes.io/job-completion-index']"),
				field("PEERJOB_NAME", "metadata.labels['job-name']"),
				field("PEERJOB_NAMESPACE", "metadata.namespace"),
				field("PEERJOB_SERVICE", "metadata.annotations['peerjob.dev/service']"),
				{Name: "PEERJOB_SIZE", Value: "3"},
				{Name: "PEERJOB_LEADER", Value: "$(PEERJOB_NAME)-0.$(PEERJOB_SERVICE)"},
				{Name: "PEERJOB_SELF", Value: "$(PEERJOB_NAME)-$(JOB_COMPLETION_INDEX).$(PEERJOB_SERVICE)"},
			}
			if diff := cmp.Diff(svc, gotService); diff != "" {
				t.Errorf("Service (-page +peerjob):\n%s", diff)
			}
			if diff := cmp.Diff(job, gotJob); diff != "" {
				t.Errorf("Job (-page +peerjob):\n%s", diff)
			}
		})
	}
}

func unmarshal(t *testing.T, text string, object metav1.Object) {
	t.Helper()
	if err := sigsyaml.UnmarshalStrict([]byte(text), object); err != nil {
		t.Fatal(err)
	}
}

// plain is an object as plain maps and lists.
func plain(t *testing.T, object any) map[string]any {
	t.Helper()
	data, err := sigsyaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := yaml.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func encodedItem(t *testing.T, item *yaml.Node) string {
	t.Helper()
	data, err := yaml.Marshal(item)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
