{{- define "train.nodes" -}}
{{- div .Values.gpus .Values.gpusPerNode -}}
{{- end -}}

{{- define "train.hosts" -}}
{{- $root := . -}}
{{- range $i := until (int (include "train.nodes" .)) -}}
{{- if $i }},{{ end -}}
{{ $root.Release.Name }}-{{ $i }}.{{ $root.Release.Name }}:{{ $root.Values.port }}
{{- end -}}
{{- end -}}
