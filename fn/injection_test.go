// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// injections are values that would add something to YAML if a template wrote YAML.
var injections = []string{
	"a: b", "x\n---\napiVersion: v1\nkind: Evil\nmetadata: {name: evil}", "x\n...\nkind: Evil", "&a x", "*a", "<<: {kind: Evil}", "!!binary aGk=", "!evil x",
	"x\nimage: evil", "x\n      securityContext: {privileged: true}", "x, privileged: true}", "x\", \"privileged\": \"true", "x' , privileged: 'true", "[x, y]", "{privileged: true}",
	"- x\n- y", "x # comment", "# comment", "|\n  x", "? x", "\"x", "'x", "`x`", "%YAML 1.1\n---\nx", "{{ .Values.secret }}", "$(PEERJOB_UID)\nkind: Evil",
	"privileged: true", "hostNetwork: true\nhostPID: true", "\u2028x: y", "x\r\nkind: Evil", "x\x85kind: Evil", "3\nprivileged: true", "3 # x", "0x3", "true\nx: y",
}

// injectionFields are templates in every kind of field, each in a PeerJob that is right
// without it; "%s" is the template.
var injectionFields = map[string]string{
	"a label":                 "metadata: {name: t, labels: {a: %s}}\nspec: {$spec}",
	"an annotation":           "metadata: {name: t, annotations: {a: %s}}\nspec: {$spec}",
	"an annotation of a Job":  "metadata: {name: t}\nspec: {job: {annotations: {a: %s}}, $spec}",
	"all of a Job's labels":   "metadata: {name: t}\nspec: {job: {labels: %s}, $spec}",
	"a Service's name":        "metadata: {name: t}\nspec: {service: {name: %s}, $spec}",
	"an integer":              "metadata: {name: t}\nspec: {backoffLimit: %s, $spec}",
	"a boolean":               "metadata: {name: t}\nspec: {suspend: %s, $spec}",
	"a word of the API":       "metadata: {name: t}\nspec: {podReplacementPolicy: %s, $spec}",
	"a file":                  "metadata: {name: t}\nspec: {files: [{path: /a, content: %s}], $spec}",
	"the path of a file":      "metadata: {name: t}\nspec: {files: [{path: %s}], $spec}",
	"a map":                   "metadata: {name: t}\nspec: {$pod nodeSelector: %s}",
	"a value of a map":        "metadata: {name: t}\nspec: {$pod nodeSelector: {a: %s}}",
	"a list":                  "metadata: {name: t}\nspec: {$pod tolerations: %s}",
	"an item of a list":       "metadata: {name: t}\nspec: {$pod tolerations: [%s]}",
	"a string":                "metadata: {name: t}\nspec: {$container workingDir: %s}",
	"an item of strings":      "metadata: {name: t}\nspec: {$container args: [a, %s, b]}",
	"a variable":              "metadata: {name: t}\nspec: {$container env: [{name: A, value: %s}]}",
	"all variables":           "metadata: {name: t}\nspec: {$container env: %s}",
	"a port":                  "metadata: {name: t}\nspec: {$container ports: [{containerPort: %s}]}",
	"a quantity":              "metadata: {name: t}\nspec: {$container resources: {limits: {cpu: %s}}}",
	"an integer or a string":  "metadata: {name: t}\nspec: {service: {ports: [{port: 80, targetPort: %s}]}, $spec}",
	"the Pod's annotations":   "metadata: {name: t}\nspec: {$meta annotations: %s}",
	"a field with its braces": "metadata: {name: t}\nspec: {$container securityContext: %s}",
}

// TestInjection holds every template to its field: whatever it renders, the objects have
// the keys that they have without it, or it is an error.
func TestInjection(t *testing.T) {
	const template = "template: {spec: {containers: [{name: w, image: x}]}}"
	expand := strings.NewReplacer(
		"$spec", "peers: 2, "+template,
		"$pod", "peers: 2, template: {spec: {containers: [{name: w, image: x}],",
		"$container", "peers: 2, template: {spec: {containers: [{name: w, image: x,",
		"$meta", "peers: 2, template: {spec: {containers: [{name: w, image: x}]}, metadata: {",
	)
	closing := map[string]string{"$pod": "}}", "$container": "}]}}", "$meta": "}}"}
	rendered := 0
	for name, field := range injectionFields {
		t.Run(name, func(t *testing.T) {
			for word, end := range closing {
				if strings.Contains(field, word) {
					field = strings.TrimSuffix(field, "}") + end + "}"
				}
			}
			for _, value := range injections {
				encoded, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				pj := fmt.Sprintf(expand.Replace(field), `"{{ .Values.v }}"`)
				pj = "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\n" + strings.Replace(pj, "spec: {", fmt.Sprintf("spec: {templating: Enabled, values: {v: %s}, ", encoded), 1)
				stdout, _, err := expandFiles(t, ExpandOptions{}, pj)
				if err != nil {
					continue
				}
				rendered++
				checkInjection(t, value, stdout)
			}
		})
	}
	if rendered < 100 {
		t.Errorf("only %d values were rendered", rendered)
	}
}

// checkInjection looks for what no field of TestInjection has.
func checkInjection(t *testing.T, value, stdout string) {
	t.Helper()
	var kinds []string
	for decoder := yaml.NewDecoder(strings.NewReader(stdout)); ; {
		var object map[string]any
		if decoder.Decode(&object) != nil {
			break
		}
		kind, _ := object["kind"].(string)
		kinds = append(kinds, kind)
		for _, key := range slices.Sorted(maps.Keys(object)) {
			if !slices.Contains([]string{"apiVersion", "kind", "metadata", "spec", "data", "immutable"}, key) {
				t.Errorf("%q adds the key %s:\n%s", value, key, stdout)
			}
		}
		checkKeys(t, value, object)
	}
	if got := strings.Join(kinds, " "); got != "Service Job" && got != "Service ConfigMap Job" {
		t.Errorf("%q makes %s:\n%s", value, got, stdout)
	}
}

func checkKeys(t *testing.T, value string, in any) {
	t.Helper()
	switch in := in.(type) {
	case map[string]any:
		for key, inner := range in {
			if slices.Contains([]string{"hostNetwork", "hostPID"}, key) || key == "image" && inner != "x" {
				t.Errorf("%q sets %s to %v", value, key, inner)
			}
			checkKeys(t, value, inner)
		}
	case []any:
		for _, inner := range in {
			checkKeys(t, value, inner)
		}
	}
}
