// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	kptfn "github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"
	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/internal/yamlnode"
)

// parsedList is a list that was parsed as a whole. It is written as kyaml writes
// it.
type parsedList struct {
	apiVersion     string
	items          []*yaml.Node
	functionConfig *yaml.Node
	results        []*yaml.Node
}

// Empty returns a list without items.
func Empty() List { return &parsedList{apiVersion: listAPIVersion} }

// ReadParsed is a Reader that parses the whole list.
func ReadParsed(data []byte) (List, error) {
	list := &parsedList{apiVersion: listAPIVersion}
	roots, err := readDocuments(YAMLOfJSON(data))
	if err != nil {
		return list, fmt.Errorf("stdin: %w", explainSyntax(data, 0, err))
	}
	if len(roots) == 0 {
		return list, errors.New("stdin: is empty: a ResourceList is required")
	}
	root := roots[0]
	if len(roots) > 1 || yamlnode.Text(yamlnode.Get(root, "kind")) != listKind {
		list.items = roots
		return list, notAList(roots)
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
	// Of a key that is there twice both go out again, beside the error.
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "items" {
			continue
		}
		items := yamlnode.Resolve(root.Content[i+1])
		switch {
		case items.Kind == yaml.ScalarNode && items.ShortTag() == "!!null":
		case items.Kind == yaml.SequenceNode:
			list.items = append(list.items, items.Content...)
		default:
			return list, errors.New("stdin: items: must be a list")
		}
	}
	if key := yamlnode.Duplicate(root); key != nil {
		return list, fmt.Errorf("stdin: line %d: %s: duplicate key; only one of the two can be read; join them", key.Line, key.Value)
	}
	if key := yamlnode.MergeKey(root); key != nil {
		return list, fmt.Errorf(`stdin: line %d: "<<" is not for a ResourceList: write the keys that it merges`, key.Line)
	}
	for i := 0; i < len(root.Content); i += 2 {
		for _, known := range listKeys {
			if key := root.Content[i]; key.Value != known && strings.EqualFold(key.Value, known) {
				return list, fmt.Errorf("stdin: line %d: %s: unknown key, and nothing below it would be read; write %s", key.Line, key.Value, known)
			}
		}
	}
	return list, nil
}

// listKeys are the keys of a ResourceList.
var listKeys = []string{"apiVersion", "kind", "metadata", "items", "functionConfig", "results"}

func (l *parsedList) Objects() []*Object {
	objects := make([]*Object, len(l.items))
	for i, item := range l.items {
		objects[i] = NewParsed(item)
	}
	return objects
}

func (l *parsedList) FunctionConfig() *Object { return newConfig(l.functionConfig) }

func (l *parsedList) Encode(objects []*Object, added kptfn.Results) (Output, error) {
	items := make([]*yaml.Node, len(objects))
	for i, o := range objects {
		items[i] = listItem(o.body)
	}
	var out bytes.Buffer
	if err := l.write(&out, items, added); err != nil {
		return nil, err
	}
	return func(w io.Writer) error {
		_, err := w.Write(out.Bytes())
		return err
	}, nil
}

// write writes the list with these items.
//
// Each item is encoded by itself: the encoder keeps every event of a document
// in memory until its end.
func (l *parsedList) write(w io.Writer, items []*yaml.Node, added kptfn.Results) error {
	scalar := func(value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: value} }
	results := slices.Clone(l.results)
	var functionConfig []*yaml.Node
	if l.functionConfig != nil {
		functionConfig = []*yaml.Node{l.functionConfig}
	}
	if err := settleAliases(items, functionConfig, results); err != nil {
		return err
	}
	results, err := appendResults(results, added)
	if err != nil {
		return err
	}
	if err := encodeNode(w, yaml.MappingNode, scalar("apiVersion"), scalar(l.apiVersion), scalar("kind"), scalar(listKind)); err != nil {
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
