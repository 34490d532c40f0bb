// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/peerjob/peerjob/fn"
)

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// TestRecipes expands every PeerJob of docs/recipes.md. Neither peerjob nor lint has
// anything to say of them.
func TestRecipes(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "recipes.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := yamlBlock.FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 5 {
		t.Fatalf("%d recipes, want 5 or more", len(blocks))
	}
	for _, block := range blocks {
		var stdout, stderr bytes.Buffer
		file := fn.File{Name: "recipe.yaml", Content: []byte(block[1])}
		if err := fn.Expand([]fn.File{file}, &stdout, &stderr, fn.ExpandOptions{}); err != nil || stderr.Len() > 0 {
			t.Errorf("%v\n%s\n%s", err, stderr.String(), block[1])
			continue
		}
		if strings.Count(stdout.String(), "\nkind: Job\n") != 1 {
			t.Errorf("no Job in\n%s", stdout.String())
		}
		var found bytes.Buffer
		expanded := fn.LintFile{File: fn.File{Name: "expanded.yaml", Content: stdout.Bytes()}}
		if _, err := fn.Lint([]fn.LintFile{expanded}, &found, &stderr, fn.LintOptions{Strict: true}); err != nil {
			t.Errorf("%v\n%s\n%s", err, found.String(), stdout.String())
		}
	}
}
