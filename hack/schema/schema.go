// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/apitype"
	"github.com/peerjob/peerjob/internal/decode"
)

// schema is a JSON Schema, as far as this one needs it.
type schema struct {
	Schema               string             `json:"$schema,omitempty"`
	ID                   string             `json:"$id,omitempty"`
	Comment              string             `json:"$comment,omitempty"`
	Ref                  string             `json:"$ref,omitempty"`
	Title                string             `json:"title,omitempty"`
	Description          string             `json:"description,omitempty"`
	Type                 any                `json:"type,omitempty"`
	Default              any                `json:"default,omitempty"`
	Enum                 []string           `json:"enum,omitempty"`
	Pattern              string             `json:"pattern,omitempty"`
	MaxLength            int                `json:"maxLength,omitempty"`
	Minimum              *int64             `json:"minimum,omitempty"`
	Maximum              *int64             `json:"maximum,omitempty"`
	AllOf                []*schema          `json:"allOf,omitempty"`
	AnyOf                []*schema          `json:"anyOf,omitempty"`
	Items                *schema            `json:"items,omitempty"`
	Required             []string           `json:"required,omitempty"`
	Properties           map[string]*schema `json:"properties,omitempty"`
	AdditionalProperties any                `json:"additionalProperties,omitempty"`
	Definitions          map[string]*schema `json:"definitions,omitempty"`

	// What only a CustomResourceDefinition has.
	IntOrString bool `json:"x-kubernetes-int-or-string,omitempty"`
	AnyFields   bool `json:"x-kubernetes-preserve-unknown-fields,omitempty"`
}

// The definitions that are no types of the API.
const (
	// templateText is a text with a template, in place of a single value.
	templateText = "templateText"
	// template is one template, in place of a list or a map.
	template = "template"
	// unset is what is read as if it were not there.
	unset = "unset"
)

// walker makes the schema, with a definition for each struct. A value may be null, as in
// every schema of Kubernetes: it is read as if it were not there.
type walker struct {
	source      *source
	definitions map[string]*schema
	// types are the types of the definitions, so that no two of them share a name.
	types map[string]reflect.Type
}

// peerJob returns the schema of a PeerJob.
func peerJob(source *source) (*schema, error) {
	w := &walker{source: source, types: map[string]reflect.Type{}, definitions: map[string]*schema{
		templateText: {
			Description: "A text with a Go template, which spec.templating: Enabled renders.",
			Type:        "string", Pattern: `\{\{`,
		},
		template: {
			Description: "One Go template that renders to a list or a map, which spec.templating: Enabled renders.",
			Type:        "string", Pattern: `^\s*\{\{[\s\S]*\}\}\s*$`,
		},
		unset: {Type: []string{"string", "null"}, Pattern: "^$"},
	}}
	root, err := w.object(reflect.TypeFor[v1alpha1.PeerJob](), decode.Place{})
	if err != nil {
		return nil, err
	}
	root.Type = "object"
	root.Schema = "http://json-schema.org/draft-07/schema#"
	root.ID = id
	root.Comment = `Written by "make generate" from api/v1alpha1/types*.go; change it there.`
	root.Title = v1alpha1.Kind
	root.Definitions = w.definitions
	return root, nil
}

// object returns the schema of a struct.
func (w *walker) object(typ reflect.Type, at decode.Place) (*schema, error) {
	object := &schema{Type: []string{"object", "null"}, Properties: map[string]*schema{}, AdditionalProperties: false}
	var err error
	if object.Description, err = w.source.describe(typ); err != nil {
		return nil, err
	}
	for _, f := range apitype.Of(typ).Fields {
		about, err := w.source.field(typ, f)
		if err != nil {
			return nil, err
		}
		inner, err := w.value(elem(f.Type), at.Child(typ, f.Name, elem(f.Type)), about)
		if err != nil {
			return nil, err
		}
		inner.Description, inner.Default = about.description, about.defaultLiteral
		object.Properties[f.Name] = inner
		object.require(about, f.Name)
	}
	return object, nil
}

// require adds a field that must be there, if another one is not. Fields of a struct that are
// required without another one are so without the same one.
func (s *schema) require(about *says, name string) {
	switch {
	case about.required:
		s.Required = append(s.Required, name)
	case about.without != "" && s.AnyOf == nil:
		s.AnyOf = []*schema{{Required: []string{name}}, {Required: []string{about.without}}}
	case about.without != "":
		s.AnyOf[0].Required = append(s.AnyOf[0].Required, name)
	}
}

// describe returns what is said of a struct.
func (s *source) describe(typ reflect.Type) (string, error) {
	if !isOurs(typ) {
		return s.published[publishedName(typ)].Description, nil
	}
	p, err := s.of(typ)
	if err != nil {
		return "", err
	}
	return p.types[typ.Name()], nil
}

// reference returns a schema that refers to the definition of a struct.
func (w *walker) reference(typ reflect.Type, at decode.Place) (*schema, error) {
	name := typ.Name()
	if !at.Rendered() && !isOurs(typ) {
		name += v1alpha1.Kind // apart from the same type in a Pod template
	}
	if known, found := w.types[name]; found && known != typ {
		return nil, fmt.Errorf("both %v and %v are called %s", known, typ, name)
	} else if !found {
		w.types[name] = typ
		w.definitions[name] = nil // in the making: a type may have itself in it
		object, err := w.object(typ, at)
		if err != nil {
			return nil, err
		}
		if typ == reflect.TypeFor[metav1.ObjectMeta]() && !at.Rendered() {
			nameOf(object)
		}
		w.definitions[name] = object
	}
	return &schema{Ref: "#/definitions/" + name}, nil
}

// nameOf says what the comment of PeerJob.metadata says of the name.
func nameOf(metadata *schema) {
	label := textForms[0]
	metadata.Required = []string{"name"}
	metadata.Properties["name"].Pattern, metadata.Properties["name"].MaxLength = label.pattern, label.maxLength
}

// value returns the schema of a value, with the template that may stand in its place.
func (w *walker) value(typ reflect.Type, at decode.Place, about *says) (*schema, error) {
	plain, alternative, err := w.plain(typ, at, about)
	if err != nil {
		return nil, err
	}
	if alternative == template && !at.TemplateInPlace() || alternative == templateText && !at.Rendered() {
		alternative = ""
	}
	forms := []*schema{plain}
	if (len(plain.Enum) > 0 || plain.Pattern != "") && !about.required {
		forms = append(forms, &schema{Ref: "#/definitions/" + unset})
	}
	if alternative != "" {
		forms = append(forms, &schema{Ref: "#/definitions/" + alternative})
	}
	switch {
	case len(forms) > 1:
		return &schema{AnyOf: forms}, nil
	case plain.Ref != "":
		return &schema{AllOf: forms}, nil // so that the field may have a description
	}
	return plain, nil
}

// quantityPattern is that of apimachinery, which trims spaces.
const quantityPattern = `^\s*[+-]?[0-9.]+([eEinumkKMGTP]*[-+]?[0-9]*)\s*$`

// plain returns the schema of a value that is no template, and which template may stand
// in its place; "" is none.
func (w *walker) plain(typ reflect.Type, at decode.Place, about *says) (*schema, string, error) {
	orNull := func(types ...string) any { return append(types, "null") }
	switch typ {
	case reflect.TypeFor[resource.Quantity]():
		return &schema{Type: orNull("string", "number"), Pattern: quantityPattern}, templateText, nil
	case reflect.TypeFor[metav1.Time]():
		return &schema{Type: orNull("string")}, "", nil
	case reflect.TypeFor[intstr.IntOrString]():
		return &schema{Type: orNull("string", "integer"), Minimum: about.minimum, Maximum: about.maximum}, "", nil
	}
	if reflect.PointerTo(typ).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return &schema{}, "", nil // the server sets it
	}
	switch typ.Kind() {
	case reflect.Struct:
		reference, err := w.reference(typ, at)
		return reference, template, err
	case reflect.Slice, reflect.Map:
		about, err := w.source.element(typ)
		if err != nil {
			return nil, "", err
		}
		inner, err := w.value(elem(typ.Elem()), at.Element(elem(typ.Elem())), about)
		if typ.Kind() == reflect.Slice {
			return &schema{Type: orNull("array"), Items: inner}, template, err
		}
		return &schema{Type: orNull("object"), AdditionalProperties: inner}, template, err
	case reflect.String:
		text := &schema{Enum: about.enum, Pattern: about.pattern, MaxLength: about.maxLength}
		if text.Enum != nil {
			return text, templateText, nil
		}
		text.Type = orNull("string")
		if text.Pattern == "" {
			return text, "", nil // a template is a text, too
		}
		return text, templateText, nil
	case reflect.Bool:
		return &schema{Type: orNull("boolean")}, templateText, nil
	case reflect.Int32, reflect.Int64:
		return &schema{Type: orNull("integer"), Minimum: about.minimum, Maximum: about.maximum}, templateText, nil
	case reflect.Interface:
		return &schema{}, "", nil
	}
	return nil, "", fmt.Errorf("no rule for the type %v", typ)
}
