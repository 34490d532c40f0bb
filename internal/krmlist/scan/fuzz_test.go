// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// wanted is every annotation: the fuzzer holds all of them to yaml/v3.
func wanted(string) bool { return true }

// parsed is what yaml/v3 sees in a ResourceList, read with none of the code of
// this package.
type parsed struct {
	items, results []*yaml.Node
	functionConfig *yaml.Node
}

// parseAll parses a whole ResourceList. An error is that of a text that is none.
func parseAll(data []byte) (parsed, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))))
	var document, more yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return parsed{}, err
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return parsed{}, fmt.Errorf("several documents: %v", err)
	}
	root := document.Content[0]
	var p parsed
	if root.Kind != yaml.MappingNode {
		return p, errors.New("no map")
	}
	for i := 0; i < len(root.Content); i += 2 {
		value := root.Content[i+1]
		switch key := root.Content[i].Value; key {
		case "apiVersion":
		case "kind":
			if value.Value != "ResourceList" {
				return p, errors.New("no ResourceList")
			}
		case "items":
			p.items = value.Content
		case "functionConfig":
			p.functionConfig = value
		case "results":
			p.results = value.Content
		default:
			return p, fmt.Errorf("the key %s", key)
		}
	}
	return p, nil
}

// meaning is a node without what depends on where it stands.
func meaning(node *yaml.Node) string {
	var out strings.Builder
	var write func(*yaml.Node, int)
	write = func(n *yaml.Node, depth int) {
		fmt.Fprintf(&out, "%*s%d %q %q %q %d\n", depth, "", n.Kind, n.ShortTag(), n.Value, n.Anchor, n.Style)
		for _, child := range n.Content {
			write(child, depth+1)
		}
	}
	if node != nil {
		write(node, 0)
	}
	return out.String()
}

func meanings(nodes []*yaml.Node) []string {
	all := []string{}
	for _, node := range nodes {
		all = append(all, meaning(node))
	}
	return all
}

// identityOf is which object a node is, by the plain way.
func identityOf(node *yaml.Node) map[string]string {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	entry := func(n *yaml.Node, key string) *yaml.Node {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				value := n.Content[i+1]
				if value.Kind == yaml.AliasNode {
					value = value.Alias
				}
				return value
			}
		}
		return nil
	}
	scalar := func(n *yaml.Node) string {
		if n != nil && n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		if n == nil || n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
			return ""
		}
		return n.Value
	}
	meta := entry(node, "metadata")
	found := map[string]string{
		"apiVersion": scalar(entry(node, "apiVersion")), "kind": scalar(entry(node, "kind")),
		"name": scalar(entry(meta, "name")), "namespace": scalar(entry(meta, "namespace")),
	}
	if annotations := entry(meta, "annotations"); annotations != nil && annotations.Kind == yaml.MappingNode {
		for i := 0; i < len(annotations.Content); i += 2 {
			found["annotation "+annotations.Content[i].Value] = scalar(annotations.Content[i+1])
		}
	}
	return found
}

func identityFound(item *Item) map[string]string {
	found := map[string]string{"apiVersion": item.APIVersion, "kind": item.Kind, "name": item.Name, "namespace": item.Namespace}
	for key, value := range item.Annotations {
		found["annotation "+key] = value
	}
	return found
}

// checkRead holds Read to yaml/v3: it declines, or it finds the same items with
// the same identities in the same order, and a list from which an item is taken,
// or in which one is added or replaced, is the list without it or with it.
func checkRead(t *testing.T, data []byte) {
	t.Helper()
	before := bytes.Clone(data)
	list, err := Read(data, wanted)
	if !bytes.Equal(before, data) {
		t.Fatal("Read changed the text")
	}
	if err != nil {
		return
	}
	want, err := parseAll(data)
	if err != nil {
		t.Fatalf("yaml/v3 does not take what was read: %v", err)
	}
	if len(want.items) != len(list.Items) {
		t.Fatalf("%d items, want %d", len(list.Items), len(want.items))
	}
	if !list.empty && list.column < 0 {
		t.Fatal("no column")
	}
	texts := [][]byte{}
	for i := range list.Items {
		item := &list.Items[i]
		texts = append(texts, item.Text)
		if diff := cmp.Diff(identityOf(want.items[i]), identityFound(item)); diff != "" {
			t.Errorf("item %d (-yaml/v3 +read):\n%s\n%s", i, diff, item.Text)
		}
		node, err := Parse(item.Text)
		if err != nil {
			t.Fatalf("item %d: %v", i, err)
		}
		if diff := cmp.Diff(meaning(want.items[i]), meaning(node)); diff != "" {
			t.Errorf("item %d parsed alone (-whole +alone):\n%s", i, diff)
		}
	}
	checkAnnotate(t, list, texts, want)
	if got := written(t, list, texts, nil); !bytes.Equal(got, data) {
		t.Errorf("not the same bytes (-read +written):\n%s", cmp.Diff(string(data), string(got)))
	}
	const added = "- apiVersion: v1\n  kind: Added\n"
	for i := range min(len(list.Items), 5) {
		without := append(append([][]byte{}, texts[:i]...), texts[i+1:]...)
		checkWritten(t, written(t, list, without, nil), append(append([]*yaml.Node{}, want.items[:i]...), want.items[i+1:]...), want.results)
		more := append(append(append([][]byte{}, texts[:i+1]...), list.Indent([]byte(added))), texts[i+1:]...)
		addedNode := &yaml.Node{}
		if err := yaml.Unmarshal([]byte(added), addedNode); err != nil {
			t.Fatal(err)
		}
		one := addedNode.Content[0].Content[0]
		checkWritten(t, written(t, list, more, nil), append(append(append([]*yaml.Node{}, want.items[:i+1]...), one), want.items[i+1:]...), want.results)
		other := append([][]byte{}, texts...)
		other[i] = list.Replace(&list.Items[i], []byte(added))
		nodes := append([]*yaml.Node{}, want.items...)
		nodes[i] = one
		checkWritten(t, written(t, list, other, []byte("results:\n- message: x\n")), nodes, mustParse(t, "- message: x\n").Content)
	}
}

// checkAnnotate holds an annotation that was put into the text of an item to the
// same put into its node.
func checkAnnotate(t *testing.T, list *List, texts [][]byte, want parsed) {
	t.Helper()
	child := func(node *yaml.Node, key string) *yaml.Node {
		for i := 0; i < len(node.Content); i += 2 {
			if node.Content[i].Value == key {
				return node.Content[i+1]
			}
		}
		value := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		node.Content = append(node.Content, mustParse(t, key), value)
		return value
	}
	for i := range min(len(list.Items), 5) {
		text, ok := list.Items[i].Annotate("example.com/added", `"true"`)
		if !ok {
			continue
		}
		node, err := Parse(texts[i])
		if err != nil {
			t.Fatal(err)
		}
		annotations := child(child(node, "metadata"), "annotations")
		annotations.Content = append(annotations.Content, mustParse(t, "example.com/added"), mustParse(t, `"true"`))
		other := append([][]byte{}, texts...)
		other[i] = text
		nodes := append([]*yaml.Node{}, want.items...)
		nodes[i] = node
		checkWritten(t, written(t, list, other, nil), nodes, want.results)
	}
}

func mustParse(t *testing.T, text string) *yaml.Node {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return document.Content[0]
}

func written(t *testing.T, list *List, items [][]byte, results []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := list.Write(&out, items, results); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func checkWritten(t *testing.T, data []byte, items, results []*yaml.Node) {
	t.Helper()
	got, err := parseAll(data)
	if err != nil {
		t.Fatalf("what was written is no list: %v\n%s", err, data)
	}
	if diff := cmp.Diff(meanings(items), meanings(got.items)); diff != "" {
		t.Errorf("items (-want +written):\n%s\n%s", diff, data)
	}
	if diff := cmp.Diff(meanings(results), meanings(got.results)); diff != "" {
		t.Errorf("results (-want +written):\n%s\n%s", diff, data)
	}
}

// FuzzRead looks for a text on which Read and yaml/v3 differ.
func FuzzRead(f *testing.F) {
	for _, text := range hostile {
		f.Add([]byte(text))
	}
	for _, tt := range tests {
		f.Add([]byte(tt.text))
	}
	for _, text := range uglyLists(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 1<<14 {
			checkRead(t, data)
		}
	})
}
