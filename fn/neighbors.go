// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/peerjob/peerjob/fn/v1alpha1"
)

// warnOfNeighbors finds objects of the list which would get in the way of the
// peers in the cluster, where the list can tell. Each finding is a warning:
// the cluster may hold objects which the list does not.
func warnOfNeighbors(expansions []*expansion, objects []*object, report *results) {
	for _, e := range expansions {
		for _, o := range objects {
			if o.namespace != e.source.namespace || o.pkg != e.source.pkg || o.isOwned() {
				continue
			}
			switch {
			case o.kind == "Service" && o.apiVersion == "v1":
				e.warnOfService(o, report)
			case o.kind == "LimitRange" && o.apiVersion == "v1":
				e.warnOfLimits(o, report)
			case o.kind == "ResourceQuota" && o.apiVersion == "v1":
				e.warnOfQuota(o, report)
			}
		}
		e.warnOfNetworkPolicies(objects, report)
	}
}

// podLabels are the labels of the Pods, with those of the Job controller.
func (e *expansion) podLabels() labels.Set {
	set := labels.Set{"batch.kubernetes.io/job-name": e.pj.JobName()}
	return labels.Merge(labels.Merge(set, e.pj.SelectorLabels()), e.pj.Spec.Template.Labels)
}

// decodeInto reads a neighbor as the API type which it says it is, and reports
// whether that was possible. What is wrong with it is not for us to say.
func decodeInto(o *object, typed any) bool {
	var plain any
	if o.node.Decode(&plain) != nil {
		return false
	}
	data, err := json.Marshal(plain)
	return err == nil && json.Unmarshal(data, typed) == nil
}

// warnOfService finds a Service that would send its traffic to the peers.
func (e *expansion) warnOfService(o *object, report *results) {
	var service corev1.Service
	if !decodeInto(o, &service) || len(service.Spec.Selector) == 0 {
		return
	}
	if labels.SelectorFromSet(service.Spec.Selector).Matches(e.podLabels()) {
		e.warn(report, "spec.template.metadata.labels", "%v%s selects the peers, too, and would send them its traffic; choose labels that its selector does not match",
			o, inFileOf(o))
	}
}

func (e *expansion) warn(report *results, path, format string, args ...any) {
	report.addWarnings(e.source, []v1alpha1.Warning{{Field: path, Message: fmt.Sprintf(format, args...)}})
}

// inFileOf says where a neighbor stands, when that is known.
func inFileOf(o *object) string {
	if o.file == "" {
		return ""
	}
	return " in " + o.file
}

// warnOfNetworkPolicies finds policies that keep the peers from each other: as
// soon as one selects a Pod, only what some policy allows gets through.
// See https://kubernetes.io/docs/concepts/services-networking/network-policies/.
func (e *expansion) warnOfNetworkPolicies(objects []*object, report *results) {
	peer := e.podLabels()
	for _, direction := range []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress} {
		var isolating *object
		allowed := false
		for _, o := range objects {
			var policy networkingv1.NetworkPolicy
			if o.kind != "NetworkPolicy" || o.group() != "networking.k8s.io" || o.namespace != e.source.namespace || o.pkg != e.source.pkg || !decodeInto(o, &policy) {
				continue
			}
			if !matches(&policy.Spec.PodSelector, peer) || !isolates(&policy, direction) {
				continue
			}
			if isolating == nil {
				isolating = o
			}
			allowed = allowed || allowsPeers(&policy, direction, peer)
		}
		if isolating != nil && !allowed {
			e.warn(report, "spec.template.metadata.labels", "%v%s keeps the peers apart: no policy in the list allows them %s each other; add a rule for the label job-name: %s",
				isolating, inFileOf(isolating), map[networkingv1.PolicyType]string{"Ingress": "traffic from", "Egress": "traffic to"}[direction], e.pj.JobName())
		}
	}
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

// allowsPeers reports whether some rule of a policy may allow traffic between
// the peers. A rule that can't be judged here, for an address range or other
// namespaces, may.
func allowsPeers(policy *networkingv1.NetworkPolicy, direction networkingv1.PolicyType, peer labels.Set) bool {
	allows := func(others []networkingv1.NetworkPolicyPeer) bool {
		return len(others) == 0 || slices.ContainsFunc(others, func(other networkingv1.NetworkPolicyPeer) bool {
			return other.IPBlock != nil || other.PodSelector == nil || matches(other.PodSelector, peer)
		})
	}
	if direction == networkingv1.PolicyTypeIngress {
		return slices.ContainsFunc(policy.Spec.Ingress, func(rule networkingv1.NetworkPolicyIngressRule) bool { return allows(rule.From) })
	}
	return slices.ContainsFunc(policy.Spec.Egress, func(rule networkingv1.NetworkPolicyEgressRule) bool { return allows(rule.To) })
}

// warnOfLimits finds containers which a LimitRange would refuse: then the Job
// is there and no Pod ever is.
func (e *expansion) warnOfLimits(o *object, report *results) {
	var limits corev1.LimitRange
	if !decodeInto(o, &limits) {
		return
	}
	for _, item := range limits.Spec.Limits {
		if item.Type != corev1.LimitTypeContainer {
			continue
		}
		for i, container := range e.pj.Spec.Template.Spec.Containers {
			path := fmt.Sprintf("spec.template.spec.containers[%d].resources", i)
			for _, name := range sortedResources(item.Max) {
				if limit, found := container.Resources.Limits[name]; found && limit.Cmp(item.Max[name]) > 0 {
					e.warn(report, fmt.Sprintf("%s.limits[%s]", path, name), "%s is more than %v%s allows a container, %s, and no Pod would be made",
						&limit, o, inFileOf(o), quantity(item.Max, name))
				}
			}
			for _, name := range sortedResources(item.Min) {
				if request, found := requestOf(container.Resources, name); found && request.Cmp(item.Min[name]) < 0 {
					e.warn(report, fmt.Sprintf("%s.requests[%s]", path, name), "%s is less than %v%s wants of a container, %s, and no Pod would be made",
						&request, o, inFileOf(o), quantity(item.Min, name))
				}
			}
		}
	}
}

// warnOfQuota finds a ResourceQuota that all peers at once do not fit into.
func (e *expansion) warnOfQuota(o *object, report *results) {
	var quota corev1.ResourceQuota
	// Which Pods a quota with scopes counts can't be told here.
	if !decodeInto(o, &quota) || len(quota.Spec.Scopes) > 0 || quota.Spec.ScopeSelector != nil {
		return
	}
	for _, name := range sortedResources(quota.Spec.Hard) {
		hard := quota.Spec.Hard[name]
		one, known := e.onePeer(name)
		if !known {
			continue
		}
		all := resource.NewMilliQuantity(one.MilliValue()*int64(e.pj.Peers()), one.Format)
		if one.MilliValue() > 0 && (all.Cmp(hard) > 0 || all.MilliValue()/one.MilliValue() != int64(e.pj.Peers())) {
			e.warn(report, "spec.peers", "%d peers need more %s than %v%s has, %s, and not all would be made", e.pj.Peers(), name, o, inFileOf(o), &hard)
		}
	}
}

// onePeer is how much one peer takes of what a quota counts.
func (e *expansion) onePeer(name corev1.ResourceName) (resource.Quantity, bool) {
	switch name {
	case corev1.ResourcePods, "count/pods":
		return resource.MustParse("1"), true
	}
	total := resource.Quantity{}
	for _, container := range e.pj.Spec.Template.Spec.Containers {
		var part resource.Quantity
		switch name {
		case corev1.ResourceLimitsCPU:
			part = container.Resources.Limits[corev1.ResourceCPU]
		case corev1.ResourceLimitsMemory:
			part = container.Resources.Limits[corev1.ResourceMemory]
		case corev1.ResourceCPU, corev1.ResourceRequestsCPU:
			part, _ = requestOf(container.Resources, corev1.ResourceCPU)
		case corev1.ResourceMemory, corev1.ResourceRequestsMemory:
			part, _ = requestOf(container.Resources, corev1.ResourceMemory)
		default:
			return total, false
		}
		total.Add(part)
	}
	return total, true
}

// requestOf is what a container asks for: its request, or its limit when it
// has no request, as the server defaults it.
func requestOf(resources corev1.ResourceRequirements, name corev1.ResourceName) (resource.Quantity, bool) {
	if request, found := resources.Requests[name]; found {
		return request, true
	}
	limit, found := resources.Limits[name]
	return limit, found
}

func quantity(list corev1.ResourceList, name corev1.ResourceName) string {
	value := list[name]
	return value.String()
}

func sortedResources(list corev1.ResourceList) []corev1.ResourceName {
	names := make([]corev1.ResourceName, 0, len(list))
	for name := range list {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
