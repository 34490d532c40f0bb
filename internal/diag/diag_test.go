// SPDX-License-Identifier: Apache-2.0

package diag_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/decode"
	"github.com/peerjob/peerjob/internal/diag"
)

func decoded(t *testing.T, text string) (*v1alpha1.PeerJob, field.ErrorList) {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return decode.PeerJob(document.Content[0], nil)
}

func TestSortErrors(t *testing.T) {
	pj, errs := decoded(t, `
spec:
  template: {spec: {containers: [{env: 1}, {x10: 1, name: 2}, {}, {}, {}, {}, {}, {}, {}, {}, {image: 1}], volumes: 1}}
  peers: x
metadata: {labels: {b: 1, a: 1}, name: 1}
kind: 1
`)
	if pj == nil {
		t.Fatal("no PeerJob")
	}
	var got []string
	for _, err := range diag.SortErrors(append(errs, errs...)) {
		got = append(got, err.Field)
	}
	want := []string{
		"kind", "metadata.name", "metadata.labels[a]", "metadata.labels[b]", "spec.peers", "spec.template.spec.volumes",
		"spec.template.spec.containers[0].env", "spec.template.spec.containers[1].name", "spec.template.spec.containers[1].x10",
		"spec.template.spec.containers[10].image",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestAppend(t *testing.T) {
	_, earlier := decoded(t, "spec: {peers: x, template: {spec: {contaners: []}}}")
	_, later := decoded(t, "spec: {peers: y, backoffLimit: x, template: {spec: {containers: [{name: 1}], containersX: 1}}}")
	var got []string
	for _, err := range diag.Append(earlier, later) {
		got = append(got, err.Field)
	}
	want := []string{"spec.peers", "spec.template.spec.contaners", "spec.backoffLimit", "spec.template.spec.containersX"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
