// SPDX-License-Identifier: Apache-2.0

package values

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	for give, want := range map[string]string{
		strings.Repeat("#", MaxSize+1):                "has 1048577 bytes, and values may have 1048576",
		"a: [" + strings.Repeat("1,", MaxCount) + "]": "has more than 50000 values (elements of lists and entries of maps); keep large data in a file or a ConfigMap that the containers read",
		"[a]":           "must be a map of values",
		"yes: 1":        `line 1: yes: a key must be a string; write "yes", with the quotes`,
		"tls: {on: no}": `line 1: on: a key must be a string; write "on", with the quotes`,
		"a: 1\ntls: no": `line 2: no: Helm reads this word as false; write false, or "no" with the quotes`,
		"a: [x, Yes]":   `line 1: Yes: Helm reads this word as true; write true, or "Yes" with the quotes`,
		"a: n":          `line 1: n: Helm reads this word as false; write false, or "n" with the quotes`,
		"a: On":         `line 1: On: Helm reads this word as true; write true, or "On" with the quotes`,
		"a: 1\na: 2":    `line 2: duplicate key "a"; keep one`,
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

// TestRead_tab names the line, and what to indent with.
func TestRead_tab(t *testing.T) {
	for content, want := range map[string]string{
		"a: 1\nb:\n\tc: 1\n":   "line 3 has a tab; indent with spaces",
		"a: |\n  x\n  \ty\n":   "",
		"a: 1\nb: [\n\t1\n]\n": "",
	} {
		if _, err := Read([]byte(content)); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%q: got the error %v, want %q", content, err, want)
		}
	}
}

// TestDoubtful has texts that look like booleans.
func TestDoubtful(t *testing.T) {
	assignments, err := ParseSet("a=no,b.c=Yes,d=n,e=false,f=none")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]bool{"a=no": false, "b.c=Yes": true}, Doubtful(assignments)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
