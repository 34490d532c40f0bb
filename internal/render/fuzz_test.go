// SPDX-License-Identifier: Apache-2.0

package render

import (
	"testing"
	"unicode/utf8"
)

// FuzzFunctions looks for a function that panics, or takes more than it may.
func FuzzFunctions(f *testing.F) {
	for _, function := range Functions() {
		f.Add(function.Example)
	}
	for _, tt := range hostile {
		if len(tt.give) < 200 {
			f.Add(tt.give)
		}
	}
	object := testData(20)
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return // no YAML parser lets it through
		}
		first, err := New(object, testSnippets, NewBudget()).Render(text)
		if err == nil && (len(first) > MaxText || !utf8.ValidString(first)) {
			t.Fatalf("rendered %d bytes", len(first))
		}
		second, again := New(object, testSnippets, NewBudget()).Render(text)
		if first != second || (err == nil) != (again == nil) || err != nil && err.Error() != again.Error() {
			t.Errorf("%q\nrendered %q (%v)\n     and %q (%v)", text, first, err, second, again)
		}
	})
}
