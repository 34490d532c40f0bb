// SPDX-License-Identifier: Apache-2.0

package merge

import (
	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/results"
)

// comparedKinds are the kinds of which a difference is reported. The names of others
// follow from what they hold.
var comparedKinds = map[string]bool{"Service": true, "Job": true}

// renamed matches the paths that hold names of objects. kustomize changes them at the end
// of a build, and labels in each layer: they may differ until then.
var renamed = lazyregexp.New(`^spec\.(?:selector|template\.metadata|template\.spec\.(?:subdomain|volumes|affinity|topologySpreadConstraints|resourceClaims))\b`)

// WarnOfEdits says which objects that peerjob made differ from what their PeerJob expands
// to now. Either the object was changed, and the next run of the function takes that back,
// or the PeerJob was, and nothing has run the function since.
func WarnOfEdits(objects []*krmlist.Object, expansions []*expansion.Expansion, report *results.Report) {
	wanted := map[krmlist.Identity]*krmlist.Object{}
	makers := map[krmlist.Identity]*expansion.Expansion{}
	for _, e := range expansions {
		for _, child := range e.Children {
			wanted[child.Identity()], makers[child.Identity()] = child, e
		}
	}
	for _, o := range objects {
		child, found := wanted[o.Identity()]
		if !found || !comparedKinds[o.Kind] || !kinds.IsOwned(o.APIVersion, o.Kind, o.Annotations) {
			continue
		}
		var changed []string
		for _, path := range changedPaths(at(stored(o), "spec"), at(stored(child), "spec"), "spec") {
			if !renamed.MatchString(path) {
				changed = append(changed, path)
			}
		}
		if len(changed) > 0 {
			report.Warningf(o, "differs from what %v expands to: %s; change the PeerJob instead, and run the function in the last layer that changes it",
				makers[o.Identity()].Source, listed(changed))
		}
	}
}
