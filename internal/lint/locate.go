// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/internal/yamlnode"
)

// locate returns the node at which to show what is wrong with a field: its value if that
// is a single one, else its key, or the nearest thing above it that is there. exact is
// whether the field itself is there.
func locate(root *yaml.Node, path string) (shown *yaml.Node, exact bool) {
	node := yamlnode.Resolve(root)
	shown = node
	for path != "" {
		var element string
		element, path = cutElement(path)
		key, value := child(node, element)
		if value == nil {
			return shown, false
		}
		shown = value
		if value.Kind != yaml.ScalarNode && key != nil {
			shown = key
		}
		node = yamlnode.Resolve(value)
	}
	return shown, true
}

// Locate returns the line and the column of a field in the document of an object that
// begins at a line of its file: those of the nearest thing above the field, if that is
// not there.
func Locate(object *yaml.Node, first int, path string) (line, column int) {
	shown, _ := locate(object, path)
	if shown == nil || shown.Line == 0 {
		return first, 1
	}
	return first + shown.Line - 1, shown.Column
}

// at returns the node of a field, nil if it is not there or is shared with another place
// by an anchor.
func (d *document) at(path string) *yaml.Node {
	node := d.root()
	for path != "" && node != nil {
		var element string
		element, path = cutElement(path)
		if node.Kind == yaml.AliasNode || node.Anchor != "" {
			return nil
		}
		_, node = own(node, element)
	}
	if node != nil && (node.Kind == yaml.AliasNode || node.Anchor != "") {
		return nil
	}
	return node
}

// child is the entry of a map or the element of a list, also one that "<<" merges in.
func child(node *yaml.Node, element string) (key, value *yaml.Node) {
	if key, value = own(node, element); value != nil || node == nil {
		return key, value
	}
	if merge := yamlnode.MergeKey(node); merge != nil {
		_, source := own(node, merge.Value)
		if source = yamlnode.Resolve(source); source != nil && source.Kind == yaml.MappingNode {
			return own(source, element)
		}
	}
	return nil, nil
}

// own is the entry that stands in a map itself, or the element of a list.
func own(node *yaml.Node, element string) (key, value *yaml.Node) {
	switch {
	case node == nil:
	case node.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == element {
				return node.Content[i], node.Content[i+1]
			}
		}
	case node.Kind == yaml.SequenceNode:
		if index, err := strconv.Atoi(element); err == nil && index >= 0 && index < len(node.Content) {
			return nil, node.Content[index]
		}
	}
	return nil, nil
}

// duplicateOf returns the second key of a field that is there twice.
func duplicateOf(root *yaml.Node, path string) *yaml.Node {
	parent, last := "", path
	if at := strings.LastIndexAny(path, ".["); at >= 0 {
		parent, last = path[:at], strings.Trim(path[at:], ".[]")
	}
	node := yamlnode.Resolve(root)
	for parent != "" && node != nil {
		var element string
		element, parent = cutElement(parent)
		_, node = child(node, element)
		node = yamlnode.Resolve(node)
	}
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	found := 0
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == last {
			if found++; found == 2 {
				return node.Content[i]
			}
		}
	}
	return nil
}

// cutElement cuts the first element off a path: "a.b" to "a", "[0].b" to "0".
func cutElement(path string) (element, rest string) {
	if strings.HasPrefix(path, "[") {
		element, rest, _ = strings.Cut(path[1:], "]")
		return element, strings.TrimPrefix(rest, ".")
	}
	end := strings.IndexAny(path, ".[")
	if end < 0 {
		return path, ""
	}
	return path[:end], strings.TrimPrefix(path[end:], ".")
}

// plainData are the single values of a map.
func plainData(node *yaml.Node) map[string]string {
	data := map[string]string{}
	yamlnode.EachEntry(node, func(key string, value *yaml.Node) { data[key] = yamlnode.Text(value) })
	return data
}
