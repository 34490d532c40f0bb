// SPDX-License-Identifier: Apache-2.0

package rules

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// missingPart matches the name of an image with a part that is empty, as it is if a
// template gets no value: "example.com/train:", ":1.0".
var missingPart = lazyregexp.New(`^[:@/]|[:@/]$|//|:[:@/]|@[:@/]|/[:@]`)

// Images finds names of images with an empty part. The API server takes any text, and the
// kubelet then says InvalidImageName until somebody deletes the Pod.
// See https://pkg.go.dev/github.com/distribution/reference.
func Images(template *corev1.PodTemplateSpec, path *field.Path) (w []diag.Warning) {
	judge := func(image string, path *field.Path) {
		if missingPart.MatchString(image) {
			w = append(w, diag.Warn(path, "%q has an empty part, and the kubelet takes no such image (InvalidImageName); write <name>:<tag>, and look for a value that is missing", image))
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
