// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/peerjob/peerjob/internal/kinds"
)

// TestObject_Pack compares a packed object with one that is not, whatever is done to it:
// nobody may see the difference, in a list, in a file and in JSON.
func TestObject_Pack(t *testing.T) {
	newJob := func() kinds.Object {
		return &batchv1.Job{
			TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
			ObjectMeta: metav1.ObjectMeta{Name: "a", Annotations: map[string]string{"peerjob.dev/owner": "a", "z": "y"}},
			Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				Containers: []corev1.Container{{Name: "w", Args: []string{"-c", "echo a\n\necho b\n"}}},
			}}},
		}
	}
	for name, change := range map[string]func(*Object){
		"nothing":               func(*Object) {},
		"annotated":             func(o *Object) { o.Annotate("k", `v "w"`); o.Annotate("l", "") },
		"annotated twice":       func(o *Object) { o.Annotate("k", "v"); o.Annotate("k", "w") },
		"annotated anew":        func(o *Object) { o.Annotate("z", "x") },
		"annotated in Unicode":  func(o *Object) { o.Annotate("k", "v"); o.Annotate("l", "ü") },
		"someone has its node":  func(o *Object) { o.Annotate("k", "v"); o.Node(); o.Annotate("l", "w") },
		"in the place of other": func(o *Object) { o.Replace(NewMade(newJob(), ""), o.Node()) },
	} {
		t.Run(name, func(t *testing.T) {
			packed, plain := NewMade(newJob(), "p"), NewMade(newJob(), "p")
			packed.Pack(newJob)
			if packed.body.(*made).typed != nil {
				t.Fatal("keeps the typed object")
			}
			change(packed)
			change(plain)
			for form, write := range map[string]func(*Object) []byte{
				"item":     func(o *Object) []byte { return encodedItem(t, o) },
				"document": func(o *Object) []byte { return written(t, WriteYAML, o) },
				"JSON":     func(o *Object) []byte { return written(t, WriteJSON, o) },
			} {
				if diff := cmp.Diff(string(write(plain)), string(write(packed))); diff != "" {
					t.Errorf("%s (-plain +packed):\n%s", form, diff)
				}
			}
			if diff := cmp.Diff(plain.Annotations, packed.Annotations); diff != "" {
				t.Errorf("annotations (-plain +packed):\n%s", diff)
			}
		})
	}
}

func encodedItem(t *testing.T, o *Object) []byte {
	t.Helper()
	item, err := o.encoded(true)
	if err != nil {
		t.Fatal(err)
	}
	return item
}

func written(t *testing.T, write func(*bytes.Buffer, []*Object) error, o *Object) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out, []*Object{o}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
