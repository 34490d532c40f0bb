// SPDX-License-Identifier: Apache-2.0

package render

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValuesRead(t *testing.T) {
	for text, want := range map[string][]string{
		"no template":       nil,
		"{{ .Values.a.b }}": {"a.b"},
		"{{ $.Values.a }}":  {"a"},
		"{{ .Name }}":       nil,
		"{{ if .Values.a }}{{ .Values.b }}{{ else }}{{ .Values.c }}{{ end }}": {"a", "b", "c"},
		"{{ range .Values.list }}{{ . }}{{ end }}":                            {"list"},
		"{{ with .Values.a }}{{ .b }}{{ end }}":                               {"a"},
		"{{ toYaml .Values }}":                                                {""},
		"{{ (index .Values \"a\").b }}":                                       {"a"},
		"{{ $v := .Values.a }}{{ $v.b | default .Values.c }}":                 {"a", "c"},
		"{{ include \"x\" . }}":                                               nil,
		"{{ index .Values \"my-key\" \"b\" 0 }}":                              {"my-key.b"},
		"{{ get $.Values.a \"b\" | default .Values.c }}":                      {"a.b", "c"},
		"{{ index .Values .Values.a }}":                                       {"", "a"},
		"{{ index $ \"Values\" }}":                                            {""},
		"{{ .root.Values.a }}":                                                {"a"},
		"{{ (dict \"r\" $).r.Values.a }}":                                     {"a"},
		"{{ broken":                                                           nil,
		"{{/* nothing */}}":                                                   nil,
	} {
		if diff := cmp.Diff(want, ValuesRead(text)); diff != "" && len(want)+len(ValuesRead(text)) > 0 {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestReadsOf_snippets(t *testing.T) {
	for text, want := range map[string][]string{
		`{{ include "a" . }}{{ if (include "b" .) }}x{{ end }}`: {"a", "b"},
		`{{ include .Values.name . }}`:                          {""},
		`{{ .Values.a }}`:                                       nil,
		`{{ "a" | include }}`:                                   {""},
	} {
		if diff := cmp.Diff(want, ReadsOf(text).Snippets); diff != "" && len(want)+len(ReadsOf(text).Snippets) > 0 {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}
