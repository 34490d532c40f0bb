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
)

// treeName is the name under which the parser knows every template.
const treeName = "template"

// Object is a value whose fields are computed when a template asks for them,
// such as the data as a whole and a peer.
type Object interface {
	// Fields are the names of the fields, in the order of the documentation.
	Fields() []string
	// Field is the value of one of them. An error says why it has none here.
	Field(name string) (any, error)
}

// Renderer renders the templates of one PeerJob.
type Renderer struct {
	data     Object
	snippets map[string]string
	parsed   map[string]*parse.Tree
	budget   *Budget
	calls    int
}

// New returns a renderer of templates about data: an Object, whose fields are
// strings, integers, floats, booleans, nil, []any, map[string]any and Objects.
// The snippets are what include finds by name. All that it renders is paid for
// from the budget.
func New(data Object, snippets map[string]string, budget *Budget) *Renderer {
	return &Renderer{data: data, snippets: snippets, parsed: map[string]*parse.Tree{}, budget: budget}
}

// IsTemplate reports whether a text has anything to render.
func IsTemplate(text string) bool { return strings.Contains(text, "{{") }

// Check reads a snippet without rendering it.
func (r *Renderer) Check(snippet string) error {
	_, err := r.snippet(snippet)
	return err
}

// Render returns what a text says. The error is an *Error.
func (r *Renderer) Render(text string) (string, error) {
	if !IsTemplate(text) {
		return text, nil
	}
	tree, err := r.parse(text, "")
	if err != nil {
		return "", err
	}
	rendered, err := r.run(text, "", tree, r.data)
	if err == nil && !utf8.ValidString(rendered) {
		err = at(text, "", 0, errors.New("renders to what is no UTF-8 text: a character was cut in two, or it holds binary data"))
	}
	if err != nil {
		return "", err
	}
	return rendered, nil
}

// parse reads a template.
func (r *Renderer) parse(text, snippet string) (*parse.Tree, error) {
	if len(text) > MaxText {
		return nil, at(text, snippet, 0, fmt.Errorf("the template has %d bytes, and may have %d; put long text into a ConfigMap and mount that", len(text), MaxText))
	}
	if err := r.budget.spend(len(text) * parseCost); err != nil {
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
	if tree, found := r.parsed[name]; found {
		return tree, nil
	}
	text, found := r.snippets[name]
	if !found {
		names := slices.Sorted(maps.Keys(r.snippets))
		if len(names) == 0 {
			return nil, fmt.Errorf("there is no snippet %q; spec.snippets is empty", name)
		}
		return nil, fmt.Errorf("there is no snippet %q%s; spec.snippets has %s", name, didYouMean(name, names), list(names))
	}
	tree, err := r.parse(text, name)
	if err != nil {
		return nil, err
	}
	r.parsed[name] = tree
	return tree, nil
}

// include renders a snippet about a value.
func (r *Renderer) include(name string, dot any) (string, error) {
	tree, err := r.snippet(name)
	if err != nil {
		return "", err
	}
	return r.nested(r.snippets[name], name, tree, dot)
}

// tpl renders a text, which may come from the values.
func (r *Renderer) tpl(text string, dot any) (string, error) {
	if !IsTemplate(text) {
		return text, nil
	}
	const snippet = "the text of tpl"
	tree, err := r.parse(text, snippet)
	if err != nil {
		return "", err
	}
	return r.nested(text, snippet, tree, dot)
}

func (r *Renderer) nested(text, snippet string, tree *parse.Tree, dot any) (string, error) {
	if r.calls == maxCalls {
		return "", fmt.Errorf("include and tpl stand more than %d deep in each other; does a snippet include itself?", maxCalls)
	}
	r.calls++
	defer func() { r.calls-- }()
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

// list shows names in a message, not all of very many.
func list(names []string) string {
	const most = 20
	shown := make([]string, 0, most)
	for _, name := range names[:min(len(names), most)] {
		shown = append(shown, fmt.Sprintf("%q", name))
	}
	text := strings.Join(shown, ", ")
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return text
}
