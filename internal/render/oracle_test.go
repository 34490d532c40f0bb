// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"text/template"
	"unicode/utf8"

	"github.com/Masterminds/sprig/v3"
	sigsyaml "sigs.k8s.io/yaml"
)

// The oracle is what Helm renders with: the real text/template with the real
// sprig, and the four functions that Helm adds to it, as it documents them.

// oracle renders a text about data. Its snippets are templates that it includes.
func oracle(text string, data any) (string, error) {
	root := template.New("")
	functions := sprig.TxtFuncMap()
	maps.Copy(functions, template.FuncMap{
		"toYaml": func(value any) (string, error) {
			encoded, err := sigsyaml.Marshal(value)
			return strings.TrimSuffix(string(encoded), "\n"), err
		},
		"fromYaml": func(text string) (map[string]any, error) {
			value := map[string]any{}
			return value, sigsyaml.Unmarshal([]byte(text), &value)
		},
		"required": func(message string, value any) (any, error) {
			if value == nil || value == "" {
				return nil, errors.New(message)
			}
			return value, nil
		},
		"include": func(name string, data any) (string, error) {
			var out strings.Builder
			err := root.ExecuteTemplate(&out, name, data)
			return out.String(), err
		},
		"tpl": func(text string, data any) (string, error) { return oracle(text, data) },
	})
	root.Funcs(functions)
	for name, snippet := range oracleSnippets {
		template.Must(root.New(name).Parse(snippet))
	}
	parsed, err := root.New("template").Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = parsed.Execute(&out, data)
	return out.String(), err
}

// plainData is data as text/template takes it: numbers that are written in an
// unusual way are only their values.
func plainData(value any) any {
	switch value := value.(type) {
	case Number:
		return value.value
	case *data:
		return plainData(value.fields)
	case fields:
		all := map[string]any{}
		for name, inner := range value {
			if _, ok := inner.(error); !ok {
				all[name] = plainData(inner)
			}
		}
		return all
	case map[string]any:
		all := map[string]any{}
		for name, inner := range value {
			all[name] = plainData(inner)
		}
		return all
	case []any:
		all := make([]any, len(value))
		for i, inner := range value {
			all[i] = plainData(inner)
		}
		return all
	}
	return value
}

var oracleSnippets = map[string]string{
	"app.name":     `{{- default .Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}`,
	"app.fullname": `{{- if .Values.fullnameOverride -}}{{ .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}{{- else -}}{{ printf "%s-%s" .Name (include "app.name" .) | trunc 63 | trimSuffix "-" }}{{- end -}}`,
	"app.hosts":    `{{- range $i, $p := .Peers }}{{ if $i }},{{ end }}{{ $p.Host }}:{{ $.Values.service.port }}{{ end -}}`,
}

const oracleYAML = `
image: {repository: registry.example.com/team/train, tag: v2.4.1, pullPolicy: IfNotPresent}
nameOverride: ""
replicas: 3
gpus: 64
perNode: 8
debug: false
verbose: true
ratio: 0.75
lr: 0.00025
memory: 16Gi
memoryMi: 16384
empty: ""
zero: 0
none: null
service: {port: 29500, type: ClusterIP, annotations: {}}
args: [--epochs=10, --lr=0.1, "--name=a b"]
hosts: [a.example.com, b.example.com]
ports: [{name: http, containerPort: 8080}, {name: grpc, containerPort: 9090, protocol: TCP}]
env: [{name: A, value: "1"}, {name: B_C, value: "x=y, \"z\""}]
extraEnv: {NCCL_DEBUG: INFO, OMP_NUM_THREADS: "8", PATH_X: /usr/bin}
resources: {limits: {cpu: "4", memory: 16Gi, nvidia.com/gpu: 8}, requests: {cpu: "2"}}
nodeSelector: {disktype: ssd, zone: a}
tolerations: [{key: gpu, operator: Exists, effect: NoSchedule}]
labels: {app.kubernetes.io/name: train, team: ml}
config: "line one\nline two\n  indented"
greeting: "hello {{ .Name }}"
path: /data/runs/2024/model.ckpt
url: "http://example.com/a?b=c&d=e f"
version: 1.29.3
unicode: "grüße 日本"
csv: "a,b,,c"
long: "a-very-long-name-that-goes-on-and-on-until-it-is-longer-than-a-label-of-dns-may-be"
spaces: "  padded  "
json: '{"a": [1, 2, {"b": "c"}], "d": null, "e": true}'
yaml: "a: 1\nb: [x, z]\nc: {d: e}"
nested: {a: {b: {c: deep}}}
mixed: [1, "2", true, 2.5]
dup: [a, b, a, c, b]
blanks: ["", a, null, b]
bytes: "AAECAw=="
yes: "yes"
colon: "12:30:45"
multi: {text: "a\nb\n", on: "on", num: "1", "null": "null", tilde: "~", dash: "- x", hash: "# x", colon: "a: b"}
`

func oracleData(t testing.TB) *data {
	values, err := parseYAML([]byte(oracleYAML))
	if err != nil {
		t.Fatal(err)
	}
	object := testData(3)
	delete(object.fields, "FQDN")
	object.fields["Values"] = values
	return object
}

// realistic are templates as charts have them. What the oracle renders, they
// render.
var realistic = []string{
	`{{ .Values.image.repository }}:{{ .Values.image.tag }}`,
	`{{ .Values.image.repository }}:{{ .Values.image.tag | default "latest" }}`,
	`{{ printf "%s:%s" .Values.image.repository .Values.image.tag }}`,
	`{{ include "app.fullname" . }}`,
	`{{ include "app.name" . | quote }}`,
	`{{ include "app.hosts" . }}`,
	`--hosts={{ include "app.hosts" . | replace "," " " }}`,
	`{{ if .Values.debug }}debug{{ else }}info{{ end }}`,
	`{{ if .Values.verbose }}--verbose{{ end }}`,
	`{{ if not .Values.debug }}-O{{ end }}`,
	`{{ if and .Values.verbose (not .Values.debug) }}a{{ else if .Values.debug }}b{{ else }}c{{ end }}`,
	`{{ if or .Values.debug .Values.nope .Values.verbose }}yes{{ end }}`,
	`{{ if .Values.nope }}a{{ else }}b{{ end }}`,
	`{{ if not .Values.nope }}b{{ end }}`,
	`{{ with .Values.nope }}{{ . }}{{ else }}none{{ end }}`,
	`{{ if and .Values.nope .Values.debug }}a{{ end }}x`,
	`{{ if or .Values.nope .Values.verbose }}a{{ end }}`,
	`{{ .Values.nope | default "x" }}`,
	`{{ default 8080 .Values.nope }}`,
	`{{ or .Values.nope "fallback" }}`,
	`{{ and .Values.verbose .Values.image.tag }}`,
	`{{ if eq .Values.service.type "ClusterIP" }}None{{ end }}`,
	`{{ if ne .Values.service.type "LoadBalancer" }}x{{ end }}`,
	`{{ if gt .Values.gpus .Values.perNode }}multi{{ end }}`,
	`{{ if ge (int .Values.gpus) 8 }}big{{ else }}small{{ end }}`,
	`{{ if lt .Values.zero 1 }}z{{ end }}{{ if le 1 1 }}e{{ end }}`,
	`{{ if hasKey .Values "tls" }}tls{{ else }}plain{{ end }}`,
	`{{ if hasKey .Values.image "tag" }}tag{{ end }}`,
	`{{ if .Values.empty }}a{{ else }}b{{ end }}{{ if .Values.zero }}a{{ else }}b{{ end }}{{ if .Values.service.annotations }}a{{ else }}b{{ end }}`,
	`{{ if empty .Values.hosts }}a{{ else }}b{{ end }}`,
	`{{ if has "a.example.com" .Values.hosts }}has{{ end }}`,
	`{{ if contains "train" .Values.image.repository }}train{{ end }}`,
	`{{ if hasPrefix "v" .Values.image.tag }}{{ trimPrefix "v" .Values.image.tag }}{{ end }}`,
	`{{ if hasSuffix "Gi" .Values.memory }}{{ trimSuffix "Gi" .Values.memory | int }}{{ end }}`,
	`{{ if semverCompare ">=1.27-0" .Values.version }}new{{ else }}old{{ end }}`,
	`{{ if regexMatch "^[0-9]+Gi$" .Values.memory }}Gi{{ end }}`,
	`{{ if kindIs "map" .Values.image }}map{{ end }}{{ if kindIs "slice" .Values.args }}slice{{ end }}{{ if kindIs "string" .Values.memory }}string{{ end }}{{ if kindIs "bool" .Values.debug }}bool{{ end }}`,
	`{{ kindOf .Values.ratio }} {{ kindOf .Values.replicas }} {{ kindOf 1 }} {{ kindOf 1.0 }} {{ kindOf 1e3 }} {{ kindOf 'a' }}`,
	`{{ with .Values.resources }}{{ .limits.memory }}/{{ .requests.cpu }}{{ end }}`,
	`{{ with .Values.resources.limits }}{{ index . "nvidia.com/gpu" }}{{ end }}`,
	`{{ with $x := .Values.memory }}{{ $x }}{{ end }}`,
	`{{ $root := . }}{{ range $i := until 3 }}{{ $root.Name }}-{{ $i }} {{ end }}`,
	`{{ range .Values.args }}{{ . }} {{ end }}`,
	`{{ range $i, $a := .Values.args }}{{ if $i }} {{ end }}{{ $a | quote }}{{ end }}`,
	`{{- range .Values.hosts }}
{{ . }}
{{- end }}`,
	`{{ range .Values.ports }}{{ .name }}={{ .containerPort }}{{ with .protocol }}/{{ . }}{{ end }},{{ end }}`,
	`{{ range $k, $v := .Values.extraEnv }}{{ $k }}={{ $v }};{{ end }}`,
	`{{ range $k, $v := .Values.nodeSelector }}{{ $k }}: {{ $v | quote }}
{{ end }}`,
	`{{ range .Values.env }}{{ if eq .name "A" }}{{ continue }}{{ end }}{{ .name }}{{ end }}`,
	`{{ range $i, $p := .Peers }}{{ if eq $i 2 }}{{ break }}{{ end }}{{ $p.Hostname }},{{ end }}`,
	`{{ range .Values.nothing | default list }}a{{ else }}none{{ end }}`,
	`{{ range tuple "a" "b" }}{{ . }}{{ end }}`,
	`{{ range $i, $e := splitList "," .Values.csv }}{{ $i }}{{ $e }}{{ end }}`,
	`{{ range untilStep 0 10 3 }}{{ . }} {{ end }}`,
	`{{ range (seq 3 | splitList " ") }}[{{ . }}]{{ end }}`,
	`{{ seq 5 }}|{{ seq 2 4 }}|{{ seq 0 2 8 }}|{{ seq 3 1 }}|{{ seq 5 -2 0 }}|{{ seq 0 }}|{{ seq -2 }}|{{ seq 4 4 }}|{{ seq 1 1 1 }}|{{ seq }}`,
	`{{ until 4 | join "," }}|{{ until -3 | join "," }}|{{ until 0 | join "," }}|{{ untilStep 5 0 -2 | join "," }}|{{ untilStep 5 0 1 | join "," }}|{{ untilStep 0 7 3 | join "," }}|{{ untilStep 1 1 1 | join "," }}`,
	`{{ join "," .Values.hosts }}`,
	`{{ .Values.hosts | join " " | quote }}`,
	`{{ .Values.mixed | join "," }}`,
	`{{ .Values.blanks | join "," }}|{{ compact .Values.blanks | join "," }}`,
	`{{ first .Values.hosts }} {{ last .Values.hosts }} {{ rest .Values.args | join "," }} {{ initial .Values.args | join "," }}`,
	`{{ len .Values.hosts }} {{ len .Values.nodeSelector }} {{ len .Values.memory }} {{ len .Peers }} {{ len .Values.unicode }}`,
	`{{ index .Values.args 0 }} {{ index .Values.ports 1 "name" }} {{ (index .Values.ports 0).containerPort }} {{ index .Values.image "tag" }}`,
	`{{ slice .Values.args 1 | join "," }} {{ slice .Values.args 1 2 | join "," }} {{ slice .Values.args 0 2 | len }}`,
	`{{ append .Values.hosts "c" | join "," }} {{ prepend .Values.hosts "c" | join "," }} {{ concat .Values.hosts .Values.args | len }} {{ push .Values.hosts 1 | join "," }}`,
	`{{ reverse .Values.hosts | join "," }} {{ uniq .Values.dup | join "," }} {{ without .Values.dup "a" "c" | join "," }} {{ sortAlpha .Values.dup | join "," }}`,
	`{{ has "b" .Values.dup }} {{ has 1 .Values.mixed }} {{ has (dict "a" 1) (list (dict "a" 1)) }} {{ has "x" .Values.none }} {{ has 3 (until 4) }}`,
	`{{ uniq (list (dict "a" 1) (dict "a" 1) (list 1) (list 1) 1 "1" 1) | toJson }} {{ without (list (list 1) (list 2)) (list 1) | toJson }}`,
	`{{ chunk 2 .Values.dup | toJson }} {{ chunk 5 .Values.dup | toJson }} {{ chunk 9 (list 1 2) | toJson }} {{ chunk 3 list | toJson }}`,
	`{{ toStrings .Values.mixed | toJson }} {{ toStrings .Values.blanks | toJson }} {{ toStrings 1 | toJson }}`,
	`{{ (split "/" .Values.path)._1 }} {{ (splitn "/" 2 .Values.path)._1 }} {{ splitList "," .Values.csv | toJson }} {{ splitList "" "abc" | toJson }}`,
	`{{ splitn "," 0 .Values.csv | toJson }} {{ splitn "," -1 .Values.csv | toJson }} {{ split "," "" | toJson }} {{ splitList "," "" | toJson }}`,
	`{{ rest list | toJson }} {{ initial list | toJson }} {{ compact list | toJson }} {{ concat | toJson }} {{ reverse list | toJson }} {{ uniq list | toJson }} {{ list | toJson }} {{ concat list list | toJson }}`,
	`{{ upper .Values.memory }} {{ lower .Values.image.pullPolicy }} {{ title .Values.greeting }} {{ untitle "Hello World" }} {{ swapcase "aBc Def" }}`,
	`{{ snakecase "BatchSize" }} {{ camelcase "batch_size" }} {{ kebabcase "BatchSize" }} {{ snakecase .Values.unicode }} {{ kebabcase "HTTPServer_x" }} {{ camelcase "http-server x" }}`,
	`{{ trim .Values.spaces }}|{{ nospace .Values.spaces }}|{{ trimAll "-" "--a-b--" }}|{{ trimPrefix "/" .Values.path }}|{{ trimSuffix "/" "a/" }}`,
	`{{ trunc 63 .Values.long | trimSuffix "-" }}|{{ trunc -5 .Values.long }}|{{ trunc 0 "a" }}|{{ trunc 100 "a" }}|{{ trunc -100 "a" }}`,
	`{{ abbrev 10 .Values.long }}|{{ abbrev 3 "hello" }}|{{ initials "Peer Job x" }}|{{ substr 0 5 .Values.path }}|{{ substr 2 -1 "hello" }}|{{ substr -1 3 "hello" }}|{{ substr 1 100 "hello" }}`,
	`{{ replace "/" "-" .Values.path }}|{{ replace "" "-" "abc" }}|{{ replace "x" "" "axbx" }}`,
	`{{ repeat 3 "ab" }}|{{ repeat 0 "a" }}|{{ "=" | repeat 10 }}`,
	`{{ indent 2 .Values.config }}|{{ nindent 4 .Values.config }}|{{ indent 0 "a" }}`,
	`{{ wrap 5 "aa bb cc dd" }}|{{ wrap 80 .Values.long }}|{{ wrap 10 .Values.long }}`,
	`{{ quote .Values.memory }} {{ quote .Values.replicas }} {{ quote .Values.debug }} {{ quote .Values.ratio }} {{ quote "a\"b\\c\n" }} {{ quote "a" nil 1 }} {{ quote .Values.unicode }}`,
	`{{ squote .Values.memory }} {{ squote .Values.replicas 1.5 true }} {{ squote "it's" }}`,
	`{{ cat "a" 1 true .Values.none 2.5 }}|{{ cat }}|{{ cat "a" "" }}|{{ plural "peer" "peers" 1 }} {{ plural "peer" "peers" 2 }}`,
	`{{ print "a" "b" 1 2 true "c" 1.5 2.5 }}|{{ print 1.5 2 }}|{{ print .Values.replicas .Values.gpus }}|{{ print }}|{{ println "a" 1 }}|{{ print "a" 1 }}|{{ print 1 "a" 2 }}`,
	`{{ toString 1.5 }}{{ toString true }}{{ toString .Values.replicas }}{{ toString "a" }}`,
	`{{ printf "%s/%s" .Name .Values.memory }}|{{ printf "%d-%03d" .Values.replicas .Values.gpus }}|{{ printf "%.2f" .Values.ratio }}|{{ printf "%v %v %v %v" "a" 1 true 2.5 }}|{{ printf "%q" "a\"" }}|{{ printf "%5s|%-5s|" "a" "b" }}|{{ printf "%x %X %o %b" 255 255 8 5 }}|{{ printf "100%%" }}|{{ printf "%t" true }}|{{ printf "%e %g" 1.5 2.5 }}|{{ printf "%+d % d %#x" 1 2 255 }}|{{ printf "%x" "hi" }}|{{ printf "%c%U" 65 65 }}|{{ printf "%6.2f|%-8d|%08.3f" 3.14159 7 2.5 }}|{{ printf "%5t|%5v|%-5v|%05d" true 1 2 3 }}|{{ printf "%v" .Values.lr }}|{{ printf "" }}`,
	`{{ html "<a href='x'>&\"" }}|{{ js "a'b\"<c>\n=" }}|{{ urlquery .Values.url }}|{{ urlquery 1 "a b" }}|{{ html 1.5 2 }}|{{ js "日" }}`,
	`{{ base .Values.path }} {{ dir .Values.path }} {{ ext .Values.path }} {{ clean "a//b/../c/" }} {{ base "" }} {{ dir "" }} {{ clean "" }}`,
	`{{ b64enc .Values.config }} {{ b64dec (b64enc .Values.unicode) }} {{ sha256sum .Values.config }} {{ sha1sum "a" }} {{ adler32sum "abc" }} {{ .Values.config | sha256sum | trunc 8 }}`,
	`{{ add .Values.replicas 1 }} {{ add 1 2 3 }} {{ add1 .Values.replicas }} {{ sub .Values.gpus 1 }} {{ mul .Values.replicas 8 2 }} {{ div .Values.gpus .Values.perNode }} {{ mod .Values.gpus 7 }} {{ max 1 .Values.gpus 3 }} {{ min 1 .Values.gpus 3 }} {{ div -7 2 }} {{ mod -7 2 }} {{ add }} {{ add "1" "2" }} {{ add "0x10" "010" 1.0 "2.0" }}`,
	`{{ int "42" }} {{ int 1.9 }} {{ int64 "7" }} {{ float64 "1.50" }} {{ atoi "12" }} {{ int .Values.replicas }} {{ int -1.9 }} {{ int "-5" }} {{ atoi "08" }} {{ float64 3 }} {{ int "0755" }} {{ int "0x1F" }} {{ int "8.0" }}`,
	`{{ addf 1.5 2 }} {{ subf 1.5 1 }} {{ mulf .Values.ratio 16 }} {{ divf 1 4 }} {{ floor 1.9 }} {{ ceil 1.1 }} {{ round 1.2567 2 }} {{ round 2.5 0 }} {{ divf 10 3 }} {{ addf 0.1 0.2 }} {{ mulf 1.1 1.1 }} {{ round -1.25 1 }} {{ round 123.456 -1 }} {{ floor -1.5 }} {{ round 3.2 0 0.1 }} {{ divf 1 100000 }} {{ subf 5 1 1 }} {{ addf }} {{ floor "2.7" }}`,
	`{{ div (mul .Values.gpus 10) 3 }} nodes, {{ ceil (divf .Values.gpus 24) }}, {{ mulf .Values.memoryMi 0.8 | int }}Mi, {{ mulf .Values.memoryMi .Values.ratio | floor | int }}`,
	`{{ ternary "a" "b" .Values.debug }} {{ ternary 1 2 true }} {{ .Values.verbose | ternary "on" "off" }}`,
	`{{ coalesce .Values.nope .Values.empty .Values.zero "x" }} {{ all .Values.verbose 1 "a" }} {{ all }} {{ any "" 0 false }} {{ any "" 1 }} {{ empty 0 }} {{ empty "a" }} {{ empty 0.0 }}`,
	`{{ required "set image" .Values.image.tag }} {{ required "x" 0 }} {{ required "x" false }}`,
	`{{ get .Values.image "tag" }}|{{ get .Values.image "nope" }}|{{ dig "a" "b" "c" "none" .Values.nested }}|{{ dig "a" "x" "none" .Values.nested }}|{{ dig "x" "none" .Values.nested }}`,
	`{{ keys .Values.nodeSelector | sortAlpha | join "," }} {{ values (dict "a" 1) | join "," }} {{ pick .Values.image "tag" "nope" | toJson }} {{ omit .Values.image "tag" | toJson }} {{ pluck "tag" .Values.image .Values.service | toJson }} {{ dict "a" 1 "b" | toJson }} {{ dict 1 2 | toJson }} {{ dict | toJson }} {{ pick .Values.image | toJson }}`,
	`{{ merge (dict "a" 1) (dict "a" 2 "b" 3) | toJson }} {{ mergeOverwrite (dict "a" 1) (dict "a" 2 "b" 3) | toJson }} {{ merge (dict "a" 0 "c" "" "d" false) (dict "a" 2 "c" "x" "d" true) | toJson }} {{ mergeOverwrite (dict "a" 1 "b" (dict "c" 1)) (dict "a" 0 "b" (dict "d" 2)) | toJson }}`,
	`{{ merge (dict "m" (dict "a" 1)) (dict "m" (dict "a" 2 "b" 3)) | toJson }} {{ merge (dict "l" (list 1)) (dict "l" (list 2)) | toJson }} {{ mergeOverwrite (dict "l" (list 1)) (dict "l" list) | toJson }} {{ merge (dict "m" (dict)) (dict "m" (dict "b" 3)) | toJson }} {{ mergeOverwrite (dict "m" 1) (dict "m" (dict "b" 3)) | toJson }} {{ merge (dict "m" 1) (dict "m" (dict "b" 3)) | toJson }} {{ mergeOverwrite (dict "m" (dict "b" 3)) (dict "m" 1) | toJson }} {{ merge (dict) (dict "n" nil) | toJson }} {{ mergeOverwrite (dict "n" 1) (dict "n" nil) | toJson }} {{ merge (dict "l" list) (dict "l" (list 2)) | toJson }}`,
	`{{ toJson .Values.resources }} {{ toJson .Values.args }} {{ toJson "a<b>&\u2028" }} {{ toJson 1.5 }} {{ toJson nil }} {{ toJson true }} {{ toJson .Values.unicode }} {{ toJson 1e21 }} {{ toJson 1e6 }} {{ toJson "\x00\x7f\"\\\n\t" }}`,
	`{{ toRawJson .Values }} {{ toRawJson "<a&b>\\u003c" }} {{ toRawJson (dict "<" "\x00é") }} {{ mustToRawJson list }} {{ toRawJson 1.50 }}`,
	`{{ deepCopy .Values.ports | toJson }} {{ mustDeepCopy "a" }} {{ merge (deepCopy (dict "a" 1)) (dict "b" 2) | toJson }}`,
	`{{ sha512sum "" }} {{ sha512sum "a" }} {{ isAbs "/a" }} {{ isAbs "a" }} {{ isAbs "" }}`,
	`{{ toPrettyJson .Values.ports }} {{ toPrettyJson dict }} {{ toPrettyJson list }} {{ toPrettyJson (dict "a" list "b" dict) }} {{ toPrettyJson 1 }}`,
	`{{ toYaml .Values.resources }}`,
	`{{ toYaml .Values.resources | nindent 8 }}`,
	`{{ toYaml .Values.tolerations }}|{{ toYaml .Values.args }}|{{ toYaml .Values.env }}|{{ toYaml .Values.ports | indent 2 }}`,
	`{{ toYaml .Values.multi }}`,
	`{{ toYaml .Values }}`,
	`{{ toYaml "a" }}|{{ toYaml 1 }}|{{ toYaml true }}|{{ toYaml nil }}|{{ toYaml 1.5 }}|{{ toYaml list }}|{{ toYaml dict }}|{{ toYaml "" }}|{{ toYaml "yes" }}|{{ toYaml "1e3" }}|{{ toYaml " a" }}|{{ toYaml "a\nb" }}|{{ toYaml "2024-01-02" }}|{{ toYaml "12:30" }}|{{ toYaml "0x1F" }}|{{ toYaml "=" }}|{{ toYaml "-" }}|{{ toYaml "!a" }}|{{ toYaml "'a" }}|{{ toYaml "a #b" }}|{{ toYaml "a: b" }}|{{ toYaml "0755" }}|{{ toYaml "1_000" }}|{{ toYaml "~" }}|{{ toYaml ".5" }}`,
	`{{ (fromJson .Values.json).e }} {{ (fromJson .Values.json).a | first }} {{ (index (fromJson .Values.json).a 2).b }} {{ fromJson .Values.json | toJson }}`,
	`{{ (fromYaml .Values.yaml).c.d }} {{ (fromYaml .Values.yaml).b | join "," }} {{ (fromYaml .Values.yaml).a }}`,
	`{{ tpl .Values.greeting . }} {{ tpl "{{ .Values.replicas }}" . }} {{ tpl "plain" . }}`,
	`{{ regexReplaceAll "[^a-z0-9-]+" (lower .Values.path) "-" }}|{{ regexFind "[0-9]+" .Values.path }}|{{ regexFindAll "[a-z]+" .Values.path -1 | join "," }}|{{ regexFindAll "[a-z]" .Values.path 3 | join "," }}|{{ regexSplit "[/.]" .Values.path -1 | join "," }}|{{ regexSplit "/" .Values.path 2 | toJson }}|{{ regexReplaceAll "([a-z]+)/([0-9]+)" .Values.path "${2}-$1" }}|{{ regexReplaceAllLiteral "/" .Values.path "$1" }}|{{ regexQuoteMeta "a.b*c" }}|{{ regexReplaceAll "x*" "abc" "-" }}|{{ regexReplaceAll "" "abc" "-" }}|{{ regexSplit "" "abc" -1 | toJson }}|{{ regexSplit "x" "" -1 | toJson }}|{{ regexFindAll "z" "abc" -1 | toJson }}|{{ regexFindAll "" "ab" -1 | toJson }}|{{ regexReplaceAll "a(b)?" "ab a" "[$1]" }}|{{ regexReplaceAll "(?P<n>b)" "abc" "${n}${n}" }}|{{ regexSplit "b" "abcb" 0 | toJson }}|{{ regexSplit "" "" -1 | toJson }}|{{ regexSplit "a" "aba" -1 | toJson }}|{{ regexMatch "(?i)TRAIN" .Values.image.repository }}|{{ regexReplaceAll "^" "abc" ">" }}|{{ regexReplaceAll "$" "abc" "<" }}|{{ regexReplaceAll "\\b" "a b" "|" }}`,
	`{{ mustToJson (list 1) }}{{ mustRegexMatch "a" "a" }}{{ mustFirst (list 1) }}{{ mustUniq (list 1 1) | len }}{{ mustAppend (list 1) 2 | join "," }}{{ mustMerge (dict "a" 1) (dict "b" 2) | toJson }}{{ mustHas 1 (list 1) }}{{ mustSlice (list 1 2) 1 | join "," }}`,
	`{{ $x := 1 }}{{ range 3 }}{{ $x = add $x 1 }}{{ end }}{{ $x }}`,
	`{{ $x := .Values.memory }}{{ if true }}{{ $x := "inner" }}{{ $x }}{{ end }}{{ $x }}`,
	`{{ $hosts := list }}{{ range .Peers }}{{ $hosts = append $hosts .Host }}{{ end }}{{ join "," $hosts }}`,
	`{{ $m := dict "a" 1 }}{{ $m = merge $m (dict "b" 2) }}{{ $m.b }}`,
	`{{- /* a comment */ -}} a {{- " b " -}} c`,
	`{{ "quoted \"text\"" }}{{ ` + "`raw \\n`" + ` }}{{ 'a' }}{{ 0x1F }}{{ 0b11 }}{{ 0o17 }}{{ 1_000 }}{{ true }}{{ -1 }}{{ +1 }}`,
	`{{ 1.5 }} {{ 0.1 }} {{ 100.0 }} {{ 123456.0 }} {{ -0.5 }} {{ 1e-7 }} {{ 1e5 }}`,
	`{{ .Name | upper | lower | title | quote }}`,
	`{{ (.Values).image.tag }} {{ ($).Name }} {{ $.Values.image.tag }}`,
	`{{ eq "a" "b" "a" }} {{ eq 1 1 }} {{ eq 1.5 1.5 }} {{ ne 1 2 }} {{ eq .Values.debug false }} {{ eq .Values.replicas 3 }} {{ lt "a" "b" }} {{ eq .Values.none nil }}`,
	`{{ if eq (len .Values.hosts) 2 }}two{{ end }} {{ if and (gt .Size 2) (lt .Size 10) }}few{{ end }} {{ if (and (ge .Size 1) true) }}x{{ end }}`,
	`{{ range $i := until (int .Values.replicas) }}{{ if $i }},{{ end }}{{ printf "%s-%d.%s" $.Name $i $.Name }}{{ end }}`,
	`{{ range 3 }}{{ . }}{{ end }}{{ range $i := 2 }}{{ $i }}{{ end }}{{ range .Values.replicas }}{{ . }}{{ end }}`,
	`{{ with .Values.nope }}{{ else with .Values.memory }}{{ . }}{{ end }}`,
	`{{ not true }} {{ not "" }} {{ not 0 }} {{ and 1 0 }} {{ or 0 "" "x" }} {{ and "a" "b" }} {{ or "" 0 }} {{ "" | or "a" }} {{ 1 | and 2 }}`,
	`{{ semverCompare "^1.2.0" "1.3.0" }} {{ semverCompare "~1.2" "1.3.0" }} {{ semverCompare ">=1.28, <1.30" "v1.29.1" }} {{ semverCompare "1.x || 2.x" "2.5.0" }}`,
}

// TestRealistic holds templates as charts have them to the oracle. Where an
// expression is piped through each of many functions, it is equal, or an error that
// says why not.
func TestRealistic(t *testing.T) {
	object := oracleData(t)
	plain := plainData(object)
	for _, text := range realistic {
		want, err := oracle(text, plain)
		if err != nil {
			t.Errorf("%s\nthe oracle: %v", text, err)
			continue
		}
		got, err := New(object, oracleSnippets, NewBudget()).Render(text)
		if err != nil {
			t.Errorf("%s\nthe oracle renders %q\n  and not: %v", text, want, err)
		} else if got != want {
			t.Errorf("%s\nrendered %q\n    want %q", text, got, want)
		}
	}
}

func TestRealistic_combined(t *testing.T) {
	expressions := []string{
		`.Values.image.tag`, `.Values.memory`, `.Values.replicas`, `.Values.debug`, `.Values.verbose`, `.Values.ratio`, `.Values.lr`, `.Values.empty`, `.Values.zero`,
		`.Values.none`, `.Values.nope`, `.Values.hosts`, `.Values.extraEnv`, `.Values.resources`, `.Values.config`, `.Values.unicode`, `.Values.path`, `.Values.mixed`,
		`.Values.json`, `.Values.csv`, `.Values.spaces`, `.Values.blanks`, `.Values.service.annotations`, `.Size`, `.Name`, `1.5`, `"1e3"`, `"0755"`, `"08"`, `""`, `1e6`, `1e30`,
		`(index .Values.ports 0)`, `(first .Values.hosts)`, `(add 1 2)`, `(divf 1 3)`, `(list)`, `(dict)`, `(until 3)`, `(get .Values "nope")`, `(dict "a" (list 1 nil "x"))`,
	}
	pipes := []string{
		``, ` | quote`, ` | squote`, ` | upper`, ` | default "x"`, ` | trunc 5`, ` | int`, ` | int64`, ` | float64`, ` | atoi`, ` | add 1`, ` | mul 2`, ` | mulf 2`, ` | div 100`, ` | toString`, ` | toJson`, ` | toYaml`,
		` | toPrettyJson`, ` | len`, ` | join ","`, ` | first`, ` | last`, ` | rest`, ` | empty`, ` | not`, ` | kindOf`, ` | print`, ` | print "a" 1`, ` | printf "%v"`, ` | printf "%s"`, ` | printf "%d"`, ` | printf "%q"`, ` | b64enc`,
		` | sha256sum`, ` | trim`, ` | nindent 2`, ` | splitList ","`, ` | sortAlpha`, ` | toStrings`, ` | keys`, ` | cat "a"`, ` | max 5`, ` | floor`, ` | ceil`, ` | eq 3`, ` | eq "x"`, ` | lt 1`, ` | html`, ` | urlquery`, ` | fromJson`,
		` | compact`, ` | reverse`, ` | has 1`, ` | hasPrefix "v"`, ` | ternary 1 2`, ` | coalesce 0`, ` | required "no"`, ` | or "y"`, ` | and "y"`, ` | default 1 | quote`, ` | toJson | quote`, ` | seq`, ` | until`, ` | title`, ` | wrap 3`,
		` | regexFind "[a-z]+"`, ` | replace "a" "b"`, ` | dict "k"`, ` | list`, ` | uniq`, ` | round 1`, ` | abbrev 5`, ` | println`,
	}
	object := oracleData(t)
	plain := plainData(object)
	equal, differ := 0, 0
	for _, expression := range expressions {
		for _, pipe := range pipes {
			for _, form := range []string{`{{ %s }}`, `{{ if %s }}yes{{ else }}no{{ end }}`} {
				text := fmt.Sprintf(form, expression+pipe)
				want, err := oracle(text, plain)
				if err != nil {
					continue
				}
				got, err := New(object, oracleSnippets, NewBudget()).Render(text)
				switch {
				case expression == `"1e3"` && strings.Contains(pipe, "fromJson"):
					// A number is what was written.
				case err == nil && got != want:
					t.Errorf("%s\nrendered %q\n    want %q", text, got, want)
				case err == nil:
					equal++
				case strings.Contains(want, "<no value>") || strings.Contains(want, "<nil>") || strings.Contains(want, "map[") || strings.Contains(want, "%!"):
					// What Go writes for what has no text.
				default:
					differ++
					var placed *Error
					if !errors.As(err, &placed) || len(placed.Message) < len("fail: no") {
						t.Errorf("%s: the error %q says nothing", text, err)
					}
				}
				if err == nil && (strings.Contains(got, "map[") || strings.Contains(got, "%!") || strings.Contains(got, "0xc0")) {
					t.Errorf("%s rendered %q", text, got)
				}
			}
		}
	}
	t.Logf("%d equal, %d are errors here and not in the oracle", equal, differ)
	if equal < 2*differ {
		t.Errorf("only %d are equal, and %d are errors here and not in the oracle", equal, differ)
	}
}

// scalars are values in every form that YAML has for one, and some of more.
var scalars = []string{
	`a`, `"a"`, `'a'`, `""`, `null`, `~`, ``, `true`, `false`, `yes`, `on`, `"true"`, `0`, `1`, `-1`, `8080`, `1.5`, `-0.5`, `1.10`, `2.0`, `0755`, `0o17`, `0x1F`, `0b11`, `1_000`, `12e3`, `1e-5`, `0.00001`, `1e21`, `1e400`, `.5`, `5.`, `+1`, `-0`,
	`12345678901`, `9223372036854775807`, `9223372036854775808`, `18446744073709551615`, `12345678901234567890`, `-9223372036854775809`, `.inf`, `-.inf`, `.nan`, `2024-01-02`, `2024-01-02T03:04:05Z`, `12:30:45`, `!!str 1`, `!!int "3"`, `!!float 1`, `!!binary aGk=`,
	`"p%!w"`, `"{{ .Name }}"`, `"a\nb"`, `"\u00fc"`, `[]`, `{}`, `[1, a, null]`, `{a: 1, b: [c]}`, `|-
  block
  text`, `>
  folded
  text`, `[1.10, 0755]`,
}

// FuzzAgainstTextTemplate holds the evaluation to that of text/template and sprig,
// over a value that YAML may have: where both render a template, they render the
// same; but a number is what was written. It never runs what was not found to end.
func FuzzAgainstTextTemplate(f *testing.F) {
	templates := []string{
		`{{ .Values.x }}`, `{{ .Values.x | quote }}{{ print .Values.x 1 }}`, `{{ if .Values.x }}a{{ else }}b{{ end }}`, `{{ .Values.x | default "d" }}`, `{{ printf "%v" .Values.x }}`,
		`{{ add .Values.x 1 }}`, `{{ mulf .Values.x 2 }}`, `{{ int .Values.x }}`, `{{ .Values.x | toString | len }}`, `{{ toJson .Values.x }}`, `{{ eq .Values.x 1 }}`, `{{ kindOf .Values.x }}`, `{{ list .Values.x 1 | join "," }}`,
		`{{ range $i, $p := .Peers }}{{ if $i }},{{ end }}{{ $p.Host }}:1{{ end }}`,
		`{{ with .Values.limits }}{{ .memory }}{{ else with .Name }}{{ . }}{{ end }}`,
		`{{ $x := 1 }}{{ range 5 }}{{ $x = len (print $x "a") }}{{ if gt $x 3 }}{{ break }}{{ end }}{{ end }}{{ $x }}`,
		`{{ if and .Name (or .Values.debug (not .Values.none)) }}{{ index .Values "tags" 1 }}{{ end }}`,
		`{{- printf "%q %v %05d" .Name .Values.port 7 | html -}} {{ slice .Name 1 2 }}{{/* c */}}`,
		`{{ range $k, $v := .Values.limits }}{{ $k }}={{ $v }}{{ else }}none{{ end }}`,
		"{{ `raw` | urlquery }}{{ js .Name }}{{ println 1 }}{{ (.Values).image }}{{ $.Name }}",
		`{{ true }}{{ false }}{{ nil }}{{ . }}{{ 0x10 }}{{ "{{" }}`,
	}
	for _, text := range templates {
		for _, scalar := range scalars {
			f.Add(text, scalar)
		}
	}
	for _, text := range realistic {
		f.Add(text, "1")
	}
	f.Fuzz(func(t *testing.T, text, scalar string) {
		if !utf8.ValidString(text) || strings.Contains(text, "sprig") {
			return // no YAML parser lets it through
		}
		x, err := parseYAML([]byte(scalar))
		if err != nil {
			return
		}
		object := testData(3)
		object.fields["Values"].(map[string]any)["x"] = x
		got, err := New(object, oracleSnippets, NewBudget()).Render(text)
		if len(got) > MaxText || err == nil && !utf8.ValidString(got) {
			t.Fatalf("rendered %d bytes", len(got))
		}
		if err != nil {
			return
		}
		want, err := oracle(text, plainData(object))
		if err != nil || want == got {
			return // stricter about kinds of numbers
		}
		if !sameKind(x) {
			return // with a number as it was written: TestNumbers holds those
		}
		t.Errorf("%q of %q\nrendered %q\n    want %q", text, scalar, got, want)
	})
}

// sameKind reports whether no number in a value is written in an unusual way.
func sameKind(value any) bool {
	switch value := value.(type) {
	case Number:
		return false
	case []any:
		for _, inner := range value {
			if !sameKind(inner) {
				return false
			}
		}
	case map[string]any:
		for _, inner := range value {
			if !sameKind(inner) {
				return false
			}
		}
	}
	return true
}

// TestFunctions_sprig holds the table to naming every function of sprig: as one that
// is there, or with what to write instead.
func TestFunctions_sprig(t *testing.T) {
	r := New(testData(1), nil, NewBudget())
	for name := range sprig.TxtFuncMap() {
		if _, found := table()[name]; found {
			continue
		}
		if err := r.unknownFunction(name); !strings.HasPrefix(err.Error(), "peerjob has no "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
