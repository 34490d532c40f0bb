// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/licenseclassifier/v2/assets"
)

// textOf is the text of a licence in the classifier's collection, which is SPDX's.
func textOf(t *testing.T, file string) string {
	t.Helper()
	content, err := assets.ReadLicenseFile("License/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestModule_classify shows which modules may be shipped. Each case is the content of a
// module; the package is in the folder a/b.
func TestModule_classify(t *testing.T) {
	mit, bsd, gpl, apache := textOf(t, "MIT/pristine.txt"), textOf(t, "BSD-3-Clause/pristine.txt"), textOf(t, "GPL-3.0/license.txt"), string(read(t, filepath.Join(root, "LICENSE")))
	terms := "You must also paint the machine that runs this software green, and tell us each year in a letter of three pages " +
		"which shade of green it has, who has painted it, and on which day. Machines that stand in a room without light are " +
		"exempt from the letter if their owner has declared so in advance, in writing, to each of the authors who is alive then.\n"
	for _, test := range []struct {
		name  string
		files map[string]string
		want  []string
		err   string
	}{
		{"one", map[string]string{"LICENSE": apache}, []string{"Apache-2.0"}, ""},
		{"other names", map[string]string{"COPYING.txt": mit}, []string{"MIT"}, ""},
		{"British", map[string]string{"licence.md": mit}, []string{"MIT"}, ""},
		{"two in one file", map[string]string{"LICENSE": mit + "\n\n" + bsd}, []string{"BSD-3-Clause", "MIT"}, ""},
		{"one more in the folder", map[string]string{"LICENSE": mit, "a/b/LICENSE": bsd}, []string{"BSD-3-Clause", "MIT"}, ""},
		{"in a folder above alone", map[string]string{"a/LICENSE": mit}, []string{"MIT"}, ""},
		{"another folder's", map[string]string{"LICENSE": mit, "c/LICENSE": gpl}, []string{"MIT"}, ""},
		{"a notice", map[string]string{"LICENSE": apache, "NOTICE": "Thanks to all."}, []string{"Apache-2.0"}, ""},
		{"Go source", map[string]string{"LICENSE": mit, "license.go": gpl}, []string{"MIT"}, ""},
		{"none", map[string]string{"README": mit}, nil, "has no licence"},
		{"a notice alone", map[string]string{"NOTICE": mit}, nil, "has no licence"},
		{"unknown", map[string]string{"LICENSE": terms}, nil, "example.com/m@v1.0.0: LICENSE: has no licence that is known"},
		{"unknown in a folder", map[string]string{"LICENSE": mit, "a/LICENSE": terms}, nil, "a/LICENSE: has no licence that is known"},
		{"unknown terms after a known licence", map[string]string{"LICENSE": mit + "\n" + terms}, nil, "words in a row that are of no known licence"},
		{"not allowed", map[string]string{"LICENSE": gpl}, nil, `LICENSE: Unsupported value: "GPL-3.0": must be one of ["Apache-2.0"`},
		{"not allowed, second", map[string]string{"LICENSE": mit + "\n\n" + gpl}, nil, `Unsupported value: "GPL-3.0"`},
		{"not allowed, in a notice", map[string]string{"LICENSE": mit, "NOTICE": gpl}, nil, `NOTICE: Unsupported value: "GPL-3.0"`},
		{"good and evil", map[string]string{"LICENSE": textOf(t, "JSON/license.txt")}, nil, `Unsupported value: "JSON"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			test.files["a/b/b.go"] = "package b"
			for name, content := range test.files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			m := &module{path: "example.com/m", version: "v1.0.0", files: map[string][]byte{}}
			err := m.add(dir, filepath.Join(dir, "a", "b"))
			if err == nil {
				err = m.classify()
			}
			switch {
			case test.err == "" && err != nil:
				t.Error(err)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("%v, want %q", err, test.err)
			case test.err == "" && !slices.Equal(m.licences, test.want):
				t.Errorf("has the licences %q, want %q", m.licences, test.want)
			}
		})
	}
}

// TestThirdPartyText has each text once, with all that it holds for.
func TestThirdPartyText(t *testing.T) {
	got := string(thirdPartyText(program{name: "p"}, []module{
		{path: "Go", licences: []string{"BSD-3-Clause"}, files: map[string][]byte{"LICENSE": []byte("one\n")}},
		{path: "a", version: "v1.0.0", licences: []string{"BSD-3-Clause", "MIT"}, files: map[string][]byte{"LICENSE": []byte("one\r\n"), "x/LICENSE": []byte("two")}},
	}))
	line := strings.Repeat("=", 80)
	want := `p contains the following software of others. Each text below holds for what is named above it.

Go  BSD-3-Clause
a@v1.0.0  BSD-3-Clause, MIT

` + line + `
Go: LICENSE
a@v1.0.0: LICENSE

one

` + line + `
a@v1.0.0: x/LICENSE

two
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
