// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	kptfn "github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"
	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/manifest"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

const (
	resourceListKind       = "ResourceList"
	resourceListAPIVersion = "config.kubernetes.io/v1"
)

// inputList is what an orchestrator sends to a function and wants back. See the KRM
// Functions Specification.
type inputList interface {
	// objects are the items.
	objects() []*object
	// config is the functionConfig, nil when there is none.
	config() *yaml.Node
	// encode returns the list with these objects as its items and these findings
	// added, as something that only has to be written.
	encode(objects []*object, found kptfn.Results) (output, error)
}

// output writes what was made ready to be written.
type output func(io.Writer) error

// readList reads the input of the function: without parsing the items where
// that is safe, and else with all that YAML can be. Whatever could be read is
// returned beside an error, so that nothing of it is lost.
func readList(data []byte) (inputList, error) {
	if l, err := krmlist.Read(data, isKnownAnnotation); err == nil {
		return &textList{l}, nil
	}
	return readResourceList(data)
}

// resourceList is a list that was parsed as a whole.
type resourceList struct {
	apiVersion     string
	items          []*yaml.Node
	functionConfig *yaml.Node
	results        []*yaml.Node
}

// readResourceList parses the input of the function. Whatever could be read is
// returned beside an error.
func readResourceList(data []byte) (*resourceList, error) {
	list := &resourceList{apiVersion: resourceListAPIVersion}
	roots, err := readDocuments(data)
	if err != nil {
		return list, fmt.Errorf("stdin: %w", err)
	}
	if len(roots) == 0 {
		return list, errors.New("stdin: is empty: a ResourceList is required")
	}
	root := roots[0]
	if len(roots) > 1 || yamlnode.Text(yamlnode.Get(root, "kind")) != resourceListKind {
		list.items = roots
		return list, notAResourceList(roots)
	}
	if apiVersion := yamlnode.Text(yamlnode.Get(root, "apiVersion")); apiVersion != "" {
		list.apiVersion = apiVersion
	}
	if config := yamlnode.Resolve(yamlnode.Get(root, "functionConfig")); config != nil && config.ShortTag() != "!!null" {
		list.functionConfig = config
	}
	if results := yamlnode.Resolve(yamlnode.Get(root, "results")); results != nil && results.Kind == yaml.SequenceNode {
		list.results = results.Content
	}
	items := yamlnode.Resolve(yamlnode.Get(root, "items"))
	switch {
	case items == nil || items.Kind == yaml.ScalarNode && items.ShortTag() == "!!null":
	case items.Kind == yaml.SequenceNode:
		list.items = items.Content
	default:
		return list, errors.New("stdin: items: must be a list")
	}
	return list, nil
}

// notAResourceList says what stands on stdin instead of one ResourceList.
func notAResourceList(roots []*yaml.Node) error {
	const cure = `one ResourceList is required; to expand plain YAML, run "peerjob expand -"`
	if len(roots) > 1 {
		return fmt.Errorf("stdin: holds %d documents: %s", len(roots), cure)
	}
	if kind := yamlnode.Text(yamlnode.Get(roots[0], "kind")); kind != "" {
		return fmt.Errorf("stdin: holds a %s: %s", kind, cure)
	}
	return fmt.Errorf("stdin: holds no object: %s", cure)
}

// readDocuments parses YAML into the root nodes of its documents, without the
// empty ones.
func readDocuments(data []byte) ([]*yaml.Node, error) {
	// kyaml reads Windows line ends so, too.
	decoder := yaml.NewDecoder(bytes.NewReader(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))))
	var roots []*yaml.Node
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return roots, nil
		}
		if err != nil {
			return roots, err
		}
		if err := refuseCycles(&document, map[*yaml.Node]bool{}); err != nil {
			return roots, err
		}
		if len(document.Content) == 1 && !kyaml.IsYNodeNilOrEmpty(document.Content[0]) {
			roots = append(roots, document.Content[0])
		}
	}
}

func (l *resourceList) objects() []*object {
	objects := make([]*object, len(l.items))
	for i, item := range l.items {
		objects[i] = newObject(item)
	}
	return objects
}

func (l *resourceList) config() *yaml.Node { return l.functionConfig }

// encode writes the list as kyaml would: what was not changed looks as kyaml
// prints it.
func (l *resourceList) encode(objects []*object, found kptfn.Results) (output, error) {
	items := make([]*yaml.Node, len(objects))
	for i, o := range objects {
		items[i] = o.listItem()
	}
	var out bytes.Buffer
	if err := l.write(&out, items, found); err != nil {
		return nil, err
	}
	return written(out.Bytes()), nil
}

// written is the output of these bytes.
func written(data []byte) output {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// write writes the list with these items.
//
// Each item is encoded by itself: the encoder keeps every event of a document
// in memory until its end.
func (l *resourceList) write(w io.Writer, items []*yaml.Node, found kptfn.Results) error {
	scalar := func(value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: value} }
	results := slices.Clone(l.results)
	var functionConfig []*yaml.Node
	if l.functionConfig != nil {
		functionConfig = []*yaml.Node{l.functionConfig}
	}
	if err := settleAliases(items, functionConfig, results); err != nil {
		return err
	}
	results, err := appendResults(results, found)
	if err != nil {
		return err
	}
	if err := encodeNode(w, yaml.MappingNode, scalar("apiVersion"), scalar(l.apiVersion), scalar("kind"), scalar(resourceListKind)); err != nil {
		return err
	}
	// Without items kustomize takes the list itself for a resource.
	if err := encodeSequence(w, "items", items); err != nil {
		return err
	}
	for _, config := range functionConfig {
		if err := encodeNode(w, yaml.MappingNode, scalar("functionConfig"), config); err != nil {
			return err
		}
	}
	if len(results) == 0 {
		return nil
	}
	return encodeSequence(w, "results", results)
}

// appendResults adds findings to the results of a list.
func appendResults(results []*yaml.Node, found kptfn.Results) ([]*yaml.Node, error) {
	for _, result := range found {
		node := &yaml.Node{}
		if err := node.Encode(result); err != nil {
			return nil, err
		}
		results = append(results, node)
	}
	return results, nil
}

// encodeSequence writes a key of the list and the sequence under it.
func encodeSequence(w io.Writer, key string, elements []*yaml.Node) error {
	if len(elements) == 0 {
		_, err := io.WriteString(w, key+": []\n")
		return err
	}
	if _, err := io.WriteString(w, key+":\n"); err != nil {
		return err
	}
	for _, element := range elements {
		if err := encodeNode(w, yaml.SequenceNode, element); err != nil {
			return err
		}
	}
	return nil
}

// encodeNode writes a mapping or a sequence as kyaml does.
func encodeNode(w io.Writer, kind yaml.Kind, content ...*yaml.Node) error {
	data, err := manifest.Bytes(&yaml.Node{Kind: kind, Content: content})
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}
