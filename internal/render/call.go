// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"text/template/parse"

	"github.com/Masterminds/sprig/v3"

	"github.com/peerjob/peerjob/internal/spell"
)

// table holds the functions by name, each with what is called.
var table = sync.OnceValue(func() map[string]*callable {
	fromSprig := sprig.GenericFuncMap()
	all := map[string]*callable{}
	for i := range functions {
		f := &functions[i]
		c := &callable{Function: f}
		switch {
		case f.call != nil:
			c.function = reflect.ValueOf(f.call)
		case fromSprig["must"+capital(f.Name)] != nil:
			// The form with errors, under both names: sprig's other form turns
			// them into silence.
			c.function = reflect.ValueOf(fromSprig["must"+capital(f.Name)])
		case fromSprig[f.Name] != nil:
			c.function = reflect.ValueOf(fromSprig[f.Name])
		}
		all[f.Name] = c
		if fromSprig["must"+capital(f.Name)] != nil {
			all["must"+capital(f.Name)] = c
		}
	}
	return all
})

func capital(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// callable is a function of the table; function is not valid for those which
// the evaluation knows itself.
type callable struct {
	*Function
	function reflect.Value
}

// function evaluates a call. What the command before it made is its last
// argument.
func (e *evaluation) function(dot any, name *parse.IdentifierNode, args []parse.Node, piped any) (any, error) {
	if err := e.step(name); err != nil {
		return nil, err
	}
	f, found := table()[name.Ident]
	if !found {
		return nil, e.fail(name, unknownFunction(name.Ident))
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
				return nil, gap.err
			}
			values[i] = nil
			continue
		}
		if value == any(e.renderer.data) && !f.takesData {
			return nil, e.failf(name, "%s can't be given all of the data; name a field of it, such as .Values", f.Name)
		}
		if f.shallow {
			continue
		}
		if err := e.renderer.budget.charge(value); err != nil {
			return nil, e.fail(name, err)
		}
	}
	result, err := e.call(f, values)
	if err != nil {
		return nil, e.failf(name, "%s: %w", f.Name, err)
	}
	if text, ok := result.(string); ok && len(text) > MaxText {
		return nil, e.failf(name, "%s: makes a text longer than %d KiB", f.Name, MaxText>>10)
	}
	if f.shallow {
		if err := e.renderer.budget.spend(shallowCost * (len(values) + 1)); err != nil {
			return nil, e.fail(name, err)
		}
		return result, nil
	}
	if err := e.renderer.budget.charge(result); err != nil {
		return nil, e.fail(name, err)
	}
	return result, nil
}

// shortCircuit evaluates "and" and "or", which look at their arguments only
// until they know.
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
		if gap, ok := value.(*missing); ok {
			return nil, gap.err
		}
		if truth(value) == (which == "or") {
			return value, nil
		}
	}
	if gap, ok := piped.(*missing); ok {
		return nil, gap.err
	}
	if piped != nothing {
		return piped, nil
	}
	return value, nil
}

// unknownFunction says why there is no such function.
func unknownFunction(name string) error {
	for _, refusal := range refusals {
		if slices.Contains(refusal.Names, name) {
			return fmt.Errorf("%s is not here: it %s%s", name, refusal.Reason, literalHint)
		}
	}
	names := slices.Sorted(maps.Keys(table()))
	return fmt.Errorf("there is no function %q%s%s", name, didYouMean(name, names), literalHint)
}

// call calls a function with arguments of the types that it takes.
func (e *evaluation) call(f *callable, args []any) (result any, err error) {
	switch f.Name {
	case "include", "tpl":
		if len(args) != 2 {
			return nil, fmt.Errorf("takes 2 arguments, a text and a value, and has %d", len(args))
		}
		text, ok := args[0].(string)
		if !ok {
			return nil, fmt.Errorf("argument 1 must be a string, not %s", kindOf(args[0]))
		}
		if f.Name == "include" {
			return e.renderer.include(text, args[1])
		}
		return e.renderer.tpl(text, args[1])
	}
	if f.check != nil {
		if err := f.check(args); err != nil {
			return nil, err
		}
	}
	if f.price != nil {
		if err := e.renderer.budget.spend(f.price(args)); err != nil {
			return nil, err
		}
	}
	in, err := convert(f.function.Type(), args)
	if err != nil {
		return nil, err
	}
	// sprig panics on some arguments which it can't take.
	defer func() {
		if cause := recover(); cause != nil {
			result, err = nil, fmt.Errorf("%v", cause)
		}
	}()
	out := f.function.Call(in)
	if len(out) == 2 && !out[1].IsNil() {
		return nil, out[1].Interface().(error)
	}
	return out[0].Interface(), nil
}

// convert turns arguments into what a function takes.
func convert(function reflect.Type, args []any) ([]reflect.Value, error) {
	fixed := function.NumIn()
	if function.IsVariadic() {
		fixed--
	}
	switch {
	case len(args) < fixed && function.IsVariadic():
		return nil, fmt.Errorf("takes at least %d arguments, and has %d", fixed, len(args))
	case len(args) != fixed && !function.IsVariadic():
		return nil, fmt.Errorf("takes %d arguments, and has %d", fixed, len(args))
	}
	in := make([]reflect.Value, len(args))
	for i, arg := range args {
		typ := function.In(min(i, function.NumIn()-1))
		if function.IsVariadic() && i >= fixed {
			typ = typ.Elem()
		}
		value, err := convertOne(typ, arg)
		if err != nil {
			return nil, fmt.Errorf("argument %d %w", i+1, err)
		}
		in[i] = value
	}
	return in, nil
}

func convertOne(typ reflect.Type, arg any) (reflect.Value, error) {
	if arg == nil {
		if typ.Kind() == reflect.Interface {
			return reflect.Zero(typ), nil
		}
		return reflect.Value{}, errors.New("is null")
	}
	value := reflect.ValueOf(arg)
	if value.Type().AssignableTo(typ) {
		return value, nil
	}
	switch {
	case value.CanInt() && typ.Kind() == reflect.Int && int64(int(value.Int())) == value.Int(),
		value.CanInt() && typ.Kind() == reflect.Int64:
		return value.Convert(typ), nil
	case value.CanFloat() && (typ.Kind() == reflect.Int || typ.Kind() == reflect.Int64):
		if f := value.Float(); f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return value.Convert(typ), nil
		}
	case value.CanInt() && typ.Kind() == reflect.Float64:
		return value.Convert(typ), nil
	}
	return reflect.Value{}, fmt.Errorf("must be %s, not %s", kindOf(reflect.Zero(typ).Interface()), kindOf(arg))
}

// didYouMean names the known name that was probably meant.
func didYouMean(name string, names []string) string {
	if near := spell.Nearest(name, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}
