// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/internal/yamlnode"
)

// maxRepeated is how many values the aliases and merge keys of a text may stand
// for, beside those that are written.
const maxRepeated = 10_000

// Document reads the one document of a text, an empty node for an empty text.
func Document(text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	document := &yaml.Node{}
	if err := decoder.Decode(document); errors.Is(err, io.EOF) {
		return document, nil
	} else if err != nil {
		return nil, err
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("holds more than one document")
	}
	return document, nil
}

// Value is the value of a node, with the types that templates see. A key stands
// once in a map.
func Value(node *yaml.Node) (any, error) {
	if node == nil || node.IsZero() {
		return nil, nil
	}
	return (&reader{}).value(node, 1)
}

// CheckWords refuses words that readers of YAML take for different things. For Helm,
// "n: 5" is the value of "false", and "tls: no" is false; a condition would take the
// text "no" for true.
func CheckWords(node *yaml.Node) error {
	for i, inner := range node.Content {
		isKey := node.Kind == yaml.MappingNode && i%2 == 0
		switch {
		case isKey && inner.Kind == yaml.ScalarNode && inner.ShortTag() != "!!merge" && !yamlnode.IsPlainKey(inner):
			return fmt.Errorf("line %d: %s: a key must be a string; write %q, with the quotes", inner.Line, inner.Value, inner.Value)
		case !isKey && yamlnode.IsOldWord(inner):
			return fmt.Errorf("line %d: %s: Helm reads this word as %t; write %[3]t, or %[2]q with the quotes", inner.Line, inner.Value, yamlnode.MeansTrue(inner))
		}
		if err := CheckWords(inner); err != nil {
			return err
		}
	}
	return nil
}

// reader makes values of nodes.
type reader struct {
	// aliases is how many aliases the node that is read stands in.
	aliases int
	// repeated is how many values were made of nodes in aliases.
	repeated int
}

func (r *reader) value(node *yaml.Node, level int) (any, error) {
	if level > maxLevels {
		return nil, fmt.Errorf("line %d: %w", node.Line, errTooDeep)
	}
	if r.aliases > 0 {
		if r.repeated++; r.repeated > maxRepeated {
			return nil, tooLarge(fmt.Sprintf("line %d: the aliases expand to more than %d values", node.Line, maxRepeated))
		}
	}
	switch node.Kind {
	case yaml.DocumentNode:
		return r.value(node.Content[0], level)
	case yaml.AliasNode:
		r.aliases++
		defer func() { r.aliases-- }()
		return r.value(node.Alias, level+1)
	case yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, element := range node.Content {
			var err error
			if list[i], err = r.value(element, level+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case yaml.MappingNode:
		return r.dict(node, level)
	}
	return scalar(node)
}

func (r *reader) dict(node *yaml.Node, level int) (any, error) {
	dict := make(map[string]any, len(node.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge":
			merged = append(merged, value)
			continue
		case key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" && key.ShortTag() != "!!timestamp":
			return nil, fmt.Errorf("line %d: the key %s is no string; write it in quotes", key.Line, excerpt(key.Value, 0))
		}
		if _, found := dict[key.Value]; found {
			return nil, fmt.Errorf("line %d: duplicate key %q; keep one", key.Line, excerpt(key.Value, 0))
		}
		inner, err := r.value(value, level+1)
		if err != nil {
			return nil, err
		}
		dict[key.Value] = inner
	}
	for _, value := range merged {
		if err := r.merge(dict, value, level+1); err != nil {
			return nil, err
		}
	}
	return dict, nil
}

// merge adds to a map what a merge key "<<" gives: one map, or a list of them, of
// which the first that has a key wins.
func (r *reader) merge(dict map[string]any, node *yaml.Node, level int) error {
	sources := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		sources = node.Content
	}
	for _, source := range sources {
		value, err := r.value(source, level)
		if err != nil {
			return err
		}
		inner, ok := value.(map[string]any)
		if !ok {
			return fmt.Errorf(`line %d: "<<" takes a map, or a list of maps`, source.Line)
		}
		for key, element := range inner {
			if _, found := dict[key]; !found {
				dict[key] = element
			}
		}
	}
	return nil
}

// scalar is the value of a single node.
func scalar(node *yaml.Node) (any, error) {
	switch node.ShortTag() {
	case "!!str", "!!timestamp":
		return node.Value, nil
	case "!!null":
		return nil, nil
	}
	var value any
	if err := node.Decode(&value); err != nil {
		return nil, err
	}
	switch number := value.(type) {
	case int:
		value = written(node.Value, int64(number))
	case int64:
		value = written(node.Value, number)
	case uint64:
		value = written(node.Value, float64(number))
	case float64:
		if math.IsNaN(number) || math.IsInf(number, 0) {
			return nil, fmt.Errorf("line %d: %s is no number that JSON has", node.Line, node.Value)
		}
		value = written(node.Value, number)
	}
	return value, nil
}

// written is a number, with what was written where Go writes another text.
func written(text string, value any) any {
	usual := ""
	switch value := value.(type) {
	case int64:
		usual = strconv.FormatInt(value, 10)
	case float64:
		usual, _ = showFloat(value)
	}
	if text == usual {
		return value
	}
	return Number{text, value}
}
