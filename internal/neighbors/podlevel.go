// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	resourcehelper "k8s.io/component-helpers/resource"

	"github.com/peerjob/peerjob/internal/results"
)

// setPodRequests gives a Pod with resources of its own the requests that it does not have:
// those of its containers together, or its limits.
// See defaultPodRequests in k8s.io/kubernetes/pkg/apis/core/v1.
func setPodRequests(pod *corev1.Pod) {
	if !resourcehelper.IsPodLevelResourcesSet(pod) {
		return
	}
	own := pod.Spec.Resources
	together := resourcehelper.AggregateContainerRequests(pod, resourcehelper.PodResourcesOptions{})
	if len(own.Limits) == 0 {
		return
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if value, found := together[name]; found {
			setMissing(&own.Requests, corev1.ResourceList{name: value})
		}
	}
	for name, value := range own.Limits {
		if resourcehelper.IsSupportedPodLevelResource(name) {
			setMissing(&own.Requests, corev1.ResourceList{name: value})
		}
	}
}

// warnOfPodLevel finds resources of a Pod that its containers do not fit into with the
// defaults of a LimitRange: the server refuses such a Pod. What does not fit without
// them was refused before.
// See validatePodResourceConsistency in k8s.io/kubernetes/pkg/apis/core/validation.
func (e peers) warnOfPodLevel(pod *corev1.Pod, near *neighbors, report *results.Report) {
	if !resourcehelper.IsPodLevelResourcesSet(pod) || len(near.limits) == 0 {
		return
	}
	own := e.FieldOf(field.NewPath("spec", "template", "spec", "resources").String())
	eachContainer(pod, func(container *corev1.Container, path *field.Path) {
		for _, name := range sortedResources(container.Resources.Limits) {
			all, found := pod.Spec.Resources.Limits[name]
			if one := container.Resources.Limits[name]; found && one.Cmp(all) > 0 {
				limits := near.giving(name)
				e.warn(report, own+fmt.Sprintf(".limits[%s]", name), "%s is less than the limit that %v%s gives a container without one, %s, and no Pod would be made; write a limit for the container %s",
					&all, limits, inFileOf(limits.Object), quantity(container.Resources.Limits, name), container.Name)
			}
		}
	})
	together := resourcehelper.AggregateContainerRequests(pod, resourcehelper.PodResourcesOptions{})
	for _, name := range sortedResources(together) {
		all, found := pod.Spec.Resources.Requests[name]
		if sum := together[name]; found && sum.Cmp(all) > 0 {
			limits := near.giving(name)
			e.warn(report, own+fmt.Sprintf(".requests[%s]", name), "%s is less than the containers request with the defaults of %v%s, %s, and no Pod would be made; write requests for the containers",
				&all, limits, inFileOf(limits.Object), &sum)
		}
	}
}

// giving is the LimitRange that gives containers a default of a resource.
func (n *neighbors) giving(name corev1.ResourceName) neighbor[corev1.LimitRange] {
	for _, limits := range n.limits {
		for _, item := range limits.typed.Spec.Limits {
			for _, list := range []corev1.ResourceList{item.Default, item.DefaultRequest, item.Max, item.Min} {
				if _, found := list[name]; found && item.Type == corev1.LimitTypeContainer {
					return limits
				}
			}
		}
	}
	return n.limits[0]
}

// warnOfClaims finds claims of volumes that a LimitRange refuses. The Pods would wait for
// their volumes forever. See PersistentVolumeClaimValidateLimitFunc in
// k8s.io/kubernetes/plugin/pkg/admission/limitranger.
func (e peers) warnOfClaims(pod *corev1.Pod, limits neighbor[corev1.LimitRange], report *results.Report) {
	for i := range pod.Spec.Volumes {
		ephemeral := pod.Spec.Volumes[i].Ephemeral
		if ephemeral == nil || ephemeral.VolumeClaimTemplate == nil {
			continue
		}
		requests := ephemeral.VolumeClaimTemplate.Spec.Resources.Requests
		path := e.FieldOf(field.NewPath("spec", "template", "spec", "volumes").Index(i).Child("ephemeral", "volumeClaimTemplate", "spec", "resources").String())
		for _, item := range limits.typed.Spec.Limits {
			if item.Type != corev1.LimitTypePersistentVolumeClaim {
				continue
			}
			for _, name := range sortedResources(item.Min) {
				if request := requests[name]; request.Cmp(item.Min[name]) < 0 {
					e.warn(report, path+fmt.Sprintf(".requests[%s]", name), "%s is less than %v%s wants of a claim, %s: no claim would be made, and no Pod would start", &request, limits, inFileOf(limits.Object), quantity(item.Min, name))
				}
			}
			for _, name := range sortedResources(item.Max) {
				if request := requests[name]; request.Cmp(item.Max[name]) > 0 {
					e.warn(report, path+fmt.Sprintf(".requests[%s]", name), "%s is more than %v%s allows a claim, %s: no claim would be made, and no Pod would start", &request, limits, inFileOf(limits.Object), quantity(item.Max, name))
				}
			}
		}
	}
}
