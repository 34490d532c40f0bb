// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

func job(g *peerjob.Group) origin.Object {
	job := (&batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: objectMeta(g.PeerJob, g.JobName),
		Spec:       g.Job,
	}).DeepCopy()
	job.Labels = merged(job.Labels, onlyQueue(g.PeerJob.Labels))
	for _, own := range g.JobMetas() {
		job.Labels = withOwn(job.Labels, own.Labels)
		job.Annotations = withOwn(job.Annotations, own.Annotations)
	}
	g.DropOwn(&job.Spec.Template)
	// The framework's variables use the peers', which come before them.
	framework.Apply(g, job)
	template := &job.Spec.Template
	complete(g, template)
	addRunner(g, job)
	addFailurePolicy(g, job)
	return origin.Object{Object: job, Origins: origin.New(func(from *origin.Map) {
		from.From(specPath, g.Path)
		from.All(metadataPath.Child("name"), g.JobNamePath())
		for _, own := range g.JobMetas() {
			ownEntries(from, metadataPath.Child("labels"), own.Labels, own.Path.Child("labels"))
			ownEntries(from, metadataPath.Child("annotations"), own.Annotations, own.Path.Child("annotations"))
		}
		for _, name := range peerjob.SharedFields() {
			from.From(specPath.Child(name), g.FieldPath(name))
		}
		from.All(specPath.Child("completions"), g.Path.Child("peers"))
		from.All(specPath.Child("parallelism"), g.Path.Child("peers"))
		if g.Job.SuccessPolicy == nil {
			from.All(specPath.Child("successPolicy"), peerjob.FrameworkPath)
		}
		failurePolicyOrigins(from, g, job)
		templateOrigins(from, g, template)
	})}
}

// complete adds to a Pod template what the peers need to find each other.
func complete(g *peerjob.Group, template *corev1.PodTemplateSpec) {
	template.Labels = copied(template.Labels)
	template.Annotations = copied(template.Annotations)
	template.Spec.Subdomain = g.ServiceName()
	if g.HasRoles() {
		template.Labels = merged(template.Labels, g.SelectorLabels())
	}
	if g.HasPeerEnv() || g.HasRunner() {
		template.Annotations = merged(template.Annotations, map[string]string{v1alpha1.ServiceAnnotation: g.ServiceName()})
		template.Annotations = merged(template.Annotations, g.JobAnnotations())
	}
	addPeerEnv(g, template.Spec.InitContainers, g.Template().Spec.InitContainers)
	addPeerEnv(g, template.Spec.Containers, g.Template().Spec.Containers)
	addFiles(g, &template.Spec)
}

// templateOrigins says where the parts of a Pod template came from.
func templateOrigins(from *origin.Map, g *peerjob.Group, template *corev1.PodTemplateSpec) {
	path, user := specPath.Child("template"), &g.Template().Spec
	// The API server adds a label with the Job's name.
	for _, own := range g.TemplateMetas() {
		if g.HasRoles() {
			ownEntries(from, path.Child("metadata", "labels"), own.Labels, own.Path.Child("labels"))
			ownEntries(from, path.Child("metadata", "annotations"), own.Annotations, own.Path.Child("annotations"))
		}
	}
	from.EntryFrom(path.Child("metadata", "labels"), g.JobName, g.JobNamePath())
	for key, value := range g.SelectorLabels() {
		if g.HasRoles() {
			from.Entry(path.Child("metadata", "labels"), key, value, g.ServiceNamePath())
		}
	}
	pod, own := path.Child("spec"), g.PodPath()
	from.All(pod.Child("subdomain"), g.ServiceNamePath())
	from.AllElements(pod.Child("volumes"), len(user.Volumes), -1, peerjob.FrameworkPath)
	fileVolumeOrigins(from, template.Spec.Volumes, pod.Child("volumes"))
	runnerVolumeOrigins(from, g, template.Spec.Volumes, pod.Child("volumes"))
	added := len(template.Spec.InitContainers) - len(user.InitContainers)
	from.Elements(pod.Child("initContainers"), added, own.Child("initContainers"))
	if added > 0 {
		installOrigins(from, g, pod.Child("initContainers").Index(0))
	}
	for i := range user.InitContainers {
		containerOrigins(from, g, &template.Spec.InitContainers[added+i], pod.Child("initContainers").Index(added+i),
			&user.InitContainers[i], own.Child("initContainers").Index(i))
	}
	for i := range user.Containers {
		at, source := pod.Child("containers").Index(i), own.Child("containers").Index(i)
		containerOrigins(from, g, &template.Spec.Containers[i], at, &user.Containers[i], source)
		if i == g.RunnerContainer() {
			runnerOrigins(from, g, &template.Spec.Containers[i], at, &user.Containers[i], source)
		}
	}
}

// containerOrigins says where the variables and the mounts of a container came from:
// the peers', the failure policy's and the framework's variables stand before the user's, and the
// framework's mounts behind.
func containerOrigins(from *origin.Map, g *peerjob.Group, container *corev1.Container, at *field.Path, own *corev1.Container, source *field.Path) {
	env, kept := at.Child("env"), g.OwnVariables(own)
	peerNames := g.PeerEnvNames()
	added := len(container.Env) - len(kept)
	// Only the framework sets others before the user's.
	peers := 0
	for peers < added && slices.Contains(peerNames, container.Env[peers].Name) {
		peers++
	}
	policy := peers
	for policy < added && slices.Contains(v1alpha1.RestartEnvNames(), container.Env[policy].Name) {
		policy++
	}
	peersFrom := pjPeerEnvPath
	if !g.HasPeerEnv() {
		peersFrom = peerjob.RunnerPath
	}
	from.AllElements(env, 0, peers, peersFrom)
	from.AllElements(env, peers, policy, peerjob.FailurePolicyPath)
	from.AllElements(env, policy, added, peerjob.FrameworkPath)
	from.Elements(env, added, source.Child("env"))
	for place, index := range kept {
		if place != index { // one before it is taken for a variable of the peers
			from.From(env.Index(added+place), source.Child("env").Index(index))
		}
	}
	from.AllElements(at.Child("volumeMounts"), len(own.VolumeMounts), -1, peerjob.FrameworkPath)
	fileMountOrigins(from, g, container.VolumeMounts, at.Child("volumeMounts"))
}

// addPeerEnv puts the peers' variables before all others. The containers are copies of
// the user's own.
func addPeerEnv(g *peerjob.Group, containers, own []corev1.Container) {
	for i := range containers {
		if env := g.ContainerEnv(&own[i], &containers[i]); len(env) > 0 {
			containers[i].Env = append(env, containers[i].Env...)
		}
	}
}
