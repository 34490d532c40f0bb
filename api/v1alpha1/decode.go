// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"
)

const (
	// maxNodes bounds how many YAML nodes one PeerJob may have once its aliases
	// are followed, and maxBytes how much text. No object with more is taken by
	// a server: a request may have 3 MiB.
	maxNodes = 1 << 20
	maxBytes = 3 << 20
	// maxMergeDepth bounds how deep "<<" may stand in "<<".
	maxMergeDepth = 100
)

// Decode reads a PeerJob from a YAML node, strictly: a field that the API does
// not have, a key that stands twice and a value of the wrong type are errors,
// on the path which the user wrote. What could be read is returned all the
// same, so that the rest can be checked in the same run.
//
// The values are read as the API server reads them, by its own decoder
// (sigs.k8s.io/json); what is added is the path of every error, all of the
// errors, and what to write instead.
//
// Templates stay as they are; see [DecodeTemplates].
func Decode(node *yaml.Node) (*PeerJob, field.ErrorList) {
	d := &decoder{}
	return d.peerJob(node), d.errs
}

// peerJob reads a PeerJob, and leaves the errors in the decoder.
func (d *decoder) peerJob(node *yaml.Node) *PeerJob {
	value, _ := d.value(node, reflect.TypeFor[PeerJob](), nil)
	pj := &PeerJob{}
	data, err := json.Marshal(value)
	if err == nil {
		var strict []error
		strict, err = kjson.UnmarshalStrict(data, pj)
		if err == nil && len(strict) > 0 {
			err = strict[0]
		}
	}
	if err != nil {
		d.errs = append(d.errs, field.InternalError(rootPath, err))
	}
	return pj
}

// decoder turns YAML nodes into plain values, as far as they fit a Go type.
type decoder struct {
	errs field.ErrorList
	// nodes and bytes are what was read so far; full says that it is too much.
	nodes, bytes int
	full         bool

	// headOnly leaves out what templates may stand in, but for the name of the
	// Service.
	headOnly bool
	// renderer renders templates, and active is the same while it is read what
	// they may stand in.
	renderer, active Renderer
}

// count counts a node, and reports whether there is still room for it.
func (d *decoder) count(node *yaml.Node, path *field.Path) bool {
	d.nodes++
	d.bytes += len(node.Value)
	if (d.nodes > maxNodes || d.bytes > maxBytes) && !d.full {
		d.full = true
		d.errs = append(d.errs, field.Forbidden(orRoot(path), "the PeerJob is too large: with its YAML aliases followed it has more values than any object can hold"))
	}
	return !d.full
}

// value returns the node as a value that encodes to the JSON of typ, and
// whether there is one. What does not fit is left out and reported.
func (d *decoder) value(node *yaml.Node, typ reflect.Type, path *field.Path) (any, bool) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if !d.count(node, path) {
		return nil, false
	}
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" {
		return nil, true
	}
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if d.active != nil {
		var ok bool
		if node, ok = d.render(node, typ, path); !ok {
			return nil, false
		}
	}
	if reflect.PointerTo(typ).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return d.custom(node, typ, path)
	}
	switch typ.Kind() {
	case reflect.Struct:
		return d.object(node, typ, path)
	case reflect.Map:
		return d.mapping(node, typ.Elem(), path)
	case reflect.Slice:
		return d.list(node, typ.Elem(), path)
	case reflect.String:
		return d.text(node, path)
	case reflect.Bool:
		if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!bool" {
			return d.scalar(node, path)
		}
		return d.mismatch(node, path, "true or false")
	case reflect.Int32, reflect.Int64:
		return d.integer(node, typ, path)
	case reflect.Interface:
		return d.free(node, path)
	}
	d.errs = append(d.errs, field.InternalError(path, fmt.Errorf("no rule for the type %v", typ)))
	return nil, false
}

func (d *decoder) object(node *yaml.Node, typ reflect.Type, path *field.Path) (any, bool) {
	if node.Kind != yaml.MappingNode {
		return d.mismatch(node, path, "a map")
	}
	fields := fieldsOf(typ)
	object := map[string]any{}
	d.entries(node, path, func(key string) *field.Path { return child(path, key) }, func(key string, value *yaml.Node) {
		known, found := fields[key]
		if !found {
			unknown := UnknownField{Name: key, Nearest: nearest(key, fields)}
			d.errs = append(d.errs, &field.Error{
				Type: field.ErrorTypeForbidden, Field: child(path, key).String(), BadValue: unknown,
				Detail: "unknown field" + hint(key, typ, unknown.Nearest),
			})
			return
		}
		if d.headOnly && !inHead(typ, key) {
			return
		}
		if isTemplated(typ, key) {
			d.active = d.renderer
			defer func() { d.active = nil }()
		}
		if v, ok := d.value(value, known.typ, child(path, key)); ok {
			object[key] = v
		}
	})
	return object, true
}

func (d *decoder) mapping(node *yaml.Node, elem reflect.Type, path *field.Path) (any, bool) {
	if node.Kind != yaml.MappingNode {
		return d.mismatch(node, path, "a map")
	}
	object := map[string]any{}
	d.entries(node, path, path.Key, func(key string, value *yaml.Node) {
		if v, ok := d.value(value, elem, path.Key(key)); ok {
			object[key] = v
		}
	})
	return object, true
}

// entries calls visit for every key of a mapping, once: the mapping's own
// first, then those which it merges in with "<<".
func (d *decoder) entries(node *yaml.Node, path *field.Path, at func(string) *field.Path, visit func(string, *yaml.Node)) {
	seen := map[string]bool{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			d.errs = append(d.errs, field.Invalid(orRoot(path), describe(key), "a key must be a string"))
		case key.ShortTag() == "!!merge":
			merged = append(merged, value)
		case !IsPlainKey(key):
			d.errs = append(d.errs, field.Invalid(orRoot(path), describe(key), fmt.Sprintf("a key must be a string; write %q, with the quotes", key.Value)))
		case seen[key.Value]:
			d.errs = append(d.errs, &field.Error{
				Type: field.ErrorTypeDuplicate, Field: at(key.Value).String(), BadValue: key.Value, Detail: "the key stands twice in the same map; keep one",
			})
		default:
			seen[key.Value] = true
			if !d.count(key, path) {
				return
			}
			if d.active != nil && strings.Contains(key.Value, "{{") {
				d.errs = append(d.errs, field.Invalid(orRoot(path), key.Value, "a key is not rendered, only values are; write it out"))
				continue
			}
			visit(key.Value, value)
		}
	}
	for _, source := range merged {
		d.merge(source, path, seen, visit, 0)
	}
}

// oldBoolean matches what kubectl (YAML 1.1) takes for true or false, and
// kustomize (YAML 1.2) for a string.
var oldBoolean = regexp.MustCompile(`^(?i:y|n|yes|no|on|off)$`)

// IsPlainKey reports whether every reader takes a key for the same string: "yes"
// is "true" for kubectl, and "00" is "0".
func IsPlainKey(key *yaml.Node) bool {
	switch key.ShortTag() {
	case "!!str":
		return key.Style != 0 || !oldBoolean.MatchString(key.Value)
	case "!!timestamp":
		return true
	case "!!int":
		n, err := strconv.ParseInt(key.Value, 10, 64)
		return err == nil && strconv.FormatInt(n, 10) == key.Value
	}
	return false
}

// merge visits the keys of a "<<" source that were not seen before.
func (d *decoder) merge(source *yaml.Node, path *field.Path, seen map[string]bool, visit func(string, *yaml.Node), depth int) {
	if source.Kind == yaml.AliasNode {
		source = source.Alias
	}
	if !d.count(source, path) {
		return
	}
	if depth > maxMergeDepth {
		d.errs = append(d.errs, field.Forbidden(orRoot(path), fmt.Sprintf(`"<<" stands more than %d deep in "<<"; write the values out`, maxMergeDepth)))
		return
	}
	switch source.Kind {
	case yaml.SequenceNode:
		for _, item := range source.Content {
			d.merge(item, path, seen, visit, depth+1)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(source.Content); i += 2 {
			key, value := source.Content[i], source.Content[i+1]
			if key.Kind != yaml.ScalarNode || seen[key.Value] || !IsPlainKey(key) && key.ShortTag() != "!!merge" {
				continue
			}
			if key.ShortTag() == "!!merge" {
				d.merge(value, path, seen, visit, depth+1)
				continue
			}
			seen[key.Value] = true
			visit(key.Value, value)
		}
	default:
		d.errs = append(d.errs, field.Invalid(orRoot(path), describe(source), `"<<" must stand before a map or a list of maps`))
	}
}

func (d *decoder) list(node *yaml.Node, elem reflect.Type, path *field.Path) (any, bool) {
	if node.Kind != yaml.SequenceNode {
		return d.mismatch(node, path, "a list")
	}
	// An element that does not fit keeps its place: the indexes of later errors
	// are the user's.
	list := make([]any, 0, len(node.Content))
	for i, item := range node.Content {
		v, _ := d.value(item, elem, path.Index(i))
		list = append(list, v)
	}
	return list, true
}

func (d *decoder) text(node *yaml.Node, path *field.Path) (any, bool) {
	if node.Kind != yaml.ScalarNode {
		return d.mismatch(node, path, "a string")
	}
	switch node.ShortTag() {
	case "!!str", "!!timestamp":
		return node.Value, true
	}
	return d.mismatch(node, path, fmt.Sprintf("a string; write %q, with the quotes", node.Value))
}

func (d *decoder) integer(node *yaml.Node, typ reflect.Type, path *field.Path) (any, bool) {
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!int" {
		var n int64
		if err := node.Decode(&n); err == nil && !reflect.Zero(typ).OverflowInt(n) {
			return n, true
		}
		low, high := int64(-1)<<(typ.Bits()-1), int64(1)<<(typ.Bits()-1)-1
		d.errs = append(d.errs, field.Invalid(path, Literal{node.Value}, fmt.Sprintf("must be between %d and %d", low, high)))
		return nil, false
	}
	want := "an integer"
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str" {
		if n, err := strconv.ParseInt(node.Value, 10, 64); err == nil {
			want += fmt.Sprintf("; write %d, without quotes", n)
		}
	}
	return d.mismatch(node, path, want)
}

// custom leaves the value to a type which reads JSON itself, such as a
// quantity or an int-or-string.
func (d *decoder) custom(node *yaml.Node, typ reflect.Type, path *field.Path) (any, bool) {
	if node.Kind != yaml.ScalarNode {
		return d.mismatch(node, path, "a single value")
	}
	if typ == reflect.TypeFor[resource.Quantity]() && !IsModestNumber(node.Value) {
		return d.mismatch(node, path, "a quantity of a size that a machine can have")
	}
	value, ok := d.scalar(node, path)
	if !ok {
		return nil, false
	}
	data, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(data, reflect.New(typ).Interface())
	}
	if err != nil {
		d.errs = append(d.errs, field.Invalid(path, value, strings.TrimPrefix(err.Error(), "json: ")))
		return nil, false
	}
	return value, true
}

// hugeExponent matches an exponent of three digits or more.
var hugeExponent = regexp.MustCompile(`[eE][-+]?0*[1-9][0-9]{2,}`)

// IsModestNumber reports whether a number can be read in no time: to parse a
// quantity with an exponent of a billion takes minutes.
func IsModestNumber(text string) bool {
	return len(text) <= 64 && !hugeExponent.MatchString(text)
}

// scalar returns the value that YAML sees in a scalar.
func (d *decoder) scalar(node *yaml.Node, path *field.Path) (any, bool) {
	if node.ShortTag() == "!!timestamp" {
		return node.Value, true
	}
	var value any
	if err := node.Decode(&value); err != nil {
		d.errs = append(d.errs, field.Invalid(path, node.Value, err.Error()))
		return nil, false
	}
	return value, true
}

func (d *decoder) mismatch(node *yaml.Node, path *field.Path, want string) (any, bool) {
	if d.renderer == nil && strings.Contains(node.Value, "{{") {
		want += "; to have templates rendered, set spec.templating to Enabled"
	}
	d.errs = append(d.errs, field.Invalid(orRoot(path), describe(node), "must be "+want))
	return nil, false
}

// child is the path of a key in a map, also where the map is the whole object.
func child(path *field.Path, key string) *field.Path {
	if path == nil {
		return field.NewPath(key)
	}
	return path.Child(key)
}

// rootPath stands for the PeerJob as a whole.
var rootPath = field.NewPath("(PeerJob)")

func orRoot(path *field.Path) *field.Path {
	if path == nil {
		return rootPath
	}
	return path
}
