// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Written is an object in text form. It costs a fraction of the object and of its nodes, in
// time and in memory.
type Written struct {
	// Item is the object as the only item of a list, as [Bytes] writes the nodes of [Encode].
	Item []byte

	// annotations is the end of the annotations in it, 0 if there are none.
	annotations int
}

// Write returns an object in text form, written without nodes in between. It reports
// false for an object with something that the writer leaves to kyaml, and for one that
// [Encode] refuses.
func Write(object any) (*Written, bool) {
	value, err := structOf(object)
	if err != nil {
		return nil, false
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	w := writer{out: append((*buffer)[:0], '-')}
	written, ok := w.fields(value, position{column: indentWidth, behindDash: true})
	*buffer = w.out
	return &Written{Item: bytes.Clone(w.out), annotations: w.annotations}, written && ok
}

// Document returns the object as a document.
func (t *Written) Document() []byte {
	document := make([]byte, 0, len(t.Item))
	for line := range bytes.Lines(t.Item) {
		if len(line) > indentWidth {
			line = line[indentWidth:]
		}
		document = append(document, line...)
	}
	return document
}

// Annotate adds an annotation behind all others, of which there is none of this key. It
// reports false if the object has none, and for a value that is no line of ASCII.
func (t *Written) Annotate(key, value string) bool {
	if t.annotations == 0 || len(key) > maxKey || !isPlainWord(key) || !isASCII(value) || strings.ContainsAny(value, "\n\t") {
		return false
	}
	const column = 3 * indentWidth // in the annotations, in the metadata, in the item
	w := writer{}
	w.indent(column)
	w.out = append(w.out, key+": "...)
	w.doubleQuoted(value)
	w.out = append(w.out, '\n')
	t.Item = slices.Insert(t.Item, t.annotations, w.out...)
	t.annotations += len(w.out)
	return true
}

// buffers are where objects are written, one after the other: the text of each is copied
// once its length is known.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// position is where a collection begins: behind the dash of a list, or below a key.
type position struct {
	column     int
	behindDash bool
}

// begin goes to where the first entry of a collection stands.
func (w *writer) begin(at position) {
	if at.behindDash {
		w.out = append(w.out, ' ')
		return
	}
	w.out = append(w.out, '\n')
	w.indent(at.column)
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
	fields := fieldsOf(value.Type())
	for i := range fields {
		f := &fields[i]
		content := value.FieldByIndex(f.Index)
		if isLeftOut(f, content) {
			continue
		}
		mark := len(w.out)
		w.entry(at, written)
		w.out = append(w.out, f.text...)
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
		if f.isAnnotations && at.column == 2*indentWidth && isWritten {
			w.annotations = len(w.out)
		}
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
	if texts, ok := value.Interface().(map[string]string); ok {
		for _, key := range slices.Sorted(maps.Keys(texts)) {
			w.entry(at, written)
			written = true
			if !w.keyText(textOf(key)) || !w.line(textOf(texts[key]), at.column+indentWidth) {
				return false, false
			}
		}
		return written, true
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
