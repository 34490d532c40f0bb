// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"math/rand/v2"

	"github.com/peerjob/peerjob/internal/framework"
)

// setFramework wires a framework, mostly one with what it needs. It has a
// stream of chance of its own: a seed grows the rest as it would without.
func (g *generator) setFramework(spec Object, pod *pod) {
	g = &generator{Rand: rand.New(rand.NewPCG(g.seed, 1)), rate: g.rate}
	if !g.chance(0.25) {
		return
	}
	entry := one(g, framework.Entries()...)
	wanted := func(is bool, field field) field {
		if !is && !g.goesWrong() {
			field.chance = 0
		}
		return field
	}
	template, _ := spec["template"].(Object)
	podSpec, _ := template["spec"].(Object)
	containers, _ := podSpec["containers"].(List)
	several := len(containers) != 1
	spec["framework"] = g.object(
		field{"type", always, right(entry.Type).wrongly("torchrun", "", "Horovod")},
		field{"port", 0.3, right(12345, 1, 65535).wrongly(0, 65536, 8787)},
		wanted(entry.Processes != "", field{"processesPerPeer", 0.5, right(1, 2, 8, 1024).wrongly(0, 1025, -1)}),
		wanted(several, field{"containers", always, func() any {
			if len(pod.containers) == 0 {
				return List{"missing"}
			}
			// Init containers come first.
			return List{pod.containers[len(pod.containers)-1]}
		}}),
		wanted(entry.Leader != nil, field{"leader", always, func() any {
			return g.object(
				field{"command", always, func() any { return g.list(1, 3, command) }},
				field{"args", 0.5, func() any { return g.list(1, 12, command) }},
			)
		}}),
		wanted(entry.Elastic, field{"elastic", 0.4, func() any {
			return g.object(field{"minPeers", 0.5, right(1).wrongly(0, 1000000)}, field{"maxRestarts", 0.5, right(0, 3).wrongly(-1)})
		}}),
		wanted(entry.SSH, field{"sshSecretName", always, right("keys", "a.b").wrongly("", "A_b")}),
	)
	if g.goesWrong() {
		return
	}
	delete(spec, "peerEnv")
	if entry.Leader == nil {
		return
	}
	delete(spec, "successPolicy")
	if _, found := spec["backoffLimitPerIndex"]; found {
		spec["maxFailedIndexes"] = 0
	}
	for _, c := range containers {
		if container, ok := c.(Object); ok && container["command"] == nil {
			delete(container, "args")
		}
	}
}
