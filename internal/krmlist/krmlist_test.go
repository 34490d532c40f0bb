// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const head = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"

var readAll = NewReader(func(string) bool { return true })

// write writes a list with these objects.
func write(t *testing.T, list List, objects []*Object) string {
	t.Helper()
	out, err := list.Encode(objects, nil)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := out(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestObject_forms changes objects of every form, and has what is written then.
func TestObject_forms(t *testing.T) {
	const text = head + "# above\n- kind: A\n  metadata: {name: a} # beside\n- kind: B\n  metadata:\n    name: b # mine\n"
	service := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Name: "s"},
	}
	tests := map[string]struct {
		read   Reader
		text   string
		change func(objects []*Object) []*Object
		want   string
	}{
		"text, nothing": {readAll, text, func(o []*Object) []*Object { return o }, text},
		"text, a line between others": {
			readAll, text, func(o []*Object) []*Object { o[1].Annotate("k", "v"); return o[1:] },
			head + "- kind: B\n  metadata:\n    name: b # mine\n    annotations:\n      k: \"v\"\n",
		},
		"text, annotated twice": {
			readAll, text, func(o []*Object) []*Object { o[1].Annotate("k", "v"); o[1].Annotate("k", "w"); return o[1:] },
			head + "- kind: B\n  metadata:\n    name: b # mine\n    annotations:\n      k: \"w\"\n",
		},
		"text, no place for a line": {
			readAll, text, func(o []*Object) []*Object { o[0].Annotate("k", "v"); return o[:1] },
			head + "# above\n- kind: A\n  metadata: {name: a, annotations: {k: \"v\"}} # beside\n",
		},
		"text, made": {
			readAll, text, func(o []*Object) []*Object { return append(o[:0:0], NewMade(service, "")) },
			head + "- apiVersion: v1\n  kind: Service\n  metadata:\n    name: s\n",
		},
		"text, made in the place of another": {
			readAll, text, func(o []*Object) []*Object {
				made := NewMade(service, "")
				made.Replace(o[0], made.Node())
				return append(o[:0:0], made)
			},
			head + "# above\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: s\n",
		},
		"parsed, nothing": {ReadParsed, text, func(o []*Object) []*Object { return o }, text},
		"parsed, annotated": {
			ReadParsed, text, func(o []*Object) []*Object { o[1].Annotate("k", "v"); return o[1:] },
			head + "- kind: B\n  metadata:\n    name: b # mine\n    annotations:\n      k: \"v\"\n",
		},
		"parsed, an alias whose anchor is gone": {
			ReadParsed, head + "- &a {kind: A}\n- *a\n", func(o []*Object) []*Object { return o[1:] }, head + "- {kind: A}\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			list, err := tt.read([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, write(t, list, tt.change(list.Objects()))); diff != "" {
				t.Errorf("list (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadFile(t *testing.T) {
	const text = "# only a comment\n---\nkind: A\n---\n{\"kind\": \"B\"}\n{\"kind\": \"C\"}\n---\na: [\n---\njust text\n"
	objects, errs := ReadFile("f.yaml", []byte(text))
	var kinds []string
	for i, o := range objects {
		kinds = append(kinds, o.Kind)
		if o.File != "f.yaml" || o.Index != i {
			t.Errorf("object %d is in %s, %d", i, o.File, o.Index)
		}
	}
	if diff := cmp.Diff([]string{"", "A", "B", "C", "", ""}, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	if len(errs) != 1 || errs[objects[4]] == nil || errs[objects[4]].Error() != "yaml: line 8: did not find expected node content; line 8 has a bracket without an end; write a: []" {
		t.Errorf("errors: %v", errs)
	}
}
