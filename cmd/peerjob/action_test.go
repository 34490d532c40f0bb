// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// action is action.yml, as far as GitHub's runner reads it.
type action struct {
	Inputs map[string]struct {
		Default string
	}
	Outputs map[string]struct {
		Value string
	}
	Runs struct {
		Using string
		Steps []struct {
			ID    string
			Shell string
			Env   map[string]string
			Run   string
		}
	}
}

func readAction(t *testing.T) (a action) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository(t), "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

var inputExpression = regexp.MustCompile(`\$\{\{ inputs\.(\w+) \}\}`)

// run runs the steps in a folder as GitHub's runner does: each with its shell, its
// environment and files of its own. It returns the outputs, the summary, what was
// printed, and whether the action passed.
func (a *action) run(t *testing.T, dir string, inputs map[string]string) (outputs map[string]string, summary, log string, passed bool) {
	t.Helper()
	if err := buildPeerjob(); err != nil {
		t.Fatal(err)
	}
	given := map[string]string{}
	for name, input := range a.Inputs {
		given[name] = input.Default
	}
	maps.Copy(given, inputs)
	temporary := t.TempDir()
	steps := map[string]map[string]string{}
	passed = true
	for _, step := range a.Runs.Steps {
		if step.Shell != "bash" {
			t.Fatalf("no test knows the shell %q", step.Shell)
		}
		files := map[string]string{}
		for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH"} {
			files[name] = filepath.Join(temporary, name+step.ID)
			if err := os.WriteFile(files[name], nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		script := filepath.Join(temporary, "step.sh")
		if err := os.WriteFile(script, []byte(step.Run), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+programs(t)+string(os.PathListSeparator)+os.Getenv("PATH"),
			"GITHUB_ACTIONS=true", "GITHUB_ACTION_PATH="+repository(t), "GITHUB_WORKSPACE="+dir, "RUNNER_TEMP="+temporary)
		for name, file := range files {
			cmd.Env = append(cmd.Env, name+"="+file)
		}
		for name, value := range step.Env {
			cmd.Env = append(cmd.Env, name+"="+inputExpression.ReplaceAllStringFunc(value, func(expression string) string {
				input := inputExpression.FindStringSubmatch(expression)[1]
				if _, known := a.Inputs[input]; !known {
					t.Fatalf("action.yml has no input %s", input)
				}
				return given[input]
			}))
		}
		out, err := cmd.CombinedOutput()
		log += string(out)
		steps[step.ID] = readOutputs(t, files["GITHUB_OUTPUT"])
		text, readErr := os.ReadFile(files["GITHUB_STEP_SUMMARY"])
		if readErr != nil {
			t.Fatal(readErr)
		}
		summary += string(text)
		if err != nil {
			if !errors.As(err, new(*exec.ExitError)) {
				t.Fatal(err)
			}
			passed = false
			break
		}
	}
	outputs = map[string]string{}
	for name, output := range a.Outputs {
		path := strings.Split(strings.Trim(output.Value, "${ }"), ".")
		if len(path) != 4 || path[0] != "steps" || steps[path[1]] == nil && passed || path[3] != name {
			t.Errorf("output %s: %s", name, output.Value)
			continue
		}
		if value, found := steps[path[1]][name]; found {
			outputs[name] = value
		}
	}
	return outputs, summary, log, passed
}

// readOutputs reads a file in the form of GITHUB_OUTPUT: name=value, or name<<DELIMITER
// and the lines up to that.
func readOutputs(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{}
	lines := strings.Split(string(text), "\n")
	for i := 0; i < len(lines); i++ {
		if name, delimiter, found := strings.Cut(lines[i], "<<"); found {
			var value []string
			for i++; i < len(lines) && lines[i] != delimiter; i++ {
				value = append(value, lines[i])
			}
			if i == len(lines) {
				t.Fatalf("%s does not end with %s", name, delimiter)
			}
			outputs[name] = strings.Join(value, "\n")
		} else if name, value, found := strings.Cut(lines[i], "="); found {
			outputs[name] = value
		} else if lines[i] != "" {
			t.Fatalf("GitHub does not take the output %q", lines[i])
		}
	}
	return outputs
}

// git runs git in a folder and returns what it prints.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=test", "GIT_AUTHOR_EMAIL=test@example.com",
		"GIT_COMMITTER_NAME=test", "GIT_COMMITTER_EMAIL=test@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes files into a repository, commits them and returns the commit.
func commit(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "change")
	return git(t, dir, "rev-parse", "HEAD")
}

const actionPeerJob = `apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata:
  name: train
spec:
  peers: 2
  template:
    spec:
      containers:
      - name: worker
        image: example.com/train:1.0
`

// TestAction runs the steps of action.yml in a repository, as GitHub's runner does.
func TestAction(t *testing.T) {
	needsTool(t, "git")
	a := readAction(t)
	if version := versionFile(t); a.Inputs["version"].Default != version {
		t.Errorf("action.yml installs %s, and the version is %s", a.Inputs["version"].Default, version)
	}
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	base := commit(t, dir, map[string]string{"deploy/peerjob.yaml": actionPeerJob})
	commit(t, dir, map[string]string{"deploy/peerjob.yaml": strings.Replace(actionPeerJob, "peers: 2", "peers: 3", 1)})
	render := "peerjob expand deploy/"

	// A change that is right.
	outputs, summary, log, passed := a.run(t, dir, map[string]string{"base": base, "check": "deploy/", "render": render})
	if !passed {
		t.Fatalf("it fails:\n%s", log)
	}
	if outputs["changed"] != "true" || !strings.Contains(outputs["diff"], "-  completions: 2\n") || !strings.Contains(outputs["diff"], "+  completions: 3\n") {
		t.Errorf("outputs: %v", outputs)
	}
	if !strings.Contains(summary, "- `peerjob check`: 0 errors, 0 warnings\n") || !strings.Contains(summary, "````diff\n--- base\n+++ head\n") {
		t.Errorf("summary:\n%s", summary)
	}
	if strings.Contains(log, "completions") {
		t.Errorf("the diff is on stdout, where GitHub reads commands:\n%s", log)
	}

	// None.
	outputs, summary, _, passed = a.run(t, dir, map[string]string{"base": git(t, dir, "rev-parse", "HEAD"), "render": render})
	if diff := cmp.Diff(map[string]string{"changed": "false"}, outputs); diff != "" || !passed {
		t.Errorf("passed: %t, outputs (-want +got):\n%s", passed, diff)
	}
	if !strings.Contains(summary, "The rendered objects are the same as at the base.") {
		t.Errorf("summary:\n%s", summary)
	}

	// Mistakes in a PeerJob and in a pair, beside their lines.
	commit(t, dir, map[string]string{
		"deploy/peerjob.yaml": strings.Replace(actionPeerJob, "peers: 2", "peers: 0", 1),
		"pair/job.yaml":       "apiVersion: v1\nkind: Service\nmetadata:\n  name: pair\nspec:\n  selector: {job-name: pair}\n---\napiVersion: batch/v1\nkind: Job\nmetadata:\n  name: pair\nspec:\n  completions: 2\n  parallelism: 2\n  completionMode: Indexed\n  template:\n    spec:\n      subdomain: pair\n      restartPolicy: Never\n      containers:\n      - name: w\n        image: x\n        args: [--leader=pair-0.pair]\n",
	})
	_, summary, log, passed = a.run(t, dir, map[string]string{"base": base, "check": "\n  \ndeploy/\n", "render": render})
	for _, want := range []string{
		"::error file=deploy/peerjob.yaml,line=6,col=10,title=peerjob::PeerJob train: spec.peers: Invalid value: 0: must be between 1 and 100000\n",
		"::error file=pair/job.yaml,line=5,col=1,title=peerjob lint%3A service-not-headless::Service pair: ",
		"::error title=peerjob::the command of render failed",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("%q is missing in\n%s", want, log)
		}
	}
	if passed || !strings.Contains(summary, "- `peerjob lint`: 1 error, 1 warning\n- `peerjob check`: 1 error, 0 warnings\n") || !strings.Contains(summary, "The rendering **failed**") {
		t.Errorf("passed: %t, summary:\n%s", passed, summary)
	}
	if left := git(t, dir, "worktree", "list"); strings.Count(left, "\n") > 0 {
		t.Errorf("a worktree is left:\n%s", left)
	}
}

// TestAction_warnings has a PeerJob with a warning, in two folders: it is beside its line and
// in the summary, and fails the action only if strict is set.
func TestAction_warnings(t *testing.T) {
	needsTool(t, "git")
	a := readAction(t)
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	tagless := strings.Replace(actionPeerJob, "example.com/train:1.0", `"example.com/train:"`, 1)
	base := commit(t, dir, map[string]string{"envs/dev/peerjob.yaml": tagless, "envs/prod/peerjob.yaml": tagless})
	checked := map[string]string{"base": base, "check": "envs"}
	rendered := map[string]string{"base": base, "render": "peerjob expand envs/dev"}
	for _, test := range []struct {
		inputs         map[string]string
		summary, log   string
		strictlyFailed string
	}{
		{checked, "- `peerjob check`: 0 errors, 2 warnings\n", "::warning file=envs/prod/peerjob.yaml,line=11,col=16,title=peerjob::", ""},
		{rendered, "The rendering has 1 warning:\n\n````````````````text\npeerjob: warning: envs/dev/peerjob.yaml: PeerJob train: ", "::warning title=peerjob::the command of render printed 1 warning", "::error title=peerjob::the command of render printed 1 warning"},
	} {
		for _, strict := range []string{"false", "true"} {
			inputs := maps.Clone(test.inputs)
			inputs["strict"] = strict
			_, summary, log, passed := a.run(t, dir, inputs)
			want := test.log
			if strict == "true" && test.strictlyFailed != "" {
				want = test.strictlyFailed
			}
			if passed != (strict == "false") || !strings.Contains(summary, test.summary) || !strings.Contains(log, want) {
				t.Errorf("strict %s: passed: %t, want %q and %q\nsummary:\n%slog:\n%s", strict, passed, test.summary, want, summary, log)
			}
		}
	}
}

// TestAction_missing has paths that are not there or have nothing: annotations and the
// summary say so.
func TestAction_missing(t *testing.T) {
	a := readAction(t)
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "empty"), 0o755), os.Symlink("nowhere", filepath.Join(dir, "link.yaml"))); err != nil {
		t.Fatal(err)
	}
	_, summary, log, passed := a.run(t, dir, map[string]string{"lint": "missing", "check": "missing.yaml\nempty\nlink.yaml"})
	for _, want := range []string{
		"::error file=missing,title=peerjob lint%3A unreadable::can't be read: no such file or directory\n",
		"::error file=missing.yaml,title=peerjob::can't be read: no such file or directory\n",
		"::error file=empty,title=peerjob::holds no *.yaml, *.yml or *.json file\n",
		"::error file=link.yaml,title=peerjob::can't be read: no such file or directory\n",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("%q is missing in\n%s", want, log)
		}
	}
	if passed || !strings.Contains(summary, "- `peerjob lint`: 1 error, 0 warnings\n- `peerjob check`: 3 errors, 0 warnings\n") {
		t.Errorf("passed: %t, summary:\n%s", passed, summary)
	}

	// A program that ends before it has written anything.
	crashing := t.TempDir()
	if err := os.WriteFile(filepath.Join(crashing, "peerjob"), []byte("#!/bin/sh\necho out of memory >&2\nexit 137\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", filepath.Join(repository(t), "hack", "action"), "run")
	cmd.Dir = dir
	file := filepath.Join(crashing, "summary")
	cmd.Env = append(os.Environ(), "PATH="+crashing+string(os.PathListSeparator)+os.Getenv("PATH"), "RUNNER_TEMP="+crashing, "GITHUB_STEP_SUMMARY="+file,
		"GITHUB_OUTPUT="+filepath.Join(crashing, "output"), "PEERJOB_LINT=.", "PEERJOB_CHECK=", "PEERJOB_STRICT=false", "PEERJOB_RENDER=", "PEERJOB_BASE=")
	out, err := cmd.CombinedOutput()
	text, readErr := os.ReadFile(file)
	if readErr != nil {
		t.Fatal(readErr)
	}
	if err == nil || !strings.Contains(string(out), "::error title=peerjob::peerjob lint ended with 137") || !strings.Contains(string(text), "It ended with 137") || !strings.Contains(string(text), "out of memory") {
		t.Errorf("%v\n%s\nsummary:\n%s", err, out, text)
	}
}

// TestAction_base has the commits to compare with that are not simply there.
func TestAction_base(t *testing.T) {
	needsTool(t, "git")
	a := readAction(t)
	const render = "peerjob expand deploy/"
	origin := t.TempDir()
	git(t, origin, "init", "-q", "-b", "main")
	first := commit(t, origin, map[string]string{"README.md": "x\n"})
	commit(t, origin, map[string]string{"deploy/peerjob.yaml": actionPeerJob})
	git(t, origin, "checkout", "-q", "-b", "change")
	commit(t, origin, map[string]string{"deploy/peerjob.yaml": strings.Replace(actionPeerJob, "peers: 2", "peers: 3", 1)})
	clone := func(depth ...string) string {
		dir := filepath.Join(t.TempDir(), "clone")
		git(t, origin, append(append([]string{"clone", "-q", "--single-branch", "-b", "change"}, depth...), "file://"+filepath.ToSlash(origin), dir)...)
		return dir
	}

	// A branch by its name, in a clone that has only the head, and in one with its history.
	for _, depth := range [][]string{{"--depth=1"}, nil} {
		dir := clone(depth...)
		outputs, summary, log, passed := a.run(t, dir, map[string]string{"base": "main", "render": render})
		if !passed || outputs["changed"] != "true" || !strings.Contains(outputs["diff"], "-  completions: 2\n") {
			t.Errorf("%q: passed: %t, outputs: %v\n%s%s", depth, passed, outputs, summary, log)
		}
		if shallow := git(t, dir, "rev-parse", "--is-shallow-repository"); shallow != "true" && depth != nil || shallow != "false" && depth == nil {
			t.Errorf("%q: shallow: %s", depth, shallow)
		}
	}

	// None: no diff, and no failure.
	for _, base := range []string{"nowhere", "--upload-pack=false", "0123456789012345678901234567890123456789"} {
		outputs, summary, log, passed := a.run(t, clone("--depth=1"), map[string]string{"base": base, "render": render})
		if !passed || len(outputs) > 0 || !strings.Contains(summary, "The base is not there to compare with, so there is no diff:\n\n") || !strings.Contains(summary, "fatal: ") {
			t.Errorf("%s: passed: %t, outputs: %v\nsummary:\n%slog:\n%s", base, passed, outputs, summary, log)
		}
	}

	// One without the folder.
	outputs, summary, log, passed := a.run(t, clone(), map[string]string{"base": first, "render": render})
	if !passed || outputs["changed"] != "true" || !strings.Contains(outputs["diff"], "+  completions: 3\n") || !strings.Contains(summary, "The rendering fails at the base, so everything is new:\n") || !strings.Contains(summary, "peerjob: deploy/: can't be read: no such file or directory\n") {
		t.Errorf("passed: %t, outputs: %v\nsummary:\n%slog:\n%s", passed, outputs, summary, log)
	}
}

// TestAction_fences holds that no text of the repository ends a block of the summary, or is a
// command for GitHub's runner.
func TestAction_fences(t *testing.T) {
	needsTool(t, "git")
	a := readAction(t)
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	long := strings.Repeat("`", 100)
	text := actionPeerJob + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: |\n    " + long + "\n    # Approved\n    ::stop-commands::x\n"
	base := commit(t, dir, map[string]string{"deploy/peerjob.yaml": text})
	commit(t, dir, map[string]string{"deploy/peerjob.yaml": strings.Replace(text, "Approved", "Refused", 1)})
	_, summary, log, passed := a.run(t, dir, map[string]string{"base": base, "render": "peerjob expand deploy/"})
	if !passed || !strings.Contains(summary, "\n     "+long+"\n") || strings.Count(summary, "\n`"+long) != 2 {
		t.Errorf("passed: %t, summary:\n%s", passed, summary)
	}
	said := log
	commit(t, dir, map[string]string{"deploy/" + long[:40] + "\n::stop-commands::x.yaml": "a: [\n"})
	_, summary, log, passed = a.run(t, dir, map[string]string{"base": base, "check": "deploy", "render": "peerjob expand deploy/; exit 1"})
	if passed || strings.Count(summary, "\n`"+long[:40]) != 2 {
		t.Errorf("passed: %t, summary:\n%s", passed, summary)
	}
	for line := range strings.Lines(said + log) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "::") && !strings.HasPrefix(line, "::error ") && !strings.HasPrefix(line, "::warning ") && !strings.HasPrefix(line, "::notice ") {
			t.Errorf("a command: %s", line)
		}
	}
}

// TestAction_install has no peerjob on the PATH and a release that is not there: the action
// builds its source, or says what to do without Go.
func TestAction_install(t *testing.T) {
	tools := t.TempDir()
	for _, tool := range []string{"bash", "env", "uname", "mkdir", "git"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Skipf("%s is not on this machine", tool)
		}
		if err := os.Symlink(path, filepath.Join(tools, tool)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(tools, "curl"), []byte("#!/bin/sh\nexit 22\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	install := func(path string) (log, added string, err error) {
		temporary := t.TempDir()
		file := filepath.Join(temporary, "GITHUB_PATH")
		cmd := exec.CommandContext(t.Context(), "bash", filepath.Join(repository(t), "hack", "action"), "install")
		cmd.Env = append(os.Environ(), "PATH="+path, "GITHUB_ACTION_PATH="+repository(t), "RUNNER_TEMP="+temporary, "GITHUB_PATH="+file, "PEERJOB_VERSION=v0.1.0")
		out, err := cmd.CombinedOutput()
		text, readErr := os.ReadFile(file)
		if readErr != nil && !errors.Is(readErr, os.ErrNotExist) {
			t.Fatal(readErr)
		}
		return string(out), strings.TrimSpace(string(text)), err
	}
	const want = "::error title=peerjob::the release v0.1.0 can't be downloaded, and there is no Go to build it; put peerjob on the PATH, or run actions/setup-go before this action\n"
	if log, added, err := install(tools); err == nil || log != want || added != "" {
		t.Errorf("without Go: %v, %q is on the PATH\n%s", err, added, log)
	}
	program, err := exec.LookPath("go")
	if err != nil {
		t.Skip("go is not on the PATH")
	}
	log, added, err := install(tools + string(os.PathListSeparator) + filepath.Dir(program))
	if err != nil || added == "" {
		t.Fatalf("with Go: %v\n%s", err, log)
	}
	if out, err := exec.CommandContext(t.Context(), filepath.Join(added, "peerjob"), "version").Output(); err != nil || len(out) == 0 {
		t.Errorf("what was built: %v\n%s", err, out)
	}
}
