// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
)

// One unit of a budget is a byte of memory, or the time it takes to write a few.
// FuzzCost holds the prices to that.
const (
	// budgetUnits is what the templates of one PeerJob may cost together. A list
	// of the names of 1,000 peers costs less than a hundredth of it.
	budgetUnits = 40_000_000
	// stepPrice is the price of one node of a template.
	stepPrice = 40
	// callPrice is the price of a call beside the work of the function.
	callPrice = 160
	// writePrice is the price of a byte that is written: the text grows by copying.
	writePrice = 4
	// actionPrice is the price of parsing a byte inside of {{ }}, and textPrice of
	// one outside.
	actionPrice, textPrice = 250, 4
	// fieldPrice is the price of a field of an object, such as the name of a peer.
	fieldPrice = 400
	// elementPrice is the price of an element of a list, and entryPrice of an
	// entry of a map.
	elementPrice, entryPrice = 48, 160
)

const (
	// MaxText is how long a template and what it renders may be, in bytes. Linux
	// starts no program with a longer argument, and no annotation is longer.
	MaxText = 256 << 10
	// maxNesting is how deep blocks and parentheses may be nested in one template.
	maxNesting = 250
	// maxCalls is how deep include and tpl may be nested.
	maxCalls = 50
	// maxDepth is how deep the evaluation of a template may go: blocks,
	// parentheses and functions, over all snippets that include each other.
	maxDepth = 1_000
	// maxLevels is how deep lists and maps may be nested in a value.
	maxLevels = 100
	// maxElements is how many elements or entries a function may make.
	maxElements = 10_000
	// maxMessage is how long the message of an error may be, in bytes.
	maxMessage = 1_000
)

// Budget is what the templates of one PeerJob may spend. It is counted, so that
// the same template stops at the same place on every machine.
type Budget struct {
	left int
	// depth is how deep the evaluation is, and calls how many of these levels are
	// calls of include and tpl.
	depth, calls int
}

// NewBudget returns a full budget.
func NewBudget() *Budget { return &Budget{left: budgetUnits} }

// ErrBudget is the error of a template for which the budget is not enough.
var ErrBudget = fmt.Errorf("the templates of the PeerJob do too much work: together they may take %d steps, or %d MB of text; shorten the loop or the text",
	budgetUnits/stepPrice, budgetUnits/1_000_000)

// spend pays for work that is about to be done.
func (b *Budget) spend(units int) error {
	if units < 0 || units > b.left {
		b.left = 0
		return ErrBudget
	}
	b.left -= units
	return nil
}

// sortedKeys returns the keys of a map in order, and pays for sorting them.
func (b *Budget) sortedKeys(dict map[string]any) ([]string, error) {
	if err := b.spend(sortPrice(len(dict))); err != nil {
		return nil, err
	}
	return sortedKeys(dict), nil
}

func sortedKeys(dict map[string]any) []string { return slices.Sorted(maps.Keys(dict)) }

// sortPrice is the price of sorting texts.
func sortPrice(n int) int { return times(n, elementPrice+16*bits.Len(uint(n))) }

// size is how large a value is, with all that it holds.
type size struct {
	// bytes are those of its texts and keys.
	bytes int
	// elements are the elements of lists, the entries of maps and the values
	// themselves.
	elements int
	// marks are what YAML writes apart from the elements: the keys of maps, and the
	// end of each list and map.
	marks int
	// levels are how deep lists and maps are nested.
	levels int
}

// price is what it costs to visit a value, or to copy it.
func (s size) price() int { return s.bytes + s.elements*entryPrice }

// ErrTooLarge is an error about a value that is nested too deep, or whose aliases
// stand for too much.
var ErrTooLarge = errors.New("the value is too large")

var errTooDeep = tooLarge(fmt.Sprintf("the value has lists and maps nested more than %d deep", maxLevels))

type tooLarge string

func (t tooLarge) Error() string     { return string(t) }
func (t tooLarge) Is(err error) bool { return err == ErrTooLarge }

// measure returns the size of a value. It pays for looking at each element
// before it does.
func (b *Budget) measure(value any) (size, error) {
	var s size
	err := b.add(value, &s, 1)
	return s, err
}

func (b *Budget) add(value any, s *size, level int) error {
	if level > maxLevels {
		return errTooDeep
	}
	s.elements++
	s.levels = max(s.levels, level)
	switch value := value.(type) {
	case string:
		s.bytes += len(value)
	case Number:
		s.bytes += len(value.text)
	case []any:
		s.marks++
		if err := b.spend(len(value) * elementPrice); err != nil {
			return err
		}
		for _, element := range value {
			if err := b.add(element, s, level+1); err != nil {
				return err
			}
		}
	case map[string]any:
		s.marks += 1 + len(value)
		if err := b.spend(len(value) * elementPrice); err != nil {
			return err
		}
		for key, element := range value {
			s.bytes += len(key)
			if err := b.add(element, s, level+1); err != nil {
				return err
			}
		}
	case List:
		s.marks++
		if err := b.spend(value.Len() * elementPrice); err != nil {
			return err
		}
		for i := range value.Len() {
			if err := b.add(value.At(i), s, level+1); err != nil {
				return err
			}
		}
	case Object:
		s.marks += 1 + len(value.Fields())
		for _, name := range value.Fields() {
			if err := b.spend(fieldPrice); err != nil {
				return err
			}
			if inner, err := value.Field(name); err == nil {
				s.bytes += len(name)
				if err := b.add(inner, s, level+1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// times is a product, or the largest number where that is too small for it.
func times(a, b int) int {
	if a <= 0 || b <= 0 {
		return 0
	}
	if a > math.MaxInt/b {
		return math.MaxInt
	}
	return a * b
}

// plus is a sum, or the largest number where that is too small for it.
func plus(numbers ...int) int {
	sum := 0
	for _, n := range numbers {
		if sum += n; sum < 0 {
			return math.MaxInt
		}
	}
	return sum
}

var errTooLong = fmt.Errorf("would make a text longer than %d KiB; put long text into a ConfigMap and mount that", MaxText>>10)

// fits refuses a text that would be longer than a text may be.
func fits(length int) error {
	if length > MaxText {
		return errTooLong
	}
	return nil
}

var errTooMany = fmt.Errorf("would make more than %d elements", maxElements)

// few refuses a list or a map with more elements than functions make.
func few(elements int) error {
	if elements > maxElements {
		return errTooMany
	}
	return nil
}

var errNegative = errors.New("the number must not be negative")
