// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const changes = `# Changes

About this file.

## v0.2.0 (not released yet)

- Next.

## v0.1.0 (2026-12-01)

### Added

- One.
- Two.

## v0.0.1 (2026-11-01)

## v0.0.0 (2026-10-01)

- First.
`

func TestNotesOf(t *testing.T) {
	for _, test := range []struct{ version, want, err string }{
		{"v0.1.0", "### Added\n\n- One.\n- Two.\n", ""},
		{"v0.0.0", "- First.\n", ""},
		{"v0.0.1", "", `has no section "## v0.0.1"`},
		{"v0.1", "", `has no section "## v0.1"`},
		{"v0.2.0", "", `"## v0.2.0 (not released yet)": must be "## v0.2.0 (2026-12-31)"`},
	} {
		got, err := notesOf(changes, test.version)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if got != test.want || said != test.err {
			t.Errorf("notesOf(%s) = %q, %v, want %q, %q", test.version, got, err, test.want, test.err)
		}
	}
}

// TestNotes_next holds CHANGELOG.md to what the release of VERSION will look for.
func TestNotes_next(t *testing.T) {
	version := strings.TrimSpace(string(read(t, filepath.Join(root, "VERSION"))))
	text := strings.ReplaceAll(string(read(t, filepath.Join(root, "CHANGELOG.md"))), "(not released yet)", "(2026-12-31)")
	if _, err := notesOf(text, version); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(root, "RELEASE.md")); err != nil {
		t.Error(err)
	}
}

// TestNotReleased holds the pages that say whether a version is released to CHANGELOG.md,
// where the release begins with a date.
func TestNotReleased(t *testing.T) {
	released := regexp.MustCompile(`(?m)^## v\S+ \(\d{4}-`).Match(read(t, filepath.Join(root, "CHANGELOG.md")))
	for _, page := range []string{"README.md", "SECURITY.md", "docs/install.md"} {
		says := strings.Contains(string(read(t, filepath.Join(root, page))), "No version is released yet.")
		if says == released {
			t.Errorf("%s says that no version is released: %v; CHANGELOG.md has a version with a date: %v", page, says, released)
		}
	}
}
