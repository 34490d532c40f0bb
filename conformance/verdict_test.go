// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/conformance/apiserver"
)

func TestKind(t *testing.T) {
	taken, refused := apiserver.Answer{Code: 201}, apiserver.Answer{Code: 422, Message: "m"}
	at := func(path string) field.ErrorList { return field.ErrorList{{Type: field.ErrorTypeInvalid, Field: path}} }
	said := func(service, job apiserver.Answer) []answer {
		return []answer{{kind: "Service", Answer: service}, {kind: "Job", Answer: job}}
	}
	dropped := func(paths ...string) comparison { return comparison{dropped: paths} }
	for _, test := range []struct {
		name    string
		verdict verdict
		want    kind
	}{
		{"accepted", verdict{decoded: true, answers: said(taken, taken)}, acceptedByBoth},
		{"not decoded", verdict{own: at("a")}, unreadable},
		{"own rule", verdict{decoded: true, own: at("a"), answers: said(taken, taken)}, refusedByOwnRules},
		{"own rule, and the server has one", verdict{decoded: true, own: at("a"), answers: said(taken, refused)}, refusedByBoth},
		{"refused", verdict{decoded: true, admission: at("a"), answers: said(refused, taken)}, refusedByBoth},
		{"wrongly accepted", verdict{decoded: true, answers: said(taken, refused)}, wronglyAccepted},
		{"wrongly refused", verdict{decoded: true, admission: at("a"), answers: said(taken, taken)}, wronglyRefused},
		{"refused by the newest server", verdict{decoded: true, admission: at("a"), newestRefuses: true, answers: said(taken, taken)}, refusedByNewer},
		{"said to be missing, and refused by the newest", verdict{decoded: true, version: at("a.b"), admission: at("a"), newestRefuses: true, answers: said(taken, taken)}, wronglyRefused},
		{"wrongly refused besides an own rule", verdict{decoded: true, own: at("b"), admission: at("a"), answers: said(taken, taken)}, wronglyRefused},
		{"said to be missing, and kept", verdict{decoded: true, version: at("a.b"), answers: said(taken, taken)}, wronglyRefused},
		{"said to be missing, and dropped", verdict{decoded: true, version: at("a[0].b"), answers: said(taken, taken), comparison: dropped("a[7].b")}, refusedByBoth},
		{"said to be missing, and dropped with its list", verdict{decoded: true, version: at("a[0].b"), answers: said(taken, taken), comparison: dropped("a")}, refusedByBoth},
		{"wrong in a field that was dropped", verdict{decoded: true, version: at("a"), admission: at("a.b"), answers: said(taken, taken), comparison: dropped("a")}, refusedByBoth},
		{"an image volume of a runner", verdict{decoded: true, version: at("spec.runner.delivery"), answers: said(taken, taken), comparison: dropped("spec.template.spec.volumes[1].image")}, refusedByBoth},
		{"resources of a runner", verdict{decoded: true, version: at("spec.runner.resources.claims"), answers: said(taken, taken), comparison: dropped("spec.template.spec.initContainers[1].resources.claims")}, refusedByBoth},
		{"said to be missing, and read otherwise", verdict{decoded: true, version: at("a[0].b"), answers: said(taken, taken), comparison: comparison{misread: []string{"a[7].b: meant 1, read 2"}}}, refusedByBoth},
		{"misread", verdict{decoded: true, answers: said(taken, taken), comparison: comparison{misread: []string{"x"}}}, readOtherwise},
		{"misread with a warning", verdict{decoded: true, answers: said(taken, taken), warned: []string{"a.b"}, comparison: comparison{misread: []string{"a.b: meant 1, read 2"}}}, acceptedByBoth},
		{"dropped silently", verdict{decoded: true, answers: said(taken, taken), warned: []string{"a.bc"}, comparison: dropped("a.b")}, readOtherwise},
		{"dropped with a warning", verdict{decoded: true, answers: said(taken, taken), warned: []string{"a.b.c"}, comparison: dropped("a.b")}, acceptedByBoth},
	} {
		if got := test.verdict.kind(); got != test.want {
			t.Errorf("%s: kind %d, want %d", test.name, got, test.want)
		}
	}
}

// TestRules has errors that are of one rule, and others that are not.
func TestRules(t *testing.T) {
	invalid := func(path string, value any, detail string) *field.Error {
		return &field.Error{Type: field.ErrorTypeInvalid, Field: path, BadValue: value, Detail: detail}
	}
	unsupported := func(path, detail string) *field.Error {
		return &field.Error{Type: field.ErrorTypeNotSupported, Field: path, BadValue: "a", Detail: detail}
	}
	required := func(path, detail string) *field.Error {
		return &field.Error{Type: field.ErrorTypeRequired, Field: path, BadValue: "", Detail: detail}
	}
	const port = ": must be a number, or the name of a port of the container "
	for want, errs := range map[string]field.ErrorList{
		"spec.template.spec.containers[].command[]: Invalid value: _: must be the program to start": {
			invalid("spec.template.spec.containers[0].command[0]", "", "must be the program to start"),
			invalid("spec.roles[2].template.spec.initContainers[0].command[1]", "x", "must be the program to start"),
		},
		"spec.template.spec.containers[].probeOrHook.port: Invalid value: _" + port + "_, which has none with a name": {
			invalid("spec.template.spec.containers[1].livenessProbe.httpGet.port", "a", port[2:]+"log-shipper, which has none with a name"),
			invalid("spec.template.spec.initContainers[1].startupProbe.tcpSocket.port", "b", port[2:]+"l0z, which has none with a name"),
			invalid("spec.roles[0].template.spec.containers[1].lifecycle.preStop.httpGet.port", "c", port[2:]+"0, which has none with a name"),
		},
		"spec.template.spec.containers[].probeOrHook.port: Unsupported value: _: supported values: _": {
			unsupported("spec.template.spec.containers[1].readinessProbe.httpGet.port", `supported values: "a"`),
			unsupported("spec.template.spec.containers[1].lifecycle.postStart.httpGet.port", `supported values: "a", "b", "c"; did you mean "b"?`),
		},
		"spec.template.spec.volumes[].downwardAPI.items[].resourceFieldRef.containerName: Unsupported value: _: supported values: _": {
			unsupported("spec.roles[0].template.spec.volumes[0].projected.sources[1].downwardAPI.items[0].resourceFieldRef.containerName", `supported values: "a", "b"`),
			unsupported("spec.template.spec.volumes[0].downwardAPI.items[0].resourceFieldRef.containerName", `supported values: "a"`),
		},
		"spec.framework.containers: Required value: the role _ has several containers; name those that run _, of _": {
			required("spec.framework.containers", "the role worker has several containers; name those that run JAX, of w and log"),
			required("spec.framework.containers", "the role ps has several containers; name those that run TensorFlow, of a, b and c"),
		},
		"spec.template.spec.securityContext.runAsUser: Invalid value: _: is root, and runAsNonRoot is true: the container _ never starts; set another user, or runAsNonRoot to false": {
			invalid("spec.template.spec.securityContext.runAsUser", 0, "is root, and runAsNonRoot is true: the container main never starts; set another user, or runAsNonRoot to false"),
			invalid("spec.roles[0].template.spec.securityContext.runAsUser", 0, "is root, and runAsNonRoot is true: the container l0z never starts; set another user, or runAsNonRoot to false"),
		},
		"spec.template.spec.containers[].workingDir: Invalid value: _: must be an absolute path, or the container never starts; begin it with /": {
			invalid("spec.template.spec.containers[0].workingDir", "a", "must be an absolute path, or the container never starts; begin it with /"),
		},
		"spec.framework.elastic.minPeers: Invalid value: _: must be between _ and spec.peers, _": {
			invalid("spec.framework.elastic.minPeers", -1, "must be between 1 and spec.peers, 3"),
			invalid("spec.framework.elastic.minPeers", 9, "must be between 1 and spec.peers, 3"),
		},
	} {
		if got := rules(errs); len(got) != 1 || got[0] != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	apart := field.ErrorList{
		required("spec.template.spec.containers[0].livenessProbe.exec.command[0]", "a"), required("spec.template.spec.containers[0].command[0]", "a"),
		required("spec.roles[0].dependsOn", "a"), required("spec.template.spec.containers[0].env[0].name", "a"), required("spec.template.spec.containers[0].env[0].name", "b"),
	}
	if got := rules(apart); len(got) != len(apart) {
		t.Errorf("%d rules of %d: %q", len(got), len(apart), got)
	}
}

// TestUntold has what the server says of one value that is missing, and peerjob says once.
func TestUntold(t *testing.T) {
	const path = "spec.template.spec.topologySpreadConstraints[0].topologyKey"
	cause := func(path, message string) apiserver.Cause { return apiserver.Cause{Field: path, Message: message} }
	v := verdict{
		admission: field.ErrorList{{Type: field.ErrorTypeRequired, Field: path, BadValue: ""}},
		answers: []answer{{kind: "Job", Answer: apiserver.Answer{Code: 422, Causes: []apiserver.Cause{
			cause(path, "Required value"), cause(path, `Invalid value: "": name part must be non-empty`), cause(path, `Invalid value: "x": other`), cause("spec.a", `Invalid value: "": other`),
		}}}},
	}
	if got := v.untold(); len(got) != 2 {
		t.Errorf("%q", got)
	}
}
