// SPDX-License-Identifier: Apache-2.0

package merge

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"

	"github.com/peerjob/peerjob/internal/admission"
	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/manifest"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// shownChanges is how many changed fields a warning names.
const shownChanges = 4

// warnOfImmutable says when what a PeerJob made before, and was probably
// applied, now changes in a way that the server refuses.
func warnOfImmutable(existing, child *krmlist.Object, report *results.Report) {
	kind, _ := kinds.Of(child.APIVersion, child.Kind)
	if existing.InKustomize() || len(kind.Immutable) == 0 {
		return
	}
	before, after := stored(existing), stored(child)
	var changed []string
	for _, path := range kind.Immutable {
		changed = append(changed, changedPaths(at(before, path), at(after, path), path)...)
	}
	if len(changed) == 0 {
		return
	}
	if suspend := at(before, "spec.suspend"); suspend != nil && suspend.Value == "true" {
		refused := slices.DeleteFunc(slices.Clone(changed), changesSuspended.MatchString)
		if len(refused) == 0 {
			since := ""
			if slices.ContainsFunc(changed, func(path string) bool { return strings.Contains(path, "].resources") }) {
				since = " (resources from Kubernetes 1.35 on)"
			}
			report.Warningf(child, "these can be changed only in a Job that is suspended and has never started%s: %s; if this one has started, delete it in the cluster before you apply this one, or set spec.nameSuffixHash of the PeerJob to Enabled, so that each change is a new Job",
				since, listed(changed))
			return
		}
		changed = refused
	}
	report.Warningf(child, "these can't be changed in a %s that exists: %s; delete the %[1]s in the cluster before you apply this one, or set spec.nameSuffixHash of the PeerJob to Enabled, so that each change is a new %[1]s",
		kind.Kind, listed(changed))
}

// changesSuspended matches the paths that the server lets change in a suspended Job that
// never started. See JobValidationOptions in k8s.io/kubernetes/pkg/apis/batch/validation.
var changesSuspended = lazyregexp.New(`^spec\.template\.(metadata(\.(labels|annotations)\b|$)|spec\.(nodeSelector|tolerations|affinity|schedulingGates|(initContainers|containers)\[\d+\]\.resources)\b)`)

// listed names the first of some fields, and counts the others.
func listed(fields []string) string {
	if len(fields) <= shownChanges {
		return strings.Join(fields, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(fields[:shownChanges], ", "), len(fields)-shownChanges)
}

// stored returns a Job with its defaults, as a server stores it: a default that is
// written out is no change. Any other object, and a Job that can't be read as one,
// stays as it is.
func stored(o *krmlist.Object) *yaml.Node {
	node := o.Node()
	if o.Kind != "Job" || !yamlnode.IsModest(node) {
		return node
	}
	plain, err := yamlnode.Plain(node)
	if err != nil {
		return node
	}
	job := &batchv1.Job{}
	if data, err := json.Marshal(plain); err != nil || json.Unmarshal(data, job) != nil {
		return node
	}
	if defaulted, err := manifest.Encode(admission.Defaulted(job)); err == nil {
		return defaulted
	}
	return node
}

// at is the value at a path of keys, nil where there is none.
func at(node *yaml.Node, path string) *yaml.Node {
	for key := range strings.SplitSeq(path, ".") {
		node = yamlnode.Get(node, key)
	}
	return node
}

// changedPaths are the paths of the values that differ between two nodes. Either
// may be nil.
func changedPaths(old, next *yaml.Node, path string) []string {
	old, next = yamlnode.Resolve(old), yamlnode.Resolve(next)
	switch {
	case old == nil && next == nil || old != nil && next != nil && equal(old, next):
		return nil
	case old == nil || next == nil || old.Kind != next.Kind || old.Kind == yaml.ScalarNode:
		return []string{path}
	}
	var changed []string
	if old.Kind == yaml.MappingNode {
		yamlnode.EachEntry(next, func(key string, value *yaml.Node) {
			changed = append(changed, changedPaths(yamlnode.Get(old, key), value, path+"."+key)...)
		})
		yamlnode.EachEntry(old, func(key string, value *yaml.Node) {
			if yamlnode.Get(next, key) == nil {
				changed = append(changed, changedPaths(value, nil, path+"."+key)...)
			}
		})
		return changed
	}
	for i := range max(len(old.Content), len(next.Content)) {
		var before, after *yaml.Node
		if i < len(old.Content) {
			before = old.Content[i]
		}
		if i < len(next.Content) {
			after = next.Content[i]
		}
		changed = append(changed, changedPaths(before, after, fmt.Sprintf("%s[%d]", path, i))...)
	}
	return changed
}
