// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Nodes returns the root of a document in the form in which most objects are written:
// block maps and lists, values on one line, and blocks of text, in ASCII, without comments,
// anchors, tags and brackets with something in them. It reports false for all else, and for
// what may be no YAML: then yaml/v3 must parse it.
//
// It returns what yaml/v3 returns, places included, in a fraction of the time: that makes
// tokens, then events, then a node of each. FuzzNodes compares the two.
func Nodes(document []byte) (*yaml.Node, bool) {
	if oddClassesOf(document) != 0 || !bytes.HasSuffix(document, []byte("\n")) {
		return nil, false
	}
	p := &parser{data: document, text: string(document)}
	if !p.nextLine() || p.indent != 0 || p.isItem() {
		return nil, false
	}
	root, ok := p.collection(0)
	if !ok || !p.atEnd {
		return nil, false
	}
	return root, true
}

const (
	// nodeSlab is how many nodes are made at once.
	nodeSlab = 32
	// maxParseDepth bounds maps in maps.
	maxParseDepth = 64
)

// parser follows the lines of a document.
type parser struct {
	// data is the document, and text is the same: values are parts of it.
	data []byte
	text string
	// line is the line, which begins at an offset, and next is the offset of the one behind
	// it. number counts the lines from 1 on.
	line        []byte
	begin, next int
	number      int
	// indent is the column where the line begins, or what follows a dash in it.
	indent int
	atEnd  bool
	// depth is the number of open collections.
	depth int

	slab []yaml.Node
	// open has the children of the collections that are open, one after the other.
	open []*yaml.Node
}

// nextLine goes to the next line with something in it. It reports false at the end, and
// for a line that is not plain.
func (p *parser) nextLine() bool {
	for p.rawLine() {
		p.indent = indentation(p.line)
		switch {
		case len(p.line) == 0:
			continue
		case p.indent == len(p.line):
			return false // spaces alone
		case p.indent == 0 && (bytes.HasPrefix(p.line, []byte("---")) || bytes.HasPrefix(p.line, []byte("..."))):
			return false // the end of the document
		case p.line[p.indent] == '#', bytes.Contains(p.line[p.indent:], []byte(" #")):
			return false // a comment, or it may be one
		}
		return true
	}
	return false
}

// rawLine goes to the next line. It reports false at the end.
func (p *parser) rawLine() bool {
	p.begin = p.next
	if p.begin == len(p.data) {
		p.atEnd, p.line, p.indent = true, nil, -1
		return false
	}
	length := bytes.IndexByte(p.data[p.begin:], '\n')
	p.line, p.next = p.data[p.begin:p.begin+length], p.begin+length+1
	p.number++
	return true
}

// again has the line read once more.
func (p *parser) again() {
	p.next = p.begin
	p.number--
}

// part is a part of the line.
func (p *parser) part(start, end int) string { return p.text[p.begin+start : p.begin+end] }

// goOn goes to the next line, of which there may be none.
func (p *parser) goOn() bool { return p.nextLine() || p.atEnd }

// isItem reports whether an element of a list begins here.
func (p *parser) isItem() bool {
	rest := p.line[p.indent:]
	return rest[0] == '-' && (len(rest) == 1 || rest[1] == ' ')
}

// node returns a new node that begins at a column of the line.
func (p *parser) node(kind yaml.Kind, tag string, column int) *yaml.Node {
	if len(p.slab) == 0 {
		p.slab = make([]yaml.Node, nodeSlab)
	}
	node := &p.slab[0]
	p.slab = p.slab[1:]
	node.Kind, node.Tag, node.Line, node.Column = kind, tag, p.number, column+1
	return node
}

// collection reads the map or the list whose first entry begins here, in a column.
func (p *parser) collection(column int) (*yaml.Node, bool) {
	if p.depth++; p.depth > maxParseDepth {
		return nil, false
	}
	mark := len(p.open)
	var node *yaml.Node
	if p.isItem() {
		node = p.node(yaml.SequenceNode, "!!seq", column)
		for !p.atEnd && p.indent == column && p.isItem() {
			if !p.item(column) {
				return nil, false
			}
		}
	} else {
		node = p.node(yaml.MappingNode, "!!map", column)
		for !p.atEnd && p.indent == column && !p.isItem() {
			if !p.entry(column) {
				return nil, false
			}
		}
	}
	if !p.atEnd && p.indent > column {
		return nil, false
	}
	node.Content = append(make([]*yaml.Node, 0, len(p.open)-mark), p.open[mark:]...)
	p.open = p.open[:mark]
	p.depth--
	return node, true
}

// item reads an element of a list whose dash stands in a column.
func (p *parser) item(column int) bool {
	start := column + 1
	for start < len(p.line) && p.line[start] == ' ' {
		start++
	}
	if start == len(p.line) {
		return false
	}
	p.indent = start
	if colon, _ := readKey(p.line, start); colon > 0 || p.isItem() {
		node, ok := p.collection(start)
		p.open = append(p.open, node)
		// What belongs to no element stands to the right of the dash.
		return ok && (p.atEnd || p.indent <= column)
	}
	return p.value(start, column)
}

// entry reads a key of a map in a column and its value.
func (p *parser) entry(column int) bool {
	colon, key := readKey(p.line, column)
	if colon == 0 || key == nil || colon-column > maxPlainKey {
		return false
	}
	start, quoted := column, p.line[column] == '"' || p.line[column] == '\''
	if quoted {
		start++
	}
	p.open = append(p.open, p.scalar(p.part(start, start+len(key)), column))
	start = colon + 1
	for start < len(p.line) && p.line[start] == ' ' {
		start++
	}
	if start < len(p.line) {
		return p.value(start, column)
	}
	if start > colon+1 {
		return false
	}
	null := p.node(yaml.ScalarNode, "!!null", start)
	if !p.goOn() {
		return false
	}
	if !p.atEnd && (p.indent > column || p.indent == column && p.isItem()) {
		node, ok := p.collection(p.indent)
		p.open = append(p.open, node)
		return ok
	}
	p.open = append(p.open, null)
	return true
}

// maxPlainKey is the longest key, in bytes, that is taken.
const maxPlainKey = 128

// scalar returns the node of a single value that begins at a column.
func (p *parser) scalar(value string, column int) *yaml.Node {
	node := p.node(yaml.ScalarNode, "!!str", column)
	node.Value = value
	switch p.line[column] {
	case '"':
		node.Style = yaml.DoubleQuotedStyle
	case '\'':
		node.Style = yaml.SingleQuotedStyle
	default:
		if !isWord(value) {
			node.Tag = ""
			node.Tag = node.ShortTag()
		}
	}
	return node
}

// isWord reports whether a plain value is known to be a string without resolving it: it
// begins with a letter and is no boolean and no null, or begins with what no number does.
func isWord(value string) bool {
	first := value[0]
	if first == '$' || first == '/' || strings.HasPrefix(value, "--") {
		return true
	}
	if letter := first | 0x20; letter < 'a' || letter > 'z' {
		return false
	}
	if len(value) != len("true") && len(value) != len("false") {
		return true
	}
	return !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false") && !strings.EqualFold(value, "null")
}

// value reads a value that begins at a column of the line, below a key or behind a dash in
// the parent's column, and goes to the next line.
func (p *parser) value(column, parent int) bool {
	rest := p.line[column:]
	switch rest[0] {
	case '|':
		return p.block(column, parent)
	case '{', '[':
		node := p.node(yaml.MappingNode, "!!map", column)
		if rest[0] == '[' {
			node.Kind, node.Tag = yaml.SequenceNode, "!!seq"
		}
		node.Style = yaml.FlowStyle
		p.open = append(p.open, node)
		if string(rest) != "{}" && string(rest) != "[]" {
			return false
		}
	case '"', '\'':
		end, value, known := readQuoted(p.line, column)
		if !known || end != len(p.line) {
			return false
		}
		p.open = append(p.open, p.scalar(p.part(column+1, column+1+len(value)), column))
	default:
		text, ok := readPlain(rest)
		if !ok || len(text) == 0 {
			return false
		}
		p.open = append(p.open, p.scalar(p.part(column, column+len(text)), column))
	}
	// A line further to the right would go on with the value.
	return p.goOn() && (p.atEnd || p.indent <= parent)
}

// block reads a block of text whose head stands at a column.
func (p *parser) block(column, parent int) bool {
	head := p.part(column, len(p.line))
	if head != "|" && head != "|-" {
		return false
	}
	node := p.node(yaml.ScalarNode, "!!str", column)
	node.Style = yaml.LiteralStyle
	p.open = append(p.open, node)
	if !p.rawLine() {
		return false
	}
	indent := indentation(p.line)
	if indent <= parent || indent == len(p.line) {
		return false
	}
	var text strings.Builder
	blank := 0
	for {
		if len(p.line) == 0 {
			blank++
		} else {
			own := indentation(p.line)
			if own == len(p.line) {
				return false // spaces alone
			}
			if own < indent {
				p.again()
				break
			}
			for ; blank > 0; blank-- {
				text.WriteByte('\n')
			}
			text.Write(p.line[indent:])
			text.WriteByte('\n')
		}
		if !p.rawLine() {
			break
		}
	}
	node.Value = text.String()
	if head == "|-" {
		node.Value = strings.TrimSuffix(node.Value, "\n")
	}
	p.atEnd = false
	return p.goOn() && (p.atEnd || p.indent <= parent)
}
