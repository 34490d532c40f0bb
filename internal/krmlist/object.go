// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"bytes"
	"cmp"
	"maps"
	"path"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/krmlist/scan"
	"github.com/peerjob/peerjob/internal/manifest"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// The annotations that say where an object is on disk. Both forms are in use, and
// kustomize and kpt require that they agree.
const (
	PathAnnotation        = "internal.config.kubernetes.io/path"
	IndexAnnotation       = "internal.config.kubernetes.io/index"
	LegacyPathAnnotation  = "config.kubernetes.io/path"
	LegacyIndexAnnotation = "config.kubernetes.io/index"

	// PackagePathAnnotation is the folder of the kpt package; the path is
	// relative to it.
	PackagePathAnnotation = "internal.config.kubernetes.io/package-path"

	// previousNamesAnnotation holds the names an object had before kustomize's
	// prefixes and suffixes, separated by commas.
	previousNamesAnnotation = "internal.config.kubernetes.io/previousNames"

	// kustomizeIDAnnotation is on every object that kustomize sends to a
	// transformer or a validator.
	kustomizeIDAnnotation = "kustomize.config.k8s.io/id"
)

// Object is one item of a list, or one document of a file: its YAML, and the
// little that must be known of any object. Whatever is missing or is no string is
// "": any item must pass through.
type Object struct {
	// APIVersion, Kind, Namespace and Name are those of the object.
	APIVersion, Kind, Namespace, Name string
	// Ambiguous is a key that is in the object twice, of those that say what it is; ""
	// where none is.
	Ambiguous string
	// Annotations are those that were wanted of the Reader, and maybe others.
	Annotations map[string]string

	// Package tells kpt packages apart: two of them may have the same names.
	Package string
	// File is the path of the object in its package, "" when that is not known, and
	// Index is its index among the documents of the file.
	File  string
	Index int
	// Line is the line of the file that its document begins in, from 1 on; 0 if it is
	// of no file.
	Line int
	// ShownFile is the path in messages: from the folder of the topmost package.
	ShownFile string

	body body
}

// NewParsed returns the object of a parsed item. The item may be an alias.
func NewParsed(item *yaml.Node) *Object {
	o := &Object{Annotations: map[string]string{}}
	o.APIVersion = yamlnode.Text(yamlnode.Get(item, "apiVersion"))
	o.Kind = yamlnode.Text(yamlnode.Get(item, "kind"))
	for _, key := range []string{"apiVersion", "kind", "metadata"} {
		if yamlnode.Count(item, key) > 1 {
			o.Ambiguous = key
		}
	}
	metadata := yamlnode.Get(item, "metadata")
	o.Name = yamlnode.Text(yamlnode.Get(metadata, "name"))
	o.Namespace = yamlnode.Text(yamlnode.Get(metadata, "namespace"))
	yamlnode.EachEntry(yamlnode.Get(metadata, "annotations"), func(key string, value *yaml.Node) {
		o.Annotations[key] = yamlnode.Text(value)
	})
	body := &parsedItem{tree: yamlnode.Resolve(item)}
	if item.Kind == yaml.AliasNode {
		body.alias = item
	}
	o.body = body
	o.readPosition()
	return o
}

// newConfig returns the object of a functionConfig, nil when there is none.
func newConfig(node *yaml.Node) *Object {
	if node == nil {
		return nil
	}
	return NewParsed(node)
}

// NewMade returns the object of a typed one, which must have its apiVersion and
// kind, in the package of the object that it was made for.
func NewMade(typed kinds.Object, pkg string) *Object {
	apiVersion, kind := typed.GetObjectKind().GroupVersionKind().ToAPIVersionAndKind()
	return &Object{
		APIVersion: apiVersion, Kind: kind, Namespace: typed.GetNamespace(), Name: typed.GetName(),
		Annotations: maps.Clone(typed.GetAnnotations()),
		Package:     pkg,
		body:        &made{typed: typed},
	}
}

// Pack brings an object that peerjob made into text form, where it can, and lets go of the
// typed one: it is the largest part of what a PeerJob costs in memory. If someone asks for
// the node of the object, again makes the typed one once more.
func (o *Object) Pack(again func() kinds.Object) {
	b, ok := o.body.(*made)
	if !ok || b.tree != nil {
		return
	}
	if text, ok := manifest.Write(b.typed); ok {
		o.body = &made{again: again, packed: text}
	}
}

// readPosition reads from the annotations where the object is.
func (o *Object) readPosition() {
	o.Package = o.Annotations[PackagePathAnnotation]
	if o.File = o.Annotations[PathAnnotation]; o.File == "" {
		o.File = o.Annotations[LegacyPathAnnotation]
	}
	index, found := o.Annotations[IndexAnnotation]
	if !found {
		index = o.Annotations[LegacyIndexAnnotation]
	}
	if index != "" {
		o.Index, _ = strconv.Atoi(index)
	}
}

// Node returns the object as YAML. Change it only with the methods of Object.
func (o *Object) Node() *yaml.Node { return o.body.node() }

// Text is the object as it was read, nil for one that must be encoded to tell.
func (o *Object) Text() []byte { return o.body.text() }

// Mentions reports whether an object may say a word: its text has it, or must be
// encoded to tell.
func (o *Object) Mentions(word string) bool {
	text := o.Text()
	return text == nil || bytes.Contains(text, []byte(word))
}

// Layers returns the prefixes and suffixes that kustomize gave to the name of the
// object, from the innermost layer to the outermost.
func (o *Object) Layers() (prefixes, suffixes []string) {
	split := func(key string) []string {
		if o.Annotations[key] == "" {
			return nil
		}
		return strings.Split(o.Annotations[key], ",")
	}
	return split(prefixesAnnotation), split(suffixesAnnotation)
}

// Parser returns what parses the object as it was read once more, nil for one that is
// parsed only once.
func (o *Object) Parser() func() *yaml.Node {
	item, ok := o.body.(*textItem)
	if !ok {
		return nil
	}
	return func() *yaml.Node { return must(scan.Parse(item.item.Body())) }
}

// Forget frees the node of an object that can be parsed again.
func (o *Object) Forget() {
	if item, ok := o.body.(*textItem); ok {
		item.tree = nil
	}
}

// Replace puts the object in the place of an existing one: into its file, below
// its comments, with its annotations. The tree is the YAML of the object then.
func (o *Object) Replace(existing *Object, tree *yaml.Node) {
	o.body = &edited{tree: tree, replaces: replacedItem(existing.body)}
	o.Package, o.File, o.Index, o.Annotations = existing.Package, existing.File, existing.Index, existing.Annotations
}

// Locate finds the packages of objects and what messages call their files.
func Locate(objects []*Object) {
	findPackages(objects)
	nameFiles(objects)
}

// nameFiles sets how messages call the files of objects. In a kustomize build the
// path is one that kustomize made up: there is no such file.
func nameFiles(objects []*Object) {
	top := ""
	for _, o := range objects {
		if pkg := o.Annotations[PackagePathAnnotation]; pkg != "" && (top == "" || len(pkg) < len(top)) {
			top = pkg
		}
	}
	for _, o := range objects {
		if o.InKustomize() || o.File == "" {
			continue
		}
		below := strings.TrimPrefix(strings.TrimPrefix(o.Annotations[PackagePathAnnotation], top), "/")
		o.ShownFile = path.Join(below, o.File)
	}
}

// findPackages gives a package to objects that have none, as in "kpt fn eval": the
// nearest folder above them with a Kptfile.
func findPackages(objects []*Object) {
	folders := map[string]bool{}
	for _, o := range objects {
		if o.Kind == "Kptfile" && o.Package == "" && o.File != "" {
			folders[path.Dir(o.File)] = true
		}
	}
	for _, o := range objects {
		if o.Package != "" || o.File == "" {
			continue
		}
		for dir := path.Dir(o.File); dir != "." && dir != "/"; dir = path.Dir(dir) {
			if folders[dir] {
				o.Package = dir
				break
			}
		}
	}
}

// Group returns the API group of an object, "" for the core group.
func (o *Object) Group() string {
	group, _, found := strings.Cut(o.APIVersion, "/")
	if !found {
		return ""
	}
	return group
}

// Identity is what two objects can't have in common.
type Identity struct {
	pkg, group, kind, namespace, name string
}

// Identity returns the identity of the object.
func (o *Object) Identity() Identity {
	return Identity{o.Package, o.Group(), o.Kind, o.Namespace, o.Name}
}

// DefaultIdentity returns the identity that the object has where none is the namespace
// default: in kustomize, and in a cluster that kubectl's context gives no other.
func (o *Object) DefaultIdentity() Identity {
	id := o.Identity()
	id.namespace = cmp.Or(id.namespace, "default")
	return id
}

// InKustomize reports whether the object comes from a kustomize build. It has no file
// then, and nobody has applied it yet.
func (o *Object) InKustomize() bool {
	_, found := o.Annotations[kustomizeIDAnnotation]
	return found
}

// Names returns the name of the object and the names that it had before kustomize
// renamed it.
func (o *Object) Names() []string {
	names := []string{o.Name}
	if previous := o.Annotations[previousNamesAnnotation]; previous != "" {
		names = append(names, strings.Split(previous, ",")...)
	}
	return names
}

// String returns the object as messages name it: "Job team-a/train".
func (o *Object) String() string {
	name := o.Name
	if o.Namespace != "" {
		name = o.Namespace + "/" + name
	}
	return strings.TrimSpace(o.Kind + " " + name)
}

// Annotate sets an annotation of the object. Where it can be put between the lines
// of an item, all of them stay as they are.
func (o *Object) Annotate(key, value string) {
	if o.Annotations == nil {
		o.Annotations = map[string]string{}
	}
	_, found := o.Annotations[key]
	o.Annotations[key] = value
	if item, ok := o.body.(*textItem); ok && !found {
		if text, ok := item.item.Annotate(key, strconv.Quote(value)); ok {
			o.body = &annotated{text}
			return
		}
	}
	if b, ok := o.body.(*made); ok && !found && b.annotate(key, value) {
		return
	}
	tree := o.Node()
	setAnnotation(tree, key, value)
	o.body = o.body.with(tree)
}

// setAnnotation sets an annotation in the YAML of an object.
func setAnnotation(tree *yaml.Node, key, value string) {
	metadata, shared := ownMap(tree, "metadata", false)
	annotations, _ := ownMap(metadata, "annotations", shared)
	next := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Style: yaml.DoubleQuotedStyle}
	for i := 0; i+1 < len(annotations.Content); i += 2 {
		if annotations.Content[i].Value == key {
			next.LineComment = annotations.Content[i+1].LineComment
			annotations.Content[i+1] = next
			return
		}
	}
	annotations.Content = append(annotations.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, next)
}

// ownMap returns the map under a key, and makes one if there is none. It first copies
// a map that other places use, too: one that is an alias or has an anchor, or that is in
// such a map. A change must not reach them. It reports whether the map was shared.
func ownMap(node *yaml.Node, key string, shared bool) (*yaml.Node, bool) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value != key {
			continue
		}
		value := node.Content[i+1]
		shared = shared || value.Kind == yaml.AliasNode || value.Anchor != ""
		switch {
		case yamlnode.Resolve(value).Kind != yaml.MappingNode:
			node.Content[i+1] = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		case shared:
			own := *yamlnode.Resolve(value)
			own.Anchor = ""
			own.Content = append([]*yaml.Node(nil), own.Content...)
			node.Content[i+1] = &own
		}
		return node.Content[i+1], shared
	}
	value := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, value)
	return value, false
}
