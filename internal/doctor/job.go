// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
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
	if len(g.pods) == 0 {
		peers = "has no Pods"
	}
	// An event from before the latest Pod is of a trouble that has passed.
	if e := c.lastEvent("Job", g.job, creationReasons...); e != nil && (len(g.pods) == 0 || compareTimes(e.last, g.pods[len(g.pods)-1].CreationTimestamp) >= 0) {
		r.job(g, podsMissing, Error, peers+": "+e.message, creationCure(e.message))
		return
	}
	switch {
	case len(c.pods) == 0 && g.job.Status.Active > 0:
		r.job(g, inputIncomplete, Warning, fmt.Sprintf("has %d Pods, and the input has no Pods", g.job.Status.Active), "write pods into the input, too: kubectl get jobs,pods,services,endpointslices,networkpolicies,events -o yaml")
	case len(g.pods) == 0 && g.job.UID == "":
		r.job(g, inputIncomplete, Warning, "is a file that was written, and not what a cluster has of it: it has no uid", "write what the cluster has into the input: kubectl get jobs,pods,services,endpointslices,networkpolicies,events -n NAMESPACE -o yaml; peerjob lint checks files before they are applied")
	case len(g.pods) == 0 && g.job.Status.Active == 0:
		r.job(g, podsMissing, Error, peers+", and no event says why", "see whether the Job controller runs, and what kubectl describe job "+g.job.Name+" says; events are kept for an hour")
	case int32(len(g.pods)) < g.job.Status.Active:
		r.job(g, inputIncomplete, Warning, fmt.Sprintf("has %d Pods, and the input has %d of them", g.job.Status.Active, len(g.pods)), "write all Pods into the input, without a selector")
	}
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
