// SPDX-License-Identifier: Apache-2.0

package expand

import (
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// networkPolicy lets only the peers of the group open connections to the peers. It has no
// rule for what goes out, so that stays as it was.
func networkPolicy(g *peerjob.Group) origin.Object {
	peers := metav1.LabelSelector{MatchLabels: g.SelectorLabels()}
	policy := &networkingv1.NetworkPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
		ObjectMeta: objectMeta(g.PeerJob, g.NetworkPolicyName()),
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: peers,
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{{PodSelector: peers.DeepCopy()}}}},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
		},
	}
	return origin.Object{Object: policy, Origins: origin.New(func(from *origin.Map) {
		from.All(nil, peerjob.NetworkPolicyPath)
		from.From(metadataPath, metadataPath)
		for _, value := range g.SelectorLabels() {
			from.EntryFrom(specPath.Child("podSelector", "matchLabels"), value, selectorFrom(g))
		}
	})}
}
