// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// checkFiles are where peerjob's own checks stand.
var checkFiles = []string{
	"internal/admission/features.go", "internal/admission/older.go", "internal/admission/size.go",
	"internal/decode/decode.go", "internal/decode/hint.go", "internal/decode/limits.go", "internal/decode/render.go",
	"internal/expansion/expansion.go", "internal/expansion/sources.go",
	"internal/framework/conflicts.go", "internal/framework/validate.go", "internal/framework/validate_roles.go", "internal/framework/warnings.go",
	"internal/neighbors/neighbors.go", "internal/neighbors/resources.go",
	"internal/peerjob/barrier.go", "internal/peerjob/failurepolicy.go", "internal/peerjob/files.go", "internal/peerjob/runner.go", "internal/peerjob/validation.go", "internal/peerjob/warnings.go", "internal/peerjob/mounts.go", "internal/peerjob/pod.go", "internal/peerjob/containers.go",
	"internal/neighbors/podlevel.go",
	"internal/neighbors/gangs.go", "internal/neighbors/policies.go",
	"internal/neighbors/named.go", "internal/neighbors/selectors.go", "internal/neighbors/groups.go",
	"internal/peerjob/runner_pod.go", "internal/peerjob/validate_roles.go", "internal/peerjob/networkpolicy.go",
	"internal/pipeline/conflicts.go", "internal/pipeline/find.go", "internal/pipeline/pipeline.go",
	"internal/rules/dns.go", "internal/rules/environment.go", "internal/rules/kueue.go", "internal/rules/names.go", "internal/rules/nodes.go", "internal/rules/ports.go",
	"internal/rules/references.go", "internal/rules/selectors.go", "internal/rules/subpaths.go", "internal/rules/unexpanded.go",
	"internal/rules/gangs.go",
	"internal/values/read.go", "internal/values/renderer.go",
}

// elsewhere are messages that have no objects to show them with here, and
// where they are tested.
var elsewhere = []string{
	"no rule for the type",                   // TestPeerJob_everyType: no type is without one
	"is for the validators: of kustomize",    // fn/fn_test.go
	"is nested more than %d deep",            // internal/decode/decode_test.go
	"is too large: with its YAML aliases",    // testdata/script/hostile.txtar
	"on the host network, peer names",        // internal/rules/wiring_test.go: only of a Job that lint reads
	"has %d bytes, and values may have",      // internal/values/values_test.go
	"of the command line replace it",         // testdata/script/expand_values.txtar
	"reach no template",                      // testdata/script/expand_values.txtar
	"; kpt: put the ConfigMap into the",      // internal/expansion/expansion_test.go
	"; those there are: ",                    // internal/expansion/expansion_test.go
	"those of other packages are not",        // testdata/script/pipeline_21_values_kpt.txtar
	"must stand before a map",                // internal/decode/decode_test.go
	"a key must be a string",                 // internal/decode/decode_test.go
	"write it out in both",                   // fn/reject_test.go
	"differs from the PeerJob of the same",   // fn/fn_test.go
	"on the command line ",                   // testdata/script/expand_values.txtar
	"; set path, the path of the file",       // testdata/script/misplaced.txtar
	"; set containers, which may name",       // testdata/script/misplaced.txtar
	"; a file has its content here",          // testdata/script/misplaced.txtar
	"; every file has the mode 0644",         // testdata/script/misplaced.txtar
	"; values are text in the manifest",      // testdata/script/misplaced.txtar
	"; set spec.framework.leader",            // testdata/script/misplaced.txtar
	"; set spec.roles, with a name,",         // testdata/script/misplaced.txtar
	"; a StatefulSet has them",               // testdata/script/misplaced.txtar
	"; a CronJob has it",                     // testdata/script/misplaced.txtar
	"duplicate key; programs differ",         // testdata/script/case_duplicate_keys.txtar
	"merges the kind %s",                     // testdata/script/case_duplicate_keys.txtar
	"line %d: %s: Helm reads this word",      // internal/values/values_test.go
	"no template reads the value",            // testdata/script/usage.txtar
	"no ConfigMap has this name; did you",    // internal/expansion/expansion_test.go
	"peerjob was given no ConfigMap of",      // internal/expansion/expansion_test.go
	"; kustomize: list a configMapGenerat",   // internal/expansion/expansion_test.go
	"cannot start any token",                 // no message: what the reader of YAML says
	"has a tab; indent with spaces",          // internal/values/values_test.go
	"the template renders to nothing",        // testdata/script/expand_values.txtar
	"give values.%s a value",                 // testdata/script/expand_values.txtar
	"no object reached peerjob but its own",  // fn/fn_test.go
	"rendered by Helm first: helm template",  // testdata/script/check.txtar
	"; Jsonnet does that with jsonnet -y",    // testdata/script/loose.txtar
	"a PeerJob in a map is not expanded",     // testdata/script/loose.txtar
	"has more than %d values",                // internal/values/values_test.go
	"the group never has as many, and none",  // internal/neighbors/neighbors_test.go
	"the aliases of the YAML stand for more", // testdata/script/hostile.txtar
	"together with spec.valuesFrom and",      // internal/expansion/expansion_test.go
}

var verb = regexp.MustCompile(`%[a-z]|%\[\d\][a-z]`)

// TestPage_complete makes sure that docs/validation.md shows every message: the
// parts of each that are not filled in must stand in it.
func TestPage_complete(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "validation.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, name := range checkFiles {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			literal, ok := node.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil || strings.Count(text, " ") < 3 || mentions(text) {
				return true
			}
			seen++
			for _, part := range verb.Split(text, -1) {
				if part = strings.TrimSpace(part); strings.Count(part, " ") >= 2 && !strings.Contains(string(page), part) {
					t.Errorf("%s: the message %q is shown by no check of testdata/validation.yaml", name, text)
					break
				}
			}
			return true
		})
	}
	if seen < 40 {
		t.Errorf("only %d messages were found", seen)
	}
}

func mentions(text string) bool {
	for _, part := range elsewhere {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// goList matches a list as Go prints it, which no user reads: ["a" "b"], [1 2].
var goList = regexp.MustCompile(`\[(?:"[^"\]]*"|-?\w+)(?: (?:"[^"\]]*"|-?\w+))+\]`)

// TestMessages_lists holds the messages to lists as people write them.
func TestMessages_lists(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "validation.md"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		if found := goList.FindString(line); found != "" && strings.Contains(line, "PeerJob ") {
			t.Errorf("%s in %s", found, line)
		}
	}
}
