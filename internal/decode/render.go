// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// Renderer renders the templates of one PeerJob.
type Renderer interface {
	// Render returns what a text renders to. The error is about the path.
	Render(path *field.Path, text string) (string, *field.Error)
	// RenderYAML returns the list or the map that a text renders to, as YAML, and
	// nil if it renders to nothing. The error is about the path.
	RenderYAML(path *field.Path, text string) (*yaml.Node, *field.Error)
}

// ErrSaid is what a Renderer returns in place of an error that only repeats one that it
// returned before, on another field.
var ErrSaid = &field.Error{}

// failed records an error of the renderer.
func (d *decoder) failed(err *field.Error) (*yaml.Node, bool) {
	if err != ErrSaid {
		d.errs = append(d.errs, err)
	}
	return nil, false
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

// treatment is what happens to templates in a field.
type treatment int

const (
	// refused is for fields that are needed before anything is rendered.
	refused treatment = iota
	// rendered is for all others.
	rendered
	// literal is for texts that templates use: values and snippets.
	literal
)

// treat returns the treatment of a field of an API type, in an object with a
// treatment of its own.
func treat(typ reflect.Type, key string, outer treatment) treatment {
	switch typ {
	case reflect.TypeFor[v1alpha1.PeerJobSpec]():
		switch key {
		case "values", "snippets":
			return literal
		case "templating", "valuesFrom", "nameSuffixHash", "clusterDomain", "kubernetesVersion":
			return refused
		}
		return rendered
	case reflect.TypeFor[v1alpha1.PeerRole]():
		if key == "name" {
			return refused
		}
	case reflect.TypeFor[metav1.ObjectMeta]():
		if key == "labels" || key == "annotations" {
			return rendered
		}
	}
	return outer
}

// inHead reports whether a field of an API type belongs to the head of a PeerJob:
// what is read before anything is rendered.
func inHead(typ reflect.Type, key string) bool {
	switch typ {
	case reflect.TypeFor[v1alpha1.PeerJobSpec]():
		return key == "service" || key == "peers" || key == "roles" || treat(typ, key, refused) != rendered
	case reflect.TypeFor[v1alpha1.PeerRole]():
		return key == "name" || key == "peers"
	case reflect.TypeFor[v1alpha1.PeerService]():
		return key == "name"
	case reflect.TypeFor[metav1.ObjectMeta]():
		return treat(typ, key, refused) != rendered
	}
	return true
}

// isTemplate reports whether a node is a text with a template.
func isTemplate(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && strings.Contains(node.Value, "{{") && node.ShortTag() == "!!str"
}

// unquoted returns the template that was written without quotes, as YAML reads it: a map
// in a map, "{{ .Values.image }}". It is "" for any other node.
func unquoted(node *yaml.Node) string {
	if node.Kind != yaml.MappingNode || len(node.Content) == 0 || node.Content[0].Kind != yaml.MappingNode {
		return ""
	}
	outer, inner := node, node.Content[0]
	if outer.Style&yaml.FlowStyle == 0 || inner.Style&yaml.FlowStyle == 0 {
		return ""
	}
	if len(outer.Content) == 2 && len(inner.Content) == 2 && inner.Content[0].Kind == yaml.ScalarNode && inner.Content[1].Value == "" {
		return "{{ " + inner.Content[0].Value + " }}"
	}
	return "{{ ... }}"
}

// quoted is a template in quotes of YAML.
func quoted(template string) string {
	if strings.Contains(template, `"`) {
		return "'" + template + "'"
	}
	return `"` + template + `"`
}

// Peers returns the numbers of peers that are templates, by their path, as they were
// written: spec.peers, and those of roles.
func Peers(node *yaml.Node) map[string]string {
	d := &decoder{headOnly: true, peers: map[string]string{}}
	d.peerJob(node)
	return d.peers
}

// decimal matches an integer as YAML and JSON write it.
var decimal = lazyregexp.New(`^-?(0|[1-9][0-9]*)$`)

// render returns a node with its template rendered, as the field's type wants it: a
// text stays a text, whatever it looks like. It returns the node itself if there is
// nothing to render, and nil if nothing is left of it.
func (d *decoder) render(node *yaml.Node, typ reflect.Type, at *place) (*yaml.Node, bool) {
	if !isTemplate(node) {
		return node, true
	}
	if isStructure(typ) {
		return d.renderStructure(node, typ, at)
	}
	text, err := d.renderer.Render(at.path, node.Value)
	if err != nil {
		return d.failed(err)
	}
	if text == "" && (typ.Kind() != reflect.String || at.item && isBlock(node.Value)) {
		return nil, true
	}
	result := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	switch typ.Kind() {
	case reflect.Int32, reflect.Int64:
		if decimal.MatchString(text) {
			result.Tag = "!!int"
		}
	case reflect.Bool:
		if text == "true" || text == "false" {
			result.Tag = "!!bool"
		}
	case reflect.Struct:
		if typ == reflect.TypeFor[intstr.IntOrString]() && decimal.MatchString(text) {
			result.Tag = "!!int"
		}
	}
	return result, true
}

// isStructure reports whether a type is a list or a map in YAML.
func isStructure(typ reflect.Type) bool {
	switch typ.Kind() {
	case reflect.Map, reflect.Slice:
		return true
	case reflect.Struct:
		return !readsItself(typ)
	}
	return false
}

// block matches a text that is one block, or several: it renders to nothing if a
// condition says so.
var block = lazyregexp.New(`(?s)^\s*\{\{-?\s*(if|with|range)\b.*\{\{-?\s*end\s*-?\}\}\s*$`)

func isBlock(text string) bool { return block.MatchString(text) }

// renderStructure returns the list or the map that stands in place of a template.
// Nothing in it is rendered again.
func (d *decoder) renderStructure(node *yaml.Node, typ reflect.Type, at *place) (*yaml.Node, bool) {
	text := strings.TrimSpace(node.Value)
	switch {
	case typ == reflect.TypeFor[[]v1alpha1.PeerRole](), typ == reflect.TypeFor[v1alpha1.PeerRole]():
		return d.cantRender(node, at.path, describeKind(typ)+"; the names of the peers follow from it, and only values in it may be templates")
	case keepsStructure(typ, at.path):
		return d.cantRender(node, at.path, "a map; only its values may be templates")
	case !strings.HasPrefix(text, "{{") || !strings.HasSuffix(text, "}}"):
		return d.cantRender(node, at.path, describeKind(typ)+`, or one template from "{{" to "}}" that renders to one, such as "{{ toYaml .Values.key }}"`)
	}
	result, err := d.renderer.RenderYAML(at.path, node.Value)
	if err != nil {
		return d.failed(err)
	}
	at.templates = literal
	if result == nil || result.Kind == yaml.MappingNode && typ.Kind() != reflect.Slice || result.Kind == yaml.SequenceNode && typ.Kind() == reflect.Slice {
		return result, true
	}
	hint := "; to render one of the values, write toYaml before it"
	if result.ShortTag() == "!!null" {
		hint = ", or to nothing for an absent field; write {{ with .Values.key }}{{ toYaml . }}{{ end }}"
	} else if strings.Contains(node.Value, "toYaml") || strings.Contains(node.Value, "toJson") {
		hint = ""
	}
	d.errs = append(d.errs, field.Invalid(at.path, describe(result), "must render to "+describeKind(typ)+hint))
	return nil, false
}

func (d *decoder) cantRender(node *yaml.Node, path *field.Path, want string) (*yaml.Node, bool) {
	d.mismatch(node, path, want)
	return nil, false
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
		return d.list(node, reflect.TypeFor[[]any](), at)
	}
	if yamlnode.IsOldWord(node) {
		return d.mismatch(node, at.path, fmt.Sprintf("true, false or a string in quotes; Helm reads this word as %t", yamlnode.MeansTrue(node)))
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
