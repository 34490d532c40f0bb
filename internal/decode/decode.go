// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/apitype"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

const (
	// maxNodes bounds how many YAML nodes one PeerJob may have once its aliases
	// are followed, and maxBytes how much text. No object with more is taken by
	// a server: a request may have 3 MiB.
	maxNodes = 1 << 20
	maxBytes = 3 << 20
	// maxAliased bounds how many of them may be below aliases: a few lines can make
	// millions, and no PeerJob needs as many.
	maxAliased = 50_000
	// maxMergeDepth bounds how deep "<<" may stand in "<<".
	maxMergeDepth = 100
)

// PeerJob reads a PeerJob. With a renderer it renders the templates in its string
// values before it reads them, and refuses those in fields that are needed before
// anything is rendered; without one every template stays as it is. It returns what it could read beside
// the errors, so that the rest can be checked in the same run.
func PeerJob(node *yaml.Node, renderer Renderer) (*v1alpha1.PeerJob, field.ErrorList) {
	d := &decoder{renderer: renderer}
	return d.peerJob(node), d.errs
}

// Head reads what a PeerJob says outside of the fields that are rendered, and
// spec.service.name as it was written. If a number of peers is a template (see [Peers]),
// there is one peer.
func Head(node *yaml.Node) (*v1alpha1.PeerJob, field.ErrorList) {
	d := &decoder{headOnly: true}
	return d.peerJob(node), d.errs
}

// Texts calls visit for every string field of a PeerJob, with its text as it was
// written.
func Texts(node *yaml.Node, visit func(path *field.Path, text string)) {
	d := &decoder{visit: visit}
	d.peerJob(node)
}

// peerJob reads a PeerJob, and leaves the errors in the decoder.
func (d *decoder) peerJob(node *yaml.Node) *v1alpha1.PeerJob {
	value, _ := d.value(node, reflect.TypeFor[v1alpha1.PeerJob](), place{})
	pj := &v1alpha1.PeerJob{}
	if err := assign(reflect.ValueOf(pj).Elem(), value); err != nil {
		d.errs = append(d.errs, field.InternalError(rootPath, err))
	}
	return pj
}

// decoder turns YAML nodes into plain values, as far as they fit a Go type.
type decoder struct {
	// headOnly leaves out what may have templates.
	headOnly bool
	// peers gets the numbers of peers that are templates, by their path; nil wants none.
	peers map[string]string
	// renderer renders templates; nil leaves them as they are.
	renderer Renderer
	// visit gets every text that is left as it is; nil wants none.
	visit func(path *field.Path, text string)

	// what is what an error calls the whole; "" is a PeerJob.
	what string

	errs field.ErrorList
	// nothing says that the value that was read last rendered to nothing.
	nothing bool
	// nodes and bytes are what was read so far; full says that it is too much.
	nodes, bytes int
	full         bool
	// aliased is how many nodes below aliases were read, and inAlias below how many aliases
	// the one is that is read now.
	aliased, inAlias int
}

// place is where a value stands.
type place struct {
	// path is nil for the PeerJob as a whole.
	path *field.Path
	// templates is what happens to templates here.
	templates treatment
	// item says that this is an element of a list.
	item bool
	// limits are the bounds that the API sets for a number here, nil for those of
	// its type.
	limits *limits
}

func (p place) child(key string) place {
	return place{path: child(p.path, key), templates: p.templates}
}

func (p place) key(key string) place {
	return place{path: p.path.Key(key), templates: p.templates}
}

func (p place) index(i int) place {
	return place{path: p.path.Index(i), templates: p.templates, item: true}
}

// count counts a node, and reports whether there is still room for it.
func (d *decoder) count(node *yaml.Node, path *field.Path) bool {
	d.nodes++
	d.bytes += len(node.Value)
	if d.inAlias > 0 {
		d.aliased++
	}
	if d.aliased > maxAliased && !d.full {
		d.full = true
		d.errs = append(d.errs, field.Forbidden(orRoot(path), fmt.Sprintf("the aliases of the YAML stand for more than %d values; write fewer", maxAliased)))
	}
	if (d.nodes > maxNodes || d.bytes > maxBytes) && !d.full {
		d.full = true
		d.errs = append(d.errs, field.Forbidden(orRoot(path), "the "+cmp.Or(d.what, "PeerJob")+" is too large: with its YAML aliases followed it has more values than any object can hold"))
	}
	return !d.full
}

// value returns the node as a value that encodes to the JSON of typ, and
// whether there is one. What does not fit is left out and reported.
func (d *decoder) value(node *yaml.Node, typ reflect.Type, at place) (any, bool) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
		d.inAlias++
		defer func() { d.inAlias-- }()
	}
	if !d.count(node, at.path) {
		return nil, false
	}
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" {
		return nil, true
	}
	if template := unquoted(node); template != "" {
		if !d.headOnly {
			cure := "in quotes, because a template is the text of one field; write " + quoted(template)
			if yamlnode.IsOfHelm(template) {
				cure = "rendered by Helm first: helm template CHART | peerjob expand -"
			}
			d.mismatch(&yaml.Node{Kind: yaml.ScalarNode, Value: template}, at.path, cure)
		}
		return nil, false
	}
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if d.headOnly && at.path != nil && IsPeersPath(at.path.String()) && isTemplate(node) {
		if d.peers != nil {
			d.peers[at.path.String()] = node.Value
		}
		return 1, true
	}
	if d.renderer != nil && at.templates == rendered {
		var ok bool
		if node, ok = d.render(node, typ, &at); !ok {
			return nil, false
		}
		if d.nothing = node == nil; d.nothing {
			return nil, false
		}
	} else if (d.renderer != nil || d.headOnly) && at.templates == refused && isTemplate(node) {
		d.errs = append(d.errs, field.Invalid(at.path, node.Value, "is not rendered, because templates need it; write it out, or patch it in an overlay"))
		return nil, false
	}
	if typ == reflect.TypeFor[intstr.IntOrString]() && node.Kind == yaml.ScalarNode && node.ShortTag() == "!!int" {
		return d.integer(node, reflect.TypeFor[int32](), at)
	}
	if readsItself(typ) {
		return d.custom(node, typ, at.path)
	}
	switch typ.Kind() {
	case reflect.Struct:
		return d.object(node, typ, at)
	case reflect.Map:
		return d.mapping(node, typ.Elem(), at)
	case reflect.Slice:
		return d.list(node, typ, at)
	case reflect.String:
		return d.text(node, typ, at.path)
	case reflect.Bool:
		if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!bool" {
			return d.scalar(node, at.path)
		}
		want := "true or false"
		if plain := unquotedText(node); saysYes(plain) || saysNo(plain) {
			want += fmt.Sprintf("; write %t, without quotes", saysYes(plain))
		}
		return d.mismatch(node, at.path, want)
	case reflect.Int32, reflect.Int64:
		return d.integer(node, typ, at)
	case reflect.Interface:
		return d.free(node, at)
	}
	d.errs = append(d.errs, field.InternalError(at.path, fmt.Errorf("no rule for the type %v", typ)))
	return nil, false
}

func (d *decoder) object(node *yaml.Node, typ reflect.Type, at place) (any, bool) {
	if node.Kind != yaml.MappingNode {
		return d.mismatch(node, at.path, "a map"+write(node, typ, at.path))
	}
	fields := apitype.Of(typ)
	object := map[string]any{}
	d.entries(node, at, place.child, func(key string, value *yaml.Node) {
		known, found := fields.Place(key)
		if !found {
			unknown := diag.UnknownField{Name: key, Nearest: nearest(key, typ), Belongs: belongs(key, typ)}
			why := hint(key, typ, unknown.Nearest)
			unknown.Unclear = why == "" && !hasHints(typ)
			d.errs = append(d.errs, &field.Error{
				Type: field.ErrorTypeForbidden, Field: at.child(key).path.String(), BadValue: unknown,
				Detail: "unknown field" + why,
			})
			return
		}
		if d.headOnly && !inHead(typ, key) {
			return
		}
		inner := at.child(key)
		inner.templates = treat(typ, key, at.templates)
		inner.limits = limitsOf[limited{typ, key}]
		if v, ok := d.value(value, fields.Fields[known].Type, inner); ok {
			object[key] = v
		}
	})
	return object, true
}

func (d *decoder) mapping(node *yaml.Node, elem reflect.Type, at place) (any, bool) {
	if node.Kind != yaml.MappingNode {
		return d.mismatch(node, at.path, "a map")
	}
	object := map[string]any{}
	d.entries(node, at, place.key, func(key string, value *yaml.Node) {
		if v, ok := d.value(value, elem, at.key(key)); ok {
			object[key] = v
		}
	})
	return object, true
}

// entries calls visit for every key of a mapping, once: the mapping's own
// first, then those that it merges in with "<<".
func (d *decoder) entries(node *yaml.Node, at place, inner func(place, string) place, visit func(string, *yaml.Node)) {
	path := at.path
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
		case !yamlnode.IsPlainKey(key):
			d.errs = append(d.errs, field.Invalid(orRoot(path), describe(key), wantedKey(key)))
		case seen[key.Value]:
			d.errs = append(d.errs, &field.Error{
				Type: field.ErrorTypeDuplicate, Field: inner(at, key.Value).path.String(), BadValue: key.Value, Detail: "duplicate key; keep one",
			})
		default:
			seen[key.Value] = true
			if !d.count(key, path) {
				return
			}
			if at.templates != literal && d.renderer != nil && strings.Contains(key.Value, "{{") {
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

// merge visits the keys of a "<<" source that were not seen before.
func (d *decoder) merge(source *yaml.Node, path *field.Path, seen map[string]bool, visit func(string, *yaml.Node), depth int) {
	if source.Kind == yaml.AliasNode {
		source = source.Alias
		d.inAlias++
		defer func() { d.inAlias-- }()
	}
	if !d.count(source, path) {
		return
	}
	if depth > maxMergeDepth {
		d.errs = append(d.errs, field.Forbidden(orRoot(path), fmt.Sprintf(`"<<" is nested more than %d deep; write the values out`, maxMergeDepth)))
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
			if key.Kind != yaml.ScalarNode || seen[key.Value] || !yamlnode.IsPlainKey(key) && key.ShortTag() != "!!merge" {
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

// apiPackage is that of the types of a PeerJob.
var apiPackage = reflect.TypeFor[v1alpha1.PeerJob]().PkgPath()

func isNull(node *yaml.Node) bool {
	node = yamlnode.Resolve(node)
	return node != nil && node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

func (d *decoder) list(node *yaml.Node, typ reflect.Type, at place) (any, bool) {
	if node.Kind != yaml.SequenceNode {
		return d.mismatch(node, at.path, "a list"+write(node, typ, at.path))
	}
	// An element that does not fit keeps its place: the indexes of later errors
	// are the user's. One whose template renders to nothing is left out.
	list := make([]any, 0, len(node.Content))
	for i, item := range node.Content {
		d.nothing = false
		if example := forms[typ.Elem()].example; typ.Elem().PkgPath() == apiPackage && example != "" && isNull(item) {
			d.errs = append(d.errs, field.Required(at.index(i).path, "the element is empty; remove it, or write "+example))
		}
		v, ok := d.value(item, typ.Elem(), at.index(i))
		if !ok && d.nothing {
			continue
		}
		list = append(list, v)
	}
	return list, true
}

func (d *decoder) text(node *yaml.Node, typ reflect.Type, path *field.Path) (any, bool) {
	if node.Kind != yaml.ScalarNode {
		return d.mismatch(node, path, wantedText(node, path))
	}
	switch node.ShortTag() {
	case "!!str", "!!timestamp":
		if d.visit != nil {
			d.visit(path, node.Value)
		}
		return node.Value, true
	}
	if typ == reflect.TypeFor[v1alpha1.Toggle]() {
		want := fmt.Sprintf("%s or %s", v1alpha1.Enabled, v1alpha1.Disabled)
		if saysYes(node) {
			want += fmt.Sprintf("; write %s", v1alpha1.Enabled)
		} else if saysNo(node) {
			want += fmt.Sprintf("; write %s", v1alpha1.Disabled)
		}
		return d.mismatch(node, path, want)
	}
	return d.mismatch(node, path, wantedText(node, path))
}

func (d *decoder) integer(node *yaml.Node, typ reflect.Type, at place) (any, bool) {
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!int" {
		n, err := strconv.ParseInt(node.Value, 10, 64)
		if err != nil || len(node.Value) > 1 && strings.Trim(node.Value[:1], "123456789") != "" {
			err = node.Decode(&n) // it has a sign or a base
		}
		if err == nil && !reflect.Zero(typ).OverflowInt(n) {
			return n, true
		}
		bounds := limits{int64(-1) << (typ.Bits() - 1), int64(1)<<(typ.Bits()-1) - 1}
		if at.limits != nil {
			bounds = *at.limits
		}
		d.errs = append(d.errs, field.Invalid(at.path, diag.Literal{Text: node.Value}, fmt.Sprintf("must be between %d and %d", bounds.least, bounds.most)))
		return nil, false
	}
	want := "an integer"
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str" {
		if plain := plainInteger(node.Value); plain != "" {
			want += fmt.Sprintf("; write %s, without quotes", plain)
		} else if path := at.path.String(); strings.Contains(path[strings.LastIndex(path, ".")+1:], "Seconds") {
			if plain := seconds(node.Value); plain != "" {
				want += "; write " + plain
			}
		}
	}
	return d.mismatch(node, at.path, want)
}

// custom leaves the value to a type that reads JSON itself, such as a
// quantity or an int-or-string.
func (d *decoder) custom(node *yaml.Node, typ reflect.Type, path *field.Path) (any, bool) {
	if node.Kind != yaml.ScalarNode {
		return d.mismatch(node, path, "a single value")
	}
	if typ == reflect.TypeFor[resource.Quantity]() && !yamlnode.IsModestNumber(node.Value) {
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
	if err != nil && typ == reflect.TypeFor[resource.Quantity]() {
		return d.mismatch(node, path, wantedQuantity(node.Value))
	}
	if err != nil {
		d.errs = append(d.errs, field.Invalid(path, value, strings.TrimPrefix(err.Error(), "json: ")))
		return nil, false
	}
	return value, true
}

// scalar returns the value that YAML sees in a scalar.
func (d *decoder) scalar(node *yaml.Node, path *field.Path) (any, bool) {
	switch tag := node.ShortTag(); {
	case tag == "!!timestamp", tag == "!!str":
		return node.Value, true
	case tag == "!!bool" && node.Value == "true":
		return true, true
	case tag == "!!bool" && node.Value == "false":
		return false, true
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

// peersPath matches the paths of numbers of peers.
var peersPath = lazyregexp.New(`^spec\.(?:roles\[\d+\]\.)?peers$`)

// IsPeersPath reports whether a path is that of a number of peers, of the PeerJob or of a
// role.
func IsPeersPath(path string) bool { return peersPath.MatchString(path) }

// rootPath stands for the PeerJob as a whole.
var rootPath = field.NewPath("(PeerJob)")

func orRoot(path *field.Path) *field.Path {
	if path == nil {
		return rootPath
	}
	return path
}

// describe is how an error shows a node: a scalar as the user wrote it, and of
// anything larger only what it is.
func describe(node *yaml.Node) any {
	switch node.Kind {
	case yaml.MappingNode:
		return diag.Literal{Text: "{...}"}
	case yaml.SequenceNode:
		return diag.Literal{Text: "[...]"}
	}
	if node.ShortTag() == "!!str" {
		return node.Value
	}
	return diag.Literal{Text: node.Value}
}
