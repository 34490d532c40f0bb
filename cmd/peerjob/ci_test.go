// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestRecipes_chart runs what docs/ci.md says for a chart: the step of a workflow, the hook of
// pre-commit and the command of the action, with the real Helm. Each passes with a chart that
// is right. With a mistake in a PeerJob, or in the call of Helm, it fails and says so.
func TestRecipes_chart(t *testing.T) {
	needsTool(t, "helm")
	page, err := os.ReadFile(filepath.Join(repository(t), "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]string{}
	for _, block := range yamlBlock.FindAllStringSubmatch(string(page), -1) {
		var steps []struct {
			Shell, Run string
			With       struct{ Render string }
			Hooks      []struct{ ID, Entry string }
		}
		if yaml.Unmarshal([]byte(block[1]), &steps) != nil {
			continue // a whole workflow
		}
		for _, step := range steps {
			if step.Shell == "bash" && strings.Contains(step.Run, "helm template") {
				// As GitHub calls it.
				commands["step"] = step.Run
			}
			if strings.Contains(step.With.Render, "helm template") {
				commands["render"] = step.With.Render
			}
			for _, hook := range step.Hooks {
				if strings.Contains(hook.Entry, "helm template") {
					commands["hook"] = hook.Entry
				}
			}
		}
	}
	if len(commands) != 3 {
		t.Fatalf("docs/ci.md has the recipes %q, want a step, a hook and a rendering", commands)
	}
	for name, command := range commands {
		for change, want := range map[string]string{"": "", "peers": "spec.peers: Invalid value: 0", "values": "envs/prod.yaml"} {
			if name == "hook" && change == "values" {
				continue // it has no values
			}
			dir := t.TempDir()
			if err := os.CopyFS(filepath.Join(dir, "chart"), os.DirFS(filepath.Join(repository(t), "examples", "helm", "chart"))); err != nil {
				t.Fatal(err)
			}
			peers := "peers: 2\n"
			if change == "peers" {
				peers = "peers: 0\n"
			}
			values := filepath.Join(dir, "envs", "prod.yaml")
			if name == "hook" {
				values = filepath.Join(dir, "chart", "values.yaml")
				peers += "image: x\nport: 1\nnameSuffixHash: Disabled\n"
			}
			if err := os.MkdirAll(filepath.Dir(values), 0o755); err != nil {
				t.Fatal(err)
			}
			if change != "values" {
				if err := os.WriteFile(values, []byte(peers), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+programs(t)+string(os.PathListSeparator)+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			if (err == nil) != (want == "") || !strings.Contains(string(out), want) {
				t.Errorf("%s, %q: %v, want %q\n%s", name, change, err, want, out)
			}
		}
	}
}
