// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	kjson "sigs.k8s.io/json"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/apitype"
)

func parse(t testing.TB, text string) *yaml.Node {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return document.Content[0]
}

// TestPeerJob_values has values in every way YAML can write them, and the JSON
// that the API server would see.
func TestPeerJob_values(t *testing.T) {
	tests := map[string]struct{ give, want string }{
		"octal mode":         {"spec: {template: {spec: {volumes: [{name: v, configMap: {name: c, defaultMode: 0644}}]}}}", `{"spec":{"template":{"spec":{"volumes":[{"name":"v","configMap":{"name":"c","defaultMode":420}}]}}}}`},
		"quantity as number": {"spec: {template: {spec: {containers: [{name: w, resources: {limits: {cpu: 0.5, memory: 1Gi}}}]}}}", `{"spec":{"template":{"spec":{"containers":[{"name":"w","resources":{"limits":{"cpu":"500m","memory":"1Gi"}}}]}}}}`},
		"int or string":      {"spec: {service: {ports: [{port: 1, targetPort: 2}, {port: 3, targetPort: web}]}}", `{"spec":{"service":{"ports":[{"port":1,"targetPort":2},{"port":3,"targetPort":"web"}]}}}`},
		"null is unset":      {"spec: {peers: null, suspend: ~, template: {spec: {containers: null}}}", `{}`},
		"yes is text":        {"metadata: {labels: {a: yes, b: off}}", `{"metadata":{"labels":{"a":"yes","b":"off"}}}`},
		"a date is text":     {"metadata: {labels: {a: 2001-02-03}}", `{"metadata":{"labels":{"a":"2001-02-03"}}}`},
		"a number as a key":  {"metadata: {labels: {1: a}}", `{"metadata":{"labels":{"1":"a"}}}`},
		"an alias":           {"metadata: {labels: &l {a: b}, annotations: *l}", `{"metadata":{"labels":{"a":"b"},"annotations":{"a":"b"}}}`},
		"a merge":            {"metadata: {labels: &l {a: b, c: d}, annotations: {<<: *l, a: e}}", `{"metadata":{"labels":{"a":"b","c":"d"},"annotations":{"a":"e","c":"d"}}}`},
		"a merge of a list":  {"metadata: {labels: &l {a: b}, annotations: {<<: [*l, {a: x, z: y}]}}", `{"metadata":{"labels":{"a":"b"},"annotations":{"a":"b","z":"y"}}}`},
		"empty on purpose":   {"spec: {template: {spec: {volumes: [{name: v, emptyDir: {}}]}}}", `{"spec":{"template":{"spec":{"volumes":[{"name":"v","emptyDir":{}}]}}}}`},
		"creationTimestamp":  {"metadata: {name: x, creationTimestamp: null}", `{"metadata":{"name":"x"}}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, errs := PeerJob(parse(t, tt.give), nil)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			var want v1alpha1.PeerJob
			if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(mustJSON(t, &want), mustJSON(t, got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestPeerJob_everyType makes sure that no type of the API is unknown to the
// decoder: a wrong value in any field must be refused on that field's path.
func TestPeerJob_everyType(t *testing.T) {
	seen := 0
	var visit func(typ reflect.Type, wrap func(string) string, depth int)
	visit = func(typ reflect.Type, wrap func(string) string, depth int) {
		for _, f := range apitype.Of(typ).Fields {
			name, typ := f.Name, f.Type
			inner := func(value string) string { return wrap("{" + name + ": " + value + "}") }
			for {
				if typ.Kind() == reflect.Pointer {
					typ = typ.Elem()
				} else if typ.Kind() == reflect.Slice {
					typ = typ.Elem()
					outer := inner
					inner = func(value string) string { return outer("[" + value + "]") }
				} else if typ.Kind() == reflect.Map {
					typ = typ.Elem()
					outer := inner
					inner = func(value string) string { return outer("{key: " + value + "}") }
				} else {
					break
				}
			}
			if typ.Kind() == reflect.Interface {
				continue // takes anything
			}
			seen++
			_, errs := PeerJob(parse(t, inner("[[]]")), nil)
			if len(errs) != 1 || !strings.HasPrefix(errs[0].Detail, "must be ") {
				t.Errorf("%s: %v", inner("[[]]"), errs)
			}
			if _, custom := reflect.New(typ).Interface().(json.Unmarshaler); typ.Kind() == reflect.Struct && !custom {
				visit(typ, inner, depth+1)
			}
		}
	}
	visit(reflect.TypeFor[v1alpha1.PeerJob](), func(s string) string { return s }, 0)
	if seen < 500 {
		t.Errorf("only %d fields were visited", seen)
	}
}

func TestPeerJob_keys(t *testing.T) {
	for key, ok := range map[string]bool{"a": true, "1": true, "-1": true, "'00'": true, "'yes'": true, "yes": false, "Off": false, "y": false, "N": false, "2001-01-01": true, "00": false, "0x1": false, "1.0": false, "true": false, "~": false, "[a]": false, "{a: b}": false} {
		_, errs := PeerJob(parse(t, "metadata: {labels: {? "+key+" : x}}"), nil)
		if ok != (len(errs) == 0) {
			t.Errorf("key %s: %v", key, errs)
		}
	}
}

func TestPeerJob_nestedMerges(t *testing.T) {
	nested := "{z: z}"
	for range 110 {
		nested = "{<<: " + nested + "}"
	}
	_, errs := PeerJob(parse(t, "metadata: {labels: "+nested+"}"), nil)
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), `"<<" is nested more than 100 deep; write the values out`) {
		t.Error(errs)
	}
}

func TestPeerJob_hostile(t *testing.T) {
	many := strings.Repeat("*e, ", 2000)
	const large, aliased = "the PeerJob is too large", "the aliases of the YAML stand for more than 50000 values; write fewer"
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("a%d: &a%[1]d [%s]\n", i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), ", "))
	}
	tests := map[string]struct{ give, want string }{
		"text":    {"metadata: {annotations: {a: &s " + strings.Repeat("x", 100000) + "}}\nspec: {template: {spec: {containers: [{name: w, args: [" + strings.Repeat("*s, ", 100) + "]}]}}}", large},
		"merges":  {"metadata: {labels: &l {}, annotations: {<<: &many [" + strings.Repeat("*l, ", 2000) + "]}}\nspec: {service: {annotations: {<<: [" + strings.Repeat("*many, ", 2000) + "]}}, suspend: true}", aliased},
		"aliases": {"spec: {template: {spec: {containers: [&c {name: w, env: [&e {name: A, value: b}, " + many + "]}, " + strings.Repeat("*c, ", 2000) + "]}}}", aliased},
		"values":  {"spec:\n  values:\n    " + strings.ReplaceAll(strings.TrimSpace(bomb), "\n", "\n    "), aliased},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, errs := PeerJob(parse(t, tt.give), nil)
			if len(errs) != 1 || !strings.Contains(errs[0].Error(), tt.want) {
				t.Errorf("%d errors: %.200s", len(errs), errs.ToAggregate())
			}
		})
	}
}

// FuzzPeerJob holds the decoder to the server's own: what it takes without an
// error, sigs.k8s.io/json takes too, strictly, and reads the same from it; and
// what was read reads the same once more.
func FuzzPeerJob(f *testing.F) {
	for _, seed := range []string{
		"metadata: {name: x}\nspec: {peers: 3, template: {spec: {containers: [{name: w, image: x}]}}}",
		"spec: {peers: '3', peers: 1.5, service: {ports: [{port: 1, targetPort: a}]}}",
		"spec: {template: {spec: {containers: [{resources: {limits: {cpu: 1x, memory: 1Gi}}}]}}}",
		"metadata: {labels: &a {x: 1}, annotations: {<<: *a}}",
		"spec: {Peers: 3, suspend: yes}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var document yaml.Node
		if yaml.Unmarshal([]byte(text), &document) != nil || len(document.Content) == 0 {
			return
		}
		if hasCycle(&document, map[*yaml.Node]bool{}) {
			return // fn refuses these before it decodes
		}
		checkAssign(t, document.Content[0])
		pj, errs := PeerJob(document.Content[0], nil)
		for _, err := range errs {
			if err.Type == "InternalError" {
				t.Errorf("the decoders disagree: %v", err)
			}
		}
		if len(errs) > 0 {
			return
		}
		encoded, err := json.Marshal(pj)
		if err != nil {
			t.Fatal(err)
		}
		again, errs := PeerJob(parse(t, string(encoded)), nil)
		if len(errs) > 0 {
			t.Fatalf("what was read is refused: %v\n%s", errs, encoded)
		}
		if diff := cmp.Diff(string(encoded), mustJSON(t, again)); diff != "" {
			t.Errorf("what was read reads differently (-first +second):\n%s", diff)
		}
		// The oracle reads YAML as kubectl does. It takes more than the decoder
		// (YAML 1.1), and where it does not, it sees the same.
		plain, err := sigsyaml.YAMLToJSONStrict([]byte(text))
		if err != nil {
			return
		}
		var oracle v1alpha1.PeerJob
		if strict, err := kjson.UnmarshalStrict(plain, &oracle); err != nil || len(strict) > 0 {
			return
		}
		if diff := cmp.Diff(mustJSON(t, &oracle), string(encoded)); diff != "" {
			t.Errorf("kubectl would read something else (-kubectl +peerjob):\n%s", diff)
		}
	})
}

// checkAssign holds assign to what JSON makes of the value of a PeerJob.
func checkAssign(t *testing.T, node *yaml.Node) {
	t.Helper()
	value, _ := (&decoder{}).value(node, reflect.TypeFor[v1alpha1.PeerJob](), place{})
	var got, want v1alpha1.PeerJob
	gotErr, wantErr := assign(reflect.ValueOf(&got).Elem(), value), throughJSON(reflect.ValueOf(&want).Elem(), value)
	if (gotErr == nil) != (wantErr == nil) {
		t.Fatalf("assign says %v, and JSON %v", gotErr, wantErr)
	}
	if gotErr == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("assign differs from JSON (-JSON +assign):\n%s", cmp.Diff(mustJSON(t, &want), mustJSON(t, &got)))
	}
}

// TestAssign_examples holds assign to JSON on every PeerJob of the examples.
func TestAssign_examples(t *testing.T) {
	var files []string
	err := filepath.WalkDir("../../examples", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".yaml" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
			var document yaml.Node
			if decoder.Decode(&document) != nil {
				break
			}
			if bytes.Contains(data, []byte("kind: PeerJob")) {
				seen++
				checkAssign(t, document.Content[0])
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d PeerJobs", seen)
	}
}

func hasCycle(node *yaml.Node, open map[*yaml.Node]bool) bool {
	if node.Kind == yaml.AliasNode {
		return open[node.Alias]
	}
	open[node] = true
	defer delete(open, node)
	for _, child := range node.Content {
		if hasCycle(child, open) {
			return true
		}
	}
	return false
}

// TestPeerJob_limits has numbers that do not fit their Go type: the error names the
// bounds of the API.
func TestPeerJob_limits(t *testing.T) {
	for give, want := range map[string]string{
		"spec: {peers: 3000000000}":                           "spec.peers: Invalid value: 3000000000: must be between 1 and 100000",
		"spec: {peers: -3000000000}":                          "spec.peers: Invalid value: -3000000000: must be between 1 and 100000",
		"spec: {failurePolicy: {maxRestarts: 9999999999}}":    "spec.failurePolicy.maxRestarts: Invalid value: 9999999999: must be between 0 and 10000",
		"spec: {failurePolicy: {backoffSeconds: 9999999999}}": "spec.failurePolicy.backoffSeconds: Invalid value: 9999999999: must be between 0 and 60",
		"spec: {runner: {port: 3000000000}}":                  "spec.runner.port: Invalid value: 3000000000: must be between 1024 and 65535",
		"spec: {barrier: {startTimeoutSeconds: 9999999999}}":  "spec.barrier.startTimeoutSeconds: Invalid value: 9999999999: must be between 0 and 86400",
		"spec: {barrier: {endTimeoutSeconds: 9999999999}}":    "spec.barrier.endTimeoutSeconds: Invalid value: 9999999999: must be between 1 and 86400",
		"spec: {framework: {port: 3000000000}}":               "spec.framework.port: Invalid value: 3000000000: must be between 1 and 65535",
		"spec: {framework: {processesPerPeer: 3000000000}}":   "spec.framework.processesPerPeer: Invalid value: 3000000000: must be between 1 and 1024",
		"spec: {backoffLimit: 3000000000}":                    "spec.backoffLimit: Invalid value: 3000000000: must be between -2147483648 and 2147483647",
	} {
		_, errs := PeerJob(parse(t, give), nil)
		if len(errs) != 1 || errs[0].Error() != want {
			t.Errorf("%s: %v", give, errs)
		}
	}
}

// TestPeerJob_advice has values of a wrong type: the error says how to write each.
func TestPeerJob_advice(t *testing.T) {
	for give, want := range map[string]string{
		`spec: {peers: "4"}`:                                       `spec.peers: Invalid value: "4": must be an integer; write 4, without quotes`,
		`spec: {peers: "0755"}`:                                    `spec.peers: Invalid value: "0755": must be an integer; write 0755, without quotes`,
		`spec: {peers: "0x50"}`:                                    `spec.peers: Invalid value: "0x50": must be an integer; write 0x50, without quotes`,
		`spec: {peers: "0o17"}`:                                    `spec.peers: Invalid value: "0o17": must be an integer; write 15, without quotes`,
		`spec: {suspend: "false"}`:                                 `spec.suspend: Invalid value: "false": must be true or false; write false, without quotes`,
		`spec: {suspend: yes}`:                                     `spec.suspend: Invalid value: "yes": must be true or false; write true, without quotes`,
		`spec: {suspend: maybe}`:                                   `spec.suspend: Invalid value: "maybe": must be true or false`,
		`spec: {suspend: 1}`:                                       `spec.suspend: Invalid value: 1: must be true or false`,
		`spec: {peerEnv: false}`:                                   `spec.peerEnv: Invalid value: false: must be Enabled or Disabled; write Disabled`,
		`spec: {barrier: {start: true}}`:                           `spec.barrier.start: Invalid value: true: must be Enabled or Disabled; write Enabled`,
		`spec: {barrier: {end: 1}}`:                                `spec.barrier.end: Invalid value: 1: must be Enabled or Disabled`,
		`spec: {peers: four}`:                                      `spec.peers: Invalid value: "four": must be an integer`,
		`spec: {peers: "1_0", backoffLimit: 1}`:                    `spec.peers: Invalid value: "1_0": must be an integer; write 1_0, without quotes`,
		`metadata: {name: !!binary aGVsbG8=}`:                      `metadata.name: Invalid value: aGVsbG8=: must be a string; leave out the tag !!binary, and write "hello"`,
		`metadata: {name: !!binary /w==}`:                          `metadata.name: Invalid value: /w==: must be a string; leave out the tag !!binary, and write the text itself`,
		`metadata: {name: 0755}`:                                   `metadata.name: Invalid value: 0755: must be a string; write "0755", with the quotes`,
		`spec: {kubernetesVersion: 1.30}`:                          `spec.kubernetesVersion: Invalid value: 1.30: must be a string; write "1.30", with the quotes`,
		`spec: {kubernetesVersion: 1.3}`:                           `spec.kubernetesVersion: Invalid value: 1.3: must be a string; write "1.30", with the quotes: kustomize and other tools read it as the number 1.3 without`,
		`spec: {kubernetesVersion: 1.9}`:                           `spec.kubernetesVersion: Invalid value: 1.9: must be a string; write "1.9", with the quotes`,
		`spec: {framework: Torchrun}`:                              `spec.framework: Invalid value: "Torchrun": must be a map; write {type: Torchrun}`,
		`spec: {service: hub}`:                                     `spec.service: Invalid value: "hub": must be a map; write {name: hub}`,
		`spec: {barrier: Enabled}`:                                 `spec.barrier: Invalid value: "Enabled": must be a map, such as {start: Enabled, end: Enabled}`,
		"metadata:\n  name:\n    app: x":                           `metadata.name: Invalid value: {...}: must be a string`,
		"spec: {template: {spec: {containers: [{args: [a: b]}]}}}": `spec.template.spec.containers[0].args[0]: Invalid value: {...}: must be a string`,
		"spec:\n  template:\n    spec:\n      containers:\n      - args:\n        - --title=a: b":      `spec.template.spec.containers[0].args[0]: Invalid value: {...}: must be a string; write "--title=a: b", with the quotes`,
		"spec:\n  template:\n    spec:\n      containers:\n      - args:\n        - a:\n            b": `spec.template.spec.containers[0].args[0]: Invalid value: {...}: must be a string`,
		`spec: {barrier: Disabled}`:                                                      `spec.barrier: Invalid value: "Disabled": must be a map; remove it`,
		`spec: {framework: torchrun}`:                                                    `spec.framework: Invalid value: "torchrun": must be a map; write {type: Torchrun}`,
		`spec: {framework: mpi}`:                                                         `spec.framework: Invalid value: "mpi": must be a map; write {type: TYPE}, with one of IntelMPI, MPICH, OpenMPI`,
		`spec: {framework: {leader: mpirun -n 3}}`:                                       `spec.framework.leader: Invalid value: "mpirun -n 3": must be a map; write {command: [mpirun, -n, "3"]}`,
		`spec: {files: {/etc/x: abc}}`:                                                   `spec.files: Invalid value: {...}: must be a list; write [{path: /etc/x, content: abc}]`,
		`spec: {barrier: {startTimeoutSeconds: 5m}}`:                                     `spec.barrier.startTimeoutSeconds: Invalid value: "5m": must be an integer; write 300`,
		`spec: {ttlSecondsAfterFinished: 1h}`:                                            `spec.ttlSecondsAfterFinished: Invalid value: "1h": must be an integer; write 3600`,
		`spec: {valuesFrom: [{configMapRef: cfg}]}`:                                      `spec.valuesFrom[0].configMapRef: Invalid value: "cfg": must be a map; write {name: cfg}`,
		`spec: {service: {ports: [80]}}`:                                                 `spec.service.ports[0]: Invalid value: 80: must be a map; write {port: 80}`,
		`spec: {template: {spec: {containers: [{command: train --leader}]}}}`:            `spec.template.spec.containers[0].command: Invalid value: "train --leader": must be a list; write [train, --leader]`,
		`spec: {template: {spec: {containers: [{command: a | b}]}}}`:                     `spec.template.spec.containers[0].command: Invalid value: "a | b": must be a list; write [sh, -c, a | b]`,
		`spec: {template: {spec: {containers: [{args: a | b}]}}}`:                        `spec.template.spec.containers[0].args: Invalid value: "a | b": must be a list`,
		`spec: {template: {spec: {containers: [{env: {A: b, "y": 1}}]}}}`:                `spec.template.spec.containers[0].env: Invalid value: {...}: must be a list; write [{name: A, value: b}, {name: "y", value: "1"}]`,
		`spec: {template: {spec: {containers: [{env: {name: A, value: b}}]}}}`:           `spec.template.spec.containers[0].env: Invalid value: {...}: must be a list; write [{name: A, value: b}]`,
		`spec: {template: {spec: {containers: [{env: [A=b=c]}]}}}`:                       `spec.template.spec.containers[0].env[0]: Invalid value: "A=b=c": must be a map; write {name: A, value: b=c}`,
		`spec: {template: {spec: {containers: [{env: [A]}]}}}`:                           `spec.template.spec.containers[0].env[0]: Invalid value: "A": must be a map, such as {name: NAME, value: VALUE}`,
		`spec: {template: {spec: {containers: [{resources: {limits: {memory: 2gb}}}]}}}`: `spec.template.spec.containers[0].resources.limits[memory]: Invalid value: "2gb": must be a quantity; write 2G or 2Gi`,
		`spec: {failurePolicy: RestartPeerJob}`:                                          `spec.failurePolicy: Invalid value: "RestartPeerJob": must be a map, such as {action: RestartPeerJob, maxRestarts: 3}`,
		`spec: {failurePolicy: {backoffSeconds: 5s}}`:                                    `spec.failurePolicy.backoffSeconds: Invalid value: "5s": must be an integer; write 5`,
		`spec: {failurePolicy: {restarts: 3}}`:                                           `spec.failurePolicy.restarts: Forbidden: unknown field; did you mean "maxRestarts"?`,
		`spec: {failurePolicy: {rules: []}}`:                                             `spec.failurePolicy.rules: Forbidden: unknown field; set spec.podFailurePolicy, whose rules say which exit codes are no failure of the group`,
		`spec: {failurePolicy: {backoffLimit: 3}}`:                                       `spec.failurePolicy.backoffLimit: Forbidden: unknown field; set maxRestarts, with the action RestartPeerJob`,
		`spec: {maxRestarts: 3}`:                                                         `spec.maxRestarts: Forbidden: unknown field; set spec.failurePolicy.maxRestarts, or spec.framework.elastic.maxRestarts if the group may shrink`,
		`spec: {barrier: {startTimeout: 3}}`:                                             `spec.barrier.startTimeout: Forbidden: unknown field; did you mean "startTimeoutSeconds"?`,
		`spec: {namespace: x}`:                                                           `spec.namespace: Forbidden: unknown field; set metadata.namespace`,
		`peers: 2`:                                                                       `peers: Forbidden: unknown field; set spec.peers`,
		`spec: {values: {y: 1}}`:                                                         `spec.values: Invalid value: "y": a key must be a string, and YAML 1.1 reads y as true; write "y", with the quotes`,
		`spec: {service: 1}`:                                                             `spec.service: Invalid value: 1: must be a map, such as {name: NAME}`,
		`spec: {template: hub}`:                                                          `spec.template: Invalid value: "hub": must be a map`,
		`spec: {metadata: {}}`:                                                           `spec.metadata: Forbidden: unknown field; set metadata of the PeerJob for all objects, spec.job for the Job alone, spec.template.metadata for the Pods`,
		`spec: {nprocPerNode: 8}`:                                                        `spec.nprocPerNode: Forbidden: unknown field; set spec.framework.processesPerPeer`,
		`spec: {framework: {nproc_per_node: "8"}}`:                                       `spec.framework.nproc_per_node: Forbidden: unknown field; set processesPerPeer`,
	} {
		_, errs := PeerJob(parse(t, give), nil)
		if len(errs) != 1 || errs[0].Error() != want {
			t.Errorf("%s: %v\nwant %s", give, errs, want)
		}
	}
}
