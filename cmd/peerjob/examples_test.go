// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// block is one block of shell commands in a README. Its first line may name
// the tools that it needs: "```sh needs=docker,kpt".
type block struct {
	commands string
	needs    []string
}

var blockPattern = regexp.MustCompile("(?ms)^```sh( needs=([a-z,]+))?\n(.*?)^```$")

func blocksOf(t *testing.T, readme string) []block {
	t.Helper()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	for _, match := range blockPattern.FindAllStringSubmatch(string(text), -1) {
		b := block{commands: match[3]}
		if match[2] != "" {
			b.needs = strings.Split(match[2], ",")
		}
		blocks = append(blocks, b)
	}
	if len(blocks) == 0 {
		t.Fatalf("%s has no block of commands", readme)
	}
	return blocks
}

// require skips a test whose tools are missing, and fails it in CI when they
// are ones that every machine of CI has.
func (b block) require(t *testing.T) {
	t.Helper()
	for _, tool := range b.needs {
		needsTool(t, tool)
	}
}

// run runs the commands in a folder, as a user would, and returns what the
// last one printed. "make image" is run once for all blocks, see [buildImage].
func (b block) run(t *testing.T, dir string) string {
	t.Helper()
	if err := buildPeerjob(); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	for command := range strings.SplitSeq(strings.TrimSpace(b.commands), "\n") {
		if command == "make image TAG="+versionFile(t) {
			if err := buildImage(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		stdout.Reset()
		var stderr bytes.Buffer
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", command)
		cmd.Dir = dir
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		helm := filepath.Join(dir, ".helm") // not the user's
		cmd.Env = append(os.Environ(), static, "HELM_CACHE_HOME="+helm, "HELM_CONFIG_HOME="+helm, "HELM_DATA_HOME="+helm,
			"PATH="+programs(t)+string(os.PathListSeparator)+os.Getenv("PATH"))
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v\n%s%s", command, err, &stdout, &stderr)
		}
	}
	return stdout.String()
}

// shown are the parts of the repository that the READMEs' commands read or change.
var shown = []string{"examples", "helm", "kustomize", "testdata"}

// copyOf copies files and folders of the repository to a new folder.
func copyOf(t *testing.T, names ...string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range names {
		if err := copyTo(filepath.Join(to, name), filepath.Join(repository(t), name)); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func copyTo(to, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, info.Mode())
}

// wholeRepository names all that the repository holds but for what was built.
func wholeRepository(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(repository(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != ".git" && entry.Name() != "bin" && entry.Name() != "dist" {
			names = append(names, entry.Name())
		}
	}
	return names
}

// TestExamples runs the commands in the README of every example, twice, in a copy
// of the examples. Each must print what expected.yaml says.
func TestExamples(t *testing.T) {
	for _, readme := range exampleReadmes(t) {
		name := filepath.Base(filepath.Dir(readme))
		for i, b := range blocksOf(t, readme) {
			t.Run(fmt.Sprintf("%s/%d", name, i+1), func(t *testing.T) {
				t.Parallel()
				b.require(t)
				golden := filepath.Join(filepath.Dir(readme), "expected.yaml")
				dir := copyOf(t, shown...)
				for range 2 {
					got := b.run(t, dir)
					if update && i == 0 {
						if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
							t.Fatal(err)
						}
					}
					want, err := os.ReadFile(golden)
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(comparable(t, string(want), got)); diff != "" {
						t.Errorf("%s\nprints (-want +got):\n%s", b.commands, diff)
					}
				}
			})
		}
	}
}

// exampleReadmes returns the README of every example; frameworks and roles are folders
// of them.
func exampleReadmes(t *testing.T) []string {
	t.Helper()
	var readmes []string
	for _, folder := range []string{"examples", filepath.Join("examples", "frameworks"), filepath.Join("examples", "roles")} {
		entries, err := os.ReadDir(filepath.Join(repository(t), folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if !entry.IsDir() {
				continue
			}
			readme := filepath.Join(repository(t), folder, entry.Name(), "README.md")
			if _, err := os.Stat(readme); err == nil {
				readmes = append(readmes, readme)
			} else if entry.Name() != "frameworks" && entry.Name() != "roles" {
				t.Errorf("%s/%s has no README", folder, entry.Name())
			}
		}
	}
	return readmes
}

// comparable returns two outputs so that they can be compared: as they are, or
// as the objects in them where one is JSON, or where Helm has printed one with comments.
func comparable(t *testing.T, want, got string) (any, any) {
	t.Helper()
	if !strings.HasPrefix(got, "{") && !strings.HasPrefix(want, helmHead) {
		return want, got
	}
	return objectsOf(t, want), objectsOf(t, got)
}

// helmHead is how the output of "helm template" starts.
const helmHead = "---\n# Source: "

// objectsOf returns the objects of a stream of YAML or of one List in JSON.
func objectsOf(t *testing.T, text string) (items []any) {
	t.Helper()
	if strings.HasPrefix(text, "{") {
		var list struct{ Items []any }
		if err := yaml.Unmarshal([]byte(text), &list); err != nil {
			t.Fatal(err)
		}
		return list.Items
	}
	for decoder := yaml.NewDecoder(strings.NewReader(text)); ; {
		var item any
		if err := decoder.Decode(&item); errors.Is(err, io.EOF) {
			return items
		} else if err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
}

// TestReadme runs every command of the README and of docs/function.md in a copy of
// the examples, and those that build something in a copy of the repository.
func TestReadme(t *testing.T) {
	ci, err := os.ReadFile(filepath.Join(repository(t), ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"README.md", filepath.Join("docs", "function.md")} {
		for i, b := range blocksOf(t, filepath.Join(repository(t), page)) {
			t.Run(fmt.Sprintf("%s/%d", filepath.Base(page), i+1), func(t *testing.T) {
				t.Parallel()
				b.require(t)
				lines := strings.Split(b.commands, "\n")
				// This is make test: CI runs it, and it can't run itself.
				if n := slices.Index(lines, "make test"); n >= 0 {
					if !strings.Contains(string(ci), "make test\n") {
						t.Error("CI does not run make test")
					}
					b.commands = strings.Join(slices.Delete(lines, n, n+1), "\n")
				}
				names := shown
				if strings.Contains(b.commands, "make demo") || strings.Contains(b.commands, "make build") {
					names = wholeRepository(t)
				}
				if got := b.run(t, copyOf(t, names...)); !strings.Contains(got, "kind: Job\n") {
					t.Errorf("%s\nprints no Job:\n%s", b.commands, got)
				}
			})
		}
	}
}

// TestVersions holds every place that names the version to the file VERSION.
func TestVersions(t *testing.T) {
	version, places := versionFile(t), 0
	image := regexp.MustCompile(`(?:ghcr\.io/peerjob/peerjob:|/kustomize\?ref=)([^\s"'` + "`" + `|)]+)`)
	err := filepath.WalkDir(repository(t), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "bin" || entry.Name() == "dist") {
			return filepath.SkipDir
		}
		if entry.IsDir() || strings.HasSuffix(path, "_test.go") || entry.Name() == "Makefile" {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, match := range image.FindAllStringSubmatch(string(data), -1) {
			places++
			// docker load gives the image of one platform such a tag.
			match[1] = strings.TrimSuffix(match[1], "-amd64")
			if match[1] != version && match[1] != "$VERSION" {
				t.Errorf("%s names the image %s, and the version is %s", path, match[0], version)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if places < 3 {
		t.Errorf("the image is named in %d places only", places)
	}
}
