// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/rules"
)

// warnOfNamed finds names of objects in the Pod template that kustomize has renamed: the
// objects, and not the names. With the Component it gives most of them the new names,
// after the function.
func (e peers) warnOfNamed(named []*krmlist.Object, report *results.Report) {
	// A PeerJob that was not renamed does not say whether the Component is there.
	if len(e.Source.Names()) < 2 {
		return
	}
	pj := e.Group.PeerJob
	all := slices.Concat(
		rules.NamedQueues(pj.Labels, field.NewPath("metadata", "labels")),
		rules.NamedObjects(e.Group.Template(), e.Group.TemplatePath()),
	)
	for _, own := range e.Group.JobMetas() {
		all = append(all, rules.NamedQueues(own.Labels, own.Path.Child("labels"))...)
	}
	var w []diag.Warning
	for _, n := range all {
		if e.hasComponent() && !n.Part {
			continue
		}
		var now *krmlist.Object
		isThere := false
		for _, o := range named {
			isNear := o.Package == e.Source.Package && (o.Namespace == e.Source.Namespace || slices.Contains(rules.ClusterKinds, o.Kind))
			if o.Kind != n.Kind || !isNear || inOtherVariant(e.Source, o) {
				continue
			}
			isThere = isThere || o.Name == n.Name
			if slices.Contains(o.Names(), n.Name) {
				now = o
			}
		}
		if now == nil || isThere {
			continue
		}
		cure := "write " + now.Name
		if !n.Part {
			cure = "list peerjob's Component under components:, or " + cure
		}
		one := diag.Warn(n.Path, "names the %s %s, and it is %s now: kustomize renames it there and not here; %s", n.Kind, n.Name, now.Name, cure)
		if !slices.Contains(w, one) {
			w = append(w, one)
		}
	}
	report.AddWarnings(e.Source, diag.Few(w))
}
