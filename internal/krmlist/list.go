// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	kptfn "github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"
	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/peerjob/peerjob/internal/krmlist/scan"
	"github.com/peerjob/peerjob/internal/manifest"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// List is a ResourceList: what kustomize and kpt send to a function and read back.
// See the KRM Functions Specification.
//
// There are two: one in text form, which keeps the bytes of every item that is
// not changed and is several times as fast, and one that was parsed as a whole,
// for all that YAML can be and scan can't judge.
type List interface {
	// Objects returns the items.
	Objects() []*Object
	// FunctionConfig returns the functionConfig, nil when there is none.
	FunctionConfig() *Object
	// Encode returns the list with these objects as its items and these results
	// added. It uses the objects up: nobody may ask for their YAML afterwards.
	// The error is ErrTooLarge or one of encoding YAML.
	Encode(objects []*Object, added kptfn.Results) (Output, error)
}

// Output writes a list that is encoded.
type Output func(io.Writer) error

// Reader reads a ResourceList. It returns whatever it could read beside an error.
type Reader func(data []byte) (List, error)

// NewReader returns the Reader of the function: in text form where scan is sure of
// the list, and else parsed as a whole. The objects have the annotations that are
// wanted, and maybe others.
func NewReader(wanted func(key string) bool) Reader {
	return func(data []byte) (List, error) {
		if l, err := scan.Read(data, wanted); err == nil {
			return textList{l}, nil
		}
		return ReadParsed(data)
	}
}

const (
	listKind       = "ResourceList"
	listAPIVersion = "config.kubernetes.io/v1"
)

// readDocuments parses YAML into the root nodes of its documents, without the
// empty ones.
func readDocuments(data []byte) ([]*yaml.Node, error) {
	if root, ok := scan.Nodes(data); ok {
		return []*yaml.Node{root}, nil
	}
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
		if err := yamlnode.CheckCycles(&document); err != nil {
			return roots, err
		}
		if len(document.Content) == 1 && !kyaml.IsYNodeNilOrEmpty(document.Content[0]) {
			roots = append(roots, document.Content[0])
		}
	}
}

// notAList says what is on stdin instead of one ResourceList.
func notAList(roots []*yaml.Node) error {
	const cure = `one ResourceList is required; to expand plain YAML, run "peerjob expand -"`
	if len(roots) > 1 {
		return fmt.Errorf("stdin: holds %d documents: %s", len(roots), cure)
	}
	if kind := yamlnode.Text(yamlnode.Get(roots[0], "kind")); kind != "" {
		return fmt.Errorf("stdin: holds a %s: %s", kind, cure)
	}
	return fmt.Errorf("stdin: holds no object: %s", cure)
}

// appendResults adds results to those of a list.
func appendResults(results []*yaml.Node, added kptfn.Results) ([]*yaml.Node, error) {
	for _, result := range added {
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
