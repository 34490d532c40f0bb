// SPDX-License-Identifier: Apache-2.0

package pod

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// clusterDomain is the DNS domain of the cluster that there is not.
const clusterDomain = "cluster.local"

// hosts is the /etc/hosts of a Pod: what the kubelet writes, then every name
// that the cluster's DNS would answer.
// See managedHostsFileContent in k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go.
func (o *Objects) hosts(index int32, addresses []string) string {
	var text strings.Builder
	text.WriteString("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n")
	spec := &o.Job.Spec.Template.Spec
	self := o.hostname(index)
	if spec.Subdomain != "" {
		fmt.Fprintf(&text, "%s\t%s.%s\t%s\n", addresses[o.first()+int(index)], self, o.domain(), self)
	} else {
		fmt.Fprintf(&text, "%s\t%s\n", addresses[o.first()+int(index)], self)
	}
	for _, of := range o.Each() {
		if !of.published() {
			continue
		}
		for i := range of.Size() {
			fqdn := of.hostname(i) + "." + of.domain()
			fmt.Fprintf(&text, "%s\t%s", addresses[of.first()+int(i)], fqdn)
			for _, search := range o.searches() {
				if short, found := strings.CutSuffix(fqdn, "."+search); found {
					text.WriteString(" " + short)
				}
			}
			text.WriteString("\n")
		}
	}
	return text.String()
}

// domain is the part of a peer's full name after its host name.
func (o *Objects) domain() string {
	return fmt.Sprintf("%s.%s.svc.%s", o.Job.Spec.Template.Spec.Subdomain, o.Namespace(), clusterDomain)
}

// searches are the domains in which a Pod looks up a short name.
func (o *Objects) searches() []string {
	spec := &o.Job.Spec.Template.Spec
	var all []string
	switch spec.DNSPolicy {
	case "", corev1.DNSClusterFirst, corev1.DNSClusterFirstWithHostNet:
		all = []string{o.Namespace() + ".svc." + clusterDomain, "svc." + clusterDomain, clusterDomain}
	}
	if spec.DNSConfig != nil {
		all = append(all, spec.DNSConfig.Searches...)
	}
	return all
}

// published reports whether the cluster's DNS has a name for each Pod: when a
// headless Service of the subdomain's name selects them.
func (o *Objects) published() bool {
	service := o.Services[o.Job.Spec.Template.Spec.Subdomain]
	if service == nil || service.Namespace != o.Job.Namespace ||
		service.Spec.ClusterIP != corev1.ClusterIPNone || len(service.Spec.Selector) == 0 {
		return false
	}
	labels := o.object(0).Labels
	for key, value := range service.Spec.Selector {
		if labels[key] != value {
			return false
		}
	}
	return true
}
