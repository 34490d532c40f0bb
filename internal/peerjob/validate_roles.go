// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/apitype"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/rules"
)

// Owner says where a field of spec is written in a PeerJob with roles.
type Owner int

const (
	// OfGroup is a field that all roles have in common: it stays in spec.
	OfGroup Owner = iota
	// OfRole is a field that each role has for itself.
	OfRole
	// OfBoth is a field that spec sets for all roles, and that a role may set otherwise.
	OfBoth
)

// Owners says of every field of spec whose it is in a PeerJob with roles. A test compares
// it with the API types.
func Owners() map[string]Owner {
	owners := map[string]Owner{
		"peers": OfRole, "template": OfRole, "backoffLimit": OfRole, "backoffLimitPerIndex": OfRole, "maxFailedIndexes": OfRole,
		"podFailurePolicy": OfRole, "successPolicy": OfRole, "podReplacementPolicy": OfRole, "scheduling": OfRole,
		"job": OfBoth,
	}
	for _, name := range SharedFields() {
		owners[name] = OfBoth
	}
	for _, name := range apitype.Of(reflect.TypeFor[v1alpha1.PeerJobSpec]()).Names() {
		if _, found := owners[name]; !found {
			owners[name] = OfGroup
		}
	}
	return owners
}

// validateRoles refuses roles that contradict the rest of the PeerJob, or each other.
func validateRoles(g *Group) field.ErrorList {
	spec := &g.PeerJob.Spec
	if !g.HasRoles() {
		return withoutRoles(spec)
	}
	var errs field.ErrorList
	if len(spec.Roles) > v1alpha1.MaxRoles {
		errs = append(errs, field.TooMany(RolesPath, len(spec.Roles), v1alpha1.MaxRoles))
	}
	return slices.Concat(errs,
		validateOwners(spec),
		validateRoleNames(g),
		validateTotal(g),
		validateDependencies(g),
		validateSuccessRoles(g),
		validateRoleSuccessPolicies(g),
		validateRolesContainer(g),
	)
}

// withoutRoles refuses what only a PeerJob with roles can have.
func withoutRoles(spec *v1alpha1.PeerJobSpec) field.ErrorList {
	var errs field.ErrorList
	if spec.Roles != nil {
		errs = append(errs, field.Required(RolesPath, "at least one role, such as {name: worker, peers: 4, template: {...}}; without roles, remove it, and set spec.peers and spec.template"))
	}
	if spec.SuccessRoles != nil {
		errs = append(errs, field.Forbidden(SuccessRolesPath, "needs spec.roles; remove it"))
	}
	return errs
}

// validateOwners refuses fields of spec that each role has for itself.
func validateOwners(spec *v1alpha1.PeerJobSpec) field.ErrorList {
	var errs field.ErrorList
	owners, value := Owners(), reflect.ValueOf(spec).Elem()
	for _, f := range apitype.Of(value.Type()).Fields {
		if owners[f.Name] != OfRole || value.FieldByIndex(f.Index).IsZero() || f.Name == "template" && isOnlyMetadata(&spec.Template) {
			continue
		}
		detail := "each role has its own; write it in spec.roles[]." + f.Name + ", and remove it here"
		switch f.Name {
		case "template":
			detail += "; only metadata.labels and metadata.annotations may be here, for the Pods of all roles"
		case "peers":
			detail += "; if replicas: of kustomize set it, patch spec.roles instead, with [{name: ROLE, peers: NUMBER}]: it can't name a role"
		}
		errs = append(errs, field.Forbidden(specPath.Child(f.Name), detail))
	}
	return errs
}

// isOnlyMetadata reports whether a template has nothing but labels and annotations, which
// are for the Pods of all roles. kustomize sets them there.
func isOnlyMetadata(template *corev1.PodTemplateSpec) bool {
	meta := metav1.ObjectMeta{Labels: template.Labels, Annotations: template.Annotations}
	return reflect.DeepEqual(template, &corev1.PodTemplateSpec{ObjectMeta: meta})
}

// validateRoleNames refuses names from which no Job or variable can be named.
func validateRoleNames(g *Group) field.ErrorList {
	var errs field.ErrorList
	taken := map[string]string{v1alpha1.EnvWorldSize: "the runner"}
	seen := map[string]bool{}
	for _, role := range g.All() {
		name, at := role.Role.Name, role.Path.Child("name")
		if name == "" {
			errs = append(errs, field.Required(at, "the name of the role, such as worker; its Job is <metadata.name>-<name>"))
			continue
		}
		if msgs := validation.IsDNS1123Label(name); len(msgs) > 0 {
			for _, msg := range msgs {
				errs = append(errs, field.Invalid(at, name, msg))
			}
			continue
		}
		if seen[name] {
			errs = append(errs, field.Duplicate(at, name))
			continue
		}
		seen[name] = true
		jobName, size, leader := v1alpha1.RoleEnvNames(name)
		for _, variable := range []string{jobName, size, leader} {
			if owner, found := taken[variable]; found {
				errs = append(errs, field.Invalid(at, name, fmt.Sprintf("gives the variable %s, which %s has; choose another name", variable, owner)))
			}
			taken[variable] = fmt.Sprintf("the role %q", name)
		}
	}
	return errs
}

// validateHostnames holds the name of the PeerJob to the host name of its last Pod, the
// longest of all roles.
func validateHostnames(g *Group) field.ErrorList {
	var longest *Group
	var errs field.ErrorList
	for _, role := range g.All() {
		if role.leavesNoRoom() {
			errs = append(errs, field.Invalid(role.Path.Child("name"), role.RoleName(), fmt.Sprintf(
				"is too long: the host name of its last peer, <metadata.name>-%s, must be a DNS label of no more than %d characters, whatever metadata.name is",
				rules.Hostname(role.RoleName(), role.LastIndex()), rules.MaxHostnameLength)))
			continue
		}
		if longest == nil || len(rules.Hostname(role.JobName, role.LastIndex())) > len(rules.Hostname(longest.JobName, longest.LastIndex())) {
			longest = role
		}
	}
	if longest == nil {
		return errs
	}
	_, job, _ := longest.draft()
	return append(errs, rules.Hostnames(job, g.PeerJob.Name, NamePath)...)
}

// leavesNoRoom reports whether the name of a role is too long for any name of the PeerJob.
func (g *Group) leavesNoRoom() bool {
	_, job, _ := g.draft()
	return g.HasRoles() && len(g.PeerJob.Name)+rules.HostnameRoom(job) < 1
}

// JobNamePath is the field that is to blame for a wrong name of the Job.
func (g *Group) JobNamePath() *field.Path {
	if g.HasRoles() && (len(validation.IsDNS1123Label(g.Role.Name)) > 0 || g.leavesNoRoom()) {
		return g.Path.Child("name")
	}
	return NamePath
}

// validateTotal bounds the peers of all roles together: the runner numbers them.
func validateTotal(g *Group) field.ErrorList {
	if total := g.Total(); total > v1alpha1.MaxPeers {
		for _, role := range g.All() {
			if role.Peers() > v1alpha1.MaxPeers || role.Peers() < 0 {
				return nil // an error of its own
			}
		}
		return field.ErrorList{field.Invalid(RolesPath, diag.Literal{Text: fmt.Sprint(total)}, fmt.Sprintf("must have no more than %d peers together", v1alpha1.MaxPeers))}
	}
	return nil
}

// needsRunner is an error about a field that only a runner can do.
func needsRunner(path *field.Path, what string) *field.Error {
	return field.Forbidden(path, what+"; set spec.barrier.start or spec.barrier.end to Enabled, or set spec.failurePolicy")
}

// validateDependencies refuses roles that would wait forever, or for nobody.
func validateDependencies(g *Group) field.ErrorList {
	var errs field.ErrorList
	names := g.roleNames()
	for _, role := range g.All() {
		path := role.Path.Child("dependsOn")
		if len(role.Role.DependsOn) > 0 && !g.HasRunner() {
			errs = append(errs, needsRunner(path, "needs the runner, which holds the commands of the role back"))
		}
		seen := map[string]bool{}
		for i, dependency := range role.Role.DependsOn {
			at := path.Index(i)
			switch name := dependency.Name; {
			case name == "":
				errs = append(errs, field.Required(at.Child("name"), "the name of the role to wait for"))
			case name == role.Role.Name:
				errs = append(errs, field.Invalid(at.Child("name"), name, "is this role itself, which would wait forever; name another role"))
			case !slices.Contains(names, name):
				errs = append(errs, diag.NotSupported(at.Child("name"), name, names))
			case seen[name]:
				errs = append(errs, field.Duplicate(at.Child("name"), name))
			}
			seen[dependency.Name] = true
			statuses := []v1alpha1.RoleStatus{v1alpha1.RoleStarted, v1alpha1.RoleComplete}
			if dependency.Status == "" {
				errs = append(errs, field.Required(at.Child("status"), "write Started to wait until every command of the role has started, or Complete until every one has ended with 0"))
			} else if !slices.Contains(statuses, dependency.Status) {
				err := field.NotSupported(at.Child("status"), dependency.Status, statuses)
				if dependency.Status == "Ready" || dependency.Status == "Running" { // words of JobSet and of a Pod
					err.Detail += fmt.Sprintf("; did you mean %q?", v1alpha1.RoleStarted)
				}
				errs = append(errs, err)
			}
		}
	}
	return slices.Concat(errs, validateNeverRuns(g), validateCycles(g))
}

// validateNeverRuns refuses a role that waits, itself or by another role, until all success
// roles are Complete: the group is done then, and the role is told to end before its command
// has started. Roles that wait for each other have an error of their own.
func validateNeverRuns(g *Group) field.ErrorList {
	var errs field.ErrorList
	for _, role := range g.All() {
		if !role.isTold() {
			continue
		}
		done := role.CompleteBefore()
		if slices.ContainsFunc(g.SuccessRoles(), func(name string) bool { return !slices.Contains(done, name) }) {
			continue
		}
		success := strings.Join(g.SuccessRoles(), ", ")
		errs = append(errs, field.Invalid(role.Path.Child("dependsOn"), diag.Literal{Text: role.Dependencies()},
			fmt.Sprintf("the role waits until all of spec.successRoles (%s) are Complete, and the group is done then, so the role never runs; wait for the status Started, or add %s to spec.successRoles", success, role.RoleName())))
	}
	return errs
}

// CompleteBefore are the roles that are Complete before the commands of a role start.
func (g *Group) CompleteBefore() []string {
	roles := map[string]*Group{}
	for _, other := range g.All() {
		roles[other.Role.Name] = other
	}
	var done []string
	visited, next := map[*Group]bool{}, []*Group{g}
	for len(next) > 0 {
		at := next[0]
		next = next[1:]
		if at == nil || visited[at] {
			continue
		}
		visited[at] = true
		for _, dependency := range at.Role.DependsOn {
			if dependency.Status == v1alpha1.RoleComplete {
				done = append(done, dependency.Name)
			}
			next = append(next, roles[dependency.Name])
		}
	}
	return done
}

// Dependencies are the names of the roles that a role waits for, as text.
func (g *Group) Dependencies() string {
	names := make([]string, len(g.Role.DependsOn))
	for i, dependency := range g.Role.DependsOn {
		names[i] = dependency.Name
	}
	return strings.Join(names, ", ")
}

// validateCycles refuses roles that wait for each other. It reports each cycle once, on the
// dependency that closes it.
func validateCycles(g *Group) field.ErrorList {
	roles := map[string]*Group{}
	for _, role := range g.All() {
		if roles[role.Role.Name] == nil {
			roles[role.Role.Name] = role
		}
	}
	const (
		open = iota + 1
		done
	)
	var errs field.ErrorList
	state := map[string]int{}
	var way []string
	var visit func(role *Group)
	visit = func(role *Group) {
		name := role.Role.Name
		state[name], way = open, append(way, name)
		for i, dependency := range role.Role.DependsOn {
			other := roles[dependency.Name]
			if other == nil || dependency.Name == name {
				continue // an error of its own
			}
			switch state[dependency.Name] {
			case open:
				cycle := append(slices.Clone(way[slices.Index(way, dependency.Name):]), dependency.Name)
				errs = append(errs, field.Invalid(role.Path.Child("dependsOn").Index(i).Child("name"), dependency.Name,
					fmt.Sprintf("makes roles wait for each other: %s; remove one of these dependencies", strings.Join(cycle, " -> "))))
			case 0:
				visit(other)
			}
		}
		state[name], way = done, way[:len(way)-1]
	}
	for _, role := range g.All() {
		if state[role.Role.Name] == 0 {
			visit(role)
		}
	}
	return errs
}

func validateSuccessRoles(g *Group) field.ErrorList {
	own, names := g.PeerJob.Spec.SuccessRoles, g.roleNames()
	if len(own) == 0 {
		return nil
	}
	var errs field.ErrorList
	if !g.HasRunner() {
		errs = append(errs, needsRunner(SuccessRolesPath, "needs the runner, which tells the other roles to end"))
	}
	for i, name := range own {
		switch at := SuccessRolesPath.Index(i); {
		case !slices.Contains(names, name):
			errs = append(errs, diag.NotSupported(at, name, names))
		case slices.Contains(own[:i], name):
			errs = append(errs, field.Duplicate(at, name))
		}
	}
	return errs
}

// validateRoleSuccessPolicies refuses a success policy of one Job in a group whose runners
// decide together when it is done.
func validateRoleSuccessPolicies(g *Group) field.ErrorList {
	var errs field.ErrorList
	for _, role := range g.All() {
		if role.Role.SuccessPolicy != nil && g.HasRunner() {
			errs = append(errs, field.Forbidden(role.Path.Child("successPolicy"), fmt.Sprintf(
				"the runner of %s does not know it in a PeerJob with roles; write spec.successRoles, and give the peers that decide a role of their own", g.runnerField())))
		}
	}
	return errs
}
