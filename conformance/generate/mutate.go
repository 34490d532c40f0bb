// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"maps"
	"slices"
	"strings"
)

// slot is a place in a tree that holds a value.
type slot struct {
	// key is the name of the field; for an element of a list that of the list.
	key   string
	value any
	// set puts another value there; remove leaves the place out.
	set    func(any)
	remove func()
}

// slots returns every place of a tree below its root, in a fixed order.
func slots(tree any, key string, replace func(any)) []slot {
	var all []slot
	switch tree := tree.(type) {
	case Object:
		for _, name := range slices.Sorted(maps.Keys(tree)) {
			set := func(value any) { tree[name] = value }
			all = append(all, slot{name, tree[name], set, func() { delete(tree, name) }})
			all = append(all, slots(tree[name], name, set)...)
		}
	case List:
		for i, element := range tree {
			set := func(value any) { tree[i] = value }
			remove := func() { replace(slices.Delete(slices.Clone(tree), i, i+1)) }
			all = append(all, slot{key, element, set, remove})
			all = append(all, slots(element, key, set)...)
		}
	}
	return all
}

// mutate changes one place of a PeerJob.
func (g *generator) mutate(tree Object) {
	if g.chance(0.4) {
		g.add(tree)
		return
	}
	all := slots(tree, "", nil)
	if len(all) == 0 {
		return
	}
	place := one(g, all...)
	switch g.IntN(5) {
	case 0:
		place.remove()
	case 1:
		// What stands under the same name elsewhere.
		same := slices.DeleteFunc(slices.Clone(all), func(other slot) bool { return other.key != place.key })
		place.set(clone(one(g, same...).value))
	case 2:
		if list, ok := place.value.(List); ok && len(list) > 0 {
			place.set(append(slices.Clone(list), clone(one(g, list...))))
		}
	default:
		place.set(g.distort(place.value))
	}
}

// distort returns another value of the same kind, and rarely of another.
func (g *generator) distort(value any) any {
	if g.chance(0.03) {
		return one[any](g, nil, "x", 1, true, Object{}, List{}, 1.5)
	}
	switch value := value.(type) {
	case string:
		return one(g, "", value+"x", value+"-", "-"+value, value+value, strings.ToUpper(value), value+".", value+" ", value+"/x",
			strings.Repeat("x", 64), strings.Repeat("x", 254), "0", "ä", value+"\n", "$("+value+")")
	case int:
		return one(g, 0, 1, -1, value+1, value-1, 2*value, -value, 65535, 65536, 2147483647)
	case bool:
		return !value
	case Object:
		return Object{}
	case List:
		return List{}
	}
	return value
}

// Without returns a copy of a tree without its n-th place, and false when it
// has no more than n.
func Without(tree Object, n int) (Object, bool) {
	copied, _ := clone(tree).(Object)
	all := slots(copied, "", nil)
	if n >= len(all) {
		return nil, false
	}
	all[n].remove()
	return copied, true
}

// clone is a copy that shares nothing with the tree.
func clone(tree any) any {
	switch tree := tree.(type) {
	case Object:
		copied := Object{}
		for name, value := range tree {
			copied[name] = clone(value)
		}
		return copied
	case List:
		copied := make(List, len(tree))
		for i, value := range tree {
			copied[i] = clone(value)
		}
		return copied
	}
	return tree
}
