// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strings"
)

// notesOf returns the section of a changelog about a version, without its heading. The
// heading must be the version and a date: a version that is "not released yet" has no notes.
func notesOf(changes, version string) (string, error) {
	var notes []string
	inside := false
	for line := range strings.Lines(changes) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			if inside {
				break
			}
			name, rest, _ := strings.Cut(strings.TrimSpace(heading), " ")
			if inside = name == version; inside && !dated.MatchString(rest) {
				return "", fmt.Errorf("%q: must be %q", strings.TrimSpace(line), "## "+version+" (2026-12-31)")
			}
			continue
		}
		if inside {
			notes = append(notes, line)
		}
	}
	text := strings.TrimSpace(strings.Join(notes, ""))
	if text == "" {
		return "", fmt.Errorf("has no section %q", "## "+version)
	}
	return text + "\n", nil
}

// dated matches the date in a heading.
var dated = regexp.MustCompile(`^\(\d{4}-\d\d-\d\d\)$`)
