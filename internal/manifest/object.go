// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"fmt"
	"reflect"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Object returns a typed object as a YAML document: what [Encode] and [Bytes] make of it.
func Object(object any) ([]byte, error) { return write(object, false) }

// Item is [Object] as the only item of a list.
func Item(object any) ([]byte, error) { return write(object, true) }

// write writes an object without nodes in between, which are most of what it costs to
// encode one. An object with something that the writer leaves to kyaml goes by nodes.
func write(object any, isItem bool) ([]byte, error) {
	value, err := structOf(object)
	if err != nil {
		return nil, err
	}
	w := writer{out: make([]byte, 0, usualSize)}
	at := position{firstLine: true}
	if isItem {
		w.out = append(w.out, '-')
		at = position{column: indentWidth, behindDash: true}
	}
	if isWritten, ok := w.fields(value, at); ok && isWritten {
		return w.out, nil
	}
	node, err := encode(value)
	if err != nil {
		return nil, err
	}
	if isItem {
		node = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{node}}
	}
	return Bytes(node)
}

// usualSize is room for most objects, in bytes.
const usualSize = 2 << 10

// position is where a collection begins: at the beginning of the text, behind the dash of
// a list, or below a key.
type position struct {
	column     int
	firstLine  bool
	behindDash bool
}

// begin goes to where the first entry of a collection stands.
func (w *writer) begin(at position) {
	switch {
	case at.firstLine:
	case at.behindDash:
		w.out = append(w.out, ' ')
	default:
		w.out = append(w.out, '\n')
		w.indent(at.column)
	}
}

// entry goes to where the next entry of a collection stands, of which some are written.
func (w *writer) entry(at position, written bool) {
	if !written {
		w.begin(at)
		return
	}
	w.indent(at.column)
}

// fields writes the fields of a struct. It writes nothing of one without any, and reports
// whether it has written something; ok is false for what is left to kyaml.
func (w *writer) fields(value reflect.Value, at position) (written, ok bool) {
	if at.column > maxColumn {
		return false, false
	}
	for _, f := range fieldsOf(value.Type()) {
		content := value.FieldByIndex(f.Index)
		if isLeftOut(f, content) {
			continue
		}
		mark := len(w.out)
		w.entry(at, written)
		if !w.key(f.key) {
			return false, false
		}
		isWritten, ok := w.typed(content, at.column, false)
		if !ok {
			return false, false
		}
		if !isWritten && content.Kind() == reflect.Struct {
			w.out = w.out[:mark]
			continue
		}
		if !isWritten {
			w.out = append(w.out, " {}\n"...)
		}
		written = true
	}
	return written, true
}

// typed writes a value below a key in a column, or behind a dash. It writes nothing of a
// struct without fields, and then reports that it has written nothing.
func (w *writer) typed(value reflect.Value, column int, behindDash bool) (written, ok bool) {
	if value.CanInterface() && writesItself(value.Type()) {
		node, err := encodeJSON(value)
		return true, err == nil && w.inline(node, column+indentWidth)
	}
	switch value.Kind() {
	case reflect.Pointer:
		if value.IsNil() {
			return true, w.line(text{"!!null", "null", 0}, column+indentWidth)
		}
		return w.typed(value.Elem(), column, behindDash)
	case reflect.Struct:
		return w.fields(value, position{column: column + indentWidth, behindDash: behindDash})
	case reflect.Map:
		return w.entries(value, position{column: column + indentWidth, behindDash: behindDash})
	case reflect.Slice:
		if value.Len() == 0 {
			w.out = append(w.out, " []\n"...)
			return true, true
		}
		if behindDash {
			column += indentWidth
		}
		return true, w.elements(value, position{column: column, behindDash: behindDash})
	case reflect.String:
		return true, w.line(textOf(value.String()), column+indentWidth)
	case reflect.Bool:
		return true, w.line(text{"!!bool", strconv.FormatBool(value.Bool()), 0}, column+indentWidth)
	case reflect.Int32, reflect.Int64:
		w.out = append(w.out, ' ')
		w.out = append(strconv.AppendInt(w.out, value.Int(), 10), '\n')
		return true, true
	}
	return false, false // encode says why
}

// entries writes the entries of a map, and nothing of an empty one.
func (w *writer) entries(value reflect.Value, at position) (written, ok bool) {
	if at.column > maxColumn {
		return false, false
	}
	for _, key := range sortedKeys(value) {
		w.entry(at, written)
		written = true
		if !w.keyText(textOf(key.String())) || !w.whole(value.MapIndex(key), at.column, false) {
			return false, false
		}
	}
	return written, true
}

// elements writes the elements of a list, which has some.
func (w *writer) elements(value reflect.Value, at position) bool {
	if at.column > maxColumn {
		return false
	}
	for i := range value.Len() {
		w.entry(at, i > 0)
		w.out = append(w.out, '-')
		if !w.whole(value.Index(i), at.column, true) {
			return false
		}
	}
	return true
}

// whole writes a value that is written even if it has nothing in it.
func (w *writer) whole(value reflect.Value, column int, behindDash bool) bool {
	written, ok := w.typed(value, column, behindDash)
	if ok && !written {
		w.out = append(w.out, " {}\n"...)
	}
	return ok
}

// line writes a single value as the rest of a line. A block of text begins in a column.
func (w *writer) line(value text, column int) bool {
	w.out = append(w.out, ' ')
	if !w.text(value, column) {
		return false
	}
	w.out = append(w.out, '\n')
	return true
}

// structOf returns the struct that an object is.
func structOf(object any) (reflect.Value, error) {
	value := reflect.ValueOf(object)
	if value.Kind() != reflect.Pointer || value.IsNil() || value.Elem().Kind() != reflect.Struct {
		return value, fmt.Errorf("encode %T: must be a pointer to a struct", object)
	}
	return value.Elem(), nil
}
