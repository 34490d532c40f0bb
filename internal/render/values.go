// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strconv"
)

// Merge lays the values of overlay over those of base, as Helm does: maps by
// key, everything else whole. Null stands over what it removes until
// [WithoutNulls]. Neither is changed.
func Merge(base, overlay map[string]any) map[string]any {
	merged := make(map[string]any, len(base)+len(overlay))
	maps.Copy(merged, base)
	for key, value := range overlay {
		under, below := merged[key].(map[string]any)
		if over, ok := value.(map[string]any); ok && below {
			value = Merge(under, over)
		}
		merged[key] = value
	}
	return merged
}

// WithoutNulls returns values without the keys that null removes.
func WithoutNulls(values map[string]any) map[string]any {
	left := make(map[string]any, len(values))
	for key, value := range values {
		if inner, ok := value.(map[string]any); ok {
			value = WithoutNulls(inner)
		}
		if value != nil {
			left[key] = value
		}
	}
	return left
}

// kindOf is how a message calls the kind of a value.
func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case Object:
		return "an object"
	}
	switch reflect.TypeOf(value).Kind() {
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "an integer"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map:
		return "a map"
	}
	return "no value"
}

// show is a value as the text of a field. Only a single value is one: Go's form
// of a map or a list is never what was meant.
func show(value any) (string, error) {
	switch value := value.(type) {
	case string:
		return value, nil
	case int:
		return strconv.Itoa(value), nil
	case int64:
		return strconv.FormatInt(value, 10), nil
	case float64:
		return number(value), nil
	case bool:
		return strconv.FormatBool(value), nil
	case nil:
		return "", errors.New(`is null, which has no text; give it a value, or write | default ""`)
	}
	v := reflect.ValueOf(value)
	switch {
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), nil
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), nil
	case v.CanFloat():
		return number(v.Float()), nil
	}
	what := kindOf(value)
	return "", fmt.Errorf("is %s, which has no text; name a part of it, range over it, or write | toJson or | toYaml", what)
}

// number writes a float without an exponent, as long as that is readable: no
// port and no size is "1e+06".
func number(value float64) string {
	if value > -1e21 && value < 1e21 {
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return strconv.FormatFloat(value, 'g', -1, 64)
}

// truth is what "if" sees in a value, as in text/template: false, zero, null
// and what is empty are not true.
func truth(value any) bool {
	switch value := value.(type) {
	case nil:
		return false
	case bool:
		return value
	case string:
		return value != ""
	case int:
		return value != 0
	case Object:
		return true
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return v.Len() > 0
	}
	return !v.IsZero()
}
