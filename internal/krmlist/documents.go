// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// separator is the line between two YAML documents. YAML allows it nowhere
// else: not in a block of text, and not in quotes.
var separator = lazyregexp.New(`(?m)^---[ \t]*\r?$\n?|^---[ \t]+`)

// ReadFile reads the documents of a file of YAML or JSON. A document that is no
// map, such as a comment, has no fields, only its bytes. The errors are those of
// the documents that can't be read, by their objects.
func ReadFile(name string, content []byte) ([]*Object, map[*Object]error) {
	var objects []*Object
	errs := map[*Object]error{}
	start := 0
	// lines is the number of lines above an offset. To count them anew for every document
	// would take the square of the time.
	lines, counted := 0, 0
	add := func(end int) {
		lines += bytes.Count(content[counted:start], []byte("\n"))
		counted = start
		for _, raw := range splitJSON(content[start:end]) {
			if len(bytes.TrimSpace(raw)) == 0 {
				continue
			}
			o, err := readDocument(content, raw, start, len(errs) < maxExplainedErrors)
			o.File, o.Index, o.Line = name, len(objects), 1+lines
			objects = append(objects, o)
			if err != nil {
				errs[o] = err
			}
		}
	}
	for _, match := range separator.FindAllIndex(content, -1) {
		add(match[0])
		start = match[1]
	}
	add(len(content))
	return objects, errs
}

// readDocument reads the document that begins at an offset of the file. With explained, an
// error says what to write, for which the document is read many times.
func readDocument(content, raw []byte, offset int, explained bool) (*Object, error) {
	roots, err := readDocuments(YAMLOfJSON(raw))
	if err == nil && len(roots) > 1 {
		err = errors.New("holds several documents that no line --- separates; write it in UTF-8, with line feeds")
	}
	if err != nil {
		// Once more, behind as many lines as stand before it: so the error
		// counts lines from the top of the file.
		lines := bytes.Count(content[:offset], []byte("\n"))
		if _, again := readDocuments(append(bytes.Repeat([]byte("\n"), lines), raw...)); again != nil {
			err = again
		}
		if explained {
			err = explainSyntax(raw, lines, err)
		}
	}
	o, tree := &Object{}, &yaml.Node{}
	if len(roots) == 1 && roots[0].Kind == yaml.MappingNode {
		o = NewParsed(roots[0])
	}
	if len(roots) == 1 {
		tree = roots[0]
	}
	o.body = &document{tree: tree, raw: raw}
	return o, err
}

// WriteYAML writes objects as a stream of YAML documents: byte by byte as they
// were read, where nobody changed them.
func WriteYAML(out *bytes.Buffer, objects []*Object) error {
	first := true
	for _, o := range objects {
		document, err := o.document()
		if err != nil {
			return err
		}
		if !first {
			out.WriteString("---\n")
		}
		first = false
		out.Write(document)
		if !bytes.HasSuffix(document, []byte("\n")) {
			out.WriteString("\n")
		}
	}
	return nil
}

// document is an object as YAML: as it was read, when it was not changed.
func (o *Object) document() ([]byte, error) {
	if text := o.body.text(); text != nil {
		return text, nil
	}
	document, err := o.encoded(false)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.File, err)
	}
	return document, nil
}

// WriteJSON writes objects as one v1 List, which kubectl accepts, too.
func WriteJSON(out *bytes.Buffer, objects []*Object) error {
	items := []json.RawMessage{}
	for _, o := range objects {
		_, isMade := o.body.(*made) // an object, whose node nobody needs
		if !isMade && kyaml.IsYNodeZero(o.Node()) {
			continue // a comment
		}
		if !isMade && o.Node().Kind != yaml.MappingNode {
			return fmt.Errorf("%s: holds a document that is no object, which has no place in a List", o.File)
		}
		document, err := o.document()
		if err != nil {
			return err
		}
		item, err := sigsyaml.YAMLToJSONStrict(YAMLOfJSON(document))
		if err != nil {
			return fmt.Errorf("%s: %w", o.File, err)
		}
		items = append(items, item)
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
}
