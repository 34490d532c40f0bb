// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/template/parse"
	"unicode/utf8"

	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// Error is what is wrong with a template, and where.
type Error struct {
	// Line and Column are the place in the string, both from 1; the column is
	// counted in characters.
	Line, Column int
	// Source is the line of the template, shortened when it is very long.
	Source string
	// Snippet is the snippet in which that line stands, "" for the string itself.
	Snippet string
	// Message says what is wrong and what to write instead.
	Message string

	cause error
}

// Unwrap returns what is wrong, without its place.
func (e *Error) Unwrap() error { return e.cause }

func (e *Error) Error() string {
	where := ""
	if e.Snippet != "" {
		where = fmt.Sprintf("snippet %q, ", e.Snippet)
	}
	return fmt.Sprintf("template: %sline %d, column %d: %s", where, e.Line, e.Column, e.Message)
}

// maxSource is how much of a line an error shows, in bytes.
const maxSource = 160

// literalHint says how to write braces that are no template.
const literalHint = `; to write "{{" itself, write {{ "{{" }}`

// at makes an error about a place in a text. One that has its place already
// keeps it: it comes from a snippet.
func at(text, snippet string, pos parse.Pos, err error) error {
	var placed *Error
	if errors.As(err, &placed) {
		return placed
	}
	offset := min(max(int(pos), 0), len(text))
	start := strings.LastIndexByte(text[:offset], '\n') + 1
	source := text[start:]
	if end := strings.IndexByte(source, '\n'); end >= 0 {
		source = source[:end]
	}
	return &Error{
		Line:    strings.Count(text[:start], "\n") + 1,
		Column:  utf8.RuneCountInString(text[start:offset]) + 1,
		Source:  excerpt(source, offset-start),
		Snippet: snippet,
		Message: cut(err.Error(), maxMessage),
		cause:   err,
	}
}

// cut is a text, or its begin where it is longer than a number of bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "..."
}

// excerpt is a line, or what stands around an offset in a very long one.
func excerpt(line string, offset int) string {
	if len(line) <= maxSource {
		return line
	}
	from := max(0, min(offset-maxSource/2, len(line)-maxSource))
	to := from + maxSource
	for from > 0 && !utf8.RuneStart(line[from]) {
		from--
	}
	for to < len(line) && !utf8.RuneStart(line[to]) {
		to++
	}
	short := line[from:to]
	if from > 0 {
		short = "..." + short
	}
	if to < len(line) {
		short += "..."
	}
	return short
}

// parserError matches an error of text/template/parse: the name of the
// template, the line and the message.
var parserError = lazyregexp.New(`(?s)^template: ` + treeName + `:(\d+):(?:\d+:)? ?(.*)$`)

// action matches the begin of an action.
var action = lazyregexp.New(`\{\{`)

// syntaxError places an error of the parser, which tells only the line: at the block
// that is not closed, at the first action of the line that can't be read by itself, or
// else at its first.
func syntaxError(text, snippet string, err error) error {
	message, line := err.Error(), 1
	if match := parserError.FindStringSubmatch(message); match != nil {
		line, _ = strconv.Atoi(match[1])
		message = match[2]
	}
	if word, pos := oddBlock(text); word != "" {
		switch {
		case strings.HasPrefix(message, "unexpected EOF"):
			return at(text, snippet, parse.Pos(pos), fmt.Errorf("{{ %s }} has no {{ end }}", word))
		case strings.HasPrefix(message, "unexpected {{"+word+"}}"):
			return at(text, snippet, parse.Pos(pos), fmt.Errorf("{{ %s }} belongs to no block; remove it, or write {{ if }}, {{ with }} or {{ range }} before it", word))
		}
	}
	start := 0
	for range line - 1 {
		next := strings.IndexByte(text[start:], '\n')
		if next < 0 {
			break
		}
		start += next + 1
	}
	end := len(text)
	if next := strings.IndexByte(text[start:], '\n'); next >= 0 {
		end = start + next
	}
	pos := -1
	for _, found := range action.FindAllStringIndex(text[start:end], 50) {
		const longest = 4 << 10 // of an action that is read again
		alone := text[start+found[0]:]
		alone = alone[:min(len(alone), longest)]
		if stop := strings.Index(alone, "}}"); stop >= 0 {
			alone = alone[:stop+2]
		}
		if pos < 0 {
			pos = start + found[0]
		}
		if !readable(alone) {
			pos = start + found[0]
			break
		}
	}
	if pos < 0 {
		pos = start
	}
	return at(text, snippet, parse.Pos(pos), errors.New(plainly(message, text[pos:min(end, pos+maxSource)])))
}

// oddBlock returns the first "end" or "else" that belongs to no block, or else the
// innermost block that has no "end", and where it is; "" if there is none.
func oddBlock(text string) (word string, at int) {
	type block struct {
		word string
		at   int
	}
	var open []block
	for pos := 0; ; {
		next := strings.Index(text[pos:], "{{")
		if next < 0 {
			break
		}
		start := pos + next
		pos, _ = actionEnd(text, start)
		switch word, _ := nextWord(strings.TrimLeft(text[start+2:pos], "-")); word {
		case "if", "with", "range", "block", "define":
			open = append(open, block{word, start})
		case "else":
			if len(open) == 0 {
				return word, start
			}
		case "end":
			if len(open) == 0 {
				return word, start
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) == 0 {
		return "", 0
	}
	last := open[len(open)-1]
	return last.word, last.at
}

// plainer are what the parser says and what a user of templates understands; $1 is the
// first group of the message.
var plainer = []struct {
	message *lazyregexp.Regexp
	write   string
}{
	{lazyregexp.New(`^unclosed action`), `"{{" has no "}}"` + literalHint},
	{lazyregexp.New(`^(?:unexpected "}"|bad character U\+007D)`), `an action must end with "}}", and here is a single "}"`},
	{lazyregexp.New(`^unterminated quoted string`), `a text has no closing "`},
	{lazyregexp.New(`^unterminated raw quoted string`), "a text has no closing `"},
	{lazyregexp.New(`^unterminated character constant`), "a text needs double quotes, or backquotes inside of double ones"},
	{lazyregexp.New(`^undefined variable "(\$\w+)"`), `the variable $1 is not defined; write {{ $1 := VALUE }} before it, in the same block or around it`},
	{lazyregexp.New(`^unclosed left paren`), `"(" has no ")"`},
	{lazyregexp.New(`^unexpected right paren`), `")" has no "("`},
	{lazyregexp.New(`^unclosed comment`), `"{{/*" has no "*/}}"`},
	{lazyregexp.New(`^missing value for (if|with|range)\b`), `$1 needs a value, such as {{ $1 .Values.name }}`},
	{lazyregexp.New(`^({{(?:break|continue)}} outside {{range}})`), `$1`},
}

// plainly says what the parser refuses, and what to write instead.
func plainly(message, source string) string {
	if write := asFunction(source); write != "" && operatorError.MatchString(message) {
		return message + "; a template has functions and no operators: write " + write
	}
	for _, c := range cures {
		found := c.source.FindStringSubmatchIndex(source)
		if c.message.MatchString(message) && found != nil {
			return message + "; " + string(c.source.ExpandString(nil, c.write, source, found))
		}
	}
	for _, p := range plainer {
		if found := p.message.FindStringSubmatchIndex(message); found != nil {
			return string(p.message.ExpandString(nil, p.write, message, found))
		}
	}
	return message + literalHint
}

// cures say what to write instead of what a template can't have, by what the parser
// says of it.
var cures = []struct {
	// message is in what the parser says.
	message *lazyregexp.Regexp
	// source is in the template; its groups are $1 and so on in write.
	source *lazyregexp.Regexp
	write  string
}{
	{lazyregexp.New(`^bad character U\+002D`), lazyregexp.New(`([$.][\w.$]*)\.(\w+(?:-\w+)+)`), `a name with "-" can't follow a dot; write (index $1 "$2")`},
	{lazyregexp.New(`^bad character U\+005B`), lazyregexp.New(`([$.][\w.$]+)\[(\d+|\$\w+)\]`), `write (index $1 $2)`},
	{lazyregexp.New(`^bad character U\+005B`), lazyregexp.New(`([$.][\w.$]+)\["?'?([^\]'"]*)["']?\]`), `write (index $1 "$2")`},
	{lazyregexp.New(`^unexpected "\.\d+" in operand`), lazyregexp.New(`([$.][\w.$]*?)\.(\d+)\b`), `write (index $1 $2)`},
	{lazyregexp.New(`^malformed character constant`), lazyregexp.New(``), "a text needs double quotes, or backquotes inside of double ones"},
	{operatorError, lazyregexp.New(`==|!=|[<>?+*/%]|&&|\|\||- `),
		"a template has functions and no operators: write {{ if eq .Values.a 1 }}, and so ne, lt, gt, and, or, not, add, sub, mul, div, mod and ternary"},
}

var (
	// operatorError matches what the parser says of an operator.
	operatorError = lazyregexp.New(`^(unexpected "[=!<>&|?/*%]"|bad character U\+00(3[CEF]|2[1AF6]|25)|(illegal|bad) number syntax: "[-+]|expected :=|missing value for command)`)
	// operation matches two plain operands and an operator between them.
	operation = lazyregexp.New(`^\{\{-?\s*(?:(?:else )?(?:if|with)\s+)?(-?[$\w.]+|"[^"]*")\s*(==|!=|<=|>=|<|>|&&|\|\||[-+*/%])\s*(-?[$\w.]+|"[^"]*")\s*-?\}\}`)
	// functionOf are the functions that do what operators do elsewhere.
	functionOf = map[string]string{"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge", "&&": "and", "||": "or", "+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod"}
)

// asFunction is an operation as a call of a function, "" if the action is not just that.
func asFunction(source string) string {
	match := operation.FindStringSubmatch(source)
	if match == nil {
		return ""
	}
	return strings.Join([]string{functionOf[match[2]], match[1], match[3]}, " ")
}

// readable reports whether an action can be read by itself; one that begins or
// ends a block can.
func readable(action string) bool {
	word := strings.TrimLeft(strings.TrimPrefix(action, "{{"), "- \t\r\n")
	for _, middle := range []string{"end", "else", "break", "continue"} {
		if strings.HasPrefix(word, middle) {
			return true
		}
	}
	if readTree(action) == nil {
		return true
	}
	return readTree(action+"{{end}}") == nil
}

func readTree(text string) error {
	tree := parse.New(treeName)
	tree.Mode = parse.SkipFuncCheck
	_, err := tree.Parse(text, "", "", map[string]*parse.Tree{})
	return err
}
