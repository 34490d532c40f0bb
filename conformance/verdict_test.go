// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/conformance/apiserver"
)

func TestKind(t *testing.T) {
	taken, refused := apiserver.Answer{Code: 201}, apiserver.Answer{Code: 422, Message: "m"}
	at := func(path string) field.ErrorList { return field.ErrorList{{Type: field.ErrorTypeInvalid, Field: path}} }
	said := func(service, job apiserver.Answer) []answer {
		return []answer{{&corev1.Service{}, service}, {&batchv1.Job{}, job}}
	}
	dropped := func(paths ...string) comparison { return comparison{dropped: paths} }
	for _, test := range []struct {
		name    string
		verdict verdict
		want    kind
	}{
		{"accepted", verdict{decoded: true, answers: said(taken, taken)}, acceptedByBoth},
		{"not decoded", verdict{own: at("a")}, refusedByOwnRules},
		{"own rule", verdict{decoded: true, own: at("a"), answers: said(taken, taken)}, refusedByOwnRules},
		{"own rule, and the server has one", verdict{decoded: true, own: at("a"), answers: said(taken, refused)}, refusedByOwnRules},
		{"refused", verdict{decoded: true, admission: at("a"), answers: said(refused, taken)}, refusedByBoth},
		{"wrongly accepted", verdict{decoded: true, answers: said(taken, refused)}, wronglyAccepted},
		{"wrongly refused", verdict{decoded: true, admission: at("a"), answers: said(taken, taken)}, wronglyRefused},
		{"wrongly refused besides an own rule", verdict{decoded: true, own: at("b"), admission: at("a"), answers: said(taken, taken)}, wronglyRefused},
		{"said to be missing, and kept", verdict{decoded: true, version: at("a.b"), answers: said(taken, taken)}, wronglyRefused},
		{"said to be missing, and dropped", verdict{decoded: true, version: at("a[0].b"), answers: said(taken, taken), comparison: dropped("a[7].b")}, refusedByOwnRules},
		{"misread", verdict{decoded: true, answers: said(taken, taken), comparison: comparison{misread: []string{"x"}}}, readOtherwise},
		{"dropped silently", verdict{decoded: true, answers: said(taken, taken), warned: []string{"a.bc"}, comparison: dropped("a.b")}, readOtherwise},
		{"dropped with a warning", verdict{decoded: true, answers: said(taken, taken), warned: []string{"a.b.c"}, comparison: dropped("a.b")}, acceptedByBoth},
	} {
		if got := test.verdict.kind(); got != test.want {
			t.Errorf("%s: kind %d, want %d", test.name, got, test.want)
		}
	}
}
