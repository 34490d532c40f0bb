// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"slices"
	"strings"
	"testing"
)

// TestReadFile_mistyped says which line is wrong, and what to write: the parser names the
// line where the map begins.
func TestReadFile_mistyped(t *testing.T) {
	const text = `apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata:
  name: train
spec:
  peers: "2"
  failurePolicy: {action: FailPeerJob}
  template:
    spec:
      containers:
      - name: w
        image: x
        args: ["a", b]
`
	for name, test := range map[string]struct{ line, mistyped, want string }{
		"tab":                {"  peers", "\tpeers", `line 6 has a tab; indent with spaces`},
		"too little":         {"  template", " template", `line 8 is indented by 1, which fits no line above it; indent it by 2`},
		"too much":           {"  template", "   template", `line 8 is indented by 3, which fits no line above it; indent it by 2`},
		"in a list":          {"        image", "       image", `line 12 is indented by 7, which fits no line above it; indent it by 8`},
		"below a value":      {"        image", "         image", `line 12 is indented by 9, which fits no line above it; indent it by 8`},
		"quote":              {`"2"`, `"2`, `line 6 has a quote without an end; write peers: "2"`},
		"single quote":       {`"2"`, `'2`, `line 6 has a quote without an end; write peers: '2'`},
		"quote in brackets":  {`b]`, `"b]`, `line 13 has a quote without an end; write args: ["a", "b"]`},
		"bracket":            {`b]`, `b`, `line 13 has a bracket without an end; write args: ["a", b]`},
		"brace":              {"FailPeerJob}", "FailPeerJob", `line 7 has a bracket without an end; write failurePolicy: {action: FailPeerJob}`},
		"colon in a value":   {"image: x", "image: a: b", `line 12 has a value that needs quotes; write image: 'a: b'`},
		"sign of YAML":       {"image: x", "image: @it's", `line 12 has a value that needs quotes; write image: '@it''s'`},
		"colon":              {"image: x", "image x", `line 12 has no colon; write image: x`},
		"colon of a map":     {"metadata:", "metadata", `line 3 has no colon; write metadata:`},
		"space of the colon": {"image: x", "image:x", `line 12 has no space after the colon; write image: x`},
		"space of the dash":  {"- name", "-name", `line 11 has no space after the dash; write - name: w`},
	} {
		t.Run(name, func(t *testing.T) {
			// The lines are those of the file, also in its second document.
			for before, text := range map[int]string{0: text, 2: "a: b\n---\n" + text} {
				want := test.want
				if before > 0 {
					number, rest, _ := strings.Cut(strings.TrimPrefix(want, "line "), " ")
					want = "line " + map[string]string{"3": "5", "6": "8", "7": "9", "8": "10", "11": "13", "12": "14", "13": "15"}[number] + " " + rest
				}
				_, errs := ReadFile("f.yaml", []byte(strings.Replace(text, test.line, test.mistyped, 1)))
				said := ""
				for _, err := range errs {
					said = err.Error()
				}
				if !strings.HasSuffix(said, "; "+want) {
					t.Errorf("below %d lines: got %q, want it to end with %q", before, said, want)
				}
			}
		})
	}
}

// TestReadFile_manyMistyped bounds what a stream of broken documents costs.
func TestReadFile_manyMistyped(t *testing.T) {
	_, errs := ReadFile("f.yaml", []byte(strings.Repeat("a: \"b\nc: d\n---\n", 100)))
	explained := 0
	for _, err := range errs {
		if strings.Contains(err.Error(), "without an end") {
			explained++
		}
	}
	if len(errs) != 100 || explained != maxExplainedErrors {
		t.Errorf("got %d errors and %d explained, want 100 and %d", len(errs), explained, maxExplainedErrors)
	}
}

func TestLevels(t *testing.T) {
	above := strings.Split("a:\n  b:\n  - - c: |\n\n        text\n# d\n      e: f", "\n")
	for indent, want := range map[int][]int{6: nil, 5: {6, 4, 2}, 2: nil, 7: {6, 4, 2}} {
		if got := levels(above, indent); !slices.Equal(got, want) {
			t.Errorf("%d: got %v, want %v", indent, got, want)
		}
	}
}
