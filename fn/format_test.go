// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"testing"
)

// TestFormat_unknown holds that no function takes a format that it does not know for the
// default.
func TestFormat_unknown(t *testing.T) {
	files := []File{{Name: "x.yaml", Content: []byte("kind: Job\n")}}
	for name, call := range map[string]func(out *bytes.Buffer) error{
		"Expand":  func(out *bytes.Buffer) error { return Expand(files, out, out, ExpandOptions{Format: "xml"}) },
		"Check":   func(out *bytes.Buffer) error { return Check(files, out, out, CheckOptions{Format: "xml"}) },
		"Explain": func(out *bytes.Buffer) error { return Explain(files, out, out, ExplainOptions{Format: "xml"}) },
		"Doctor":  func(out *bytes.Buffer) error { return Doctor(files, out, out, DoctorOptions{Format: "xml"}) },
		"Lint": func(out *bytes.Buffer) error {
			_, err := Lint([]LintFile{{File: files[0]}}, out, out, LintOptions{Format: "xml"})
			return err
		},
	} {
		var out bytes.Buffer
		err := call(&out)
		const want = `Format: Unsupported value: "xml": supported values: `
		if err == nil || !bytes.HasPrefix([]byte(err.Error()), []byte(want)) || out.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, err, &out)
		}
	}
}
