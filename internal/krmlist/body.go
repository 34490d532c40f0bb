// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/krmlist/scan"
	"github.com/peerjob/peerjob/internal/manifest"
)

// body is the YAML of an object, in the form in which the object came.
type body interface {
	// node returns the object as a YAML node. A panic says that peerjob can't
	// parse what scan has accepted, or can't encode what it made.
	node() *yaml.Node
	// text returns the bytes of the object as it was read, nil when it must be
	// encoded.
	text() []byte
	// with returns the body of the object once its node is another or has changed.
	with(tree *yaml.Node) body
}

var (
	_ body = (*textItem)(nil)
	_ body = (*parsedItem)(nil)
	_ body = (*document)(nil)
	_ body = (*made)(nil)
	_ body = (*annotated)(nil)
	_ body = (*edited)(nil)
)

// textItem is an item of a list in text form.
type textItem struct {
	item *scan.Item
	tree *yaml.Node // nil until someone asks for it
}

func (b *textItem) text() []byte              { return b.item.Text }
func (b *textItem) with(tree *yaml.Node) body { return &edited{tree: tree, replaces: b.item} }

func (b *textItem) node() *yaml.Node {
	if b.tree == nil {
		b.tree = must(scan.Parse(b.item.Body()))
	}
	return b.tree
}

// parsedItem is an item of a list that was parsed, or a part of one.
type parsedItem struct {
	tree *yaml.Node
	// alias is the item itself, where it is an alias of tree.
	alias *yaml.Node
}

func (b *parsedItem) text() []byte              { return nil }
func (b *parsedItem) with(tree *yaml.Node) body { return &parsedItem{tree: tree, alias: b.alias} }
func (b *parsedItem) node() *yaml.Node          { return b.tree }

// document is a document of a file.
type document struct {
	tree *yaml.Node
	raw  []byte
}

func (b *document) text() []byte              { return b.raw }
func (b *document) with(tree *yaml.Node) body { return &edited{tree: tree} }
func (b *document) node() *yaml.Node          { return b.tree }

// made is an object that peerjob made.
type made struct {
	// typed is the object, nil once it was packed; again makes it once more.
	typed kinds.Object
	again func() kinds.Object
	// packed is the object in text form, with the annotations that were added to it.
	packed *manifest.Written
	added  []annotation
	tree   *yaml.Node // nil until someone asks for it
}

// annotation is an annotation that was added to an object.
type annotation struct{ key, value string }

func (b *made) text() []byte              { return nil }
func (b *made) with(tree *yaml.Node) body { return &edited{tree: tree} }

func (b *made) node() *yaml.Node {
	if b.tree == nil {
		typed := b.typed
		if typed == nil {
			typed = b.again()
		}
		b.tree = must(manifest.Encode(typed))
		for _, a := range b.added {
			setAnnotation(b.tree, a.key, a.value)
		}
	}
	return b.tree
}

// annotate adds an annotation to the text of the object. It reports false if there is
// none, or someone has its node.
func (b *made) annotate(key, value string) bool {
	if b.packed == nil || b.tree != nil || !b.packed.Annotate(key, value) {
		return false
	}
	b.added = append(b.added, annotation{key, value})
	return true
}

// annotated is an item of a list in text form with one more line.
type annotated struct{ raw []byte }

func (b *annotated) text() []byte              { return b.raw }
func (b *annotated) with(tree *yaml.Node) body { return &edited{tree: tree} }
func (b *annotated) node() *yaml.Node          { return must(scan.Parse(b.raw)) }

// edited is an object whose YAML has changed since it was read.
type edited struct {
	tree *yaml.Node
	// replaces is the item in whose place the object is written, below the
	// comments above it; nil for an object of a file or of a parsed list.
	replaces *scan.Item
}

func (b *edited) text() []byte              { return nil }
func (b *edited) with(tree *yaml.Node) body { return &edited{tree: tree, replaces: b.replaces} }
func (b *edited) node() *yaml.Node          { return b.tree }

func must(node *yaml.Node, err error) *yaml.Node {
	if err != nil {
		panic(err)
	}
	return node
}

// encoded returns the YAML of the object as it is now, as a document or as the only item
// of a list.
func (o *Object) encoded(asItem bool) ([]byte, error) {
	if b, ok := o.body.(*made); ok && b.packed != nil && b.tree == nil {
		if asItem {
			return b.packed.Item, nil
		}
		return b.packed.Document(), nil
	}
	node := o.Node()
	if err := settleAliases([]*yaml.Node{node}); err != nil {
		return nil, err
	}
	if asItem {
		node = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{node}}
	}
	return manifest.Bytes(node)
}

// replacedItem is the item in whose place a body is written, nil when there is
// none.
func replacedItem(b body) *scan.Item {
	switch b := b.(type) {
	case *textItem:
		return b.item
	case *edited:
		return b.replaces
	}
	return nil
}

// listItem is a body as an item of a parsed list.
func listItem(b body) *yaml.Node {
	if item, ok := b.(*parsedItem); ok && item.alias != nil {
		return item.alias
	}
	return b.node()
}
