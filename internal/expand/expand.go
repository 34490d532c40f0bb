// SPDX-License-Identifier: Apache-2.0

// Package expand answers: which objects does a PeerJob stand for?
//
// A headless Service and an Indexed Job, and with a framework that reads a list
// of hosts a ConfigMap.
//
// # Rules
//
//   - Expansion is total: a PeerJob that v1alpha1.Default has seen always
//     expands, and one that v1alpha1.Validate let through expands to a Service
//     and a Job that agree in their names, their selector, their namespace and
//     their number.
//   - Every name comes from a method of the PeerJob, never from here.
//   - The PeerJob is not changed: what goes into an object is a copy.
//   - The same PeerJob expands to the same objects, always.
//
// # Never
//
// It never refuses, never writes YAML and never knows where the objects go.
package expand

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/kinds"
)

// PeerJob returns what a PeerJob stands for. internal/kinds has the order in which
// the objects are written.
func PeerJob(pj *v1alpha1.PeerJob) []kinds.Object {
	objects := []kinds.Object{service(pj)}
	if file := framework.ConfigMap(pj); file != nil {
		objects = append(objects, configMap(pj, file))
	}
	return append(objects, job(pj))
}

// configMap gives the ConfigMap of a framework its metadata.
func configMap(pj *v1alpha1.PeerJob, file *corev1.ConfigMap) *corev1.ConfigMap {
	file.ObjectMeta = objectMeta(pj, file.Name)
	return file
}

// objectMeta is the metadata that all objects have in common.
func objectMeta(pj *v1alpha1.PeerJob, name string) metav1.ObjectMeta {
	meta := metav1.ObjectMeta{
		Name:        name,
		Namespace:   pj.Namespace,
		Labels:      copied(pj.Labels),
		Annotations: copied(pj.Annotations),
	}
	if meta.Annotations == nil {
		meta.Annotations = map[string]string{}
	}
	meta.Annotations[v1alpha1.OwnerAnnotation] = pj.Name
	return meta
}

// copied returns the labels or annotations that may stand on another object
// than the one which the user put them on, nil when there are none.
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
