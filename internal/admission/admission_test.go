// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/admission"
	"github.com/peerjob/peerjob/internal/decode"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/expand"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

func read(t testing.TB, text string) *peerjob.Group {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	pj, errs := decode.PeerJob(document.Content[0], nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	v1alpha1.Default(pj, v1alpha1.Settings{})
	return peerjob.NewGroup(pj, "")
}

func check(t testing.TB, text string) []string {
	t.Helper()
	g := read(t, text)
	objects, before := expand.Group(g), expand.Group(g)
	var got []string
	refused, _ := admission.Admit(g, objects)
	for _, err := range diag.SortErrors(refused) {
		got = append(got, err.Error())
	}
	if diff := cmp.Diff(before, objects, cmpopts.IgnoreTypes(&origin.Map{})); diff != "" {
		t.Errorf("the objects were changed:\n%s", diff)
	}
	return got
}

// What the server says of a label's value and of its key.
var (
	badLabel = validation.IsValidLabelValue("a b")[0]
	badName  = validation.IsQualifiedName("c d")[0]
)

// TestCheck has what the API server refuses, each on the field of the PeerJob
// that it comes from.
func TestCheck(t *testing.T) {
	const head = "metadata: {name: train}\nspec:\n  peers: 3\n"
	const smallest = "  template: {spec: {containers: [{name: w, image: x}]}}\n"
	tests := map[string]struct {
		give string
		want []string
	}{
		"valid":      {head + smallest, nil},
		"everything": {"metadata: {name: train, labels: {a: b}}\nspec:\n  peers: 3\n  suspend: true\n  backoffLimitPerIndex: 1\n  maxFailedIndexes: 3\n  podReplacementPolicy: Failed\n  podFailurePolicy: {rules: [{action: FailIndex, onExitCodes: {containerName: w, operator: In, values: [1, 2]}}]}\n  successPolicy: {rules: [{succeededIndexes: '0,2', succeededCount: 1}]}\n  managedBy: example.com/x\n  service: {ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv4, IPv6], ports: [{name: a, port: 1}, {name: b, port: 2}]}\n" + smallest, nil},
		"a privileged container": {
			head + "  template: {spec: {containers: [{name: w, image: x, securityContext: {privileged: true}}]}}\n", nil,
		},
		"an empty list that is not written": {
			head + "  template: {spec: {resources: {claims: []}, containers: [{name: w, image: x}]}}\n", nil,
		},
		"init containers and sidecars": {
			head + "  template: {spec: {initContainers: [{name: i, image: x}, {name: s, image: x, restartPolicy: Always, startupProbe: {tcpSocket: {port: 1}}}], containers: [{name: w, image: x}]}}\n", nil,
		},
		"an environment variable, behind those of peerjob": {
			head + "  template: {spec: {containers: [{name: w, image: x, env: [{name: A, value: a}, {name: B, valueFrom: {fieldRef: {fieldPath: spec.subdomain}}}, {name: 'a=b'}]}]}}\n",
			[]string{
				`spec.template.spec.containers[0].env[1].valueFrom.fieldRef.fieldPath: Invalid value: "spec.subdomain": error converting fieldPath: field label not supported: spec.subdomain`,
				`spec.template.spec.containers[0].env[2].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='`,
			},
		},
		"the same in an init container without peerEnv": {
			head + "  peerEnv: Disabled\n  template: {spec: {initContainers: [{name: i, image: x, env: [{name: ''}]}], containers: [{name: w, image: x}]}}\n",
			[]string{`spec.template.spec.initContainers[0].env[0].name: Required value`},
		},
		"values that the server copies": {
			head + "  template: {spec: {hostNetwork: true, containers: [{name: w, image: x, ports: [{containerPort: 70000}], resources: {limits: {example.com/a: '1.5', cpu: -1}}}], " +
				"initContainers: [{name: i, image: x, resources: {limits: {cpu: -2}, requests: {cpu: -2}}}]}}\n",
			[]string{
				`spec.template.spec.initContainers[0].resources.limits[cpu]: Invalid value: "-2": must be greater than or equal to 0`,
				`spec.template.spec.initContainers[0].resources.requests[cpu]: Invalid value: "-2": must be greater than or equal to 0`,
				`spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
				`spec.template.spec.containers[0].resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0`,
				`spec.template.spec.containers[0].resources.limits[example.com/a]: Invalid value: "1500m": must be an integer`,
			},
		},
		"one value that is missing": {
			head + "  template: {spec: {readinessGates: [{conditionType: ''}], containers: [{name: w, image: x, volumeMounts: [{mountPath: /a}]}]}}\n",
			[]string{
				`spec.template.spec.containers[0].volumeMounts[0].name: Required value`,
				`spec.template.spec.readinessGates[0].conditionType: Invalid value: "": name part must be non-empty`,
			},
		},
		"a success policy outside the peers": {
			head + "  successPolicy: {rules: [{succeededIndexes: '0-3'}]}\n" + smallest,
			[]string{`spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-3": error parsing succeededIndexes: too large index: "3"`},
		},
		"more failed indexes than peers": {
			head + "  backoffLimitPerIndex: 1\n  maxFailedIndexes: 4\n" + smallest,
			[]string{"spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions"},
		},
		"a pod failure policy with OnFailure": {
			head + "  podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: 'True'}]}]}\n  template: {spec: {restartPolicy: OnFailure, containers: [{name: w, image: x}]}}\n",
			[]string{`spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified`},
		},
		"ports of the Service": {
			head + "  service: {ports: [{port: 80}, {name: b, port: 0, protocol: ICMP}, {name: b, port: 3}]}\n" + smallest,
			[]string{
				`spec.service.ports[0].name: Required value`,
				`spec.service.ports[1].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"`,
				`spec.service.ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive`,
				`spec.service.ports[1].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive`,
				`spec.service.ports[2].name: Duplicate value: "b"`,
			},
		},
		"ports that follow from the containers'": {
			head + "  template: {spec: {containers: [{name: w, image: x, ports: [{containerPort: 0, name: a_b}]}]}}\n",
			[]string{
				`spec.template.spec.containers[0].ports[0].name: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
				`spec.template.spec.containers[0].ports[0].containerPort: Required value`,
			},
		},
		"labels, by their keys": {
			"metadata: {name: train, labels: {ok: a, w: a b}}\nspec:\n  peers: 3\n  template: {metadata: {labels: {x: a b, v: a b, 'c d': e}}, spec: {nodeSelector: {z: a b}, containers: [{name: w, image: x}]}}\n",
			[]string{
				"metadata.labels[w]: Invalid value: \"a b\": " + badLabel,
				"spec.template.metadata.labels: Invalid value: \"c d\": " + badName,
				"spec.template.metadata.labels[v]: Invalid value: \"a b\": " + badLabel,
				"spec.template.metadata.labels[x]: Invalid value: \"a b\": " + badLabel,
				"spec.template.spec.nodeSelector[z]: Invalid value: \"a b\": " + badLabel,
			},
		},
		"a value behind a gate": {
			head + "  template: {spec: {tolerations: [{key: a, operator: Gt, value: '1'}, {key: a, operator: gt}], containers: [{name: w, image: x}]}}\n",
			[]string{
				`spec.template.spec.tolerations[0].operator: Forbidden: "Gt" needs the feature gate TaintTolerationComparisonOperators, which is off by default in every version up to 1.37`,
				`spec.template.spec.tolerations[1].operator: Unsupported value: "gt": supported values: "Equal", "Exists"`,
			},
		},
		"IP families": {
			head + "  service: {ipFamilyPolicy: Both, ipFamilies: [IPv5, IPv4, IPv4]}\n" + smallest,
			[]string{
				`spec.service.ipFamilyPolicy: Unsupported value: "Both": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"`,
				`spec.service.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"`,
				`spec.service.ipFamilies[2]: Duplicate value: "IPv4"`,
			},
		},
		"two IP families on a single stack": {
			head + "  service: {ipFamilies: [IPv4, IPv6]}\n" + smallest,
			[]string{`spec.service.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified`},
		},
		"labels of both objects, said once": {
			"metadata: {name: train, labels: {a: 'b c'}}\nspec:\n  peers: 3\n" + smallest,
			[]string{`metadata.labels[a]: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`},
		},
		"labels of the Service alone": {
			head + "  service: {labels: {a: 'b c'}, annotations: {'x y': z}}\n" + smallest,
			[]string{
				`spec.service.labels[a]: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
				`spec.service.annotations: Invalid value: "x y": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, check(t, tt.give)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestCheck_subdomain has the one name that two fields can give.
func TestCheck_subdomain(t *testing.T) {
	for give, want := range map[string]string{
		"metadata: {name: A_B}\nspec: {peers: 1, template: {spec: {containers: [{name: w, image: x}]}}}":                      "metadata.name: ",
		"metadata: {name: ab}\nspec: {peers: 1, service: {name: A_B}, template: {spec: {containers: [{name: w, image: x}]}}}": "spec.service.name: ",
	} {
		errs := check(t, give)
		if len(errs) == 0 {
			t.Errorf("%s: taken", give)
		}
		for _, err := range errs {
			if !strings.HasPrefix(err, want) {
				t.Errorf("%s: error %s, want one on %s", give, err, want)
			}
		}
	}
}

// TestAdmit_size has Jobs of 20,000 variables, which a real server (1.37.2)
// refuses, of 15,000, which it takes, and of long texts. That server takes one
// variable of 1,571,575 bytes, and 16,602 of the short ones.
func TestAdmit_size(t *testing.T) {
	for name, tt := range map[string]struct {
		variables, text int
		refused, warned string
	}{
		"small":            {10, 10, "", ""},
		"20,000 variables": {20000, 10, "", "in metadata.managedFields"},
		"15,000 variables": {15000, 10, "", "use kubectl apply --server-side"},
		"text of 1.6 MB":   {13, 125000, "etcd takes no object of more than 1572352", ""},
		"the longest text": {1, 1571000, "", "in metadata.managedFields"},
		"text of 300 kB":   {3, 100000, "", "use kubectl apply --server-side"},
	} {
		t.Run(name, func(t *testing.T) {
			var env strings.Builder
			for i := range tt.variables {
				fmt.Fprintf(&env, "{name: VARIABLE%d, value: %s}, ", i, strings.Repeat("x", tt.text))
			}
			g := read(t, "metadata: {name: a}\nspec: {peers: 1, template: {spec: {containers: [{name: w, image: x, env: ["+env.String()+"]}]}}}")
			errs, warnings := admission.Admit(g, expand.Group(g))
			if got := fmt.Sprint(errs); (tt.refused == "") != (len(errs) == 0) || !strings.Contains(got, tt.refused) {
				t.Errorf("refused %s", got)
			}
			if got := fmt.Sprint(warnings); (tt.warned == "") != (len(warnings) == 0) || !strings.Contains(got, tt.warned) {
				t.Errorf("warned %s", got)
			}
		})
	}
}

// TestAdmit_configMapSize has files below and above what client-side apply takes.
func TestAdmit_configMapSize(t *testing.T) {
	for size, want := range map[int]string{
		200 << 10: "[]",
		300 << 10: "[{spec.files the ConfigMap a-files-",
	} {
		g := read(t, fmt.Sprintf("metadata: {name: a}\nspec: {peers: 1, files: [{path: /f, content: %s}], template: {spec: {containers: [{name: w, image: x}]}}}", strings.Repeat("x", size)))
		errs, warnings := admission.Admit(g, expand.Group(g))
		if got := fmt.Sprint(warnings); len(errs) > 0 || !strings.HasPrefix(got, want) {
			t.Errorf("%d bytes: %v %.300s, want %s", size, errs, got, want)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	g := read(b, "metadata: {name: train}\nspec:\n  peers: 3\n  template: {spec: {containers: [{name: w, image: x, ports: [{containerPort: 80}], volumeMounts: [{name: d, mountPath: /d}]}], volumes: [{name: d, emptyDir: {}}]}}\n")
	objects := expand.Group(g)
	for b.Loop() {
		if errs, _ := admission.Admit(g, objects); len(errs) > 0 {
			b.Fatal(errs)
		}
	}
}
