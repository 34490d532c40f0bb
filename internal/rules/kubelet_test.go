// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// The cases are those of the page "Define Dependent Environment Variables" and of the
// kubelet's own test of its expansion (third_party/forked/golang/expansion).
func TestExpand(t *testing.T) {
	values := map[string]string{"A": "a", "B": "b", "EMPTY": "", "REF": "$(A)"}
	for text, want := range map[string]string{
		"plain": "plain", "$(A)": "a", "x$(A)y$(B)": "xayb", "$(EMPTY)": "", "$(NONE)": "$(NONE)",
		"$$(A)": "$(A)", "$$$(A)": "$a", "$$$$(A)": "$$(A)", "$A ${A}": "$A ${A}", "$(A": "$(A", "$": "$", "a$": "a$", "$(REF)": "$(A)", "$()": "$()",
	} {
		if got := Expand(text, func(name string) (string, bool) { value, found := values[name]; return value, found }); got != want {
			t.Errorf("Expand(%q) is %q, want %q", text, got, want)
		}
	}
}

func TestResolve(t *testing.T) {
	template := &corev1.PodTemplateSpec{}
	template.Labels = map[string]string{"app": "x"}
	template.Annotations = map[string]string{"peerjob.dev/service": "hub"}
	from := func(path string) *corev1.EnvVarSource {
		return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
	}
	env := []corev1.EnvVar{
		{Name: "EARLY", Value: "$(LATE)"}, // sees only what stands before it
		{Name: "INDEX", ValueFrom: from("metadata.annotations['batch.kubernetes.io/job-completion-index']")},
		{Name: "INDEX_OF_LABEL", ValueFrom: from("metadata.labels['batch.kubernetes.io/job-completion-index']")},
		{Name: "JOB", ValueFrom: from("metadata.labels['job-name']")},
		{Name: "SERVICE", ValueFrom: from("metadata.annotations['peerjob.dev/service']")},
		{Name: "APP", ValueFrom: from("metadata.labels['app']")},
		{Name: "NAMESPACE", ValueFrom: from("metadata.namespace")},
		{Name: "IP", ValueFrom: from("status.podIP")},
		{Name: "KEY", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "k"}}},
		{Name: "CPU", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.cpu"}}},
		{Name: "LATE", Value: "$(JOB)-$(INDEX).$(SERVICE)"},
		{Name: "LATE", Value: "last"},
		{Name: "SEES", Value: "$(LATE)"},
	}
	got := Resolve(env, PodFields(template, "train", "ml", "3"))
	want := []string{"$(LATE)", "3", "3", "train", "hub", "x", "ml", "<status.podIP of the Pod>", "<key k of Secret s>", "<limits.cpu>", "train-3.hub", "last", "last"}
	if diff := cmp.Diff(want, got.List); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
