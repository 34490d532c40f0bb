// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
)

// SelfSelectors finds label selectors of a Pod template, in its affinity or its
// topologySpreadConstraints, by which the peers select themselves, or those of another role
// (names.Sibling), by an earlier name of their Job: they match no Pod, or leave none out.
// isOther tells the names of other Jobs.
func SelfSelectors(template *corev1.PodTemplateSpec, names PeerNames, isOther func(job string) bool, path *field.Path) []diag.Warning {
	var w []diag.Warning
	EachSelector(&template.Spec, path.Child("spec"), func(key string, operator metav1.LabelSelectorOperator, values []string, at *field.Path) {
		if !IsJobNameLabel(key) || slices.Contains(values, names.Job) {
			return
		}
		for _, value := range values {
			if !slices.Contains(names.EarlierJobs, value) || isOther(value) {
				continue
			}
			switch operator {
			case metav1.LabelSelectorOpNotIn:
				cure := "leave out a label of the template instead, or, in an affinity from Kubernetes 1.31 on, write mismatchLabelKeys: [" + key + "] beside labelSelector: {}"
				if names.Sibling {
					cure = "leave out a label of the template of that role instead"
				}
				w = append(w, diag.Warn(at, "leaves out the Pods of the Job %s, and the Job is %s now: it leaves out none of them; %s", value, names.Job, cure))
			case metav1.LabelSelectorOpIn:
				cure := "select a label of the template instead, or, from Kubernetes 1.31 on, write matchLabelKeys: [" + key + "] beside labelSelector: {}"
				if names.Sibling {
					cure = "select a label of the template of that role instead"
				}
				w = append(w, diag.Warn(at, "selects the Pods of the Job %s, and the Job is %s now: it matches none of them; %s", value, names.Job, cure))
			}
		}
	})
	return w
}

// EachSelector visits the requirements of every selector of Pods of the same namespace in a
// Pod: those of its affinity and of its topologySpreadConstraints.
func EachSelector(pod *corev1.PodSpec, path *field.Path, visit func(key string, operator metav1.LabelSelectorOperator, values []string, at *field.Path)) {
	eachSelector(pod, path, func(selector *metav1.LabelSelector, at *field.Path) {
		for _, key := range slices.Sorted(maps.Keys(selector.MatchLabels)) {
			visit(key, metav1.LabelSelectorOpIn, []string{selector.MatchLabels[key]}, at.Child("matchLabels").Key(key))
		}
		for i, requirement := range selector.MatchExpressions {
			visit(requirement.Key, requirement.Operator, requirement.Values, at.Child("matchExpressions").Index(i))
		}
	})
}

// eachSelector visits the selectors of Pods of the same namespace in a Pod.
func eachSelector(pod *corev1.PodSpec, path *field.Path, visit func(selector *metav1.LabelSelector, at *field.Path)) {
	see := func(selector *metav1.LabelSelector, at *field.Path) {
		if selector != nil {
			visit(selector, at.Child("labelSelector"))
		}
	}
	term := func(term corev1.PodAffinityTerm, at *field.Path) {
		if len(term.Namespaces) == 0 && term.NamespaceSelector == nil {
			see(term.LabelSelector, at)
		}
	}
	terms := func(required []corev1.PodAffinityTerm, preferred []corev1.WeightedPodAffinityTerm, at *field.Path) {
		for i := range required {
			term(required[i], at.Child("requiredDuringSchedulingIgnoredDuringExecution").Index(i))
		}
		for i := range preferred {
			term(preferred[i].PodAffinityTerm, at.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i).Child("podAffinityTerm"))
		}
	}
	if affinity := pod.Affinity; affinity != nil {
		if a := affinity.PodAffinity; a != nil {
			terms(a.RequiredDuringSchedulingIgnoredDuringExecution, a.PreferredDuringSchedulingIgnoredDuringExecution, path.Child("affinity", "podAffinity"))
		}
		if a := affinity.PodAntiAffinity; a != nil {
			terms(a.RequiredDuringSchedulingIgnoredDuringExecution, a.PreferredDuringSchedulingIgnoredDuringExecution, path.Child("affinity", "podAntiAffinity"))
		}
	}
	for i, constraint := range pod.TopologySpreadConstraints {
		see(constraint.LabelSelector, path.Child("topologySpreadConstraints").Index(i))
	}
}
