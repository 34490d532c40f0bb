// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	helmModule      = "helm.sh/helm/v4"
	kyamlModule     = "sigs.k8s.io/kustomize/kyaml"
	sdkModule       = "github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"
	kustomizeModule = "sigs.k8s.io/kustomize/kustomize/v5"
)

// programs are the files of the programs that are run.
type programs struct {
	peerjob, helm, noop, sdkNoop, measure, cat, kustomize string
	// image is that of peerjob, "" where docker does not have it.
	image string
}

// buildPrograms finds peerjob and builds the others, in a directory of the
// user's cache: what has not changed since is not built again.
func buildPrograms(peerjob string) (programs, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return programs{}, err
	}
	dir := filepath.Join(cache, "peerjob-bench")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return programs{}, err
	}
	if err := goBuild(".", dir, helmModule+"/cmd/helm", "./noop", "./sdknoop", "./measure"); err != nil {
		return programs{}, err
	}
	if err := goBuild("..", dir, "-modfile=tools/go.mod", kustomizeModule); err != nil {
		return programs{}, err
	}
	peerjob, err = filepath.Abs(peerjob)
	if err != nil {
		return programs{}, err
	}
	if _, err := os.Stat(peerjob); err != nil {
		return programs{}, err
	}
	cat, err := exec.LookPath("cat")
	return programs{
		peerjob:   peerjob,
		helm:      filepath.Join(dir, "helm"),
		noop:      filepath.Join(dir, "noop"),
		sdkNoop:   filepath.Join(dir, "sdknoop"),
		measure:   filepath.Join(dir, "measure"),
		kustomize: filepath.Join(dir, "kustomize"),
		cat:       cat,
	}, err
}

// goBuild builds programs into a directory, as peerjob is built.
func goBuild(workDir, dir string, arguments ...string) error {
	build := exec.Command("go", append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", dir}, arguments...)...)
	build.Dir = workDir
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, output)
	}
	return nil
}

// findImage is the image of this version of peerjob, or an error when docker
// does not run or does not have it. Nothing is pulled.
func findImage() (string, error) {
	version, err := os.ReadFile("../VERSION")
	if err != nil {
		return "", err
	}
	image := "ghcr.io/peerjob/peerjob:" + strings.TrimSpace(string(version))
	if output, err := exec.Command("docker", "image", "inspect", "--format", "{{.Id}}", image).CombinedOutput(); err != nil {
		return "", fmt.Errorf("docker image inspect %s: %w: %s", image, err, strings.Join(strings.Fields(string(output)), " "))
	}
	return image, nil
}

// describe says what was measured and where: the machine, the date and the
// versions of the programs.
func describe(tools programs) (string, error) {
	peerjob, err := exec.Command(tools.peerjob, "version").Output()
	if err != nil {
		return "", fmt.Errorf("peerjob version: %w", err)
	}
	helm, err := moduleVersion(tools.helm, helmModule)
	if err != nil {
		return "", err
	}
	kyaml, err := moduleVersion(tools.noop, kyamlModule)
	if err != nil {
		return "", err
	}
	sdk, err := moduleVersion(tools.sdkNoop, sdkModule)
	if err != nil {
		return "", err
	}
	kustomize, err := moduleVersion(tools.kustomize, kustomizeModule)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s, %s\n%s; helm %s; kyaml %s; SDK %s; kustomize %s\n",
		processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), time.Now().Format(time.DateOnly),
		strings.TrimSpace(string(peerjob)), helm, kyaml, sdk, kustomize), nil
}

// moduleVersion is the version of a module in a Go binary.
func moduleVersion(binary, module string) (string, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return "", err
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == module {
			return m.Version, nil
		}
	}
	return "", fmt.Errorf("%s: was built without %s", binary, module)
}

// processor is the model of the CPU, where the system tells it.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "CPU of unknown model"
	}
	for line := range strings.Lines(string(info)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "CPU of unknown model"
}
