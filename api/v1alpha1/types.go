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
	// OwnerAnnotation marks a Service or a Job as made by peerjob. Its value is
	// the name of the PeerJob. Only objects which carry it are ever replaced or
	// removed.
	OwnerAnnotation = Group + "/owner"
	// ServiceAnnotation stands on the Pod template and holds the name of the
	// Service, because the downward API can read an annotation but not
	// spec.subdomain. A tool that renames the Service can follow it there.
	ServiceAnnotation = Group + "/service"
)

const (
	// MaxPeers is the largest number of peers: the API server takes no Indexed
	// Job with a larger parallelism.
	MaxPeers = 100000
	// OldestMinor is the oldest minor version of Kubernetes 1 that can be asked
	// for: the first with Indexed Jobs.
	OldestMinor = 21
	// NewestMinor is the newest minor version which is known here.
	NewestMinor = 37
	// DefaultClusterDomain is the cluster domain of nearly every cluster.
	DefaultClusterDomain = "cluster.local"
)

// DefaultValuesKey is the key of a ConfigMap in which values stand.
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
	// both objects, and is left out of both when it is not set.
	// metadata.labels and metadata.annotations are copied to both objects,
	// less the keys which belong to an orchestrator or to peerjob.
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says how many peers there are and what they run. Required.
	Spec PeerJobSpec `json:"spec,omitempty"`
}

// PeerJobSpec says how many peers there are, how they are published and what
// they run.
type PeerJobSpec struct {
	// peers is the number of Pods, which all run at the same time: the
	// completions and the parallelism of the Job.
	// Required; 1 to 100000.
	Peers *int32 `json:"peers,omitempty"`

	// service configures the headless Service which gives the peers their
	// names.
	// Optional; every field in it has a default.
	Service PeerService `json:"service,omitempty"`

	// job configures the metadata of the Job.
	// Optional.
	Job PeerJobMeta `json:"job,omitempty"`

	// framework wires one framework of distributed computing, such as torchrun or
	// MPI: peerjob sets what it reads, and its ports stand on the Service.
	// Optional; default none.
	Framework *Framework `json:"framework,omitempty"`

	// nameSuffixHash, when Enabled, adds "-<hash>" to the names of the Job and the
	// Service, with a hash of what can't be changed in a Job that exists. So a changed
	// PeerJob is a new Job with a Service of its own, and the peers of the old one keep
	// theirs while they run.
	// Enabled or Disabled; default Disabled.
	NameSuffixHash Toggle `json:"nameSuffixHash,omitempty"`

	// peerEnv, when Enabled, puts the variables JOB_COMPLETION_INDEX,
	// PEERJOB_NAME, PEERJOB_NAMESPACE, PEERJOB_SERVICE, PEERJOB_SIZE,
	// PEERJOB_LEADER and PEERJOB_SELF at the head of the environment of every
	// container and init container.
	// Enabled or Disabled; default Enabled.
	PeerEnv Toggle `json:"peerEnv,omitempty"`

	// templating, when Enabled, renders the Go templates in the string values of the
	// PeerJob: "{{ .Values.image }}". A field that is a number or a boolean takes what
	// its template renders as one, and so does a list or a map. Disabled leaves every
	// "{{" as it is. See docs/templating.md.
	// Enabled or Disabled; default Disabled.
	Templating Toggle `json:"templating,omitempty"`

	// values are what templates find in .Values, over those of valuesFrom: maps
	// are merged by key, anything else is replaced, and null removes a key.
	// Needs templating; default none.
	Values map[string]any `json:"values,omitempty"`

	// valuesFrom are sources of values, each over those before it.
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

	// clusterDomain is the DNS domain of the cluster, for fully qualified names
	// and for checks of their length.
	// A DNS domain; default "cluster.local", or what the functionConfig says.
	ClusterDomain string `json:"clusterDomain,omitempty"`

	// kubernetesVersion is the oldest server that the output must work on: a
	// field or a behavior which a server of that minor version does not have, or
	// has behind a feature gate that is off by default, is refused.
	// "1.21" to "1.37", in quotes; default unset, or what the functionConfig says:
	// then only what no server takes is refused.
	KubernetesVersion string `json:"kubernetesVersion,omitempty"`

	// suspend makes the Job without starting its Pods, as in batch/v1.
	// Default unset.
	Suspend *bool `json:"suspend,omitempty"`

	// backoffLimit is the number of retries before the Job fails, as in
	// batch/v1.
	// 0 or more; default unset, which the server reads as 6.
	BackoffLimit *int32 `json:"backoffLimit,omitempty"`

	// backoffLimitPerIndex is the number of retries within one index, as in
	// batch/v1.
	// 0 or more; default unset.
	BackoffLimitPerIndex *int32 `json:"backoffLimitPerIndex,omitempty"`

	// maxFailedIndexes is the number of failed indexes at which the Job fails,
	// as in batch/v1.
	// 0 to peers; needs backoffLimitPerIndex; default unset.
	MaxFailedIndexes *int32 `json:"maxFailedIndexes,omitempty"`

	// activeDeadlineSeconds is how long the Job may be active, in seconds, as in
	// batch/v1.
	// 0 or more; default unset.
	ActiveDeadlineSeconds *int64 `json:"activeDeadlineSeconds,omitempty"`

	// ttlSecondsAfterFinished is how long a finished Job is kept, in seconds, as
	// in batch/v1.
	// 0 or more; default unset, which keeps it.
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`

	// podFailurePolicy says what a failed Pod means, as in batch/v1.
	// Needs restartPolicy Never; default unset.
	PodFailurePolicy *batchv1.PodFailurePolicy `json:"podFailurePolicy,omitempty"`

	// successPolicy says when the Job has succeeded, as in batch/v1.
	// Default unset: when every index has.
	SuccessPolicy *batchv1.SuccessPolicy `json:"successPolicy,omitempty"`

	// podReplacementPolicy says when a Pod is replaced, as in batch/v1.
	// TerminatingOrFailed or Failed; default unset.
	PodReplacementPolicy *batchv1.PodReplacementPolicy `json:"podReplacementPolicy,omitempty"`

	// managedBy names the controller which reconciles the Job, as in batch/v1.
	// Default unset: the Job controller of Kubernetes.
	ManagedBy *string `json:"managedBy,omitempty"`

	// scheduling says how the Pods are scheduled together, as in batch/v1: all of
	// them at once with {schedulingPolicy: {gang: {}}}, for instance. Kubernetes
	// 1.37 and later has it behind the feature gate WorkloadWithJob, which is off
	// by default: a server without the gate drops it, and peerjob warns of that.
	// Default unset: each Pod for itself.
	Scheduling *batchv1.JobSchedulingConfiguration `json:"scheduling,omitempty"`

	// template is the Pod that every peer runs, as in batch/v1. peerjob sets in
	// it what the peers need to find each other: subdomain, restartPolicy
	// (default Never), enableServiceLinks (default false), and with hostNetwork
	// the dnsPolicy (default ClusterFirstWithHostNet).
	// Required.
	Template corev1.PodTemplateSpec `json:"template,omitempty"`
}

// PeerJobMeta is metadata for the Job alone, as there is some for the Service
// alone: the tools which apply objects are told by annotations what to do with
// each, and they treat a Job unlike a Service.
type PeerJobMeta struct {
	// labels are added to the Job alone, over those of metadata.labels. The Pods
	// have those of spec.template.metadata.labels.
	// Default none.
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are added to the Job alone, over those of
	// metadata.annotations.
	// Default none.
	Annotations map[string]string `json:"annotations,omitempty"`
}

// PeerFile is a file that the containers of every peer find, read-only.
type PeerFile struct {
	// path is where the containers find the file.
	// Required; absolute, without "..".
	Path string `json:"path,omitempty"`

	// content is the text of the file. With templating it may be a template, in which
	// .Peers, .Values and all other names are known.
	// Default empty.
	Content string `json:"content,omitempty"`

	// containers are the names of the containers and init containers that get the
	// file.
	// Default all containers, and no init container.
	Containers []string `json:"containers,omitempty"`
}

// ValuesSource is where values for templates stand.
type ValuesSource struct {
	// configMapRef names a ConfigMap that is built together with the PeerJob.
	// Required.
	ConfigMapRef *ConfigMapKey `json:"configMapRef,omitempty"`
}

// ConfigMapKey is an entry in the data of a ConfigMap: a map of values, as YAML
// or JSON of at most 1 MiB.
type ConfigMapKey struct {
	// name is the name of the ConfigMap, without the hash that a configMapGenerator
	// gives it.
	// Required.
	Name string `json:"name,omitempty"`

	// key is the key in its data.
	// Default "values.yaml", as a configMapGenerator names a file.
	Key string `json:"key,omitempty"`
}

// PeerService configures the headless Service of a PeerJob. Its clusterIP and
// its selector follow from the PeerJob and can't be set.
type PeerService struct {
	// name is the name of the Service and the subdomain of the Pods.
	// A DNS label of at most 63 characters, which on servers before 1.36 must
	// begin with a letter; default metadata.name.
	Name string `json:"name,omitempty"`

	// labels are added to the Service alone, over those of metadata.labels.
	// Default none.
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are added to the Service alone, over those of
	// metadata.annotations.
	// Default none.
	Annotations map[string]string `json:"annotations,omitempty"`

	// publishNotReadyAddresses, when true, lets the peers resolve each other
	// before they are ready, as in core/v1.
	// Default true: peers that wait for each other never become ready
	// otherwise.
	PublishNotReadyAddresses *bool `json:"publishNotReadyAddresses,omitempty"`

	// ipFamilyPolicy is as in core/v1.
	// SingleStack, PreferDualStack or RequireDualStack; default unset.
	IPFamilyPolicy *corev1.IPFamilyPolicy `json:"ipFamilyPolicy,omitempty"`

	// ipFamilies is as in core/v1.
	// IPv4, IPv6 or both; default unset.
	IPFamilies []corev1.IPFamily `json:"ipFamilies,omitempty"`

	// ports are the ports of the Service, as in core/v1. A headless Service
	// routes nothing: they are for SRV records and service meshes.
	// Default: one per distinct container port, with its name, or
	// "<protocol>-<port>" when it has none.
	Ports []corev1.ServicePort `json:"ports,omitempty"`
}

// PeerBarrier lets the peers of a Job start together and leave together. A
// native sidecar in every Pod, peerjob's own image, sees to it; the user's
// containers stay as they are. It needs servers from 1.29 on.
type PeerBarrier struct {
	// start, when Enabled, keeps the containers and the init containers of every
	// Pod from starting until every peer was reached under its name.
	// Enabled or Disabled; default Disabled.
	Start Toggle `json:"start,omitempty"`

	// end, when Enabled, keeps every Pod in DNS after its containers have ended
	// until every peer's have. With a successPolicy: until those indexes' have
	// with which the Job succeeds.
	// Enabled or Disabled; default Disabled.
	End Toggle `json:"end,omitempty"`

	// startTimeoutSeconds is how long a Pod waits for the others to be there, in
	// seconds. Then it fails, with exit code 75 of the init container
	// "peerjob-barrier-start", whose termination message names the missing. With
	// 0 a Pod waits as long as it takes, and has no such container, which is one
	// less to start.
	// 0 to 86400; default 600.
	StartTimeoutSeconds *int32 `json:"startTimeoutSeconds,omitempty"`

	// endTimeoutSeconds is how long a Pod stays for the others after its
	// containers have ended, in seconds. The terminationGracePeriodSeconds of the
	// Pod must be 5 seconds longer, and is by default: so much longer the
	// deletion of a Pod and the drain of a node may take.
	// 1 to 86400; default 30.
	EndTimeoutSeconds *int32 `json:"endTimeoutSeconds,omitempty"`

	// image is the image of peerjob which the sidecar runs, with peerjob as its
	// entry point.
	// Default what the functionConfig says, else the image of the version that
	// expands.
	Image string `json:"image,omitempty"`

	// port is the TCP port on which the peers' sidecars reach each other. The
	// Service has it, too, unless spec.service.ports is set.
	// 1024 to 65535; default 7450.
	Port *int32 `json:"port,omitempty"`

	// resources are those of the sidecar, as in core/v1. For the Pod to be
	// Guaranteed, its limits must be set and equal its requests.
	// Default: requests of 10m CPU and 32Mi memory, a limit of 64Mi memory.
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
}
