// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
)

// operation is what an edit does.
type operation int

const (
	noEdit operation = iota
	// setKey gives a key of a map a single value, in its place if it is there, else
	// behind the key after.
	setKey
	// removeKey removes a key with a single value.
	removeKey
	// replaceText puts the value in the place of the text key, which stands at an offset of
	// a single value.
	replaceText
	// renameKey gives a key the name value.
	renameKey
	// insertIndex puts the variable JOB_COMPLETION_INDEX before the others.
	insertIndex
)

// edit is a change of one place of a document.
type edit struct {
	op operation
	// node is the map or the list that changes, nil for an edit that is not possible.
	node              *yaml.Node
	key, value, after string
	at                int
}

// change puts a text in the place of the bytes from start to end of a file.
type change struct {
	start, end int
	text       string
}

// compile returns the edit as a change of the file. It reports false if it can't be made
// without other changes: the place is shared by an anchor, or is of a form that this
// package does not edit.
func (e edit) compile(d *document) (change, bool) {
	if e.node == nil || d.source == nil || d.source.recoded || d.moved {
		return change{}, false
	}
	switch e.op {
	case setKey:
		if e.node.Kind != yaml.MappingNode {
			return change{}, false
		}
		if _, value := own(e.node, e.key); value != nil {
			return e.replace(d, value)
		}
		return e.insert(d)
	case removeKey:
		return e.remove(d)
	case renameKey:
		key, _ := own(e.node, e.key)
		if other, _ := own(e.node, e.value); key == nil || other != nil {
			return change{}, false
		}
		e.key = ""
		return e.replace(d, key)
	case replaceText:
		start, _, ok := d.extent(e.node)
		if ok && e.node.Style != 0 {
			start++ // the quote
		}
		return change{start + e.at, start + e.at + len(e.key), e.value}, ok
	case insertIndex:
		return e.insertVariable(d)
	}
	return change{}, false
}

// replace puts a value in the place of another one.
func (e edit) replace(d *document, value *yaml.Node) (change, bool) {
	start, end, ok := d.extent(value)
	text := e.value
	if ok && end > start {
		if quote := d.source.content[start]; quote == '"' || quote == '\'' {
			text = string(quote) + e.value + string(quote)
		}
	}
	return change{start, end, text}, ok
}

// extent is where a single value on one line begins and ends in the file.
func (d *document) extent(value *yaml.Node) (start, end int, ok bool) {
	_, _, start = d.place(value)
	if start < 0 || value.Kind != yaml.ScalarNode || value.Anchor != "" || value.Tag != value.ShortTag() && strings.HasPrefix(value.Tag, "!") && !strings.HasPrefix(value.Tag, "!!") {
		return 0, 0, false
	}
	text := value.Value
	switch value.Style {
	case yaml.DoubleQuotedStyle:
		text = `"` + text + `"`
	case yaml.SingleQuotedStyle:
		text = "'" + text + "'"
	case 0:
	default:
		return 0, 0, false
	}
	if text == "" || !bytes.HasPrefix(d.source.content[start:], []byte(text)) {
		return 0, 0, false
	}
	return start, start + len(text), true
}

// newline is how the line of an offset ends; the last one may end as the one before it.
func (s *source) newline(offset int) string {
	start, next := s.lineBounds(offset)
	if line := s.content[:next]; bytes.HasSuffix(line, []byte("\r\n")) || !bytes.HasSuffix(line, []byte("\n")) && bytes.HasSuffix(s.content[:start], []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// lineBounds are where the line of an offset begins, and where the next one does.
func (s *source) lineBounds(offset int) (start, next int) {
	lines := s.index()
	line := s.lineOf(offset)
	if line+1 < len(lines) {
		return lines[line], lines[line+1]
	}
	return lines[line], len(s.content)
}

// insert adds a key to a map that has others.
func (e edit) insert(d *document) (change, bool) {
	if len(e.node.Content) == 0 {
		return change{}, false
	}
	first := e.node.Content[0]
	_, _, offset := d.place(first)
	if offset < 0 {
		return change{}, false
	}
	if e.node.Style&yaml.FlowStyle != 0 {
		return e.insertFlow(d, first, offset)
	}
	s := d.source
	indent, ok := s.indentBefore(offset)
	if !ok {
		return change{}, false
	}
	newline := s.newline(offset)
	line := indent + e.key + ": " + e.value + newline
	if key, value := own(e.node, e.after); key != nil {
		if _, end, single := d.extent(value); single {
			_, _, at := d.place(key)
			if _, aligned := s.indentBefore(at); aligned {
				_, next := s.lineBounds(end)
				if next == end || s.content[next-1] != '\n' {
					return change{next, next, newline + strings.TrimRight(line, "\r\n")}, true
				}
				return change{next, next, line}, true
			}
		}
	}
	start, _ := s.lineBounds(offset)
	return change{start, start, line}, true
}

// indentBefore is the white space of a line before an offset, and whether there is
// nothing else: in the first line of an element of a list stands a dash.
func (s *source) indentBefore(offset int) (string, bool) {
	start, _ := s.lineBounds(offset)
	indent := string(s.content[start:offset])
	return indent, strings.Trim(indent, " \t") == "" // JSON may have tabs
}

// insertFlow adds a key to a map in braces, before its first key and as that is written.
func (e edit) insertFlow(d *document, first *yaml.Node, offset int) (change, bool) {
	s := d.source
	key, value := e.key, e.value
	if first.Style == yaml.DoubleQuotedStyle {
		key = `"` + key + `"`
		if !isLiteral(value) {
			value = `"` + value + `"`
		}
	}
	between := " "
	if indent, alone := s.indentBefore(offset); alone {
		between = s.newline(offset) + indent
	}
	return change{offset, offset, key + ": " + value + "," + between}, true
}

// isLiteral reports whether a value is written in JSON without quotes.
func isLiteral(value string) bool {
	return value == "true" || value == "false" || strings.Trim(value, "0123456789") == ""
}

// remove removes a key and its value, which stand on a line of their own.
func (e edit) remove(d *document) (change, bool) {
	key, value := own(e.node, e.key)
	if key == nil || e.node.Style&yaml.FlowStyle != 0 || len(e.node.Content) <= 2 {
		return change{}, false
	}
	_, end, ok := d.extent(value)
	_, _, offset := d.place(key)
	if !ok || offset < 0 {
		return change{}, false
	}
	if _, alone := d.source.indentBefore(offset); !alone {
		return change{}, false
	}
	start, next := d.source.lineBounds(offset)
	if end > next {
		return change{}, false
	}
	return change{start, next, ""}, true
}

// insertVariable puts a variable with the completion index before the first one.
func (e edit) insertVariable(d *document) (change, bool) {
	if e.node.Kind != yaml.SequenceNode || e.node.Style&yaml.FlowStyle != 0 || len(e.node.Content) == 0 {
		return change{}, false
	}
	_, _, offset := d.place(e.node.Content[0])
	if offset < 0 {
		return change{}, false
	}
	s := d.source
	start, _ := s.lineBounds(offset)
	before := string(s.content[start:offset])
	indent, rest, found := strings.Cut(before, "-")
	if !found || strings.Trim(indent, " ") != "" || strings.Trim(rest, " ") != "" {
		return change{}, false
	}
	end := s.newline(offset)
	inner := indent + " " + rest
	return change{start, start, indent + "-" + rest + "name: JOB_COMPLETION_INDEX" + end + inner + "valueFrom:" + end + inner + "  fieldRef:" + end +
		inner + "    fieldPath: metadata.annotations['" + batchv1.JobCompletionIndexAnnotation + "']" + end}, true
}

// fixDNSPolicy sets the DNS policy with which names of peers resolve.
func (j *job) fixDNSPolicy(err *field.Error) edit {
	if err.Field != j.podPath()+".dnsPolicy" {
		return edit{}
	}
	policy := corev1.DNSClusterFirst
	if j.template().Spec.HostNetwork {
		policy = corev1.DNSClusterFirstWithHostNet
	}
	return edit{op: setKey, node: j.at(j.podPath()), key: "dnsPolicy", value: string(policy), after: "hostNetwork"}
}

// maxRounds bounds how often files are mended and linted again: mending one finding may
// bring out another one.
const maxRounds = 64

// Fix mends what it can in files. It returns the files that changed, in their order, and
// what is wrong with the files as they are then. A finding that its edit would not mend
// is left alone.
func Fix(files []File, options Options) ([]File, []Finding) {
	current := slices.Clone(files)
	findings := Files(current, options)
	hopeless := map[string]bool{}
	for range maxRounds {
		next, tried := apply(current, findings, hopeless)
		if len(tried) == 0 {
			break
		}
		after := Files(next, options)
		failed := false
		for i := range after {
			switch key := after[i].key(); {
			case tried[key]:
				failed, hopeless[key] = true, true
			case isBroken(&after[i]) && !contains(findings, key):
				failed = true
				for key := range tried {
					hopeless[key] = true
				}
			}
		}
		if !failed {
			current, findings = next, after
		}
	}
	for i := range findings {
		findings[i].Fixable = findings[i].Fixable && !hopeless[findings[i].key()]
	}
	var changed []File
	for i := range files {
		if !bytes.Equal(files[i].Content, current[i].Content) {
			changed = append(changed, current[i])
		}
	}
	return changed, findings
}

// isBroken reports whether a finding is that a file can't be read.
func isBroken(f *Finding) bool {
	return f.ID == invalidYAML || f.ID == unreadable || f.ID == duplicateKey
}

func contains(findings []Finding, key string) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.key() == key })
}

// key tells a finding from others in the same files, whatever its line.
func (f *Finding) key() string {
	index := 0
	if f.doc != nil {
		index = f.doc.index
	}
	return strings.Join([]string{f.ID, f.File, strconv.Itoa(index), f.Field, f.Message}, "\x00")
}

// apply makes the edits of findings, and returns the files with the keys of the findings.
// Of two edits of one place it makes the first.
func apply(files []File, findings []Finding, hopeless map[string]bool) ([]File, map[string]bool) {
	byFile := map[string][]change{}
	tried := map[string]bool{}
	for i := range findings {
		f := &findings[i]
		if !f.Fixable || hopeless[f.key()] || tried[f.key()] {
			continue
		}
		c, ok := f.fix.compile(f.doc)
		if !ok {
			continue
		}
		name := f.doc.source.name
		if slices.ContainsFunc(byFile[name], func(other change) bool {
			return c == other || c.start < other.end && other.start < c.end || c.start == other.start && (c.start == c.end) != (other.start == other.end)
		}) {
			continue
		}
		byFile[name] = append(byFile[name], c)
		tried[f.key()] = true
	}
	mended := slices.Clone(files)
	for i := range mended {
		changes := byFile[mended[i].Name]
		if len(changes) == 0 || mended[i].Problem != "" {
			continue
		}
		slices.SortStableFunc(changes, func(a, b change) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
		var out bytes.Buffer
		at := 0
		for _, c := range changes {
			out.Write(mended[i].Content[at:c.start])
			out.WriteString(c.text)
			at = c.end
		}
		out.Write(mended[i].Content[at:])
		mended[i].Content = out.Bytes()
	}
	return mended, tried
}

// Summary says how many findings there are: "2 errors, 1 warning".
func Summary(findings []Finding) string {
	return diag.Count(Count(findings, Error), "error") + ", " + diag.Count(Count(findings, Warning), "warning")
}
