// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"cmp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// DerivedPort is a port of the Service which follows from a container port.
type DerivedPort struct {
	corev1.ServicePort
	// Path is the container port which it follows from.
	Path *field.Path
}

// DerivedPorts returns one Service port per distinct container port, in their
// order, for a PeerJob that names none itself. A port has the container port's
// name, or "<protocol>-<port>" when that has none or the name is taken: a
// Service wants every port named when there is more than one, and each name
// once.
func (pj *PeerJob) DerivedPorts() []DerivedPort {
	type number struct {
		protocol corev1.Protocol
		port     int32
	}
	var ports []DerivedPort
	seen := map[number]bool{}
	for _, port := range containerPorts(pj) {
		if n := (number{port.Protocol, port.Port}); !seen[n] {
			seen[n] = true
			ports = append(ports, port)
		}
	}
	taken := map[string]bool{}
	for i, port := range ports {
		if taken[port.Name] {
			ports[i].Name = ""
		} else if port.Name != "" {
			taken[port.Name] = true
		}
	}
	for i := range ports {
		port := &ports[i]
		if port.Name != "" {
			continue
		}
		plain := strings.ToLower(string(port.Protocol)) + "-" + strconv.Itoa(int(port.Port))
		port.Name = plain
		for n := 2; taken[port.Name]; n++ {
			port.Name = plain + "-" + strconv.Itoa(n)
		}
		taken[port.Name] = true
	}
	return ports
}

// containerPorts returns the ports of every container that runs beside the
// others, native sidecars included, as Service ports with the container ports'
// own names. The barrier's comes last.
func containerPorts(pj *PeerJob) []DerivedPort {
	pod := &pj.Spec.Template.Spec
	var ports []DerivedPort
	visit := func(container *corev1.Container, path *field.Path) {
		for i, port := range container.Ports {
			ports = append(ports, DerivedPort{
				ServicePort: corev1.ServicePort{
					Name: port.Name, Port: port.ContainerPort, Protocol: cmp.Or(port.Protocol, corev1.ProtocolTCP),
				},
				Path: path.Child("ports").Index(i),
			})
		}
	}
	for i := range pod.Containers {
		visit(&pod.Containers[i], podPath.Child("containers").Index(i))
	}
	for i := range pod.InitContainers {
		container := &pod.InitContainers[i]
		if container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			visit(container, podPath.Child("initContainers").Index(i))
		}
	}
	if pj.HasBarrier() {
		ports = append(ports, DerivedPort{
			ServicePort: corev1.ServicePort{
				Name: BarrierContainer, Port: pj.BarrierPort(), Protocol: corev1.ProtocolTCP, AppProtocol: new("http"),
			},
			Path: barrierPath.Child("port"),
		})
	}
	return ports
}
