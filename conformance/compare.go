// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// comparison is how the object that the server made of peerjob's YAML differs
// from the object that peerjob wrote. What the server adds does not matter.
type comparison struct {
	// misread are the values that the server has and peerjob did not mean.
	misread []string
	// dropped are the paths of the fields that the server left out, without emptied.
	dropped []string
	// emptied are the paths of those that are "", or an object of only that: they
	// ask for nothing.
	emptied []string
}

// compare compares the object that peerjob wrote with what the server made.
func compare(meant any, stored []byte) (comparison, error) {
	var c comparison
	data, err := json.Marshal(meant)
	if err != nil {
		return c, err
	}
	want, err := decodeJSON(data)
	if err != nil {
		return c, err
	}
	got, err := decodeJSON(stored)
	if err != nil {
		return c, err
	}
	c.compare("", want, got)
	return c, nil
}

// below returns the same comparison of an object that is a part of another.
func (c comparison) below(prefix string) comparison {
	var moved comparison
	for _, misread := range c.misread {
		moved.misread = append(moved.misread, prefix+misread)
	}
	for _, path := range c.dropped {
		moved.dropped = append(moved.dropped, prefix+path)
	}
	for _, path := range c.emptied {
		moved.emptied = append(moved.emptied, prefix+path)
	}
	return moved
}

// decodeJSON keeps numbers as they are written: a float64 does not hold every
// integer.
func decodeJSON(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	return value, decoder.Decode(&value)
}

func (c *comparison) compare(path string, want, got any) {
	switch want := want.(type) {
	case map[string]any:
		if got, ok := got.(map[string]any); ok {
			c.compareFields(path, want, got)
			return
		}
	case []any:
		// A longer list is one that the server added to.
		if got, ok := got.([]any); ok && len(got) >= len(want) {
			for i := range want {
				c.compare(fmt.Sprintf("%s[%d]", path, i), want[i], got[i])
			}
			return
		}
	}
	if !reflect.DeepEqual(want, got) && !sameQuantity(want, got) {
		c.misread = append(c.misread, fmt.Sprintf("%s: meant %s, read %s", path, show(want), show(got)))
	}
}

func (c *comparison) compareFields(path string, want, got map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		inner := strings.TrimPrefix(path+"."+name, ".")
		// The server keeps the old name of a field for old clients, with the
		// value of the new one.
		if unset(inner, want[name]) || name == "serviceAccount" {
			continue
		}
		value, found := got[name]
		switch {
		case found:
			c.compare(inner, want[name], value)
		case isEmptied(want[name]):
			c.emptied = append(c.emptied, inner)
		default:
			c.dropped = append(c.dropped, inner)
		}
	}
}

// isEmptied reports whether a value is "", or an object with nothing else in it.
func isEmptied(value any) bool {
	object, ok := value.(map[string]any)
	for _, inner := range object {
		if !isEmptied(inner) {
			return false
		}
	}
	return ok && len(object) > 0 || value == ""
}

// unset reports whether a field has the value that the API's types write for one
// that nobody set. For most fields they write nothing.
func unset(path string, value any) bool {
	switch value := value.(type) {
	case map[string]any:
		for name := range value {
			if !unset(path+"."+name, value[name]) {
				return false
			}
		}
		return structs.MatchString(path)
	case []any:
		return len(value) == 0
	}
	return value == nil || slices.Contains(written[path[strings.LastIndex(path, ".")+1:]], value)
}

// structs are the objects that are always written.
var structs = regexp.MustCompile(`(^|\.)(metadata|spec|status|loadBalancer)$|(ontainers\[\d+\]|volumeClaimTemplate\.spec)\.resources$`)

// written are the values that are always written. The status is that of a
// condition in a podFailurePolicy.
var written = map[string][]any{
	"targetPort": {json.Number("0"), ""},
	"status":     {""},
}

// sameQuantity reports whether two values are the same quantity: the server
// rounds up what is smaller than a thousandth.
func sameQuantity(a, b any) bool {
	first, isText := a.(string)
	second, areTexts := b.(string)
	if !isText || !areTexts {
		return false
	}
	x, err := resource.ParseQuantity(first)
	if err != nil {
		return false
	}
	y, err := resource.ParseQuantity(second)
	if err != nil {
		return false
	}
	x.RoundUp(resource.Milli)
	return x.Cmp(y) == 0
}

func show(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
