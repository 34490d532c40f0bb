// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
	resourcehelper "k8s.io/component-helpers/resource"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/rules"
)

// warnOfResources finds LimitRanges and ResourceQuotas that keep Pods from being made.
func (e peers) warnOfResources(near *neighbors, expansions []*expansion.Expansion, report *results.Report) {
	if len(near.limits)+len(near.quotas) == 0 {
		return
	}
	pod := e.podOf()
	for _, limits := range near.limits {
		e.setDefaults(pod, limits, report)
	}
	e.warnOfPodLevel(pod, near, report)
	setPodRequests(pod)
	for _, limits := range near.limits {
		e.warnOfLimits(pod, limits, report)
		e.warnOfClaims(pod, limits, report)
	}
	for _, quota := range near.quotas {
		e.warnOfQuota(pod, quota, report)
		e.warnOfObjectQuota(quota, expansions, report)
	}
}

// podOf returns a Pod of the peers, as the server completes it: what has a limit and no
// request requests its limit (SetDefaults_Pod in k8s.io/kubernetes/pkg/apis/core/v1).
func (e peers) podOf() *corev1.Pod {
	pod := &corev1.Pod{Spec: *e.PodTemplate().Spec.DeepCopy()}
	eachContainer(pod, func(container *corev1.Container, _ *field.Path) {
		setMissing(&container.Resources.Requests, container.Resources.Limits)
	})
	return pod
}

// eachContainer visits every container with its path in the Job.
func eachContainer(pod *corev1.Pod, visit func(container *corev1.Container, path *field.Path)) {
	rules.EachContainer(&corev1.PodTemplateSpec{Spec: pod.Spec}, field.NewPath("spec", "template"), visit)
}

// setMissing adds those of others that a list does not have.
func setMissing(list *corev1.ResourceList, others corev1.ResourceList) {
	for name, value := range others {
		if _, found := (*list)[name]; !found {
			if *list == nil {
				*list = corev1.ResourceList{}
			}
			(*list)[name] = value
		}
	}
}

// setDefaults gives a Pod the defaults of a LimitRange, as the admission plugin
// LimitRanger does, and finds containers that request more than the limit that they get
// so. See SetDefaults_LimitRangeItem in k8s.io/kubernetes/pkg/apis/core/v1, and
// mergeContainerResources in k8s.io/kubernetes/plugin/pkg/admission/limitranger.
func (e peers) setDefaults(pod *corev1.Pod, limits neighbor[corev1.LimitRange], report *results.Report) {
	for _, item := range limits.typed.Spec.Limits {
		if item.Type != corev1.LimitTypeContainer {
			continue
		}
		limit, request := item.Default.DeepCopy(), item.DefaultRequest.DeepCopy()
		setMissing(&limit, item.Max)
		setMissing(&request, limit)
		setMissing(&request, item.Min)
		eachContainer(pod, func(container *corev1.Container, path *field.Path) {
			for _, name := range sortedResources(limit) {
				_, hasLimit := container.Resources.Limits[name]
				own, hasRequest := container.Resources.Requests[name]
				if !hasLimit && hasRequest && own.Cmp(limit[name]) > 0 {
					e.warn(report, e.FieldOf(path.Child("resources").String())+fmt.Sprintf(".requests[%s]", name),
						"%s is more than the limit that %v%s gives a container without one, %s, and no Pod would be made; write a limit, or request less",
						&own, limits, inFileOf(limits.Object), quantity(limit, name))
				}
			}
			setMissing(&container.Resources.Limits, limit)
			setMissing(&container.Resources.Requests, request)
		})
	}
}

// warnOfLimits finds containers, and Pods, that a LimitRange would refuse. The Job would
// then never get a Pod. See PodValidateLimitFunc in
// k8s.io/kubernetes/plugin/pkg/admission/limitranger.
func (e peers) warnOfLimits(pod *corev1.Pod, limits neighbor[corev1.LimitRange], report *results.Report) {
	for _, item := range limits.typed.Spec.Limits {
		switch item.Type {
		case corev1.LimitTypeContainer:
			eachContainer(pod, func(container *corev1.Container, path *field.Path) {
				e.warnOfLimit(container.Resources.Requests, container.Resources.Limits, e.FieldOf(path.Child("resources").String()), "a container", item, limits, report)
			})
		case corev1.LimitTypePod:
			// LimitRanger leaves out the overhead.
			options := resourcehelper.PodResourcesOptions{ExcludeOverhead: true}
			e.warnOfLimit(resourcehelper.PodRequests(pod, options), resourcehelper.PodLimits(pod, options), e.Group.PodPath().String(), "a Pod", item, limits, report)
		}
	}
}

// warnOfLimit holds the resources of a container or a Pod to one item of a LimitRange.
func (e peers) warnOfLimit(requests, limits corev1.ResourceList, path, who string, item corev1.LimitRangeItem, by neighbor[corev1.LimitRange], report *results.Report) {
	at := func(list string, name corev1.ResourceName) string {
		if who == "a Pod" {
			return path
		}
		return fmt.Sprintf("%s.%s[%s]", path, list, name)
	}
	subject := func(list string, name corev1.ResourceName, value resource.Quantity) string {
		if who == "a Pod" {
			return fmt.Sprintf("%s.%s of the whole Pod, %s,", list, name, &value)
		}
		return value.String()
	}
	for _, name := range sortedResources(item.Max) {
		limit, found := limits[name]
		request, hasRequest := requests[name]
		switch {
		case !found:
			e.warn(report, at("limits", name), "%v%s allows %s at most %s of %s, and there is no limit: no Pod would be made; write one", by, inFileOf(by.Object), who, quantity(item.Max, name), name)
		case limit.Cmp(item.Max[name]) > 0:
			e.warn(report, at("limits", name), "%s is more than %v%s allows %s, %s, and no Pod would be made", subject("limits", name, limit), by, inFileOf(by.Object), who, quantity(item.Max, name))
		case hasRequest && request.Cmp(item.Max[name]) > 0 && request.Cmp(limit) <= 0:
			e.warn(report, at("requests", name), "%s is more than %v%s allows %s, %s, and no Pod would be made", subject("requests", name, request), by, inFileOf(by.Object), who, quantity(item.Max, name))
		}
	}
	for _, name := range sortedResources(item.Min) {
		request, found := requests[name]
		limit, hasLimit := limits[name]
		switch {
		case !found:
			e.warn(report, at("requests", name), "%v%s wants of %s at least %s of %s, and there is no request: no Pod would be made; write one", by, inFileOf(by.Object), who, quantity(item.Min, name), name)
		case request.Cmp(item.Min[name]) < 0:
			e.warn(report, at("requests", name), "%s is less than %v%s wants of %s, %s, and no Pod would be made", subject("requests", name, request), by, inFileOf(by.Object), who, quantity(item.Min, name))
		case hasLimit && limit.Cmp(item.Min[name]) < 0:
			e.warn(report, at("limits", name), "%s is less than %v%s wants of %s, %s, and no Pod would be made", subject("limits", name, limit), by, inFileOf(by.Object), who, quantity(item.Min, name))
		}
	}
	for _, name := range sortedResources(item.MaxLimitRequestRatio) {
		request, limit, ratio := requests[name], limits[name], item.MaxLimitRequestRatio[name]
		switch {
		case request.IsZero() || limit.IsZero():
			e.warn(report, at("limits", name), "%v%s limits the ratio of limit and request of %s, and there is not both: no Pod would be made; write both", by, inFileOf(by.Object), name)
		case limit.AsApproximateFloat64() > ratio.AsApproximateFloat64()*request.AsApproximateFloat64():
			e.warn(report, at("limits", name), "%s is more than %s times the request, %s, which %v%s allows, and no Pod would be made", &limit, &ratio, &request, by, inFileOf(by.Object))
		}
	}
}

// warnOfQuota finds a ResourceQuota that all peers at once do not fit into, or that
// wants what a container does not say.
func (e peers) warnOfQuota(pod *corev1.Pod, quota neighbor[corev1.ResourceQuota], report *results.Report) {
	spec := &quota.typed.Spec
	if matches, known := counts(pod, spec); !matches || !known {
		return
	}
	options := resourcehelper.PodResourcesOptions{}
	requests, limits := resourcehelper.PodRequests(pod, options), resourcehelper.PodLimits(pod, options)
	for _, name := range sortedResources(spec.Hard) {
		hard := spec.Hard[name]
		e.warnOfMissing(pod, name, quota, report)
		one, known := onePeer(pod, name, requests, limits)
		if !known && len(scopesOf(spec)) == 0 {
			// A quota with scopes counts no claims.
			one, known = claimsOf(pod, name)
		}
		if !known {
			continue
		}
		all := one.DeepCopy()
		all.Mul(int64(e.Group.Peers())) // of any size: it only reports what does not fit an int64
		if rest := e.restOf(name, quota); rest.Sign() > 0 && one.Sign() > 0 && all.Cmp(hard) <= 0 {
			if rest.Add(all); rest.Cmp(hard) > 0 {
				e.warn(report, peerjob.RolesPath.String(), "%d peers of all roles need more %s than %v%s has, %s, and not all would be made", e.Group.Total(), name, quota, inFileOf(quota.Object), &hard)
			}
		}
		if one.Sign() > 0 && all.Cmp(hard) > 0 {
			e.warn(report, e.Group.Path.Child("peers").String(), "%s more %s than %v%s has, %s, and %s", needs(e.Group.Peers()), name, quota, inFileOf(quota.Object), &hard, notMade(e.Group.Peers()))
		}
	}
}

// needs and notMade are the verb and the end of a sentence about peers that do not fit.
func needs(peers int32) string {
	return diag.Count(peers, "peer") + map[bool]string{true: " needs", false: " need"}[peers == 1]
}

func notMade(peers int32) string {
	if peers == 1 {
		return "it would not be made"
	}
	return "not all would be made"
}

// restOf is how much the peers of all other roles take of what a quota counts, without the
// defaults of a LimitRange.
func (e peers) restOf(name corev1.ResourceName, quota neighbor[corev1.ResourceQuota]) resource.Quantity {
	var rest resource.Quantity
	for _, role := range e.roles() {
		if role.Group == e.Group {
			continue
		}
		pod := role.podOf()
		setPodRequests(pod)
		if matches, known := counts(pod, &quota.typed.Spec); !matches || !known {
			continue
		}
		options := resourcehelper.PodResourcesOptions{}
		one, known := onePeer(pod, name, resourcehelper.PodRequests(pod, options), resourcehelper.PodLimits(pod, options))
		if known {
			one = one.DeepCopy()
			one.Mul(int64(role.Group.Peers()))
			rest.Add(one)
		}
	}
	return rest
}

// onePeer is how much one peer takes of what a quota counts, false for what it does not
// count of Pods. See podComputeUsageHelper in k8s.io/kubernetes/pkg/quota/v1/evaluator/core.
func onePeer(pod *corev1.Pod, name corev1.ResourceName, requests, limits corev1.ResourceList) (resource.Quantity, bool) {
	const requestsPrefix, limitsPrefix = "requests.", "limits."
	switch name {
	case corev1.ResourcePods, "count/pods":
		return resource.MustParse("1"), true
	}
	if plain, found := strings.CutPrefix(string(name), limitsPrefix); found {
		return limits[corev1.ResourceName(plain)], isComputed(plain)
	}
	plain, found := strings.CutPrefix(string(name), requestsPrefix)
	isCounted := isComputed(plain) || strings.HasPrefix(plain, corev1.ResourceHugePagesPrefix) ||
		// Of devices, a quota counts requests alone.
		found && strings.Contains(plain, "/")
	return requests[corev1.ResourceName(plain)], isCounted
}

func isComputed(name string) bool {
	return slices.Contains([]string{"cpu", "memory", "ephemeral-storage"}, name)
}

// claimsOf is how much one peer takes of what a quota counts of claims, by the claims that
// its volumes make, false for anything else. See the Usage of pvcEvaluator in
// k8s.io/kubernetes/pkg/quota/v1/evaluator/core.
func claimsOf(pod *corev1.Pod, name corev1.ResourceName) (resource.Quantity, bool) {
	class, plain, ofClass := strings.Cut(string(name), ".storageclass.storage.k8s.io/")
	if !ofClass {
		plain = string(name)
	}
	count, storage := int64(0), resource.Quantity{}
	for _, volume := range pod.Spec.Volumes {
		if volume.Ephemeral == nil || volume.Ephemeral.VolumeClaimTemplate == nil {
			continue
		}
		claim := &volume.Ephemeral.VolumeClaimTemplate.Spec
		if ofClass && (claim.StorageClassName == nil || *claim.StorageClassName != class) {
			continue
		}
		count++
		storage.Add(claim.Resources.Requests[corev1.ResourceStorage])
	}
	switch plain {
	case "persistentvolumeclaims", "count/persistentvolumeclaims":
		return *resource.NewQuantity(count, resource.DecimalSI), true
	case "requests.storage":
		return storage, true
	}
	return resource.Quantity{}, false
}

// warnOfMissing finds containers that do not say what a quota counts: the server refuses
// their Pods. See Constraints in k8s.io/kubernetes/pkg/quota/v1/evaluator/core.
func (e peers) warnOfMissing(pod *corev1.Pod, name corev1.ResourceName, quota neighbor[corev1.ResourceQuota], report *results.Report) {
	plain, isLimit := strings.CutPrefix(string(name), "limits.")
	plain = strings.TrimPrefix(plain, "requests.")
	if plain != "cpu" && plain != "memory" || resourcehelper.IsPodLevelResourcesSet(pod) {
		return
	}
	eachContainer(pod, func(container *corev1.Container, path *field.Path) {
		list, where := container.Resources.Requests, "requests"
		if isLimit {
			list, where = container.Resources.Limits, "limits"
		}
		if _, found := list[corev1.ResourceName(plain)]; !found {
			e.warn(report, e.FieldOf(path.Child("resources").String()), "%v%s counts %s, and the container says none: no Pod would be made unless a LimitRange sets it; write %s.%s",
				quota, inFileOf(quota.Object), name, where, plain)
		}
	})
}

// objectCounts are the names by which a quota counts objects that peerjob makes.
var objectCounts = map[corev1.ResourceName]string{
	"count/jobs.batch": "Job",
	"services":         "Service", "count/services": "Service",
	"configmaps": "ConfigMap", "count/configmaps": "ConfigMap",
}

// warnOfObjectQuota finds a ResourceQuota that allows fewer objects than all PeerJobs of
// its namespace make. It is said of the first one.
func (e peers) warnOfObjectQuota(quota neighbor[corev1.ResourceQuota], expansions []*expansion.Expansion, report *results.Report) {
	if len(scopesOf(&quota.typed.Spec)) > 0 {
		return // it counts Pods alone
	}
	made := map[string]int64{}
	for i, other := range expansions {
		if neighborhoodOf(other.Source) != neighborhoodOf(e.Source) {
			continue
		}
		if len(made) == 0 && expansions[i] != e.Expansion {
			return
		}
		for _, child := range other.Children {
			made[child.Kind]++
		}
	}
	for _, name := range sortedResources(quota.typed.Spec.Hard) {
		hard := quota.typed.Spec.Hard[name]
		if kind, found := objectCounts[name]; found && hard.CmpInt64(made[kind]) < 0 {
			e.warn(report, "", "%v%s allows %s of the kind %s, and the PeerJobs make %d: not all would be made", quota, inFileOf(quota.Object), diag.Count(hard.Value(), "object"), kind, made[kind])
		}
	}
}

func quantity(list corev1.ResourceList, name corev1.ResourceName) string {
	value := list[name]
	return value.String()
}

func sortedResources(list corev1.ResourceList) []corev1.ResourceName {
	names := make([]corev1.ResourceName, 0, len(list))
	for name := range list {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
