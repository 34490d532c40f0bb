// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/framework"
)

func service(pj *v1alpha1.PeerJob) *corev1.Service {
	wanted := &pj.Spec.Service
	svc := (&corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: objectMeta(pj, pj.ServiceName()),
		Spec: corev1.ServiceSpec{
			ClusterIP:                corev1.ClusterIPNone,
			PublishNotReadyAddresses: *wanted.PublishNotReadyAddresses,
			Selector:                 pj.SelectorLabels(),
			IPFamilyPolicy:           wanted.IPFamilyPolicy,
			IPFamilies:               wanted.IPFamilies,
			Ports:                    wanted.Ports,
		},
	}).DeepCopy()
	svc.Labels = withOwn(svc.Labels, wanted.Labels)
	svc.Annotations = withOwn(svc.Annotations, wanted.Annotations)
	if wanted.Ports == nil {
		for _, port := range pj.DerivedPorts() {
			svc.Spec.Ports = append(svc.Spec.Ports, port.ServicePort)
		}
	}
	for _, port := range framework.Ports(pj) {
		if !hasPort(svc.Spec.Ports, port) {
			svc.Spec.Ports = append(svc.Spec.Ports, port)
		}
	}
	return svc
}

// hasPort reports whether there is a port with the number and the protocol.
func hasPort(ports []corev1.ServicePort, port corev1.ServicePort) bool {
	return slices.ContainsFunc(ports, func(other corev1.ServicePort) bool {
		return other.Port == port.Port && cmp.Or(other.Protocol, corev1.ProtocolTCP) == port.Protocol
	})
}
