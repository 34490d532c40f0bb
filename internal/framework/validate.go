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
	"github.com/peerjob/peerjob/internal/framework/known"
	"github.com/peerjob/peerjob/internal/peerjob"
)

const (
	// SuccessPolicyMinor is the first minor version of Kubernetes 1 with success
	// policies on by default. A test of package admission holds it to the gate.
	SuccessPolicyMinor = 31
)

var specPath = field.NewPath("spec")

// Validate refuses what a framework can't work with, and what the user set that
// is the framework's.
func Validate(g *peerjob.Group) field.ErrorList {
	if g.PeerJob.Spec.Framework == nil {
		return nil
	}
	if g.HasRoles() {
		return field.ErrorList{field.Forbidden(peerjob.FrameworkPath,
			"can't wire a PeerJob with roles yet; remove it, and build what the framework reads from PEERJOB_LEADER, PEERJOB_<ROLE>_LEADER and PEERJOB_<ROLE>_SIZE (see docs/roles.md)")}
	}
	s, found := setupOf(g)
	if !found {
		if g.PeerJob.Spec.Framework.Type == "" {
			return field.ErrorList{field.Required(peerjob.FrameworkPath.Child("type"), `one of the types that "peerjob frameworks" lists`)}
		}
		err := field.NotSupported(peerjob.FrameworkPath.Child("type"), g.PeerJob.Spec.Framework.Type, Types())
		err.Detail += known.DidYouMean(g.PeerJob.Spec.Framework.Type)
		return field.ErrorList{err}
	}
	var errs field.ErrorList
	if g.PeerJob.Spec.PeerEnv == v1alpha1.Disabled {
		errs = append(errs, field.Invalid(specPath.Child("peerEnv"), g.PeerJob.Spec.PeerEnv,
			fmt.Sprintf("what %s reads is built from the peers' variables; leave it out", s.Type)))
	}
	errs = append(errs, s.validateNumbers()...)
	errs = append(errs, s.validateElastic()...)
	errs = append(errs, s.validateContainers()...)
	errs = append(errs, s.validateLeader()...)
	errs = append(errs, s.validateSSH()...)
	errs = append(errs, s.validateVariables()...)
	errs = append(errs, s.validatePorts()...)
	errs = append(errs, s.validateVolumes()...)
	errs = append(errs, s.validateSize()...)
	return errs
}

func (s setup) validateNumbers() field.ErrorList {
	var errs field.ErrorList
	if port := s.spec.Port; port != nil {
		path := peerjob.FrameworkPath.Child("port")
		for _, msg := range validation.IsValidPortNum(int(*port)) {
			errs = append(errs, field.Invalid(path, *port, msg))
		}
		for _, other := range s.Ports[1:] {
			if *port == other.Number {
				errs = append(errs, field.Invalid(path, *port, fmt.Sprintf("is the port of %s for %s; choose another", s.Type, other.Meaning)))
			}
		}
	}
	if processes := s.spec.ProcessesPerPeer; processes != nil {
		path := peerjob.FrameworkPath.Child("processesPerPeer")
		switch number := processes.IntVal; {
		case processes.Type == intstr.String && !slices.Contains(s.CountsProcesses, processes.StrVal):
			want := fmt.Sprintf("must be a number between 1 and %d", v1alpha1.MaxProcessesPerPeer)
			if len(s.CountsProcesses) > 0 {
				want += ", or " + strings.Join(s.CountsProcesses, ", ")
			}
			errs = append(errs, field.Invalid(path, processes.StrVal, want))
		case processes.Type == intstr.String:
		case number < 1 || number > v1alpha1.MaxProcessesPerPeer:
			errs = append(errs, field.Invalid(path, number, fmt.Sprintf("must be between 1 and %d", v1alpha1.MaxProcessesPerPeer)))
		case number > 1 && s.Processes == "":
			errs = append(errs, field.Invalid(path, number, s.Type+" runs one process in each Pod; leave it out"))
		}
	}
	return errs
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
	if least := elastic.MinPeers; least != nil && (*least < 1 || *least > s.group.Peers()) {
		errs = append(errs, field.Invalid(path.Child("minPeers"), *least, fmt.Sprintf("must be between 1 and spec.peers, %d", s.group.Peers())))
	}
	if restarts := elastic.MaxRestarts; restarts != nil && *restarts < 0 {
		errs = append(errs, field.Invalid(path.Child("maxRestarts"), *restarts, "must be 0 or more"))
	}
	return errs
}

// validateContainers wants to know who runs the framework. With several
// containers the first one may be a sidecar, and a framework that is wired into
// the wrong one fails only when it runs.
func (s setup) validateContainers() field.ErrorList {
	path := peerjob.FrameworkPath.Child("containers")
	var names []string
	for _, container := range s.group.Template().Spec.Containers {
		names = append(names, container.Name)
	}
	if len(s.spec.Containers) == 0 {
		if len(names) > 1 {
			return field.ErrorList{field.Required(path, fmt.Sprintf("the Pod has several containers; name those that run %s, of %q", s.Type, names))}
		}
		return nil
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
	if s.Leader != nil && len(s.spec.Containers) > 1 && len(errs) == 0 {
		errs = append(errs, field.Invalid(path, s.spec.Containers, s.Type+" has one leader and one worker in a Pod; name one container"))
	}
	return errs
}

// validateLeader holds a framework with a leader to a Job that ends with it.
func (s setup) validateLeader() field.ErrorList {
	path := peerjob.FrameworkPath.Child("leader")
	if s.Leader == nil {
		if s.spec.Leader != nil {
			return field.ErrorList{field.Forbidden(path, fmt.Sprintf("all peers of %s run the container's command; leave it out", s.Type))}
		}
		return nil
	}
	var errs field.ErrorList
	if s.spec.Leader == nil || len(s.spec.Leader.Command) == 0 {
		errs = append(errs, field.Required(path.Child("command"), "what index 0 runs, and the Job ends with"))
	}
	s.eachContainer(func(container *corev1.Container, path *field.Path) {
		if len(container.Command) == 0 && len(container.Args) > 0 {
			errs = append(errs, field.Required(path.Child("command"), fmt.Sprintf(
				"with args: the workers are started by a shell, to which the image's entrypoint is not known; or leave args out, and they run the worker of %s", s.Type)))
		}
	})
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

// validateSSH wants a Secret that the user of the container can read.
func (s setup) validateSSH() field.ErrorList {
	path, name := peerjob.FrameworkPath.Child("sshSecretName"), s.spec.SSHSecretName
	if !s.SSH {
		if name != "" {
			return field.ErrorList{field.Forbidden(path, s.Type+" does not use ssh; leave it out")}
		}
		return nil
	}
	if name == "" {
		return field.ErrorList{field.Required(path, fmt.Sprintf(
			"%s starts its processes through ssh: make a key pair with ssh-keygen, and a Secret of it with the keys %s and %s", s.Type, privateKey, publicKey))}
	}
	var errs field.ErrorList
	for _, msg := range validation.IsDNS1123Subdomain(name) {
		errs = append(errs, field.Invalid(path, name, msg))
	}
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
