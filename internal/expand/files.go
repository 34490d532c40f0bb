// SPDX-License-Identifier: Apache-2.0

package expand

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// filesVolume is the volume with the files of spec.files.
const filesVolume = "peerjob-files"

// filesConfigMap is the ConfigMap with the files, nil if there are none.
func filesConfigMap(g *peerjob.Group) *corev1.ConfigMap {
	files := g.PeerJob.Spec.Files
	if len(files) == 0 {
		return nil
	}
	data := make(map[string]string, len(files))
	for i, file := range files {
		data[g.FileKey(i)] = file.Content
	}
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: g.FilesConfigMapName()},
		Immutable:  new(true),
		Data:       data,
	}
}

// addFiles mounts each file in the containers that get it. A file is mounted alone,
// so that everything else in its directory stays.
func addFiles(g *peerjob.Group, pod *corev1.PodSpec) {
	files := g.PeerJob.Spec.Files
	if len(files) == 0 {
		return
	}
	mounted := false
	add := func(containers []corev1.Container, init bool) {
		for c := range containers {
			for i := range files {
				if peerjob.HasFile(&files[i], containers[c].Name, init) {
					mounted = true
					containers[c].VolumeMounts = append(containers[c].VolumeMounts, corev1.VolumeMount{
						Name: filesVolume, MountPath: files[i].Path, SubPath: g.FileKey(i), ReadOnly: true,
					})
				}
			}
		}
	}
	add(pod.InitContainers, true)
	add(pod.Containers, false)
	if !mounted {
		return // they are for another role
	}
	pod.Volumes = append(pod.Volumes, corev1.Volume{Name: filesVolume, VolumeSource: corev1.VolumeSource{
		ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: g.FilesConfigMapName()}},
	}})
}

// fileVolumeOrigins records that the volume with the files came from spec.files. A
// volume of the user's with its name is before it.
func fileVolumeOrigins(from *origin.Map, volumes []corev1.Volume, at *field.Path) {
	for i := len(volumes) - 1; i >= 0; i-- {
		if volumes[i].Name == filesVolume {
			from.AllElements(at, i, i+1, peerjob.FilesPath)
			return
		}
	}
}

// fileMountOrigins records that the mounts of files came from their paths.
func fileMountOrigins(from *origin.Map, g *peerjob.Group, mounts []corev1.VolumeMount, at *field.Path) {
	for i := range g.PeerJob.Spec.Files {
		key := g.FileKey(i)
		for j, mount := range mounts {
			if mount.Name == filesVolume && mount.SubPath == key {
				from.AllElements(at, j, j+1, peerjob.FilesPath.Index(i).Child("path"))
			}
		}
	}
}
