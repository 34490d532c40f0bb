// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// visit calls found where a value of the feature's field has the feature, or
// for each element of the list that has it.
func (f Feature) visit(content reflect.Value, path string, found func(f Feature, path string)) {
	if !strings.Contains(path, f.In) {
		return
	}
	if f.has(content) {
		f.empty = isEmptyText(content)
		found(f, path)
	}
	if content.Kind() == reflect.Slice && (f.Value != "" || f.Is != nil) {
		for i := range content.Len() {
			if f.has(content.Index(i)) {
				found(f, fmt.Sprintf("%s[%d]", path, i))
			}
		}
	}
}

// has reports whether a value has the feature.
func (f Feature) has(content reflect.Value) bool {
	switch {
	case f.Is != nil:
		return f.Is(content)
	case f.Value != "":
		return f.Value == scalarText(content)
	}
	return true
}

// what begins a message about a value of the field: the value, or what it is
// called.
func (f Feature) what() string {
	switch {
	case f.Is != nil:
		return f.Value + " "
	case f.Value != "":
		return strconv.Quote(f.Value) + " "
	}
	return ""
}

// keptMessage is the warning of a field that the server keeps in the Job, and
// that is lost afterwards.
func (f Feature) keptMessage(first int, ever bool) string {
	if !ever {
		return fmt.Sprintf("needs the feature gate %s, which is off by default: a server without it keeps the field in the Job and drops it from the claim that it makes", f.Gate)
	}
	return fmt.Sprintf("needs Kubernetes 1.%d: an older server keeps the field in the Job and drops it from the claim that it makes", first)
}

// scalarText is the text of a string or of what a pointer to one points to.
func scalarText(value reflect.Value) string {
	if value.Kind() == reflect.Pointer && !value.IsNil() {
		value = value.Elem()
	}
	if value.Kind() == reflect.String {
		return value.String()
	}
	return ""
}

// isEmptyText reports whether a value is a pointer to an empty text.
func isEmptyText(value reflect.Value) bool {
	return value.Kind() == reflect.Pointer && value.Type().Elem().Kind() == reflect.String && scalarText(value) == ""
}

// text makes a test of values of one of texts.
func text(is func(string) bool) func(reflect.Value) bool {
	return func(value reflect.Value) bool {
		s := scalarText(value)
		return s != "" && is(s)
	}
}

func isRelaxedSearch(domain string) bool { return domain == "." || strings.Contains(domain, "_") }

func hasSlash(name string) bool { return strings.Contains(name, "/") }

func isZeroSleep(value reflect.Value) bool {
	sleep, ok := value.Interface().(*corev1.SleepAction)
	return ok && sleep.Seconds == 0
}

// The limits of a list of search domains before ExpandedDNSConfig. Characters
// are counted with a space between two domains.
const (
	oldMaxSearches     = 6
	oldMaxSearchLength = 256
)

func isLongSearchList(value reflect.Value) bool {
	searches, ok := value.Interface().([]string)
	return ok && (len(searches) > oldMaxSearches || len(strings.Join(searches, " ")) > oldMaxSearchLength)
}
