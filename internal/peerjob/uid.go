// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// UsesUID reports whether a container uses the variable with the unique ID of the Job,
// and does not set it itself.
func UsesUID(container *corev1.Container) bool {
	const use = "$(" + v1alpha1.EnvUID + ")"
	isSet := func(variable corev1.EnvVar) bool { return variable.Name == v1alpha1.EnvUID }
	uses := func(text string) bool { return strings.Contains(text, use) }
	return !slices.ContainsFunc(container.Env, isSet) &&
		(slices.ContainsFunc(container.Command, uses) || slices.ContainsFunc(container.Args, uses) ||
			slices.ContainsFunc(container.Env, func(variable corev1.EnvVar) bool { return uses(variable.Value) }))
}
