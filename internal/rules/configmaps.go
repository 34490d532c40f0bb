// SPDX-License-Identifier: Apache-2.0

package rules

import corev1 "k8s.io/api/core/v1"

// ConfigMaps are the names of the ConfigMaps that a Pod uses.
func ConfigMaps(pod *corev1.PodSpec) map[string]bool {
	names := map[string]bool{}
	for _, volume := range pod.Volumes {
		if volume.ConfigMap != nil {
			names[volume.ConfigMap.Name] = true
		}
		if volume.Projected != nil {
			for _, source := range volume.Projected.Sources {
				if source.ConfigMap != nil {
					names[source.ConfigMap.Name] = true
				}
			}
		}
	}
	for _, containers := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
		for i := range containers {
			for _, source := range containers[i].EnvFrom {
				if source.ConfigMapRef != nil {
					names[source.ConfigMapRef.Name] = true
				}
			}
			for _, variable := range containers[i].Env {
				if variable.ValueFrom != nil && variable.ValueFrom.ConfigMapKeyRef != nil {
					names[variable.ValueFrom.ConfigMapKeyRef.Name] = true
				}
			}
		}
	}
	return names
}
