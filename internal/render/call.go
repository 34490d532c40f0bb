// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template/parse"
)

// table holds the functions by name, and those of sprig that are called "must..."
// beside it: there an error is silence, and here every function has errors.
var table = sync.OnceValue(func() map[string]*Function {
	all := map[string]*Function{}
	for i := range functions {
		f := &functions[i]
		all[f.Name] = f
	}
	for _, name := range mustNames {
		all["must"+strings.ToUpper(name[:1])+name[1:]] = all[name]
	}
	return all
})

// function evaluates a call. What the command before it made is its last
// argument.
func (e *evaluation) function(dot any, name *parse.IdentifierNode, args []parse.Node, piped any) (any, error) {
	if err := e.enter(name); err != nil {
		return nil, err
	}
	defer e.leave()
	f, found := table()[name.Ident]
	if !found {
		return nil, e.fail(name, e.renderer.unknownFunction(name.Ident))
	}
	if f.Name == "and" || f.Name == "or" {
		return e.shortCircuit(dot, f.Name, name, args, piped)
	}
	values := make([]any, 0, len(args)+1)
	for _, arg := range args {
		value, err := e.argument(dot, arg)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	if piped != nothing {
		values = append(values, piped)
	}
	for i, value := range values {
		if gap, ok := value.(*missing); ok {
			if !f.takesMissing {
				return nil, gap.err()
			}
			values[i] = nil
		} else if !f.takesData && value == any(e.renderer.data) {
			return nil, e.failf(name, "%s can't be given all of the data; name a field of it, such as .Values", f.Name)
		}
	}
	result, err := e.renderer.call(f, values)
	if gap, ok := err.(*absence); ok {
		return &missing{evaluation: e, chain: chain{start: name.Position()}, cause: gap}, nil
	}
	if err != nil {
		return nil, e.failf(name, "%s: %w", f.Name, err)
	}
	return result, nil
}

// shortCircuit evaluates "and" and "or", which look at their arguments only
// until they know. A value that is missing is false.
func (e *evaluation) shortCircuit(dot any, which string, name parse.Node, args []parse.Node, piped any) (any, error) {
	if len(args) == 0 && piped == nothing {
		return nil, e.failf(name, "%s: takes at least 1 argument", which)
	}
	var value any
	for _, arg := range args {
		var err error
		if value, err = e.argument(dot, arg); err != nil {
			return nil, err
		}
		if truth(value) == (which == "or") {
			return value, nil
		}
	}
	if piped != nothing {
		return piped, nil
	}
	return value, nil
}

// unknownFunction says why there is no such function.
func (r *Renderer) unknownFunction(name string) error {
	for _, refusal := range refusals {
		if slices.Contains(refusal.Names, name) {
			return fmt.Errorf("peerjob has no %s%s", name, refusal.because())
		}
	}
	if slices.Contains(r.data.Fields(), name) {
		return fmt.Errorf("there is no function %q; write .%s, with the dot", name, name)
	}
	names := slices.Sorted(maps.Keys(table()))
	return fmt.Errorf("there is no function %q%s%s", excerpt(name, 0), r.didYouMean(name, names), literalHint)
}

// call calls a function. It pays before: the price is the most that the function
// can cost with arguments of these sizes.
func (r *Renderer) call(f *Function, args []any) (result any, err error) {
	// Some functions of sprig panic on arguments which they can't take.
	defer func() {
		if cause := recover(); cause != nil {
			result, err = nil, fmt.Errorf("%v", cause)
		}
	}()
	if err := r.budget.spend(callPrice + len(args)*elementPrice); err != nil {
		return nil, err
	}
	if err := f.convert(args); err != nil {
		return nil, err
	}
	if f.price != nil {
		price, err := f.price(r, args)
		if err != nil {
			return nil, err
		}
		if err := r.budget.spend(price); err != nil {
			return nil, err
		}
	}
	switch f.Name {
	case "include":
		result, err = r.include(args)
	case "tpl":
		result, err = r.tpl(args)
	default:
		result, err = f.call(r, args)
	}
	if text, ok := result.(string); ok && err == nil {
		err = fits(len(text))
	}
	if err != nil {
		return nil, err
	}
	return result, nil
}

// kind is what a function takes as an argument.
type kind int

const (
	// none says that there are no further arguments.
	none kind = iota
	// anything is any value, null too.
	anything
	// single is a value that has a text: what [show] shows, as it is.
	single
	// text is a string.
	text
	// optional is a single value, or null, which has no text.
	optional
	// integer is an int.
	integer
	// long is an int64: an integer, or a text that is one.
	long
	// decimal is a float64: a number, or a text that is one.
	decimal
	// boolean is a bool.
	boolean
	// sequence is a List.
	sequence
	// dictionary is a map[string]any.
	dictionary
)

// convert turns arguments into what a function takes, where they are.
func (f *Function) convert(args []any) error {
	switch {
	case len(args) < len(f.takes) && f.further != none:
		return fmt.Errorf("takes at least %s, and has %d", count(len(f.takes), "argument"), len(args))
	case len(args) != len(f.takes) && f.further == none:
		return fmt.Errorf("takes %s, and has %d", count(len(f.takes), "argument"), len(args))
	case f.most > 0 && len(args) > f.most:
		return fmt.Errorf("takes at most %s, and has %d", count(f.most, "argument"), len(args))
	}
	for i, arg := range args {
		want := f.further
		if i < len(f.takes) {
			want = f.takes[i]
		}
		value, err := want.convert(arg)
		if err != nil {
			return fmt.Errorf("argument %d %w", i+1, err)
		}
		args[i] = value
	}
	return nil
}

// count is a number of things, in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

func (k kind) convert(arg any) (any, error) {
	switch k {
	case anything:
		return arg, nil
	case optional:
		if arg == nil {
			return nil, nil
		}
		return single.convert(arg)
	case single:
		switch plain(arg).(type) {
		case string, bool, int, int64, float64:
			return arg, nil
		}
		_, err := show(arg)
		return nil, err
	}
	if arg == nil {
		return nil, errors.New("is null")
	}
	switch k {
	case text:
		if text, ok := arg.(string); ok {
			return text, nil
		}
		return nil, mustBe("a string", arg)
	case boolean:
		if value, ok := arg.(bool); ok {
			return value, nil
		}
		return nil, mustBe("a boolean", arg)
	case integer:
		if n, ok := wholeOrFloat(arg); ok && int64(int(n)) == n {
			return int(n), nil
		}
		return nil, mustBe("an integer", arg)
	case long:
		return toLong(arg)
	case decimal:
		return toDecimal(arg)
	case sequence:
		if list, ok := listOf(arg); ok {
			return list, nil
		}
		return nil, mustBe("a list", arg)
	case dictionary:
		if dict, ok := arg.(map[string]any); ok {
			return dict, nil
		}
		return nil, mustBe("a map", arg)
	}
	return nil, fmt.Errorf("can't be %s", KindOf(arg))
}

func mustBe(want string, arg any) error {
	switch plain(arg).(type) {
	case string, int, int64, float64:
		shown, _ := show(arg)
		if text, ok := arg.(string); ok {
			shown = strconv.Quote(excerpt(text, 0))
		}
		return fmt.Errorf("must be %s, not %s %s", want, KindOf(arg), shown)
	}
	return fmt.Errorf("must be %s, not %s", want, KindOf(arg))
}

// wholeOrFloat is a number without a fraction as an integer.
func wholeOrFloat(value any) (int64, bool) {
	if n, ok := whole(value); ok {
		return n, true
	}
	if f, ok := plain(value).(float64); ok && f == math.Trunc(f) && math.Abs(f) < 1<<63 {
		return int64(f), true
	}
	return 0, false
}

// maxDigits is how long a text may be that is read as a number.
const maxDigits = 100

// toLong is an integer of a number or of a text. What sprig takes for zero, or
// cuts, is an error.
func toLong(value any) (any, error) {
	if n, ok := wholeOrFloat(value); ok {
		return n, nil
	}
	switch value := plain(value).(type) {
	case float64:
		if value != math.Trunc(value) {
			return nil, fmt.Errorf("is %v, and must be an integer; use the function for fractions, such as mulf, or int to cut it", value)
		}
		return nil, fmt.Errorf("is %v, which is no integer of 64 bits", value)
	case string:
		if len(value) > maxDigits {
			return nil, fmt.Errorf("must be a number, not %q", excerpt(value, 0))
		}
		digits := value
		if before, after, found := strings.Cut(value, "."); found && before != "" && strings.Trim(after, "0") == "" {
			digits = before
		}
		n, err := strconv.ParseInt(digits, 0, 64)
		if err == nil {
			return n, nil
		}
		shown := excerpt(value, 0)
		if errors.Is(err, strconv.ErrRange) {
			return nil, fmt.Errorf("is %q, which is no integer of 64 bits", shown)
		}
		if strings.Trim(value, "0123456789") == "" && value != "" {
			return nil, fmt.Errorf("is %q, which is no octal number, as a 0 in front says; write atoi for a decimal one", shown)
		}
		if f, err := strconv.ParseFloat(value, 64); err == nil {
			return nil, fmt.Errorf("is %q, and must be an integer; use float64 and the function for fractions, such as mulf (%v)", shown, f)
		}
		return nil, fmt.Errorf("must be a number, not %q", shown)
	}
	return nil, mustBe("a number", value)
}

// toDecimal is a number with a fraction of a number or of a text.
func toDecimal(value any) (any, error) {
	switch value := plain(value).(type) {
	case int:
		return float64(value), nil
	case int64:
		return float64(value), nil
	case float64:
		return value, nil
	case string:
		f, err := strconv.ParseFloat(value[:min(len(value), maxDigits+1)], 64)
		if len(value) > maxDigits || err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, fmt.Errorf("must be a number, not %q", excerpt(value, 0))
		}
		return f, nil
	}
	return nil, mustBe("a number", value)
}
