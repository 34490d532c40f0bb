// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/krmlist/scan"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/parallel"
	"github.com/peerjob/peerjob/internal/rules"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// File is one file of the input.
type File struct {
	// Name is what findings call the file.
	Name string
	// Content is what is in it.
	Content []byte
	// Problem is why there is no content, "" if there is. Skipped is whether that is no
	// error: a named pipe in a folder.
	Problem string
	Skipped bool
	// Found is whether the file was found in a folder: nobody has said that it is for
	// lint.
	Found bool
}

// source is a file with the places of its lines.
type source struct {
	name    string
	content []byte
	found   bool
	// recoded is whether the content is in another encoding than the file.
	recoded bool
	// lines are the offsets of the lines, nil until someone asks.
	lines []int
}

// document is one object of the input, parsed only if someone asks for its node.
type document struct {
	source *source
	// index is its place among the documents of the file.
	index int
	// start is where its text begins in the content, and text is that text.
	start int
	text  []byte
	// isItem is whether the text begins with the dash of a list.
	isItem bool

	apiVersion, kind, namespace, name string

	// object is the object of a ResourceList that the function reads; then there is no
	// source.
	object *krmlist.Object

	parsed bool
	node   *yaml.Node
	// base is the line of the content that stands before line 1 of the node.
	base int
	err  error
	// moved is whether the node was parsed from a text with other columns.
	moved bool
	// isPatch is whether a kustomization lists the file as a patch.
	isPatch bool
	// isLeftOut is whether the object was not read, because it is a template or no YAML, and
	// may be a Service.
	isLeftOut bool
	// changedBy is a kustomization that changes the object, nil if none does.
	changedBy *document
	// selectors and podLabels are labels that kustomizations give to selectors and their
	// Pods, and to Pod templates alone.
	selectors, podLabels map[string]string
	// settled are the fields whose YAML is wrong, or misspelled.
	settled map[string]bool
	// ignored are the ids that the object wants no findings of, nil until someone asks.
	ignored map[string]bool
}

// group is the API group of the object.
func (d *document) group() string {
	group, _, found := strings.Cut(d.apiVersion, "/")
	if !found {
		return ""
	}
	return group
}

// is reports whether the object is of a kind.
func (d *document) is(group, kind string) bool { return d.kind == kind && d.group() == group }

// mentions reports whether the object may say a word.
func (d *document) mentions(word string) bool {
	if d.object != nil {
		return d.object.Mentions(word)
	}
	return bytes.Contains(d.text, []byte(word))
}

// file is the name of the file, "" if that is not known.
func (d *document) file() string {
	switch {
	case d.source != nil:
		return d.source.name
	case d.object != nil:
		return d.object.ShownFile
	}
	return ""
}

// root returns the object as YAML, nil if it can't be parsed.
func (d *document) root() *yaml.Node {
	if d.parsed {
		return d.node
	}
	d.parsed = true
	switch {
	case d.object != nil:
		d.node = yamlnode.Resolve(d.object.Node())
	case d.isItem:
		// The key that scan puts above an item is a line of its own.
		d.node, d.err = scan.Parse(d.text)
		d.base = d.source.lineOf(d.start) - 1
	default:
		d.node, d.moved, d.err = parse(d.text)
		d.base = d.source.lineOf(d.start)
	}
	if d.node != nil {
		d.describe()
	}
	return d.node
}

// describe reads from the node which object it is.
func (d *document) describe() {
	d.apiVersion = yamlnode.Text(yamlnode.Get(d.node, "apiVersion"))
	d.kind = yamlnode.Text(yamlnode.Get(d.node, "kind"))
	metadata := yamlnode.Get(d.node, "metadata")
	d.namespace, d.name = yamlnode.Text(yamlnode.Get(metadata, "namespace")), yamlnode.Text(yamlnode.Get(metadata, "name"))
}

// parse parses one document. moved is whether its columns are others than those of the
// text.
func parse(text []byte) (node *yaml.Node, moved bool, err error) {
	node, err = decode(text)
	if err == nil || !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return node, false, err
	}
	// JSON may have what YAML does not.
	if again, errAgain := decode(krmlist.YAMLOfJSON(text)); errAgain == nil {
		return again, true, nil
	}
	return nil, false, err
}

// decode parses one document of YAML. It returns nil for one without anything in it.
func decode(text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))))
	var document, more yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	if err := yamlnode.CheckCycles(&document); err != nil {
		return nil, err
	}
	// What follows is an error, too: a line "..." ends a document, and all parsers of
	// Kubernetes leave out what no line --- begins after it.
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("holds several documents that no line --- separates")
	}
	if len(document.Content) != 1 {
		return nil, nil
	}
	return document.Content[0], nil
}

// lineOf is the index of the line, from 0 on, that has an offset of the content.
func (s *source) lineOf(offset int) int {
	line, isStart := slices.BinarySearch(s.index(), offset)
	if isStart {
		return line
	}
	return line - 1
}

// index returns the offsets of the lines.
func (s *source) index() []int {
	if s.lines == nil {
		s.lines = append(make([]int, 0, bytes.Count(s.content, []byte("\n"))+1), 0)
		for i, c := range s.content {
			if c == '\n' {
				s.lines = append(s.lines, i+1)
			}
		}
	}
	return s.lines
}

// place is where a node begins in the content: its line and column, from 1 on, and its
// offset. The offset is -1 if it is not known.
func (d *document) place(node *yaml.Node) (line, column, offset int) {
	if d.source == nil || node == nil || node.Line == 0 {
		return 0, 0, -1
	}
	lines := d.source.index()
	index := d.base + node.Line - 1
	if index < 0 || index >= len(lines) {
		return 0, 0, -1
	}
	offset = lines[index]
	skip := node.Column - 1
	if index == d.source.lineOf(d.start) && offset < d.start && !d.isItem {
		offset = d.start // the text begins in the middle of a line
	}
	for ; skip > 0 && offset < len(d.source.content); skip-- {
		_, size := utf8.DecodeRune(d.source.content[offset:])
		offset += size
	}
	column = utf8.RuneCount(d.source.content[lines[index]:offset]) + 1
	if d.moved {
		return index + 1, 1, -1
	}
	return index + 1, column, offset
}

// separators calls visit with the bounds of every line "---" between two documents, and
// of the "--- " before one.
func separators(content []byte, visit func(start, end int)) {
	for at := 0; ; {
		found := bytes.Index(content[at:], []byte("---"))
		if found < 0 {
			return
		}
		start := at + found
		at = start + len("---")
		if start > 0 && content[start-1] != '\n' {
			continue
		}
		end := at
		for end < len(content) && (content[end] == ' ' || content[end] == '\t') {
			end++
		}
		rest := content[end:]
		switch {
		case len(rest) == 0:
		case rest[0] == '\n':
			end++
		case bytes.HasPrefix(rest, []byte("\r\n")):
			end += len("\r\n")
		case end == at:
			continue // a longer word
		}
		visit(start, end)
	}
}

var mark = []byte("\ufeff") // of UTF-8

// read splits a file into its documents. What can't be read is a finding.
func read(file File) ([]*document, []Finding) {
	if file.Problem != "" {
		f := Finding{ID: unreadable, Severity: Error, File: file.Name, Message: file.Problem}
		if file.Skipped {
			f.ID, f.Severity = skipped, Note
		}
		return nil, []Finding{f}
	}
	r := &reader{source: &source{name: file.Name, content: file.Content, found: file.Found}}
	if text := fromUTF16(file.Content); text != nil {
		r.source.content, r.source.recoded = text, true
	}
	content := r.source.content
	if !utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0 {
		f := Finding{ID: unreadable, Severity: Error, File: file.Name, Message: "is no text in UTF-8; write it in UTF-8"}
		if file.Found && !oursLine.Match(bytes.ReplaceAll(content, []byte{0}, nil)) {
			f.Severity = Note
		}
		return nil, []Finding{f}
	}
	start := 0
	if bytes.HasPrefix(content, mark) {
		start = len(mark)
	}
	separators(content, func(from, to int) {
		r.chunk(start, max(start, from))
		start = to
	})
	r.chunk(start, len(content))
	for i, d := range r.documents {
		d.index = i
	}
	return r.documents, r.findings
}

// fromUTF16 returns a text that begins with the mark of UTF-16 in UTF-8, nil for any other
// text.
func fromUTF16(content []byte) []byte {
	var order binary.ByteOrder
	switch {
	case len(content)%2 != 0:
		return nil
	case bytes.HasPrefix(content, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(content, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return nil
	}
	units := make([]uint16, len(content)/2)
	for i := range units {
		units[i] = order.Uint16(content[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

// ourKinds are the kinds that lint looks at.
var ourKinds = append([]string{"Job", "CronJob", "Service", "ConfigMap", "StatefulSet", "Pod", "Kustomization", "Component", v1alpha1.Kind}, rules.NamedKinds...)

// isNear reports whether an object may be in the way of a pair, or share its gang.
func isNear(kind string, text []byte) bool {
	return slices.Contains(neighborKinds, kind) || slices.ContainsFunc(gangWords, func(word string) bool { return bytes.Contains(text, []byte(word)) })
}

// isOurs reports whether an object is kept: of a kind that lint looks at, or without one,
// as a kustomization may be, or with an annotation for lint.
func isOurs(kind string, text []byte) bool {
	return slices.Contains(ourKinds, kind) || isNear(kind, text) || kind == "" && !bytes.HasPrefix(text, []byte("{")) || bytes.Contains(text, []byte(v1alpha1.LintIgnoreAnnotation))
}

// reader reads the documents of one file.
type reader struct {
	source     *source
	documents  []*document
	findings   []Finding
	identifier scan.Identifier
}

// chunk reads what stands between two separators.
func (r *reader) chunk(start, end int) {
	text := r.source.content[start:end]
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 || string(trimmed) == "..." {
		return
	}
	if trimmed[0] == '{' && r.json(start, text) {
		return
	}
	if item, sure := r.identifier.Identify(text); sure {
		switch {
		case !strings.HasSuffix(item.Kind, "List"):
		case r.items(start, text):
			return
		default:
			r.addParsed(&document{source: r.source, start: start, text: text})
			return
		}
		if isOurs(item.Kind, text) {
			r.documents = append(r.documents, &document{
				source: r.source, start: start, text: text, apiVersion: item.APIVersion, kind: item.Kind, namespace: item.Namespace, name: item.Name,
			})
		}
		return
	}
	// A list may have items in a form that scan does not know.
	if listKind.Match(text) && r.items(start, text) {
		return
	}
	d := &document{source: r.source, start: start, text: text}
	r.addParsed(d)
}

// listKind matches the kind of a list of objects.
var listKind = lazyregexp.New(`(?m)^kind: *"?\w*List"? *\r?$`)

// addParsed parses a document and adds it, with the items of a list in it.
func (r *reader) addParsed(d *document) {
	root := d.root()
	switch {
	case d.err != nil && isTemplate(d.text, nil):
		r.noteTemplate(d)
		r.leaveOut(d)
	case d.err != nil:
		r.findings = append(r.findings, r.broken(d))
		r.leaveOut(d)
	case root == nil:
	case isTemplate(d.text, root):
		r.noteTemplate(d)
		r.leaveOut(d)
	case strings.HasSuffix(d.kind, "List"):
		r.nested(d, yamlnode.Resolve(yamlnode.Get(root, "items")), 0)
	case root.Kind == yaml.MappingNode && isOurs(d.kind, d.text):
		r.documents = append(r.documents, d)
	}
}

// serviceLine matches the kind of a Service in a text that is not parsed.
var serviceLine = lazyregexp.New(`"?\bkind"?: *["']?Service\b`)

// leaveOut keeps a document that can't be read and may be a Service, so that nobody says
// that there is none.
func (r *reader) leaveOut(d *document) {
	if serviceLine.Match(d.text) {
		r.documents = append(r.documents, &document{source: d.source, start: d.start, text: d.text, parsed: true, isLeftOut: true})
	}
}

const (
	helmTemplate  = "is a Helm template; render it, and lint what comes out: helm template CHART | peerjob lint -"
	helmPeerJob   = "is a Helm template of a PeerJob; render it, and check what comes out: helm template CHART | peerjob check -"
	changed       = "changes its Services and Jobs; lint what comes out: kustomize build DIRECTORY | peerjob lint -"
	shellTemplate = "has variables in the place of values; fill them in, and lint what comes out: envsubst < FILE | peerjob lint -"
)

// maxNesting bounds lists in lists.
const maxNesting = 8

// nested adds the items of a list that was parsed as a whole.
func (r *reader) nested(list *document, items *yaml.Node, depth int) {
	if items == nil || items.Kind != yaml.SequenceNode || depth > maxNesting {
		return
	}
	for _, item := range items.Content {
		d := *list
		d.node = yamlnode.Resolve(item)
		d.describe()
		if strings.HasSuffix(d.kind, "List") {
			r.nested(&d, yamlnode.Resolve(yamlnode.Get(d.node, "items")), depth+1)
		} else if d.node.Kind == yaml.MappingNode && isOurs(d.kind, nil) {
			r.documents = append(r.documents, &d)
		}
	}
}

// items adds the items of a list in block style without parsing them. It reports false
// if the list must be parsed.
func (r *reader) items(start int, text []byte) bool {
	items, err := scan.Items(text)
	if err != nil {
		return false
	}
	offset := 0
	for i := range items {
		item := &items[i]
		body := item.Body()
		at := bytes.Index(text[offset:], body)
		if at < 0 {
			return false
		}
		offset += at
		if !isOurs(item.Kind, body) {
			offset += len(body)
			continue
		}
		r.documents = append(r.documents, &document{
			source: r.source, start: start + offset, text: body, isItem: true,
			apiVersion: item.APIVersion, kind: item.Kind, namespace: item.Namespace, name: item.Name,
		})
		offset += len(body)
	}
	return true
}

// json adds JSON values that follow each other, and the items of lists among them, one
// by one. It reports false for a text that is no JSON.
func (r *reader) json(start int, text []byte) bool {
	before := len(r.documents)
	decoder := json.NewDecoder(bytes.NewReader(text))
	for decoder.More() {
		if !r.object(start, text, decoder) {
			r.documents = r.documents[:before]
			return false
		}
	}
	return true
}

// header is what tells a JSON object apart.
type header struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
}

// object adds the next JSON value of a text, or its items.
func (r *reader) object(start int, text []byte, decoder *json.Decoder) bool {
	before := int(decoder.InputOffset())
	opening, err := decoder.Token()
	if err != nil || opening != json.Delim('{') {
		return false
	}
	begin := before + bytes.IndexByte(text[before:], '{')
	var own header
	found := len(r.documents)
	isList := false
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return false
		}
		if key == "items" {
			if isList, err = r.elements(start, text, decoder); err != nil {
				return false
			}
			continue
		}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return false
		}
		switch key {
		case "apiVersion":
			_ = json.Unmarshal(value, &own.APIVersion) // one that is no string is none
		case "kind":
			_ = json.Unmarshal(value, &own.Kind)
		case "metadata":
			_ = json.Unmarshal(value, &own.Metadata)
		}
	}
	if _, err := decoder.Token(); err != nil {
		return false
	}
	if strings.HasSuffix(own.Kind, "List") && isList {
		return true
	}
	r.documents = r.documents[:found]
	if own.Kind != "" && isOurs(own.Kind, text[begin:decoder.InputOffset()]) {
		r.documents = append(r.documents, r.jsonDocument(start, text, begin, int(decoder.InputOffset()), own))
	}
	return true
}

// elements adds the elements of a list of JSON objects. It reports false if they are no
// list.
func (r *reader) elements(start int, text []byte, decoder *json.Decoder) (bool, error) {
	opening, err := decoder.Token()
	if err != nil || opening != json.Delim('[') {
		if opening == json.Delim('{') {
			return false, errors.New("items is a map")
		}
		return false, err
	}
	for decoder.More() {
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return false, err
		}
		end := int(decoder.InputOffset())
		var own header
		if slices.ContainsFunc(ourKinds, func(kind string) bool { return bytes.Contains(value, []byte(`"`+kind+`"`)) }) || isOurs("", value) {
			_ = json.Unmarshal(value, &own) // what is no object has no kind
		}
		if isOurs(own.Kind, value) {
			r.documents = append(r.documents, r.jsonDocument(start, text, end-len(value), end, own))
		}
	}
	_, err = decoder.Token()
	return true, err
}

func (r *reader) jsonDocument(start int, text []byte, begin, end int, own header) *document {
	return &document{
		source: r.source, start: start + begin, text: text[begin:end],
		apiVersion: own.APIVersion, kind: own.Kind, namespace: own.Metadata.Namespace, name: own.Metadata.Name,
	}
}

// note says that a document was left out.
func (r *reader) note(d *document, message string) {
	r.findings = append(r.findings, Finding{
		ID: skipped, Severity: Note, File: r.source.name, Line: r.source.lineOf(d.start+leading(d.text)) + 1, Column: 1, Message: message,
	})
}

// peerJobLine matches the kind of a PeerJob in a text that is not parsed.
var peerJobLine = lazyregexp.New(`"?\bkind"?: *["']?PeerJob\b`)

// noteTemplate says that a template of Helm was left out.
func (r *reader) noteTemplate(d *document) {
	if peerJobLine.Match(d.text) {
		r.note(d, helmPeerJob)
	} else {
		r.note(d, helmTemplate)
	}
}

// leading is how many bytes stand before the first text of a document.
func leading(text []byte) int { return len(text) - len(bytes.TrimLeft(text, " \t\r\n")) }

// yamlLine matches the line in an error of the parser.
var yamlLine = lazyregexp.New(`^yaml: (?:line (\d+): )?`)

// broken is the finding of a document that can't be parsed.
func (r *reader) broken(d *document) Finding {
	f := Finding{ID: invalidYAML, Severity: Error, File: r.source.name, Line: r.source.lineOf(d.start+leading(d.text)) + 1, Column: 1}
	text := d.err.Error()
	if match := yamlLine.FindStringSubmatch(text); match != nil {
		text = text[len(match[0]):]
		var line int
		if _, err := fmt.Sscan(match[1], &line); err == nil {
			f.Line = min(r.source.lineOf(d.start)+line, len(r.source.index()))
		}
	}
	f.Message = "is not valid YAML: " + text
	if r.source.found && !oursLine.Match(d.text) {
		f.Severity = Note
	}
	return f
}

// oursLine matches the kind of an object that lint looks at.
var oursLine = lazyregexp.New(`"?\bkind"?: *["']?(?:Job|CronJob|Service|ConfigMap|\w*List|PeerJob|Kustomization|Component)\b`)

// isTemplate reports whether a document is a template of Helm: it has "{{" where YAML
// has structure, or in what says which object it is.
func isTemplate(text []byte, root *yaml.Node) bool {
	if !bytes.Contains(text, []byte("{{")) {
		return false
	}
	if root == nil {
		return true
	}
	metadata := yamlnode.Get(root, "metadata")
	for _, value := range []*yaml.Node{yamlnode.Get(root, "kind"), yamlnode.Get(metadata, "name"), yamlnode.Get(metadata, "namespace")} {
		if strings.Contains(yamlnode.Text(value), "{{") {
			return true
		}
	}
	return hasMapKey(root)
}

// variable matches a variable of a shell, as envsubst fills it in.
var variable = lazyregexp.New(`\$\{[A-Za-z_]\w*\}|^\$[A-Z_][A-Z0-9_]*$`)

// texts are the keys of an object below which a variable of a shell is meant as it is.
var textKeys = []string{"command", "args", "env", "exec", "data", "binaryData", "stringData", "annotations", "volumes", "volumeMounts"}

// hasVariable reports whether an object has a variable of a shell in the place of a value.
func hasVariable(node *yaml.Node) bool {
	if node.Kind == yaml.ScalarNode {
		return strings.Contains(node.Value, "$") && variable.MatchString(node.Value)
	}
	for i, child := range node.Content {
		isText := node.Kind == yaml.MappingNode && i%2 == 1 && slices.Contains(textKeys, node.Content[i-1].Value)
		if !isText && hasVariable(child) {
			return true
		}
	}
	return false
}

// hasMapKey reports whether a map has a map as a key: what "{{ x }}" is in YAML.
func hasMapKey(node *yaml.Node) bool {
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 && child.Kind == yaml.MappingNode || hasMapKey(child) {
			return true
		}
	}
	return false
}

// joinNotes leaves one note of templates for each folder.
func joinNotes(findings []Finding) []Finding {
	type key struct{ folder, message string }
	first := map[key]int{}
	more := map[key]int{}
	var joined []Finding
	for _, f := range findings {
		k := key{folder(f.File), f.Message}
		if f.ID != skipped || !slices.Contains([]string{helmTemplate, helmPeerJob, shellTemplate}, f.Message) {
			joined = append(joined, f)
			continue
		}
		if at, found := first[k]; found {
			if joined[at].File != f.File {
				more[k]++
			}
			continue
		}
		first[k] = len(joined)
		joined = append(joined, f)
	}
	for k, n := range more {
		joined[first[k]].Message += fmt.Sprintf(" (and %d more in this folder)", n)
	}
	return joined
}

// readAll reads all files, side by side.
func readAll(files []File) ([]*document, []Finding) {
	documents, findings := make([][]*document, len(files)), make([][]Finding, len(files))
	parallel.For(len(files), 1, func(i int) { documents[i], findings[i] = read(files[i]) })
	var all []*document
	var said []Finding
	for i := range files {
		all, said = append(all, documents[i]...), append(said, findings[i]...)
	}
	return all, said
}

// folder is the folder of a file.
func folder(file string) string { return path.Dir(strings.ReplaceAll(file, `\`, "/")) }
