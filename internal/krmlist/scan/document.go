// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"errors"
	"fmt"
)

// Identifier says which objects documents are. The zero Identifier is ready; it is for
// one goroutine.
type Identifier struct{ scanner scanner }

// Identify says which object a document of a file is, without parsing it. It reports
// false if it is not sure of every line: then the document must be parsed.
func (i *Identifier) Identify(document []byte) (Item, bool) {
	s := &i.scanner
	if s.names == nil {
		s.names, s.wanted = map[string]string{}, func(string) bool { return false }
	}
	item := Item{Text: document}
	s.item = &item
	// A document is an object that is in no list: no dash stands to the left of it.
	sure := s.follow(document, level{column: -1, isList: true}, level{of: wholeObject})
	return item, sure
}

// listKeys are the keys of a list of the API, such as "kubectl get -o yaml" writes, and of
// a ResourceList.
var listKeys = append([]string{"metadata"}, keys...)

// Items finds the items of a list of the API in block style, as [Read] finds those of
// a ResourceList. An error says why the list must be parsed.
func Items(text []byte) ([]Item, error) {
	sections, err := split(text, listKeys)
	if err != nil {
		return nil, err
	}
	section, found := sections["items"]
	if !found {
		return nil, errors.New("has no items")
	}
	for _, other := range listKeys {
		if other != "items" && bytes.ContainsAny(sections[other].of(text), "&*") {
			return nil, fmt.Errorf("%s: may have an anchor", other)
		}
	}
	l := &List{text: text, Items: make([]Item, 0, bytes.Count(section.of(text), []byte("\n- ")))}
	if err := l.readItems(section, func(string) bool { return false }); err != nil {
		return nil, fmt.Errorf("items: %w", err)
	}
	return l.Items, nil
}
