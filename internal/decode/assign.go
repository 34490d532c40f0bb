// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"unicode/utf8"

	kjson "sigs.k8s.io/json"

	"github.com/peerjob/peerjob/internal/apitype"
)

// assign sets a variable to a value that the decoder returned for its type, as encoding
// the value to JSON and reading that would. Most values can be set as they are. JSON
// decides about the others: those of types that read JSON themselves, and those of any
// type, in which a number is an int64 or a float64.
func assign(to reflect.Value, value any) error {
	if value == nil {
		return nil
	}
	if to.Kind() == reflect.Pointer {
		to.Set(reflect.New(to.Type().Elem()))
		return assign(to.Elem(), value)
	}
	if readsItself(to.Type()) {
		return throughJSON(to, value)
	}
	switch value := value.(type) {
	case string:
		if to.Kind() == reflect.String && utf8.ValidString(value) {
			to.SetString(value)
			return nil
		}
	case bool:
		if to.Kind() == reflect.Bool {
			to.SetBool(value)
			return nil
		}
	case int64:
		if to.CanInt() && !to.OverflowInt(value) {
			to.SetInt(value)
			return nil
		}
	case []any:
		if to.Kind() == reflect.Slice {
			return assignList(to, value)
		}
	case map[string]any:
		switch {
		case to.Kind() == reflect.Struct:
			return assignFields(to, value)
		case to.Kind() == reflect.Map && to.Type().Elem().Kind() != reflect.Interface:
			return assignEntries(to, value)
		}
	}
	return throughJSON(to, value)
}

func assignList(to reflect.Value, list []any) error {
	to.Set(reflect.MakeSlice(to.Type(), len(list), len(list)))
	for i, element := range list {
		if err := assign(to.Index(i), element); err != nil {
			return err
		}
	}
	return nil
}

func assignFields(to reflect.Value, object map[string]any) error {
	fields := apitype.Of(to.Type())
	for key, value := range object {
		place, found := fields.Place(key)
		if !found {
			return fmt.Errorf("no field %s in %v", key, to.Type())
		}
		if err := assign(to.FieldByIndex(fields.Fields[place].Index), value); err != nil {
			return err
		}
	}
	return nil
}

func assignEntries(to reflect.Value, object map[string]any) error {
	to.Set(reflect.MakeMapWithSize(to.Type(), len(object)))
	for key, value := range object {
		element := reflect.New(to.Type().Elem()).Elem()
		if err := assign(element, value); err != nil {
			return err
		}
		to.SetMapIndex(reflect.ValueOf(key).Convert(to.Type().Key()), element)
	}
	return nil
}

// throughJSON sets a variable to what JSON makes of a value.
func throughJSON(to reflect.Value, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	strict, err := kjson.UnmarshalStrict(data, to.Addr().Interface())
	if err == nil && len(strict) > 0 {
		err = strict[0]
	}
	return err
}

// readsItself reports whether a type has its own form in JSON.
func readsItself(typ reflect.Type) bool {
	if typ.PkgPath() == "" {
		return false // it has no methods
	}
	if known, found := unmarshalers.Load(typ); found {
		return known.(bool)
	}
	found := reflect.PointerTo(typ).Implements(reflect.TypeFor[json.Unmarshaler]())
	unmarshalers.Store(typ, found)
	return found
}

var unmarshalers sync.Map // reflect.Type -> bool
