// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/rules"
)

// rule is a rule of a NetworkPolicy in one direction.
type rule struct {
	others []networkingv1.NetworkPolicyPeer
	ports  []networkingv1.NetworkPolicyPort
}

// warnOfNetworkPolicies finds policies that keep the peers from each other, or from DNS:
// as soon as one selects a Pod, only what some policy allows gets through. All policies
// that select a Pod are added up. Those of the cluster are not known here. Every role is
// held to the traffic with the peers of every role.
// See https://kubernetes.io/docs/concepts/services-networking/network-policies/.
func (e peers) warnOfNetworkPolicies(policies []neighbor[networkingv1.NetworkPolicy], report *results.Report) {
	others := e.partners()
	if len(others) == 0 {
		return
	}
	policies = e.renamed(policies)
	for _, direction := range []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress} {
		var isolating *krmlist.Object
		var allowed []rule
		for _, policy := range policies {
			if !matches(&policy.typed.Spec.PodSelector, e.podLabels()) || !isolates(&policy.typed, direction) {
				continue
			}
			if isolating == nil {
				isolating = policy.Object
			}
			allowed = append(allowed, rulesOf(&policy.typed, direction)...)
		}
		if direction == networkingv1.PolicyTypeIngress && e.Group.PeerJob.Spec.NetworkPolicy != nil {
			continue // which allows the peers
		}
		if isolating != nil {
			e.warnOfRules(isolating, direction, allowed, others, report)
		}
	}
}

// partners are the peers of the roles that exchange traffic with those of this one, itself
// among them. A Pod always reaches itself, and policies hold for no Pod on the host network.
func (e peers) partners() []peers {
	if e.Group.Template().Spec.HostNetwork {
		return nil
	}
	return slices.DeleteFunc(e.roles(), func(other peers) bool {
		return other.Group.Template().Spec.HostNetwork || other.Group == e.Group && e.Group.Peers() < 2
	})
}

// renamed are policies as they are at the end of the build: the Component gives a Job that
// they select by its earlier name the one of today.
func (e peers) renamed(policies []neighbor[networkingv1.NetworkPolicy]) []neighbor[networkingv1.NetworkPolicy] {
	if !e.hasComponent() || e.isHashed() {
		return policies
	}
	names := e.names()
	rename := func(selector *metav1.LabelSelector) {
		if selector == nil {
			return
		}
		for key, value := range selector.MatchLabels {
			switch {
			case key == v1alpha1.GroupLabel && e.Group.HasRoles() && e.Group.PeerJob.Spec.Service.Name == "" && slices.Contains(names.EarlierServices, value):
				selector.MatchLabels[key] = names.Service
			case rules.IsJobNameLabel(key) && !e.Group.HasRoles() && slices.Contains(names.EarlierJobs, value):
				selector.MatchLabels[key] = names.Job
			}
		}
	}
	renamed := make([]neighbor[networkingv1.NetworkPolicy], len(policies))
	for i, policy := range policies {
		renamed[i] = neighbor[networkingv1.NetworkPolicy]{policy.Object, *policy.typed.DeepCopy()}
		spec := &renamed[i].typed.Spec
		rename(&spec.PodSelector)
		for j := range spec.Ingress {
			for k := range spec.Ingress[j].From {
				rename(spec.Ingress[j].From[k].PodSelector)
			}
		}
		for j := range spec.Egress {
			for k := range spec.Egress[j].To {
				rename(spec.Egress[j].To[k].PodSelector)
			}
		}
	}
	return renamed
}

// warnOfRules finds what no rule for the peers in one direction allows.
func (e peers) warnOfRules(isolating *krmlist.Object, direction networkingv1.PolicyType, allowed []rule, others []peers, report *results.Report) {
	path, isIngress := e.labelsPath(), direction == networkingv1.PolicyTypeIngress
	var apart []string
	for _, other := range others {
		between := slices.DeleteFunc(slices.Clone(allowed), func(r rule) bool { return !other.mayBePeers(r, other.podLabels()) })
		if len(between) == 0 {
			apart = append(apart, other.Group.RoleName())
			continue
		}
		from, to := other, e
		if !isIngress {
			from, to = e, other
		}
		where := "between the peers"
		if e.Group.HasRoles() {
			where = fmt.Sprintf("from the role %s to the role %s", from.Group.RoleName(), to.Group.RoleName())
		}
		for _, port := range to.neededPorts() {
			if !slices.ContainsFunc(between, func(r rule) bool { return to.allowsPort(r, port) }) {
				e.warn(report, path, "%v%s closes the port %d (%s) %s: no policy in the list allows it for %s; add port: %d to the rule for the peers",
					isolating, inFileOf(isolating), port.Port, port.Name, where, direction, port.Port)
			}
		}
	}
	if len(apart) > 0 {
		what := "the peers apart: no policy in the list allows them traffic " + map[bool]string{true: "from", false: "to"}[isIngress] + " each other"
		if e.Group.HasRoles() {
			what = fmt.Sprintf("the role %s from traffic %s the %s: no policy in the list allows it",
				e.Group.RoleName(), map[bool]string{true: "of", false: "to"}[isIngress], rolesOf(apart))
		}
		e.warn(report, path, "%v%s keeps %s; add a rule for %s", isolating, inFileOf(isolating), what, e.labelForPeers())
	}
	if !isIngress && !slices.ContainsFunc(allowed, e.mayBeDNS) {
		e.warn(report, path, "%v%s keeps the peers from DNS: no policy in the list allows them traffic to port 53 of UDP, and no name of a peer resolves; add a rule for it, such as {ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]}",
			isolating, inFileOf(isolating))
	}
}

// rolesOf names roles: "role worker", "roles worker and ps".
func rolesOf(names []string) string {
	if len(names) == 1 {
		return "role " + names[0]
	}
	return "roles " + diag.Listed(names, "and")
}

// labelForPeers is the label by which others select the peers, of all roles.
func (e peers) labelForPeers() string {
	switch {
	case e.isHashed():
		return "a label of spec.template.metadata.labels" // the hash changes
	case e.Group.HasRoles():
		return "the label " + v1alpha1.GroupLabel + ": " + e.Group.ServiceName()
	}
	return "the label job-name: " + e.Group.JobName
}

// neededPorts are the ports of a peer that others surely call: that of the runner, and the
// first one of the framework.
func (e peers) neededPorts() []corev1.ServicePort {
	var ports []corev1.ServicePort
	if e.Group.HasRunner() {
		ports = append(ports, corev1.ServicePort{Name: "spec.runner.port", Port: *e.Group.Runner().Port, Protocol: corev1.ProtocolTCP})
	}
	if of := framework.Ports(e.Group); len(of) > 0 {
		ports = append(ports, corev1.ServicePort{Name: "spec.framework", Port: of[0].Port, Protocol: of[0].Protocol})
	}
	return ports
}

func matches(selector *metav1.LabelSelector, set labels.Set) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(set)
}

// isolates reports whether a policy restricts a direction. Without policyTypes
// it restricts what comes in, and what goes out when it has a rule for that.
func isolates(policy *networkingv1.NetworkPolicy, direction networkingv1.PolicyType) bool {
	if len(policy.Spec.PolicyTypes) > 0 {
		return slices.Contains(policy.Spec.PolicyTypes, direction)
	}
	return direction == networkingv1.PolicyTypeIngress || len(policy.Spec.Egress) > 0
}

// rulesOf are the rules of a policy in one direction.
func rulesOf(policy *networkingv1.NetworkPolicy, direction networkingv1.PolicyType) []rule {
	var all []rule
	if direction == networkingv1.PolicyTypeIngress {
		for _, r := range policy.Spec.Ingress {
			all = append(all, rule{r.From, r.Ports})
		}
		return all
	}
	for _, r := range policy.Spec.Egress {
		all = append(all, rule{r.To, r.Ports})
	}
	return all
}

// mayBePeers reports whether a rule may be for the peers. One for an address range or for
// namespaces whose labels are not known may be; one for DNS alone is not.
func (e peers) mayBePeers(r rule, peer labels.Set) bool {
	if len(r.ports) > 0 && !slices.ContainsFunc(r.ports, func(port networkingv1.NetworkPolicyPort) bool {
		return port.Port == nil || port.Port.IntVal != dnsPort || port.EndPort != nil
	}) {
		return false
	}
	return len(r.others) == 0 || slices.ContainsFunc(r.others, func(other networkingv1.NetworkPolicyPeer) bool {
		return other.IPBlock != nil ||
			(other.PodSelector == nil || matches(other.PodSelector, peer)) && mayBeNamespace(other.NamespaceSelector, e.Source.Namespace)
	})
}

// mayBeNamespace reports whether a selector, nil for the namespace of the policy, may select
// a namespace: of its labels, only the name is known.
func mayBeNamespace(selector *metav1.LabelSelector, namespace string) bool {
	if selector == nil || namespace == "" {
		return true
	}
	known := &metav1.LabelSelector{}
	if name, found := selector.MatchLabels[corev1.LabelMetadataName]; found {
		known.MatchLabels = map[string]string{corev1.LabelMetadataName: name}
	}
	for _, expression := range selector.MatchExpressions {
		if expression.Key == corev1.LabelMetadataName {
			known.MatchExpressions = append(known.MatchExpressions, expression)
		}
	}
	return matches(known, labels.Set{corev1.LabelMetadataName: namespace})
}

// allowsPort reports whether a rule for the peers allows a port of theirs. A port with a
// name is that of a container.
func (e peers) allowsPort(r rule, port corev1.ServicePort) bool {
	named := rules.ContainerPorts(e.PodTemplate(), field.NewPath("spec"))
	return len(r.ports) == 0 || slices.ContainsFunc(r.ports, func(allowed networkingv1.NetworkPolicyPort) bool {
		return isProtocol(allowed, port.Protocol) && (covers(allowed, port.Port) || allowed.Port != nil && allowed.Port.Type == intstr.String &&
			slices.ContainsFunc(named, func(p rules.Port) bool {
				return p.Name == allowed.Port.StrVal && p.Port == port.Port && p.Protocol == port.Protocol
			}))
	})
}

func isProtocol(port networkingv1.NetworkPolicyPort, protocol corev1.Protocol) bool {
	return port.Protocol == nil && protocol == corev1.ProtocolTCP || port.Protocol != nil && *port.Protocol == protocol
}

// covers reports whether a port of a rule covers a number.
func covers(port networkingv1.NetworkPolicyPort, number int32) bool {
	switch {
	case port.Port == nil:
		return true
	case port.Port.Type == intstr.String:
		return false
	case port.EndPort != nil:
		return port.Port.IntVal <= number && number <= *port.EndPort
	}
	return port.Port.IntVal == number
}

const dnsPort = 53

// dnsNamespaces are those of the DNS server in clusters.
var dnsNamespaces = []string{"kube-system", "openshift-dns"}

// mayBeDNS reports whether a rule for what goes out may let queries through to the DNS
// server. A port with a name may be its port.
func (e peers) mayBeDNS(r rule) bool {
	open := len(r.ports) == 0 || slices.ContainsFunc(r.ports, func(port networkingv1.NetworkPolicyPort) bool {
		return isProtocol(port, corev1.ProtocolUDP) && (covers(port, dnsPort) || port.Port != nil && port.Port.Type == intstr.String)
	})
	if !open {
		return false
	}
	isMeant := slices.ContainsFunc(r.ports, func(port networkingv1.NetworkPolicyPort) bool {
		return port.Port != nil && (port.Port.IntVal == dnsPort || port.Port.Type == intstr.String)
	})
	return len(r.others) == 0 || isMeant || slices.ContainsFunc(r.others, func(other networkingv1.NetworkPolicyPeer) bool {
		switch {
		case other.IPBlock != nil:
			return true
		case other.NamespaceSelector == nil:
			return slices.Contains(dnsNamespaces, e.Source.Namespace) || strings.Contains(strings.ToLower(metav1.FormatLabelSelector(other.PodSelector)), "dns")
		}
		return slices.ContainsFunc(dnsNamespaces, func(namespace string) bool { return mayBeNamespace(other.NamespaceSelector, namespace) })
	})
}
