// SPDX-License-Identifier: Apache-2.0

package render

import (
	"maps"
	"reflect"
	"slices"
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

// Nulls are the keys that null removed from the maps of some values.
type Nulls map[uintptr][]string

// WithoutNulls returns values without the keys that null removes, and these keys.
func WithoutNulls(values map[string]any) (map[string]any, Nulls) {
	nulls := Nulls{}
	return nulls.remove(values), nulls
}

func (n Nulls) remove(values map[string]any) map[string]any {
	left := make(map[string]any, len(values))
	for key, value := range values {
		if inner, ok := value.(map[string]any); ok {
			value = n.remove(inner)
		}
		if value == nil {
			n[identity(left)] = append(n[identity(left)], key)
			continue
		}
		left[key] = value
	}
	return left
}

// has reports whether null removed a key from a map.
func (n Nulls) has(values map[string]any, key string) bool {
	return len(n) > 0 && slices.Contains(n[identity(values)], key)
}

// identity tells one map from another that has the same entries. The maps are
// never collected before the Nulls are: both belong to the values of a PeerJob.
func identity(values map[string]any) uintptr { return reflect.ValueOf(values).Pointer() }
