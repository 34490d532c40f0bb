// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/rules"
)

// Paths of fields of any object, and of a PeerJob.
var (
	metadataPath  = field.NewPath("metadata")
	specPath      = field.NewPath("spec")
	pjServicePath = specPath.Child("service")
	pjPeerEnvPath = specPath.Child("peerEnv")
	runnerPort    = peerjob.RunnerPath.Child("port")
)

func service(g *peerjob.Group) origin.Object {
	wanted := &g.PeerJob.Spec.Service
	svc := (&corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: objectMeta(g.PeerJob, g.ServiceName()),
		Spec: corev1.ServiceSpec{
			ClusterIP:                corev1.ClusterIPNone,
			PublishNotReadyAddresses: *wanted.PublishNotReadyAddresses,
			Selector:                 g.SelectorLabels(),
			IPFamilyPolicy:           wanted.IPFamilyPolicy,
			IPFamilies:               wanted.IPFamilies,
			Ports:                    wanted.Ports,
		},
	}).DeepCopy()
	svc.Labels = withOwn(svc.Labels, wanted.Labels)
	svc.Annotations = withOwn(svc.Annotations, wanted.Annotations)
	derived := addPorts(g, svc)
	return origin.Object{Object: svc, Origins: origin.New(func(from *origin.Map) {
		from.From(specPath, pjServicePath)
		from.From(metadataPath.Child("name"), g.ServiceNamePath())
		ownEntries(from, metadataPath.Child("labels"), wanted.Labels, pjServicePath.Child("labels"))
		ownEntries(from, metadataPath.Child("annotations"), wanted.Annotations, pjServicePath.Child("annotations"))
		from.All(specPath.Child("selector"), selectorFrom(g))
		portOrigins(from, g, derived, len(wanted.Ports))
	})}
}

// selectorFrom is the field of the PeerJob that the label of the selector comes from.
func selectorFrom(g *peerjob.Group) *field.Path {
	if g.HasRoles() {
		return g.ServiceNamePath()
	}
	return peerjob.NamePath
}

// addPorts adds the ports that follow from the containers, unless the user named
// some, and those of the framework. It returns the former.
func addPorts(g *peerjob.Group, svc *corev1.Service) (derived []rules.Port) {
	if svc.Spec.Ports == nil {
		derived = g.DerivedPorts()
		for _, port := range derived {
			svc.Spec.Ports = append(svc.Spec.Ports, port.ServicePort)
		}
	}
	for _, port := range framework.Ports(g) {
		if !hasPort(svc.Spec.Ports, port) {
			svc.Spec.Ports = append(svc.Spec.Ports, port)
		}
	}
	return derived
}

// portOrigins says where the ports of the Service came from: the user's own or the
// derived ones, and behind them those of the framework.
func portOrigins(from *origin.Map, g *peerjob.Group, derived []rules.Port, own int) {
	ports := specPath.Child("ports")
	from.AllElements(ports, own+len(derived), -1, peerjob.FrameworkPath)
	for i, port := range derived {
		at := ports.Index(i)
		if port.Path.String() == runnerPort.String() {
			from.All(at, runnerPort)
			continue
		}
		from.From(at, port.Path)
		from.From(at.Child("port"), port.Path.Child("containerPort"))
		from.From(at.Child("targetPort"), port.Path.Child("containerPort"))
	}
}

// hasPort reports whether there is a port with the number and the protocol.
func hasPort(ports []corev1.ServicePort, port corev1.ServicePort) bool {
	return slices.ContainsFunc(ports, func(other corev1.ServicePort) bool {
		return other.Port == port.Port && cmp.Or(other.Protocol, corev1.ProtocolTCP) == port.Protocol
	})
}
