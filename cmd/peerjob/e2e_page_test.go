// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestE2EPage requires that every test and every flag that e2e/README.md names is there.
// The tests of e2e need a node, so nothing else would say.
func TestE2EPage(t *testing.T) {
	t.Parallel()
	sources := ""
	for _, folder := range []string{"../../e2e", "../../barrier"} {
		files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources += string(content)
		}
	}
	page, err := os.ReadFile("../../e2e/README.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := regexp.MustCompile(`Test[A-Z]\w*`).FindAllString(string(page), -1)
	flags := regexp.MustCompile("(?:E2EFLAGS=|`|' ?| )-([a-z]+)\\b").FindAllStringSubmatch(string(page), -1)
	if len(tests) == 0 || len(flags) == 0 {
		t.Fatalf("tests %q, flags %q", tests, flags)
	}
	for _, name := range tests {
		// -run takes the beginning of a name, too.
		if !strings.Contains(sources, "func "+name) {
			t.Errorf("e2e/README.md names %s, which does not exist", name)
		}
	}
	for _, flag := range flags {
		name := flag[1]
		own := regexp.MustCompile(`flag\.\w+\("` + name + `"`).MatchString(sources)
		if goTest := name == "run" || name == "short" || name == "v" || name == "bench"; !own && !goTest {
			t.Errorf("e2e/README.md names the flag -%s, which does not exist", name)
		}
	}
}
