// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/manifest"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// maxNodes bounds the YAML nodes of an object once its aliases are followed.
const maxNodes = 1 << 20

var errTooLarge = errors.New("is too large: with its YAML aliases followed it has more values than any object can hold")

// copier copies YAML without aliases, anchors and merges, up to a bound.
type copier struct{ nodes int }

// mustNotFold matches a text of which the writer of YAML makes another one if it folds it
// (>): it adds a line feed before a line that begins with white space, and at the end behind
// an empty line.
var mustNotFold = lazyregexp.New(`(?m)^[ \t]|\n\n\z`)

// clone returns a copy of an object that can be changed. It has its comments.
func clone(node *yaml.Node) (*yaml.Node, error) {
	c := &copier{}
	copied := c.copy(node)
	if c.nodes > maxNodes {
		return nil, errTooLarge
	}
	return copied, nil
}

func (c *copier) copy(node *yaml.Node) *yaml.Node {
	node = yamlnode.Resolve(node)
	if c.nodes++; node == nil || c.nodes > maxNodes {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	}
	copied := *node
	copied.Anchor, copied.Content = "", nil
	if node.Style&yaml.FoldedStyle != 0 && mustNotFold.MatchString(node.Value) {
		copied.Style = node.Style&^yaml.FoldedStyle | yaml.LiteralStyle
	}
	if node.Kind != yaml.MappingNode {
		for _, child := range node.Content {
			copied.Content = append(copied.Content, c.copy(child))
		}
		return &copied
	}
	var merges []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == "<<" {
			merges = append(merges, yamlnode.Resolve(node.Content[i+1]))
			continue
		}
		copied.Content = append(copied.Content, c.copy(node.Content[i]), c.copy(node.Content[i+1]))
	}
	for _, merge := range merges {
		sources := []*yaml.Node{merge}
		if merge.Kind == yaml.SequenceNode {
			sources = merge.Content
		}
		for _, source := range sources {
			merged := c.copy(source)
			for i := 0; i+1 < len(merged.Content) && merged.Kind == yaml.MappingNode; i += 2 {
				if get(&copied, merged.Content[i].Value) == nil {
					copied.Content = append(copied.Content, merged.Content[i], merged.Content[i+1])
				}
			}
		}
	}
	return &copied
}

// asWritten is a node of JSON as a person would write it in YAML: in lines, with quotes
// only where they are needed.
func asWritten(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode {
		if node.Tag == "!!str" || node.Style&yaml.DoubleQuotedStyle != 0 {
			node.Tag, node.Style = "!!str", manifest.Text(node.Value).Style
		}
		return
	}
	if len(node.Content) > 0 {
		node.Style = 0
	}
	for _, child := range node.Content {
		asWritten(child)
	}
}

// get is the value of a key, nil if there is none.
func get(node *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		node = yamlnode.Get(node, key)
	}
	return node
}

// drop removes keys of a map.
func drop(node *yaml.Node, keys ...string) {
	if node == nil || node.Kind != yaml.MappingNode {
		return
	}
	var kept []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		if !slices.Contains(keys, node.Content[i].Value) {
			kept = append(kept, node.Content[i], node.Content[i+1])
		}
	}
	node.Content = kept
}

// dropEmpty removes keys of a map whose values are empty collections or null.
func dropEmpty(node *yaml.Node, keys ...string) {
	for _, key := range keys {
		if value := get(node, key); value != nil && len(value.Content) == 0 && (value.Kind != yaml.ScalarNode || value.Tag == "!!null") {
			drop(node, key)
		}
	}
}

// set gives a key of a map a value, in its place or at the end. It does nothing to what is
// no map.
func set(node *yaml.Node, key string, value *yaml.Node) {
	if value == nil || node == nil || node.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			node.Content[i+1] = value
			return
		}
	}
	node.Content = append(node.Content, manifest.Text(key), value)
}

// setFirst gives a map a key before all others.
func setFirst(node *yaml.Node, key string, value *yaml.Node) {
	if node == nil || node.Kind != yaml.MappingNode {
		return
	}
	drop(node, key)
	node.Content = append([]*yaml.Node{manifest.Text(key), value}, node.Content...)
}

// entry is a key with its value, which keeps the comments of the key.
func entry(to, from *yaml.Node, key, as string) {
	for i := 0; from != nil && i+1 < len(from.Content); i += 2 {
		if from.Content[i].Value == key {
			name := *from.Content[i]
			name.Value = as
			to.Content = append(to.Content, &name, from.Content[i+1])
			return
		}
	}
}

func mapping(entries ...any) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; i+1 < len(entries); i += 2 {
		if value := scalarOf(entries[i+1]); value != nil {
			node.Content = append(node.Content, manifest.Text(entries[i].(string)), value)
		}
	}
	return node
}

// scalarOf is a value as YAML, nil for none.
func scalarOf(value any) *yaml.Node {
	switch v := value.(type) {
	case *yaml.Node:
		if v == nil {
			return nil
		}
		return v
	case string:
		if v == "" {
			return nil
		}
		return manifest.Text(v)
	case int32:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(int(v))}
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)}
	case []string:
		if len(v) == 0 {
			return nil
		}
		list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, text := range v {
			list.Content = append(list.Content, manifest.Text(text))
		}
		return list
	case map[string]string:
		if len(v) == 0 {
			return nil
		}
		node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			node.Content = append(node.Content, manifest.Text(key), manifest.Text(v[key]))
		}
		return node
	}
	return nil
}

// elements are the elements of a list.
func elements(node *yaml.Node) []*yaml.Node {
	if node == nil || node.Kind != yaml.SequenceNode {
		return nil
	}
	return node.Content
}

// at is the node of a field of an object, such as "spec.containers[0].args[1]".
func at(node *yaml.Node, path string) *yaml.Node {
	for element := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if index, err := strconv.Atoi(element); err == nil {
			list := elements(node)
			if index >= len(list) {
				return nil
			}
			node = list[index]
			continue
		}
		node = get(node, element)
	}
	return node
}
