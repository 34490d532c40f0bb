// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

const (
	// GroupLabel is on the Pods of a PeerJob with roles, and in the selector of its
	// Service. Its value is the name of the Service, so that a tool that renames the
	// Service can rename it there too.
	GroupLabel = Group + "/group"
	// JobAnnotationPrefix begins the annotations of the Pod template that hold the names
	// of the Jobs of a PeerJob with roles, "peerjob.dev/job-0" and so on, in the order of
	// the roles. The downward API reads them, and a tool that renames a Job can rename it
	// there too.
	JobAnnotationPrefix = Group + "/job-"
	// MaxRoles is the largest number of roles. kustomize can't rename "every annotation
	// that begins so", and the Component lists this many.
	MaxRoles = 16
)

// PeerRole is a part of the group with a Pod template of its own: a launcher, workers,
// parameter servers. It becomes a Job, "<metadata.name>-<name>".
type PeerRole struct {
	// name is the name of the role. The Job is "<metadata.name>-<name>", and the Pods'
	// host names are "<metadata.name>-<name>-<index>". The variables PEERJOB_<ROLE>_NAME,
	// PEERJOB_<ROLE>_SIZE and PEERJOB_<ROLE>_LEADER have it in upper case, with "_" for "-".
	// Required; a DNS label that no other role has.
	Name string `json:"name,omitempty"`

	// peers is the number of Pods of the role, which all run at the same time: the
	// completions and the parallelism of its Job. All roles together have no more than
	// 100000 peers.
	// Required; 1 to 100000.
	Peers *int32 `json:"peers,omitempty"`

	// dependsOn are roles that this one waits for: the runner starts no command of this
	// role before. It needs spec.barrier or spec.failurePolicy. The Pods are created at
	// once, and hold their resources while they wait.
	// Default none.
	DependsOn []RoleDependency `json:"dependsOn,omitempty"`

	// job configures the metadata of the role's Job. It is merged over spec.job.
	// Optional.
	Job PeerJobMeta `json:"job,omitempty"`

	// suspend is as in spec.suspend.
	// Default spec.suspend.
	Suspend *bool `json:"suspend,omitempty"`

	// backoffLimit is the number of retries before the role's Job fails, as in
	// batch/v1. With the failure policy RestartPeerJob, it must be unset.
	// 0 or more; default unset: the server uses 6.
	BackoffLimit *int32 `json:"backoffLimit,omitempty"`

	// backoffLimitPerIndex is the number of retries within one index, as in
	// batch/v1. The failure policy RestartPeerJob sets it to its maxRestarts.
	// 0 or more; default unset.
	BackoffLimitPerIndex *int32 `json:"backoffLimitPerIndex,omitempty"`

	// maxFailedIndexes is the number of failed indexes at which the role's Job fails,
	// as in batch/v1. The failure policy RestartPeerJob sets it to 0.
	// 0 to peers; needs backoffLimitPerIndex; default unset.
	MaxFailedIndexes *int32 `json:"maxFailedIndexes,omitempty"`

	// activeDeadlineSeconds is how long the role's Job may be active, in seconds, as in
	// batch/v1.
	// 0 or more; default spec.activeDeadlineSeconds.
	ActiveDeadlineSeconds *int64 `json:"activeDeadlineSeconds,omitempty"`

	// ttlSecondsAfterFinished is how long the role's finished Job is kept, in seconds, as
	// in batch/v1.
	// 0 or more; default spec.ttlSecondsAfterFinished.
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`

	// podFailurePolicy says what a failed Pod of the role means, as in batch/v1. A
	// failurePolicy adds its rules behind these.
	// Needs restartPolicy Never; default unset.
	PodFailurePolicy *batchv1.PodFailurePolicy `json:"podFailurePolicy,omitempty"`

	// successPolicy says when the role's Job has succeeded, as in batch/v1. A group with
	// the runner has spec.successRoles instead.
	// Default unset: when every index has.
	SuccessPolicy *batchv1.SuccessPolicy `json:"successPolicy,omitempty"`

	// podReplacementPolicy says when a Pod is replaced, as in batch/v1.
	// TerminatingOrFailed or Failed; default Failed with a failurePolicy, else unset.
	PodReplacementPolicy *batchv1.PodReplacementPolicy `json:"podReplacementPolicy,omitempty"`

	// managedBy names the controller that reconciles the role's Job, as in batch/v1.
	// Default spec.managedBy.
	ManagedBy *string `json:"managedBy,omitempty"`

	// scheduling says how the Pods of the role are scheduled together, as in
	// spec.scheduling.
	// Default unset: each Pod for itself.
	Scheduling *batchv1.JobSchedulingConfiguration `json:"scheduling,omitempty"`

	// template is the Pod that every peer of the role runs, as in spec.template.
	// Required.
	Template corev1.PodTemplateSpec `json:"template,omitempty"`
}

// RoleDependency is a role that another one waits for.
type RoleDependency struct {
	// name is the name of the other role.
	// Required.
	Name string `json:"name,omitempty"`

	// status is what the role waits for. Started: every command of the other role has
	// started. Complete: every command of the other role has ended with 0.
	// Started or Complete; required.
	Status RoleStatus `json:"status,omitempty"`
}

// RoleStatus is a state of a role that another one can wait for.
type RoleStatus string

const (
	// RoleStarted is the state of a role whose commands have all started.
	RoleStarted RoleStatus = "Started"
	// RoleComplete is the state of a role whose commands have all ended with 0.
	RoleComplete RoleStatus = "Complete"
)

// PeerNetworkPolicy configures the NetworkPolicy of a PeerJob.
type PeerNetworkPolicy struct {
	// ingress is who may open connections to the peers. PeersOnly: the peers of the
	// group, on any port, and nobody else. What the peers may reach is not changed. A
	// network plugin must enforce it, and no NetworkPolicy holds for Pods on the host
	// network.
	// PeersOnly; required.
	Ingress PeerIngress `json:"ingress,omitempty"`
}

// PeerIngress is who may open connections to the peers.
type PeerIngress string

// PeersOnly lets only the peers of the group reach each other.
const PeersOnly PeerIngress = "PeersOnly"
