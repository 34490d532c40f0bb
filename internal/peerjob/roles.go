// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

var (
	// RolesPath is the field of the roles.
	RolesPath = specPath.Child("roles")
	// SuccessRolesPath is the field of the roles that decide when the group is done.
	SuccessRolesPath = specPath.Child("successRoles")
)

// newRole returns the group of one role.
func newRole(pj *v1alpha1.PeerJob, i int, suffix string) *Group {
	spec, role := &pj.Spec, &pj.Spec.Roles[i]
	return &Group{
		PeerJob: pj,
		Role:    role,
		JobName: pj.Name + "-" + role.Name + suffix,
		suffix:  suffix,
		Path:    RolesPath.Index(i),
		Job: batchv1.JobSpec{
			Completions:             role.Peers,
			Parallelism:             role.Peers,
			CompletionMode:          new(batchv1.IndexedCompletion),
			Suspend:                 cmp.Or(role.Suspend, spec.Suspend),
			BackoffLimit:            role.BackoffLimit,
			BackoffLimitPerIndex:    role.BackoffLimitPerIndex,
			MaxFailedIndexes:        role.MaxFailedIndexes,
			ActiveDeadlineSeconds:   cmp.Or(role.ActiveDeadlineSeconds, spec.ActiveDeadlineSeconds),
			TTLSecondsAfterFinished: cmp.Or(role.TTLSecondsAfterFinished, spec.TTLSecondsAfterFinished),
			PodFailurePolicy:        role.PodFailurePolicy,
			SuccessPolicy:           role.SuccessPolicy,
			PodReplacementPolicy:    role.PodReplacementPolicy,
			ManagedBy:               cmp.Or(role.ManagedBy, spec.ManagedBy),
			Scheduling:              role.Scheduling,
			Template:                sharedMetadata(role.Template, &spec.Template),
		},
	}
}

// sharedMetadata adds to a role's Pod template the labels and annotations that spec has for
// the Pods of all roles. The role's own win.
func sharedMetadata(template corev1.PodTemplateSpec, shared *corev1.PodTemplateSpec) corev1.PodTemplateSpec {
	over := func(shared, own map[string]string) map[string]string {
		if len(shared) == 0 {
			return own
		}
		all := maps.Clone(shared)
		maps.Copy(all, own)
		return all
	}
	template.Labels, template.Annotations = over(shared.Labels, template.Labels), over(shared.Annotations, template.Annotations)
	return template
}

// TemplateMetas are the labels and annotations that the user wrote for the Pods, with their
// fields: with roles, those of spec.template, and over them those of the role.
func (g *Group) TemplateMetas() []TemplateMeta {
	if g.Role == nil {
		return []TemplateMeta{{&g.Template().ObjectMeta, g.TemplatePath().Child("metadata")}}
	}
	return []TemplateMeta{
		{&g.PeerJob.Spec.Template.ObjectMeta, specPath.Child("template", "metadata")},
		{&g.Role.Template.ObjectMeta, g.TemplatePath().Child("metadata")},
	}
}

// TemplateMeta is metadata of Pods.
type TemplateMeta struct {
	*metav1.ObjectMeta
	Path *field.Path
}

// HasRoles reports whether the PeerJob has roles.
func (g *Group) HasRoles() bool { return g.Role != nil }

// All returns the groups of the PeerJob, in the order of its roles: the group itself
// without roles.
func (g *Group) All() []*Group {
	if g.all == nil {
		return []*Group{g}
	}
	return g.all
}

// RoleName is the name of the role, "" in a PeerJob without roles.
func (g *Group) RoleName() string {
	if g.Role == nil {
		return ""
	}
	return g.Role.Name
}

// Total is the number of peers of all roles.
func (g *Group) Total() int64 {
	total := int64(0)
	for _, role := range g.All() {
		total += int64(role.Peers())
	}
	return total
}

// LeaderName is the name under which the peers of the same namespace reach the first peer
// of the first role, which leads all.
func (g *Group) LeaderName() string { return g.All()[0].PeerName(0) }

// SharedFields are the fields of a Job that a role takes from the spec if it does not set
// them itself.
func SharedFields() []string {
	return []string{"suspend", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "managedBy"}
}

// FieldPath is the field of the PeerJob that a field of the Job's spec comes from: one of
// the role's, or of the spec that all roles share.
func (g *Group) FieldPath(name string) *field.Path {
	if g.Role == nil {
		return g.Path.Child(name)
	}
	own := map[string]bool{
		"suspend":                 g.Role.Suspend != nil,
		"activeDeadlineSeconds":   g.Role.ActiveDeadlineSeconds != nil,
		"ttlSecondsAfterFinished": g.Role.TTLSecondsAfterFinished != nil,
		"managedBy":               g.Role.ManagedBy != nil,
	}
	if isOwn, shared := own[name]; shared && !isOwn {
		return specPath.Child(name)
	}
	return g.Path.Child(name)
}

// JobMetas are the labels and annotations for the Job alone, with their fields: those of
// spec.job, and over them those of the role.
func (g *Group) JobMetas() []JobMeta {
	metas := []JobMeta{{&g.PeerJob.Spec.Job, specPath.Child("job")}}
	if g.Role != nil {
		metas = append(metas, JobMeta{&g.Role.Job, g.Path.Child("job")})
	}
	return metas
}

// JobMeta is metadata for a Job alone.
type JobMeta struct {
	*v1alpha1.PeerJobMeta
	Path *field.Path
}

// JobAnnotation is the annotation of a Pod template with the name of the Job of a role.
func JobAnnotation(role int) string { return v1alpha1.JobAnnotationPrefix + strconv.Itoa(role) }

// JobAnnotations are the annotations of a Pod template with the names of all Jobs; nil
// without roles.
func (g *Group) JobAnnotations() map[string]string {
	if !g.HasRoles() {
		return nil
	}
	names := map[string]string{}
	for i, role := range g.All() {
		names[JobAnnotation(i)] = role.JobName
	}
	return names
}

// rolesEnv returns the variables about all roles; none without roles.
func (g *Group) rolesEnv() []corev1.EnvVar {
	if !g.HasRoles() {
		return nil
	}
	env := []corev1.EnvVar{{Name: v1alpha1.EnvRole, Value: g.Role.Name}}
	for i, role := range g.All() {
		name, size, leader := v1alpha1.RoleEnvNames(role.Role.Name)
		env = append(env,
			fromField(name, "metadata.annotations['"+JobAnnotation(i)+"']"),
			corev1.EnvVar{Name: size, Value: strconv.Itoa(int(role.Peers()))},
			corev1.EnvVar{Name: leader, Value: "$(" + name + ")-0.$(" + v1alpha1.EnvService + ")"},
		)
	}
	return env
}

// PeerEnvNames are the names of the variables of the peers ([Group.PeerEnv]), in their
// order, PEERJOB_UID among them.
func (g *Group) PeerEnvNames() []string {
	return slices.Clone(g.peerEnvNames())
}

// peerEnvNames are these names, which nobody may change. Every rule about variables asks
// for them.
func (g *Group) peerEnvNames() []string {
	if g.envNames == nil {
		for _, variable := range g.PeerEnv(true) {
			g.envNames = append(g.envNames, variable.Name)
		}
	}
	return g.envNames
}

// rolesRunnerEnvNames are the variables about roles that the runner reads.
func (g *Group) rolesRunnerEnvNames() []string {
	if !g.HasRoles() {
		return nil
	}
	names := []string{v1alpha1.EnvRole}
	for _, role := range g.All() {
		name, _, _ := v1alpha1.RoleEnvNames(role.Role.Name)
		names = append(names, name)
	}
	return names
}

// roleNames are the names of the roles, in their order.
func (g *Group) roleNames() []string {
	if !g.HasRoles() {
		return nil
	}
	var names []string
	for _, role := range g.All() {
		names = append(names, role.Role.Name)
	}
	return names
}

// SuccessRoles are the roles that decide when the group is done, nil if all do.
func (g *Group) SuccessRoles() []string {
	own := g.PeerJob.Spec.SuccessRoles
	if !g.HasRoles() || len(own) == 0 || !slices.ContainsFunc(g.roleNames(), func(name string) bool { return !slices.Contains(own, name) }) {
		return nil
	}
	return own
}

// isTold reports whether the role is told to end when others are done (spec.successRoles).
func (g *Group) isTold() bool {
	decide := g.SuccessRoles()
	return decide != nil && !slices.Contains(decide, g.RoleName())
}
