// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/framework/known"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/rules"
)

const (
	// SuccessPolicyMinor is the first minor version of Kubernetes 1 with success
	// policies on by default. A test of package admission holds it to the gate.
	SuccessPolicyMinor = 31
)

var specPath = field.NewPath("spec")

// Validate refuses what a framework can't work with, and what the user set that
// is the framework's. Of a PeerJob with roles it validates all roles.
func Validate(g *peerjob.Group) field.ErrorList {
	spec := g.PeerJob.Spec.Framework
	if spec == nil {
		return nil
	}
	entry, found := Find(spec.Type)
	if !found {
		if spec.Type == "" {
			return field.ErrorList{field.Required(peerjob.FrameworkPath.Child("type"), `one of the types that "peerjob frameworks" lists`)}
		}
		err := field.NotSupported(peerjob.FrameworkPath.Child("type"), spec.Type, Types())
		err.Detail += known.DidYouMean(spec.Type)
		return field.ErrorList{err}
	}
	var errs field.ErrorList
	if g.PeerJob.Spec.PeerEnv == v1alpha1.Disabled {
		errs = append(errs, field.Invalid(specPath.Child("peerEnv"), g.PeerJob.Spec.PeerEnv,
			fmt.Sprintf("what %s reads is built from the peers' variables; leave it out", entry.Type)))
	}
	if wrong := entry.validateRoles(g); len(wrong) > 0 {
		return append(errs, wrong...) // it is not known who runs it
	}
	setups := setupsOf(g)
	errs = append(errs, setups[0].validateShared()...)
	for _, s := range setups {
		errs = append(errs, s.validateRole()...)
	}
	errs = slices.Concat(errs, validateServing(g, setups), validateNames(g, setups[0]), validateSize(setups))
	// What all roles have in common is wrong once.
	said := map[string]bool{}
	return slices.DeleteFunc(errs, func(err *field.Error) bool {
		text := err.Error()
		defer func() { said[text] = true }()
		return said[text]
	})
}

// validateShared refuses what is wrong with the settings of all roles.
func (s setup) validateShared() field.ErrorList {
	return slices.Concat(
		s.validatePort(),
		s.validateElastic(),
		s.validateContainerNames(),
		s.validateSecret(),
		s.validateRunnerPort(Ports(s.group)),
		s.validateServicePorts(Ports(s.group)),
	)
}

// validateRole refuses what is wrong in one role, or in a PeerJob without roles.
func (s setup) validateRole() field.ErrorList {
	return slices.Concat(
		s.validateProcesses(),
		s.validateContainers(),
		s.validateCommands(),
		s.validateRunner(),
		s.validateShell(),
		s.validateSSH(),
		s.validateVariables(),
		s.validateContainerPorts(Ports(s.group)),
		s.validateVolumes(),
	)
}

func (s setup) validatePort() field.ErrorList {
	port, path := s.spec.Port, peerjob.FrameworkPath.Child("port")
	if port == nil {
		return nil
	}
	var errs field.ErrorList
	for _, msg := range validation.IsValidPortNum(int(*port)) {
		errs = append(errs, field.Invalid(path, *port, msg))
	}
	for _, other := range s.Ports[1:] {
		if *port == other.Number {
			errs = append(errs, field.Invalid(path, *port, fmt.Sprintf("is the port of %s for %s; choose another", s.Type, other.Meaning)))
		}
	}
	return errs
}

// validateProcesses holds the number of processes to what the framework takes.
func (s setup) validateProcesses() field.ErrorList {
	processes, path := s.processesPerPeer()
	if processes == nil {
		return s.validateSameProcesses()
	}
	least := int32(1)
	if s.leads() && s.SSH {
		least = 0
	}
	switch number := processes.IntVal; {
	case processes.Type == intstr.String && !slices.Contains(s.CountsProcesses, processes.StrVal):
		want := fmt.Sprintf("must be a number between %d and %d", least, v1alpha1.MaxProcessesPerPeer)
		if len(s.CountsProcesses) > 0 {
			want += ", or " + strings.Join(s.CountsProcesses, ", ")
		}
		return field.ErrorList{field.Invalid(path, processes.StrVal, want)}
	case processes.Type == intstr.String:
	case s.leads() && !s.SSH:
		return field.ErrorList{field.Forbidden(path, fmt.Sprintf("the role %s leads, and runs no worker of %s; leave it out", s.group.RoleName(), s.Type))}
	case s.dropsProcesses() && path.String() != peerjob.FrameworkPath.Child("processesPerPeer").String():
		return field.ErrorList{field.Forbidden(path, fmt.Sprintf("the role %s runs its own command, and no worker of %s; leave it out", s.group.RoleName(), s.Type))}
	case number < least || number > v1alpha1.MaxProcessesPerPeer:
		return field.ErrorList{field.Invalid(path, number, fmt.Sprintf("must be between %d and %d", least, v1alpha1.MaxProcessesPerPeer))}
	case number > 1 && s.Processes == "":
		return field.ErrorList{field.Invalid(path, number, s.Type+" runs one process in each Pod; leave it out")}
	}
	return s.validateSameProcesses()
}

// dropsProcesses reports whether nobody reads the number of processes of the role: the
// framework's worker alone would, and the role has a command of its own.
func (s setup) dropsProcesses() bool {
	if s.Leader == nil || s.Processes == "" || s.Hostfile != nil {
		return false
	}
	drops := false
	s.eachContainer(func(container *corev1.Container, _ *field.Path) {
		drops = drops || len(container.Command) > 0
	})
	return drops
}

// validateSameProcesses refuses a host with another number of processes than the first
// one, or with none written, where the framework takes one number for all.
func (s setup) validateSameProcesses() field.ErrorList {
	if !s.SameProcesses || !s.computes() {
		return nil
	}
	first := s.hostSetups()[0]
	if s.processes() == first.processes() {
		return nil
	}
	detail := fmt.Sprintf("%s, as in the role %s: %s takes one number for all hosts; write it in spec.framework.processesPerPeer",
		first.processes(), first.group.RoleName(), s.Type)
	processes, path := s.processesPerPeer()
	if processes != nil {
		return field.ErrorList{field.Invalid(path, processes.IntVal, "must be "+detail)}
	}
	if own, at := s.ofRole(); own != nil {
		path = rolesPath.Index(at).Child("processesPerPeer")
	}
	return field.ErrorList{field.Required(path, detail)}
}

func (s setup) validateElastic() field.ErrorList {
	path, elastic := peerjob.FrameworkPath.Child("elastic"), s.spec.Elastic
	if elastic == nil {
		return nil
	}
	if !s.Entry.Elastic {
		return field.ErrorList{field.Forbidden(path, s.Type+" has groups of a fixed size; leave it out")}
	}
	var errs field.ErrorList
	if least := elastic.MinPeers; least != nil && (*least < 1 || int64(*least) > s.total()) {
		of := "spec.peers"
		if s.group.HasRoles() {
			of = "the number of peers in the roles that run it"
		}
		errs = append(errs, field.Invalid(path.Child("minPeers"), *least, fmt.Sprintf("must be between 1 and %s, %d", of, s.total())))
	}
	if restarts := elastic.MaxRestarts; restarts != nil && *restarts < 0 {
		errs = append(errs, field.Invalid(path.Child("maxRestarts"), *restarts, "must be 0 or more"))
	}
	return errs
}

// validateContainerNames refuses names of containers that no role has.
func (s setup) validateContainerNames() field.ErrorList {
	path := peerjob.FrameworkPath.Child("containers")
	var names []string
	for _, role := range s.roles {
		for _, container := range role.Template().Spec.Containers {
			if !slices.Contains(names, container.Name) {
				names = append(names, container.Name)
			}
		}
	}
	var errs field.ErrorList
	for i, name := range s.spec.Containers {
		switch {
		case !slices.Contains(names, name):
			errs = append(errs, field.NotSupported(path.Index(i), name, names))
		case slices.Contains(s.spec.Containers[:i], name):
			errs = append(errs, field.Duplicate(path.Index(i), name))
		}
	}
	return errs
}

// validateContainers wants to know who runs the framework. With several
// containers the first one may be a sidecar, and a framework that is wired into
// the wrong one fails only when it runs.
func (s setup) validateContainers() field.ErrorList {
	path := peerjob.FrameworkPath.Child("containers")
	var names, running []string
	for _, container := range s.group.Template().Spec.Containers {
		names = append(names, container.Name)
		if s.runsIn(container.Name) {
			running = append(running, container.Name)
		}
	}
	pod := "the Pod"
	if s.group.HasRoles() {
		pod = "the role " + s.group.RoleName()
	}
	switch {
	case len(names) > 1 && len(running) == 0 && (len(s.spec.Containers) == 0 || s.group.HasRoles()):
		return field.ErrorList{field.Required(path, fmt.Sprintf("%s has several containers; name those that run %s, of %s", pod, s.Type, diag.Listed(names, "and")))}
	case s.Leader != nil && len(running) > 1:
		return field.ErrorList{field.Invalid(path, s.spec.Containers, s.Type+" has one leader and one worker in a Pod; name one container")}
	}
	return nil
}

// validateCommands wants the commands that a shell must know.
func (s setup) validateCommands() field.ErrorList {
	switch {
	case s.Leader == nil:
		return append(s.validateNoLeader(), s.validateComputed()...)
	case s.hasLeaderRole():
		return s.validateLeaderRole()
	}
	return s.validateLeader()
}

// validateShell refuses Pods that run on Windows, where the shell of a script is not.
func (s setup) validateShell() field.ErrorList {
	var errs field.ErrorList
	s.eachContainer(func(container *corev1.Container, _ *field.Path) {
		if script, _ := s.shell(container); script == "" || len(errs) > 0 {
			return
		}
		cure := "let the Pods run on Linux, or leave spec.framework out"
		if s.Leader == nil {
			cure = "let the Pods run on Linux, or make the role the first one of spec.framework.roles"
		}
		errs = peerjob.ValidateLinux(s.group, fmt.Sprintf("a script for /bin/sh starts %s here (spec.framework), and Windows has none; %s", s.Type, cure))
	})
	return errs
}

func (s setup) validateNoLeader() field.ErrorList {
	if s.spec.Leader == nil {
		return nil
	}
	return field.ErrorList{field.Forbidden(peerjob.FrameworkPath.Child("leader"), fmt.Sprintf("all peers of %s run the container's command; leave it out", s.Type))}
}

// validateComputed wants a command for the shell that adds up a rank.
func (s setup) validateComputed() field.ErrorList {
	computed := s.computed()
	if len(computed) == 0 {
		return nil
	}
	var errs field.ErrorList
	s.eachContainer(func(container *corev1.Container, path *field.Path) {
		if len(container.Command) == 0 {
			errs = append(errs, field.Required(path.Child("command"), fmt.Sprintf(
				"a shell adds up %s in this role, and does not know the image's entrypoint; write it here, or make the role the first one of spec.framework.roles", computed[0].Name)))
		}
		for _, text := range rules.Texts(container, path) {
			for _, name := range rules.Referenced(text.Value) {
				if slices.ContainsFunc(computed, func(v corev1.EnvVar) bool { return v.Name == name }) {
					errs = append(errs, field.Invalid(text.Path(), diag.Literal{Text: "$(" + name + ")"}, fmt.Sprintf(
						"stays as it is: a shell adds up %s in this role, and the kubelet does not know it; read the variable in the program, or make the role the first one of spec.framework.roles", name)))
				}
			}
		}
	})
	return errs
}

// validateLeader holds a framework with a leader to a Job that ends with it.
func (s setup) validateLeader() field.ErrorList {
	var errs field.ErrorList
	if s.spec.Leader == nil || len(s.spec.Leader.Command) == 0 {
		detail := "index 0 runs it, and the Job ends when it ends"
		if len(s.group.All()) > 1 {
			detail = fmt.Sprintf("index 0 of the role %s runs it, and its Job ends when it ends; or name the role of the leader and those of the workers in spec.framework.roles", s.group.RoleName())
		}
		s.eachContainer(func(container *corev1.Container, path *field.Path) {
			if len(container.Command) > 0 {
				detail += fmt.Sprintf("; if %s is the command of the leader, move it here", path.Child("command"))
			}
		})
		errs = append(errs, field.Required(peerjob.FrameworkPath.Child("leader", "command"), detail))
	}
	errs = append(errs, s.validateArgs()...)
	if s.group.Job.SuccessPolicy != nil {
		errs = append(errs, field.Forbidden(s.group.Path.Child("successPolicy"), fmt.Sprintf(
			"peerjob sets it for %s (spec.framework): the Job succeeds with index 0, and the workers are stopped; leave it out", s.Type)))
	}
	if s.group.Job.BackoffLimitPerIndex != nil && (s.group.Job.MaxFailedIndexes == nil || *s.group.Job.MaxFailedIndexes != 0) {
		const detail = "with backoffLimitPerIndex: the Job must fail with its leader, or its workers would wait for it forever; set it to 0"
		if path := s.group.Path.Child("maxFailedIndexes"); s.group.Job.MaxFailedIndexes == nil {
			errs = append(errs, field.Required(path, detail))
		} else {
			errs = append(errs, field.Invalid(path, *s.group.Job.MaxFailedIndexes, detail))
		}
	}
	if minor, asked := peerjob.Minor(s.group.PeerJob.Spec.KubernetesVersion); asked && minor < SuccessPolicyMinor {
		errs = append(errs, field.Forbidden(peerjob.FrameworkPath.Child("type"), fmt.Sprintf(
			"%s needs Kubernetes 1.%d, and spec.kubernetesVersion is %q: before, a Job can't succeed with its leader (successPolicy), and would wait for its workers forever",
			s.Type, SuccessPolicyMinor, s.group.PeerJob.Spec.KubernetesVersion)))
	}
	return errs
}

// validateArgs refuses arguments for a program that a shell does not know.
func (s setup) validateArgs() field.ErrorList {
	var errs field.ErrorList
	s.eachContainer(func(container *corev1.Container, path *field.Path) {
		if len(container.Command) == 0 && len(container.Args) > 0 {
			who, what := "the workers are", "the worker"
			if s.leads() {
				who, what = "the leader is", "the server"
			}
			errs = append(errs, field.Required(path.Child("command"), fmt.Sprintf(
				"with args: %s started by a shell, to which the image's entrypoint is not known; or leave args out, and they run %s of %s", who, what, s.Type)))
		}
	})
	return errs
}

// validateSecret wants the name of a Secret with keys.
func (s setup) validateSecret() field.ErrorList {
	path, name := peerjob.FrameworkPath.Child("sshSecretName"), s.spec.SSHSecretName
	switch {
	case !s.SSH && name != "":
		return field.ErrorList{field.Forbidden(path, s.Type+" does not use ssh; leave it out")}
	case !s.SSH:
		return nil
	case name == "":
		return field.ErrorList{field.Required(path, fmt.Sprintf(
			"%s starts its processes through ssh: make a key pair with ssh-keygen, and a Secret of it with the keys %s and %s", s.Type, privateKey, publicKey))}
	}
	var errs field.ErrorList
	for _, msg := range validation.IsDNS1123Subdomain(name) {
		errs = append(errs, field.Invalid(path, name, msg))
	}
	return errs
}

// validateSSH wants a Secret that the user of the container can read.
func (s setup) validateSSH() field.ErrorList {
	name := s.spec.SSHSecretName
	if !s.SSH || name == "" {
		return nil
	}
	var errs field.ErrorList
	pod := s.group.Template().Spec.SecurityContext
	if pod == nil {
		pod = &corev1.PodSecurityContext{}
	}
	s.eachContainer(func(container *corev1.Container, _ *field.Path) {
		user, notRoot := pod.RunAsUser, pod.RunAsNonRoot
		if own := container.SecurityContext; own != nil {
			user, notRoot = or(own.RunAsUser, user), or(own.RunAsNonRoot, notRoot)
		}
		if pod.FSGroup == nil && (user != nil && *user != 0 || notRoot != nil && *notRoot) {
			errs = append(errs, field.Required(s.group.PodPath().Child("securityContext", "fsGroup"), fmt.Sprintf(
				"container %q does not run as root, and could not read the keys of the Secret %q; set it to the user's group", container.Name, name)))
		}
	})
	return errs
}

func or[T any](first, second *T) *T {
	if first != nil {
		return first
	}
	return second
}

// eachContainer visits the containers that run the framework.
func (s setup) eachContainer(visit func(container *corev1.Container, path *field.Path)) {
	containers := s.group.Template().Spec.Containers
	for i := range containers {
		if s.runsIn(containers[i].Name) {
			visit(&containers[i], s.group.PodPath().Child("containers").Index(i))
		}
	}
}
