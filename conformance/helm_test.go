// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/conformance/programs"
)

// TestConformance_helm installs and upgrades a chart with a PeerJob on a real API server,
// by the real Helm with the post-renderer plugin of the folder helm.
func TestConformance_helm(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs an API server, and builds Helm")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(root, "bin", "test")
	for _, build := range [][]string{
		{"build", "-C", root, "-o", filepath.Join(bin, "peerjob"), "./cmd/peerjob"},
		{"build", "-C", filepath.Join(root, "bench"), "-o", filepath.Join(bin, "helm"), "helm.sh/helm/v4/cmd/helm"},
	} {
		if said, err := exec.CommandContext(t.Context(), "go", build...).CombinedOutput(); err != nil && os.Getenv("CI") != "true" {
			t.Skipf("go %s: %v: %s", strings.Join(build, " "), err, said)
		} else if err != nil {
			t.Fatalf("go %s: %v: %s", strings.Join(build, " "), err, said)
		}
	}
	running, _, err := newestServer(t.Context(), t).start(t.Context(), t)
	if errors.Is(err, programs.ErrNoModules) && os.Getenv("CI") != "true" {
		t.Skipf("kube-apiserver can't be built here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	address, token := running.Access()
	home := t.TempDir()
	helm := func(arguments ...string) (string, error) {
		command := exec.CommandContext(t.Context(), filepath.Join(bin, "helm"),
			append(arguments, "--kube-apiserver", address, "--kube-token", token, "--kube-insecure-skip-tls-verify")...)
		command.Dir = root
		command.Env = append(os.Environ(), "HOME="+home, "KUBECONFIG="+filepath.Join(home, "none"),
			"HELM_PLUGINS="+filepath.Join(root, "helm"), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		said, err := command.CombinedOutput()
		return string(said), err
	}
	// No controller runs here, so a hook would never be Complete.
	chart := []string{filepath.Join("examples", "helm", "chart"), "--post-renderer", "peerjob-expand", "--no-hooks", "--set"}
	try := func(verb, value string) string {
		said, err := helm(append([]string{verb, "train"}, append(chart, value)...)...)
		if err != nil {
			t.Fatalf("helm %s: %v\n%s", verb, err, said)
		}
		return said
	}

	said, err := helm(append([]string{"install", "train"}, append(chart, "peers=0")...)...)
	if err == nil || !strings.Contains(said, "\npeerjob: train/templates/train.yaml: PeerJob train: spec.peers: Invalid value: 0") {
		t.Errorf("helm install of a wrong PeerJob: %v\n%s", err, said)
	}
	if said, err := helm("status", "train"); err == nil {
		t.Errorf("a wrong PeerJob made a release:\n%s", said)
	}

	try("install", "peers=3")
	installed := released(t, helm)
	if diff := cmp.Diff([]string{"ConfigMap train", "Job train", "Service train"}, installed); diff != "" {
		t.Errorf("the release (-want +got):\n%s", diff)
	}
	try("upgrade", "peers=3") // nothing to do

	// A Job can't be changed, but for one whose name is that of what it holds.
	if said, err := helm(append([]string{"upgrade", "train"}, append(chart, "peers=4")...)...); err == nil || !strings.Contains(said, "field is immutable") {
		t.Errorf("helm upgrade of a changed Job: %v\n%s", err, said)
	}
	try("upgrade", "peers=3,nameSuffixHash=Enabled")
	first := released(t, helm)
	try("upgrade", "peers=4,nameSuffixHash=Enabled")
	second := released(t, helm)
	if len(first) != 3 || len(second) != 3 || first[1] == second[1] || !strings.HasPrefix(second[1], "Job train-") {
		t.Errorf("the releases have %v and then %v", first, second)
	}
}

// released returns the kinds and names of the objects of the release.
func released(t *testing.T, helm func(...string) (string, error)) []string {
	t.Helper()
	said, err := helm("get", "manifest", "train")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	found := map[string]bool{}
	for document := range strings.SplitSeq(said, "\n---\n") {
		var object struct {
			Kind     string
			Metadata struct{ Name string }
		}
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		if object.Kind != "" {
			found[object.Kind+" "+object.Metadata.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
