// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
)

// Port is a container port, as a port of a Service.
type Port struct {
	corev1.ServicePort
	// Path is where the container port stands.
	Path *field.Path
}

// ContainerPorts returns the ports of every container that runs beside the
// others, native sidecars included, with the container ports' own names.
func ContainerPorts(template *corev1.PodTemplateSpec, path *field.Path) []Port {
	var ports []Port
	visit := func(container *corev1.Container, path *field.Path) {
		for i, port := range container.Ports {
			ports = append(ports, Port{
				ServicePort: corev1.ServicePort{
					Name: port.Name, Port: port.ContainerPort, Protocol: cmp.Or(port.Protocol, corev1.ProtocolTCP),
				},
				Path: path.Child("ports").Index(i),
			})
		}
	}
	pod := path.Child("spec")
	for i := range template.Spec.Containers {
		visit(&template.Spec.Containers[i], pod.Child("containers").Index(i))
	}
	for i := range template.Spec.InitContainers {
		container := &template.Spec.InitContainers[i]
		if IsSidecar(container) {
			visit(container, pod.Child("initContainers").Index(i))
		}
	}
	return ports
}

// IsSidecar reports whether an init container runs beside the containers.
func IsSidecar(container *corev1.Container) bool {
	return container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// TargetPorts finds ports that are forwarded nowhere: a headless Service has no
// address that could forward. It reads spec.ports of the Service, which stands at
// the path ports; named are the ports that a name may mean.
func TargetPorts(service *corev1.Service, named []Port, ports *field.Path) []diag.Warning {
	var w []diag.Warning
	for i, port := range service.Spec.Ports {
		target := port.TargetPort.IntVal
		if port.TargetPort.Type == intstr.String {
			target = 0
			if at := slices.IndexFunc(named, func(p Port) bool { return p.Name == port.TargetPort.StrVal }); at >= 0 {
				target = named[at].Port
			}
		}
		if port.TargetPort != (intstr.IntOrString{}) && target != port.Port {
			w = append(w, diag.Warn(ports.Index(i).Child("targetPort"),
				"%s differs from the port, %d, and a headless Service forwards nothing: peers reach the Pod itself; leave it out, and set port to what the container listens on",
				port.TargetPort.String(), port.Port))
		}
	}
	return w
}

// HostNetwork finds peers that can't share a node without saying so: for the container
// ports, and for other ports that the peers listen on. It reads spec.completions of the
// Job.
func HostNetwork(template *corev1.PodTemplateSpec, job *batchv1.Job, ports []Port, others []corev1.ServicePort, path *field.Path) []diag.Warning {
	pod := &template.Spec
	if lastIndex(job) < 1 || keepsApart(pod.Affinity) {
		return nil
	}
	if !pod.HostNetwork {
		return hostPorts(template, path)
	}
	if len(ports)+len(others) == 0 {
		return nil
	}
	if len(ports) == 0 {
		return []diag.Warning{diag.Warn(path.Child("spec", "hostNetwork"),
			"the port %d (%s) is a port of the node, and the scheduler does not know: two peers on one node collide; keep them apart with a required podAntiAffinity on kubernetes.io/hostname", others[0].Port, others[0].Name)}
	}
	return []diag.Warning{diag.Warn(path.Child("spec", "hostNetwork"),
		"the container ports are ports of the node, so two peers on one node collide: a peer without a node of its own stays Pending; say so with a required podAntiAffinity on kubernetes.io/hostname")}
}

// hostPorts finds ports of the node that a container takes although its Pod has a network of
// its own.
func hostPorts(template *corev1.PodTemplateSpec, path *field.Path) []diag.Warning {
	var w []diag.Warning
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		for i, port := range container.Ports {
			if port.HostPort > 0 {
				w = append(w, diag.Warn(path.Child("ports").Index(i).Child("hostPort"),
					"%d is a port of the node, so two peers on one node collide: a peer without a node of its own stays Pending; remove it, because peers reach each other's containerPort, or say so with a required podAntiAffinity on kubernetes.io/hostname", port.HostPort))
			}
		}
	})
	return diag.Few(w)
}

// keepsApart reports whether Pods with this affinity are held to a node each.
func keepsApart(affinity *corev1.Affinity) bool {
	return affinity != nil && affinity.PodAntiAffinity != nil && slices.ContainsFunc(
		affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution,
		func(term corev1.PodAffinityTerm) bool { return term.TopologyKey == corev1.LabelHostname })
}
