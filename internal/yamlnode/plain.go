// SPDX-License-Identifier: Apache-2.0

package yamlnode

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// maxPlain bounds how many nodes Plain reads, those behind aliases each time.
const maxPlain = 1 << 20

// Plain returns a node as the value that it stands for: a map[string]any, a []any, a
// string, a number, a bool or nil. An error is a key that is there twice or is no
// string, or what aliases make too large. It takes linear time; yaml/v3 compares
// every key of a map with every other.
func Plain(node *yaml.Node) (any, error) {
	p := plain{left: maxPlain}
	return p.value(node)
}

type plain struct{ left int }

func (p *plain) value(node *yaml.Node) (any, error) {
	if p.left--; p.left < 0 {
		return nil, errors.New("is too large")
	}
	switch node = Resolve(node); node.Kind {
	case yaml.MappingNode:
		return p.mapping(node)
	case yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, child := range node.Content {
			var err error
			if list[i], err = p.value(child); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	var value any
	err := node.Decode(&value)
	return value, err
}

func (p *plain) mapping(node *yaml.Node) (map[string]any, error) {
	entries := make(map[string]any, len(node.Content)/2)
	var merged []map[string]any // of "<<", the first of which wins
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := Resolve(node.Content[i])
		value, err := p.value(node.Content[i+1])
		if err != nil {
			return nil, err
		}
		if key.ShortTag() == "!!merge" {
			sources, isList := value.([]any)
			if !isList {
				sources = []any{value}
			}
			for _, source := range sources {
				entries, isMap := source.(map[string]any)
				if !isMap {
					return nil, fmt.Errorf(`line %d: "<<" merges something that is no map`, key.Line)
				}
				merged = append(merged, entries)
			}
			continue
		}
		if _, found := entries[key.Value]; found || key.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: key %q is given twice, or is no string", key.Line, key.Value)
		}
		entries[key.Value] = value
	}
	for _, more := range merged {
		for key, value := range more {
			if _, found := entries[key]; !found {
				entries[key] = value
			}
		}
	}
	return entries, nil
}

// Duplicate returns the second of two equal keys in a map, nil when every key is
// there once.
func Duplicate(node *yaml.Node) *yaml.Node {
	node = Resolve(node)
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	seen := make(map[string]bool, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if seen[key.Value] {
			return key
		}
		seen[key.Value] = true
	}
	return nil
}

// MergeKey returns the key "<<" of a map, nil when there is none.
func MergeKey(node *yaml.Node) *yaml.Node {
	node = Resolve(node)
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if key := node.Content[i]; key.ShortTag() == "!!merge" {
			return key
		}
	}
	return nil
}
