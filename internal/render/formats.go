// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/internal/lazyregexp"
)

func priceJSON(r *Renderer, args []any) (int, error) {
	value, err := r.budget.measure(args[0])
	// A byte may become "\u0001", and is copied as the text grows.
	return plus(times(value.bytes, 34), times(value.elements, 2*entryPrice)), err
}

func pricePrettyJSON(r *Renderer, args []any) (int, error) {
	value, err := r.budget.measure(args[0])
	indents := times(value.elements, 2*value.levels)
	return plus(times(value.bytes, 52), times(value.elements, 3*entryPrice), times(indents, 6)), err
}

func toJSON(_ *Renderer, args []any) (any, error) {
	encoded, err := appendJSON(nil, args[0], json.Marshal)
	return string(encoded), err
}

func toPrettyJSON(_ *Renderer, args []any) (any, error) {
	encoded, err := appendJSON(nil, args[0], json.Marshal)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, encoded, "", "  ")
	return out.String(), err
}

// appendJSON adds a value to a text in JSON, as encoding/json writes it. The function
// encodes a single value.
func appendJSON(out []byte, value any, encode func(any) ([]byte, error)) ([]byte, error) {
	switch value := value.(type) {
	case []any:
		if value == nil {
			return append(out, "null"...), nil
		}
	case map[string]any:
		out = append(out, '{')
		for i, key := range sortedKeys(value) {
			if i > 0 {
				out = append(out, ',')
			}
			var err error
			if out, err = appendEntry(out, key, value[key], encode); err != nil {
				return nil, err
			}
		}
		return append(out, '}'), nil
	case Object:
		out = append(out, '{')
		first := true
		for _, name := range value.Fields() {
			inner, err := value.Field(name)
			if err != nil {
				continue // it has none here
			}
			if !first {
				out = append(out, ',')
			}
			first = false
			if out, err = appendEntry(out, name, inner, encode); err != nil {
				return nil, err
			}
		}
		return append(out, '}'), nil
	}
	if list, ok := listOf(value); ok {
		out = append(out, '[')
		for i := range list.Len() {
			if i > 0 {
				out = append(out, ',')
			}
			var err error
			if out, err = appendJSON(out, list.At(i), encode); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	}
	encoded, err := encode(value)
	return append(out, encoded...), err
}

func appendEntry(out []byte, key string, value any, encode func(any) ([]byte, error)) ([]byte, error) {
	encoded, err := encode(key)
	if err != nil {
		return nil, err
	}
	return appendJSON(append(append(out, encoded...), ':'), value, encode)
}

func toRawJSON(_ *Renderer, args []any) (any, error) {
	encoded, err := appendJSON(nil, args[0], func(value any) ([]byte, error) {
		if text, ok := value.(string); !ok || !strings.ContainsAny(text, "<>&") {
			return json.Marshal(value)
		}
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		err := encoder.Encode(value)
		return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
	})
	return string(encoded), err
}

// encoderPrice is the price of an encoder or a parser of YAML, eventPrice of what an
// encoder writes one by one, which it keeps to the end, and structurePrice of a
// character that may begin a list, a map or an element of them.
const encoderPrice, eventPrice, structurePrice = 32_000, 1_300, 600

func priceYAML(r *Renderer, args []any) (int, error) {
	value, err := r.budget.measure(args[0])
	indents := times(value.elements, 2*value.levels)
	return plus(encoderPrice, times(value.bytes, 40), times(value.elements+value.marks, eventPrice), times(indents, 4)), err
}

func toYAML(_ *Renderer, args []any) (any, error) {
	node, err := nodeOf(args[0])
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	if err := encoder.Encode(node); err != nil {
		return nil, err
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// nodeOf is a value as YAML.
func nodeOf(value any) (*yaml.Node, error) {
	switch value := value.(type) {
	case []any:
		if value == nil {
			return nodeOf(nil)
		}
	case map[string]any:
		node := &yaml.Node{Kind: yaml.MappingNode}
		for _, key := range sortedKeys(value) {
			if err := addEntry(node, key, value[key]); err != nil {
				return nil, err
			}
		}
		return node, nil
	case Object:
		node := &yaml.Node{Kind: yaml.MappingNode}
		for _, name := range value.Fields() {
			if inner, err := value.Field(name); err == nil {
				if err := addEntry(node, name, inner); err != nil {
					return nil, err
				}
			}
		}
		return node, nil
	case float64:
		// As in JSON: no exponent where it is readable without.
		encoded, err := json.Marshal(value)
		return &yaml.Node{Kind: yaml.ScalarNode, Value: string(encoded)}, err
	}
	if list, ok := listOf(value); ok {
		node := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range list.Len() {
			inner, err := nodeOf(list.At(i))
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, inner)
		}
		return node, nil
	}
	text, err := show(value)
	switch value := value.(type) {
	case nil:
		text, err = "null", nil
	case string:
		return textNode(value), nil
	case Number:
		text = value.text
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: text}, err
}

func addEntry(node *yaml.Node, key string, value any) error {
	inner, err := nodeOf(value)
	node.Content = append(node.Content, textNode(key), inner)
	return err
}

// textNode is a text in YAML, in quotes where a parser of YAML 1.1 would read
// something else.
func textNode(text string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	switch text {
	case "y", "Y", "n", "N", "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF":
		node.Style = yaml.DoubleQuotedStyle
	}
	if len(text) < maxDigits && strings.Contains(text, ":") && sexagesimal.MatchString(text) {
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}

// sexagesimal matches what YAML 1.1 reads as a number with the base 60.
var sexagesimal = lazyregexp.New(`^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)

func priceFromYAML(_ *Renderer, args []any) (int, error) {
	text, structure := args[0].(string), 0
	for i := range len(text) {
		switch text[i] {
		case '[', '{', ',', ':', '-', '?', '&', '*', '!':
			structure++
		}
	}
	return plus(encoderPrice, times(len(text), 300), times(structure, structurePrice)), nil
}

func fromYAML(_ *Renderer, args []any) (any, error) {
	document, err := Document([]byte(args[0].(string)))
	if err != nil {
		return nil, err
	}
	value, err := Value(document)
	if err != nil {
		return nil, err
	}
	return value, CheckWords(document)
}

func fromJSON(_ *Renderer, args []any) (any, error) {
	value, rest, err := ParseJSON(args[0].(string))
	if err == nil && strings.TrimSpace(rest) != "" {
		err = errors.New("there is more after the value")
	}
	return value, err
}

// ParseJSON reads the JSON value that a text begins with, as the values of a PeerJob
// are read, and returns the rest of the text.
func ParseJSON(text string) (value any, rest string, err error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	value, err = jsonValue(decoder, 1)
	switch {
	case errors.Is(err, io.EOF) && strings.TrimSpace(text) == "":
		err = errors.New("is no JSON, but empty")
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, "", err
	}
	return value, text[decoder.InputOffset():], nil
}

func jsonValue(decoder *json.Decoder, level int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(token.String(), 10, 64); err == nil {
			return written(token.String(), n), nil
		}
		f, err := token.Float64()
		return written(token.String(), f), err
	case json.Delim:
		if level > maxLevels {
			return nil, errTooDeep
		}
		var all any
		if token == '[' {
			all, err = jsonList(decoder, level+1)
		} else {
			all, err = jsonDict(decoder, level+1)
		}
		if err == nil {
			_, err = decoder.Token() // the end
		}
		return all, err
	}
	return token, nil
}

func jsonList(decoder *json.Decoder, level int) (any, error) {
	list := []any{}
	for decoder.More() {
		element, err := jsonValue(decoder, level)
		if err != nil {
			return nil, err
		}
		list = append(list, element)
	}
	return list, nil
}

func jsonDict(decoder *json.Decoder, level int) (any, error) {
	dict := map[string]any{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		key := token.(string) // the decoder takes nothing else
		if _, found := dict[key]; found {
			return nil, fmt.Errorf("duplicate key %q; keep one", excerpt(key, 0))
		}
		if dict[key], err = jsonValue(decoder, level); err != nil {
			return nil, err
		}
	}
	return dict, nil
}

func fromBase64(_ *Renderer, args []any) (any, error) {
	decoded, err := base64.StdEncoding.DecodeString(args[0].(string))
	return string(decoded), err
}
