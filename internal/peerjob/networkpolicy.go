// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
)

// NetworkPolicyName is the name of the NetworkPolicy.
func (g *Group) NetworkPolicyName() string { return g.PeerJob.Name + g.suffix }

func validateNetworkPolicy(g *Group) field.ErrorList {
	policy, at := g.PeerJob.Spec.NetworkPolicy, NetworkPolicyPath.Child("ingress")
	switch {
	case policy == nil || policy.Ingress == v1alpha1.PeersOnly:
		return nil
	case policy.Ingress == "":
		return field.ErrorList{field.Required(at, "write PeersOnly, to let only the peers of the group open connections to the peers")}
	}
	return field.ErrorList{field.NotSupported(at, policy.Ingress, []v1alpha1.PeerIngress{v1alpha1.PeersOnly})}
}

// warnNetworkPolicy finds Pods that no NetworkPolicy holds for.
// See https://kubernetes.io/docs/concepts/services-networking/network-policies/#networkpolicy-and-hostnetwork-pods.
func warnNetworkPolicy(g *Group) []diag.Warning {
	if g.PeerJob.Spec.NetworkPolicy == nil || !g.Template().Spec.HostNetwork {
		return nil
	}
	return []diag.Warning{diag.Warn(g.PodPath().Child("hostNetwork"),
		"has these Pods outside of spec.networkPolicy: a network plugin sees the node, and not the Pod, so that anyone reaches them, and they may not reach the other peers; leave out one of the two")}
}
