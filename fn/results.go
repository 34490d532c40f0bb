// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode"

	kptfn "github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
)

// ErrFailed says that a run ended with errors, all of which it has reported.
var ErrFailed = errors.New("there were errors")

// results are the findings of one run, in the order in which they are shown.
type results struct {
	list kptfn.Results
}

// add reports a finding. The object may be nil.
func (r *results) add(severity kptfn.Severity, about *object, message string) *kptfn.Result {
	result := &kptfn.Result{Severity: severity, Message: message}
	if about != nil {
		result.ResourceRef = &kptfn.ResourceRef{
			APIVersion: about.apiVersion, Kind: about.kind, Namespace: about.namespace, Name: about.name,
		}
		if about.shownFile != "" {
			result.File = &kptfn.File{Path: about.shownFile, Index: about.index}
		}
	}
	r.list = append(r.list, result)
	return result
}

func (r *results) errorf(about *object, format string, args ...any) {
	r.add(kptfn.Error, about, fmt.Sprintf(format, args...))
}

func (r *results) warningf(about *object, format string, args ...any) {
	r.add(kptfn.Warning, about, fmt.Sprintf(format, args...))
}

func (r *results) infof(about *object, format string, args ...any) {
	r.add(kptfn.Info, about, fmt.Sprintf(format, args...))
}

// addErrors reports field errors of an object.
func (r *results) addErrors(about *object, errs field.ErrorList) {
	for _, err := range errs {
		result := r.add(kptfn.Error, about, err.ErrorBody())
		result.Field = &kptfn.Field{Path: err.Field, CurrentValue: currentValue(err)}
	}
}

// addWarnings reports warnings about fields of an object.
func (r *results) addWarnings(about *object, warnings []diag.Warning) {
	for _, warning := range warnings {
		result := r.add(kptfn.Warning, about, warning.Message)
		if warning.Field != "" {
			result.Field = &kptfn.Field{Path: warning.Field}
		}
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

func (r *results) failed() bool {
	for _, result := range r.list {
		if result.Severity == kptfn.Error {
			return true
		}
	}
	return false
}

// write shows every finding on a line of its own.
func (r *results) write(w io.Writer) {
	var out strings.Builder
	for _, result := range r.list {
		out.WriteString("peerjob: ")
		if result.Severity != kptfn.Error {
			out.WriteString(string(result.Severity) + ": ")
		}
		out.WriteString(line(result))
		out.WriteString("\n")
	}
	io.WriteString(w, out.String())
}

// line is a finding as text: "jobs/train.yaml: PeerJob team-a/train:
// spec.peers: Invalid value: 0: must be between 1 and 100000".
func line(result *kptfn.Result) string {
	var parts []string
	if result.File != nil {
		parts = append(parts, result.File.Path)
	}
	if ref := result.ResourceRef; ref != nil {
		about := &object{kind: ref.Kind, namespace: ref.Namespace, name: ref.Name}
		if name := about.String(); name != "" {
			parts = append(parts, name)
		}
	}
	if result.Field != nil {
		parts = append(parts, result.Field.Path)
	}
	parts = append(parts, result.Message)
	text := strings.Join(strings.Fields(strings.Join(parts, ": ")), " ")
	// A name from the input must not reach a terminal as a control sequence.
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
