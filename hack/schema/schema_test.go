// SPDX-License-Identifier: Apache-2.0

package main

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSays has the words that the comments of the API have for bounds, words and defaults.
func TestSays(t *testing.T) {
	type want struct {
		required  bool
		bounds    [2]int64 // -1 is none
		pattern   bool
		word      any
		wordsSize int
	}
	for _, test := range []struct {
		text string
		of   reflect.Type
		want want
	}{
		{"n is a number. Required; 1 to 100000.", reflect.TypeFor[int32](), want{required: true, bounds: [2]int64{1, 100000}}},
		{"n is a number. 0 or more; default unset: the server uses 6.", reflect.TypeFor[int32](), want{bounds: [2]int64{0, -1}}},
		{"n is a number. 0 to 86400; default 600.", reflect.TypeFor[int32](), want{bounds: [2]int64{0, 86400}, word: int64(600)}},
		{"n is a number. 0 to 10000; required with RestartPeerJob, which alone has it.", reflect.TypeFor[int32](), want{bounds: [2]int64{0, 10000}}},
		{"n is a number. 0 to peers; needs backoffLimitPerIndex; default unset.", reflect.TypeFor[int32](), want{bounds: [2]int64{0, -1}}},
		{"b is a switch. Default true, because.", reflect.TypeFor[bool](), want{bounds: [2]int64{-1, -1}, word: true}},
		{`s is a text. A DNS domain; default "cluster.local", or what the functionConfig says.`, reflect.TypeFor[string](), want{bounds: [2]int64{-1, -1}, pattern: true, word: "cluster.local"}},
		{`s is a text. "1.22" to "1.37", in quotes; default unset.`, reflect.TypeFor[string](), want{bounds: [2]int64{-1, -1}, wordsSize: 16}},
		{"s is a text. Required with these frameworks, and refused with others. Default the only container; required if there are several.", reflect.TypeFor[string](), want{bounds: [2]int64{-1, -1}}},
		{"s is a text. FailPeerJob or RestartPeerJob; required.", reflect.TypeFor[string](), want{required: true, bounds: [2]int64{-1, -1}}},
	} {
		a := &says{description: test.text}
		if err := a.read(reflect.TypeFor[struct{}](), "n", test.of); err != nil {
			t.Fatal(err)
		}
		got := want{required: a.required, bounds: [2]int64{-1, -1}, pattern: a.pattern != "", word: a.defaultLiteral, wordsSize: len(a.enum)}
		if a.minimum != nil {
			got.bounds[0] = *a.minimum
		}
		if a.maximum != nil {
			got.bounds[1] = *a.maximum
		}
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(want{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.text, diff)
		}
	}
}
