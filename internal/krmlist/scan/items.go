// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/internal/parallel"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// readItems finds the items in the key "items" and its value.
func (l *List) readItems(section span, wanted func(string) bool) error {
	line, body := nextLine(section.of(l.text))
	l.keyLine = span{section.start, section.end - len(body)}
	l.items = span{l.keyLine.end, l.keyLine.end}
	if !isText(line) || bytes.IndexByte(line, '\t') >= 0 {
		return errors.New("the line of the key is no text")
	}
	colon, _ := readKey(line, 0)
	if colon == 0 {
		return errors.New("the key is none")
	}
	if start := skipSpaces(line, colon+1); !isBlank(line, start) {
		l.empty = bytes.HasPrefix(line[start:], []byte("[]")) && endsAt(line, start+len("[]"))
		if !l.empty || !isComments(body) || !isText(body) {
			return errors.New("are not in block style")
		}
		return nil
	}
	if err := l.splitItems(section.end); err != nil {
		return err
	}
	if len(l.Items) == 0 {
		return errors.New("are null")
	}
	return l.identify(wanted)
}

// sampledItems is how many items tell how many there may be.
const sampledItems = 32

// splitItems finds where each item begins and ends.
func (l *List) splitItems(end int) error {
	const none = -1
	l.column = none
	// comments is where the comments begin that may belong to the next item.
	item, dash, comments := none, none, none
	add := func(end int) {
		if item != none {
			if len(l.Items) == sampledItems {
				// Most lists have items of one size, and growing copies all of them.
				l.Items = slices.Grow(l.Items, sampledItems*(len(l.text)-end)/(end-l.items.start)+1)
			}
			l.Items = append(l.Items, Item{Text: l.text[item:end], comments: dash - item})
		}
	}
	next := 0
	for offset := l.items.start; offset < end; offset = next {
		line := l.text[offset:end]
		next = end
		if n := bytes.IndexByte(line, '\n'); n >= 0 {
			line, next = line[:n], offset+n+1
		}
		column := indentation(line)
		if column == len(line) || line[column] == '\r' && column+1 == len(line) {
			continue
		}
		if l.column == none && line[column] != '#' {
			if l.column = column; !isDash(withoutReturn(line), column) {
				return errors.New("are no list in block style")
			}
		}
		switch {
		case line[column] == '#' && (column <= l.column || l.column == none):
			if comments == none {
				comments = offset
			}
		case column > l.column:
			comments = none
		case column < l.column || !isDash(withoutReturn(line), column):
			return fmt.Errorf("offset %d: is no line of an item", offset)
		default:
			if comments == none {
				comments = offset
			}
			add(comments)
			item, dash, comments = comments, offset, none
		}
	}
	if comments == none {
		comments = end
	}
	add(comments)
	l.items.end = comments
	if len(l.Items) > 0 {
		l.items.start = l.items.end
		for _, item := range l.Items {
			l.items.start -= len(item.Text)
		}
		l.keyLine.end = l.items.start
	}
	if !isText(l.text[comments:end]) {
		return errors.New("end with something that is no text")
	}
	return nil
}

// identify finds out which object each item is.
func (l *List) identify(wanted func(string) bool) error {
	errs := make([]error, (len(l.Items)+sharedItems-1)/sharedItems)
	parallel.For(len(errs), 1, func(i int) {
		s := scanner{wanted: wanted, names: map[string]string{}}
		for n := i * sharedItems; n < min((i+1)*sharedItems, len(l.Items)) && errs[i] == nil; n++ {
			errs[i] = l.identifyItem(&s, n)
		}
	})
	return cmp.Or(errs...)
}

// sharedItems is how many items a core takes at a time.
const sharedItems = 256

// identifyItem finds out which object an item is.
func (l *List) identifyItem(s *scanner, i int) error {
	item := &l.Items[i]
	s.item = item
	sure := s.scan(item.Text, l.column)
	// Without a line end, what is put behind the item would change the text of
	// a block at its end.
	if !bytes.HasSuffix(item.Text, []byte("\n")) && (s.endsInBlock || !sure && bytes.ContainsAny(item.Text, "|>")) {
		return fmt.Errorf("[%d]: ends without a line end", i)
	}
	if sure {
		return nil
	}
	// A line break that this package does not see could stand before "...".
	if !isText(item.Text) {
		return fmt.Errorf("[%d]: has a line break or a byte that is no text", i)
	}
	node, err := Parse(item.Text)
	if err != nil {
		return fmt.Errorf("[%d]: %w", i, err)
	}
	for _, key := range []string{"apiVersion", "kind", "metadata"} {
		if yamlnode.Count(node, key) > 1 {
			return fmt.Errorf("[%d]: %s is there twice", i, key)
		}
	}
	item.metadata, item.annotations = gap{}, gap{}
	item.describe(node, s.wanted)
	return nil
}

// Body is the Text without the comments above the item.
func (i *Item) Body() []byte { return i.Text[i.comments:] }

// Parse parses the text of an item.
func Parse(item []byte) (*yaml.Node, error) {
	// The key holds the comments above the item.
	root, err := parse(slices.Concat([]byte("items:\n"), item))
	if err != nil {
		return nil, err
	}
	if root.Kind != yaml.MappingNode || len(root.Content) != 2 {
		return nil, errors.New("is not part of a list")
	}
	items := root.Content[1]
	if items.Kind != yaml.SequenceNode || len(items.Content) != 1 {
		return nil, errors.New("is not one item")
	}
	return items.Content[0], nil
}

// describe reads from the node of an item which object it is.
func (i *Item) describe(node *yaml.Node, wanted func(string) bool) {
	i.APIVersion = yamlnode.Text(yamlnode.Get(node, "apiVersion"))
	i.Kind = yamlnode.Text(yamlnode.Get(node, "kind"))
	metadata := yamlnode.Get(node, "metadata")
	i.Name, i.Namespace = yamlnode.Text(yamlnode.Get(metadata, "name")), yamlnode.Text(yamlnode.Get(metadata, "namespace"))
	i.Annotations = nil
	annotations := yamlnode.Resolve(yamlnode.Get(metadata, "annotations"))
	if annotations == nil || annotations.Kind != yaml.MappingNode {
		return
	}
	for n := 0; n+1 < len(annotations.Content); n += 2 {
		if key := annotations.Content[n].Value; wanted(key) {
			if i.Annotations == nil {
				i.Annotations = map[string]string{}
			}
			i.Annotations[key] = yamlnode.Text(annotations.Content[n+1])
		}
	}
}
