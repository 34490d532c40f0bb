// SPDX-License-Identifier: Apache-2.0

// Package programs answers: where is the binary of this Go package? It builds it
// from the module that a go.mod pins, once, and keeps it in the user's cache, so
// that etcd and the API server are the same files for every test that runs them.
package programs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Program is a command to build.
type Program struct {
	// Name is the name of the binary.
	Name string
	// Package is the import path of the command.
	Package string
	// Tags are the build tags, separated by commas.
	Tags string
	// LinkFlags go to the linker, after those that leave out what a debugger
	// reads.
	LinkFlags string
}

// The programs of Kubernetes' control plane and node, by the version of
// k8s.io/kubernetes that Version returns.
const kubernetesModule = "k8s.io/kubernetes"

// ErrNoModules is the error of [Build] where the modules of a program can't be
// downloaded.
var ErrNoModules = errors.New("its Go modules can't be downloaded")

// Etcd is the store behind the API server.
var Etcd = Program{Name: "etcd", Package: "go.etcd.io/etcd/server/v3"}

// Kubernetes is a program of Kubernetes, such as "kubelet", which tells its
// version as a release does; a plain build does not know its own. Programs older
// than 1.31 are built without their cloud providers, which nothing here runs.
func Kubernetes(name, version string) Program {
	return Program{Name: name, Package: kubernetesModule + "/cmd/" + name, Tags: "providerless", LinkFlags: stamp(version)}
}

// Version returns the version of Kubernetes, such as "v1.36.3", which the module
// in a directory pins.
func Version(ctx context.Context, module string) (string, error) {
	return goOutput(ctx, module, "list", "-m", "-f", "{{.Version}}", kubernetesModule)
}

// Build builds programs from the module in a directory, unless the user's cache
// has them already, and returns the directory where they stand, each under its
// name. The first time it takes minutes.
func Build(ctx context.Context, module string, programs ...Program) (string, error) {
	dir, err := cacheDir(module)
	if err != nil {
		return "", err
	}
	for _, p := range programs {
		if err := p.build(ctx, module, filepath.Join(dir, p.Name)); err != nil {
			return "", fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return dir, nil
}

// cacheDir is a directory of its own for every module, its source and version
// of Go: what stands in it is never out of date.
func cacheDir(module string) (string, error) {
	sum := sha256.New()
	sum.Write([]byte(fmt.Sprintln(runtime.Version(), runtime.GOOS, runtime.GOARCH)))
	files := []string{filepath.Join(module, "go.mod"), filepath.Join(module, "go.sum")}
	source, err := filepath.Glob(filepath.Join(module, "*.go"))
	if err != nil {
		return "", err
	}
	for _, name := range append(files, source...) {
		content, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		sum.Write(content)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "peerjob-conformance", hex.EncodeToString(sum.Sum(nil))[:16])
	return dir, os.MkdirAll(dir, 0o755)
}

// build builds the program, unless it is there. It appears under its name only
// when it is whole.
func (p Program) build(ctx context.Context, module, file string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	if _, err := goOutput(ctx, module, "list", "-deps", "-tags", p.Tags, "-f", "", p.Package); err != nil {
		return fmt.Errorf("%w: %w", ErrNoModules, err)
	}
	unfinished := fmt.Sprintf("%s.%d", file, os.Getpid())
	defer os.Remove(unfinished)
	flags := strings.TrimSpace("-s -w " + p.LinkFlags)
	if _, err := goOutput(ctx, module, "build", "-trimpath", "-tags", p.Tags, "-ldflags", flags, "-o", unfinished, p.Package); err != nil {
		return err
	}
	return os.Rename(unfinished, file)
}

// stamp is the linker's flags that tell a program of Kubernetes its version.
func stamp(version string) string {
	const variable = "-X k8s.io/component-base/version."
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	return variable + "gitVersion=" + version + " " + variable + "gitMajor=" + major + " " + variable + "gitMinor=" + minor
}

func goOutput(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}
