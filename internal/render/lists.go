// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// perElement is the price of a function that copies the lists it is given.
func perElement(_ *Renderer, args []any) (int, error) {
	n := 1
	for _, arg := range args {
		if list, ok := arg.(List); ok {
			n += list.Len()
		}
	}
	return n * 2 * elementPrice, nil
}

// copied are the elements of a list from a place to before another.
func copied(list List, from, to int) []any {
	all := make([]any, 0, to-from+1)
	for i := from; i < to; i++ {
		all = append(all, list.At(i))
	}
	return all
}

func makeList(_ *Renderer, args []any) (any, error) { return args, nil }

func length(_ *Renderer, args []any) (any, error) {
	switch value := args[0].(type) {
	case string:
		return len(value), nil
	case map[string]any:
		return len(value), nil
	}
	if list, ok := listOf(args[0]); ok {
		return list.Len(), nil
	}
	return nil, fmt.Errorf("takes a list, a map or a text, not %s", KindOf(args[0]))
}

func index(_ *Renderer, args []any) (any, error) {
	value := args[0]
	for _, key := range args[1:] {
		if dict, ok := value.(map[string]any); ok {
			name, ok := key.(string)
			if !ok {
				return nil, fmt.Errorf("the key of a map must be a string, not %s", KindOf(key))
			}
			if value, ok = dict[name]; !ok {
				return nil, &absence{dict, name}
			}
			continue
		}
		list, ok := listOf(value)
		if !ok {
			return nil, fmt.Errorf("takes a list or a map, not %s", KindOf(value))
		}
		place, err := integer.convert(key)
		if err != nil {
			return nil, fmt.Errorf("the place in a list %w", err)
		}
		i := place.(int)
		if i < 0 || i >= list.Len() {
			return nil, fmt.Errorf("there is no element %d in a list of %d", i, list.Len())
		}
		value = list.At(i)
	}
	return value, nil
}

func priceSlice(r *Renderer, args []any) (int, error) {
	if list, ok := listOf(args[0]); ok {
		return perElement(r, []any{list})
	}
	return 0, nil
}

func slice(_ *Renderer, args []any) (any, error) {
	text, isText := args[0].(string)
	list, isList := listOf(args[0])
	n := len(text)
	switch {
	case isList:
		n = list.Len()
	case !isText:
		return nil, fmt.Errorf("takes a list or a text, not %s", KindOf(args[0]))
	}
	if isList && n == 0 {
		return nil, nil
	}
	from, to := 0, n
	if len(args) > 1 {
		from = args[1].(int)
	}
	if len(args) > 2 {
		to = args[2].(int)
	}
	if from < 0 || to > n || from > to {
		return nil, fmt.Errorf("there is no part from %d to %d in %d", from, to, n)
	}
	if isText {
		return text[from:to], nil
	}
	return copied(list, from, to), nil
}

func first(_ *Renderer, args []any) (any, error) {
	if list := args[0].(List); list.Len() > 0 {
		return list.At(0), nil
	}
	return nil, nil
}

func last(_ *Renderer, args []any) (any, error) {
	if list := args[0].(List); list.Len() > 0 {
		return list.At(list.Len() - 1), nil
	}
	return nil, nil
}

func rest(_ *Renderer, args []any) (any, error) {
	list := args[0].(List)
	if list.Len() == 0 {
		return []any(nil), nil
	}
	return copied(list, 1, list.Len()), nil
}

func initial(_ *Renderer, args []any) (any, error) {
	list := args[0].(List)
	if list.Len() == 0 {
		return []any(nil), nil
	}
	return copied(list, 0, list.Len()-1), nil
}

func appended(_ *Renderer, args []any) (any, error) {
	list := args[0].(List)
	return append(copied(list, 0, list.Len()), args[1]), nil
}

func prepended(_ *Renderer, args []any) (any, error) {
	list := args[0].(List)
	return append([]any{args[1]}, copied(list, 0, list.Len())...), nil
}

func concat(_ *Renderer, args []any) (any, error) {
	var all []any
	for _, arg := range args {
		list := arg.(List)
		for i := range list.Len() {
			all = append(all, list.At(i))
		}
	}
	return all, nil
}

func reversed(_ *Renderer, args []any) (any, error) {
	all := copied(args[0].(List), 0, args[0].(List).Len())
	slices.Reverse(all)
	return all, nil
}

func compact(_ *Renderer, args []any) (any, error) {
	list, all := args[0].(List), []any{}
	for i := range list.Len() {
		if element := list.At(i); truth(element) {
			all = append(all, element)
		}
	}
	return all, nil
}

func priceChunk(r *Renderer, args []any) (int, error) {
	if args[0].(int) < 1 {
		return 0, errors.New("the number must be 1 or more")
	}
	return args[1].(List).Len() * 3 * elementPrice, nil
}

func chunk(_ *Renderer, args []any) (any, error) {
	n, list, all := args[0].(int), args[1].(List), []any{}
	for from := 0; from < list.Len(); from += min(n, list.Len()) {
		all = append(all, copied(list, from, from+min(n, list.Len()-from)))
	}
	return all, nil
}

// set is a set of values.
type set struct {
	// simple are those that Go compares, and others those that it does not.
	simple map[any]bool
	others []any
}

// simple returns a value as Go compares it; a list or a map it does not.
func simple(value any) (any, bool) {
	value = plain(value)
	switch value.(type) {
	case []any, map[string]any, List:
		return nil, false
	}
	return value, true
}

func (s *set) has(value any) bool {
	if key, ok := simple(value); ok {
		return s.simple[key]
	}
	return slices.ContainsFunc(s.others, func(other any) bool { return same(value, other) })
}

func (s *set) add(value any) {
	if key, ok := simple(value); ok {
		s.simple[key] = true
	} else {
		s.others = append(s.others, value)
	}
}

// same reports whether two values are equal, as sprig compares them: numbers of
// unlike types are not.
func same(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, same)
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for key, value := range x {
			other, found := y[key]
			if !found || !same(value, other) {
				return false
			}
		}
		return true
	}
	x, ok := simple(a)
	if !ok {
		return false // a list that is not there as a whole
	}
	y, ok := simple(b)
	return ok && x == y
}

// priceSets is the price of looking up each element of the arguments in a set of
// the others: lists and maps are compared one by one.
func priceSets(r *Renderer, args []any) (int, error) {
	all, err := r.budget.measure(args)
	if err != nil {
		return 0, err
	}
	compound := 0
	for _, arg := range args {
		list, ok := arg.(List)
		if !ok {
			if _, ok := simple(arg); !ok {
				compound++
			}
			continue
		}
		for i := range list.Len() {
			if _, ok := simple(list.At(i)); !ok {
				compound++
			}
		}
	}
	return plus(2*all.price(), times(compound, all.bytes+all.elements*elementPrice)), nil
}

func uniq(_ *Renderer, args []any) (any, error) {
	list, all, seen := args[0].(List), []any{}, set{simple: map[any]bool{}}
	for i := range list.Len() {
		if element := list.At(i); !seen.has(element) {
			seen.add(element)
			all = append(all, element)
		}
	}
	return all, nil
}

func without(_ *Renderer, args []any) (any, error) {
	list, all, omitted := args[0].(List), []any{}, set{simple: map[any]bool{}}
	for _, arg := range args[1:] {
		omitted.add(arg)
	}
	for i := range list.Len() {
		if element := list.At(i); !omitted.has(element) {
			all = append(all, element)
		}
	}
	return all, nil
}

func priceHas(r *Renderer, args []any) (int, error) {
	if args[1] == nil {
		return 0, nil
	}
	list, err := sequence.convert(args[1])
	if err != nil {
		return 0, fmt.Errorf("argument 2 %w", err)
	}
	return priceSets(r, []any{args[0], list})
}

func has(_ *Renderer, args []any) (any, error) {
	list, ok := listOf(args[1])
	if !ok {
		return false, nil
	}
	for i := range list.Len() {
		if same(args[0], list.At(i)) {
			return true, nil
		}
	}
	return false, nil
}

// partsOf are the texts of the elements of a list that are not null, or of a
// single value.
func partsOf(value any) ([]string, error) {
	list, ok := listOf(value)
	if !ok {
		list = elements{value}
	}
	parts := make([]string, 0, list.Len())
	for i := range list.Len() {
		element := list.At(i)
		if element == nil {
			continue
		}
		text, err := show(element)
		if err != nil && ok {
			return nil, fmt.Errorf("the element %d of the list %w", i, err)
		}
		if err != nil {
			return nil, fmt.Errorf("the argument %w", err)
		}
		parts = append(parts, text)
	}
	return parts, nil
}

// lengthOfParts is how long these texts are together, and how many they are. It
// pays for looking at each.
func lengthOfParts(r *Renderer, value any) (length, n int, err error) {
	list, ok := listOf(value)
	if !ok {
		return textLength(value), 1, nil
	}
	if err := r.budget.spend(list.Len() * elementPrice); err != nil {
		return 0, 0, err
	}
	for i := range list.Len() {
		length += textLength(list.At(i))
	}
	return length, list.Len(), nil
}

func priceJoin(r *Renderer, args []any) (int, error) {
	length, n, err := lengthOfParts(r, args[1])
	if err != nil {
		return 0, err
	}
	separators := times(len(args[0].(string)), n)
	return plus(times(n, elementPrice), times(plus(length, separators), 2)), fits(separators)
}

func join(_ *Renderer, args []any) (any, error) {
	parts, err := partsOf(args[1])
	if err != nil {
		return nil, err
	}
	return strings.Join(parts, args[0].(string)), nil
}

func priceParts(r *Renderer, args []any) (int, error) {
	_, n, err := lengthOfParts(r, args[0])
	return n * 2 * elementPrice, err
}

func priceSort(r *Renderer, args []any) (int, error) {
	length, n, err := lengthOfParts(r, args[0])
	return plus(sortPrice(n), n*2*elementPrice, length*bits.Len(uint(n))/4), err
}

func toStrings(_ *Renderer, args []any) (any, error) {
	parts, err := partsOf(args[0])
	if err != nil {
		return nil, err
	}
	return anys(parts), nil
}

func sortAlpha(_ *Renderer, args []any) (any, error) {
	if args[0] == nil {
		return nil, errors.New("takes a list, not null")
	}
	parts, err := partsOf(args[0])
	if err != nil {
		return nil, err
	}
	slices.Sort(parts)
	return anys(parts), nil
}

func anys(texts []string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}

// priceSplit is the price of a split of the last argument at the first.
func priceSplit(r *Renderer, args []any) (int, error) {
	separator, text := args[0].(string), args[len(args)-1].(string)
	if err := r.budget.spend(8 * (len(text) + len(separator))); err != nil {
		return 0, err
	}
	n := strings.Count(text, separator) + 1
	if len(args) == 3 && args[1].(int) >= 0 {
		n = min(n, args[1].(int))
	}
	return times(n, 2*entryPrice), few(n)
}

func splitList(_ *Renderer, args []any) (any, error) {
	return anys(strings.Split(args[1].(string), args[0].(string))), nil
}

func split(_ *Renderer, args []any) (any, error) {
	return numbered(strings.Split(args[1].(string), args[0].(string))), nil
}

func splitN(_ *Renderer, args []any) (any, error) {
	separator, n, text := args[0].(string), args[1].(int), args[2].(string)
	// SplitN makes room for all that it may return.
	return numbered(strings.SplitN(text, separator, min(n, strings.Count(text, separator)+1))), nil
}

// numbered are texts in a map with the keys _0, _1 and so on.
func numbered(texts []string) map[string]any {
	all := make(map[string]any, len(texts))
	for i, text := range texts {
		all["_"+strconv.Itoa(i)] = text
	}
	return all
}
