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
		"{{ (index .Values \"a\").b }}":                                       {""},
		"{{ $v := .Values.a }}{{ $v.b | default .Values.c }}":                 {"a", "c"},
		"{{ include \"x\" . }}":                                               nil,
		"{{ broken":                                                           nil,
		"{{/* nothing */}}":                                                   nil,
	} {
		if diff := cmp.Diff(want, ValuesRead(text)); diff != "" && len(want)+len(ValuesRead(text)) > 0 {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}
