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
// the path leads nowhere.
func valueAt(value reflect.Value, path string) any {
	if found, known := at(value, path); known && found.IsValid() {
		return found.Interface()
	}
	return nil
}

// at returns the value at a path, invalid if there is none, and whether the path leads
// anywhere.
func at(value reflect.Value, path string) (found reflect.Value, known bool) {
	for path != "" {
		for value.Kind() == reflect.Pointer {
			if value.IsNil() {
				return reflect.Value{}, true
			}
			value = value.Elem()
		}
		var element string
		var inBrackets bool
		element, path, inBrackets = diag.NextElement(path)
		switch {
		case inBrackets && value.Kind() == reflect.Slice:
			index, err := strconv.Atoi(element)
			if err != nil || index < 0 || index >= value.Len() {
				return reflect.Value{}, err == nil
			}
			value = value.Index(index)
		case inBrackets && value.Kind() == reflect.Map && value.Type().Key().Kind() == reflect.String:
			value = value.MapIndex(reflect.ValueOf(element).Convert(value.Type().Key()))
			if !value.IsValid() {
				return value, true
			}
		case !inBrackets && value.Kind() == reflect.Struct:
			fields := apitype.Of(value.Type())
			place, isField := fields.Place(element)
			if !isField {
				return reflect.Value{}, false
			}
			value = value.FieldByIndex(fields.Fields[place].Index)
		default:
			return reflect.Value{}, false
		}
	}
	return value, true
}

// causes are the errors of an object without those that say a cause again: of a value
// that the server copied from another field that has the same error, such as the requests
// from the limits, and of a value that is missing, where its field has another one. The
// object is as it was written.
func causes(errs field.ErrorList, object runtime.Object) field.ErrorList {
	isWritten := func(err *field.Error) (written, known bool) {
		value, known := at(reflect.ValueOf(object), objectPath(err.Field))
		return value.IsValid() && !value.IsZero(), known
	}
	best := map[string]*field.Error{} // of those about a missing value, by their field
	for _, err := range errs {
		if first := best[err.Field]; diag.Misses(err) && (first == nil || err.Type == field.ErrorTypeRequired && first.Type != err.Type) {
			best[err.Field] = err
		}
	}
	var kept field.ErrorList
	for _, err := range errs {
		if diag.Misses(err) {
			if best[err.Field] == err {
				kept = append(kept, err)
			}
			continue
		}
		written, known := isWritten(err)
		if !written && known && slices.ContainsFunc(errs, func(other *field.Error) bool {
			isSource, _ := isWritten(other)
			return isSource && other.ErrorBody() == err.ErrorBody()
		}) {
			continue
		}
		kept = append(kept, err)
	}
	return kept
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
