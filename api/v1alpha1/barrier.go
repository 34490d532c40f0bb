// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"cmp"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	// BarrierContainer is the name of the sidecar of a barrier, and of its port.
	BarrierContainer = "peerjob-barrier"
	// BarrierGate is the name of the init container which fails the Pod when not
	// every peer came in time.
	BarrierGate = "peerjob-barrier-start"
	// EnvUID holds the unique ID of the Job, for the barrier alone.
	EnvUID = "PEERJOB_UID"
	// UIDLabel is the label of a Pod which holds the unique ID of its Job. The Job
	// controller sets it from 1.27 on, and a barrier needs 1.29.
	UIDLabel = "batch.kubernetes.io/controller-uid"
)

const (
	defaultBarrierPort         = 7450
	defaultStartTimeoutSeconds = 600
	defaultEndTimeoutSeconds   = 30
	maxBarrierTimeoutSeconds   = 24 * 60 * 60
	// minBarrierPort is the first port that a process without rights may listen on.
	minBarrierPort = 1024
	maxPort        = 65535
	// barrierMarginSeconds is how much longer than the end of the barrier a Pod
	// may take to end: the sidecar must not be killed, because its exit code would
	// meet the rules of a podFailurePolicy.
	barrierMarginSeconds = 5
	// defaultGracePeriodSeconds is what the API server sets when nobody does.
	defaultGracePeriodSeconds = corev1.DefaultTerminationGracePeriodSeconds
)

var barrierPath = specPath.Child("barrier")

// HasBarrier reports whether the Pods have the sidecar of a barrier.
func (pj *PeerJob) HasBarrier() bool {
	return pj.Spec.Barrier.Start == Enabled || pj.Spec.Barrier.End == Enabled
}

// BarrierPort is the port of the barrier.
func (pj *PeerJob) BarrierPort() int32 { return orDefault(pj.Spec.Barrier.Port, defaultBarrierPort) }

// BarrierStartTimeoutSeconds is how long a Pod waits for the others to be there;
// 0 for as long as it takes.
func (pj *PeerJob) BarrierStartTimeoutSeconds() int32 {
	return orDefault(pj.Spec.Barrier.StartTimeoutSeconds, defaultStartTimeoutSeconds)
}

// HasBarrierGate reports whether the Pods have an init container which fails
// them when not every peer is there in time. A sidecar can't: where its startup
// probe fails it is started again.
func (pj *PeerJob) HasBarrierGate() bool {
	return pj.Spec.Barrier.Start == Enabled && pj.BarrierStartTimeoutSeconds() > 0
}

// BarrierEndTimeoutSeconds is how long a Pod stays for the others.
func (pj *PeerJob) BarrierEndTimeoutSeconds() int32 {
	return orDefault(pj.Spec.Barrier.EndTimeoutSeconds, defaultEndTimeoutSeconds)
}

// GracePeriodSeconds is the terminationGracePeriodSeconds of the Pods: the
// user's own, else what the end of the barrier needs, else nil for the server's.
func (pj *PeerJob) GracePeriodSeconds() *int64 {
	own := pj.Spec.Template.Spec.TerminationGracePeriodSeconds
	if own != nil || pj.Spec.Barrier.End != Enabled || pj.neededGrace() <= defaultGracePeriodSeconds {
		return own
	}
	return new(pj.neededGrace())
}

func (pj *PeerJob) neededGrace() int64 {
	return int64(pj.BarrierEndTimeoutSeconds()) + barrierMarginSeconds
}

// InjectedInitContainers is how many init containers stand before the user's.
func (pj *PeerJob) InjectedInitContainers() int {
	switch {
	case pj.HasBarrierGate():
		return 2
	case pj.HasBarrier():
		return 1
	}
	return 0
}

func defaultBarrier(pj *PeerJob, settings Settings) {
	b := &pj.Spec.Barrier
	b.Start = cmp.Or(b.Start, Disabled)
	b.End = cmp.Or(b.End, Disabled)
	if !pj.HasBarrier() {
		return
	}
	b.Image = cmp.Or(b.Image, settings.BarrierImage)
	if b.Resources == nil {
		b.Resources = &corev1.ResourceRequirements{
			Requests: corev1.ResourceList{
				corev1.ResourceCPU:    resource.MustParse("10m"),
				corev1.ResourceMemory: resource.MustParse("32Mi"),
			},
			Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")},
		}
	}
}

// validateBarrier refuses a barrier that would never open, or that stands in
// the way of the user's containers.
func validateBarrier(pj *PeerJob) field.ErrorList {
	b := &pj.Spec.Barrier
	var errs field.ErrorList
	errs = append(errs, validateToggle(b.Start, barrierPath.Child("start"))...)
	errs = append(errs, validateToggle(b.End, barrierPath.Child("end"))...)
	errs = append(errs, validateRange(b.StartTimeoutSeconds, 0, maxBarrierTimeoutSeconds, barrierPath.Child("startTimeoutSeconds"))...)
	errs = append(errs, validateRange(b.EndTimeoutSeconds, 1, maxBarrierTimeoutSeconds, barrierPath.Child("endTimeoutSeconds"))...)
	errs = append(errs, validateRange(b.Port, minBarrierPort, maxPort, barrierPath.Child("port"))...)
	if !pj.HasBarrier() {
		return errs
	}
	image := barrierPath.Child("image")
	switch {
	case b.Image == "":
		errs = append(errs, field.Required(image, "this build of peerjob is no release, so that no image is known to be of its version; set it, or barrierImage in the functionConfig"))
	case strings.TrimSpace(b.Image) != b.Image:
		errs = append(errs, field.Invalid(image, b.Image, "must not begin or end with a space"))
	}
	if publish := pj.Spec.Service.PublishNotReadyAddresses; publish != nil && !*publish {
		errs = append(errs, field.Invalid(servicePath.Child("publishNotReadyAddresses"), false,
			"must be true with spec.barrier: a Pod which waits is not ready, and would have no name"))
	}
	errs = append(errs, validateBarrierNeighbors(pj)...)
	errs = append(errs, validateGatePolicy(pj)...)
	grace := pj.Spec.Template.Spec.TerminationGracePeriodSeconds
	if b.End == Enabled && grace != nil && *grace < pj.neededGrace() && *grace >= 0 {
		errs = append(errs, field.Invalid(podPath.Child("terminationGracePeriodSeconds"), *grace, fmt.Sprintf(
			"must be at least %d: spec.barrier.endTimeoutSeconds, %d, and %d more; leave it out, or set a shorter timeout",
			pj.neededGrace(), pj.BarrierEndTimeoutSeconds(), barrierMarginSeconds)))
	}
	return errs
}

// validateGatePolicy refuses a rule for the exit codes of the gate where there
// is none.
func validateGatePolicy(pj *PeerJob) field.ErrorList {
	policy := pj.Spec.PodFailurePolicy
	if policy == nil || pj.HasBarrierGate() {
		return nil
	}
	var errs field.ErrorList
	for i, rule := range policy.Rules {
		if codes := rule.OnExitCodes; codes != nil && codes.ContainerName != nil && *codes.ContainerName == BarrierGate {
			path := specPath.Child("podFailurePolicy", "rules").Index(i).Child("onExitCodes", "containerName")
			errs = append(errs, field.Invalid(path, BarrierGate, "is a container of spec.barrier only with start: Enabled and a startTimeoutSeconds above 0"))
		}
	}
	return errs
}

// validateBarrierNeighbors refuses containers with a name or a port of the
// barrier's.
func validateBarrierNeighbors(pj *PeerJob) field.ErrorList {
	var errs field.ErrorList
	pj.EachContainer(func(container *corev1.Container, path *field.Path) {
		if container.Name == BarrierContainer || container.Name == BarrierGate {
			errs = append(errs, field.Invalid(path.Child("name"), container.Name, "is a container of spec.barrier; choose another name"))
		}
		for _, port := range container.Ports {
			if port.ContainerPort == pj.BarrierPort() && cmp.Or(port.Protocol, corev1.ProtocolTCP) == corev1.ProtocolTCP {
				errs = append(errs, field.Invalid(barrierPath.Child("port"), pj.BarrierPort(), fmt.Sprintf(
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

func orDefault(value *int32, otherwise int32) int32 {
	if value == nil {
		return otherwise
	}
	return *value
}
