// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// pair is a Service and a Job as a user may write them by hand.
type pair struct {
	service corev1.Service
	job     batchv1.Job
}

// newPair returns a pair whose peers find each other, after one change.
func newPair(change func(p *pair)) *pair {
	p := &pair{
		service: corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "hub", Namespace: "ml"}},
		job:     batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "train", Namespace: "ml"}},
	}
	p.job.Spec.Completions = new(int32(4))
	p.job.Spec.Template.Spec = corev1.PodSpec{
		Subdomain:          "hub",
		EnableServiceLinks: new(false),
		Containers:         []corev1.Container{{Name: "w", Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: 80}}}},
	}
	if change != nil {
		change(p)
	}
	return p
}

// check runs every rule on the pair, with the paths of a hand-written Job.
func (p *pair) check() []string {
	path := field.NewPath("spec", "template")
	template := &p.job.Spec.Template
	ports := ContainerPorts(template, path)
	var said []string
	for _, errs := range []field.ErrorList{
		Hostnames(&p.job, p.job.Name, field.NewPath("metadata", "name")),
		DNS(&p.service, template, &p.job, "cluster.local", path),
		ControllerLabels(template.Labels, &p.job, path.Child("metadata", "labels")),
		StringLengths(template, nil, noFields, path),
		PartialAdmission(p.job.Annotations, "spec.completions", field.NewPath("metadata")),
	} {
		for _, err := range errs {
			said = append(said, err.Field)
		}
	}
	for _, w := range append(append(
		TargetPorts(&p.service, ports, field.NewPath("spec", "ports")),
		HostNetwork(template, &p.job, ports, nil, path)...),
		References(template, Variables{Before: func(*corev1.Container) []corev1.EnvVar { return []corev1.EnvVar{{Name: "KNOWN"}} }}, path)...) {
		said = append(said, "warning "+w.Field)
	}
	return said
}

func TestRules(t *testing.T) {
	for name, test := range map[string]struct {
		change func(p *pair)
		want   []string
	}{
		"a pair that agrees": {nil, nil},
		"a long name": {
			func(p *pair) { p.job.Name = strings.Repeat("a", 62) }, []string{"metadata.name"},
		},
		"another subdomain": {
			func(p *pair) { p.job.Spec.Template.Spec.Subdomain = "other" }, []string{"spec.template.spec.subdomain"},
		},
		"a host name": {
			func(p *pair) { p.job.Spec.Template.Spec.Hostname = "x" }, []string{"spec.template.spec.hostname"},
		},
		"no cluster DNS": {
			func(p *pair) { p.job.Spec.Template.Spec.DNSPolicy = corev1.DNSDefault }, []string{"spec.template.spec.dnsPolicy"},
		},
		"a DNS configuration of its own, without the search domain": {
			func(p *pair) {
				p.job.Spec.Template.Spec.DNSPolicy = corev1.DNSNone
				p.job.Spec.Template.Spec.DNSConfig = &corev1.PodDNSConfig{Nameservers: []string{"10.0.0.10"}, Searches: []string{"other.svc.cluster.local"}}
			}, []string{"spec.template.spec.dnsConfig.searches"},
		},
		"a host name that is too long for the kernel": {
			func(p *pair) {
				p.job.Name, p.job.Spec.Template.Spec.SetHostnameAsFQDN = strings.Repeat("a", 50), new(true)
			}, []string{"spec.template.spec.setHostnameAsFQDN"},
		},
		"a label of the Job controller": {
			func(p *pair) { p.job.Spec.Template.Labels = map[string]string{"job-name": "other", "app": "x"} },
			[]string{"spec.template.metadata.labels[job-name]"},
		},
		"an argument that no program can be started with": {
			func(p *pair) {
				p.job.Spec.Template.Spec.Containers[0].Args = []string{"a", strings.Repeat("x", MaxVariableLength+1)}
			}, []string{"spec.template.spec.containers[0].args[1]"},
		},
		"partial admission": {
			func(p *pair) { p.job.Annotations = map[string]string{"kueue.x-k8s.io/job-min-parallelism": "1"} },
			[]string{"metadata.annotations[kueue.x-k8s.io/job-min-parallelism]"},
		},
		"a port that is forwarded": {
			func(p *pair) {
				p.service.Spec.Ports = []corev1.ServicePort{
					{Port: 80, TargetPort: intstr.FromString("web")}, {Port: 81, TargetPort: intstr.FromInt32(80)},
				}
			}, []string{"warning spec.ports[1].targetPort"},
		},
		"peers on the host network": {
			func(p *pair) { p.job.Spec.Template.Spec.HostNetwork = true }, []string{"warning spec.template.spec.hostNetwork"},
		},
		"one peer on the host network": {
			func(p *pair) {
				p.job.Spec.Template.Spec.HostNetwork, p.job.Spec.Completions = true, new(int32(1))
			}, nil,
		},
		"variables": {
			func(p *pair) {
				p.job.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{
					{Name: "A", Value: "$(KNOWN) $(B) $$(C)"}, {Name: "B", Value: "$(A) $(C)"},
				}
			}, []string{"warning spec.template.spec.containers[0].env[0].value", "warning spec.template.spec.containers[0].env[1].value"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, newPair(test.change).check()); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// noFields is a Pod whose fields nobody knows.
func noFields(string) (string, bool) { return "", false }

// TestStringLengths_variables counts strings as the program gets them: a name can be shorter
// than what stands for it, and longer, and values double with each variable.
func TestStringLengths_variables(t *testing.T) {
	fields := func(string) (string, bool) { return "train", true }
	name := corev1.EnvVar{Name: "A_RATHER_LONG_NAME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['job-name']"}}}
	secret := corev1.EnvVar{Name: "SECRET", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{Key: "key"}}}
	long := corev1.EnvVar{Name: "LONG", Value: strings.Repeat("x", 1000)}
	times := func(word string, n int) string { return strings.Repeat(word, n) }
	doubling := []corev1.EnvVar{long}
	for i := range 64 {
		last := doubling[len(doubling)-1].Name
		doubling = append(doubling, corev1.EnvVar{Name: fmt.Sprintf("TWICE_%d", i), Value: "$(" + last + ")$(" + last + ")"})
	}
	env := "template.spec.containers[0].env"
	for what, test := range map[string]struct {
		env, before []corev1.EnvVar
		args        []string
		want        []string
	}{
		"a name that gets shorter":    {[]corev1.EnvVar{name, {Name: "ALL", Value: times("$(A_RATHER_LONG_NAME)", 10_000)}}, nil, nil, nil},
		"one that just fits":          {[]corev1.EnvVar{name, {Name: "A", Value: times("$(A_RATHER_LONG_NAME)", 26_213) + "1234"}}, nil, nil, nil},
		"one byte more":               {[]corev1.EnvVar{name, {Name: "A", Value: times("$(A_RATHER_LONG_NAME)", 26_213) + "12345"}}, nil, nil, []string{env + "[1].value"}},
		"a name that gets longer":     {[]corev1.EnvVar{long, {Name: "ALL", Value: times("$(LONG)", 132)}}, nil, nil, []string{env + "[1].value"}},
		"a name that no variable has": {[]corev1.EnvVar{{Name: "ALL", Value: times("$(OTHER)", 20_000)}}, nil, nil, []string{env + "[0].value"}},
		"a variable that comes later": {[]corev1.EnvVar{{Name: "ALL", Value: times("$(LONG)", 132)}, long}, nil, nil, nil},
		"a dollar sign":               {[]corev1.EnvVar{long, {Name: "ALL", Value: times("$$(LONG)", 132)}}, nil, nil, nil},
		"a Secret":                    {[]corev1.EnvVar{secret, {Name: "ALL", Value: times("$(SECRET)", 20_000)}}, nil, nil, nil},
		"a variable before":           {[]corev1.EnvVar{{Name: "ALL", Value: times("$(LONG)", 132)}}, []corev1.EnvVar{long}, nil, []string{env + "[0].value"}},
		"an argument":                 {[]corev1.EnvVar{long}, nil, []string{times("$(LONG)", 132)}, []string{"template.spec.containers[0].args[0]"}},
		"an argument that fits":       {[]corev1.EnvVar{name}, nil, []string{times("$(A_RATHER_LONG_NAME)", 10_000)}, nil},
		"values that double":          {doubling[:9], nil, nil, []string{env + "[8].value"}},
	} {
		template := &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Env: test.env, Args: test.args}}}}
		var got []string
		for _, err := range StringLengths(template, func(*corev1.Container) []corev1.EnvVar { return test.before }, fields, templatePath) {
			got = append(got, err.Field)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	if errs := StringLengths(&corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Env: doubling}}}}, nil, fields, templatePath); len(errs) != 57 {
		t.Errorf("64 values that double: %d errors, want those of the 57 from 2^8 on", len(errs))
	}
}

// TestStringLengths_nul has NUL bytes wherever a program would get them.
func TestStringLengths_nul(t *testing.T) {
	template := templateOf(t, `{command: ["a\0"], args: [a, "\0"], workingDir: "/\0", env: [{name: A, value: "\0"}], livenessProbe: {exec: {command: ["\0"]}}, lifecycle: {preStop: {exec: {command: ["\0"]}}}}`)
	var got []string
	for _, err := range StringLengths(template, nil, noFields, templatePath) {
		got = append(got, err.Field)
	}
	const w = "template.spec.containers[0]."
	want := []string{w + "env[0].value", w + "command[0]", w + "args[1]", w + "workingDir", w + "livenessProbe.exec.command[0]", w + "lifecycle.preStop.exec.command[0]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestResourceFields has references to containers, wherever they can be.
func TestResourceFields(t *testing.T) {
	ref := func(container string) *corev1.ResourceFieldSelector {
		return &corev1.ResourceFieldSelector{ContainerName: container, Resource: "limits.cpu"}
	}
	files := func(container string) []corev1.DownwardAPIVolumeFile {
		return []corev1.DownwardAPIVolumeFile{{Path: "a", ResourceFieldRef: ref(container)}}
	}
	volumes := func(container string) []corev1.Volume {
		return []corev1.Volume{
			{VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: files(container)}}},
			{VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{DownwardAPI: &corev1.DownwardAPIProjection{Items: files(container)}}}}}},
		}
	}
	for container, want := range map[string][]string{
		"w": nil, "i": nil,
		"x": {
			"template.spec.containers[0].env[0].valueFrom.resourceFieldRef.containerName",
			"template.spec.volumes[0].downwardAPI.items[0].resourceFieldRef.containerName",
			"template.spec.volumes[1].projected.sources[0].downwardAPI.items[0].resourceFieldRef.containerName",
		},
	} {
		template := templateOf(t, "env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]")
		template.Spec.InitContainers = []corev1.Container{{Name: "i"}}
		template.Spec.Containers[0].Env[0].ValueFrom.ResourceFieldRef = ref(container)
		template.Spec.Volumes = volumes(container)
		var got []string
		for _, err := range ResourceFields(template, templatePath) {
			got = append(got, err.Field)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", container, diff)
		}
	}
}
