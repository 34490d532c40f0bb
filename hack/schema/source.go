// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// source is what the source of the API types says that reflection can't see.
type source struct {
	// packages are the sources that were read, by their import paths.
	packages map[string]*goPackage
	// published are the schemas that Kubernetes publishes, by their names.
	published map[string]published
}

// goPackage is the source of a package of API types.
type goPackage struct {
	// types and fields are the comments, those of the fields by "Type.name".
	types, fields map[string]string
	// words are the constants of each type of text.
	words map[string][]string
}

// published is a schema of Kubernetes.
type published struct {
	Description string
	Required    []string
	Properties  map[string]struct {
		Description string
		Default     any
	}
}

// readSource reads the OpenAPI of the Kubernetes that peerjob is built with.
func readSource() (*source, error) {
	s := &source{packages: map[string]*goPackage{}, published: map[string]published{}}
	folder, err := list("-m", "-f", "{{.Dir}}", "k8s.io/kubernetes")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"api__v1_openapi.json", "apis__batch__v1_openapi.json"} {
		data, err := os.ReadFile(filepath.Join(folder, "api", "openapi-spec", "v3", name))
		if err != nil {
			return nil, err
		}
		var document struct {
			Components struct{ Schemas map[string]published }
		}
		if err := json.Unmarshal(data, &document); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for name, schema := range document.Components.Schemas {
			s.published[name] = schema
		}
	}
	return s, nil
}

// list asks the go command.
func list(args ...string) (string, error) {
	command := exec.Command("go", append([]string{"list"}, args...)...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", command, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// of returns the source of the package that declares a type.
func (s *source) of(typ reflect.Type) (*goPackage, error) {
	path := typ.PkgPath()
	if read, found := s.packages[path]; found {
		return read, nil
	}
	folder, err := list("-f", "{{.Dir}}", path)
	if err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	p := &goPackage{types: map[string]string{}, fields: map[string]string{}, words: map[string][]string{}}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, declaration := range file.Decls {
			if declaration, ok := declaration.(*ast.GenDecl); ok {
				p.collect(declaration)
			}
		}
	}
	s.packages[path] = p
	return p, nil
}

// collect reads one declaration.
func (p *goPackage) collect(declaration *ast.GenDecl) {
	for _, spec := range declaration.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			doc := spec.Doc
			if doc == nil {
				doc = declaration.Doc
			}
			p.types[spec.Name.Name] = paragraph(doc)
			if structure, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range structure.Fields.List {
					if name := jsonName(field); name != "" {
						p.fields[spec.Name.Name+"."+name] = paragraph(field.Doc)
					}
				}
			}
		case *ast.ValueSpec:
			typ, ok := spec.Type.(*ast.Ident)
			if declaration.Tok != token.CONST || !ok {
				continue
			}
			for _, value := range spec.Values {
				literal, ok := value.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					continue
				}
				if word, err := strconv.Unquote(literal.Value); err == nil {
					p.words[typ.Name] = append(p.words[typ.Name], word)
				}
			}
		}
	}
}

// jsonName is the name of a field in JSON, "" for one that has none.
func jsonName(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json"), ",")
	return name
}

// paragraph is a comment on one line.
func paragraph(comment *ast.CommentGroup) string {
	return strings.Join(strings.Fields(comment.Text()), " ")
}

// isOurs reports whether a type is one of peerjob's.
func isOurs(typ reflect.Type) bool {
	return typ.PkgPath() == reflect.TypeFor[v1alpha1.PeerJob]().PkgPath()
}

// enum returns the words that a type of text has: all constants of a type of peerjob's,
// and those of a type of Kubernetes that is marked as an enumeration. Others are open.
func (s *source) enum(typ reflect.Type) ([]string, error) {
	if typ.PkgPath() == "" {
		return nil, nil
	}
	p, err := s.of(typ)
	if err != nil {
		return nil, err
	}
	if !isOurs(typ) && !strings.Contains(p.types[typ.Name()], "+enum") {
		return nil, nil
	}
	// A word that stands for nothing is as good as none.
	return slices.DeleteFunc(slices.Clone(p.words[typ.Name()]), func(word string) bool { return word == "" }), nil
}

// publishedName is the name of a type of Kubernetes in its OpenAPI.
func publishedName(typ reflect.Type) string {
	path := strings.Split(typ.PkgPath(), "/")
	host := strings.Split(path[0], ".")
	slices.Reverse(host)
	return strings.Join(append(append(host, path[1:]...), typ.Name()), ".")
}
