// SPDX-License-Identifier: Apache-2.0

// Package fields answers: what does the API say of a field of a PeerJob?
//
// # Rules
//
//   - It reads the JSON Schema of a PeerJob, and knows no field itself.
//   - A path is as kubectl explain takes it, spec.barrier, or as a message of peerjob has
//     it, spec.template.spec.containers[0].image. What is in a map or a list of single
//     values is explained with the field that is the map or the list.
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
	first := text
	if end := strings.IndexAny(text, ".["); end >= 0 {
		first = text[:end]
	}
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

// step is one element of a path.
type step struct {
	// name is a field, or what is in brackets: an index, a key, or nothing for any index.
	name      string
	isBracket bool
	// end is where the path is cut behind the step.
	end int
}

// split returns the steps of a path.
func split(path string) (steps []step, err error) {
	for at := 0; at < len(path); {
		if path[at] == '[' {
			length := strings.IndexByte(path[at:], ']')
			if length < 0 {
				return nil, fmt.Errorf("%s: \"[\" has no \"]\"", path)
			}
			steps = append(steps, step{path[at+1 : at+length], true, at + length + 1})
			at += length + 1
			continue
		}
		if len(steps) > 0 {
			if path[at] != '.' {
				return nil, fmt.Errorf("%s: needs a dot or the end after %q", path, path[:at])
			}
			at++
		}
		length := strings.IndexAny(path[at:], ".[")
		if length < 0 {
			length = len(path) - at
		}
		if length == 0 {
			return nil, fmt.Errorf("%s: needs the name of a field after %q", path, path[:at])
		}
		at += length
		steps = append(steps, step{path[at-length : at], false, at})
	}
	return steps, nil
}

// found is a field that a path leads to. The path may go on into it: to an element of the
// list or to a value of the map that the field is.
type found struct {
	name string
	*node
}

// find follows a path. The error says where it leads nowhere.
func (a *API) find(path string) (found, error) {
	at := found{node: a.root}
	steps, err := split(path)
	if err != nil {
		return found{}, err
	}
	inside, walked := a.root, ""
	if len(steps) > 0 && isKind(steps[0].name) {
		walked, steps = path[:steps[0].end], steps[1:]
	}
	for _, s := range steps {
		outer := walked
		walked = path[:s.end]
		switch {
		case isAny(inside): // whatever follows is in it
		case s.isBracket:
			of, isList := a.elements(inside)
			switch {
			case of == nil:
				return found{}, fmt.Errorf("%s: is neither a list nor a map; write %s", walked, outer)
			case isList && strings.Trim(s.name, "0123456789") != "":
				return found{}, fmt.Errorf("%s: is a list; write %s[0]", walked, outer)
			case !isList && s.name == "":
				return found{}, fmt.Errorf("%s: is a map; write %s[KEY]", walked, outer)
			}
			inside = of
		default:
			names := a.fieldsOf(inside)
			next, known := names[s.name]
			of, isList := a.elements(inside)
			if !known && of != nil && !isList && len(names) == 0 {
				inside = of // a key
				continue
			}
			if !known {
				return found{}, fmt.Errorf("%s: unknown field%s", walked, suggest(s.name, names, outer))
			}
			at, inside = found{name: s.name, node: next}, next
		}
	}
	return at, nil
}

// isAny reports whether a schema takes any value.
func isAny(n *node) bool {
	return n.Ref == "" && n.Type == nil && n.Enum == nil && n.AllOf == nil && n.AnyOf == nil && n.Properties == nil && n.Items == nil
}

// elements returns the schema of the elements of a list or of the values of a map, nil
// for any other.
func (a *API) elements(n *node) (of *node, isList bool) {
	forms, _ := a.forms(n)
	for _, form := range forms {
		if of := inner(form); of != nil {
			return of, form.Items != nil
		}
	}
	return nil, false
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
