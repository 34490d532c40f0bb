// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strings"

	kptfn "github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"
	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/manifest"
	"github.com/peerjob/peerjob/internal/parallel"
)

// textList is a list whose items were found, and are not parsed before somebody
// asks for one. What was not changed keeps its bytes.
type textList struct {
	*krmlist.List
}

// isKnownAnnotation reports whether the function reads an annotation of objects
// that are not PeerJobs.
func isKnownAnnotation(key string) bool {
	return v1alpha1.IsReservedKey(key) || strings.HasSuffix(key, selectorSuffix)
}

func (l *textList) objects() []*object {
	objects := make([]*object, len(l.Items))
	for i := range l.Items {
		objects[i] = newListObject(&l.Items[i])
	}
	return objects
}

func (l *textList) config() *yaml.Node { return l.FunctionConfig }

// sharedItems is how many items a core encodes at a time.
const sharedItems = 64

func (l *textList) encode(objects []*object, found kptfn.Results) (output, error) {
	items, errs := make([][]byte, len(objects)), make([]error, len(objects))
	parallel.For(len(objects), sharedItems, func(i int) {
		items[i], errs[i] = l.textOf(objects[i])
	})
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	results, err := l.encodeResults(found)
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error { return l.Write(w, items, results) }, nil
}

// textOf is an object as an item of the list: the text that was read, or that of
// the object as it is now, below the comments above the item.
func (l *textList) textOf(o *object) ([]byte, error) {
	if o.raw != nil {
		return o.raw, nil
	}
	item := []*yaml.Node{o.node()}
	if err := settleAliases(item); err != nil {
		return nil, err
	}
	if o.typed != nil {
		o.tree = nil // nobody asks for it again
	}
	data, err := manifest.Bytes(&yaml.Node{Kind: yaml.SequenceNode, Content: item})
	if err != nil {
		return nil, err
	}
	if o.item != nil {
		return l.Replace(o.item, data), nil
	}
	return l.Indent(data), nil
}

// encodeResults returns the results with findings added, nil where there are
// none to add.
func (l *textList) encodeResults(found kptfn.Results) ([]byte, error) {
	if len(found) == 0 {
		return nil, nil
	}
	results := slices.Clone(l.Results)
	if err := settleAliases(results); err != nil {
		return nil, err
	}
	results, err := appendResults(results, found)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := encodeSequence(&out, "results", results); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
