// SPDX-License-Identifier: Apache-2.0

// Package origin answers: from which field of a PeerJob did a field of an object
// come?
//
// # Rules
//
//   - Whoever makes an object records where its parts came from ([Map.From],
//     [Map.All], [Map.Elements], [Map.Entry]). Nobody reads that off the object
//     afterwards.
//   - The longest recorded path decides. Of two that are equally long, the one
//     that was recorded last.
//   - A field without an origin came from the field of the same path.
//
// # Never
//
// It knows neither a kind nor a field of a PeerJob.
package origin

import (
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/kinds"
)

// Object is an object that peerjob made, and where its fields came from.
type Object struct {
	kinds.Object
	// Origins are where its fields came from; nil for the fields of the same path.
	Origins *Map
}

// Map has the origins of the fields of one object.
type Map struct {
	records []record
	// record records them when somebody asks for the first time.
	record func(*Map)
}

// New returns the origins that a function records. It is called when they are asked
// for: only a finding needs them. One Map must not be asked from several goroutines.
func New(record func(*Map)) *Map { return &Map{record: record} }

// record is where the fields below one path came from.
type record struct {
	// object is a path, "" for the object as a whole. It is written out once, because
	// every finding compares it with its own path.
	object string
	source *field.Path
	// all is whether everything below the path came from the source itself.
	all bool
	// first and last are the elements of a list that this is about, less the last;
	// last is -1 to the end of the list. They are 0 for a path that is no list.
	list        bool
	first, last int
	// key and value are the entry of a map that this is about.
	entry      bool
	key, value string
}

// add records the origin of the fields at and below a path of the object; nil is the
// object as a whole.
func (m *Map) add(object *field.Path, r record) {
	if object != nil {
		r.object = object.String()
	}
	m.records = append(m.records, r)
}

// From records that the fields at and below a path of the object came from those
// at and below the source.
func (m *Map) From(object, source *field.Path) {
	m.add(object, record{source: source})
}

// All records that all fields at and below a path of the object came from the
// source. A nil path is the object as a whole.
func (m *Map) All(object, source *field.Path) {
	m.add(object, record{source: source, all: true})
}

// Elements records that the elements of a list, from the one with the index first
// on, are the elements of the source, from its first one on.
func (m *Map) Elements(list *field.Path, first int, source *field.Path) {
	m.add(list, record{source: source, list: true, first: first, last: -1})
}

// AllElements records that the elements of a list from the index first up to, but
// without, the index last all came from the source. A last of -1 means the end of
// the list.
func (m *Map) AllElements(list *field.Path, first, last int, source *field.Path) {
	m.add(list, record{source: source, all: true, list: true, first: first, last: last})
}

// Entry records that one entry of a map came from the entry of the source. It also
// finds errors about the map whose bad value is the key or the value.
func (m *Map) Entry(object *field.Path, key, value string, source *field.Path) {
	m.add(object, record{source: source, entry: true, key: key, value: value})
}

// EntryFrom records that one entry of a map follows from the source. Only an error
// about the entry's value is about the source.
func (m *Map) EntryFrom(object *field.Path, value string, source *field.Path) {
	m.add(object, record{source: source, all: true, entry: true, value: value})
}

// Of returns the field that the field at a path of the object came from. The bad
// value of an error tells the entries of a map apart; it may be nil.
func (m *Map) Of(path string, badValue any) string {
	if m == nil {
		return path
	}
	if m.record != nil {
		m.record(m)
		m.record = nil
	}
	found, longest := path, -1
	for _, r := range m.records {
		rest, below := cutPath(path, r.object)
		if !below || len(r.object) < longest {
			continue
		}
		if field, ok := r.of(rest, badValue); ok {
			found, longest = field, len(r.object)
		}
	}
	return found
}

// of returns the origin of what is at rest below the path of a record.
func (r record) of(rest string, badValue any) (string, bool) {
	if r.entry && !r.has(rest, badValue) {
		return "", false
	}
	if r.list {
		index, below, ok := cutIndex(rest)
		if !ok || index < r.first || r.last >= 0 && index >= r.last {
			return "", false
		}
		rest = "[" + strconv.Itoa(index-r.first) + "]" + below
	}
	if r.all {
		rest = ""
	}
	return r.source.String() + rest, true
}

// has reports whether an error at rest below a map is about the entry of a
// record.
func (r record) has(rest string, badValue any) bool {
	if r.key == "" {
		return badValue == r.value
	}
	return badValue == r.key || badValue == r.value || strings.HasPrefix(rest, "["+r.key+"]")
}

// cutPath returns what follows a path that leads to another one, or to what is
// below it. Every path is below the empty one.
func cutPath(path, above string) (rest string, below bool) {
	if above == "" {
		return path, true
	}
	rest, found := strings.CutPrefix(path, above)
	return rest, found && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// cutIndex cuts the index off "[3].name".
func cutIndex(rest string) (index int, below string, ok bool) {
	number, below, found := strings.Cut(strings.TrimPrefix(rest, "["), "]")
	if !found || !strings.HasPrefix(rest, "[") {
		return 0, "", false
	}
	index, err := strconv.Atoi(number)
	return index, below, err == nil
}
