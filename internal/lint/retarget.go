// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// Retarget is a place in a kustomization that is about a Service or a Job, and must be
// about the PeerJob that stands for them.
type Retarget struct {
	File string
	Line int
	// Text is what to write.
	Text string
}

// Retargets returns the places in kustomizations to change, by file and line.
func (f *Found) Retargets() []Retarget {
	var all []Retarget
	for _, dir := range slices.Sorted(maps.Keys(f.kustomizations.layers)) {
		l := f.kustomizations.layers[dir]
		r := retargeter{layer: l, content: f.kustomizations.contentOf(l), pairs: f.Pairs}
		r.resources()
		for _, p := range l.patches {
			r.patch(p)
		}
		r.replacements(yamlnode.Get(l.doc.root(), "replacements"))
		slices.SortStableFunc(r.found, func(a, b Retarget) int { return a.Line - b.Line })
		all = append(all, r.found...)
	}
	return all
}

// retargeter finds what one layer says of pairs.
type retargeter struct {
	layer   *layer
	content content
	pairs   []Pair
	found   []Retarget
}

func (r *retargeter) add(node *yaml.Node, format string, args ...any) {
	line, _, _ := r.layer.doc.place(node)
	r.found = append(r.found, Retarget{r.layer.doc.file(), max(line, 1), fmt.Sprintf(format, args...)})
}

// resources finds the files of pairs among the resources of the layer.
func (r *retargeter) resources() {
	for _, node := range elements(yamlnode.Get(r.layer.doc.root(), "resources")) {
		name := path.Join(r.layer.dir, yamlnode.Text(node))
		for _, p := range r.pairs {
			inJob, inService := clean(p.JobFile) == name, p.service != nil && clean(p.ServiceFile) == name
			switch {
			case inJob:
				r.add(node, "resources: %s: put the PeerJob %s in the place of the Job, list peerjob under transformers: and peerjob's Component under components:", yamlnode.Text(node), p.Job.Name)
			case inService:
				r.add(node, "resources: %s: the PeerJob %s makes the Service %s; remove it", yamlnode.Text(node), p.Job.Name, p.Service.Name)
			}
		}
	}
}

// patch says what becomes of a patch.
func (r *retargeter) patch(p patch) {
	at := p.at
	if p.target != nil {
		at = p.target
	}
	for _, pair := range r.pairs {
		if p.kind == "Job" && slices.Contains(r.content.jobs, pair.job) && namesAny(p.name, []*document{pair.job}) {
			r.add(at, "%s", becomes("Job "+pair.Job.Name, pair.Job.Name, p, jobField))
		}
		if p.kind == "Service" && pair.service != nil && slices.Contains(r.content.services, pair.service) && namesAny(p.name, []*document{pair.service}) {
			r.add(at, "%s", becomes("Service "+pair.Service.Name, pair.Job.Name, p, serviceField))
		}
	}
}

// becomes says what to write instead of a patch.
func becomes(object, name string, p patch, fieldOf func(string) string) string {
	text := fmt.Sprintf("patch of the %s: write group: %s, version: %s, kind: %s, name: %s in its target", object, v1alpha1.Group, v1alpha1.Version, v1alpha1.Kind, name)
	if p.target == nil {
		text = fmt.Sprintf("patch of the %s: write apiVersion: %s, kind: %s, name: %s in it", object, v1alpha1.APIVersion, v1alpha1.Kind, name)
	}
	if p.body == nil {
		return text + "; its file is not in the input"
	}
	said := map[string]bool{}
	for _, from := range patchedFields(p.body) {
		to, change := fieldOf(from), ""
		switch {
		case to == from:
			continue
		case to == "":
			change = "remove " + from + ", which peerjob sets"
		default:
			change = from + " becomes " + to
		}
		if !said[change] {
			said[change] = true
			text += "; " + change
		}
	}
	return text
}

// patchedFields are the fields that a patch changes: one of JSON 6902, or a part of the
// object.
func patchedFields(body *yaml.Node) []string {
	body = yamlnode.Resolve(body)
	var fields []string
	if body.Kind == yaml.SequenceNode {
		for _, operation := range body.Content {
			pointer := yamlnode.Text(yamlnode.Get(operation, "path"))
			pointer = strings.NewReplacer("~1", "/", "~0", "~").Replace(strings.ReplaceAll(strings.TrimPrefix(pointer, "/"), "/", "."))
			fields = append(fields, pointer)
		}
		return fields
	}
	var walk func(node *yaml.Node, at string, depth int)
	walk = func(node *yaml.Node, at string, depth int) {
		node = yamlnode.Resolve(node)
		if node.Kind != yaml.MappingNode || len(node.Content) == 0 || depth > maxNesting {
			fields = append(fields, at)
			return
		}
		yamlnode.EachEntry(node, func(key string, value *yaml.Node) {
			below := strings.TrimPrefix(at+"."+key, ".")
			if below != "apiVersion" && below != "kind" && below != "metadata.name" {
				walk(value, below, depth+1)
			}
		})
	}
	walk(body, "", 0)
	return fields
}

// under reports whether a field is another one, or below it.
func under(field, above string) bool { return field == above || strings.HasPrefix(field, above+".") }

// jobField is the field of a PeerJob for one of its Job, "" for one that peerjob sets.
func jobField(field string) string {
	switch {
	case under(field, "spec.completions"), under(field, "spec.parallelism"):
		return "spec.peers"
	case under(field, "spec.completionMode"), under(field, "spec.selector"), under(field, "spec.manualSelector"), under(field, "spec.template.spec.subdomain"):
		return ""
	}
	return field
}

// serviceField is the field of a PeerJob for one of its Service.
func serviceField(field string) string {
	for from, to := range map[string]string{
		"spec.ports": "spec.service.ports", "spec.publishNotReadyAddresses": "spec.service.publishNotReadyAddresses",
		"spec.ipFamilyPolicy": "spec.service.ipFamilyPolicy", "spec.ipFamilies": "spec.service.ipFamilies",
		"metadata.labels": "spec.service.labels", "metadata.annotations": "spec.service.annotations",
	} {
		if under(field, from) {
			return to + strings.TrimPrefix(field, from)
		}
	}
	return ""
}

// replacements finds the replacements of a layer that read or change a pair.
func (r *retargeter) replacements(node *yaml.Node) {
	node = yamlnode.Resolve(node)
	if node == nil {
		return
	}
	if node.Kind == yaml.MappingNode {
		kind, name := yamlnode.Text(yamlnode.Get(node, "kind")), yamlnode.Text(yamlnode.Get(node, "name"))
		for _, p := range r.pairs {
			switch {
			case kind == "Job" && name == p.Job.Name:
				r.add(node, "replacements: the Job %s: write group: %s, kind: %s; its fields have the same paths, but for spec.peers", name, v1alpha1.Group, v1alpha1.Kind)
			case kind == "Service" && p.Service != nil && name == p.Service.Name:
				r.add(node, "replacements: the Service %s: write group: %s, kind: %s, name: %s; its fields are under spec.service", name, v1alpha1.Group, v1alpha1.Kind, p.Job.Name)
			}
		}
	}
	for _, child := range node.Content {
		if child.Kind != yaml.AliasNode {
			r.replacements(child)
		}
	}
}
