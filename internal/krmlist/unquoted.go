// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

var (
	// templateLine matches a line of nothing but a template, as Helm has around
	// fields, and templateValue a value that begins with a template without quotes.
	templateLine  = lazyregexp.New(`^[ \t]*\{\{.*\}\}[ \t]*$`)
	templateValue = lazyregexp.New(`^([ \t]*(?:- +)*(?:[\w./"'-]+ *: +)?)([\[{]* *[^"'|>#]*\{\{.*)$`)
	// quotedValue matches a value that begins with a quote and has a template, and
	// wholeText a text in quotes that YAML can read.
	quotedValue = lazyregexp.New(`^([ \t]*(?:- +)*(?:[\w./"'-]+ *: +)?)(["'].*\{\{.*)$`)
	wholeText   = lazyregexp.New(`^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')[ \t]*(?:#.*)?$`)
	// isPeerJob matches what a text with a PeerJob has.
	isPeerJob = lazyregexp.New(`(?m)^[ \t-]*kind: *["']?PeerJob\b`)
)

// maxExplained bounds the text that explainTemplates reads again, in bytes.
const maxExplained = 1 << 20

// explainTemplates adds to an error of the YAML parser what to write, if templates
// without quotes are the cause: then the text can be read without them. The text
// begins after this many lines.
func explainTemplates(text []byte, before int, err error) error {
	if len(text) > maxExplained || !bytes.Contains(text, []byte("{{")) {
		return err
	}
	first, line := 0, ""
	lines := strings.Split(string(text), "\n")
	for i, l := range lines {
		l = strings.TrimSuffix(l, "\r")
		value := templateValue.FindStringSubmatch(l)
		if quoted := quotedValue.FindStringSubmatch(l); value == nil && quoted != nil && !wholeText.MatchString(quoted[2]) {
			value = quoted
		}
		switch {
		case templateLine.MatchString(l):
			lines[i] = "#"
		case value != nil:
			lines[i] = value[1] + "x"
		default:
			continue
		}
		if first == 0 {
			first, line = before+i+1, strings.TrimSpace(l)
		}
	}
	if first == 0 {
		return err
	}
	if _, still := readDocuments([]byte(strings.Join(lines, "\n"))); still != nil {
		return err
	}
	switch {
	case !isPeerJob.Match(text), yamlnode.IsOfHelm(string(text)):
		return fmt.Errorf("%w; line %d has a template, as files of a Helm chart do: render them first, as in: helm template CHART | peerjob expand -", err, first)
	case templateLine.MatchString(line):
		return fmt.Errorf("%w; line %d is a template, and a template fills one field, with quotes around it, and can't put a field in or out; "+
			`write nodeSelector: "{{ with .Values.nodeSelector }}{{ toYaml . }}{{ end }}"`, err, first)
	}
	if quotedValue.MatchString(line) {
		return fmt.Errorf(`%w; line %d has a quote that ends the text within or between templates; write image: '{{ .Values.image | default "x" }}', with one pair of single quotes around the whole value`, err, first)
	}
	return fmt.Errorf(`%w; line %d has a template without quotes, and a template fills one field; write image: "{{ .Values.image }}", with the quotes`, err, first)
}
