// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/internal/manifest"
)

// File is one file of YAML or JSON documents.
type File struct {
	// Name is how messages call the file.
	Name string
	// Content is what is in it.
	Content []byte
}

// Format is how Expand writes objects.
type Format string

const (
	// YAML writes a stream of YAML documents.
	YAML Format = "yaml"
	// JSON writes one v1 List.
	JSON Format = "json"
)

// ExpandOptions say what Expand writes.
type ExpandOptions struct {
	Options
	// Format is how objects are written; default YAML.
	Format Format
	// Values are values for templates, over those of every PeerJob.
	Values map[string]any
	// ShowValues writes the values and what each template rendered instead of
	// the objects.
	ShowValues bool
}

// Expand writes the documents of all files with every PeerJob replaced by its
// Service and its Job, for "kubectl apply -f -". In YAML every other document
// keeps its bytes.
//
// Findings are written to stderr, a line each. It returns ErrFailed when there
// were errors, and has written nothing to stdout then.
func Expand(files []File, stdout, stderr io.Writer, options ExpandOptions) (err error) {
	report := &results{}
	defer func() {
		if cause := recover(); cause != nil {
			report.errorf(nil, "internal error: %v; please report this with the input at https://github.com/peerjob/peerjob/issues", cause)
			report.write(stderr)
			err = ErrFailed
		}
	}()
	var objects []*object
	for _, file := range files {
		objects = append(objects, file.documents(report)...)
	}
	var expansions []*expansion
	if !report.failed() {
		objects, expansions = process(objects, nil, options.Options, options.Values, report)
	}
	report.write(stderr)
	if report.failed() {
		return ErrFailed
	}
	var out bytes.Buffer
	switch {
	case options.ShowValues:
		err = writeValues(&out, expansions)
	case options.Format == JSON:
		err = writeJSON(&out, objects)
	default:
		err = writeYAML(&out, objects)
	}
	if err != nil {
		return err
	}
	if _, err := stdout.Write(out.Bytes()); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	return nil
}

// separator is the line between two YAML documents. YAML allows it nowhere
// else: not in a block of text, and not in quotes.
var separator = regexp.MustCompile(`(?m)^---[ \t]*\r?$\n?|^---[ \t]+`)

// documents reads the documents of a file. One that is no map, such as a
// comment, has no node but its bytes.
func (f File) documents(report *results) []*object {
	var objects []*object
	start := 0
	add := func(end int) {
		for _, raw := range splitJSON(f.Content[start:end]) {
			if len(bytes.TrimSpace(raw)) > 0 {
				objects = append(objects, f.document(raw, start, len(objects), report))
			}
		}
	}
	for _, match := range separator.FindAllIndex(f.Content, -1) {
		add(match[0])
		start = match[1]
	}
	add(len(f.Content))
	return objects
}

// document reads one document, which begins at an offset of the file.
func (f File) document(raw []byte, offset, index int, report *results) *object {
	o := &object{tree: &yaml.Node{}}
	roots, err := readDocuments(plainJSON(raw))
	if err == nil && len(roots) > 1 {
		err = errors.New("holds several documents which no line --- separates; write it in UTF-8, with line feeds")
	}
	if err != nil {
		// Once more, behind as many lines as stand before it: so the error
		// counts lines from the top of the file.
		lines := bytes.Count(f.Content[:offset], []byte("\n"))
		if _, again := readDocuments(append(bytes.Repeat([]byte("\n"), lines), raw...)); again != nil {
			err = again
		}
		report.errorf(&object{shownFile: f.Name, index: index}, "%v", err)
	}
	if len(roots) == 1 && roots[0].Kind == yaml.MappingNode {
		o = newObject(roots[0])
	} else if len(roots) == 1 {
		o.tree = roots[0]
	}
	o.raw, o.file, o.index = raw, f.Name, index
	return o
}

// splitJSON splits a text of JSON values that follow each other, as kubectl
// takes them. Any other text is returned as it is.
func splitJSON(text []byte) [][]byte {
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return [][]byte{text}
	}
	var values [][]byte
	decoder := json.NewDecoder(bytes.NewReader(text))
	for start := int64(0); ; start = decoder.InputOffset() {
		var value json.RawMessage
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			return values
		}
		if err != nil {
			return [][]byte{text} // a map of YAML in braces
		}
		values = append(values, bytes.TrimSpace(text[start:decoder.InputOffset()]))
	}
}

// plainJSON returns JSON without the escapes that YAML does not know. Any
// other text is returned as it is.
func plainJSON(text []byte) []byte {
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) || !bytes.Contains(text, []byte("\\")) {
		return text
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return text
	}
	plain, err := json.Marshal(value)
	if err != nil {
		return text
	}
	return plain
}

// writeYAML writes objects as a stream of YAML documents.
func writeYAML(out *bytes.Buffer, objects []*object) error {
	first := true
	for _, o := range objects {
		if o.isPeerJob() {
			continue
		}
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
func (o *object) document() ([]byte, error) {
	if o.raw != nil {
		return o.raw, nil
	}
	if err := settleAliases([]*yaml.Node{o.node()}); err != nil {
		return nil, fmt.Errorf("%s: %w", o.file, err)
	}
	return manifest.Bytes(o.node())
}

// writeJSON writes objects as one v1 List, which kubectl takes as well.
func writeJSON(out *bytes.Buffer, objects []*object) error {
	items := []json.RawMessage{}
	for _, o := range objects {
		if o.isPeerJob() || kyaml.IsYNodeZero(o.node()) {
			continue // a comment
		}
		if o.node().Kind != yaml.MappingNode {
			return fmt.Errorf("%s: holds a document that is no object, which has no place in a List", o.file)
		}
		document, err := o.document()
		if err != nil {
			return err
		}
		item, err := sigsyaml.YAMLToJSON(document)
		if err != nil {
			return fmt.Errorf("%s: %w", o.file, err)
		}
		items = append(items, item)
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
}
