// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template/parse"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// treeName is the name under which the parser knows every template.
const treeName = "template"

// Renderer renders the templates of one PeerJob.
type Renderer struct {
	// Nulls are the keys that null removed from the values, so that a message can
	// say so. It may be nil.
	Nulls Nulls

	data     Object
	snippets map[string]string
	// parsed are the snippets and the texts of tpl that were read before, by their
	// text.
	parsed map[string]*parse.Tree
	// patterns are the regular expressions that were read before, by their text.
	patterns map[string]*pattern
	budget   *Budget
	// structured says that the text is read as YAML: a list or a map is written into it
	// as JSON, which is YAML.
	structured bool
}

// New returns a renderer of templates about data: an Object, whose fields are
// strings, integers, floats, booleans, nil, Numbers, []any, map[string]any, Lists
// and Objects. The snippets are what include finds by name. All that it renders is
// paid for from the budget.
func New(data Object, snippets map[string]string, budget *Budget) *Renderer {
	return &Renderer{data: data, snippets: snippets, parsed: map[string]*parse.Tree{}, patterns: map[string]*pattern{}, budget: budget}
}

// IsTemplate reports whether a text has anything to render.
func IsTemplate(text string) bool { return strings.Contains(text, "{{") }

// Check reads a snippet without rendering it.
func (r *Renderer) Check(snippet string) error {
	_, err := r.snippet(snippet)
	return err
}

// Render returns what a text says. The error is an *Error.
func (r *Renderer) Render(text string) (rendered string, err error) {
	if !IsTemplate(text) {
		return text, nil
	}
	// Nothing here should panic. Where something does, one template is wrong, and
	// not the whole build.
	defer func() {
		if cause := recover(); cause != nil {
			rendered, err = "", at(text, "", 0, fmt.Errorf("panics (%v); please report this as a bug", cause))
		}
		r.budget.depth, r.budget.calls = 0, 0
	}()
	tree, err := r.parse(text, "")
	if err != nil {
		return "", err
	}
	rendered, err = r.run(text, "", tree, r.data)
	if err == nil && !utf8.ValidString(rendered) {
		err = at(text, "", 0, errors.New("renders to what is no UTF-8 text: a character was cut in two, or it holds binary data"))
	}
	if err != nil {
		return "", err
	}
	return rendered, nil
}

// RenderYAML returns the list or the map that a text renders to, as YAML, and nil if
// it renders to nothing, and the text that was rendered. It has no anchors, aliases
// or tags. The error is an *Error.
func (r *Renderer) RenderYAML(text string) (node *yaml.Node, rendered string, err error) {
	r.structured = true
	rendered, err = r.Render(text)
	r.structured = false
	if err != nil || strings.TrimSpace(rendered) == "" {
		return nil, "", err
	}
	price, _ := priceFromYAML(r, []any{rendered})
	if err := r.budget.spend(price); err != nil {
		return nil, "", at(text, "", 0, err)
	}
	document, err := Document([]byte(rendered))
	if err == nil && !document.IsZero() {
		err = checkPlain(document)
	}
	if err != nil {
		return nil, "", at(text, "", 0, fmt.Errorf("renders to %q: %w", excerpt(rendered, 0), err))
	}
	if document.IsZero() {
		return nil, rendered, nil // only comments
	}
	return document.Content[0], rendered, nil
}

// text is a value as an action writes it.
func (r *Renderer) text(value any) (string, error) {
	switch value.(type) {
	case []any, List, map[string]any:
		if !r.structured {
			break
		}
		encoded, err := r.call(table()["toJson"], []any{value})
		if err != nil {
			return "", err
		}
		return encoded.(string), nil
	}
	return show(value)
}

// checkPlain refuses what YAML has beside lists, maps and single values.
func checkPlain(node *yaml.Node) error {
	if node.Kind == yaml.AliasNode || node.Anchor != "" || node.Style&yaml.TaggedStyle != 0 {
		return fmt.Errorf("line %d: must have no anchor, no alias and no tag", node.Line)
	}
	for _, inner := range node.Content {
		if err := checkPlain(inner); err != nil {
			return err
		}
	}
	return nil
}

// parse reads a template.
func (r *Renderer) parse(text, snippet string) (*parse.Tree, error) {
	if len(text) > MaxText {
		return nil, at(text, snippet, 0, fmt.Errorf("the template has %d bytes, and may have %d; put long text into a ConfigMap and mount that", len(text), MaxText))
	}
	shape := shapeOf(text)
	if shape.nesting > maxNesting {
		return nil, at(text, snippet, parse.Pos(shape.at), fmt.Errorf("blocks and parentheses are nested more than %d deep", maxNesting))
	}
	if err := r.budget.spend(shape.price(text)); err != nil {
		return nil, at(text, snippet, 0, err)
	}
	tree := parse.New(treeName)
	tree.Mode = parse.SkipFuncCheck
	defined := map[string]*parse.Tree{}
	tree, err := tree.Parse(text, "", "", defined)
	if err != nil {
		return nil, syntaxError(text, snippet, err)
	}
	// A text of nothing but definitions leaves no tree of its own.
	for name, other := range defined {
		if name != treeName && other.Root != nil {
			return nil, at(text, snippet, other.Root.Pos, fmt.Errorf(`define and block are not for a field; write the text into spec.snippets under %q, and {{ include %q . }} here`, name, name))
		}
	}
	return tree, nil
}

// snippet returns a snippet, read once.
func (r *Renderer) snippet(name string) (*parse.Tree, error) {
	text, found := r.snippets[name]
	if !found {
		names := slices.Sorted(maps.Keys(r.snippets))
		if len(names) == 0 {
			return nil, fmt.Errorf("there is no snippet %q; spec.snippets is empty", excerpt(name, 0))
		}
		return nil, fmt.Errorf("there is no snippet %q%s; spec.snippets has %s", excerpt(name, 0), r.didYouMean(name, names), list(names))
	}
	return r.parseOnce(text, name)
}

// parseOnce reads a template that may be asked for again.
func (r *Renderer) parseOnce(text, snippet string) (*parse.Tree, error) {
	if tree, found := r.parsed[text]; found {
		return tree, nil
	}
	tree, err := r.parse(text, snippet)
	if err == nil {
		r.parsed[text] = tree
	}
	return tree, err
}

// include renders a snippet about a value.
func (r *Renderer) include(args []any) (any, error) {
	name := args[0].(string)
	tree, err := r.snippet(name)
	if err != nil {
		return nil, err
	}
	return r.nested(r.snippets[name], name, tree, args[1])
}

// tpl renders a text, which may come from the values.
func (r *Renderer) tpl(args []any) (any, error) {
	text := args[0].(string)
	if !IsTemplate(text) {
		return text, nil
	}
	const snippet = "the text of tpl"
	tree, err := r.parseOnce(text, snippet)
	if err != nil {
		return nil, err
	}
	return r.nested(text, snippet, tree, args[1])
}

func (r *Renderer) nested(text, snippet string, tree *parse.Tree, dot any) (any, error) {
	if r.budget.calls == maxCalls {
		return nil, fmt.Errorf("include and tpl are nested more than %d deep; does a snippet include itself?", maxCalls)
	}
	r.budget.calls++
	defer func() { r.budget.calls-- }()
	return r.run(text, snippet, tree, dot)
}

// run evaluates a template.
func (r *Renderer) run(text, snippet string, tree *parse.Tree, dot any) (string, error) {
	if tree.Root == nil {
		return "", nil
	}
	e := &evaluation{renderer: r, text: text, snippet: snippet, variables: []variable{{"$", dot}}}
	if err := e.walk(dot, tree.Root); err != nil {
		if errors.Is(err, errBreak) || errors.Is(err, errContinue) {
			// The parser takes neither outside of a range.
			return "", at(text, snippet, 0, err)
		}
		return "", err
	}
	return string(e.out), nil
}
