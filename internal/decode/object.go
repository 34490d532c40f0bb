// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"reflect"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
)

// Object reads an object of the Kubernetes API as strictly as [PeerJob] reads a
// PeerJob. It returns what it could read beside the errors.
func Object[T any](node *yaml.Node) (*T, field.ErrorList) {
	d := &decoder{what: "object"}
	value, _ := d.value(node, reflect.TypeFor[T](), place{})
	object := new(T)
	if err := assign(reflect.ValueOf(object).Elem(), value); err != nil {
		d.errs = append(d.errs, field.InternalError(rootPath, err))
	}
	for _, err := range d.errs {
		if err.Field == rootPath.String() {
			err.Field = ""
		}
	}
	return object, d.errs
}

// IsUnknownField reports whether an error is about a field that the API does not have.
func IsUnknownField(err *field.Error) bool {
	_, unknown := err.BadValue.(diag.UnknownField)
	return unknown
}
