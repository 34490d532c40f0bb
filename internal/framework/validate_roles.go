// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// validateRoles wants to know which roles run the framework, and refuses those that can't
// run it together.
func (e *Entry) validateRoles(g *peerjob.Group) field.ErrorList {
	own := g.PeerJob.Spec.Framework.Roles
	if !g.HasRoles() {
		if own != nil {
			return field.ErrorList{field.Forbidden(rolesPath, "needs spec.roles; remove it")}
		}
		return nil
	}
	var names []string
	for _, role := range g.All() {
		names = append(names, role.RoleName())
	}
	var errs field.ErrorList
	for i, role := range own {
		path := rolesPath.Index(i).Child("name")
		switch _, isTask := e.task(role.Name); {
		case role.Name == "":
			errs = append(errs, field.Required(path, "the name of a role that runs "+e.Type))
		case !slices.Contains(names, role.Name):
			errs = append(errs, diag.NotSupported(path, role.Name, names))
		case slices.ContainsFunc(own[:i], func(other v1alpha1.FrameworkRole) bool { return other.Name == role.Name }):
			errs = append(errs, field.Duplicate(path, role.Name))
		case len(e.Tasks) > 0 && !isTask:
			errs = append(errs, field.Invalid(path, role.Name, fmt.Sprintf("is no task of %s; name the role %s", e.Type, e.taskNames())))
		}
	}
	roles := e.rolesOf(g)
	switch {
	case len(errs) > 0:
		return errs
	case len(roles) == 0:
		return field.ErrorList{field.Required(rolesPath, e.whichRoles(g))}
	case len(roles) > 1 && e.OneRole != "":
		return field.ErrorList{field.Invalid(rolesPath, diag.Literal{Text: strings.Join(namesOf(roles), ", ")}, fmt.Sprintf("must be one role for %s, such as [%s]: %s", e.Type, listOf([]string{largest(roles).RoleName()}), e.OneRole))}
	}
	if behind := e.forgotten(g, roles); len(behind) > 0 {
		return field.ErrorList{field.Required(rolesPath, fmt.Sprintf(
			"%s has one peer, and no other role runs %s; list the roles of the others behind it, such as [%s]%s",
			roles[0].RoleName(), e.Type, listOf(append(namesOf(roles), behind...)), orAlone(g)))}
	}
	return slices.Concat(e.validateTasks(roles), e.validateTogether(roles), e.validateOwnLeader(roles), e.validateOneLeader(roles))
}

// forgotten are the roles that could run the framework beside a leader that is named alone.
func (e *Entry) forgotten(g *peerjob.Group, roles []*peerjob.Group) []string {
	spec := g.PeerJob.Spec.Framework
	if e.Leader == nil || len(roles) > 1 || roles[0].Peers() != 1 || len(g.All()) < 2 || spec.Leader != nil {
		return nil
	}
	lead := roles[0].RoleName()
	done := roles[0].CompleteBefore()
	var behind []string
	for _, role := range g.All() {
		if name := role.RoleName(); name != lead && role.Peers() > 0 && !slices.Contains(done, name) && !slices.Contains(role.CompleteBefore(), lead) {
			behind = append(behind, name)
		}
	}
	return behind
}

// whichRoles says what to write where it is not clear which roles run the framework.
func (e *Entry) whichRoles(g *peerjob.Group) string {
	var names []string
	for _, role := range g.All() {
		if name := role.RoleName(); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	suchAs := ""
	if suggested := e.suggest(g); len(suggested) > 0 {
		suchAs = ", such as [" + listOf(suggested) + "]"
	}
	switch {
	case len(e.Tasks) > 0:
		return fmt.Sprintf("%s knows roles by their names, and %s is none of its tasks; name the roles that run it %s", e.Type, diag.Listed(names, "or"), e.taskNames())
	case e.OneRole != "":
		return fmt.Sprintf("name the one role that runs %s, of %s%s: %s", e.Type, diag.Listed(names, "and"), suchAs, e.OneRole)
	case e.Leader != nil && g.PeerJob.Spec.Framework.Leader == nil && !slices.ContainsFunc(g.All(), func(role *peerjob.Group) bool { return role.Peers() == 1 }):
		return e.nobodyLeads(g)
	case e.Leader != nil:
		return fmt.Sprintf("name the roles that run %s, of %s%s: first the role of its leader, with one peer%s", e.Type, diag.Listed(names, "and"), suchAs, orAlone(g))
	}
	return fmt.Sprintf("name the roles that run %s, of %s, in the order of their ranks%s", e.Type, diag.Listed(names, "and"), suchAs)
}

// nobodyLeads says what to write where each role has too many peers to lead. The only role
// with a command of its own is probably that of the leader.
func (e *Entry) nobodyLeads(g *peerjob.Group) string {
	var commanded []*peerjob.Group
	for _, role := range g.All() {
		if role.Peers() > 0 && e.hasCommand(g, role) {
			commanded = append(commanded, role)
		}
	}
	set := "the peers of one role"
	if len(commanded) == 1 {
		set = commanded[0].Path.Child("peers").String()
	}
	alone := ""
	if !g.HasRunner() {
		alone = ", or name one role here, whose index 0 runs spec.framework.leader"
	}
	return fmt.Sprintf("no role has one peer, so none can lead %s; set %s to 1%s", e.Type, set, alone)
}

// orAlone is what to write besides, for a leader that has no role of its own. Beside other
// roles it can't have the runner.
func orAlone(g *peerjob.Group) string {
	if g.HasRunner() {
		return ""
	}
	return ", or one role alone, whose index 0 runs spec.framework.leader"
}

// suggest returns names for spec.framework.roles that the framework would take, as far as
// peerjob can guess; none where there are none. A role that another waits for with
// Complete is done when the others begin, and a role without peers runs nothing.
func (e *Entry) suggest(g *peerjob.Group) []string {
	before := map[string]bool{}
	for _, role := range g.All() {
		for _, name := range role.CompleteBefore() {
			before[name] = true
		}
	}
	var roles []*peerjob.Group
	seen := map[string]bool{}
	for _, role := range g.All() {
		name := role.RoleName()
		if name != "" && !seen[name] && !before[name] && role.Peers() > 0 {
			roles = append(roles, role)
		}
		seen[name] = true
	}
	switch {
	case len(roles) == 0:
		return nil
	case e.OneRole != "":
		return []string{largest(roles).RoleName()}
	case e.Leader == nil:
		// A shell adds up the rank behind the first role, and must know the command.
		slices.SortStableFunc(roles, func(a, b *peerjob.Group) int { return order(e.mustBeFirst(g, a), e.mustBeFirst(g, b)) })
		return namesOf(roles)
	case g.PeerJob.Spec.Framework.Leader != nil:
		if g.HasRunner() {
			return nil // neither one role nor several would do
		}
		return []string{largest(roles).RoleName()}
	}
	lead := -1
	for i, role := range roles {
		if role.Peers() != 1 || e.Leader.Server == "" && !e.hasCommand(g, role) {
			continue
		}
		if lead < 0 || e.hasCommand(g, role) && !e.hasCommand(g, roles[lead]) {
			lead = i
		}
	}
	if lead < 0 || len(roles) < 2 {
		return nil
	}
	return namesOf(slices.Insert(slices.Delete(slices.Clone(roles), lead, lead+1), 0, roles[lead]))
}

// order is that of two roles of which one must be the first.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// largest is the role with the most peers, the first of several.
func largest(roles []*peerjob.Group) *peerjob.Group {
	return slices.MaxFunc(roles, func(a, b *peerjob.Group) int { return int(a.Peers()) - int(b.Peers()) })
}

// mustBeFirst reports whether the role can't stand behind others: a shell must add up its
// ranks, and knows no command.
func (e *Entry) mustBeFirst(g, role *peerjob.Group) bool {
	return role.Peers() > 1 && !e.hasCommand(g, role)
}

// hasCommand reports whether the containers of a role that would run the framework have a
// command.
func (e *Entry) hasCommand(g, role *peerjob.Group) bool {
	s := setup{e, role, g.PeerJob.Spec.Framework, []*peerjob.Group{role}, 0}
	has := true
	s.eachContainer(func(container *corev1.Container, _ *field.Path) { has = has && len(container.Command) > 0 })
	return has
}

// taskNames are the names of the tasks, as text.
func (e *Entry) taskNames() string {
	names := make([]string, len(e.Tasks))
	for i, task := range e.Tasks {
		names[i] = task.Name
	}
	return diag.Listed(names, "or")
}

func namesOf(roles []*peerjob.Group) []string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = role.RoleName()
	}
	return names
}

// listOf are names as the elements of spec.framework.roles.
func listOf(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = "{name: " + name + "}"
	}
	return strings.Join(list, ", ")
}

// validateTasks refuses more peers of a task than the framework takes, and a cluster of
// nobody who computes.
func (e *Entry) validateTasks(roles []*peerjob.Group) field.ErrorList {
	if len(e.Tasks) == 0 {
		return nil
	}
	var errs field.ErrorList
	computes := false
	for _, role := range roles {
		task, _ := e.task(role.RoleName())
		if task.One && role.Peers() > 1 {
			errs = append(errs, field.Invalid(role.Path.Child("peers"), role.Peers(), fmt.Sprintf("must be 1: %s takes one %s (spec.framework)", e.Type, task.Name)))
		}
		computes = computes || !task.Serves && !task.Outside
	}
	if !computes {
		errs = append(errs, field.Required(peerjob.RolesPath, fmt.Sprintf("a role that computes: %s takes no cluster of %s alone; add a role chief or worker, or leave spec.framework out", e.Type, strings.Join(namesOf(roles), " and "))))
	}
	return errs
}

// validateTogether refuses roles that wait for each other's end: they run the framework
// at the same time.
func (e *Entry) validateTogether(roles []*peerjob.Group) field.ErrorList {
	var errs field.ErrorList
	for _, role := range roles {
		if task, _ := e.task(role.RoleName()); task.Outside {
			continue
		}
		before := role.CompleteBefore()
		for _, other := range roles {
			if task, _ := e.task(other.RoleName()); other == role || task.Outside || !slices.Contains(before, other.RoleName()) {
				continue
			}
			errs = append(errs, field.Invalid(role.Path.Child("dependsOn"), diag.Literal{Text: role.Dependencies()}, fmt.Sprintf(
				"the role waits until %s is Complete, and both run %s at the same time (spec.framework), so each would wait for the other; wait for the status Started, or leave one of them out of spec.framework.roles", other.RoleName(), e.Type)))
		}
	}
	return errs
}

// validateOwnLeader holds the role of a leader to one peer with a command of its own.
func (e *Entry) validateOwnLeader(roles []*peerjob.Group) field.ErrorList {
	if e.Leader == nil || len(roles) < 2 {
		return nil
	}
	lead := roles[0]
	var errs field.ErrorList
	if lead.Peers() > 1 {
		errs = append(errs, field.Invalid(lead.Path.Child("peers"), lead.Peers(), fmt.Sprintf(
			"must be 1: the first of spec.framework.roles, %s, is the role of the leader of %s; write the role with the leader first, or name one role whose index 0 leads", lead.RoleName(), e.Type)))
	}
	if lead.PeerJob.Spec.Framework.Leader != nil {
		errs = append(errs, field.Forbidden(peerjob.FrameworkPath.Child("leader"), fmt.Sprintf(
			"the role %s leads, and runs the command of its container; write it there, and remove it here; or name one role in spec.framework.roles, and its index 0 leads", lead.RoleName())))
	}
	return errs
}

// validateOneLeader refuses a role whose index 0 leads in a group whose runners decide
// together when it is done: they know nothing of the indexes of one Job.
func (e *Entry) validateOneLeader(roles []*peerjob.Group) field.ErrorList {
	if e.Leader == nil || len(roles) > 1 || !roles[0].HasRunner() {
		return nil
	}
	return field.ErrorList{field.Required(rolesPath, fmt.Sprintf(
		"the leader of %s in a role of its own, with one peer, before %s: the Job of %[2]s would end with its index 0 (successPolicy), and the runner of spec.barrier and spec.failurePolicy does not know that in a PeerJob with roles", e.Type, roles[0].RoleName()))}
}

// validateLeaderRole refuses what is wrong with the commands of one role of a framework
// whose leader has a role of its own.
func (s setup) validateLeaderRole() field.ErrorList {
	errs := s.validateArgs()
	if len(errs) > 0 || !s.lacksCommand() {
		return errs
	}
	s.eachContainer(func(container *corev1.Container, path *field.Path) {
		errs = append(errs, field.Required(path.Child("command"), fmt.Sprintf("what the leader of %s runs, and the group ends with, such as [mpiexec, PROGRAM]", s.Type)))
	})
	return errs
}

// lacksCommand reports whether the role has nothing to run: that of a leader without a
// command, of a framework without a server.
func (s setup) lacksCommand() bool { return s.leads() && s.serves() && s.Leader.Server == "" }

// validateRunner refuses the runner in a container that does not run the framework, in a role
// whose program must be told to end, or whose end is the end of the group.
func (s setup) validateRunner() field.ErrorList {
	at := s.group.RunnerContainer()
	decides := s.leads() || slices.Contains(s.group.PeerJob.Spec.SuccessRoles, s.group.RoleName())
	if at < 0 || !s.group.HasRoles() || !s.serves() && !decides || s.runsIn(s.group.Template().Spec.Containers[at].Name) {
		return nil
	}
	why := "it serves until the runner tells it to end, and the Pod would never end"
	if !s.serves() {
		why = "the end of its command is the end of the group, and the runner would wait for another one"
	}
	return field.ErrorList{field.Invalid(peerjob.RunnerPath.Child("container"), s.group.Template().Spec.Containers[at].Name, fmt.Sprintf(
		"is not the container of the role %s that runs %s (spec.framework): %s; %s", s.group.RoleName(), s.Type, why, s.cureRunner()))}
}

// cureRunner says which container the runner belongs in: it has one name in all roles with
// several containers.
func (s setup) cureRunner() string {
	var several, common []string
	for i, role := range s.roles {
		if len(role.Template().Spec.Containers) < 2 {
			continue
		}
		var names []string
		s.inRole(i).eachContainer(func(container *corev1.Container, _ *field.Path) {
			if len(several) == 0 || slices.Contains(common, container.Name) {
				names = append(names, container.Name)
			}
		})
		several, common = append(several, role.RoleName()), names
	}
	if len(common) == 0 {
		return fmt.Sprintf("give that container the same name in the roles %s, and write it here and in spec.framework.containers", strings.Join(several, " and "))
	}
	return "write " + strings.Join(common, " or ")
}

// validateServing refuses a group that would never be done, because roles serve until they
// are told to end.
func validateServing(g *peerjob.Group, setups []setup) field.ErrorList {
	var serving []string
	for _, s := range setups {
		if s.serves() && !s.lacksCommand() {
			serving = append(serving, s.group.RoleName())
		}
	}
	if len(serving) == 0 {
		return nil
	}
	typ := setups[0].Type
	var errs field.ErrorList
	for i, name := range g.PeerJob.Spec.SuccessRoles {
		if slices.Contains(serving, name) {
			errs = append(errs, field.Invalid(peerjob.SuccessRolesPath.Index(i), name, fmt.Sprintf(
				"serves until it is told to end (spec.framework, %s), and the group would never be done; remove it", typ)))
		}
	}
	for _, role := range g.All() {
		for i, dependency := range role.Role.DependsOn {
			if dependency.Status == v1alpha1.RoleComplete && slices.Contains(serving, dependency.Name) {
				errs = append(errs, field.Invalid(role.Path.Child("dependsOn").Index(i).Child("status"), dependency.Status, fmt.Sprintf(
					"the role %s serves until it is told to end (spec.framework, %s), and is never Complete before; write Started", dependency.Name, typ)))
			}
		}
	}
	if len(g.PeerJob.Spec.SuccessRoles) > 0 {
		return errs
	}
	end := deciding(g)
	if len(end) == 0 {
		return append(errs, field.Required(peerjob.SuccessRolesPath, fmt.Sprintf(
			"all roles run a program of %s (spec.framework) that serves until it is told to end, so the group would never be done; write a command in the role whose end is the end of the group, and name it here", typ)))
	}
	detail := fmt.Sprintf("%s would never be Complete, because a program of %s (spec.framework) serves there until it is told to end; write [%s]",
		strings.Join(serving, " and "), typ, strings.Join(end, ", "))
	if !g.HasRunner() {
		detail += fmt.Sprintf("; the runner needs it to stop %s: set spec.barrier.start to Enabled, or set spec.failurePolicy", strings.Join(serving, " and "))
	}
	return append(errs, field.Required(peerjob.SuccessRolesPath, detail))
}
