// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"crypto/sha256"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	// goldenAPI lists the API.
	goldenAPI = "testdata/api.txt"
	// stabilityPage has its hash, where people look for what may change.
	stabilityPage = "../../docs/stability.md"
)

// TestAPI_golden holds the fields and constants of this package to what docs/stability.md
// promises. Whoever changes them says so in CHANGELOG.md under "Changed", from the first release
// on. UPDATE=1 writes the list and the hash.
func TestAPI_golden(t *testing.T) {
	got := strings.Join(slices.Concat(constantsOf(t), fieldsOf(reflect.TypeFor[PeerJob](), map[reflect.Type]bool{})), "\n") + "\n"
	hash := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(got)))
	page, err := os.ReadFile(stabilityPage)
	if err != nil {
		t.Fatal(err)
	}
	pattern := regexp.MustCompile(`(?m)^    sha256:\S+$`)
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll(filepath.Dir(goldenAPI), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(goldenAPI, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		page = pattern.ReplaceAll(page, []byte("    "+hash))
		if err := os.WriteFile(stabilityPage, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenAPI)
	if err != nil {
		t.Fatal(err)
	}
	const cure = "the API changes: say so in CHANGELOG.md under Changed, and run UPDATE=1 go test ./api/v1alpha1"
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", cure, diff)
	}
	if found := pattern.FindAllString(string(page), -1); len(found) != 1 || strings.TrimSpace(found[0]) != hash {
		t.Errorf("%s has the hash %q, want %s; %s", stabilityPage, found, hash, cure)
	}
}

// fieldsOf lists the fields of a type and of all types of this package that it reaches:
// "PeerJobSpec.peers int32,omitempty". A type of Kubernetes is listed by its name.
func fieldsOf(of reflect.Type, seen map[reflect.Type]bool) (lines []string) {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice:
		return fieldsOf(of.Elem(), seen)
	case reflect.Map:
		return slices.Concat(fieldsOf(of.Key(), seen), fieldsOf(of.Elem(), seen))
	}
	if seen[of] || of.PkgPath() != reflect.TypeFor[PeerJob]().PkgPath() {
		return nil
	}
	seen[of] = true
	if of.Kind() != reflect.Struct {
		return []string{of.Name() + " " + of.Kind().String()}
	}
	var deeper []string
	for field := range of.Fields() {
		lines = append(lines, fmt.Sprintf("%s.%s %s", of.Name(), field.Tag.Get("json"), field.Type))
		deeper = append(deeper, fieldsOf(field.Type, seen)...)
	}
	return append(lines, deeper...)
}

// constantsOf lists the exported constants of the package with their values, by their names.
func constantsOf(t *testing.T) (lines []string) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	set := token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	// No other package is read. A constant of Kubernetes' has no value then, and is left out.
	config := types.Config{Error: func(error) {}}
	pkg, _ := config.Check("v1alpha1", set, files, nil)
	for _, name := range pkg.Scope().Names() {
		if c, ok := pkg.Scope().Lookup(name).(*types.Const); ok && c.Exported() && c.Val().Kind() != constant.Unknown {
			lines = append(lines, fmt.Sprintf("const %s = %s", name, c.Val().ExactString()))
		}
	}
	if len(lines) < 20 {
		t.Fatalf("found %d constants only", len(lines))
	}
	return lines
}
