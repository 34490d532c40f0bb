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

// TestSuggest has values that are nearly one of those that are supported.
func TestSuggest(t *testing.T) {
	path := field.NewPath("spec", "x")
	type action string
	for _, tt := range []struct {
		err  *field.Error
		want string
	}{
		{field.NotSupported(path, action("Restart"), []action{"FailPeerJob", "RestartPeerJob"}), `spec.x: Unsupported value: "Restart": supported values: "FailPeerJob", "RestartPeerJob"; did you mean "RestartPeerJob"?`},
		{field.NotSupported(path, "enabled", []string{"Enabled", "Disabled"}), `spec.x: Unsupported value: "enabled": supported values: "Enabled", "Disabled"; did you mean "Enabled"?`},
		{field.NotSupported(path, "on", []string{"Enabled", "Disabled"}), `spec.x: Unsupported value: "on": supported values: "Enabled", "Disabled"`},
		{&field.Error{Type: field.ErrorTypeNotSupported, Field: "spec.x", BadValue: "a", Detail: `supported values: "b"; did you mean "b"?`}, `spec.x: Unsupported value: "a": supported values: "b"; did you mean "b"?`},
		{diag.NotSupported(path, "wrker", []string{"launcher", "worker", "", "worker"}), `spec.x: Unsupported value: "wrker": supported values: "launcher", "worker"; did you mean "worker"?`},
		{field.NotSupported(path, 3, []string{"Enabled"}), `spec.x: Unsupported value: 3: supported values: "Enabled"`},
		{field.Invalid(path, "b", `must be "a"`), `spec.x: Invalid value: "b": must be "a"`},
	} {
		diag.Suggest(field.ErrorList{tt.err})
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "there are 0 peers", 1: "there is 1 peer", 4: "there are 4 peers"} {
		if got := diag.There(n, "peer"); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestListed(t *testing.T) {
	for want, words := range map[string][]string{
		"":          nil,
		"a":         {"a"},
		"a or b":    {"a", "b"},
		"a, b or c": {"a", "b", "c"},
	} {
		if got := diag.Listed(words, "or"); got != want {
			t.Errorf("Listed(%q) is %q, want %q", words, got, want)
		}
	}
}
