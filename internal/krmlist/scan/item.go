// SPDX-License-Identifier: Apache-2.0

package scan

import "bytes"

// maxDepth bounds collections in collections.
const maxDepth = 64

// field is a place in an object that tells which object it is.
type field uint8

const (
	anyField field = iota
	wholeObject
	apiVersion
	kind
	metadata
	name
	namespace
	annotations
	oneAnnotation
)

// level is a block collection that is still open.
type level struct {
	column int
	isList bool
	// of is the field whose value the collection is.
	of field
}

// scanner follows the lines of one item.
type scanner struct {
	item *Item
	// wanted says which annotations to keep.
	wanted func(key string) bool
	// names are texts that were met before: most items share them.
	names map[string]string

	// levels are the open collections, the list of items first.
	levels []level
	// pending says that the line before ended with a key or a dash without a
	// value, which the next line may bring; pendingField is what it is.
	pending      bool
	pendingField field
	// seen are the fields that were read, as bits: none may come again.
	seen uint
	// end is where the last line ends that is neither empty nor a comment.
	end int
	block
}

// scan reads the lines of an item whose dash stands in a column. It reports
// whether it is sure of every one.
func (s *scanner) scan(text []byte, column int) bool {
	return s.follow(text, level{column: column, isList: true})
}

// follow reads the lines of a text within the collections that are open.
func (s *scanner) follow(text []byte, open ...level) bool {
	s.levels = append(s.levels[:0], open...)
	s.pending, s.seen, s.block, s.end = false, 0, block{}, 0
	found := oddClassesOf(text)
	if found&isControl != 0 || found&isHigh != 0 && !isUnicode(text) {
		return false
	}
	for rest := text; len(rest) > 0; {
		var line []byte
		line, rest = nextLine(rest)
		if found&isReturn != 0 && bytes.IndexByte(line, '\r') >= 0 {
			return false
		}
		hasContent, ok := s.line(line, found&isTab != 0)
		if !ok {
			return false
		}
		if hasContent {
			s.end = len(text) - len(rest)
		}
	}
	for len(s.levels) > 0 {
		s.pop()
	}
	s.item.hasAnnotations = s.seen&(1<<annotations) != 0
	return s.endBlock()
}

// line reads one line, and says whether it is neither empty nor a comment.
func (s *scanner) line(line []byte, mayHaveTab bool) (hasContent, ok bool) {
	column := indentation(line)
	if s.isOpen {
		if isText, ok := s.blockLine(line, column); isText || !ok {
			// Spaces to the right of where the text begins are text.
			return column < len(line) || s.keepsEnd || s.column > 0 && column > s.column, ok
		}
		if !s.endBlock() {
			return false, false
		}
	}
	if isBlank(line, column) {
		return false, true
	}
	if mayHaveTab && bytes.IndexByte(line, '\t') >= 0 {
		return false, false
	}
	return true, s.settle(line, column) && s.entry(line, column)
}

func (s *scanner) top() *level { return &s.levels[len(s.levels)-1] }

func (s *scanner) pop() {
	s.keepGap(s.top())
	s.levels = s.levels[:len(s.levels)-1]
	s.pending = false
}

// settle closes the collections that end before a line. What remains is the
// collection that the line continues, or the one that it brings a value for.
func (s *scanner) settle(line []byte, column int) bool {
	for s.top().column > column {
		if s.pop(); len(s.levels) == 0 {
			return false
		}
	}
	top, dash := s.top(), isDash(line, column)
	switch {
	case column > top.column:
		return s.pending
	case dash == top.isList:
		s.pending = false
		return true
	case dash:
		// A list may stand in the column of its key.
		return s.pending
	}
	// Such a list ends.
	s.pop()
	return len(s.levels) > 1 && s.top().column == column && !s.top().isList
}

// isDash reports whether an entry of a list begins in a column.
func isDash(line []byte, column int) bool {
	return line[column] == '-' && (column+1 == len(line) || line[column+1] == ' ')
}

// open opens the collection that begins in a column, unless it is open.
func (s *scanner) open(column int, isList bool) bool {
	if top := s.top(); top.isList == isList && top.column == column {
		return true
	}
	opened := level{column: column, isList: isList}
	if !isList {
		opened.of = s.pendingField
	}
	s.pending, s.pendingField = false, anyField
	s.levels = append(s.levels, opened)
	return len(s.levels) < maxDepth
}

// await says that the value of a field may stand in the next line.
func (s *scanner) await(f field) bool {
	s.pending, s.pendingField = true, f
	return true
}

// entry reads what begins in a column of a line and ends with it: dashes, and
// then a key, a value or both.
func (s *scanner) entry(line []byte, column int) bool {
	parent, of := -1, anyField
	for isDash(line, column) {
		if !s.open(column, true) {
			return false
		}
		if of = anyField; len(s.levels) == 1 {
			of = wholeObject
		}
		s.await(of)
		parent = column
		if column = skipSpaces(line, column+1); isBlank(line, column) {
			return true
		}
	}
	colon, key := readKey(line, column)
	if colon == 0 {
		s.pending = false
		return parent >= 0 && s.value(line, column, parent, of, nil)
	}
	if !s.open(column, false) {
		return false
	}
	s.pending = false
	of, ok := s.fieldOf(key)
	if !ok {
		return false
	}
	start := skipSpaces(line, colon+1)
	if isBlank(line, start) {
		s.set(of, key, nil)
		return s.await(of)
	}
	return s.value(line, start, column, of, key)
}

// fieldOf says which field a key of the innermost map is, and whether that is
// sure: a key in an object may not stand twice, and must be legible.
func (s *scanner) fieldOf(key []byte) (field, bool) {
	of := anyField
	switch s.top().of {
	case wholeObject:
		switch string(key) {
		case "apiVersion":
			of = apiVersion
		case "kind":
			of = kind
		case "metadata":
			of = metadata
		}
	case metadata:
		switch string(key) {
		case "name":
			of = name
		case "namespace":
			of = namespace
		case "annotations":
			of = annotations
		}
	case annotations:
		return oneAnnotation, key != nil
	default:
		return anyField, true
	}
	if key == nil || of != anyField && s.seen&(1<<of) != 0 {
		return of, false
	}
	s.seen |= 1 << of
	return of, true
}

// value reads the value that begins in a column of a line. The block of text
// that it may be must be to the right of its parent.
func (s *scanner) value(line []byte, column, parent int, of field, key []byte) bool {
	if c := line[column]; c == '|' || c == '>' {
		if of >= apiVersion && of != oneAnnotation {
			return false
		}
		return s.beginBlock(line, column, parent, of == oneAnnotation && s.wanted(s.intern(key)), key)
	}
	v, ok := readValue(line, column)
	if !ok {
		return false
	}
	switch of {
	case wholeObject, metadata, annotations:
		// What brackets hold is not looked into.
		return !v.isFlow || v.isEmpty
	case apiVersion, kind, name, namespace, oneAnnotation:
		if !v.known {
			return false
		}
		s.set(of, key, v.text)
	}
	return true
}

// set keeps the value of a field.
func (s *scanner) set(of field, key, text []byte) {
	switch of {
	case apiVersion:
		s.item.APIVersion = s.intern(text)
	case kind:
		s.item.Kind = s.intern(text)
	case name:
		s.item.Name = string(text)
	case namespace:
		s.item.Namespace = s.intern(text)
	case oneAnnotation:
		if !s.wanted(s.intern(key)) {
			return
		}
		if s.item.Annotations == nil {
			s.item.Annotations = map[string]string{}
		}
		s.item.Annotations[s.intern(key)] = string(text)
	}
}

// intern returns a text as a string, the same one for the same text.
func (s *scanner) intern(text []byte) string {
	if known, found := s.names[string(text)]; found {
		return known
	}
	known := string(text)
	s.names[known] = known
	return known
}
