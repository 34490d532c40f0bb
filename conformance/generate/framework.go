// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/peerjob/peerjob/internal/framework"
)

// setFramework wires a framework, mostly one with what it needs. It has a
// stream of chance of its own: a seed grows the rest as it would without.
func (g *generator) setFramework(spec Object, pod *pod) {
	g = g.stream(1)
	if !g.chance(0.25) {
		return
	}
	entry := one(g, g.frameworks()...)
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

// frameworks are the frameworks that there are. One with a leader came after the oldest
// server: a Job succeeds with its leader from 1.31 on.
func (g *generator) frameworks() []framework.Entry {
	entries := framework.Entries()
	if g.old {
		entries = slices.DeleteFunc(entries, func(entry framework.Entry) bool { return entry.Leader != nil })
	}
	return entries
}

// stream is a generator with a stream of chance of its own.
func (g *generator) stream(number uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(g.seed, number)), seed: g.seed, old: g.old, rate: g.rate}
}

// setRolesFramework lets a framework run in roles, mostly in a way that works. It has a
// stream of chance of its own, too.
func (g *generator) setRolesFramework(spec Object, roles List) {
	g = g.stream(2)
	if own, found := spec["framework"].(Object); !found || g.goesWrong() {
		return // the short form's, or none
	} else if entry, found := framework.Find(fmt.Sprint(own["type"])); found {
		g.fitFramework(spec, own, entry, roles)
	}
}

func (g *generator) fitFramework(spec, own Object, entry *framework.Entry, roles List) {
	count := 1 + g.IntN(len(roles))
	hasRunner := spec["runner"] != nil
	switch {
	case len(entry.Tasks) > 0, entry.OneRole != "":
		count = 1
	case entry.Leader != nil && hasRunner:
		count = len(roles) // a leader without a role of its own is refused
	case entry.Leader != nil:
		count = 1
	}
	if entry.Leader != nil && hasRunner && count == 1 {
		delete(spec, "framework")
		return
	}
	hasLeaderRole := entry.Leader != nil && count > 1
	var named, containers List
	for i, r := range roles[:count] {
		role := r.(Object)
		if len(entry.Tasks) > 0 {
			role["name"] = "worker"
		}
		one := Object{"name": role["name"]}
		leads := hasLeaderRole && i == 0
		if entry.Processes != "" && !entry.SameProcesses && (!leads || entry.SSH) && g.chance(0.3) {
			one["processesPerPeer"] = g.value(right(1, 2, 1024).wrongly(0, 1025))
		}
		named = append(named, one)
		container := lastContainer(role)
		if container == nil {
			continue
		}
		if template, _ := role["template"].(Object)["spec"].(Object)["containers"].(List); len(template) > 1 {
			containers = append(containers, container["name"])
		}
		if leads {
			role["peers"] = 1
		}
		if container["command"] == nil && (leads || i > 0 && entry.Leader == nil) {
			container["command"] = g.list(1, 3, command)
		}
		if container["command"] == nil && entry.Leader != nil {
			delete(container, "args")
		}
		if dependsOn, found := role["dependsOn"].(List); found {
			dependsOn[0].(Object)["status"] = "Started"
		}
		if entry.Leader != nil {
			delete(role, "successPolicy")
		}
	}
	own["roles"] = named
	delete(own, "containers")
	if len(containers) > 0 {
		own["containers"] = containers
	}
	if hasLeaderRole {
		delete(own, "leader")
		spec["successRoles"] = List{roles[0].(Object)["name"]}
	}
}

// lastContainer is the last container of a role, which is no init container; nil for none.
func lastContainer(role Object) Object {
	template, _ := role["template"].(Object)
	pod, _ := template["spec"].(Object)
	containers, _ := pod["containers"].(List)
	if len(containers) == 0 {
		return nil
	}
	container, _ := containers[len(containers)-1].(Object)
	return container
}
