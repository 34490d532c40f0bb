// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	fixFolder   = filepath.Join("..", "..", "testdata", "lint", "fix")
	fieldGlobs  = []string{"../../testdata/lint/*/*.yaml", "../../testdata/lint/fix/*.json", "../../testdata/documentation/*.yaml"}
	updateFixes = os.Getenv("UPDATE") != ""
)

// TestFix mends broken pairs in odd forms, and compares them with what a person has
// looked at. UPDATE=1 writes them.
func TestFix(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fixFolder, "*.*"))
	if err != nil || len(files) != 10 {
		t.Fatalf("%d files, want 10: %v", len(files), err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			changed, left := Fix([]File{readFile(t, name)}, Options{})
			if len(changed) != 1 {
				t.Fatalf("%d files changed; %s", len(changed), said(left))
			}
			golden := filepath.Join(fixFolder, "fixed", filepath.Base(name))
			if updateFixes {
				if err := os.WriteFile(golden, changed[0].Content, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := readFile(t, golden).Content
			if diff := cmp.Diff(string(want), string(changed[0].Content)); diff != "" {
				t.Errorf("mended (-%s +lint):\n%s", golden, diff)
			}
			if n := Count(left, Error); n > 0 {
				t.Errorf("%d errors are left:\n%s", n, said(left))
			}
		})
	}
}

// TestFix_case mends a key that is wrong only in upper and lower case, in its place.
func TestFix_case(t *testing.T) {
	text := with(t, "  completionMode: Indexed", "  completionmode: Indexed # all")
	changed, left := Fix([]File{{Name: "f", Content: []byte(text)}}, Options{})
	if len(changed) != 1 || len(left) > 0 {
		t.Fatalf("%d files changed, left:\n%s", len(changed), said(left))
	}
	if diff := cmp.Diff(with(t, "completionMode: Indexed", "completionMode: Indexed # all"), string(changed[0].Content)); diff != "" {
		t.Error(diff)
	}
}

// TestFix_white keeps the white space of the place: tabs of JSON, and line ends in a file
// that has both kinds.
func TestFix_white(t *testing.T) {
	service, job, _ := strings.Cut(with(t, "  completionMode: Indexed\n", "", "  clusterIP: None\n", ""), "---\n")
	tabs := "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Service\",\n\t\"metadata\": {\"name\": \"hub\"},\n\t\"spec\": {\n\t\t\"selector\": {\"job-name\": \"train\"},\n\t\t\"publishNotReadyAddresses\": true\n\t}\n}\n"
	windows := strings.ReplaceAll(service, "\n", "\r\n")
	_, indexed, _ := strings.Cut(right, "---\n")
	for name, test := range map[string]struct{ text, want string }{
		"JSON with tabs":  {tabs + "---\n" + indexed, strings.Replace(tabs, "{\n\t\t", "{\n\t\t\"clusterIP\": \"None\",\n\t\t", 1) + "---\n" + indexed},
		"two kinds":       {windows + "---\n" + job, strings.Replace(windows, "spec:\r\n", "spec:\r\n  clusterIP: None\r\n", 1) + "---\n" + strings.Replace(job, "  completions: 4\n", "  completions: 4\n  completionMode: Indexed\n", 1)},
		"no end, Windows": {indexed + "---\r\n" + strings.TrimSuffix(windows, "\r\n"), indexed + "---\r\n" + strings.TrimSuffix(strings.Replace(windows, "spec:\r\n", "spec:\r\n  clusterIP: None\r\n", 1), "\r\n")},
	} {
		t.Run(name, func(t *testing.T) {
			changed, left := Fix([]File{{Name: "f", Content: []byte(test.text)}}, Options{})
			if len(changed) != 1 || len(left) > 0 {
				t.Fatalf("%d files changed, left:\n%s", len(changed), said(left))
			}
			if diff := cmp.Diff(test.want, string(changed[0].Content)); diff != "" {
				t.Errorf("mended (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFix_subdomain mends the subdomain, and not the names of peers that are right: the
// Service has several mistakes of its own, or is not there.
func TestFix_subdomain(t *testing.T) {
	none := []string{"  clusterIP: None\n", "  type: ClusterIP\n"}
	for name, test := range map[string]struct {
		changes []string
		want    string
		left    int
	}{
		"an address":                 {append([]string{"subdomain: hub", "subdomain: hubb"}, none...), right, 0},
		"an address, another Job":    {append([]string{"subdomain: hub", "subdomain: hubb", "job-name: train", "job-name: trian"}, none...), right, 0},
		"an address, another name":   {append([]string{"subdomain: hub", "subdomain: peers"}, none...), right, 0},
		"no Service":                 {[]string{"subdomain: hub", "subdomain: hubb", "name: hub\n", "name: other\n", "job-name: train", "app: x"}, "", 2},
		"a Service for other things": {append([]string{"subdomain: hub", "subdomain: train-hl", "name: hub\n", "name: train\n", "train-0.hub", "train-0.train-hl"}, none...), "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			changed, left := Fix([]File{{Name: "f", Content: []byte(with(t, test.changes...))}}, Options{})
			if len(left) != test.left || (len(changed) == 0) != (test.want == "") {
				t.Fatalf("%d files changed, left:\n%s", len(changed), said(left))
			}
			if test.want == "" {
				return
			}
			got := strings.Replace(string(changed[0].Content), "  type: ClusterIP\n", "", 1)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("mended (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFix_version gives a Job the API version that servers have.
func TestFix_version(t *testing.T) {
	for _, line := range []string{"", "apiVersion: v1 # core\n", "apiVersion: apps/v1\n", "apiVersion: batch/v1beta1\n"} {
		text := with(t, "apiVersion: batch/v1\n", line)
		findings := Files([]File{{Name: "f", Content: []byte(text)}}, Options{})
		if len(findings) != 1 || findings[0].ID != apiServer || findings[0].Field != "apiVersion" {
			t.Errorf("%q:\n%s", line, said(findings))
		}
		changed, left := Fix([]File{{Name: "f", Content: []byte(text)}}, Options{})
		if len(changed) != 1 || len(left) > 0 {
			t.Errorf("%q: %d files changed, left:\n%s", line, len(changed), said(left))
		}
	}
	volcano := with(t, "apiVersion: batch/v1\n", "apiVersion: batch.volcano.sh/v1alpha1\n")
	if findings := Files([]File{{Name: "f", Content: []byte(volcano)}}, Options{}); len(findings) > 0 {
		t.Errorf("a Job of another kind:\n%s", said(findings))
	}
}

// allFiles are all pairs of the tests.
func allFiles(t testing.TB) []File {
	t.Helper()
	var all []File
	for _, glob := range fieldGlobs {
		names, err := filepath.Glob(glob)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files: %v", glob, len(names), err)
		}
		for _, name := range names {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, File{Name: filepath.Base(name), Content: content})
		}
	}
	return all
}

// checkFix holds what Fix does to a file to what it promises.
func checkFix(t *testing.T, file File) {
	before := Files([]File{file}, Options{})
	changed, left := Fix([]File{file}, Options{})
	if len(changed) == 0 {
		if diff := cmp.Diff(said(before), said(left)); diff != "" {
			t.Errorf("nothing changed, and the findings did:\n%s", diff)
		}
		return
	}
	mended := changed[0]
	if diff := cmp.Diff(said(Files([]File{mended}, Options{})), said(left)); diff != "" {
		t.Errorf("what is left is not what lint finds in the mended file:\n%s", diff)
	}
	if again, _ := Fix(changed, Options{}); len(again) > 0 {
		t.Errorf("a second run changes the file once more:\n%s\n---\n%s", mended.Content, again[0].Content)
	}
	if missing := lostLines(file.Content, mended.Content); missing > replacements(before) {
		t.Errorf("%d lines changed, and only %d may:\n%s\n---\n%s", missing, replacements(before), file.Content, mended.Content)
	}
	for _, f := range left {
		if isBroken(&f) && !contains(before, f.key()) {
			t.Errorf("mending broke the file: %s", f.Text())
		}
	}
}

// replacements is an upper bound for the lines that may be other ones afterwards: those
// that the findings are about, in several rounds.
func replacements(findings []Finding) int { return 4*len(findings) + 4 }

// lostLines is how many lines of a file are not in another one, in their order.
func lostLines(before, after []byte) int {
	lost := 0
	rest := bytes.SplitAfter(after, []byte("\n"))
	for _, line := range bytes.SplitAfter(before, []byte("\n")) {
		found := false
		for i := range rest {
			if bytes.Equal(rest[i], line) {
				rest, found = rest[i+1:], true
				break
			}
		}
		if !found {
			lost++
		}
	}
	return lost
}

func TestFix_promises(t *testing.T) {
	for _, file := range allFiles(t) {
		t.Run(file.Name, func(t *testing.T) { checkFix(t, file) })
	}
}

// FuzzFix lints and mends any text: it never panics, and keeps its promises.
func FuzzFix(f *testing.F) {
	for _, file := range allFiles(f) {
		f.Add(file.Content)
		f.Add(bytes.ReplaceAll(file.Content, []byte("\n"), []byte("\r\n")))
	}
	for _, text := range []string{
		"", "---", "\ufeff", "{", "{}", "[]", "a: *a", "kind: Job\n", "kind: List\nitems: null\n", `{"kind": "List", "items": [1, {"kind": 2}]}`,
		"apiVersion: batch/v1\nkind: Job\nspec: {template: {spec: {subdomain: {}, containers: [{}]}}}\n", strings.Repeat("[", 200),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<14 {
			return
		}
		checkFix(t, File{Name: "f.yaml", Content: text})
	})
}
