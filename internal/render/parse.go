// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"go.yaml.in/yaml/v3"
)

// Parse reads a value from YAML or JSON, as the values of a PeerJob are read:
// "yes" is a text, and so is a date. An empty text is null.
func Parse(text []byte) (any, error) {
	document, err := Document(text)
	if err != nil {
		return nil, err
	}
	return Value(document)
}

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

// Value is the value of a document, with the types that templates see.
func Value(document *yaml.Node) (any, error) {
	if document.IsZero() {
		return nil, nil
	}
	datesAsText(document)
	var value any
	if err := document.Decode(&value); err != nil {
		return nil, err
	}
	return plain(value)
}

// datesAsText keeps what looks like a date as it was written.
func datesAsText(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!timestamp" {
		node.Tag = "!!str"
	}
	for _, inner := range node.Content {
		datesAsText(inner)
	}
}

// plain returns a value with the types that templates see.
func plain(value any) (any, error) {
	switch value := value.(type) {
	case int:
		return int64(value), nil
	case uint64:
		return float64(value), nil
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return nil, fmt.Errorf("%v is no number that JSON has", value)
		}
	case []any:
		for i := range value {
			var err error
			if value[i], err = plain(value[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for key := range value {
			var err error
			if value[key], err = plain(value[key]); err != nil {
				return nil, err
			}
		}
	case map[any]any:
		for key := range value {
			if _, ok := key.(string); !ok {
				return nil, fmt.Errorf("the key %v is no string; write it in quotes", key)
			}
		}
	}
	return value, nil
}
