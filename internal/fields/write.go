// SPDX-License-Identifier: Apache-2.0

package fields

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// width is the width of a page, in characters.
const width = 80

// Explain writes what the API says of the field that a path leads to: its type, its
// documentation and the fields in it, with recursive only the names of all fields below
// it. The error is about the path.
func (a *API) Explain(out *bytes.Buffer, path string, recursive bool) error {
	at, err := a.find(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "GROUP:      %s\nKIND:       %s\nVERSION:    %s\n\n", v1alpha1.Group, v1alpha1.Kind, v1alpha1.Version)
	if at.name != "" {
		fmt.Fprintf(out, "FIELD: %s <%s>\n\n", at.name, a.typeOf(at.node))
	}
	if words := a.enum(at.node); words != nil {
		fmt.Fprintf(out, "ENUM:\n    %s\n\n", strings.Join(words, "\n    "))
	}
	if at.Default != nil {
		fmt.Fprintf(out, "DEFAULT: %s\n\n", literal(at.Default))
	}
	out.WriteString("DESCRIPTION:\n")
	wrap(out, at.Description, 4)
	forms, template := a.forms(at.node)
	for _, form := range forms {
		if form != at.node && form.Description != "" && form.Description != at.Description {
			wrap(out, form.Description, 4)
		}
	}
	if template {
		wrap(out, "You can write a template here if spec.templating is Enabled.", 4)
	}
	out.WriteString("\n")
	if len(a.fieldsOf(at.node)) > 0 {
		out.WriteString("FIELDS:\n")
		if recursive {
			a.tree(out, at.node, 2, nil)
		} else {
			a.list(out, at.node)
		}
		out.WriteString("\n")
	}
	return nil
}

// line writes the name and the type of a field.
func (a *API) line(out *bytes.Buffer, name string, n *node, required []string, indent int) {
	fmt.Fprintf(out, "%*s%s\t<%s>", indent, "", name, a.typeOf(n))
	if slices.Contains(required, name) {
		out.WriteString(" -required-")
	}
	out.WriteString("\n")
	if words := a.enum(n); words != nil {
		fmt.Fprintf(out, "%*senum: %s\n", indent, "", strings.Join(words, ", "))
	}
}

// list writes the fields of a value with their documentation.
func (a *API) list(out *bytes.Buffer, n *node) {
	inside, required := a.fieldsOf(n), a.required(n)
	for i, name := range slices.Sorted(maps.Keys(inside)) {
		if i > 0 {
			out.WriteString("\n")
		}
		a.line(out, name, inside[name], required, 2)
		wrap(out, inside[name].Description, 4)
	}
}

// tree writes the names of all fields below a value. A field of a type that it is in
// itself is written without its fields.
func (a *API) tree(out *bytes.Buffer, n *node, indent int, outer []string) {
	inside, required := a.fieldsOf(n), a.required(n)
	for _, name := range slices.Sorted(maps.Keys(inside)) {
		a.line(out, name, inside[name], required, indent)
		if typ := a.typeOf(inside[name]); !slices.Contains(outer, typ) {
			a.tree(out, inside[name], indent+2, append(outer, typ))
		}
	}
}

func literal(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return strings.Trim(string(text), `"`)
}

// wrap writes a text with its lines indented and no wider than a page. The lines of the
// text stay apart.
func wrap(out *bytes.Buffer, text string, indent int) {
	for line := range strings.Lines(text) {
		at := 0
		for _, word := range strings.Fields(line) {
			if at > 0 && at+1+len(word) > width {
				out.WriteString("\n")
				at = 0
			}
			if at == 0 {
				at, _ = fmt.Fprintf(out, "%*s%s", indent, "", word)
				continue
			}
			n, _ := fmt.Fprintf(out, " %s", word)
			at += n
		}
		if at > 0 {
			out.WriteString("\n")
		}
	}
}
