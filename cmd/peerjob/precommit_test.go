// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// hook is an entry of .pre-commit-hooks.yaml, as far as pre-commit needs it to run it.
type hook struct {
	ID            string
	Name          string
	Entry         string
	Args          []string `yaml:",omitempty"`
	Language      string
	Files         string   `yaml:",omitempty"`
	TypesOr       []string `yaml:"types_or,omitempty"`
	PassFilenames *bool    `yaml:"pass_filenames,omitempty"`
	Verbose       bool     `yaml:",omitempty"`
}

// TestPreCommit runs the hooks in a repository: as pre-commit does, and by pre-commit if
// that is here. pre-commit builds the program with "go install ./..." in a cache of its
// own, for minutes, so here it runs the program that the test has built.
func TestPreCommit(t *testing.T) {
	needsTool(t, "git")
	if err := buildPeerjob(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(repository(t), ".pre-commit-hooks.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var hooks []hook
	if err := yaml.Unmarshal(text, &hooks); err != nil {
		t.Fatal(err)
	}
	_, missing := exec.LookPath("pre-commit")
	for i := range hooks {
		if hooks[i].Language != "golang" {
			t.Errorf("%s is not built from the source", hooks[i].ID)
		}
		hooks[i].Language = "system"
	}
	config, err := yaml.Marshal(map[string]any{"repos": []any{map[string]any{"repo": "local", "hooks": hooks}}})
	if err != nil {
		t.Fatal(err)
	}
	headless := "apiVersion: v1\nkind: Service\nmetadata:\n  name: pair\nspec:\n  clusterIP: None\n  publishNotReadyAddresses: true\n  selector: {job-name: pair}\n"
	job := "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: pair\nspec:\n  completions: 2\n  parallelism: 2\n  completionMode: Indexed\n  template:\n    spec:\n      subdomain: pair\n      restartPolicy: Never\n      containers:\n      - name: w\n        image: x\n        args: [--leader=pair-0.pair]\n"
	tagless := strings.Replace(actionPeerJob, "example.com/train:1.0", `"example.com/train:"`, 1)
	for _, test := range []struct {
		name   string
		files  map[string]string
		failed []string
		says   string
	}{
		{"right", map[string]string{"deploy/peerjob.yaml": actionPeerJob, "service.yaml": headless, "job.yaml": job}, nil, ""},
		{"wrong", map[string]string{
			"deploy/peerjob.yml": strings.Replace(actionPeerJob, "peers: 2", "peers: 0", 1),
			"service.yaml":       strings.Replace(headless, "  clusterIP: None\n", "", 1), "job.yaml": job,
		}, []string{"peerjob-lint", "peerjob-check"}, "spec.peers: Invalid value: 0"},
		// Its Service is in another file, which did not change.
		{"half", map[string]string{"job.yaml": job}, []string{"peerjob-lint"}, ""},
		{"patch", map[string]string{
			"overlay/peerjob.yaml":       "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata:\n  name: train\nspec:\n  peers: 8\n",
			"overlay/kustomization.yaml": "patches:\n- path: peerjob.yaml\n",
		}, nil, "is a patch of a kustomization"},
		{"one name in two folders", map[string]string{"envs/dev/peerjob.yaml": actionPeerJob, "envs/prod/peerjob.yaml": actionPeerJob}, nil, "2 PeerJobs: 0 errors"},
		{"any name of a file", map[string]string{"jobs.yaml": strings.Replace(actionPeerJob, "peers: 2", "peers: 0", 1)}, []string{"peerjob-check"}, "jobs.yaml:6:10: error: "},
		{"a template of a chart", map[string]string{
			"chart/Chart.yaml":             "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
			"chart/templates/peerjob.yaml": strings.Replace(actionPeerJob, "name: train", "name: {{ .Release.Name }}", 1),
		}, nil, "helm template chart | peerjob check -"},
		// pre-commit shows what a hook says that passes.
		{"a warning", map[string]string{"peerjob.yaml": tagless}, nil, "InvalidImageName"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			git(t, dir, "init", "-q")
			commit(t, dir, test.files)
			for _, hook := range hooks {
				want := slices.Contains(test.failed, hook.ID)
				said, failed := hook.run(t, dir)
				if failed != want || hook.ID == "peerjob-check" && !strings.Contains(said, test.says) {
					t.Errorf("%s fails: %t, want %t and %q\n%s", hook.ID, failed, want, test.says, said)
				}
				if !hook.Verbose {
					t.Errorf("pre-commit hides the warnings of %s", hook.ID)
				}
			}
			if missing != nil {
				t.Log("pre-commit is not on this machine; its hooks ran without it")
				return
			}
			if err := os.WriteFile(filepath.Join(dir, ".pre-commit-config.yaml"), config, 0o644); err != nil {
				t.Fatal(err)
			}
			for _, hook := range hooks {
				want := slices.Contains(test.failed, hook.ID)
				said, failed := programIn(t, dir, "pre-commit", "run", "--all-files", hook.ID)
				if failed != want || hook.ID == "peerjob-check" && !strings.Contains(said, test.says) {
					t.Errorf("pre-commit run %s fails: %t, want %t and %q\n%s", hook.ID, failed, want, test.says, said)
				}
			}
		})
	}
}

// run runs a hook on all files of a repository: without a matching file, not at all.
func (h *hook) run(t *testing.T, dir string) (said string, failed bool) {
	t.Helper()
	args := append(strings.Fields(h.Entry), h.Args...)
	files := regexp.MustCompile(h.Files)
	matched := 0
	for name := range strings.FieldsSeq(git(t, dir, "ls-files")) {
		ext := strings.ReplaceAll(strings.TrimPrefix(filepath.Ext(name), "."), "yml", "yaml")
		if !files.MatchString(name) || len(h.TypesOr) > 0 && !slices.Contains(h.TypesOr, ext) {
			continue
		}
		matched++
		if h.PassFilenames == nil || *h.PassFilenames {
			args = append(args, name)
		}
	}
	if matched == 0 {
		return "", false
	}
	return programIn(t, dir, args...)
}

// programIn runs a program in a folder, with peerjob on the PATH.
func programIn(t *testing.T, dir string, args ...string) (said string, failed bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "env", args...) // finds it on the PATH it sets
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+programs(t)+string(os.PathListSeparator)+os.Getenv("PATH"), "PRE_COMMIT_HOME="+filepath.Join(dir, ".git", "cache"))
	out, err := cmd.CombinedOutput()
	return fmt.Sprintf("%q: %v\n%s", args, err, out), err != nil
}
