// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/peerjob/peerjob/internal/peerjob"
)

// TestNetworkPolicy reads the policy rule by rule, as a network plugin does: whom it
// isolates, and who gets through. No plugin runs here.
// See https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/.
func TestNetworkPolicy(t *testing.T) {
	const short = "metadata: {name: train, namespace: ml}\nspec: {peers: 2, networkPolicy: {ingress: PeersOnly}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: w, image: x}]}}}"
	for name, text := range map[string]string{"one role": short, "several": roles} {
		t.Run(name, func(t *testing.T) {
			var policy *networkingv1.NetworkPolicy
			var pods []labels.Set
			for _, o := range Group(peerjob.NewGroup(read(t, text), "")) {
				switch typed := o.Object.(type) {
				case *networkingv1.NetworkPolicy:
					policy = typed
				case *batchv1.Job:
					pods = append(pods, labels.Merge(typed.Spec.Template.Labels, labels.Set{"job-name": typed.Name}))
				}
			}
			if policy.Namespace != "ml" || !slices.Equal(policy.Spec.PolicyTypes, []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}) {
				t.Errorf("it is for other traffic than that into the peers: %+v", policy)
			}
			strangers := []labels.Set{nil, {"app": "a"}, {"job-name": "other", "peerjob.dev/group": "other"}}
			for _, pod := range pods {
				if !selects(t, &policy.Spec.PodSelector, pod) {
					t.Errorf("it does not isolate the peers %v", pod)
				}
				if !admits(t, policy, pod) {
					t.Errorf("it does not admit the peers %v", pod)
				}
			}
			for _, pod := range strangers {
				if selects(t, &policy.Spec.PodSelector, pod) || admits(t, policy, pod) {
					t.Errorf("it isolates or admits the Pods %v", pod)
				}
			}
		})
	}
}

// admits reports whether Pods of the same namespace may open connections to any port.
func admits(t *testing.T, policy *networkingv1.NetworkPolicy, pod labels.Set) bool {
	t.Helper()
	for _, rule := range policy.Spec.Ingress {
		if len(rule.From) == 0 {
			t.Error("a rule without peers admits everyone")
		}
		for _, from := range rule.From {
			if from.NamespaceSelector != nil || from.IPBlock != nil || from.PodSelector == nil {
				t.Errorf("it admits others than Pods of its namespace: %+v", from)
				continue
			}
			if len(rule.Ports) == 0 && selects(t, from.PodSelector, pod) {
				return true
			}
		}
	}
	return false
}

func selects(t *testing.T, selector *metav1.LabelSelector, pod labels.Set) bool {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil || strings.TrimSpace(s.String()) == "" {
		t.Fatalf("the selector %v: %v", selector, err)
	}
	return s.Matches(pod)
}
