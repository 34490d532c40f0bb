// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/template"

	sigsyaml "sigs.k8s.io/yaml"
)

// The functions that are not sprig's: those of text/template, those of Helm,
// and those of sprig that follow the order of a Go map, change their arguments
// or turn an error into silence.

func required(message string, value any) (any, error) {
	if value == nil || value == "" {
		return nil, errors.New(message)
	}
	return value, nil
}

func dig(args ...any) (any, error) {
	if len(args) < 3 {
		return nil, errors.New("takes keys, a default and a map")
	}
	current := args[len(args)-1]
	for i, key := range args[:len(args)-2] {
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("argument %d must be a string, not %s", i+1, kindOf(key))
		}
		inner, ok := current.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%q is looked for in %s", name, kindOf(current))
		}
		if current, ok = inner[name]; !ok {
			return args[len(args)-2], nil
		}
	}
	return current, nil
}

func printText(args ...any) string { return fmt.Sprint(texts(args)...) }
func printLine(args ...any) string { return fmt.Sprintln(texts(args)...) }

// texts writes numbers as [show] does.
func texts(args []any) []any {
	shown := slices.Clone(args)
	for i, arg := range shown {
		if f, ok := arg.(float64); ok {
			shown[i] = number(f)
		}
	}
	return shown
}

func printFormat(format string, args ...any) (string, error) {
	text := fmt.Sprintf(format, args...)
	// fmt writes what it can't do into the text.
	if i := strings.Index(text, "%!"); i >= 0 && !strings.Contains(format, "%!") {
		return "", fmt.Errorf("the arguments do not fit the format: %s", excerpt(text[i:], 0))
	}
	return text, nil
}

func toText(value any) (string, error) {
	if value == nil {
		return "", nil
	}
	if text, err := show(value); err == nil {
		return text, nil
	}
	return "", fmt.Errorf("takes a single value, not %s", kindOf(value))
}

func escapeHTML(args ...any) string { return template.HTMLEscaper(args...) }
func escapeJS(args ...any) string   { return template.JSEscaper(args...) }
func escapeURL(args ...any) string  { return template.URLQueryEscaper(args...) }

func not(value any) bool { return !truth(value) }

func equal(first any, others ...any) (bool, error) {
	if len(others) == 0 {
		return false, errors.New("takes at least 2 arguments")
	}
	for _, other := range others {
		same, err := compare(first, other)
		if err != nil {
			return false, err
		}
		if same == 0 {
			return true, nil
		}
	}
	return false, nil
}

func notEqual(a, b any) (bool, error) {
	same, err := equal(a, b)
	return !same, err
}

func less(a, b any) (bool, error)           { return ordered(a, b, func(c int) bool { return c < 0 }) }
func lessOrEqual(a, b any) (bool, error)    { return ordered(a, b, func(c int) bool { return c <= 0 }) }
func greater(a, b any) (bool, error)        { return ordered(a, b, func(c int) bool { return c > 0 }) }
func greaterOrEqual(a, b any) (bool, error) { return ordered(a, b, func(c int) bool { return c >= 0 }) }

func ordered(a, b any, holds func(int) bool) (bool, error) {
	for _, value := range []any{a, b} {
		if _, ok := value.(bool); ok || value == nil {
			return false, fmt.Errorf("%s has no order", kindOf(value))
		}
	}
	c, err := compare(a, b)
	return err == nil && holds(c), err
}

// compare compares two single values of one kind. Null equals only null.
func compare(a, b any) (int, error) {
	if a == nil || b == nil {
		if a == b {
			return 0, nil
		}
		return 1, nil
	}
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	switch {
	case x.Kind() == reflect.String && y.Kind() == reflect.String:
		return cmp.Compare(x.String(), y.String()), nil
	case x.CanInt() && y.CanInt():
		return cmp.Compare(x.Int(), y.Int()), nil
	case (x.CanInt() || x.CanFloat()) && (y.CanInt() || y.CanFloat()):
		return cmp.Compare(float(x), float(y)), nil
	case x.Kind() == reflect.Bool && y.Kind() == reflect.Bool:
		if x.Bool() == y.Bool() {
			return 0, nil
		}
		return 1, nil
	}
	return 0, fmt.Errorf("%s and %s can't be compared", kindOf(a), kindOf(b))
}

func float(v reflect.Value) float64 {
	if v.CanInt() {
		return float64(v.Int())
	}
	return v.Float()
}

func length(value any) (int, error) {
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.String, reflect.Slice, reflect.Array, reflect.Map:
		return v.Len(), nil
	}
	return 0, fmt.Errorf("takes a list, a map or a text, not %s", kindOf(value))
}

func index(value any, keys ...any) (any, error) {
	for _, key := range keys {
		v := reflect.ValueOf(value)
		switch v.Kind() {
		case reflect.Slice, reflect.Array:
			place, err := convertOne(reflect.TypeFor[int](), key)
			if err != nil {
				return nil, fmt.Errorf("the place in a list %w", err)
			}
			if i := place.Int(); i < 0 || i >= int64(v.Len()) {
				return nil, fmt.Errorf("there is no element %d in a list of %d", i, v.Len())
			}
			value = v.Index(int(place.Int())).Interface()
		case reflect.Map:
			name, ok := key.(string)
			if !ok || v.Type().Key().Kind() != reflect.String {
				return nil, fmt.Errorf("the key of a map must be a string, not %s", kindOf(key))
			}
			element := v.MapIndex(reflect.ValueOf(name))
			if !element.IsValid() {
				return nil, fmt.Errorf("the map has no %q", name)
			}
			value = element.Interface()
		default:
			return nil, fmt.Errorf("takes a list or a map, not %s", kindOf(value))
		}
	}
	return value, nil
}

func slice(value any, places ...int) (any, error) {
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.String && v.Kind() != reflect.Slice {
		return nil, fmt.Errorf("takes a list or a text, not %s", kindOf(value))
	}
	from, to := 0, v.Len()
	switch len(places) {
	case 0:
	case 1:
		from = places[0]
	case 2:
		from, to = places[0], places[1]
	default:
		return nil, errors.New("takes at most two places")
	}
	if from < 0 || to > v.Len() || from > to {
		return nil, fmt.Errorf("there is no part from %d to %d in %d", from, to, v.Len())
	}
	return v.Slice(from, to).Interface(), nil
}

func sortAlpha(value any) ([]string, error) {
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice {
		return nil, fmt.Errorf("takes a list, not %s", kindOf(value))
	}
	sorted := make([]string, v.Len())
	for i := range sorted {
		text, err := toText(v.Index(i).Interface())
		if err != nil {
			return nil, err
		}
		sorted[i] = text
	}
	slices.Sort(sorted)
	return sorted, nil
}

func keys(dicts ...map[string]any) []any {
	all := []any{}
	for _, dict := range dicts {
		for _, key := range slices.Sorted(maps.Keys(dict)) {
			all = append(all, key)
		}
	}
	return all
}

func values(dict map[string]any) []any {
	all := []any{}
	for _, key := range slices.Sorted(maps.Keys(dict)) {
		all = append(all, dict[key])
	}
	return all
}

func mergeFirst(dicts ...map[string]any) map[string]any {
	slices.Reverse(dicts)
	return mergeLast(dicts...)
}

func mergeLast(dicts ...map[string]any) map[string]any {
	merged := map[string]any{}
	for _, dict := range dicts {
		merged = Merge(merged, dict)
	}
	return merged
}

func toJSON(value any) (string, error) {
	encoded, err := json.Marshal(value)
	return string(encoded), err
}

func toPrettyJSON(value any) (string, error) {
	encoded, err := json.MarshalIndent(value, "", "  ")
	return string(encoded), err
}

func toYAML(value any) (string, error) {
	encoded, err := sigsyaml.Marshal(value)
	return strings.TrimSuffix(string(encoded), "\n"), err
}

func fromYAML(text string) (any, error) { return Parse([]byte(text)) }

func fromBase64(text string) (string, error) {
	decoded, err := base64.StdEncoding.DecodeString(text)
	return string(decoded), err
}
