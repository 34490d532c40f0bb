// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// publicManifests are Jobs of public repositories, ported to PeerJobs by hand before
// peerjob saw one of them.
var publicManifests = filepath.Join("..", "testdata", "public")

// maxWrong is how many findings of all manifests may be wrong.
const maxWrong = 1

// TestFindings_public expands every public manifest as it is, then renamed and resized, so
// that the names and numbers in it are wrong. It compares the findings with those of
// findings.txt, where a person has judged each.
func TestFindings_public(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(publicManifests, "*.yaml"))
	if err != nil || len(files) < 45 {
		t.Fatalf("%d manifests, want 45 or more: %v", len(files), err)
	}
	var got []string
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		plain := findingsIn(name, string(content))
		got = append(got, plain...)
		for _, edit := range edits {
			for _, finding := range findingsIn(name, edit.apply(t, name, string(content))) {
				if !slices.Contains(plain, finding) {
					got = append(got, edit.name+": "+finding)
				}
			}
		}
	}
	golden := filepath.Join(publicManifests, "findings.txt")
	judged := readJudged(t, golden)
	if os.Getenv("UPDATE") != "" {
		writeJudged(t, golden, got, judged)
		judged = readJudged(t, golden)
	}
	var want []string
	wrong := 0
	counts := map[string][2]int{}
	for _, j := range judged {
		want = append(want, j.finding)
		switch j.verdict {
		case "right":
			counts[j.kind] = [2]int{counts[j.kind][0] + 1, counts[j.kind][1]}
		case "wrong":
			counts[j.kind] = [2]int{counts[j.kind][0], counts[j.kind][1] + 1}
			wrong++
		default:
			t.Errorf("findings.txt: %q is no verdict; write right or wrong: %s", j.verdict, j.finding)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got); judge what is new:\n%s", diff)
	}
	if wrong > maxWrong {
		t.Errorf("%d findings are wrong, want at most %d", wrong, maxWrong)
	}
	readme, err := os.ReadFile(filepath.Join(publicManifests, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if totals := totalsOf(counts, len(files)); !strings.Contains(string(readme), totals) {
		t.Errorf("README.md does not have these totals:\n%s", totals)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".yaml"); !strings.Contains(string(readme), "\n| `"+name+"` | ") {
			t.Errorf("README.md does not say where %s comes from", name)
		}
	}
}

// edit is a careless change of the PeerJob: what it makes wrong must be found.
type edit struct {
	name     string
	old, new string
}

var edits = []edit{
	{"renamed", "\nspec:\n", "\nspec:\n  nameSuffixHash: Enabled\n"},
	{"resized", "\n  peers: ", "\n  peers: 5 # "},
}

func (e edit) apply(t *testing.T, name, content string) string {
	t.Helper()
	before, peerJob, found := strings.Cut(content, "kind: PeerJob\n")
	if !found || strings.Count(peerJob, e.old) != 1 {
		t.Fatalf("%s: want one PeerJob, the last object, with one %q", name, e.old)
	}
	return before + "kind: PeerJob\n" + strings.Replace(peerJob, e.old, e.new, 1)
}

// hash matches the suffix of a name, which another expansion changes.
var hash = regexp.MustCompile(`-[0-9a-f]{10}\b`)

// findingsIn returns what peerjob reports about a manifest, a line each.
func findingsIn(name, content string) []string {
	var stdout, stderr strings.Builder
	// The error says only how many there are.
	_ = Expand([]File{{Name: name, Content: []byte(content)}}, &stdout, &stderr, ExpandOptions{})
	var findings []string
	for line := range strings.Lines(stderr.String()) {
		findings = append(findings, hash.ReplaceAllString(strings.TrimPrefix(strings.TrimSpace(line), "peerjob: "), "-<hash>"))
	}
	return findings
}

// judgment is a finding with the verdict of a person.
type judgment struct{ verdict, kind, finding string }

// readJudged reads judgments: a line with the verdict and the kind, and the finding below.
func readJudged(t *testing.T, file string) []judgment {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var judged []judgment
	for block := range strings.SplitSeq(strings.TrimSpace(string(content)), "\n\n") {
		head, finding, found := strings.Cut(block, "\n")
		verdict, kind, hasKind := strings.Cut(head, ": ")
		if !found || !hasKind {
			t.Fatalf("%s: want \"verdict: kind\" and the finding in the next line: %s", file, block)
		}
		judged = append(judged, judgment{verdict, kind, finding})
	}
	return judged
}

// writeJudged writes findings, with the verdicts of those that are judged already.
func writeJudged(t *testing.T, file string, findings []string, judged []judgment) {
	t.Helper()
	var b strings.Builder
	for _, finding := range findings {
		j := judgment{"unjudged", "?", finding}
		if i := slices.IndexFunc(judged, func(j judgment) bool { return j.finding == finding }); i >= 0 {
			j = judged[i]
		}
		fmt.Fprintf(&b, "%s: %s\n%s\n\n", j.verdict, j.kind, j.finding)
	}
	if err := os.WriteFile(file, []byte(strings.TrimSpace(b.String())+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// totalsOf is the table of the README: how many findings of each kind are right and wrong.
func totalsOf(counts map[string][2]int, files int) string {
	var b strings.Builder
	var all [2]int
	b.WriteString("| finding | right | wrong |\n| --- | --- | --- |\n")
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "| %s | %d | %d |\n", kind, counts[kind][0], counts[kind][1])
		all[0], all[1] = all[0]+counts[kind][0], all[1]+counts[kind][1]
	}
	fmt.Fprintf(&b, "| all, in %d manifests | %d | %d |\n", files, all[0], all[1])
	return b.String()
}
