// SPDX-License-Identifier: Apache-2.0

package yamlnode

import "testing"

func TestIsOfHelm(t *testing.T) {
	for text, want := range map[string]bool{
		`{{ include "shop.fullname" . }}`:               true,
		`{{- include "shop.labels" . | nindent 4 }}`:    true,
		`{{ .Release.Name }}-x`:                         true,
		`{{ printf "%s-x" $.Release.Name }}`:            true,
		`{{ (.Files.Get "a") }}`:                        true,
		`{{.Release.Name}}`:                             true,
		`{{ define "x" }}`:                              true,
		`{{ include "hosts" . }}`:                       false, // a snippet of the PeerJob
		`{{ .Values.Release }}`:                         false,
		`{{ .Values.image.Chart }}`:                     false,
		`{{ tpl .Values.x . }}`:                         false,
		`{{ .Name }}`:                                   false,
		`{{ .Values.a }}` + "\n# .Release in a comment": false,
		`template .Release.Name`:                        false,
	} {
		if got := IsOfHelm(text); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
}
