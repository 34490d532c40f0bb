// SPDX-License-Identifier: Apache-2.0

package values

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// headOf is the PeerJob of the documentation, with more of its spec.
func headOf(t *testing.T, spec string) *v1alpha1.PeerJob {
	t.Helper()
	pj := &v1alpha1.PeerJob{}
	if err := yaml.UnmarshalStrict([]byte("metadata: {name: train, namespace: team-a}\nspec: {peers: 3"+spec+"}"), pj); err != nil {
		t.Fatal(err)
	}
	v1alpha1.Default(pj, v1alpha1.Settings{})
	return pj
}

var imagePath = field.NewPath("spec", "template", "spec", "containers").Index(0).Child("image")

// peersAt is a template of spec.peers, "" for none.
func peersAt(template string) map[string]string {
	if template == "" {
		return nil
	}
	return map[string]string{"spec.peers": template}
}

// TestRenderer_Render has everything that a template sees, as docs/templating.md says.
func TestRenderer_Render(t *testing.T) {
	merged := NewMerged(map[string]any{"image": map[string]any{"tag": "1.10"}, "peers": int64(5), "service": "hub", "gone": nil})
	for name, test := range map[string]struct {
		spec, peers, hash, template string
		want                        string
	}{
		"a text":                    {template: "no template", want: "no template"},
		"a value":                   {template: "app:{{ .Values.image.tag }}", want: "app:1.10"},
		"the name":                  {template: "{{ .Name }} {{ .Namespace }} {{ .Size }} {{ .ClusterDomain }}", want: "train team-a 3 cluster.local"},
		"the Service":               {template: "{{ .Service }} {{ .Leader }}", want: "train train-0.train"},
		"a Service of its own name": {spec: ", service: {name: hub}", template: "{{ .Service }} {{ .Leader }}", want: "hub train-0.hub"},
		"a Service by a template":   {spec: ", service: {name: '{{ .Values.service }}'}", template: "{{ .Leader }}", want: "train-0.hub"},
		"a Service after the name":  {spec: ", service: {name: '{{ .Name }}-svc'}", template: "{{ .Leader }}", want: "train-0.train-svc"},
		"peers by a template":       {peers: "{{ .Values.peers }}", template: "{{ .Size }} {{ len .Peers }}", want: "5 5"},
		"peers":                     {template: "{{ range .Peers }}{{ .Index }}={{ .Hostname }},{{ .Host }};{{ end }}", want: "0=train-0,train-0.train;1=train-1,train-1.train;2=train-2,train-2.train;"},
		"full names":                {template: "{{ (index .Peers 2).FQDN }}", want: "train-2.train.team-a.svc.cluster.local"},
		"another domain":            {spec: ", clusterDomain: example.org", template: "{{ (index .Peers 0).FQDN }}", want: "train-0.train.team-a.svc.example.org"},
		"a hash in every name":      {hash: "0123456789", template: "{{ .Name }} {{ .Leader }}", want: "train train-0123456789-0.train-0123456789"},
		"a snippet":                 {spec: `, snippets: {port: "{{ add 1 .Values.peers }}"}`, template: `:{{ include "port" . }}`, want: ":6"},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewRenderer(headOf(t, test.spec), peersAt(test.peers), test.hash, merged)
			got, err := r.Render(imagePath, test.template)
			if err != nil || got != test.want {
				t.Fatalf("got %q, want %q: %v", got, test.want, err)
			}
			if diff := cmp.Diff([]Rendering{{"spec.template.spec.containers[0].image", test.template, test.want}}, r.Rendered); diff != "" {
				t.Errorf("rendered (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRenderer_Render_errors has the errors of templates, on the field, with what to write.
func TestRenderer_Render_errors(t *testing.T) {
	const noNamespace = "metadata: {name: train}\nspec: {peers: 3}"
	merged := NewMerged(map[string]any{"a": "b", "gone": nil})
	for name, test := range map[string]struct {
		spec, peers, template string
		path                  *field.Path
		want                  string
	}{
		"a value that there is not": {template: "{{ .Values.c }}", want: `template: line 1, column 11: .Values has no "c"; it has "a"; set it in spec.values, or with --values or --set`},
		"a value that null removed": {template: "{{ .Values.gone }}", want: "null"},
		"what the name of the Service decides": {
			spec: ", service: {name: '{{ .Leader }}'}", template: "{{ .Leader }}", path: field.NewPath("spec", "service", "name"),
			want: ".Leader follows from spec.service.name, which this template decides; use .Name",
		},
		"what the number of peers decides": {
			peers: "{{ .Size }}", template: "{{ .Size }}", path: field.NewPath("spec", "peers"),
			want: ".Size is not known here; the number of peers may use .Values alone",
		},
		"no template at all": {template: "{{ .Name", want: `"{{" has no "}}"`},
	} {
		t.Run(name, func(t *testing.T) {
			path := test.path
			if path == nil {
				path = imagePath
			}
			r := NewRenderer(headOf(t, test.spec), peersAt(test.peers), "", merged)
			got, err := r.Render(path, test.template)
			if err == nil || got != "" || err.Field != path.String() || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q and the error %v, want %q on %v", got, err, test.want, path)
			}
			if len(r.Rendered) > 0 {
				t.Errorf("what failed is no rendering: %v", r.Rendered)
			}
		})
	}
	pj := &v1alpha1.PeerJob{}
	if err := yaml.Unmarshal([]byte(noNamespace), pj); err != nil {
		t.Fatal(err)
	}
	r := NewRenderer(pj, nil, "", merged)
	if got, err := r.Render(imagePath, "{{ (index .Peers 0).FQDN }}"); err == nil || !strings.Contains(err.Error(), ".FQDN is not known without metadata.namespace; set it, or use .Host") {
		t.Errorf("without a namespace, got %q and the error %v", got, err)
	}
	if got, err := r.Render(imagePath, "{{ with .Namespace }}x{{ else }}none{{ end }}"); err != nil || got != "none" {
		t.Errorf("without a namespace, got %q and the error %v", got, err)
	}
}

// TestNewRenderer_peers has templates of spec.peers that render to no number: the PeerJob
// keeps the number that it has, and internal/decode says what is wrong.
func TestNewRenderer_peers(t *testing.T) {
	for text, want := range map[string]int{"{{ .Values.n }}": 3, "x": 3, "99999999999": 3, "{{ 1 }}": 1, "-2": 0} {
		r := NewRenderer(headOf(t, ""), peersAt(text), "", NewMerged(map[string]any{"n": "many"}))
		peers, err := r.Data.Field("Peers")
		if err != nil || peers.(*Peers).Len() != want {
			t.Errorf("%q: %d peers, want %d: %v", text, peers.(*Peers).Len(), want, err)
		}
	}
}

// TestData_Field holds the table of the documentation to what templates find.
func TestData_Field(t *testing.T) {
	r := NewRenderer(headOf(t, ""), nil, "", NewMerged(nil))
	for _, f := range Fields() {
		value, err := r.Data.Field(f.Name)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if f.Example == "" {
			continue
		}
		if got, rendering := r.Render(imagePath, "{{ ."+f.Name+" }}"); rendering != nil || got != f.Example {
			t.Errorf("%s is %v, and the documentation says %s: %v", f.Name, value, f.Example, rendering)
		}
	}
	for _, f := range PeerFields() {
		if got, err := r.Render(imagePath, "{{ (index .Peers 1)."+f.Name+" }}"); err != nil || got != f.Example {
			t.Errorf("%s is %s, and the documentation says %s: %v", f.Name, got, f.Example, err)
		}
	}
	if _, err := r.Data.Field("Peer"); err == nil || err.Error() != ".Peer is not known" {
		t.Errorf("a field that there is not: %v", err)
	}
}

func TestRenderer_RenderYAML(t *testing.T) {
	r := NewRenderer(headOf(t, ""), nil, "", NewMerged(map[string]any{"n": int64(8)}))
	node, err := r.RenderYAML(imagePath, "{{ .Values.n }}")
	if err != nil || node.Value != "8" || node.ShortTag() != "!!int" {
		t.Errorf("got %+v, %v", node, err)
	}
	if len(r.Rendered) != 1 || r.Rendered[0].Text != "8" {
		t.Errorf("rendered: %v", r.Rendered)
	}
	for template, want := range map[string]string{
		"{{ .Values.list }}":                                    `[{"name":"A","value":"1"}]`,
		"{{ range .Values.list }}\n- {{ . }}{{ end }}":          "\n- {\"name\":\"A\",\"value\":\"1\"}",
		"{{ .Values.list | toJson }}":                           `[{"name":"A","value":"1"}]`,
		"{{ with .Values.none }}{{ . }}{{ end }}":               "",
		"{{ .Values.map }}":                                     `{"disk":"ssd"}`,
		"a: {{ .Values.map }}\nb: {{ quote .Values.map.disk }}": "a: {\"disk\":\"ssd\"}\nb: \"ssd\"",
	} {
		r := NewRenderer(headOf(t, ""), nil, "", NewMerged(map[string]any{
			"list": []any{map[string]any{"name": "A", "value": "1"}}, "map": map[string]any{"disk": "ssd"}, "none": nil}))
		if _, err := r.RenderYAML(imagePath, template); err != nil || len(r.Rendered) != 1 || r.Rendered[0].Text != want {
			t.Errorf("%s: got %q, %v", template, r.Rendered, err)
		}
	}
	// In a text, they have no form.
	r = NewRenderer(headOf(t, ""), nil, "", NewMerged(map[string]any{"map": map[string]any{"disk": "ssd"}}))
	if _, err := r.Render(imagePath, "{{ .Values.map }}"); err == nil {
		t.Error("a map in a text: no error")
	}
	if _, err := r.RenderYAML(imagePath, "{{ .Values.m }}"); err == nil || err.Field != imagePath.String() {
		t.Errorf("a value that there is not: %v", err)
	}
}

func TestRenderer_Explain(t *testing.T) {
	r := NewRenderer(headOf(t, ""), nil, "", NewMerged(nil))
	for path, template := range map[string]string{"a": "{{ .Name }}!", "b": "{{ .Name }}\n{{ .Size }}"} {
		if _, err := r.Render(field.NewPath(path), template); err != nil {
			t.Fatal(err)
		}
	}
	errs := field.ErrorList{field.Invalid(field.NewPath("a"), "train!", "is no name"), field.Required(field.NewPath("b"), "needs more"), field.Required(field.NewPath("c"), "untouched")}
	r.Explain(errs)
	want := []string{`is no name; rendered from "{{ .Name }}!"`, `needs more; rendered from "{{ .Name }}..."`, "untouched"}
	for i, err := range errs {
		if err.Detail != want[i] {
			t.Errorf("%s: got %q, want %q", err.Field, err.Detail, want[i])
		}
	}
}

func TestCheckSnippets(t *testing.T) {
	errs := CheckSnippets(map[string]string{"good": "{{ .Name }}", "bad": "{{ .Name", "ugly": "{{ end }}"})
	var got []string
	for _, err := range errs {
		got = append(got, err.Field)
	}
	if diff := cmp.Diff([]string{"spec.snippets[bad]", "spec.snippets[ugly]"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%v", diff, errs)
	}
}

func TestKindOf(t *testing.T) {
	for content, want := range map[string]string{
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n": "ConfigMap",
		"# values\nimage: a\n":              "",
		"apiVersion: v1\nkind: ConfigMap\n": "", // may be values
		"kind: ConfigMap\nmetadata: {}\n":   "",
		"":                                  "",
		"- a\n":                             "",
		"a: [\n":                            "",
		"apiVersion: v1\nkind: A\nmetadata: {}\n---\nkind: B\n": "A",
	} {
		if got := KindOf([]byte(content)); got != want {
			t.Errorf("%q: got %q, want %q", content, got, want)
		}
	}
}
