// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"slices"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// The names of the volumes that frameworks bring.
const (
	peersVolume = "peerjob-peers"
	runVolume   = "peerjob-run"
	sshVolume   = "peerjob-ssh"
)

// Ports returns the ports of the framework, as ports of the Service.
func Ports(g *peerjob.Group) []corev1.ServicePort {
	setups := setupsOf(g)
	if len(setups) == 0 {
		return nil
	}
	s := setups[0]
	var ports []corev1.ServicePort
	for i, port := range s.Ports {
		number := port.Number
		if i == 0 {
			number = s.portNumber()
		}
		ports = append(ports, corev1.ServicePort{Name: port.Name, Port: number, Protocol: corev1.ProtocolTCP})
	}
	return ports
}

// Apply puts what the framework reads into the Job of a group: before the
// user's own variables, and before the peers' variables stand there. The Job of a role
// that does not run the framework stays as it is.
func Apply(g *peerjob.Group, job *batchv1.Job) {
	s, ok := setupOf(g)
	if !ok {
		return
	}
	pod := &job.Spec.Template.Spec
	env := s.env()
	for i := range pod.Containers {
		container := &pod.Containers[i]
		if !s.runsIn(container.Name) {
			continue
		}
		container.Env = append(slices.DeleteFunc(slices.Clone(env), func(v corev1.EnvVar) bool {
			return s.yields(v.Name) && hasVariable(container, v.Name) || slices.ContainsFunc(container.Env, func(own corev1.EnvVar) bool { return s.saysTheSame(own, v) })
		}), container.Env...)
		container.VolumeMounts = append(container.VolumeMounts, s.mounts()...)
		s.setCommand(container)
	}
	pod.Volumes = append(pod.Volumes, s.volumes()...)
	if s.Leader != nil && !s.hasLeaderRole() && g.Peers() > 0 {
		// The workers serve until they are stopped.
		job.Spec.SuccessPolicy = &batchv1.SuccessPolicy{Rules: []batchv1.SuccessPolicyRule{{SucceededIndexes: new("0")}}}
	}
}

// Variables are the variables that [Apply] puts before those of a container.
func Variables(g *peerjob.Group, container string) []corev1.EnvVar {
	s, ok := setupOf(g)
	if !ok || !s.runsIn(container) {
		return nil
	}
	return s.env()
}

// runsIn reports whether the container with this name runs the framework. A role with one
// container needs no name for it.
func (s setup) runsIn(name string) bool {
	all := s.group.Template().Spec.Containers
	if len(s.spec.Containers) == 0 || s.group.HasRoles() && len(all) == 1 {
		return len(all) == 1 && all[0].Name == name
	}
	return slices.Contains(s.spec.Containers, name)
}

// env are the variables that the kubelet sets.
func (s setup) env() []corev1.EnvVar { return slices.DeleteFunc(s.values(), isComputed) }

// values are all variables.
func (s setup) values() []corev1.EnvVar {
	env := make([]corev1.EnvVar, 0, len(s.Variables))
	for _, v := range s.Variables {
		if value := v.value(s); value != "" {
			env = append(env, corev1.EnvVar{Name: v.Name, Value: value})
		}
	}
	return env
}

// yields reports whether the user may set this variable of the framework's.
func (s setup) yields(name string) bool {
	return slices.ContainsFunc(s.Variables, func(v Variable) bool { return v.Name == name && v.Yields })
}

// saysTheSame reports whether a variable of the user's has the value that the framework gives
// to it: many manifests set the rank and the size by hand. A name of a peer that is written
// out is not the same, because it stays when the Job is renamed.
func (s setup) saysTheSame(own, framework corev1.EnvVar) bool {
	switch {
	case own.Name != framework.Name:
		return false
	case own.ValueFrom != nil:
		return framework.Value == reference(v1alpha1.EnvIndex) && peerjob.IsIndex(own.ValueFrom)
	case framework.Value == strconv.Itoa(int(s.group.Peers())) && own.Value == reference(v1alpha1.EnvSize):
		return s.group.HasPeerEnv()
	}
	return own.Value == framework.Value
}

func hasVariable(container *corev1.Container, name string) bool {
	return slices.ContainsFunc(container.Env, func(v corev1.EnvVar) bool { return v.Name == name })
}

func (s setup) volumes() []corev1.Volume {
	var volumes []corev1.Volume
	if s.Hostfile != nil {
		volumes = append(volumes, corev1.Volume{Name: peersVolume, VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: s.configMapName()}},
		}})
	}
	if s.SSH {
		volumes = append(volumes, corev1.Volume{Name: runVolume, VolumeSource: corev1.VolumeSource{
			EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory},
		}}, corev1.Volume{Name: sshVolume, VolumeSource: corev1.VolumeSource{
			Secret: &corev1.SecretVolumeSource{SecretName: s.spec.SSHSecretName, DefaultMode: new(int32(0o400))},
		}})
	}
	return volumes
}

func (s setup) mounts() []corev1.VolumeMount {
	var mounts []corev1.VolumeMount
	if s.Hostfile != nil {
		mounts = append(mounts, corev1.VolumeMount{Name: peersVolume, MountPath: s.Hostfile.Directory, ReadOnly: true})
	}
	if s.SSH {
		mounts = append(mounts,
			corev1.VolumeMount{Name: runVolume, MountPath: runDirectory},
			corev1.VolumeMount{Name: sshVolume, MountPath: keyDirectory, ReadOnly: true})
	}
	return mounts
}

func itoa(n int32) string { return strconv.Itoa(int(n)) }
