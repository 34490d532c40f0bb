// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"
)

// counts reports whether a ResourceQuota counts a Pod, and false for known if the list does
// not tell: the cluster gives a Pod without a class that of its default, and another
// server may know other scopes.
// See podMatchesScopeFunc in k8s.io/kubernetes/pkg/quota/v1/evaluator/core.
func counts(pod *corev1.Pod, spec *corev1.ResourceQuotaSpec) (matches, known bool) {
	matches, known = true, true
	for _, scope := range scopesOf(spec) {
		isMatch, isKnown := matchesScope(pod, scope)
		// All scopes must match, so that one that does not is enough.
		if isKnown && !isMatch {
			return false, true
		}
		matches, known = matches && isMatch, known && isKnown
	}
	return matches, known
}

// scopesOf are the scopes of a ResourceQuota, in both of their forms.
func scopesOf(spec *corev1.ResourceQuotaSpec) []corev1.ScopedResourceSelectorRequirement {
	var scopes []corev1.ScopedResourceSelectorRequirement
	for _, name := range spec.Scopes {
		scopes = append(scopes, corev1.ScopedResourceSelectorRequirement{ScopeName: name, Operator: corev1.ScopeSelectorOpExists})
	}
	if spec.ScopeSelector != nil {
		scopes = append(scopes, spec.ScopeSelector.MatchExpressions...)
	}
	return scopes
}

func matchesScope(pod *corev1.Pod, scope corev1.ScopedResourceSelectorRequirement) (matches, known bool) {
	// The deadline of a Job is not that of its Pods.
	ends := pod.Spec.ActiveDeadlineSeconds != nil
	switch scope.ScopeName {
	case corev1.ResourceQuotaScopeTerminating:
		return ends, true
	case corev1.ResourceQuotaScopeNotTerminating:
		return !ends, true
	case corev1.ResourceQuotaScopeBestEffort:
		return isBestEffort(pod), true
	case corev1.ResourceQuotaScopeNotBestEffort:
		return !isBestEffort(pod), true
	case corev1.ResourceQuotaScopeCrossNamespacePodAffinity:
		return selectsNamespaces(pod.Spec.Affinity), true
	case corev1.ResourceQuotaScopePriorityClass:
		class := pod.Spec.PriorityClassName
		if class == "" {
			return false, false
		}
		switch scope.Operator {
		case corev1.ScopeSelectorOpExists:
			return true, true
		case corev1.ScopeSelectorOpDoesNotExist:
			return false, true
		case corev1.ScopeSelectorOpIn:
			return slices.Contains(scope.Values, class), true
		case corev1.ScopeSelectorOpNotIn:
			return !slices.Contains(scope.Values, class), true
		}
	}
	return false, false
}

// isBestEffort reports whether a Pod says nothing of CPU and memory.
// See https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/#besteffort.
func isBestEffort(pod *corev1.Pod) bool {
	lists := []*corev1.ResourceRequirements{pod.Spec.Resources}
	if !resourcehelper.IsPodLevelResourcesSet(pod) {
		lists = nil
		for i := range pod.Spec.InitContainers {
			lists = append(lists, &pod.Spec.InitContainers[i].Resources)
		}
		for i := range pod.Spec.Containers {
			lists = append(lists, &pod.Spec.Containers[i].Resources)
		}
	}
	for _, list := range lists {
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			request, limit := list.Requests[name], list.Limits[name]
			if !request.IsZero() || !limit.IsZero() {
				return false
			}
		}
	}
	return true
}

// selectsNamespaces reports whether an affinity looks at Pods of other namespaces.
func selectsNamespaces(affinity *corev1.Affinity) bool {
	if affinity == nil {
		return false
	}
	selects := func(required []corev1.PodAffinityTerm, preferred []corev1.WeightedPodAffinityTerm) bool {
		for _, term := range preferred {
			required = append(required[:len(required):len(required)], term.PodAffinityTerm)
		}
		return slices.ContainsFunc(required, func(term corev1.PodAffinityTerm) bool {
			return len(term.Namespaces) > 0 || term.NamespaceSelector != nil
		})
	}
	near, apart := affinity.PodAffinity, affinity.PodAntiAffinity
	return near != nil && selects(near.RequiredDuringSchedulingIgnoredDuringExecution, near.PreferredDuringSchedulingIgnoredDuringExecution) ||
		apart != nil && selects(apart.RequiredDuringSchedulingIgnoredDuringExecution, apart.PreferredDuringSchedulingIgnoredDuringExecution)
}
