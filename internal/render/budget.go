// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"reflect"
)

const (
	// MaxText is how long a template and what it renders may be, in bytes. Linux
	// starts no program with a longer argument, and no annotation is longer.
	MaxText = 256 << 10
	// maxSteps is how many nodes the templates of one Renderer may evaluate
	// together: a list of 1,000 peers takes some 10,000.
	maxSteps = 2_000_000
	// maxWork is how many bytes the functions of one Renderer may read and make
	// together.
	maxWork = 16 << 20
	// maxCalls is how deep include and tpl may stand in each other.
	maxCalls = 50
	// elementCost is what an element of a list or a map costs beside its own
	// bytes.
	elementCost = 16
	// shallowCost is what each argument costs a function that does not look into
	// it, and may put it into a map.
	shallowCost = 64
	// parseCost is what a byte of a template costs to parse.
	parseCost = 16
)

// Budget is what the templates of one PeerJob may spend. It is counted, so that
// the same template stops at the same place on every machine.
type Budget struct {
	steps, work int
}

// NewBudget returns a full budget.
func NewBudget() *Budget { return &Budget{steps: maxSteps, work: maxWork} }

// step pays for the evaluation of one node.
func (b *Budget) step() error {
	if b.steps--; b.steps < 0 {
		return fmt.Errorf("the templates of the PeerJob take more than %d steps; write a shorter loop", maxSteps)
	}
	return nil
}

// spend pays for bytes read or made.
func (b *Budget) spend(bytes int) error {
	if bytes < 0 || bytes > b.work {
		b.work = 0
		return fmt.Errorf("the templates of the PeerJob read and make more than %d MiB of text; give the function less, or call it less often", maxWork>>20)
	}
	b.work -= bytes
	return nil
}

// maxDepth is how deep lists and maps may stand in each other.
const maxDepth = 1_000

// charge pays for reading a value whole.
func (b *Budget) charge(value any) error { return b.chargeNested(value, 0) }

func (b *Budget) chargeNested(value any, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("the value has lists and maps more than %d deep in each other", maxDepth)
	}
	switch value := value.(type) {
	case nil, bool, int, int64, float64:
		return b.spend(elementCost)
	case string:
		return b.spend(len(value))
	case []any:
		for _, element := range value {
			if err := b.spend(elementCost); err != nil {
				return err
			}
			if err := b.chargeNested(element, depth+1); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		for key, element := range value {
			if err := b.spend(elementCost + len(key)); err != nil {
				return err
			}
			if err := b.chargeNested(element, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	// The lists and maps which functions make of one kind of element.
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		const short = 64 // of a name of a peer, of a word
		return b.spend(v.Len() * (elementCost + short))
	}
	return b.spend(elementCost)
}
