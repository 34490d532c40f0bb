// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"maps"
)

// maxKey is how long a key may be that a template makes, in bytes.
const maxKey = 1 << 10

func hasKey(_ *Renderer, args []any) (any, error) {
	_, found := args[0].(map[string]any)[args[1].(string)]
	return found, nil
}

func get(_ *Renderer, args []any) (any, error) {
	if value, found := args[0].(map[string]any)[args[1].(string)]; found {
		return value, nil
	}
	return "", nil
}

func dig(_ *Renderer, args []any) (any, error) {
	current := args[len(args)-1]
	for i, key := range args[:len(args)-2] {
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("argument %d must be a string, not %s", i+1, KindOf(key))
		}
		inner, ok := current.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%q is looked for in %s", excerpt(name, 0), KindOf(current))
		}
		if current, ok = inner[name]; !ok {
			return args[len(args)-2], nil
		}
	}
	return current, nil
}

func priceDict(_ *Renderer, args []any) (int, error) { return len(args) * entryPrice, nil }

func dict(_ *Renderer, args []any) (any, error) {
	all := make(map[string]any, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		key, err := show(args[i])
		if err != nil {
			return nil, fmt.Errorf("argument %d is a key, and %w", i+1, err)
		}
		if len(key) > maxKey {
			return nil, fmt.Errorf("argument %d is a key of %d bytes, and may have %d", i+1, len(key), maxKey)
		}
		all[key] = ""
		if i+1 < len(args) {
			all[key] = args[i+1]
		}
	}
	return all, nil
}

// perEntry is the price of a function that copies the maps it is given, in the
// order of their keys.
func perEntry(_ *Renderer, args []any) (int, error) {
	price := len(args) * entryPrice
	for _, arg := range args {
		if dict, ok := arg.(map[string]any); ok {
			price = plus(price, sortPrice(len(dict)), len(dict)*entryPrice)
		}
	}
	return price, nil
}

func keys(_ *Renderer, args []any) (any, error) {
	all := []any{}
	for _, arg := range args {
		for _, key := range sortedKeys(arg.(map[string]any)) {
			all = append(all, key)
		}
	}
	return all, nil
}

func values(_ *Renderer, args []any) (any, error) {
	dict, all := args[0].(map[string]any), []any{}
	for _, key := range sortedKeys(dict) {
		all = append(all, dict[key])
	}
	return all, nil
}

func pick(_ *Renderer, args []any) (any, error) {
	dict, picked := args[0].(map[string]any), map[string]any{}
	for _, arg := range args[1:] {
		if value, found := dict[arg.(string)]; found {
			picked[arg.(string)] = value
		}
	}
	return picked, nil
}

func omit(_ *Renderer, args []any) (any, error) {
	left := maps.Clone(args[0].(map[string]any))
	for _, arg := range args[1:] {
		delete(left, arg.(string))
	}
	return left, nil
}

func pluck(_ *Renderer, args []any) (any, error) {
	all := []any{}
	for _, arg := range args[1:] {
		if value, found := arg.(map[string]any)[args[0].(string)]; found {
			all = append(all, value)
		}
	}
	return all, nil
}

// priceMerge is the price of a merge: each map is copied once for each that is laid
// over it.
func priceMerge(r *Renderer, args []any) (int, error) {
	all, err := r.budget.measure(args)
	return times(all.elements, 2*entryPrice*len(args)), err
}

// mergeFirst fills what a map does not have, or has empty, from others, as
// sprig's merge.
func mergeFirst(_ *Renderer, args []any) (any, error) {
	merged := args[0].(map[string]any)
	for _, arg := range args[1:] {
		merged = filled(merged, arg.(map[string]any))
	}
	return maps.Clone(merged), nil
}

// filled returns a map with what it lacks from another. Neither is changed.
func filled(dict, from map[string]any) map[string]any {
	all := make(map[string]any, len(dict)+len(from))
	maps.Copy(all, dict)
	for key, value := range from {
		if value == nil {
			continue
		}
		there, found := all[key]
		inner, ok := there.(map[string]any)
		fill, alsoMap := value.(map[string]any)
		switch {
		case !found || !truth(there):
			all[key] = value
		case ok && alsoMap:
			all[key] = filled(inner, fill)
		}
	}
	return all
}

// mergeLast lays maps over the first, as sprig's mergeOverwrite.
func mergeLast(_ *Renderer, args []any) (any, error) {
	merged := args[0].(map[string]any)
	for _, arg := range args[1:] {
		merged = Merge(merged, arg.(map[string]any))
	}
	return maps.Clone(merged), nil
}

func required(_ *Renderer, args []any) (any, error) {
	if args[1] == nil || args[1] == "" {
		return nil, errors.New(args[0].(string))
	}
	return args[1], nil
}

func fail(_ *Renderer, args []any) (any, error) { return nil, errors.New(args[0].(string)) }

func orDefault(_ *Renderer, args []any) (any, error) {
	if truth(args[1]) {
		return args[1], nil
	}
	return args[0], nil
}

func coalesce(_ *Renderer, args []any) (any, error) {
	for _, arg := range args {
		if truth(arg) {
			return arg, nil
		}
	}
	return nil, nil
}
