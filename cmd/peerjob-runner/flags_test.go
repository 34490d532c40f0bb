// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"flag"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFlags_page compares the flags of "run" with those that docs/runner.md lists.
func TestFlags_page(t *testing.T) {
	t.Parallel()
	page := read(t, "../../docs/runner.md")
	_, section, found := strings.Cut(page, "\n### Flags\n")
	if !found {
		t.Fatal("docs/runner.md has no section Flags")
	}
	section, _, _ = strings.Cut(section, "\n#")
	var listed, has []string
	for _, row := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\|").FindAllStringSubmatch(section, -1) {
		listed = append(listed, row[1])
	}
	runFlags(&runOptions{}).VisitAll(func(f *flag.Flag) { has = append(has, f.Name) })
	slices.Sort(listed)
	if diff := cmp.Diff(has, listed); diff != "" {
		t.Errorf("docs/runner.md (-flags of run +listed):\n%s", diff)
	}
}

// TestFlags_doctorPage requires that docs/doctor.md names every flag of "doctor".
func TestFlags_doctorPage(t *testing.T) {
	t.Parallel()
	page := read(t, "../../docs/doctor.md")
	output, err := exec.CommandContext(t.Context(), built, "doctor", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("(?m)^  -([a-z-]+) ").FindAllStringSubmatch(string(output), -1)
	if len(names) == 0 {
		t.Fatalf("no flags in\n%s", output)
	}
	for _, name := range names {
		if dashes := "--"[:min(2, len(name[1]))]; !strings.Contains(page, dashes+name[1]) {
			t.Errorf("docs/doctor.md does not name %s%s", dashes, name[1])
		}
	}
}
