// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// Group is the API group of a PeerJob.
	Group = "peerjob.dev"
	// Version is the API version of a PeerJob.
	Version = "v1alpha1"
	// APIVersion is what a PeerJob has under apiVersion.
	APIVersion = Group + "/" + Version
	// Kind is what a PeerJob has under kind.
	Kind = "PeerJob"
)

const (
	// OwnerAnnotation marks a Service or a Job that peerjob made. Its value is the
	// name of the PeerJob. peerjob replaces and removes only objects that carry it.
	OwnerAnnotation = Group + "/owner"
	// ComponentAnnotation is on a PeerJob that kustomize renamed and knew by the
	// Component, kustomize/. Its value says nothing.
	ComponentAnnotation = Group + "/component"
	// ServiceAnnotation is on the Pod template and holds the name of the Service,
	// because the downward API can read an annotation but not spec.subdomain. A
	// tool that renames the Service can rename it there too.
	ServiceAnnotation = Group + "/service"
)

const (
	// MaxPeers is the largest number of peers: the API server refuses an Indexed
	// Job with a larger parallelism.
	MaxPeers = 100000
	// OldestMinor is the oldest minor version of Kubernetes 1 that
	// spec.kubernetesVersion accepts: the first that has Indexed Jobs by default, and gives their Pods host
	// names.
	OldestMinor = 22
	// NewestMinor is the newest minor version that peerjob knows.
	NewestMinor = 37
	// DefaultClusterDomain is the cluster domain of nearly every cluster.
	DefaultClusterDomain = "cluster.local"
)

// DefaultValuesKey is the default key of the values in a ConfigMap.
const DefaultValuesKey = "values.yaml"

// Toggle switches a behavior of peerjob on or off. It is a word instead of a
// boolean, as in newer Kubernetes APIs, so that a third state can be added.
type Toggle string

const (
	// Enabled switches the behavior on.
	Enabled Toggle = "Enabled"
	// Disabled switches the behavior off.
	Disabled Toggle = "Disabled"
)

// PeerJob is a Job whose Pods reach each other by name. It never reaches a
// cluster: peerjob expands it into a headless Service and an Indexed Job.
type PeerJob struct {
	metav1.TypeMeta `json:",inline"`

	// metadata.name becomes the Job's name, and the Pods' host names are
	// "<name>-<index>". Required. metadata.namespace becomes the namespace of
	// both objects; without it, they have none. peerjob copies metadata.labels
	// and metadata.annotations to both objects, without the keys that belong to
	// kustomize, kpt or peerjob.
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says how many peers there are and what they run. Required.
	Spec PeerJobSpec `json:"spec,omitempty"`
}

// PeerJobSpec says how many peers there are, what they run and how DNS
// publishes them.
type PeerJobSpec struct {
	// peers is the number of Pods, which all run at the same time: the
	// completions and the parallelism of the Job.
	// Required without roles; 1 to 100000.
	Peers *int32 `json:"peers,omitempty"`

	// roles are the parts of a group with several Pod templates, such as a launcher and
	// its workers. Each becomes a Job, and all have one Service. peers and template are
	// the short form of one role, and can't be set together with roles, nor can the
	// fields of the Job that each role has for itself. See docs/roles.md.
	// At most 16; default none.
	Roles []PeerRole `json:"roles,omitempty"`

	// successRoles are the roles that decide when the group is done. When every command
	// of these has ended with 0, the runner tells the commands of all others to end
	// (SIGTERM), and their Jobs are Complete, too. It needs spec.barrier or
	// spec.failurePolicy.
	// Names of roles; default all.
	SuccessRoles []string `json:"successRoles,omitempty"`

	// service configures the headless Service that gives the peers their names.
	// Optional; every field in it has a default.
	Service PeerService `json:"service,omitempty"`

	// job configures the metadata of the Job, of that of every role if there are several.
	// Optional.
	Job PeerJobMeta `json:"job,omitempty"`

	// networkPolicy adds a NetworkPolicy for the peers.
	// Optional; default none.
	NetworkPolicy *PeerNetworkPolicy `json:"networkPolicy,omitempty"`

	// framework wires one framework of distributed computing, such as torchrun or
	// MPI: peerjob sets what the framework reads, and adds its ports to the Service.
	// Optional; default none.
	Framework *Framework `json:"framework,omitempty"`

	// nameSuffixHash, when Enabled, adds "-<hash>" to the names of the Job and the
	// Service; all roles have one hash. The hash covers the fields that can't be changed
	// in an existing Job. So a changed PeerJob is a new Job with its own Service, and the
	// peers of the old Job keep theirs while they run.
	// Enabled or Disabled; default Disabled.
	NameSuffixHash Toggle `json:"nameSuffixHash,omitempty"`

	// peerEnv, when Enabled, puts the variables JOB_COMPLETION_INDEX,
	// PEERJOB_NAME, PEERJOB_NAMESPACE, PEERJOB_SERVICE, PEERJOB_SIZE,
	// PEERJOB_LEADER and PEERJOB_SELF first in the environment of every
	// container and init container. With roles, PEERJOB_ROLE is among them, and for each
	// role PEERJOB_<ROLE>_NAME, PEERJOB_<ROLE>_SIZE and PEERJOB_<ROLE>_LEADER.
	// Enabled or Disabled; default Enabled.
	PeerEnv Toggle `json:"peerEnv,omitempty"`

	// templating, when Enabled, renders the Go templates in the string values of the
	// PeerJob: "{{ .Values.image }}". A field that is a number or a boolean takes what
	// its template renders as one, and so does a list or a map. Disabled leaves every
	// "{{" as it is. See docs/templating.md.
	// Enabled or Disabled; default Disabled.
	Templating Toggle `json:"templating,omitempty"`

	// values are the values that templates read as .Values. They override those of
	// valuesFrom: peerjob merges maps by key and replaces everything else, and null
	// removes a key.
	// Needs templating; default none.
	Values map[string]any `json:"values,omitempty"`

	// valuesFrom are sources of values. Later sources override earlier ones.
	// Needs templating; default none.
	ValuesFrom []ValuesSource `json:"valuesFrom,omitempty"`

	// snippets are texts with templates, by name, for {{ include "name" . }}.
	// Needs templating; default none.
	Snippets map[string]string `json:"snippets,omitempty"`

	// files are files that the containers of every peer find. They are in a
	// ConfigMap that is immutable and has a hash of its content in its name, so that a
	// peer never sees another version than the one it started with.
	// At most 1 MiB together; default none.
	Files []PeerFile `json:"files,omitempty"`

	// barrier lets the peers start together and leave together.
	// Optional; off by default.
	Barrier PeerBarrier `json:"barrier,omitempty"`

	// failurePolicy lets the peers fail or restart as one: when one peer fails, all
	// others stop at once. Without it, each Pod fails for itself, as in any Job. See
	// docs/failure-policy.md.
	// Needs Kubernetes 1.29; default none.
	FailurePolicy *PeerFailurePolicy `json:"failurePolicy,omitempty"`

	// runner configures the program that peerjob puts in front of the command of one
	// container. It does what spec.barrier and spec.failurePolicy ask for. See
	// docs/runner.md.
	// Optional; every field in it has a default in a release of peerjob.
	Runner PeerRunner `json:"runner,omitempty"`

	// clusterDomain is the DNS domain of the cluster, for fully qualified names
	// and for checks of their length.
	// A DNS domain; default "cluster.local", or what the functionConfig says.
	ClusterDomain string `json:"clusterDomain,omitempty"`

	// kubernetesVersion is the oldest server that the output must work on. peerjob
	// refuses a field or a behavior that a server of that minor version does not
	// have, or has behind a feature gate that is off by default.
	// "1.22" to "1.37", in quotes; default unset, or what the functionConfig says.
	// If unset, peerjob refuses only what every server refuses.
	KubernetesVersion string `json:"kubernetesVersion,omitempty"`

	// suspend creates the Job without starting its Pods, as in batch/v1.
	// Default unset.
	Suspend *bool `json:"suspend,omitempty"`

	// backoffLimit is the number of retries before the Job fails, as in
	// batch/v1. With the failure policy RestartPeerJob, it must be unset.
	// 0 or more; default unset: the server uses 6. With the failure policy FailPeerJob and a
	// successPolicy, 6 and the number of peers.
	BackoffLimit *int32 `json:"backoffLimit,omitempty"`

	// backoffLimitPerIndex is the number of retries within one index, as in
	// batch/v1. The failure policy RestartPeerJob sets it to its maxRestarts.
	// 0 or more; default unset.
	BackoffLimitPerIndex *int32 `json:"backoffLimitPerIndex,omitempty"`

	// maxFailedIndexes is the number of failed indexes at which the Job fails,
	// as in batch/v1. The failure policy RestartPeerJob sets it to 0.
	// 0 to peers; needs backoffLimitPerIndex; default unset.
	MaxFailedIndexes *int32 `json:"maxFailedIndexes,omitempty"`

	// activeDeadlineSeconds is how long the Job may be active, in seconds, as in
	// batch/v1.
	// 0 or more; default unset.
	ActiveDeadlineSeconds *int64 `json:"activeDeadlineSeconds,omitempty"`

	// ttlSecondsAfterFinished is how long a finished Job is kept, in seconds, as
	// in batch/v1.
	// 0 or more; default unset: the Job is kept.
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`

	// podFailurePolicy says what a failed Pod means, as in batch/v1. A failurePolicy adds
	// its rules behind these.
	// Needs restartPolicy Never; default unset.
	PodFailurePolicy *batchv1.PodFailurePolicy `json:"podFailurePolicy,omitempty"`

	// successPolicy says when the Job has succeeded, as in batch/v1.
	// Default unset: when every index has.
	SuccessPolicy *batchv1.SuccessPolicy `json:"successPolicy,omitempty"`

	// podReplacementPolicy says when a Pod is replaced, as in batch/v1.
	// TerminatingOrFailed or Failed; default Failed with a failurePolicy, else unset.
	PodReplacementPolicy *batchv1.PodReplacementPolicy `json:"podReplacementPolicy,omitempty"`

	// managedBy names the controller that reconciles the Job, as in batch/v1.
	// Default unset: the Job controller of Kubernetes.
	ManagedBy *string `json:"managedBy,omitempty"`

	// scheduling says how the Pods are scheduled together, as in batch/v1: all of
	// them at once with {schedulingPolicy: {gang: {}}}, for instance. Kubernetes
	// 1.37 and later has it behind the feature gate WorkloadWithJob, which is off
	// by default: a server without the gate drops it, and peerjob warns of that.
	// Default unset: each Pod for itself.
	Scheduling *batchv1.JobSchedulingConfiguration `json:"scheduling,omitempty"`

	// template is the Pod that every peer runs, as in batch/v1. peerjob sets the
	// fields that the peers need to find each other: subdomain, restartPolicy
	// (default Never), enableServiceLinks (default false), and with hostNetwork
	// the dnsPolicy (default ClusterFirstWithHostNet). With roles, it can have only
	// metadata.labels and metadata.annotations, for the Pods of all roles.
	// Required without roles.
	Template corev1.PodTemplateSpec `json:"template,omitempty"`
}

// PeerJobMeta is metadata for the Job alone. Annotations tell the tools that apply
// objects what to do with each, and a Job needs other ones than a Service.
type PeerJobMeta struct {
	// labels are added to the Job alone, and override those of metadata.labels. The
	// Pods get those of spec.template.metadata.labels.
	// Default none.
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are added to the Job alone, and override those of
	// metadata.annotations.
	// Default none.
	Annotations map[string]string `json:"annotations,omitempty"`
}

// PeerFile is a read-only file in the containers of every peer.
type PeerFile struct {
	// path is the path of the file in the containers.
	// Required; absolute, without "..". Its mode is 0644, so a script needs its
	// interpreter before it: [sh, /app/run.sh].
	Path string `json:"path,omitempty"`

	// content is the text of the file. With templating, it can be a template with
	// .Peers, .Values and all other names.
	// Default empty.
	Content string `json:"content,omitempty"`

	// containers are the names of the containers and init containers that get the
	// file.
	// Default all containers, and no init container.
	Containers []string `json:"containers,omitempty"`
}

// ValuesSource is a source of values for templates.
type ValuesSource struct {
	// configMapRef names a ConfigMap that is built together with the PeerJob.
	// Required.
	ConfigMapRef *ConfigMapKey `json:"configMapRef,omitempty"`
}

// ConfigMapKey is an entry in the data of a ConfigMap. The entry is a map of
// values, as YAML or JSON of at most 1 MiB.
type ConfigMapKey struct {
	// name is the name of the ConfigMap, without the hash that a configMapGenerator
	// gives it.
	// Required.
	Name string `json:"name,omitempty"`

	// key is the key in its data.
	// Default "values.yaml", the key that a configMapGenerator uses for that file.
	Key string `json:"key,omitempty"`
}

// PeerService configures the headless Service of a PeerJob. You can't set its
// clusterIP and its selector, because they follow from the PeerJob.
type PeerService struct {
	// name is the name of the Service and the subdomain of the Pods.
	// A DNS label of at most 63 characters; on servers before 1.36 it must begin
	// with a letter. Default metadata.name.
	Name string `json:"name,omitempty"`

	// labels are added to the Service alone, and override those of metadata.labels.
	// Default none.
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are added to the Service alone, and override those of
	// metadata.annotations.
	// Default none.
	Annotations map[string]string `json:"annotations,omitempty"`

	// publishNotReadyAddresses, when true, lets the peers resolve each other
	// before they are ready, as in core/v1.
	// Default true, because peers that wait for each other would otherwise never
	// become ready.
	PublishNotReadyAddresses *bool `json:"publishNotReadyAddresses,omitempty"`

	// ipFamilyPolicy is as in core/v1.
	// SingleStack, PreferDualStack or RequireDualStack; default unset.
	IPFamilyPolicy *corev1.IPFamilyPolicy `json:"ipFamilyPolicy,omitempty"`

	// ipFamilies is as in core/v1.
	// IPv4, IPv6 or both; default unset.
	IPFamilies []corev1.IPFamily `json:"ipFamilies,omitempty"`

	// ports are the ports of the Service, as in core/v1. A headless Service
	// routes nothing; the ports are for SRV records and service meshes.
	// Default: one per distinct container port, with its name, or
	// "<protocol>-<port>" if it has none.
	Ports []corev1.ServicePort `json:"ports,omitempty"`
}

// PeerBarrier lets the peers of a Job start together and leave together. A small
// program does that, the runner (spec.runner): it starts the command of your
// container, so the container must have one.
type PeerBarrier struct {
	// start, when Enabled, keeps the command of every peer from starting until index 0
	// has reached every peer under its name. Init containers run before that.
	// Enabled or Disabled; default Disabled, and Enabled with the failure policy
	// RestartPeerJob, which needs it.
	Start Toggle `json:"start,omitempty"`

	// end, when Enabled, keeps a Pod in DNS after its command has exited with 0, until
	// the commands of every peer have. A Pod whose command failed leaves at once, so that
	// the Job can replace it, and the others stay for the new Pod. With a successPolicy,
	// a peer waits only for the indexes that make the Job succeed.
	// Enabled or Disabled; default Disabled, and Enabled with the failure policy
	// RestartPeerJob, which needs it.
	End Toggle `json:"end,omitempty"`

	// startTimeoutSeconds is how long a peer waits for the others, in seconds. Then its
	// container exits with code 75, and the termination message names the missing
	// peers. With 0, a peer waits without limit. What a restart waits for does not count.
	// 0 to 86400; default 600.
	StartTimeoutSeconds *int32 `json:"startTimeoutSeconds,omitempty"`

	// endTimeoutSeconds is how long a peer stays for the others after its command has
	// ended, in seconds. Choose it longer than the time between the end of the first
	// command and the end of the last one. A Pod that is deleted stays no longer than its
	// terminationGracePeriodSeconds. With the failure policy RestartPeerJob, a peer stays
	// without limit, because it must be able to run again, and this must be unset.
	// 1 to 86400; default 30.
	EndTimeoutSeconds *int32 `json:"endTimeoutSeconds,omitempty"`
}

// FailureAction is what a group does when one of its peers fails.
type FailureAction string

const (
	// FailPeerJob stops all peers and fails the Job.
	FailPeerJob FailureAction = "FailPeerJob"
	// RestartPeerJob stops all peers and starts them again in their Pods.
	RestartPeerJob FailureAction = "RestartPeerJob"
)

// DisruptionAction is what a group does when a Pod of it is told to end from outside.
type DisruptionAction string

const (
	// RestartOnDisruption starts all peers again when the new Pod is there.
	RestartOnDisruption DisruptionAction = "Restart"
	// FailOnDisruption fails the Job when the new Pod is there.
	FailOnDisruption DisruptionAction = "Fail"
	// ContinueOnDisruption lets the other peers run on, and the new Pod joins them.
	ContinueOnDisruption DisruptionAction = "Continue"
)

// PeerFailurePolicy lets the peers of a Job fail or restart as one. A peer has failed if
// its command exits with another code than 0, or if its Pod is lost. The runner
// (spec.runner) sees that, without a controller and without access to the Kubernetes API.
type PeerFailurePolicy struct {
	// action is what the group does when a peer fails. FailPeerJob stops all other peers,
	// whose containers exit with code 76, and fails the Job without retries.
	// RestartPeerJob stops all peers and starts their commands again, in the same Pods,
	// when every peer is there. Their variable PEERJOB_ATTEMPT is then one higher; it is 1
	// at first. RestartPeerJob sets barrier.start and barrier.end to Enabled.
	// FailPeerJob or RestartPeerJob; required.
	Action FailureAction `json:"action,omitempty"`

	// maxRestarts is how often the group starts again after a failure. The next failure
	// fails the Job. It is also how often the Job replaces a lost Pod of one index. Restarts
	// after a disruption, or before any command has started, don't count.
	// 0 to 10000; required with RestartPeerJob, which alone has it.
	MaxRestarts *int32 `json:"maxRestarts,omitempty"`

	// backoffSeconds is the pause before the first restart, in seconds. Each restart
	// doubles the pause, up to 60 s.
	// 0 to 60; default 1. Only RestartPeerJob has it.
	BackoffSeconds *int32 `json:"backoffSeconds,omitempty"`

	// onDisruption is what the group does when a Pod of it is told to end from outside
	// (drain, preemption, eviction, deletion). That is no failure, and the Job replaces
	// the Pod. Restart starts all peers again when the new Pod is there, and uses up none of
	// maxRestarts. Fail fails the Job when the new Pod is there. Continue lets the other
	// peers run on, and the new Pod joins them: the program must be able to do that.
	// Restart, Fail or Continue; default Restart with RestartPeerJob, and Fail with
	// FailPeerJob, which can't restart.
	OnDisruption DisruptionAction `json:"onDisruption,omitempty"`
}

// RunnerDelivery is how the runner comes into the container.
type RunnerDelivery string

const (
	// InitContainerDelivery copies the runner from its image into an emptyDir volume.
	InitContainerDelivery RunnerDelivery = "InitContainer"
	// ImageVolumeDelivery mounts the image of the runner as a volume.
	ImageVolumeDelivery RunnerDelivery = "ImageVolume"
)

// PeerRunner configures the program that peerjob puts in front of the command of one
// container, as its first process. It has an effect only with spec.barrier or
// spec.failurePolicy.
type PeerRunner struct {
	// delivery is how the runner comes into the container. With InitContainer, an init
	// container copies it into an emptyDir volume, which every server and container
	// runtime can do. With ImageVolume, the kubelet mounts the image as a volume, which
	// saves the init container. It needs Kubernetes 1.35, and containerd 2.1 or CRI-O 1.31.
	// InitContainer or ImageVolume; default InitContainer.
	Delivery RunnerDelivery `json:"delivery,omitempty"`

	// image is the image of the runner. It is not the image of peerjob.
	// Default what the functionConfig says, else the image that was released with
	// this version of peerjob. A build of peerjob that is not a release has no default.
	Image string `json:"image,omitempty"`

	// imagePullPolicy says when the image of the runner is pulled, as in core/v1.
	// Always, IfNotPresent or Never; default unset: the server uses IfNotPresent for an
	// image with a tag other than "latest".
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`

	// resources are those of the init container that copies the runner, as in core/v1.
	// The runner itself has those of your container. Only for the delivery
	// InitContainer.
	// Default: the CPU, memory and ephemeral storage of the container that the runner
	// runs in, so that the Pod needs nothing more and keeps its QoS class.
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`

	// port is the TCP port on which the runners of the peers talk to each other. The
	// Service also gets it, unless spec.service.ports is set.
	// 1024 to 65535; default 7450.
	Port *int32 `json:"port,omitempty"`

	// container is the name of the container whose command the runner starts. It must
	// not be an init container.
	// Default the only container; required if there are several.
	Container string `json:"container,omitempty"`

	// keySecretName names a Secret in the same namespace. The runners prove to each
	// other that they know its entry "key", of at least 16 bytes. Without it, they trust
	// whatever answers under the name of a peer.
	// Default none.
	KeySecretName string `json:"keySecretName,omitempty"`
}
