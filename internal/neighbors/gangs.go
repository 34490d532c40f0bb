// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"slices"

	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/rules"
)

// gang is what is read of an object that says how many Pods must be placed together.
type gang struct {
	Spec struct {
		// MinMember is that of a PodGroup of Volcano or of the scheduler plugins.
		MinMember int64 `json:"minMember"`
		// SchedulingPolicy is that of a PodGroup of Kubernetes.
		SchedulingPolicy struct {
			Gang struct {
				MinCount int64 `json:"minCount"`
			} `json:"gang"`
		} `json:"schedulingPolicy"`
		// NumNodes and Channel are those of a ComputeDomain of NVIDIA's DRA driver.
		NumNodes int64 `json:"numNodes"`
		Channel  struct {
			ResourceClaimTemplate struct {
				Name string `json:"name"`
			} `json:"resourceClaimTemplate"`
		} `json:"channel"`
	} `json:"spec"`
}

// size is how many Pods must be placed together, and the field that says so.
func (g *gang) size() (int64, string) {
	switch {
	case g.Spec.MinMember > 0:
		return g.Spec.MinMember, "minMember"
	case g.Spec.SchedulingPolicy.Gang.MinCount > 0:
		return g.Spec.SchedulingPolicy.Gang.MinCount, "minCount"
	}
	return g.Spec.NumNodes, "numNodes"
}

// workloadKinds are the kinds of objects with Pods that may belong to a gang, too.
var workloadKinds = []string{"Pod", "Job", "CronJob", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "JobSet", "LeaderWorkerSet"}

// warnOfGangs finds gangs of more Pods than all PeerJobs have that belong to them. Fewer
// are an elastic gang, and one that other workloads of the list may belong to is left
// alone.
func (e peers) warnOfGangs(near *neighbors, expansions []*expansion.Expansion, report *results.Report) {
	for _, gang := range near.gangs {
		size, field := gang.typed.size()
		name := gang.Name
		if gang.Kind == "ComputeDomain" {
			name = gang.typed.Spec.Channel.ResourceClaimTemplate.Name
		}
		belongs := func(other *expansion.Expansion) bool {
			names := rules.PodGroups
			if gang.Kind == "ComputeDomain" {
				names = rules.ResourceClaimTemplates
			}
			return neighborhoodOf(other.Source) == neighborhoodOf(e.Source) && slices.Contains(names(other.Group.Template()), name)
		}
		if name == "" || !belongs(e.Expansion) {
			continue
		}
		members := int64(0)
		for _, other := range expansions {
			if belongs(other) {
				members += int64(other.Group.Peers())
			}
		}
		isShared := false
		for _, workload := range near.workloads {
			isShared = isShared || workload.Mentions(name)
		}
		if size > members && !isShared {
			e.warn(report, "spec.peers", "%v%s waits for %d Pods (%s), and there are %d peers: none would start; write %d there, or change the number of peers",
				gang, inFileOf(gang.Object), size, field, members, members)
		}
	}
}
