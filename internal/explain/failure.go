// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// onFailure says what the group does when a peer fails. fieldOf returns the field of the
// PeerJob that a field of the Job comes from.
func onFailure(g *peerjob.Group, job *batchv1.JobSpec, fieldOf func(string) string) []string {
	said := slices.Concat(groupPolicy(g), jobPolicy(g, job, fieldOf), barrier(g), roles(g))
	if deadline := job.ActiveDeadlineSeconds; deadline != nil {
		said = append(said, fmt.Sprintf("%s: after %d s the Job fails, whatever its peers do.", fieldOf("spec.activeDeadlineSeconds"), *deadline))
	}
	return said
}

// groupPolicy says what spec.failurePolicy does. Without one, each peer fails for itself.
func groupPolicy(g *peerjob.Group) []string {
	policy := g.FailurePolicy()
	fails := "the Job fails"
	if len(g.All()) > 1 {
		fails = "the Jobs of all roles fail"
	}
	switch {
	case policy == nil:
		return []string{"Each peer fails for itself: the other peers run on."}
	case !g.Restarts():
		return []string{"spec.failurePolicy: when the command of one peer fails, all others stop at once, and " + fails + ".", disruption(g)}
	}
	restarts := int64(0)
	if policy.MaxRestarts != nil {
		restarts = int64(*policy.MaxRestarts)
	}
	return []string{fmt.Sprintf("spec.failurePolicy: when the command of one peer fails, all others stop at once, and all start again in their Pods. The group has %s, and then %s. The command reads its attempt in %s.",
		diag.Count(restarts, "restart"), fails, v1alpha1.EnvAttempt), disruption(g)}
}

// disruption says what the group does when a Pod of it is told to end from outside.
func disruption(g *peerjob.Group) string {
	does := "the group fails"
	switch action := g.FailurePolicy().OnDisruption; {
	case action == v1alpha1.ContinueOnDisruption && g.Restarts():
		does = "the other peers run on; if it was the leader, all peers start again, and no restart is used up"
	case action == v1alpha1.ContinueOnDisruption:
		does = "the other peers run on"
	case action == v1alpha1.RestartOnDisruption, action == "" && g.Restarts():
		does = "all peers start again, and no restart is used up"
	}
	return "spec.failurePolicy.onDisruption: when a Pod is drained, preempted or deleted, the Job replaces it, and then " + does + "."
}

// jobPolicy says how the Job counts failures.
func jobPolicy(g *peerjob.Group, job *batchv1.JobSpec, fieldOf func(string) string) []string {
	whose := "" // the peers that the Job has
	if g.HasRoles() {
		whose = " of this role"
	}
	said := []string{"A Pod has failed if a container exits with another code than 0. The Job creates a new Pod with the same index and the same name."}
	if job.Template.Spec.RestartPolicy == corev1.RestartPolicyOnFailure {
		said[0] = "restartPolicy OnFailure: the kubelet starts a container again that exits with another code than 0, in the same Pod. If the Pod is lost, the Job creates a new one with the same index and the same name."
	}
	switch {
	case g.Restarts():
		said[0] = "The runner starts the commands again, and the Job replaces no Pod for that. Only if a Pod is lost, or its container ends, does the Job create a new one, with the same index and the same name."
	case g.FailurePolicy() != nil:
		said[0] = "If a Pod is lost, the group fails."
		if hasOwnRules(job.PodFailurePolicy, fieldOf) {
			said[0] = "If a Pod is lost, and no rule of spec.podFailurePolicy says otherwise, the group fails."
		}
	}
	if policy := job.PodFailurePolicy; policy != nil {
		for i, rule := range policy.Rules {
			said = append(said, fmt.Sprintf("%s: %s.", fieldOf(fmt.Sprintf("spec.podFailurePolicy.rules[%d]", i)), failureRule(rule)))
		}
	}
	switch {
	case job.BackoffLimitPerIndex != nil:
		text := fmt.Sprintf("%s: each index has %s, and then that index has failed", fieldOf("spec.backoffLimitPerIndex"), diag.Count(*job.BackoffLimitPerIndex, "retry"))
		switch {
		case job.MaxFailedIndexes == nil:
			text += "; the other indexes run to their end, and then the Job fails"
		case *job.MaxFailedIndexes == 0:
			text += "; " + fieldOf("spec.maxFailedIndexes") + ": the Job fails and stops every peer" + whose + " when one index has failed"
		default:
			text += fmt.Sprintf("; %s: the Job fails and stops every peer%s when more than %d indexes have failed", fieldOf("spec.maxFailedIndexes"), whose, *job.MaxFailedIndexes)
		}
		said = append(said, text+".")
	case job.BackoffLimit != nil:
		said = append(said, fmt.Sprintf("%s: all peers%s together have %s, and then the Job fails and stops every peer%[2]s.", fieldOf("spec.backoffLimit"), whose, diag.Count(*job.BackoffLimit, "retry")))
	default:
		said = append(said, fmt.Sprintf("%s is not set: all peers%s together have %d retries, the server's default, and then the Job fails and stops every peer%[2]s.", fieldOf("spec.backoffLimit"), whose, peerjob.ServerBackoffLimit))
	}
	if policy := job.SuccessPolicy; policy != nil {
		for i, rule := range policy.Rules {
			said = append(said, fmt.Sprintf("%s: the Job succeeds and stops every other peer when %s.", fieldOf(fmt.Sprintf("spec.successPolicy.rules[%d]", i)), successRule(rule)))
		}
	}
	return said
}

// hasOwnRules reports whether the user wrote rules besides those of spec.failurePolicy.
func hasOwnRules(policy *batchv1.PodFailurePolicy, fieldOf func(string) string) bool {
	for i := range cmp.Or(policy, &batchv1.PodFailurePolicy{}).Rules {
		if !strings.HasPrefix(fieldOf(fmt.Sprintf("spec.podFailurePolicy.rules[%d]", i)), peerjob.FailurePolicyPath.String()) {
			return true
		}
	}
	return false
}

func failureRule(rule batchv1.PodFailurePolicyRule) string {
	var when []string
	if codes := rule.OnExitCodes; codes != nil {
		who := "a container"
		if codes.ContainerName != nil {
			who = "the container " + *codes.ContainerName
		}
		values := diag.Listed(codes.Values, "or")
		if codes.Operator == batchv1.PodFailurePolicyOnExitCodesOpNotIn {
			values = "a code other than " + diag.Listed(codes.Values, "and")
		}
		when = append(when, fmt.Sprintf("%s exits with %s", who, values))
	}
	for _, condition := range rule.OnPodConditions {
		when = append(when, fmt.Sprintf("the Pod has the condition %s", condition.Type))
	}
	does := map[batchv1.PodFailurePolicyAction]string{
		batchv1.PodFailurePolicyActionFailJob:   "the Job fails at once",
		batchv1.PodFailurePolicyActionFailIndex: "the index fails at once",
		batchv1.PodFailurePolicyActionIgnore:    "the Pod is replaced, and that is no retry",
		batchv1.PodFailurePolicyActionCount:     "that is a retry like any other",
	}[rule.Action]
	return fmt.Sprintf("if %s, %s", strings.Join(when, " or "), does)
}

func successRule(rule batchv1.SuccessPolicyRule) string {
	switch {
	case rule.SucceededIndexes != nil && rule.SucceededCount != nil:
		return fmt.Sprintf("%d of the indexes %s have succeeded", *rule.SucceededCount, *rule.SucceededIndexes)
	case rule.SucceededIndexes != nil && !strings.ContainsAny(*rule.SucceededIndexes, ",-"):
		return fmt.Sprintf("index %s has succeeded", *rule.SucceededIndexes)
	case rule.SucceededIndexes != nil:
		return fmt.Sprintf("the indexes %s have succeeded", *rule.SucceededIndexes)
	case rule.SucceededCount != nil:
		return fmt.Sprintf("%d indexes have succeeded", *rule.SucceededCount)
	}
	return "its rule is met"
}

// roles says whom a role waits for.
func roles(g *peerjob.Group) []string {
	if !g.HasRoles() {
		return nil
	}
	var said []string
	for _, dependency := range g.Role.DependsOn {
		what := "every command of the role " + dependency.Name + " has started"
		if dependency.Status == v1alpha1.RoleComplete {
			what = "every command of the role " + dependency.Name + " has ended with 0"
		}
		said = append(said, fmt.Sprintf("%s: no command of this role starts before %s.", g.Path.Child("dependsOn"), what))
	}
	return said
}

// onSuccess says when a group with roles is done before all of them are.
func onSuccess(g *peerjob.Group) []string {
	decide := g.SuccessRoles()
	if !g.HasRoles() || decide == nil {
		return nil
	}
	var others []string
	for _, role := range g.All() {
		if !slices.Contains(decide, role.RoleName()) {
			others = append(others, role.RoleName())
		}
	}
	if len(others) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("spec.successRoles: when every command of %s has ended with 0, the commands of %s are told to end.", diag.Listed(decide, "and"), diag.Listed(others, "and"))}
}

// barrier says how long the peers wait for each other.
func barrier(g *peerjob.Group) []string {
	var said []string
	b := g.Barrier()
	if b.Start == v1alpha1.Enabled {
		text := "spec.barrier.start: no command starts before every peer was reached by its name"
		if *b.StartTimeoutSeconds > 0 {
			text += fmt.Sprintf("; after %d s without one, a container that waits exits with 75, and its message names who is missing", *b.StartTimeoutSeconds)
		}
		said = append(said, text+".")
	}
	if b.End == v1alpha1.Enabled {
		text := "spec.barrier.end: a peer that is done keeps its name in DNS until all are done"
		if b.EndTimeoutSeconds != nil {
			text += fmt.Sprintf(", for at most %d s", *b.EndTimeoutSeconds)
		}
		said = append(said, text+".")
	}
	return said
}
