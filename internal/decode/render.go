// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// Renderer renders the templates of one PeerJob.
type Renderer interface {
	// Render returns what a text says. The error is about the path.
	Render(path *field.Path, text string) (string, *field.Error)
}

// MayTemplate reports whether spec.templating may be set, at no cost for a
// PeerJob that does not.
func MayTemplate(node *yaml.Node) bool {
	for _, name := range []string{"spec", "templating"} {
		if node.Kind == yaml.AliasNode {
			node = node.Alias
		}
		if node.Kind != yaml.MappingNode {
			return false
		}
		var inner *yaml.Node
		for i := 0; i+1 < len(node.Content); i += 2 {
			switch node.Content[i].Value {
			case "<<":
				return true
			case name:
				inner = node.Content[i+1]
			}
		}
		if inner == nil {
			return false
		}
		node = inner
	}
	return true
}

// inHead reports whether a field of an API type belongs to the head of a
// PeerJob.
func inHead(typ reflect.Type, key string) bool {
	switch typ {
	case reflect.TypeFor[v1alpha1.PeerJobSpec]():
		return key != "template" && key != "framework"
	case reflect.TypeFor[v1alpha1.PeerService]():
		return key == "name"
	}
	return true
}

// isTemplated reports whether the string values of a field are rendered.
func isTemplated(typ reflect.Type, key string) bool {
	return typ == reflect.TypeFor[v1alpha1.PeerJobSpec]() && slices.Contains([]string{"framework", "service", "template"}, key)
}

// decimal matches an integer as YAML and JSON write it.
var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// render returns a scalar with its template rendered, as the field's type wants
// it: a text stays a text, whatever it looks like. It returns the node itself
// where there is nothing to render.
func (d *decoder) render(node *yaml.Node, typ reflect.Type, path *field.Path) (*yaml.Node, bool) {
	if node.Kind != yaml.ScalarNode || !strings.Contains(node.Value, "{{") || node.ShortTag() != "!!str" {
		return node, true
	}
	switch typ.Kind() {
	case reflect.Map, reflect.Slice:
		d.mismatch(node, path, "written out: a template renders a single value, and here stands "+describeKind(typ))
		return nil, false
	case reflect.Struct:
		if !reflect.PointerTo(typ).Implements(reflect.TypeFor[json.Unmarshaler]()) {
			d.mismatch(node, path, "written out: a template renders a single value, and here stands a map")
			return nil, false
		}
	}
	text, err := d.renderer.Render(path, node.Value)
	if err != nil {
		d.errs = append(d.errs, err)
		return nil, false
	}
	rendered := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	switch typ.Kind() {
	case reflect.Int32, reflect.Int64:
		if decimal.MatchString(text) {
			rendered.Tag = "!!int"
		}
	case reflect.Bool:
		if text == "true" || text == "false" {
			rendered.Tag = "!!bool"
		}
	case reflect.Struct:
		if typ == reflect.TypeFor[intstr.IntOrString]() && decimal.MatchString(text) {
			rendered.Tag = "!!int"
		}
	}
	return rendered, true
}

func describeKind(typ reflect.Type) string {
	if typ.Kind() == reflect.Slice {
		return "a list"
	}
	return "a map"
}

// free returns a node as the plain value that it stands for, whatever it is.
func (d *decoder) free(node *yaml.Node, at place) (any, bool) {
	switch node.Kind {
	case yaml.MappingNode:
		return d.mapping(node, reflect.TypeFor[any](), at)
	case yaml.SequenceNode:
		return d.list(node, reflect.TypeFor[any](), at)
	}
	value, ok := d.scalar(node, at.path)
	if !ok {
		return nil, false
	}
	if _, err := json.Marshal(value); err != nil {
		return d.mismatch(node, at.path, "a number that JSON has, too")
	}
	return value, true
}
