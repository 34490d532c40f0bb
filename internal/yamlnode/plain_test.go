// SPDX-License-Identifier: Apache-2.0

package yamlnode

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func parse(t testing.TB, text string) *yaml.Node {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return document.Content[0]
}

// TestPlain holds Plain to what yaml/v3 decodes.
func TestPlain(t *testing.T) {
	for _, text := range []string{
		"a", "1", "1.5", "true", "~", "[]", "{}", "2001-01-01", "0x10", "!!str 1",
		"{a: 1, b: [x, {c: ~}], 'd': \"e\"}",
		"{a: &x {b: 1}, c: *x}",
		"{x: &x {b: 1, c: 2}, y: {<<: *x, c: 3}}",
		"{x: &x {b: 1}, z: &z {b: 2, d: 4}, y: {<<: [*x, *z]}}",
	} {
		node := parse(t, text)
		var want any
		if err := node.Decode(&want); err != nil {
			t.Fatal(err)
		}
		got, err := Plain(node)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-yaml/v3 +Plain):\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"{a: 1, a: 2}", "{[a]: 1}", "{<<: 1}", "{a: {b: 1, b: 2}}"} {
		if got, err := Plain(parse(t, text)); err == nil {
			t.Errorf("%s: returns %v and no error", text, got)
		}
	}
}

// TestPlain_aliases bounds what aliases stand for: ten levels of ten.
func TestPlain_aliases(t *testing.T) {
	text := "a0: &a0 x\n"
	for level := 1; level <= 10; level++ {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", level, level, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", level-1), 10), ", "))
	}
	if _, err := Plain(parse(t, text)); err == nil {
		t.Error("reads 10,000,000,000 values")
	}
}

// TestPlain_linear reads a map that takes hours where each key is compared with every
// other.
func TestPlain_linear(t *testing.T) {
	object := func(keys int) *yaml.Node {
		node := &yaml.Node{Kind: yaml.MappingNode}
		for i := range keys {
			node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint("k", i)}, &yaml.Node{Kind: yaml.ScalarNode, Value: "v"})
		}
		return node
	}
	if _, err := Plain(object(400_000)); err != nil { // 80,000,000,000 comparisons in yaml/v3
		t.Error(err)
	}
}

func TestDuplicate(t *testing.T) {
	for text, want := range map[string]string{"{a: 1, b: 2}": "", "{a: 1, b: 2, a: 3}": "a", "[a, a]": ""} {
		got := ""
		if key := Duplicate(parse(t, text)); key != nil {
			got = key.Value
		}
		if got != want {
			t.Errorf("Duplicate(%s) = %q, want %q", text, got, want)
		}
	}
}

func TestMergeKey(t *testing.T) {
	for text, want := range map[string]bool{"{a: 1}": false, "{a: &x {b: 1}, <<: *x}": true, "{'<<': 1}": false} {
		if got := MergeKey(parse(t, text)) != nil; got != want {
			t.Errorf("MergeKey(%s) = %v, want %v", text, got, want)
		}
	}
}
