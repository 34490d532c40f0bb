// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"cmp"
	"slices"
	"strings"
)

// Finding is one thing that is wrong.
type Finding struct {
	// ID is the id of its rule in the catalog.
	ID string `json:"id"`
	// Severity is how bad it is.
	Severity Severity `json:"severity"`
	// File is the name of the file, and Line and Column the place in it, from 1 on; 0 if
	// that is not known.
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// IsVirtual is whether the file is on no disk, such as a template that Helm has rendered.
	IsVirtual bool `json:"-"`
	// Kind, Namespace and Name are those of the object; "" for a file as a whole.
	Kind      string `json:"kind,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	// Field is the path of the field in the object, "" for the object as a whole.
	Field string `json:"field,omitempty"`
	// Message says what is wrong and what to write instead.
	Message string `json:"message"`
	// Fixable is whether lint --fix mends it.
	Fixable bool `json:"fixable"`

	doc *document
	fix edit
}

// isVirtual reports whether nobody can open the file of a finding.
func (f *Finding) isVirtual() bool { return f.IsVirtual || f.File == "stdin" }

// Text is the finding without its place and its id: "Job ml/train: spec.parallelism:
// Required value: ...".
func (f *Finding) Text() string {
	var parts []string
	if object := strings.TrimSpace(f.Kind + " " + strings.TrimPrefix(f.Namespace+"/"+f.Name, "/")); object != "" {
		parts = append(parts, object)
	}
	if f.Field != "" {
		parts = append(parts, f.Field)
	}
	return strings.Join(append(parts, f.Message), ": ")
}

// sortFindings sorts findings by file and place, and drops what is said twice.
func sortFindings(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Text(), b.Text()))
	})
	return slices.CompactFunc(findings, func(a, b Finding) bool {
		return a.File == b.File && a.Line == b.Line && a.Column == b.Column && a.ID == b.ID && a.Text() == b.Text()
	})
}

// Count returns how many findings have a severity.
func Count(findings []Finding, severity Severity) int {
	n := 0
	for i := range findings {
		if findings[i].Severity == severity {
			n++
		}
	}
	return n
}
