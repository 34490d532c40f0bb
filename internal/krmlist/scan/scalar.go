// SPDX-License-Identifier: Apache-2.0

package scan

import "bytes"

const (
	// maxKey is the longest key, in bytes, that is taken; YAML ends at 1,024.
	maxKey = 1000
	// maxFlowDepth bounds brackets in brackets.
	maxFlowDepth = 32
)

// value is a single value or a flow collection on one line.
type value struct {
	// text is the value as yaml/v3 reads it, empty for null and for a collection,
	// and known says that it is.
	text  []byte
	known bool
	// isFlow says that it is a flow collection, and isEmpty that nothing is in
	// it.
	isFlow, isEmpty bool
}

// readValue judges what stands in a line from a column to its end, which is no
// block of text. It reports whether it is one whole value, and nothing but a
// comment behind it.
func readValue(line []byte, column int) (value, bool) {
	switch c := line[column]; {
	case c == '"' || c == '\'':
		end, text, known := readQuoted(line, column)
		return value{text: text, known: known}, end > 0 && endsAt(line, end)
	case c == '{' || c == '[':
		end := readFlow(line, column, 0)
		return value{known: true, isFlow: true, isEmpty: end == column+2}, end > 0 && endsAt(line, end)
	default:
		text, ok := readPlain(line[column:])
		if isNull(text) {
			text = nil
		}
		return value{text: text, known: true}, ok
	}
}

// endsAt reports whether nothing but space and a comment stands in a line from
// a column on.
func endsAt(line []byte, column int) bool {
	rest := line[column:]
	spaces := indentation(rest)
	return spaces == len(rest) || spaces > 0 && rest[spaces] == '#'
}

// isNull reports whether YAML reads a plain value as null.
func isNull(text []byte) bool {
	switch string(text) {
	case "null", "Null", "NULL", "~":
		return true
	}
	return false
}

// readPlain judges a plain value that ends with the line or at a comment.
func readPlain(text []byte) ([]byte, bool) {
	if !is(text[0], isStart|isHigh) && (text[0] != '-' || len(text) < 2 || text[1] == ' ') {
		return nil, false
	}
	for i := bytes.IndexByte(text, ':'); i >= 0; {
		if i+1 == len(text) || text[i+1] == ' ' {
			return nil, false // a key, or an error
		}
		next := bytes.IndexByte(text[i+1:], ':')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	text = withoutComment(text)
	for n := len(text); n > 0 && text[n-1] == ' '; n-- {
		text = text[:n-1]
	}
	return text, true
}

// withoutComment is the rest of a line up to the space before a comment.
func withoutComment(text []byte) []byte {
	for next := 0; ; {
		at := bytes.IndexByte(text[next:], '#')
		if at < 0 {
			return text
		}
		if next += at; next > 0 && text[next-1] == ' ' {
			return text[:next-1]
		}
		next++
	}
}

// readQuoted judges a value in quotes that begins at a column. It returns the
// column behind it, 0 if it does not end in this line, and the text where that
// has no escapes.
func readQuoted(line []byte, column int) (end int, text []byte, known bool) {
	quote := line[column]
	known = true
	for i := column + 1; i < len(line); i++ {
		switch {
		case quote == '\'' && line[i] == quote && i+1 < len(line) && line[i+1] == quote:
			known = false
			i++
		case line[i] == quote:
			return i + 1, line[column+1 : i], known
		case quote == '"' && line[i] == '\\':
			known = false
			length := escapeLength(line[i+1:])
			if length == 0 {
				return 0, nil, false
			}
			i += length
		}
	}
	return 0, nil, false
}

// escapeLength is the length of the escape behind a backslash, 0 when it is
// none that is surely taken.
func escapeLength(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	if bytes.IndexByte([]byte(`0abtnvfre "\N_LP`), text[0]) >= 0 {
		return 1
	}
	// A surrogate is an error: those begin with D8 to DF.
	if text[0] != 'u' || len(text) < 5 || text[1]|0x20 == 'd' {
		return 0
	}
	for _, c := range text[1:5] {
		if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
			return 0
		}
	}
	return 5
}

// readKey judges a key that begins at a column. It returns the column of its
// colon, 0 where there is none, and the key, nil where that has escapes.
func readKey(line []byte, column int) (colon int, key []byte) {
	end := column
	if c := line[column]; c == '"' || c == '\'' {
		var known bool
		if end, key, known = readQuoted(line, column); !known {
			key = nil
		}
	} else if is(c, isKeyStart) {
		for end < len(line) && is(line[end], isKey) {
			end++
		}
		key = line[column:end]
	}
	if end == column || end == 0 || end-column > maxKey || end >= len(line) || line[end] != ':' {
		return 0, nil
	}
	if end+1 < len(line) && line[end+1] != ' ' {
		return 0, nil
	}
	return end, key
}

// readFlow judges a flow collection that begins at a column. It returns the
// column behind it, 0 when it is not surely right or does not end in this line.
func readFlow(line []byte, column, depth int) int {
	if depth > maxFlowDepth {
		return 0
	}
	isMap := line[column] == '{'
	closing := byte(']')
	if isMap {
		closing = '}'
	}
	i := skipSpaces(line, column+1)
	for i < len(line) && line[i] != closing {
		if isMap {
			end := readFlowScalar(line, i)
			if end == 0 || end-i > maxKey || end+1 >= len(line) || line[end] != ':' || line[end+1] != ' ' {
				return 0
			}
			i = skipSpaces(line, end+1)
			if i == len(line) {
				return 0
			}
		}
		end := 0
		if line[i] == '{' || line[i] == '[' {
			end = readFlow(line, i, depth+1)
		} else {
			end = readFlowScalar(line, i)
		}
		if end == 0 {
			return 0
		}
		i = skipSpaces(line, end)
		if i == len(line) || line[i] != ',' && line[i] != closing {
			return 0
		}
		if line[i] == ',' {
			i = skipSpaces(line, i+1)
		}
	}
	if i >= len(line) {
		return 0
	}
	return i + 1
}

// readFlowScalar judges a single value in a flow collection: in quotes, or one
// plain word. It returns the column behind it, or 0.
func readFlowScalar(line []byte, column int) int {
	if c := line[column]; c == '"' || c == '\'' {
		end, _, _ := readQuoted(line, column)
		return end
	}
	end := column
	for end < len(line) && is(line[end], isFlow) {
		end++
	}
	// A lone "-" is no value.
	if end == column || line[column] == '-' && end == column+1 || line[column] == '@' {
		return 0
	}
	return end
}

func skipSpaces(line []byte, column int) int {
	return column + indentation(line[column:])
}
