// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everywhere is a download for every platform, with checksums that are none.
func everywhere(s *source) (downloads []download) {
	p := programs[0]
	for i, on := range allPlatforms {
		file := s.base(p, on) + map[bool]string{true: ".zip", false: ".tar.gz"}[on.os == "windows"]
		downloads = append(downloads, download{on.os, on.arch, p.file(on), published(s, file), strings.Repeat(fmt.Sprint(i), 64)})
	}
	return downloads
}

// validateKrew runs krew's own validator.
func validateKrew(t *testing.T, manifest string) error {
	t.Helper()
	_, err := output(exec.CommandContext(t.Context(), "go", "tool", "validate-krew-manifest", "-skip-install", "-manifest", manifest))
	return err
}

func TestKrewManifest(t *testing.T) {
	for _, version := range []string{"v0.1.0", "v1.2.3-rc.1", "v0.1.0-dev.0123456789ab.dirty"} {
		s := &source{version: version}
		content, err := dataFor(s, everywhere(s)).render(krewManifest)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "peerjob.yaml")
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := validateKrew(t, file); err != nil {
			t.Error(err)
		}
		if strings.HasPrefix(string(content), unpublished) == s.isRelease() {
			t.Errorf("%s: begins with %q", version, strings.SplitN(string(content), "\n", 2)[0])
		}
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(content), "arch: arm64", "arch: amd64")), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := validateKrew(t, file); err == nil {
			t.Error("the validator accepts two archives for one platform")
		}
	}
}

// TestKrew_install has krew install the plugin from the manifest and the archive of the
// release, and runs it by the name that kubectl calls.
func TestKrew_install(t *testing.T) {
	s, dist := testRelease(t)
	on := platform{runtime.GOOS, runtime.GOARCH}
	archive := filepath.Join(dist, s.base(programs[0], on)+".tar.gz")
	if _, err := os.Stat(archive); err != nil {
		t.Skipf("the release has no archive for %v", on)
	}
	manifest := filepath.Join(dist, "peerjob.yaml")
	if err := validateKrew(t, manifest); err != nil {
		t.Fatal(err)
	}
	krew := filepath.Join(t.TempDir(), "krew")
	command(t, nil, "go", "build", "-o", krew, "sigs.k8s.io/krew/cmd/krew")
	home := t.TempDir()
	t.Setenv("KREW_ROOT", home)
	t.Setenv("KREW_NO_UPGRADE_CHECK", "1")
	command(t, nil, krew, "install", "--manifest", manifest, "--archive", archive)
	got := command(t, nil, filepath.Join(home, "bin", "kubectl-peerjob"), "version")
	if !strings.HasPrefix(got, "peerjob "+s.version+" ") {
		t.Errorf("the plugin prints the version %q", got)
	}
}

// TestFormula has the whole formula: Homebrew is not on the machines that test.
func TestFormula(t *testing.T) {
	s := &source{version: "v0.1.0"}
	content, err := dataFor(s, everywhere(s)).render(formula)
	if err != nil {
		t.Fatal(err)
	}
	const want = `class Peerjob < Formula
  desc "Jobs on Kubernetes whose Pods reach each other by name"
  homepage "https://github.com/peerjob/peerjob"
  version "0.1.0"
  license "Apache-2.0"

  on_macos do
    on_intel do
      url "https://github.com/peerjob/peerjob/releases/download/v0.1.0/peerjob_v0.1.0_darwin_amd64.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
    on_arm do
      url "https://github.com/peerjob/peerjob/releases/download/v0.1.0/peerjob_v0.1.0_darwin_arm64.tar.gz"
      sha256 "1111111111111111111111111111111111111111111111111111111111111111"
    end
  end

  on_linux do
    on_intel do
      url "https://github.com/peerjob/peerjob/releases/download/v0.1.0/peerjob_v0.1.0_linux_amd64.tar.gz"
      sha256 "2222222222222222222222222222222222222222222222222222222222222222"
    end
    on_arm do
      url "https://github.com/peerjob/peerjob/releases/download/v0.1.0/peerjob_v0.1.0_linux_arm64.tar.gz"
      sha256 "3333333333333333333333333333333333333333333333333333333333333333"
    end
  end

  def install
    bin.install "peerjob"
    bash_completion.install "completions/peerjob.bash" => "peerjob"
    zsh_completion.install "completions/_peerjob"
    fish_completion.install "completions/peerjob.fish"
  end

  test do
    assert_match "peerjob v#{version}", shell_output("#{bin}/peerjob version")
  end
end
`
	if diff := cmp.Diff(want, string(content)); diff != "" {
		t.Error(diff)
	}
	if ruby, err := exec.LookPath("ruby"); err != nil {
		t.Log("SKIP: ruby is not on this machine, so it does not parse the formula")
	} else {
		command(t, content, ruby, "-c")
	}
}
