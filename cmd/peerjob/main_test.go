// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// update rewrites the expected output in scripts and examples:
// UPDATE=1 go test ./cmd/peerjob.
var update = os.Getenv("UPDATE") != ""

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"peerjob":      main,
		pluginName:     main,
		completionName: main,
	})
}

// TestScripts runs the scripts of testdata/script, each in a folder of its
// own. A script names the tools that it needs in its first lines.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       update,
		Condition:           hasTool,
		Setup: func(env *testscript.Env) error {
			// The script's peerjob is this test's binary, which comes first.
			env.Setenv("PATH", env.Getenv("PATH")+string(os.PathListSeparator)+programs(t))
			env.Setenv("REPOSITORY", repository(t))
			env.Setenv("VERSION", versionFile(t))
			// Tools that keep a cache or a configuration want a home.
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(env.WorkDir, "gitconfig"))
			return os.WriteFile(filepath.Join(env.WorkDir, "gitconfig"), []byte("[user]\n\tname = test\n\temail = test@example.com\n"), 0o644)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"example":   copyExample,
			"component": copyComponent,
			"hostile":   writeHostile,
			"same":      sameYAML,
			"cut":       cutItems,
			"usage":     wrongUsage,
		},
	})
}

// programs are the folders of the programs that tests run by name, in the form of
// PATH: the command, built by [buildPeerjob], kustomize
// and Helm.
func programs(t *testing.T) string {
	t.Helper()
	return filepath.Join(repository(t), "bin", "test") + string(os.PathListSeparator) + filepath.Join(repository(t), "bin", "tools")
}

// withHelm is whether the tests with Helm run. Building it takes minutes the first time, so
// "make test" leaves them to "make test-modules".
var withHelm = os.Getenv("PEERJOB_HELM") == "true"

// hasTool is the condition "[tool]" of scripts: whether the tool is there. In
// CI a tool that every machine of CI has may not be missing.
func hasTool(tool string) (bool, error) {
	reason := toolMissing(tool)
	if reason != "" && os.Getenv("CI") == "true" && tool != "kpt" && (tool != "helm" || withHelm) {
		return false, fmt.Errorf("%s, and in CI that is a failure", reason)
	}
	return reason == "", nil
}

// needsTool skips a test if a tool is missing, with the reason. In CI that is a failure.
func needsTool(t *testing.T, tool string) {
	t.Helper()
	if found, err := hasTool(tool); err != nil {
		t.Fatal(err)
	} else if !found {
		t.Skip(toolMissing(tool))
	}
}

// toolMissing says why a tool can't be used, "" when it can.
func toolMissing(tool string) string {
	switch tool {
	case "kustomize":
		if err := buildKustomize(); err != nil {
			return "kustomize can't be built: " + err.Error()
		}
		return ""
	case "helm":
		if !withHelm {
			return "tests with Helm run with \"make test-modules\", which builds it"
		}
		if err := buildHelm(); err != nil {
			return "helm can't be built: " + err.Error()
		}
		return ""
	case "docker":
		if err := buildImage(); err != nil {
			return "docker can't be used: " + err.Error()
		}
		return ""
	case "git", "kpt", "kubectl":
		if _, err := exec.LookPath(tool); err != nil {
			return tool + " is not on this machine"
		}
		return ""
	}
	return "no test knows the tool " + tool
}

// buildKustomize builds kustomize from tools/go.mod into bin/tools, once.
var buildKustomize = sync.OnceValue(func() error {
	return output("go", "build", "-modfile=tools/go.mod", "-o", filepath.Join("bin", "tools", "kustomize"), "sigs.k8s.io/kustomize/kustomize/v5")
})

// buildHelm builds Helm 4 from the module of the benchmarks into bin/tools, once.
var buildHelm = sync.OnceValue(func() error {
	return output("go", "build", "-C", "bench", "-o", filepath.Join("..", "bin", "tools", "helm"), "helm.sh/helm/v4/cmd/helm")
})

// buildPeerjob builds the command from the source into bin/test, once, so that a
// test never runs another version.
var buildPeerjob = sync.OnceValue(func() error {
	version, err := readVersion()
	if err != nil {
		return err
	}
	return output("go", "build", "-ldflags", "-X main.version="+version+"-dev.0123456789ab",
		"-o", filepath.Join("bin", "test", "peerjob"), "./cmd/peerjob")
})

// buildImage builds the image from the source, once, under the name that the
// examples use: that of the release to come.
var buildImage = sync.OnceValue(func() error {
	version, err := readVersion()
	if err != nil {
		return err
	}
	return output("make", "image", "TAG="+version)
})

// static builds what a test builds as "make build" does, also under the race
// detector: nothing is compiled twice.
const static = "CGO_ENABLED=0"

// output runs a command in the repository and returns what it said if it
// failed.
func output(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), static)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", cmd, err, said)
	}
	return nil
}

// repository is the root of the repository.
func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// versionFile returns what the file VERSION says: the release to come.
func versionFile(t *testing.T) string {
	t.Helper()
	version, err := readVersion()
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func readVersion() (string, error) {
	data, err := os.ReadFile(filepath.Join("..", "..", "VERSION"))
	return strings.TrimSpace(string(data)), err
}
