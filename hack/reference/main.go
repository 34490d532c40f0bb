// SPDX-License-Identifier: Apache-2.0

// Command reference writes docs/reference.md from the comments of the API
// types: what the code says of a field is what the user reads.
//
// It fails on a field without a comment that begins with the field's name.
package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// sections are the types to describe, and where each stands in a PeerJob.
var sections = []struct{ typ, prefix string }{
	{"PeerJob", ""},
	{"PeerJobSpec", "spec."},
	{"PeerJobMeta", "spec.job."},
	{"PeerService", "spec.service."},
	{"ValuesSource", "spec.valuesFrom[]."},
	{"ConfigMapKey", "spec.valuesFrom[].configMapRef."},
	{"Framework", "spec.framework."},
	{"FrameworkRole", "spec.framework.roles[]."},
	{"FrameworkLeader", "spec.framework.leader."},
	{"FrameworkElastic", "spec.framework.elastic."},
	{"PeerFile", "spec.files[]."},
	{"PeerRole", "spec.roles[]."},
	{"RoleDependency", "spec.roles[].dependsOn[]."},
	{"PeerNetworkPolicy", "spec.networkPolicy."},
	{"PeerBarrier", "spec.barrier."},
	{"PeerFailurePolicy", "spec.failurePolicy."},
	{"PeerRunner", "spec.runner."},
}

// apiDocs are where Kubernetes describes its own types.
var apiDocs = map[string]string{
	"metav1.TypeMeta":              "",
	"metav1.ObjectMeta":            "https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/",
	"corev1.PodTemplateSpec":       "https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-template-v1/#PodTemplateSpec",
	"corev1.ResourceRequirements":  "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
	"corev1.ServicePort":           "https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/#ServiceSpec",
	"corev1.IPFamily":              "https://kubernetes.io/docs/concepts/services-networking/dual-stack/",
	"corev1.IPFamilyPolicy":        "https://kubernetes.io/docs/concepts/services-networking/dual-stack/",
	"batchv1.PodFailurePolicy":     "https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy",
	"batchv1.SuccessPolicy":        "https://kubernetes.io/docs/concepts/workloads/controllers/job/#success-policy",
	"batchv1.PodReplacementPolicy": "https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-replacement-policy",
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("reference: ")
	types := flag.String("types", "", "the `FILES` with the API types, as a pattern")
	out := flag.String("out", "", "the `FILE` to write")
	flag.Parse()
	text, err := reference(*types)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}

// reference is the page for the types in the files that match a pattern.
func reference(pattern string) (string, error) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	structs := map[string]*ast.StructType{}
	docs := map[string]string{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return "", err
		}
		collect(file, structs, docs)
	}
	var page strings.Builder
	page.WriteString("<!-- Written by \"make generate\" from api/v1alpha1/types*.go; change it there. -->\n\n# The PeerJob, `peerjob.dev/v1alpha1`\n")
	for _, section := range sections {
		s, found := structs[section.typ]
		if !found {
			return "", fmt.Errorf("%s: no struct %s", pattern, section.typ)
		}
		fmt.Fprintf(&page, "\n## %s\n\n%s\n\n| field | type | meaning |\n| --- | --- | --- |\n", section.typ, docs[section.typ])
		for _, f := range s.Fields.List {
			if f.Tag == nil {
				continue // no field of the API
			}
			name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json"), ",")
			if name == "" {
				continue
			}
			said := paragraph(f.Doc)
			if !strings.HasPrefix(said, name) {
				return "", fmt.Errorf("%s.%s: its comment must begin with %q", section.typ, name, name)
			}
			fmt.Fprintf(&page, "| `%s%s` | %s | %s |\n", section.prefix, name, typeName(f.Type), strings.ReplaceAll(said, "|", "\\|"))
		}
	}
	return page.String(), nil
}

// collect finds the types of a file and what is said of them.
func collect(file *ast.File, structs map[string]*ast.StructType, docs map[string]string) {
	ast.Inspect(file, func(node ast.Node) bool {
		decl, ok := node.(*ast.GenDecl)
		if !ok || decl.Tok != token.TYPE {
			return true
		}
		for _, spec := range decl.Specs {
			spec := spec.(*ast.TypeSpec)
			docs[spec.Name.Name] = paragraph(decl.Doc)
			if s, ok := spec.Type.(*ast.StructType); ok {
				structs[spec.Name.Name] = s
			}
		}
		return true
	})
}

// paragraph is a comment on one line.
func paragraph(comment *ast.CommentGroup) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(comment.Text()), " "), "<", "&lt;")
}

// typeName is how a type is called in the API, with a link to Kubernetes' own.
func typeName(expr ast.Expr) string {
	switch t := expr.(type) {
	case *ast.StarExpr:
		return typeName(t.X)
	case *ast.ArrayType:
		return "list of " + typeName(t.Elt)
	case *ast.MapType:
		return "map of " + typeName(t.Value)
	case *ast.SelectorExpr:
		full := fmt.Sprintf("%s.%s", t.X, t.Sel)
		if link := apiDocs[full]; link != "" {
			return fmt.Sprintf("[%s](%s)", t.Sel, link)
		}
		return t.Sel.Name
	case *ast.Ident:
		switch t.Name {
		case "int32", "int64":
			return "integer"
		case "bool":
			return "boolean"
		case "any":
			return "any value"
		}
		return t.Name
	}
	return fmt.Sprint(expr)
}
