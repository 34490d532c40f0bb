// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/rules"
)

// HasPeerEnv reports whether the containers get the variables of the peers.
func (g *Group) HasPeerEnv() bool { return g.PeerJob.Spec.PeerEnv != v1alpha1.Disabled }

// PeerEnv returns the variables that tell a peer who it is and where the others are.
// The names come from the downward API, so that a tool that renames the Job or the
// Service afterwards does not make them stale. A PeerJob with roles has more of them, about
// each role. PEERJOB_UID is among them on demand
// ([UsesUID]).
func (g *Group) PeerEnv(uid bool) []corev1.EnvVar {
	ref := func(name string) string { return "$(" + name + ")" }
	env := []corev1.EnvVar{
		fromField(v1alpha1.EnvIndex, "metadata.annotations['"+v1alpha1.IndexAnnotation+"']"),
		fromField(v1alpha1.EnvName, "metadata.labels['"+v1alpha1.NameLabel+"']"),
		fromField(v1alpha1.EnvNamespace, "metadata.namespace"),
		fromField(v1alpha1.EnvService, "metadata.annotations['"+v1alpha1.ServiceAnnotation+"']"),
		{Name: v1alpha1.EnvSize, Value: strconv.Itoa(int(g.Peers()))},
	}
	first := v1alpha1.EnvName
	if g.HasRoles() {
		env = append(env, g.rolesEnv()...)
		first, _, _ = v1alpha1.RoleEnvNames(g.All()[0].Role.Name)
	}
	env = append(env,
		corev1.EnvVar{Name: v1alpha1.EnvLeader, Value: ref(first) + "-0." + ref(v1alpha1.EnvService)},
		corev1.EnvVar{Name: v1alpha1.EnvSelf, Value: ref(v1alpha1.EnvName) + "-" + ref(v1alpha1.EnvIndex) + "." + ref(v1alpha1.EnvService)},
	)
	if uid {
		env = append(env, fromField(v1alpha1.EnvUID, "metadata.labels['"+v1alpha1.UIDLabel+"']"))
	}
	return env
}

func fromField(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}}
}

// podFields returns what the downward API reads from the fields of the last peer's Pod.
func (g *Group) podFields() func(path string) (string, bool) {
	template := &corev1.PodTemplateSpec{Spec: g.Template().Spec}
	template.Labels = g.Template().Labels
	template.Annotations = map[string]string{v1alpha1.ServiceAnnotation: g.ServiceName()}
	maps.Copy(template.Annotations, g.Template().Annotations)
	maps.Copy(template.Annotations, g.JobAnnotations())
	return rules.PodFields(template, g.JobName, g.PeerJob.Namespace, strconv.Itoa(int(g.LastIndex())))
}

// RunnerEnv returns the variables that the runner reads.
func (g *Group) RunnerEnv() []corev1.EnvVar {
	read := append(v1alpha1.RunnerEnvNames(), g.rolesRunnerEnvNames()...)
	env := slices.DeleteFunc(g.PeerEnv(true), func(variable corev1.EnvVar) bool { return !slices.Contains(read, variable.Name) })
	return append(env, g.restartEnv()...)
}

// runnerEnvNames are the names of those variables.
func (g *Group) runnerEnvNames() []string {
	var names []string
	for _, variable := range g.RunnerEnv() {
		names = append(names, variable.Name)
	}
	return names
}

// UsesUID reports whether a container speaks of PEERJOB_UID and does not set it.
func UsesUID(container *corev1.Container) bool {
	if slices.ContainsFunc(container.Env, func(v corev1.EnvVar) bool { return v.Name == v1alpha1.EnvUID }) {
		return false
	}
	speaks := func(text string) bool { return strings.Contains(text, v1alpha1.EnvUID) }
	return slices.ContainsFunc(rules.Texts(container, nil), func(text rules.Text) bool { return speaks(text.Value) }) ||
		slices.ContainsFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool { return speaks(m.SubPathExpr) }) ||
		slices.ContainsFunc(rules.Commands(container, nil), func(c rules.Command) bool { return slices.ContainsFunc(c.Words, speaks) })
}

// ContainerEnv returns the variables that peerjob puts before those of a container of
// the user's; expanded is what became of it so far.
func (g *Group) ContainerEnv(own, expanded *corev1.Container) []corev1.EnvVar {
	runner := g.isRunnerContainer(own)
	switch {
	case g.HasPeerEnv():
		asked := slices.ContainsFunc(own.Env, func(v corev1.EnvVar) bool { return v.Name == v1alpha1.EnvUID && g.IsPeerVariable(own, v) })
		env := g.PeerEnv(runner || asked || UsesUID(expanded))
		if runner {
			env = append(env, g.restartEnv()...)
		}
		return env
	case runner:
		return g.RunnerEnv()
	}
	return nil
}

// ReservedEnvNames are the variables of a container of the user's that peerjob sets.
func (g *Group) ReservedEnvNames(container *corev1.Container) []string {
	var names []string
	if g.HasPeerEnv() {
		names = slices.DeleteFunc(g.PeerEnvNames(), func(name string) bool { return name == v1alpha1.EnvUID })
	}
	if g.isRunnerContainer(container) {
		names = slices.Concat(names, g.runnerEnvNames(), g.CommandEnvNames())
	}
	return names
}

// CommandEnvNames are the variables that the runner gives the command when it starts it: no
// Pod has them in its environment. There are none without a runner.
func (g *Group) CommandEnvNames() []string {
	var names []string
	if g.HasRoles() && g.HasRunner() {
		names = append(names, v1alpha1.EnvRank, v1alpha1.EnvWorldSize)
	}
	if g.FailurePolicy() != nil {
		names = append(names, v1alpha1.EnvAttempt)
	}
	return names
}

// IsPeerVariable reports whether a variable of a container of the user's says what
// peerjob's variable with its name says: then it is taken for that one.
func (g *Group) IsPeerVariable(container *corev1.Container, variable corev1.EnvVar) bool {
	if !slices.Contains(g.peerEnvNames(), variable.Name) && !slices.Contains(v1alpha1.RestartEnvNames(), variable.Name) {
		return false
	}
	if !g.HasPeerEnv() && !slices.Contains(g.ReservedEnvNames(container), variable.Name) {
		return false
	}
	plain := variable
	if plain.ValueFrom != nil && plain.ValueFrom.FieldRef != nil {
		plain.ValueFrom = plain.ValueFrom.DeepCopy()
		plain.ValueFrom.FieldRef.APIVersion = "" // defaulted to v1
		if variable.Name == v1alpha1.EnvIndex && IsIndex(variable.ValueFrom) {
			return true
		}
		if variable.Name == v1alpha1.EnvName && plain.ValueFrom.FieldRef.FieldPath == "metadata.labels['"+batchv1.JobNameLabel+"']" {
			return true // the same name, from 1.27 on
		}
	}
	all := g.PeerEnv(true)
	if g.isRunnerContainer(container) {
		all = append(all, g.restartEnv()...)
	}
	return slices.ContainsFunc(all, func(own corev1.EnvVar) bool { return reflect.DeepEqual(own, plain) })
}

// IsIndex reports whether the value of a variable is the completion index, from the
// annotation or, from 1.28 on, from the label of the Pod.
func IsIndex(source *corev1.EnvVarSource) bool {
	if source == nil || source.FieldRef == nil {
		return false
	}
	path := source.FieldRef.FieldPath
	return path == "metadata.annotations['"+v1alpha1.IndexAnnotation+"']" || path == "metadata.labels['"+v1alpha1.IndexAnnotation+"']"
}

// OwnVariables returns the indexes of the variables of a container of the user's that
// are not taken for variables of the peers.
func (g *Group) OwnVariables(container *corev1.Container) []int {
	own := make([]int, 0, len(container.Env))
	for i, variable := range container.Env {
		if !g.IsPeerVariable(container, variable) {
			own = append(own, i)
		}
	}
	return own
}

// DropOwn removes from a copy of the Pod template what the user wrote as peerjob or the
// Job controller writes it: it comes again, in its place.
func (g *Group) DropOwn(template *corev1.PodTemplateSpec) {
	drop := func(copies, own []corev1.Container) {
		for i := range copies {
			copies[i].Env = slices.DeleteFunc(copies[i].Env, func(v corev1.EnvVar) bool { return g.IsPeerVariable(&own[i], v) })
		}
	}
	drop(template.Spec.InitContainers, g.Template().Spec.InitContainers)
	drop(template.Spec.Containers, g.Template().Spec.Containers)
	for key, value := range template.Labels {
		if rules.IsJobNameLabel(key) && value == g.JobName {
			delete(template.Labels, key)
		}
	}
}
