// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestWorkflowCommands holds that no name of a file, and no other text of the input, begins
// a line that GitHub's runner takes for a workflow command, whatever the command does with
// it. -o github writes errors as such commands, and nothing else.
func TestWorkflowCommands(t *testing.T) {
	t.Chdir(t.TempDir())
	const evil = "::stop-commands::x"
	names := []string{"a\n" + evil + ".yaml", "a\r" + evil + ".yaml", evil + ".yaml", " " + evil + ".yaml", "a##[stop-commands]x.yaml"}
	broken := map[string]string{
		"missing": "", "no YAML": "a: [\n", "a folder": "", "nothing": "kind: X\n", "a link": "",
		"a PeerJob": "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: \"x\\n" + evil + "\"}\nspec: {peers: 0}\n",
		"a pair":    "apiVersion: batch/v1\nkind: Job\nmetadata: {name: \"x\\n" + evil + "\"}\nspec: {template: {spec: {subdomain: \"" + evil + "\"}}}\n",
	}
	calls := [][]string{
		{"expand"}, {"expand", "--strict"}, {"expand", "-f"}, {"expand", "--set-file"}, {"expand", "--set"}, {"check"}, {"check", "-o", "github"}, {"explain"}, {"lint"}, {"lint", "-o", "github"},
		{"lint", "--diff"}, {"lint", "--fix"}, {"adopt"}, {"doctor"}, {"install"}, {"install", "--kubectl"}, {"frameworks"}, {"schema"}, {},
	}
	said := 0
	for what, content := range broken {
		for _, name := range names {
			if err := os.RemoveAll(name); err != nil {
				t.Fatal(err)
			}
			var err error
			switch what {
			case "missing":
			case "a folder":
				err = os.Mkdir(name, 0o755)
			case "a link":
				err = os.Symlink("nowhere", name)
			default:
				err = os.WriteFile(name, []byte(content), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, call := range calls {
				var stdout, stderr bytes.Buffer
				code := run("peerjob", append(call[:len(call):len(call)], name), strings.NewReader(""), &stdout, &stderr)
				isGitHub := len(call) == 3
				for _, line := range strings.FieldsFunc(stdout.String()+"\n"+stderr.String(), func(r rune) bool { return r == '\n' || r == '\r' }) {
					line = strings.TrimSpace(line)
					if isGitHub && (strings.HasPrefix(line, "::error ") || strings.HasPrefix(line, "::warning ") || strings.HasPrefix(line, "::notice ")) {
						said++
						continue
					}
					// The runner has an older form, too, which may stand anywhere in a line.
					if strings.HasPrefix(line, "::") || strings.Contains(line, "##[") {
						t.Errorf("%s: peerjob %q %q: %d: %s", what, call, name, code, line)
					}
				}
				if isGitHub && code != 0 && !strings.HasPrefix(stdout.String(), "::error ") {
					t.Errorf("%s: peerjob %q %q: %d without an annotation: %s%s", what, call, name, code, &stdout, &stderr)
				}
				if err := os.RemoveAll(name + "/peerjob"); err != nil && what == "a folder" {
					t.Fatal(err)
				}
			}
			if err := os.RemoveAll(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if said < 20 {
		t.Errorf("only %d annotations", said)
	}
}
