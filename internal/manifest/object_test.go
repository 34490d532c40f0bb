// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// checkTyped holds the text of an object to what kyaml writes of its nodes, and reports
// whether the object has a text.
func checkTyped(t *testing.T, object any) bool {
	t.Helper()
	text, ok := Write(object)
	if !ok {
		return false
	}
	node, err := Encode(object)
	if err != nil {
		t.Fatalf("has a text, and no nodes: %v\n%s", err, text.Item)
	}
	check := func(what string, node *yaml.Node, got []byte) {
		t.Helper()
		want, err := byKyaml(node)
		if err != nil {
			t.Fatalf("has a text, and kyaml refuses it: %v\n%s", err, got)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-kyaml +peerjob):\n%s", what, diff)
		}
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{node}}
	check("item", list, text.Item)
	check("document", node, text.Document())
	const key, value = "example.com/key", "a \"value\""
	if text.Annotate(key, value) {
		annotations := child(child(node, "metadata"), "annotations")
		annotations.Content = append(annotations.Content, Text(key), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Style: yaml.DoubleQuotedStyle})
		check("annotated item", list, text.Item)
		check("annotated document", node, text.Document())
	}
	return true
}

// child is the value of a key, an empty node if there is none.
func child(node *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return &yaml.Node{}
}

// TestWrite has the forms that a value can have. None may be left to nodes.
func TestWrite(t *testing.T) {
	for name, object := range map[string]any{
		"lists in a map in a list":   &corev1.PodSpec{Containers: []corev1.Container{{Name: "w", Args: []string{"a"}, Env: []corev1.EnvVar{{Name: "A", Value: "b"}}}}},
		"elements with nothing":      &corev1.PodSpec{ReadinessGates: []corev1.PodReadinessGate{{}, {}}, Volumes: []corev1.Volume{{}, {Name: "v"}}},
		"structs with nothing":       &batchv1.Job{Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{}}}, Suspend: new(false)}},
		"empty on purpose":           &corev1.PodSpec{Volumes: []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}},
		"what is written when empty": &networkingv1.NetworkPolicy{Spec: networkingv1.NetworkPolicySpec{Ingress: []networkingv1.NetworkPolicyIngressRule{{}, {From: []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}}}}}},
		"values that write themselves": &corev1.Container{
			Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("0.5"), "memory": resource.MustParse("1Gi")}},
			Ports:     []corev1.ContainerPort{{ContainerPort: 80}}, LivenessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString("a")}}}},
		"text of several lines": &corev1.ConfigMap{Data: map[string]string{"a": "b\nc\n", "d": "e", "f": "g\n\nh"}},
	} {
		t.Run(name, func(t *testing.T) {
			if !checkTyped(t, object) {
				t.Error("has no text")
			}
		})
	}
}

func TestWrite_refuses(t *testing.T) {
	for name, give := range map[string]any{"a struct": corev1.Pod{}, "nil": (*corev1.Pod)(nil), "a string": new("x"), "an unknown type": &struct{ A float64 }{1}} {
		if text, ok := Write(give); ok {
			t.Errorf("%s: writes %s", name, text.Item)
		}
	}
}

func TestWritten_Annotate(t *testing.T) {
	text, ok := Write(&batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Annotations: map[string]string{"z": "y", "b": "c"}, Labels: map[string]string{"l": "m"}},
		Spec:       batchv1.JobSpec{Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{"d": "e"}}}},
	})
	if !ok || !text.Annotate("f", `g "h"`) || !text.Annotate("i", "") || text.Annotate("j", "k\n") {
		t.Fatal("takes another annotation than it must")
	}
	want := "- metadata:\n    name: a\n    labels:\n      l: m\n    annotations:\n      b: c\n      z: \"y\"\n      f: \"g \\\"h\\\"\"\n      i: \"\"\n" +
		"  spec:\n    template:\n      metadata:\n        annotations:\n          d: e\n"
	if diff := cmp.Diff(want, string(text.Item)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if without, _ := Write(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "a"}}); without.Annotate("f", "g") {
		t.Errorf("annotates what has no annotations:\n%s", without.Item)
	}
}

// FuzzWrite fills objects of every kind that peerjob makes, and holds what is written
// without nodes to the nodes, as kyaml writes them.
func FuzzWrite(f *testing.F) {
	f.Add([]byte("\x01\x02\x03name\x00\x01\x01\x02label\x00a: b\x00\x01\x01"))
	f.Add([]byte(strings.Repeat("\x01\x01echo a\necho b\n\x00\x02yes\x00\x01", 40)))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, object := range []any{&corev1.Service{}, &corev1.ConfigMap{}, &networkingv1.NetworkPolicy{}, &batchv1.Job{}} {
			filler := filler{data}
			filler.fill(reflect.ValueOf(object).Elem(), 0)
			checkTyped(t, object)
		}
	})
}

// filler fills a value from bytes.
type filler struct{ data []byte }

// next is the next byte, 0 at the end.
func (f *filler) next() byte {
	if len(f.data) == 0 {
		return 0
	}
	first := f.data[0]
	f.data = f.data[1:]
	return first
}

// text is the text up to the next zero.
func (f *filler) text() string {
	text, rest, _ := strings.Cut(string(f.data), "\x00")
	f.data = []byte(rest)
	return strings.ToValidUTF8(text, "")
}

func (f *filler) fill(value reflect.Value, depth int) {
	if !value.CanSet() || depth > 16 || len(f.data) == 0 {
		return
	}
	if value.Type() == reflect.TypeFor[resource.Quantity]() {
		value.Set(reflect.ValueOf(*resource.NewMilliQuantity(int64(f.next())*100, resource.DecimalSI)))
		return
	}
	switch value.Kind() {
	case reflect.Pointer:
		if f.next()%4 == 1 {
			value.Set(reflect.New(value.Type().Elem()))
			f.fill(value.Elem(), depth+1)
		}
	case reflect.Struct:
		for i := range value.NumField() {
			f.fill(value.Field(i), depth+1)
		}
	case reflect.Slice:
		n := int(f.next() % 4)
		if n == 0 {
			return
		}
		value.Set(reflect.MakeSlice(value.Type(), n-1, n))
		for i := range n - 1 {
			f.fill(value.Index(i), depth+1)
		}
	case reflect.Map:
		n := int(f.next() % 4)
		if n == 0 {
			return
		}
		value.Set(reflect.MakeMap(value.Type()))
		for range n - 1 {
			key, content := reflect.New(value.Type().Key()).Elem(), reflect.New(value.Type().Elem()).Elem()
			f.fill(key, depth+1)
			f.fill(content, depth+1)
			value.SetMapIndex(key, content)
		}
	case reflect.String:
		value.SetString(f.text())
	case reflect.Bool:
		value.SetBool(f.next()%2 == 1)
	case reflect.Int32, reflect.Int64:
		value.SetInt(int64(int8(f.next())))
	}
}
