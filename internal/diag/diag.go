// SPDX-License-Identifier: Apache-2.0

// Package diag answers: what was found in a PeerJob, and in which order is it
// shown?
//
// # Rules
//
//   - An error is a field error of apimachinery. What is probably wrong is a
//     [Warning] on its field.
//   - Findings are in the order of the fields of the API type, and nothing is said
//     twice.
//   - A later error that only follows from an earlier one is left out ([Append]).
//
// # Never
//
// It never judges a PeerJob.
package diag

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/apitype"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/spell"
)

// UnknownField is the bad value of an error about a field that the API does
// not have.
type UnknownField struct {
	// Name is the field as the user wrote it.
	Name string
	// Nearest is the field that was probably meant; "" when none is like it.
	Nearest string
	// Belongs is the path of the field that was probably meant in another object, ""
	// when there is none.
	Belongs string
	// Unclear says that nobody knows which field was meant: it may be any of its object.
	Unclear bool
}

// Literal is a bad value that an error shows as it is, without quotes: a
// number, a boolean, a map.
type Literal struct{ Text string }

func (l Literal) String() string { return l.Text }

// MarshalJSON fails, so that a field error shows what String returns.
func (l Literal) MarshalJSON() ([]byte, error) { return nil, errors.New("shown as text") }

// Count is a number with what it counts: "1 peer", "4 peers", "6 retries".
func Count[N int | int32 | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, found := strings.CutSuffix(noun, "y"); found {
		noun = stem + "ie"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// There says how many there are: "there is 1 peer", "there are 4 peers".
func There[N int | int32 | int64](n N, noun string) string {
	if n == 1 {
		return "there is " + Count(n, noun)
	}
	return "there are " + Count(n, noun)
}

// NotSupported is an error about a name that is none of those of the PeerJob. They are said
// once each, and one that is missing is not said: other errors are about these.
func NotSupported(path *field.Path, name string, names []string) *field.Error {
	var known []string
	for _, one := range names {
		if one != "" && !slices.Contains(known, one) {
			known = append(known, one)
		}
	}
	return field.NotSupported(path, name, known)
}

// supportedValues matches a value in the text of an error about one that is not supported.
var supportedValues = lazyregexp.New(`"(?:[^"\\]|\\.)*"`)

// Suggest adds to errors about values that are not supported the one that was probably meant,
// unless they say that already.
func Suggest(errs field.ErrorList) {
	for _, err := range errs {
		if err.Type != field.ErrorTypeNotSupported || strings.Contains(err.Detail, "did you mean") {
			continue
		}
		value := reflect.ValueOf(err.BadValue)
		if value.Kind() != reflect.String {
			continue
		}
		var supported []string
		for _, at := range supportedValues.FindAllStringIndex(err.Detail, -1) {
			if one, quoteErr := strconv.Unquote(err.Detail[at[0]:at[1]]); quoteErr == nil {
				supported = append(supported, one)
			}
		}
		if meant := spell.Part(value.String(), supported); meant != "" {
			err.Detail += fmt.Sprintf("; did you mean %q?", meant)
		}
	}
}

// Warning is about a field that can be meant as it is, and probably is not.
type Warning struct {
	// Field is the field of the PeerJob; "" for the PeerJob as a whole.
	Field string
	// Message says what happens, and what to write instead.
	Message string
	// Excerpt is the part of a long value that it is about, "" for the value as a whole.
	Excerpt string
}

// Warn returns a warning about a field.
func Warn(path *field.Path, format string, args ...any) Warning {
	return Warning{Field: path.String(), Message: fmt.Sprintf(format, args...)}
}

// Fewest is how many warnings of one rule are shown of one object.
const Fewest = 10

// Few returns the warnings of one rule about one object, or the first of them where they
// are too many to read. The last one says then how many more there are.
func Few(warnings []Warning) []Warning {
	if len(warnings) <= Fewest {
		return warnings
	}
	few := slices.Clone(warnings[:Fewest])
	few[Fewest-1].Message += AndMore(len(warnings) - Fewest)
	return few
}

// AndMore is the end of the last message of a list that leaves out this many, "" for none.
func AndMore(left int) string {
	if left <= 0 {
		return ""
	}
	return fmt.Sprintf("; and %d more like this", left)
}

// Listed joins words or numbers as in a sentence, with "and" or "or" before the last.
func Listed[T any](words []T, before string) string {
	all := texts(words)
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " " + before + " " + all[len(all)-1]
}

// ListValue is a list as the bad value of an error, as YAML writes it in one line.
func ListValue[T any](values []T) Literal {
	return Literal{Text: "[" + strings.Join(texts(values), ", ") + "]"}
}

func texts[T any](values []T) []string {
	all := make([]string, len(values))
	for i, value := range values {
		all[i] = fmt.Sprint(value)
	}
	return all
}

// Append adds the errors of a later check to those of an earlier one,
// less those that only follow from them: a later error on a field, or below a
// field, which has an error already, or which the user seems to have
// misspelled or misplaced; one that misses a value of which a part has an error, or a
// value beside an unknown field that may be meant for it; and one about a name of what has
// such an error.
func Append(earlier, later field.ErrorList) field.ErrorList {
	settled, unclear := map[string]bool{}, map[string]bool{}
	for _, err := range earlier {
		settled[err.Field] = true
		if unknown, ok := err.BadValue.(UnknownField); ok {
			if unknown.Nearest != "" {
				settled[strings.TrimSuffix(err.Field, unknown.Name)+unknown.Nearest] = true
			}
			if unknown.Belongs != "" {
				settled[unknown.Belongs] = true
			}
			if unknown.Unclear {
				unclear[strings.TrimSuffix(err.Field, unknown.Name)] = true
			}
		}
	}
	var open field.ErrorList
	for _, err := range later {
		switch {
		case settledAbove(settled, err.Field), Misses(err) && hasErrorBelow(earlier, err.Field):
		case Misses(err) && unclear[withoutLast(err.Field)]:
			settled[err.Field] = true
		default:
			open = append(open, err)
		}
	}
	return append(slices.Clip(earlier), slices.DeleteFunc(open, func(err *field.Error) bool { return leadsToSettled(err, settled) })...)
}

// Misses reports whether an error is about a value that is not there.
func Misses(err *field.Error) bool {
	switch err.Type {
	case field.ErrorTypeRequired:
		return true
	case field.ErrorTypeInvalid, field.ErrorTypeNotSupported, field.ErrorTypeNotFound:
		value := reflect.ValueOf(err.BadValue)
		return !value.IsValid() || value.IsZero()
	}
	return false
}

// withoutLast is a path up to its last element, with the dot before that.
func withoutLast(path string) string { return path[:strings.LastIndex(path, ".")+1] }

// references match the fields of a Pod with the name of an element of one of its lists, by
// the name of the list.
var references = map[string]*lazyregexp.Regexp{
	"volumes":        lazyregexp.New(`^(.*)\.\w*[cC]ontainers\[\d+\]\.volume(?:Mounts|Devices)\[\d+\]\.name$`),
	"resourceClaims": lazyregexp.New(`^(.*)\.\w*[cC]ontainers\[\d+\]\.resources\.claims\[\d+\](?:\.name)?$`),
}

// element matches an element of a list, or its name, behind the path of the list.
var element = lazyregexp.New(`^(?:\[\d+\](?:\.name)?)?$`)

// leadsToSettled reports whether an error is about a name that nothing has, and that may be
// the one of an element of a list that could not be read.
func leadsToSettled(err *field.Error, settled map[string]bool) bool {
	if err.Type != field.ErrorTypeNotFound {
		return false
	}
	for list, reference := range references {
		pod := reference.FindStringSubmatch(err.Field)
		if pod == nil {
			continue
		}
		for path := range settled {
			if rest, found := strings.CutPrefix(path, pod[1]+"."+list); found && element.MatchString(rest) {
				return true
			}
		}
	}
	return false
}

// hasErrorBelow reports whether there is an error on a part of what a path leads to.
func hasErrorBelow(errs field.ErrorList, path string) bool {
	return slices.ContainsFunc(errs, func(err *field.Error) bool {
		rest, found := strings.CutPrefix(err.Field, path)
		return found && rest != "" && (rest[0] == '.' || rest[0] == '[')
	})
}

// settledAbove reports whether a path, or one that it lies below, is settled.
func settledAbove(settled map[string]bool, path string) bool {
	for i := range path {
		if (path[i] == '.' || path[i] == '[') && settled[path[:i]] {
			return true
		}
	}
	return settled[path]
}

// SortErrors sorts errors by the order of the API's fields, list elements by
// index and map keys by name, and drops what is said twice.
func SortErrors(errs field.ErrorList) field.ErrorList {
	return sortByField(errs, func(err *field.Error) string { return err.Field }, func(err *field.Error) string { return err.Error() })
}

// SortWarnings does for warnings what [SortErrors] does for errors.
func SortWarnings(warnings []Warning) []Warning {
	return sortByField(warnings, func(w Warning) string { return w.Field }, func(w Warning) string { return w.Field + ": " + w.Message })
}

func sortByField[T any](findings []T, fieldOf, textOf func(T) string) []T {
	type ranked struct {
		finding T
		rank    []rank
	}
	all := make([]ranked, len(findings))
	for i, finding := range findings {
		all[i] = ranked{finding, rankOf(fieldOf(finding))}
	}
	slices.SortFunc(all, func(a, b ranked) int {
		byField := slices.CompareFunc(a.rank, b.rank, func(x, y rank) int {
			return cmp.Or(cmp.Compare(x.index, y.index), cmp.Compare(x.key, y.key))
		})
		return cmp.Or(byField, cmp.Compare(textOf(a.finding), textOf(b.finding)))
	})
	sorted := make([]T, 0, len(findings))
	said := map[string]bool{}
	for _, r := range all {
		if text := textOf(r.finding); !said[text] {
			said[text] = true
			sorted = append(sorted, r.finding)
		}
	}
	return sorted
}

// rank is the place of one path element among its siblings.
type rank struct {
	index int
	key   string
}

// rankOf follows a path such as "spec.service.ports[0].name" through the API
// type.
func rankOf(path string) []rank {
	var ranks []rank
	typ := reflect.TypeFor[v1alpha1.PeerJob]()
	for path != "" {
		for typ != nil && typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		element, rest, inBrackets := NextElement(path)
		path = rest
		r := rank{key: element}
		if inBrackets {
			if n, err := strconv.Atoi(element); err == nil {
				r = rank{index: n}
			}
			if typ != nil && (typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map) {
				typ = typ.Elem()
			}
		} else if typ != nil && typ.Kind() == reflect.Struct {
			// A field that the type does not have comes after those it has.
			fields := apitype.Of(typ)
			place, found := fields.Place(element)
			if found {
				r.index, typ = place, fields.Fields[place].Type
			} else {
				r.index, typ = len(fields.Fields), nil
			}
		}
		ranks = append(ranks, r)
	}
	return ranks
}

// NextElement cuts the first element off a path: "a.b" to "a", "[0].b" to "0".
func NextElement(path string) (element, rest string, inBrackets bool) {
	if strings.HasPrefix(path, "[") {
		element, rest, _ = strings.Cut(path[1:], "]")
		return element, strings.TrimPrefix(rest, "."), true
	}
	end := strings.IndexAny(path, ".[")
	if end < 0 {
		return path, "", false
	}
	return path[:end], strings.TrimPrefix(path[end:], "."), false
}
