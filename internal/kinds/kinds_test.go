// SPDX-License-Identifier: Apache-2.0

package kinds

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestIsOwned(t *testing.T) {
	owned := map[string]string{"peerjob.dev/owner": "train"}
	tests := map[string]struct {
		apiVersion, kind string
		annotations      map[string]string
		want             bool
	}{
		"a Service":                  {"v1", "Service", owned, true},
		"a ConfigMap":                {"v1", "ConfigMap", owned, true},
		"a Job":                      {"batch/v1", "Job", owned, true},
		"a NetworkPolicy":            {"networking.k8s.io/v1", "NetworkPolicy", owned, true},
		"another NetworkPolicy":      {"crd.projectcalico.org/v1", "NetworkPolicy", owned, false},
		"a Job of an older version":  {"batch/v1beta1", "Job", owned, true},
		"a Service without the mark": {"v1", "Service", nil, false},
		"an empty mark":              {"v1", "Service", map[string]string{"peerjob.dev/owner": ""}, false},
		"a Service of another group": {"serving.knative.dev/v1", "Service", owned, false},
		"a Job without a group":      {"v1", "Job", owned, false},
		"no apiVersion":              {"", "Service", owned, false},
		"another kind":               {"v1", "Secret", owned, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := IsOwned(tt.apiVersion, tt.kind, tt.annotations); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestInOrder(t *testing.T) {
	service := &corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}}
	job := &batchv1.Job{TypeMeta: metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"}}
	got, err := InOrder([]Object{job, service})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Object{service, job}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	unknown := &networkingv1.Ingress{TypeMeta: metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"}}
	if _, err := InOrder([]Object{service, unknown}); err == nil || !strings.Contains(err.Error(), "Ingress") {
		t.Errorf("an unknown kind: %v", err)
	}
}
