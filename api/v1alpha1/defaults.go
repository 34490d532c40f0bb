// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
)

// Settings are the values which a functionConfig gives for every PeerJob that
// does not set them itself.
type Settings struct {
	// ClusterDomain is the default of spec.clusterDomain; "cluster.local" when
	// it is empty.
	ClusterDomain string
	// KubernetesVersion is the default of spec.kubernetesVersion.
	KubernetesVersion string
	// BarrierImage is the default of spec.barrier.image.
	BarrierImage string
}

// Default fills in what the user may leave out. The names have no default
// here: [PeerJob.ServiceName] says what follows from an unset one, so that an
// error can name the field which the user did write.
func Default(pj *PeerJob, settings Settings) {
	if pj.Spec.Service.PublishNotReadyAddresses == nil {
		pj.Spec.Service.PublishNotReadyAddresses = new(true)
	}
	if pj.Spec.PeerEnv == "" {
		pj.Spec.PeerEnv = Enabled
	}
	if pj.Spec.NameSuffixHash == "" {
		pj.Spec.NameSuffixHash = Disabled
	}
	if pj.Spec.Templating == "" {
		pj.Spec.Templating = Disabled
	}
	for i := range pj.Spec.ValuesFrom {
		if ref := pj.Spec.ValuesFrom[i].ConfigMapRef; ref != nil && ref.Key == "" {
			ref.Key = DefaultValuesKey
		}
	}
	defaultBarrier(pj, settings)
	if pj.Spec.ClusterDomain == "" {
		pj.Spec.ClusterDomain = settings.ClusterDomain
	}
	if pj.Spec.ClusterDomain == "" {
		pj.Spec.ClusterDomain = DefaultClusterDomain
	}
	if pj.Spec.KubernetesVersion == "" {
		pj.Spec.KubernetesVersion = settings.KubernetesVersion
	}
	pod := &pj.Spec.Template.Spec
	if pod.RestartPolicy == "" {
		pod.RestartPolicy = corev1.RestartPolicyNever
	}
	if pod.EnableServiceLinks == nil {
		pod.EnableServiceLinks = new(false)
	}
	if pod.HostNetwork && pod.DNSPolicy == "" {
		pod.DNSPolicy = corev1.DNSClusterFirstWithHostNet
	}
}
