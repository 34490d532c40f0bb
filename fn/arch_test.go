// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/peerjob/peerjob/internal/lazyregexp"
)

const module = "github.com/peerjob/peerjob/"

// allowed are the packages of this module that each package may import.
var allowed = map[string][]string{
	"api/v1alpha1":             {},
	"barrier":                  {"barrier/protocol"},
	"barrier/protocol":         {},
	"cmd/peerjob":              {"api/v1alpha1", "cmd/peerjob/collector", "examples/frameworks", "fn", "internal/fields", "internal/framework", "internal/framework/known", "internal/kinds", "internal/krmlist", "internal/lazyregexp", "internal/lint", "internal/results", "internal/spell", "internal/values", "schema"},
	"cmd/peerjob/collector":    {},
	"fn":                       {"api/v1alpha1", "internal/adopt", "internal/diag", "internal/doctor", "internal/expansion", "internal/explain", "internal/krmlist", "internal/lazyregexp", "internal/lint", "internal/pipeline", "internal/results", "internal/values"},
	"internal/adopt":           {"api/v1alpha1", "internal/admission", "internal/decode", "internal/diag", "internal/expansion", "internal/framework", "internal/krmlist", "internal/lazyregexp", "internal/lint", "internal/manifest", "internal/peerjob", "internal/results", "internal/rules", "internal/spell", "internal/yamlnode"},
	"internal/admission":       {"api/v1alpha1", "internal/apitype", "internal/diag", "internal/kinds", "internal/origin", "internal/peerjob"},
	"internal/apitype":         {},
	"internal/decode":          {"api/v1alpha1", "internal/apitype", "internal/diag", "internal/framework/known", "internal/lazyregexp", "internal/spell", "internal/yamlnode"},
	"internal/diag":            {"api/v1alpha1", "internal/apitype", "internal/lazyregexp", "internal/spell"},
	"internal/doctor":          {"api/v1alpha1", "internal/decode", "internal/diag", "internal/krmlist", "internal/lazyregexp", "internal/lint", "internal/results", "internal/rules", "internal/runner/doctor", "internal/yamlnode"},
	"internal/expand":          {"api/v1alpha1", "internal/framework", "internal/manifest", "internal/origin", "internal/peerjob", "internal/rules"},
	"internal/expansion":       {"api/v1alpha1", "internal/admission", "internal/decode", "internal/diag", "internal/expand", "internal/framework", "internal/kinds", "internal/krmlist", "internal/lazyregexp", "internal/manifest", "internal/origin", "internal/peerjob", "internal/render", "internal/spell", "internal/values", "internal/yamlnode"},
	"internal/explain":         {"api/v1alpha1", "internal/diag", "internal/framework", "internal/origin", "internal/peerjob", "internal/results", "internal/rules"},
	"internal/fields":          {"api/v1alpha1", "internal/spell"},
	"internal/framework":       {"api/v1alpha1", "internal/diag", "internal/framework/known", "internal/lazyregexp", "internal/peerjob", "internal/rules", "internal/spell"},
	"internal/framework/known": {"internal/spell"},
	"internal/kinds":           {"api/v1alpha1"},
	"internal/krmlist":         {"internal/kinds", "internal/krmlist/scan", "internal/lazyregexp", "internal/manifest", "internal/parallel", "internal/yamlnode"},
	"internal/krmlist/scan":    {"internal/parallel", "internal/yamlnode"},
	"internal/lazyregexp":      {},
	"internal/lint":            {"api/v1alpha1", "internal/admission", "internal/decode", "internal/diag", "internal/expansion", "internal/kinds", "internal/krmlist", "internal/krmlist/scan", "internal/lazyregexp", "internal/neighbors", "internal/parallel", "internal/results", "internal/rules", "internal/spell", "internal/yamlnode"},
	"internal/manifest":        {"internal/apitype", "internal/lazyregexp", "internal/spell"},
	"internal/merge":           {"api/v1alpha1", "internal/admission", "internal/expansion", "internal/kinds", "internal/krmlist", "internal/lazyregexp", "internal/manifest", "internal/results", "internal/yamlnode"},
	"internal/neighbors":       {"api/v1alpha1", "internal/diag", "internal/expansion", "internal/framework", "internal/kinds", "internal/krmlist", "internal/lazyregexp", "internal/peerjob", "internal/results", "internal/rules", "internal/spell", "internal/yamlnode"},
	"internal/origin":          {"internal/kinds"},
	"internal/parallel":        {},
	"internal/peerjob":         {"api/v1alpha1", "internal/apitype", "internal/diag", "internal/lazyregexp", "internal/rules", "internal/spell"},
	"internal/pipeline":        {"api/v1alpha1", "internal/diag", "internal/expansion", "internal/kinds", "internal/krmlist", "internal/lint", "internal/merge", "internal/neighbors", "internal/parallel", "internal/peerjob", "internal/results", "internal/values", "internal/yamlnode"},
	"internal/render":          {"internal/lazyregexp", "internal/spell", "internal/yamlnode"},
	"internal/results":         {"internal/diag", "internal/krmlist"},
	"internal/rules":           {"internal/apitype", "internal/diag", "internal/lazyregexp", "internal/spell"},
	"internal/spell":           {},
	"internal/values":          {"api/v1alpha1", "internal/decode", "internal/lazyregexp", "internal/peerjob", "internal/render", "internal/rules", "internal/spell", "internal/yamlnode"},
	"internal/yamlnode":        {"internal/lazyregexp", "internal/spell"},

	// The runner, in every container of a peer.
	"cmd/peerjob-runner":      {"barrier", "barrier/protocol", "internal/runner/doctor", "internal/runner/process"},
	"internal/runner/doctor":  {},
	"internal/runner/process": {},
}

// TestImports holds the packages to one direction and to the map in
// docs/architecture.md, and the core to values: no files, no streams, no network, no
// clock, no randomness.
func TestImports(t *testing.T) {
	list := exec.Command("go", "list", "-json=ImportPath,Imports", module+"api/...", module+"barrier/...", module+"cmd/...", module+"fn/...", module+"internal/...")
	list.Env = append(os.Environ(), "GOOS=linux") // of the runner
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	seen := 0
	for decoder.More() {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&pkg); err != nil {
			t.Fatal(err)
		}
		seen++
		name := strings.TrimPrefix(pkg.ImportPath, module)
		ours, known := allowed[name]
		if !known {
			t.Errorf("%s has no rule; add it to this test", name)
		}
		for _, path := range pkg.Imports {
			if inner, found := strings.CutPrefix(path, module); found && !slices.Contains(ours, inner) {
				t.Errorf("%s imports %s, and may import only %v", name, inner, ours)
			}
			if strings.HasPrefix(path, "k8s.io/kubernetes/") && name != "internal/admission" {
				t.Errorf("%s imports %s, which only internal/admission may", name, path)
			}
			if strings.HasPrefix(path, "github.com/spf13/") && name != "cmd/peerjob" {
				t.Errorf("%s imports %s, which only the command may", name, path)
			}
			if strings.HasPrefix(path, "sigs.k8s.io/kustomize/") && !slices.Contains([]string{"internal/expansion", "internal/krmlist", "internal/manifest"}, name) {
				t.Errorf("%s imports %s, which only what reads or writes YAML may", name, path)
			}
			impure := []string{"os", "os/exec", "net", "net/http", "time", "math/rand", "math/rand/v2", "io/fs", "path/filepath"}
			// A protocol needs durations, and chance that is given to it; a test of its
			// own holds it to that. A report has durations that were measured elsewhere.
			given := name == "barrier/protocol" && slices.Contains([]string{"time", "math/rand/v2"}, path) || name == "internal/runner/doctor" && path == "time"
			if slices.Contains(impure, path) && !given && !strings.HasPrefix(name, "cmd/peerjob") && name != "barrier" && name != "internal/runner/process" {
				t.Errorf("%s imports %s: below the command there are only values", name, path)
			}
		}
	}
	if seen != len(allowed) {
		t.Errorf("%d packages, %d rules", seen, len(allowed))
	}
	page, err := os.ReadFile(filepath.Join("..", "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range allowed {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/architecture.md does not have %s", name)
		}
	}
}

// TestRunnerPackages holds the runner to few packages: every container of every peer runs
// it, and every node pulls it.
func TestRunnerPackages(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", module+"cmd/peerjob-runner")
	list.Env = append(os.Environ(), "GOOS=linux")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	ours := append([]string{"cmd/peerjob-runner"}, allowed["cmd/peerjob-runner"]...)
	for line := range strings.Lines(string(out)) {
		path := strings.TrimSpace(line)
		if !slices.Contains(ours, strings.TrimPrefix(path, module)) && !strings.HasPrefix(path, "golang.org/x/sys/") && path != "golang.org/x/net/dns/dnsmessage" {
			t.Errorf("%s is linked into the runner", path)
		}
	}
}

// TestKubernetesPackages holds the program to the API types of Kubernetes and
// their validation. vex.openvex.json says that the code of the kubelet and of the
// controllers, with its known vulnerabilities, is not in the program.
func TestKubernetesPackages(t *testing.T) {
	const kubernetes = "k8s.io/kubernetes/"
	out, err := exec.Command("go", "list", "-deps", module+"cmd/peerjob").Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := 0
	for path := range strings.Lines(string(out)) {
		name, found := strings.CutPrefix(strings.TrimSpace(path), kubernetes+"pkg/")
		if !found && strings.HasPrefix(path, kubernetes) {
			t.Errorf("%s is linked, which has no API types", path)
		}
		if !found {
			continue
		}
		linked++
		part, _, _ := strings.Cut(name, "/")
		// util/parsers reads the name of an image.
		if !slices.Contains([]string{"api", "apis", "capabilities", "features", "fieldpath"}, part) && name != "util/parsers" {
			t.Errorf("%spkg/%s is linked: only API types and their validation may be; vex.openvex.json depends on it", kubernetes, name)
		}
	}
	if linked == 0 {
		t.Errorf("no package of %s is linked: delete the statements of vex.openvex.json", kubernetes)
	}
}

// TestPatterns compiles the patterns that the program compiles only when it uses them.
func TestPatterns(t *testing.T) {
	patterns, err := lazyregexp.Check()
	if err != nil {
		t.Error(err)
	}
	if patterns < 100 {
		t.Errorf("%d patterns; the function has more", patterns)
	}
}
