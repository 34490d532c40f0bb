// SPDX-License-Identifier: Apache-2.0

// Package yamlnode answers what a YAML node says where a certain kind of value
// is looked for, and says nothing where there is another.
//
// # Rules
//
//   - An alias is what it stands for. Null is no value.
//   - No node is changed, and nil is a node without anything.
//
// # Never
//
// It never reports an error about a value: what must be of one kind is checked
// where that is known.
package yamlnode

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Resolve follows an alias to the node that it stands for.
func Resolve(node *yaml.Node) *yaml.Node {
	if node != nil && node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// Get returns the value of a key in a map, nil when there is none.
func Get(node *yaml.Node, key string) *yaml.Node {
	node = Resolve(node)
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

// Count returns how often a key is in a map: more than once where it is there twice.
func Count(node *yaml.Node, key string) int {
	node = Resolve(node)
	if node == nil || node.Kind != yaml.MappingNode {
		return 0
	}
	n := 0
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			n++
		}
	}
	return n
}

// Text returns the text of a single value, "" for anything else and for null.
func Text(node *yaml.Node) string {
	node = Resolve(node)
	if node == nil || node.Kind != yaml.ScalarNode || node.ShortTag() == "!!null" {
		return ""
	}
	return node.Value
}

// EachEntry visits the keys of a map in their order. It visits nothing where the
// node is no map.
func EachEntry(node *yaml.Node, visit func(key string, value *yaml.Node)) {
	node = Resolve(node)
	if node == nil || node.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		visit(node.Content[i].Value, node.Content[i+1])
	}
}

// CheckCycles returns an error for an anchor that contains an alias of itself.
// The YAML parser accepts it, but code that follows aliases would never end.
func CheckCycles(node *yaml.Node) error {
	return checkCycles(node, map[*yaml.Node]bool{})
}

// checkCycles has the nodes with an anchor that contain this one.
func checkCycles(node *yaml.Node, open map[*yaml.Node]bool) error {
	if node.Kind == yaml.AliasNode && open[node.Alias] {
		return fmt.Errorf("yaml: line %d: anchor '%s' value contains itself", node.Line, node.Value)
	}
	if node.Anchor != "" {
		open[node] = true
		defer delete(open, node)
	}
	for _, child := range node.Content {
		if err := checkCycles(child, open); err != nil {
			return err
		}
	}
	return nil
}

// TabbedLine returns the first line with a tab in its indentation, from 1 and below
// this many lines, or 0.
func TabbedLine(content []byte, below int) int {
	number := 0
	for line := range bytes.Lines(content) {
		number++
		indentation := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
		if number > below && bytes.IndexByte(indentation, '\t') >= 0 {
			return number
		}
	}
	return 0
}
