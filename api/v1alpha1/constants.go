// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"strings"

	batchv1 "k8s.io/api/batch/v1"
)

// Labels and annotations of Kubernetes on the Pods of a Job.
const (
	// NameLabel is the label of a Pod that holds the name of its Job. The Job
	// controller has set it in every version; "batch.kubernetes.io/job-name" exists
	// only from 1.27 on.
	NameLabel = "job-name"
	// UIDLabel is the label of a Pod that holds the unique ID of its Job. The Job
	// controller has set it in every version; "batch.kubernetes.io/controller-uid"
	// exists only from 1.27 on.
	UIDLabel = "controller-uid"
	// IndexAnnotation is the annotation of a Pod that holds its completion index.
	// The Job controller sets it; the label of that name exists only from 1.28 on.
	IndexAnnotation = batchv1.JobCompletionIndexAnnotation
	// IndexFailuresAnnotation and IndexIgnoredFailuresAnnotation are the annotations of a
	// Pod that hold how many Pods of its index have failed before it, and how many of
	// those that failed were ignored. The Job controller sets them in a Job with a
	// backoffLimitPerIndex, the second one only where there are any.
	IndexFailuresAnnotation        = batchv1.JobIndexFailureCountAnnotation
	IndexIgnoredFailuresAnnotation = batchv1.JobIndexIgnoredFailureCountAnnotation
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
	// EnvSize holds the number of peers, of the role if there are several.
	EnvSize = "PEERJOB_SIZE"
	// EnvLeader holds the name of the peer with index 0, of the first role if there are
	// several.
	EnvLeader = "PEERJOB_LEADER"
	// EnvSelf holds the name of the peer itself.
	EnvSelf = "PEERJOB_SELF"
	// EnvRole holds the name of the peer's role. Only a PeerJob with roles has it.
	EnvRole = "PEERJOB_ROLE"
	// EnvRank holds the number of the peer among those of all roles, from 0 on, in the
	// order of the roles. The runner sets it for the command of a PeerJob with roles.
	EnvRank = "PEERJOB_RANK"
	// EnvWorldSize holds the number of the peers of all roles. The runner sets it for the
	// command of a PeerJob with roles.
	EnvWorldSize = "PEERJOB_WORLD_SIZE"
	// EnvUID holds the unique ID of the Job: one value for all Pods of a Job, and
	// another for the next Job of that name. Only a container that uses it has it, and
	// the one with the runner.
	EnvUID = "PEERJOB_UID"
	// EnvAttempt holds how often the group has started, from 1 on. The runner of a
	// failure policy sets it for the command when it starts that: no Pod has it in its
	// environment.
	EnvAttempt = "PEERJOB_ATTEMPT"
	// EnvIndexFailures holds how many Pods of this index have failed before this one. The
	// runner reads it where the group restarts.
	EnvIndexFailures = "PEERJOB_INDEX_FAILURES"
	// EnvIndexIgnoredFailures holds how many Pods of this index the podFailurePolicy has
	// ignored, such as disrupted ones. It is empty for none.
	EnvIndexIgnoredFailures = "PEERJOB_INDEX_IGNORED_FAILURES"
)

// PeerEnvNames are the variables that peerjob puts at the head of every
// container's environment, in their order: "$(VAR)" sees only what stands
// before it.
func PeerEnvNames() []string {
	return []string{EnvIndex, EnvName, EnvNamespace, EnvService, EnvSize, EnvLeader, EnvSelf}
}

// RoleEnvNames are the variables about a role that every container of a PeerJob with
// roles has: the name of its Job, its number of peers, and the name of its peer with
// index 0.
func RoleEnvNames(role string) (name, size, leader string) {
	prefix := "PEERJOB_" + strings.ReplaceAll(strings.ToUpper(role), "-", "_")
	return prefix + "_NAME", prefix + "_SIZE", prefix + "_LEADER"
}

// RunnerEnvNames are the variables that the runner reads. Its container has them even
// if spec.peerEnv is Disabled.
func RunnerEnvNames() []string {
	return []string{EnvIndex, EnvName, EnvService, EnvSize, EnvUID}
}

// RestartEnvNames are the variables that the runner reads, too, where the group restarts.
func RestartEnvNames() []string { return []string{EnvIndexFailures, EnvIndexIgnoredFailures} }

// Exit codes of the runner, and of a container with it.
const (
	// ExitTimedOut is the exit code of a peer whose barrier did not open in time.
	ExitTimedOut = 75
	// ExitGroupFailed is the exit code of a peer that was stopped because the group has
	// failed.
	ExitGroupFailed = 76
	// ExitTerminated is the exit code of a peer that was told to end from outside: 128 and
	// the number of SIGTERM.
	ExitTerminated = 143
)

// What the runner adds to a Pod.
const (
	// RunnerName is the name of the volume with the runner, of its program and of its
	// port.
	RunnerName = "peerjob-runner"
	// RunnerInstall is the name of the init container that copies the runner.
	RunnerInstall = "peerjob-runner-install"
	// RunnerDirectory is where the container finds the runner.
	RunnerDirectory = "/peerjob"
	// RunnerProgram is the runner in its container, whichever way it came there: the image
	// has it in its root.
	RunnerProgram = RunnerDirectory + "/" + RunnerName
	// RunnerOnFailure begins the flag of the runner that names the action of a failure
	// policy, and those of the policy's other fields follow it.
	RunnerOnFailure = "--on-failure="
	// RunnerRole begins the flags of the runner that name the roles of a group.
	RunnerRole = "--role="
	// RunnerKey is the name of the volume with the key of spec.runner.keySecretName.
	RunnerKey = "peerjob-runner-key"
	// RunnerKeyDirectory is where the container finds the key.
	RunnerKeyDirectory = "/peerjob-key"
	// RunnerKeyFile is the key of the Secret, and its file.
	RunnerKeyFile = "key"
	// RunnerRepository is where the images of the runner are published.
	RunnerRepository = "ghcr.io/peerjob/runner"
)

// Bounds and defaults of numbers.
const (
	// DefaultRunnerPort is the default of spec.runner.port.
	DefaultRunnerPort = 7450
	// DefaultStartTimeoutSeconds is the default of spec.barrier.startTimeoutSeconds.
	DefaultStartTimeoutSeconds = 600
	// DefaultEndTimeoutSeconds is the default of spec.barrier.endTimeoutSeconds.
	DefaultEndTimeoutSeconds = 30
	// MaxBarrierTimeoutSeconds is the longest timeout of a barrier: a day.
	MaxBarrierTimeoutSeconds = 24 * 60 * 60
	// DefaultBackoffSeconds is the default of spec.failurePolicy.backoffSeconds.
	DefaultBackoffSeconds = 1
	// MaxBackoffSeconds is the longest pause before a restart.
	MaxBackoffSeconds = 60
	// MaxRestarts is the largest spec.failurePolicy.maxRestarts.
	MaxRestarts = 10000
	// MinRunnerPort is the first port that a process without rights may listen on.
	MinRunnerPort = 1024
	// MaxPort is the last port.
	MaxPort = 65535
	// MaxProcessesPerPeer is more processes than a node has a use for.
	MaxProcessesPerPeer = 1024
)
