// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/barrier/protocol"
)

const (
	// nobody is the user that peerjob's image runs as.
	nobody = 65534
	// probeMarginSeconds is how much longer the kubelet waits for the answer to a
	// probe than the sidecar holds it.
	probeMarginSeconds = 10
)

// addBarrier adds the containers of a barrier to a Pod template. They come
// first: the sidecar is the last to end, and no other container may start before
// every peer is there, init containers that look for a peer included. What keeps
// them is the sidecar's startup probe, or the gate where there is a time limit.
func addBarrier(template *corev1.PodTemplateSpec, pj *v1alpha1.PeerJob) {
	if !pj.HasBarrier() {
		return
	}
	template.Annotations = merged(template.Annotations, map[string]string{v1alpha1.ServiceAnnotation: pj.ServiceName()})
	barrier := []corev1.Container{barrierSidecar(pj)}
	switch {
	case pj.HasBarrierGate():
		barrier = append(barrier, barrierGate(pj))
	case pj.Spec.Barrier.Start == v1alpha1.Enabled:
		barrier[0].StartupProbe = barrierProbe(pj)
	}
	template.Spec.InitContainers = slices.Concat(barrier, template.Spec.InitContainers)
	template.Spec.TerminationGracePeriodSeconds = pj.GracePeriodSeconds()
}

// barrierSidecar takes part in the barrier.
func barrierSidecar(pj *v1alpha1.PeerJob) corev1.Container {
	args := []string{"barrier", fmt.Sprintf("--port=%d", pj.BarrierPort())}
	if pj.Spec.Barrier.Start == v1alpha1.Enabled {
		args = append(args, "--start")
	}
	if pj.Spec.Barrier.End == v1alpha1.Enabled {
		args = append(args, fmt.Sprintf("--end-timeout=%ds", pj.BarrierEndTimeoutSeconds()))
		for _, until := range successes(pj.Spec.SuccessPolicy) {
			args = append(args, "--until="+until)
		}
	}
	container := barrierContainer(pj, v1alpha1.BarrierContainer, args)
	container.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
	container.Ports = []corev1.ContainerPort{{Name: v1alpha1.BarrierContainer, ContainerPort: pj.BarrierPort()}}
	container.Env = barrierEnv(pj)
	return container
}

// barrierEnv is what "peerjob barrier" reads: who the peer is, and the unique ID
// of its Job.
func barrierEnv(pj *v1alpha1.PeerJob) []corev1.EnvVar {
	env := slices.DeleteFunc(PeerEnv(pj), func(variable corev1.EnvVar) bool {
		return variable.Name == v1alpha1.EnvNamespace || variable.Name == v1alpha1.EnvLeader || variable.Name == v1alpha1.EnvSelf
	})
	uid := fromField("metadata.labels['" + v1alpha1.UIDLabel + "']")
	uid.Name = v1alpha1.EnvUID
	return append(env, uid)
}

// barrierProbe asks the sidecar whether all are there. A request is held
// until they are, or for a while; then the kubelet asks again, for ever.
// See https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/.
func barrierProbe(pj *v1alpha1.PeerJob) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: protocol.StartupPath, Port: intstr.FromInt32(pj.BarrierPort()),
		}},
		TimeoutSeconds:   protocol.StartupHoldSeconds + probeMarginSeconds,
		PeriodSeconds:    1,
		FailureThreshold: math.MaxInt32,
	}
}

// barrierGate asks the sidecar whether all are there, and fails the Pod when
// they are not in time.
func barrierGate(pj *v1alpha1.PeerJob) corev1.Container {
	return barrierContainer(pj, v1alpha1.BarrierGate, []string{
		"barrier", "wait", fmt.Sprintf("--port=%d", pj.BarrierPort()), fmt.Sprintf("--timeout=%ds", pj.BarrierStartTimeoutSeconds()),
	})
}

// barrierContainer is what both containers have in common. Its security
// context is what the Pod Security Standard "restricted" asks for.
// See https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted.
func barrierContainer(pj *v1alpha1.PeerJob, name string, args []string) corev1.Container {
	container := corev1.Container{
		Name:  name,
		Image: pj.Spec.Barrier.Image,
		Args:  args,
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			ReadOnlyRootFilesystem:   new(true),
			RunAsNonRoot:             new(true),
			RunAsUser:                new(int64(nobody)),
			RunAsGroup:               new(int64(nobody)),
			SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
	if resources := pj.Spec.Barrier.Resources; resources != nil {
		container.Resources = *resources.DeepCopy()
	}
	return container
}

// successes are the ways in which the Job succeeds without all of its indexes,
// as "peerjob barrier --until" reads them.
func successes(policy *batchv1.SuccessPolicy) []string {
	if policy == nil {
		return nil
	}
	var untils []string
	for _, rule := range policy.Rules {
		until := *cmp.Or(rule.SucceededIndexes, new(""))
		if rule.SucceededCount != nil {
			until += fmt.Sprintf(":%d", *rule.SucceededCount)
		}
		untils = append(untils, until)
	}
	return untils
}
