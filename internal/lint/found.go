// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"slices"

	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/internal/rules"
)

// Pair is a Job whose Pods find each other by name, and the Service that gives them their
// names.
type Pair struct {
	// Job is the Job, JobNode its YAML and JobFile its file.
	Job     *batchv1.Job
	JobNode *yaml.Node
	JobFile string
	// Service is the Service that gives the Pods their names, nil if the input has none.
	Service     *corev1.Service
	ServiceNode *yaml.Node
	ServiceFile string
	// Shared are the other Jobs that have the same Service.
	Shared []string
	// Leader is a Service that selects one of the Pods, "" for none.
	Leader string

	job, service *document
}

// Found is what an input has of pairs.
type Found struct {
	Pairs []Pair
	// Single are the Jobs whose Pods do not look for each other, and Repeated the CronJobs
	// whose Pods do, with their files.
	Single   []string
	Repeated []Pair
	// Findings are what can't be read, and what was left out because it is a template.
	Findings []Finding

	kustomizations *kustomizations
}

// Pairs finds the pairs of an input, in its order.
func Pairs(files []File, options Options) Found {
	documents, findings := readAll(files)
	l := newLinter(documents, options)
	l.findings = findings
	found := Found{kustomizations: readKustomizations(files, documents)}
	l.findServices()
	for _, d := range documents {
		if d.isPatch || !d.isJob() {
			continue
		}
		j := readJob(d)
		switch {
		case j != nil && j.source != nil && hasVariable(j.node):
			l.note(d, shellTemplate)
		case j != nil:
			l.jobs = append(l.jobs, j)
			l.subdomains[j.subdomain()] = true
		case d.err != nil:
			l.broken(d)
		}
	}
	l.findScripts()
	found.Findings = sortFindings(l.findings)
	users := map[*document][]string{}
	for _, j := range l.jobs {
		if !l.wire(j) {
			found.Single = append(found.Single, j.title())
			continue
		}
		if j.cron != nil {
			found.Repeated = append(found.Repeated, Pair{Job: &batchv1.Job{ObjectMeta: j.cron.ObjectMeta}, JobFile: j.file()})
			continue
		}
		pair := Pair{Job: j.typed, JobNode: j.root(), JobFile: j.file(), job: j.document}
		if s := j.service; s != nil && rules.Selects(s.typed, j.template(), j.typed) == rules.SelectsOne {
			pair.Leader = s.name
			j.service = nearest(j, l.servicesOf(j), func(s *service) bool {
				return rules.IsHeadless(s.typed) && rules.Selects(s.typed, j.template(), j.typed) == rules.SelectsAll
			})
		}
		if s := j.service; s != nil {
			pair.Service, pair.ServiceNode, pair.ServiceFile, pair.service = s.typed, s.root(), s.file(), s.document
			users[s.document] = append(users[s.document], j.name)
		}
		found.Pairs = append(found.Pairs, pair)
	}
	for i := range found.Pairs {
		p := &found.Pairs[i]
		if p.service != nil {
			p.Shared = slices.DeleteFunc(slices.Clone(users[p.service]), func(name string) bool { return name == p.Job.Name })
		}
	}
	return found
}
