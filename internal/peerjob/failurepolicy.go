// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
)

// FailurePolicyPath is the field that what the failure policy brings comes from.
var FailurePolicyPath = specPath.Child("failurePolicy")

// maxFailureRules is how many rules a podFailurePolicy may have
// (maxPodFailurePolicyRules in k8s.io/kubernetes/pkg/apis/batch/validation).
const maxFailureRules = 20

// ServerBackoffLimit is how many retries a Job has whose backoffLimit is not set.
// See https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy.
const ServerBackoffLimit = 6

// FailurePolicy is what the group does when a peer fails; nil if each peer fails for
// itself.
func (g *Group) FailurePolicy() *v1alpha1.PeerFailurePolicy { return g.PeerJob.Spec.FailurePolicy }

// Restarts reports whether the group starts again when a peer has failed.
func (g *Group) Restarts() bool { return g.FailurePolicy().Restarts() }

// FailureRules returns the rules that the failure policy adds behind those of the user's
// podFailurePolicy, without those that the user has written, too. It wants to know
// whether the Job has a success policy, which a framework may bring.
//
//   - A Pod that was disrupted has not failed, whatever its containers exited with. The
//     Job replaces it.
//   - The Job fails when a peer reports that the group has failed. With FailPeerJob, it
//     fails with any code of the command, before the others have heard of it. 143 is the
//     code of a Pod that was told to end, which is no failure. The rule does not say 0
//     for the server, which never looks at it, but for people.
//   - With a success policy, and in a role that ends when others are done, FailPeerJob does
//     not fail the Job with any code: workers whose leader has ended well often end badly, and
//     the Job controller looks for failed Pods before it looks for success (syncJob in
//     k8s.io/kubernetes/pkg/controller/job). It waits for a peer that says that the group has
//     failed, or that it never started. Who failed first exits with 76, too, if no other peer of
//     its Job does (Node.ExitCode in barrier/protocol, and jobFailsWith in its tests).
//
// The rules are about the container with the runner alone: what init containers and
// sidecars exit with is the Job's to count, as ever.
func (g *Group) FailureRules(successPolicy bool) []batchv1.PodFailurePolicyRule {
	if g.FailurePolicy() == nil {
		return nil
	}
	disrupted := batchv1.PodFailurePolicyRule{
		Action:          batchv1.PodFailurePolicyActionIgnore,
		OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}},
	}
	codes := &batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: batchv1.PodFailurePolicyOnExitCodesOpIn}
	switch {
	case g.Restarts():
		codes.Values = []int32{v1alpha1.ExitGroupFailed}
	case g.mayEndBefore(successPolicy), g.isTold():
		// The only peer of a Job reports the failure of the group itself. Where it is told to
		// end, it may fail because those whom it served have ended.
		codes.Values = []int32{v1alpha1.ExitTimedOut, v1alpha1.ExitGroupFailed}
	default:
		codes.Operator, codes.Values = batchv1.PodFailurePolicyOnExitCodesOpNotIn, []int32{0, v1alpha1.ExitTerminated}
	}
	if name := g.runnerName(); name != "" {
		codes.ContainerName = &name
	}
	failed := batchv1.PodFailurePolicyRule{Action: batchv1.PodFailurePolicyActionFailJob, OnExitCodes: codes}
	return slices.DeleteFunc([]batchv1.PodFailurePolicyRule{disrupted, failed}, func(ours batchv1.PodFailurePolicyRule) bool {
		return slices.ContainsFunc(g.ownFailureRules(), func(own batchv1.PodFailurePolicyRule) bool { return repeats(own, ours) })
	})
}

// mayEndBefore reports whether the Job can succeed before all of its peers have ended. It wants
// to know whether the Job has a success policy.
func (g *Group) mayEndBefore(successPolicy bool) bool { return successPolicy && g.Peers() > 1 }

// BackoffLimit returns how many retries the Job has with the failure policy; nil if that does not
// say. Where FailPeerJob lets commands exit with any code (see FailureRules), all workers can
// crash because their leader has ended well, and each counts as a Pod that has failed. The Job
// controller looks at the limit before it looks for success (syncJob in
// k8s.io/kubernetes/pkg/controller/job). So there is room for every peer beside what a Job has by
// default.
//
// With backoffLimitPerIndex, all peers together have no limit by default. In a role that is told
// to end, a peer that has failed stays until rank 0 has said what follows from it, and then exits
// with 0 or fails the Job.
func (g *Group) BackoffLimit(successPolicy bool) *int32 {
	if g.FailurePolicy() == nil || g.Restarts() || !g.mayEndBefore(successPolicy) || g.Job.BackoffLimitPerIndex != nil {
		return nil
	}
	return new(ServerBackoffLimit + g.Peers())
}

// ownFailureRules are those of the user's podFailurePolicy.
func (g *Group) ownFailureRules() []batchv1.PodFailurePolicyRule {
	if g.Job.PodFailurePolicy == nil {
		return nil
	}
	return g.Job.PodFailurePolicy.Rules
}

// repeats reports whether a rule of the user's says what one of peerjob's says: the same
// condition, whose status is True by default, or the same codes, of this container or of
// any.
func repeats(own, ours batchv1.PodFailurePolicyRule) bool {
	if own.Action != ours.Action || (own.OnExitCodes == nil) != (ours.OnExitCodes == nil) {
		return false
	}
	if ours.OnExitCodes == nil {
		patterns := slices.Clone(own.OnPodConditions)
		for i := range patterns {
			patterns[i].Status = cmp.Or(patterns[i].Status, corev1.ConditionTrue)
		}
		return reflect.DeepEqual(patterns, ours.OnPodConditions)
	}
	codes := *own.OnExitCodes
	if codes.ContainerName == nil {
		codes.ContainerName = ours.OnExitCodes.ContainerName
	}
	codes.Values = withoutZero(codes)
	want := *ours.OnExitCodes
	want.Values = withoutZero(want)
	return reflect.DeepEqual(codes, want)
}

// withoutZero returns the codes of a rule less 0 where that changes nothing: no rule
// looks at a container that has exited with 0.
func withoutZero(codes batchv1.PodFailurePolicyOnExitCodesRequirement) []int32 {
	return slices.DeleteFunc(slices.Clone(codes.Values), func(code int32) bool {
		return code == 0 && codes.Operator == batchv1.PodFailurePolicyOnExitCodesOpNotIn
	})
}

// ExitCodeRules returns the rules of the user's podFailurePolicy that are about exit
// codes of the container with the runner, in their order: the first that matches decides.
func (g *Group) ExitCodeRules() []batchv1.PodFailurePolicyRule {
	return slices.DeleteFunc(slices.Clone(g.ownFailureRules()), func(rule batchv1.PodFailurePolicyRule) bool { return !g.isAboutRunner(rule) })
}

func (g *Group) isAboutRunner(rule batchv1.PodFailurePolicyRule) bool {
	codes := rule.OnExitCodes
	return codes != nil && (codes.ContainerName == nil || *codes.ContainerName == g.runnerName())
}

// restartEnv returns the variables that the runner reads besides those of every runner,
// where the group restarts. A Pod that replaces another learns from them that it does.
func (g *Group) restartEnv() []corev1.EnvVar {
	if !g.Restarts() {
		return nil
	}
	ref := func(annotation string) string { return "metadata.annotations['" + annotation + "']" }
	return []corev1.EnvVar{
		fromField(v1alpha1.EnvIndexFailures, ref(v1alpha1.IndexFailuresAnnotation)),
		fromField(v1alpha1.EnvIndexIgnoredFailures, ref(v1alpha1.IndexIgnoredFailuresAnnotation)),
	}
}

// validateFailurePolicy refuses a policy that says nothing, and what can't work
// together with it.
func validateFailurePolicy(g *Group, brought Brought) field.ErrorList {
	p := g.FailurePolicy()
	if p == nil {
		return nil
	}
	actions := []v1alpha1.FailureAction{v1alpha1.FailPeerJob, v1alpha1.RestartPeerJob}
	path := FailurePolicyPath.Child("action")
	var errs field.ErrorList
	switch {
	case p.Action == "":
		errs = append(errs, field.Required(path, "write RestartPeerJob, and maxRestarts, to start all peers again when one has failed, or FailPeerJob to fail the Job"))
	case !slices.Contains(actions, p.Action):
		errs = append(errs, field.NotSupported(path, p.Action, actions))
	}
	return slices.Concat(errs,
		validateRestarts(g),
		validateOnDisruption(g),
		validateElastic(g),
		validateJobLimits(g),
		validateFailureRules(g, g.Job.SuccessPolicy != nil || brought.Success),
		validateReplacement(g),
		validateOneContainer(g),
		validateNoRestart(g),
	)
}

// validateRestarts holds the fields of one action to it.
func validateRestarts(g *Group) field.ErrorList {
	p := g.FailurePolicy()
	path := FailurePolicyPath.Child("maxRestarts")
	var errs field.ErrorList
	if p.Action == v1alpha1.FailPeerJob {
		const only = "only RestartPeerJob restarts; remove it, or set action to RestartPeerJob"
		if p.MaxRestarts != nil {
			errs = append(errs, field.Forbidden(path, only))
		}
		if p.BackoffSeconds != nil {
			errs = append(errs, field.Forbidden(FailurePolicyPath.Child("backoffSeconds"), only))
		}
		return errs
	}
	if p.MaxRestarts == nil && g.Restarts() {
		errs = append(errs, field.Required(path, "how often the group starts again before the Job fails, such as 3"))
	}
	errs = append(errs, validateRange(p.MaxRestarts, 0, v1alpha1.MaxRestarts, path)...)
	errs = append(errs, validateRange(p.BackoffSeconds, 0, v1alpha1.MaxBackoffSeconds, FailurePolicyPath.Child("backoffSeconds"))...)
	if !g.Restarts() {
		return errs
	}
	b := g.Barrier()
	const together = "must be Enabled with failurePolicy.action RestartPeerJob: %s; remove it"
	if b.Start == v1alpha1.Disabled {
		errs = append(errs, field.Invalid(barrierPath.Child("start"), b.Start, fmt.Sprintf(together, "the peers start again when all are there")))
	}
	if b.End == v1alpha1.Disabled {
		errs = append(errs, field.Invalid(barrierPath.Child("end"), b.End, fmt.Sprintf(together, "a peer that has ended must be able to run again until all have")))
	}
	if b.EndTimeoutSeconds != nil {
		errs = append(errs, field.Invalid(barrierPath.Child("endTimeoutSeconds"), *b.EndTimeoutSeconds,
			"can't be set with failurePolicy.action RestartPeerJob: a peer that has ended stays until all have, because it must be able to run again; remove it, and set activeDeadlineSeconds to limit the Job"))
	}
	return errs
}

func validateOnDisruption(g *Group) field.ErrorList {
	p, path := g.FailurePolicy(), FailurePolicyPath.Child("onDisruption")
	all := []v1alpha1.DisruptionAction{v1alpha1.RestartOnDisruption, v1alpha1.FailOnDisruption, v1alpha1.ContinueOnDisruption}
	switch {
	case p.OnDisruption != "" && !slices.Contains(all, p.OnDisruption):
		return field.ErrorList{field.NotSupported(path, p.OnDisruption, all)}
	case p.OnDisruption == v1alpha1.RestartOnDisruption && p.Action == v1alpha1.FailPeerJob:
		return field.ErrorList{field.Invalid(path, p.OnDisruption, "only RestartPeerJob restarts; write Fail or Continue, or set action to RestartPeerJob")}
	}
	return nil
}

// validateElastic refuses a framework that goes on with fewer peers.
func validateElastic(g *Group) field.ErrorList {
	if f := g.PeerJob.Spec.Framework; f == nil || f.Elastic == nil {
		return nil
	}
	return field.ErrorList{field.Forbidden(FrameworkPath.Child("elastic"),
		"an elastic group goes on when a peer fails, and spec.failurePolicy stops all peers then; remove one of the two")}
}

// validateJobLimits refuses limits of the Job that contradict the policy.
func validateJobLimits(g *Group) field.ErrorList {
	var errs field.ErrorList
	if !g.Restarts() {
		if g.Job.BackoffLimitPerIndex == nil || g.Job.MaxFailedIndexes != nil && *g.Job.MaxFailedIndexes == 0 {
			return nil
		}
		const detail = "with spec.failurePolicy and backoffLimitPerIndex: the Job must fail with its first index, or the other peers would wait for that; set it to 0"
		if path := g.Path.Child("maxFailedIndexes"); g.Job.MaxFailedIndexes == nil {
			errs = append(errs, field.Required(path, detail))
		} else {
			errs = append(errs, field.Invalid(path, *g.Job.MaxFailedIndexes, detail))
		}
		return errs
	}
	for _, limit := range []struct {
		name  string
		value *int32
		why   string
	}{
		{"backoffLimit", g.Job.BackoffLimit, "the limit is spec.failurePolicy.maxRestarts, and with this one, the Job would wait up to ten minutes before it replaces Pods that were lost together; remove it"},
		{"backoffLimitPerIndex", g.Job.BackoffLimitPerIndex, "peerjob sets it to spec.failurePolicy.maxRestarts; remove it"},
		{"maxFailedIndexes", g.Job.MaxFailedIndexes, "peerjob sets it to 0, because the group of spec.failurePolicy can't go on without a peer; remove it"},
	} {
		if limit.value != nil {
			errs = append(errs, field.Forbidden(g.Path.Child(limit.name), limit.why))
		}
	}
	return errs
}

// validateFailureRules refuses rules of the user's that contradict the policy, and more
// of them than the server takes together with those of the policy.
func validateFailureRules(g *Group, successPolicy bool) field.ErrorList {
	path := g.Path.Child("podFailurePolicy", "rules")
	own, ours := g.ownFailureRules(), g.FailureRules(successPolicy)
	var errs field.ErrorList
	if len(own)+len(ours) > maxFailureRules && len(own) > 0 {
		errs = append(errs, &field.Error{Type: field.ErrorTypeTooMany, Field: path.String(), BadValue: len(own), Detail: fmt.Sprintf(
			"must have at most %d items with spec.failurePolicy, which adds %d, and a Job takes no more than %d", maxFailureRules-len(ours), len(ours), maxFailureRules)})
	}
	decided := false
	for i, rule := range own {
		if rule.Action == batchv1.PodFailurePolicyActionFailIndex {
			errs = append(errs, field.Invalid(path.Index(i).Child("action"), rule.Action,
				"an index can't fail alone with spec.failurePolicy, which lets the peers fail as one; write FailJob"))
			continue
		}
		if decided || !g.isAboutRunner(rule) || !matches(rule.OnExitCodes, v1alpha1.ExitGroupFailed) {
			continue
		}
		decided = true
		if rule.Action == batchv1.PodFailurePolicyActionIgnore || rule.Action == batchv1.PodFailurePolicyActionCount {
			errs = append(errs, field.Invalid(path.Index(i).Child("onExitCodes", "values"), diag.ListValue(rule.OnExitCodes.Values), fmt.Sprintf(
				"matches %d, with which the peers exit when the group of spec.failurePolicy has failed: the Job would run them again; %s", v1alpha1.ExitGroupFailed, without(rule, v1alpha1.ExitGroupFailed))))
		}
	}
	return errs
}

// matches reports whether a rule is about an exit code other than 0, as the Job
// controller decides that (isOnExitCodesOperatorMatching in
// k8s.io/kubernetes/pkg/controller/job).
func matches(codes *batchv1.PodFailurePolicyOnExitCodesRequirement, code int32) bool {
	switch codes.Operator {
	case batchv1.PodFailurePolicyOnExitCodesOpIn:
		return slices.Contains(codes.Values, code)
	case batchv1.PodFailurePolicyOnExitCodesOpNotIn:
		return !slices.Contains(codes.Values, code)
	}
	return false
}

// without says how a rule that matches an exit code does no longer.
func without(rule batchv1.PodFailurePolicyRule, code int32) string {
	if rule.OnExitCodes.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn {
		return fmt.Sprintf("remove %d", code)
	}
	return fmt.Sprintf("add %d to the values", code)
}

// validateReplacement refuses a Pod of the same index beside one that still ends.
func validateReplacement(g *Group) field.ErrorList {
	if own := g.Job.PodReplacementPolicy; own != nil && *own == batchv1.TerminatingOrFailed {
		return field.ErrorList{field.Invalid(g.Path.Child("podReplacementPolicy"), *own,
			"must be Failed with spec.failurePolicy: a new Pod would run beside the one that still ends; remove it")}
	}
	return nil
}

// validateOneContainer refuses a container that would outlive the peer.
func validateOneContainer(g *Group) field.ErrorList {
	names := containerNames(g.Template().Spec.Containers)
	if len(names) < 2 {
		return nil
	}
	return field.ErrorList{field.Invalid(g.PodPath().Child("containers"), diag.ListValue(names),
		"must be one container with spec.failurePolicy: while another one runs, the Pod of a peer that has failed stays Running, and the Job does not see the failure; "+
			"move the others to initContainers, with restartPolicy: Always")}
}

// validateNoRestart refuses a kubelet that starts the container with the runner again.
func validateNoRestart(g *Group) field.ErrorList {
	const detail = "must be Never with spec.failurePolicy: the kubelet would start a peer again that has failed, and no other peer"
	var errs field.ErrorList
	if policy := g.Template().Spec.RestartPolicy; policy == corev1.RestartPolicyOnFailure {
		errs = append(errs, field.Invalid(g.PodPath().Child("restartPolicy"), policy, detail+"; remove it"))
	}
	container, path, found := g.runnerContainer()
	if !found {
		return errs
	}
	if own := container.RestartPolicy; own != nil && *own != corev1.ContainerRestartPolicyNever {
		errs = append(errs, field.Invalid(path.Child("restartPolicy"), *own, detail+"; remove it"))
	}
	if len(container.RestartPolicyRules) > 0 {
		errs = append(errs, field.Forbidden(path.Child("restartPolicyRules"), "with spec.failurePolicy, the kubelet must not start a peer again, and no other peer; remove them"))
	}
	if probe := container.LivenessProbe; g.Restarts() && probe != nil && g.asksCommand(probe, container) {
		errs = append(errs, field.Forbidden(path.Child("livenessProbe"),
			"kills a peer while its command does not run: before the group starts again, and at the end, when it waits for the others (spec.failurePolicy); remove it, and let the command exit if it hangs"))
	}
	return errs
}

// warnFailurePolicy finds what keeps a group from starting again, or its Job from failing
// or from going on. It wants to know whether the Job has a success policy.
func warnFailurePolicy(g *Group, successPolicy bool) []diag.Warning {
	if g.FailurePolicy() == nil {
		return nil
	}
	return slices.Concat(warnRestartTime(g), warnSidecarRules(g), warnEveryPod(g), warnNeverRestarts(g), warnTermination(g), warnRetries(g, successPolicy))
}

// warnRetries finds a limit of the user's that workers reach when they crash because their leader
// has ended: see BackoffLimit.
func warnRetries(g *Group, successPolicy bool) []diag.Warning {
	if g.Restarts() || !g.mayEndBefore(successPolicy) {
		return nil
	}
	const why = "is %d: the other peers may crash when those have ended that make the Job succeed, and the Job looks at this limit before it looks for success"
	all, one := g.Job.BackoffLimit, g.Job.BackoffLimitPerIndex
	switch {
	case one != nil && *one == 0:
		return []diag.Warning{diag.Warn(g.Path.Child("backoffLimitPerIndex"), why+"; set it to at least 1", *one)}
	case all != nil && *all < g.Peers()-1:
		how := fmt.Sprintf("set it to at least %d", g.Peers()-1)
		if one == nil {
			how = fmt.Sprintf("remove it, and peerjob sets it to %d, or set it to at least %d", ServerBackoffLimit+g.Peers(), g.Peers()-1)
		}
		return []diag.Warning{diag.Warn(g.Path.Child("backoffLimit"), why+"; "+how, *all)}
	}
	return nil
}

// warnRestartTime finds a time for the start that is over before a Pod that was lost has been
// replaced. All peers would exit with 75 then. What a restart waits for besides does not
// count: the time for the start does not run meanwhile.
func warnRestartTime(g *Group) []diag.Warning {
	limit := g.Barrier().StartTimeoutSeconds
	if !g.Restarts() || limit == nil || *limit <= 0 {
		return nil
	}
	losses := between(1, orDefault(g.FailurePolicy().MaxRestarts, 0), countedLosses)
	pause := int32(indexBackoff) << (losses - 1)
	if *limit >= pause+podSeconds {
		return nil
	}
	return []diag.Warning{diag.Warn(barrierPath.Child("startTimeoutSeconds"),
		"is %d: when an index loses its Pod, the Job waits before it makes a new one, %d s the first time and twice as long each next time, and the new Pod needs about %d s to start; all peers would exit with 75 before; set it to at least %d",
		*limit, indexBackoff, podSeconds, pause+podSeconds)}
}

const (
	// indexBackoff is how long the Job controller waits before it replaces the first Pod of
	// an index that failed or was disrupted, in seconds; twice as long for each next one
	// (getRemainingTimePerIndex in k8s.io/kubernetes/pkg/controller/job).
	indexBackoff = 10
	// countedLosses is how many Pods of one index may be lost before the group gives up
	// waiting for the next one, if it may restart so often.
	countedLosses = 3
	// podSeconds is time to spare for a Pod: to be scheduled, to start and to be published in
	// DNS, with its images on the node.
	podSeconds = 30
)

func between(least, n, most int32) int32 { return max(least, min(n, most)) }

func orDefault(n *int32, otherwise int32) int32 {
	if n == nil {
		return otherwise
	}
	return *n
}

// warnSidecarRules finds rules that hide the end of the group: a sidecar is told to end when
// the peer has, and a rule that ignores or counts its exit code decides before the one about
// the peer's.
func warnSidecarRules(g *Group) []diag.Warning {
	var w []diag.Warning
	for i, rule := range g.ownFailureRules() {
		codes := rule.OnExitCodes
		if codes == nil || rule.Action != batchv1.PodFailurePolicyActionIgnore && rule.Action != batchv1.PodFailurePolicyActionCount {
			continue
		}
		if !matches(codes, v1alpha1.ExitTerminated) && !matches(codes, exitKilled) {
			continue
		}
		for _, container := range g.Template().Spec.InitContainers {
			sidecar := container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways
			if !sidecar || codes.ContainerName != nil && *codes.ContainerName != container.Name {
				continue
			}
			how := "remove the rule"
			if codes.ContainerName == nil {
				how = fmt.Sprintf("set containerName to %q", g.runnerName())
			}
			w = append(w, diag.Warn(g.Path.Child("podFailurePolicy", "rules").Index(i).Child("onExitCodes"),
				"matches 137 or 143, with which the sidecar %q can exit when it is told to end behind the peer: the Job then takes a group that has failed for one that has not, and runs it again; %s", container.Name, how))
			break
		}
	}
	return w
}

// exitKilled is the exit code of a container that SIGKILL has ended.
const exitKilled = 128 + 9

// everyFailedPod are conditions that every Pod has which has failed after its containers had
// started (pkg/kubelet/status in k8s.io/kubernetes). Whether its sandbox is gone by then,
// PodReadyToStartContainers, is chance.
var everyFailedPod = map[corev1.PodConditionType][]corev1.ConditionStatus{
	corev1.PodReady:                  {corev1.ConditionFalse},
	corev1.ContainersReady:           {corev1.ConditionFalse},
	corev1.PodInitialized:            {corev1.ConditionTrue},
	corev1.PodScheduled:              {corev1.ConditionTrue},
	corev1.PodReadyToStartContainers: {corev1.ConditionTrue, corev1.ConditionFalse},
}

// warnEveryPod finds a rule about a condition that every failed Pod has. It decides before
// those of the policy, which stand behind it, and before the user's own behind it.
func warnEveryPod(g *Group) []diag.Warning {
	for i, rule := range g.ownFailureRules() {
		if g.isAboutRunner(rule) && rule.Action == batchv1.PodFailurePolicyActionFailJob && matches(rule.OnExitCodes, v1alpha1.ExitGroupFailed) {
			return nil // the end of the group is decided
		}
		for j, pattern := range rule.OnPodConditions {
			status := cmp.Or(pattern.Status, corev1.ConditionTrue)
			if !slices.Contains(everyFailedPod[pattern.Type], status) {
				continue
			}
			what := "the Job takes a group that has failed for one that has not, and runs it again"
			if rule.Action == batchv1.PodFailurePolicyActionFailJob {
				what = "the Job fails with the first Pod that is lost, deleted or suspended"
			}
			return []diag.Warning{diag.Warn(g.Path.Child("podFailurePolicy", "rules").Index(i).Child("onPodConditions").Index(j),
				"%s %s is a condition of every failed Pod, and the first rule that matches decides: %s; remove it, or name a condition that only some Pods have, such as DisruptionTarget", pattern.Type, status, what)}
		}
	}
	return nil
}

// warnNeverRestarts finds a rule that fails the Job with all exit codes but a few. The group
// does not start again then, because the rules of the Job come first.
func warnNeverRestarts(g *Group) []diag.Warning {
	if !g.Restarts() {
		return nil
	}
	for i, rule := range g.ownFailureRules() {
		if !g.isAboutRunner(rule) || rule.OnExitCodes.Operator != batchv1.PodFailurePolicyOnExitCodesOpNotIn {
			continue
		}
		if rule.Action != batchv1.PodFailurePolicyActionFailJob {
			return nil // the first rule decides
		}
		return []diag.Warning{diag.Warn(g.Path.Child("podFailurePolicy", "rules").Index(i).Child("onExitCodes", "operator"),
			"NotIn fails the Job at once with every exit code but %s, and spec.failurePolicy starts the group again only if the code is one of these, or a Pod is lost; write In, and the codes that must fail the Job", diag.Listed(rule.OnExitCodes.Values, "and"))}
	}
	return nil
}

// warnTermination finds rules that make a Pod fail its Job which was told to end: the
// Job controller asks the rules about every failed Pod, also of a suspended Job.
func warnTermination(g *Group) []diag.Warning {
	for i, rule := range g.ownFailureRules() {
		if !g.isAboutRunner(rule) || !matches(rule.OnExitCodes, v1alpha1.ExitTerminated) {
			continue
		}
		if rule.Action != batchv1.PodFailurePolicyActionFailJob {
			return nil // the first rule decides
		}
		return []diag.Warning{diag.Warn(g.Path.Child("podFailurePolicy", "rules").Index(i).Child("onExitCodes", "values"),
			"matches %d, with which a peer exits when it is told to end from outside: a suspension of the Job or a deletion of a Pod can fail the Job; %s", v1alpha1.ExitTerminated, without(rule, v1alpha1.ExitTerminated))}
	}
	return nil
}
