// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"iter"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// NameLabel is the label of a Pod which holds the name of its Job. The Job
// controller has set it in every version; "batch.kubernetes.io/job-name" exists
// only from 1.27 on.
const NameLabel = "job-name"

// IndexAnnotation is the annotation of a Pod which holds its completion index.
// The Job controller sets it; the label of that name exists only from 1.28 on.
const IndexAnnotation = batchv1.JobCompletionIndexAnnotation

// JobName is the name of the Job: that of the PeerJob, with the hash of what it
// runs when [PeerJobSpec].NameSuffixHash asks for one.
func (pj *PeerJob) JobName() string {
	if pj.jobName != "" {
		return pj.jobName
	}
	if pj.Spec.NameSuffixHash != Enabled {
		return pj.Name
	}
	return pj.Name + "-" + pj.runHash()
}

// FixJobName gives the Job a name that does not follow from the PeerJob any
// more: what templates render may hold the name, and the hash in it can't be of
// a text that it stands in.
func (pj *PeerJob) FixJobName(name string) { pj.jobName = name }

// hashLength is the length of a hash in a name, in characters.
const hashLength = 10

// TemplateRevision changes whenever peerjob writes something else into the Job
// of the same PeerJob: then the hash must change, too. A test in package expand
// says when.
const TemplateRevision = "1"

// runHash is a hash of all that can't be changed in a Job which exists.
// See ValidateJobSpecUpdate in k8s.io/kubernetes/pkg/apis/batch/validation.
func (pj *PeerJob) runHash() string {
	spec := &pj.Spec
	hashed := []any{
		TemplateRevision, pj.ServiceName(), spec.Peers, spec.PeerEnv, spec.Template,
		spec.BackoffLimitPerIndex, spec.PodFailurePolicy, spec.SuccessPolicy, spec.ManagedBy,
	}
	if spec.Framework != nil {
		hashed = append(hashed, spec.Framework)
	}
	if pj.HasBarrier() {
		hashed = append(hashed, spec.Barrier)
	}
	// Encoding an API type can't fail, and sorts the keys of maps.
	data, _ := json.Marshal(hashed)
	return shortHash(data)
}

// shortHash is a hash for a name.
func shortHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])[:hashLength]
}

// ServiceName is the name of the headless Service, and the subdomain of the
// Pods.
func (pj *PeerJob) ServiceName() string {
	if pj.Spec.Service.Name != "" {
		return pj.Spec.Service.Name
	}
	return pj.Name
}

// PeersConfigMapName is the name of the ConfigMap with a file of all peers. It
// changes with what the file says, because the ConfigMap is immutable.
func (pj *PeerJob) PeersConfigMapName(content string) string {
	return pj.Name + "-peers-" + shortHash([]byte(content))
}

// Peers is the number of peers, 0 when it is not set.
func (pj *PeerJob) Peers() int32 {
	if pj.Spec.Peers == nil {
		return 0
	}
	return *pj.Spec.Peers
}

// Hostname is the host name which the Job controller gives to the Pod of this
// completion index.
// See https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode.
func (pj *PeerJob) Hostname(index int32) string {
	return hostname(pj.JobName(), index)
}

func hostname(job string, index int32) string {
	return job + "-" + strconv.Itoa(int(index))
}

// LongestHostname is the host name of the last index, which is the longest.
func (pj *PeerJob) LongestHostname() string {
	return pj.Hostname(max(pj.Peers(), 1) - 1)
}

// MaxNameLength is how long metadata.name may be, in characters, for
// [PeerJob.LongestHostname] to be a DNS label.
func (pj *PeerJob) MaxNameLength() int {
	return validation.DNS1123LabelMaxLength - (len(pj.LongestHostname()) - len(pj.Name))
}

// PeerName is the name under which the peers of the same namespace reach the
// Pod of this completion index.
func (pj *PeerJob) PeerName(index int32) string {
	return pj.Hostname(index) + "." + pj.ServiceName()
}

// PeerNames are the [PeerJob.PeerName] of all peers, by their index, and of no
// more than [MaxPeers]. The Job's name may have to be computed, so it is asked
// for once.
func (pj *PeerJob) PeerNames() iter.Seq[string] {
	return func(yield func(string) bool) {
		before, after := pj.JobName()+"-", "."+pj.ServiceName()
		for i := range min(pj.Peers(), MaxPeers) {
			if !yield(before + strconv.Itoa(int(i)) + after) {
				return
			}
		}
	}
}

// SearchDomain is the domain in which a [PeerJob.PeerName] is looked up, for
// Pods of the given namespace.
func (pj *PeerJob) SearchDomain(namespace string) string {
	return namespace + ".svc." + pj.Spec.ClusterDomain
}

// LongestFQDN is the fully qualified name of the last index, for Pods of the
// given namespace.
func (pj *PeerJob) LongestFQDN(namespace string) string {
	return pj.PeerName(max(pj.Peers(), 1)-1) + "." + pj.SearchDomain(namespace)
}

// SelectorLabels select the Pods of the Job. The Job controller puts the
// label on them.
func (pj *PeerJob) SelectorLabels() map[string]string {
	return map[string]string{NameLabel: pj.JobName()}
}

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
)

// PeerEnvNames are the variables that peerjob puts at the head of every
// container's environment, in their order: "$(VAR)" sees only what stands
// before it.
func PeerEnvNames() []string {
	return []string{EnvIndex, EnvName, EnvNamespace, EnvService, EnvSize, EnvLeader, EnvSelf}
}
