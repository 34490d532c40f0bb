// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"slices"
	"strings"
)

// kustomize's lists of the prefixes and the suffixes that it gave to a name,
// from the innermost layer to the outermost, separated by commas.
const (
	prefixesAnnotation = "internal.config.kubernetes.io/prefixes"
	suffixesAnnotation = "internal.config.kubernetes.io/suffixes"
)

// FollowLayers gives a new object the prefixes and the suffixes that kustomize gave to
// the object that it was made from. By them kustomize tells which of two objects that
// had one name a reference means: that of the same overlay.
func (o *Object) FollowLayers(source *Object) {
	for _, key := range []string{prefixesAnnotation, suffixesAnnotation} {
		if value := source.Annotations[key]; value != "" {
			o.Annotate(key, value)
		}
	}
}

// Closest returns, of the objects that a name may mean, those closest to the object
// that uses the name: in its namespace first, then in its kustomize layers. The
// layers tell apart the two copies of a base that has two overlays in one build.
func Closest(source *Object, found []*Object) []*Object {
	for _, isNear := range []func(*Object) bool{
		func(o *Object) bool { return o.Namespace == source.Namespace },
		func(o *Object) bool { return sameLayers(o, source) },
		func(o *Object) bool { return inLayers(o, source) || inLayers(source, o) },
	} {
		if near := Filter(found, isNear); len(near) > 0 {
			found = near
		}
	}
	return found
}

// Filter returns the objects for which is reports true, in a new list.
func Filter(objects []*Object, is func(*Object) bool) []*Object {
	return slices.DeleteFunc(slices.Clone(objects), func(o *Object) bool { return !is(o) })
}

// sameLayers reports whether every layer of kustomize that renamed one of the
// objects renamed the other, too.
func sameLayers(a, b *Object) bool {
	return a.Annotations[prefixesAnnotation] == b.Annotations[prefixesAnnotation] &&
		a.Annotations[suffixesAnnotation] == b.Annotations[suffixesAnnotation]
}

// inLayers reports whether every layer that renamed the outer object renamed the
// inner one, too. Layers further in may have renamed that one before.
func inLayers(inner, outer *Object) bool {
	for _, annotation := range []string{prefixesAnnotation, suffixesAnnotation} {
		if all := outer.Annotations[annotation]; all != "" && !strings.HasSuffix(","+inner.Annotations[annotation], ","+all) {
			return false
		}
	}
	return true
}
