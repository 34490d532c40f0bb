// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/rules"
)

// Brings returns what a framework brings to a group. Nil brings nothing.
type Brings func(*Group) Brought

func (b Brings) to(g *Group) Brought {
	if b == nil {
		return Brought{}
	}
	return b(g)
}

// Brought is what a framework brings to the containers of a group, as far as the
// rules read it. The zero value is that of a group without a framework.
type Brought struct {
	// Variables returns the variables before those of the container with a name; nil
	// for none.
	Variables func(container string) []corev1.EnvVar
	// Command reports whether the framework writes the command of the container with a
	// name; nil for none.
	Command func(container string) bool
	// Success is whether the framework lets the Job succeed with its leader.
	Success bool
	// Ports are ports that the framework listens on.
	Ports []corev1.ServicePort
	// Processes is the number of processes in each Pod, 0 where nothing sets one.
	Processes int32
}

// variables are the variables that the user's own stand behind.
func (b Brought) variables(g *Group) rules.Variables {
	return rules.Variables{
		Before: func(container *corev1.Container) []corev1.EnvVar {
			var before []corev1.EnvVar
			switch {
			case g.HasPeerEnv():
				before = g.PeerEnv(true)
				if g.isRunnerContainer(container) {
					before = append(before, g.restartEnv()...)
				}
			case g.isRunnerContainer(container):
				before = g.RunnerEnv()
			}
			if b.Variables != nil {
				before = append(before, b.Variables(container.Name)...)
			}
			return before
		},
		// The Job controller adds it at the end where it is not set.
		After:  []string{v1alpha1.EnvIndex},
		Peers:  g.PeerEnvNames(),
		Runner: g.runnerVariables(),
	}
}

// runnerVariables are those that the runner sets at run time: that of a failure policy, and
// that of a PeerJob with roles.
func (g *Group) runnerVariables() rules.RunnerVariables {
	var set rules.RunnerVariables
	if g.FailurePolicy() != nil || !g.HasRoles() || !g.HasRunner() {
		set.Names = []string{v1alpha1.EnvAttempt}
	}
	if g.HasRoles() {
		set.Names = append(set.Names, v1alpha1.EnvRank, v1alpha1.EnvWorldSize)
	}
	switch {
	case g.FailurePolicy() != nil, g.HasRoles() && g.HasRunner():
		set.In = g.isRunnerContainer
		set.Missing = "which only the container with the runner has"
		if name := g.runnerName(); name != "" {
			set.Missing += fmt.Sprintf(", %q", name)
		}
		set.Missing += ", and it stays in the value as it is; leave it out"
	case g.HasRoles():
		set.Missing = "which only the runner sets, and it stays in the value as it is; set spec.barrier or spec.failurePolicy, or leave it out"
	default:
		set.Missing = "which only the runner of spec.failurePolicy sets, and it stays in the value as it is; set spec.failurePolicy, or leave it out"
	}
	return set
}
