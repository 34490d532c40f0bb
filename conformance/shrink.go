// SPDX-License-Identifier: Apache-2.0

package conformance

import "github.com/peerjob/peerjob/conformance/generate"

// shrink leaves out of a tree whatever it can be left out of while it keeps
// what it was found for: branches first, then what is left of them, until
// nothing more can go.
func shrink(tree generate.Object, keeps func(generate.Object) bool) generate.Object {
	for {
		shrunk := false
		for n := 0; ; {
			smaller, found := generate.Without(tree, n)
			switch {
			case !found && shrunk:
			case !found:
				return tree
			case keeps(smaller):
				tree, shrunk = smaller, true
				continue
			default:
				n++
				continue
			}
			break
		}
	}
}
