// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// Hostname is the host name that the Job controller gives to the Pod of a
// completion index.
// See https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode.
func Hostname(job string, index int32) string {
	return job + "-" + strconv.Itoa(int(index))
}

// PeerName is the name under which the Pods of the same namespace reach the Pod of
// a completion index.
func PeerName(job, service string, index int32) string {
	return Hostname(job, index) + "." + service
}

// SearchDomain is the domain in which the Pods of a namespace look up a
// [PeerName].
func SearchDomain(namespace, clusterDomain string) string {
	return namespace + ".svc." + clusterDomain
}

// lastIndex is the completion index with the longest name.
func lastIndex(job *batchv1.Job) int32 {
	if job.Spec.Completions == nil {
		return 0
	}
	return max(*job.Spec.Completions, 1) - 1
}

// MaxHostnameLength is the longest host name of a Pod, in characters: a DNS label.
const MaxHostnameLength = validation.DNS1123LabelMaxLength

// HostnameRoom is how many more characters the name of a Job may have before the host
// name of its last peer is no DNS label. It is negative for a name that is too long. It
// reads the name and spec.completions.
func HostnameRoom(job *batchv1.Job) int {
	return MaxHostnameLength - len(Hostname(job.Name, lastIndex(job)))
}

// Hostnames holds the rule that the Job's name has in batch/v1: the host name of
// the last index must be a DNS label. The path and the name are those of the part
// of the Job's name that the user wrote; what follows it counts, too. It reads
// spec.completions.
func Hostnames(job *batchv1.Job, name string, path *field.Path) field.ErrorList {
	longest := Hostname(job.Name, lastIndex(job))
	if room := HostnameRoom(job); room < 0 {
		peers := int32(0)
		if job.Spec.Completions != nil {
			peers = *job.Spec.Completions
		}
		of := ""
		if peers > 0 {
			of = " for " + diag.Count(peers, "peer")
		}
		return field.ErrorList{field.Invalid(path, name, fmt.Sprintf(
			"must be no more than %d characters%s: the host name of the last one, %q, must be a DNS label of no more than %d characters",
			len(name)+room, of, longest, MaxHostnameLength))}
	}
	if strings.Contains(name, ".") {
		cure := ""
		if label := asLabel(name); label != "" {
			cure = fmt.Sprintf("; write %q", label)
		}
		return field.ErrorList{field.Invalid(path, name, "must not contain dots, because the Pods' host names are <name>-<index>"+cure)}
	}
	var errs field.ErrorList
	for _, msg := range validation.IsDNS1123Label(name) {
		errs = append(errs, field.Invalid(path, name, msg))
	}
	return errs
}

// notInLabel matches what a DNS label can't have.
var notInLabel = lazyregexp.New(`[^a-z0-9-]+`)

// asLabel is a name as a DNS label, "" if nothing is left of it.
func asLabel(name string) string {
	return strings.Trim(notInLabel.ReplaceAllString(strings.ToLower(name), "-"), "-")
}

// MaxFQDNLength is the longest host name that the kernel takes. A Pod with
// setHostnameAsFQDN and a longer name never starts, and the API server does
// not check it.
// See https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-sethostnameasfqdn-field.
const MaxFQDNLength = 64

// FQDNRoom is how many more characters the names of a Job and its Service may have
// together before the kernel refuses the fully qualified name of the last peer. A
// namespace that is not known yet has one character at least.
func FQDNRoom(service *corev1.Service, job *batchv1.Job, clusterDomain string) int {
	return MaxFQDNLength - len(PeerName(job.Name, service.Name, lastIndex(job))+"."+SearchDomain(cmp.Or(job.Namespace, "n"), clusterDomain))
}

// FQDN refuses host names that are too long for setHostnameAsFQDN. It reads
// spec.completions of the Job.
func FQDN(service *corev1.Service, template *corev1.PodTemplateSpec, job *batchv1.Job, clusterDomain string, path *field.Path) field.ErrorList {
	if set := template.Spec.SetHostnameAsFQDN; set == nil || !*set {
		return nil
	}
	longest := func(namespace string) string {
		return PeerName(job.Name, service.Name, lastIndex(job)) + "." + SearchDomain(namespace, clusterDomain)
	}
	// Without a namespace any may come later; the shortest possible one tells
	// whether some would fit.
	shown, length := longest(job.Namespace), ""
	if job.Namespace == "" {
		shown, length = longest("<namespace>"), "at least "
	}
	room := FQDNRoom(service, job, clusterDomain)
	if room >= 0 {
		return nil
	}
	size := MaxFQDNLength - room
	return field.ErrorList{field.Invalid(path.Child("spec", "setHostnameAsFQDN"), true, fmt.Sprintf(
		"the longest host name, %q, has %s%d characters, and a Pod with one of more than %d never starts; choose shorter names, or leave it out",
		shown, length, size, MaxFQDNLength))}
}
