// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
)

// Settings are the values that a functionConfig gives for every PeerJob that
// does not set them itself.
type Settings struct {
	// ClusterDomain is the default of spec.clusterDomain; "cluster.local" when
	// it is empty.
	ClusterDomain string
	// KubernetesVersion is the default of spec.kubernetesVersion.
	KubernetesVersion string
	// RunnerImage is the default of spec.runner.image.
	RunnerImage string
}

// Default fills in what the user may leave out. The names have no default
// here: what an unset one stands for follows from metadata.name, so that an
// error can name the field that the user did write.
func Default(pj *PeerJob, settings Settings) {
	spec := &pj.Spec
	spec.Service.PublishNotReadyAddresses = cmp.Or(spec.Service.PublishNotReadyAddresses, new(true))
	spec.PeerEnv = cmp.Or(spec.PeerEnv, Enabled)
	spec.NameSuffixHash = cmp.Or(spec.NameSuffixHash, Disabled)
	spec.Templating = cmp.Or(spec.Templating, Disabled)
	for i := range spec.ValuesFrom {
		if ref := spec.ValuesFrom[i].ConfigMapRef; ref != nil {
			ref.Key = cmp.Or(ref.Key, DefaultValuesKey)
		}
	}
	defaultFailurePolicy(spec.FailurePolicy)
	defaultBarrier(&spec.Barrier, spec.FailurePolicy.Restarts())
	if spec.Barrier.Enabled() || spec.FailurePolicy != nil {
		defaultRunner(&spec.Runner, settings)
	}
	spec.ClusterDomain = cmp.Or(spec.ClusterDomain, settings.ClusterDomain, DefaultClusterDomain)
	spec.KubernetesVersion = cmp.Or(spec.KubernetesVersion, settings.KubernetesVersion)
	if len(spec.Roles) == 0 {
		defaultPod(&spec.Template.Spec)
	}
	for i := range spec.Roles {
		defaultPod(&spec.Roles[i].Template.Spec)
	}
}

func defaultPod(pod *corev1.PodSpec) {
	pod.RestartPolicy = cmp.Or(pod.RestartPolicy, corev1.RestartPolicyNever)
	pod.EnableServiceLinks = cmp.Or(pod.EnableServiceLinks, new(false))
	if pod.HostNetwork {
		pod.DNSPolicy = cmp.Or(pod.DNSPolicy, corev1.DNSClusterFirstWithHostNet)
	}
}

// Enabled reports whether the peers wait for each other, at the start or at the end.
func (b *PeerBarrier) Enabled() bool { return b.Start == Enabled || b.End == Enabled }

// Restarts reports whether the group starts again after a failure. A nil policy does not.
func (p *PeerFailurePolicy) Restarts() bool { return p != nil && p.Action == RestartPeerJob }

// defaultFailurePolicy sets no onDisruption: the runner has the same default.
func defaultFailurePolicy(p *PeerFailurePolicy) {
	if p.Restarts() {
		p.BackoffSeconds = cmp.Or(p.BackoffSeconds, new(int32(DefaultBackoffSeconds)))
	}
}

// defaultBarrier leaves alone what the user did not write at all, unless the group
// restarts: then nobody starts before all are there, and who is done waits without limit.
func defaultBarrier(b *PeerBarrier, restarts bool) {
	if restarts {
		b.Start = cmp.Or(b.Start, Enabled)
		b.End = cmp.Or(b.End, Enabled)
	}
	if *b == (PeerBarrier{}) {
		return
	}
	b.Start = cmp.Or(b.Start, Disabled)
	b.End = cmp.Or(b.End, Disabled)
	if b.Start == Enabled {
		b.StartTimeoutSeconds = cmp.Or(b.StartTimeoutSeconds, new(int32(DefaultStartTimeoutSeconds)))
	}
	if b.End == Enabled && !restarts {
		b.EndTimeoutSeconds = cmp.Or(b.EndTimeoutSeconds, new(int32(DefaultEndTimeoutSeconds)))
	}
}

func defaultRunner(r *PeerRunner, settings Settings) {
	r.Delivery = cmp.Or(r.Delivery, InitContainerDelivery)
	r.Image = cmp.Or(r.Image, settings.RunnerImage)
	r.Port = cmp.Or(r.Port, new(int32(DefaultRunnerPort)))
}
