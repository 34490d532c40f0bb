// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// The ways to build with kustomize, in the table.
const (
	transformerName          = "peerjob, transformer"
	catTransformerName       = "cat, transformer"
	noFunctionName           = "no function"
	pipeName                 = "peerjob expand, pipe"
	generatorName            = "peerjob, generator"
	containerTransformerName = "container, transformer"
	containerGeneratorName   = "container, generator"
	replacementsName         = "replacements"
	pageName                 = "documentation's YAML"
)

const (
	// The most PeerJobs that these are measured with. The generators start a
	// process or a container for each.
	mostGenerators          = 100
	mostContainers          = 100
	mostContainerGenerators = 1
	mostReplacements        = 100
	mostPages               = 1

	kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
	functionYAML  = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: function\n"
	metadata      = "metadata:\n"
)

// newKustomizeCases returns what is measured within kustomize.
func newKustomizeCases(tools programs, opts options, dir string) ([]comparison, error) {
	sizes := []struct{ objects, warmups, runs int }{{1, 1, 10}, {100, 0, 5}, {1000, 0, 7}}
	if opts.smoke {
		sizes = []struct{ objects, warmups, runs int }{{1, 0, 1}, {20, 0, 1}}
	}
	var cases []comparison
	for _, size := range sizes {
		c, err := newKustomizeCase(tools, size.objects, dir)
		if err != nil {
			return nil, err
		}
		c.warmups, c.runs = size.warmups, size.runs
		if opts.runs > 0 && !opts.smoke {
			c.runs = opts.runs
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// newKustomizeCase compares the ways to build n PeerJobs with kustomize.
func newKustomizeCase(tools programs, n int, dir string) (comparison, error) {
	input := resourceList(peerJobYAML, n)
	peerjob, cat := execFunction(tools.peerjob), execFunction(catName)
	container := annotated("container", "image", tools.image)
	folders := []struct {
		program string
		files   map[string]string
		most    int
	}{
		{transformerName, transformerFolder(peerjob, n), n},
		{catTransformerName, transformerFolder(cat, n), n},
		{noFunctionName, plainFolder(n), n},
		{pipeName, plainFolder(n), n},
		{generatorName, generatorFolder(peerjob, n), mostGenerators},
		{containerTransformerName, transformerFolder(container, n), mostContainers},
		{containerGeneratorName, generatorFolder(container, n), mostContainerGenerators},
		{replacementsName, nil, mostReplacements},
		{pageName, nil, mostPages},
	}
	c := comparison{
		name:  "kustomize, " + peerJobs(n),
		base:  transformerName,
		check: func(outputs map[string][]byte) error { return checkKustomize(n, input, outputs) },
	}
	for i, f := range folders {
		isContainer := f.program == containerTransformerName || f.program == containerGeneratorName
		if n > f.most || isContainer && tools.image == "" {
			continue
		}
		var err error
		switch f.program {
		case replacementsName:
			f.files, err = replacementsFolder(tools, n)
		case pageName:
			f.files, err = pageFolder()
		}
		if err != nil {
			return comparison{}, err
		}
		folder := filepath.Join(dir, fmt.Sprintf("kustomize-%d-%d", n, i))
		if err := writeFolder(folder, f.files); err != nil {
			return comparison{}, err
		}
		argv := []string{tools.kustomize, "build", "--enable-alpha-plugins", "--enable-exec", folder}
		if f.program == pipeName {
			argv = []string{"/bin/sh", "-c", `"$0" build "$1" | "$2" expand -`, tools.kustomize, folder, tools.peerjob}
		}
		c.contenders = append(c.contenders, contender{name: f.program, argv: argv})
	}
	return c, nil
}

// execFunction is the annotation that makes an object call a program.
func execFunction(path string) string { return annotated("exec", "path", path) }

// annotated is the annotation of a function of a type, with its one field.
func annotated(function, field, value string) string {
	return fmt.Sprintf("  annotations:\n    config.kubernetes.io/function: |\n      %s:\n        %s: %q\n", function, field, value)
}

// plainFolder holds n PeerJobs in one file.
func plainFolder(n int) map[string]string {
	documents := make([]string, 0, n)
	for i := range n {
		documents = append(documents, peerJob(i))
	}
	return map[string]string{
		"kustomization.yaml": kustomization + "resources:\n- peerjobs.yaml\n",
		"peerjobs.yaml":      strings.Join(documents, "---\n"),
	}
}

// transformerFolder holds n PeerJobs in one file and the function to call once.
func transformerFolder(annotation string, n int) map[string]string {
	files := plainFolder(n)
	files["kustomization.yaml"] += "transformers:\n- function.yaml\n"
	files["function.yaml"] = functionYAML + annotation
	return files
}

// generatorFolder holds n PeerJobs in a file each, which call the function each.
func generatorFolder(annotation string, n int) map[string]string {
	files := map[string]string{}
	var list strings.Builder
	for i := range n {
		file := objectName(i) + ".yaml"
		files[file] = strings.Replace(peerJob(i), metadata, metadata+annotation, 1)
		list.WriteString("- " + file + "\n")
	}
	files["kustomization.yaml"] = kustomization + "generators:\n" + list.String()
	return files
}

// pageFolder holds the Service and the Job of the documentation of Kubernetes,
// as a person copies them. It is what "kubectl kustomize" would build with the
// same code.
func pageFolder() (map[string]string, error) {
	page, err := os.ReadFile("../testdata/documentation/en.yaml")
	return map[string]string{"kustomization.yaml": kustomization + "resources:\n- page.yaml\n", "page.yaml": string(page)}, err
}

// replacementsFolder holds n Services and Jobs that do not agree, and the
// replacements of kustomize that make them agree.
func replacementsFolder(tools programs, n int) (map[string]string, error) {
	rendered, err := exec.Command(tools.helm, "template", "bench", chart, "--set", "count="+strconv.Itoa(n)).Output()
	if err != nil {
		return nil, fmt.Errorf("helm template: %w", err)
	}
	objects := regexp.MustCompile(`(?m)^( +(?:subdomain|job-name|peerjob\.dev/service)): .*$`).ReplaceAllString(string(rendered), "$1: nothing")
	objects = regexp.MustCompile(`(?m)^( +parallelism): .*$`).ReplaceAllString(objects, "$1: 1")
	var list strings.Builder
	for i := range n {
		list.WriteString(strings.ReplaceAll(replacements, namePlaceholder, objectName(i)))
	}
	return map[string]string{
		"kustomization.yaml": kustomization + "resources:\n- objects.yaml\nreplacements:\n" + list.String(),
		"objects.yaml":       objects,
	}, nil
}

// replacements wire one Service and one Job.
const replacements = `- source: {kind: Service, name: NAME}
  targets:
  - select: {kind: Job, name: NAME}
    fieldPaths:
    - spec.template.spec.subdomain
    - spec.template.metadata.annotations.[peerjob.dev/service]
- source: {kind: Job, name: NAME}
  targets:
  - select: {kind: Service, name: NAME}
    fieldPaths: [spec.selector.job-name]
- source: {kind: Job, name: NAME, fieldPath: spec.completions}
  targets:
  - select: {kind: Job, name: NAME}
    fieldPaths: [spec.parallelism]
`

func peerJob(i int) string { return strings.ReplaceAll(peerJobYAML, namePlaceholder, objectName(i)) }

func writeFolder(folder string, files map[string]string) error {
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
