// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// splitJSON splits a text of JSON values that follow each other, as kubectl
// takes them. Any other text is returned as it is.
func splitJSON(text []byte) [][]byte {
	if !beginsObject(text) {
		return [][]byte{text}
	}
	var values [][]byte
	decoder := json.NewDecoder(bytes.NewReader(text))
	for start := int64(0); ; start = decoder.InputOffset() {
		var value json.RawMessage
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			return values
		}
		if err != nil {
			return [][]byte{text} // a map of YAML in braces
		}
		values = append(values, bytes.TrimSpace(text[start:decoder.InputOffset()]))
	}
}

func beginsObject(text []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) }

// YAMLOfJSON returns JSON as YAML that says the same: YAML knows neither "\/" nor
// surrogate pairs, and takes some characters for line breaks. Only strings are
// changed, so that a key that is there twice still is. Any other text is returned as
// it is.
func YAMLOfJSON(text []byte) []byte {
	if !beginsObject(text) || !json.Valid(text) {
		return text
	}
	var out []byte
	for i := 0; i < len(text); {
		if text[i] == '\t' { // white space outside of strings
			out = append(out, ' ')
			i++
			continue
		}
		if text[i] != '"' {
			out = append(out, text[i])
			i++
			continue
		}
		end := i + 1
		for ; text[end] != '"'; end++ {
			if text[end] == '\\' {
				end++
			}
		}
		out = append(out, yamlOfString(text[i:end+1])...)
		i = end + 1
	}
	return out
}

// yamlOfString returns a JSON string, with its quotes, as one of YAML.
func yamlOfString(quoted []byte) []byte {
	const hex = "0123456789abcdef"
	var value string
	if hasLoneSurrogate(quoted) || !utf8.Valid(quoted) || json.Unmarshal(quoted, &value) != nil {
		return quoted // half a character, or none: YAML refuses it, and Go would replace it
	}
	out := []byte{'"'}
	for _, r := range value {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r < ' ' || 0x7f <= r && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff:
			out = append(out, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		default:
			out = append(out, string(r)...)
		}
	}
	return append(out, '"')
}

// hasLoneSurrogate reports whether a JSON string holds half of a surrogate pair.
func hasLoneSurrogate(quoted []byte) bool {
	unit := func(at int) rune {
		if at+6 > len(quoted) || quoted[at] != '\\' || quoted[at+1] != 'u' {
			return 0
		}
		var r rune
		for _, c := range quoted[at+2 : at+6] {
			switch {
			case c <= '9':
				c -= '0'
			default:
				c = c | 0x20 - 'a' + 10
			}
			r = r<<4 | rune(c)
		}
		return r
	}
	for i := 1; i < len(quoted)-1; i++ {
		if quoted[i] != '\\' {
			continue
		}
		if first := unit(i); utf16.IsSurrogate(first) {
			if utf16.DecodeRune(first, unit(i+6)) == 0xfffd {
				return true
			}
			i += 6
		}
		i++
	}
	return false
}
