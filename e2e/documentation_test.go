// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// taggedBash is kustomize's setting that gives the page's image a tag: without
// one, a node pulls it each time.
var taggedBash = []any{map[string]string{"name": "bash", "newTag": strings.TrimPrefix(bashImage, "bash:")}}

// documentation is the YAML of the documentation's page.
func documentation(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "testdata", "documentation", "en.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// asPeerJob is the PeerJob that says what the page says, its script as it stands
// there.
func asPeerJob(t *testing.T, page string) string {
	t.Helper()
	service, job, found := strings.Cut(page, "\n---\n")
	if !found {
		t.Fatal("the page has not two documents")
	}
	type object = map[string]any
	var s, j object
	for text, to := range map[string]*object{service: &s, job: &j} {
		if err := yaml.Unmarshal([]byte(text), to); err != nil {
			t.Fatal(err)
		}
	}
	spec := j["spec"].(object)
	pod := spec["template"].(object)["spec"].(object)
	text, err := yaml.Marshal(object{
		"apiVersion": "peerjob.dev/v1alpha1",
		"kind":       "PeerJob",
		"metadata":   object{"name": j["metadata"].(object)["name"]},
		"spec": object{
			"peers":    spec["completions"],
			"service":  object{"name": s["metadata"].(object)["name"]},
			"template": object{"spec": object{"containers": pod["containers"]}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
