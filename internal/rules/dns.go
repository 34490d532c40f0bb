// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// DNS refuses what keeps "<hostname>.<service>" from being published or from being
// looked up, of a Job whose DNS policy is set where the template leaves it out. It reads
// spec.completions of the Job.
// See https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/.
func DNS(service *corev1.Service, template *corev1.PodTemplateSpec, job *batchv1.Job, clusterDomain string, path *field.Path) field.ErrorList {
	pod := &template.Spec
	errs := PodHostname(template, path)
	if pod.Subdomain != "" && pod.Subdomain != service.Name {
		errs = append(errs, field.Invalid(path.Child("spec", "subdomain"), pod.Subdomain, fmt.Sprintf(
			"must be the name of the Service, %q; leave it out, or set spec.service.name", service.Name)))
	}
	errs = append(errs, FQDN(service, template, job, clusterDomain, path)...)
	return append(errs, DNSPolicy(template, job, clusterDomain, true, path)...)
}

// PodHostname refuses host names of the Pod template of an Indexed Job.
func PodHostname(template *corev1.PodTemplateSpec, path *field.Path) field.ErrorList {
	pod, path := &template.Spec, path.Child("spec")
	var errs field.ErrorList
	if pod.Hostname != "" {
		errs = append(errs, field.Invalid(path.Child("hostname"), pod.Hostname,
			"must not be set: the Job controller sets it to <name>-<index>"))
	}
	if pod.HostnameOverride != nil {
		errs = append(errs, field.Invalid(path.Child("hostnameOverride"), *pod.HostnameOverride,
			"must not be set: a Pod with it does not know its own peer name"))
	}
	return errs
}

// DNSPolicy refuses a DNS policy with which peer names do not resolve. filled is whether
// a policy that is left out becomes the right one; the API server makes it ClusterFirst.
func DNSPolicy(template *corev1.PodTemplateSpec, job *batchv1.Job, clusterDomain string, filled bool, path *field.Path) field.ErrorList {
	pod, path := &template.Spec, path.Child("spec")
	leaveOut := func(right corev1.DNSPolicy) string {
		if filled || right == corev1.DNSClusterFirst {
			return fmt.Sprintf("leave it out, or set %s", right)
		}
		return fmt.Sprintf("set %s", right)
	}
	dnsPolicy := path.Child("dnsPolicy")
	switch {
	case pod.DNSPolicy == corev1.DNSDefault && pod.HostNetwork && !filled:
		return field.ErrorList{field.Invalid(dnsPolicy, pod.DNSPolicy, "peer names do not resolve with it; "+leaveOut(corev1.DNSClusterFirstWithHostNet))}
	case pod.DNSPolicy == corev1.DNSDefault:
		return field.ErrorList{field.Invalid(dnsPolicy, pod.DNSPolicy, "peer names do not resolve with it; "+leaveOut(corev1.DNSClusterFirst))}
	case pod.DNSPolicy == corev1.DNSClusterFirst && pod.HostNetwork:
		return field.ErrorList{field.Invalid(dnsPolicy, pod.DNSPolicy,
			"peer names do not resolve with it on the host network; "+leaveOut(corev1.DNSClusterFirstWithHostNet))}
	case pod.DNSPolicy == "" && pod.HostNetwork && !filled:
		return field.ErrorList{field.Required(dnsPolicy, "on the host network, peer names resolve only with another policy than the default; "+leaveOut(corev1.DNSClusterFirstWithHostNet))}
	case pod.DNSPolicy == corev1.DNSNone:
		return dnsConfig(pod.DNSConfig, job.Namespace, clusterDomain, path.Child("dnsConfig"))
	}
	return nil
}

// dnsConfig holds dnsPolicy None to a configuration with which peer names resolve.
func dnsConfig(config *corev1.PodDNSConfig, namespace, clusterDomain string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if config == nil {
		config = &corev1.PodDNSConfig{}
	}
	if len(config.Nameservers) == 0 {
		errs = append(errs, field.Required(path.Child("nameservers"), "with dnsPolicy None: the address of the cluster's DNS Service"))
	}
	want := SearchDomain(namespace, clusterDomain)
	found := slices.ContainsFunc(config.Searches, func(search string) bool {
		search = strings.TrimSuffix(search, ".")
		if namespace != "" {
			return search == want
		}
		any, found := strings.CutSuffix(search, want)
		return found && len(validation.IsDNS1123Label(any)) == 0
	})
	if !found {
		if namespace == "" {
			want = SearchDomain("<namespace>", clusterDomain)
		}
		errs = append(errs, field.Required(path.Child("searches"), fmt.Sprintf(
			"with dnsPolicy None: %q, or the peers' names <hostname>.<service> do not resolve", want)))
	}
	return errs
}
