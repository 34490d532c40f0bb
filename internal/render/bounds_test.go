// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

// hostile are templates that want much, and what stops each.
var hostile = map[string]struct{ give, want string }{
	"a range over a number":      {`{{ range 100000000000 }}{{ end }}`, "too much work"},
	"that writes":                {`{{ range 100000000000 }}x{{ end }}`, "longer than 256 KiB"},
	"nested ranges":              {`{{ range 30000 }}{{ range 30000 }}{{ end }}{{ end }}`, "too much work"},
	"nested ranges over peers":   {strings.Repeat(`{{ range $.Peers }}`, 9) + strings.Repeat(`{{ end }}`, 9), "too much work"},
	"repeat":                     {`{{ repeat 1000000000 "x" }}`, "longer than 256 KiB"},
	"repeat of repeat":           {`{{ repeat 262144 "x" | repeat 1000 }}`, "longer than 256 KiB"},
	"repeat, thrown away":        {`{{ range 100000 }}{{ $x := repeat 262144 "x" }}{{ end }}`, "too much work"},
	"until":                      {`{{ until 1000000000 }}`, "10000 numbers"},
	"until, again and again":     {`{{ range 1000000 }}{{ $x := until 10000 }}{{ end }}`, "too much work"},
	"untilStep that overflows":   {`{{ untilStep 0 9223372036854775807 9223372036854775806 }}`, "too large a number"},
	"untilStep back":             {`{{ untilStep 0 -2000000000 -1 }}`, "10000 numbers"},
	"seq":                        {`{{ seq 1 1000000000 }}`, "10000 numbers"},
	"seq without a step":         {`{{ seq 1 0 10 }}`, ""},
	"a width":                    {`{{ printf "%999999999d" 1 }}`, "no more than 1000"},
	"a width from an argument":   {`{{ printf "%*d" 999999999 1 }}`, "is not for a format"},
	"a precision":                {`{{ printf "%.999999999f" 1.0 }}`, "no more than 1000"},
	"an indexed width":           {`{{ printf "%[2]*[1]d" 1 999999999 }}`, "is not for a format"},
	"replace":                    {`{{ replace "" (repeat 100000 "x") (repeat 100000 "y") }}`, "longer than 256 KiB"},
	"indent":                     {`{{ repeat 100000 "\n" | indent 100000 }}`, "longer than 256 KiB"},
	"a negative indent":          {`{{ indent -1 "x" }}`, "negative"},
	"a snippet in itself":        {`{{ include "loop" . }}`, "50 deep"},
	"two snippets that double":   {`{{ include "double" . }}`, "50 deep"},
	"tpl in itself":              {`{{ $t := "{{ tpl . . }}" }}{{ tpl "{{ tpl . . }}" "{{ tpl . . }}" }}`, "50 deep"},
	"a list that grows":          {`{{ $l := list 1 }}{{ range 1000000 }}{{ $l = concat $l $l }}{{ end }}`, "too much work"},
	"a text that grows":          {`{{ $l := "x" }}{{ range 1000000 }}{{ $l = print $l $l }}{{ end }}`, "longer than 256 KiB"},
	"a map that grows":           {`{{ $l := dict }}{{ range $i := 1000000 }}{{ $l = merge $l (dict (print $i) $i) }}{{ end }}`, "too much work"},
	"nested maps":                {`{{ $l := dict }}{{ range $i := 1000000 }}{{ $l = dict "a" $l "b" $l }}{{ end }}`, "too much work"},
	"uniq":                       {`{{ range 100000 }}{{ $x := until 1000 | uniq }}{{ end }}`, "too much work"},
	"uniq of many maps":          {`{{ $m := list }}{{ range until 100 }}{{ $m = append $m (dict "a" .) }}{{ end }}{{ range until 1000 }}{{ $x := uniq $m }}{{ end }}`, "too much work"},
	"join":                       {`{{ until 10000 | join (repeat 1000 "x") }}`, "longer than 256 KiB"},
	"a pattern":                  {`{{ regexFindAll "(.*b)|a" (repeat 200000 "a") -1 }}`, "too much work"},
	"a large pattern":            {`{{ regexMatch "((a{30}){30}){30}" "a" }}`, "invalid repeat count"},
	"a long pattern":             {`{{ regexMatch (repeat 2000 "a") "a" }}`, "may have 512"},
	"patterns, again and again":  {`{{ range 100000 }}{{ $x := regexMatch "(a{30}){30}" (repeat 1000 "a") }}{{ end }}`, "too much work"},
	"a replacement":              {`{{ regexReplaceAll "a" (repeat 1000 "a") (repeat 1000 "${0}") }}`, "longer than 256 KiB"},
	"chunks of nothing":          {`{{ chunk 0 (list 1) }}`, "1 or more"},
	"wrap at nothing":            {`{{ wrap 0 "a b" }}`, "1 or more"},
	"deep parentheses":           {`{{ ` + strings.Repeat("(", 100000) + "1" + strings.Repeat(")", 100000) + ` }}`, "nested more than 250 deep"},
	"deep blocks":                {strings.Repeat("{{if 1}}", 15000) + strings.Repeat("{{end}}", 15000), "nested more than 250 deep"},
	"a deep pipeline":            {`{{ "a" ` + strings.Repeat(`| upper`, 30000) + ` }}`, ""},
	"a long template":            {strings.Repeat("{{1}}", 60000), "may have 262144"},
	"long templates in tpl":      {`{{ $t := repeat 40000 "{{1}}" }}{{ range 1000000 }}{{ $x := tpl $t . }}{{ end }}`, "too much work"},
	"JSON in JSON":               {`{{ $l := "x" }}{{ range 1000000 }}{{ $l = toJson (list $l $l) }}{{ end }}`, "longer than 256 KiB"},
	"aliases of YAML":            {"{{ fromYaml (printf \"a: &a [1,1,1,1,1,1,1,1,1]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\") | toJson }}", "aliases expand to more than"},
	"all values, many times":     {`{{ range 1000000 }}{{ $x := toJson $.Values }}{{ end }}`, "too much work"},
	"a long else if":             {`{{ if false }}` + strings.Repeat(`{{ else if false }}`, 5000) + `{{ end }}`, "nested more than 250 deep"},
	"parentheses in strings":     {`{{ print "` + strings.Repeat("(", 1000) + `" }}`, ""},
	"a nest hidden by a comment": {"{{-\t/* \" */}}" + strings.Repeat("{{if 1}}", 1000) + `{{/* " */}}` + strings.Repeat("{{end}}", 1000), "nested more than 250 deep"},
	"a nest behind white space":  {strings.Repeat("{{"+strings.Repeat(" ", 100)+"if 1}}", 500) + strings.Repeat("{{end}}", 500), "nested more than 250 deep"},
	"a snippet nested in itself": {`{{ include "deep" . }}`, "nested more than"},
	"printf of much":             {`{{ printf (repeat 4000 "%v") (repeat 262144 "a") | trunc 1 }}`, "no argument"},
	"printf of indexed much":     {`{{ printf (repeat 4000 "%[1]s") (repeat 262144 "a") | trunc 1 }}`, "is not for a format"},
	"range over a large map":     {largeMap + `{{ range until 2000 }}{{ range $m }}{{ break }}{{ end }}{{ end }}`, "too much work"},
	"a key of a large map":       {largeMap + `{{ range until 20000 }}{{ $x := $m.nope | default "" }}{{ end }}x`, ""},
	"a key of many large maps":   {largeMap + `{{ range until 2000 }}{{ $x := keys $m }}{{ end }}x`, "too much work"},
	"a map as a key":             {largeMap + `{{ range until 500 }}{{ $x := dict $m 1 }}{{ end }}`, "too much work"},
	"a long key":                 {`{{ dict (repeat 2000 "a") 1 }}`, "may have 1024"},
	"a long cutset":              {`{{ trimAll (printf "%s日" (repeat 80000 "曥")) (repeat 80000 "日") }}`, "too much work"},
	"a long version":             {`{{ semverCompare (repeat 1000 ">1 ") "1.0.0" }}`, "may have 128"},
	"merge keys":                 {"{{ fromYaml (print \"a: &a {k\" (join \": 1, k\" (until 200)) \": 1}\\nc:\\n\" (repeat 100 \"- {<<: *a}\\n\")) | len }}", "aliases expand to more than"},
	"an alias of itself":         {`{{ fromYaml "a: &a [*a]" | toJson }}`, "nested more than 100 deep"},
	"deep JSON":                  {`{{ fromJson (print (repeat 9000 "[") (repeat 9000 "]")) | toPrettyJson }}`, "nested more than 100 deep"},
	"an address":                 {`{{ printf "%p" .Values }}{{ printf "%p" .Name }}`, "which has no text"},
	"a long message":             {`{{ fail (repeat 262144 "x") }}`, "xxx..."},
	"folded ranges":              {`{{ regexMatch "(?i)` + strings.Repeat(`[\\x{100}-\\x{1FFFF}]`, 25) + `" "a" }}`, "too much work"},
	"a large exponent":           {`{{ addf 1e308 1e308 }}`, ""},
	"a large exponent as a text": {`{{ addf "1e999999999" 1 }}`, "must be a number"},
}

// largeMap makes a map with 9,999 keys.
const largeMap = `{{ $m := fromYaml (printf "{k%s: 1}" (join ": 1, k" (until 9999))) }}`

// TestHostile stops every template that wants too much. What each may cost is
// counted, so that the test is the same on every machine: "go test -bench
// Hostile" shows the time.
func TestHostile(t *testing.T) {
	const maxMemory = 64 << 20
	for name, tt := range hostile {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, err := New(testData(1000), testSnippets, NewBudget()).Render(tt.give)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > maxMemory {
				t.Errorf("took %d MiB", used>>20)
			}
			if len(got) > MaxText {
				t.Errorf("rendered %d bytes", len(got))
			}
			if tt.want == "" {
				return
			}
			var placed *Error
			if !errors.As(err, &placed) {
				t.Fatalf("rendered %.60q, error %v", got, err)
			}
			if !strings.Contains(placed.Message, tt.want) {
				t.Errorf("got the error %q, want one about %q", placed.Message, tt.want)
			}
			if len(placed.Source) > maxSource+10 {
				t.Errorf("the error shows %d bytes", len(placed.Source))
			}
		})
	}
}

func BenchmarkHostile(b *testing.B) {
	for name, tt := range hostile {
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = New(testData(1000), testSnippets, NewBudget()).Render(tt.give)
			}
		})
	}
}
