// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// class is what a byte may be, as bits.
type class uint8

const (
	isControl  class = 1 << iota // no text at all for YAML, but for tab and line ends
	isTab                        // allowed only within values and comments
	isReturn                     // a line end before "\n", and a line break elsewhere
	isHigh                       // part of a character beyond ASCII
	isKey                        // may stand anywhere in a plain key
	isKeyStart                   // may begin a plain key, and a plain value
	isStart                      // may begin a plain value
	isFlow                       // may stand in a plain value within brackets
)

var classes = func() (table [256]class) {
	for c := range table {
		switch {
		case c == '\t':
			table[c] = isTab
		case c == '\r':
			table[c] = isReturn
		case c < ' ' && c != '\n' || c == 0x7f:
			table[c] = isControl
		case c >= 0x80:
			table[c] = isHigh
		case 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '.' || c == '/' || c == '$':
			table[c] = isKey | isKeyStart | isStart | isFlow
		}
	}
	for _, c := range "-+~()@" {
		table[c] |= isKey
	}
	for _, c := range "+~()<=;^\\" {
		table[c] |= isStart
	}
	for _, c := range "-+=()@" {
		table[c] |= isFlow
	}
	return table
}()

// is reports whether a byte is of one of the classes.
func is(c byte, wanted class) bool { return classes[c]&wanted != 0 }

// oddClasses are those of the bytes that are not plain ([isPlain]).
const oddClasses = isControl | isTab | isReturn | isHigh

// oddClassesOf are the odd classes of the bytes of a text.
func oddClassesOf(text []byte) class {
	var found class
	for ; len(text) >= 8; text = text[8:] {
		if isPlain(binary.LittleEndian.Uint64(text)) {
			continue
		}
		for _, c := range text[:8] {
			found |= classes[c]
		}
	}
	for _, c := range text {
		found |= classes[c]
	}
	return found & oddClasses
}

// isPlain reports whether each of eight bytes is a character of ASCII that can be seen, a
// space or "\n".
func isPlain(bytes uint64) bool {
	const (
		each = 0x0101010101010101
		low  = 0x7f * each
		high = 0x80 * each
	)
	// A sum of this kind has the high bit of a byte where the byte is not 0, and no sum
	// reaches the next byte.
	notNewline := bytes ^ '\n'*each
	notNewline = (notNewline&low + low) | notNewline
	notDelete := bytes ^ 0x7f*each
	notDelete = notDelete&low + low
	visible := bytes&low + (0x80-' ')*each
	return bytes&high == 0 && (visible&notDelete|^notNewline)&high == high
}

// breaks are the line breaks beyond ASCII, and the mark of UTF-8, which every
// reader takes differently.
var breaks = [][]byte{[]byte("\u0085"), []byte("\u2028"), []byte("\u2029"), []byte("\ufeff")}

// isText reports whether a text holds only characters that YAML allows, and
// "\n" is its only line break but for "\r\n".
func isText(text []byte) bool {
	found := oddClassesOf(text)
	if found&isControl != 0 {
		return false
	}
	if found&isReturn != 0 && bytes.Count(text, []byte("\r")) != bytes.Count(text, []byte("\r\n")) {
		return false
	}
	return found&isHigh == 0 || isUnicode(text)
}

// isUnicode reports whether a text is UTF-8 of characters that YAML allows.
func isUnicode(text []byte) bool {
	for _, b := range breaks {
		if bytes.Contains(text, b) {
			return false
		}
	}
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size <= 1 || 0x80 <= r && r < 0xa0 || r == 0xfffe || r == 0xffff {
			return false
		}
		text = text[size:]
	}
	return true
}

// nextLine returns the line at the head of a text without its line end, and
// the rest of the text.
func nextLine(text []byte) (line, rest []byte) {
	if end := bytes.IndexByte(text, '\n'); end >= 0 {
		return withoutReturn(text[:end]), text[end+1:]
	}
	return withoutReturn(text), nil
}

// withoutReturn is a line without the first half of a Windows line end.
func withoutReturn(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

// indentation is the number of spaces at the head of a line.
func indentation(line []byte) int {
	n := 0
	for n < len(line) && line[n] == ' ' {
		n++
	}
	return n
}

// isBlank reports whether the rest of a line, from a column on, is empty or a
// comment.
func isBlank(line []byte, column int) bool {
	return column >= len(line) || line[column] == '#'
}
