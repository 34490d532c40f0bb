// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// TestChecks compares the checks to the table of kinds.
func TestChecks(t *testing.T) {
	for _, kind := range kinds.All() {
		if checks[kind.GroupVersionKind] == nil {
			t.Errorf("%v has no check", kind.GroupVersionKind)
		}
	}
	if len(checks) != len(kinds.All()) {
		t.Errorf("%d checks for %d kinds", len(checks), len(kinds.All()))
	}
}

// TestAdmit_unknownKind holds Admit to refusing what it can't judge.
func TestAdmit_unknownKind(t *testing.T) {
	ingress := &networkingv1.Ingress{TypeMeta: metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"}}
	errs, _ := Admit(peerjob.NewGroup(&v1alpha1.PeerJob{}, ""), []origin.Object{{Object: ingress}})
	if len(errs) != 1 || errs[0].Type != field.ErrorTypeInternal {
		t.Errorf("got %v", errs)
	}
}
