// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/rules"
)

// examineService looks at what the cluster made of the Service of a group.
func (c *cluster) examineService(g *group, r *report) {
	if g.service == nil {
		return
	}
	if g.service.DeletionTimestamp != nil {
		r.service(g, serviceDeleting, Error, "is being deleted; DNS has no names for the peers then", "wait until it is gone, and create it again")
		return
	}
	if g.broken {
		return // lint has said why
	}
	var endpoints []*discoveryv1.Endpoint
	hasSlice := false
	for _, slice := range c.slices {
		if slice.Namespace == g.service.Namespace && slice.Labels[discoveryv1.LabelServiceName] == g.service.Name {
			hasSlice = true
			for i := range slice.Endpoints {
				endpoints = append(endpoints, &slice.Endpoints[i])
			}
		}
	}
	byAddress, byPod := map[string]*discoveryv1.Endpoint{}, map[string]*discoveryv1.Endpoint{}
	for _, endpoint := range endpoints {
		// On the host network, two Pods can have one address.
		if of := endpoint.TargetRef; of != nil && of.Kind == "Pod" {
			byPod[of.Name] = endpoint
			continue
		}
		for _, address := range endpoint.Addresses {
			byAddress[address] = endpoint
		}
	}
	selector := labels.SelectorFromSet(g.service.Spec.Selector)
	for _, pod := range g.peers {
		switch {
		case hasEnded(pod) || pod.DeletionTimestamp != nil:
			continue
		case len(pod.Labels) > 0 && !selector.Matches(labels.Set(pod.Labels)) && rules.Selects(g.service, &g.job.Spec.Template, g.job) == rules.SelectsAll:
			r.pod(g, pod, podLabels, Error, "", fmt.Sprintf("does not have the labels that the Service %s selects (%s), and the template of its Job has them", g.service.Name, selector),
				"give the Pod its labels again, or delete it: the Job makes a new one")
			continue
		case len(c.slices) == 0 || pod.Status.PodIP == "" || !isReady(pod) && !g.service.Spec.PublishNotReadyAddresses:
			continue
		case !hasSlice:
			r.service(g, endpointMissing, Error, "has no EndpointSlice, so DNS has no names for the peers", "see whether the EndpointSlice controller of kube-controller-manager runs, and whether the input has all EndpointSlices")
			return
		}
		endpoint := byPod[pod.Name]
		if endpoint == nil {
			endpoint = byAddress[pod.Status.PodIP]
		}
		for _, ip := range pod.Status.PodIPs {
			if endpoint == nil {
				endpoint = byAddress[ip.IP]
			}
		}
		switch {
		case endpoint == nil:
			r.pod(g, pod, endpointMissing, Error, "", fmt.Sprintf("is not in the EndpointSlices of the Service %s; DNS has no name for it", g.service.Name),
				"wait some seconds, and run doctor on new input; if it stays so, see whether kube-controller-manager runs")
		case pod.Spec.Hostname == "":
			// Its Job is not Indexed, which lint says.
		case endpoint.Hostname == nil || *endpoint.Hostname != pod.Spec.Hostname:
			has := "no host name"
			if endpoint.Hostname != nil {
				has = "the host name " + *endpoint.Hostname
			}
			r.pod(g, pod, endpointMissing, Error, "", fmt.Sprintf("has %s in the EndpointSlices of the Service %s, and its own is %q in the subdomain %q; DNS has no such name", has, g.service.Name, pod.Spec.Hostname, pod.Spec.Subdomain),
				fmt.Sprintf("write subdomain: %s into the template, and create the Job again: the Job controller sets hostname", g.service.Name))
		case endpoint.Conditions.Ready != nil && !*endpoint.Conditions.Ready:
			r.pod(g, pod, endpointMissing, Warning, "", fmt.Sprintf("is not ready yet in the EndpointSlices of the Service %s; DNS has no name for it", g.service.Name), "wait some seconds, and run doctor on new input")
		}
	}
}

// peerPort is a port on which peers listen.
type peerPort struct {
	number   int32
	name     string
	protocol corev1.Protocol
}

func (p peerPort) String() string { return fmt.Sprintf("%d/%s", p.number, p.protocol) }

// portsOf are the ports of the peers, as far as their containers name them.
func portsOf(template *corev1.PodTemplateSpec) []peerPort {
	var ports []peerPort
	for i := range template.Spec.Containers {
		for _, port := range template.Spec.Containers[i].Ports {
			p := peerPort{port.ContainerPort, port.Name, port.Protocol}
			if p.protocol == "" {
				p.protocol = corev1.ProtocolTCP
			}
			if !slices.Contains(ports, p) {
				ports = append(ports, p)
			}
		}
	}
	return ports
}

// end is the other side of a connection of a peer.
type end struct {
	labels, namespace labels.Set
	// open is whether the namespace may have other labels.
	open bool
	// addresses are those of the Pods, none if they are not known.
	addresses []string
}

// endOf is the other side of a connection with a peer of a group.
func (c *cluster) endOf(g *group) end {
	peers := end{labels: rules.PodLabels(&g.job.Spec.Template, g.job), namespace: c.namespaceLabels(g.job.Namespace), open: c.namespaces[g.job.Namespace] == nil}
	for _, peer := range g.peers {
		if !hasEnded(peer) && len(peer.Labels) > 0 {
			peers.labels = peer.Labels
		}
		if peer.Status.PodIP != "" {
			peers.addresses = append(peers.addresses, peer.Status.PodIP)
		}
	}
	return peers
}

// onHost reports whether the peers are on the host network.
func (g *group) onHost() bool { return g.job.Spec.Template.Spec.HostNetwork }

// partners are the groups that exchange traffic with one: those of the other roles, and
// itself, because a Pod reaches itself whatever a policy says.
func (g *group) partners() []*group {
	var all []*group
	if g.size > 1 {
		all = append(all, g)
	}
	for _, other := range g.roles {
		if other != g && !other.onHost() {
			all = append(all, other)
		}
	}
	return all
}

// examinePolicies looks for NetworkPolicies that keep the peers apart, or from DNS. Only a
// network plugin that enforces them does.
func (c *cluster) examinePolicies(g *group, r *report) {
	if g.onHost() {
		return // policies do not hold for it
	}
	pod := c.endOf(g).labels
	var ingress, egress []*networkingv1.NetworkPolicy
	for _, policy := range c.policies {
		selector, err := metav1.LabelSelectorAsSelector(&policy.Spec.PodSelector)
		if err != nil || policy.Namespace != g.job.Namespace || !selector.Matches(pod) {
			continue
		}
		if isOfType(policy, networkingv1.PolicyTypeIngress) {
			ingress = append(ingress, policy)
		}
		if isOfType(policy, networkingv1.PolicyTypeEgress) {
			egress = append(egress, policy)
		}
	}
	c.direction(g, r, ingress, "from", func(policy *networkingv1.NetworkPolicy) (all []rule) {
		for _, in := range policy.Spec.Ingress {
			all = append(all, rule{in.From, in.Ports})
		}
		return all
	})
	out := func(policy *networkingv1.NetworkPolicy) (all []rule) {
		for _, out := range policy.Spec.Egress {
			all = append(all, rule{out.To, out.Ports})
		}
		return all
	}
	c.direction(g, r, egress, "to", out)
	if len(egress) == 0 || slices.ContainsFunc(egress, func(policy *networkingv1.NetworkPolicy) bool {
		return slices.ContainsFunc(out(policy), func(rule rule) bool { return c.mayReachDNS(rule, policy.Namespace) })
	}) {
		return
	}
	r.add(Finding{
		ID: dnsBlocked, Severity: Error, Kind: "NetworkPolicy", Namespace: egress[0].Namespace, Name: egress[0].Name, More: namesOf(egress[1:]),
		Is: fmt.Sprintf("keeps the peers of the Job %s from DNS: no rule of egress lets them reach port 53 of the Pods of DNS", g.job.Name),
		Do: "add a rule to egress: to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}], ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]",
	})
}

// dnsServers are the Pods of DNS in most clusters, and in OpenShift.
var dnsServers = []struct {
	namespace string
	labels    labels.Set
}{
	{metav1.NamespaceSystem, labels.Set{"k8s-app": "kube-dns"}},
	{"openshift-dns", labels.Set{"dns.operator.openshift.io/daemonset-dns": "default"}},
}

// dnsPorts are the ports on which they listen: a policy is about the port of the Pod, and
// not of the Service.
var dnsPorts = []int32{53, 1053, 5353, 8053}

// mayReachDNS reports whether a rule of egress may let peers reach DNS.
func (c *cluster) mayReachDNS(r rule, namespace string) bool {
	if !slices.ContainsFunc(dnsPorts, func(port int32) bool { return r.allows(peerPort{port, "dns", corev1.ProtocolUDP}) }) {
		return false
	}
	// A rule with such a port is meant for DNS, wherever that runs, if it can be in another
	// namespace.
	leaves := func(peer networkingv1.NetworkPolicyPeer) bool {
		return peer.IPBlock != nil || peer.NamespaceSelector != nil
	}
	if len(r.ends) == 0 || len(r.ports) > 0 && slices.ContainsFunc(r.ends, leaves) {
		return true
	}
	for _, server := range dnsServers {
		if r.mayAllow(end{labels: server.labels, namespace: c.namespaceLabels(server.namespace), open: c.namespaces[server.namespace] == nil}, namespace) {
			return true
		}
	}
	return false
}

// rule is a rule of a NetworkPolicy in one direction.
type rule struct {
	ends  []networkingv1.NetworkPolicyPeer
	ports []networkingv1.NetworkPolicyPort
}

// direction reports policies that keep peers from reaching each other in one direction, or
// those of another role.
func (c *cluster) direction(g *group, r *report, policies []*networkingv1.NetworkPolicy, word string, rulesOf func(*networkingv1.NetworkPolicy) []rule) {
	if len(policies) == 0 {
		return
	}
	section := map[string]string{"from": "ingress", "to": "egress"}[word]
	label := "job-name: " + g.job.Name
	if len(g.roles) > 1 {
		label = v1alpha1.GroupLabel + ": " + g.service.Spec.Selector[v1alpha1.GroupLabel]
	}
	cure := fmt.Sprintf("add a rule to %s: %s: [{podSelector: {matchLabels: {%s}}}]", section, word, label)
	for _, other := range g.partners() {
		peers := c.endOf(other)
		var allowing []rule
		for _, policy := range policies {
			for _, rule := range rulesOf(policy) {
				if rule.mayAllow(peers, policy.Namespace) {
					allowing = append(allowing, rule)
				}
			}
		}
		f := Finding{Severity: Error, Kind: "NetworkPolicy", Namespace: policies[0].Namespace, Name: policies[0].Name, More: namesOf(policies[1:])}
		from, to := other, g
		if word == "to" {
			from, to = g, other
		}
		if len(allowing) == 0 {
			f.ID = peersBlocked
			f.Is = fmt.Sprintf("keeps the peers of the Job %s from each other: it selects them, and no rule of %s has them; this holds if the network plugin enforces policies", g.job.Name, section)
			if other != g {
				f.Is = fmt.Sprintf("keeps the peers of the Job %s from reaching those of the Job %s: it selects the peers of %s, and no rule of %s has the others; this holds if the network plugin enforces policies", from.job.Name, to.job.Name, g.job.Name, section)
			}
			f.Do = cure
			r.add(f)
			continue
		}
		var blocked []string
		for _, port := range portsOf(&to.job.Spec.Template) {
			if !slices.ContainsFunc(allowing, func(rule rule) bool { return rule.allows(port) }) {
				blocked = append(blocked, port.String())
			}
		}
		if len(blocked) > 0 {
			f.ID = portBlocked
			f.Is = fmt.Sprintf("lets the peers of the Job %s reach each other, but not at %s, where their containers listen (%s)", g.job.Name, strings.Join(blocked, ", "), section)
			if other != g {
				f.Is = fmt.Sprintf("lets the peers of the Job %s reach those of the Job %s, but not at %s, where their containers listen (%s)", from.job.Name, to.job.Name, strings.Join(blocked, ", "), section)
			}
			f.Do = cure + ", without ports or with these"
			r.add(f)
		}
	}
}

func namesOf(policies []*networkingv1.NetworkPolicy) []string {
	var names []string
	for _, policy := range policies {
		names = append(names, policy.Name)
	}
	return names
}

// isOfType reports whether a policy isolates Pods in one direction.
// See https://kubernetes.io/docs/concepts/services-networking/network-policies/#networkpolicy-resource.
func isOfType(policy *networkingv1.NetworkPolicy, direction networkingv1.PolicyType) bool {
	if len(policy.Spec.PolicyTypes) > 0 {
		return slices.Contains(policy.Spec.PolicyTypes, direction)
	}
	return direction == networkingv1.PolicyTypeIngress || len(policy.Spec.Egress) > 0
}

// namespaceLabels are the labels of a namespace, as far as they are known.
func (c *cluster) namespaceLabels(name string) labels.Set {
	known := labels.Set{corev1.LabelMetadataName: orDefault(name)}
	if namespace := c.namespaces[name]; namespace != nil {
		return labels.Merge(known, namespace.Labels)
	}
	return known
}

// mayAllow reports whether a rule of a policy in a namespace lets the other end through.
// What is not known, it may.
func (r rule) mayAllow(other end, namespace string) bool {
	if len(r.ends) == 0 {
		return true
	}
	return slices.ContainsFunc(r.ends, func(peer networkingv1.NetworkPolicyPeer) bool {
		if peer.IPBlock != nil {
			return mayContain(peer.IPBlock, other.addresses)
		}
		pods, namespaces := selectorOf(peer.PodSelector), selectorOf(peer.NamespaceSelector)
		if !pods.Matches(other.labels) {
			return false
		}
		if peer.NamespaceSelector == nil {
			return other.namespace[corev1.LabelMetadataName] == orDefault(namespace)
		}
		return namespaces.Matches(other.namespace) || other.open && mentionsUnknown(namespaces)
	})
}

func selectorOf(selector *metav1.LabelSelector) labels.Selector {
	if selector == nil {
		return labels.Everything()
	}
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return labels.Nothing()
	}
	return parsed
}

// mentionsUnknown reports whether a selector of namespaces asks for a label besides the
// name, which is all that is known of a namespace that is not in the input.
func mentionsUnknown(selector labels.Selector) bool {
	requirements, _ := selector.Requirements()
	return slices.ContainsFunc(requirements, func(r labels.Requirement) bool { return r.Key() != corev1.LabelMetadataName })
}

// mayContain reports whether a block has one of the addresses, or whether that is not
// known.
func mayContain(block *networkingv1.IPBlock, addresses []string) bool {
	contains := func(cidr, address string) bool {
		prefix, err := netip.ParsePrefix(cidr)
		ip, errIP := netip.ParseAddr(address)
		return err == nil && errIP == nil && prefix.Contains(ip)
	}
	if len(addresses) == 0 {
		return true
	}
	return slices.ContainsFunc(addresses, func(address string) bool {
		return contains(block.CIDR, address) && !slices.ContainsFunc(block.Except, func(except string) bool { return contains(except, address) })
	})
}

// allows reports whether a rule lets a port through.
func (r rule) allows(port peerPort) bool {
	if len(r.ports) == 0 {
		return true
	}
	return slices.ContainsFunc(r.ports, func(allowed networkingv1.NetworkPolicyPort) bool {
		protocol := corev1.ProtocolTCP
		if allowed.Protocol != nil {
			protocol = *allowed.Protocol
		}
		if protocol != port.protocol {
			return false
		}
		switch {
		case allowed.Port == nil:
			return true
		case allowed.Port.Type == intstr.String:
			return allowed.Port.StrVal == port.name || allowed.Port.StrVal == strconv.Itoa(int(port.number))
		case allowed.EndPort != nil:
			return allowed.Port.IntVal <= port.number && port.number <= *allowed.EndPort
		}
		return allowed.Port.IntVal == port.number
	})
}
