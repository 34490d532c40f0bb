// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	gomodule "golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

// installPage is docs/install.md.
var installPage = filepath.Join(root, "docs", "install.md")

var installBlock = regexp.MustCompile("(?ms)^```sh( test=([a-z]+))?\n(.*?)^```$")

// untried are the blocks of the page that no test runs, by how they begin, and why.
var untried = map[string]string{
	"kubectl krew install": "nothing is published; TestKrew_install installs the same files",
	"brew install":         "Homebrew is not here, and nothing is published",
	"docker pull":          "nothing is published; TestImages_docker pulls by digest from a registry of its own",
	"VERSION=":             "nothing is signed",
	"git clone":            "nothing is published; TestReproducible and the tests of the README do the same with this tree",
}

// blocksFor returns the commands of the page for a test.
func blocksFor(t *testing.T, test string) string {
	t.Helper()
	var commands strings.Builder
	for _, match := range installBlock.FindAllStringSubmatch(string(read(t, installPage)), -1) {
		if match[2] == test {
			commands.WriteString(match[3])
		}
	}
	if commands.Len() == 0 {
		t.Fatalf("%s has no block with test=%s", installPage, test)
	}
	return commands.String()
}

// TestInstall_blocks has every block of the page: it is run, or it says why not.
func TestInstall_blocks(t *testing.T) {
	version := strings.TrimSpace(string(read(t, filepath.Join(root, "VERSION"))))
	for _, match := range installBlock.FindAllStringSubmatch(string(read(t, installPage)), -1) {
		switch match[2] {
		case "archive", "go", "docker":
		case "":
			reason := ""
			for begin, why := range untried {
				if strings.HasPrefix(match[3], begin) {
					reason = why
				}
			}
			first, _, _ := strings.Cut(match[3], "\n")
			if reason == "" {
				t.Errorf("no test runs %q", first)
			}
			t.Logf("not run: %s: %s", first, reason)
		default:
			t.Errorf("there is no test %q", match[2])
		}
		for _, named := range regexp.MustCompile(`v0\.\d+\.\d+`).FindAllString(match[3], -1) {
			if named != version {
				t.Errorf("%s names %s, and VERSION is %s", installPage, named, version)
			}
		}
	}
}

// curl serves what the page downloads from the release in /dist, and nothing else.
const curl = `#!/bin/bash
set -eu
base=%s
[ "$1" = -fsSLO ] && [ "${2#"$base"}" != "$2" ] || { echo "curl: $* is not of the release" >&2; exit 22; }
cp "/dist/${2#"$base"}" .
`

// TestInstall_archive runs the page's commands in a container from scratch, with the programs
// that they name, and no network. So the program needs nothing else.
func TestInstall_archive(t *testing.T) {
	s, dist := testRelease(t)
	const wanted = "linux/amd64"
	if on := runtime.GOOS + "/" + runtime.GOARCH; on != wanted {
		t.Skipf("the page's commands are for %s, and this machine is %s", wanted, on)
	}
	needsDocker(t)
	files := []entry{{path: "usr/bin/curl", program: true, content: fmt.Appendf(nil, curl, published(s, ""))}}
	for _, name := range []string{"bash", "cp", "gzip", "sha256sum", "tar"} {
		found, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, entry{path: "usr/bin/" + name, program: true, content: read(t, found)})
		for _, library := range regexp.MustCompile(`/\S+`).FindAllString(command(t, nil, "ldd", found), -1) {
			files = append(files, entry{path: strings.TrimPrefix(library, "/"), program: true, content: read(t, library)})
		}
	}
	files = append(files, entry{path: "bin/bash", program: true, content: files[1].content})
	shipped, err := readFolder(dist)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range shipped {
		f.path = path.Join("dist", f.path)
		files = append(files, f)
	}
	unique := map[string]bool{}
	var all []entry
	for _, f := range files {
		if !unique[f.path] {
			unique[f.path] = true
			all = append(all, f)
		}
	}
	var content bytes.Buffer
	if err := writeTar(&content, all, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	image := strings.TrimSpace(command(t, content.Bytes(), "docker", "import", "-"))
	removeImage(t, image)
	// A folder that is not in the image has the mode of the option.
	got := command(t, []byte("cd /work\n"+blocksFor(t, "archive")), "docker", "run", "--rm", "-i", "--network", "none", "--user", user,
		"--tmpfs", "/work:rw,exec,mode=1777", "--env", "PATH=/usr/bin", image, "/usr/bin/bash", "-euo", "pipefail")
	archive := s.base(programs[0], platform{"linux", "amd64"}) + ".tar.gz"
	if want := archive + ": OK\npeerjob " + s.version + " "; !strings.HasPrefix(got, want) {
		t.Errorf("prints %q, want %q", got, want)
	}
}

// TestInstall_docker runs the commands for an image without a registry.
func TestInstall_docker(t *testing.T) {
	needsDocker(t)
	s, dist := testRelease(t)
	if runtime.GOARCH != "amd64" {
		t.Skipf("the page's commands are for amd64, and this machine is %s", runtime.GOARCH)
	}
	// The tag may be somebody's: the examples use it.
	tag := repository + "/peerjob:" + s.version
	before, err := output(exec.CommandContext(t.Context(), "docker", "image", "inspect", "--format", "{{.Id}}", tag))
	t.Cleanup(func() {
		command := exec.Command("docker", "rmi", tag)
		if err == nil {
			command = exec.Command("docker", "tag", strings.TrimSpace(before), tag)
		}
		if _, err := output(command); err != nil {
			t.Error(err)
		}
	})
	for _, arch := range []string{"-amd64", "-arm64"} {
		removeImage(t, tag+arch)
	}
	bash := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", blocksFor(t, "docker"))
	bash.Dir = dist
	got, err := output(bash)
	if err != nil {
		t.Fatal(err)
	}
	if want := "peerjob " + s.version + " "; !strings.Contains(got, "\n"+want) {
		t.Errorf("prints %q, want %q", got, want)
	}
}

// TestInstall_go runs go install with a module proxy that has this tree as the version, and
// an empty module cache. It shows what a build in the repository does not: that the module is
// complete without the folders of other modules, and has no replace directive.
func TestInstall_go(t *testing.T) {
	s, _ := testRelease(t)
	dir := t.TempDir()
	copied := filepath.Join(dir, "source")
	copyOfSource(t, copied)
	const name = "github.com/peerjob/peerjob"
	proxy := filepath.Join(dir, "proxy")
	versions := filepath.Join(proxy, name, "@v")
	if err := os.MkdirAll(versions, 0o755); err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := modzip.CreateFromDir(&archive, gomodule.Version{Path: name, Version: s.version}, copied); err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{
		"list":              []byte(s.version + "\n"),
		s.version + ".info": fmt.Appendf(nil, `{"Version": %q, "Time": %q}`, s.version, s.time.Format(time.RFC3339)),
		s.version + ".mod":  read(t, filepath.Join(root, "go.mod")),
		s.version + ".zip":  archive.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(versions, file), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	downloads := filepath.Join(strings.TrimSpace(command(t, nil, "go", "env", "GOMODCACHE")), "cache", "download")
	bin := filepath.Join(dir, "bin")
	bash := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", blocksFor(t, "go"))
	bash.Dir = dir
	bash.Env = append(os.Environ(), "GOBIN="+bin, "GOMODCACHE="+filepath.Join(dir, "modules"), "GOFLAGS=-trimpath -modcacherw", "CGO_ENABLED=0", "GOWORK=off",
		// What was downloaded was checked when it was.
		"GOPROXY=file://"+proxy+",file://"+downloads, "GOSUMDB=off")
	if _, err := output(bash); err != nil {
		t.Fatal(err)
	}
	got := command(t, nil, filepath.Join(bin, "peerjob"), "version")
	if !strings.HasPrefix(got, "peerjob "+s.version+" ") {
		t.Errorf("prints the version %q", got)
	}
}

// removeImage removes an image of docker when the test ends.
func removeImage(t *testing.T, reference string) {
	t.Helper()
	t.Cleanup(func() {
		if _, err := output(exec.CommandContext(context.Background(), "docker", "rmi", reference)); err != nil {
			t.Error(err)
		}
	})
}
