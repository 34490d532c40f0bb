// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Renderer renders the templates of one PeerJob.
type Renderer interface {
	// Render returns what a text says. The error is about the path.
	Render(path *field.Path, text string) (string, *field.Error)
}

// Templates makes the renderer of a PeerJob from its head: all that it says
// outside of spec.template, spec.framework and spec.service, and
// spec.service.name as it was written. Where it can't, the PeerJob is not read any further.
type Templates func(head *PeerJob) (Renderer, field.ErrorList)

// DecodeTemplates is [Decode] for a PeerJob that may have templates: where
// spec.templating is Enabled, the string values of spec.template, spec.framework
// and spec.service are rendered before they are read as what the API has there.
// Everything after it sees only what was rendered.
func DecodeTemplates(node *yaml.Node, templates Templates) (*PeerJob, field.ErrorList) {
	d := &decoder{}
	if mayTemplate(node) {
		head := &decoder{headOnly: true}
		pj := head.peerJob(node)
		if pj.Spec.Templating == Enabled {
			renderer, errs := templates(pj)
			if len(errs) > 0 {
				return pj, append(head.errs, errs...)
			}
			d.renderer = renderer
		}
	}
	return d.peerJob(node), d.errs
}

// mayTemplate reports whether spec.templating may be set, at no cost for a
// PeerJob that does not.
func mayTemplate(node *yaml.Node) bool {
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
	case reflect.TypeFor[PeerJobSpec]():
		return key != "template" && key != "framework"
	case reflect.TypeFor[PeerService]():
		return key == "name"
	}
	return true
}

// isTemplated reports whether the string values of a field are rendered.
func isTemplated(typ reflect.Type, key string) bool {
	return typ == reflect.TypeFor[PeerJobSpec]() && slices.Contains([]string{"framework", "service", "template"}, key)
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
	text, err := d.active.Render(path, node.Value)
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
func (d *decoder) free(node *yaml.Node, path *field.Path) (any, bool) {
	switch node.Kind {
	case yaml.MappingNode:
		return d.mapping(node, reflect.TypeFor[any](), path)
	case yaml.SequenceNode:
		return d.list(node, reflect.TypeFor[any](), path)
	}
	value, ok := d.scalar(node, path)
	if !ok {
		return nil, false
	}
	if _, err := json.Marshal(value); err != nil {
		return d.mismatch(node, path, "a number that JSON has, too")
	}
	return value, true
}

// validateTemplating holds values to a PeerJob that renders templates.
func validateTemplating(pj *PeerJob) field.ErrorList {
	path := specPath.Child("templating")
	errs := validateToggle(pj.Spec.Templating, path)
	if pj.Spec.Templating != Enabled {
		for _, f := range []struct {
			name string
			set  bool
		}{
			{"values", pj.Spec.Values != nil},
			{"valuesFrom", pj.Spec.ValuesFrom != nil},
			{"snippets", pj.Spec.Snippets != nil},
		} {
			if f.set {
				errs = append(errs, field.Forbidden(specPath.Child(f.name), "is for templates; set spec.templating to Enabled, or remove it"))
			}
		}
	}
	for i, source := range pj.Spec.ValuesFrom {
		path := specPath.Child("valuesFrom").Index(i).Child("configMapRef")
		if source.ConfigMapRef == nil {
			errs = append(errs, field.Required(path, "the ConfigMap with the values"))
			continue
		}
		if source.ConfigMapRef.Name == "" {
			errs = append(errs, field.Required(path.Child("name"), "the name of the ConfigMap with the values"))
			continue
		}
		for _, msg := range validation.IsDNS1123Subdomain(source.ConfigMapRef.Name) {
			errs = append(errs, field.Invalid(path.Child("name"), source.ConfigMapRef.Name, msg))
		}
	}
	return errs
}
