// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRun_fidelity has lists as people and programs write them, with nothing to
// do, with a PeerJob before, between and behind their items, and with one that
// is refused. Of every item of theirs, the output must hold the very bytes.
func TestRun_fidelity(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "internal", "krmlist", "scan", "testdata", "ugly", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no lists: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input := string(data)
			stdout, stderr, failed := run(t, input)
			if failed || stderr != "" {
				t.Fatalf("failed: %v, stderr: %s", failed, stderr)
			}
			if diff := cmp.Diff(input, stdout); diff != "" {
				t.Errorf("nothing to do (-input +output):\n%s", diff)
			}
			before := itemsOf(t, input)
			for place := range len(before) + 1 {
				for _, spec := range []string{"peers: 2", "peers: 0"} {
					list := withItem(t, input, place, peerJob("train", spec))
					stdout, _, failed := run(t, list)
					if failed != (spec == "peers: 0") {
						t.Fatalf("%s: failed: %v", spec, failed)
					}
					if failed && !strings.Contains(stdout, strings.TrimSuffix(strings.Join(itemsOf(t, list), ""), "\n")) {
						t.Errorf("item %d is refused, and not all are as before:\n%s", place, stdout)
					}
					added := 3
					if failed {
						added = 1
					}
					after := itemsOf(t, stdout)
					if len(after) != len(before)+added {
						t.Fatalf("%d items, want %d:\n%s", len(after), len(before)+added, stdout)
					}
					others := append(after[:place:place], after[place+added:]...)
					for i := range others {
						// What comes behind an item needs a line end before it.
						if i == len(others)-1 && !strings.HasSuffix(before[i], "\n") {
							others[i] = strings.TrimSuffix(others[i], "\n")
						}
						if diff := cmp.Diff(before[i], others[i]); diff != "" {
							t.Errorf("%s in place %d, item %d (-before +after):\n%s", spec, place, i, diff)
						}
					}
					again, _, _ := run(t, stdout)
					if diff := cmp.Diff(withoutResults(stdout), withoutResults(again)); diff != "" && !failed {
						t.Errorf("second run (-once +twice):\n%s", diff)
					}
				}
			}
		})
	}
}

// itemsOf are the items of a list as text. They are cut out where a line begins
// with the dash of the first one, which none of the lists has within an item,
// and a comment in the column of the dash belongs to the item below.
func itemsOf(t *testing.T, text string) []string {
	t.Helper()
	var items []string
	dash, comments := "", ""
	inItems := false
	for line := range strings.Lines(text) {
		rest := strings.TrimLeft(line, " ")
		indent := line[:len(line)-len(rest)]
		switch {
		case strings.HasPrefix(line, "items:"):
			inItems = true
		case !inItems:
		case strings.TrimSpace(line) == "" && len(items) == 0 && comments == "":
		case dash == "" && strings.HasPrefix(rest, "-"), dash != "" && strings.HasPrefix(line, dash) && strings.TrimLeft(line[len(dash):], " \r\n") != line[len(dash):]:
			dash = indent + "-"
			items = append(items, comments+line)
			comments = ""
		case strings.HasPrefix(rest, "#") && (dash == "" || len(indent) < len(dash)), comments != "" && strings.TrimSpace(line) == "":
			comments += line
		case indent == "" && strings.TrimSpace(line) != "":
			inItems = false
		default:
			items[len(items)-1] += comments + line
			comments = ""
		}
	}
	return items
}

// withItem is a list with another item in some place.
func withItem(t *testing.T, text string, place int, item string) string {
	t.Helper()
	items := itemsOf(t, text)
	first := items[0]
	indent := ""
	for line := range strings.Lines(first) {
		if before, _, found := strings.Cut(line, "-"); found && strings.TrimSpace(before) == "" {
			indent = before
			break
		}
	}
	lines := strings.Split(strings.Trim(item, "\n"), "\n")
	added := indent + "- " + strings.Join(lines, "\n"+indent+"  ") + "\n"
	all := strings.Join(items, "")
	head, tail, found := strings.Cut(text, all)
	if !found {
		t.Fatalf("the items do not follow each other:\n%s", text)
	}
	before := strings.Join(items[:place], "")
	if before != "" && !strings.HasSuffix(before, "\n") {
		before += "\n"
	}
	return head + before + added + strings.Join(items[place:], "") + tail
}
