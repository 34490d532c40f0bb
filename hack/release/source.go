// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// source is the tree that a release is made of.
type source struct {
	// root is the absolute path of the repository.
	root string
	// version is the tag of a release, or v0.1.0-dev.<commit>.
	version string
	// revision is the whole commit; it is "" in an archive of the source.
	revision string
	// time is the time of every file in the release.
	time time.Time
}

// semantic matches the versions that a file name, an image's tag and krew all take.
var semantic = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

// released matches the version of a release, as cmd/peerjob does.
var released = regexp.MustCompile(`^v\d+\.\d+\.\d+(-(alpha|beta|rc)\.\d+)?$`)

// openSource finds out what there is to release. An empty version is what hack/version
// prints. The time is SOURCE_DATE_EPOCH, in seconds, or that of the commit.
func openSource(ctx context.Context, root, version string) (*source, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	s := &source{root: root, version: version}
	if s.version == "" {
		out, err := output(exec.CommandContext(ctx, filepath.Join(root, "hack", "version")))
		if err != nil {
			return nil, err
		}
		s.version = strings.TrimSpace(out)
	}
	if !semantic.MatchString(s.version) {
		return nil, fmt.Errorf("version: Invalid value: %q: must be a semantic version such as v0.1.0", s.version)
	}
	// Not the commit of a repository around an archive of the source.
	if _, err := os.Stat(filepath.Join(root, ".git")); err == nil {
		out, err := output(exec.CommandContext(ctx, "git", "-C", root, "log", "-1", "--format=%H %ct"))
		if err != nil {
			return nil, err
		}
		revision, seconds, _ := strings.Cut(strings.TrimSpace(out), " ")
		s.revision = revision
		if s.time, err = parseSeconds(seconds); err != nil {
			return nil, err
		}
	}
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		if s.time, err = parseSeconds(epoch); err != nil {
			return nil, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
	}
	if s.time.IsZero() {
		return nil, errors.New("this is no git repository: SOURCE_DATE_EPOCH must be the time of the release, in seconds since 1970")
	}
	return s, nil
}

func parseSeconds(text string) (time.Time, error) {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds <= 0 {
		return time.Time{}, fmt.Errorf("%q: must be seconds since 1970", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// isRelease says whether something with this version is published.
func (s *source) isRelease() bool { return released.MatchString(s.version) }

// platform is what a program is built for, such as linux/amd64.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

// allPlatforms are those of a release, in the order of its files.
var allPlatforms = []platform{
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"linux", "amd64"}, {"linux", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

// parsePlatforms reads a list such as linux/amd64,windows/arm64.
func parsePlatforms(list string) ([]platform, error) {
	var platforms []platform
	for text := range strings.SplitSeq(list, ",") {
		os, arch, _ := strings.Cut(text, "/")
		p := platform{os, arch}
		if !slices.Contains(allPlatforms, p) {
			return nil, fmt.Errorf("platform: Unsupported value: %q: must be one of %v", text, allPlatforms)
		}
		if slices.Contains(platforms, p) {
			return nil, fmt.Errorf("platform: Duplicate value: %q", text)
		}
		platforms = append(platforms, p)
	}
	return platforms, nil
}

// program is what a release ships.
type program struct {
	// name is that of its file; .exe is added for Windows.
	name string
	// pkg is its main package.
	pkg string
	// linux says that it is for Linux only.
	linux bool
	// completion says that it prints completions for shells.
	completion bool
	// image is its image's name, without registry and tag.
	image string
	// imagePath is where it is in the image.
	imagePath string
	// title and description are labels of the image.
	title, description string
}

var programs = []program{
	{
		name: "peerjob", pkg: "./cmd/peerjob", completion: true,
		image: "peerjob", imagePath: "/usr/local/bin/peerjob",
		title:       "peerjob",
		description: "A KRM function: a PeerJob becomes a headless Service and an Indexed Job that agree",
	},
	{
		name: "peerjob-runner", pkg: "./cmd/peerjob-runner", linux: true,
		// An image volume that is mounted at /peerjob needs it in the root.
		image: "runner", imagePath: "/peerjob-runner",
		title:       "peerjob-runner",
		description: "Runs the command of a container as part of a PeerJob",
	},
}

func programNames() (names []string) {
	for _, p := range programs {
		names = append(names, p.name)
	}
	return names
}

func programOf(name string) (program, error) {
	for _, p := range programs {
		if p.name == name {
			return p, nil
		}
	}
	return program{}, fmt.Errorf("unknown program %q; must be one of %q", name, programNames())
}

// platforms are those of the given ones that the program is for.
func (p program) platforms(among []platform) []platform {
	if !p.linux {
		return among
	}
	return linuxOf(among)
}

// linuxOf are the platforms that have images.
func linuxOf(among []platform) (linux []platform) {
	for _, to := range among {
		if to.os == "linux" {
			linux = append(linux, to)
		}
	}
	return linux
}

// file is the name of the program's file on a platform.
func (p program) file(on platform) string {
	if on.os == "windows" {
		return p.name + ".exe"
	}
	return p.name
}

// build builds the program.
func (s *source) build(ctx context.Context, p program, on platform, to string) error {
	command := exec.CommandContext(ctx, "go", "build", "-o", to, "-ldflags", "-s -w -X main.version="+s.version, p.pkg)
	command.Dir = s.root
	command.Env = s.environment(on)
	_, err := output(command)
	return err
}

// environment is that of every go command about a platform. It sets all that changes what
// is built: the caller's own settings must not. The version of Go is the caller's, which is
// make's. -buildvcs would note whether the tree has untracked files; the version says more.
func (s *source) environment(on platform) []string {
	return append(os.Environ(),
		"GOOS="+on.os, "GOARCH="+on.arch, "CGO_ENABLED=0",
		"GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off",
		"GOWORK=off", "GOFLAGS=-trimpath -buildvcs=false -mod=readonly")
}

// output is what a command writes; its error has what it wrote to stderr.
func output(command *exec.Cmd) (string, error) {
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(command.Args, " "), err, stderr.String())
	}
	return string(out), nil
}
