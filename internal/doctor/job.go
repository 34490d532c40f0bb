// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/rules"
)

// finished returns the condition with which a Job ended, nil if it has not ended so.
func finished(job *batchv1.Job, how batchv1.JobConditionType) *batchv1.JobCondition {
	for i := range job.Status.Conditions {
		if condition := &job.Status.Conditions[i]; condition.Type == how && condition.Status == corev1.ConditionTrue {
			return condition
		}
	}
	return nil
}

// examineJob looks at the state of the Job. It reports false if there is no use in looking
// at its Pods.
func (c *cluster) examineJob(g *group, r *report) bool {
	job := g.job
	if by := job.Spec.ManagedBy; by != nil && *by != batchv1.JobControllerName {
		r.job(g, jobElsewhere, Note, fmt.Sprintf("is run by %s and not by the Job controller; its Pods may be in another cluster", *by), "run doctor on the objects of that cluster")
	}
	failed := finished(job, batchv1.JobFailed)
	if failed == nil {
		failed = finished(job, batchv1.JobFailureTarget)
	}
	switch {
	case failed != nil:
		r.job(g, jobFailed, Error, strings.TrimSuffix(fmt.Sprintf("has failed: %s: %s", failed.Reason, failed.Message), ": "), failureCure(failed.Reason))
	case job.Spec.Suspend != nil && *job.Spec.Suspend:
		if queue := job.Labels[rules.QueueLabel]; queue != "" {
			r.job(g, jobSuspended, Warning, fmt.Sprintf("is suspended, and has no Pods: Kueue has not admitted it to the queue %s", queue),
				fmt.Sprintf("ask Kueue why: kubectl describe workloads -n %s; it waits for quota, or there is no such LocalQueue", orDefault(job.Namespace)))
		} else if owner := metav1.GetControllerOf(job); owner != nil {
			r.job(g, jobSuspended, Warning, fmt.Sprintf("is suspended, and has no Pods; it belongs to the %s %s", owner.Kind, owner.Name),
				fmt.Sprintf("see why the %s is suspended: it resumes its Jobs", owner.Kind))
		} else {
			r.job(g, jobSuspended, Warning, "is suspended, and has no Pods", fmt.Sprintf("resume it: kubectl patch job %s -n %s -p '{\"spec\":{\"suspend\":false}}'", job.Name, orDefault(job.Namespace)))
		}
		return len(g.pods) > 0
	case job.Spec.Parallelism != nil && *job.Spec.Parallelism == 0:
		r.job(g, jobPaused, Warning, "has parallelism 0, and has no Pods", fmt.Sprintf("write parallelism: %d", g.size))
	case job.DeletionTimestamp != nil:
		r.job(g, podDeleting, Warning, "is being deleted", "wait until it is gone before you create it again")
	default:
		c.examineMissing(g, r)
	}
	return true
}

func orDefault(namespace string) string {
	if namespace == "" {
		return "default"
	}
	return namespace
}

// failureCure says what to do about a Job that failed for a reason.
// See https://kubernetes.io/docs/concepts/workloads/controllers/job/#handling-pod-and-container-failures.
func failureCure(reason string) string {
	again := "; a Job does not start again: mend the cause, delete the Job and create it"
	switch reason {
	case batchv1.JobReasonDeadlineExceeded:
		return "raise activeDeadlineSeconds, or find what the peers waited for" + again
	case batchv1.JobReasonPodFailurePolicy:
		return "a rule of podFailurePolicy ended the Job; look at the Pod that the message names" + again
	case batchv1.JobReasonBackoffLimitExceeded, batchv1.JobReasonFailedIndexes, batchv1.JobReasonMaxFailedIndexesExceeded:
		return "look at the peers that failed, below" + again
	}
	return "look at the peers that failed" + again
}

// creationReasons are the reasons of events of a Job whose Pods can't be created.
var creationReasons = []string{"FailedCreate"}

// examineMissing finds peers that have no Pod.
func (c *cluster) examineMissing(g *group, r *report) {
	want, succeeded, live := int(g.size), 0, 0
	for _, pod := range g.peers {
		switch {
		case pod.Status.Phase == corev1.PodSucceeded:
			succeeded++
		case !hasEnded(pod):
			live++
		}
	}
	want -= max(succeeded, int(g.job.Status.Succeeded))
	if parallelism := g.job.Spec.Parallelism; parallelism != nil {
		want = min(want, int(*parallelism))
	}
	missing := want - live
	if missing <= 0 {
		return
	}
	peers := fmt.Sprintf("has no Pod for %d of its %s", missing, diag.Count(g.size, "peer"))
	never := g.withoutPod()
	switch {
	case len(g.pods) == 0:
		peers = "has no Pods"
	case len(never) > 0:
		// The Job controller makes those with the lowest indexes first.
		peers += " (" + named(never, missing) + ")"
	}
	// An event from before the latest Pod is of a trouble that has passed, unless an index has
	// had no Pod at all.
	if e := c.lastEvent("Job", g.job, creationReasons...); e != nil && (len(g.pods) == 0 || len(never) > 0 || compareTimes(e.last, g.pods[len(g.pods)-1].CreationTimestamp) >= 0) {
		r.job(g, podsMissing, Error, peers+": "+e.message, creationCure(e.message))
		return
	}
	const noEvent = ", and no event says why"
	cure := "see whether the Job controller runs, and what kubectl describe job " + g.job.Name + " says; events are kept for an hour"
	switch {
	case len(c.pods) == 0 && g.job.Status.Active > 0:
		r.job(g, inputIncomplete, Warning, fmt.Sprintf("has %d Pods, and the input has no Pods", g.job.Status.Active), "write pods into the input, too: kubectl get jobs,pods,services,endpointslices,networkpolicies,events -o yaml")
	case len(g.pods) == 0 && g.job.UID == "":
		r.job(g, inputIncomplete, Warning, "is a file that was written, and not what a cluster has of it: it has no uid", "write what the cluster has into the input: kubectl get jobs,pods,services,endpointslices,networkpolicies,events -n NAMESPACE -o yaml; peerjob lint checks files before they are applied")
	case len(g.pods) == 0 && g.job.Status.Active == 0:
		r.job(g, podsMissing, Error, peers+noEvent, cure)
	case int32(len(g.pods)) < g.job.Status.Active:
		r.job(g, inputIncomplete, Warning, fmt.Sprintf("has %d Pods, and the input has %d of them", g.job.Status.Active, len(g.pods)), "write all Pods into the input, without a selector")
	case len(never) > 0 && g.job.UID != "":
		r.job(g, podsMissing, Error, peers+noEvent, cure)
	}
}

// span is a range of indexes, both ends of it included.
type span struct{ first, last int64 }

// withoutPod returns the indexes of an Indexed Job that have no Pod in the input, not even one
// that has ended, and that the Job does not count as done or failed.
func (g *group) withoutPod() []span {
	if !rules.IsIndexed(g.job) {
		return nil
	}
	var covered []span
	for index := range g.stands {
		covered = append(covered, span{int64(index), int64(index)})
	}
	covered = append(covered, spans(g.job.Status.CompletedIndexes)...)
	if failed := g.job.Status.FailedIndexes; failed != nil {
		covered = append(covered, spans(*failed)...)
	}
	slices.SortFunc(covered, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	var free []span
	next := int64(0)
	for _, s := range append(covered, span{int64(g.size), int64(g.size)}) {
		if s.first > next {
			free = append(free, span{next, min(s.first, int64(g.size)) - 1})
		}
		next = max(next, s.last+1)
		if next >= int64(g.size) {
			break
		}
	}
	return free
}

// spans reads indexes as the status of a Job has them, such as "0,2-4".
func spans(text string) []span {
	var all []span
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.ParseInt(from, 10, 32)
		last, errLast := strconv.ParseInt(to, 10, 32)
		if err == nil && errLast == nil && first <= last {
			all = append(all, span{first, last})
		}
	}
	return all
}

// mostSpans is how many ranges of indexes a finding names.
const mostSpans = 10

// named names the first so many indexes: "index 2", "indexes 2, 5-7".
func named(all []span, most int) string {
	var texts []string
	left := int64(most)
	for _, s := range all {
		if left <= 0 {
			break
		}
		s.last = min(s.last, s.first+left-1)
		left -= s.last - s.first + 1
		if len(texts) == mostSpans {
			return "indexes " + strings.Join(texts, ", ") + ", …"
		}
		texts = append(texts, strconv.FormatInt(s.first, 10))
		if between := map[bool]string{true: ", ", false: "-"}[s.last == s.first+1]; s.last > s.first {
			texts[len(texts)-1] += between + strconv.FormatInt(s.last, 10)
		}
	}
	if most == 1 || len(all) == 1 && all[0].first == all[0].last {
		return "index " + texts[0]
	}
	return "indexes " + strings.Join(texts, ", ")
}

// creationCure says what to do if Pods can't be created.
func creationCure(message string) string {
	lower := strings.ToLower(message)
	switch {
	case strings.Contains(lower, "exceeded quota"), strings.Contains(lower, "failed quota"):
		return "raise the ResourceQuota of the namespace, lower what the Pods request, or wait until other Pods end; if the quota needs limits, set them"
	case strings.Contains(lower, "violates podsecurity"):
		return "make the Pods satisfy the Pod Security level of the namespace (securityContext), or choose another namespace"
	case strings.Contains(lower, "serviceaccount") && strings.Contains(lower, "not found"), strings.Contains(lower, "error looking up service account"):
		return "create the ServiceAccount in the namespace of the Job"
	case strings.Contains(lower, "webhook"):
		return "an admission webhook refuses the Pods, or does not answer; see to it, or change what it refuses"
	case strings.Contains(lower, "limitrange"), strings.Contains(lower, "maximum") && strings.Contains(lower, "usage per"), strings.Contains(lower, "minimum") && strings.Contains(lower, "usage per"):
		return "change the requests and limits of the Pods so that they fit the LimitRange of the namespace"
	case strings.Contains(lower, "priorityclass"):
		return "create the PriorityClass, or leave priorityClassName out"
	case strings.Contains(lower, "already exists"):
		return "delete the Pod of that name"
	}
	return "mend what the message says; the Job controller tries again by itself"
}
