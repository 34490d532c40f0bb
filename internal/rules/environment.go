// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/spell"
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
// with: too long ones, and those with a NUL byte. A string counts as the program sees it,
// with the values of the variables in it: before returns those that stand before the
// container's own (nil for none), and fieldValue what the downward API reads from a field of
// the Pod. A value that only the run knows counts nothing.
func StringLengths(template *corev1.PodTemplateSpec, before func(*corev1.Container) []corev1.EnvVar, fieldValue func(path string) (string, bool), path *field.Path) field.ErrorList {
	var errs field.ErrorList
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		known := lengths{}
		if before != nil {
			for _, variable := range before(container) {
				known.set(variable, fieldValue)
			}
		}
		for i, variable := range container.Env {
			at := path.Child("env").Index(i).Child("value")
			if length := len(variable.Name) + len("=") + known.set(variable, fieldValue); length > MaxVariableLength {
				errs = append(errs, tooLong(at, "NAME=value", length))
			}
			errs = append(errs, nul(at, variable.Value)...)
		}
		errs = append(errs, program(container.Command, path.Child("command"))...)
		errs = append(errs, arguments(container.Command, known.of, path.Child("command"))...)
		errs = append(errs, arguments(container.Args, known.of, path.Child("args"))...)
		errs = append(errs, nul(path.Child("workingDir"), container.WorkingDir)...)
		errs = append(errs, directory(path.Child("workingDir"), container.WorkingDir)...)
		for _, command := range Commands(container, path) {
			errs = append(errs, program(command.Words, command.Path)...)
			errs = append(errs, arguments(command.Words, func(word string) int { return len(word) }, command.Path)...)
		}
	})
	return errs
}

// lengths are how long the values of variables are, in bytes, by name: the values themselves
// can double with each variable.
type lengths map[string]int

// of is the length of a text when the kubelet has put the variables into it.
func (l lengths) of(text string) int {
	if !strings.Contains(text, "$") {
		return len(text)
	}
	put := 0
	rest := Expand(text, func(name string) (string, bool) {
		length, known := l[name]
		put = min(put+length, math.MaxInt32)
		return "", known
	})
	return min(put+len(rest), math.MaxInt32)
}

// set adds a variable, and returns the length of its value.
func (l lengths) set(variable corev1.EnvVar, fieldValue func(path string) (string, bool)) int {
	length := 0
	switch from := variable.ValueFrom; {
	case from == nil:
		length = l.of(variable.Value)
	case from.FieldRef != nil:
		value, _ := fieldValue(from.FieldRef.FieldPath)
		length = len(value)
	}
	l[variable.Name] = length
	return length
}

func program(command []string, path *field.Path) field.ErrorList {
	if len(command) == 0 || command[0] != "" {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Index(0), "", "must be the program to start")}
}

// directory refuses a relative directory, which the runtime does not start a program in.
// See https://github.com/opencontainers/runtime-spec/blob/main/config.md#process.
func directory(path *field.Path, directory string) field.ErrorList {
	if directory == "" || strings.HasPrefix(directory, "/") || strings.Contains(directory, `\`) || strings.HasPrefix(directory, "$") {
		return nil // a path of Windows, or one for which another rule has the cure
	}
	return field.ErrorList{field.Invalid(path, directory, "must be an absolute path, or the container never starts; begin it with /")}
}

// OneWord finds a program with its arguments in one word of a command: Linux looks for a
// program of this name.
func OneWord(template *corev1.PodTemplateSpec, path *field.Path) []diag.Warning {
	var w []diag.Warning
	check := func(words []string, at *field.Path) {
		if len(words) == 0 {
			return
		}
		if parts := strings.Fields(words[0]); len(parts) > 1 {
			cure := fmt.Sprintf("write each as an element of its own: [%s]", strings.Join(parts, ", "))
			if strings.ContainsAny(words[0], "\"'`$|&;<>(){}[],#*?\n") || len(words[0]) > longestShown {
				cure = "write each as an element of its own, or a script behind sh and -c"
			}
			w = append(w, diag.Warn(at.Index(0), "has a program and its arguments in one word, and Linux starts no program of this name; %s", cure))
		}
	}
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		check(container.Command, path.Child("command"))
		for _, command := range Commands(container, path) {
			check(command.Words, command.Path)
		}
	})
	return w
}

// longestShown is the longest word that a message repeats, in bytes.
const longestShown = 60

func arguments(arguments []string, lengthOf func(string) int, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, argument := range arguments {
		if length := lengthOf(argument); length > MaxVariableLength {
			errs = append(errs, tooLong(path.Index(i), "the argument", length))
		}
		errs = append(errs, nul(path.Index(i), argument)...)
	}
	return errs
}

// nul refuses a NUL byte, which ends a string of the system call that starts a program
// (execve). The runtime refuses it.
func nul(path *field.Path, text string) field.ErrorList {
	if !strings.Contains(text, "\x00") {
		return nil
	}
	return field.ErrorList{field.Invalid(path, text, "must not contain a NUL byte (\\x00): Linux starts no program with it; let the program read it from a file")}
}

// ResourceFields refuses a resourceFieldRef to a container that the Pod does not have:
// the kubelet starts no container with such a variable, and writes no such file.
// See containerResourceRuntimeValue in k8s.io/kubernetes/pkg/kubelet.
func ResourceFields(template *corev1.PodTemplateSpec, path *field.Path) field.ErrorList {
	var names []string
	EachContainer(template, path, func(container *corev1.Container, _ *field.Path) { names = append(names, container.Name) })
	var errs field.ErrorList
	check := func(ref *corev1.ResourceFieldSelector, at *field.Path) {
		if ref != nil && ref.ContainerName != "" && !slices.Contains(names, ref.ContainerName) {
			errs = append(errs, diag.NotSupported(at.Child("resourceFieldRef", "containerName"), ref.ContainerName, names))
		}
	}
	eachDownward(template, path, func(_ *corev1.ObjectFieldSelector, ref *corev1.ResourceFieldSelector, at *field.Path) { check(ref, at) })
	return errs
}

// eachDownward visits what the containers of a Pod template read of their own Pod, in
// variables and in files. One of the two is nil.
func eachDownward(template *corev1.PodTemplateSpec, path *field.Path, visit func(*corev1.ObjectFieldSelector, *corev1.ResourceFieldSelector, *field.Path)) {
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		for i, variable := range container.Env {
			if from := variable.ValueFrom; from != nil {
				visit(from.FieldRef, from.ResourceFieldRef, path.Child("env").Index(i).Child("valueFrom"))
			}
		}
	})
	items := func(items []corev1.DownwardAPIVolumeFile, at *field.Path) {
		for i, item := range items {
			visit(item.FieldRef, item.ResourceFieldRef, at.Child("downwardAPI", "items").Index(i))
		}
	}
	for i, volume := range template.Spec.Volumes {
		at := path.Child("spec", "volumes").Index(i)
		if volume.DownwardAPI != nil {
			items(volume.DownwardAPI.Items, at)
		}
		if volume.Projected == nil {
			continue
		}
		for j, source := range volume.Projected.Sources {
			if source.DownwardAPI != nil {
				items(source.DownwardAPI.Items, at.Child("projected", "sources").Index(j))
			}
		}
	}
}

// metadataField matches a field path to one label or annotation of a Pod.
var metadataField = lazyregexp.New(`^metadata\.(label|annotation)s\['([^']*)'\]$`)

// foreignKeys are the beginnings of labels and annotations that a controller gives to its
// own Pods, which are not those of a Job.
var foreignKeys = map[string]string{
	"apps.kubernetes.io/pod-index": "a StatefulSet",
	"statefulset.kubernetes.io/":   "a StatefulSet",
	"pod-template-hash":            "a Deployment",
	"jobset.sigs.k8s.io/":          "a JobSet",
	"leaderworkerset.sigs.k8s.io/": "a LeaderWorkerSet",
	"training.kubeflow.org/":       "the Training Operator",
	"volcano.sh/task-":             "a Volcano Job",
	"batch.volcano.sh/":            "a Volcano Job",
	"ray.io/":                      "a RayCluster",
	"sparkoperator.k8s.io/":        "a SparkApplication",
}

// MetadataFields finds a fieldRef to a label or an annotation that the Pods do not have:
// the variable is empty then, and so is the file. A key with a domain is not reported,
// because a webhook or a scheduler may set it, unless only Pods of another controller have
// it.
// See ExtractFieldPathAsString in k8s.io/kubernetes/pkg/fieldpath.
func MetadataFields(template *corev1.PodTemplateSpec, path *field.Path) []diag.Warning {
	var w []diag.Warning
	eachDownward(template, path, func(ref *corev1.ObjectFieldSelector, _ *corev1.ResourceFieldSelector, at *field.Path) {
		if ref == nil {
			return
		}
		match := metadataField.FindStringSubmatch(ref.FieldPath)
		if match == nil {
			return
		}
		kind, key, values := match[1], match[2], template.Labels
		if kind == "annotation" {
			values = template.Annotations
		}
		if _, found := values[key]; found || slices.Contains(controllerLabels, key) {
			return
		}
		at = at.Child("fieldRef", "fieldPath")
		for _, prefix := range slices.Sorted(maps.Keys(foreignKeys)) {
			if strings.HasPrefix(key, prefix) {
				cure := "read something else"
				if strings.Contains(key, "index") || strings.Contains(key, "rank") {
					cure = "the index of a Pod of a Job is in JOB_COMPLETION_INDEX"
				}
				w = append(w, diag.Warn(at, "reads the %s %s, which only the Pods of %s have: the value is empty; %s", kind, key, foreignKeys[prefix], cure))
				return
			}
		}
		if domain, _, found := strings.Cut(key, "/"); !found || domain == "app.kubernetes.io" {
			cure := "set it there"
			if nearest := spell.Nearest(key, slices.Sorted(maps.Keys(values))); nearest != "" {
				cure = fmt.Sprintf("did you mean %s?", nearest)
			}
			w = append(w, diag.Warn(at, "reads the %s %s, which the metadata of the Pod template does not have: the value is empty; %s", kind, key, cure))
		}
	})
	return diag.Few(w)
}

func tooLong(path *field.Path, what string, length int) *field.Error {
	return &field.Error{Type: field.ErrorTypeTooLong, Field: path.String(), Detail: fmt.Sprintf(
		"%s has %d bytes, and Linux starts no program with a string of more than %d; put it into a ConfigMap and mount that", what, length, MaxVariableLength)}
}

// controllerLabels are the labels by which the Job controller finds its Pods. The
// API server gives them to the template of a Job that has no selector of its own,
// and refuses others under these keys.
var controllerLabels = []string{"job-name", batchv1.JobNameLabel, "controller-uid", batchv1.ControllerUidLabel}

// IsControllerLabel reports whether a label is one that the Job controller gives to its
// Pods.
func IsControllerLabel(key string) bool { return slices.Contains(controllerLabels, key) }

// IsJobNameLabel reports whether a label holds the name of the Job.
func IsJobNameLabel(key string) bool { return key == "job-name" || key == batchv1.JobNameLabel }

// ControllerLabels refuses labels of a Pod template that the Job controller sets, with
// other values: set by hand, they would be wrong after a rename.
// The labels are at the path.
func ControllerLabels(labels map[string]string, job *batchv1.Job, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if slices.Contains(controllerLabels, key) && !(IsJobNameLabel(key) && labels[key] == job.Name) {
			errs = append(errs, field.Forbidden(path.Key(key), "is set by the Job controller; leave it out"))
		}
	}
	return errs
}
