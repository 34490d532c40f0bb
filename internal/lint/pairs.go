// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	strict "github.com/peerjob/peerjob/internal/decode"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/rules"
	"github.com/peerjob/peerjob/internal/spell"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// job is a Job whose Pods may mean to find each other, or a CronJob with such Jobs.
type job struct {
	*document
	// typed is the Job. It has no name if that is another one each time.
	typed *batchv1.Job
	// cron is the CronJob that makes the Job, nil if there is none.
	cron *batchv1.CronJob
	// errs are what is wrong with its YAML.
	errs field.ErrorList
	// texts are the strings of its containers.
	texts []rules.Text
	// scripts are the values of ConfigMaps that its Pods use.
	scripts []script
	// service is the Service of the Job, nil if there is none.
	service *service
	// network is what its addresses are judged by.
	network rules.Network
}

// script is a value of a ConfigMap.
type script struct {
	doc  *document
	text rules.Text
}

// service is a Service.
type service struct {
	*document
	typed *corev1.Service
	errs  field.ErrorList
}

func (j *job) template() *corev1.PodTemplateSpec { return &j.typed.Spec.Template }
func (j *job) subdomain() string                 { return j.typed.Spec.Template.Spec.Subdomain }

// metadataPath, specPath, templatePath and podPath are where the metadata of the Job, its
// spec, its Pod template and the spec of that are in the object.
func (j *job) metadataPath() *field.Path { return j.child("metadata") }
func (j *job) specPath() *field.Path     { return j.child("spec") }
func (j *job) templatePath() *field.Path { return j.specPath().Child("template") }
func (j *job) podPath() string           { return j.templatePath().Child("spec").String() }
func (j *job) subdomainPath() string     { return j.podPath() + ".subdomain" }

func (j *job) child(name string) *field.Path {
	if j.cron != nil {
		return specPath.Child("jobTemplate", name)
	}
	return field.NewPath(name)
}

// title is what messages call the Job.
func (j *job) title() string { return j.kind + " " + j.name }

// cronJob is the name of the CronJob that has made a Job, "" if none has. Its runs have
// one Service, and names of their own in it.
func (j *job) cronJob() string {
	for _, owner := range j.typed.OwnerReferences {
		if owner.Kind == "CronJob" {
			return owner.Name
		}
	}
	return ""
}

// selects says what a Service for the Job selects, for messages.
func (j *job) selects() string {
	if j.typed.Name == "" {
		return "a label of the Pod template as its selector"
	}
	return "the selector job-name: " + j.typed.Name
}

// run is an example of what a CronJob writes behind its name for each Job: the minute in
// which it was due.
const run = "-29388960"

// longest returns the Job with a name as long as it will be, and where the part of it is
// that somebody wrote; that is "" if nobody knows.
// See getJobName in k8s.io/kubernetes/pkg/controller/cronjob.
func (j *job) longest() (longest *batchv1.Job, name string) {
	if j.cron == nil {
		return j.typed, j.typed.Name
	}
	longest = j.typed.DeepCopy()
	longest.Name = j.name + run
	return longest, j.name
}

// hints are words of which a Job has one if a headless Service may be for its Pods.
var hints = []string{"Indexed", "JOB_COMPLETION_INDEX", "job-completion-index", "torchrun", "mpirun", "torch.distributed", "MASTER_ADDR"}

var (
	// indexedName matches what may be a name of a peer in the text of a Job.
	indexedName = lazyregexp.New(`-(?:\d+|\$[({\w]+[)}]?|\{\d+\.\.\d+\})\.([a-z][a-z0-9-]*)`)
	// subdomainLine matches the subdomain of a Pod where it stands on a line of its own.
	subdomainLine = lazyregexp.New(`"?\bsubdomain"?: *["']?([a-z0-9-]+)`)
)

// hasIndexedName reports whether the object may have a name with an index: one in a
// domain, or its own with an index behind it.
func (d *document) hasIndexedName() bool {
	if d.object != nil {
		return d.mentions(".") && (d.mentions("-0.") || d.mentions("-$") || d.mentions("-1.")) || d.mentions(d.name+"-0")
	}
	return indexedName.Match(d.text) || d.name != "" && bytes.Contains(d.text, []byte(d.name+"-0"))
}

// plainSubdomain is the subdomain of a Job that is not parsed, "" if it has none.
func (d *document) plainSubdomain() string {
	switch {
	case !d.mentions("subdomain"):
		return ""
	case d.object != nil:
		return yamlnode.Text(yamlnode.Get(podOf(d.root()), "subdomain"))
	}
	if match := subdomainLine.FindSubmatch(d.text); match != nil {
		return string(match[1])
	}
	return ""
}

// addressedServices are what follows an index in the text of a Job.
func (d *document) addressedServices() []string {
	if d.object != nil {
		return nil
	}
	var names []string
	for _, match := range indexedName.FindAllSubmatch(d.text, -1) {
		names = append(names, string(match[1]))
	}
	return names
}

// podOf is the Pod of a Job or a CronJob.
func podOf(root *yaml.Node) *yaml.Node {
	spec := yamlnode.Get(root, "spec")
	if template := yamlnode.Get(spec, "jobTemplate"); template != nil {
		spec = yamlnode.Get(template, "spec")
	}
	return yamlnode.Get(yamlnode.Get(spec, "template"), "spec")
}

// jobGroups are the API groups of a Job: its own, and those that people write by mistake.
// A Job of any other group is a kind of its own, such as that of Volcano.
var jobGroups = []string{batchv1.GroupName, "", "apps", "extensions"}

// isJob reports whether the object is a Job, or makes Jobs.
func (d *document) isJob() bool {
	return (d.kind == "Job" || d.kind == "CronJob") && slices.Contains(jobGroups, d.group())
}

// readJob reads a Job or a CronJob. It returns nil for one that is a part of it: a patch.
func readJob(d *document) *job {
	root := d.root()
	if root == nil || !d.isJob() {
		return nil
	}
	if len(elements(yamlnode.Get(podOf(root), "containers"))) == 0 {
		return nil
	}
	j := &job{document: d}
	if d.kind == "CronJob" {
		j.cron, j.errs = strict.Object[batchv1.CronJob](withoutStatus(root))
		j.typed = &batchv1.Job{ObjectMeta: *j.cron.Spec.JobTemplate.ObjectMeta.DeepCopy(), Spec: *j.cron.Spec.JobTemplate.Spec.DeepCopy()}
		j.typed.Name, j.typed.Namespace, j.typed.UID = "", j.cron.Namespace, j.cron.UID
	} else {
		j.typed, j.errs = strict.Object[batchv1.Job](withoutStatus(root))
	}
	if len(d.selectors)+len(d.podLabels) > 0 {
		labels := maps.Clone(d.podLabels)
		maps.Copy(labels, j.template().Labels)
		maps.Copy(labels, d.selectors)
		j.template().Labels = labels
	}
	rules.EachContainer(j.template(), j.templatePath(), func(container *corev1.Container, path *field.Path) {
		j.texts = append(j.texts, rules.Texts(container, path)...)
	})
	return j
}

// withoutStatus returns an object without what the server adds to it.
func withoutStatus(root *yaml.Node) *yaml.Node {
	without := func(node *yaml.Node, keys ...string) *yaml.Node {
		plain := *node
		plain.Content = nil
		for i := 0; i+1 < len(node.Content); i += 2 {
			if !slices.Contains(keys, node.Content[i].Value) {
				plain.Content = append(plain.Content, node.Content[i], node.Content[i+1])
			}
		}
		return &plain
	}
	plain := without(root, "status")
	for i := 0; i+1 < len(plain.Content); i += 2 {
		if metadata := yamlnode.Resolve(plain.Content[i+1]); plain.Content[i].Value == "metadata" && metadata.Kind == yaml.MappingNode {
			plain.Content[i+1] = without(metadata, "managedFields")
		}
	}
	return plain
}

func readService(d *document) *service {
	root := d.root()
	if root == nil || !d.is("", "Service") {
		return nil
	}
	s := &service{document: d}
	s.typed, s.errs = strict.Object[corev1.Service](withoutStatus(root))
	if len(d.selectors) > 0 {
		selector := maps.Clone(d.selectors)
		for key, value := range s.typed.Spec.Selector {
			if _, found := selector[key]; !found {
				selector[key] = value
			}
		}
		s.typed.Spec.Selector = selector
	}
	return s
}

// sameNamespace reports whether two objects may be in one namespace: one without takes
// that of the command that applies it.
func sameNamespace(a, b *document) bool {
	return a.namespace == b.namespace || a.namespace == "" || b.namespace == ""
}

// distance is how far apart two objects are in the input: in one file, in one folder, or
// elsewhere. Folders may have the same objects for several clusters.
func distance(a, b *document) int {
	switch {
	case a.file() == b.file():
		return 0
	case folder(a.file()) == folder(b.file()):
		return 1
	}
	return elsewhere
}

// elsewhere is the distance of two objects that are in different folders.
const elsewhere = 2

// nearest returns the Service that is nearest to a Job among those that fit.
func nearest(j *job, services []*service, fits func(*service) bool) *service {
	var best *service
	for _, s := range services {
		if fits(s) && (best == nil || distance(j.document, s.document) < distance(j.document, best.document)) {
			best = s
		}
	}
	return best
}

// named reports whether a text has a name as a word of its own, or as the head of a
// longer host name.
func named(text, name string) bool {
	if name == "" {
		return false
	}
	for start := 0; ; {
		at := strings.Index(text[start:], name)
		if at < 0 {
			return false
		}
		at += start
		end := at + len(name)
		if (at == 0 || !isWordPart(text[at-1]) && text[at-1] != '.') && (end == len(text) || !isWordPart(text[end])) {
			return true
		}
		start = end
	}
}

func isWordPart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// says reports whether the strings of a Job, or of the ConfigMaps that it uses, have a
// name.
func (j *job) says(name string) bool {
	return slices.ContainsFunc(j.texts, func(t rules.Text) bool { return named(t.Value, name) }) ||
		slices.ContainsFunc(j.scripts, func(s script) bool { return named(s.text.Value, name) })
}

// addresses are the host names with an index in the strings of a Job.
func (j *job) addresses() []rules.Address {
	var all []rules.Address
	for _, text := range j.texts {
		all = append(all, rules.Addresses(text)...)
	}
	for _, s := range j.scripts {
		all = append(all, rules.Addresses(s.text)...)
	}
	return all
}

// isAlone reports whether a Job runs one Pod, which has no index.
func (j *job) isAlone() bool {
	spec := &j.typed.Spec
	return !rules.IsIndexed(j.typed) && (spec.Completions == nil || *spec.Completions < 2) && (spec.Parallelism == nil || *spec.Parallelism < 2)
}

// isNamedPod reports whether a Job runs one Pod that has a host name of its own.
func (j *job) isNamedPod() bool {
	return !rules.IsIndexed(j.typed) && j.template().Spec.Hostname != ""
}

// servicesOf are the Services of a namespace that may select the Pods of a Job.
func (l *linter) servicesOf(j *job) []*service {
	var near []*service
	for _, services := range [][]*service{l.byJob[j.name], l.byLabels, l.orphans} {
		for _, s := range services {
			if sameNamespace(j.document, s.document) {
				near = append(near, s)
			}
		}
	}
	return near
}

// selecting returns the headless Service that is nearest to a Job and selects its Pods:
// one for this Job alone, or one that the Job names.
func (l *linter) selecting(j *job, near []*service) *service {
	return nearest(j, near, func(s *service) bool {
		return rules.IsHeadless(s.typed) && rules.Selects(s.typed, j.template(), j.typed) != rules.SelectsNone && (selectsByJob(s) || j.says(s.name))
	})
}

// selectsByJob reports whether a Service selects Pods by the name of their Job.
func selectsByJob(s *service) bool { return jobNameOf(s) != "" }

// jobNameOf is the name of the Job whose Pods a Service selects, "" for one that selects
// by other labels.
func jobNameOf(s *service) string {
	for key, value := range s.typed.Spec.Selector {
		if rules.IsJobNameLabel(key) {
			return value
		}
	}
	return ""
}

// almostSelecting returns a headless Service that was probably meant for a Job: it
// selects the Pods of a Job with a similar name that is not there.
func (l *linter) almostSelecting(j *job) *service {
	return nearest(j, l.orphans, func(s *service) bool {
		return rules.IsHeadless(s.typed) && sameNamespace(j.document, s.document) && isSimilar(jobNameOf(s), j.name)
	})
}

// isSimilar reports whether one name is another one with a prefix or a suffix, or
// misspelled.
func isSimilar(a, b string) bool {
	return rules.IsAffixed(a, b) || rules.IsAffixed(b, a) || spell.Nearest(a, []string{b}) != ""
}
