// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// FuzzWordFinder holds the reader of names to an expression for each word.
func FuzzWordFinder(f *testing.F) {
	words := []string{"train", "train-", ".hub", "a-b-"}
	for i := range fewWords {
		words = append(words, fmt.Sprintf("unlike%d-", i))
	}
	many := newWordFinder(words)
	if many.names == nil {
		f.Fatal("the words are not many")
	}
	oracle := regexp.MustCompile(`(?:^|[^a-z0-9-])(?:` + strings.Join(slices.Collect(maps.Keys(many.names)), "|") + `)(?:[^a-z0-9]|$)`)
	for _, text := range []string{"", "train", "x: train-0.hub", "atrain-0", "train0", "a-b-c", "x-a-b", `"\ntrain-7"`, `"\x74rain"`, "a\\", "-train", "http://hub:80", "unlike31", "unlike00"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		// An escape ends before a name, or may stand for one.
		plain := regexp.MustCompile(`\\[^xuU]`).ReplaceAll(text, []byte(" "))
		want := oracle.Match(plain) || regexp.MustCompile(`\\[xuU]`).Match(plain)
		if got := many.inText(text); got != want {
			t.Errorf("%q: got %t, want %t", text, got, want)
		}
	})
}

// TestWordFinder_odd has names that are none: all words are searched for.
func TestWordFinder_odd(t *testing.T) {
	for _, word := range []string{"", "-", ".", "a.b", "Ab", "é"} {
		words := []string{word}
		for i := range fewWords {
			words = append(words, fmt.Sprint("unlike", i))
		}
		if newWordFinder(words).names != nil {
			t.Errorf("%q was taken for a name", word)
		}
	}
}
