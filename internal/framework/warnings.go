// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/rules"
)

// Brings returns what the framework of a group brings.
func Brings(g *peerjob.Group) peerjob.Brought {
	s, ok := setupOf(g)
	if !ok {
		return peerjob.Brought{Command: func(string) bool { return isUnclear(g) }}
	}
	return peerjob.Brought{
		Variables: func(container string) []corev1.EnvVar { return Variables(g, container) },
		Exported:  s.exported,
		Command:   s.writesCommand,
		Success:   s.Leader != nil && !s.hasLeaderRole(),
		Together:  !s.isOutside(),
		Ports:     Ports(g),
		Processes: s.processesSet(),
		Peers:     s.peersCounted,
	}
}

// peersCounted are the numbers of peers that the program in the container with a name may
// count: all together where all do the same, and those of any roles where one leads or each
// has its task. There are none without roles, and for a container that does not run the
// framework.
func (s setup) peersCounted(container string) []int32 {
	if !s.group.HasRoles() || !s.runsIn(container) {
		return nil
	}
	if s.Leader == nil && len(s.Tasks) == 0 {
		return []int32{int32(min(s.total(), v1alpha1.MaxPeers))}
	}
	counts := make([]int32, len(s.roles))
	for i, role := range s.roles {
		counts[i] = role.Peers()
	}
	return counts
}

// exported are the variables that a shell sets for the command of the container with a name.
func (s setup) exported(name string) []corev1.EnvVar {
	if !s.runsIn(name) {
		return nil
	}
	return s.computed()
}

// isOutside reports whether the role is none of those that the others wait for.
func (s setup) isOutside() bool {
	task, _ := s.task(s.group.RoleName())
	return task.Outside
}

// isUnclear reports whether a framework writes commands, and the PeerJob does not say in
// which roles: that is an error of its own.
func isUnclear(g *peerjob.Group) bool {
	spec := g.PeerJob.Spec.Framework
	if spec == nil || len(setupsOf(g)) > 0 {
		return false
	}
	entry, found := Find(spec.Type)
	return found && entry.Leader != nil
}

// writesCommand reports whether the framework writes the command of the container with a
// name, instead of the user.
func (s setup) writesCommand(name string) bool {
	if s.Leader == nil || !s.runsIn(name) {
		return false
	}
	return !s.hasLeaderRole() || s.serves()
}

// serves reports whether the role runs a program of the framework that ends when it is
// told to: its container has no command. The role of a leader that has none to run is an
// error.
func (s setup) serves() bool {
	serves := false
	if s.hasLeaderRole() {
		s.eachContainer(func(container *corev1.Container, _ *field.Path) {
			serves = serves || len(container.Command) == 0
		})
	}
	return serves
}

// processesSet is the number that processesPerPeer sets, 0 where it sets none and
// rules.ProcessesOfTheirOwn for a word.
func (s setup) processesSet() int32 {
	processes, _ := s.processesPerPeer()
	switch {
	case processes == nil:
		return 0
	case processes.Type == intstr.String:
		return rules.ProcessesOfTheirOwn
	}
	return processes.IntVal
}

// Warn returns what is probably not meant, in a group that [Validate] lets through.
func Warn(g *peerjob.Group) []diag.Warning {
	var w []diag.Warning
	for _, role := range g.All() {
		s, ok := setupOf(role)
		runsTorchrun := func(name string) bool { return ok && s.Type == "Torchrun" && s.runsIn(name) }
		processes, path := int32(0), peerjob.FrameworkPath.Child("processesPerPeer")
		if ok {
			processes = s.processesSet()
			_, path = s.processesPerPeer()
		}
		w = append(w, rules.GPUProcesses(role.Template(), runsTorchrun, processes, path, role.TemplatePath())...)
		if ok {
			w = slices.Concat(w, s.warnElasticHostNetwork(), s.warnCalls())
		}
	}
	return slices.Concat(w, warnNoTask(g), warnProcesses(g), warnSuccess(g), warnServing(g))
}

// warnNoTask finds roles whose names are no task of the framework: they get nothing of it,
// and it is not said that this is meant.
func warnNoTask(g *peerjob.Group) []diag.Warning {
	setups := setupsOf(g)
	if len(setups) == 0 || !g.HasRoles() || len(setups[0].Tasks) == 0 || len(setups[0].spec.Roles) > 0 {
		return nil
	}
	entry, roles := setups[0].Entry, namesOf(setups[0].roles)
	var w []diag.Warning
	for _, role := range g.All() {
		if slices.Contains(roles, role.RoleName()) {
			continue
		}
		cure := fmt.Sprintf("if that is meant, say so with spec.framework.roles: [%s]", listOf(roles))
		if task := entry.nearTask(role.RoleName()); task != "" && !slices.Contains(roles, task) {
			cure = fmt.Sprintf("did you mean %q? Otherwise, say that it is meant with spec.framework.roles: [%s]", task, listOf(roles))
		}
		w = append(w, diag.Warn(role.Path.Child("name"), "%q is no task of %s (spec.framework), and the role gets nothing of it; %s", role.RoleName(), entry.Type, cure))
	}
	return w
}

// warnProcesses finds a number of processes for all roles, or for the Pods of a PeerJob
// without roles, that nobody reads.
func warnProcesses(g *peerjob.Group) []diag.Warning {
	setups := setupsOf(g)
	if len(setups) == 0 || setups[0].spec.ProcessesPerPeer == nil || setups[0].Processes == "" {
		return nil
	}
	path := peerjob.FrameworkPath.Child("processesPerPeer")
	var without []string
	for _, s := range setups {
		switch processes, _ := s.processesPerPeer(); {
		case s.leads() || processes != s.spec.ProcessesPerPeer:
		case s.dropsProcesses():
			without = append(without, s.group.RoleName())
		default:
			return nil
		}
	}
	switch typ := setups[0].Type; {
	case len(without) == 0:
		return nil // a layer may have given each role a number of its own
	case setups[0].hasLeaderRole():
		return []diag.Warning{diag.Warn(path,
			"has no effect: the roles behind the leader, %s, have their own commands, and run no worker of %s; remove processesPerPeer, or these commands", strings.Join(without, " and "), typ)}
	default:
		return []diag.Warning{diag.Warn(path,
			"has no effect: the workers have their own command, and run no worker of %s; remove processesPerPeer, or that command", typ)}
	}
}

// warnSuccess finds a group that is done with roles outside of the framework, while those that
// run it are at work: the runner stops them.
func warnSuccess(g *peerjob.Group) []diag.Warning {
	success := g.PeerJob.Spec.SuccessRoles
	setups := setupsOf(g)
	if len(setups) == 0 || len(success) == 0 || !g.HasRoles() {
		return nil
	}
	ends := computing(setups)
	for _, role := range g.All() {
		if !slices.Contains(success, role.RoleName()) {
			continue
		}
		if slices.Contains(namesOf(setups[0].roles), role.RoleName()) || slices.ContainsFunc(role.CompleteBefore(), func(name string) bool { return slices.Contains(ends, name) }) {
			return nil
		}
	}
	if len(ends) == 0 {
		return nil // servers, and a client that ends
	}
	return []diag.Warning{diag.Warn(peerjob.SuccessRolesPath,
		"%s does not run %s (spec.framework), and when it ends, the roles that do are stopped, whatever they have done; add %s", strings.Join(success, ", "), setups[0].Type, strings.Join(ends, ", "))}
}

// computing are the roles of a framework that end when they have computed: that of a leader
// with a command, or of a framework without one all that do not serve.
func computing(setups []setup) []string {
	if first := setups[0]; first.leads() {
		if first.serves() {
			return nil
		}
		return []string{first.group.RoleName()}
	}
	var names []string
	for _, s := range setups {
		if task, _ := s.task(s.group.RoleName()); !task.Serves && !task.Outside {
			names = append(names, s.group.RoleName())
		}
	}
	return names
}

// warnServing finds roles that serve until they are told to end, and a PeerJob in which
// nobody may tell them.
func warnServing(g *peerjob.Group) []diag.Warning {
	var w []diag.Warning
	spec := &g.PeerJob.Spec
	var tasks, forever []string
	for _, s := range setupsOf(g) {
		task, _ := s.task(s.group.RoleName())
		if s.group.HasRoles() && task.Serves && isAwaited(g, task.Name) {
			tasks = append(tasks, task.Name)
		}
		if (s.serves() || s.group.HasRoles() && task.Serves) && s.group.Job.ActiveDeadlineSeconds == nil {
			forever = append(forever, s.group.RoleName())
		}
	}
	if setups := setupsOf(g); len(setups) > 0 && setups[0].leads() && len(spec.SuccessRoles) == 0 {
		// Programs of the framework's own are an error. Who writes a command knows whether it ends.
		var workers []string
		for _, s := range setups[1:] {
			workers = append(workers, s.group.RoleName())
		}
		w = append(w, diag.Warn(peerjob.SuccessRolesPath,
			"the group is done when all roles are, and workers of %s mostly serve until they are stopped; if the commands of %s do, write the roles whose end is the end of the group, such as [%s]",
			setups[0].Type, strings.Join(workers, " and "), strings.Join(deciding(g), ", ")))
	}
	if len(tasks) > 0 {
		w = append(w, diag.Warn(peerjob.SuccessRolesPath,
			"the programs of %s often serve until they are stopped, and the group then never ends; write the roles whose end is the end of the group, such as [%s]", strings.Join(tasks, ", "), strings.Join(deciding(g), ", ")))
	}
	if len(forever) > 0 && spec.FailurePolicy == nil {
		w = append(w, diag.Warn(peerjob.FailurePolicyPath,
			"the role %s serves until it is told to end, and nobody tells it if another role fails; write {action: FailPeerJob}, or set activeDeadlineSeconds", strings.Join(forever, ", ")))
	}
	return w
}

// warnElasticHostNetwork finds an elastic group on the host network. There the host
// name is the node's, by which torchrun does not know itself as a peer: index 0 does not
// open the rendezvous, and the others get a name that may not resolve.
// See _matches_machine_hostname in torch/distributed/elastic/rendezvous/utils.py.
func (s setup) warnElasticHostNetwork() []diag.Warning {
	if s.spec.Elastic == nil || !s.group.Template().Spec.HostNetwork {
		return nil
	}
	var w []diag.Warning
	s.group.EachContainer(func(container *corev1.Container, path *field.Path) {
		said := slices.ContainsFunc(rules.Texts(container, path), func(text rules.Text) bool {
			return text.Variable == "PET_LOCAL_ADDR" || strings.Contains(text.Value, "--local-addr") || strings.Contains(text.Value, "--local_addr")
		})
		if !s.runsIn(container.Name) || said || hasVariable(container, "PET_LOCAL_ADDR") {
			return
		}
		w = append(w, diag.Warn(peerjob.FrameworkPath.Child("elastic"),
			"on the host network torchrun does not know itself by its peer name; set PET_LOCAL_ADDR to $(PEERJOB_SELF) in the container %s, and pass --rdzv-conf=is_host=1 on index 0 alone, or leave elastic out", container.Name))
	})
	return w
}
