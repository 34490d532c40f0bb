// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/rules"
)

// checkAnnotations finds annotations of a Pod template that peerjob made with another name
// than the Service or the Job of a role has: a layer renamed it without the Component. The
// variables that read them lead to no peer.
func (l *linter) checkAnnotations(j *job) {
	pod := j.template()
	readers := annotationReaders(pod)
	at := j.templatePath().Child("metadata", "annotations")
	stale := func(key, kind, name string) {
		value, found := pod.Annotations[key]
		if readers[key] == "" || !found || name == "" || value == name {
			return
		}
		l.at(j.document, staleAnnotation, Error, at.Key(key).String(), field.Invalid(at, value, fmt.Sprintf(
			"the variable %s reads it, and the %s is %s, so names of peers that are made of it do not resolve; write %s, and list peerjob's Component in the layer that renames the %s", readers[key], kind, name, name, kind)).ErrorBody(), "",
			edit{op: setKey, node: j.at(at.String()), key: key, value: name})
	}
	stale(v1alpha1.ServiceAnnotation, "Service", j.subdomain())
	for _, key := range slices.Sorted(maps.Keys(readers)) {
		if !strings.HasPrefix(key, v1alpha1.JobAnnotationPrefix) {
			continue
		}
		// The Jobs of the roles are behind one Service, and each knows its own annotation.
		for _, other := range l.jobs {
			if other.cron == nil && sameNamespace(j.document, other.document) && other.subdomain() == j.subdomain() && ownAnnotation(other.template()) == key {
				stale(key, "Job", other.name)
				break
			}
		}
	}
}

// annotationReaders are the annotations of a Pod that variables of its containers read, each
// with the name of such a variable.
func annotationReaders(pod *corev1.PodTemplateSpec) map[string]string {
	readers := map[string]string{}
	rules.EachContainer(pod, nil, func(container *corev1.Container, _ *field.Path) {
		for _, variable := range container.Env {
			if key, found := annotationOf(&variable); found {
				readers[key] = variable.Name
			}
		}
	})
	return readers
}

// annotationOf is the annotation of the Pod that a variable reads.
func annotationOf(variable *corev1.EnvVar) (string, bool) {
	if variable.ValueFrom == nil || variable.ValueFrom.FieldRef == nil {
		return "", false
	}
	key, found := strings.CutPrefix(variable.ValueFrom.FieldRef.FieldPath, "metadata.annotations['")
	return strings.TrimSuffix(key, "']"), found
}

// ownAnnotation is the annotation with the name of the Job of its own role, "" in a Job that
// is none of a role.
func ownAnnotation(pod *corev1.PodTemplateSpec) string {
	own := ""
	rules.EachContainer(pod, nil, func(container *corev1.Container, _ *field.Path) {
		at := slices.IndexFunc(container.Env, func(variable corev1.EnvVar) bool { return variable.Name == v1alpha1.EnvRole })
		if at < 0 {
			return
		}
		name, _, _ := v1alpha1.RoleEnvNames(container.Env[at].Value)
		for _, variable := range container.Env {
			if key, found := annotationOf(&variable); found && variable.Name == name {
				own = key
			}
		}
	})
	return own
}
