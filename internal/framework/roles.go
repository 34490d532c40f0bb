// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/spell"
)

// rolesPath is the field of the roles that run the framework.
var rolesPath = peerjob.FrameworkPath.Child("roles")

// setupsOf returns the setups of all roles that run the framework of a PeerJob, in the
// order of their ranks, and one without roles. There are none for a PeerJob without a
// framework, with one that is not known, or that does not say which roles run it.
func setupsOf(g *peerjob.Group) []setup {
	spec := g.PeerJob.Spec.Framework
	if spec == nil {
		return nil
	}
	entry, found := Find(spec.Type)
	if !found {
		return nil
	}
	roles := entry.rolesOf(g)
	setups := make([]setup, len(roles))
	for i, role := range roles {
		setups[i] = setup{entry, role, spec, roles, i}
	}
	return setups
}

// rolesOf returns the groups that run the framework, in the order of their ranks.
func (e *Entry) rolesOf(g *peerjob.Group) []*peerjob.Group {
	if !g.HasRoles() {
		return []*peerjob.Group{g}
	}
	all := g.All()
	if named := g.PeerJob.Spec.Framework.Roles; len(named) > 0 {
		var roles []*peerjob.Group
		for _, own := range named {
			at := slices.IndexFunc(all, func(role *peerjob.Group) bool { return role.RoleName() == own.Name })
			if at >= 0 && !slices.Contains(roles, all[at]) {
				roles = append(roles, all[at])
			}
		}
		return roles
	}
	switch {
	case len(e.Tasks) > 0:
		return slices.DeleteFunc(slices.Clone(all), func(role *peerjob.Group) bool {
			_, known := e.task(role.RoleName())
			return !known
		})
	case len(all) == 1:
		return all
	case e.Leader != nil && len(all) == 2 && (all[0].Peers() == 1) != (all[1].Peers() == 1):
		// Not the first one: a patch of kustomize moves the roles that it names to the front.
		if all[0].Peers() == 1 {
			return all
		}
		return []*peerjob.Group{all[1], all[0]}
	}
	return nil
}

// task returns the task of a name.
func (e *Entry) task(name string) (Task, bool) {
	at := slices.IndexFunc(e.Tasks, func(t Task) bool { return t.Name == name })
	if at < 0 {
		return Task{}, false
	}
	return e.Tasks[at], true
}

// nearTask returns the task that a name of a role was probably meant for: it is like the
// task's, or a part of it is; "" if there is none.
func (e *Entry) nearTask(name string) string {
	var words []string
	task := map[string]string{}
	for _, t := range e.Tasks {
		for _, word := range append([]string{t.Name}, t.Also...) {
			words = append(words, word)
			task[word] = t.Name
		}
	}
	for part := range strings.SplitSeq(name, "-") {
		part = strings.TrimRight(part, "0123456789")
		for _, word := range words {
			if part == word || part == word+"s" {
				return task[word]
			}
		}
	}
	return task[spell.Nearest(name, words)]
}

// hasLeaderRole reports whether the leader has a role of its own: the first of several.
func (s setup) hasLeaderRole() bool { return s.Leader != nil && len(s.roles) > 1 }

// leads reports whether the group is the role of the leader.
func (s setup) leads() bool { return s.hasLeaderRole() && s.at == 0 }

// total is the number of peers of all roles that run the framework.
func (s setup) total() int64 { return sum(s.roles) }

// before is the number of peers of the roles before this one: the rank of its first peer.
func (s setup) before() int64 { return sum(s.roles[:s.at]) }

func sum(roles []*peerjob.Group) int64 {
	total := int64(0)
	for _, role := range roles {
		total += int64(role.Peers())
	}
	return total
}

// ofRole is what the PeerJob says of the role for the framework alone, and its place; nil
// for nothing.
func (s setup) ofRole() (*v1alpha1.FrameworkRole, int) {
	at := slices.IndexFunc(s.spec.Roles, func(own v1alpha1.FrameworkRole) bool {
		return s.group.HasRoles() && own.Name == s.group.RoleName()
	})
	if at < 0 {
		return nil, -1
	}
	return &s.spec.Roles[at], at
}

// processesPerPeer is the number of processes in a Pod of the role and its field: the
// role's own, or that of all. That of all is not for a leader with a role of its own, which
// computes nothing.
func (s setup) processesPerPeer() (*intstr.IntOrString, *field.Path) {
	if own, at := s.ofRole(); own != nil && own.ProcessesPerPeer != nil {
		return own.ProcessesPerPeer, rolesPath.Index(at).Child("processesPerPeer")
	}
	path := peerjob.FrameworkPath.Child("processesPerPeer")
	if s.leads() {
		return nil, path
	}
	return s.spec.ProcessesPerPeer, path
}

// computes reports whether the peers of the role run processes of the framework: all do
// but a leader with a role of its own, unless it is told to.
func (s setup) computes() bool {
	processes, _ := s.processesPerPeer()
	return !s.leads() || processes != nil && processes.IntVal > 0
}

// inRole is the setup of another role that runs the framework.
func (s setup) inRole(i int) setup {
	s.group, s.at = s.roles[i], i
	return s
}

// hostSetups are the setups of the roles that the hostfile lists.
func (s setup) hostSetups() []setup {
	var setups []setup
	for i := range s.roles {
		if other := s.inRole(i); other.computes() {
			setups = append(setups, other)
		}
	}
	return setups
}

// nameOf is the name of the Job of a role, as every role knows it.
func nameOf(role *peerjob.Group) string { return reference(nameVariable(role)) }

func nameVariable(role *peerjob.Group) string {
	if !role.HasRoles() {
		return v1alpha1.EnvName
	}
	name, _, _ := v1alpha1.RoleEnvNames(role.RoleName())
	return name
}

// leader is the name of the first peer of the first role.
func leader(s setup) string {
	if !s.group.HasRoles() {
		return reference(v1alpha1.EnvLeader)
	}
	_, _, leader := v1alpha1.RoleEnvNames(s.roles[0].RoleName())
	return reference(leader)
}

// leaderName is the name of its Job.
func leaderName(s setup) string { return nameOf(s.roles[0]) }

// arithmetic begins a value that a shell must add up.
const arithmetic = "$(("

// rank is the number of a peer among those of all roles that run the framework. The
// kubelet can't add: in a role with others before it a shell does, unless it has one peer.
func rank(s setup) string {
	switch before := strconv.FormatInt(s.before(), 10); {
	case before == "0":
		return index
	case s.group.Peers() == 1:
		return before
	default:
		return arithmetic + v1alpha1.EnvIndex + " + " + before + "))"
	}
}

// isComputed reports whether a shell must add up the value of a variable.
func isComputed(v corev1.EnvVar) bool { return strings.HasPrefix(v.Value, arithmetic) }

// computed are the variables that a shell must add up.
func (s setup) computed() []corev1.EnvVar {
	return slices.DeleteFunc(s.values(), func(v corev1.EnvVar) bool { return !isComputed(v) })
}

// isAwaited reports whether the group is done only when a role is.
func isAwaited(g *peerjob.Group, name string) bool {
	own := g.PeerJob.Spec.SuccessRoles
	return len(own) == 0 || slices.Contains(own, name)
}

// deciding are the roles whose end is probably the end of the group: the leader's, or else
// all whose programs end by themselves.
func deciding(g *peerjob.Group) []string {
	serving := map[string]bool{}
	setups := setupsOf(g)
	for _, s := range setups {
		task, _ := s.task(s.group.RoleName())
		serving[s.group.RoleName()] = s.serves() || task.Serves
	}
	if first := setups[0]; first.leads() && !serving[first.group.RoleName()] {
		return []string{first.group.RoleName()}
	}
	var names []string
	for _, role := range g.All() {
		if task, _ := setups[0].task(role.RoleName()); task.One && !task.Outside {
			return []string{role.RoleName()}
		}
		if !serving[role.RoleName()] {
			names = append(names, role.RoleName())
		}
	}
	return names
}

// rename are the arguments of a sed that puts the names of today into the hostfile. Each
// role has its own lines.
func (s setup) rename() string {
	line := func(variable string) string {
		return `s/^[^.: ]*-\([0-9]*\)\.[^: ]*/$` + variable + `-\1.$` + v1alpha1.EnvService + `/"`
	}
	if len(s.roles) == 1 {
		return `"` + line(v1alpha1.EnvName)
	}
	var scripts []string
	first := int64(1)
	for _, host := range s.hostSetups() {
		last := first + int64(host.group.Peers()) - 1
		scripts = append(scripts, fmt.Sprintf(`-e "%d,%d%s`, first, last, line(nameVariable(host.group))))
		first = last + 1
	}
	return strings.Join(scripts, " ")
}
