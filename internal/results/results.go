// SPDX-License-Identifier: Apache-2.0

// Package results answers: how is what was found in a run reported?
//
// # Rules
//
//   - A finding is an error, a warning or an info. It is about an object of the
//     list, or about none.
//   - Every finding is reported twice with the same words: as a kpt result, which
//     goes into the ResourceList, and as one line for stderr, because kustomize
//     shows only that.
//   - Findings are reported in the order in which they were added.
//   - Text of the input never reaches a terminal as a control sequence.
//
// # Never
//
// It never decides what is wrong, and it never ends the run.
package results

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode"

	kptfn "github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/krmlist"
)

// Report has the findings of one run, in the order in which they are shown. The
// zero Report is empty.
type Report struct {
	list kptfn.Results
	// warnings are those of AddWarnings, by their object.
	warnings map[*krmlist.Object][]diag.Warning
}

// add reports a finding. The object may be nil.
func (r *Report) add(severity kptfn.Severity, about *krmlist.Object, message string) *kptfn.Result {
	result := &kptfn.Result{Severity: severity, Message: message}
	if about != nil {
		result.ResourceRef = &kptfn.ResourceRef{
			APIVersion: about.APIVersion, Kind: about.Kind, Namespace: about.Namespace, Name: about.Name,
		}
		if about.ShownFile != "" {
			result.File = &kptfn.File{Path: about.ShownFile, Index: about.Index}
		}
	}
	r.list = append(r.list, result)
	return result
}

// Errorf reports an error about an object, or about none where it is nil.
func (r *Report) Errorf(about *krmlist.Object, format string, args ...any) {
	r.add(kptfn.Error, about, fmt.Sprintf(format, args...))
}

// Warningf reports a warning about an object, or about none where it is nil.
func (r *Report) Warningf(about *krmlist.Object, format string, args ...any) {
	r.add(kptfn.Warning, about, fmt.Sprintf(format, args...))
}

// Infof reports what was done with an object.
func (r *Report) Infof(about *krmlist.Object, format string, args ...any) {
	r.add(kptfn.Info, about, fmt.Sprintf(format, args...))
}

// AddErrors reports field errors of an object.
func (r *Report) AddErrors(about *krmlist.Object, errs field.ErrorList) {
	for _, err := range errs {
		result := r.add(kptfn.Error, about, err.ErrorBody())
		result.Field = &kptfn.Field{Path: err.Field, CurrentValue: currentValue(err)}
	}
}

// AddWarnings reports warnings about fields of an object.
func (r *Report) AddWarnings(about *krmlist.Object, warnings []diag.Warning) {
	if len(warnings) == 0 {
		return
	}
	if r.warnings == nil {
		r.warnings = map[*krmlist.Object][]diag.Warning{}
	}
	r.warnings[about] = append(r.warnings[about], warnings...)
	for _, warning := range warnings {
		result := r.add(kptfn.Warning, about, warning.Message)
		if warning.Field != "" {
			result.Field = &kptfn.Field{Path: warning.Field}
		}
	}
}

// RuleTag is the tag of a result with the id of the rule that found it.
const RuleTag = "rule"

// WarningsOf returns the warnings that [Report.AddWarnings] has reported of an object.
func (r *Report) WarningsOf(about *krmlist.Object) []diag.Warning { return r.warnings[about] }

// AddRule reports what a rule with an id found in a field of an object: an error, or a
// warning.
func (r *Report) AddRule(about *krmlist.Object, isError bool, id, path, message string) {
	severity := kptfn.Warning
	if isError {
		severity = kptfn.Error
	}
	result := r.add(severity, about, message+" ["+id+"]")
	result.Tags = map[string]string{RuleTag: id}
	if path != "" {
		result.Field = &kptfn.Field{Path: path}
	}
}

// currentValue is the user's value that an error is about, where the error
// shows it and it is a single one.
func currentValue(err *field.Error) any {
	switch err.Type {
	case field.ErrorTypeInvalid, field.ErrorTypeNotSupported, field.ErrorTypeDuplicate, field.ErrorTypeNotFound, field.ErrorTypeTypeInvalid:
	default:
		return nil
	}
	if literal, ok := err.BadValue.(diag.Literal); ok {
		return literal.String()
	}
	value := reflect.ValueOf(err.BadValue)
	for value.Kind() == reflect.Pointer && !value.IsNil() {
		value = value.Elem()
	}
	switch value.Kind() {
	case reflect.String:
		return value.String()
	case reflect.Int, reflect.Int32, reflect.Int64:
		return value.Int()
	case reflect.Bool:
		return value.Bool()
	}
	return nil
}

// Results returns the findings as kpt results.
func (r *Report) Results() kptfn.Results { return r.list }

// AddPanic reports a panic, which no input should cause, in place of all that was
// found before it.
func (r *Report) AddPanic(cause any) {
	r.list = nil
	r.Errorf(nil, "internal error: %v; nothing was changed; please report this with the input at https://github.com/peerjob/peerjob/issues", cause)
}

// Failed reports whether there is an error among the findings.
func (r *Report) Failed() bool {
	for _, result := range r.list {
		if result.Severity == kptfn.Error {
			return true
		}
	}
	return false
}

// Warned reports whether there is a warning among the findings.
func (r *Report) Warned() bool {
	return slices.ContainsFunc(r.list, func(result *kptfn.Result) bool { return result.Severity == kptfn.Warning })
}

// Write writes every finding as one line to stderr.
func (r *Report) Write(stderr io.Writer) {
	_ = r.Lines(stderr) // without stderr the exit code has to do
}

// Lines writes every finding as one line.
func (r *Report) Lines(w io.Writer) error {
	var out strings.Builder
	for _, result := range r.list {
		out.WriteString("peerjob: ")
		if result.Severity != kptfn.Error {
			out.WriteString(string(result.Severity) + ": ")
		}
		out.WriteString(line(result))
		out.WriteString("\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// line is a finding as text: "jobs/train.yaml: PeerJob team-a/train:
// spec.peers: Invalid value: 0: must be between 1 and 100000".
func line(result *kptfn.Result) string {
	var parts []string
	if result.File != nil {
		parts = append(parts, result.File.Path)
	}
	if ref := result.ResourceRef; ref != nil {
		about := &krmlist.Object{Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name}
		if name := about.String(); name != "" {
			parts = append(parts, name)
		}
	}
	if result.Field != nil {
		parts = append(parts, result.Field.Path)
	}
	parts = append(parts, result.Message)
	return Line(strings.Join(parts, ": "))
}

// Line returns a text as one line that is [Plain].
func Line(text string) string { return Plain(strings.Join(strings.Fields(text), " ")) }

// Plain returns a text without control characters, which could move the cursor of a
// terminal, and without what GitHub's runner takes for a command anywhere in a line of a
// log: "##[".
func Plain(text string) string {
	return strings.ReplaceAll(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text), "##[", "## [")
}
