// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/framework"
)

func job(pj *v1alpha1.PeerJob) *batchv1.Job {
	spec := &pj.Spec
	job := (&batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: objectMeta(pj, pj.JobName()),
		Spec: batchv1.JobSpec{
			Completions:             spec.Peers,
			Parallelism:             spec.Peers,
			CompletionMode:          new(batchv1.IndexedCompletion),
			Suspend:                 spec.Suspend,
			BackoffLimit:            spec.BackoffLimit,
			BackoffLimitPerIndex:    spec.BackoffLimitPerIndex,
			MaxFailedIndexes:        spec.MaxFailedIndexes,
			ActiveDeadlineSeconds:   spec.ActiveDeadlineSeconds,
			TTLSecondsAfterFinished: spec.TTLSecondsAfterFinished,
			PodFailurePolicy:        spec.PodFailurePolicy,
			SuccessPolicy:           spec.SuccessPolicy,
			PodReplacementPolicy:    spec.PodReplacementPolicy,
			ManagedBy:               spec.ManagedBy,
			Template:                spec.Template,
		},
	}).DeepCopy()
	job.Labels = withOwn(job.Labels, spec.Job.Labels)
	job.Annotations = withOwn(job.Annotations, spec.Job.Annotations)
	// The framework's variables use the peers', which come before them.
	framework.Apply(pj, job)
	complete(&job.Spec.Template, pj)
	return job
}

// complete adds to a Pod template what the peers need to find each other.
func complete(template *corev1.PodTemplateSpec, pj *v1alpha1.PeerJob) {
	template.Labels = copied(template.Labels)
	template.Annotations = copied(template.Annotations)
	template.Spec.Subdomain = pj.ServiceName()
	if pj.Spec.PeerEnv != v1alpha1.Disabled {
		template.Annotations = merged(template.Annotations, map[string]string{v1alpha1.ServiceAnnotation: pj.ServiceName()})
		addPeerEnv(pj, template.Spec.InitContainers)
		addPeerEnv(pj, template.Spec.Containers)
	}
	addBarrier(template, pj)
}

func addPeerEnv(pj *v1alpha1.PeerJob, containers []corev1.Container) {
	for i := range containers {
		containers[i].Env = append(PeerEnv(pj), containers[i].Env...)
	}
}

// PeerEnv returns the variables which tell a peer who it is and where the
// others are. The names come from the downward API, so that a tool which
// renames the Job or the Service afterwards does not make them stale.
func PeerEnv(pj *v1alpha1.PeerJob) []corev1.EnvVar {
	ref := func(name string) string { return "$(" + name + ")" }
	values := map[string]corev1.EnvVar{
		v1alpha1.EnvIndex:     fromField("metadata.annotations['" + v1alpha1.IndexAnnotation + "']"),
		v1alpha1.EnvName:      fromField("metadata.labels['" + v1alpha1.NameLabel + "']"),
		v1alpha1.EnvNamespace: fromField("metadata.namespace"),
		v1alpha1.EnvService:   fromField("metadata.annotations['" + v1alpha1.ServiceAnnotation + "']"),
		v1alpha1.EnvSize:      {Value: strconv.Itoa(int(pj.Peers()))},
		v1alpha1.EnvLeader:    {Value: ref(v1alpha1.EnvName) + "-0." + ref(v1alpha1.EnvService)},
		v1alpha1.EnvSelf:      {Value: ref(v1alpha1.EnvName) + "-" + ref(v1alpha1.EnvIndex) + "." + ref(v1alpha1.EnvService)},
	}
	names := v1alpha1.PeerEnvNames()
	env := make([]corev1.EnvVar, 0, len(names))
	for _, name := range names {
		variable := values[name]
		variable.Name = name
		env = append(env, variable)
	}
	return env
}

func fromField(path string) corev1.EnvVar {
	return corev1.EnvVar{ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}}
}
