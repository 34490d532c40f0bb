// SPDX-License-Identifier: Apache-2.0

package rules

import (
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
var groupSizes = []string{"group-size", "group-min-member", "group-min-available", "min-member", "min-available"}

// GroupSize finds labels or annotations by which a scheduler waits for more Pods than
// there are peers. A smaller number is an elastic group.
func GroupSize(values map[string]string, peers int32, path *field.Path) []diag.Warning {
	var w []diag.Warning
	for _, key := range slices.Sorted(maps.Keys(values)) {
		_, name, _ := strings.Cut(key, "/")
		number, err := strconv.ParseInt(values[key], 10, 32)
		isSize := slices.ContainsFunc(groupSizes, func(size string) bool { return name == size || strings.HasSuffix(name, "-"+size) })
		if err == nil && isSize && number > int64(peers) {
			w = append(w, diag.Warn(path.Key(key), "a scheduler waits for %d Pods, and there are %d peers: none would start; write %d or less, or change the number of peers", number, peers, peers))
		}
	}
	return w
}

// gangKeys are the labels and annotations by which a Pod names its PodGroup, of Volcano
// and of the scheduler plugins.
var gangKeys = []string{
	"scheduling.k8s.io/group-name", "scheduling.volcano.sh/group-name",
	"scheduling.x-k8s.io/pod-group", "pod-group.scheduling.sigs.k8s.io", "pod-group.scheduling.sigs.k8s.io/name",
}

// PodGroups returns the names of the PodGroups that the Pods of a template name, sorted.
func PodGroups(template *corev1.PodTemplateSpec) []string {
	names := map[string]bool{}
	for _, key := range gangKeys {
		names[template.Labels[key]] = true
		names[template.Annotations[key]] = true
	}
	if group := template.Spec.SchedulingGroup; group != nil && group.PodGroupName != nil {
		names[*group.PodGroupName] = true
	}
	delete(names, "")
	return slices.Sorted(maps.Keys(names))
}

// ResourceClaimTemplates returns the names of the ResourceClaimTemplates that the Pods
// of a template use, sorted.
func ResourceClaimTemplates(template *corev1.PodTemplateSpec) []string {
	names := map[string]bool{}
	for _, claim := range template.Spec.ResourceClaims {
		if claim.ResourceClaimTemplateName != nil {
			names[*claim.ResourceClaimTemplateName] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
