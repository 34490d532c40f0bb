// SPDX-License-Identifier: Apache-2.0

// Package expand answers: which objects does a group of peers stand for?
//
// A headless Service and an Indexed Job, or one Job for each role; a ConfigMap for a
// framework that reads a list of hosts, one for spec.files, and a NetworkPolicy.
//
// # Rules
//
//   - Expansion is total: a group of a PeerJob that v1alpha1.Default has seen always
//     expands, and one that peerjob.Validate let through expands to a Service
//     and a Job that agree in their names, their selector, their namespace and
//     their number.
//   - Every name comes from a method of the group, never from here.
//   - The PeerJob is not changed: what goes into an object is a copy.
//   - The same group expands to the same objects, always.
//   - Every object says from which field of the PeerJob its fields came
//     (internal/origin).
//
// # Never
//
// It never refuses, and never knows where the objects go.
package expand

import (
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// Group returns what a group stands for, and all others of a PeerJob with roles.
// internal/kinds has the order in which the objects are written.
func Group(g *peerjob.Group) []origin.Object {
	objects := []origin.Object{service(g)}
	if file := framework.ConfigMap(g); file != nil {
		objects = append(objects, configMap(g, file, peerjob.FrameworkPath))
	}
	if files := filesConfigMap(g); files != nil {
		objects = append(objects, configMap(g, files, peerjob.FilesPath))
	}
	if g.PeerJob.Spec.NetworkPolicy != nil {
		objects = append(objects, networkPolicy(g))
	}
	for _, role := range g.All() {
		objects = append(objects, job(role))
	}
	return objects
}

// configMap gives a ConfigMap its metadata. Its content came from the source.
func configMap(g *peerjob.Group, file *corev1.ConfigMap, source *field.Path) origin.Object {
	file.ObjectMeta = objectMeta(g.PeerJob, file.Name)
	return origin.Object{Object: file, Origins: origin.New(func(from *origin.Map) {
		from.All(nil, source)
		from.From(metadataPath, metadataPath)
	})}
}

// objectMeta is the metadata that all objects have in common.
func objectMeta(pj *v1alpha1.PeerJob, name string) metav1.ObjectMeta {
	meta := metav1.ObjectMeta{
		Name:        name,
		Namespace:   pj.Namespace,
		Labels:      copied(withoutQueue(pj.Labels)),
		Annotations: copied(pj.Annotations),
	}
	if meta.Annotations == nil {
		meta.Annotations = map[string]string{}
	}
	meta.Annotations[v1alpha1.OwnerAnnotation] = pj.Name
	return meta
}

// queueDomain is the domain of Kueue's labels, such as kueue.x-k8s.io/queue-name.
const queueDomain = "kueue.x-k8s.io/"

// withoutQueue returns labels without those for the queue of a Job.
func withoutQueue(labels map[string]string) map[string]string {
	rest := maps.Clone(labels)
	maps.DeleteFunc(rest, func(key, _ string) bool { return strings.HasPrefix(key, queueDomain) })
	return rest
}

// onlyQueue returns those labels alone.
func onlyQueue(labels map[string]string) map[string]string {
	queue := maps.Clone(labels)
	maps.DeleteFunc(queue, func(key, _ string) bool { return !strings.HasPrefix(key, queueDomain) })
	return copied(queue)
}

// copied returns the labels or annotations that may stand on another object
// than the one that the user put them on, nil when there are none.
func copied(from map[string]string) map[string]string {
	to := maps.Clone(from)
	maps.DeleteFunc(to, func(key, _ string) bool { return v1alpha1.IsReservedKey(key) })
	if len(to) == 0 {
		return nil
	}
	return to
}

// withOwn adds what the user wrote for one child alone.
func withOwn(base, own map[string]string) map[string]string {
	over := copied(own)
	if order, found := own[v1alpha1.DependsOnAnnotation]; found {
		over = merged(over, map[string]string{v1alpha1.DependsOnAnnotation: order})
	}
	return merged(base, over)
}

// merged adds the entries of over to those of base.
func merged(base, over map[string]string) map[string]string {
	if base == nil {
		return maps.Clone(over)
	}
	maps.Copy(base, over)
	return base
}

// ownEntries records that the labels or annotations that the user wrote for one
// object alone came from there, and not from the PeerJob's own.
func ownEntries(from *origin.Map, object *field.Path, own map[string]string, source *field.Path) {
	for key, value := range own {
		from.Entry(object, key, value, source)
	}
}
