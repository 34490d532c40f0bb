// SPDX-License-Identifier: Apache-2.0

// Package spell answers: which known name was probably meant?
//
// # Rules
//
//   - A name is like another when few letters differ: at most two, and at most
//     half of them. Capitals do not count.
//   - A slip is nearer than that: see [Slip].
//   - Of two that are equally like it, the first one of the list.
//   - The words for yes and no are those of YAML 1.1: see [YesOrNo].
//
// # Never
//
// It never decides that something is wrong.
package spell

import "strings"

// maxLength is longer than any name; a longer word is like none.
const maxLength = 100

// Nearest returns the name that is most like a word, or "" when none is like it.
func Nearest(word string, names []string) string {
	return nearest(word, names, min(2, len(word)/2))
}

// Slip returns the name that a word was surely meant for, or "". It is for words that
// may well be right as they are: one letter may differ, or two in a word of at least
// seven. So "port" is no slip of "host".
func Slip(word string, names []string) string {
	most := 1
	switch {
	case len(word) < 3:
		most = 0
	case len(word) >= 7:
		most = 2
	}
	return nearest(word, names, most)
}

// Part returns the name that is most like a word, as [Nearest], and otherwise the only one
// that begins or ends with it: "restart" for RestartPeerJob.
func Part(word string, names []string) string {
	if near := Nearest(word, names); near != "" {
		return near
	}
	const shortest = 3
	if len(word) < shortest {
		return ""
	}
	found, lower := "", strings.ToLower(word)
	for _, name := range names {
		if other := strings.ToLower(name); strings.HasPrefix(other, lower) || strings.HasSuffix(other, lower) {
			if found != "" {
				return ""
			}
			found = name
		}
	}
	return found
}

// YesOrNo reports whether a word is one that YAML 1.1 reads as true or as false, besides
// those two, and as which.
func YesOrNo(word string) (yes, known bool) {
	for _, one := range [...]struct {
		word string
		yes  bool
	}{{"y", true}, {"yes", true}, {"on", true}, {"n", false}, {"no", false}, {"off", false}} {
		if strings.EqualFold(word, one.word) {
			return one.yes, true
		}
	}
	return false, false
}

// nearest returns the name that is most like a word, of those in which at most so many
// letters differ.
func nearest(word string, names []string, most int) string {
	if len(word) > maxLength {
		return ""
	}
	best, bestDistance := "", most+1
	for _, name := range names {
		if len(name) > maxLength {
			continue
		}
		if d := distance(strings.ToLower(word), strings.ToLower(name)); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// distance is the least number of letters to insert, delete or replace, or of
// neighbours to swap, that turns a into b.
func distance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
