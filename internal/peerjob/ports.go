// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/rules"
)

// DerivedPorts returns one Service port per distinct container port, in their
// order, for a Service that names none itself. A port has the container port's
// name, or "<protocol>-<port>" when that has none or the name is taken: a
// Service wants every port named when there is more than one, and each name
// once.
func (g *Group) DerivedPorts() []rules.Port {
	type number struct {
		protocol corev1.Protocol
		port     int32
	}
	var ports []rules.Port
	seen := map[number]bool{}
	for _, port := range g.allPorts() {
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

// containerPorts returns the ports of the Pod, as Service ports with the container
// ports' own names. The runner's comes last.
func (g *Group) containerPorts() []rules.Port {
	return g.withRunnerPort(rules.ContainerPorts(g.Template(), g.TemplatePath()))
}

// allPorts returns those of the Pods of all roles. The runner's comes last.
func (g *Group) allPorts() []rules.Port {
	var ports []rules.Port
	for _, role := range g.All() {
		ports = append(ports, rules.ContainerPorts(role.Template(), role.TemplatePath())...)
	}
	return g.withRunnerPort(ports)
}

func (g *Group) withRunnerPort(ports []rules.Port) []rules.Port {
	if g.HasRunner() {
		ports = append(ports, rules.Port{
			ServicePort: corev1.ServicePort{
				Name: v1alpha1.RunnerName, Port: *g.Runner().Port, Protocol: corev1.ProtocolTCP, AppProtocol: new("tcp"),
			},
			Path: RunnerPath.Child("port"),
		})
	}
	return ports
}
