// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The values that templates see are nil, bool, string, int, int64, float64,
// [Number], []any, map[string]any, [List] and [Object]. A function gets and
// returns no others.

// Object is a value whose fields are computed when a template asks for them,
// such as the data as a whole and a peer.
type Object interface {
	// Fields are the names of the fields, in the order of the documentation.
	Fields() []string
	// Field is the value of one of them. An error says why it has none here.
	Field(name string) (any, error)
}

// Reasoned is an object that says why one of its fields is null, "" if there is nothing to
// say: "is null; set metadata.namespace".
type Reasoned interface {
	Object
	WhyNull(name string) string
}

// List is a list whose elements are made when a template asks for them, such as
// that of the peers.
type List interface {
	Len() int
	// At is the element at a place, from 0.
	At(i int) any
}

// elements is a list that is there.
type elements []any

func (e elements) Len() int     { return len(e) }
func (e elements) At(i int) any { return e[i] }

// listOf returns a value that is a list as one.
func listOf(value any) (List, bool) {
	switch value := value.(type) {
	case []any:
		return elements(value), true
	case List:
		return value, true
	}
	return nil, false
}

// Number is a number that is written in another way than Go writes it, such as
// 1.10, 0755 or 12e3. In a text it is what was written; everywhere else it is the
// number.
type Number struct {
	text string
	// value is an int64, or a float64 where that is too small or there is a
	// fraction.
	value any
}

// MarshalJSON writes the number as it was written, where JSON can.
func (n Number) MarshalJSON() ([]byte, error) {
	if json.Valid([]byte(n.text)) {
		return []byte(n.text), nil
	}
	return json.Marshal(n.value)
}

// MarshalYAML writes the number as it was written.
func (n Number) MarshalYAML() (any, error) {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: n.text}, nil
}

// plain returns the value of a number, and any other value as it is.
func plain(value any) any {
	if number, ok := value.(Number); ok {
		return number.value
	}
	return value
}

// whole returns a value that is an integer.
func whole(value any) (int64, bool) {
	switch value := plain(value).(type) {
	case int:
		return int64(value), true
	case int64:
		return value, true
	}
	return 0, false
}

// KindOf is how a message calls the kind of a value.
func KindOf(value any) string {
	switch plain(value).(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int, int64:
		return "an integer"
	case float64:
		return "a number"
	case []any, List:
		return "a list"
	case map[string]any:
		return "a map"
	}
	return "an object"
}

var errNullText = errors.New(`is null, which has no text; give it a value, or write | default ""`)

// show is a value as text. Only a single value is one: Go's form of a map or a
// list is never what was meant.
func show(value any) (string, error) {
	switch value := value.(type) {
	case string:
		return value, nil
	case int:
		return strconv.Itoa(value), nil
	case int64:
		return strconv.FormatInt(value, 10), nil
	case float64:
		return showFloat(value)
	case bool:
		return strconv.FormatBool(value), nil
	case Number:
		return value.text, nil
	case nil:
		return "", errNullText
	}
	return "", fmt.Errorf("is %s, which has no text; name a part of it, range over it, or write | toJson or | toYaml", KindOf(value))
}

// showFloat is a number as text/template writes it. Where that is 1e+06, which no
// port and no size is, it is an error.
func showFloat(value float64) (string, error) {
	text := strconv.FormatFloat(value, 'g', -1, 64)
	if math.IsInf(value, 0) || math.IsNaN(value) {
		return "", fmt.Errorf("is %s, which is no finite number", text)
	}
	if strings.Contains(text, "e+") {
		return "", fmt.Errorf("is the number %s, which would be written so; write | int for an integer, or printf %q", text, "%.2f")
	}
	return text, nil
}

// truth is what "if" sees in a value, as in text/template: false, zero, null
// and what is empty are not true.
func truth(value any) bool {
	switch value := plain(value).(type) {
	case nil, *missing:
		return false
	case bool:
		return value
	case string:
		return value != ""
	case int:
		return value != 0
	case int64:
		return value != 0
	case float64:
		return value != 0
	case []any:
		return len(value) > 0
	case map[string]any:
		return len(value) > 0
	case List:
		return value.Len() > 0
	}
	return true
}
