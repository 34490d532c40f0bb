// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// End is how a Job ended.
type End struct {
	// Complete is false when it failed.
	Complete bool
	// Reason and Message are those of the condition.
	Reason, Message string
}

// WaitForEnd returns how a Job ended, as soon as the server says so.
func (c *Cluster) WaitForEnd(ctx context.Context, namespace, job string) (End, error) {
	var end End
	err := c.WaitForJob(ctx, namespace, job, func(j *batchv1.Job) bool {
		for _, condition := range j.Status.Conditions {
			finished := condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed
			if finished && condition.Status == corev1.ConditionTrue {
				end = End{Complete: condition.Type == batchv1.JobComplete, Reason: condition.Reason, Message: condition.Message}
				return true
			}
		}
		return false
	})
	return end, err
}

// WaitForJob returns when a Job is as the function wants it.
func (c *Cluster) WaitForJob(ctx context.Context, namespace, name string, done func(*batchv1.Job) bool) error {
	jobs := c.BatchV1().Jobs(namespace)
	selector := fields.OneTermEqualSelector("metadata.name", name).String()
	lister := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (r runtime.Object, err error) {
			o.FieldSelector = selector
			return jobs.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = selector
			return jobs.Watch(ctx, o)
		},
	}
	_, err := watchtools.UntilWithSync(ctx, lister, &batchv1.Job{}, nil, func(e watch.Event) (bool, error) {
		job, ok := e.Object.(*batchv1.Job)
		return ok && e.Type != watch.Deleted && done(job), nil
	})
	if err != nil {
		return fmt.Errorf("job %s/%s: %w", namespace, name, err)
	}
	return nil
}

// WaitForPods returns the Pods of a Job when they are as the function wants
// them.
func (c *Cluster) WaitForPods(ctx context.Context, namespace, job string, done func([]corev1.Pod) bool) ([]corev1.Pod, error) {
	for {
		pods, err := c.Pods(ctx, namespace, job)
		if err == nil && done(pods) {
			return pods, nil
		}
		select {
		case <-ctx.Done():
			return pods, fmt.Errorf("Pods of Job %s/%s: %w", namespace, job, context.Cause(ctx))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// WaitForLog returns when a container's log has a text in it.
func (c *Cluster) WaitForLog(ctx context.Context, pod *corev1.Pod, container, text string) (string, error) {
	for {
		log, err := c.Logs(ctx, pod, container)
		if err == nil && strings.Contains(log, text) {
			return log, nil
		}
		select {
		case <-ctx.Done():
			return log, fmt.Errorf("%q in the log of %s/%s: %w", text, pod.Namespace, pod.Name, context.Cause(ctx))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// WaitForPod returns a Pod as soon as it is as the function wants it. The last state of
// a Pod that is deleted counts, too.
func (c *Cluster) WaitForPod(ctx context.Context, namespace, name string, done func(*corev1.Pod) bool) (*corev1.Pod, error) {
	pods := c.CoreV1().Pods(namespace)
	selector := fields.OneTermEqualSelector("metadata.name", name).String()
	lister := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (r runtime.Object, err error) {
			o.FieldSelector = selector
			return pods.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = selector
			return pods.Watch(ctx, o)
		},
	}
	var last *corev1.Pod
	_, err := watchtools.UntilWithSync(ctx, lister, &corev1.Pod{}, nil, func(e watch.Event) (bool, error) {
		pod, ok := e.Object.(*corev1.Pod)
		if !ok {
			return false, nil
		}
		last = pod
		if done(pod) {
			return true, nil
		}
		if e.Type == watch.Deleted {
			return false, errors.New("it is gone")
		}
		return false, nil
	})
	if err != nil {
		return last, fmt.Errorf("pod %s/%s: %w", namespace, name, err)
	}
	return last, nil
}

// WaitForNode returns when a node takes Pods.
func (c *Cluster) WaitForNode(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		nodes, err := c.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err == nil && slices.ContainsFunc(nodes.Items, ready) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no node is ready: %w", ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func ready(node corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
