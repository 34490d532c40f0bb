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
