// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	podapi "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/core"
	coreinternal "k8s.io/kubernetes/pkg/apis/core/v1"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/features"
)

// The server holds a Pod to more rules than a Pod template. A Job that breaks
// only those is taken, and then stays without Pods. So the Pod that the Job
// controller would make is judged, too.

// checkPod returns what the server would refuse of the last Pod of a Job, which
// has the longest name. The errors are on the Job's own fields. job has its
// defaults and its selector.
func checkPod(job *batchv1.Job) field.ErrorList {
	made := podOf(job)
	coreinternal.SetObjectDefaults_Pod(made)
	pod := &core.Pod{}
	if err := coreinternal.Convert_v1_Pod_To_core_Pod(made, pod, nil); err != nil {
		return field.ErrorList{field.InternalError(field.NewPath("spec", "template"), err)}
	}
	podapi.DropDisabledPodFields(pod, nil)
	mergeLabelKeys(pod)
	podapi.DefaultPodLevelResources(pod)
	options := podapi.GetValidationOptionsFromPodSpecAndMeta(&pod.Spec, nil, &pod.ObjectMeta, nil)
	options.ResourceIsPod = true
	errs := corevalidation.ValidatePodCreate(pod, options)
	if len(pod.Spec.Overhead) > 0 && pod.Spec.RuntimeClassName == nil {
		// The admission plugin RuntimeClass, which every server runs, says this
		// (plugin/pkg/admission/runtimeclass).
		errs = append(errs, field.Forbidden(field.NewPath("spec", "overhead"),
			"a Pod may only have the overhead that its RuntimeClass defines; leave it out, and set runtimeClassName"))
	}
	return onJob(errs)
}

// warnOfPod returns what the admission plugin Priority, which every server runs
// (plugin/pkg/admission/priority), refuses of a Pod unless the cluster has a
// PriorityClass that fits.
func warnOfPod(spec *core.PodSpec) []string {
	var warnings []string
	path := field.NewPath("spec", "template", "spec")
	if spec.Priority != nil && (*spec.Priority != 0 || spec.PriorityClassName != "") {
		warnings = append(warnings, path.Child("priority").String()+
			": no Pod is made unless its PriorityClass has this value; leave it out, and set priorityClassName")
	}
	if policy := spec.PreemptionPolicy; policy != nil && *policy != core.PreemptLowerPriority && spec.PriorityClassName == "" {
		warnings = append(warnings, path.Child("preemptionPolicy").String()+
			": no Pod is made unless its PriorityClass has this policy; leave it out, and set priorityClassName")
	}
	return warnings
}

// podOf makes the last Pod of an Indexed Job as the Job controller makes it
// (pkg/controller/job, and GetPodFromTemplate in pkg/controller), with what the
// server gives to it: a name, and the service account "default".
func podOf(job *batchv1.Job) *corev1.Pod {
	template := job.Spec.Template.DeepCopy()
	index := 0
	if job.Spec.Completions != nil && *job.Spec.Completions > 0 {
		index = int(*job.Spec.Completions) - 1
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:   job.Namespace,
			Name:        podName(job.Name, index),
			Labels:      template.Labels,
			Annotations: template.Annotations,
			Finalizers:  template.Finalizers,
		},
		Spec: template.Spec,
	}
	if !slices.Contains(pod.Finalizers, batchv1.JobTrackingFinalizer) {
		pod.Finalizers = append(pod.Finalizers, batchv1.JobTrackingFinalizer)
	}
	pod.Labels = with(pod.Labels, batchv1.JobCompletionIndexAnnotation, strconv.Itoa(index))
	pod.Annotations = with(pod.Annotations, batchv1.JobCompletionIndexAnnotation, strconv.Itoa(index))
	pod.Spec.Hostname = job.Name + "-" + strconv.Itoa(index)
	for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range containers {
			addIndexVariable(&containers[i])
		}
	}
	if pod.Spec.ServiceAccountName == "" {
		pod.Spec.ServiceAccountName = "default"
	}
	return pod
}

const (
	// indexVariable is the variable that the controller adds to every container.
	indexVariable = "JOB_COMPLETION_INDEX"
	// longestPodPrefix is how much of a Pod's name, in bytes, the controller
	// makes of the Job's name and the index; the server adds randomSuffix.
	longestPodPrefix = 58
	randomSuffix     = "x2x2x"
)

func podName(jobName string, index int) string {
	suffix := "-" + strconv.Itoa(index) + "-"
	if room := longestPodPrefix - len(suffix); len(jobName) > room {
		jobName = jobName[:room]
	}
	return jobName + suffix + randomSuffix
}

func addIndexVariable(container *corev1.Container) {
	if slices.ContainsFunc(container.Env, func(v corev1.EnvVar) bool { return v.Name == indexVariable }) {
		return
	}
	container.Env = append(container.Env, corev1.EnvVar{Name: indexVariable, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.labels['" + batchv1.JobCompletionIndexAnnotation + "']"}}})
}

func with(m map[string]string, key, value string) map[string]string {
	if m = maps.Clone(m); m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}

// mergeLabelKeys adds the requirements that follow from matchLabelKeys and
// mismatchLabelKeys to the label selectors, as the server does when a Pod is
// created (pkg/registry/core/pod). What the user's selector says of the same
// label is refused only then.
func mergeLabelKeys(pod *core.Pod) {
	enabled := utilfeature.DefaultFeatureGate.Enabled
	if affinity := pod.Spec.Affinity; affinity != nil && enabled(features.MatchLabelKeysInPodAffinity) {
		if a := affinity.PodAffinity; a != nil {
			mergeTerms(pod.Labels, a.RequiredDuringSchedulingIgnoredDuringExecution, a.PreferredDuringSchedulingIgnoredDuringExecution)
		}
		if a := affinity.PodAntiAffinity; a != nil {
			mergeTerms(pod.Labels, a.RequiredDuringSchedulingIgnoredDuringExecution, a.PreferredDuringSchedulingIgnoredDuringExecution)
		}
	}
	if enabled(features.MatchLabelKeysInPodTopologySpread) && enabled(features.MatchLabelKeysInPodTopologySpreadSelectorMerge) {
		for _, constraint := range pod.Spec.TopologySpreadConstraints {
			require(constraint.LabelSelector, constraint.MatchLabelKeys, metav1.LabelSelectorOpIn, pod.Labels)
		}
	}
}

func mergeTerms(labels map[string]string, required []core.PodAffinityTerm, preferred []core.WeightedPodAffinityTerm) {
	merge := func(term core.PodAffinityTerm) {
		require(term.LabelSelector, term.MatchLabelKeys, metav1.LabelSelectorOpIn, labels)
		require(term.LabelSelector, term.MismatchLabelKeys, metav1.LabelSelectorOpNotIn, labels)
	}
	for _, term := range required {
		merge(term)
	}
	for _, term := range preferred {
		merge(term.PodAffinityTerm)
	}
}

func require(selector *metav1.LabelSelector, keys []string, operator metav1.LabelSelectorOperator, labels map[string]string) {
	if selector == nil {
		return
	}
	for _, key := range keys {
		if value, found := labels[key]; found {
			selector.MatchExpressions = append(selector.MatchExpressions, metav1.LabelSelectorRequirement{Key: key, Operator: operator, Values: []string{value}})
		}
	}
}

// onJob moves errors from a Pod's fields to those of its Job.
func onJob(errs field.ErrorList) field.ErrorList {
	for _, err := range errs {
		switch rest, ofSpec := strings.CutPrefix(err.Field, "spec."); {
		case err.Field == "spec.hostname", err.Field == "metadata.name":
			err.Field = "metadata.name"
		case ofSpec:
			err.Field = "spec.template.spec." + rest
		case strings.HasPrefix(err.Field, "metadata.labels"), strings.HasPrefix(err.Field, "metadata.annotations"):
			// A Job's own errors leave out "metadata" here (objectPath).
			err.Field = "spec.template." + strings.TrimPrefix(err.Field, "metadata.")
		default:
			err.Field = "spec.template." + err.Field
		}
	}
	return errs
}
