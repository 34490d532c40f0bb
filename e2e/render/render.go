// SPDX-License-Identifier: Apache-2.0

// Package render makes manifests as a user does: the real kustomize with peerjob
// as an exec function, in folders that it writes.
package render

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Layer is an overlay: a kustomization.yaml beside what it names.
type Layer struct {
	// Base is a directory to build upon; "" for none.
	Base string
	// Files are written beside kustomization.yaml. Those that end in ".yaml" are
	// resources.
	Files map[string]string
	// Settings are further fields of the Kustomization, such as "namePrefix".
	Settings map[string]any
	// Patches are merged into the PeerJob "*" of the resources, each a YAML text
	// of the PeerJob's fields below "spec:".
	Patches []string
	// Components are directories of kustomize Components.
	Components []string
	// Plain leaves the function out of this layer.
	Plain bool
}

// function runs peerjob in the outermost layer.
const function = `apiVersion: v1
kind: ConfigMap
metadata:
  name: peerjob
  annotations:
    config.kubernetes.io/function: |
      exec:
        path: peerjob
`

// Kustomize is the real kustomize, with the directory where it and peerjob are.
type Kustomize struct{ Bin string }

// Build writes the layer into an empty directory and returns what "kustomize
// build" prints.
func (k Kustomize) Build(ctx context.Context, dir string, layer Layer) ([]byte, error) {
	if err := layer.write(dir); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(k.Bin, "kustomize"), "build", "--enable-alpha-plugins", "--enable-exec", dir)
	cmd.Env = append(os.Environ(), "PATH="+k.Bin+":"+os.Getenv("PATH"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("kustomize build: %w\n%s", err, stderr.String())
	}
	return out, nil
}

func (l Layer) write(dir string) error {
	kustomization := map[string]any{
		"apiVersion": "kustomize.config.k8s.io/v1beta1",
		"kind":       "Kustomization",
	}
	if !l.Plain {
		kustomization["transformers"] = []string{"function/peerjob.yaml"}
	}
	var components []string
	for _, component := range l.Components {
		path, err := relative(dir, component)
		if err != nil {
			return err
		}
		components = append(components, path)
	}
	if components != nil {
		kustomization["components"] = components
	}
	var resources []string
	if l.Base != "" {
		base, err := relative(dir, l.Base)
		if err != nil {
			return err
		}
		resources = append(resources, base)
	}
	files := map[string]string{"function/peerjob.yaml": function}
	for name, content := range l.Files {
		files[name] = content
		if strings.HasSuffix(name, ".yaml") {
			resources = append(resources, name)
		}
	}
	slices.Sort(resources)
	kustomization["resources"] = resources
	var patches []any
	for _, patch := range l.Patches {
		text, err := specPatch(patch)
		if err != nil {
			return err
		}
		patches = append(patches, map[string]any{"target": map[string]string{"kind": "PeerJob"}, "patch": text})
	}
	if patches != nil {
		kustomization["patches"] = patches
	}
	for key, value := range l.Settings {
		kustomization[key] = value
	}
	text, err := yaml.Marshal(kustomization)
	if err != nil {
		return err
	}
	files["kustomization.yaml"] = string(text)
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// specPatch is a patch of a PeerJob's spec; the target says of which.
func specPatch(spec string) (string, error) {
	var fields any
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{
		"apiVersion": "peerjob.dev/v1alpha1",
		"kind":       "PeerJob",
		"metadata":   map[string]string{"name": "any"},
		"spec":       fields,
	})
	return string(text), err
}

// relative is a path as kustomize takes it for a directory.
func relative(from, to string) (string, error) {
	from, err := filepath.EvalSymlinks(from)
	if err != nil {
		return "", err
	}
	to, err = filepath.Abs(to)
	if err != nil {
		return "", err
	}
	return filepath.Rel(from, to)
}
