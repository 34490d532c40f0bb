// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A script whose lines end with spaces stays a block, wherever it is; and whatever the
// text, what is written says the same.
func TestEncode(t *testing.T) {
	const taken = "peerjob-text-block-0"
	for _, test := range []struct {
		text    string
		isBlock bool
		other   string
	}{
		{"a \nb\n", true, "x"},
		{"a \nb\n", false, taken}, // what this package writes in the meantime
		{"a \nb", true, "x"},
		{"if x; then   \n  y\n\n   \nfi\n", true, "x"},
		{"é \nb\n", true, "x"},
		{" a \nb\n", false, "x"}, // begins with a space
		{"a \nb\n\n", false, "x"},
		{"a \nb ", false, "x"},
		{"a \n\x1bb\n", false, "x"},
		{"a \r\nb\n", false, "x"},
		{"a \n\ufeffb\n", false, "x"},
		{"\ta \nb\n", false, "x"},
	} {
		object := mapping("command", []string{"sh", test.text}, "nested", mapping("script", test.text, "list", []string{test.text, test.other}))
		out, err := encode(object)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(out), "- |"); got != test.isBlock {
			t.Errorf("%q is written as\n%s", test.text, out)
		}
		var read struct {
			Command []string
			Nested  struct {
				Script string
				List   []string
			}
		}
		if err := yaml.Unmarshal(out, &read); err != nil {
			t.Fatalf("%q: %v\n%s", test.text, err, out)
		}
		if read.Command[1] != test.text || read.Nested.Script != test.text || read.Nested.List[0] != test.text || read.Nested.List[1] != test.other {
			t.Errorf("%q is read as %q from\n%s", test.text, read, out)
		}
	}
}

// A text that was folded (>) says the same when it is written again, and stays folded if the
// writer of YAML can do that.
func TestEncode_folded(t *testing.T) {
	for _, test := range []struct {
		text, header string
	}{
		{"a b\nc\n", ">"},
		{"a\n\n\nb", ">-"},
		{"a\n\n", "|+"},
		{"a\n b\nc\n", "|"},
		{"a\n\n  b", "|-"},
		{"a\n\tb\n", "|"},
		{" a\nb\n", "|2"},
		{"\n a\n", "|2"},
	} {
		copied, err := clone(mapping("nested", mapping("script", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.FoldedStyle, Value: test.text}, "next", "x")))
		if err != nil {
			t.Fatal(err)
		}
		out, err := encode(copied)
		if err != nil {
			t.Fatal(err)
		}
		var read struct{ Nested struct{ Script, Next string } }
		if err := yaml.Unmarshal(out, &read); err != nil || read.Nested.Script != test.text || read.Nested.Next != "x" {
			t.Errorf("%q: %v, read as %q from\n%s", test.text, err, read, out)
		}
		if !strings.Contains(string(out), "script: "+test.header+"\n") {
			t.Errorf("%q is not written as %s:\n%s", test.text, test.header, out)
		}
	}
}
