// SPDX-License-Identifier: Apache-2.0

// Package apitype answers: which fields does an API type have, by their JSON
// names?
//
// # Rules
//
//   - The fields of an inlined struct belong to the struct that inlines it.
//   - Unexported fields, and fields that JSON leaves out, are no fields.
//   - A type is read once.
//
// # Never
//
// It never looks at a value.
package apitype

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Field is one field of an API type.
type Field struct {
	// Name is the JSON name.
	Name string
	// Index is the way to the field, for reflect.Value.FieldByIndex.
	Index []int
	// Type is the Go type.
	Type reflect.Type
	// OmitEmpty is whether JSON leaves out an empty value.
	OmitEmpty bool
	// Owner is the struct that declares the field: another one than the struct that
	// was asked for where that inlines it.
	Owner reflect.Type
}

// Struct is a struct of the Kubernetes API.
type Struct struct {
	// Fields are the fields, in the order of the type.
	Fields []Field

	places map[string]int
}

// Place returns the place of a field among the fields, or false if there is none
// with this JSON name.
func (s *Struct) Place(name string) (int, bool) {
	place, found := s.places[name]
	return place, found
}

// Names returns the JSON names of all fields, sorted.
func (s *Struct) Names() []string {
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = f.Name
	}
	slices.Sort(names)
	return names
}

var cache sync.Map // reflect.Type -> *Struct

// Of returns the fields of a struct type.
func Of(typ reflect.Type) *Struct {
	if cached, found := cache.Load(typ); found {
		return cached.(*Struct)
	}
	s := &Struct{places: map[string]int{}}
	s.collect(typ, nil)
	cache.Store(typ, s)
	return s
}

func (s *Struct) collect(typ reflect.Type, outer []int) {
	for f := range typ.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		index := slices.Concat(outer, f.Index)
		switch {
		case name == "-" || !f.IsExported():
		case name == "" && f.Type.Kind() == reflect.Struct:
			s.collect(f.Type, index)
		default:
			s.places[name] = len(s.Fields)
			s.Fields = append(s.Fields, Field{Name: name, Index: index, Type: f.Type, OmitEmpty: strings.Contains(options, "omitempty"), Owner: typ})
		}
	}
}
