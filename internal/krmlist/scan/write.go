// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"io"
)

// Replace returns an item with another object in its place: the comments above
// it, and the object, which is the YAML of a list of one that is not indented.
func (l *List) Replace(item *Item, object []byte) []byte {
	return append(bytes.Clone(item.Text[:item.comments]), l.Indent(object)...)
}

// Indent returns a new item, the YAML of a list of one that is not indented,
// as it must stand among the items.
func (l *List) Indent(object []byte) []byte {
	if l.column <= 0 {
		return object
	}
	var out bytes.Buffer
	for line := range bytes.Lines(object) {
		if len(line) > 1 {
			out.Write(bytes.Repeat([]byte(" "), l.column))
		}
		out.Write(line)
	}
	return out.Bytes()
}

// Write writes the list with these items, each the Text of an item or what
// Replace or Indent returned, and with these results, the YAML of the key and
// its value, where they are not nil. Everything else is copied.
func (l *List) Write(w io.Writer, items [][]byte, results []byte) error {
	out := &joiner{w: w}
	offset := 0
	copyTo := func(end int) {
		out.write(l.text[offset:end])
		offset = end
	}
	replaceResults := func() {
		if l.results.end > l.results.start && results != nil {
			copyTo(l.results.start)
			out.write(results)
			offset, results = l.results.end, nil
		}
	}
	if l.results.start < l.keyLine.start {
		replaceResults()
	}
	copyTo(l.keyLine.start)
	switch {
	case len(items) == 0 && !l.empty:
		out.write([]byte("items: []\n"))
	case len(items) > 0 && l.empty:
		out.write([]byte("items:\n"))
	default:
		out.write(l.keyLine.of(l.text))
	}
	offset = l.keyLine.end
	if !l.empty {
		// What stands above the first item was read with it.
		offset = l.items.end
	}
	for _, item := range items {
		out.write(item)
	}
	replaceResults()
	copyTo(len(l.text))
	out.write(results)
	out.flush()
	return out.err
}

// joiner writes pieces, each of which begins with a line of its own. Those that
// follow each other in memory are written at once.
type joiner struct {
	w       io.Writer
	pending []byte
	err     error
}

func (j *joiner) write(piece []byte) {
	if len(piece) == 0 {
		return
	}
	if n := len(j.pending); n > 0 {
		// One after the other in the same text.
		if cap(j.pending) > n && &j.pending[:n+1][n] == &piece[0] {
			j.pending = j.pending[:n+len(piece)]
			return
		}
		j.flush()
		if j.pending[n-1] != '\n' {
			j.pending = []byte("\n")
			j.flush()
		}
	}
	j.pending = piece
}

// flush writes what is pending. The first error stays in j.err.
func (j *joiner) flush() {
	if j.err == nil {
		_, j.err = j.w.Write(j.pending)
	}
}
