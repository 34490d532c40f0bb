// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// oddStrings are JSON strings, between their quotes, that YAML would read otherwise.
var oddStrings = []string{
	`a\/b`, `\ud83d\ude00`, `\uD83D\uDE00`, "a\u0085b", `a\u0085b`, "\u2028\u2029", `\u2028`, "\ufeff", "\x7f", "\u009f", `\b\f\n\r\t`, `\"\\`,
	`\\ud83d`, `\u0000`, `\uffff`, "😀", `a: b # c`, ` `, ``, `\u003c`, `é\u00e9`,
}

// TestYAMLOfJSON holds what YAML reads in JSON to what encoding/json reads in it.
func TestYAMLOfJSON(t *testing.T) {
	for _, text := range oddStrings {
		data := []byte("{\t\"k\": [\"" + text + "\", 1.50, true, null, {\"" + text + "\": {}}]}")
		var want, got any
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if err := yaml.Unmarshal(YAMLOfJSON(data), &got); err != nil {
			t.Errorf("%s: %v", data, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-JSON +YAML):\n%s", data, diff)
		}
	}
	// What is no JSON, or holds half a character, is left to YAML.
	for _, text := range []string{"{a: b}", "a: b", `{"a": "\x41"}`, `{"a": "\ud83d"}`, `{"a": "\ude00\ud83d"}`, `{"a": "\ud83dx"}`, "{\"a\": \"\xff\"}", "{\"a\xc3\": 1}"} {
		if got := string(YAMLOfJSON([]byte(text))); got != text {
			t.Errorf("YAMLOfJSON(%s) = %s, want it unchanged", text, got)
		}
	}
	// A key that is there twice still is.
	if got := string(YAMLOfJSON([]byte(`{"a": "\/", "a": 1}`))); strings.Count(got, `"a"`) != 2 {
		t.Errorf("of two equal keys are left: %s", got)
	}
}

// FuzzYAMLOfJSON does the same for any string.
func FuzzYAMLOfJSON(f *testing.F) {
	for _, text := range oddStrings {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data := []byte(`{"k": "` + text + `"}`)
		var want, got map[string]string
		if json.Unmarshal(data, &want) != nil || len(want) != 1 || !utf8.Valid(data) || hasLoneSurrogate([]byte(`"`+text+`"`)) {
			return
		}
		if err := yaml.Unmarshal(YAMLOfJSON(data), &got); err != nil {
			if len(want["k"])+len(text) > 1000 || strings.Contains(text, `"`) {
				return // a long key is none for YAML, and text may have become several keys
			}
			t.Fatalf("%q: %v", data, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-JSON +YAML):\n%s", data, diff)
		}
	})
}
