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
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/barrier/protocol"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

const (
	// nobody is the user that peerjob's image runs as.
	nobody = 65534
	// probeMarginSeconds is how much longer the kubelet waits for the answer to a
	// probe than the sidecar holds it.
	probeMarginSeconds = 10
)

// addBarrier adds the containers of a barrier to a Pod template. They come first: the
// sidecar is the last to end, and no other container may start before every peer is
// there, init containers that look for a peer included. What keeps them is the
// sidecar's startup probe, or the gate where there is a time limit.
func addBarrier(g *peerjob.Group, template *corev1.PodTemplateSpec, barrier []corev1.Container) {
	if len(barrier) == 0 {
		return
	}
	template.Annotations = merged(template.Annotations, map[string]string{v1alpha1.ServiceAnnotation: g.ServiceName()})
	template.Spec.InitContainers = slices.Concat(barrier, template.Spec.InitContainers)
	template.Spec.TerminationGracePeriodSeconds = g.GracePeriodSeconds()
}

// barrierContainers are the containers of a barrier, none without one.
func barrierContainers(g *peerjob.Group) []corev1.Container {
	if !g.Barrier().Enabled() {
		return nil
	}
	barrier := []corev1.Container{barrierSidecar(g)}
	switch {
	case g.HasBarrierGate():
		barrier = append(barrier, barrierGate(g))
	case g.Barrier().Start == v1alpha1.Enabled:
		barrier[0].StartupProbe = barrierProbe(g)
	}
	return barrier
}

// barrierOrigins says where a container of a barrier came from. Its name is the
// user's where one of the user's containers has it, too.
func barrierOrigins(from *origin.Map, g *peerjob.Group, name string, at *field.Path) {
	from.All(at, pjBarrierPath)
	from.From(at.Child("image"), pjBarrierPath.Child("image"))
	from.From(at.Child("resources"), pjBarrierPath.Child("resources"))
	from.All(at.Child("ports"), barrierPort)
	g.EachContainer(func(container *corev1.Container, path *field.Path) {
		if container.Name == name {
			from.From(at.Child("name"), path.Child("name"))
		}
	})
}

// barrierSidecar takes part in the barrier.
func barrierSidecar(g *peerjob.Group) corev1.Container {
	args := []string{"barrier", fmt.Sprintf("--port=%d", *g.Barrier().Port)}
	if g.Barrier().Start == v1alpha1.Enabled {
		args = append(args, "--start")
	}
	if g.Barrier().End == v1alpha1.Enabled {
		args = append(args, fmt.Sprintf("--end-timeout=%ds", *g.Barrier().EndTimeoutSeconds))
		for _, until := range successes(g.Job.SuccessPolicy) {
			args = append(args, "--until="+until)
		}
	}
	container := barrierContainer(g, v1alpha1.BarrierContainer, args)
	container.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
	container.Ports = []corev1.ContainerPort{{Name: v1alpha1.BarrierContainer, ContainerPort: *g.Barrier().Port}}
	container.Env = barrierEnv(g)
	return container
}

// barrierEnv is what "peerjob barrier" reads: who the peer is, and the unique ID
// of its Job.
func barrierEnv(g *peerjob.Group) []corev1.EnvVar {
	env := slices.DeleteFunc(g.PeerEnv(false), func(variable corev1.EnvVar) bool {
		return variable.Name == v1alpha1.EnvNamespace || variable.Name == v1alpha1.EnvLeader || variable.Name == v1alpha1.EnvSelf
	})
	return append(env, corev1.EnvVar{Name: v1alpha1.EnvUID, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['" + v1alpha1.UIDLabel + "']"},
	}})
}

// barrierProbe asks the sidecar whether all are there. A request is held
// until they are, or for a while; then the kubelet asks again, forever.
// See https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/.
func barrierProbe(g *peerjob.Group) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: protocol.StartupPath, Port: intstr.FromInt32(*g.Barrier().Port),
		}},
		TimeoutSeconds:   protocol.StartupHoldSeconds + probeMarginSeconds,
		PeriodSeconds:    1,
		FailureThreshold: math.MaxInt32,
	}
}

// barrierGate asks the sidecar whether all are there, and fails the Pod when
// they are not in time.
func barrierGate(g *peerjob.Group) corev1.Container {
	return barrierContainer(g, v1alpha1.BarrierGate, []string{
		"barrier", "wait", fmt.Sprintf("--port=%d", *g.Barrier().Port), fmt.Sprintf("--timeout=%ds", *g.Barrier().StartTimeoutSeconds),
	})
}

// barrierContainer is what both containers have in common. Its security
// context is what the Pod Security Standard "restricted" asks for.
// See https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted.
func barrierContainer(g *peerjob.Group, name string, args []string) corev1.Container {
	container := corev1.Container{
		Name:  name,
		Image: g.Barrier().Image,
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
	if resources := g.Barrier().Resources; resources != nil {
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
