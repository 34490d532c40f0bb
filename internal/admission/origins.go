// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/apitype"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/origin"
)

// onPeerJob moves errors from an object's fields to the PeerJob's.
func onPeerJob(errs field.ErrorList, object runtime.Object, from *origin.Map) field.ErrorList {
	moved := make(field.ErrorList, len(errs))
	seen := map[string]int{}
	for i, err := range errs {
		there := *err
		path := exactPath(objectPath(err.Field), err.Detail)
		if keys := keysOf(object, path, err.BadValue); len(keys) > 0 {
			// The server says one error for each entry.
			path += "[" + keys[seen[err.Error()]%len(keys)] + "]"
			seen[err.Error()]++
		}
		there.Field = from.Of(path, err.BadValue)
		moved[i] = &there
	}
	return moved
}

// exactPath adds what the server leaves out of the path of this error
// (ValidateMatchLabelKeysAndMismatchLabelKeys in pkg/apis/core/validation).
func exactPath(path, detail string) string {
	const keys = "matchLabelKeys"
	if at := strings.LastIndex(path, "["); at > 0 && detail == "exists in both matchLabelKeys and labelSelector" && !strings.HasSuffix(path[:at], keys) {
		return path[:at] + "." + keys + path[at:]
	}
	return path
}

// keysOf returns the keys of the entries with a bad value, if the path is that of a map
// of texts, sorted: the server names the map alone. It returns none for a bad key.
func keysOf(object runtime.Object, path string, badValue any) []string {
	text, ok := badValue.(string)
	if !ok {
		return nil
	}
	entries, ok := valueAt(reflect.ValueOf(object), path).(map[string]string)
	if _, isKey := entries[text]; !ok || isKey {
		return nil
	}
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if entries[key] == text {
			keys = append(keys, key)
		}
	}
	return keys
}

// valueAt returns the value at a path such as "spec.template.metadata.labels", nil if
// there is none.
func valueAt(value reflect.Value, path string) any {
	for element := range strings.SplitSeq(strings.ReplaceAll(path, "[", ".["), ".") {
		for value.Kind() == reflect.Pointer && !value.IsNil() {
			value = value.Elem()
		}
		if number, isIndex := strings.CutPrefix(element, "["); isIndex {
			index, err := strconv.Atoi(strings.TrimSuffix(number, "]"))
			if err != nil || value.Kind() != reflect.Slice || index < 0 || index >= value.Len() {
				return nil
			}
			value = value.Index(index)
			continue
		}
		if value.Kind() != reflect.Struct {
			return nil
		}
		fields := apitype.Of(value.Type())
		place, found := fields.Place(element)
		if !found {
			return nil
		}
		value = value.FieldByIndex(fields.Fields[place].Index)
	}
	return value.Interface()
}

// warningsOnPeerJob moves the server's warnings, which are text of the form
// "spec.template.spec.nodeSelector[x]: is deprecated", to the PeerJob's fields.
func warningsOnPeerJob(texts []string, from *origin.Map) []diag.Warning {
	var warnings []diag.Warning
	for _, text := range texts {
		path, message, found := strings.Cut(text, ": ")
		if !found || path != "data" && !strings.HasPrefix(path, "spec.") && !strings.HasPrefix(path, "metadata.") {
			path, message = "", text
		} else {
			path = from.Of(objectPath(path), nil)
		}
		warnings = append(warnings, diag.Warning{Field: path, Message: message})
	}
	return warnings
}

// objectPath is the path of a field in the object: the server leaves "metadata" out
// of the paths of a Pod template's labels and annotations.
func objectPath(path string) string {
	const template = "spec.template."
	for _, name := range []string{"labels", "annotations"} {
		if strings.HasPrefix(path, template+name) {
			return template + "metadata." + strings.TrimPrefix(path, template)
		}
	}
	return path
}
