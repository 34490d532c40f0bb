// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// configMap is a ConfigMap with these values.
func configMap(name, values string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata:\n  values.yaml: |\n    %s\n", name, strings.ReplaceAll(values, "\n", "\n    "))
}

// printer is a PeerJob whose container runs a template, with more of a spec.
func printer(spec, template string) string {
	return fmt.Sprintf(`apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata:
  name: train
spec:
  peers: 3
  templating: Enabled
  %s
  template:
    spec:
      containers:
      - name: w
        image: x
        args:
        - %q
`, strings.ReplaceAll(spec, "\n", "\n  "), template)
}

// printed is what the template of printer renders.
func printed(t *testing.T, stdout string) string {
	t.Helper()
	var output struct {
		Items []struct {
			Kind string
			Spec struct {
				Template struct {
					Spec struct{ Containers []struct{ Args []string } }
				}
			}
		}
	}
	if err := yaml.Unmarshal([]byte(stdout), &output); err != nil {
		t.Fatal(err)
	}
	for _, item := range output.Items {
		if item.Kind == "Job" {
			return item.Spec.Template.Spec.Containers[0].Args[0]
		}
	}
	t.Fatalf("no Job:\n%s", stdout)
	return ""
}

func TestTemplating(t *testing.T) {
	const from = "valuesFrom: [{configMapRef: {name: a}}, {configMapRef: {name: b}}]"
	tests := map[string]struct {
		items []string
		want  string
	}{
		"disabled":             {[]string{strings.Replace(printer("", "{{ .Name }}"), "templating: Enabled", "templating: Disabled", 1)}, "{{ .Name }}"},
		"names":                {[]string{printer("service: {name: '{{ .Name }}-svc'}", "{{ .Name }} {{ .Service }} {{ .Size }} {{ .ClusterDomain }} {{ .Leader }}")}, "train train-svc 3 cluster.local train-0.train-svc"},
		"peers":                {[]string{printer("", "{{ range .Peers }}{{ .Index }} {{ .Hostname }} {{ .Host }};{{ end }}")}, "0 train-0 train-0.train;1 train-1 train-1.train;2 train-2 train-2.train;"},
		"the namespace":        {[]string{strings.Replace(printer("", "{{ .Namespace }} {{ (index .Peers 2).FQDN }}"), "name: train", "name: train, namespace: a", 1)}, ""},
		"values of the spec":   {[]string{printer("values: {a: {b: 1}}", "{{ .Values.a.b }}")}, "1"},
		"values of ConfigMaps": {[]string{configMap("a", "x: 1\nm: {k: a, l: a}\nl: [1]"), configMap("b", "m: {k: b}\nl: [2]"), printer(from, "{{ toJson .Values }}")}, `{"l":[2],"m":{"k":"b","l":"a"},"x":1}`},
		"the spec over them":   {[]string{configMap("a", "x: 1\nz: 1\nm: {k: a}"), configMap("b", "z: 2"), printer(from+"\nvalues: {z: null, m: {k: null, o: 1}}", "{{ toJson .Values }}")}, `{"m":{"o":1},"x":1}`},
		"null below nothing":   {[]string{printer("values: {m: {k: null}}", "{{ toJson .Values }}")}, `{"m":{}}`},
		"an empty source":      {[]string{configMap("a", ""), configMap("b", "# nothing"), printer(from, "{{ toJson .Values }}")}, `{}`},
		"a renamed ConfigMap": {[]string{
			strings.Replace(configMap("dev-a", "x: 1"), "name: dev-a", "name: dev-a\n  annotations: {internal.config.kubernetes.io/previousNames: 'a,dev-a'}", 1),
			configMap("b-2bh9t4k8f7", "z: 2"), printer(from, "{{ toJson .Values }}"),
		}, `{"x":1,"z":2}`},
		"the exact name first":    {[]string{configMap("a-2bh9t4k8f7", "x: 1"), configMap("a", "x: 2"), configMap("b", ""), printer(from, "{{ .Values.x }}")}, "2"},
		"another key":             {[]string{strings.Replace(configMap("a", "x: 1"), "values.yaml", "b.json", 1), printer("valuesFrom: [{configMapRef: {name: a, key: b.json}}]", "{{ .Values.x }}")}, "1"},
		"a snippet":               {[]string{printer("snippets: {etcd: '{{ range $i, $p := .Peers }}{{ if $i }},{{ end }}{{ .Hostname }}=http://{{ .Host }}:2380{{ end }}'}", `{{ include "etcd" . }}`)}, "train-0=http://train-0.train:2380,train-1=http://train-1.train:2380,train-2=http://train-2.train:2380"},
		"what looks like YAML":    {[]string{printer(`values: {evil: "a\n---\nkind: Evil\n\"'"}`, "{{ .Values.evil }}")}, "a\n---\nkind: Evil\n\"'"},
		"a number in a string":    {[]string{printer("", "{{ .Size }}")}, "3"},
		"true in a string":        {[]string{printer("", "{{ true }}")}, "true"},
		"an alias of a template":  {[]string{strings.Replace(printer("values: {t: &t '{{ .Name }}'}", "X"), `"X"`, "*t", 1)}, "train"},
		"a template in the value": {[]string{printer("values: {t: '{{ .Name }}'}", "{{ .Values.t }} {{ tpl .Values.t . }}")}, "{{ .Name }} train"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if name == "the namespace" {
				tt.items[0] = strings.Replace(tt.items[0], "metadata:\n  name: train, namespace: a", "metadata: {name: train, namespace: a}", 1)
				tt.want = "a train-2.train.a.svc.cluster.local"
			}
			stdout, stderr, failed := run(t, list(tt.items...))
			if failed {
				t.Fatal(stderr)
			}
			if diff := cmp.Diff(tt.want, printed(t, stdout)); diff != "" {
				t.Error(diff)
			}
			again, stderr, _ := run(t, stdout)
			if diff := cmp.Diff(stdout, again); diff != "" {
				t.Errorf("second run (-once +twice):\n%s%s", diff, stderr)
			}
		})
	}
}

// TestTemplating_types renders a template in fields of every type: the field
// says what its value is.
func TestTemplating_types(t *testing.T) {
	const pj = `apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata: {name: train}
spec:
  peers: 3
  templating: Enabled
  values: {num: 8080, s: "8080", b: true, q: 500m, p: web, percent: 50%}
  service:
    labels: {num: '{{ .Values.num }}'}
    ports: [{name: '{{ .Values.p }}', port: '{{ .Values.s }}', targetPort: '{{ .Values.p }}'}, {name: n, port: 1, targetPort: '{{ .Values.num }}'}]
    publishNotReadyAddresses: '{{ .Values.b }}'
  template:
    metadata: {annotations: {b: '{{ .Values.b }}'}}
    spec:
      terminationGracePeriodSeconds: '{{ .Values.num }}'
      hostIPC: '{{ .Values.b }}'
      containers:
      - name: w
        image: x
        command: ['{{ .Values.num }}']
        ports: [{name: '{{ .Values.p }}', containerPort: '{{ .Values.s }}'}]
        resources: {limits: {cpu: '{{ .Values.q }}', memory: '{{ .Values.num }}'}}
        livenessProbe: {httpGet: {port: '{{ .Values.num }}'}}
`
	stdout, stderr, failed := run(t, list(pj))
	if failed {
		t.Fatal(stderr)
	}
	for _, want := range []string{
		`num: "8080"`, "name: web", "port: 8080", "targetPort: web", "targetPort: 8080", "publishNotReadyAddresses: true",
		`b: "true"`, "terminationGracePeriodSeconds: 8080", "hostIPC: true", `- "8080"`, "containerPort: 8080", "cpu: 500m", `memory: "8080"`, "port: 8080",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	const wrong = `apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata: {name: train}
spec:
  peers: 3
  templating: Enabled
  values: {p: web, num: 99999999999, long: "a\nb"}
  template:
    spec:
      terminationGracePeriodSeconds: '{{ .Values.p }}'
      hostIPC: '{{ .Values.p }}'
      priority: '{{ .Values.num }}'
      containers:
      - name: '{{ .Values.long }}'
        image: x
        ports: [{containerPort: '{{ .Size }}00000'}]
        resources: {limits: {cpu: '{{ .Values.p }}'}}
`
	_, stderr, _ = run(t, list(wrong))
	want := `peerjob: PeerJob train: spec.template.spec.containers[0].name: Invalid value: "a\nb": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name', or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?'); rendered from "{{ .Values.long }}"
peerjob: PeerJob train: spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 300000: must be between 1 and 65535, inclusive; rendered from "{{ .Size }}00000"
peerjob: PeerJob train: spec.template.spec.containers[0].resources.limits[cpu]: Invalid value: "web": must be a quantity, such as 500m, 2, 2G or 2Gi; rendered from "{{ .Values.p }}"
peerjob: PeerJob train: spec.template.spec.terminationGracePeriodSeconds: Invalid value: "web": must be an integer; rendered from "{{ .Values.p }}"
peerjob: PeerJob train: spec.template.spec.hostIPC: Invalid value: "web": must be true or false; rendered from "{{ .Values.p }}"
peerjob: PeerJob train: spec.template.spec.priority: Invalid value: 99999999999: must be between -2147483648 and 2147483647; rendered from "{{ .Values.num }}"
`
	if diff := cmp.Diff(want, stderr); diff != "" {
		t.Error(diff)
	}
}

// TestTemplating_hash has names with a hash in templates that are hashed.
func TestTemplating_hash(t *testing.T) {
	render := func(value string) (text, job string) {
		stdout, stderr, failed := run(t, list(printer("nameSuffixHash: Enabled\nvalues: {v: "+value+"}", "{{ .Leader }} {{ .Values.v }}")))
		if failed {
			t.Fatal(stderr)
		}
		text = printed(t, stdout)
		leader, _, _ := strings.Cut(text, " ")
		job, _, _ = strings.Cut(leader, "-0.train")
		if !strings.Contains(stdout, "name: "+job+"\n") || !strings.Contains(stdout, "job-name: "+job+"\n") || len(job) != len("train-")+10 {
			t.Errorf("the template says that the Job is %q:\n%s", job, stdout)
		}
		return text, job
	}
	text, first := render("1")
	if again, _ := render("1"); again != text {
		t.Errorf("not twice the same: %s, %s", text, again)
	}
	if _, second := render("2"); first == second {
		t.Error("another value does not change the hash")
	}
}

// FuzzTemplating holds templates to their place: with any template and any
// values the output has the keys, the types and the documents that it has
// without, or there is an error.
func FuzzTemplating(f *testing.F) {
	f.Add("{{ .Values.v }}", "{{ .Values.v }}", "a\n---\nkind: Evil")
	f.Add("{{ .Values.v | quote }}: {{ range .Peers }}{{ .Host }}{{ end }}", "8080", "\"'\t#")
	f.Add("{{ toYaml .Values }}", "{{ .Size }}", "- a: b\n")
	f.Add("{{ tpl .Values.v . }}", "{{ len .Values.v }}", "{{ .Name }}")
	f.Add("{{ include \"s\" . }}", "{{ include \"s\" .Values.v }}", "}}{{")
	f.Fuzz(func(t *testing.T, text, port, value string) {
		build := func(templating, text, port string) string {
			var out bytes.Buffer
			encoder := yaml.NewEncoder(&out)
			err := encoder.Encode(map[string]any{
				"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList",
				"items": []any{map[string]any{
					"apiVersion": "peerjob.dev/v1alpha1", "kind": "PeerJob", "metadata": map[string]any{"name": "train"},
					"spec": map[string]any{
						"peers": 3, "templating": templating, "values": map[string]any{"v": value}, "snippets": map[string]any{"s": value},
						"service": map[string]any{"annotations": map[string]any{"note": text}},
						"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{
							"name": "w", "image": "x", "args": []any{text}, "env": []any{map[string]any{"name": "V", "value": text}},
							"ports": []any{map[string]any{"containerPort": port}},
						}}}},
					},
				}},
			})
			if err != nil {
				t.Skip()
			}
			return out.String()
		}
		stdout, stderr, failed := run(t, build("Enabled", text, port))
		if strings.Contains(stderr, "internal error") {
			t.Fatal(stderr)
		}
		if failed {
			return
		}
		plain, stderr, failed := run(t, build("Enabled", "x", "{{ 1 }}"))
		if failed {
			t.Fatal(stderr)
		}
		if diff := cmp.Diff(shape(t, plain), shape(t, stdout)); diff != "" {
			t.Errorf("a template changed more than a value (-without +with):\n%s", diff)
		}
	})
}

// shape is what two documents have in common that differ only in single
// values: their keys, and the types of the values.
func shape(t *testing.T, text string) any {
	t.Helper()
	var output map[string]any
	decoder := yaml.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&output); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if decoder.Decode(new(any)) == nil {
		t.Fatalf("more than one document:\n%s", text)
	}
	items := output["items"].([]any)
	delete(items[0].(map[string]any), "spec") // the PeerJob itself
	var walk func(any) any
	walk = func(value any) any {
		switch value := value.(type) {
		case map[string]any:
			// The name of a port that has none follows from its number.
			shaped := map[string]any{}
			for key, inner := range value {
				shaped[key] = walk(inner)
			}
			return shaped
		case []any:
			shaped := []any{}
			for _, inner := range value {
				shaped = append(shaped, walk(inner))
			}
			return shaped
		}
		return fmt.Sprint(reflect.TypeOf(value))
	}
	return walk(items)
}

// TestTemplating_structures renders a template in each kind of field: a list or a map
// in its place, an item that is there on a condition, metadata, the Job, and the
// number of peers. No template adds a key beside its field or starts a document.
func TestTemplating_structures(t *testing.T) {
	const values = `values:
  gpus: 32
  yep: true
  nah: false
  none: {}
  sel: {disktype: ssd}
  tol: [{key: gpu, operator: Exists}]
  env: [{name: A, value: "1"}, {name: B, value: "{{ x }}"}]
  vols: [{name: v, emptyDir: {}}]
  mounts: [{name: v, mountPath: /v}]
  res: {limits: {cpu: 4, memory: 1Gi}}
  evil: "a: b"
  documents: "- a\n---\nkind: Evil"
  anchor: "&a {x: *a}"
  tagged: "!!binary aGk="
  beside: "x: y\nimage: evil"
  unknown: [{name: A, valeu: "1"}]
  number: [{name: A, value: 1}]`
	const pj = `apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata: {name: train%s}
spec:
  %s
  peers: %s
  templating: Enabled
  template:
    spec:
      containers: [{name: w, image: x}]
%s
`
	in := func(metadata, peers, spec, pod string) string {
		return fmt.Sprintf(pj, metadata, strings.ReplaceAll(values+"\n"+spec, "\n", "\n  "), peers, pod)
	}
	pod := func(field string) string { return in("", "2", "", "      "+field) }
	container := func(field string) string {
		return strings.Replace(in("", "2", "", ""), "image: x}", "image: x, "+field+"}", 1)
	}
	tests := map[string]struct{ give, want string }{
		"a map":                             {pod(`nodeSelector: "{{ toYaml .Values.sel }}"`), "nodeSelector: disktype: ssd"},
		"a map with nindent":                {pod(`nodeSelector: "{{ toYaml .Values.sel | nindent 8 }}"`), "nodeSelector: disktype: ssd"},
		"a map as JSON":                     {pod(`nodeSelector: "{{ toJson .Values.sel }}"`), "nodeSelector: disktype: ssd"},
		"an empty map":                      {pod(`nodeSelector: "{{ toYaml .Values.none }}"`), "!nodeSelector"},
		"a map that is absent":              {pod(`nodeSelector: "{{ with .Values.nope }}{{ toYaml . }}{{ end }}"`), "!nodeSelector"},
		"a list":                            {pod(`tolerations: "{{ toYaml .Values.tol }}"`), "tolerations: - key: gpu operator: Exists"},
		"a list that is absent":             {pod(`tolerations: "{{ if .Values.nah }}{{ toYaml .Values.tol }}{{ end }}"`), "!tolerations"},
		"an item":                           {pod(`tolerations: ["{{ index .Values.tol 0 | toJson }}", {key: x, operator: Exists}]`), "tolerations: - key: gpu operator: Exists - key: x"},
		"an item that is absent":            {pod(`tolerations: ["{{ if .Values.nah }}{a: b}{{ end }}", {key: x, operator: Exists}]`), "tolerations: - key: x"},
		"the environment":                   {container(`env: "{{ toYaml .Values.env }}"`), "- name: A value: \"1\" - name: B value: '{{ x }}'"},
		"volumes and mounts":                {strings.Replace(container(`volumeMounts: "{{ toYaml .Values.mounts }}"`), "    spec:\n", "    spec:\n      volumes: \"{{ toYaml .Values.vols }}\"\n", 1), "volumeMounts: - name: v mountPath: /v"},
		"resources":                         {container(`resources: "{{ toYaml .Values.res }}"`), "resources: limits: cpu: \"4\" memory: 1Gi"},
		"an argument on a condition":        {container(`args: [a, "{{ if .Values.nah }}b{{ end }}", "{{ if .Values.yep }}c{{ end }}", "{{ if .Values.nah }}x{{ end }}{{ .Values.nope | default \"\" }}"]`), "args: - a - c - \"\" env:"},
		"the PeerJob's labels":              {in(`, labels: {size: "{{ .Size }}"}, annotations: {hosts: "{{ range .Peers }}{{ .Host }} {{ end }}"}`, "2", "", ""), "labels: size: \"2\""},
		"the Job's annotations":             {in("", "2", "job: {annotations: {a: \"{{ .Size }}\"}}", ""), "a: \"2\""},
		"all of the Job's annotations":      {in("", "2", "job: {annotations: \"{{ toYaml .Values.sel }}\"}", ""), "disktype: ssd"},
		"scalars of the spec":               {in("", "2", "suspend: \"{{ .Values.yep }}\"\nbackoffLimit: \"{{ .Values.gpus }}\"\nttlSecondsAfterFinished: \"{{ .Values.nope | default \\\"\\\" }}\"", ""), "completionMode: Indexed backoffLimit: 32 suspend: true template:"},
		"the peers":                         {in("", `"{{ div .Values.gpus 8 }}"`, "job: {annotations: {a: \"{{ len .Peers }}-{{ .Size }}\"}}", ""), "a: 4-4"},
		"error: the peers of a name":        {in("", `"{{ len .Name }}"`, "", ""), "spec.peers: Invalid value: \"{{ len .Name }}\": template: line 1, column 8: .Name is not known here; the number of peers may use .Values alone"},
		"error: no number of peers":         {in("", `"{{ .Values.evil }}"`, "", ""), `spec.peers: Invalid value: "a: b": must be an integer; rendered from "{{ .Values.evil }}"`},
		"error: too many peers":             {in("", `"{{ mul .Values.gpus 10000 }}"`, "", ""), `spec.peers: Invalid value: 320000: must be between 1 and 100000`},
		"error: a name":                     {strings.Replace(pod(""), "name: train", "name: '{{ .Values.evil }}'", 1), `metadata.name: Invalid value: "{{ .Values.evil }}": is not rendered, because templates need it; write it out, or patch it in an overlay`},
		"error: a toggle":                   {in("", "2", "nameSuffixHash: \"{{ .Values.yep }}\"", ""), `spec.nameSuffixHash: Invalid value: "{{ .Values.yep }}": is not rendered`},
		"error: all of metadata's labels":   {in(`, labels: "{{ toYaml .Values.sel }}"`, "2", "", ""), `metadata.labels: Invalid value: "{{ toYaml .Values.sel }}": must be a map; only its values may be templates`},
		"error: a text in a list":           {pod(`tolerations: "{{ .Values.evil }}"`), `spec.template.spec.tolerations: Invalid value: {...}: must render to a list`},
		"error: a text in a map":            {pod(`nodeSelector: "{{ .Name }}"`), `spec.template.spec.nodeSelector: Invalid value: "train": must render to a map`},
		"error: a list in a map":            {pod(`nodeSelector: "{{ toYaml .Values.tol }}"`), `spec.template.spec.nodeSelector: Invalid value: [...]: must render to a map`},
		"error: a map in a string":          {container(`workingDir: "{{ .Values.sel }}"`), `.Values.sel is a map, which has no text`},
		"error: two documents":              {pod(`tolerations: "{{ .Values.documents }}"`), "holds more than one document"},
		"error: an anchor":                  {pod(`nodeSelector: "{{ .Values.anchor }}"`), "must have no anchor, no alias and no tag"},
		"error: a tag":                      {pod(`nodeSelector: "{{ .Values.tagged }}"`), "must have no anchor, no alias and no tag"},
		"error: a key beside":               {container(`env: "{{ .Values.beside }}"`), `spec.template.spec.containers[0].env: Invalid value: {...}: must render to a list`},
		"error: an unknown field":           {container(`env: "{{ toYaml .Values.unknown }}"`), `spec.template.spec.containers[0].env[0].valeu: Forbidden: unknown field; did you mean "value"?`},
		"error: a number in a string":       {container(`env: "{{ toYaml .Values.number }}"`), `spec.template.spec.containers[0].env[0].value: Invalid value: 1: must be a string; write "1", with the quotes`},
		"error: text around the template":   {pod(`nodeSelector: "a: {{ .Name }}"`), `must be a map, or one template from "{{" to "}}" that renders to one`},
		"error: a template as a key":        {pod(`nodeSelector: {"{{ .Name }}": a}`), "a key is not rendered, only values are"},
		"error: a source of values":         {in("", "2", "valuesFrom: [{configMapRef: {name: \"{{ .Name }}\"}}]", ""), "spec.valuesFrom[0].configMapRef.name: Invalid value: \"{{ .Name }}\""},
		"a template in the values is text":  {in("", "2", "job: {annotations: {a: \"{{ (index .Values.env 1).value }}\"}}", ""), "a: '{{ x }}'"},
		"an overlay's own, not from values": {pod(`nodeSelector: {disktype: "{{ .Values.sel.disktype }}"}`), "nodeSelector: disktype: ssd"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, failed := run(t, list(tt.give))
			output := stdout[max(strings.LastIndex(stdout, "kind: Job"), 0):]
			if strings.HasPrefix(name, "error: ") {
				if !failed || !strings.Contains(stderr, tt.want) {
					t.Errorf("got %s\nwant the error %s", stderr, tt.want)
				}
				return
			}
			if failed {
				t.Fatal(stderr)
			}
			oneLine := func(text string) string { return strings.Join(strings.Fields(text), " ") }
			absent, isAbsent := strings.CutPrefix(tt.want, "!")
			if isAbsent == strings.Contains(oneLine(output), oneLine(absent)) {
				t.Errorf("want %s in\n%s", tt.want, output)
			}
			again, _, _ := run(t, stdout) // warns again of the values that the others read
			if diff := cmp.Diff(withoutResults(stdout), withoutResults(again)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
