// SPDX-License-Identifier: Apache-2.0

package framework_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/decode"
	"github.com/peerjob/peerjob/internal/expand"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// parse reads a valid PeerJob.
func parse(t testing.TB, text string) *peerjob.Group {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	pj, errs := decode.PeerJob(document.Content[0], nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	v1alpha1.Default(pj, v1alpha1.Settings{})
	return peerjob.NewGroup(pj, "")
}

func example(t testing.TB, folder string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "examples", "frameworks", folder, "peerjob.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// pod is what the first container of a peer sees in a cluster.
type pod struct {
	env           map[string]string
	order         []string
	command, args []string
	files         map[string]string
	job           *batchv1.Job
	service       *corev1.Service
}

// podOf runs the container of an index as the kubelet would: with Kubernetes'
// own expansion of "$(NAME)", in the order of the variables. A later layer has
// renamed the Job and the Service to prod-<name>, as "namePrefix: prod-" does
// with the Component in kustomize/.
func podOf(t testing.TB, g *peerjob.Group, index int) pod {
	t.Helper()
	p := pod{env: map[string]string{}, files: map[string]string{}}
	maps := map[string]*corev1.ConfigMap{}
	for _, object := range expand.Group(g) {
		switch o := object.Object.(type) {
		case *corev1.Service:
			p.service = o
		case *corev1.ConfigMap:
			maps[o.Name] = o
		case *batchv1.Job:
			if o.Name == g.JobName {
				p.job = o
			}
		}
	}
	spec := p.job.Spec.Template.Spec
	container := spec.Containers[0]
	fields := map[string]string{
		"metadata.annotations['batch.kubernetes.io/job-completion-index']": strconv.Itoa(index),
		"metadata.labels['job-name']":                                      "prod-" + p.job.Name,
		"metadata.namespace":                                               "ml",
		"metadata.annotations['peerjob.dev/service']":                      "prod-" + p.job.Spec.Template.Annotations["peerjob.dev/service"],
	}
	for key, value := range p.job.Spec.Template.Annotations {
		if strings.HasPrefix(key, "peerjob.dev/job-") {
			fields["metadata.annotations['"+key+"']"] = "prod-" + value
		}
	}
	mapping := expansion.MappingFuncFor(p.env)
	for _, variable := range container.Env {
		value := expansion.Expand(variable.Value, mapping)
		if variable.ValueFrom != nil {
			value = fields[variable.ValueFrom.FieldRef.FieldPath]
		}
		p.env[variable.Name] = value
		p.order = append(p.order, variable.Name)
		if strings.Contains(value, "$(") {
			t.Errorf("%s: %q has a variable in it that is not set", variable.Name, value)
		}
	}
	for _, word := range container.Command {
		p.command = append(p.command, expansion.Expand(word, mapping))
	}
	for _, word := range container.Args {
		p.args = append(p.args, expansion.Expand(word, mapping))
	}
	for _, mount := range container.VolumeMounts {
		for _, volume := range spec.Volumes {
			if volume.Name != mount.Name || volume.ConfigMap == nil {
				continue
			}
			if !mount.ReadOnly {
				t.Errorf("%s is not mounted read-only", mount.MountPath)
			}
			if maps[volume.ConfigMap.Name] == nil {
				t.Fatalf("there is no ConfigMap %s", volume.ConfigMap.Name)
			}
			for name, content := range maps[volume.ConfigMap.Name].Data {
				p.files[mount.MountPath+"/"+name] = content
			}
		}
	}
	return p
}
