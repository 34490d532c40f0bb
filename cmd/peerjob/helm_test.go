// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// TestPostRenderer holds what Helm gets from its plugin, for every way in which the
// command ends.
func TestPostRenderer(t *testing.T) {
	const made = "apiVersion: v1\nkind: Service\nmetadata:\n  annotations:\n    peerjob.dev/owner: a\n"
	for name, test := range map[string]struct {
		code             int
		stdout, findings string
		want             string
	}{
		"no finding": {0, "kind: Job\n", "", "kind: Job\n"},
		"a text that looks like an object above what a PeerJob made": {
			0, "kind: ConfigMap\ndata:\n  a: |\n    peerjob.dev/owner: x\n---\n" + made, "peerjob: warning: a\n",
			"kind: ConfigMap\ndata:\n  a: |\n    peerjob.dev/owner: x\n---\n# peerjob: warning: a\n" + made,
		},
		"what a PeerJob made in another style": {
			0, "kind: Hook\n---   \napiVersion: batch/v1\nkind: Job\nmetadata: {annotations: {peerjob.dev/owner: a}}\n", "peerjob: warning: a\n",
			"kind: Hook\n---   \n# peerjob: warning: a\napiVersion: batch/v1\nkind: Job\nmetadata: {annotations: {peerjob.dev/owner: a}}\n",
		},
		"an info": {0, "kind: Job\n", "peerjob: info: nothing to do\n", "kind: Job\n"},
		"a warning above what a PeerJob made": {
			0, "kind: Hook\n---\n" + made, "peerjob: warning: a\npeerjob: warning: b\n",
			"kind: Hook\n---\n# peerjob: warning: a\n# peerjob: warning: b\n" + made,
		},
		"a warning above the first object": {0, made, "peerjob: warning: a\n", "# peerjob: warning: a\n" + made},
		"a warning, and nothing was made":  {0, "kind: Job\n", "peerjob: warning: a\n", "# peerjob: warning: a\nkind: Job\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, postRendered(t, test.code, test.stdout, test.findings)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if code := asPostRenderer(brokenWriter{}, func(io.Writer, io.Writer) int { return 0 }); code == 0 {
		t.Error("an output that can't be written is no error")
	}
}

// TestRefusal holds that every failure becomes manifests that Helm can't leave out, with
// each finding in the name of a file.
func TestRefusal(t *testing.T) {
	for name, test := range map[string]struct {
		code     int
		stdout   string
		findings string
	}{
		"an error":           {1, "", "peerjob: a: b\n"},
		"a wrong flag":       {2, "", "peerjob: unknown flag: --x\n"},
		"a partial's name":   {1, "", "peerjob: \"a/_b\" {c: d} <e> # '\n"},
		"nothing to say":     {1, "", ""},
		"a part was written": {1, "kind: Job\n", "peerjob: a\n"},
	} {
		t.Run(name, func(t *testing.T) {
			checkRefusal(t, postRendered(t, test.code, test.stdout, test.findings), test.findings)
		})
	}
	checkRefusal(t, postRendered(t, 0, " \n", "peerjob: info: no PeerJob is among the objects, and they are written as they are\n"), "peerjob: the chart renders no object, and Helm takes no empty output from a post-renderer\n")
}

func checkRefusal(t *testing.T, got, findings string) {
	t.Helper()
	var file string
	decoder := yaml.NewDecoder(strings.NewReader(got))
	for n := 0; ; n++ {
		var manifest struct {
			Kind     any
			Metadata struct{ Annotations map[string]string }
		}
		if err := decoder.Decode(&manifest); errors.Is(err, io.EOF) {
			if n != 2 {
				t.Errorf("%d manifests", n)
			}
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if _, isText := manifest.Kind.(string); isText {
			t.Errorf("kind: %v is valid", manifest.Kind)
		}
		file += manifest.Metadata.Annotations[filenameAnnotation]
	}
	if !strings.HasPrefix(file, "\n"+findings) || strings.HasPrefix(path.Base(file), "_") {
		t.Errorf("the file is %q, with the findings %q", file, findings)
	}
}

func postRendered(t *testing.T, code int, out, findings string) string {
	t.Helper()
	var stdout bytes.Buffer
	got := asPostRenderer(&stdout, func(stdout, stderr io.Writer) int {
		_, _ = io.WriteString(stdout, out)
		_, _ = io.WriteString(stderr, findings)
		return code
	})
	if got != 0 {
		t.Errorf("exits with %d, and Helm would show nothing", got)
	}
	return stdout.String()
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestHelmPlugins holds the version of each plugin, which Helm wants without "v", to the
// file VERSION.
func TestHelmPlugins(t *testing.T) {
	plugins, err := filepath.Glob(filepath.Join(repository(t), "helm", "*", "plugin.yaml"))
	if err != nil || len(plugins) != 2 {
		t.Fatalf("plugins: %v, %v", plugins, err)
	}
	for _, plugin := range plugins {
		text, err := os.ReadFile(plugin)
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Name, Version string }
		if err := yaml.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if got.Name != filepath.Base(filepath.Dir(plugin)) || "v"+got.Version != versionFile(t) {
			t.Errorf("%s is %s %s", plugin, got.Name, got.Version)
		}
	}
}
