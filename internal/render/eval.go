// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
)

// variable is a template's "$name" and its value.
type variable struct {
	name  string
	value any
}

// evaluation is one walk over the tree of a template.
type evaluation struct {
	renderer      *Renderer
	text, snippet string
	out           []byte
	// variables are in scope, the innermost last.
	variables []variable
}

// How break and continue leave the body of a range.
var (
	errBreak    = errors.New("break outside of range")
	errContinue = errors.New("continue outside of range")
)

// positioner is a place in the template: a node, or a position itself.
type positioner interface{ Position() parse.Pos }

// fail places an error.
func (e *evaluation) fail(place positioner, err error) error {
	return at(e.text, e.snippet, place.Position(), err)
}

func (e *evaluation) failf(place positioner, format string, args ...any) error {
	return e.fail(place, fmt.Errorf(format, args...))
}

// enter pays for a node, and goes one level deeper until leave.
func (e *evaluation) enter(node positioner) error {
	budget := e.renderer.budget
	if err := budget.spend(stepPrice); err != nil {
		return e.fail(node, err)
	}
	if budget.depth++; budget.depth > maxDepth {
		budget.depth--
		return e.failf(node, "blocks, parentheses and functions are nested more than %d deep, with the snippets that they include", maxDepth)
	}
	return nil
}

// leave goes back one level.
func (e *evaluation) leave() { e.renderer.budget.depth-- }

// walk evaluates a node and writes what it says.
func (e *evaluation) walk(dot any, node parse.Node) error {
	if err := e.enter(node); err != nil {
		return err
	}
	defer e.leave()
	switch node := node.(type) {
	case *parse.ListNode:
		for _, child := range node.Nodes {
			if err := e.walk(dot, child); err != nil {
				return err
			}
		}
		return nil
	case *parse.TextNode:
		return write(e, node, node.Text)
	case *parse.CommentNode:
		return nil
	case *parse.ActionNode:
		value, err := e.pipeline(dot, node.Pipe)
		if err != nil || len(node.Pipe.Decl) > 0 {
			return err
		}
		text, err := e.renderer.text(value)
		if err != nil {
			if why := e.whyNull(source(node.Pipe)); why != "" && errors.Is(err, errNullText) {
				return e.failf(node.Pipe, "%s %s", source(node.Pipe), why)
			}
			return e.failf(node.Pipe, "%s %w", source(node.Pipe), err)
		}
		return write(e, node, text)
	case *parse.IfNode:
		return e.branch(dot, node, &node.BranchNode, false)
	case *parse.WithNode:
		return e.branch(dot, node, &node.BranchNode, true)
	case *parse.RangeNode:
		return e.loop(dot, node)
	case *parse.BreakNode:
		return errBreak
	case *parse.ContinueNode:
		return errContinue
	case *parse.TemplateNode:
		return e.failf(node, `template is not for a field; write {{ include %q . }}`, node.Name)
	}
	return e.failf(node, "%s is not known here", source(node))
}

// whyNull says why a field of the data, such as ".Role" or "$.Role", is null; "" if that is
// not known.
func (e *evaluation) whyNull(path string) string {
	data, ok := e.renderer.data.(Reasoned)
	if !ok {
		return ""
	}
	name, found := strings.CutPrefix(strings.TrimPrefix(path, "$"), ".")
	if !found {
		return ""
	}
	return data.WhyNull(name)
}

// source is a node as a message shows it.
func source(node parse.Node) string { return excerpt(node.String(), 0) }

// write appends text to what was rendered so far.
func write[T string | []byte](e *evaluation, node parse.Node, text T) error {
	if len(e.out)+len(text) > MaxText {
		return e.failf(node, "the text gets longer than %d KiB; put long text into a ConfigMap and mount that", MaxText>>10)
	}
	if err := e.renderer.budget.spend(writePrice * len(text)); err != nil {
		return e.fail(node, err)
	}
	e.out = append(e.out, text...)
	return nil
}

// branch evaluates "if" and "with". A value that is missing is false.
func (e *evaluation) branch(dot any, node parse.Node, branch *parse.BranchNode, with bool) error {
	defer e.endScope(len(e.variables))
	value, err := e.loose(dot, branch.Pipe)
	if err != nil {
		return err
	}
	if err := e.declare(branch.Pipe, value); err != nil {
		return err
	}
	switch {
	case truth(value) && with:
		return e.walk(value, branch.List)
	case truth(value):
		return e.walk(dot, branch.List)
	case branch.ElseList != nil:
		return e.walk(dot, branch.ElseList)
	}
	return nil
}

// endScope forgets the variables after the first n.
func (e *evaluation) endScope(n int) { e.variables = e.variables[:n] }

// loop evaluates "range": over the elements of a list, the values of a map in
// the order of its keys, and the integers below a number.
func (e *evaluation) loop(dot any, node *parse.RangeNode) error {
	defer e.endScope(len(e.variables))
	// The parser gives the range's variables to its pipeline, but they take the
	// elements.
	value, err := e.commands(dot, node.Pipe)
	if err != nil {
		return err
	}
	inner := len(e.variables)
	some := false
	body := func(key, element any) (bool, error) {
		defer e.endScope(inner)
		some = true
		names := node.Pipe.Decl
		values := []any{key, element}
		if _, number := whole(value); number || len(names) == 1 {
			values = []any{element, element}
		}
		for i, name := range names {
			if node.Pipe.IsAssign {
				if err := e.assign(name, values[i]); err != nil {
					return false, err
				}
			} else {
				e.variables = append(e.variables, variable{name.Ident[0], values[i]})
			}
		}
		err := e.walk(element, node.List)
		switch {
		case errors.Is(err, errBreak):
			return false, nil
		case errors.Is(err, errContinue):
			return true, nil
		}
		return err == nil, err
	}
	if err := e.each(node, value, body); err != nil {
		return err
	}
	if !some && node.ElseList != nil {
		return e.walk(dot, node.ElseList)
	}
	return nil
}

// each visits the elements of a value until visit says to stop.
func (e *evaluation) each(node parse.Node, value any, visit func(key, element any) (bool, error)) error {
	switch value := value.(type) {
	case nil:
		return nil
	case map[string]any:
		keys, err := e.renderer.budget.sortedKeys(value)
		if err != nil {
			return e.fail(node, err)
		}
		for _, key := range keys {
			if more, err := visit(key, value[key]); err != nil || !more {
				return err
			}
		}
		return nil
	}
	if list, ok := listOf(value); ok {
		for i := range list.Len() {
			if more, err := visit(i, list.At(i)); err != nil || !more {
				return err
			}
		}
		return nil
	}
	if n, ok := whole(value); ok {
		for i := range n {
			// The element has the type of the number, as in text/template.
			var element any = i
			if _, ok := value.(int); ok {
				element = int(i)
			}
			if more, err := visit(element, element); err != nil || !more {
				return err
			}
		}
		return nil
	}
	return e.failf(node, "range takes a list, a map or an integer, not %s", KindOf(value))
}

// pipeline evaluates a pipeline that is asked for its value.
func (e *evaluation) pipeline(dot any, pipe *parse.PipeNode) (any, error) {
	var value any
	var err error
	// A variable may hold what is missing, until it is asked for.
	if len(pipe.Decl) > 0 {
		value, err = e.loose(dot, pipe)
	} else {
		value, err = e.commands(dot, pipe)
	}
	if err != nil {
		return nil, err
	}
	return value, e.declare(pipe, value)
}

// declare gives the variables of a pipeline its value.
func (e *evaluation) declare(pipe *parse.PipeNode, value any) error {
	for _, name := range pipe.Decl {
		if pipe.IsAssign {
			if err := e.assign(name, value); err != nil {
				return err
			}
		} else {
			e.variables = append(e.variables, variable{name.Ident[0], value})
		}
	}
	return nil
}

// commands evaluates the commands of a pipeline; what it returns is there.
func (e *evaluation) commands(dot any, pipe *parse.PipeNode) (any, error) {
	value, err := e.loose(dot, pipe)
	if err != nil {
		return nil, err
	}
	if gap, ok := value.(*missing); ok {
		return nil, gap.err()
	}
	return value, nil
}

// loose evaluates the commands of a pipeline; what it returns may be missing.
func (e *evaluation) loose(dot any, pipe *parse.PipeNode) (any, error) {
	value := any(nothing)
	for _, command := range pipe.Cmds {
		var err error
		if value, err = e.command(dot, command, value); err != nil {
			return nil, err
		}
	}
	return value, nil
}

func (e *evaluation) assign(name *parse.VariableNode, value any) error {
	for i := len(e.variables) - 1; i >= 0; i-- {
		if e.variables[i].name == name.Ident[0] {
			e.variables[i].value = value
			return nil
		}
	}
	return e.failf(name, "there is no variable %s", name.Ident[0])
}

// nothingType is the type of nothing.
type nothingType struct{}

// nothing stands where no value was piped in.
var nothing nothingType

// command evaluates one command of a pipeline. What the command before it made
// is its last argument.
func (e *evaluation) command(dot any, command *parse.CommandNode, piped any) (any, error) {
	first := command.Args[0]
	if name, ok := first.(*parse.IdentifierNode); ok {
		return e.function(dot, name, command.Args[1:], piped)
	}
	if len(command.Args) > 1 || piped != nothing {
		if value, err := e.argument(dot, first); err != nil {
			return nil, err // it can't be called, and is not there either
		} else if gap, ok := value.(*missing); ok {
			return nil, gap.err()
		}
		return nil, e.failf(first, "%s is a value, not a function; it takes no arguments", source(first))
	}
	if _, ok := first.(*parse.NilNode); ok {
		return nil, e.failf(first, "nil is not a command")
	}
	return e.argument(dot, first)
}

// argument evaluates a node that stands for a value, which may be missing.
func (e *evaluation) argument(dot any, node parse.Node) (any, error) {
	if err := e.enter(node); err != nil {
		return nil, err
	}
	defer e.leave()
	switch node := node.(type) {
	case *parse.DotNode:
		return dot, nil
	case *parse.NilNode:
		return nil, nil
	case *parse.BoolNode:
		return node.True, nil
	case *parse.StringNode:
		return node.Text, nil
	case *parse.NumberNode:
		return e.number(node)
	case *parse.FieldNode:
		// The parser places a chain at its second name.
		start := node.Position()
		if len(node.Ident) > 1 {
			start -= parse.Pos(len("." + node.Ident[0]))
		}
		return e.fields(start, "", dot, node.Ident)
	case *parse.VariableNode:
		for i := len(e.variables) - 1; i >= 0; i-- {
			if e.variables[i].name == node.Ident[0] {
				return e.fields(node.Position(), node.Ident[0], e.variables[i].value, node.Ident[1:])
			}
		}
		return nil, e.failf(node, "there is no variable %s", node.Ident[0])
	case *parse.ChainNode:
		value, err := e.argument(dot, node.Node)
		if err != nil {
			return nil, err
		}
		return e.fields(node.Position(), "(...)", value, node.Field)
	case *parse.PipeNode:
		return e.loose(dot, node)
	case *parse.IdentifierNode:
		return e.function(dot, node, nil, nothing)
	}
	return nil, e.failf(node, "%s is not known here", source(node))
}

// number is a number that a template writes: one with a dot or an exponent has a
// fraction, as in text/template.
func (e *evaluation) number(node *parse.NumberNode) (any, error) {
	hexadecimal := len(node.Text) > 2 && node.Text[0] == '0' && (node.Text[1] == 'x' || node.Text[1] == 'X') && !strings.ContainsAny(node.Text, "pP")
	switch {
	case node.IsFloat && !hexadecimal && node.Text[0] != '\'' && strings.ContainsAny(node.Text, ".eEpP"):
		return node.Float64, nil
	case node.IsInt && int64(int(node.Int64)) == node.Int64:
		return int(node.Int64), nil
	}
	return nil, e.failf(node, "%s is no number that fits 64 bits", excerpt(node.Text, 0))
}

// chain is a value with names after it, as a template writes them: ".a.b".
type chain struct {
	// prefix is how the value is written, "" for the dot.
	prefix string
	names  []string
	// start is where the first name stands.
	start parse.Pos
	// at is the name that is followed now.
	at int
}

// Position is where the name stands that is followed now.
func (c *chain) Position() parse.Pos {
	pos := c.start
	for _, name := range c.names[:c.at] {
		pos += parse.Pos(len("." + name))
	}
	return pos
}

// path is what was followed so far, as the template writes it.
func (c *chain) path() string {
	path := c.prefix
	for _, name := range c.names[:c.at] {
		path += "." + name
	}
	if path == "" {
		return "." // the dot itself
	}
	return path
}

// fields follows names from a value.
func (e *evaluation) fields(start parse.Pos, prefix string, value any, names []string) (any, error) {
	if len(names) == 0 {
		return value, nil
	}
	if err := e.renderer.budget.spend(len(names) * stepPrice); err != nil {
		return nil, e.fail(start, err)
	}
	c := chain{prefix: prefix, names: names, start: start}
	for c.at = range names {
		if gap, ok := value.(*missing); ok {
			return gap, nil
		}
		var err error
		if value, err = e.field(&c, value); err != nil {
			return nil, err
		}
	}
	return value, nil
}

// field follows one name.
func (e *evaluation) field(c *chain, value any) (any, error) {
	name := c.names[c.at]
	switch dict := value.(type) {
	case nil:
		return e.missing(c, nil), nil
	case map[string]any:
		if inner, found := dict[name]; found {
			return inner, nil
		}
		return e.missing(c, dict), nil
	case Object:
		if !slices.Contains(dict.Fields(), name) {
			return nil, e.missing(c, dict).err()
		}
		if err := e.renderer.budget.spend(fieldPrice); err != nil {
			return nil, e.fail(c, err)
		}
		inner, err := dict.Field(name)
		if err != nil {
			return &missing{evaluation: e, chain: *c, cause: err}, nil
		}
		return inner, nil
	}
	return nil, e.failf(c, "%s is %s, and has no %q", c.path(), KindOf(value), name)
}
