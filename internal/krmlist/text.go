// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"bytes"
	"cmp"
	"io"
	"slices"

	kptfn "github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"

	"github.com/peerjob/peerjob/internal/krmlist/scan"
	"github.com/peerjob/peerjob/internal/parallel"
)

// textList is a list in text form: its items are found and not parsed, and what
// nobody changes keeps its bytes.
type textList struct {
	list *scan.List
}

func (l textList) Objects() []*Object {
	n := len(l.list.Items)
	// One allocation for all objects, because there may be many.
	objects, all, bodies := make([]*Object, n), make([]Object, n), make([]textItem, n)
	for i := range l.list.Items {
		item := &l.list.Items[i]
		bodies[i].item = item
		all[i] = Object{
			APIVersion: item.APIVersion, Kind: item.Kind, Namespace: item.Namespace, Name: item.Name,
			Annotations: item.Annotations,
			body:        &bodies[i],
		}
		all[i].readPosition()
		objects[i] = &all[i]
	}
	return objects
}

func (l textList) FunctionConfig() *Object { return newConfig(l.list.FunctionConfig) }

// encodeShare is how many items a core encodes at a time.
const encodeShare = 64

func (l textList) Encode(objects []*Object, added kptfn.Results) (Output, error) {
	items, errs := make([][]byte, len(objects)), make([]error, len(objects))
	parallel.For(len(objects), encodeShare, func(i int) {
		items[i], errs[i] = l.encodeItem(objects[i])
	})
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	results, err := l.encodeResults(added)
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error { return l.list.Write(w, items, results) }, nil
}

// encodeItem is an object as an item of the list: the text that was read, or that
// of the object as it is now, below the comments above the item.
func (l textList) encodeItem(o *Object) ([]byte, error) {
	if text := o.body.text(); text != nil {
		return text, nil
	}
	data, err := o.encoded(true)
	if err != nil {
		return nil, err
	}
	replaced := replacedItem(o.body)
	o.body = nil // frees the nodes of what is encoded
	if replaced != nil {
		return l.list.Replace(replaced, data), nil
	}
	return l.list.Indent(data), nil
}

// encodeResults returns the results with others added, nil where there are none
// to add.
func (l textList) encodeResults(added kptfn.Results) ([]byte, error) {
	if len(added) == 0 {
		return nil, nil
	}
	results := slices.Clone(l.list.Results)
	if err := settleAliases(results); err != nil {
		return nil, err
	}
	results, err := appendResults(results, added)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := encodeSequence(&out, "results", results); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
