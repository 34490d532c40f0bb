// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// Bytes returns a node as a YAML document.
func Bytes(node *yaml.Node) ([]byte, error) {
	return Append(nil, node)
}

// Append appends a node as a YAML document, as kyaml writes it.
//
// What the objects of peerjob are made of is written here: kyaml's writer holds
// every value as an event first, which takes several times as long and as much
// memory. All else (comments, brackets, anchors, tags, text beyond ASCII) is
// left to kyaml. FuzzAppend holds both to the same bytes.
func Append(to []byte, node *yaml.Node) ([]byte, error) {
	w := writer{out: to}
	if w.node(node, 0) {
		return w.out, nil
	}
	out := bytes.NewBuffer(to)
	encoder := kyaml.NewEncoder(out)
	if err := encoder.Encode(node); err != nil {
		return nil, err
	}
	if err := encoder.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

const (
	// indentWidth is how far a map in a map is indented.
	indentWidth = 2
	// maxKey is the length, in bytes, above which a key is written in another way.
	maxKey = 128
	// maxColumn bounds maps in maps.
	maxColumn = 200
)

// writer writes nodes in block style. Its methods report false for what it
// leaves to kyaml.
type writer struct {
	out []byte
	// annotations is the end of the annotations of a typed object.
	annotations int
}

// node writes a collection whose first line begins here, in a column.
func (w *writer) node(node *yaml.Node, column int) bool {
	if !isPlain(node) || node.Style != 0 || len(node.Content) == 0 || column > maxColumn {
		return false
	}
	switch {
	case node.Kind == yaml.MappingNode && (node.Tag == "!!map" || node.Tag == ""):
		for i := 0; i+1 < len(node.Content); i += 2 {
			if i > 0 {
				w.indent(column)
			}
			if !w.key(node.Content[i]) || !w.value(node.Content[i+1], column) {
				return false
			}
		}
		return true
	case node.Kind == yaml.SequenceNode && (node.Tag == "!!seq" || node.Tag == ""):
		for i, element := range node.Content {
			if i > 0 {
				w.indent(column)
			}
			w.out = append(w.out, '-')
			if !w.element(element, column) {
				return false
			}
		}
		return true
	}
	return false
}

// isPlain reports whether a node has nothing around its value.
func isPlain(node *yaml.Node) bool {
	return node.Anchor == "" && node.HeadComment == "" && node.LineComment == "" && node.FootComment == ""
}

func (w *writer) indent(column int) {
	for range column {
		w.out = append(w.out, ' ')
	}
}

func (w *writer) key(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && isPlain(key) && w.keyText(text{key.Tag, key.Value, key.Style})
}

func (w *writer) keyText(key text) bool {
	if len(key.value) > maxKey || strings.Contains(key.value, "\n") || !w.text(key, 0) {
		return false
	}
	w.out = append(w.out, ':')
	return true
}

// value writes the value of a key that stands in a column.
func (w *writer) value(value *yaml.Node, column int) bool {
	if value.Kind == yaml.ScalarNode || isEmptyCollection(value) {
		return w.inline(value, column+indentWidth)
	}
	w.out = append(w.out, '\n')
	if value.Kind == yaml.MappingNode {
		column += indentWidth
	}
	w.indent(column)
	return w.node(value, column)
}

// element writes an element of a list whose dash stands in a column.
func (w *writer) element(element *yaml.Node, column int) bool {
	if element.Kind == yaml.ScalarNode || isEmptyCollection(element) {
		return w.inline(element, column+indentWidth)
	}
	w.out = append(w.out, ' ')
	return w.node(element, column+indentWidth)
}

func isEmptyCollection(node *yaml.Node) bool {
	return len(node.Content) == 0 && (node.Kind == yaml.MappingNode || node.Kind == yaml.SequenceNode)
}

// inline writes the rest of a line: a single value, of which a block of text
// begins in a column, or a collection of nothing.
func (w *writer) inline(node *yaml.Node, column int) bool {
	w.out = append(w.out, ' ')
	switch {
	case node.Kind == yaml.ScalarNode:
		if !isPlain(node) || !w.text(text{node.Tag, node.Value, node.Style}, column) {
			return false
		}
	case !isPlain(node) || node.Style != 0:
		return false
	case node.Kind == yaml.MappingNode && (node.Tag == "!!map" || node.Tag == ""):
		w.out = append(w.out, "{}"...)
	case node.Kind == yaml.SequenceNode && (node.Tag == "!!seq" || node.Tag == ""):
		w.out = append(w.out, "[]"...)
	default:
		return false
	}
	w.out = append(w.out, '\n')
	return true
}

// text writes a single value, without the line end behind it.
func (w *writer) text(t text, column int) bool {
	value := t.value
	if t.style == 0 && t.tag == "!!str" && isPlainWord(value) {
		w.out = append(w.out, value...)
		return true
	}
	if !isASCII(value) {
		return false
	}
	isString := t.tag == "!!str"
	switch {
	case t.style == yaml.LiteralStyle, t.style == 0 && strings.Contains(value, "\n"):
		return isString && w.block(value, column)
	case strings.ContainsAny(value, "\n\t"):
		return false
	case t.style == yaml.DoubleQuotedStyle && isString:
		w.doubleQuoted(value)
	case t.style == yaml.SingleQuotedStyle && isString:
		w.singleQuoted(value)
	case t.style != 0:
		return false
	case isString && !isSurelyText(value) && tagOf(value) != "!!str":
		w.doubleQuoted(value)
	case !isString && tagOf(value) != t.tag || value == "":
		return false
	case isPlainText(value):
		w.out = append(w.out, value...)
	default:
		w.singleQuoted(value)
	}
	return true
}

// tagOf is the tag that YAML reads in a plain value.
func tagOf(value string) string {
	return (&yaml.Node{Kind: yaml.ScalarNode, Value: value}).ShortTag()
}

// isASCII reports whether a text is printable ASCII, line feeds and tabs.
func isASCII(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < ' ' || c > '~') && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// isPlainText reports whether a printable text can stand without quotes.
func isPlainText(text string) bool {
	if strings.ContainsAny(text[:1], "#,[]{}&*!|>'\"%@` ") || strings.HasSuffix(text, " ") || strings.HasSuffix(text, ":") ||
		strings.HasPrefix(text, "---") || strings.HasPrefix(text, "...") {
		return false
	}
	if strings.ContainsAny(text[:1], "?:-") && (len(text) == 1 || text[1] == ' ') {
		return false
	}
	return !strings.Contains(text, ": ") && !strings.Contains(text, " #")
}

func (w *writer) doubleQuoted(text string) {
	w.out = append(w.out, '"')
	for i := range len(text) {
		if text[i] == '"' || text[i] == '\\' {
			w.out = append(w.out, '\\')
		}
		w.out = append(w.out, text[i])
	}
	w.out = append(w.out, '"')
}

func (w *writer) singleQuoted(text string) {
	w.out = append(w.out, '\'')
	for i := range len(text) {
		if text[i] == '\'' {
			w.out = append(w.out, '\'')
		}
		w.out = append(w.out, text[i])
	}
	w.out = append(w.out, '\'')
}

// block writes text of several lines as a block that begins in a column.
func (w *writer) block(text string, column int) bool {
	if text == "" || column == 0 || strings.ContainsAny(text[:1], " \n") || strings.HasSuffix(text, " ") ||
		strings.HasSuffix(text, "\n\n") || strings.Contains(text, " \n") {
		return false
	}
	w.out = append(w.out, '|')
	body, ended := strings.CutSuffix(text, "\n")
	if !ended {
		w.out = append(w.out, '-')
	}
	for line := range strings.SplitSeq(body, "\n") {
		w.out = append(w.out, '\n')
		if line != "" {
			w.indent(column)
			w.out = append(w.out, line...)
		}
	}
	return true
}
