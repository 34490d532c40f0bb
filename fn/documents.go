// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"

	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/fn/manifest"
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

// Expand writes the documents of all files with every PeerJob replaced by its
// Service and its Job, for "kubectl apply -f -". In YAML every other document
// keeps its bytes.
//
// Findings are written to stderr, a line each. It returns ErrFailed when there
// were errors, and has written nothing to stdout then.
func Expand(files []File, stdout, stderr io.Writer, format Format) (err error) {
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
	if !report.failed() {
		objects = process(objects, nil, report)
	}
	report.write(stderr)
	if report.failed() {
		return ErrFailed
	}
	var out bytes.Buffer
	if format == JSON {
		err = writeJSON(&out, objects)
	} else {
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
	start, index := 0, 0
	add := func(end int) {
		raw := f.Content[start:end]
		if len(bytes.TrimSpace(raw)) == 0 {
			return
		}
		roots, err := readDocuments(raw)
		if err != nil {
			// Once more, behind as many lines as stand before it: so the error
			// counts lines from the top of the file.
			lines := bytes.Count(f.Content[:start], []byte("\n"))
			_, err = readDocuments(append(bytes.Repeat([]byte("\n"), lines), raw...))
			report.errorf(&object{file: f.Name, index: index}, "%v", err)
		}
		o := &object{node: &yaml.Node{}}
		if len(roots) == 1 && roots[0].Kind == yaml.MappingNode {
			o = newObject(roots[0])
		}
		o.raw, o.file, o.index = raw, f.Name, index
		objects = append(objects, o)
		index++
	}
	for _, match := range separator.FindAllIndex(f.Content, -1) {
		add(match[0])
		start = match[1]
	}
	add(len(f.Content))
	return objects
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
	return manifest.Bytes(o.node)
}

// writeJSON writes objects as one v1 List, which kubectl takes as well.
func writeJSON(out *bytes.Buffer, objects []*object) error {
	items := []json.RawMessage{}
	for _, o := range objects {
		if o.isPeerJob() || kyaml.IsYNodeZero(o.node) {
			continue
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
