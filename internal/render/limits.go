// SPDX-License-Identifier: Apache-2.0

package render

import "fmt"

// Limit is a bound of templates, as the documentation lists it.
type Limit struct{ What, Value string }

// Limits are all bounds of templates.
func Limits() []Limit {
	of := func(n int, unit string) string { return fmt.Sprintf("%d %s", n, unit) }
	kib := func(n int) string { return fmt.Sprintf("%d KiB", n>>10) }
	return []Limit{
		{"a template, and the text that it renders", kib(MaxText)},
		{"the work of all templates of one PeerJob", fmt.Sprintf("%d million units, enough for %d million steps or %d MB of text", budgetUnits/1_000_000, budgetUnits/stepPrice/1_000_000, budgetUnits/1_000_000)},
		{"blocks and parentheses, nested in one template", of(maxNesting, "levels")},
		{"blocks, parentheses and functions, nested over all snippets", of(maxDepth, "levels")},
		{"`include` and `tpl`, nested", of(maxCalls, "levels")},
		{"lists and maps, nested in a value", of(maxLevels, "levels")},
		{"what `until`, `untilStep`, `seq`, a split or a regular expression makes", of(maxElements, "elements")},
		{"a width or a precision of `printf`", of(maxWidth, "characters")},
		{"a key that `dict` makes", kib(maxKey)},
		{"a regular expression", of(maxPattern, "bytes")},
		{"a version, and a constraint of `semverCompare`", of(maxVersion, "bytes")},
		{"the arguments of `addf`, `subf`, `mulf` and `divf`", of(maxFactors, "numbers")},
		{"what the aliases of a YAML text stand for", of(maxRepeated, "values")},
	}
}
