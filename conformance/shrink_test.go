// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/conformance/generate"
)

func TestShrink(t *testing.T) {
	tree := generate.Object{
		"a": generate.List{1, generate.Object{"deep": "x", "other": "y"}, 3},
		"b": generate.Object{"c": true},
	}
	keeps := func(tree generate.Object) bool {
		list, _ := tree["a"].(generate.List)
		for _, element := range list {
			if object, ok := element.(generate.Object); ok && object["deep"] == "x" {
				return true
			}
		}
		return false
	}
	want := generate.Object{"a": generate.List{generate.Object{"deep": "x"}}}
	if diff := cmp.Diff(want, shrink(tree, keeps)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPlain(t *testing.T) {
	got := plain(`Invalid value: "a\"b": must be between 1 and 65535, of 00000000-0000-0000-0000-000000000000`)
	want := `Invalid value: _: must be between _ and _, of _`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
