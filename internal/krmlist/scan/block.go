// SPDX-License-Identifier: Apache-2.0

package scan

import "bytes"

// block is a block of text, "|" or ">", of which lines are read.
type block struct {
	isOpen bool
	// endsInBlock says that the last block was open at the end of the item.
	endsInBlock bool
	// parent is the column that the text must be to the right of, and column
	// the one where it begins, 0 before its first line.
	parent, column int
	// blankWidth is the most spaces in the empty lines before the first line.
	blankWidth int
	// keepsEnd says that the empty lines at its end are part of it.
	keepsEnd bool
	// key is the annotation that the text is the value of, nil when nobody
	// wants it.
	key  []byte
	text []byte
}

// beginBlock reads the head of a block of text.
func (s *scanner) beginBlock(line []byte, column, parent int, wanted bool, key []byte) bool {
	end := column + 1
	if end < len(line) && (line[end] == '-' || line[end] == '+') {
		end++
	}
	if !endsAt(line, end) {
		return false // a number says how far the text is indented
	}
	s.block = block{isOpen: true, parent: parent, keepsEnd: line[end-1] == '+'}
	if wanted {
		s.key = key
		return line[column] == '|' && end == column+1
	}
	return true
}

// blockLine reads a line that may belong to the block. Where it does not, it
// is the first one behind it.
func (s *scanner) blockLine(line []byte, column int) (isText, ok bool) {
	isEmpty := column == len(line)
	switch {
	case isEmpty && s.column == 0:
		s.blankWidth = max(s.blankWidth, column)
	case isEmpty:
	case s.column == 0 && column > s.parent:
		// YAML takes the widest empty line for the column.
		if s.blankWidth > column || line[column] == '\t' {
			return false, false
		}
		s.column = column
	case column < s.column || s.column == 0:
		return false, line[column] != '\t'
	}
	if s.key != nil {
		if s.column > 0 {
			s.text = append(s.text, line[min(s.column, len(line)):]...)
		}
		s.text = append(s.text, '\n')
	}
	return true, true
}

// endBlock ends the block.
func (s *scanner) endBlock() bool {
	sure := !s.isOpen || s.column > 0 || s.blankWidth == 0
	if s.key != nil {
		if s.text = bytes.TrimRight(s.text, "\n"); len(s.text) > 0 {
			s.text = append(s.text, '\n')
		}
		s.set(oneAnnotation, s.key, s.text)
	}
	s.endsInBlock = s.isOpen
	s.isOpen, s.key, s.text = false, nil, nil
	return sure
}
