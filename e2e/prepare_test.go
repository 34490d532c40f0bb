// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/peerjob/peerjob/conformance/programs"
	"github.com/peerjob/peerjob/e2e/images"
	"github.com/peerjob/peerjob/e2e/node"
)

// bashPrograms are what the scripts in the Pods call.
var bashPrograms = []string{"bash", "sh", "cat", "cut", "date", "env", "getent", "grep", "hostname", "id", "ls", "ping", "readlink", "sed", "seq", "setsid", "sleep", "sort", "stty", "tail", "touch", "tr", "true", "tty"}

// bashImage is what the Pods run: the image of the documentation's page, with a
// tag, so that a node that has it does not pull it.
const bashImage = "bash:5.3"

// toolsImage is bashImage with the programs of package tools and a stop signal.
const toolsImage = "e2e.peerjob.invalid/tools:1"

// ownPrograms builds kustomize and peerjob into a directory.
func ownPrograms(ctx context.Context, bin string) error {
	const name = "kustomize"
	built, err := programs.Build(ctx, filepath.Join(repository, "tools"), programs.Program{Name: name, Package: "sigs.k8s.io/kustomize/kustomize/v5"})
	if err != nil {
		return err
	}
	if err := os.Symlink(filepath.Join(built, name), filepath.Join(bin, name)); err != nil {
		return err
	}
	return buildPeerjob(ctx, filepath.Join(bin, "peerjob"))
}

func buildPeerjob(ctx context.Context, file string) error {
	return buildOwn(ctx, "./cmd/peerjob", file)
}

// buildOwn builds a program of this repository as a release.
func buildOwn(ctx context.Context, pkg, file string) error {
	version, err := version()
	if err != nil {
		return err
	}
	return node.Own(ctx, repository, pkg, file, "-X main.version="+version)
}

func version() (string, error) {
	text, err := os.ReadFile(filepath.Join(repository, "VERSION"))
	return strings.TrimSpace(string(text)), err
}

// releasedRunner writes the image of the runner that a release has, made as a release makes it.
func releasedRunner(ctx context.Context, archive string) error {
	version, err := version()
	if err != nil {
		return err
	}
	name := "ghcr.io/peerjob/runner:" + version
	if archive, err = filepath.Abs(archive); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "go", "run", ".", "image", "peerjob-runner",
		"-tag", name, "-version", version, "-platform", "linux/"+runtime.GOARCH, "-output", archive)
	command.Dir = filepath.Join(repository, "hack", "release")
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w: %s", command, err, said)
	}
	fmt.Printf("image %s: %s\n", name, archive)
	return nil
}

// writeImages writes the images that the Pods run into a directory.
func writeImages(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	pause, tools := filepath.Join(dir, "pause"), filepath.Join(dir, "tools")
	for _, file := range []string{pause, tools} {
		defer os.Remove(file)
	}
	if err := node.Own(ctx, ".", "./node/pause", pause); err != nil {
		return err
	}
	if err := node.Own(ctx, ".", "./tools", tools); err != nil {
		return err
	}
	if err := releasedRunner(ctx, filepath.Join(dir, "runner.tar")); err != nil {
		return err
	}
	bash, err := images.Programs(bashPrograms...)
	if err != nil {
		return err
	}
	all := map[string]images.Image{
		"pause": {Name: node.PauseImage, Entrypoint: []string{"/pause"}, Files: []images.File{{Path: "/pause", Source: pause, Mode: 0o755}}},
		// What the documentation's page runs.
		"bash":  {Name: bashImage, Files: bash},
		"tools": {Name: toolsImage, StopSignal: "SIGRTMIN+3", Files: append(slices.Clone(bash), images.File{Path: "/tools", Source: tools, Mode: 0o755})},
	}
	if *frameworks {
		files, err := images.Packages(frameworkPackages...)
		if err != nil {
			return err
		}
		all["frameworks"] = images.Image{Name: frameworksImage, Files: files}
	}
	for name, image := range all {
		archive := filepath.Join(dir, name+".tar")
		if err := image.Write(archive); err != nil {
			return err
		}
		fmt.Printf("image %s: %s\n", image.Name, archive)
	}
	return nil
}
