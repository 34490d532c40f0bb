// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

func toInt64(_ *Renderer, args []any) (any, error) {
	if f, ok := plain(args[0]).(float64); ok && math.Abs(f) < 1<<63 {
		return int64(f), nil // cut, which is what it is for
	}
	n, err := toLong(args[0])
	if err != nil {
		return nil, fmt.Errorf("the argument %w", err)
	}
	return n, nil
}

func toInt(r *Renderer, args []any) (any, error) {
	n, err := toInt64(r, args)
	if err != nil {
		return nil, err
	}
	return int(n.(int64)), nil
}

func toFloat(_ *Renderer, args []any) (any, error) { return args[0], nil }

func atoi(_ *Renderer, args []any) (any, error) {
	digits := args[0].(string)
	n, err := strconv.Atoi(digits[:min(len(digits), maxDigits)])
	if len(digits) > maxDigits || err != nil {
		return nil, fmt.Errorf("%q is no decimal integer", excerpt(digits, 0))
	}
	return n, nil
}

var errOverflow = errors.New("the result is no integer of 64 bits")

// arithmetic is a function that takes integers one after the other.
func arithmetic(f func(a, b int64) (int64, error)) func(*Renderer, []any) (any, error) {
	return func(_ *Renderer, args []any) (any, error) {
		if len(args) == 0 {
			return int64(0), nil
		}
		result := args[0].(int64)
		for _, arg := range args[1:] {
			var err error
			if result, err = f(result, arg.(int64)); err != nil {
				return nil, err
			}
		}
		return result, nil
	}
}

func add(a, b int64) (int64, error) {
	if sum := a + b; (sum > a) == (b > 0) {
		return sum, nil
	}
	return 0, errOverflow
}

func subtract(a, b int64) (int64, error) {
	if difference := a - b; (difference < a) == (b > 0) {
		return difference, nil
	}
	return 0, errOverflow
}

func multiply(a, b int64) (int64, error) {
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	negative := (a < 0) != (b < 0)
	if high != 0 || low > math.MaxInt64 && !(negative && low == 1<<63) {
		return 0, errOverflow
	}
	return a * b, nil
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

var errZero = errors.New("division by zero")

func divide(a, b int64) (int64, error) {
	switch {
	case b == 0:
		return 0, errZero
	case a == math.MinInt64 && b == -1:
		return 0, errOverflow
	}
	return a / b, nil
}

func remainder(a, b int64) (int64, error) {
	if b == 0 {
		return 0, errZero
	}
	return a % b, nil
}

func larger(a, b int64) (int64, error)  { return max(a, b), nil }
func smaller(a, b int64) (int64, error) { return min(a, b), nil }

func addOne(_ *Renderer, args []any) (any, error) { return add(args[0].(int64), 1) }

// maxFactors is how many numbers with fractions a function takes: sprig works on
// all digits of each.
const maxFactors = 20

// priceFractions is the price of exact arithmetic: a number may have more than a
// thousand digits, and a product as many as its factors together.
func priceFractions(_ *Renderer, args []any) (int, error) {
	return len(args) * len(args) * 20_000, nil
}

// fractions is one of sprig's functions for numbers with fractions.
func fractions(f func(args []any) float64) func(*Renderer, []any) (any, error) {
	return func(_ *Renderer, args []any) (any, error) {
		result := f(args)
		if math.IsInf(result, 0) || math.IsNaN(result) {
			return nil, errors.New("the result is no finite number")
		}
		return result, nil
	}
}

func roundTo(_ *Renderer, args []any) (any, error) {
	at := 0.5
	if len(args) == 3 {
		at = args[2].(float64)
	}
	value, power := args[0].(float64), math.Pow(10, float64(args[1].(int)))
	whole, fraction := math.Floor(power*value), 0.0
	if _, fraction = math.Modf(power * value); fraction >= at {
		whole = math.Ceil(power * value)
	}
	return whole / power, nil
}

func floor(_ *Renderer, args []any) (any, error) { return math.Floor(args[0].(float64)), nil }
func ceil(_ *Renderer, args []any) (any, error)  { return math.Ceil(args[0].(float64)), nil }

// progression are the integers from one to before another, by a step.
type progression struct{ from, to, step int }

// count is how many there are; an error says that they are too many.
func (p progression) count() (int, error) {
	for _, n := range []int{p.from, p.to, p.step} {
		if n > math.MaxInt32 || n < math.MinInt32 {
			return 0, fmt.Errorf("%d is too large a number to count with", n)
		}
	}
	distance := p.to - p.from
	if p.step == 0 || (distance > 0) != (p.step > 0) || distance == 0 {
		return 0, nil
	}
	n := (distance + p.step - sign(p.step)) / p.step
	if n > maxElements {
		return 0, fmt.Errorf("would make more than %d numbers", maxElements)
	}
	return n, nil
}

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

func (p progression) price() (int, error) {
	n, err := p.count()
	return n * elementPrice, err
}

func (p progression) list() []any {
	n, _ := p.count()
	all := make([]any, n)
	for i := range all {
		all[i] = p.from + i*p.step
	}
	return all
}

// counting is a function that makes integers.
func counting(of func(args []any) progression) (price func(*Renderer, []any) (int, error), call func(*Renderer, []any) (any, error)) {
	return func(_ *Renderer, args []any) (int, error) { return of(args).price() },
		func(_ *Renderer, args []any) (any, error) { return of(args).list(), nil }
}

func untilOf(args []any) progression {
	return progression{0, args[0].(int), sign(args[0].(int))}
}

func untilStepOf(args []any) progression {
	return progression{args[0].(int), args[1].(int), args[2].(int)}
}

// seqOf has the last number in it, as the command seq has.
func seqOf(args []any) progression {
	switch len(args) {
	case 1:
		to := args[0].(int)
		step := sign(to - 1)
		return progression{1, to + step, step}
	case 2:
		from, to := args[0].(int), args[1].(int)
		step := sign(to - from)
		return progression{from, to + step, step}
	case 3:
		from, step, to := args[0].(int), args[1].(int), args[2].(int)
		return progression{from, to + sign(to-from), step}
	}
	return progression{}
}

var (
	priceUntil, until         = counting(untilOf)
	priceUntilStep, untilStep = counting(untilStepOf)
)

func priceSeq(_ *Renderer, args []any) (int, error) { return seqOf(args).price() }

func seq(_ *Renderer, args []any) (any, error) {
	numbers := seqOf(args).list()
	parts := make([]string, len(numbers))
	for i, n := range numbers {
		parts[i] = strconv.Itoa(n.(int))
	}
	return strings.Join(parts, " "), nil
}
