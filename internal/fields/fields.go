// SPDX-License-Identifier: Apache-2.0

// Package fields answers: what does the API say of a field of a PeerJob?
//
// # Rules
//
//   - It reads the JSON Schema of a PeerJob, and knows no field itself.
//   - A path is as kubectl explain takes it, spec.barrier, or as a message of peerjob has
//     it, spec.template.spec.containers[0].image.
//   - What it writes has the form of kubectl explain.
//
// # Never
//
// It never looks at a PeerJob.
package fields

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/peerjob/peerjob/internal/spell"
)

// node is a JSON Schema, as far as this package reads it.
type node struct {
	Ref         string `json:"$ref"`
	Description string
	Type        any
	Default     any
	Enum        []string
	AllOf       []*node
	AnyOf       []*node
	Items       *node
	Required    []string
	Properties  map[string]*node
	// Additional is a schema, or false.
	Additional  json.RawMessage `json:"additionalProperties"`
	Definitions map[string]*node
}

// API is what the JSON Schema of a PeerJob says.
type API struct{ root *node }

// Read reads the JSON Schema.
func Read(text []byte) (*API, error) {
	api := &API{root: &node{}}
	err := json.Unmarshal(text, api.root)
	return api, err
}

// kind is what kubectl calls the PeerJob as a whole, in lower case.
const kind = "peerjob"

// IsPath reports whether a text is the path of a field, as far as its beginning says:
// peerjob, or a field of the PeerJob as a whole.
func (a *API) IsPath(text string) bool {
	first := split(text)[0]
	if isKind(first) {
		return true
	}
	_, found := a.root.Properties[first]
	return found
}

func isKind(word string) bool {
	word = strings.ToLower(word)
	return word == kind || word == kind+"s"
}

// split returns the names in a path. What is in brackets, an index or a key, is left out.
func split(path string) []string {
	var plain strings.Builder
	depth := 0
	for _, c := range path {
		switch {
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		case depth == 0:
			plain.WriteRune(c)
		}
	}
	return strings.Split(strings.TrimSuffix(plain.String(), "."), ".")
}

// found is a field that a path leads to.
type found struct {
	name string
	*node
}

// find follows a path. The error says where it leads nowhere.
func (a *API) find(path string) (found, error) {
	at := found{node: a.root}
	names := split(path)
	if isKind(names[0]) {
		names = names[1:]
	}
	var walked []string
	for _, name := range names {
		inside := a.fieldsOf(at.node)
		walked = append(walked, name)
		next, known := inside[name]
		if !known {
			return found{}, fmt.Errorf("%s: unknown field%s", strings.Join(walked, "."), suggest(name, inside, strings.Join(walked[:len(walked)-1], ".")))
		}
		at = found{name: name, node: next}
	}
	return at, nil
}

// suggest says what to write instead of an unknown name.
func suggest(name string, inside map[string]*node, outer string) string {
	names := slices.Sorted(maps.Keys(inside))
	if nearest := spell.Nearest(name, names); nearest != "" {
		return fmt.Sprintf("; did you mean %q?", nearest)
	}
	if len(names) == 0 {
		return fmt.Sprintf("; %s has no fields", outer)
	}
	return fmt.Sprintf("; the fields there are %s", strings.Join(names, ", "))
}

// forms returns the schemas that a value may have, references followed, and whether a
// template may stand there. What only stands for an unset value is left out.
func (a *API) forms(n *node) (forms []*node, template bool) {
	for _, form := range slices.Concat([]*node{n}, n.AllOf, n.AnyOf) {
		switch name := definition(form); {
		case name == "":
			if form.Type != nil || form.Enum != nil {
				forms = append(forms, form)
			}
		case name == "template" || name == "templateText":
			template = true
		case name != "unset":
			forms = append(forms, a.root.Definitions[name])
		}
	}
	return forms, template
}

// definition is the name of the definition that a schema refers to, "" for none.
func definition(n *node) string {
	name, _ := strings.CutPrefix(n.Ref, "#/definitions/")
	return name
}

// inner returns the schema of the elements of a list or of the values of a map, nil for
// any other.
func inner(n *node) *node {
	if n.Items != nil {
		return n.Items
	}
	of := &node{}
	if len(n.Additional) > 0 && n.Additional[0] == '{' && json.Unmarshal(n.Additional, of) == nil {
		return of
	}
	return nil
}

// fieldsOf returns the fields of a value: of a struct, or of each element of a list or a
// map of structs.
func (a *API) fieldsOf(n *node) map[string]*node {
	forms, _ := a.forms(n)
	for _, form := range forms {
		if len(form.Properties) > 0 {
			return form.Properties
		}
		if of := inner(form); of != nil {
			return a.fieldsOf(of)
		}
	}
	return nil
}

// required returns the names of the fields that a value must have.
func (a *API) required(n *node) []string {
	forms, _ := a.forms(n)
	for _, form := range forms {
		if len(form.Properties) > 0 {
			return form.Required
		}
		if of := inner(form); of != nil {
			return a.required(of)
		}
	}
	return nil
}

// typeOf is the name of the type of a value, as kubectl has it.
func (a *API) typeOf(n *node) string {
	for _, form := range slices.Concat([]*node{n}, n.AllOf, n.AnyOf) {
		if name := definition(form); name != "" {
			if name == "template" || name == "templateText" || name == "unset" {
				continue
			}
			return strings.TrimSuffix(name, "PeerJob")
		}
		if of := inner(form); of != nil {
			if form.Items != nil {
				return "[]" + a.typeOf(of)
			}
			return "map[string]" + a.typeOf(of)
		}
		if form.Enum != nil {
			return "string"
		}
		switch types := form.Type.(type) {
		case string:
			return types
		case []any:
			var names []string
			for _, name := range types {
				if name != "null" {
					names = append(names, fmt.Sprint(name))
				}
			}
			return strings.Join(names, " or ")
		}
	}
	if n == a.root {
		return "PeerJob"
	}
	return "any value"
}

// enum returns the words that a value may have.
func (a *API) enum(n *node) []string {
	forms, _ := a.forms(n)
	for _, form := range forms {
		if form.Enum != nil {
			return form.Enum
		}
		if form.Items != nil {
			return a.enum(form.Items)
		}
	}
	return nil
}

// Complete returns the paths of fields that begin with a text, for the completion of a
// shell.
func (a *API) Complete(text string) []string {
	outer, last := "", text
	if dot := strings.LastIndex(text, "."); dot >= 0 {
		outer, last = text[:dot], text[dot+1:]
	}
	at := found{node: a.root}
	if outer != "" {
		var err error
		if at, err = a.find(outer); err != nil {
			return nil
		}
		outer += "."
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(a.fieldsOf(at.node))) {
		if strings.HasPrefix(name, last) {
			all = append(all, outer+name)
		}
	}
	return all
}
