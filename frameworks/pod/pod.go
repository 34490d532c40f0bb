// SPDX-License-Identifier: Apache-2.0

package pod

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// Pod is what one Pod of the Job is to those who run it.
type Pod struct {
	// Hostname is the host name, "<job>-<index>".
	Hostname string
	// Address is the IPv4 address.
	Address string
	// Hosts is /etc/hosts: the kubelet's lines, and in place of the cluster's DNS
	// every name under which this Pod would find a peer.
	Hosts string
	// Volumes are the volumes of the Pod.
	Volumes []Volume
	// Containers run one after the other, the last alone being no init container.
	Containers []Container
	// GraceSeconds is the time between SIGTERM and SIGKILL, in seconds.
	GraceSeconds int64
}

// Image is what the tests need to know of a container image; its files are the
// machine's own.
type Image struct {
	// Entrypoint is run where the container has no command.
	Entrypoint []string
	// Dir is the working directory where the container has none.
	Dir string
	// Env are the image's variables, which the container's override.
	Env map[string]string
	// Files are laid over the machine's own, by their absolute paths.
	Files []File
}

// Pod returns the Pod that the Job controller makes for a completion index, as
// it runs beside peers with these addresses, one for each Pod of all Jobs, in their order.
func (o *Objects) Pod(index int32, addresses []string, image Image) (*Pod, error) {
	object := o.object(index)
	address := addresses[o.first()+int(index)]
	object.Status.PodIP = address
	if err := known(&object.Spec); err != nil {
		return nil, err
	}
	p := &Pod{
		Hostname:     object.Spec.Hostname,
		Address:      address,
		Hosts:        o.hosts(index, addresses),
		GraceSeconds: 30,
	}
	if grace := object.Spec.TerminationGracePeriodSeconds; grace != nil {
		p.GraceSeconds = *grace
	}
	for i := range object.Spec.Volumes {
		volume, err := o.volume(object, &object.Spec.Volumes[i])
		if err != nil {
			return nil, fmt.Errorf("volume %s: %w", object.Spec.Volumes[i].Name, err)
		}
		p.Volumes = append(p.Volumes, volume)
	}
	for _, container := range append(object.Spec.InitContainers, object.Spec.Containers...) {
		c, err := o.container(object, &container, image)
		if err != nil {
			return nil, fmt.Errorf("container %s: %w", container.Name, err)
		}
		p.Containers = append(p.Containers, c)
	}
	return p, nil
}

// object is the Pod as the Job controller writes it.
// See https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode.
func (o *Objects) object(index int32) *corev1.Pod {
	template := o.Job.Spec.Template.DeepCopy()
	number := strconv.Itoa(int(index))
	object := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	object.Namespace = o.Namespace()
	object.Spec.Hostname = o.hostname(index)
	object.Name = object.Spec.Hostname + "-abcde"
	object.Labels = with(object.Labels, map[string]string{
		"job-name":                           o.Job.Name,
		batchv1.JobNameLabel:                 o.Job.Name,
		"controller-uid":                     o.uid(),
		batchv1.ControllerUidLabel:           o.uid(),
		batchv1.JobCompletionIndexAnnotation: number,
	})
	object.Annotations = with(object.Annotations, map[string]string{
		batchv1.JobCompletionIndexAnnotation: number,
	})
	addIndexVariable(object.Spec.InitContainers)
	addIndexVariable(object.Spec.Containers)
	return object
}

// uid is the unique ID that the API server might have given to the Job.
func (o *Objects) uid() string {
	sum := sha256.Sum256([]byte(o.Namespace() + "/" + o.Job.Name))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func (o *Objects) hostname(index int32) string {
	return o.Job.Name + "-" + strconv.Itoa(int(index))
}

// addIndexVariable adds JOB_COMPLETION_INDEX after the variables of each
// container that has none of that name.
func addIndexVariable(containers []corev1.Container) {
	for i := range containers {
		c := &containers[i]
		found := false
		for _, variable := range c.Env {
			found = found || variable.Name == "JOB_COMPLETION_INDEX"
		}
		if !found {
			c.Env = append(c.Env, corev1.EnvVar{Name: "JOB_COMPLETION_INDEX", ValueFrom: &corev1.EnvVarSource{
				FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['" + batchv1.JobCompletionIndexAnnotation + "']"},
			}})
		}
	}
}

// known refuses what a Pod may say and this package does not act on, where the
// program would see the difference.
func known(spec *corev1.PodSpec) error {
	if len(spec.Containers) != 1 {
		return fmt.Errorf("%d containers: only one is known here", len(spec.Containers))
	}
	for _, container := range spec.InitContainers {
		if container.RestartPolicy != nil {
			return fmt.Errorf("init container %s: a restartPolicy is not known here", container.Name)
		}
	}
	switch {
	case spec.HostNetwork:
		return fmt.Errorf("hostNetwork is not known here")
	case spec.HostnameOverride != nil, spec.SetHostnameAsFQDN != nil && *spec.SetHostnameAsFQDN:
		return fmt.Errorf("another host name than the Job's is not known here")
	case spec.EnableServiceLinks == nil || *spec.EnableServiceLinks:
		return fmt.Errorf("service links are not known here")
	}
	return nil
}

func with(base, over map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, base)
	maps.Copy(all, over)
	return all
}
