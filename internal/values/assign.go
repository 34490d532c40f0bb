// SPDX-License-Identifier: Apache-2.0

package values

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/peerjob/peerjob/internal/render"
	"github.com/peerjob/peerjob/internal/spell"
)

// Assignment sets one value, as --set does.
type Assignment struct {
	// Path leads to the value: a string is the key of a map, and an int is a place in
	// a list. With an empty path the value is a map, and its keys are set one by one.
	Path []any
	// Value is the value. A nil removes a key, and is null in a list.
	Value any
}

// String is the path as --set has it, such as "env[0].name".
func (a Assignment) String() string { return pathText(a.Path) }

func pathText(path []any) string {
	var text strings.Builder
	for i, step := range path {
		switch step := step.(type) {
		case string:
			if i > 0 {
				text.WriteByte('.')
			}
			text.WriteString(step)
		case int:
			fmt.Fprintf(&text, "[%d]", step)
		}
	}
	return text.String()
}

// keys are the keys of Path before its first place in a list.
func (a Assignment) keys() []string {
	var keys []string
	for _, step := range a.Path {
		key, ok := step.(string)
		if !ok {
			break
		}
		keys = append(keys, key)
	}
	return keys
}

// Leaves are the dotted keys of all values that are set, such as "image.tag". A list
// is one value.
func (a Assignment) Leaves() []string {
	prefix := strings.Join(a.keys(), ".")
	if inner, ok := a.Value.(map[string]any); ok && len(inner) > 0 && len(a.keys()) == len(a.Path) {
		return leaves(inner, prefix)
	}
	return []string{prefix}
}

func leaves(values map[string]any, prefix string) []string {
	if prefix != "" {
		prefix += "."
	}
	var all []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if inner, ok := values[key].(map[string]any); ok && len(inner) > 0 {
			all = append(all, leaves(inner, prefix+key)...)
		} else {
			all = append(all, prefix+key)
		}
	}
	return all
}

// Assign returns values with the assignments made in their order, and the errors of
// those that do not fit the values: a key needs a map, and a place needs a list. Where
// there is nothing, both are made, and a gap in a list is null. The values are not
// changed.
func Assign(values map[string]any, assignments []Assignment) (map[string]any, []error) {
	if len(assignments) == 0 {
		return values, nil
	}
	// What the assignments reach is copied once, and then changed in place.
	all := maps.Clone(values)
	if all == nil {
		all = map[string]any{}
	}
	own := map[string]bool{}
	reach := func(key string) {
		if value, found := all[key]; found && !own[key] {
			all[key] = deepCopy(value)
		}
		own[key] = true
	}
	var errs []error
	gaps := maxIndex
	for _, a := range assignments {
		value := deepCopy(a.Value)
		if len(a.Path) == 0 {
			dict, _ := value.(map[string]any)
			for key := range dict {
				reach(key)
			}
			all = render.Merge(all, dict)
			continue
		}
		key, ok := a.Path[0].(string)
		if !ok {
			errs = append(errs, fmt.Errorf("%v is set, and the values are a map", a))
			continue
		}
		reach(key)
		s := setter{a.Path, value, &gaps}
		if _, err := s.set(all, 0); err != nil {
			errs = append(errs, err)
		}
	}
	return all, errs
}

// Misfit is an assignment that does not fit the values.
type Misfit struct {
	// Assignment is its path, as --set has it.
	Assignment string
	// Path leads to the value that it does not fit, and Value is that.
	Path  []any
	Value any
	// Want is what it needs there: "a map" or "a list".
	Want string
}

func (m *Misfit) Error() string {
	at := pathText(m.Path)
	return fmt.Sprintf("%s is set, and %s is %s, not %s; set %s itself", m.Assignment, at, render.KindOf(m.Value), m.Want, at)
}

// Override returns the default values of a PeerJob with those of its user over them, as
// Helm does with a chart's: the values of files, and then the assignments. A map that
// an assignment sets is in the place of the user's own, and goes key by key over the
// default. Neither is changed.
func Override(defaults, files map[string]any, assignments []Assignment) (map[string]any, []error) {
	all, errs := Assign(render.Merge(defaults, files), assignments)
	for _, a := range assignments {
		keys := a.keys()
		if _, isMap := a.Value.(map[string]any); isMap && len(keys) > 0 && len(keys) == len(a.Path) {
			layUnder(all, defaults, keys)
		}
	}
	return all, errs
}

// layUnder lays the map of defaults that keys lead to under that of values. It does
// nothing where either has none.
func layUnder(values, defaults map[string]any, keys []string) {
	for {
		over, ok := values[keys[0]].(map[string]any)
		under, found := defaults[keys[0]].(map[string]any)
		if !ok || !found {
			return
		}
		if len(keys) == 1 {
			values[keys[0]] = render.Merge(under, over)
			return
		}
		values, defaults, keys = over, under, keys[1:]
	}
}

// setter sets the value that a path leads to.
type setter struct {
	path  []any
	value any
	// gaps is how many elements all assignments may still leave unset in lists.
	gaps *int
}

// set sets the value in what the path leads to before this step, and returns that.
func (s setter) set(in any, step int) (any, error) {
	if step == len(s.path) {
		return s.value, nil
	}
	wrong := func(want string) error {
		return &Misfit{pathText(s.path), s.path[:step], in, want}
	}
	switch at := s.path[step].(type) {
	case string:
		dict, ok := in.(map[string]any)
		if !ok && in != nil {
			return nil, wrong("a map")
		}
		inner, err := s.set(dict[at], step+1)
		if err != nil {
			return nil, err
		}
		if dict == nil {
			dict = map[string]any{}
		}
		dict[at] = inner
		return dict, nil
	case int:
		list, ok := in.([]any)
		if !ok && in != nil {
			return nil, wrong("a list")
		}
		var element any
		if at < len(list) {
			element = list[at]
		}
		if *s.gaps -= max(0, at-len(list)); *s.gaps < 0 {
			return nil, fmt.Errorf("%s is set, and lists have more than %d elements before it that nothing sets", pathText(s.path), maxIndex)
		}
		inner, err := s.set(element, step+1)
		if err != nil {
			return nil, err
		}
		if more := at + 1 - len(list); more > 0 {
			list = append(list, make([]any, more)...)
		}
		list[at] = inner
		return list, nil
	}
	return nil, fmt.Errorf("a path has keys and places, not %T", s.path[step])
}

func deepCopy(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if value == nil {
			return value
		}
		all := make(map[string]any, len(value))
		for key, inner := range value {
			all[key] = deepCopy(inner)
		}
		return all
	case []any:
		if value == nil {
			return value
		}
		all := make([]any, len(value))
		for i, inner := range value {
			all[i] = deepCopy(inner)
		}
		return all
	}
	return value
}

const (
	// maxIndex is the last place of a list that an assignment may set, as in Helm.
	maxIndex = 65_536
	// maxSteps is how many keys and places a path may have.
	maxSteps = 30
)

// ParseSet reads assignments as --set of Helm has them: a.b=1,list[0]=x,c={d,e}. An
// integer, true, false and null are what they look like, and anything else is a text.
func ParseSet(text string) ([]Assignment, error) { return parseSet(text, listOr(typed)) }

// ParseSetString is ParseSet for --set-string: every value is a text.
func ParseSetString(text string) ([]Assignment, error) {
	return parseSet(text, listOr(func(text string) (any, error) { return text, nil }))
}

// ParseSetFile is ParseSet for --set-file: a value is the name of a file, and read
// returns its content.
func ParseSetFile(text string, read func(name string) (string, error)) ([]Assignment, error) {
	return parseSet(text, listOr(func(name string) (any, error) {
		if name == "" {
			return nil, errors.New("names no file; write key=file")
		}
		return read(name)
	}))
}

// ParseSetJSON is ParseSet for --set-json: a value is JSON. A map of JSON without a key
// sets all its keys.
func ParseSetJSON(text string) ([]Assignment, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		value, rest, err := render.ParseJSON(text)
		if err != nil {
			return nil, jsonError(err)
		}
		if strings.TrimSpace(rest) != "" {
			return nil, fmt.Errorf("there is more after the map: %q", rest)
		}
		return []Assignment{{nil, value}}, nil
	}
	return parseSet(text, func(s *setScanner) (value any, err error) {
		s.rest = strings.TrimLeft(s.rest, " \t\r\n")
		if s.rest != "" && s.rest[0] != ',' {
			if value, s.rest, err = render.ParseJSON(s.rest); err != nil {
				return nil, jsonError(err)
			}
		}
		s.rest = strings.TrimLeft(s.rest, " \t\r\n")
		return value, s.comma("the value")
	})
}

// jsonError adds to an error of JSON what people forget who write YAML.
func jsonError(err error) error {
	if strings.HasPrefix(err.Error(), "invalid character") {
		return fmt.Errorf(`%w; JSON needs double quotes around keys and texts, as in {"a": "b"}`, err)
	}
	return err
}

// Doubtful returns the paths of assignments whose value is a word that YAML once read
// as a boolean, such as no, and what it meant. It is a text, and so true in a condition.
func Doubtful(assignments []Assignment) map[string]bool {
	found := map[string]bool{}
	for _, a := range assignments {
		text, _ := a.Value.(string)
		// One letter may be the name of an axis.
		if yes, known := spell.YesOrNo(text); known && len(text) > 1 {
			found[a.String()+"="+text] = yes
		}
	}
	return found
}

// setScanner reads assignments from the left.
type setScanner struct{ rest string }

func parseSet(text string, value func(*setScanner) (any, error)) ([]Assignment, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("is no UTF-8 text")
	}
	var all []Assignment
	for s := (&setScanner{text}); s.rest != ""; {
		path, err := s.path()
		if err != nil {
			return nil, err
		}
		value, err := value(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pathText(path), err)
		}
		all = append(all, Assignment{path, value})
	}
	return all, nil
}

// path reads a path and the "=" behind it.
func (s *setScanner) path() ([]any, error) {
	var path []any
	for {
		key, stop := s.until("=[,.")
		if key == "" {
			return nil, fmt.Errorf("a key is empty; write key=value, and %s before a comma or a dot in a text", `\`)
		}
		path = append(path, key)
		for stop == '[' {
			place, err := s.place()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", pathText(path), err)
			}
			path = append(path, place)
			if s.rest == "" || !strings.ContainsRune("[.=", rune(s.rest[0])) {
				return nil, fmt.Errorf("%s has no value; write %s=value", pathText(path), pathText(path))
			}
			stop, s.rest = s.rest[0], s.rest[1:]
		}
		switch {
		case len(path) > maxSteps:
			return nil, fmt.Errorf("%.40s... leads more than %d levels down", pathText(path), maxSteps)
		case stop == '=':
			return path, nil
		case stop != '.':
			return nil, fmt.Errorf("%s has no value; write %s=value, and %s before a comma in a text", pathText(path), pathText(path), `\`)
		}
	}
}

// place reads a place in a list and the "]" behind it.
func (s *setScanner) place() (int, error) {
	text, stop := s.until("]")
	place, err := strconv.Atoi(text)
	switch {
	case stop == 0:
		return 0, fmt.Errorf(`"[" has no "]"`)
	case err != nil || place < 0 || place > maxIndex:
		return 0, fmt.Errorf("the place in a list must be between 0 and %d, not %q", maxIndex, text)
	}
	return place, nil
}

// until reads to one of the stops, and returns what it read and the stop, which is 0
// at the end. A backslash takes a stop for a letter.
func (s *setScanner) until(stops string) (text string, stop byte) {
	var read strings.Builder
	for i := 0; i < len(s.rest); i++ {
		letter := s.rest[i]
		switch {
		case strings.IndexByte(stops, letter) >= 0:
			s.rest = s.rest[i+1:]
			return read.String(), letter
		case letter == '\\':
			if i++; i < len(s.rest) {
				read.WriteByte(s.rest[i])
			}
		default:
			read.WriteByte(letter)
		}
	}
	s.rest = ""
	return read.String(), 0
}

// comma reads the comma behind a value, or finds the end.
func (s *setScanner) comma(what string) error {
	if s.rest != "" && s.rest[0] != ',' {
		return fmt.Errorf("there is %q after %s; write a comma between two", s.rest, what)
	}
	s.rest = strings.TrimPrefix(s.rest, ",")
	return nil
}

// listOr reads one value, or a list of them in braces.
func listOr(convert func(text string) (any, error)) func(*setScanner) (any, error) {
	return func(s *setScanner) (any, error) {
		if !strings.HasPrefix(s.rest, "{") {
			text, _ := s.until(",")
			return convert(text)
		}
		s.rest = s.rest[1:]
		list := []any{}
		for {
			text, stop := s.until(",}")
			if stop == 0 {
				return nil, fmt.Errorf(`"{" has no "}"`)
			}
			element, err := convert(text)
			if err != nil {
				return nil, err
			}
			list = append(list, element)
			if stop == '}' {
				return list, s.comma("the list")
			}
		}
	}
}

// typed is a value as --set takes it. A number with a 0 in front or with a fraction
// stays a text, so that it keeps its form.
func typed(text string) (any, error) {
	switch strings.ToLower(text) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	case "0":
		return int64(0), nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && text[0] != '0' {
		return n, nil
	}
	return text, nil
}
