{{- define "train.hosts" -}}
{{- $root := . -}}
{{- range $i := until (int .Values.peers) -}}
{{- if $i }},{{ end -}}
{{ $root.Release.Name }}-{{ $i }}.{{ $root.Release.Name }}:{{ $root.Values.port }}
{{- end -}}
{{- end -}}
