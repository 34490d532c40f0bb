// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

func empty(_ *Renderer, args []any) (any, error) { return !truth(args[0]), nil }

func all(_ *Renderer, args []any) (any, error) {
	return !slices.ContainsFunc(args, func(value any) bool { return !truth(value) }), nil
}

func anyOf(_ *Renderer, args []any) (any, error) { return slices.ContainsFunc(args, truth), nil }

func ternary(_ *Renderer, args []any) (any, error) {
	if args[2].(bool) {
		return args[0], nil
	}
	return args[1], nil
}

// goKind is what Go calls the kind of a value.
func goKind(value any) string {
	switch plain(value).(type) {
	case nil:
		return "invalid"
	case string:
		return "string"
	case bool:
		return "bool"
	case int:
		return "int"
	case int64:
		return "int64"
	case float64:
		return "float64"
	case []any, List:
		return "slice"
	case map[string]any:
		return "map"
	}
	return "struct"
}

func kindOfValue(_ *Renderer, args []any) (any, error) { return goKind(args[0]), nil }

func kindIs(_ *Renderer, args []any) (any, error) { return args[0] == goKind(args[1]), nil }

func equal(_ *Renderer, args []any) (any, error) {
	if len(args) < 2 {
		return nil, errors.New("takes at least 2 arguments, and has 1")
	}
	for _, other := range args[1:] {
		same, err := compare(args[0], other)
		if err != nil {
			return nil, err
		}
		if same == 0 {
			return true, nil
		}
	}
	return false, nil
}

func notEqual(_ *Renderer, args []any) (any, error) {
	same, err := compare(args[0], args[1])
	return same != 0, err
}

// ordered is a function that compares two values that have an order.
func ordered(holds func(order int) bool) func(*Renderer, []any) (any, error) {
	return func(_ *Renderer, args []any) (any, error) {
		for _, value := range args {
			if _, ok := value.(bool); ok || value == nil {
				return nil, fmt.Errorf("%s has no order", KindOf(value))
			}
		}
		order, err := compare(args[0], args[1])
		return holds(order), err
	}
}

// compare compares two single values of one kind. Null equals only null.
func compare(a, b any) (int, error) {
	a, b = plain(a), plain(b)
	if a == nil || b == nil {
		if a == nil && b == nil {
			return 0, nil
		}
		return 1, nil
	}
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return cmp.Compare(x, y), nil
		}
	case bool:
		if y, ok := b.(bool); ok {
			if x == y {
				return 0, nil
			}
			return 1, nil
		}
	}
	x, ok := whole(a)
	y, also := whole(b)
	if ok && also {
		return cmp.Compare(x, y), nil
	}
	if isNumber(a) && isNumber(b) {
		x, _ := toDecimal(a)
		y, _ := toDecimal(b)
		return cmp.Compare(x.(float64), y.(float64)), nil
	}
	return 0, fmt.Errorf("%s and %s can't be compared", KindOf(a), KindOf(b))
}

func isNumber(value any) bool {
	switch value.(type) {
	case int, int64, float64:
		return true
	}
	return false
}

// maxVersion is how long a version and a constraint may be, in bytes: the package
// that compares them has no bound of its own.
const maxVersion = 128

func priceVersion(_ *Renderer, args []any) (int, error) {
	for _, arg := range args {
		if n := len(arg.(string)); n > maxVersion {
			return 0, fmt.Errorf("the version or constraint has %d bytes, and may have %d", n, maxVersion)
		}
	}
	return 40_000 + 1_000*lengthOf(args), nil
}
