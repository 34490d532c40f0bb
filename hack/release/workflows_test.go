// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestWorkflows_pinned holds every action to a commit, with its version in a comment, and
// every workflow to no rights but those that a job asks for, and to a shell that stops when
// a part of a pipe fails: a push that fails must not be signed. actionlint checks the rest.
func TestWorkflows_pinned(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 2 {
		t.Fatalf("found the workflows %q only", files)
	}
	uses := regexp.MustCompile(`(?m)^\s*(?:- )?uses: (.*)$`)
	pinned := regexp.MustCompile(`^([a-z-]+/[a-z-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$`)
	commits := map[string]string{}
	for _, file := range files {
		text := string(read(t, file))
		if !strings.Contains(text, "\npermissions: {}\n") {
			t.Errorf("%s: the workflow has rights that its jobs don't ask for", file)
		}
		if !strings.Contains(text, "\ndefaults:\n  run:\n    shell: bash\n") {
			t.Errorf("%s: GitHub runs its commands without pipefail", file)
		}
		for _, match := range uses.FindAllStringSubmatch(text, -1) {
			action := pinned.FindStringSubmatch(match[1])
			if action == nil {
				t.Errorf("%s: %q must be an action, a commit, and the version in a comment", file, match[1])
				continue
			}
			if other := commits[action[1]]; other != "" && other != action[2] {
				t.Errorf("%s: %s is another commit elsewhere: %s", file, match[1], other)
			}
			commits[action[1]] = action[2]
		}
	}
}
