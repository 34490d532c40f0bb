// SPDX-License-Identifier: Apache-2.0

// Command validation writes docs/validation.md: it runs peerjob on the objects
// of testdata/validation.yaml, and writes down what it says to each.
//
// It fails when a check says nothing.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/fn"
	"github.com/peerjob/peerjob/internal/admission"
)

// section is a heading and the checks under it.
type section struct {
	Section string
	Checks  []check
}

// check is a check of peerjob's, with objects that it speaks up on.
type check struct {
	Title, Why, Source string
	// Objects are whole objects; Spec is what a valid PeerJob is changed by.
	Objects string
	Spec    map[string]any
	// Long and Huge are like Spec, with arguments in them that are too large to
	// stand in the file.
	Long, Huge map[string]any
	// Variables are numbers of environment variables, of a PeerJob each.
	Variables []int
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("validation: ")
	cases := flag.String("cases", "", "the `FILE` with the checks")
	out := flag.String("out", "", "the `FILE` to write")
	flag.Parse()
	page, err := page(*cases)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, []byte(page), 0o644); err != nil {
		log.Fatal(err)
	}
}

const head = `<!-- Written by "make generate" from testdata/validation.yaml, by running peerjob; change it there. -->

# What peerjob checks

peerjob checks three kinds of rules before it writes anything. One run reports every error, less those that only follow from another one.

1. **The API server's own rules.** Kubernetes' own code, v1.37, sets the defaults of the
   Service and the Job and validates them:
   ` + "`" + `k8s.io/kubernetes/pkg/apis/{core,batch,networking}/validation` + "`" + `, called as
   ` + "`" + `pkg/registry/batch/job` + "`" + ` and ` + "`" + `pkg/registry/core/service` + "`" + ` call it on create. It also validates
   the Pod that the Job controller would create, because a few rules apply only to a Pod.
   peerjob reports its messages on the PeerJob's fields, and has no copy of these rules.
2. **The rules of a server of ` + "`" + `spec.kubernetesVersion` + "`" + `.** The same code runs once more, with
   the feature gates that this version has on by default. An error names the first version that
   accepts the field or value. The table at the end of this page has the fields, and the values
   for which Kubernetes no longer has a gate. The conformance test compares the verdicts with
   [real servers of 1.29 and later](conformance.md). For versions before 1.29, peerjob relies on
   the table and the gates alone.
3. **Objects that a server accepts and that never work**: the rest of this page. Each check has
   its message, the reason and the rule of Kubernetes behind it. If peerjob can't be sure, it
   warns; otherwise it reports an error.
`

func page(cases string) (string, error) {
	data, err := os.ReadFile(cases)
	if err != nil {
		return "", err
	}
	var sections []section
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&sections); err != nil {
		return "", err
	}
	var page strings.Builder
	page.WriteString(head)
	for _, s := range sections {
		fmt.Fprintf(&page, "\n## %s\n", s.Section)
		for _, c := range s.Checks {
			said, err := c.run()
			if err != nil {
				return "", fmt.Errorf("%s: %w", c.Title, err)
			}
			fmt.Fprintf(&page, "\n### %s\n\n%s Source: %s.\n\n```\n%s```\n", c.Title, c.Why, link(c.Source), said)
		}
	}
	page.WriteString("\n## Which server has what\n\n| field | from | how it is known |\n| --- | --- | --- |\n")
	for _, f := range admission.Features {
		name := f.Type.Name() + "." + f.Field
		if f.Value != "" {
			name += ": " + f.Value
		}
		from := "off by default"
		if first, ever := f.First(); ever {
			from = fmt.Sprintf("1.%d", first)
		}
		source := "feature gate " + string(f.Gate)
		if f.Gate == "" {
			source = link(f.Source)
		}
		if f.Kept {
			source += "; an older server keeps it in the Job, so it is warned of"
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", name, from, source)
	}
	return page.String(), nil
}

// link makes a link of an address.
func link(source string) string {
	address, rest, _ := strings.Cut(source, " ")
	if !strings.HasPrefix(address, "https://") {
		return source
	}
	return strings.TrimSpace("<" + address + "> " + rest)
}

// run runs peerjob on the objects of a check and returns what it says.
func (c check) run() (string, error) {
	var items []any
	switch {
	case c.Objects != "":
		var text strings.Builder
		text.WriteString("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n")
		for _, object := range strings.Split(strings.TrimSpace(c.Objects), "\n---\n") {
			text.WriteString("- " + strings.ReplaceAll(object, "\n", "\n  ") + "\n")
		}
		return run(text.String())
	case c.Long != nil:
		items = append(items, peerJob(fill(c.Long, "LONG", strings.Repeat("x", 1<<17))))
	case c.Huge != nil:
		arguments := make([]any, 13)
		for i := range arguments {
			arguments[i] = strings.Repeat("x", 1<<17-1)
		}
		items = append(items, peerJob(fill(c.Huge, "HUGE", arguments)))
	case c.Variables != nil:
		for _, count := range c.Variables {
			items = append(items, withVariables(count))
		}
	default:
		items = append(items, peerJob(c.Spec))
	}
	list, err := yaml.Marshal(map[string]any{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items})
	if err != nil {
		return "", err
	}
	return run(string(list))
}

// peerJob is a valid PeerJob with some fields of its spec changed.
func peerJob(change any) map[string]any {
	spec := map[string]any{
		"peers":    4,
		"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "w", "image": "x"}}}},
	}
	for key, value := range change.(map[string]any) {
		spec[key] = value
	}
	return map[string]any{"apiVersion": "peerjob.dev/v1alpha1", "kind": "PeerJob", "metadata": map[string]any{"name": "train"}, "spec": spec}
}

// withVariables is a PeerJob with this many environment variables.
func withVariables(count int) map[string]any {
	env := make([]any, count)
	for i := range env {
		env[i] = map[string]any{"name": fmt.Sprintf("VARIABLE%d", i), "value": "some text in it"}
	}
	pj := peerJob(map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "w", "image": "x", "env": env}}}}})
	pj["metadata"] = map[string]any{"name": fmt.Sprintf("train-%d", count)}
	return pj
}

// fill replaces a word by a value, wherever it stands in a tree.
func fill(tree any, word string, by any) any {
	switch t := tree.(type) {
	case map[string]any:
		for key, value := range t {
			t[key] = fill(value, word, by)
		}
	case []any:
		for i, value := range t {
			t[i] = fill(value, word, by)
		}
	case string:
		if t == word {
			return by
		}
	}
	return tree
}

func run(list string) (string, error) {
	var stdout, stderr bytes.Buffer
	if err := fn.Run(strings.NewReader(list), &stdout, &stderr, fn.Options{}); err != nil && !errors.Is(err, fn.ErrFailed) {
		return "", err
	}
	if stderr.Len() == 0 {
		return "", errors.New("peerjob says nothing")
	}
	return strings.ReplaceAll(stderr.String(), "peerjob: ", ""), nil
}
