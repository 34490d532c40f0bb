// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"cmp"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/rules"
)

// Paths of fields of a PeerJob.
var (
	metadataPath = field.NewPath("metadata")
	specPath     = field.NewPath("spec")
	servicePath  = specPath.Child("service")
	barrierPath  = specPath.Child("barrier")

	// NamePath is the field that every name follows from.
	NamePath = metadataPath.Child("name")
	// NetworkPolicyPath is the field that the NetworkPolicy comes from.
	NetworkPolicyPath = specPath.Child("networkPolicy")
	// FrameworkPath is the field that what a framework brings comes from.
	FrameworkPath = specPath.Child("framework")
)

// Group is the peers that run one Pod template: what one Job runs. Nobody may
// change what it points to.
type Group struct {
	// PeerJob is what all groups of a PeerJob share: metadata, Service, framework,
	// barrier, cluster domain and version.
	PeerJob *v1alpha1.PeerJob
	// Role is the role that the group is, nil in a PeerJob without roles.
	Role *v1alpha1.PeerRole
	// JobName is the name of the Job.
	JobName string
	// suffix is what a hash adds to the names of the Job and the Service, "" without.
	suffix string
	// Job is the spec of the Job, as the user wrote it: the number of peers, how
	// failures count, and the Pod template.
	Job batchv1.JobSpec
	// Path is the field of the PeerJob that holds the fields of the group.
	Path *field.Path
	// all are the groups of the PeerJob, in the order of the roles; nil without roles.
	all []*Group
	// drafted is the draft, once somebody has asked.
	drafted *draft
	// envNames are the names of the variables of the peers, once somebody has asked.
	envNames []string
}

// NewGroup returns the group of a PeerJob that v1alpha1.Default has seen. Of a PeerJob
// with roles it is the group of the first one, which leads to all others ([Group.All]). A
// hash that is not empty becomes part of the names.
func NewGroup(pj *v1alpha1.PeerJob, hash string) *Group {
	spec := &pj.Spec
	suffix := ""
	if hash != "" {
		suffix = "-" + hash
	}
	if len(spec.Roles) > 0 {
		all := make([]*Group, len(spec.Roles))
		for i := range spec.Roles {
			all[i] = newRole(pj, i, suffix)
		}
		for _, g := range all {
			g.all = all
		}
		return all[0]
	}
	return &Group{
		PeerJob: pj,
		JobName: pj.Name + suffix,
		suffix:  suffix,
		Path:    specPath,
		Job: batchv1.JobSpec{
			Completions:             spec.Peers,
			Parallelism:             spec.Peers,
			CompletionMode:          new(batchv1.IndexedCompletion),
			Suspend:                 spec.Suspend,
			BackoffLimit:            spec.BackoffLimit,
			BackoffLimitPerIndex:    spec.BackoffLimitPerIndex,
			MaxFailedIndexes:        spec.MaxFailedIndexes,
			ActiveDeadlineSeconds:   spec.ActiveDeadlineSeconds,
			TTLSecondsAfterFinished: spec.TTLSecondsAfterFinished,
			PodFailurePolicy:        spec.PodFailurePolicy,
			SuccessPolicy:           spec.SuccessPolicy,
			PodReplacementPolicy:    spec.PodReplacementPolicy,
			ManagedBy:               spec.ManagedBy,
			Scheduling:              spec.Scheduling,
			Template:                spec.Template,
		},
	}
}

// WithPeers returns the group with another number of peers.
func (g *Group) WithPeers(n int32) *Group {
	other := *g
	other.drafted = nil
	other.Job.Completions, other.Job.Parallelism = &n, &n
	return &other
}

// Peers is the number of peers, 0 when it is not set.
func (g *Group) Peers() int32 { return *cmp.Or(g.Job.Completions, new(int32(0))) }

// Template is the Pod template, as the user wrote it.
func (g *Group) Template() *corev1.PodTemplateSpec { return &g.Job.Template }

// TemplatePath is the path of the Pod template in the PeerJob.
func (g *Group) TemplatePath() *field.Path { return g.Path.Child("template") }

// PodPath is the path of the Pod template's spec in the PeerJob.
func (g *Group) PodPath() *field.Path { return g.TemplatePath().Child("spec") }

// EachContainer visits every container that the user wrote with its path in the
// PeerJob, init containers first, as they start.
func (g *Group) EachContainer(visit func(container *corev1.Container, path *field.Path)) {
	rules.EachContainer(g.Template(), g.TemplatePath(), visit)
}

// draft is a Service and a Job with only names, numbers and ports.
type draft struct {
	service corev1.Service
	job     batchv1.Job
}

// draft is what the rules about any Service and Job read of the group: names,
// numbers and the user's own ports, with the Pod template that the user wrote. Nobody
// may change it.
func (g *Group) draft() (*corev1.Service, *batchv1.Job, *corev1.PodTemplateSpec) {
	if g.drafted == nil {
		g.drafted = &draft{
			corev1.Service{
				ObjectMeta: metav1.ObjectMeta{Name: g.ServiceName(), Namespace: g.PeerJob.Namespace},
				Spec:       corev1.ServiceSpec{Ports: g.PeerJob.Spec.Service.Ports},
			},
			batchv1.Job{
				ObjectMeta: metav1.ObjectMeta{Name: g.JobName, Namespace: g.PeerJob.Namespace, Annotations: g.PeerJob.Annotations},
				Spec:       batchv1.JobSpec{Completions: g.Job.Completions},
			},
		}
	}
	return &g.drafted.service, &g.drafted.job, g.Template()
}
