// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"cmp"
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/fn/v1alpha1"
)

// nobody is the user that peerjob's image runs as.
const nobody = 65534

// addBarrier adds the containers of a barrier to a Pod template. They come
// first: the sidecar is the last to end, and the gate keeps all others from
// starting, init containers that look for a peer included.
func addBarrier(template *corev1.PodTemplateSpec, pj *v1alpha1.PeerJob) {
	if !pj.HasBarrier() {
		return
	}
	template.Annotations = merged(template.Annotations, map[string]string{v1alpha1.ServiceAnnotation: pj.ServiceName()})
	barrier := []corev1.Container{barrierSidecar(pj)}
	if pj.Spec.Barrier.Start == v1alpha1.Enabled {
		barrier = append(barrier, barrierGate(pj))
	}
	template.Spec.InitContainers = slices.Concat(barrier, template.Spec.InitContainers)
	template.Spec.TerminationGracePeriodSeconds = pj.GracePeriodSeconds()
}

// barrierSidecar takes part in the barrier. It has no startup probe: a sidecar
// whose probe fails is started again, and never fails its Pod.
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
	container.Env = append(PeerEnv(pj), corev1.EnvVar{Name: v1alpha1.EnvUID, ValueFrom: fromField("metadata.labels['" + v1alpha1.UIDLabel + "']").ValueFrom})
	return container
}

// barrierGate asks the sidecar whether all are there.
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
