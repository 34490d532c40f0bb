// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/internal/yamlnode"
)

// immutableFields are the fields of a Job's spec that can't be changed once it
// exists, among those which peerjob writes.
// See ValidateJobSpecUpdate in k8s.io/kubernetes/pkg/apis/batch/validation.
var immutableFields = []string{"completionMode", "backoffLimitPerIndex", "podFailurePolicy", "successPolicy", "managedBy", "template"}

// shownChanges is how many changed fields a warning names.
const shownChanges = 4

// warnOfImmutable says when what a PeerJob made before, and was probably
// applied, now changes in a way which the server refuses.
func warnOfImmutable(existing, child *object, report *results) {
	if existing.inKustomize() || child.kind != "Job" {
		return
	}
	old, next := yamlnode.Get(existing.node(), "spec"), yamlnode.Get(child.node(), "spec")
	var changed []string
	for _, name := range immutableFields {
		changed = append(changed, changedPaths(yamlnode.Get(old, name), yamlnode.Get(next, name), "spec."+name)...)
	}
	if len(changed) == 0 {
		return
	}
	more := ""
	if len(changed) > shownChanges {
		more = fmt.Sprintf(" and %d more", len(changed)-shownChanges)
		changed = changed[:shownChanges]
	}
	report.warningf(child, "these can't be changed in a Job that exists: %s%s; delete the Job in the cluster before you apply this one, or set spec.nameSuffixHash of the PeerJob to Enabled, so that each change is a new Job",
		strings.Join(changed, ", "), more)
}

// changedPaths are the paths of the values in which two nodes differ. Either
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
		eachEntry(next, func(key string, value *yaml.Node) {
			changed = append(changed, changedPaths(yamlnode.Get(old, key), value, path+"."+key)...)
		})
		eachEntry(old, func(key string, value *yaml.Node) {
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
