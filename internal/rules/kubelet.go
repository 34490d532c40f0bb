// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Expand returns a text as the kubelet hands it to a container: "$(NAME)" becomes the
// value of that variable, "$$" a dollar sign, and a name without a value stays as it is.
// See https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/.
func Expand(text string, value func(name string) (string, bool)) string {
	if !strings.Contains(text, "$") {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '$' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		switch text[i+1] {
		case '$':
			out.WriteByte('$')
			i++
			continue
		case '(':
			name, _, closed := strings.Cut(text[i+2:], ")")
			if closed {
				if known, found := value(name); found {
					out.WriteString(known)
				} else {
					out.WriteString("$(" + name + ")")
				}
				i += len(name) + 2
				continue
			}
		}
		out.WriteByte('$')
	}
	return out.String()
}

// Resolved are variables of a container as its processes see them.
type Resolved struct {
	// List are the values in the order of the variables.
	List []string
	// ByName are the values by name. Of two variables with one name, the last one counts.
	ByName map[string]string
}

// Value is the value of a variable.
func (r Resolved) Value(name string) (string, bool) {
	value, found := r.ByName[name]
	return value, found
}

// Resolve returns the values of variables: each sees those before it. fieldValue tells
// what the downward API reads from a field of the Pod. What is only known at run time
// becomes a description, such as "<key a of Secret b>".
func Resolve(env []corev1.EnvVar, fieldValue func(path string) (string, bool)) Resolved {
	r := Resolved{ByName: map[string]string{}}
	for _, variable := range env {
		value := describe(variable.ValueFrom, fieldValue)
		if variable.ValueFrom == nil {
			value = Expand(variable.Value, r.Value)
		}
		r.List = append(r.List, value)
		r.ByName[variable.Name] = value
	}
	return r
}

// describe is the value of a source, as far as it is known.
func describe(source *corev1.EnvVarSource, fieldValue func(path string) (string, bool)) string {
	switch {
	case source == nil:
		return ""
	case source.FieldRef != nil:
		if value, found := fieldValue(source.FieldRef.FieldPath); found {
			return value
		}
		return fmt.Sprintf("<%s of the Pod>", source.FieldRef.FieldPath)
	case source.ResourceFieldRef != nil:
		return fmt.Sprintf("<%s>", source.ResourceFieldRef.Resource)
	case source.ConfigMapKeyRef != nil:
		return fmt.Sprintf("<key %s of ConfigMap %s>", source.ConfigMapKeyRef.Key, source.ConfigMapKeyRef.Name)
	case source.SecretKeyRef != nil:
		return fmt.Sprintf("<key %s of Secret %s>", source.SecretKeyRef.Key, source.SecretKeyRef.Name)
	case source.FileKeyRef != nil:
		return fmt.Sprintf("<key %s of file %s>", source.FileKeyRef.Key, source.FileKeyRef.Path)
	}
	return "<unknown>"
}

// PodFields returns what the downward API reads from the fields of the Pod with an index
// of an Indexed Job: the name of the Job and its index, and the labels and annotations of
// the template. The index may be a number, or a word that stands for one.
func PodFields(template *corev1.PodTemplateSpec, job, namespace, index string) func(path string) (string, bool) {
	return func(path string) (string, bool) {
		switch path {
		case "metadata.namespace":
			return namespace, namespace != ""
		case "spec.serviceAccountName":
			return template.Spec.ServiceAccountName, template.Spec.ServiceAccountName != ""
		}
		kind, key, found := strings.Cut(strings.TrimPrefix(path, "metadata."), "['")
		if key = strings.TrimSuffix(key, "']"); !found {
			return "", false
		}
		if key == "batch.kubernetes.io/job-completion-index" {
			return index, true
		}
		values := template.Annotations
		if kind == "labels" {
			if IsJobNameLabel(key) {
				return job, true
			}
			values = template.Labels
		}
		value, found := values[key]
		return value, found
	}
}
