// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
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

// ControllerLabels refuses labels of a Pod template that the Job controller sets:
// set by hand, they would be wrong after a rename.
func ControllerLabels(template *corev1.PodTemplateSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(template.Labels)) {
		if slices.Contains(controllerLabels, key) {
			errs = append(errs, field.Forbidden(path.Child("metadata", "labels").Key(key), "is set by the Job controller; leave it out"))
		}
	}
	return errs
}

// References finds values that use a variable that is not set yet, or never is:
// the kubelet leaves "$(NAME)" as it is then, and reports nothing. The function
// tells which variables stand before those of a container.
// See https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/.
func References(template *corev1.PodTemplateSpec, before func(container *corev1.Container) []string, path *field.Path) []diag.Warning {
	var w []diag.Warning
	// Service links set variables that can't be known here.
	links := template.Spec.EnableServiceLinks
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		known := map[string]bool{}
		for _, name := range before(container) {
			known[name] = true
		}
		later := map[string]int{}
		for i, variable := range container.Env {
			later[variable.Name] = i
		}
		unknowable := len(container.EnvFrom) > 0 || links == nil || *links
		for i, variable := range container.Env {
			for _, name := range references(variable.Value) {
				value := path.Child("env").Index(i).Child("value")
				at, set := later[name]
				switch {
				case known[name] || strings.HasPrefix(name, "KUBERNETES_"):
				case set:
					w = append(w, diag.Warn(value, "uses $(%s), and only variables that stand before it are seen; move env[%d] up", name, at))
				case !unknowable:
					w = append(w, diag.Warn(value, "uses $(%s), which no variable sets, and it stays in the value as it is; write $$(%s) if that is meant", name, name))
				}
			}
			known[variable.Name] = true
		}
	})
	return w
}

// references returns the names in the "$(NAME)" of a value, as the kubelet
// reads them: "$$" stands for a dollar sign.
func references(value string) []string {
	var names []string
	for i := 0; i+1 < len(value); i++ {
		if value[i] != '$' {
			continue
		}
		if value[i+1] == '$' {
			i++
			continue
		}
		if value[i+1] != '(' {
			continue
		}
		name, _, closed := strings.Cut(value[i+2:], ")")
		if !closed {
			break
		}
		names = append(names, name)
		i += len(name) + 2
	}
	return names
}
