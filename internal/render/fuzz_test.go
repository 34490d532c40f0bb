// SPDX-License-Identifier: Apache-2.0

package render

import (
	"regexp"
	"strings"
	"testing"
	"text/template"
	"unicode/utf8"
)

// plainData is the data of testData as text/template takes it.
func plainData(object fields) map[string]any {
	plain := map[string]any{}
	for name, value := range object {
		switch value := value.(type) {
		case error:
		case []any:
			all := make([]any, len(value))
			for i := range value {
				all[i] = value[i]
				if inner, ok := value[i].(fields); ok {
					all[i] = plainData(inner)
				}
			}
			plain[name] = all
		default:
			plain[name] = value
		}
	}
	return plain
}

// floatLiteral matches what text/template prints with an exponent.
var floatLiteral = regexp.MustCompile(`[0-9_][.eEpP]|\.[0-9]|'`)

// FuzzAgainstTextTemplate holds the evaluation to that of text/template: where
// both render a template, they render the same. It never runs what was not
// found to end.
func FuzzAgainstTextTemplate(f *testing.F) {
	for _, seed := range []string{
		`{{ range $i, $p := .Peers }}{{ if $i }},{{ end }}{{ $p.Host }}:1{{ end }}`,
		`{{ with .Values.limits }}{{ .memory }}{{ else with .Name }}{{ . }}{{ end }}`,
		`{{ $x := 1 }}{{ range 5 }}{{ $x = len (print $x "a") }}{{ if gt $x 3 }}{{ break }}{{ end }}{{ end }}{{ $x }}`,
		`{{ if and .Name (or .Values.debug (not .Values.none)) }}{{ index .Values "tags" 1 }}{{ end }}`,
		`{{- printf "%q %v %05d" .Name .Values.port 7 | html -}} {{ slice .Name 1 2 }}{{/* c */}}`,
		`{{ range $k, $v := .Values.limits }}{{ $k }}={{ $v }}{{ else }}none{{ end }}`,
		`{{ eq .Size 3 4 }}{{ ne "a" "b" }}{{ lt 1 2 }}{{ le 1 1 }}{{ ge "b" "a" }}`,
		"{{ `raw` | urlquery }}{{ js .Name }}{{ println 1 }}{{ (.Values).image }}{{ $.Name }}",
		`{{ range .Peers }}{{ if eq .Index 1 }}{{ continue }}{{ end }}{{ .Index }}{{ end }}`,
		`{{ true }}{{ false }}{{ nil }}{{ . }}{{ 0x10 }}{{ "{{" }}`,
	} {
		f.Add(seed)
	}
	object := testData(3)
	plain := plainData(object.fields)
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return // no YAML parser lets it through
		}
		got, err := New(object, testSnippets, NewBudget()).Render(text)
		if len(got) > MaxText || err == nil && !utf8.ValidString(got) {
			t.Fatalf("rendered %d bytes", len(got))
		}
		if err != nil || floatLiteral.MatchString(text) {
			return
		}
		other, err := template.New("").Option("missingkey=error").Parse(text)
		if err != nil {
			return // a function of sprig
		}
		var want strings.Builder
		if err := other.Execute(&want, plain); err != nil {
			return // stricter about kinds of numbers
		}
		if want.String() != got {
			t.Errorf("%q\nrendered %q\n    want %q", text, got, want.String())
		}
	})
}

// FuzzFunctions looks for a function that panics, or takes more than it may.
func FuzzFunctions(f *testing.F) {
	for _, function := range Functions() {
		f.Add(function.Example)
	}
	for _, tt := range hostile {
		if len(tt.give) < 200 {
			f.Add(tt.give)
		}
	}
	object := testData(20)
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return // no YAML parser lets it through
		}
		first, err := New(object, testSnippets, NewBudget()).Render(text)
		if err == nil && (len(first) > MaxText || !utf8.ValidString(first)) {
			t.Fatalf("rendered %d bytes", len(first))
		}
		second, again := New(object, testSnippets, NewBudget()).Render(text)
		if first != second || (err == nil) != (again == nil) || err != nil && err.Error() != again.Error() {
			t.Errorf("%q\nrendered %q (%v)\n     and %q (%v)", text, first, err, second, again)
		}
	})
}
