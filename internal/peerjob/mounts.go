// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"cmp"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/rules"
)

// tokenDirectories are where the API server mounts the token of the ServiceAccount into
// every container. In most images /var/run is a link to /run.
// See DefaultAPITokenMountPath in k8s.io/kubernetes/plugin/pkg/admission/serviceaccount.
var tokenDirectories = []string{"/var/run/secrets/kubernetes.io/serviceaccount", "/run/secrets/kubernetes.io/serviceaccount"}

// hasToken reports whether the Pods get the token of their ServiceAccount, as far as the
// Pod template says: a ServiceAccount can turn it off, too.
func (g *Group) hasToken() bool {
	automount := g.Template().Spec.AutomountServiceAccountToken
	return automount == nil || *automount
}

// warnTokenPlace finds a file in the place of the ServiceAccount's token.
func warnTokenPlace(g *Group, file string, at *field.Path) []diag.Warning {
	if !g.hasToken() {
		return nil
	}
	const cure = "choose another path, or set automountServiceAccountToken of the Pod template to false"
	for _, directory := range tokenDirectories {
		switch {
		case file == directory:
			return []diag.Warning{diag.Warn(at, "it takes the place of the token of the ServiceAccount, and the container can't call the API server; %s", cure)}
		case isBelow(file, directory):
			return []diag.Warning{diag.Warn(at, "the token of the ServiceAccount is mounted read-only at %s: the container never starts, or loses the file when the token is renewed; %s", directory, cure)}
		case isBelow(directory, file):
			return []diag.Warning{diag.Warn(at, "the token of the ServiceAccount is mounted at %s, and a file has no folders: the container never starts; %s", directory, cure)}
		}
	}
	return nil
}

// warnMounts finds mounts below others that are read-only, where the runtime can't make
// the directory to mount on. Of a volume that others fill, it does not know.
func warnMounts(g *Group) []diag.Warning {
	var w []diag.Warning
	g.EachContainer(func(container *corev1.Container, at *field.Path) {
		for i, mount := range container.VolumeMounts {
			if !path.IsAbs(mount.MountPath) {
				continue
			}
			at, mounted := at.Child("volumeMounts").Index(i).Child("mountPath"), path.Clean(mount.MountPath)
			above, found := mountAbove(container, mounted)
			switch {
			case found:
				rest := strings.TrimPrefix(mounted, path.Clean(above.MountPath)+"/")
				if volume := g.volume(above.Name); volume != nil && isWritten(volume) && !hasItemAt(volume, rest) {
					w = append(w, diag.Warn(at, "is below %s, where the volume %s is mounted read-only: the container never starts unless the volume has %s; choose a path outside of it",
						above.MountPath, above.Name, rest))
				}
			case g.hasToken() && slices.ContainsFunc(tokenDirectories, func(d string) bool { return isBelow(mounted, d) && mounted != d }):
				w = append(w, diag.Warn(at, "is below the directory where the token of the ServiceAccount is mounted read-only: the container never starts; choose another path, or set automountServiceAccountToken of the Pod template to false"))
			}
		}
	})
	return diag.Few(w)
}

// mountAbove returns the nearest mount above a path of a container. One at the path
// itself is none.
func mountAbove(container *corev1.Container, at string) (nearest corev1.VolumeMount, found bool) {
	for _, mount := range container.VolumeMounts {
		if above := path.Clean(mount.MountPath); above != at && path.IsAbs(above) && isBelow(at, above) && (!found || len(above) > len(path.Clean(nearest.MountPath))) {
			nearest, found = mount, true
		}
	}
	return nearest, found
}

// volume returns the user's volume of this name, nil if there is none.
func (g *Group) volume(name string) *corev1.Volume {
	volumes := g.Template().Spec.Volumes
	if i := slices.IndexFunc(volumes, func(v corev1.Volume) bool { return v.Name == name }); i >= 0 {
		return &volumes[i]
	}
	return nil
}

// isWritten reports whether the kubelet writes a volume, and mounts it read-only.
func isWritten(v *corev1.Volume) bool {
	return v.ConfigMap != nil || v.Secret != nil || v.DownwardAPI != nil || v.Projected != nil
}

// isReadOnly reports whether the kubelet mounts a volume read-only. See the
// Attributes of the volumes in k8s.io/kubernetes/pkg/volume.
func (g *Group) isReadOnly(mount corev1.VolumeMount) bool {
	volume := g.volume(mount.Name)
	if mount.ReadOnly || volume == nil {
		return mount.ReadOnly
	}
	if isWritten(volume) || volume.Image != nil {
		return true
	}
	// Each source has its own field.
	sources := reflect.ValueOf(&volume.VolumeSource).Elem()
	for i := range sources.NumField() {
		if source := sources.Field(i); source.Kind() == reflect.Pointer && !source.IsNil() {
			switch readOnly := source.Elem().FieldByName("ReadOnly"); {
			case !readOnly.IsValid():
			case readOnly.Kind() == reflect.Bool:
				return readOnly.Bool()
			case readOnly.Kind() == reflect.Pointer && !readOnly.IsNil():
				return readOnly.Elem().Bool()
			}
		}
	}
	return false
}

// writtenFile is a file of a volume that the kubelet writes.
type writtenFile struct {
	path string
	mode *int32
}

// itemsOf returns the files that a volume lists, and whether it has others, too: all keys
// of a ConfigMap or a Secret.
func itemsOf(v *corev1.Volume) (files []writtenFile, others bool, defaultMode *int32) {
	keys := func(items []corev1.KeyToPath) {
		others = others || len(items) == 0
		for _, item := range items {
			files = append(files, writtenFile{item.Path, item.Mode})
		}
	}
	fields := func(items []corev1.DownwardAPIVolumeFile) {
		for _, item := range items {
			files = append(files, writtenFile{item.Path, item.Mode})
		}
	}
	switch {
	case v.ConfigMap != nil:
		keys(v.ConfigMap.Items)
		defaultMode = v.ConfigMap.DefaultMode
	case v.Secret != nil:
		keys(v.Secret.Items)
		defaultMode = v.Secret.DefaultMode
	case v.DownwardAPI != nil:
		fields(v.DownwardAPI.Items)
		defaultMode = v.DownwardAPI.DefaultMode
	case v.Projected != nil:
		for _, source := range v.Projected.Sources {
			switch {
			case source.ConfigMap != nil:
				keys(source.ConfigMap.Items)
			case source.Secret != nil:
				keys(source.Secret.Items)
			case source.DownwardAPI != nil:
				fields(source.DownwardAPI.Items)
			default:
				others = true
			}
		}
		defaultMode = v.Projected.DefaultMode
	}
	return files, others, defaultMode
}

// hasItemAt reports whether a volume lists a file at a path in it, or below.
func hasItemAt(v *corev1.Volume, at string) bool {
	files, _, _ := itemsOf(v)
	return slices.ContainsFunc(files, func(f writtenFile) bool { return isBelow(f.path, at) })
}

// defaultFileMode is the mode of the files of a ConfigMap or a Secret, and of spec.files.
const defaultFileMode = 0o644

// validatePrograms refuses a command that starts a file that is not executable: Linux
// starts none without an x in its mode, whoever asks.
func validatePrograms(g *Group, brought Brought) field.ErrorList {
	var errs field.ErrorList
	g.EachContainer(func(container *corev1.Container, at *field.Path) {
		check := func(words []string, at *field.Path) {
			if len(words) == 0 {
				return
			}
			if detail := g.notExecutable(container, words[0]); detail != "" {
				errs = append(errs, field.Invalid(at.Index(0), words[0], detail))
			}
		}
		if brought.Command == nil || !brought.Command(container.Name) {
			check(container.Command, at.Child("command"))
		}
		for _, command := range rules.Commands(container, at) {
			check(command.Words, command.Path)
		}
	})
	return errs
}

// warnPrograms finds such a file in a script.
func warnPrograms(g *Group) []diag.Warning {
	var w []diag.Warning
	g.EachContainer(func(container *corev1.Container, at *field.Path) {
		for _, text := range rules.Texts(container, at) {
			for _, program := range rules.ScriptPrograms(text) {
				if detail := g.notExecutable(container, program); detail != "" {
					w = append(w, diag.Warn(text.Path(), "%s %s", program, detail))
				}
			}
		}
	})
	return diag.Few(w)
}

// notExecutable says why Linux starts no program from a file of a container, and what to
// write; "" if nothing is known against it.
func (g *Group) notExecutable(container *corev1.Container, file string) string {
	const (
		never       = "is not executable: it %s, with the mode %s; "
		interpreter = "write its interpreter before it, such as sh or python"
	)
	if !path.IsAbs(file) || path.Clean(file) != file {
		return ""
	}
	init := slices.ContainsFunc(g.Template().Spec.InitContainers, func(c corev1.Container) bool { return c.Name == container.Name })
	for i := range g.PeerJob.Spec.Files {
		if f := &g.PeerJob.Spec.Files[i]; f.Path == file && HasFile(f, container.Name, init) {
			return fmt.Sprintf(never+interpreter, fmt.Sprintf("is spec.files[%d]", i), octal(defaultFileMode))
		}
	}
	mount, found := mountAbove(container, file)
	inside := ""
	if at := slices.IndexFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool { return path.Clean(m.MountPath) == file }); at >= 0 {
		mount, found = container.VolumeMounts[at], true
	} else if found {
		inside = strings.TrimPrefix(file, strings.TrimSuffix(path.Clean(mount.MountPath), "/")+"/")
	}
	volume := g.volume(mount.Name)
	if !found || mount.SubPathExpr != "" || volume == nil || !isWritten(volume) {
		return ""
	}
	files, others, mode := itemsOf(volume)
	if volume.Projected != nil {
		// A source can have a file of the same path as another one.
		others = true
	}
	inside = path.Join(mount.SubPath, inside)
	if at := slices.IndexFunc(files, func(f writtenFile) bool { return f.path == inside }); at >= 0 {
		mode = cmp.Or(files[at].mode, mode)
	} else if !others {
		return "" // another error: it is not there
	}
	bits := *cmp.Or(mode, new(int32(defaultFileMode)))
	if bits&0o111 != 0 {
		return ""
	}
	return fmt.Sprintf(never+"set the volume's defaultMode to 0755, or "+interpreter, "is in the volume "+volume.Name, octal(bits))
}

func octal(mode int32) string { return fmt.Sprintf("%04o", mode) }
