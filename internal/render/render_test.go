// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fields is an Object of a map, in the order of its keys.
type fields map[string]any

func (f fields) Fields() []string {
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (f fields) Field(name string) (any, error) {
	if err, ok := f[name].(error); ok {
		return nil, err
	}
	return f[name], nil
}

// pointer is what a renderer compares data by.
type data struct{ fields }

func peers(n int) []any {
	all := make([]any, n)
	for i := range all {
		hostname := fmt.Sprintf("train-%d", i)
		all[i] = fields{"Index": i, "Hostname": hostname, "Host": hostname + ".train"}
	}
	return all
}

func testData(n int) *data {
	return &data{fields{
		"Name": "train", "Size": n, "Service": "train", "Leader": "train-0.train", "Peers": peers(n), "Namespace": nil,
		"FQDN": errors.New(".FQDN is not known without metadata.namespace"),
		"Values": map[string]any{
			"image": "web:1", "port": int64(8080), "debug": false, "ratio": 0.5, "tags": []any{"a", "b"}, "none": nil,
			"limits": map[string]any{"memory": "1Gi"}, "text": "I am {{ .Name }}", "evil": "a\n---\nkind: Evil\n\"'",
			"big": int64(12345678901),
		},
	}}
}

var testSnippets = map[string]string{
	"greeting": "hello {{ .Name }}",
	"loop":     `{{ include "loop" . }}`,
	"broken":   "{{ if }}",
	"late":     "first line\n  {{ .Values.nope }}",
	"double":   `{{ include "double2" . }}{{ include "double2" . }}`,
	"deep":     strings.Repeat("{{ range 1 }}", 200) + "{{ " + strings.Repeat("not (", 40) + `include "deep" .` + strings.Repeat(")", 40) + " }}" + strings.Repeat("{{ end }}", 200),
	"double2":  `{{ include "double" . }}{{ include "double" . }}`,
}

func render(text string) (string, error) {
	return New(testData(3), testSnippets, NewBudget()).Render(text)
}

func TestRender(t *testing.T) {
	tests := map[string]struct{ give, want string }{
		"no template":               {"a } } {", "a } } {"},
		"etcd's list":               {`{{ range $i, $p := .Peers }}{{ if $i }},{{ end }}{{ .Hostname }}=http://{{ $p.Host }}:2380{{ end }}`, "train-0=http://train-0.train:2380,train-1=http://train-1.train:2380,train-2=http://train-2.train:2380"},
		"a literal":                 {`{{ "{{" }} x }}`, "{{ x }}"},
		"white space":               {"a {{- 1 -}} b", "a1b"},
		"a comment":                 {"{{/* nothing */}}x", "x"},
		"an integer of the values":  {"{{ .Values.big }}", "12345678901"},
		"a float":                   {"{{ .Values.ratio }}", "0.5"},
		"a boolean":                 {"{{ .Values.debug }}", "false"},
		"missing with a default":    {`{{ .Values.a.b.c | default "x" }}`, "x"},
		"null with a default":       {`{{ .Values.none | default 1 }}`, "1"},
		"no namespace":              {`{{ .Namespace | default "none" }}`, "none"},
		"else if":                   {`{{ if .Values.debug }}a{{ else if .Values.port }}b{{ else }}c{{ end }}`, "b"},
		"with":                      {`{{ with .Values.limits }}{{ .memory }} {{ $.Name }}{{ else }}none{{ end }}`, "1Gi train"},
		"range over a map":          {`{{ range $k, $v := dict "b" 2 "a" 1 }}{{ $k }}{{ $v }}{{ end }}`, "a1b2"},
		"range over a number":       {`{{ range $i := .Size }}{{ $i }}{{ end }}`, "012"},
		"range over nothing":        {`{{ range list }}a{{ else }}b{{ end }}`, "b"},
		"break and continue":        {`{{ range $i := 9 }}{{ if eq $i 1 }}{{ continue }}{{ end }}{{ if eq $i 4 }}{{ break }}{{ end }}{{ $i }}{{ end }}`, "023"},
		"assignment":                {`{{ $x := 1 }}{{ range 3 }}{{ $x = add $x 1 }}{{ end }}{{ $x }}`, "4"},
		"scopes":                    {`{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}`, "21"},
		"a chain":                   {`{{ (index .Peers 2).Host }}`, "train-2.train"},
		"and stops":                 {`{{ and false (fail "no") }}`, "false"},
		"or stops":                  {`{{ or 1 (fail "no") }}`, "1"},
		"a value stays as it is":    {`{{ .Values.evil }}`, "a\n---\nkind: Evil\n\"'"},
		"a template in a value":     {`{{ print "{{ .Name }}" }}`, "{{ .Name }}"},
		"a must function":           {`{{ mustToJson (list 1) }}`, "[1]"},
		"numbers of unlike types":   {`{{ eq .Values.port 8080 }} {{ lt .Values.ratio 1 }}`, "true true"},
		"merge keeps the arguments": {`{{ $a := dict "x" 1 }}{{ $b := merge $a (dict "y" 2) }}{{ toJson $a }}`, `{"x":1}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := render(tt.give)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNumbers has a number of the values in a text as it was written, and in
// arithmetic as what it is.
func TestNumbers(t *testing.T) {
	const values = `{tag: 1.10, ver: 2.0, mode: 0755, big: 12345678901234567890, sha: 12e3, hex: 0x1F, lr: 1e-5, under: 1_000, neg: -0, list: [1.10, 0755], map: {a: 1.10, b: 0755}, port: 8080}`
	read, err := parseYAML([]byte(values))
	if err != nil {
		t.Fatal(err)
	}
	object := testData(3)
	object.fields["Values"] = read
	for give, want := range map[string]string{
		`{{ .Values.tag }} {{ .Values.ver }} {{ .Values.mode }} {{ .Values.big }} {{ .Values.sha }} {{ .Values.hex }} {{ .Values.lr }} {{ .Values.under }} {{ .Values.neg }}`: "1.10 2.0 0755 12345678901234567890 12e3 0x1F 1e-5 1_000 -0",
		`{{ quote .Values.tag }} {{ squote .Values.mode }} {{ toString .Values.sha }} {{ cat .Values.tag .Values.mode }}`:                                                     `"1.10" '0755' 12e3 1.10 0755`,
		`{{ print .Values.tag .Values.mode }} {{ print "v" .Values.tag }} {{ printf "%v|%6v|%-6v|" .Values.tag .Values.mode .Values.sha }}`:                                   "1.10 0755 v1.10 1.10|  0755|12e3  |",
		`{{ join "," .Values.list }} {{ toStrings .Values.list | first }} {{ .Values.tag | default "x" }} {{ dict .Values.tag 1 | toJson }}`:                                  `1.10,0755 1.10 1.10 {"1.10":1}`,
		`{{ toJson .Values.map }} {{ toYaml .Values.map }}`:                                                                                "{\"a\":1.10,\"b\":493} a: 1.10\nb: 0755",
		`{{ add .Values.mode 1 }} {{ mulf .Values.tag 2 }} {{ int .Values.sha }} {{ add .Values.hex 0 }} {{ add .Values.under 1 }}`:        "494 2.2 12000 31 1001",
		`{{ printf "%d %.2f %x" .Values.mode .Values.tag .Values.hex }} {{ int .Values.ver }} {{ range until .Values.hex }}x{{ end }}`:     "493 1.10 1f 2 " + strings.Repeat("x", 31),
		`{{ eq .Values.tag 1.1 }} {{ lt .Values.mode 500 }} {{ if .Values.neg }}a{{ else }}b{{ end }} {{ has 1.1 (list .Values.tag) }}`:    "true true b true",
		`{{ kindOf .Values.tag }} {{ kindOf .Values.mode }} {{ kindOf .Values.port }} {{ max .Values.mode .Values.hex }}`:                  "float64 int64 int64 493",
		`{{ merge (dict "a" .Values.neg) (dict "a" 2) | toJson }} {{ tpl "{{ .Values.tag }}" . }} {{ len (toString .Values.big) }}`:        `{"a":2} 1.10 20`,
		`{{ fromJson "[1.10, 12345678901234567890]" | join "," }} {{ (fromYaml "a: 0755").a }} {{ .Values.port }}{{ print .Values.port }}`: "1.10,12345678901234567890 0755 80808080",
	} {
		got, err := New(object, nil, NewBudget()).Render(give)
		if err != nil {
			t.Errorf("%s: %v", give, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", give, diff)
		}
	}
}

// TestMissing has a key that is missing as false in conditions, and as an error
// where it would be rendered.
func TestMissing(t *testing.T) {
	values, nulls := WithoutNulls(map[string]any{"port": 1, "tls": nil, "m": map[string]any{"k": nil}})
	object := testData(3)
	object.fields["Values"] = values
	for give, want := range map[string]string{
		`{{ if .Values.a }}a{{ else }}b{{ end }}`:                                    "b",
		`{{ if .Values.a.b.c }}a{{ else }}b{{ end }}`:                                "b",
		`{{ with .Values.a }}a{{ else }}b{{ end }}`:                                  "b",
		`{{ if not .Values.a }}b{{ end }}`:                                           "b",
		`{{ if and .Values.a .Values.a.b }}a{{ else }}b{{ end }}`:                    "b",
		`{{ if or .Values.a (not .Values.c) }}b{{ end }}`:                            "b",
		`{{ or .Values.a "b" }}{{ .Values.a | or "b" }}`:                             "bb",
		`{{ default "b" .Values.a }}{{ .Values.a.x | default "b" }}`:                 "bb",
		`{{ $x := .Values.a }}{{ if $x }}a{{ else }}{{ $x | default "b" }}{{ end }}`: "b",
		`{{ if index .Values "a" }}a{{ end }}{{ index .Values "a" | default "b" }}`:  "b",
		`{{ if .Values.tls }}a{{ else }}b{{ end }}`:                                  "b",
		`{{ range .Values.a | default list }}a{{ else }}b{{ end }}`:                  "b",
		`{{ ternary "a" "b" (not (empty .Values.a)) }}`:                              "b",
		`{{ .Values.a }}`:                             `error: template: line 1, column 11: .Values has no "a"; it has "m", "port"; set it in spec.values, or with --values or --set`,
		`{{ or .Values.a .Values.b }}`:                `error: template: line 1, column 24: .Values has no "b"; it has "m", "port"; set it in spec.values, or with --values or --set`,
		`{{ and .Values.a .Values.b }}`:               `error: template: line 1, column 15: .Values has no "a"; it has "m", "port"; set it in spec.values, or with --values or --set`,
		`{{ $x := .Values.a }}{{ $x }}`:               `error: template: line 1, column 17: .Values has no "a"; it has "m", "port"; set it in spec.values, or with --values or --set`,
		`{{ upper .Values.a }}`:                       `error: template: line 1, column 17: .Values has no "a"; it has "m", "port"; set it in spec.values, or with --values or --set`,
		`{{ if eq .Values.a 1 }}{{ end }}`:            `error: template: line 1, column 17: .Values has no "a"; it has "m", "port"; set it in spec.values, or with --values or --set`,
		`{{ if .Sise }}{{ end }}`:                     `error: template: line 1, column 7: . has no "Sise"; did you mean "Size"?; it has "FQDN", "Leader", "Name", "Namespace", "Peers", "Service", "Size", "Values"`,
		`{{ index .Values "a" }}`:                     `error: template: line 1, column 4: the map has no "a"; it has "m", "port"`,
		`{{ .Values.tls }}`:                           `error: template: line 1, column 11: .Values.tls is null, which removes the key; give it a value, or write | default`,
		`{{ .Values.tls.x }}`:                         `error: template: line 1, column 11: .Values.tls is null, which removes the key; give it a value, or write | default`,
		`{{ range list .Values.m }}{{ .k }}{{ end }}`: `error: template: line 1, column 30: .k is null, which removes the key; give it a value, or write | default`,
		`{{ .Values.m.k }}`:                           `error: template: line 1, column 13: .Values.m.k is null, which removes the key; give it a value, or write | default`,
	} {
		r := New(object, nil, NewBudget())
		r.Nulls = nulls
		got, err := r.Render(give)
		if err != nil {
			got = "error: " + err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", give, diff)
		}
	}
}

func TestErrors(t *testing.T) {
	tests := map[string]struct{ give, want string }{
		"a missing key":            {`a: {{ .Values.prot }}`, `template: line 1, column 14: .Values has no "prot"; did you mean "port"?; it has "big", "debug", "evil", "image", "limits", "none", "port", "ratio", "tags", "text"`},
		"a key in a missing map":   {`{{ .Values.limit.cpu }}`, `template: line 1, column 11: .Values has no "limit"; did you mean "limits"?; it has "big", "debug", "evil", "image", "limits", "none", "port", "ratio", "tags", "text"`},
		"a missing key in a range": {`{{ range .Values.tls }}x{{ end }}`, `template: line 1, column 17: .Values has no "tls"; it has "big", "debug", "evil", "image", "limits", "none", "port", "ratio", "tags", "text"; set it in spec.values, or with --values or --set`},
		"below a text":             {`{{ .Name.x }}`, `template: line 1, column 9: .Name is a string, and has no "x"`},
		"below null":               {`{{ .Values.none.x }}`, `template: line 1, column 16: .Values.none is null, and has no "x"`},
		"no field of the data":     {`{{ .Sise }}`, `template: line 1, column 4: . has no "Sise"; did you mean "Size"?; it has "FQDN", "Leader", "Name", "Namespace", "Peers", "Service", "Size", "Values"`},
		"a field without a value":  {`{{ .FQDN }}`, `template: line 1, column 4: .FQDN is not known without metadata.namespace`},
		"Helm's release":           {`{{ .Release.Name }}`, `template: line 1, column 4: .Release is Helm's; write .Name and .Namespace`},
		"null":                     {`{{ .Values.none }}`, `template: line 1, column 4: .Values.none is null, which has no text; give it a value, or write | default ""`},
		"a word of YAML 1.1":       {`{{ fromYaml "tls: no" }}`, `template: line 1, column 4: fromYaml: line 1: no: Helm reads this word as false; write false, or "no" with the quotes`},
		"a map":                    {"x\n  {{ .Values.limits }}", `template: line 2, column 6: .Values.limits is a map, which has no text; name a part of it, range over it, or write | toJson or | toYaml`},
		"all peers":                {`{{ .Peers }}`, `template: line 1, column 4: .Peers is a list, which has no text; name a part of it, range over it, or write | toJson or | toYaml`},
		"all of the data":          {`{{ toJson . }}`, `template: line 1, column 4: toJson can't be given all of the data; name a field of it, such as .Values`},
		"an unknown function":      {`{{ uper .Name }}`, `template: line 1, column 4: there is no function "uper"; did you mean "upper"?; to write "{{" itself, write {{ "{{" }}`},
		"a function with a clock":  {`{{ now }}`, `template: line 1, column 4: peerjob has no now, because the same input must give the same output; put the time into the values`},
		"a syntax error":           {"a\n{{ .Name }} {{ if }}", `template: line 2, column 13: if needs a value, such as {{ if .Values.name }}`},
		"no end":                   {`{{ if .Name }}`, `template: line 1, column 1: {{ if }} has no {{ end }}`},
		"not closed":               {`{{ .Name`, `template: line 1, column 1: "{{" has no "}}"; to write "{{" itself, write {{ "{{" }}`},
		"an end of nothing":        {"a\nx{{ end }}", `template: line 2, column 2: {{ end }} belongs to no block; remove it, or write {{ if }}, {{ with }} or {{ range }} before it`},
		"the outer end is missing": {`{{ range .Peers }}{{ if .Index }}a{{ end }}`, `template: line 1, column 1: {{ range }} has no {{ end }}`},
		"an end in a text":         {`{{ if .Name }}{{ "{{ end }}" }}`, `template: line 1, column 1: {{ if }} has no {{ end }}`},
		"one brace":                {`{{ .Name }`, `template: line 1, column 1: an action must end with "}}", and here is a single "}"`},
		"no closing quote":         {`{{ "a }}`, `template: line 1, column 1: a text has no closing "`},
		"no closing backquote":     {"{{ `a }}", "template: line 1, column 1: a text has no closing `"},
		"no closing parenthesis":   {`{{ (len .Peers }}`, `template: line 1, column 1: "(" has no ")"`},
		"a variable of nothing":    {`{{ $x }}`, `template: line 1, column 1: the variable $x is not defined; write {{ $x := VALUE }} before it, in the same block or around it`},
		"a division":               {`{{ .Values.gpus / 8 }}`, `template: line 1, column 1: unexpected "/" in operand; a template has functions and no operators: write div .Values.gpus 8`},
		"a comparison":             {`{{ if .Size >= 2 }}a{{ end }}`, `template: line 1, column 1: unexpected ">" in operand; a template has functions and no operators: write ge .Size 2`},
		"the data in a range":      {`{{ range .Peers }}{{ .Values.port }}{{ end }}`, `template: line 1, column 22: . has no "Values" here; it has "Host", "Hostname", "Index"; for the outer one write $.Values.port, because range and with change what "." is`},
		"the name in a range":      {`{{ range .Peers }}{{ .Name }}{{ end }}`, `template: line 1, column 22: . has no "Name" here; it has "Host", "Hostname", "Index"; for the outer one write $.Name, because range and with change what "." is`},
		"an index behind a dot":    {`{{ .Peers.0.Host }}`, `template: line 1, column 1: unexpected ".0" in operand; write (index .Peers 0)`},
		"a verb for another kind":  {`{{ printf "%d" .Name }}`, `template: line 1, column 4: printf: %d does not write argument 2, which is a string, train; write %s`},
		"a function of Helm":       {`{{ now }}`, `template: line 1, column 4: peerjob has no now, because the same input must give the same output; put the time into the values`},
		"an argument of a value":   {`{{ .Name 1 }}`, `template: line 1, column 4: .Name is a value, not a function; it takes no arguments`},
		"too few arguments":        {`{{ replace "a" }}`, `template: line 1, column 4: replace: takes 3 arguments, and has 1`},
		"an argument of no kind":   {`{{ upper 1 }}`, `template: line 1, column 4: upper: argument 1 must be a string, not an integer 1`},
		"a text for a number":      {`{{ add "x" 1 }}`, `template: line 1, column 4: add: argument 1 must be a number, not "x"`},
		"a division by zero":       {`{{ div 1 0 }}`, `template: line 1, column 4: div: division by zero`},
		"required":                 {`{{ required "set tls" .Values.tls }}`, `template: line 1, column 4: required: set tls`},
		"fail":                     {`{{ fail "no" }}`, `template: line 1, column 4: fail: no`},
		"a snippet that is none":   {`{{ include "greting" . }}`, `template: line 1, column 4: include: there is no snippet "greting"; did you mean "greeting"?; spec.snippets has "broken", "deep", "double", "double2", "greeting", "late", "loop"`},
		"an error in a snippet":    {`{{ include "late" . }}`, `template: snippet "late", line 2, column 13: .Values has no "nope"; did you mean "none"?; it has "big", "debug", "evil", "image", "limits", "none", "port", "ratio", "tags", "text"`},
		"a definition":             {`{{ define "x" }}a{{ end }}`, `template: line 1, column 17: define and block are not for a field; write the text into spec.snippets under "x", and {{ include "x" . }} here`},
		"a template action":        {`{{ template "x" }}`, `template: line 1, column 13: template is not for a field; write {{ include "x" . }}`},
		"half a character":         {`{{ trunc 1 "ü" }}`, `template: line 1, column 1: renders to what is no UTF-8 text: a character was cut in two, or it holds binary data`},
		"a format that misses one": {`{{ printf "%d" "x" }}`, `template: line 1, column 4: printf: %d does not write argument 2, which is a string, x; write %s`},
		"range over a text":        {`{{ range .Name }}{{ end }}`, `template: line 1, column 10: range takes a list, a map or an integer, not a string`},
		"map and text":             {`{{ eq .Values "x" }}`, `template: line 1, column 4: eq: a map and a string can't be compared`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := render(tt.give)
			var placed *Error
			if !errors.As(err, &placed) {
				t.Fatalf("got %q and the error %v", got, err)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestFunctions renders the example of every function.
func TestFunctions(t *testing.T) {
	for _, f := range Functions() {
		t.Run(f.Name, func(t *testing.T) {
			if !strings.Contains(f.Example, f.Name) {
				t.Errorf("the example does not call it: %s", f.Example)
			}
			got, err := render(f.Example)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(f.Result, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, refusal := range Refusals() {
		for _, name := range refusal.Names {
			if _, found := table()[name]; found {
				t.Errorf("%s is both here and refused", name)
			}
			if _, err := render("{{ " + name + " }}"); err == nil {
				t.Errorf("%s is not refused", name)
			}
		}
	}
}

// parseYAML reads a value as the values of a PeerJob are read.
func parseYAML(text []byte) (any, error) {
	document, err := Document(text)
	if err != nil {
		return nil, err
	}
	return Value(document)
}
