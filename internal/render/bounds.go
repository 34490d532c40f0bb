// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp/syntax"
	"strconv"
	"strings"
)

// The checks which keep a function from making much out of little. They run
// before the call; what they can't tell from an argument of a wrong kind is
// left to the call itself.

const (
	// maxElements is how many integers a list of them may have.
	maxElements = 10_000
	// maxPairs is how long a list may be for functions that compare every
	// element with every other.
	maxPairs = 1_000
	// maxFormat is the largest width and precision of a format.
	maxFormat = 1_000
	// maxPattern is how long a regular expression may be, in bytes.
	maxPattern = 1 << 10
)

var errTooLong = fmt.Errorf("would make a text longer than %d KiB", MaxText>>10)

// product is a times b, as long as a text may be that long.
func product(a, b int64) error {
	if a > 0 && b > 0 && a > MaxText/b {
		return errTooLong
	}
	return nil
}

// numberAt is an argument as an integer, as sprig reads it.
func numberAt(args []any, i int) int64 {
	if i >= len(args) || args[i] == nil {
		return 0
	}
	switch v := reflect.ValueOf(args[i]); {
	case v.CanInt():
		return v.Int()
	case v.CanFloat():
		return int64(v.Float())
	case v.Kind() == reflect.String:
		n, _ := strconv.ParseInt(v.String(), 0, 64)
		return n
	}
	return 0
}

func textAt(args []any, i int) string {
	if i >= len(args) {
		return ""
	}
	text, _ := args[i].(string)
	return text
}

func checkFormat(args []any) error {
	format := textAt(args, 0)
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		number := 0
		for i++; i < len(format) && strings.IndexByte("+-# 0123456789.[]*", format[i]) >= 0; i++ {
			if format[i] == '*' {
				return errors.New("* is no width here; write the number")
			}
			if digit := format[i]; digit >= '0' && digit <= '9' {
				number = min(number*10+int(digit-'0'), maxFormat+1)
			} else {
				number = 0
			}
			if number > maxFormat {
				return fmt.Errorf("a width or precision must be no more than %d", maxFormat)
			}
		}
	}
	return nil
}

func checkRepeat(args []any) error {
	if numberAt(args, 0) < 0 {
		return errors.New("the number must not be negative")
	}
	return product(numberAt(args, 0), int64(len(textAt(args, 1))))
}

func checkReplace(args []any) error {
	old, text := textAt(args, 0), textAt(args, 2)
	return product(int64(strings.Count(text, old)), int64(len(textAt(args, 1))))
}

func checkIndent(args []any) error {
	if numberAt(args, 0) < 0 {
		return errors.New("the number must not be negative")
	}
	return product(int64(strings.Count(textAt(args, 1), "\n"))+1, numberAt(args, 0)+1)
}

func checkWrap(args []any) error {
	if numberAt(args, 0) < 1 {
		return errors.New("the number must be 1 or more")
	}
	return nil
}

func checkJoin(args []any) error {
	if len(args) != 2 || args[1] == nil {
		return nil
	}
	if v := reflect.ValueOf(args[1]); v.Kind() == reflect.Slice {
		return product(int64(len(textAt(args, 0))), int64(v.Len()))
	}
	return nil
}

// checkNumbers refuses what sprig would take for zero.
func checkNumbers(args []any) error {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			if _, err := strconv.ParseFloat(text, 64); err != nil {
				return fmt.Errorf("argument %d must be a number, not %q", i+1, excerpt(text, 0))
			}
			continue
		}
		if v := reflect.ValueOf(arg); arg == nil || !v.CanInt() && !v.CanFloat() {
			return fmt.Errorf("argument %d must be a number, not %s", i+1, kindOf(arg))
		}
	}
	return nil
}

func checkUntil(args []any) error {
	return checkCount(0, numberAt(args, 0), 1)
}

func checkUntilStep(args []any) error {
	return checkCount(numberAt(args, 0), numberAt(args, 1), numberAt(args, 2))
}

func checkSeq(args []any) error {
	switch len(args) {
	case 1:
		return checkCount(1, numberAt(args, 0), 1)
	case 2:
		return checkCount(numberAt(args, 0), numberAt(args, 1), 1)
	case 3:
		return checkCount(numberAt(args, 0), numberAt(args, 2), numberAt(args, 1))
	}
	return nil
}

// checkCount refuses a count from one number to another by a step, of either
// sign, when it has too many elements, or numbers that could overflow.
func checkCount(from, to, step int64) error {
	for _, n := range []int64{from, to, step} {
		if n > math.MaxInt32 || n < math.MinInt32 {
			return fmt.Errorf("%d is too large a number to count with", n)
		}
	}
	if step < 0 {
		step = -step
	}
	if distance := to - from; step > 0 && (distance/step > maxElements || -distance/step > maxElements) {
		return fmt.Errorf("would make more than %d numbers", maxElements)
	}
	return nil
}

func checkChunk(args []any) error {
	if numberAt(args, 0) < 1 {
		return errors.New("the number must be 1 or more")
	}
	return nil
}

// checkPairs bounds functions that compare elements with each other.
func checkPairs(args []any) error {
	if len(args) > maxPairs {
		return fmt.Errorf("takes at most %d arguments", maxPairs)
	}
	for _, arg := range args {
		if v := reflect.ValueOf(arg); arg != nil && v.Kind() == reflect.Slice && v.Len() > maxPairs {
			return fmt.Errorf("takes a list of at most %d elements", maxPairs)
		}
	}
	return nil
}

// pricePairs is one byte for every two elements that are compared.
func pricePairs(args []any) int {
	pairs := 1
	for _, arg := range args {
		if v := reflect.ValueOf(arg); arg != nil && v.Kind() == reflect.Slice {
			pairs = v.Len() * max(v.Len(), len(args))
		}
	}
	return pairs
}

// checkRegex bounds an expression, and with it how large its program gets.
func checkRegex(args []any) error {
	if pattern := textAt(args, 0); len(pattern) > maxPattern {
		return fmt.Errorf("the expression has %d bytes, and may have %d", len(pattern), maxPattern)
	}
	_, err := instructions(textAt(args, 0))
	return err
}

// instructions is how large the program of an expression is.
func instructions(pattern string) (int, error) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0, err
	}
	return len(program.Inst), nil
}

// matchingSteps is how many steps of a regular expression cost a byte.
const matchingSteps = 2

// priceMatch is the price of one match: RE2 takes at most a step for every byte
// and every instruction.
func priceMatch(args []any) int {
	size, _ := instructions(textAt(args, 0))
	return atMost(int64(len(textAt(args, 1))+1)*int64(size)/matchingSteps + int64(size)*parseCost)
}

// priceMatches is the price of all matches: each may look at the whole rest of
// the text.
func priceMatches(args []any) int {
	size, _ := instructions(textAt(args, 0))
	length := int64(len(textAt(args, 1)) + 1)
	return atMost((length*length/matchingSteps + parseCost) * int64(size))
}

func atMost(price int64) int { return int(min(price, math.MaxInt32)) }

func checkRegexReplace(args []any) error {
	if err := checkRegex(args); err != nil {
		return err
	}
	// A replacement names at most half as many groups as it has bytes, and the
	// groups of all matches are at most the text.
	text, replacement := int64(len(textAt(args, 1)))+1, int64(len(textAt(args, 2)))
	return product(text, replacement*3/2+1)
}
