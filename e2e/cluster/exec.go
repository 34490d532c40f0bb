// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
)

// Exec runs a command in a running container, as "kubectl exec" does, and returns
// what it printed.
func (c *Cluster) Exec(ctx context.Context, pod *corev1.Pod, container string, command ...string) (string, error) {
	var stdout, stderr strings.Builder
	err := c.stream(ctx, pod, "exec", &corev1.PodExecOptions{Container: container, Command: command, Stdout: true, Stderr: true},
		remotecommand.StreamOptions{Stdout: &stdout, Stderr: &stderr})
	if err != nil {
		return stdout.String(), fmt.Errorf("exec in %s/%s: %w: %s", pod.Namespace, pod.Name, err, stderr.String())
	}
	return stdout.String(), nil
}

// Attach gives a running container its stdin, as "kubectl attach -i" does, and returns
// when its stdout is closed. What the container prints is in its log.
func (c *Cluster) Attach(ctx context.Context, pod *corev1.Pod, container string, tty bool, stdin io.Reader) error {
	err := c.stream(ctx, pod, "attach", &corev1.PodAttachOptions{Container: container, Stdin: true, Stdout: true, TTY: tty},
		remotecommand.StreamOptions{Stdin: stdin, Stdout: io.Discard, Tty: tty})
	if err != nil {
		return fmt.Errorf("attach to %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return nil
}

func (c *Cluster) stream(ctx context.Context, pod *corev1.Pod, subresource string, options runtime.Object, streams remotecommand.StreamOptions) error {
	url := c.CoreV1().RESTClient().Get().Namespace(pod.Namespace).Resource("pods").Name(pod.Name).
		SubResource(subresource).VersionedParams(options, scheme.ParameterCodec).URL()
	executor, err := remotecommand.NewWebSocketExecutor(c.config, "GET", url.String())
	if err != nil {
		return err
	}
	return executor.StreamWithContext(ctx, streams)
}
