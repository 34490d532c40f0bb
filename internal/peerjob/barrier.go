// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// Barrier is the barrier of the group.
func (g *Group) Barrier() *v1alpha1.PeerBarrier { return &g.PeerJob.Spec.Barrier }

// validateBarrier refuses a barrier that would never open.
func validateBarrier(g *Group) field.ErrorList {
	b := g.Barrier()
	if *b == (v1alpha1.PeerBarrier{}) {
		return nil
	}
	var errs field.ErrorList
	errs = append(errs, validateToggle(b.Start, barrierPath.Child("start"))...)
	errs = append(errs, validateToggle(b.End, barrierPath.Child("end"))...)
	errs = append(errs, validateRange(b.StartTimeoutSeconds, 0, v1alpha1.MaxBarrierTimeoutSeconds, barrierPath.Child("startTimeoutSeconds"))...)
	errs = append(errs, validateRange(b.EndTimeoutSeconds, 1, v1alpha1.MaxBarrierTimeoutSeconds, barrierPath.Child("endTimeoutSeconds"))...)
	if publish := g.PeerJob.Spec.Service.PublishNotReadyAddresses; b.Enabled() && publish != nil && !*publish {
		errs = append(errs, field.Invalid(servicePath.Child("publishNotReadyAddresses"), false,
			"must be true with spec.barrier: a Pod that waits is not ready, and would have no name"))
	}
	return errs
}

func validateRange(value *int32, least, most int32, path *field.Path) field.ErrorList {
	if value == nil || *value >= least && *value <= most {
		return nil
	}
	return field.ErrorList{field.Invalid(path, *value, fmt.Sprintf("must be between %d and %d", least, most))}
}
