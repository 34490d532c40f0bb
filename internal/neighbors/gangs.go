// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"slices"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/rules"
)

// gang is what is read of an object that says how many Pods must be placed together.
type gang struct {
	Spec struct {
		// MinMember is that of a PodGroup of Volcano or of the scheduler plugins.
		MinMember int64 `json:"minMember"`
		// SchedulingPolicy is that of a PodGroup of Kubernetes.
		SchedulingPolicy schedulingPolicy `json:"schedulingPolicy"`
		// MinTaskMember is that of a PodGroup of Volcano, by the task of the Pods.
		MinTaskMember map[string]int64 `json:"minTaskMember"`
		// ControllerRef, PodGroupTemplates and PodGroups are those of a Workload of
		// Kubernetes; the last are those of its first version, in 1.35.
		ControllerRef struct {
			APIGroup string `json:"apiGroup"`
			Kind     string `json:"kind"`
			Name     string `json:"name"`
		} `json:"controllerRef"`
		PodGroupTemplates []struct {
			Name             string           `json:"name"`
			SchedulingPolicy schedulingPolicy `json:"schedulingPolicy"`
		} `json:"podGroupTemplates"`
		PodGroups []struct {
			Name   string           `json:"name"`
			Policy schedulingPolicy `json:"policy"`
		} `json:"podGroups"`
		// NumNodes and Channel are those of a ComputeDomain of NVIDIA's DRA driver.
		NumNodes int64 `json:"numNodes"`
		Channel  struct {
			ResourceClaimTemplate struct {
				Name string `json:"name"`
			} `json:"resourceClaimTemplate"`
		} `json:"channel"`
	} `json:"spec"`
}

// schedulingPolicy is how Kubernetes schedules the Pods of a group.
type schedulingPolicy struct {
	Gang struct {
		MinCount int64 `json:"minCount"`
	} `json:"gang"`
}

// taskAnnotation is the task of a Pod for Volcano.
const taskAnnotation = "volcano.sh/task-spec"

// size is how many Pods must be placed together, and the field that says so. task is that
// of the Pods for Volcano.
func (g *gang) size(task string) (int64, string) {
	size, field := g.Spec.NumNodes, "numNodes"
	for _, other := range []struct {
		size  int64
		field string
	}{{g.Spec.MinMember, "minMember"}, {g.Spec.MinTaskMember[task], "minTaskMember"}, {g.Spec.SchedulingPolicy.Gang.MinCount, "minCount"}} {
		if other.size > size {
			size, field = other.size, other.field
		}
	}
	for _, group := range g.Spec.PodGroupTemplates {
		size = max(size, group.SchedulingPolicy.Gang.MinCount)
	}
	for _, group := range g.Spec.PodGroups {
		size = max(size, group.Policy.Gang.MinCount)
	}
	if len(g.Spec.PodGroupTemplates)+len(g.Spec.PodGroups) > 0 {
		field = "minCount"
	}
	return size, field
}

// isWorkload reports whether an object is a Workload of Kubernetes, and none of Kueue's.
func isWorkload(o *krmlist.Object) bool {
	return o.Kind == "Workload" && o.Group() == "scheduling.k8s.io"
}

// workloadKinds are the kinds of objects with Pods that may belong to a gang, too.
var workloadKinds = []string{"Pod", "Job", "CronJob", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "JobSet", "LeaderWorkerSet"}

// warnOfGangs finds gangs of more Pods than all PeerJobs have that belong to them. Fewer
// are an elastic gang, and one that other workloads of the list may belong to is left
// alone.
func (e peers) warnOfGangs(near *neighbors, expansions []*expansion.Expansion, report *results.Report) {
	for _, gang := range near.gangs {
		name, belongs := membersOf(gang)
		if name == "" || inOtherVariant(e.Source, gang.Object) || !belongs(e) {
			continue
		}
		members := e.sum(expansions, func(other peers) bool { return !inOtherVariant(other.Source, gang.Object) && belongs(other) })
		size, field := gang.typed.size(e.Group.Template().Annotations[taskAnnotation])
		if size > members && (isWorkload(gang.Object) || !near.isShared(name)) {
			e.warn(report, e.Group.Path.Child("peers").String(), "%v%s waits for %s (%s), and %s: none would start; write %d there, or change the number of peers",
				gang, inFileOf(gang.Object), diag.Count(size, "Pod"), field, diag.There(members, "peer"), members)
		}
	}
	if name := rules.KueueGroup(e.Group.Template()); name != "" && !near.isShared(name) {
		members := e.sum(expansions, func(other peers) bool { return rules.KueueGroup(other.Group.Template()) == name })
		report.AddWarnings(e.Source, rules.KueueTotalCount(e.Group.Template(), members, e.Group.TemplatePath()))
	}
}

// membersOf returns the name of a gang by which others may belong to it, and whether the
// peers of a PeerJob do. A name of before a rename counts, too: the Component gives Pods
// the new one at the end of the build.
func membersOf(g neighbor[gang]) (name string, belongs func(peers) bool) {
	switch {
	case isWorkload(g.Object):
		ref := g.typed.Spec.ControllerRef
		return ref.Name, func(e peers) bool {
			return ref.APIGroup == "batch" && ref.Kind == "Job" && (ref.Name == e.Group.JobName || slices.Contains(e.jobNames(e.Group), ref.Name))
		}
	case g.Kind == "ComputeDomain":
		name := g.typed.Spec.Channel.ResourceClaimTemplate.Name
		return name, func(e peers) bool { return slices.Contains(rules.ResourceClaimTemplates(e.Group.Template()), name) }
	}
	return g.Name, func(e peers) bool {
		return slices.ContainsFunc(rules.PodGroups(e.Group.Template()), func(name string) bool { return slices.Contains(g.Names(), name) })
	}
}

// sum is the number of peers of all PeerJobs of the neighborhood that belong to something.
func (e peers) sum(expansions []*expansion.Expansion, belongs func(peers) bool) int64 {
	members := int64(0)
	for _, other := range expansions {
		if neighborhoodOf(other.Source) != neighborhoodOf(e.Source) {
			continue
		}
		for _, role := range peersOf(other) {
			if belongs(role) {
				members += int64(role.Group.Peers())
			}
		}
	}
	return members
}

// isShared reports whether another workload may name a gang.
func (n *neighbors) isShared(name string) bool {
	return slices.ContainsFunc(n.workloads, func(o *krmlist.Object) bool { return o.Mentions(name) })
}
