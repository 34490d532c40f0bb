// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// byKyaml is a node as kyaml writes it.
func byKyaml(node *yaml.Node) (string, error) {
	var out bytes.Buffer
	encoder := kyaml.NewEncoder(&out)
	if err := encoder.Encode(node); err != nil {
		return "", err
	}
	return out.String(), encoder.Close()
}

// checkAppend holds Append to kyaml, and reports whether it wrote the node
// itself.
func checkAppend(t *testing.T, node *yaml.Node) bool {
	t.Helper()
	w := writer{}
	itself := w.node(node, 0)
	want, err := byKyaml(node)
	if err != nil {
		if itself {
			t.Errorf("writes what kyaml refuses: %v\n%s", err, w.out)
		}
		return false
	}
	got, err := Append([]byte("before\n"), node)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("before\n"+want, string(got)); diff != "" {
		t.Errorf("(-kyaml +peerjob):\n%s", diff)
	}
	return itself
}

// checkObject holds Append to kyaml on an object with a text everywhere.
func checkObject(t *testing.T, text string) bool {
	t.Helper()
	labels := map[string]string{"a": text, "z": "z"}
	if !strings.Contains(text, "\n") {
		labels[text] = text
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: text, Labels: labels},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Args: []string{text, "z", text}, SecurityContext: &corev1.SecurityContext{}, TTY: true}},
			Volumes:    []corev1.Volume{{Name: text, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
		},
	}
	node, err := Encode(pod)
	if err != nil {
		return false
	}
	checkTyped(t, pod)
	list := &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{node}}
	return checkAppend(t, node) && checkAppend(t, list)
}

func TestAppend(t *testing.T) {
	for _, text := range awkward {
		checkObject(t, text)
	}
	// What is in every object must not be left to kyaml.
	for _, text := range []string{"a", "a b", "yes", "1", "500m", "1Gi", "10.0.0.1", "--verbose", "-c", "$(A)-0.$(B)", "metadata.labels['job-name']",
		"a: b", "a #b", "\"x\"", "echo a\necho b\n", "echo a\n\n  echo b", "", " a", "https://example.com:80/?a=b", "*", "{a}", "2001-02-03"} {
		if !checkObject(t, text) {
			t.Errorf("%q is left to kyaml", text)
		}
	}
}

// TestAppend_examples writes everything in the examples and the test data.
func TestAppend_examples(t *testing.T) {
	documents := 0
	for _, pattern := range []string{"../../examples/*/*.yaml", "../../examples/*/*/*.yaml", "../../testdata/*.yaml", "../../testdata/*/*.yaml", "../krmlist/scan/testdata/ugly/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; documents++ {
				var document yaml.Node
				if decoder.Decode(&document) != nil {
					break
				}
				checkAppend(t, document.Content[0])
				checkAppend(t, bare(document.Content[0]))
			}
		}
	}
	if documents < 20 {
		t.Errorf("only %d documents", documents)
	}
}

// bare is a node without what Append leaves to kyaml.
func bare(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return bare(node.Alias)
	}
	own := &yaml.Node{Kind: node.Kind, Tag: node.Tag, Value: node.Value, Style: node.Style &^ (yaml.FlowStyle | yaml.TaggedStyle)}
	for _, child := range node.Content {
		own.Content = append(own.Content, bare(child))
	}
	return own
}

// FuzzAppend looks for a node or a text that Append and kyaml write
// differently.
func FuzzAppend(f *testing.F) {
	for _, text := range awkward {
		f.Add(text)
	}
	f.Add("a:\n- b\n- c: d\n  e: [f, {g: h}]\n- - i\n  - |\n    j\n\n    k\nl: {}\nm: []\nn: |-\n  o\np: 'q'\nr: \"s\"\nt: 1\nu: true\nv: null\nw:\n")
	f.Add("- - - a\n  - b: c\n- ? d\n  : e\n- !!int \"1\"\n- &a f\n- *a\n- # g\n  h: i # j\n")
	f.Fuzz(func(t *testing.T, text string) {
		checkObject(t, text)
		var document yaml.Node
		if len(text) > 1<<12 || yaml.Unmarshal([]byte(text), &document) != nil || len(document.Content) == 0 || hasAlias(&document) {
			return
		}
		checkAppend(t, document.Content[0])
		checkAppend(t, bare(document.Content[0]))
	})
}

func hasAlias(node *yaml.Node) bool {
	if node.Kind == yaml.AliasNode {
		return true
	}
	for _, child := range node.Content {
		if hasAlias(child) {
			return true
		}
	}
	return false
}
