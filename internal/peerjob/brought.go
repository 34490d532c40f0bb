// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"fmt"
	"slices"

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
	// Exported returns the variables that the framework's shell sets for the command of the
	// container with a name, with what it computes; nil for none.
	Exported func(container string) []corev1.EnvVar
	// Command reports whether the framework writes the command of the container with a
	// name; nil for none.
	Command func(container string) bool
	// Success is whether the framework lets the Job succeed with its leader.
	Success bool
	// Together is whether the framework needs the peers of the group beside those of the other
	// roles that it runs in.
	Together bool
	// Ports are ports that the framework listens on.
	Ports []corev1.ServicePort
	// Processes is the number of processes in each Pod, 0 where nothing sets one.
	Processes int32
	// Peers returns the numbers of peers that the program in the container with a name may
	// count: one of them, or several together. It returns nil for a container that the
	// framework is not in; nil for a group without roles.
	Peers func(container string) []int32
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
		Exported: func(container *corev1.Container) []corev1.EnvVar {
			if b.Exported == nil {
				return nil
			}
			return b.Exported(container.Name)
		},
		// The Job controller adds it at the end where it is not set.
		After:  []string{v1alpha1.EnvIndex},
		Peers:  g.PeerEnvNames(),
		Runner: g.runnerVariables(),
	}
}

// runnerVariables are those that the runner sets at run time: that of a failure policy, and
// those of a PeerJob with roles.
func (g *Group) runnerVariables() rules.RunnerVariables {
	return rules.RunnerVariables{
		Names: []string{v1alpha1.EnvAttempt, v1alpha1.EnvRank, v1alpha1.EnvWorldSize},
		In: func(container *corev1.Container, name string) bool {
			return g.isRunnerContainer(container) && slices.Contains(g.CommandEnvNames(), name)
		},
		Missing: func(name string, ref func(string) string) string {
			unset := ", and it is empty; "
			if ref(name) == "$("+name+")" {
				unset = ", and it stays in the value as it is; "
			}
			switch {
			case slices.Contains(g.CommandEnvNames(), name):
				who := ""
				if runner := g.runnerName(); runner != "" {
					who = fmt.Sprintf(", %q", runner)
				}
				return "which only the container with the runner has" + who + unset + "leave it out"
			case name == v1alpha1.EnvAttempt:
				return "which only the runner of spec.failurePolicy sets" + unset + "set spec.failurePolicy, or leave it out"
			case g.HasRoles():
				return "which only the runner sets" + unset + "set spec.barrier or spec.failurePolicy, or leave it out"
			case name == v1alpha1.EnvRank:
				return "which only the runner of a PeerJob with roles sets" + unset + "write " + ref(v1alpha1.EnvIndex) + ", the number of the peer from 0 on"
			}
			return "which only the runner of a PeerJob with roles sets" + unset + "write " + ref(v1alpha1.EnvSize) + ", the number of peers"
		},
	}
}
