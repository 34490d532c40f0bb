// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// MaxVariableLength is the longest "NAME=value" that Linux passes to a program, in
// bytes (MAX_ARG_STRLEN without the final zero byte).
const MaxVariableLength = 131071

// EachContainer visits every container of a Pod template with its path, init
// containers first, as they start.
func EachContainer(template *corev1.PodTemplateSpec, path *field.Path, visit func(container *corev1.Container, path *field.Path)) {
	pod := path.Child("spec")
	for i := range template.Spec.InitContainers {
		visit(&template.Spec.InitContainers[i], pod.Child("initContainers").Index(i))
	}
	for i := range template.Spec.Containers {
		visit(&template.Spec.Containers[i], pod.Child("containers").Index(i))
	}
}

// StringLengths refuses variables and arguments that no program can be started
// with.
func StringLengths(template *corev1.PodTemplateSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		for i, variable := range container.Env {
			if length := len(variable.Name) + len("=") + len(variable.Value); length > MaxVariableLength {
				errs = append(errs, tooLong(path.Child("env").Index(i).Child("value"), "NAME=value", length))
			}
		}
		errs = append(errs, arguments(container.Command, path.Child("command"))...)
		errs = append(errs, arguments(container.Args, path.Child("args"))...)
	})
	return errs
}

func arguments(arguments []string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, argument := range arguments {
		if len(argument) > MaxVariableLength {
			errs = append(errs, tooLong(path.Index(i), "the argument", len(argument)))
		}
	}
	return errs
}

func tooLong(path *field.Path, what string, length int) *field.Error {
	return &field.Error{Type: field.ErrorTypeTooLong, Field: path.String(), Detail: fmt.Sprintf(
		"%s has %d bytes, and Linux starts no program with a string of more than %d; put it into a ConfigMap and mount that", what, length, MaxVariableLength)}
}

// controllerLabels are the labels by which the Job controller finds its Pods. The
// API server gives them to the template of a Job that has no selector of its own,
// and refuses others under these keys.
var controllerLabels = []string{"job-name", batchv1.JobNameLabel, "controller-uid", batchv1.ControllerUidLabel}

// IsJobNameLabel reports whether a label holds the name of the Job.
func IsJobNameLabel(key string) bool { return key == "job-name" || key == batchv1.JobNameLabel }

// ControllerLabels refuses labels of a Pod template that the Job controller sets, with
// other values: set by hand, they would be wrong after a rename.
func ControllerLabels(template *corev1.PodTemplateSpec, job *batchv1.Job, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(template.Labels)) {
		if slices.Contains(controllerLabels, key) && !(IsJobNameLabel(key) && template.Labels[key] == job.Name) {
			errs = append(errs, field.Forbidden(path.Child("metadata", "labels").Key(key), "is set by the Job controller; leave it out"))
		}
	}
	return errs
}
