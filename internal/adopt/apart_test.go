// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/peerjob/peerjob/internal/lint"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

var (
	apartRow = regexp.MustCompile(`(?m)^\| (\S+\.(?:yaml|json)) \| .* \| ([^|]*) \|$`)
	// ownDefaults are where what peerjob writes by default differs from a pair.
	ownDefaults = regexp.MustCompile(`spec\.publishNotReadyAddresses: .* -> true$|enableServiceLinks: true -> false$`)
)

// TestFiles_apart holds adopt to a table that was written before it had seen the
// manifests: what it answers to each, and that what it writes expands to the same.
func TestFiles_apart(t *testing.T) {
	folder := filepath.Join("..", "..", "testdata", "adopt")
	table, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := apartRow.FindAllStringSubmatch(string(table), -1)
	if files := glob(t, "testdata/adopt/*.yaml", 20); len(files) != len(rows) {
		t.Fatalf("%d files and %d rows", len(files), len(rows))
	}
	right := 0
	for _, row := range rows {
		name := row[1]
		want, selectorDiffers := strings.CutSuffix(row[2], "; the selector differs")
		t.Run(name, func(t *testing.T) {
			file := read(t, "adopt", name)
			const runner = "example.com/runner:v1" // a release has a default
			for _, options := range []Options{{RunnerImage: runner}, {RunnerImage: runner, Exact: true}} {
				result := Files([]lint.File{file}, options)
				if len(result.Findings) > 0 {
					t.Errorf("%+v", result.Findings)
				}
				if reason, isRefused := strings.CutPrefix(want, "refused: "); isRefused {
					isSaid := func(r Refusal) bool { return strings.Contains(r.Reason, reason) }
					if len(result.Proposals) > 0 || len(result.Refused) == 0 || !slices.ContainsFunc(result.Refused, isSaid) {
						t.Errorf("not refused because %q: %+v", reason, result.Refused)
					}
					continue
				}
				if len(result.Proposals) != 1 || len(result.Refused) > 0 {
					t.Errorf("%d PeerJobs, and refused: %+v", len(result.Proposals), result.Refused)
					continue
				}
				p := &result.Proposals[0]
				if len(p.Errors) > 0 {
					t.Errorf("the PeerJob has errors: %v", p.Errors)
				}
				_, framework, _ := strings.Cut(want, ", ")
				if got := yamlnode.Text(get(p.Object.Node(), "spec", "framework", "type")); got != framework && (!options.Exact || !p.Compared) {
					t.Errorf("framework %q, want %q", cmp.Or(got, "none"), cmp.Or(framework, "none"))
				}
				differences := differing(*p)
				isSelector := func(difference string) bool { return strings.Contains(difference, " spec.selector: ") }
				if found := slices.ContainsFunc(differences, isSelector); found != selectorDiffers {
					t.Errorf("the selector differs: %v, want %v", found, selectorDiffers)
				}
				for _, difference := range slices.DeleteFunc(differences, isSelector) {
					if options.Exact || !ownDefaults.MatchString(difference) {
						t.Errorf("%+v: differs: %s", options, difference)
					}
				}
			}
			if !t.Failed() {
				right++
			}
		})
	}
	t.Logf("%d of %d as in the table", right, len(rows))
}
