// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"cmp"

	batchv1 "k8s.io/api/batch/v1"

	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// addFailurePolicy adds to a Job what the failure policy of the group needs there.
//
//   - The rules stand behind the user's: the first that matches decides.
//   - A Pod is replaced when it has ended: no two attempts of one peer run at once.
//   - The Pods of a group that restarts are replaced each for itself: the back-off that
//     all Pods of a Job have in common grows to ten minutes over peers that fail together.
//     The first index that fails fails the Job.
//   - Where workers may crash because their leader has ended, the Job has retries for all of
//     them, if the user does not say how many.
func addFailurePolicy(g *peerjob.Group, job *batchv1.Job) {
	policy := g.FailurePolicy()
	if policy == nil {
		return
	}
	if rules := g.FailureRules(job.Spec.SuccessPolicy != nil); len(rules) > 0 {
		job.Spec.PodFailurePolicy = cmp.Or(job.Spec.PodFailurePolicy, &batchv1.PodFailurePolicy{})
		job.Spec.PodFailurePolicy.Rules = append(job.Spec.PodFailurePolicy.Rules, rules...)
	}
	job.Spec.PodReplacementPolicy = cmp.Or(job.Spec.PodReplacementPolicy, new(batchv1.Failed))
	job.Spec.BackoffLimit = cmp.Or(job.Spec.BackoffLimit, g.BackoffLimit(job.Spec.SuccessPolicy != nil))
	if policy.Restarts() {
		job.Spec.BackoffLimitPerIndex = new(orZero(policy.MaxRestarts))
		job.Spec.MaxFailedIndexes = new(int32(0))
	}
}

// failurePolicyOrigins records what the failure policy added to the Job.
func failurePolicyOrigins(from *origin.Map, g *peerjob.Group, job *batchv1.Job) {
	policy := g.FailurePolicy()
	if policy == nil {
		return
	}
	rules := specPath.Child("podFailurePolicy")
	if g.Job.PodFailurePolicy == nil {
		from.All(rules, peerjob.FailurePolicyPath)
	} else {
		from.AllElements(rules.Child("rules"), len(g.Job.PodFailurePolicy.Rules), -1, peerjob.FailurePolicyPath)
	}
	if g.Job.PodReplacementPolicy == nil {
		from.All(specPath.Child("podReplacementPolicy"), peerjob.FailurePolicyPath)
	}
	if g.Job.BackoffLimit == nil && job.Spec.BackoffLimit != nil {
		from.All(specPath.Child("backoffLimit"), peerjob.FailurePolicyPath)
	}
	if policy.Restarts() {
		from.All(specPath.Child("backoffLimitPerIndex"), peerjob.FailurePolicyPath.Child("maxRestarts"))
		from.All(specPath.Child("maxFailedIndexes"), peerjob.FailurePolicyPath)
	}
}
