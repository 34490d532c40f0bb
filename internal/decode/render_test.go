// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// texts renders "{{ name }}" to a text of its own, and an unknown one to an error.
type texts map[string]string

var template = regexp.MustCompile(`\{\{-?\s*([a-z ]+?)\s*-?\}\}`)

func (r texts) Render(path *field.Path, text string) (string, *field.Error) {
	var wrong *field.Error
	out := template.ReplaceAllStringFunc(text, func(one string) string {
		name := template.FindStringSubmatch(one)[1]
		value, found := r[name]
		if !found {
			wrong = field.Invalid(path, text, "no "+name)
		}
		return value
	})
	return out, wrong
}

func (r texts) RenderYAML(path *field.Path, text string) (*yaml.Node, *field.Error) {
	out, wrong := r.Render(path, text)
	var document yaml.Node
	if wrong != nil {
		return nil, wrong
	}
	if err := yaml.Unmarshal([]byte(out), &document); err != nil {
		return nil, field.Invalid(path, text, err.Error())
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	return document.Content[0], nil
}

var stub = texts{
	"name": "w", "five": "5", "yes": "true", "word": "many", "none": "", "octal": "017", "float": "1.5", "brace": "{{ word }}",
	"list": "[{name: A, value: '1'}, {name: B, value: '{{ word }}'}]", "map": "{zone: a, rack: '7'}", "args": "[x, y]", "number": "7",
	"if yes": "", "end": "",
}

// TestPeerJob_templates has what templates render to in a field of every type, and the JSON
// that the API server would see.
func TestPeerJob_templates(t *testing.T) {
	container := func(fields string) string {
		return "spec: {template: {spec: {containers: [{name: w, " + fields + "}]}}}"
	}
	wantContainer := func(fields string) string {
		return `{"spec":{"template":{"spec":{"containers":[{"name":"w",` + fields + `}]}}}}`
	}
	for name, test := range map[string]struct{ give, want string }{
		"a text":                                 {container("image: 'app:{{ word }}'"), wantContainer(`"image":"app:many"`)},
		"a text that looks like a number":        {container("image: '{{ five }}'"), wantContainer(`"image":"5"`)},
		"a text that looks like a boolean":       {container("image: '{{ yes }}'"), wantContainer(`"image":"true"`)},
		"a text of nothing":                      {container("image: '{{ none }}'"), wantContainer(`"image":""`)},
		"nothing is rendered twice":              {container("image: '{{ brace }}'"), wantContainer(`"image":"{{ word }}"`)},
		"a number":                               {"spec: {backoffLimit: '{{ five }}'}", `{"spec":{"backoffLimit":5}}`},
		"a number of nothing is unset":           {"spec: {backoffLimit: '{{ none }}'}", `{}`},
		"the peers":                              {"spec: {peers: '{{ five }}'}", `{"spec":{"peers":5}}`},
		"a boolean":                              {"spec: {suspend: '{{ yes }}'}", `{"spec":{"suspend":true}}`},
		"a number or a word, a number":           {"spec: {framework: {type: Torchrun, processesPerPeer: '{{ five }}'}}", `{"spec":{"framework":{"type":"Torchrun","processesPerPeer":5}}}`},
		"a number or a word, a word":             {"spec: {framework: {type: Torchrun, processesPerPeer: '{{ name }}'}}", `{"spec":{"framework":{"type":"Torchrun","processesPerPeer":"w"}}}`},
		"a quantity":                             {container("resources: {limits: {memory: '{{ five }}Gi'}}"), wantContainer(`"resources":{"limits":{"memory":"5Gi"}}`)},
		"an element":                             {container("args: ['{{ word }}', b]"), wantContainer(`"args":["many","b"]`)},
		"an element of nothing stays":            {container("args: ['{{ none }}', b]"), wantContainer(`"args":["","b"]`)},
		"an element that a condition leaves out": {container("args: ['{{ if yes }}{{ end }}', b]"), wantContainer(`"args":["b"]`)},
		"the value of a label":                   {"metadata: {labels: {a: '{{ word }}'}}", `{"metadata":{"labels":{"a":"many"}}}`},
		"a list":                                 {container("env: '{{ list }}'"), wantContainer(`"env":[{"name":"A","value":"1"},{"name":"B","value":"{{ word }}"}]`)},
		"a list of texts":                        {container("args: '{{ args }}'"), wantContainer(`"args":["x","y"]`)},
		"a list of nothing is unset":             {"spec: {template: {spec: {tolerations: '{{ none }}'}}}", `{}`},
		"a map":                                  {"spec: {template: {spec: {nodeSelector: '{{ map }}'}}}", `{"spec":{"template":{"spec":{"nodeSelector":{"zone":"a","rack":"7"}}}}}`},
		"values are no templates here":           {"spec: {values: {a: '{{ unknown }}'}, snippets: {s: '{{ unknown }}'}}", `{"spec":{"values":{"a":"{{ unknown }}"},"snippets":{"s":"{{ unknown }}"}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, errs := PeerJob(parse(t, test.give), stub)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			var want v1alpha1.PeerJob
			if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(mustJSON(t, &want), mustJSON(t, got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPeerJob_templates_errors has templates where there can be none, and what they
// render to where it does not fit: each error is on its field.
func TestPeerJob_templates_errors(t *testing.T) {
	for give, want := range map[string]string{
		"metadata: {name: '{{ name }}'}":                                        "metadata.name: ",
		"metadata: {namespace: '{{ name }}'}":                                   "metadata.namespace: ",
		"spec: {clusterDomain: '{{ name }}'}":                                   "spec.clusterDomain: ",
		"spec: {kubernetesVersion: '{{ name }}'}":                               "spec.kubernetesVersion: ",
		"spec: {nameSuffixHash: '{{ name }}'}":                                  "spec.nameSuffixHash: ",
		"spec: {valuesFrom: [{configMapRef: {name: '{{ name }}'}}]}":            "spec.valuesFrom[0].configMapRef.name: ",
		"spec: {peers: '{{ word }}'}":                                           "spec.peers: Invalid value: ",
		"spec: {peers: '{{ float }}'}":                                          "spec.peers: Invalid value: ",
		"spec: {peers: '{{ octal }}'}":                                          "spec.peers: Invalid value: ",
		"spec: {suspend: '{{ word }}'}":                                         "spec.suspend: Invalid value: ",
		"spec: {backoffLimit: '{{ unknown }}'}":                                 "spec.backoffLimit: Invalid value: \"{{ unknown }}\": no unknown",
		"metadata: {labels: {'{{ word }}': a}}":                                 "metadata.labels: Invalid value: \"{{ word }}\": a key is not rendered",
		"spec: {service: '{{ map }}'}":                                          "spec.service: ",
		"metadata: {labels: '{{ map }}'}":                                       "metadata.labels: ",
		"spec: {template: {spec: {nodeSelector: '{{ number }}'}}}":              "spec.template.spec.nodeSelector: Invalid value: ",
		"spec: {template: {spec: {nodeSelector: '{{ args }}'}}}":                "spec.template.spec.nodeSelector: Invalid value: ",
		"spec: {template: {spec: {tolerations: '{{ map }}'}}}":                  "spec.template.spec.tolerations: Invalid value: ",
		"spec: {template: {spec: {nodeSelector: 'a{{ map }}'}}}":                "spec.template.spec.nodeSelector: Invalid value: ",
		"spec: {template: {spec: {nodeSelector: '{{ unknown }}'}}}":             "spec.template.spec.nodeSelector: Invalid value: \"{{ unknown }}\": no unknown",
		"spec: {template: {spec: {containers: [{name: w, env: '{{ map }}'}]}}}": "spec.template.spec.containers[0].env: Invalid value: ",
	} {
		_, errs := PeerJob(parse(t, give), stub)
		if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), want) {
			t.Errorf("%s: want %s, got %v", give, want, errs)
		}
	}
	// Without a renderer, they are texts.
	pj, errs := PeerJob(parse(t, "metadata: {name: '{{ name }}'}"), nil)
	if len(errs) > 0 || pj.Name != "{{ name }}" {
		t.Errorf("%q, %v", pj.Name, errs)
	}
}

// TestHead reads what is needed before anything is rendered, and nothing else.
func TestHead(t *testing.T) {
	const text = `
metadata: {name: a, namespace: n, labels: {a: '{{ b }}'}}
spec:
  peers: '{{ five }}'
  templating: Enabled
  service: {name: '{{ name }}', ports: [{port: x}]}
  clusterDomain: example.org
  values: {a: b}
  snippets: {s: t}
  valuesFrom: [{configMapRef: {name: c}}]
  template: {spec: {containers: [{name: [wrong]}]}}
`
	head, errs := Head(parse(t, text))
	if len(errs) > 0 {
		t.Errorf("what stands elsewhere is not of the head: %v", errs)
	}
	if head.Name != "a" || head.Namespace != "n" || head.Labels != nil || head.Spec.Service.Name != "{{ name }}" || head.Spec.Service.Ports != nil ||
		head.Spec.ClusterDomain != "example.org" || head.Spec.Values["a"] != "b" || head.Spec.Snippets["s"] != "t" || len(head.Spec.ValuesFrom) != 1 ||
		len(head.Spec.Template.Spec.Containers) != 0 || head.Spec.Peers == nil || *head.Spec.Peers != 1 {
		t.Errorf("%s", mustJSON(t, head))
	}
	if diff := cmp.Diff(map[string]string{"spec.peers": "{{ five }}"}, Peers(parse(t, text))); diff != "" {
		t.Errorf("peers (-want +got):\n%s", diff)
	}
	const roles = "spec: {roles: [{name: a, peers: 2, template: {spec: [wrong]}}, {name: b, peers: '{{ five }}', dependsOn: [wrong]}]}"
	if diff := cmp.Diff(map[string]string{"spec.roles[1].peers": "{{ five }}"}, Peers(parse(t, roles))); diff != "" {
		t.Errorf("peers of roles (-want +got):\n%s", diff)
	}
	head, errs = Head(parse(t, roles))
	if want := []v1alpha1.PeerRole{{Name: "a", Peers: new(int32(2))}, {Name: "b", Peers: new(int32(1))}}; len(errs) > 0 || !cmp.Equal(want, head.Spec.Roles) {
		t.Errorf("roles: %s, %v", mustJSON(t, head), errs)
	}
	for _, other := range []string{"spec: {peers: 3}", "spec: {peers: '3'}", "spec: {}", "{}", "spec: {peers: ['{{ a }}']}", "spec: {peers: !!binary '{{ a }}'}"} {
		if peers := Peers(parse(t, other)); len(peers) > 0 {
			t.Errorf("%s: %q", other, peers)
		}
	}
	if _, errs := Head(parse(t, "spec: {clusterDomain: [x], values: [y]}")); len(errs) != 2 {
		t.Errorf("what is wrong in the head: %v", errs)
	}
}

func TestMayTemplate(t *testing.T) {
	for text, want := range map[string]bool{
		"spec: {templating: Enabled}": true, "spec: {templating: Disabled}": true, "spec: {peers: 3}": false, "{}": false, "spec: templating": false, "[spec]": false,
		"spec: {<<: {templating: Enabled}}": true, "<<: {spec: {templating: Enabled}}": true, "{a: &s {templating: Enabled}, spec: *s}": true, "{templating: Enabled}": false,
		"{spec: {a: {templating: Enabled}}}": false,
	} {
		if got := MayTemplate(parse(t, text)); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

// TestPeerJob_hints has fields of a Job, of other kinds and of containers at the wrong
// place: the error says where it belongs, or which tool has it.
func TestPeerJob_hints(t *testing.T) {
	for give, want := range map[string]string{
		"spec: {completions: 3}":                    "set spec.peers, which becomes the completions and the parallelism of the Job",
		"spec: {parallelism: 3}":                    "set spec.peers, which becomes",
		"spec: {completionMode: Indexed}":           "always Indexed",
		"spec: {selector: {}}":                      "the server gives the Job its selector",
		"spec: {subdomain: a}":                      "set spec.service.name",
		"spec: {replicas: 3}":                       "set spec.peers",
		"spec: {volumeClaimTemplates: []}":          "a StatefulSet has them",
		"spec: {schedule: '* * * * *'}":             "a CronJob has it",
		"spec: {service: {clusterIP: None}}":        "always headless",
		"spec: {service: {selector: {}}}":           "selects the Pods of its Job",
		"spec: {image: a}":                          "set spec.template.spec.containers[].image",
		"{env: []}":                                 "set spec.template.spec.containers[].env",
		"spec: {template: {spec: {command: [a]}}}":  "set spec.template.spec.containers[].command",
		"spec: {nodeSelector: {}}":                  "; set spec.template.spec.nodeSelector",
		"spec: {template: {tolerations: []}}":       "; set spec.template.spec.tolerations",
		"spec: {peer: 3}":                           `did you mean "peers"?`,
		"spec: {template: {spec: {container: []}}}": `did you mean "containers"?`,
		"spec: {Peers: 3}":                          `did you mean "peers"?`,
	} {
		_, errs := PeerJob(parse(t, give), nil)
		if len(errs) != 1 || !strings.Contains(errs[0].Error(), want) {
			t.Errorf("%s: want %s, got %v", give, want, errs)
		}
	}
	if _, errs := PeerJob(parse(t, "spec: {xyzzy: 1}"), nil); len(errs) != 1 || strings.Contains(errs[0].Error(), ";") {
		t.Errorf("a field like none has no hint: %v", errs)
	}
}
