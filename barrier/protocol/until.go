// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"fmt"
	"strconv"
	"strings"
)

// Until is one way for the Job to have succeeded, as a rule of its
// successPolicy: then nobody waits for the others.
type Until struct {
	// Indexes are the peers which count, in rising order; nil for all.
	Indexes []Range
	// Count is how many of them must be at their end; 0 for all.
	Count int32
}

// Range is a range of indexes, both ends included.
type Range struct{ First, Last int32 }

// ParseUntil reads "INDEXES:COUNT", where INDEXES is as in
// spec.successPolicy.rules[*].succeededIndexes ("0,2-4", or "" for all), and
// ":COUNT" may be left out.
func ParseUntil(text string) (Until, error) {
	indexes, count, counted := strings.Cut(text, ":")
	var u Until
	if counted {
		n, err := parseIndex(count)
		if err != nil || n == 0 {
			return Until{}, fmt.Errorf("%q: the count must be a number above 0", text)
		}
		u.Count = n
	}
	if indexes == "" {
		return u, nil
	}
	for part := range strings.SplitSeq(indexes, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		low, err := parseIndex(first)
		if err != nil {
			return Until{}, fmt.Errorf("%q: %w", text, err)
		}
		high, err := parseIndex(last)
		if err != nil {
			return Until{}, fmt.Errorf("%q: %w", text, err)
		}
		if high < low || len(u.Indexes) > 0 && low <= u.Indexes[len(u.Indexes)-1].Last {
			return Until{}, fmt.Errorf("%q: the indexes must rise", text)
		}
		u.Indexes = append(u.Indexes, Range{low, high})
	}
	return u, nil
}

func parseIndex(text string) (int32, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%q is no index", text)
	}
	return int32(n), nil
}

// met reports whether enough of the peers are done.
func (u Until) met(size int32, done func(int32) bool) bool {
	ranges := u.Indexes
	if ranges == nil {
		ranges = []Range{{0, size - 1}}
	}
	var found, all int32
	for _, r := range ranges {
		for i := r.First; i <= min(r.Last, size-1); i++ {
			all++
			if done(i) {
				found++
			}
		}
	}
	if u.Count > 0 {
		return found >= min(u.Count, all)
	}
	return found == all
}
