// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"bytes"
	"cmp"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/parallel"
	"github.com/peerjob/peerjob/internal/rules"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// Options are caller options.
type Options struct {
	// ClusterDomain is the DNS domain of the cluster. The default is "cluster.local".
	ClusterDomain string
	// KubernetesVersion is the oldest server that the objects are for, such as "1.30". The
	// default is the newest that peerjob knows.
	KubernetesVersion string
}

// Files returns what is wrong in files, by file and line.
func Files(files []File, options Options) []Finding {
	documents, findings := readAll(files)
	l := newLinter(documents, options)
	l.findings = findings
	k := readKustomizations(files, documents)
	k.markChanged()
	k.giveLabels()
	l.check()
	l.checkKustomizations(k)
	for i := range l.findings {
		if file := &l.findings[i].File; *file != "" {
			*file = path.Clean(*file) // the name that GitHub knows the file by
		}
	}
	return sortFindings(joinNotes(sortFindings(l.findings)))
}

// Objects returns what is wrong with the objects of a list. A finding has no line; About
// returns the object.
func Objects(objects []*krmlist.Object, options Options) []Finding {
	documents := make([]*document, len(objects))
	for i, o := range objects {
		documents[i] = &document{object: o, apiVersion: o.APIVersion, kind: o.Kind, namespace: o.Namespace, name: o.Name}
	}
	l := newLinter(documents, options)
	l.check()
	return l.findings
}

// About returns the object of a list that a finding is about, nil for one of a file.
func (f *Finding) About() *krmlist.Object {
	if f.doc == nil {
		return nil
	}
	return f.doc.object
}

// linter has what was found in an input.
type linter struct {
	options   Options
	documents []*document
	jobs      []*job
	services  []*service
	// wired are the Jobs whose Pods mean to find each other.
	wired []*job

	// jobNames and podNames are the names of the Jobs, and of other workloads with
	// numbered Pods. serviceNames are those of the Services.
	jobNames, podNames, serviceNames map[string]bool
	// byName and byJob are the Services by their names, and by the Job that they select.
	// byLabels are those that select by other labels, and orphans those for a Job that is
	// not there.
	byName, byJob     map[string][]*service
	byLabels, orphans []*service
	// headless are those of byLabels without an address, and links those whose variables
	// may be in the way.
	headless, links []*service
	// leftOut are the objects that may be a Service, and were not read.
	leftOut []*document
	// subdomains are those of the Jobs.
	subdomains map[string]bool
	// roles are the numbers of peers of the Jobs in a domain, by the names of the Jobs; nil
	// before they are asked for.
	roles map[string]map[string]int32

	// judged are the objects that were checked by themselves.
	judged   map[*document]bool
	findings []Finding
}

func newLinter(documents []*document, options Options) *linter {
	if options.ClusterDomain == "" {
		options.ClusterDomain = v1alpha1.DefaultClusterDomain
	}
	return &linter{
		options: options, documents: documents,
		jobNames: map[string]bool{}, podNames: map[string]bool{}, serviceNames: map[string]bool{},
		byName: map[string][]*service{}, byJob: map[string][]*service{}, subdomains: map[string]bool{}, judged: map[*document]bool{},
	}
}

// jobShare is how many Jobs a core parses at a time.
const jobShare = 16

// check finds the pairs and checks them.
func (l *linter) check() {
	l.findServices()
	l.findJobs()
	l.checkIgnored()
	if len(l.jobs) == 0 {
		return
	}
	l.findScripts()
	for _, j := range l.jobs {
		l.checkJob(j)
	}
	l.checkShared()
	l.checkNeighbors()
}

// findJobs reads the Jobs that may mean to find each other.
func (l *linter) findJobs() {
	var candidates []*document
	for _, d := range l.documents {
		if !d.isPatch && d.isJob() && l.mayBePair(d) {
			candidates = append(candidates, d)
		}
	}
	jobs := make([]*job, len(candidates))
	parallel.For(len(candidates), jobShare, func(i int) { jobs[i] = readJob(candidates[i]) })
	for i, j := range jobs {
		switch {
		case j != nil && j.source != nil && hasVariable(j.node):
			l.note(j.document, shellTemplate)
		case j != nil && j.changedBy != nil:
			l.note(j.changedBy, changed)
		case j != nil:
			l.jobs = append(l.jobs, j)
			l.subdomains[j.subdomain()] = true
		case candidates[i].err != nil:
			l.broken(candidates[i])
		}
	}
}

// mayBePair reports whether a Job is worth parsing: it has a subdomain, or names with
// indexes, or there is a headless Service for it.
func (l *linter) mayBePair(d *document) bool {
	if d.mentions("subdomain") || d.hasIndexedName() {
		return true
	}
	if !slices.ContainsFunc(hints, d.mentions) {
		return false
	}
	return len(l.byJob[d.name]) > 0 || len(l.orphans) > 0 || len(l.headless) > manyWords || slices.ContainsFunc(l.headless, func(s *service) bool { return d.mentions(s.name) })
}

// broken reports a document that was not parsed before, and can't be.
func (l *linter) broken(d *document) {
	if d.source == nil {
		return
	}
	r := &reader{source: d.source}
	l.findings = append(l.findings, r.broken(d))
}

// note says that a document was left out.
func (l *linter) note(d *document, message string) {
	r := &reader{source: d.source}
	r.note(d, message)
	l.findings = append(l.findings, r.findings...)
}

// manyWords is how many names are looked for in every Job. Beyond that, all Jobs with a
// hint are parsed.
const manyWords = 64

// findServices reads the Services that may belong to a Job: those without an address,
// those that select by the name of a Job, and those that a Job names as its subdomain or whose variables may be in the way.
func (l *linter) findServices() {
	names := map[string]bool{}
	for _, d := range l.documents {
		switch {
		case d.isLeftOut:
			l.leftOut = append(l.leftOut, d)
		case d.isPatch:
		case d.isJob():
			l.jobNames[d.name] = true
			if name := d.plainSubdomain(); name != "" {
				names[name] = true
			}
			for _, name := range d.addressedServices() {
				names[name] = true
			}
		case d.kind == "StatefulSet", d.kind == "Pod":
			l.podNames[d.name] = true
		case d.is("", "Service"):
			l.serviceNames[d.name] = true
		}
	}
	var candidates []*document
	for _, d := range l.documents {
		if !d.isPatch && d.is("", "Service") && (d.mentions("None") || d.mentions("job-name") || names[d.name] || rules.MayLink(d.name)) {
			candidates = append(candidates, d)
		}
	}
	services := make([]*service, len(candidates))
	parallel.For(len(candidates), jobShare, func(i int) { services[i] = readService(candidates[i]) })
	for i, s := range services {
		if s == nil {
			if candidates[i].err != nil {
				l.broken(candidates[i])
			}
			continue
		}
		if s.source != nil && hasVariable(s.node) {
			l.note(s.document, shellTemplate)
			l.leftOut = append(l.leftOut, s.document)
			continue
		}
		l.services = append(l.services, s)
		l.byName[s.name] = append(l.byName[s.name], s)
		if rules.MayLink(s.name) {
			l.links = append(l.links, s)
		}
		switch job := jobNameOf(s); {
		case job == "":
			l.byLabels = append(l.byLabels, s)
			if rules.IsHeadless(s.typed) {
				l.headless = append(l.headless, s)
			}
		case l.jobNames[job]:
			l.byJob[job] = append(l.byJob[job], s)
		default:
			l.orphans = append(l.orphans, s)
		}
	}
}

// add reports a finding of a document, at a node of it: at the excerpt, if the text of
// the node has it.
func (l *linter) add(d *document, f Finding, node *yaml.Node, excerpt string, fix edit) {
	if d.ignores(f.ID) || d.settled[f.Field] && !isOfYAML(f.ID) {
		return
	}
	f.doc, f.fix = d, fix
	f.File, f.Kind, f.Namespace, f.Name = d.file(), d.kind, d.namespace, d.name
	f.Line, f.Column = d.placeOf(node, excerpt)
	f.Message = strings.Join(strings.Fields(f.Message), " ")
	if fix.op != noEdit {
		_, f.Fixable = fix.compile(d)
	}
	l.findings = append(l.findings, f)
}

// isOfYAML reports whether an id is of what is wrong with the YAML of an object. What
// else there is to say of such a field follows from that.
func isOfYAML(id string) bool { return id == unknownField || id == duplicateKey || id == wrongType }

// placeOf is the line and column of a node, or of a part of its text.
func (d *document) placeOf(node *yaml.Node, excerpt string) (line, column int) {
	if node == nil {
		node = d.root()
	}
	line, column, offset := d.place(node)
	if excerpt == "" || offset < 0 {
		return line, column
	}
	end := d.start + len(d.text)
	if at := bytes.Index(d.source.content[offset:min(end, offset+longestText)], []byte(excerpt)); at >= 0 {
		offset += at
		line = d.source.lineOf(offset)
		column = utf8.RuneCount(d.source.content[d.source.index()[line]:offset]) + 1
		line++
	}
	return line, column
}

// longestText is how far behind the beginning of a text an excerpt is looked for, in
// bytes.
const longestText = 1 << 20

// ignores reports whether the object wants no findings with an id.
func (d *document) ignores(id string) bool {
	if d.ignored == nil {
		d.ignored = map[string]bool{}
		for _, id := range d.ignoreList() {
			d.ignored[id] = true
		}
	}
	return d.ignored[id]
}

// ignoreList are the ids in the annotation of the object.
func (d *document) ignoreList() []string {
	if !d.mentions(v1alpha1.LintIgnoreAnnotation) || d.root() == nil {
		return nil
	}
	value := yamlnode.Text(yamlnode.Get(yamlnode.Get(yamlnode.Get(d.root(), "metadata"), "annotations"), v1alpha1.LintIgnoreAnnotation))
	var ids []string
	for _, id := range strings.Split(value, ",") {
		if id = strings.TrimSpace(id); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// network returns what the addresses of a Job are judged by.
func (l *linter) network(j *job) rules.Network {
	n := rules.Network{
		Job: j.typed.Name, Namespace: j.namespace, Service: j.subdomain(), Peers: 1,
		IsOther:   func(name string) bool { return l.podNames[name] || l.jobNames[name] && name != j.name },
		IsService: func(name string) bool { return l.serviceNames[name] },
	}
	if n.Job == "" {
		n.Generated = cmp.Or(j.name, j.typed.GenerateName)
	}
	if completions := j.typed.Spec.Completions; completions != nil {
		n.Peers = *completions
	}
	if s := j.service; s != nil {
		if n.Service = s.name; j.subdomain() != s.name {
			n.Subdomain = j.subdomain()
		}
		n.Selected = jobNameOf(s)
	}
	if config := j.template().Spec.DNSConfig; config != nil {
		n.FindsBare = slices.ContainsFunc(config.Searches, func(search string) bool { return strings.HasPrefix(search, n.Service+".") })
	}
	return n
}
