// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	serverPackage = "k8s.io/kubernetes/cmd/kube-apiserver"
	etcdPackage   = "go.etcd.io/etcd/server/v3"
	serverModule  = "k8s.io/kubernetes"
)

// Binaries are the two programs, built.
type Binaries struct {
	// Version is the version of Kubernetes, such as "v1.36.3".
	Version      string
	server, etcd string
}

// Build builds the API server and etcd from the modules of the directory,
// unless the user's cache has them already. The first time it takes minutes.
func Build(ctx context.Context, modules string) (Binaries, error) {
	version, err := goOutput(ctx, modules, "list", "-m", "-f", "{{.Version}}", serverModule)
	if err != nil {
		return Binaries{}, err
	}
	dir, err := cacheDir(modules)
	if err != nil {
		return Binaries{}, err
	}
	built := Binaries{Version: version, server: filepath.Join(dir, "kube-apiserver"), etcd: filepath.Join(dir, "etcd")}
	if err := build(ctx, modules, built.etcd, etcdPackage, "-s -w"); err != nil {
		return Binaries{}, err
	}
	return built, build(ctx, modules, built.server, serverPackage, "-s -w "+stamp(version))
}

// cacheDir is a directory of its own for every set of modules and version of
// Go: what stands in it is never out of date.
func cacheDir(modules string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(modules, name))
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

// build builds one program, unless it is there. It appears under its name only
// when it is whole.
func build(ctx context.Context, modules, file, pkg, ldflags string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	unfinished := fmt.Sprintf("%s.%d", file, os.Getpid())
	defer os.Remove(unfinished)
	if _, err := goOutput(ctx, modules, "build", "-trimpath", "-ldflags", ldflags, "-o", unfinished, pkg); err != nil {
		return err
	}
	return os.Rename(unfinished, file)
}

// stamp is the linker's flags that tell the server its own version, which a
// release has and a plain build has not.
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
