// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/rules"
)

// Brings returns what the framework of a group brings.
func Brings(g *peerjob.Group) peerjob.Brought {
	s, ok := setupOf(g)
	if !ok {
		return peerjob.Brought{}
	}
	return peerjob.Brought{
		Variables: func(container string) []corev1.EnvVar { return Variables(g, container) },
		Command:   func(container string) bool { return s.Leader != nil && s.runsIn(container) },
		Success:   s.Leader != nil,
		Ports:     Ports(g),
		Processes: s.processesSet(),
	}
}

// processesSet is the number that processesPerPeer sets, 0 where it sets none and
// rules.ProcessesOfTheirOwn for a word.
func (s setup) processesSet() int32 {
	if s.spec.ProcessesPerPeer == nil {
		return 0
	}
	if s.spec.ProcessesPerPeer.Type == intstr.String {
		return rules.ProcessesOfTheirOwn
	}
	return s.spec.ProcessesPerPeer.IntVal
}

// Warn returns what is probably not meant, in a group that [Validate] lets through.
func Warn(g *peerjob.Group) []diag.Warning {
	s, ok := setupOf(g)
	runsTorchrun := func(name string) bool { return ok && s.Type == "Torchrun" && s.runsIn(name) }
	processes := int32(0)
	if ok {
		processes = s.processesSet()
	}
	var w []diag.Warning
	for _, role := range g.All() {
		w = append(w, rules.GPUProcesses(role.Template(), runsTorchrun, processes, peerjob.FrameworkPath.Child("processesPerPeer"), role.TemplatePath())...)
	}
	if ok {
		w = append(w, s.warnElasticHostNetwork()...)
	}
	return w
}

// warnElasticHostNetwork finds an elastic group on the host network. There the host
// name is the node's, by which torchrun does not know itself as a peer: index 0 does not
// open the rendezvous, and the others get a name that may not resolve.
// See _matches_machine_hostname in torch/distributed/elastic/rendezvous/utils.py.
func (s setup) warnElasticHostNetwork() []diag.Warning {
	if s.spec.Elastic == nil || !s.group.Template().Spec.HostNetwork {
		return nil
	}
	var w []diag.Warning
	s.group.EachContainer(func(container *corev1.Container, path *field.Path) {
		said := slices.ContainsFunc(rules.Texts(container, path), func(text rules.Text) bool {
			return text.Variable == "PET_LOCAL_ADDR" || strings.Contains(text.Value, "--local-addr") || strings.Contains(text.Value, "--local_addr")
		})
		if !s.runsIn(container.Name) || said || hasVariable(container, "PET_LOCAL_ADDR") {
			return
		}
		w = append(w, diag.Warn(peerjob.FrameworkPath.Child("elastic"),
			"on the host network torchrun does not know itself by its peer name; set PET_LOCAL_ADDR to $(PEERJOB_SELF) in the container %s, and pass --rdzv-conf=is_host=1 on index 0 alone, or leave elastic out", container.Name))
	})
	return w
}
