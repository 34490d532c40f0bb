// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"slices"
	"strings"
)

// gap is where a key may be put at the end of a block map: its column, and the
// end of the last line of the map. The column is 0 where there is no such map.
type gap struct{ column, end int }

// keepGap keeps where the maps end that an annotation may be put into.
func (s *scanner) keepGap(l *level) {
	switch l.of {
	case metadata:
		s.item.metadata = gap{l.column, s.end}
	case annotations:
		s.item.annotations = gap{l.column, s.end}
	}
}

// Annotate returns the Text with one more annotation, whose key and value are
// written as they are given. It reports false where there is no sure place for
// it. The item must not have the annotation.
func (i *Item) Annotate(key, value string) ([]byte, bool) {
	at, line := i.annotations, key+": "+value
	if at.column == 0 {
		at = i.metadata
		line = "annotations:\n" + strings.Repeat(" ", at.column+2) + line
	}
	if at.column == 0 || i.hasAnnotations && i.annotations.column == 0 || i.Text[at.end-1] != '\n' {
		return nil, false
	}
	line = strings.Repeat(" ", at.column) + line + "\n"
	if bytes.HasSuffix(i.Text[:at.end], []byte("\r\n")) {
		line = strings.ReplaceAll(line, "\n", "\r\n")
	}
	return slices.Concat(i.Text[:at.end], []byte(line), i.Text[at.end:]), true
}
