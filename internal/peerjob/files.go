// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// FilesPath is the field of the files.
var FilesPath = specPath.Child("files")

// notInKey matches what the key of a ConfigMap can't have.
var notInKey = lazyregexp.New(`[^-._a-zA-Z0-9]`)

// FileKey is the key of a file in the ConfigMap.
func (g *Group) FileKey(i int) string {
	const longest = 200
	name := notInKey.ReplaceAllString(path.Base(g.PeerJob.Spec.Files[i].Path), "-")
	return fmt.Sprintf("%d-%s", i, name[:min(len(name), longest)])
}

// FilesConfigMapName is the name of the ConfigMap with the files. It changes with what
// they are, because the ConfigMap is immutable.
func (g *Group) FilesConfigMapName() string {
	var all strings.Builder
	for i, file := range g.PeerJob.Spec.Files {
		fmt.Fprintf(&all, "%q: %q\n", g.FileKey(i), file.Content)
	}
	return g.PeerJob.Name + "-files-" + Hash([]byte(all.String()))
}

// HasFile reports whether a container gets a file.
func HasFile(file *v1alpha1.PeerFile, container string, init bool) bool {
	if len(file.Containers) == 0 {
		return !init
	}
	return slices.Contains(file.Containers, container)
}

// longestFileName and longestPath are how long a file name and a path may be on Linux,
// in bytes (NAME_MAX, and PATH_MAX without the final zero byte).
const (
	longestFileName = 255
	longestPath     = 4095
)

// validateFiles validates the files. The API server's rules on mounts and ConfigMaps
// are not repeated.
func validateFiles(g *Group) field.ErrorList {
	var errs field.ErrorList
	var names []string
	for _, role := range g.All() {
		role.EachContainer(func(container *corev1.Container, _ *field.Path) {
			if !slices.Contains(names, container.Name) {
				names = append(names, container.Name)
			}
		})
	}
	taken, seen := map[fileMount]bool{}, map[fileMount]bool{}
	for i := range g.PeerJob.Spec.Files {
		for _, mount := range g.fileMounts(i) {
			taken[mount] = mount.path != ""
		}
	}
	for i, file := range g.PeerJob.Spec.Files {
		at, mounts := FilesPath.Index(i), g.fileMounts(i)
		switch {
		case file.Path == "":
			errs = append(errs, field.Required(at.Child("path"), "where the containers find the file"))
		case !path.IsAbs(file.Path) || path.Clean(file.Path) != file.Path || file.Path == "/":
			errs = append(errs, field.Invalid(at.Child("path"), file.Path, `must be an absolute path of a file, without "..", "//" and a "/" at the end`))
		case strings.Contains(file.Path, "\x00"):
			errs = append(errs, field.Invalid(at.Child("path"), file.Path, "must not contain a NUL byte (\\x00): no file has such a name"))
		case len(file.Path) > longestPath || slices.ContainsFunc(strings.Split(file.Path, "/"), func(name string) bool { return len(name) > longestFileName }):
			errs = append(errs, &field.Error{Type: field.ErrorTypeTooLong, Field: at.Child("path").String(), Detail: fmt.Sprintf(
				"Linux has no file name of more than %d bytes, and no path of more than %d; choose a shorter one", longestFileName, longestPath)})
		case isBelow(file.Path, "/proc"), isBelow(file.Path, "/sys"):
			errs = append(errs, field.Invalid(at.Child("path"), file.Path, "must not be in /proc or /sys, where no file can be made: the container would never start; choose another path"))
		case slices.Contains(runtimeDirectories, file.Path):
			errs = append(errs, field.Invalid(at.Child("path"), file.Path, "must not be a directory that the runtime makes: the container would never start; name a file"))
		case isBelowRuntimeFile(file.Path):
			errs = append(errs, field.Invalid(at.Child("path"), file.Path, "must not be below "+path.Dir(file.Path)+", which is a file of the runtime: a file has no folders"))
		case slices.ContainsFunc(mounts, func(mount fileMount) bool { return seen[mount] }):
			errs = append(errs, field.Duplicate(at.Child("path"), file.Path))
		case slices.ContainsFunc(mounts, func(mount fileMount) bool { return mount.isBelowOneOf(taken) }):
			errs = append(errs, field.Invalid(at.Child("path"), file.Path, "must not be below the path of another file: a file has no folders"))
		}
		for _, mount := range mounts {
			seen[mount] = true
		}
		for j, name := range file.Containers {
			if !slices.Contains(names, name) {
				errs = append(errs, diag.NotSupported(at.Child("containers").Index(j), name, names))
			}
		}
	}
	return slices.Concat(errs, validateFileMounts(g), validateFilePlaces(g))
}

// runtimeDirectories are the directories that every container has.
// See https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#default-filesystems.
var runtimeDirectories = []string{"/dev", "/dev/mqueue", "/dev/pts", "/dev/shm"}

// Files that the kubelet and the runtime make in every container.
const (
	hostsFile    = "/etc/hosts"
	hostnameFile = "/etc/hostname"
	resolvFile   = "/etc/resolv.conf"
)

// systemDirectories are directories that most images have.
// See https://refspecs.linuxfoundation.org/FHS_3.0/fhs/index.html.
var systemDirectories = []string{
	"/bin", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/root", "/run", "/sbin", "/srv", "/tmp", "/usr", "/usr/bin", "/usr/lib",
	"/usr/local", "/usr/local/bin", "/usr/local/lib", "/usr/sbin", "/usr/share", "/var", "/var/lib", "/var/log", "/var/run", "/var/tmp",
}

func isBelowRuntimeFile(file string) bool {
	return slices.Contains([]string{hostsFile, hostnameFile, resolvFile}, path.Dir(file))
}

// validateFilePlaces refuses a file in the place of something else that its container
// has: the message that it leaves when it ends, or its working directory.
func validateFilePlaces(g *Group) field.ErrorList {
	var errs field.ErrorList
	g.eachFileContainer(func(i int, file string, container *corev1.Container) {
		at := FilesPath.Index(i).Child("path")
		message := cleanPath(cmp.Or(container.TerminationMessagePath, corev1.TerminationMessagePathDefault))
		switch {
		case isBelow(file, message):
			errs = append(errs, field.Invalid(at, file, fmt.Sprintf("must not be at or below %s, where the kubelet mounts an empty file for the termination message of the container %s; choose another path", message, container.Name)))
		case slices.Contains(runtimeDirectories, file):
			// That is an error already.
		case isBelow(message, file):
			errs = append(errs, field.Invalid(at, file, fmt.Sprintf("must not be above %s, where the kubelet mounts a file for the termination message of the container %s: a file has no folders", message, container.Name)))
		case container.WorkingDir != "" && isBelow(cleanPath(container.WorkingDir), file):
			errs = append(errs, field.Invalid(at, file, fmt.Sprintf("must not be at or above %s, the workingDir of the container %s: a file is no directory, and the container would never start; choose another path", container.WorkingDir, container.Name)))
		}
	})
	return errs
}

// fileMount is where one container has a file. Two containers may have different files at
// one path.
type fileMount struct{ container, path string }

// fileMounts are the mounts of a file, in the containers that get it.
func (g *Group) fileMounts(i int) []fileMount {
	file := &g.PeerJob.Spec.Files[i]
	var mounts []fileMount
	for _, name := range file.Containers {
		mounts = append(mounts, fileMount{name, file.Path})
	}
	if len(file.Containers) == 0 {
		for c := range g.Template().Spec.Containers {
			mounts = append(mounts, fileMount{g.Template().Spec.Containers[c].Name, file.Path})
		}
	}
	return mounts
}

// isBelowOneOf reports whether a mount is below one of the mounts of its container.
func (m fileMount) isBelowOneOf(mounts map[fileMount]bool) bool {
	for i := range len(m.path) {
		if m.path[i] == '/' && mounts[fileMount{m.container, m.path[:i]}] {
			return true
		}
	}
	return false
}

// validateFileMounts refuses a mount of the user's in the place of a file, or below it.
// The API server compares the paths as they are written.
func validateFileMounts(g *Group) field.ErrorList {
	var errs field.ErrorList
	g.eachFileMount(func(i int, file, container string, mount corev1.VolumeMount) {
		at := FilesPath.Index(i).Child("path")
		switch mounted := path.Clean(mount.MountPath); {
		case mounted == file && mount.MountPath != file:
			errs = append(errs, field.Invalid(at, file, fmt.Sprintf("must not be where the container %s mounts the volume %s (%s); choose another path", container, mount.Name, mount.MountPath)))
		case isBelow(mounted, file) && mounted != file:
			errs = append(errs, field.Invalid(at, file, fmt.Sprintf("must not be above %s, where the container %s mounts the volume %s: a file has no folders", mount.MountPath, container, mount.Name)))
		}
	})
	return errs
}

// warnFiles finds files that the runtime probably can't make, and those that something
// else makes.
func warnFiles(g *Group) []diag.Warning {
	var w []diag.Warning
	for i, file := range g.PeerJob.Spec.Files {
		at := FilesPath.Index(i).Child("path")
		switch {
		case slices.Contains(runtimeDirectories, file.Path), file.Path == corev1.TerminationMessagePathDefault:
			// An error says so.
		case isBelow(file.Path, "/dev") && !isBelow(file.Path, "/dev/shm"):
			w = append(w, diag.Warn(at, "%s is among the devices, which the runtime makes; choose another path", file.Path))
		case file.Path == resolvFile:
			w = append(w, diag.Warn(at, "it takes the place of what the kubelet writes, and peer names may not resolve; use dnsConfig of the Pod template"))
		case file.Path == hostsFile:
			w = append(w, diag.Warn(at, "it takes the place of what the kubelet writes, with localhost and the address of the Pod's own host name, which programs look up; use hostAliases of the Pod template"))
		case file.Path == hostnameFile:
			w = append(w, diag.Warn(at, "it takes the place of what the runtime writes, and every peer finds one host name there; choose another path"))
		case slices.Contains(systemDirectories, file.Path):
			w = append(w, diag.Warn(at, "%s is a directory of most images, and a file can't take its place: the container never starts then; name a file in it", file.Path))
		}
		w = append(w, warnTokenPlace(g, file.Path, at)...)
	}
	g.eachFileMount(func(i int, file, container string, mount corev1.VolumeMount) {
		if mounted := path.Clean(mount.MountPath); mounted != file && isBelow(file, mounted) && g.isReadOnly(mount) {
			w = append(w, diag.Warn(FilesPath.Index(i).Child("path"),
				"the container %s mounts the volume %s read-only at %s: it never starts unless the volume has a file %s, over which this one goes; choose a path outside of it",
				container, mount.Name, mount.MountPath, strings.TrimPrefix(strings.TrimPrefix(file, mounted), "/")))
		}
	})
	return w
}

// eachFileMount visits each file with each mount of the user's in each container that
// gets the file.
func (g *Group) eachFileMount(visit func(i int, file, container string, mount corev1.VolumeMount)) {
	g.eachFileContainer(func(i int, file string, container *corev1.Container) {
		for _, mount := range container.VolumeMounts {
			if path.IsAbs(mount.MountPath) {
				visit(i, file, container.Name, mount)
			}
		}
	})
}

// eachFileContainer visits each file with each container that gets it.
func (g *Group) eachFileContainer(visit func(i int, file string, container *corev1.Container)) {
	for i := range g.PeerJob.Spec.Files {
		file := &g.PeerJob.Spec.Files[i]
		if !path.IsAbs(file.Path) || file.Path == "/" {
			continue
		}
		each := func(containers []corev1.Container, init bool) {
			for c := range containers {
				if HasFile(file, containers[c].Name, init) {
					visit(i, file.Path, &containers[c])
				}
			}
		}
		each(g.Template().Spec.InitContainers, true)
		each(g.Template().Spec.Containers, false)
	}
}

// isBelow reports whether a path is another one, or below it. Both are clean.
func isBelow(file, above string) bool {
	return file == above || strings.HasPrefix(file, strings.TrimSuffix(above, "/")+"/")
}
