// SPDX-License-Identifier: Apache-2.0

package render

import "strings"

// shape is what can be told of a template before it is parsed.
type shape struct {
	// nesting is how deep blocks and parentheses are nested, and at where.
	nesting, at int
	// actions is how many bytes there are inside of {{ }}.
	actions int
}

// price is the price of parsing a template.
func (s shape) price(text string) int { return s.actions*actionPrice + len(text)*textPrice + callPrice }

// shapeOf reads the outline of a template: the parser of text/template calls
// itself for every block and every parenthesis, and has no bound of its own for
// blocks. A text that the parser does not take may have any shape, but is never
// nested deeper than it says: the parser stops where it stops to make sense.
func shapeOf(text string) shape {
	var s shape
	// blocks has the levels that each open block added: "else if" adds one more,
	// and one "end" closes all.
	var blocks []int
	level := 0
	deeper := func(at, by int) {
		if level += by; level > s.nesting {
			s.nesting, s.at = level, at
		}
	}
	for pos := 0; ; {
		open := strings.Index(text[pos:], "{{")
		if open < 0 {
			return s
		}
		start := pos + open
		end, parens := actionEnd(text, start)
		s.actions += end - start
		if level+parens > s.nesting {
			s.nesting, s.at = level+parens, start
		}
		word, rest := nextWord(strings.TrimLeft(text[start+2:end], "-"))
		switch word {
		case "if", "with", "range", "block", "define":
			blocks = append(blocks, 1)
			deeper(start, 1)
		case "else":
			if next, _ := nextWord(rest); len(blocks) > 0 && (next == "if" || next == "with") {
				blocks[len(blocks)-1]++
				deeper(start, 1)
			}
		case "end":
			if len(blocks) > 0 {
				level -= blocks[len(blocks)-1]
				blocks = blocks[:len(blocks)-1]
			}
		}
		pos = end
	}
}

// space is white space, as the lexer of text/template knows it.
const space = " \t\r\n"

// nextWord returns the letters that come next, and what follows them.
func nextWord(text string) (word, rest string) {
	text = strings.TrimLeft(text, space)
	for i, c := range text {
		if c < 'a' || c > 'z' {
			return text[:i], text[i:]
		}
	}
	return text, ""
}

// actionEnd returns where the action that begins at start ends, and how deep the
// parentheses in it are nested.
func actionEnd(text string, start int) (end, parens int) {
	inner := text[start+2:]
	if len(inner) > 1 && inner[0] == '-' && strings.IndexByte(space, inner[1]) >= 0 {
		inner = inner[2:]
	}
	if strings.HasPrefix(inner, "/*") {
		if stop := strings.Index(text[start:], "*/"); stop >= 0 {
			return start + stop + 2, 0
		}
		return len(text), 0
	}
	level := 0
	for i := start + 2; i < len(text); i++ {
		switch c := text[i]; c {
		case '(':
			level++
			parens = max(parens, level)
		case ')':
			level--
		case '"', '\'', '`':
			for i++; i < len(text) && text[i] != c; i++ {
				if text[i] == '\\' && c != '`' {
					i++
				}
			}
		case '}':
			if strings.HasPrefix(text[i:], "}}") {
				return i + 2, parens
			}
		}
	}
	return len(text), parens
}
