// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// SubPathExpressions refuses the subPathExpr of a mount with which the kubelet does not
// start a container, ever: one with a "$(NAME)" of a variable that is not set or empty,
// and one that becomes an absolute path or has "..". The API server looks at the
// expression, and not at what it becomes.
//
// See makeMounts in k8s.io/kubernetes/pkg/kubelet and ExpandContainerVolumeMounts in
// k8s.io/kubernetes/pkg/kubelet/container.
func SubPathExpressions(template *corev1.PodTemplateSpec, variables Variables, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		if !slices.ContainsFunc(container.VolumeMounts, func(mount corev1.VolumeMount) bool { return mount.SubPathExpr != "" }) {
			return // nearly every container, and the scope costs
		}
		s := scopeOf(template, container, variables)
		values := s.values(container, variables)
		for i, mount := range container.VolumeMounts {
			at := path.Child("volumeMounts").Index(i).Child("subPathExpr")
			missing := s.missingIn(mount.SubPathExpr, values)
			for _, detail := range missing {
				errs = append(errs, field.Invalid(at, mount.SubPathExpr, detail))
			}
			if detail := wrongSubPath(expand(mount.SubPathExpr, values)); detail != "" && len(missing) == 0 && len(Referenced(mount.SubPathExpr)) > 0 {
				errs = append(errs, field.Invalid(at, mount.SubPathExpr, detail))
			}
		}
	})
	return errs
}

// missingIn says which variables of an expression have no value, and what to write.
func (s scope) missingIn(expression string, values func(name string) string) []string {
	var details []string
	for _, name := range Referenced(expression) {
		cure := "set it in env"
		switch _, isSet := s.set(name); {
		case isSet && values(name) == "":
			details = append(details, fmt.Sprintf("uses $(%s), which is empty, and the container never starts; give it a value", name))
			continue
		case s.visible(name):
			continue
		case slices.Contains(s.runner.Names, name):
			cure = "the runner sets it when the Pod has its volumes already, so use it in command or args"
		case s.meant(name) != "":
			cure = fmt.Sprintf("did you mean $(%s)?", s.meant(name))
		case slices.Contains(s.peers, name):
			cure = "set spec.peerEnv to Enabled"
		case s.mayBeSet(name):
			continue
		}
		details = append(details, fmt.Sprintf("uses $(%s), which no variable sets, and the container never starts; %s", name, cure))
	}
	return details
}

// wrongSubPath says why the kubelet refuses a path in a volume, "" if it takes it.
func wrongSubPath(expanded string) string {
	const never = ", and the container never starts with an absolute path or with \"..\" here"
	switch {
	case path.IsAbs(expanded):
		return fmt.Sprintf("becomes %q%s; leave the first %q out of the value", expanded, never, "/")
	case slices.Contains(strings.Split(expanded, "/"), ".."):
		return fmt.Sprintf("becomes %q%s; name a directory of the volume", expanded, never)
	}
	return ""
}

// values returns the values of the variables of a container, as the kubelet expands them
// one after the other. A variable whose value is not known stays as it is, "$(NAME)".
// See makeEnvironmentVariables in k8s.io/kubernetes/pkg/kubelet.
func (s scope) values(container *corev1.Container, variables Variables) func(name string) string {
	known := map[string]string{}
	of := func(name string) string {
		if value, found := known[name]; found {
			return value
		}
		return "$(" + name + ")"
	}
	for _, variable := range slices.Concat(variables.Before(container), container.Env) {
		if variable.ValueFrom != nil {
			delete(known, variable.Name)
			continue
		}
		known[variable.Name] = expand(variable.Value, of)
	}
	return of
}
