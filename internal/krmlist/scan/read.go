// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/internal/yamlnode"
)

// List is a ResourceList as text, and where its parts are.
type List struct {
	// Items are the items, in their order.
	Items []Item
	// FunctionConfig is the functionConfig, nil when there is none.
	FunctionConfig *yaml.Node
	// Results are the results that are there already.
	Results []*yaml.Node

	text []byte
	// items is all of the items, keyLine the line of their key and what is empty
	// below it, and empty says that the line ends in "[]".
	items, keyLine span
	empty          bool
	// column is where the dashes of the items stand.
	column int
	// results is the key "results" and its value; empty where there is none.
	results span
}

// Item is an item of a list, and which object it is. What is missing, or is no
// single value, is empty.
type Item struct {
	// Text is the item, with the comments above it, as it stands in the list.
	Text []byte
	// APIVersion, Kind, Namespace and Name are those of the object.
	APIVersion, Kind, Namespace, Name string
	// Annotations are those that Read was asked for.
	Annotations map[string]string

	// comments is the length of the comments above the item.
	comments int
	// metadata and annotations are where something may be put into them, and
	// hasAnnotations says that there is the key, in whatever form.
	metadata, annotations gap
	hasAnnotations        bool
}

// span is a part of a text.
type span struct{ start, end int }

func (s span) of(text []byte) []byte { return text[s.start:s.end] }

// Read finds the items of a ResourceList, and which annotations of theirs are
// wanted. An error says why the list was declined: not that it is wrong, but
// that it must be parsed. The text may not change while the list is used.
func Read(text []byte, wanted func(key string) bool) (*List, error) {
	sections, err := split(text, keys)
	if err != nil {
		return nil, err
	}
	for _, required := range []string{"apiVersion", "kind", "items"} {
		if _, found := sections[required]; !found {
			return nil, fmt.Errorf("has no %s", required)
		}
	}
	if kind, err := singleLine(sections["kind"].of(text)); err != nil || string(kind) != "ResourceList" {
		return nil, errors.New("kind: is no plain ResourceList")
	}
	if apiVersion, err := singleLine(sections["apiVersion"].of(text)); err != nil || len(apiVersion) == 0 {
		return nil, errors.New("apiVersion: is no plain text")
	}
	for _, last := range []string{"functionConfig", "results"} {
		// What is put behind it would change the text of a block at its end.
		section := sections[last]
		if section.end == len(text) && !bytes.HasSuffix(text, []byte("\n")) && bytes.ContainsAny(section.of(text), "|>") {
			return nil, fmt.Errorf("%s: ends without a line end", last)
		}
	}
	l := &List{text: text, results: sections["results"]}
	config, err := readSection(sections["functionConfig"].of(text))
	if err != nil {
		return nil, fmt.Errorf("functionConfig: %w", err)
	}
	if config = yamlnode.Resolve(config); config != nil && config.ShortTag() != "!!null" {
		l.FunctionConfig = config
	}
	results, err := readSection(l.results.of(text))
	if err != nil {
		return nil, fmt.Errorf("results: %w", err)
	}
	if results != nil && results.Kind == yaml.SequenceNode {
		l.Results = results.Content
	}
	if err := l.readItems(sections["items"], wanted); err != nil {
		return nil, fmt.Errorf("items: %w", err)
	}
	return l, nil
}

// keys are the keys that a ResourceList has.
var keys = []string{"apiVersion", "kind", "items", "functionConfig", "results"}

// split finds where each of the keys of a list and its value begin and end: from its
// line to the line of the next.
func split(text []byte, keys []string) (map[string]span, error) {
	sections := map[string]span{}
	last := ""
	for offset := 0; offset < len(text); {
		line := text[offset:]
		next := len(text)
		if end := bytes.IndexByte(line, '\n'); end >= 0 {
			line, next = line[:end], offset+end+1
		}
		if continues(line) {
			if line = bytes.TrimSuffix(line, []byte("\r")); last == "" && (!isText(line) || !isBlank(line, indentation(line))) {
				return nil, errors.New("begins with something that is no comment")
			}
			offset = next
			continue
		}
		key := keyOf(line, keys)
		if _, found := sections[key]; key == "" || found {
			return nil, fmt.Errorf("offset %d: no key of a list, or one that was there before", offset)
		}
		if previous, found := sections[last]; found {
			sections[last] = span{previous.start, offset}
		}
		sections[key] = span{offset, len(text)}
		last, offset = key, next
	}
	return sections, nil
}

// continues reports whether a line belongs to the key above it: it is empty,
// indented, a comment, or an entry of a list that is not indented.
func continues(line []byte) bool {
	if len(line) == 0 {
		return true
	}
	switch line[0] {
	case ' ', '#', '\r':
		return true
	case '-':
		return len(line) == 1 || line[1] == ' ' || line[1] == '\r'
	}
	return false
}

// keyOf is the one of the keys that a line begins with, "" when there is none.
func keyOf(line []byte, keys []string) string {
	line = bytes.TrimSuffix(line, []byte("\r"))
	for _, key := range keys {
		if rest, found := bytes.CutPrefix(line, []byte(key+":")); found && (len(rest) == 0 || rest[0] == ' ') {
			return key
		}
	}
	return ""
}

// singleLine reads a key whose value is text in its own line.
func singleLine(section []byte) ([]byte, error) {
	line, rest := nextLine(section)
	if !isText(section) || !isComments(rest) || bytes.IndexByte(line, '\t') >= 0 {
		return nil, errors.New("has more than one line")
	}
	colon, _ := readKey(line, 0)
	if start := skipSpaces(line, colon+1); colon > 0 && start < len(line) {
		if v, ok := readValue(line, start); ok && v.known && !v.isFlow {
			return v.text, nil
		}
	}
	return nil, errors.New("is not on its line")
}

// isComments reports whether a text is empty lines and comments.
func isComments(text []byte) bool {
	for len(text) > 0 {
		var line []byte
		if line, text = nextLine(text); !isBlank(line, indentation(line)) {
			return false
		}
	}
	return true
}

// readSection parses a key of the list and returns its value, nil when there
// is no text.
func readSection(section []byte) (*yaml.Node, error) {
	if len(section) == 0 {
		return nil, nil
	}
	if !isText(section) {
		return nil, errors.New("has a line break or a byte that is no text")
	}
	root, err := parse(section)
	if err != nil {
		return nil, err
	}
	if root.Kind != yaml.MappingNode || len(root.Content) != 2 {
		return nil, errors.New("is not one key")
	}
	return root.Content[1], nil
}

// parse parses a text of one YAML document without anchors that reach out of
// it or contain themselves.
func parse(text []byte) (*yaml.Node, error) {
	if root, ok := Nodes(text); ok {
		return root, nil
	}
	return parseAny(text)
}

// parseAny is parse of whatever YAML can be.
func parseAny(text []byte) (*yaml.Node, error) {
	// kyaml reads Windows line ends so, too.
	decoder := yaml.NewDecoder(bytes.NewReader(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))))
	var document, more yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	if decoder.Decode(&more) == nil {
		return nil, errors.New("holds several documents")
	}
	if len(document.Content) != 1 || yamlnode.CheckCycles(&document) != nil {
		return nil, errors.New("is no plain document")
	}
	return document.Content[0], nil
}
