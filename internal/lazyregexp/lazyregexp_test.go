// SPDX-License-Identifier: Apache-2.0

package lazyregexp

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

var withMistake = New(`a(`)

func TestCheck(t *testing.T) {
	patterns, err := Check()
	if patterns != 1 || err == nil {
		t.Errorf("Check finds %d patterns and the error %v; want one pattern with a mistake", patterns, err)
	}
}

// TestRegexp_lazy shows that the pattern is compiled at its first use.
func TestRegexp_lazy(t *testing.T) {
	if got := withMistake.String(); got != `a(` {
		t.Errorf("the pattern is %q", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("MatchString took a pattern with a mistake")
		}
	}()
	withMistake.MatchString("")
}

func TestRegexp(t *testing.T) {
	defer func(patterns []*Regexp) { all = patterns }(all)
	got := New(`(a)(b)?`).FindAllStringSubmatch("ab, a", -1)
	if diff := cmp.Diff([][]string{{"ab", "a", "b"}, {"a", "a", ""}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
