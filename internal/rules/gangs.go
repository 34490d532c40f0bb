// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
)

// groupSizes are the names of labels and annotations, behind their domain, that say how
// many Pods a scheduler must place together.
var groupSizes = []string{"group-size", "group-min-member", "group-min-available", "min-member", "min-available", "gang-size", "minMember", "minAvailable"}

// GroupSize finds labels or annotations by which a scheduler waits for more Pods than
// there are peers. A smaller number is an elastic group.
func GroupSize(values map[string]string, peers int32, path *field.Path) []diag.Warning {
	var w []diag.Warning
	for _, key := range slices.Sorted(maps.Keys(values)) {
		name := key[strings.LastIndexByte(key, '/')+1:]
		number, err := strconv.ParseInt(values[key], 10, 32)
		isSize := slices.ContainsFunc(groupSizes, func(size string) bool {
			return name == size || strings.HasSuffix(name, "-"+size) || strings.HasSuffix(name, "."+size)
		})
		if err == nil && isSize && number > int64(peers) {
			w = append(w, diag.Warn(path.Key(key), "a scheduler waits for %s, and %s: none would start; write %d or less, or change the number of peers", diag.Count(number, "Pod"), diag.There(peers, "peer"), peers))
		}
	}
	if size := taskGroupSize(values); size > max(0, int64(peers)) {
		w = append(w, diag.Warn(path.Key(taskGroups), "YuniKorn holds room for %s of the group %s, and %s: they wait until there is room for all, and the rest stays unused; write minMember %d or less, or change the number of peers",
			diag.Count(size, "Pod"), values[taskGroupName], diag.There(peers, "peer"), peers))
	}
	return w
}

// The annotations of YuniKorn by which a Pod says which groups its application has, and
// which is its own.
// See https://yunikorn.apache.org/docs/user_guide/gang_scheduling/.
const (
	taskGroups    = "yunikorn.apache.org/task-groups"
	taskGroupName = "yunikorn.apache.org/task-group-name"
)

// taskGroupSize is the minMember of the group of YuniKorn that Pods with these annotations
// belong to, 0 if they belong to none.
func taskGroupSize(annotations map[string]string) int64 {
	var groups []struct {
		Name      string `json:"name"`
		MinMember int64  `json:"minMember"`
	}
	if annotations[taskGroupName] == "" || json.Unmarshal([]byte(annotations[taskGroups]), &groups) != nil {
		return 0
	}
	for _, group := range groups {
		if group.Name == annotations[taskGroupName] {
			return group.MinMember
		}
	}
	return 0
}

// kueueTotalCount is the annotation of a Pod with the number of Pods in its group of Kueue,
// and kueueGroup the label with the name of that group.
// See https://kueue.sigs.k8s.io/docs/tasks/run/plain_pods/.
const (
	kueueTotalCount = "kueue.x-k8s.io/pod-group-total-count"
	kueueGroup      = "kueue.x-k8s.io/pod-group-name"
)

// KueueGroup returns the group of Kueue that the Pods of a template belong to, "" if they
// belong to none.
func KueueGroup(template *corev1.PodTemplateSpec) string { return template.Labels[kueueGroup] }

// KueueTotalCount finds Pods that are more or fewer than Kueue wants of their group: it is
// exact. members are all Pods of the group.
func KueueTotalCount(template *corev1.PodTemplateSpec, members int64, path *field.Path) []diag.Warning {
	total, err := strconv.ParseInt(template.Annotations[kueueTotalCount], 10, 64)
	if KueueGroup(template) == "" || err != nil || total == members {
		return nil
	}
	what := "the group never has as many, and none would start"
	if total < members {
		what = "Kueue removes those that are too many"
	}
	return []diag.Warning{diag.Warn(path.Child("metadata", "annotations").Key(kueueTotalCount),
		"the group %s has %s for Kueue, and %s: %s; write %d, or change the number of peers", KueueGroup(template), diag.Count(total, "Pod"), diag.There(members, "peer"), what, members)}
}

// gangKeys are the labels and annotations by which a Pod names its PodGroup, of Volcano
// and of the scheduler plugins.
var gangKeys = []string{
	"scheduling.k8s.io/group-name", "scheduling.volcano.sh/group-name",
	"scheduling.x-k8s.io/pod-group", "pod-group.scheduling.sigs.k8s.io", "pod-group.scheduling.sigs.k8s.io/name",
}

// PodGroups returns the names of the PodGroups that the Pods of a template name, sorted.
func PodGroups(template *corev1.PodTemplateSpec) []string { return namesOf("PodGroup", template) }

// ResourceClaimTemplates returns the names of the ResourceClaimTemplates that the Pods
// of a template use, sorted.
func ResourceClaimTemplates(template *corev1.PodTemplateSpec) []string {
	return namesOf("ResourceClaimTemplate", template)
}

// namesOf are the names of objects of a kind in a template, sorted.
func namesOf(kind string, template *corev1.PodTemplateSpec) []string {
	var names []string
	for _, n := range NamedObjects(template, nil) {
		if n.Kind == kind {
			names = append(names, n.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
