// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// row matches a row of the table in a README.md: the file, and what is wrong with it.
var row = regexp.MustCompile(`(?m)^\| ([\w-]+\.yaml) \| .* \| (.*) \|$`)

// TestField lints pairs as people write them by hand, and compares what is wrong with
// the table beside them, which a person wrote.
func TestField(t *testing.T) {
	for _, set := range []string{"working", "apart"} {
		folder := filepath.Join("..", "..", "testdata", "lint", set)
		table, err := os.ReadFile(filepath.Join(folder, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		rows := row.FindAllStringSubmatch(string(table), -1)
		if len(rows) != len(files) {
			t.Errorf("%s: %d rows for %d files", set, len(rows), len(files))
		}
		for _, row := range rows {
			t.Run(set+"/"+row[1], func(t *testing.T) {
				var want []string
				if row[2] != "nothing" {
					want = strings.Split(row[2], "; ")
				}
				slices.Sort(want)
				findings := Files([]File{readFile(t, filepath.Join(folder, row[1]))}, Options{})
				if diff := cmp.Diff(want, kindsOf(findings)); diff != "" {
					t.Errorf("findings (-the table +lint):\n%s%s", diff, said(findings))
				}
			})
		}
	}
}

// kindsOf are the severities and ids of findings, sorted, each once.
func kindsOf(findings []Finding) []string {
	var kinds []string
	for _, f := range findings {
		kinds = append(kinds, string(f.Severity)+" "+f.ID)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

func said(findings []Finding) string {
	var out strings.Builder
	_ = WriteText(&out, findings) // a strings.Builder takes all
	return out.String()
}

func readFile(t *testing.T, name string) File {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return File{Name: filepath.ToSlash(name), Content: content}
}
