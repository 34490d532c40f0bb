// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/neighbors"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// neighborKinds are the kinds of objects beside a pair that may be in its way.
var neighborKinds = []string{"NetworkPolicy", "LimitRange", "ResourceQuota", "PodGroup", "Workload", "ComputeDomain", "PodDisruptionBudget", "PodMonitor"}

// gangWords are parts of the keys by which a Pod names what it must be placed together
// with. Other workloads that have them may belong to the same group as a pair.
var gangWords = []string{"pod-group", "group-name", "resourceClaimTemplateName", "schedulingGroup"}

// place is where objects can be in each other's way: a namespace in a folder. Another
// folder may be for another cluster.
type place struct{ namespace, folder string }

// checkNeighbors finds other objects of the input that get in the way of pairs, with the
// rules of internal/neighbors: each pair is handed in as the PeerJob that stands for it.
func (l *linter) checkNeighbors() {
	var beside []*document
	hasPeerJob := false
	for _, d := range l.documents {
		hasPeerJob = hasPeerJob || d.kind == v1alpha1.Kind
		if !d.isPatch && slices.Contains(neighborKinds, d.kind) {
			beside = append(beside, d)
		}
	}
	if len(beside) == 0 {
		return
	}
	jobs := map[place][]*job{}
	var places []place
	for _, j := range l.wired {
		at := place{j.namespace, folder(j.file())}
		if jobs[at] == nil {
			places = append(places, at)
		}
		jobs[at] = append(jobs[at], j)
	}
	for _, at := range places {
		isNear := func(d *document) bool {
			return (d.namespace == at.namespace || d.namespace == "") && folder(d.file()) == at.folder
		}
		if slices.ContainsFunc(beside, isNear) {
			l.checkPlace(at, jobs[at], isNear, hasPeerJob)
		}
	}
}

// checkPlace checks the pairs of one place.
func (l *linter) checkPlace(at place, jobs []*job, isNear func(*document) bool, hasPeerJob bool) {
	about := map[*krmlist.Object]*job{}
	documents := map[*krmlist.Object]*document{}
	isPair := map[*document]bool{}
	var expansions []*expansion.Expansion
	for _, j := range jobs {
		if e := l.expansionOf(j); e != nil {
			e.Source.Namespace = at.namespace
			expansions = append(expansions, e)
			about[e.Source], isPair[j.document] = j, true
		}
	}
	var objects []*krmlist.Object
	for _, d := range l.documents {
		// A PeerJob may belong to a gang, too, and counts its peers itself.
		isGang := slices.Contains([]string{"PodGroup", "Workload", "ComputeDomain"}, d.kind)
		if d.isPatch || isPair[d] || !isNear(d) || hasPeerJob && isGang || d.root() == nil {
			continue
		}
		o := krmlist.NewParsed(d.root())
		o.Namespace = at.namespace
		objects, documents[o] = append(objects, o), d
	}
	found := neighbors.WarnWritten(expansions, objects)
	for _, report := range []struct {
		id string
		*results.Report
	}{{gangSize, &found.Gangs}, {networkPolicy, &found.Policies}, {resourceLimits, &found.Resources}} {
		for _, e := range expansions {
			j := about[e.Source]
			for _, w := range report.WarningsOf(e.Source) {
				// Without a field it is about the number of PeerJobs.
				if w.Field != "" {
					l.at(j.document, report.id, Warning, j.fieldOf(w.Field), w.Message, "", edit{})
				}
			}
		}
	}
	for o, d := range documents {
		for _, w := range found.Selectors.WarningsOf(o) {
			l.at(d, selectorMismatch, Warning, w.Field, w.Message, "", edit{})
		}
	}
}

// fieldOf is the field of a Job for one of the PeerJob that stands for it.
func (j *job) fieldOf(path string) string {
	if path == "spec.peers" {
		return j.specPath().Child("completions").String()
	}
	if rest, found := strings.CutPrefix(path, "spec."); found {
		return j.specPath().String() + "." + rest
	}
	return path
}

// expansionOf expands the PeerJob that stands for a pair. It returns nil for a pair that no
// PeerJob can stand for: what is wrong with it was said.
func (l *linter) expansionOf(j *job) *expansion.Expansion {
	spec := yamlnode.Get(j.root(), "spec")
	if j.cron != nil {
		spec = yamlnode.Get(yamlnode.Get(spec, "jobTemplate"), "spec")
	}
	template, completions := yamlnode.Get(spec, "template"), j.typed.Spec.Completions
	longest, name := j.longest()
	if template == nil || completions == nil || name == "" || j.subdomain() == "" {
		return nil
	}
	text := func(value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value} }
	entries := func(content ...*yaml.Node) *yaml.Node {
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: content}
	}
	node := entries(
		text("apiVersion"), text(v1alpha1.APIVersion), text("kind"), text(v1alpha1.Kind),
		text("metadata"), entries(text("name"), text(longest.Name)),
		text("spec"), entries(
			text("peers"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(int(*completions))},
			text("service"), entries(text("name"), text(j.subdomain())),
			text("peerEnv"), text(string(v1alpha1.Disabled)),
			text("template"), template,
		),
	)
	e := &expansion.Expansion{Source: krmlist.NewParsed(node)}
	settings := v1alpha1.Settings{ClusterDomain: l.options.ClusterDomain, KubernetesVersion: l.options.KubernetesVersion}
	if errs, _ := e.Expand(settings, expansion.NewSources(nil, nil, nil)); len(errs) > 0 {
		return nil
	}
	e.Source.Name = name // that of a CronJob: nobody knows the name of its Job
	return e
}
