// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// Place is a place in a PeerJob, for who describes the API: what templates may do there.
// The zero Place is that of the PeerJob as a whole.
type Place struct {
	typ       reflect.Type
	path      *field.Path
	templates treatment
}

// Child returns the place of a field of an API type that stands at a place.
func (p Place) Child(typ reflect.Type, name string, of reflect.Type) Place {
	return Place{typ: of, path: child(p.path, name), templates: treat(typ, name, p.templates)}
}

// Element returns the place of an element of a list or of a value of a map.
func (p Place) Element(of reflect.Type) Place {
	return Place{typ: of, path: p.path.Key(""), templates: p.templates}
}

// Rendered reports whether the text of one value may be a template that is rendered.
func (p Place) Rendered() bool { return p.templates == rendered }

// Literal reports whether "{{" is text like any other.
func (p Place) Literal() bool { return p.templates == literal }

// TemplateInPlace reports whether one template may stand in place of a value, also of a
// list or a map.
func (p Place) TemplateInPlace() bool {
	return p.Rendered() && (!isStructure(p.typ) || !keepsStructure(p.typ, p.path))
}

// keepsStructure reports whether a list or a map must be written out, and only values in
// it may be templates.
func keepsStructure(typ reflect.Type, path *field.Path) bool {
	switch typ {
	case reflect.TypeFor[v1alpha1.PeerService](), reflect.TypeFor[[]v1alpha1.PeerRole](), reflect.TypeFor[v1alpha1.PeerRole]():
		return true
	}
	return strings.HasPrefix(path.String(), "metadata.")
}

// Bounds returns the least and the largest value of a number of the API, and whether it
// has bounds other than those of its type.
func Bounds(typ reflect.Type, name string) (least, most int64, found bool) {
	bounds := limitsOf[limited{typ, name}]
	if bounds == nil {
		return 0, 0, false
	}
	return bounds.least, bounds.most, true
}
