// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/rules"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// layer is one kustomization of the input.
type layer struct {
	doc *document
	dir string
	// resources and components are the entries of the kustomization.
	resources, components []string
	patches               []patch
	// replicas are the names under replicas:.
	replicas []*yaml.Node
	// generates and transforms are whether it runs functions, which may make objects.
	generates, transforms bool
	// renames is the prefix or the suffix that it gives to names, nil if it gives none.
	renames *yaml.Node
	// wires is whether it has replacements, which may mend names.
	wires bool
	// selectors and podLabels are the labels that it gives to selectors and their Pods,
	// and to Pod templates alone.
	selectors, podLabels map[string]string
	// teaches is whether it tells kustomize about kinds: a Component like peerjob's.
	teaches bool
}

// patch is one patch of a layer.
type patch struct {
	// at is its node in the kustomization, and target that of its target, nil if it has
	// none.
	at, target *yaml.Node
	// kind and name are what it is for, as regular expressions; "" is any.
	kind, name string
	// body is the patch, nil if its file is not in the input. A list is one of JSON 6902.
	body *yaml.Node
}

// KustomizationNames are the names of files that kustomize reads.
func KustomizationNames() []string {
	return []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}
}

// kustomizations are the layers of the input by their folder.
type kustomizations struct {
	layers map[string]*layer
	// byFile are the documents by the cleaned name of their file.
	byFile map[string][]*document
}

// readKustomizations finds the kustomizations, and marks the documents that are patches:
// they are no objects.
func readKustomizations(files []File, documents []*document) *kustomizations {
	k := &kustomizations{layers: map[string]*layer{}, byFile: map[string][]*document{}}
	for _, file := range files {
		k.byFile[clean(file.Name)] = nil
	}
	var found []*document
	for _, d := range documents {
		if d.source == nil {
			continue
		}
		name := clean(d.file())
		k.byFile[name] = append(k.byFile[name], d)
		if isKustomization(name, d) {
			found = append(found, d)
		}
	}
	for _, d := range found {
		if d.root() == nil {
			continue
		}
		l := &layer{doc: d, dir: folder(d.file())}
		k.layers[path.Clean(l.dir)] = l
		k.read(l)
	}
	return k
}

// PeerJobs returns how many PeerJobs files have, but for patches and templates.
func PeerJobs(files []File) (n int) {
	var with []File
	for _, file := range files {
		if bytes.Contains(file.Content, []byte(v1alpha1.Kind)) {
			with = append(with, file)
		}
	}
	if len(with) == 0 {
		return 0
	}
	patches := Patches(files)
	documents, _ := readAll(with)
	for _, d := range documents {
		if d.is(v1alpha1.Group, v1alpha1.Kind) && !patches[d.file()] {
			n++
		}
	}
	return n
}

// Patches returns the files that a kustomization among them lists as patches, by name.
func Patches(files []File) map[string]bool {
	isListed := slices.ContainsFunc(files, func(f File) bool { return slices.Contains(KustomizationNames(), path.Base(clean(f.Name))) })
	if !isListed {
		return nil
	}
	documents, _ := readAll(files)
	readKustomizations(files, documents)
	patches := map[string]bool{}
	for _, d := range documents {
		if d.isPatch {
			patches[d.file()] = true
		}
	}
	return patches
}

// clean is the name of a file without detours.
func clean(name string) string { return path.Clean(strings.ReplaceAll(name, `\`, "/")) }

func isKustomization(name string, d *document) bool {
	if d.group() == "kustomize.config.k8s.io" {
		return true
	}
	return slices.Contains(KustomizationNames(), path.Base(name))
}

// read reads a kustomization.
func (k *kustomizations) read(l *layer) {
	root := l.doc.root()
	l.resources = texts(yamlnode.Get(root, "resources"))
	l.resources = append(l.resources, texts(yamlnode.Get(root, "bases"))...)
	l.components = texts(yamlnode.Get(root, "components"))
	l.generates = len(elements(yamlnode.Get(root, "generators"))) > 0
	l.transforms = len(elements(yamlnode.Get(root, "transformers"))) > 0
	l.teaches = len(elements(yamlnode.Get(root, "configurations"))) > 0 || yamlnode.Get(root, "openapi") != nil
	for _, key := range []string{"namePrefix", "nameSuffix"} {
		if value := yamlnode.Get(root, key); yamlnode.Text(value) != "" && l.renames == nil {
			l.renames = value
		}
	}
	l.wires = yamlnode.Get(root, "replacements") != nil || yamlnode.Get(root, "vars") != nil
	l.selectors, l.podLabels = plainData(yamlnode.Get(root, "commonLabels")), map[string]string{}
	for _, entry := range elements(yamlnode.Get(root, "labels")) {
		pairs := plainData(yamlnode.Get(entry, "pairs"))
		if yamlnode.Text(yamlnode.Get(entry, "includeSelectors")) == "true" {
			maps.Copy(l.selectors, pairs)
		} else if yamlnode.Text(yamlnode.Get(entry, "includeTemplates")) == "true" {
			maps.Copy(l.podLabels, pairs)
		}
	}
	for _, entry := range elements(yamlnode.Get(root, "replicas")) {
		if name := yamlnode.Get(entry, "name"); name != nil {
			l.replicas = append(l.replicas, name)
		}
	}
	for _, entry := range elements(yamlnode.Get(root, "patches")) {
		k.addPatch(l, entry, yamlnode.Get(entry, "target"), yamlnode.Text(yamlnode.Get(entry, "path")), yamlnode.Text(yamlnode.Get(entry, "patch")))
	}
	for _, entry := range elements(yamlnode.Get(root, "patchesJson6902")) {
		k.addPatch(l, entry, yamlnode.Get(entry, "target"), yamlnode.Text(yamlnode.Get(entry, "path")), yamlnode.Text(yamlnode.Get(entry, "patch")))
	}
	for _, entry := range elements(yamlnode.Get(root, "patchesStrategicMerge")) {
		if text := yamlnode.Text(entry); strings.Contains(text, "\n") {
			k.addPatch(l, entry, nil, "", text)
		} else {
			k.addPatch(l, entry, nil, text, "")
		}
	}
}

// addPatch adds the patches of one entry: those of a file, or the text itself.
func (k *kustomizations) addPatch(l *layer, at, target *yaml.Node, file, text string) {
	if text != "" {
		body, err := decode([]byte(text))
		if err == nil {
			l.patches = append(l.patches, newPatch(at, target, body))
		}
		return
	}
	documents := k.byFile[path.Join(l.dir, file)]
	for _, d := range documents {
		d.isPatch = true
		l.patches = append(l.patches, newPatch(at, target, d.root()))
	}
	if len(documents) == 0 {
		l.patches = append(l.patches, newPatch(at, target, nil))
	}
}

func newPatch(at, target, body *yaml.Node) patch {
	p := patch{at: at, target: yamlnode.Resolve(target), body: body}
	if p.target != nil {
		p.kind, p.name = yamlnode.Text(yamlnode.Get(target, "kind")), yamlnode.Text(yamlnode.Get(target, "name"))
		return p
	}
	p.kind, p.name = yamlnode.Text(yamlnode.Get(body, "kind")), yamlnode.Text(yamlnode.Get(yamlnode.Get(body, "metadata"), "name"))
	return p
}

// elements are the elements of a list, none of anything else.
func elements(node *yaml.Node) []*yaml.Node {
	if node = yamlnode.Resolve(node); node == nil || node.Kind != yaml.SequenceNode {
		return nil
	}
	return node.Content
}

func texts(node *yaml.Node) []string {
	var all []string
	for _, element := range elements(node) {
		if text := yamlnode.Text(element); text != "" {
			all = append(all, text)
		}
	}
	return all
}

// markChanged marks the Services and Jobs that a layer changes by replacements, or that
// it lists and patches: what they say by themselves is not what is applied.
func (k *kustomizations) markChanged() {
	for _, l := range k.layers {
		c := k.contentOf(l)
		patches := slices.ContainsFunc(l.patches, func(p patch) bool {
			return p.kind == "" || p.kind == "Job" || p.kind == "CronJob" || p.kind == "Service"
		})
		for _, d := range slices.Concat(c.jobs, c.services) {
			lists := slices.ContainsFunc(l.resources, func(resource string) bool { return path.Join(l.dir, resource) == clean(d.file()) })
			if l.wires || patches && lists {
				d.changedBy = l.doc
			}
		}
	}
}

// giveLabels gives documents the labels that layers give to selectors and to Pods.
func (k *kustomizations) giveLabels() {
	for _, l := range k.layers {
		if len(l.selectors)+len(l.podLabels) == 0 {
			continue
		}
		c := k.contentOf(l)
		for _, d := range slices.Concat(c.jobs, c.services) {
			if d.selectors == nil {
				d.selectors, d.podLabels = map[string]string{}, map[string]string{}
			}
			maps.Copy(d.selectors, l.selectors)
			maps.Copy(d.podLabels, l.podLabels)
		}
	}
}

// content is what a layer builds from, as far as the input has it.
type content struct {
	jobs, peerJobs, services []*document
	// named are the objects of kinds that Pods name (rules.NamedKinds).
	named []*document
	// unknown is whether something is not in the input, or may be made by a function.
	unknown bool
	// expanded is whether a layer below may have expanded the PeerJobs.
	expanded bool
	// taught is whether a Component tells kustomize about PeerJobs.
	taught bool
}

// contentOf returns what a layer builds from, its own generators included. Its own
// transformers run after its patches.
func (k *kustomizations) contentOf(l *layer) content {
	var c content
	k.collect(l, &c, map[*layer]bool{})
	c.expanded = c.expanded || l.generates
	return c
}

func (k *kustomizations) collect(l *layer, c *content, seen map[*layer]bool) {
	if seen[l] {
		return
	}
	seen[l] = true
	for _, resource := range l.resources {
		name := path.Join(l.dir, resource)
		if below := k.layers[path.Clean(name)]; below != nil {
			k.collect(below, c, seen)
			c.expanded = c.expanded || below.generates || below.transforms
			continue
		}
		documents, found := k.byFile[name]
		c.unknown = c.unknown || !found
		for _, d := range documents {
			switch {
			case d.isJob():
				c.jobs = append(c.jobs, d)
			case d.is("", "Service"):
				c.services = append(c.services, d)
			case d.is(v1alpha1.Group, v1alpha1.Kind):
				c.peerJobs = append(c.peerJobs, d)
			case slices.Contains(rules.NamedKinds, d.kind):
				c.named = append(c.named, d)
			}
		}
	}
	for _, component := range l.components {
		below := k.layers[path.Clean(path.Join(l.dir, component))]
		switch {
		case below != nil:
			c.taught = c.taught || below.teaches
			k.collect(below, c, seen)
		case strings.Contains(component, "peerjob"):
			c.taught = true
		default:
			c.unknown, c.taught = true, true // it may be the Component
		}
	}
	c.taught = c.taught || l.teaches
}

// checkKustomizations finds layers that do not do what they say to PeerJobs.
func (l *linter) checkKustomizations(k *kustomizations) {
	for _, dir := range slices.Sorted(maps.Keys(k.layers)) {
		layer := k.layers[dir]
		l.checkNumbers(layer, k)
		if len(layer.patches)+len(layer.replicas) == 0 && layer.renames == nil {
			continue
		}
		c := k.contentOf(layer)
		l.checkRename(layer, c)
		if len(c.peerJobs) == 0 {
			continue
		}
		for _, patch := range layer.patches {
			l.checkPatch(layer, patch, c)
		}
		for _, name := range layer.replicas {
			if namesAny(regexp.QuoteMeta(name.Value), c.peerJobs) && !namesAny(regexp.QuoteMeta(name.Value), c.jobs) && !c.taught {
				l.add(layer.doc, Finding{ID: componentMissing, Severity: Warning, Field: "replicas", Message: "kustomize does not know the number of peers of the PeerJob " +
					name.Value + "; list peerjob's Component under components:"}, name, "", edit{})
			}
		}
	}
}

// checkRename finds a layer that renames a pair: kustomize gives the new names to the
// Service and the Job, and not to the subdomain and the selector.
func (l *linter) checkRename(layer *layer, c content) {
	if layer.renames == nil || layer.wires || layer.transforms || c.taught || c.unknown {
		return
	}
	for _, j := range l.jobs {
		l.checkNamed(layer, c, j)
	}
	for _, j := range l.jobs {
		cure := "list peerjob's Component under components:, or write the full names and remove it"
		if j.cron != nil {
			cure = "write the full names and remove it"
		}
		if s := j.service; s != nil && j.subdomain() == s.name && slices.Contains(c.jobs, j.document) && slices.Contains(c.services, s.document) {
			l.add(layer.doc, Finding{ID: namePrefix, Severity: Error, Message: fmt.Sprintf(
				"kustomize renames the Service %s and the %s, and neither the subdomain of the Pods nor a selector job-name: no peer finds another; %s", s.name, j.title(), cure)}, layer.renames, "", edit{})
			return
		}
	}
}

// checkNamed finds names of objects in the Pods of a Job of a layer that kustomize renames
// there and not here.
func (l *linter) checkNamed(layer *layer, c content, j *job) {
	if !slices.Contains(c.jobs, j.document) {
		return
	}
	for _, n := range rules.NamedObjects(j.template(), j.templatePath()) {
		if !n.Part && slices.ContainsFunc(c.named, func(d *document) bool { d.root(); return d.kind == n.Kind && d.name == n.Name }) {
			l.add(layer.doc, Finding{ID: namePrefix, Severity: Error, Message: fmt.Sprintf(
				"kustomize renames the %s %s, and not its name in %v of the %s; list peerjob's Component under components:, or write the full names and remove it", n.Kind, n.Name, n.Path, j.title())}, layer.renames, "", edit{})
		}
	}
}

func (l *linter) checkPatch(layer *layer, p patch, c content) {
	at := p.at
	if p.target != nil {
		at = p.target
	}
	switch p.kind {
	case "Job":
		if !c.unknown && !c.expanded && !namesAny(p.name, c.jobs) && (namesAny(p.name, c.peerJobs) || namesRole(p.name, c.peerJobs)) {
			l.add(layer.doc, Finding{ID: patchTarget, Severity: Warning, Field: "patches", Message: "is for a Job, and this layer has none that it fits: the Job is made of a PeerJob, after the patches; " +
				"write kind: PeerJob in its target, and its paths as in a PeerJob"}, at, "", edit{})
		}
	case v1alpha1.Kind:
		if !c.taught && p.body != nil && p.body.Kind == yaml.MappingNode && hasList(yamlnode.Get(p.body, "spec")) {
			l.add(layer.doc, Finding{ID: componentMissing, Severity: Warning, Field: "patches", Message: "replaces whole lists of the PeerJob, because kustomize does not know their keys; list peerjob's Component under components:"}, at, "", edit{})
		}
	}
}

// namesAny reports whether a regular expression for a whole name fits an object; "" fits
// any.
func namesAny(expression string, documents []*document) bool {
	if expression == "" {
		return len(documents) > 0
	}
	fits, err := regexp.Compile("^(?:" + expression + ")$")
	for _, d := range documents {
		d.root()
		if err == nil && fits.MatchString(d.name) {
			return true
		}
	}
	return false
}

// namesRole reports whether a regular expression for a whole name fits the Job of a role of
// a PeerJob.
func namesRole(expression string, peerJobs []*document) bool {
	fits, err := regexp.Compile("^(?:" + expression + ")$")
	if err != nil {
		return false
	}
	for _, d := range peerJobs {
		roles := yamlnode.Resolve(yamlnode.Get(yamlnode.Get(d.root(), "spec"), "roles"))
		if roles == nil || roles.Kind != yaml.SequenceNode {
			continue
		}
		for _, role := range roles.Content {
			if name := yamlnode.Resolve(yamlnode.Get(role, "name")); name != nil && fits.MatchString(d.name+"-"+name.Value) {
				return true
			}
		}
	}
	return false
}

// hasList reports whether there is a list of maps in a node.
func hasList(node *yaml.Node) bool {
	node = yamlnode.Resolve(node)
	if node == nil {
		return false
	}
	for _, child := range node.Content {
		if node.Kind == yaml.SequenceNode && yamlnode.Resolve(child).Kind == yaml.MappingNode || child.Kind != yaml.AliasNode && hasList(child) {
			return true
		}
	}
	return false
}
