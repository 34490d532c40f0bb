// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/apitype"
)

// definition returns a CustomResourceDefinition that no server takes: no version of it is
// stored.
func definition(root *schema) any {
	type object = map[string]any
	return object{
		"apiVersion": "apiextensions.k8s.io/v1",
		"kind":       "CustomResourceDefinition",
		"metadata": object{
			"name":        "peerjobs." + v1alpha1.Group,
			"annotations": object{v1alpha1.Group + "/never-apply": "a PeerJob is expanded before anything is applied, and this is only for tools that read schemas"},
		},
		"spec": object{
			"group": v1alpha1.Group,
			"names": object{"kind": v1alpha1.Kind, "listKind": v1alpha1.Kind + "List", "plural": "peerjobs", "singular": "peerjob"},
			"scope": "Namespaced",
			"versions": []object{{
				"name": v1alpha1.Version, "served": false, "storage": false,
				"schema": object{"openAPIV3Schema": root},
			}},
		},
	}
}

// inliner makes the schema that a CustomResourceDefinition may have: without definitions,
// alternatives and templates, and of what is Kubernetes' own only the first sentence.
type inliner struct{ source *source }

func (n *inliner) peerJob() (*schema, error) {
	root, err := n.value(reflect.TypeFor[v1alpha1.PeerJob](), &says{})
	if err != nil {
		return nil, err
	}
	// The server has a schema of metadata, and takes no other one.
	root.Properties["metadata"] = &schema{Type: "object"}
	root.Required = []string{"spec"}
	return root, nil
}

func (n *inliner) value(typ reflect.Type, about *says) (*schema, error) {
	s := &schema{Enum: about.enum, Pattern: about.pattern, MaxLength: about.maxLength, Minimum: about.minimum, Maximum: about.maximum}
	switch typ {
	case reflect.TypeFor[resource.Quantity]():
		return &schema{IntOrString: true, Pattern: quantityPattern}, nil
	case reflect.TypeFor[intstr.IntOrString]():
		return &schema{IntOrString: true}, nil
	case reflect.TypeFor[metav1.Time]():
		return &schema{Type: "string"}, nil
	}
	if reflect.PointerTo(typ).Implements(reflect.TypeFor[json.Unmarshaler]()) || typ.Kind() == reflect.Interface {
		return &schema{AnyFields: true}, nil
	}
	switch typ.Kind() {
	case reflect.Struct:
		return n.object(typ)
	case reflect.Slice, reflect.Map:
		about, err := n.source.element(typ)
		if err != nil {
			return nil, err
		}
		element, err := n.value(elem(typ.Elem()), about)
		if typ.Kind() == reflect.Slice {
			return &schema{Type: "array", Items: element}, err
		}
		return &schema{Type: "object", AdditionalProperties: element}, err
	case reflect.String:
		s.Type = "string"
	case reflect.Bool:
		s.Type = "boolean"
	case reflect.Int32, reflect.Int64:
		s.Type = "integer"
	default:
		return nil, fmt.Errorf("no rule for the type %v", typ)
	}
	return s, nil
}

func (n *inliner) object(typ reflect.Type) (*schema, error) {
	object := &schema{Type: "object", Properties: map[string]*schema{}}
	for _, f := range apitype.Of(typ).Fields {
		about, err := n.source.field(typ, f)
		if err != nil {
			return nil, err
		}
		inner, err := n.value(elem(f.Type), about)
		if err != nil {
			return nil, err
		}
		inner.Description = about.description
		if !isOurs(typ) {
			inner.Description = firstSentence(about.description)
		}
		object.Properties[f.Name] = inner
		object.require(about, f.Name)
	}
	return object, nil
}

var sentence = regexp.MustCompile(`^[\s\S]*?[.:](?:\s|$)`)

// firstSentence shortens what Kubernetes says of a field to what it says first.
func firstSentence(text string) string {
	if first := sentence.FindString(text); first != "" {
		return first[:len(first)-1]
	}
	return text
}
