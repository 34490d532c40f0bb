// SPDX-License-Identifier: Apache-2.0

package expansion

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/values"
)

// sourcesOf are the sources of values in a list, with the values of the caller.
func sourcesOf(objects []*krmlist.Object, overrides map[string]any) *Sources {
	var files []values.File
	if overrides != nil {
		files = []values.File{{Name: "prod.yaml", Values: overrides}}
	}
	return NewSources(objects, files, nil)
}

// expandOf expands the only PeerJob of a list. It returns the errors, and the warnings,
// a line each.
func expandOf(t *testing.T, list string, settings v1alpha1.Settings, overrides map[string]any) (e *Expansion, said []string) {
	t.Helper()
	objects, errs := krmlist.ReadFile("f.yaml", []byte(list))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, o := range objects {
		o.File, o.ShownFile = "", "f.yaml"
		o.Package = krmlist.NewParsed(o.Node()).Package
		if o.Kind == "PeerJob" {
			e = &Expansion{Source: o, InList: true}
		}
	}
	wrong, warnings := e.Expand(settings, sourcesOf(objects, overrides))
	for _, err := range wrong {
		said = append(said, err.Error())
	}
	for _, w := range warnings {
		said = append(said, "warning: "+w.Field+": "+w.Message)
	}
	return e, said
}

// peerJob is the PeerJob train, with more of its spec.
func peerJob(spec string) string {
	return "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: train}\nspec:\n  peers: 2\n" + spec + "  template: {spec: {containers: [{name: w, image: x}]}}\n"
}

// childrenOf are the children of an expansion as "Kind name", a hash as "#".
func childrenOf(e *Expansion) []string {
	var all []string
	for _, child := range e.Children {
		all = append(all, regexp.MustCompile(`[0-9a-f]{10}$`).ReplaceAllString(child.String(), "#"))
	}
	return all
}

// TestExpansion_Expand has which objects come out, in the order in which they are applied.
func TestExpansion_Expand(t *testing.T) {
	for name, test := range map[string]struct {
		spec string
		want []string
	}{
		"a pair":                    {"", []string{"Service train", "Job train"}},
		"a Service of its own name": {"  service: {name: hub}\n", []string{"Service hub", "Job train"}},
		"files":                     {"  files: [{path: /etc/a, content: b}]\n", []string{"Service train", "ConfigMap train-files-#", "Job train"}},
		"a framework with a file":   {"  framework: {type: DeepSpeed}\n", []string{"Service train", "ConfigMap train-peers-#", "Job train"}},
		"a hash":                    {"  nameSuffixHash: Enabled\n  service: {name: hub}\n", []string{"Service hub-#", "Job train-#"}},
	} {
		t.Run(name, func(t *testing.T) {
			e, said := expandOf(t, peerJob(test.spec), v1alpha1.Settings{}, nil)
			if len(said) > 0 {
				t.Fatal(said)
			}
			if diff := cmp.Diff(test.want, childrenOf(e)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if e.HasTemplates() {
				t.Error("it has no templates")
			}
		})
	}
}

// TestExpansion_Expand_hash changes the name of the Job with what can't be changed in one
// that exists, and with nothing else.
func TestExpansion_Expand_hash(t *testing.T) {
	of := func(spec string) string {
		e, said := expandOf(t, peerJob("  nameSuffixHash: Enabled\n"+spec), v1alpha1.Settings{}, nil)
		if len(said) > 0 {
			t.Fatal(said)
		}
		return e.Group().JobName
	}
	first := of("")
	if first != of("") {
		t.Error("the hash of the same PeerJob is another")
	}
	for spec, same := range map[string]bool{
		"  files: [{path: /etc/a}]\n": false, "  peerEnv: Disabled\n": false,
		"  suspend: true\n": true, "  activeDeadlineSeconds: 9\n": true, "  ttlSecondsAfterFinished: 9\n": true,
	} {
		if got := of(spec); (got == first) != same {
			t.Errorf("%s: %s, and without it %s", spec, got, first)
		}
	}
}

// TestExpansion_Expand_errors has every error of a PeerJob in one run, in the order of the
// fields, whichever check finds it.
func TestExpansion_Expand_errors(t *testing.T) {
	for name, test := range map[string]struct {
		list string
		want []string // beginnings
	}{
		"decoding, peerjob's rules and the server's": {
			"apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: train, finalizers: [a/b]}\nspec: {peers: 0, suspend: maybe, colour: red, framework: {type: None}, template: {spec: {containers: [{name: w, image: x, volumeMounts: [{name: v, mountPath: /v}]}]}}}\n",
			[]string{
				"metadata.finalizers: Forbidden: ", "spec.peers: Invalid value: 0: must be between 1 and 100000",
				`spec.framework.type: Unsupported value: "None"`, `spec.suspend: Invalid value: "maybe"`,
				`spec.template.spec.containers[0].volumeMounts[0].name: Not found: "v"`, "spec.colour: Forbidden: unknown field",
			},
		},
		"another version": {
			strings.Replace(peerJob(""), "v1alpha1", "v9", 1), []string{`apiVersion: Unsupported value: "peerjob.dev/v9": supported values: "peerjob.dev/v1alpha1"`},
		},
		"a merge into what is written": {
			"apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {<<: {name: train}, annotations: {<<: {a: b}}}\nspec: {peers: 1, template: {spec: {containers: [{name: w, image: x}]}}}\n",
			[]string{"metadata.annotations.<<: Forbidden: can't be merged into; write the values out", "metadata.<<: Forbidden: can't be merged into; write the values out"},
		},
		"a field that the oldest server lacks": {
			peerJob("  kubernetesVersion: '1.28'\n  podReplacementPolicy: Failed\n"), []string{"spec.podReplacementPolicy: "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, said := expandOf(t, test.list, v1alpha1.Settings{}, nil)
			if len(said) != len(test.want) {
				t.Fatalf("want %d, got %d:\n%s", len(test.want), len(said), strings.Join(said, "\n"))
			}
			for i, want := range test.want {
				if !strings.HasPrefix(said[i], want) {
					t.Errorf("error %d: want %s, got %s", i, want, said[i])
				}
			}
		})
	}
}

// TestExpansion_Expand_unchanged leaves the PeerJob of the list as it is.
func TestExpansion_Expand_unchanged(t *testing.T) {
	list := peerJob("  templating: Enabled\n  values: {a: b}\n  service: {name: '{{ .Values.a }}'}\n")
	e, said := expandOf(t, list, v1alpha1.Settings{ClusterDomain: "example.org"}, nil)
	if len(said) > 0 || !e.HasTemplates() || e.Group().ServiceName() != "b" || e.Group().SearchDomain("n") != "n.svc.example.org" {
		t.Error(said, e.Group().ServiceName())
	}
	var out bytes.Buffer
	if err := krmlist.WriteYAML(&out, []*krmlist.Object{e.Source}); err != nil || out.String() != list {
		t.Errorf("%v\n%s", err, cmp.Diff(list, out.String()))
	}
}

// templated is a PeerJob whose image is its values' a.
const templated = "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: train%s}\nspec:\n  peers: 2\n  templating: Enabled\n%s  template: {spec: {containers: [{name: w, image: 'app:{{ .Values.a }}'}]}}\n"

func withValues(metadata, spec string) string {
	return strings.Replace(strings.Replace(templated, "%s", metadata, 1), "%s", spec, 1)
}

// TestSources has where the values of templates come from: which ConfigMap a name means, and
// what lies over what.
func TestSources(t *testing.T) {
	const from = "  valuesFrom: [{configMapRef: {name: settings}}]\n"
	configMap := func(name, more, value string) string {
		return "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + more + "}, data: {values.yaml: 'a: " + value + "'}}\n"
	}
	for name, test := range map[string]struct {
		list      string
		overrides map[string]any
		want      string
	}{
		"values of its own":              {withValues("", "  values: {a: own}\n"), nil, "own"},
		"a ConfigMap":                    {withValues("", from) + configMap("settings", "", "map"), nil, "map"},
		"its own over the ConfigMap":     {withValues("", from+"  values: {a: own}\n") + configMap("settings", "", "map"), nil, "own"},
		"a later source over an earlier": {withValues("", "  valuesFrom: [{configMapRef: {name: settings}}, {configMapRef: {name: more}}]\n") + configMap("settings", "", "map") + configMap("more", "", "later"), nil, "later"},
		"the caller's over all":          {withValues("", from+"  values: {a: own}\n") + configMap("settings", "", "map"), map[string]any{"a": "caller"}, "caller"},
		"another key":                    {withValues("", "  valuesFrom: [{configMapRef: {name: settings, key: b.yaml}}]\n") + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {values.yaml: 'a: no', b.yaml: 'a: yes1'}}\n", nil, "yes1"},
		"with the hash of a generator":   {withValues("", from) + configMap("settings-5md2dt8t2b", "", "map"), nil, "map"},
		"no hash: another name":          {withValues("", from) + configMap("settings-production", "", "no") + configMap("settings", "", "map"), nil, "map"},
		"by the name of before":          {withValues("", from) + configMap("dev-settings", ", annotations: {internal.config.kubernetes.io/previousNames: settings}", "map"), nil, "map"},
		"of the same namespace":          {withValues(", namespace: n", from) + configMap("settings", ", namespace: m", "no") + configMap("settings", ", namespace: n", "map"), nil, "map"},
		"without a namespace":            {withValues(", namespace: n", from) + configMap("settings", "", "map"), nil, "map"},
	} {
		t.Run(name, func(t *testing.T) {
			e, said := expandOf(t, test.list, v1alpha1.Settings{}, test.overrides)
			if len(said) > 0 {
				t.Fatal(strings.Join(said, "\n"))
			}
			if got := e.Group().Template().Spec.Containers[0].Image; got != "app:"+test.want {
				t.Errorf("got %s, want app:%s", got, test.want)
			}
		})
	}
}

// TestSources_errors has sources that can't be read, with what to do.
func TestSources_errors(t *testing.T) {
	const from = "  valuesFrom: [{configMapRef: {name: settings}}]\n"
	const configMap = "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {other: 'a: b', broken.yaml: 'a: [', list.yaml: '[a]'}}\n"
	for name, test := range map[string]struct{ list, want string }{
		"none": {
			withValues("", from) + strings.Replace(configMap, "name: settings", "name: other", 1),
			`spec.valuesFrom[0].configMapRef.name: Not found: "settings": peerjob was given no ConfigMap of this name; those there are: other; kustomize: `,
		},
		"of another package": {
			withValues("", from) + strings.Replace(configMap, "name: settings", "name: settings, annotations: {internal.config.kubernetes.io/package-path: p}", 1),
			"; those of other packages are not taken: settings (f.yaml); kustomize: ",
		},
		"of another namespace": {withValues(", namespace: n", from) + strings.Replace(configMap, "name: settings", "name: settings, namespace: m", 1), `spec.valuesFrom[0].configMapRef.name: Not found: "settings"`},
		"two of one name": {
			withValues("", from) + configMap + strings.Replace(configMap, "name: settings", "name: settings, namespace: m", 1) + strings.Replace(configMap, "name: settings", "name: settings, namespace: n", 1),
			"",
		},
		"no such entry": {withValues("", from) + configMap, `spec.valuesFrom[0].configMapRef.key: Not found: "values.yaml": ConfigMap settings has no such entry in its data; it has: other, broken.yaml, list.yaml`},
		"an entry that is no YAML": {
			withValues("", "  valuesFrom: [{configMapRef: {name: settings, key: broken.yaml}}]\n") + configMap,
			`spec.valuesFrom[0].configMapRef.key: Invalid value: "broken.yaml": the entry of ConfigMap settings: `,
		},
		"an entry that is no map": {
			withValues("", "  valuesFrom: [{configMapRef: {name: settings, key: list.yaml}}]\n") + configMap,
			`spec.valuesFrom[0].configMapRef.key: Invalid value: "list.yaml": the entry of ConfigMap settings: must be a map of values`,
		},
		"a slip": {withValues("", from) + strings.Replace(configMap, "name: settings", "name: setings", 1), `spec.valuesFrom[0].configMapRef.name: Not found: "settings": no ConfigMap has this name; did you mean "setings"?`},
		"too many together": {
			withValues("", from+"  values: {l: ["+strings.Repeat("1,", 30_000)+"]}\n") + strings.Replace(configMap, "other: 'a: b'", "values.yaml: 'm: ["+strings.Repeat("1,", 30_000)+"]'", 1),
			"spec.values: Invalid value: together with spec.valuesFrom and the command line has more than 50000 values",
		},
		"a broken snippet": {withValues("", "  snippets: {s: '{{ if }}'}\n"), "spec.snippets[s]: Invalid value: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, said := expandOf(t, test.list, v1alpha1.Settings{}, nil)
			if test.want == "" {
				// The one without a namespace is the closest to a PeerJob without one.
				if len(said) != 1 || !strings.Contains(said[0], "configMapRef.key: Not found") {
					t.Error(said)
				}
				return
			}
			if len(said) != 1 || !strings.Contains(said[0], test.want) {
				t.Errorf("want %s, got:\n%s", test.want, strings.Join(said, "\n"))
			}
		})
	}
	_, said := expandOf(t, withValues("", from)+strings.Replace(configMap, "name: settings", "name: settings, namespace: m", 1)+strings.Replace(configMap, "name: settings", "name: settings, namespace: n", 1), v1alpha1.Settings{}, nil)
	if len(said) != 1 || !strings.Contains(said[0], "is the name of 2 ConfigMaps: ConfigMap m/settings and ConfigMap n/settings; give the PeerJob a namespace, or rename one of them") {
		t.Errorf("two namespaces: %v", said)
	}
}

// TestSources_standIn has values of the caller in the place of a ConfigMap that is not there.
func TestSources_standIn(t *testing.T) {
	e, said := expandOf(t, withValues("", "  valuesFrom: [{configMapRef: {name: settings}}]\n"), v1alpha1.Settings{}, map[string]any{"a": "caller"})
	want := []string{"warning: spec.valuesFrom[0].configMapRef.name: there is no ConfigMap settings; the values of the command line replace it"}
	if diff := cmp.Diff(want, said); diff != "" || e.Group().Template().Spec.Containers[0].Image != "app:caller" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestExpansion_Expand_rendered says which template a wrong value comes from.
func TestExpansion_Expand_rendered(t *testing.T) {
	_, said := expandOf(t, withValues("", "  values: {a: x}\n  service: {name: '{{ .Values.a }}_y'}\n"), v1alpha1.Settings{}, nil)
	if len(said) != 1 || !strings.HasPrefix(said[0], `spec.service.name: Invalid value: "x_y": `) || !strings.HasSuffix(said[0], `; rendered from "{{ .Values.a }}_y"`) {
		t.Error(said)
	}
}

// TestWriteValues has what templates see, for people who debug them.
func TestWriteValues(t *testing.T) {
	e, said := expandOf(t, withValues(", namespace: n", "  values: {a: '1', b: {c: [true]}}\n"), v1alpha1.Settings{}, nil)
	if diff := cmp.Diff([]string{"warning: spec.values.b: no template reads this value; remove it, or read it with {{ .Values.b }}"}, said); diff != "" {
		t.Fatal(diff)
	}
	var out bytes.Buffer
	if err := WriteValues(&out, []*Expansion{e}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		PeerJob   string
		Values    map[string]any
		Data      map[string]any
		Templates []map[string]string
	}
	if err := yaml.UnmarshalStrict(out.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if got.PeerJob != "PeerJob n/train" || got.Values["a"] != "1" || got.Data["Leader"] != "train-0.train" || len(got.Data["Peers"].([]any)) != 2 ||
		len(got.Templates) != 1 || got.Templates[0]["renders"] != "app:1" || got.Templates[0]["field"] != "spec.template.spec.containers[0].image" {
		t.Errorf("%s", &out)
	}
	plain, _ := expandOf(t, peerJob(""), v1alpha1.Settings{}, nil)
	out.Reset()
	if err := WriteValues(&out, []*Expansion{plain}); err != nil || out.String() != "# no PeerJob has spec.templating: Enabled\n" {
		t.Errorf("%v\n%s", err, &out)
	}
	many, _ := expandOf(t, strings.Replace(withValues("", "  values: {a: x}\n"), "peers: 2", "peers: 1000", 1), v1alpha1.Settings{}, nil)
	out.Reset()
	if err := WriteValues(&out, []*Expansion{e, plain, many}); err != nil || strings.Count(out.String(), "---\n") != 1 || out.Len() > 3000 {
		t.Errorf("two of three, and of many peers only the first: %v\n%s", err, &out)
	}
}
