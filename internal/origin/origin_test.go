// SPDX-License-Identifier: Apache-2.0

package origin

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestMap_Of(t *testing.T) {
	var (
		spec      = field.NewPath("spec")
		pod       = spec.Child("template", "spec")
		labels    = field.NewPath("metadata", "labels")
		framework = spec.Child("framework")
		role      = spec.Child("roles").Index(1)
	)
	m := &Map{}
	m.From(spec, role)
	m.All(spec.Child("completions"), role.Child("peers"))
	m.Entry(labels, "team", "a b", spec.Child("job", "labels"))
	m.EntryFrom(spec.Child("template", "metadata", "labels"), "train", field.NewPath("metadata", "name"))
	m.Elements(pod.Child("initContainers"), 1, role.Child("template", "spec", "initContainers"))
	m.All(pod.Child("initContainers").Index(0), spec.Child("runner"))
	m.AllElements(pod.Child("containers").Index(0).Child("env"), 0, 2, framework)
	m.Elements(pod.Child("containers").Index(0).Child("env"), 2, pod.Child("containers").Index(0).Child("env"))
	m.AllElements(pod.Child("volumes"), 3, -1, framework)
	for _, test := range []struct {
		path     string
		badValue any
		want     string
	}{
		{"metadata.name", nil, "metadata.name"},
		{"spec", nil, "spec.roles[1]"},
		{"spec.backoffLimit", nil, "spec.roles[1].backoffLimit"},
		{"specification", nil, "specification"},
		{"spec.completions", nil, "spec.roles[1].peers"},
		{"metadata.labels", "a b", "spec.job.labels"},
		{"metadata.labels", "team", "spec.job.labels"},
		{"metadata.labels[team]", nil, "spec.job.labels[team]"},
		{"metadata.labels", "other", "metadata.labels"},
		{"spec.template.metadata.labels", "train", "metadata.name"},
		{"spec.template.metadata.labels", "other", "spec.roles[1].template.metadata.labels"},
		{"spec.template.spec.initContainers", nil, "spec.roles[1].template.spec.initContainers"},
		{"spec.template.spec.initContainers[0].image", nil, "spec.runner"},
		{"spec.template.spec.initContainers[3].image", nil, "spec.roles[1].template.spec.initContainers[2].image"},
		{"spec.template.spec.containers[0].env[1].name", nil, "spec.framework"},
		{"spec.template.spec.containers[0].env[12].name", nil, "spec.template.spec.containers[0].env[10].name"},
		{"spec.template.spec.volumes[2]", nil, "spec.roles[1].template.spec.volumes[2]"},
		{"spec.template.spec.volumes[3].name", nil, "spec.framework"},
	} {
		if got := m.Of(test.path, test.badValue); got != test.want {
			t.Errorf("%s (%v): got %s, want %s", test.path, test.badValue, got, test.want)
		}
	}
}

// TestMap_Of_whole has an object of which all but one part came from one field, and
// one without origins.
func TestMap_Of_whole(t *testing.T) {
	m := &Map{}
	m.All(nil, field.NewPath("spec", "framework"))
	m.From(field.NewPath("metadata"), field.NewPath("metadata"))
	for path, want := range map[string]string{"[]": "spec.framework", "data[hostfile]": "spec.framework", "metadata.name": "metadata.name"} {
		if got := m.Of(path, nil); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if got := (*Map)(nil).Of("spec.x", nil); got != "spec.x" {
		t.Errorf("no map: got %s", got)
	}
}
