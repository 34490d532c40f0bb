// SPDX-License-Identifier: Apache-2.0

package pod

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Volume is a volume of the Pod.
type Volume struct {
	Name string
	// Files are the files in it, by their paths in the volume, all of one
	// ConfigMap or Secret. An emptyDir has none.
	Files []File
	// Projected is whether the kubelet writes the files, and the volume is
	// read-only.
	Projected bool
	// Mode are the permission bits of the folder: everybody may write to it but
	// for the mount, and a Secret's is sticky because it is in memory.
	Mode uint32
	// Group owns the volume; 0 unless the Pod has an fsGroup.
	Group int
	// Folder is the folder of a PersistentVolumeClaim, "" for another volume.
	Folder string
}

// File is a file: its content, or where it points to.
type File struct {
	Path string
	Data []byte
	// Mode are the permission bits.
	Mode uint32
	// Link is the target of a symbolic link, "" for a plain file.
	Link string
}

// defaultFileMode is the mode of a ConfigMap's and a Secret's files.
const defaultFileMode = 0o644

// sticky is the bit of a folder in which nobody removes another's files.
const sticky = 0o1000

func (o *Objects) volume(object *corev1.Pod, v *corev1.Volume) (Volume, error) {
	out := Volume{Name: v.Name, Mode: 0o777}
	var group *int64
	if object.Spec.SecurityContext != nil {
		group = object.Spec.SecurityContext.FSGroup
	}
	if group != nil {
		out.Group = int(*group)
	}
	var content map[string][]byte
	var items []corev1.KeyToPath
	var mode *int32
	switch {
	case v.EmptyDir != nil:
		return out, nil
	case v.PersistentVolumeClaim != nil:
		out.Folder = o.Claims[v.PersistentVolumeClaim.ClaimName]
		if out.Folder == "" {
			return out, fmt.Errorf("no PersistentVolumeClaim %s", v.PersistentVolumeClaim.ClaimName)
		}
		return out, nil
	case v.ConfigMap != nil:
		configMap := o.ConfigMaps[v.ConfigMap.Name]
		if configMap == nil {
			return out, fmt.Errorf("no ConfigMap %s", v.ConfigMap.Name)
		}
		content = maps.Clone(configMap.BinaryData)
		if content == nil {
			content = map[string][]byte{}
		}
		for key, text := range configMap.Data {
			content[key] = []byte(text)
		}
		items, mode = v.ConfigMap.Items, v.ConfigMap.DefaultMode
	case v.Secret != nil:
		secret := o.Secrets[v.Secret.SecretName]
		if secret == nil {
			return out, fmt.Errorf("no Secret %s", v.Secret.SecretName)
		}
		out.Mode |= sticky
		content, items, mode = secret.Data, v.Secret.Items, v.Secret.DefaultMode
	default:
		return out, fmt.Errorf("a source that is not known here")
	}
	out.Projected = true
	if len(items) == 0 {
		for _, key := range slices.Sorted(maps.Keys(content)) {
			items = append(items, corev1.KeyToPath{Key: key, Path: key})
		}
	}
	for _, item := range items {
		data, found := content[item.Key]
		if !found {
			return out, fmt.Errorf("no key %s", item.Key)
		}
		file := File{Path: item.Path, Data: data, Mode: defaultFileMode}
		if mode != nil {
			file.Mode = uint32(*mode)
		}
		if item.Mode != nil {
			file.Mode = uint32(*item.Mode)
		}
		if group != nil {
			// With an fsGroup the kubelet lets the group read every file: see
			// roMask in k8s.io/kubernetes/pkg/volume/volume_linux.go.
			file.Mode |= 0o440
		}
		out.Files = append(out.Files, file)
	}
	return out, nil
}
