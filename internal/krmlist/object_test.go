// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"
)

// objectOf returns the object of one item of YAML.
func objectOf(t *testing.T, text string) *Object {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return NewParsed(document.Content[0])
}

func TestObject_String(t *testing.T) {
	for text, want := range map[string]string{
		"{kind: Job, metadata: {name: a, namespace: n}}": "Job n/a",
		"{kind: Job, metadata: {name: a}}":               "Job a",
		"{kind: Job}":                                    "Job",
		"{metadata: {name: a}}":                          "a",
		"{kind: [Job], metadata: [name]}":                "",
		"{}":                                             "",
	} {
		if got := objectOf(t, text).String(); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestObject_Group(t *testing.T) {
	for apiVersion, want := range map[string]string{"v1": "", "batch/v1": "batch", "": "", "a.b/v1/x": "a.b"} {
		if got := (&Object{APIVersion: apiVersion}).Group(); got != want {
			t.Errorf("%q: got %q, want %q", apiVersion, got, want)
		}
	}
}

// TestObject_Identity has what makes two objects one for an orchestrator: the version of
// the API does not count, and the package does.
func TestObject_Identity(t *testing.T) {
	base := func() *Object {
		return &Object{APIVersion: "batch/v1", Kind: "Job", Namespace: "n", Name: "a", Package: "p"}
	}
	same := base()
	same.APIVersion, same.File, same.Index = "batch/v1beta1", "f.yaml", 3
	if same.Identity() != base().Identity() {
		t.Error("another version or file makes no other object")
	}
	for what, change := range map[string]func(o *Object){
		"group": func(o *Object) { o.APIVersion = "v1" }, "kind": func(o *Object) { o.Kind = "Service" }, "namespace": func(o *Object) { o.Namespace = "" },
		"name": func(o *Object) { o.Name = "b" }, "package": func(o *Object) { o.Package = "" },
	} {
		other := base()
		change(other)
		if other.Identity() == base().Identity() {
			t.Errorf("another %s is the same object", what)
		}
	}
}

// TestObject_kustomize has what kustomize says of an object in its annotations.
func TestObject_kustomize(t *testing.T) {
	o := objectOf(t, "{metadata: {name: dev-a-1, annotations: {internal.config.kubernetes.io/previousNames: 'a,a-1', internal.config.kubernetes.io/prefixes: 'dev-,x-', kustomize.config.k8s.io/id: '7'}}}")
	prefixes, suffixes := o.Layers()
	if diff := cmp.Diff([][]string{{"dev-", "x-"}, nil}, [][]string{prefixes, suffixes}); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"dev-a-1", "a", "a-1"}, o.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if !o.InKustomize() || objectOf(t, "{metadata: {name: a}}").InKustomize() {
		t.Error("the id of kustomize says that an object is in its build")
	}
}

// TestObject_position has the annotations that say where an object is, in both forms.
func TestObject_position(t *testing.T) {
	for text, want := range map[string]Object{
		"{}": {},
		"{metadata: {annotations: {internal.config.kubernetes.io/path: a/b.yaml, internal.config.kubernetes.io/index: '3', internal.config.kubernetes.io/package-path: p}}}":                        {File: "a/b.yaml", Index: 3, Package: "p"},
		"{metadata: {annotations: {config.kubernetes.io/path: b.yaml, config.kubernetes.io/index: '2'}}}":                                                                                           {File: "b.yaml", Index: 2},
		"{metadata: {annotations: {config.kubernetes.io/path: old.yaml, internal.config.kubernetes.io/path: new.yaml, config.kubernetes.io/index: '1', internal.config.kubernetes.io/index: '0'}}}": {File: "new.yaml"},
		"{metadata: {annotations: {internal.config.kubernetes.io/index: x}}}":                                                                                                                       {},
	} {
		o := objectOf(t, text)
		if o.File != want.File || o.Index != want.Index || o.Package != want.Package {
			t.Errorf("%s: file %q, index %d, package %q", text, o.File, o.Index, o.Package)
		}
	}
}

func TestNewParsed_ambiguous(t *testing.T) {
	for text, want := range map[string]string{"{kind: A, kind: B}": "kind", "{metadata: {}, metadata: {}}": "metadata", "{apiVersion: a, apiVersion: a, spec: 1}": "apiVersion", "{spec: 1, spec: 2}": ""} {
		var document yaml.Node
		if err := yaml.NewDecoder(strings.NewReader(text)).Decode(&document); err != nil {
			t.Fatal(err)
		}
		if got := NewParsed(document.Content[0]).Ambiguous; got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// TestLocate has the packages of objects, and how messages call their files.
func TestLocate(t *testing.T) {
	const path, pkg = "internal.config.kubernetes.io/path", "internal.config.kubernetes.io/package-path"
	at := func(kind, file, in string, more map[string]string) *Object {
		o := &Object{Kind: kind, File: file, Package: in, Annotations: map[string]string{path: file, pkg: in}}
		for key, value := range more {
			o.Annotations[key] = value
		}
		return o
	}
	for name, test := range map[string]struct {
		objects []*Object
		// want are package and shown file of each.
		want []string
	}{
		"kpt fn render": {
			[]*Object{at("Kptfile", "Kptfile", "/r", nil), at("Job", "a.yaml", "/r", nil), at("Job", "b.yaml", "/r/sub", nil)},
			[]string{"/r Kptfile", "/r a.yaml", "/r/sub sub/b.yaml"},
		},
		"kpt fn eval: the nearest Kptfile above": {
			[]*Object{at("Kptfile", "Kptfile", "", nil), at("Kptfile", "sub/Kptfile", "", nil), at("Job", "sub/deep/a.yaml", "", nil), at("Job", "b.yaml", "", nil), at("Job", "other/c.yaml", "", nil)},
			[]string{" Kptfile", "sub sub/Kptfile", "sub sub/deep/a.yaml", " b.yaml", " other/c.yaml"},
		},
		"kustomize: its paths are made up": {
			[]*Object{at("Job", "job_a.yaml", "", map[string]string{kustomizeIDAnnotation: "1"})}, []string{" "},
		},
		"no file": {[]*Object{at("Job", "", "", nil)}, []string{" "}},
	} {
		t.Run(name, func(t *testing.T) {
			Locate(test.objects)
			var got []string
			for _, o := range test.objects {
				got = append(got, o.Package+" "+o.ShownFile)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestObject_Annotate_shared changes one of two maps that share their YAML.
func TestObject_Annotate_shared(t *testing.T) {
	for name, text := range map[string]string{
		"an alias":           "- {kind: A, metadata: &m {name: a, annotations: {x: y}}}\n- {kind: B, metadata: *m}\n",
		"annotations alone":  "- {kind: A, metadata: {annotations: &m {x: y}}}\n- {kind: B, metadata: {annotations: *m}}\n",
		"the anchor is ours": "- {kind: B, metadata: &m {name: a, annotations: {x: y}}}\n- {kind: A, metadata: *m}\n",
	} {
		t.Run(name, func(t *testing.T) {
			list, err := ReadParsed([]byte(head + text))
			if err != nil {
				t.Fatal(err)
			}
			objects := list.Objects()
			for _, o := range objects {
				if o.Kind == "B" {
					o.Annotate("k", "v")
				}
			}
			again, err := ReadParsed([]byte(write(t, list, objects)))
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range again.Objects() {
				want := map[string]string{"x": "y"}
				if o.Kind == "B" {
					want["k"] = "v"
				}
				if diff := cmp.Diff(want, o.Annotations); diff != "" {
					t.Errorf("%s (-want +got):\n%s", o.Kind, diff)
				}
			}
		})
	}
	// What is no map is none of ours to keep: an annotation needs one.
	o := objectOf(t, "{kind: A, metadata: text}")
	o.Annotate("k", "v")
	if got := NewParsed(o.Node()).Annotations["k"]; got != "v" {
		t.Errorf("metadata that is text: %q", got)
	}
}

func TestObject_Mentions(t *testing.T) {
	list, err := readAll([]byte(head + "- kind: A\n  data: train-0.train\n- kind: B\n"))
	if err != nil {
		t.Fatal(err)
	}
	a, b := list.Objects()[0], list.Objects()[1]
	if !a.Mentions("train-") || b.Mentions("train-") {
		t.Error("only A mentions it")
	}
	if !objectOf(t, "{}").Mentions("train-") {
		t.Error("an object without text may say anything")
	}
	b.Annotate("k", "train-0.train")
	if !b.Mentions("train-") {
		t.Error("B mentions it now")
	}
}

// TestClosest has the objects of one name that a tool would take for the same.
func TestClosest(t *testing.T) {
	of := func(name, namespace, prefixes string) *Object {
		return &Object{Name: name, Namespace: namespace, Annotations: map[string]string{prefixesAnnotation: prefixes}}
	}
	for name, test := range map[string]struct {
		source *Object
		found  []*Object
		want   string
	}{
		"none":                         {of("", "", ""), nil, ""},
		"one, wherever it is":          {of("", "n", ""), []*Object{of("a", "", "")}, "a"},
		"the same namespace":           {of("", "n", ""), []*Object{of("a", "", ""), of("b", "n", "")}, "b"},
		"the same layers":              {of("", "", "x-"), []*Object{of("a", "", ""), of("b", "", "x-")}, "b"},
		"an outer layer of the source": {of("", "", "x-,y-"), []*Object{of("a", "", "z-"), of("b", "", "y-")}, "b"},
		"an inner layer of the source": {of("", "", "y-"), []*Object{of("a", "", "z-"), of("b", "", "x-,y-")}, "b"},
		"no part of a prefix":          {of("", "", "my-"), []*Object{of("a", "", "y-"), of("b", "", "z-")}, "a b"},
		"two of a kind":                {of("", "", ""), []*Object{of("a", "", ""), of("b", "", "")}, "a b"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, o := range Closest(test.source, test.found) {
				got = append(got, o.Name)
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestWriteYAML(t *testing.T) {
	const first, second = "# mine\nkind: A\nmetadata: {name: a} # here\n", "kind: B\nmetadata:\n    name: b\n"
	objects, errs := ReadFile("f.yaml", []byte(first+"---\n"+second+"---\nkind: C"))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	objects[1].Annotate("k", "v")
	var out bytes.Buffer
	if err := WriteYAML(&out, objects); err != nil {
		t.Fatal(err)
	}
	want := first + "---\nkind: B\nmetadata:\n  name: b\n  annotations:\n    k: \"v\"\n---\nkind: C\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// plainJSON is what a text of JSON says, with its numbers as they were written.
func plainJSON(t *testing.T, text string) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestWriteJSON(t *testing.T) {
	const text = "# a comment\n---\nkind: A\nmetadata: {name: a, labels: &l {a: \"<b>\"}, annotations: *l}\n---\n{\"kind\": \"B\", \"n\": 12345678901234567890}\n"
	objects, errs := ReadFile("f.yaml", []byte(text))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var out bytes.Buffer
	if err := WriteJSON(&out, objects); err != nil {
		t.Fatal(err)
	}
	const want = `{"apiVersion": "v1", "kind": "List", "items": [
		{"kind": "A", "metadata": {"name": "a", "labels": {"a": "<b>"}, "annotations": {"a": "<b>"}}},
		{"kind": "B", "n": 12345678901234567890}]}`
	if diff := cmp.Diff(plainJSON(t, want), plainJSON(t, out.String())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	objects, _ = ReadFile("f.yaml", []byte("- a\n"))
	if err := WriteJSON(&out, objects); err == nil || err.Error() != "f.yaml: holds a document that is no object, which has no place in a List" {
		t.Errorf("a list: %v", err)
	}
}

// TestReadParsed_errors has what is no ResourceList, or two at once. What could be read
// goes out again.
func TestReadParsed_errors(t *testing.T) {
	const cure = `: one ResourceList is required; to expand plain YAML, run "peerjob expand -"`
	for text, want := range map[string]string{
		"":                                    "stdin: is empty: a ResourceList is required",
		"# only a comment\n":                  "stdin: is empty: a ResourceList is required",
		"kind: Job\n":                         "stdin: holds a Job" + cure,
		"a: b\n":                              "stdin: holds no object" + cure,
		"- a\n":                               "stdin: holds no object" + cure,
		"kind: A\n---\nkind: B":               "stdin: holds 2 documents" + cure,
		"a: [\n":                              "stdin: yaml: line 1: did not find expected node content; line 1 has a bracket without an end; write a: []",
		"kind: ResourceList\nitems: {a: b}\n": "stdin: items: must be a list",
		"kind: ResourceList\nitems: []\nitems: []\n":                            "stdin: line 3: items: duplicate key; only one of the two can be read; join them",
		"kind: ResourceList\nfunctionConfig: {}\nfunctionConfig: {}\nitems: []": "stdin: line 3: functionConfig: duplicate key; only one of the two can be read; join them",
		"kind: ResourceList\nitems: []\nItems: [{kind: PeerJob}]\n":             "stdin: line 3: Items: unknown key, and nothing below it would be read; write items",
		"{\"kind\": \"ResourceList\", \"ITEMS\": []}":                           "stdin: line 1: ITEMS: unknown key, and nothing below it would be read; write items",
		"kind: ResourceList\n<<: {items: []}\n":                                 `stdin: line 2: "<<" is not for a ResourceList: write the keys that it merges`,
		"a: &a [*a]\n":                                                          "stdin: yaml: line 1: anchor 'a' value contains itself",
	} {
		list, err := ReadParsed([]byte(text))
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
		if out := write(t, list, list.Objects()); !strings.Contains(out, "kind: ResourceList\nitems:") {
			t.Errorf("%q: no list goes out: %s", text, out)
		}
	}
}

// TestReader_functionConfig has lists with a config, in text form and parsed, and results
// of functions that ran before.
func TestReader_functionConfig(t *testing.T) {
	for name, read := range map[string]Reader{"text": readAll, "parsed": ReadParsed} {
		for config, want := range map[string]string{
			"functionConfig: {kind: ConfigMap, metadata: {name: c}}\n": "ConfigMap c",
			"functionConfig: null\n":                                   "",
			"functionConfig: ~\n":                                      "",
			"":                                                         "",
		} {
			list, err := read([]byte(head + "- kind: A\n" + config + "results:\n- message: before\n"))
			if err != nil {
				t.Fatal(err)
			}
			// A config of null is none.
			switch o := list.FunctionConfig(); {
			case (o == nil) != (want == ""):
				t.Errorf("%s, %q: got %v", name, config, o)
			case o != nil && o.String() != want:
				t.Errorf("%s, %q: got %q", name, config, o)
			}
			var back struct {
				Items   []map[string]any
				Results []struct{ Message string }
			}
			if err := sigsyaml.Unmarshal([]byte(write(t, list, list.Objects())), &back); err != nil || len(back.Items) != 1 || len(back.Results) != 1 || back.Results[0].Message != "before" {
				t.Errorf("%s, %q: %v, %+v", name, config, err, back)
			}
		}
	}
	if Empty().FunctionConfig() != nil || len(Empty().Objects()) != 0 {
		t.Error("an empty list has nothing")
	}
}

// TestSettleAliases_tooLarge has aliases of aliases, which would be written out.
func TestSettleAliases_tooLarge(t *testing.T) {
	text := head + "- &a0 {kind: A}\n"
	for i := 1; i < 9; i++ {
		name := string(rune('0' + i))
		before := "*a" + string(rune('0'+i-1))
		text += "- &a" + name + " [" + strings.Repeat(before+", ", 12) + "]\n"
	}
	// The last item alone must be written without the anchors of the others.
	for first, want := range map[int]error{8: ErrTooLarge, 0: nil} {
		list, err := ReadParsed([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := list.Encode(list.Objects()[first:], nil); err != want {
			t.Errorf("from item %d on: got %v, want %v", first, err, want)
		}
	}
}
