// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand"
	"runtime"
	"strings"
	"testing"
	"time"
)

const (
	// maxBytesPerUnit is how many bytes a unit of the budget may stand for, and
	// maxTimePerUnit how much time of a processor: together the templates of a
	// PeerJob take at most that many times budgetUnits.
	maxBytesPerUnit = 1.5
	maxTimePerUnit  = 10 * time.Nanosecond
	// Less than these is not measured well.
	fewBytes, littleTime = 8 << 10, 2 * time.Millisecond
)

// costSizes are the sizes of texts, lists and maps that FuzzCost makes.
var costSizes = []int{0, 1, 2, 7, 60, 100, 500, 1_000, 2_500, 10_000, 80_000, MaxText}

// costLetters are what texts are made of.
var costLetters = []string{
	"a", "A", "aB", "a_b-c ", " ", "\n", "日", "曥", "ü", "ɐ", "ß", "\x00", "<&'\"", "0", "12.", "%s", "%[1]s", "$0", "${1}", "\\", "x y ", "\xff",
	"a: 1\n", "[1,", "[", "{a: ", "- ", "&a ", "*a,", "? ", "<<: ", "\"a\":1,", ">1 ", "||", "(a|b)*", "(.*)", "a{9}", "[a-z]", "\\pL", "(?i)", "é-",
}

// coster makes arguments at random, with sizes at their limits.
type coster struct{ *rand.Rand }

func (c coster) size(most int) int { return min(costSizes[c.Intn(len(costSizes))], most) }

func (c coster) text(most int) string {
	n, letters := c.size(most), costLetters[c.Intn(len(costLetters))]
	text := strings.Repeat(letters, n/len(letters)+1)
	switch c.Intn(8) {
	case 0:
		text = costLetters[c.Intn(len(costLetters))] + text[:len(text)-len(text)%7]
	case 1:
		text += costLetters[c.Intn(len(costLetters))]
	case 2:
		text = strings.Repeat("[", min(n, 10_000)) + strings.Repeat("]", min(n, 10_000))
	case 3:
		var mixed strings.Builder
		for mixed.Len() < n {
			mixed.WriteString(costLetters[c.Intn(len(costLetters))])
		}
		text = mixed.String()
	}
	return text[:min(len(text), n)]
}

// pattern is a regular expression that may be one.
func (c coster) pattern() string {
	parts := []string{"a", "b", ".", "(a)", "(.*b)|a", "[a-z]+", "[^a]", "a{30}", "(a{9}){9}", `\pL`, "(?i)[à-þ]", "(?i)", "(a|aa)+", "$", "^", `\b`, "(a*)*", "x*", "", `[\x{100}-\x{1FFFF}]`}
	text := ""
	for range 1 + c.Intn(12) {
		text += parts[c.Intn(len(parts))]
	}
	return text
}

func (c coster) number() int64 {
	numbers := []int64{0, 1, 2, -1, 3, 10, 999, 1_000, 10_000, 10_001, MaxText, 1 << 31, -1 << 31, math.MaxInt64, math.MinInt64}
	return numbers[c.Intn(len(numbers))]
}

func (c coster) float() float64 {
	numbers := []float64{0, 1, -1.5, 0.1, 1e6, 1e21, 1e-300, 1e308, math.MaxFloat64, math.SmallestNonzeroFloat64, 1.0 / 3}
	return numbers[c.Intn(len(numbers))]
}

// value is any value: deep, wide, or single.
func (c coster) value() any {
	switch c.Intn(9) {
	case 0:
		return nil
	case 1:
		return c.Intn(2) == 0
	case 2:
		return c.number()
	case 3:
		return c.float()
	case 4:
		return Number{"1.10", 1.1}
	case 5, 6:
		return c.text(MaxText)
	case 7:
		return c.list()
	}
	return c.dict()
}

func (c coster) list() any {
	if c.Intn(4) == 0 {
		return peers(c.size(1_000))
	}
	inner := c.inner()
	all := make([]any, c.size(10_000))
	for i := range all {
		all[i] = inner(i)
	}
	return all
}

func (c coster) dict() any {
	inner := c.inner()
	all := map[string]any{}
	prefix := strings.Repeat("k", c.size(1_000))
	for i := range c.size(10_000) {
		all[fmt.Sprint(prefix, i)] = inner(i)
	}
	return all
}

// inner makes the elements of a list or a map.
func (c coster) inner() func(i int) any {
	deep := any("deep")
	for i := range c.Intn(maxLevels + 5) {
		if i%2 == 0 {
			deep = map[string]any{"a": deep}
		} else {
			deep = []any{deep}
		}
	}
	text := c.text(1_000)
	return []func(i int) any{
		func(i int) any { return i },
		func(i int) any { return fmt.Sprint(text, i) },
		func(int) any { return text },
		func(i int) any { return map[string]any{"a": i, "b": text} },
		func(int) any { return deep },
		func(int) any { return nil },
		func(i int) any { return float64(i) / 3 },
		func(i int) any { return []any{text, text, i} },
	}[c.Intn(8)]
}

// argument is one that a function takes, and now and then one that it does not.
func (c coster) argument(f *Function, k kind, i int) any {
	if c.Intn(40) == 0 {
		return c.value()
	}
	switch k {
	case text, single, optional:
		if strings.HasPrefix(f.Name, "regex") && i == 0 {
			return c.pattern()
		}
		if k != text && c.Intn(2) == 0 {
			return []any{c.number(), c.float(), true, Number{"0755", int64(493)}}[c.Intn(4)]
		}
		if strings.HasPrefix(f.Name, "from") && c.Intn(2) == 0 {
			encoded, _ := appendJSON(nil, c.value(), json.Marshal)
			return string(encoded[:min(len(encoded), MaxText)])
		}
		return c.text(MaxText)
	case integer, long:
		return c.number()
	case decimal:
		return c.float()
	case boolean:
		return c.Intn(2) == 0
	case sequence:
		return c.list()
	case dictionary:
		return c.dict()
	}
	return c.value()
}

// FuzzCost holds every function to its price: it takes no more memory and time
// than was paid for it, whatever it is given. The time is that of the thread, so that a busy
// machine is no fault. The memory is that of the process, where the fuzzer itself
// allocates a little. So one of three tries must keep to both.
func FuzzCost(f *testing.F) {
	for i := range functions {
		for seed := range int64(4) {
			f.Add(uint8(i), seed)
		}
	}
	data := testData(3)
	f.Fuzz(func(t *testing.T, which uint8, seed int64) {
		function := &functions[int(which)%len(functions)]
		if function.call == nil {
			return // they pay for each step by themselves
		}
		c := coster{rand.New(rand.NewSource(seed))}
		var args []any
		for i, k := range function.takes {
			args = append(args, c.argument(function, k, i))
		}
		if function.further != none {
			for range []int{0, 1, 2, 5, 30}[c.Intn(5)] {
				args = append(args, c.argument(function, function.further, 1))
			}
		}
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for try := 1; ; try++ {
			budget := NewBudget()
			r := New(data, nil, budget)
			given := append([]any{}, args...)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := threadTime()
			_, err := r.call(function, given)
			took := threadTime() - start
			runtime.ReadMemStats(&after)
			paid, bytes := budgetUnits-budget.left, after.TotalAlloc-before.TotalAlloc
			fits := bytes <= fewBytes || float64(bytes) <= maxBytesPerUnit*float64(paid)
			inTime := took <= littleTime || took <= maxTimePerUnit*time.Duration(paid)
			if fits && inTime {
				return
			}
			if try == 3 {
				t.Fatalf("%s took %d bytes and %v for %d units (%v)\narguments: %s", function.Name, bytes, took, paid, err, outline(args))
			}
		}
	})
}

// outline is what arguments are like.
func outline(args []any) string {
	var shown []string
	for _, arg := range args {
		switch arg := arg.(type) {
		case string:
			shown = append(shown, fmt.Sprintf("%.40q of %d bytes", arg, len(arg)))
		case []any:
			shown = append(shown, fmt.Sprintf("a list of %d: %.60v", len(arg), arg[:min(1, len(arg))]))
		case map[string]any:
			shown = append(shown, fmt.Sprintf("a map of %d", len(arg)))
		default:
			shown = append(shown, fmt.Sprintf("%v", arg))
		}
	}
	return strings.Join(shown, ", ")
}
