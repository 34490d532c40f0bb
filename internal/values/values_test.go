// SPDX-License-Identifier: Apache-2.0

package values

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	for give, want := range map[string]string{
		strings.Repeat("#", MaxSize+1): "has 1048577 bytes, and values may have 1048576",
		"[a]":                          "must be a map of values",
		"yes: 1":                       `line 1: yes: a key must be a string; write "yes", with the quotes`,
		"tls: {on: no}":                `line 1: on: a key must be a string; write "on", with the quotes`,
		"a: 1\ntls: no":                `line 2: no: Helm reads this word as false; write false, or "no" with the quotes`,
		"a: [x, Yes]":                  `line 1: Yes: Helm reads this word as true; write true, or "Yes" with the quotes`,
		"a: On":                        `line 1: On: Helm reads this word as true; write true, or "On" with the quotes`,
		"a: 1\na: 2":                   `line 2: duplicate key "a"; keep one`,
	} {
		if _, err := Read([]byte(give)); err == nil || err.Error() != want {
			t.Errorf("%.20q: got the error %v, want %s", give, err, want)
		}
	}
	for give, want := range map[string]map[string]any{
		"":                  nil,
		"date: 2001-01-01":  {"date": "2001-01-01"},
		"a: 12345678901":    {"a": int64(12345678901)},
		"a: 1.5\nb: [x]":    {"a": 1.5, "b": []any{"x"}},
		`{"a": null}`:       {"a": nil},
		`{"a": "no"}`:       {"a": "no"},
		"a: 'yes'\nb: none": {"a": "yes", "b": "none"},
	} {
		got, err := Read([]byte(give))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
}
