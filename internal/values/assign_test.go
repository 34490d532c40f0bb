// SPDX-License-Identifier: Apache-2.0

package values

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/internal/render"
)

func base() map[string]any {
	return map[string]any{"a": map[string]any{"b": int64(1)}, "l": []any{"one", map[string]any{"k": "v"}}}
}

// TestSet has what bench/set_test.go can't compare with Helm.
func TestSet(t *testing.T) {
	for give, want := range map[string]map[string]any{
		"":                   base(),
		"a.b=null":           {"a": map[string]any{"b": nil}, "l": base()["l"]},
		"l[3]=x":             {"a": base()["a"], "l": []any{"one", map[string]any{"k": "v"}, nil, "x"}},
		"l[1].k={x,1}":       {"a": base()["a"], "l": []any{"one", map[string]any{"k": []any{"x", int64(1)}}}},
		"l={x,y},l[0]=z":     {"a": base()["a"], "l": []any{"z", "y"}},
		"l[0]=null,l[0].k=1": {"a": base()["a"], "l": []any{map[string]any{"k": int64(1)}, map[string]any{"k": "v"}}},
	} {
		before := base()
		assignments, err := ParseSet(give)
		if err != nil {
			t.Errorf("%s: %v", give, err)
		}
		got, errs := Assign(before, assignments)
		if diff := cmp.Diff(want, got); diff != "" || len(errs) > 0 {
			t.Errorf("%s: %v\n%s", give, errs, diff)
		}
		if diff := cmp.Diff(base(), before); diff != "" {
			t.Errorf("%s changed the values:\n%s", give, diff)
		}
	}
}

func TestSet_errors(t *testing.T) {
	deep := strings.Repeat("a.", 40) + "a=1"
	for give, want := range map[string]string{
		"a":                     `a has no value; write a=value, and \ before a comma in a text`,
		"a,b=1":                 `a has no value; write a=value, and \ before a comma in a text`,
		"a.b":                   `a.b has no value; write a.b=value, and \ before a comma in a text`,
		"=1":                    `a key is empty; write key=value, and \ before a comma or a dot in a text`,
		"a..b=1":                `a key is empty; write key=value, and \ before a comma or a dot in a text`,
		"[0]=1":                 `a key is empty; write key=value, and \ before a comma or a dot in a text`,
		"l[0":                   `l: "[" has no "]"`,
		"l[x]=1":                `l: the place in a list must be between 0 and 65536, not "x"`,
		"l[-1]=1":               `l: the place in a list must be between 0 and 65536, not "-1"`,
		"l[65537]=1":            `l: the place in a list must be between 0 and 65536, not "65537"`,
		"l[0]x=1":               `l[0] has no value; write l[0]=value`,
		"l[0]":                  `l[0] has no value; write l[0]=value`,
		"a={1,2":                `a: "{" has no "}"`,
		"a={1}b=2":              `a: there is "b=2" after the list; write a comma between two`,
		deep:                    `a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.... leads more than 30 levels down`,
		"a=\xff":                `is no UTF-8 text`,
		"a[0]=1":                `a[0] is set, and a is a map, not a list; set a itself`,
		"l.k=1":                 `l.k is set, and l is a list, not a map; set l itself`,
		"l[0].k=1":              `l[0].k is set, and l[0] is a string, not a map; set l[0] itself`,
		"a.b[1][2]=3":           `a.b[1][2] is set, and a.b is an integer, not a list; set a.b itself`,
		"x[65536]=1,y[65536]=1": `y[65536] is set, and lists have more than 65536 elements before it that nothing sets`,
	} {
		assignments, err := ParseSet(give)
		if err == nil {
			var errs []error
			_, errs = Assign(base(), assignments)
			err = errors.Join(errs...)
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s: got the error %v, want %s", give, err, want)
		}
	}
}

// TestAssign_errors holds Assign to telling every error, and the way of Go's callers.
func TestAssign_errors(t *testing.T) {
	_, errs := Assign(nil, []Assignment{{[]any{1}, 1}, {[]any{"a", 1.5}, 1}, {[]any{"a"}, 1}, {[]any{"a", "b"}, 1}})
	want := "[[1] is set, and the values are a map a path has keys and places, not float64 a.b is set, and a is an integer, not a map; set a itself]"
	if got := fmt.Sprint(errs); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParseSetJSON(t *testing.T) {
	for give, want := range map[string]map[string]any{
		`{"a":{"c":2},"n":[1.0]}`: {"a": map[string]any{"b": int64(1), "c": int64(2)}, "l": base()["l"], "n": []any{render.Number{}}},
		`a={}`:                    {"a": map[string]any{}, "l": base()["l"]},
		` {"a":null}`:             {"a": nil, "l": base()["l"]},
	} {
		assignments, err := ParseSetJSON(give)
		got, errs := Assign(base(), assignments)
		number := cmp.Comparer(func(a, b render.Number) bool { return true })
		if diff := cmp.Diff(want, got, number); diff != "" || err != nil || len(errs) > 0 {
			t.Errorf("%s: %v %v\n%s", give, err, errs, diff)
		}
	}
	for give, want := range map[string]string{
		`{"a":1} x`: `there is more after the map: " x"`,
		`a=1 2`:     `a: there is "2" after the value; write a comma between two`,
		`a=[`:       `a: unexpected end of JSON input`,
		`{`:         `unexpected end of JSON input`,
	} {
		if _, err := ParseSetJSON(give); err == nil || err.Error() != want {
			t.Errorf("%s: got the error %v, want %s", give, err, want)
		}
	}
}

// TestOverride has the maps that Helm merges into the values of a chart.
func TestOverride(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]any
		json  []string
		want  map[string]any
	}{
		"a key more":         {nil, []string{`a={"z":1}`}, map[string]any{"a": map[string]any{"b": int64(1), "z": int64(1)}, "l": base()["l"]}},
		"an empty map":       {nil, []string{`a={}`}, base()},
		"a key less":         {nil, []string{`a={"b":null}`}, map[string]any{"a": map[string]any{"b": nil}, "l": base()["l"]}},
		"no map below":       {nil, []string{`a.b={"c":1}`}, map[string]any{"a": map[string]any{"b": map[string]any{"c": int64(1)}}, "l": base()["l"]}},
		"two":                {nil, []string{`a={"y":1}`, `a={"z":1}`}, map[string]any{"a": map[string]any{"b": int64(1), "z": int64(1)}, "l": base()["l"]}},
		"a null, later":      {nil, []string{`a={"z":1}`, `a=null`}, map[string]any{"a": nil, "l": base()["l"]}},
		"a map of a file":    {map[string]any{"a": map[string]any{"f": int64(1)}}, []string{`a={"z":1}`}, map[string]any{"a": map[string]any{"b": int64(1), "z": int64(1)}, "l": base()["l"]}},
		"a map within a map": {map[string]any{"a": map[string]any{"b": map[string]any{"f": int64(1)}}}, []string{`a.b={}`}, map[string]any{"a": map[string]any{"b": map[string]any{}}, "l": base()["l"]}},
	} {
		t.Run(name, func(t *testing.T) {
			var all []Assignment
			for _, text := range test.json {
				assignments, err := ParseSetJSON(text)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, assignments...)
			}
			defaults := base()
			got, errs := Override(defaults, test.files, all)
			if diff := cmp.Diff(test.want, got); diff != "" || len(errs) > 0 {
				t.Errorf("%v\n%s", errs, diff)
			}
			if diff := cmp.Diff(base(), defaults); diff != "" {
				t.Errorf("changed the defaults:\n%s", diff)
			}
		})
	}
}

func TestLeaves(t *testing.T) {
	assignments, err := ParseSetJSON(`a.b={"c":1,"d":{"e":2,"f":{}}},l[0]={"g":1}`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range assignments {
		got = append(got, a.Leaves()...)
	}
	if diff := cmp.Diff([]string{"a.b.c", "a.b.d.e", "a.b.d.f", "l"}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzSet looks for a text that panics, or that takes more than its length deserves.
func FuzzSet(f *testing.F) {
	for _, text := range []string{"a.b=1,l[0]={x,y}", `a\.b=\,`, `{"a":1}`, "l[1].k[2][3]=null", "l[65536]=1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func(string) ([]Assignment, error){ParseSet, ParseSetString, ParseSetJSON} {
			assignments, err := parse(text)
			if err != nil {
				continue
			}
			before := base()
			Assign(before, assignments)
			if diff := cmp.Diff(base(), before); diff != "" {
				t.Errorf("%q changed the values:\n%s", text, diff)
			}
		}
	})
}
