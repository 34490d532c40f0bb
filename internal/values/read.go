// SPDX-License-Identifier: Apache-2.0

package values

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/internal/render"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// MaxSize is how large one source of values may be, in bytes: as large as a
// ConfigMap.
const MaxSize = 1 << 20

// File is a file with values.
type File struct {
	// Name is how messages name the file.
	Name string
	// Values are what is in it.
	Values map[string]any
}

// MaxCount is how many values a source, and all of a PeerJob together, may have: the
// elements of lists and the entries of maps. More would take hundreds of MB.
const MaxCount = 50_000

var errTooMany = fmt.Errorf("has more than %d values (elements of lists and entries of maps); keep large data in a file or a ConfigMap that the containers read", MaxCount)

// Read reads values for templates from YAML or JSON: a map, or nothing.
func Read(content []byte) (map[string]any, error) {
	if len(content) > MaxSize {
		return nil, fmt.Errorf("has %d bytes, and values may have %d", len(content), MaxSize)
	}
	document, err := render.Document(content)
	if err != nil {
		if line := yamlnode.TabbedLine(content, 0); line > 0 && strings.Contains(err.Error(), "cannot start any token") {
			return nil, fmt.Errorf("line %d has a tab; indent with spaces", line)
		}
		return nil, err
	}
	if countNodes(document) > MaxCount {
		return nil, errTooMany
	}
	value, err := render.Value(document)
	if err != nil {
		return nil, err
	}
	if err := render.CheckWords(document); err != nil {
		return nil, err
	}
	values, ok := value.(map[string]any)
	if !ok && value != nil {
		return nil, errors.New("must be a map of values")
	}
	return values, nil
}

// CheckCount refuses values that are too many: each element of a list and each entry of
// a map is one.
func CheckCount(values map[string]any) error {
	if count(values) > MaxCount {
		return errTooMany
	}
	return nil
}

// count counts the values in a value.
func count(value any) int {
	all := 0
	switch value := value.(type) {
	case map[string]any:
		for _, inner := range value {
			all += 1 + count(inner)
		}
	case []any:
		for _, inner := range value {
			all += 1 + count(inner)
		}
	}
	return all
}

// countNodes is count for what is not decoded yet. An alias is one value: render.Value
// limits what they expand to.
func countNodes(node *yaml.Node) int {
	all := 0
	switch node.Kind {
	case yaml.MappingNode:
		all = len(node.Content) / 2
	case yaml.SequenceNode:
		all = len(node.Content)
	}
	for _, inner := range node.Content {
		all += countNodes(inner)
	}
	return all
}

// Merged are the values of a PeerJob.
type Merged struct {
	// Values are what templates find in .Values.
	Values map[string]any
	// Nulls are the keys that null removed, so that a message can say so.
	Nulls render.Nulls
}

// NewMerged returns merged values without the keys that null removes.
func NewMerged(merged map[string]any) Merged {
	left, nulls := render.WithoutNulls(merged)
	return Merged{left, nulls}
}

// KindOf returns the kind of the first document of a text when it is an object of
// Kubernetes, and "" for values and anything else.
func KindOf(content []byte) string {
	var document yaml.Node
	if yaml.NewDecoder(bytes.NewReader(content)).Decode(&document) != nil || len(document.Content) == 0 {
		return ""
	}
	root := document.Content[0]
	if yamlnode.Get(root, "metadata") == nil || yamlnode.Text(yamlnode.Get(root, "apiVersion")) == "" {
		return ""
	}
	return yamlnode.Text(yamlnode.Get(root, "kind"))
}
