// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
)

// SelfSelectors finds label selectors of a Pod template, in its affinity or its
// topologySpreadConstraints, by which the peers select themselves by an earlier name of
// their Job: they match no Pod, or leave none out. isOther tells the names of other Jobs.
func SelfSelectors(template *corev1.PodTemplateSpec, names PeerNames, isOther func(job string) bool, path *field.Path) []diag.Warning {
	var w []diag.Warning
	eachSelector(&template.Spec, path.Child("spec"), func(selector *metav1.LabelSelector, at *field.Path) {
		check := func(key string, operator metav1.LabelSelectorOperator, values []string, at *field.Path) {
			if !IsJobNameLabel(key) || slices.Contains(values, names.Job) {
				return
			}
			for _, value := range values {
				switch {
				case !slices.Contains(names.EarlierJobs, value) || isOther(value):
				case operator == metav1.LabelSelectorOpNotIn:
					w = append(w, diag.Warn(at, "leaves out the Pods of the Job %s, and the Job is %s now: it leaves out none of them; leave out a label of the template instead, or, in an affinity from Kubernetes 1.31 on, write mismatchLabelKeys: [%s] beside labelSelector: {}", value, names.Job, key))
				case operator == metav1.LabelSelectorOpIn:
					w = append(w, diag.Warn(at, "selects the Pods of the Job %s, and the Job is %s now: it matches none of them; select a label of the template instead, or, from Kubernetes 1.31 on, write matchLabelKeys: [%s] beside labelSelector: {}", value, names.Job, key))
				}
			}
		}
		for _, key := range []string{"job-name", "batch.kubernetes.io/job-name"} {
			if value, found := selector.MatchLabels[key]; found {
				check(key, metav1.LabelSelectorOpIn, []string{value}, at.Child("matchLabels").Key(key))
			}
		}
		for i, requirement := range selector.MatchExpressions {
			check(requirement.Key, requirement.Operator, requirement.Values, at.Child("matchExpressions").Index(i))
		}
	})
	return w
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
