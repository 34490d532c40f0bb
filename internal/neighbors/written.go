// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/rules"
)

// Written are the reports of [WarnWritten], by what is in the way.
type Written struct {
	// Gangs are about schedulers that wait for more Pods than there are, Policies about
	// NetworkPolicies, Resources about LimitRanges and ResourceQuotas, and Selectors about
	// selectors that name the Job by a name without its prefix or suffix.
	Gangs, Policies, Resources, Selectors results.Report
}

// WarnWritten reports the same of Services and Jobs that people wrote by hand: each
// expansion stands for a pair. It leaves out what they say of themselves, which
// internal/lint judges, and other Services for the same Pods, which are often meant.
func WarnWritten(expansions []*expansion.Expansion, objects []*krmlist.Object) *Written {
	report := &Written{}
	all := findNeighbors(expansions, objects, nil, []string{""}, nil)
	for _, e := range expansions {
		near := all[neighborhoodOf(e.Source)]
		if near.isEmpty() && len(near.workloads) == 0 {
			continue
		}
		e := peersOf(e)[0] // a pair has one Job
		e.warnOfGangs(near, expansions, &report.Gangs)
		e.warnOfNetworkPolicies(near.policies, &report.Policies)
		e.warnOfResources(near, expansions, &report.Resources)
		for _, n := range near.references {
			for _, r := range n.found {
				for _, name := range r.names {
					isOther := near.jobNames[name] > 0 || slices.ContainsFunc(expansions, func(other *expansion.Expansion) bool { return other.Group().JobName == name })
					if rules.IsJobNameLabel(r.key) && r.operator == metav1.LabelSelectorOpIn && !slices.Contains(r.names, e.Group.JobName) && rules.IsAffixed(e.Group.JobName, name) && !isOther {
						report.Selectors.AddWarnings(n.Object, []diag.Warning{diag.Warn(r.path,
							"selects the Pods of the Job %s, and there is none; if those of the Job %s are meant, write that", name, e.Group.JobName)})
					}
				}
			}
		}
	}
	return report
}
