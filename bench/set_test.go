// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"math/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/strvals"

	"github.com/peerjob/peerjob/internal/values"
)

// setFlag is a flag that sets values, in peerjob and in Helm.
type setFlag struct {
	ours func(string) ([]values.Assignment, error)
	helm func(string, map[string]any) error
}

var setFlags = map[string]setFlag{
	"--set":        {values.ParseSet, strvals.ParseInto},
	"--set-string": {values.ParseSetString, strvals.ParseIntoString},
	"--set-json":   {values.ParseSetJSON, strvals.ParseJSON},
	"--set-file": {
		func(text string) ([]values.Assignment, error) {
			return values.ParseSetFile(text, func(name string) (string, error) { return "<" + name + ">", nil })
		},
		func(text string, dest map[string]any) error {
			return strvals.ParseIntoFile(text, dest, func(name []rune) (any, error) { return "<" + string(name) + ">", nil })
		},
	},
}

// setBase returns the values that the assignments change.
func setBase() map[string]any {
	return map[string]any{
		"a": map[string]any{"b": int64(1), "c": "text", "list": []any{"x", "y"}},
		"l": []any{"one", map[string]any{"k": "v"}, []any{int64(1), int64(2)}},
		"s": "text", "n": int64(5),
	}
}

// asJSON is a value as both can write it.
func asJSON(t *testing.T, value any) string {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// TestSet holds the flags to what Helm does, on the values that a chart's users have
// in a file.
func TestSet(t *testing.T) {
	for flag, texts := range map[string][]string{
		"--set": {
			"", "a.b=2", "a.new=1,top=2", "l[0]=zero", "l[1].k=w", "l[1].new=w", "l[2][1]=3", "l[2][4]=3", "l[5]=gap", "new[1].b=c", "new[0][1]=x", "new[2]=x,new[0]=y",
			`a.c=x\,y`, `a\.b=1`, `"a.b"=1`, `a.c=a\=b`, `a.c=a=b`, `a.c=\\`, "a.c={x,y}", "a.list={}", "a.list={1,true,null,1.5,007}", `a.list={a\,b,c\}d}`, "a.list={x},n=6",
			"a=null", "a.b=null", "l[0]=null", "a.c=", "a.c=,n=1", "l[0]=", "n=0", "n=007", "n=1.10", "n=12345678901234567890", "n=-3", "n=+3", "n=TRUE", "n=False", "n=Null", "n=nULL",
			"n=1,", "n= 1", " n=1", "a={x}", "l={x}", "s[0]=x", "s.t=x", "n[0]=x", "a[0]=x", "l.k=x", "l[0].k=x", "n=日本", `n=\日`, "annotations.example\\.com/x=1",
		},
		"--set-string": {"n=5", "n=null", "n=true", "l[0]=1", "a.list={1,2}", "a.c=", "n={}"},
		"--set-json": {
			"n=5", `n="x"`, `n={"a":[1,2]}`, "l[0]=[1]", "l[1].k=null", "n=,s=1", "n= 1 , s=2", `a.list=["x"],n=1`, `n=1.5`, `n=true`, `n="\ud83d\ude00"`,
		},
		"--set-file": {"n=path/to/file", "l[0]=x", `n=a\,b,s=c`, "n={x,y}"},
	} {
		for _, text := range texts {
			compareSet(t, flag, text, true)
		}
	}
}

// strictSets are what peerjob refuses and Helm takes: it replaces a value of another
// kind, or drops what was said.
var strictSets = map[string]bool{
	"l[0].k=x": true, // Helm puts a map into the place of the text
}

// compareSet compares what a flag does with what Helm does. What peerjob does is the
// same, or an error; mustAgree says that it is an error only where it is one for Helm.
// It reports whether both take the text.
func compareSet(t *testing.T, flag, text string, mustAgree bool) bool {
	t.Helper()
	want := setBase()
	helmErr := setFlags[flag].helm(text, want)
	assignments, err := setFlags[flag].ours(text)
	var got map[string]any
	if err == nil {
		var errs []error
		if got, errs = values.Assign(setBase(), assignments); len(errs) > 0 {
			err = errs[0]
		}
	}
	switch {
	case err != nil && helmErr == nil && mustAgree && !strictSets[text]:
		t.Errorf("%s %s: got the error %v, and Helm has none: %s", flag, text, err, asJSON(t, want))
	case err == nil && helmErr != nil:
		t.Errorf("%s %s: got %s, and Helm has the error %v", flag, text, asJSON(t, got), helmErr)
	case err == nil:
		if diff := cmp.Diff(asJSON(t, want), asJSON(t, got)); diff != "" {
			t.Errorf("%s %s (-helm +peerjob):\n%s", flag, text, diff)
		}
	}
	return err == nil
}

// TestSet_random does so for texts that are made of what matters to a parser.
func TestSet_random(t *testing.T) {
	pieces := []string{
		"a", "b", "l", "n", "k", ".", ".", ",", ",", "=", "=", "=", "[0]", "[1]", "[2]", "[", "]", "{", "}", `\`, "1", "0", "null", "true", "x y", "-1", `"`, "[-1]", "[99999]",
	}
	random := rand.New(rand.NewSource(1))
	flags := []string{"--set", "--set-string", "--set-json", "--set-file"}
	taken := 0
	for range 50_000 {
		var text strings.Builder
		for range 1 + random.Intn(12) {
			text.WriteString(pieces[random.Intn(len(pieces))])
		}
		// Helm forgets a last value in a list that is empty, "l[0].k=", and reads a map
		// of JSON without a key elsewhere.
		flag := flags[random.Intn(len(flags))]
		if !strings.HasSuffix(text.String(), "=") && !strings.HasPrefix(text.String(), "{") && compareSet(t, flag, text.String(), false) {
			taken++
		}
		if t.Failed() {
			return
		}
	}
	if taken < 1_000 {
		t.Errorf("both take only %d texts", taken)
	}
}
