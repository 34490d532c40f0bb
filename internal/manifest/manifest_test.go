// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

func encoded(t testing.TB, object any) string {
	t.Helper()
	node, err := Encode(object)
	if err != nil {
		t.Fatal(err)
	}
	data, err := Bytes(node)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestEncode(t *testing.T) {
	tests := map[string]struct {
		give any
		want string
	}{
		"no noise": {
			&batchv1.Job{
				TypeMeta: metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"}, ObjectMeta: metav1.ObjectMeta{Name: "a"},
				Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
					Containers: []corev1.Container{{Name: "w", Env: []corev1.EnvVar{{Name: "CPU", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.cpu"}}}}}},
				}}},
			},
			"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: a\nspec:\n  template:\n    spec:\n      containers:\n      - name: w\n        env:\n        - name: CPU\n          valueFrom:\n            resourceFieldRef:\n              resource: limits.cpu\n",
		},
		"empty on purpose": {
			&corev1.PodSpec{
				Containers:      []corev1.Container{{Name: "w", SecurityContext: &corev1.SecurityContext{}}},
				SecurityContext: &corev1.PodSecurityContext{},
				Volumes:         []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
			},
			"securityContext: {}\ncontainers:\n- name: w\n  securityContext: {}\nvolumes:\n- name: v\n  emptyDir: {}\n",
		},
		"what wires the peers first": {
			&corev1.ServiceSpec{ClusterIP: "None", Selector: map[string]string{"b": "1", "a": "2"}, Ports: []corev1.ServicePort{{Port: 80}, {Port: 81, TargetPort: intstr.FromString("web")}, {Port: 82, TargetPort: intstr.FromInt32(83)}}},
			"clusterIP: None\nselector:\n  a: \"2\"\n  b: \"1\"\nports:\n- port: 80\n- port: 81\n  targetPort: web\n- port: 82\n  targetPort: 83\n",
		},
		"quantities": {
			&corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("0.5"), "memory": resource.MustParse("1Gi"), "gpu": resource.MustParse("8")}},
			"limits:\n  cpu: 500m\n  gpu: \"8\"\n  memory: 1Gi\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, encoded(t, tt.give)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncode_refuses(t *testing.T) {
	for name, give := range map[string]any{"a struct": corev1.Pod{}, "nil": (*corev1.Pod)(nil), "a string": new("x"), "an unknown type": &struct{ A float64 }{1}} {
		if _, err := Encode(give); err == nil {
			t.Errorf("%s was encoded", name)
		}
	}
}

// awkward are strings that some reader of YAML takes for something else, or
// that a writer of YAML gets wrong.
var awkward = []string{
	"", " ", "a b", " a", "a ", "yes", "no", "on", "Off", "y", "N", "true", "null", "~", "1", "-1", "1.5", "1e3", ".5", "+1", "0x1F", "017", "0o17", "1_000",
	"1:30", "190:20:30", "2001-02-03", "=", "<<", "-", "- a", "a: b", "a #b", "#a", "{a}", "[a]", "*a", "&a", "!a", "%a", "@a", "`a", "'a'", "\"a\"",
	"a\nb", "a\nb\n", "a\n\n", "\na", "\n", "  a\nb", "a \nb", "a\t\nb", "\t\na", "\ta\nb", " \ta\nb", "\n\ta", "a\r\nb", "a\rb", "a\u0085b\nc", "a\u2028b\nc", "\u2029", "\ufeffa", "tab\tin", "\x00", "\x07", "\x7f",
	"---", "...", "---\na", "a\n---\nb", "é ü 漢字", "😀", "\\", "\"", "a\\nb", "? a", "| a", "> a", "NaN", ".inf", "0.", "1.", "0b1", "a:", ":a", "a,b",
}

func TestText(t *testing.T) {
	for _, text := range awkward {
		checkText(t, text)
	}
}

// FuzzText holds what is written to two readers: the one of kubectl (YAML 1.1)
// and the one of kustomize (YAML 1.2). Both must see the string.
func FuzzText(f *testing.F) {
	for _, text := range awkward {
		f.Add(text)
	}
	f.Fuzz(checkText)
}

func checkText(t *testing.T, text string) {
	t.Helper()
	if quoted := text == "" || kyaml.IsValueNonString(text) || oldNonString.MatchString(text); quoted && Text(text).Style == 0 {
		t.Errorf("%q stands without quotes, and some reader takes it for something else", text)
	}
	// As a value, a list element and a key; through JSON first, which has no
	// invalid UTF-8, as every string has that comes from an API object.
	var valid string
	data, _ := json.Marshal(text)
	if err := json.Unmarshal(data, &valid); err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{valid: valid, "z": "z"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Args: []string{valid, "z", valid}}}},
	}
	out := encoded(t, pod)
	var byKubectl, byKustomize corev1.Pod
	if err := sigsyaml.UnmarshalStrict([]byte(out), &byKubectl); err != nil {
		t.Fatalf("%q: kubectl: %v\n%s", text, err, out)
	}
	var node any
	if err := yaml.Unmarshal([]byte(out), &node); err != nil {
		t.Fatalf("%q: kustomize: %v\n%s", text, err, out)
	}
	asJSON, err := json.Marshal(node)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(asJSON, &byKustomize); err != nil {
		t.Fatalf("%q: kustomize: %v\n%s", text, err, out)
	}
	for reader, got := range map[string]corev1.Pod{"kubectl": byKubectl, "kustomize": byKustomize} {
		if diff := cmp.Diff(*pod, got); diff != "" {
			t.Errorf("%q: %s reads (-want +got):\n%s\n%s", text, reader, diff, out)
		}
	}
}
