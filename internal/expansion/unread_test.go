// SPDX-License-Identifier: Apache-2.0

package expansion

import (
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/values"
)

// TestExpansion_unread has the values and snippets of a PeerJob that no template uses. The
// template of every case reads .Values.a.
func TestExpansion_unread(t *testing.T) {
	const rest = "; remove it, or read it with {{ .Values."
	for name, test := range map[string]struct {
		spec string
		want []string
	}{
		"all read":         {"  values: {a: x}\n", nil},
		"no identifier":    {"  values: {a: x, my-key: 1, b: {c-d: {e: 1}}}\n", []string{`spec.values.b: no template reads this value` + rest + `b }}`, `spec.values.my-key: no template reads this value; remove it, or read it with {{ index .Values "my-key" }}`}},
		"one too many":     {"  values: {a: x, other: {b: 1}}\n", []string{"spec.values.other: no template reads this value" + rest + "other }}"}},
		"misspelled":       {"  service: {name: 's{{ if .Values.verbose }}v{{ end }}'}\n  values: {a: x, verbsoe: true}\n", []string{"spec.values.verbsoe: no template reads this value; did you mean verbose?"}},
		"an anchor":        {"  values: {a: x, other: {b: &b svc}}\n  service: {name: *b}\n", nil},
		"removes a key":    {"  values: {a: x, other: null}\n", nil},
		"in a map":         {"  service: {name: '{{ .Values.b.name }}'}\n  values: {a: x, b: {name: svc, tga: 1, c: {d: 1}}}\n", []string{"spec.values.b.c: no template reads this value" + rest + "b.c }}", "spec.values.b.tga: no template reads this value" + rest + "b.tga }}"}},
		"a near miss":      {"  service: {name: 's{{ if .Values.b.tag }}-{{ .Values.b.tag }}{{ end }}'}\n  values: {a: x, b: {tga: 1}}\n", []string{"spec.values.b.tga: no template reads this value; did you mean tag?"}},
		"all of a map":     {"  service: {name: 's{{ len .Values.b }}'}\n  values: {a: x, b: {c: {d: 1}}}\n", nil},
		"all of all":       {"  service: {name: 's{{ len .Values }}'}\n  values: {a: x, b: {c: {d: 1}}}\n", nil},
		"by tpl":           {"  service: {name: '{{ tpl .Values.text . }}'}\n  values: {a: x, text: 's{{ .Values.b }}', b: 1}\n", nil},
		"by a snippet":     {"  service: {name: '{{ include \"s\" . }}'}\n  snippets: {s: 's{{ .Values.b }}'}\n  values: {a: x, b: 1}\n", nil},
		"by index":         {"  service: {name: '{{ index .Values \"my-key\" }}'}\n  values: {a: x, my-key: s, b: 1}\n", []string{"spec.values.b: no template reads this value" + rest + "b }}"}},
		"a snippet":        {"  values: {a: x}\n  snippets: {s: 'text'}\n", []string{`spec.snippets[s]: no template includes this snippet; remove it, or write {{ include "s" . }}`}},
		"any snippet":      {"  service: {name: '{{ include .Values.b . }}'}\n  values: {a: x, b: s}\n  snippets: {s: text, t: text}\n", nil},
		"no values read":   {"  snippets: {}\n  values: {a: x}\n", nil},
		"too many to read": {"  values: {a: x, b0: 1, b1: 1, b2: 1, b3: 1, b4: 1, b5: 1, b6: 1, b7: 1, b8: 1, b9: 1, c0: 1, c1: 1}\n", unread(rest, "b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9", "; and 2 more like this")},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range test.want {
				test.want[i] = "warning: " + test.want[i]
			}
			_, said := expandOf(t, withValues("", test.spec), v1alpha1.Settings{}, nil)
			if diff := cmp.Diff(test.want, said); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestReaderOf holds that what a warning advises reads that value: text/template is asked.
func TestReaderOf(t *testing.T) {
	for _, keys := range [][]string{{"a"}, {"my-key"}, {"a", "b_2", "é"}, {"a", "b.c", "d"}, {"my-key", "a"}, {"1"}, {"a", "x/y"}, {`"`}, {""}, {"a", "\n`"}} {
		data := any("found")
		for _, key := range slices.Backward(keys) {
			data = map[string]any{key: data}
		}
		var out strings.Builder
		advice := "{{ " + readerOf(keys) + " }}"
		parsed, err := template.New("").Parse(advice)
		if err == nil {
			err = parsed.Execute(&out, map[string]any{"Values": data})
		}
		if err != nil || out.String() != "found" {
			t.Errorf("%q: %s: %q, %v", keys, advice, out.String(), err)
		}
	}
}

// unread are the warnings of some keys, and what is behind the last one.
func unread(rest string, keys ...string) (want []string) {
	last := len(keys) - 1
	for _, key := range keys[:last] {
		want = append(want, "spec.values."+key+": no template reads this value"+rest+key+" }}")
	}
	want[last-1] += keys[last]
	return want
}

// TestUnreadValues has keys of a shared file: only a near miss of a key that a template
// reads, and that the file does not set, is a slip.
func TestUnreadValues(t *testing.T) {
	list := withValues("", "  service: {name: 's{{ if .Values.verbose }}v{{ end }}{{ if .Values.image.tag }}t{{ end }}'}\n  values: {verbose: true, image: {tag: 1}}\n  valuesFrom: [{configMapRef: {name: settings}}]\n") +
		"---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {values.yaml: '{a: x, verbsoe: false, replicas: 3, host: h}'}}\n"
	objects, _ := krmlist.ReadFile("f.yaml", []byte(list))
	e := &Expansion{Source: objects[0], InList: true}
	sources := NewSources(objects, []values.File{
		{Name: "one.yaml", Values: map[string]any{"image": map[string]any{"tga": 2, "pullPolicy": "Always"}, "b": 1, "others": map[string]any{"tga": 1}}},
		{Name: "two.yaml", Values: map[string]any{"image": map[string]any{"tga": 2, "tag": 3}}},
	}, []values.Assignment{{Path: []any{"verbos"}, Value: "x"}, {Path: []any{"image", "tag"}, Value: "x"}})
	if errs, warnings := e.Expand(v1alpha1.Settings{}, sources); len(errs)+len(warnings) > 0 {
		t.Fatal(errs, warnings)
	}
	var got []string
	for _, u := range UnreadValues([]*Expansion{e}, sources) {
		got = append(got, u.File+u.DataKey+" "+u.Key+u.Hint())
	}
	want := []string{"values.yaml verbsoe; did you mean verbose?", "one.yaml image.tga; did you mean image.tag?", " verbos; did you mean verbose?"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
