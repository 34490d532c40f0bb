// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"slices"
	"strings"
)

// kustomize's lists of the prefixes and the suffixes which it gave to a name,
// from the innermost layer to the outermost, separated by commas.
const (
	prefixesAnnotation = "internal.config.kubernetes.io/prefixes"
	suffixesAnnotation = "internal.config.kubernetes.io/suffixes"
)

// nearest chooses from several objects that a name may mean those which are
// nearest to the one that names it: of its namespace, and of its layers of
// kustomize, in this order. The layers tell one base under two overlays in one
// build apart.
func nearest(source *object, found []*object) []*object {
	for _, isNear := range []func(*object) bool{
		func(o *object) bool { return o.namespace == source.namespace },
		func(o *object) bool { return sameLayers(o, source) },
		func(o *object) bool { return inLayers(o, source) || inLayers(source, o) },
	} {
		if near := filter(found, isNear); len(near) > 0 {
			found = near
		}
	}
	return found
}

// filter returns the objects of a kind, in a list of its own.
func filter(objects []*object, is func(*object) bool) []*object {
	return slices.DeleteFunc(slices.Clone(objects), func(o *object) bool { return !is(o) })
}

// sameLayers reports whether every layer of kustomize that renamed one of the
// objects renamed the other, too.
func sameLayers(a, b *object) bool {
	return a.annotations[prefixesAnnotation] == b.annotations[prefixesAnnotation] &&
		a.annotations[suffixesAnnotation] == b.annotations[suffixesAnnotation]
}

// inLayers reports whether every layer that renamed the outer object renamed the
// inner one, too, which may come from further in.
func inLayers(inner, outer *object) bool {
	for _, annotation := range []string{prefixesAnnotation, suffixesAnnotation} {
		if all := outer.annotations[annotation]; all != "" && !strings.HasSuffix(","+inner.annotations[annotation], ","+all) {
			return false
		}
	}
	return true
}
