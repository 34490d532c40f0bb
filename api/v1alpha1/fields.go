// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/internal/spell"
)

// structField is one field of an API type: its place among the others and its
// type.
type structField struct {
	index int
	typ   reflect.Type
}

var fieldCache sync.Map // reflect.Type -> map[string]structField

// fieldsOf returns the fields of a struct type by their JSON names, those of
// inlined structs included.
func fieldsOf(typ reflect.Type) map[string]structField {
	if cached, found := fieldCache.Load(typ); found {
		return cached.(map[string]structField)
	}
	fields := map[string]structField{}
	var collect func(reflect.Type)
	collect = func(typ reflect.Type) {
		for f := range typ.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case name == "-" || !f.IsExported():
			case name != "":
				fields[name] = structField{index: len(fields), typ: f.Type}
			case f.Type.Kind() == reflect.Pointer:
				collect(f.Type.Elem())
			default:
				collect(f.Type)
			}
		}
	}
	collect(typ)
	fieldCache.Store(typ, fields)
	return fields
}

// hint says what to write instead of an unknown field: what decides it, where
// it belongs, or the field with the nearest name.
func hint(key string, typ reflect.Type, nearest string) string {
	if typ == reflect.TypeFor[PeerJobSpec]() {
		switch key {
		case "completions", "parallelism":
			return "; set spec.peers, which becomes the completions and the parallelism of the Job"
		case "completionMode":
			return "; the Job of a PeerJob is always Indexed, with spec.peers indexes"
		case "selector", "manualSelector":
			return "; the server gives the Job its selector, set only spec.peers"
		case "subdomain", "serviceName":
			return "; set spec.service.name"
		case "replicas", "size", "workers":
			return "; set spec.peers"
		}
	}
	if typ == reflect.TypeFor[PeerService]() {
		switch key {
		case "clusterIP", "clusterIPs", "type":
			return "; the Service of a PeerJob is always headless"
		case "selector":
			return "; the Service of a PeerJob selects the Pods of its Job"
		}
	}
	if nearest != "" {
		return "; did you mean " + strconv.Quote(nearest) + "?"
	}
	if typ == reflect.TypeFor[PeerJobSpec]() || typ == reflect.TypeFor[corev1.PodTemplateSpec]() {
		if _, found := fieldsOf(reflect.TypeFor[corev1.PodSpec]())[key]; found {
			return "; did you mean spec.template.spec." + key + "?"
		}
	}
	return ""
}

// nearest returns the field with the name most like key, or "" when none is
// like it.
func nearest(key string, fields map[string]structField) string {
	return spell.Nearest(key, slices.Sorted(maps.Keys(fields)))
}
