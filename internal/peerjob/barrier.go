// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"cmp"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

const (
	// barrierMarginSeconds is how much longer than the end of the barrier a Pod
	// may take to end: the sidecar must not be killed, because its exit code would
	// meet the rules of a podFailurePolicy.
	barrierMarginSeconds = 5
	// defaultGracePeriodSeconds is what the API server sets when nobody does.
	defaultGracePeriodSeconds = corev1.DefaultTerminationGracePeriodSeconds
)

// Barrier is the barrier of the group.
func (g *Group) Barrier() *v1alpha1.PeerBarrier { return &g.PeerJob.Spec.Barrier }

// HasBarrierGate reports whether the Pods have an init container which fails
// them when not every peer is there in time. A sidecar can't: where its startup
// probe fails it is started again.
func (g *Group) HasBarrierGate() bool {
	return g.Barrier().Start == v1alpha1.Enabled && *g.Barrier().StartTimeoutSeconds > 0
}

// GracePeriodSeconds is the terminationGracePeriodSeconds of the Pods: the
// user's own, else what the end of the barrier needs, else nil for the server's.
func (g *Group) GracePeriodSeconds() *int64 {
	own := g.Template().Spec.TerminationGracePeriodSeconds
	if own != nil || g.Barrier().End != v1alpha1.Enabled || g.neededGrace() <= defaultGracePeriodSeconds {
		return own
	}
	return new(g.neededGrace())
}

func (g *Group) neededGrace() int64 {
	return int64(*g.Barrier().EndTimeoutSeconds) + barrierMarginSeconds
}

// validateBarrier refuses a barrier that would never open, or that stands in
// the way of the user's containers.
func validateBarrier(g *Group) field.ErrorList {
	b := g.Barrier()
	var errs field.ErrorList
	errs = append(errs, validateToggle(b.Start, barrierPath.Child("start"))...)
	errs = append(errs, validateToggle(b.End, barrierPath.Child("end"))...)
	errs = append(errs, validateRange(b.StartTimeoutSeconds, 0, v1alpha1.MaxBarrierTimeoutSeconds, barrierPath.Child("startTimeoutSeconds"))...)
	errs = append(errs, validateRange(b.EndTimeoutSeconds, 1, v1alpha1.MaxBarrierTimeoutSeconds, barrierPath.Child("endTimeoutSeconds"))...)
	errs = append(errs, validateRange(b.Port, v1alpha1.MinBarrierPort, v1alpha1.MaxPort, barrierPath.Child("port"))...)
	if !b.Enabled() {
		return errs
	}
	image := barrierPath.Child("image")
	switch {
	case b.Image == "":
		errs = append(errs, field.Required(image, "this build of peerjob is no release, so that no image is known to be of its version; set it, or barrierImage in the functionConfig"))
	case strings.TrimSpace(b.Image) != b.Image:
		errs = append(errs, field.Invalid(image, b.Image, "must not begin or end with a space"))
	}
	if publish := g.PeerJob.Spec.Service.PublishNotReadyAddresses; publish != nil && !*publish {
		errs = append(errs, field.Invalid(servicePath.Child("publishNotReadyAddresses"), false,
			"must be true with spec.barrier: a Pod that waits is not ready, and would have no name"))
	}
	errs = append(errs, validateBarrierNeighbors(g)...)
	errs = append(errs, validateGatePolicy(g)...)
	grace := g.Template().Spec.TerminationGracePeriodSeconds
	if b.End == v1alpha1.Enabled && grace != nil && *grace < g.neededGrace() && *grace >= 0 {
		errs = append(errs, field.Invalid(g.PodPath().Child("terminationGracePeriodSeconds"), *grace, fmt.Sprintf(
			"must be at least %d: spec.barrier.endTimeoutSeconds, %d, and %d more; leave it out, or set a shorter timeout",
			g.neededGrace(), *b.EndTimeoutSeconds, barrierMarginSeconds)))
	}
	return errs
}

// validateGatePolicy refuses a rule for the exit codes of the gate where there
// is none.
func validateGatePolicy(g *Group) field.ErrorList {
	policy := g.Job.PodFailurePolicy
	if policy == nil || g.HasBarrierGate() {
		return nil
	}
	var errs field.ErrorList
	for i, rule := range policy.Rules {
		if codes := rule.OnExitCodes; codes != nil && codes.ContainerName != nil && *codes.ContainerName == v1alpha1.BarrierGate {
			path := g.Path.Child("podFailurePolicy", "rules").Index(i).Child("onExitCodes", "containerName")
			errs = append(errs, field.Invalid(path, v1alpha1.BarrierGate, "is a container of spec.barrier only with start: Enabled and a startTimeoutSeconds above 0"))
		}
	}
	return errs
}

// validateBarrierNeighbors refuses containers with a name or a port of the
// barrier's.
func validateBarrierNeighbors(g *Group) field.ErrorList {
	var errs field.ErrorList
	g.EachContainer(func(container *corev1.Container, path *field.Path) {
		if container.Name == v1alpha1.BarrierContainer || container.Name == v1alpha1.BarrierGate {
			errs = append(errs, field.Invalid(path.Child("name"), container.Name, "is a container of spec.barrier; choose another name"))
		}
		for _, port := range container.Ports {
			if port.ContainerPort == *g.Barrier().Port && cmp.Or(port.Protocol, corev1.ProtocolTCP) == corev1.ProtocolTCP {
				errs = append(errs, field.Invalid(barrierPath.Child("port"), *g.Barrier().Port, fmt.Sprintf(
					"is a port of container %q, too; choose another", container.Name)))
			}
		}
	})
	return errs
}

func validateRange(value *int32, least, most int32, path *field.Path) field.ErrorList {
	if value == nil || *value >= least && *value <= most {
		return nil
	}
	return field.ErrorList{field.Invalid(path, *value, fmt.Sprintf("must be between %d and %d", least, most))}
}
