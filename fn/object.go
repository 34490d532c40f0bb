// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"maps"
	"path"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/manifest"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// The annotations with which an orchestrator says where an object lies on
// disk. Both forms are in use: kustomize and kpt want them to agree.
const (
	pathAnnotation        = "internal.config.kubernetes.io/path"
	indexAnnotation       = "internal.config.kubernetes.io/index"
	legacyPathAnnotation  = "config.kubernetes.io/path"
	legacyIndexAnnotation = "config.kubernetes.io/index"

	// packagePathAnnotation is the folder of the kpt package; the path is
	// relative to it.
	packagePathAnnotation = "internal.config.kubernetes.io/package-path"

	// previousNamesAnnotation holds the names an object had before kustomize's
	// prefixes and suffixes, separated by commas.
	previousNamesAnnotation = "internal.config.kubernetes.io/previousNames"

	// kustomizeIDAnnotation is on every object which kustomize sends to a
	// transformer or a validator.
	kustomizeIDAnnotation = "kustomize.config.k8s.io/id"
)

// object is one item of a ResourceList, or one document of a file: its YAML,
// and the little that must be known of an object which is not a PeerJob.
// Whatever is missing or is no string is empty: any item must pass through.
type object struct {
	// tree is the object parsed, nil until somebody asks for the node.
	tree *yaml.Node
	// alias is the item, where it is an alias of tree.
	alias *yaml.Node
	// typed is the object as it was made, nil for one that was read.
	typed kinds.Object
	// item is where the object stands in the text of a list, nil when the list
	// was parsed as a whole.
	item *krmlist.Item

	apiVersion, kind, namespace, name string
	// annotations are those that orchestrators or peerjob read, and others.
	annotations map[string]string

	// pkg tells packages apart: the same name may stand in two of them.
	pkg string
	// file is where the object lies in its package, "" when that is not known,
	// and index its place among the documents of the file.
	file  string
	index int
	// shownFile is how messages call the file: from the folder of the topmost
	// package.
	shownFile string

	// raw is the document or the item as it was read; nil when it must be encoded
	// anew.
	raw []byte
}

// newObject reads what must be known of an object.
func newObject(node *yaml.Node) *object {
	o := &object{tree: yamlnode.Resolve(node)}
	if node.Kind == yaml.AliasNode {
		o.alias = node
	}
	o.apiVersion = yamlnode.Text(yamlnode.Get(node, "apiVersion"))
	o.kind = yamlnode.Text(yamlnode.Get(node, "kind"))
	metadata := yamlnode.Get(node, "metadata")
	o.name = yamlnode.Text(yamlnode.Get(metadata, "name"))
	o.namespace = yamlnode.Text(yamlnode.Get(metadata, "namespace"))
	o.annotations = map[string]string{}
	if annotations := yamlnode.Resolve(yamlnode.Get(metadata, "annotations")); annotations != nil && annotations.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(annotations.Content); i += 2 {
			o.annotations[annotations.Content[i].Value] = yamlnode.Text(annotations.Content[i+1])
		}
	}
	o.place()
	return o
}

// newListObject is the object of an item which is not parsed before it must be.
func newListObject(item *krmlist.Item) *object {
	o := &object{
		item: item, raw: item.Text,
		apiVersion: item.APIVersion, kind: item.Kind, namespace: item.Namespace, name: item.Name,
		annotations: item.Annotations,
	}
	o.place()
	return o
}

// newTypedObject is an object that was made, which must have its kind.
func newTypedObject(typed kinds.Object) *object {
	apiVersion, kind := typed.GetObjectKind().GroupVersionKind().ToAPIVersionAndKind()
	o := &object{
		typed:      typed,
		apiVersion: apiVersion, kind: kind, namespace: typed.GetNamespace(), name: typed.GetName(),
		annotations: maps.Clone(typed.GetAnnotations()),
	}
	o.place()
	return o
}

// place reads from the annotations where the object lies.
func (o *object) place() {
	o.pkg = o.annotations[packagePathAnnotation]
	if o.file = o.annotations[pathAnnotation]; o.file == "" {
		o.file = o.annotations[legacyPathAnnotation]
	}
	index, found := o.annotations[indexAnnotation]
	if !found {
		index = o.annotations[legacyIndexAnnotation]
	}
	if index != "" {
		o.index, _ = strconv.Atoi(index)
	}
}

// node is the object as YAML.
func (o *object) node() *yaml.Node {
	if o.tree != nil {
		return o.tree
	}
	var err error
	if o.typed != nil {
		o.tree, err = manifest.Encode(o.typed)
	} else {
		text := o.raw
		if o.item != nil {
			text = o.item.Body() // Replace puts the comments above it
		}
		o.tree, err = krmlist.Parse(text)
	}
	if err != nil {
		panic(err) // it was read before, or made by peerjob
	}
	return o.tree
}

// forgetNode frees the node of an object which can be parsed again.
func (o *object) forgetNode() {
	if o.item != nil && o.raw != nil {
		o.tree = nil
	}
}

// listItem is the object as an item of a list.
func (o *object) listItem() *yaml.Node {
	if o.alias != nil {
		return o.alias
	}
	return o.node()
}

// nameFiles sets how messages call the files of objects. While kustomize
// builds, a path is one that kustomize made up: there is no such file.
func nameFiles(objects []*object) {
	top := ""
	for _, o := range objects {
		if pkg := o.annotations[packagePathAnnotation]; pkg != "" && (top == "" || len(pkg) < len(top)) {
			top = pkg
		}
	}
	for _, o := range objects {
		if o.inKustomize() || o.file == "" {
			continue
		}
		below := strings.TrimPrefix(strings.TrimPrefix(o.annotations[packagePathAnnotation], top), "/")
		o.shownFile = path.Join(below, o.file)
	}
}

// findPackages gives a package to objects whose orchestrator names none
// ("kpt fn eval"): the nearest folder above them with a Kptfile.
func findPackages(objects []*object) {
	folders := map[string]bool{}
	for _, o := range objects {
		if o.kind == "Kptfile" && o.pkg == "" && o.file != "" {
			folders[path.Dir(o.file)] = true
		}
	}
	for _, o := range objects {
		if o.pkg != "" || o.file == "" {
			continue
		}
		for dir := path.Dir(o.file); dir != "." && dir != "/"; dir = path.Dir(dir) {
			if folders[dir] {
				o.pkg = dir
				break
			}
		}
	}
}

// group is the API group of an object, "" for the core group.
func (o *object) group() string {
	group, _, found := strings.Cut(o.apiVersion, "/")
	if !found {
		return ""
	}
	return group
}

// identity is what two objects can't have in common.
type identity struct {
	pkg, group, kind, namespace, name string
}

func (o *object) identity() identity {
	return identity{o.pkg, o.group(), o.kind, o.namespace, o.name}
}

// isOwned reports whether peerjob made the object.
func (o *object) isOwned() bool { return kinds.IsOwned(o.apiVersion, o.kind, o.annotations) }

func (o *object) isPeerJob() bool {
	return o.group() == v1alpha1.Group && o.kind == v1alpha1.Kind
}

// inKustomize reports whether the object comes from a build of kustomize: its
// file is none then, and it was made a moment ago and never applied.
func (o *object) inKustomize() bool {
	_, found := o.annotations[kustomizeIDAnnotation]
	return found
}

// names are the object's name and those which it had before an orchestrator
// renamed it.
func (o *object) names() []string {
	names := []string{o.name}
	if previous := o.annotations[previousNamesAnnotation]; previous != "" {
		names = append(names, strings.Split(previous, ",")...)
	}
	return names
}

// String is how messages name the object: "Job team-a/train".
func (o *object) String() string {
	name := o.name
	if o.namespace != "" {
		name = o.namespace + "/" + name
	}
	return strings.TrimSpace(o.kind + " " + name)
}

// setAnnotation sets an annotation of an object in its YAML. Where it can be
// put between the lines of an item, all of these stay as they are.
func (o *object) setAnnotation(key, value string) {
	if o.annotations == nil {
		o.annotations = map[string]string{}
	}
	_, found := o.annotations[key]
	o.annotations[key] = value
	if o.item != nil && o.raw != nil && !found {
		if text, ok := o.item.Annotate(key, strconv.Quote(value)); ok {
			o.raw, o.tree, o.item = text, nil, nil
			return
		}
	}
	annotations := ownMap(ownMap(o.node(), "metadata"), "annotations")
	o.raw = nil
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

// ownMap returns the map under a key, which it makes where there is none. A
// map that an alias stands for, or that has an anchor, is copied first: a
// change must not reach the other places that use it.
func ownMap(node *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value != key {
			continue
		}
		value := node.Content[i+1]
		switch {
		case yamlnode.Resolve(value).Kind == yaml.MappingNode && (value.Kind == yaml.AliasNode || value.Anchor != ""):
			own := *yamlnode.Resolve(value)
			own.Anchor = ""
			own.Content = append([]*yaml.Node(nil), own.Content...)
			node.Content[i+1] = &own
		case value.Kind != yaml.MappingNode:
			node.Content[i+1] = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		}
		return node.Content[i+1]
	}
	value := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, value)
	return value
}
