// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// FilesPath is the field of the files.
var FilesPath = specPath.Child("files")

// notInKey matches what the key of a ConfigMap can't have.
var notInKey = regexp.MustCompile(`[^-._a-zA-Z0-9]`)

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

// validateFiles validates the files. The API server's rules on mounts and ConfigMaps
// are not repeated.
func validateFiles(g *Group) field.ErrorList {
	var errs field.ErrorList
	var names []string
	g.EachContainer(func(container *corev1.Container, _ *field.Path) { names = append(names, container.Name) })
	seen := map[string]bool{}
	for i, file := range g.PeerJob.Spec.Files {
		at := FilesPath.Index(i)
		switch {
		case file.Path == "":
			errs = append(errs, field.Required(at.Child("path"), "where the containers find the file"))
		case !path.IsAbs(file.Path) || path.Clean(file.Path) != file.Path || file.Path == "/":
			errs = append(errs, field.Invalid(at.Child("path"), file.Path, `must be an absolute path of a file, without "..", "//" and a "/" at the end`))
		case seen[file.Path]:
			errs = append(errs, field.Duplicate(at.Child("path"), file.Path))
		case slices.ContainsFunc(g.PeerJob.Spec.Files, func(other v1alpha1.PeerFile) bool { return strings.HasPrefix(file.Path, other.Path+"/") }):
			errs = append(errs, field.Invalid(at.Child("path"), file.Path, "must not be below the path of another file: a file has no folders"))
		}
		seen[file.Path] = true
		for j, name := range file.Containers {
			if !slices.Contains(names, name) {
				errs = append(errs, field.NotSupported(at.Child("containers").Index(j), name, names))
			}
		}
	}
	return errs
}
