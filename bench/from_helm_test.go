// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// TestFromHelm renders the chart of docs/from-helm.md with Helm and the PeerJob
// beside it with peerjob, with the values of both and with others: they must be
// the same but for what peerjob adds.
func TestFromHelm(t *testing.T) {
	helm, peerjob := buildForComparison(t)
	chart := filepath.Join("..", "testdata", "helm-chart")
	for name, values := range map[string][]string{
		"as written": nil,
		"other values": {
			"--set", "port=7000,logLevel=debug,gpus=16,queue=batch,suspend=false,profile=true",
			"--set", "image.tag=4", "--set", "resources.limits.memory=8Gi", "--set", "nodeSelector.disktype=ssd",
		},
		"less values": {
			"--set", "nodeSelector=null,tolerations=null,ttlSecondsAfterFinished=null,env=null",
			"--set", "volumes=null,volumeMounts=null",
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := objectsByKind(t, output(t, helm, append([]string{"template", "train", chart}, values...)...))
			got := objectsByKind(t, output(t, peerjob, append([]string{"expand", filepath.Join(chart, "peerjob.yaml")}, values...)...))
			withoutAdditions(want)
			withoutAdditions(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-helm +peerjob):\n%s", diff)
			}
		})
	}
}

// buildForComparison builds both programs. Helm's module is large: where it
// can't be built there is nothing to compare with.
func buildForComparison(t *testing.T) (helm, peerjob string) {
	t.Helper()
	if testing.Short() {
		t.Skip("building helm takes minutes the first time")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir, tools := t.TempDir(), filepath.Join(cache, "peerjob-bench")
	if err := os.MkdirAll(tools, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := goBuild("..", dir, "./cmd/peerjob"); err != nil {
		t.Fatal(err)
	}
	if err := goBuild(".", tools, helmModule+"/cmd/helm"); err != nil {
		t.Skipf("helm can't be built: %v", err)
	}
	return filepath.Join(tools, "helm"), filepath.Join(dir, "peerjob")
}

func output(t *testing.T, program string, arguments ...string) []byte {
	t.Helper()
	command := exec.Command(program, arguments...)
	command.Env = append(os.Environ(), "HOME="+t.TempDir())
	var stderr bytes.Buffer
	command.Stderr = &stderr
	text, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, &stderr)
	}
	return text
}

func objectsByKind(t *testing.T, text []byte) map[string]map[string]any {
	t.Helper()
	objects := map[string]map[string]any{}
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var object map[string]any
		if err := decoder.Decode(&object); errors.Is(err, io.EOF) {
			return objects
		} else if err != nil {
			t.Fatal(err)
		}
		if kind, _ := object["kind"].(string); kind != "" {
			objects[kind] = object
		}
	}
}

// withoutAdditions removes from the objects what one side does without: peerjob's
// marks, the variables of both for the peers and the run, and defaults that peerjob
// writes out.
func withoutAdditions(objects map[string]map[string]any) {
	for _, object := range objects {
		delete(in(object, "metadata"), "annotations")
	}
	for _, port := range in(objects["Service"], "spec")["ports"].([]any) {
		delete(port.(map[string]any), "protocol")
	}
	template := in(objects["Job"], "spec", "template")
	delete(template, "metadata")
	delete(in(template, "spec"), "enableServiceLinks")
	for _, container := range in(template, "spec")["containers"].([]any) {
		var env []any
		for _, variable := range container.(map[string]any)["env"].([]any) {
			name := in(variable)["name"].(string)
			if !strings.HasPrefix(name, "PEERJOB_") && name != "JOB_COMPLETION_INDEX" && name != "RUN_UID" {
				env = append(env, variable)
			}
		}
		container.(map[string]any)["env"] = env
		args := container.(map[string]any)["args"].([]any)
		for i, arg := range args {
			args[i] = strings.ReplaceAll(arg.(string), "$(PEERJOB_UID)", "$(RUN_UID)")
		}
	}
}

// in returns the map below keys of another.
func in(object any, keys ...string) map[string]any {
	for _, key := range keys {
		object = object.(map[string]any)[key]
	}
	return object.(map[string]any)
}
