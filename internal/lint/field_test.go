// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
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

// score counts what lint finds of what a table says.
type score struct {
	pairs, right           int
	said, found, notInside map[string]int // by severity: in the table, found, and found but not in it
}

func newScore() *score {
	return &score{said: map[string]int{}, found: map[string]int{}, notInside: map[string]int{}}
}

func (s *score) add(want, got []string) {
	s.pairs++
	if len(want) == 0 {
		s.right++
	}
	for _, kind := range want {
		severity, _, _ := strings.Cut(kind, " ")
		s.said[severity]++
		if slices.Contains(got, kind) {
			s.found[severity]++
		}
	}
	for _, kind := range got {
		if severity, _, _ := strings.Cut(kind, " "); !slices.Contains(want, kind) {
			s.notInside[severity]++
		}
	}
}

// String is a row of the table in docs/lint.md, without its first cell. Precision is the
// share of the findings that is in the table, recall that of the table that is found.
func (s *score) String() string {
	sum := func(counts map[string]int) int { return counts["error"] + counts["warning"] }
	share := func(part, all int) string { return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(max(all, 1))) }
	return fmt.Sprintf("| %d | %d | %d | %d | %d | %d | %d | %d | %s | %s |", s.pairs, s.right,
		s.said["error"], s.found["error"], s.notInside["error"], s.said["warning"], s.found["warning"], s.notInside["warning"],
		share(sum(s.found), sum(s.found)+sum(s.notInside)), share(sum(s.found), sum(s.said)))
}

// TestField lints pairs as people write them by hand, and compares what is wrong with
// the table beside them, which a person wrote. It prints precision and recall, and holds
// docs/lint.md to them.
func TestField(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "lint.md"))
	if err != nil {
		t.Fatal(err)
	}
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
		total := newScore()
		for _, row := range rows {
			t.Run(set+"/"+row[1], func(t *testing.T) {
				var want []string
				if row[2] != "nothing" {
					want = strings.Split(row[2], "; ")
				}
				slices.Sort(want)
				findings := Files([]File{readFile(t, filepath.Join(folder, row[1]))}, Options{})
				total.add(want, kindsOf(findings))
				if diff := cmp.Diff(want, kindsOf(findings)); diff != "" {
					t.Errorf("findings (-the table +lint):\n%s%s", diff, said(findings))
				}
			})
		}
		t.Logf("| %s %s", set, total)
		if !strings.Contains(string(page), "| ["+set+"](../testdata/lint/"+set+"/README.md) "+total.String()+"\n") {
			t.Errorf("docs/lint.md has other figures for %s", set)
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
