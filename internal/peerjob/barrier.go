// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
)

// Barrier is the barrier of the group.
func (g *Group) Barrier() *v1alpha1.PeerBarrier { return &g.PeerJob.Spec.Barrier }

// validateBarrier refuses a barrier that would never open.
func validateBarrier(g *Group) field.ErrorList {
	var errs field.ErrorList
	if publish := g.PeerJob.Spec.Service.PublishNotReadyAddresses; g.HasRunner() && publish != nil && !*publish {
		why := "a Pod that waits is not ready, and would have no name"
		if !g.Barrier().Enabled() {
			why = "a Pod that is not ready would have no name, and the peers could not tell it of a failure"
		}
		errs = append(errs, field.Invalid(servicePath.Child("publishNotReadyAddresses"), false, "must be true with "+g.runnerField()+": "+why))
	}
	b := g.Barrier()
	if *b == (v1alpha1.PeerBarrier{}) {
		return errs
	}
	errs = append(errs, validateToggle(b.Start, barrierPath.Child("start"))...)
	errs = append(errs, validateToggle(b.End, barrierPath.Child("end"))...)
	errs = append(errs, validateRange(b.StartTimeoutSeconds, 0, v1alpha1.MaxBarrierTimeoutSeconds, barrierPath.Child("startTimeoutSeconds"))...)
	errs = append(errs, validateRange(b.EndTimeoutSeconds, 1, v1alpha1.MaxBarrierTimeoutSeconds, barrierPath.Child("endTimeoutSeconds"))...)
	return errs
}

// warnBarrier finds timeouts that never count.
func warnBarrier(g *Group) []diag.Warning {
	b := g.Barrier()
	var w []diag.Warning
	const noEffect = "has no effect without spec.barrier.%s; set that to Enabled, or remove this"
	if b.StartTimeoutSeconds != nil && b.Start != v1alpha1.Enabled {
		w = append(w, diag.Warn(barrierPath.Child("startTimeoutSeconds"), noEffect, "start"))
	}
	if b.EndTimeoutSeconds != nil && b.End != v1alpha1.Enabled {
		w = append(w, diag.Warn(barrierPath.Child("endTimeoutSeconds"), noEffect, "end"))
	}
	if b.Start != v1alpha1.Enabled {
		return w
	}
	for _, deadline := range []struct {
		what    string
		seconds *int64
		path    *field.Path
	}{{"the Job", g.Job.ActiveDeadlineSeconds, g.FieldPath("activeDeadlineSeconds")}, {"a Pod", g.Template().Spec.ActiveDeadlineSeconds, g.PodPath().Child("activeDeadlineSeconds")}} {
		if seconds := deadline.seconds; seconds != nil && *seconds < int64(*b.StartTimeoutSeconds) {
			w = append(w, diag.Warn(deadline.path,
				"ends %s after %d s, before the peers that wait stop and name those that are missing (spec.barrier.startTimeoutSeconds is %d); set that lower", deadline.what, *seconds, *b.StartTimeoutSeconds))
		}
	}
	return w
}

func validateRange(value *int32, least, most int32, path *field.Path) field.ErrorList {
	if value == nil || *value >= least && *value <= most {
		return nil
	}
	return field.ErrorList{field.Invalid(path, *value, fmt.Sprintf("must be between %d and %d", least, most))}
}
