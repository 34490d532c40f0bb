// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var someFindings = []Finding{
	{ID: parallelism, Severity: Error, File: "a b/c:d,e%.yaml", Line: 7, Column: 3, Kind: "Job", Namespace: "ml", Name: "train", Field: "spec.parallelism", Message: "is <1>\n& \x1b[31m"},
	{ID: skipped, Severity: Note, File: "f", Message: "is left"},
	{ID: count, Severity: Warning, Kind: "Job", Name: "x", Message: "m"},
}

func written(t *testing.T, write func(io.Writer, []Finding) error, findings []Finding) string {
	t.Helper()
	var out strings.Builder
	if err := write(&out, findings); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWriteText(t *testing.T) {
	want := "a b/c:d,e%.yaml:7:3: error: Job ml/train: spec.parallelism: is <1>\ufffd& \ufffd[31m [parallelism]\n" +
		"f: note: is left [skipped]\nwarning: Job x: m [count]\n"
	if diff := cmp.Diff(want, written(t, WriteText, someFindings)); diff != "" {
		t.Error(diff)
	}
}

func TestWriteGitHub(t *testing.T) {
	want := "::error file=a b/c%3Ad%2Ce%25.yaml,line=7,col=3,title=peerjob lint%3A parallelism::Job ml/train: spec.parallelism: is <1>%0A& \ufffd[31m\n" +
		"::notice file=f,title=peerjob lint%3A skipped::is left\n::warning title=peerjob lint%3A count::Job x: m\n"
	if diff := cmp.Diff(want, written(t, WriteGitHub, someFindings)); diff != "" {
		t.Error(diff)
	}
}

func TestWriteJSON(t *testing.T) {
	var got struct{ Findings []Finding }
	if err := json.Unmarshal([]byte(written(t, WriteJSON, someFindings)), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Findings) != 3 || got.Findings[0].Message != someFindings[0].Message || got.Findings[0].Line != 7 {
		t.Errorf("%+v", got)
	}
	if none := written(t, WriteJSON, nil); !strings.Contains(none, `"findings": []`) {
		t.Error(none)
	}
}

// TestWriteSARIF holds the output to what SARIF 2.1.0 requires of a log: sections 3.13 to
// 3.52 of the specification, as far as it has their objects.
func TestWriteSARIF(t *testing.T) {
	text := written(t, func(w io.Writer, findings []Finding) error { return WriteSARIF(w, findings, "v1.2.3") }, someFindings)
	var log struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			ColumnKind string
			Tool       struct {
				Driver struct {
					Name, Version, InformationURI string
					Rules                         []struct {
						ID, HelpURI      string
						ShortDescription struct{ Text string }
					}
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           *struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || !strings.HasSuffix(log.Schema, "sarif-schema-2.1.0.json") || len(log.Runs) != 1 {
		t.Fatalf("%+v", log)
	}
	run := log.Runs[0]
	if run.Tool.Driver.Name == "" || run.Tool.Driver.Version != "v1.2.3" || run.ColumnKind != "unicodeCodePoints" || len(run.Results) != len(someFindings) {
		t.Errorf("%+v", run.Tool.Driver)
	}
	for i, result := range run.Results {
		rule := run.Tool.Driver.Rules[result.RuleIndex]
		if rule.ID != result.RuleID || rule.ShortDescription.Text == "" || result.Message.Text == "" {
			t.Errorf("result %d: %+v of the rule %+v", i, result, rule)
		}
		if !slices.Contains([]string{"none", "note", "warning", "error"}, result.Level) {
			t.Errorf("result %d: level %q", i, result.Level)
		}
		for _, location := range result.Locations {
			if region := location.PhysicalLocation.Region; region != nil && (region.StartLine < 1 || region.StartColumn < 1) {
				t.Errorf("result %d: %+v", i, region)
			}
		}
	}
	if diff := cmp.Diff("a%20b/c:d,e%25.yaml", run.Results[0].Locations[0].PhysicalLocation.ArtifactLocation.URI); diff != "" {
		t.Error(diff)
	}
	if got := uri("/a b"); got != "file:///a%20b" {
		t.Errorf("an absolute name: %s", got)
	}
}

// TestCatalog holds the page to the catalog: every finding has a row, in its order, and
// there is no other.
func TestCatalog(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "lint.md"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, match := range regexp.MustCompile("(?m)^\\| <a id=\"([a-z-]+)\"></a>`([a-z-]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		if match[1] != match[2] {
			t.Errorf("the row of %s has the anchor %s", match[2], match[1])
		}
		got = append(got, match[2])
	}
	if diff := cmp.Diff(ruleIDs(), got); diff != "" {
		t.Errorf("docs/lint.md (-catalog +page):\n%s", diff)
	}
}
