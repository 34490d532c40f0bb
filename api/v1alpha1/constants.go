// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import batchv1 "k8s.io/api/batch/v1"

// Labels and annotations of Kubernetes on the Pods of a Job.
const (
	// NameLabel is the label of a Pod that holds the name of its Job. The Job
	// controller has set it in every version; "batch.kubernetes.io/job-name" exists
	// only from 1.27 on.
	NameLabel = "job-name"
	// UIDLabel is the label of a Pod that holds the unique ID of its Job. The Job
	// controller sets it from 1.27 on, and a barrier needs 1.29.
	UIDLabel = batchv1.ControllerUidLabel
	// OldUIDLabel is the label of a Pod that holds the same in every version.
	OldUIDLabel = "controller-uid"
	// IndexAnnotation is the annotation of a Pod that holds its completion index.
	// The Job controller sets it; the label of that name exists only from 1.28 on.
	IndexAnnotation = batchv1.JobCompletionIndexAnnotation
)

// The variables of the peers' environment.
const (
	// EnvIndex holds the completion index of the Pod. The Job controller would
	// append it as the last variable, where no "$(JOB_COMPLETION_INDEX)" before
	// it sees it.
	EnvIndex = "JOB_COMPLETION_INDEX"
	// EnvName holds the name of the Job.
	EnvName = "PEERJOB_NAME"
	// EnvNamespace holds the namespace of the Pod.
	EnvNamespace = "PEERJOB_NAMESPACE"
	// EnvService holds the name of the Service.
	EnvService = "PEERJOB_SERVICE"
	// EnvSize holds the number of peers.
	EnvSize = "PEERJOB_SIZE"
	// EnvLeader holds the name of the peer with index 0.
	EnvLeader = "PEERJOB_LEADER"
	// EnvSelf holds the name of the peer itself.
	EnvSelf = "PEERJOB_SELF"
	// EnvUID holds the unique ID of the Job: one value for all Pods of a Job, and
	// another for the next Job of that name. Only a container that uses it has it.
	EnvUID = "PEERJOB_UID"
)

// PeerEnvNames are the variables that peerjob puts at the head of every
// container's environment, in their order: "$(VAR)" sees only what stands
// before it.
func PeerEnvNames() []string {
	return []string{EnvIndex, EnvName, EnvNamespace, EnvService, EnvSize, EnvLeader, EnvSelf}
}

// The containers of a barrier.
const (
	// BarrierContainer is the name of the sidecar of a barrier, and of its port.
	BarrierContainer = "peerjob-barrier"
	// BarrierGate is the name of the init container that fails the Pod when not
	// every peer came in time.
	BarrierGate = "peerjob-barrier-start"
)

// Bounds and defaults of numbers.
const (
	// DefaultBarrierPort is the default of spec.barrier.port.
	DefaultBarrierPort = 7450
	// DefaultStartTimeoutSeconds is the default of spec.barrier.startTimeoutSeconds.
	DefaultStartTimeoutSeconds = 600
	// DefaultEndTimeoutSeconds is the default of spec.barrier.endTimeoutSeconds.
	DefaultEndTimeoutSeconds = 30
	// MaxBarrierTimeoutSeconds is the longest timeout of a barrier: a day.
	MaxBarrierTimeoutSeconds = 24 * 60 * 60
	// MinBarrierPort is the first port that a process without rights may listen on.
	MinBarrierPort = 1024
	// MaxPort is the last port.
	MaxPort = 65535
	// MaxProcessesPerPeer is more processes than a node has a use for.
	MaxProcessesPerPeer = 1024
)
