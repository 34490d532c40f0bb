// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestIdentify(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want string // "" where it must not be sure
	}{
		"an object":                {"# about\napiVersion: batch/v1\nkind: Job\nmetadata:\n  name: a\n  namespace: n\nspec:\n  x: |\n    kind: Other\n", "batch/v1 Job n/a"},
		"a list at its key":        {"kind: A\nargs:\n- kind: B\n- c\nmetadata: {}\n", " A /"},
		"another order":            {"metadata:\n  name: a\nkind: A\napiVersion: v1\n", "v1 A /a"},
		"flow style":               {"{kind: A}\n", ""},
		"metadata in flow style":   {"kind: A\nmetadata: {name: a}\n", ""},
		"a list":                   {"- kind: A\n", ""},
		"a template":               {"kind: A\nmetadata:\n  name: {{ .Values.name }}\n", ""},
		"a template's instruction": {"kind: A\n{{- if x }}\nmetadata:\n  name: a\n{{- end }}\n", ""},
		"a key twice":              {"kind: A\nkind: B\n", ""},
		"a text":                   {"kind\n", ""},
		"broken":                   {"kind: A\n  b: c\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			item, sure := new(Identifier).Identify([]byte(test.text))
			got := ""
			if sure {
				got = item.APIVersion + " " + item.Kind + " " + item.Namespace + "/" + item.Name
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// checkIdentify holds what Identify is sure of to yaml/v3.
func checkIdentify(t *testing.T, text []byte) {
	item, sure := new(Identifier).Identify(text)
	if !sure {
		return
	}
	decoder := yaml.NewDecoder(bytes.NewReader(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))))
	var document, more yaml.Node
	err := decoder.Decode(&document)
	if err != nil && err.Error() != "EOF" {
		t.Fatalf("%q: Identify is sure, and yaml/v3 says: %v", text, err)
	}
	if decoder.Decode(&more) == nil {
		t.Fatalf("%q: Identify is sure of several documents", text)
	}
	want := map[string]string{"apiVersion": "", "kind": "", "name": "", "namespace": ""}
	if len(document.Content) > 0 {
		for key, value := range identityOf(document.Content[0]) {
			if _, found := want[key]; found {
				want[key] = value
			}
		}
	}
	got := map[string]string{"apiVersion": item.APIVersion, "kind": item.Kind, "name": item.Name, "namespace": item.Namespace}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%q (-yaml/v3 +Identify):\n%s", text, diff)
	}
}

func TestIdentify_hostile(t *testing.T) {
	for _, text := range hostile {
		checkIdentify(t, []byte(text))
		checkIdentify(t, []byte(strings.NewReplacer("- ", "", "\n  ", "\n").Replace(strings.TrimPrefix(text, head+"items:\n"))))
	}
}

func FuzzIdentify(f *testing.F) {
	for _, text := range hostile {
		f.Add([]byte(strings.NewReplacer("- ", "", "\n  ", "\n").Replace(strings.TrimPrefix(text, head+"items:\n"))))
	}
	f.Fuzz(func(t *testing.T, text []byte) { checkIdentify(t, text) })
}

func TestItems(t *testing.T) {
	const list = "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: a\n- kind: B\nkind: List\nmetadata:\n  resourceVersion: \"\"\n"
	items, err := Items([]byte(list))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range items {
		got = append(got, item.Kind+" "+item.Name)
	}
	if diff := cmp.Diff([]string{"Service a", "B "}, got); diff != "" {
		t.Error(diff)
	}
	for _, other := range []string{"kind: List\n", "kind: List\nitems: [{kind: A}]\n", "kind: &k List\nitems:\n- kind: *k\n", "kind: List\nitems:\n- kind: A\nspec: x\n"} {
		if _, err := Items([]byte(other)); err == nil {
			t.Errorf("%q: no error", other)
		}
	}
}
