// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/peerjob/peerjob/internal/spell"
)

// missing stands for a value that the data does not have. It is false in "if",
// "with", "and", "or" and "not", and some functions say what to do then; for
// everything else it is an error. Most are never asked for that error, so that it
// is made late.
type missing struct {
	evaluation *evaluation
	// chain is what was followed, up to the name that is missing.
	chain chain
	// in is the map or the object that does not have it, nil where that is null.
	in any
	// cause says why, where it is known.
	cause error
}

func (e *evaluation) missing(c *chain, in any) *missing {
	return &missing{evaluation: e, chain: *c, in: in}
}

// absence is how a function says that what it looked for is missing.
type absence struct {
	in  map[string]any
	key string
}

func (a *absence) Error() string { return fmt.Sprintf("the map has no %q", excerpt(a.key, 0)) }

// err says what is missing, and what there is.
func (m *missing) err() error {
	e, c := m.evaluation, &m.chain
	if m.cause != nil {
		var gap *absence
		if errors.As(m.cause, &gap) {
			return e.failf(c, "%w", e.renderer.explain("the map", gap.key, gap.in))
		}
		return e.fail(c, m.cause)
	}
	path, name := c.path(), c.names[c.at]
	if m.in == nil {
		if why := e.whyNull(path); why != "" {
			return e.failf(c, "%s %s", path, why)
		}
		return e.failf(c, "%s is null, and has no %q", path, name)
	}
	if path == "." || path == "$" {
		if advice, found := helmObjects[name]; found {
			return e.failf(c, ".%s is Helm's; %s", name, advice)
		}
	}
	if path == "." && e.dollarIsData() && slices.Contains(e.renderer.data.Fields(), name) {
		here := ""
		if object, ok := m.in.(Object); ok {
			here = "it has " + list(object.Fields()) + "; for the outer one "
		}
		return e.failf(c, `. has no %q here; %swrite $.%s, because range and with change what "." is`, name, here, strings.Join(c.names[c.at:], "."))
	}
	return e.fail(c, e.renderer.explain(path, name, m.in))
}

// dollarIsData reports whether $ is the data as a whole, as it is outside of snippets.
func (e *evaluation) dollarIsData() bool {
	object, ok := e.variables[0].value.(Object)
	return ok && object == e.renderer.data
}

// explain says that a map or an object has no such key, and which it has.
func (r *Renderer) explain(path, name string, in any) error {
	var names []string
	if object, ok := in.(Object); ok {
		names = object.Fields()
	} else {
		dict := in.(map[string]any)
		if r.Nulls.has(dict, name) {
			return fmt.Errorf("%s.%s is null, which removes the key; give it a value, or write | default", strings.TrimSuffix(path, "."), name)
		}
		var err error
		if names, err = r.budget.sortedKeys(dict); err != nil {
			return fmt.Errorf("%s has no %q", path, excerpt(name, 0))
		}
	}
	if len(names) == 0 {
		hint := "; it is empty"
		if strings.TrimPrefix(path, "$") == ".Values" {
			hint = "; the PeerJob has no values: set spec.values or spec.valuesFrom, or use --values or --set"
		}
		return fmt.Errorf("%s has no %q%s", path, excerpt(name, 0), hint)
	}
	near, cure := r.didYouMean(name, names), ""
	if near == "" && strings.TrimPrefix(path, "$") == ".Values" {
		cure = "; set it in spec.values, or with --values or --set"
	}
	return fmt.Errorf("%s has no %q%s; it has %s%s", path, excerpt(name, 0), near, list(names), cure)
}

// didYouMean names the known name that was probably meant, if the budget is
// enough to look for it.
func (r *Renderer) didYouMean(name string, names []string) string {
	const longest = 100 // of the names that are like another
	if len(name) > longest {
		return ""
	}
	price := 0
	for _, known := range names {
		price += elementPrice + 64*(len(name)+min(len(known), longest)) + 8*len(name)*min(len(known), longest)
	}
	if price > r.budget.left/2 || r.budget.spend(price) != nil {
		return ""
	}
	if near := spell.Nearest(name, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// list shows names in a message, not all of very many.
func list(names []string) string {
	const most = 20
	var shown strings.Builder
	for i, name := range names[:min(len(names), most)] {
		if i > 0 {
			shown.WriteString(", ")
		}
		fmt.Fprintf(&shown, "%q", excerpt(name, 0))
	}
	if len(names) > most {
		fmt.Fprintf(&shown, " and %d more", len(names)-most)
	}
	return shown.String()
}

// helmObjects are the objects of a Helm template which are not here, and what
// to write instead.
var helmObjects = map[string]string{
	"Release":      "write .Name and .Namespace",
	"Chart":        "write the text, or put it into the values",
	"Capabilities": "set spec.kubernetesVersion: the fields are checked against it",
	"Files":        "write the text into spec.files, or mount a ConfigMap that a configMapGenerator makes of the file",
	"Template":     "write the text, or put it into the values",
	"Subcharts":    "a PeerJob has none",
}
