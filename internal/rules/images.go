// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// missingPart matches the name of an image with a part that is empty, as it is if a
// template gets no value: "example.com/train:", ":1.0".
var missingPart = lazyregexp.New(`^[:@/]|[:@/]$|//|:[:@/]|@[:@/]|/[:@]`)

// placeholder matches what stands for a name that is still to come: "IMAGE", "<image>".
var placeholder = lazyregexp.New(`^(?:[^a-z]*|<[^>]*>)$`)

// misnamed says what to write instead of an image that no kubelet takes, "" for others. What
// has a variable in it is judged elsewhere, and what has no letter of a name is none.
func misnamed(image string) string {
	if strings.Contains(image, "$") || strings.Contains(image, "{{") || placeholder.MatchString(image) || strings.ContainsFunc(image, func(r rune) bool { return r > '~' }) {
		return ""
	}
	if isImage(image) {
		return ""
	}
	name, tag := image, ""
	if at := strings.LastIndexAny(image, ":/@"); at >= 0 && image[at] == ':' {
		name, tag = image[:at], image[at:]
	}
	if lower := strings.ToLower(name) + tag; isImage(lower) {
		return "write the repository in lower case, " + lower
	}
	return "write [HOST/]NAME[:TAG], in letters, digits and . _ -"
}

// isImage asks the parser that the kubelet asks.
func isImage(image string) bool {
	_, err := reference.ParseNormalizedNamed(image)
	return err == nil
}

// Images finds names of images that no kubelet takes. The API server takes any text, and the
// kubelet then says InvalidImageName until somebody deletes the Pod.
// See https://pkg.go.dev/github.com/distribution/reference.
func Images(template *corev1.PodTemplateSpec, path *field.Path) (w []diag.Warning) {
	judge := func(image string, path *field.Path) {
		if missingPart.MatchString(image) {
			w = append(w, diag.Warn(path, "%q has an empty part, and the kubelet takes no such image (InvalidImageName); write <name>:<tag>, and look for a value that is missing", image))
		} else if cure := misnamed(image); cure != "" {
			w = append(w, diag.Warn(path, "%q is no name of an image, and the kubelet takes no such image (InvalidImageName); %s", image, cure))
		}
	}
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) { judge(container.Image, path.Child("image")) })
	for i, volume := range template.Spec.Volumes {
		if volume.Image != nil {
			judge(volume.Image.Reference, path.Child("spec", "volumes").Index(i).Child("image", "reference"))
		}
	}
	return w
}
