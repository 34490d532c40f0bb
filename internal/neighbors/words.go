// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"bytes"
	"slices"
	"strings"

	"github.com/peerjob/peerjob/internal/krmlist"
)

// fewWords are so many that a search for each of them takes less time than to look at each
// name in a text.
const fewWords = 32

// wordFinder finds the objects that may have one of some words in their texts: names of
// Jobs and Services, maybe with "." before or "-" behind. Its time does not grow with the
// number of words, because a list may have thousands of PeerJobs and of other objects.
type wordFinder struct {
	words []string
	// names are the words without "." and "-", if they are many.
	names map[string]bool
}

func newWordFinder(words []string) *wordFinder {
	f := &wordFinder{words: slices.Compact(slices.Sorted(slices.Values(words)))}
	if len(f.words) <= fewWords {
		return f
	}
	names := map[string]bool{}
	for _, word := range f.words {
		name := strings.TrimSuffix(strings.TrimPrefix(word, "."), "-")
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 || !inName[r] }) {
			return f // an annotation can say anything
		}
		names[name] = true
	}
	f.names = names
	return f
}

// in reports whether an object may have one of the words.
func (f *wordFinder) in(o *krmlist.Object) bool {
	if f.names == nil {
		return slices.ContainsFunc(f.words, o.Mentions)
	}
	text := o.Text()
	return text == nil || f.inText(text)
}

// inText reports whether a text has a name, or one that begins with it and "-". A name
// begins where no other letter of a name is before it. The letter after a "\" is no part
// of a name, and what follows a "\x" or a "\u" is anything.
func (f *wordFinder) inText(text []byte) bool {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			if bytes.IndexByte([]byte("xuU"), text[i]) >= 0 {
				return true
			}
		case inName[c]:
			start := i
			for ; i < len(text) && inName[text[i]]; i++ {
				if text[i] == '-' && f.names[string(text[start:i])] {
					return true
				}
			}
			if f.names[string(text[start:i])] {
				return true
			}
			i-- // it may be a "\"
		}
	}
	return false
}

// inName are the bytes of names.
var inName = func() (is [256]bool) {
	for c := range is {
		is[c] = 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-'
	}
	return is
}()
