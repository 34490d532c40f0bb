// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestHelmPlugins holds that each plugin is packed as it is in helm/, and that Helm installs it,
// if "make test-modules" has built Helm.
func TestHelmPlugins(t *testing.T) {
	plugins, err := helmPlugins(&source{root: root, version: "v0.1.0", time: time.Unix(1, 0)})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, plugin := range plugins {
		names = append(names, plugin.path)
		name := strings.TrimSuffix(plugin.path, "-0.1.0.tgz")
		unzipped, err := gzip.NewReader(bytes.NewReader(plugin.content))
		if err != nil {
			t.Fatal(err)
		}
		packed := map[string]string{}
		for archive := tar.NewReader(unzipped); ; {
			header, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if header.Typeflag == tar.TypeDir {
				continue
			}
			content, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			packed[header.Name] = string(content)
			if program := strings.HasSuffix(header.Name, "plugin.complete"); program != (header.Mode&0o111 != 0) {
				t.Errorf("%s has the mode %o", header.Name, header.Mode)
			}
		}
		want := map[string]string{}
		for file := range strings.FieldsSeq(command(t, nil, "git", "-C", root, "ls-files", "helm/"+name)) {
			want[strings.TrimPrefix(file, "helm/")] = string(read(t, filepath.Join(root, file)))
		}
		if diff := cmp.Diff(want, packed); diff != "" {
			t.Errorf("%s (-want +got):\n%s", plugin.path, diff)
		}
	}
	if want := []string{"peerjob-0.1.0.tgz", "peerjob-expand-0.1.0.tgz"}; !slices.Equal(names, want) {
		t.Fatalf("%q, want %q", names, want)
	}

	helm, err := filepath.Abs(filepath.Join(root, "bin", "tools", "helm"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(helm); err != nil {
		t.Log("Helm is not built, so nothing was installed: make test-modules builds it")
		return
	}
	dir := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), helm, args...)
		cmd.Env = append(os.Environ(), "HELM_DATA_HOME="+dir, "HELM_CACHE_HOME="+dir, "HELM_PLUGINS="+filepath.Join(dir, "plugins"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("helm %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	for _, plugin := range plugins {
		file := filepath.Join(dir, plugin.path)
		if err := os.WriteFile(file, plugin.content, 0o600); err != nil {
			t.Fatal(err)
		}
		run("plugin", "install", "--verify=false", file)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	list := run("plugin", "list")
	if !strings.Contains(list, "postrenderer/v1") || !strings.Contains(list, "cli/v1") {
		t.Errorf("installed are\n%s", list)
	}
	if info, err := os.Stat(filepath.Join(dir, "plugins", "peerjob", "plugin.complete")); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("plugin.complete can't be executed: %v", err)
	}
}
