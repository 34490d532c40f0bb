// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"strconv"

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
	own := &g.PeerJob.Spec.Job
	job := (&batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: objectMeta(g.PeerJob, g.JobName),
		Spec:       g.Job,
	}).DeepCopy()
	job.Labels = withOwn(job.Labels, own.Labels)
	job.Annotations = withOwn(job.Annotations, own.Annotations)
	from := &origin.Map{}
	from.From(specPath, g.Path)
	ownEntries(from, metadataPath.Child("labels"), own.Labels, pjJobPath.Child("labels"))
	ownEntries(from, metadataPath.Child("annotations"), own.Annotations, pjJobPath.Child("annotations"))
	from.All(specPath.Child("completions"), g.Path.Child("peers"))
	from.All(specPath.Child("parallelism"), g.Path.Child("peers"))
	if g.Job.SuccessPolicy == nil {
		from.All(specPath.Child("successPolicy"), peerjob.FrameworkPath)
	}
	// The framework's variables use the peers', which come before them.
	framework.Apply(g, job)
	complete(g, &job.Spec.Template, from)
	return origin.Object{Object: job, Origins: from}
}

// complete adds to a Pod template what the peers need to find each other.
func complete(g *peerjob.Group, template *corev1.PodTemplateSpec, from *origin.Map) {
	path := specPath.Child("template")
	template.Labels = copied(template.Labels)
	template.Annotations = copied(template.Annotations)
	// The API server adds a label with the Job's name.
	from.EntryFrom(path.Child("metadata", "labels"), g.JobName, peerjob.NamePath)
	template.Spec.Subdomain = g.ServiceName()
	from.All(path.Child("spec", "subdomain"), g.ServiceNamePath())
	own := &g.Template().Spec
	added := newElements(g, own, &template.Spec)
	if added.peers {
		template.Annotations = merged(template.Annotations, map[string]string{v1alpha1.ServiceAnnotation: g.ServiceName()})
		addPeerEnv(g, template.Spec.InitContainers)
		addPeerEnv(g, template.Spec.Containers)
	}
	injected := addBarrier(g, template, from)
	added.record(from, path.Child("spec"), g.PodPath(), injected)
}

// elements are what peerjob added to the lists of a Pod that hold elements of the
// user's, too.
type elements struct {
	// peers is whether every container has the variables of the peers.
	peers bool
	// volumes is the number of the user's volumes.
	volumes                    int
	initContainers, containers []element
}

// element is what the framework added to a container: how many variables before
// the user's, and its mounts behind so many of the user's.
type element struct{ variables, mounts int }

// newElements compares a Pod that the framework changed to the user's.
func newElements(g *peerjob.Group, own, all *corev1.PodSpec) elements {
	compare := func(own, all []corev1.Container) []element {
		list := make([]element, len(own))
		for i := range own {
			list[i] = element{variables: len(all[i].Env) - len(own[i].Env), mounts: len(own[i].VolumeMounts)}
		}
		return list
	}
	return elements{
		peers:          g.PeerJob.Spec.PeerEnv != v1alpha1.Disabled,
		volumes:        len(own.Volumes),
		initContainers: compare(own.InitContainers, all.InitContainers),
		containers:     compare(own.Containers, all.Containers),
	}
}

// record records the origins of the lists of a Pod, before whose init containers
// peerjob injected so many.
func (e elements) record(from *origin.Map, pod, own *field.Path, injected int) {
	from.AllElements(pod.Child("volumes"), e.volumes, -1, peerjob.FrameworkPath)
	from.Elements(pod.Child("initContainers"), injected, own.Child("initContainers"))
	peers := 0
	if e.peers {
		peers = len(v1alpha1.PeerEnvNames())
	}
	containers := func(name string, list []element, injected int) {
		for i, added := range list {
			at, source := pod.Child(name).Index(i+injected), own.Child(name).Index(i)
			from.AllElements(at.Child("env"), 0, peers, pjPeerEnvPath)
			from.AllElements(at.Child("env"), peers, peers+added.variables, peerjob.FrameworkPath)
			from.Elements(at.Child("env"), peers+added.variables, source.Child("env"))
			from.AllElements(at.Child("volumeMounts"), added.mounts, -1, peerjob.FrameworkPath)
		}
	}
	containers("initContainers", e.initContainers, injected)
	containers("containers", e.containers, 0)
}

func addPeerEnv(g *peerjob.Group, containers []corev1.Container) {
	for i := range containers {
		containers[i].Env = append(peerEnv(g), containers[i].Env...)
	}
}

// peerEnv returns the variables which tell a peer who it is and where the
// others are. The names come from the downward API, so that a tool which
// renames the Job or the Service afterwards does not make them stale.
func peerEnv(g *peerjob.Group) []corev1.EnvVar {
	ref := func(name string) string { return "$(" + name + ")" }
	values := map[string]corev1.EnvVar{
		v1alpha1.EnvIndex:     fromField("metadata.annotations['" + v1alpha1.IndexAnnotation + "']"),
		v1alpha1.EnvName:      fromField("metadata.labels['" + v1alpha1.NameLabel + "']"),
		v1alpha1.EnvNamespace: fromField("metadata.namespace"),
		v1alpha1.EnvService:   fromField("metadata.annotations['" + v1alpha1.ServiceAnnotation + "']"),
		v1alpha1.EnvSize:      {Value: strconv.Itoa(int(g.Peers()))},
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
