// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/apitype"
	"github.com/peerjob/peerjob/internal/decode"
	"github.com/peerjob/peerjob/internal/framework/known"
)

// says is what is known of a field besides its type.
type says struct {
	description string
	required    bool
	// without is a field that makes this one required when it is not there.
	without        string
	minimum        *int64
	maximum        *int64
	enum           []string
	pattern        string
	maxLength      int
	defaultLiteral any
}

// The words of the comments of the API.
var (
	requiredWord = regexp.MustCompile(`(?:^|[.;] )[Rr]equired[.;]`)
	withoutWord  = regexp.MustCompile(`(?:^|[.;] )[Rr]equired without ([a-zA-Z]+)[.;]`)
	betweenWords = regexp.MustCompile(`(?:^|[.;] )(\d+) to (\d+)[.;]`)
	atLeastWords = regexp.MustCompile(`(?:^|[.;] )(\d+) (?:or more|to peers)[.;]`)
	versionWords = regexp.MustCompile(`"1\.(\d+)" to "1\.(\d+)", in quotes`)
	defaultWord  = regexp.MustCompile(`(?:^|[.;] )[Dd]efault:? ("[^"]*"|[A-Za-z0-9]+)[.,;]`)
)

// textForms are texts with a form that the comments name.
var textForms = []struct {
	words, pattern string
	maxLength      int
}{
	{"A DNS label of at most 63 characters", `^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`, 63},
	{"A DNS domain", `^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`, 253},
	{"absolute, without", `^/`, 0},
}

// mayBeUnset are fields of Kubernetes that its OpenAPI requires, and that the server
// takes without: it reads an unset one as 0, "" or nothing, which is right there.
// TestWithout of conformance/schema finds them.
var mayBeUnset = map[string]bool{
	"HTTPHeader.value":                   true,
	"ISCSIVolumeSource.lun":              true,
	"PodFailurePolicy.rules":             true,
	"Sysctl.value":                       true,
	"PreferredSchedulingTerm.preference": true,
	"EvictionResponder.priority":         true,
	"ScaleIOVolumeSource.secretRef":      true,
	"SleepAction.seconds":                true,
	"TopologyConstraint.key":             true, // not looked at without its feature gate
}

// anyWord are fields of Kubernetes with an enumeration that the server does not look at: it
// drops the field, because its feature gate is off by default.
var anyWord = map[string]bool{
	"GRPCAction.mode":        true,
	"HTTPGetAction.protocol": true,
}

// field returns what is known of a field of a struct.
func (s *source) field(typ reflect.Type, f apitype.Field) (*says, error) {
	of := elem(f.Type)
	about := &says{}
	var err error
	if of.Kind() == reflect.String && !anyWord[typ.Name()+"."+f.Name] {
		if about.enum, err = s.enum(of); err != nil {
			return nil, err
		}
	}
	if f.Owner == typ && isOurs(typ) {
		p, err := s.of(typ)
		if err != nil {
			return nil, err
		}
		about.description = p.fields[typ.Name()+"."+f.Name]
		if !strings.HasPrefix(about.description, f.Name) {
			return nil, fmt.Errorf("%s.%s: its comment must begin with %q", typ.Name(), f.Name, f.Name)
		}
		return about, about.read(typ, f.Name, of)
	}
	if isOurs(typ) { // what every object of Kubernetes has: apiVersion and kind
		about.required = true
		about.enum = []string{map[string]string{"apiVersion": v1alpha1.APIVersion, "kind": v1alpha1.Kind}[f.Name]}
		about.description = s.published[publishedName(reflect.TypeFor[corev1.Pod]())].Properties[f.Name].Description
		return about, nil
	}
	schema, found := s.published[publishedName(typ)]
	if !found {
		return nil, fmt.Errorf("the OpenAPI of Kubernetes has no %s", publishedName(typ))
	}
	about.description = schema.Properties[f.Name].Description
	about.required = slices.Contains(schema.Required, f.Name) && !mayBeUnset[typ.Name()+"."+f.Name]
	if value := schema.Properties[f.Name].Default; value != nil && !isEmpty(value) {
		about.defaultLiteral = value
	}
	return about, nil
}

// element returns what is known of the elements of a list or a map: their words.
func (s *source) element(typ reflect.Type) (*says, error) {
	of := elem(typ.Elem())
	if of.Kind() != reflect.String {
		return &says{}, nil
	}
	words, err := s.enum(of)
	return &says{enum: words}, err
}

// isEmpty reports whether a default only repeats what an unset field is in Go.
func isEmpty(value any) bool {
	v := reflect.ValueOf(value)
	return v.IsZero() || (v.Kind() == reflect.Map || v.Kind() == reflect.Slice) && v.Len() == 0
}

// read reads the bounds, the words and the default from the comment of a field.
func (a *says) read(typ reflect.Type, name string, of reflect.Type) error {
	text := a.description
	a.required = requiredWord.MatchString(text)
	if match := withoutWord.FindStringSubmatch(text); match != nil {
		a.without = match[1]
	}
	isNumber := of.Kind() == reflect.Int32 || of.Kind() == reflect.Int64
	if match := betweenWords.FindStringSubmatch(text); match != nil {
		a.minimum, a.maximum = number(match[1]), number(match[2])
	} else if match := atLeastWords.FindStringSubmatch(text); match != nil {
		a.minimum = number(match[1])
	}
	if least, most, found := decode.Bounds(typ, name); found {
		if a.minimum == nil || a.maximum == nil || *a.minimum != least || *a.maximum != most {
			return fmt.Errorf("%s.%s: its comment must say \"%d to %d\", as internal/decode does", typ.Name(), name, least, most)
		}
	}
	if of.Kind() == reflect.String && a.enum == nil {
		for _, form := range textForms {
			if strings.Contains(text, form.words) {
				a.pattern, a.maxLength = form.pattern, form.maxLength
			}
		}
		if match := versionWords.FindStringSubmatch(text); match != nil {
			for minor := *number(match[1]); minor <= *number(match[2]); minor++ {
				a.enum = append(a.enum, fmt.Sprintf("1.%d", minor))
			}
		}
		if strings.Contains(text, `a type that "peerjob frameworks" lists`) {
			a.enum = known.Types()
		}
	}
	match := defaultWord.FindStringSubmatch(text)
	if match == nil {
		return nil
	}
	switch word := match[1]; {
	case isNumber:
		if n, err := strconv.ParseInt(word, 10, 64); err == nil {
			a.defaultLiteral = n
		}
	case of.Kind() == reflect.Bool && (word == "true" || word == "false"):
		a.defaultLiteral = word == "true"
	case of.Kind() == reflect.String && strings.HasPrefix(word, `"`):
		a.defaultLiteral = strings.Trim(word, `"`)
	case of.Kind() == reflect.String && slices.Contains(a.enum, word):
		a.defaultLiteral = word
	}
	return nil
}

func number(digits string) *int64 {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

// elem is a type without its pointers.
func elem(typ reflect.Type) reflect.Type {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	return typ
}
