// SPDX-License-Identifier: Apache-2.0

package expansion

import "testing"

func TestIsForgotten(t *testing.T) {
	for text, want := range map[string]bool{
		"{{ .Values.image }}":                                  true,
		"web:{{.Values.tag}}":                                  true,
		"{{- $.Values.a | quote }}":                            true,
		"{{ if (eq .Values.a 1) }}x{{ end }}":                  true,
		"{{ toYaml .Values }}":                                 true,
		"{{ default 1 .Values.a }}":                            true,
		"--leader={{ .Leader }}:80":                            true,
		"{{ .ClusterDomain }}":                                 true,
		"{{ .Release.Name }}-0":                                true,
		`{{ include "hosts" . }}`:                              true,
		`{{- include "hosts" . -}}`:                            true,
		"{{ range .Peers }}{{ .Host }},{{ end }}":              true,
		"{{ range $i, $p := .Peers }}{{ $p.Hostname }}{{end}}": true,

		"train --model={{ .Values.model }} --format=json": true,
		"docker ps && echo {{ .Values.tag }}":             true,

		"":        false,
		".Values": false,
		// docker, podman, nerdctl, docker compose
		"docker ps --format '{{.Names}}'":          false,
		"docker image ls --format {{.Size}}":       false,
		"{{.Names}}":                               false,
		"{{.Name}}":                                false,
		"{{ .Size }}":                              false,
		"{{json .Peers}}":                          false,
		"{{range .Peers}}{{.Name}} {{.IP}}{{end}}": false,
		"{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}": false,
		"{{ .Service }} {{ .Namespace }}":                          false,
		"{{.ManagerStatus.Leader}}":                                false,
		// kubectl, helm
		"kubectl get pods -o go-template='{{range .items}}{{.metadata.name}}{{end}}'": false,
		"helm get values x --template '{{ .Values.a }}'":                              false,
		"gomplate -i '{{ .Values.a }}'":                                               false,
		// Argo Workflows, GitHub, Jinja, Ansible, Jsonnet, Prometheus, Vault
		"{{inputs.parameters.Values.x}}":                            false,
		"{{ workflow.name }}":                                       false,
		"${{ github.ref }}":                                         false,
		"{{ values.image }}":                                        false,
		"{{ item.Values }}":                                         false,
		"{% include \"x\" %}":                                       false,
		"{{ $labels.instance }} is {{ $value }}":                    false,
		`{{ with secret "a/b" }}{{ .Data.data.password }}{{ end }}`: false,
		"python -c 'print(f\"{{x.Values}}\")'":                      false,
		`printf '{"a":{"b":{{c}}}}'`:                                false,
	} {
		if got := isForgotten(text); got != want {
			t.Errorf("%s: got %t", text, got)
		}
	}
}
