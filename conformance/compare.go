// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// comparison is how the object that the server made of peerjob's YAML differs
// from the object that peerjob wrote. What the server adds does not matter.
type comparison struct {
	// misread are the values that the server has and peerjob did not mean.
	misread []string
	// dropped are the paths of the fields that the server left out.
	dropped []string
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
	if !unset(want) && !reflect.DeepEqual(want, got) && !sameQuantity(want, got) {
		c.misread = append(c.misread, fmt.Sprintf("%s: meant %s, read %s", path, show(want), show(got)))
	}
}

func (c *comparison) compareFields(path string, want, got map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		// The server keeps the old name of a field for old clients, with the
		// value of the new one.
		if unset(want[name]) || name == "serviceAccount" {
			continue
		}
		inner := strings.TrimPrefix(path+"."+name, ".")
		if value, found := got[name]; found {
			c.compare(inner, want[name], value)
		} else {
			c.dropped = append(c.dropped, inner)
		}
	}
}

// unset reports whether a value is the one of a field that nobody set: the
// API's types write some of them, and the server puts defaults there.
func unset(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		for _, inner := range value {
			if !unset(inner) {
				return false
			}
		}
		return true
	case []any:
		return len(value) == 0
	}
	return value == nil || value == "" || value == false || value == json.Number("0")
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
