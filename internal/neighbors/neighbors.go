// SPDX-License-Identifier: Apache-2.0

// Package neighbors answers: which other objects of the list would get in the way
// of the peers in the cluster?
//
// # Rules
//
//   - Each finding is a warning, because the cluster may have objects that the
//     list does not have.
//   - A neighbor is in the same package and namespace as the PeerJob.
//   - A neighbor that can't be read as the API type that it claims to be is
//     ignored: what is wrong with it is not for peerjob to say.
//
// # Never
//
// It never changes an object, and never warns of one that peerjob made.
package neighbors

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/rules"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// Look is what is seen in one PeerJob without its neighbors.
type Look struct {
	// names are the names of the peers of each role.
	names    []rules.PeerNames
	hasRoles bool
	isQuiet  bool
	// counts are the ConfigMaps that may say how many peers there are.
	counts map[string]bool
}

// IsQuiet reports whether there is nothing to say of the PeerJob as long as there is none
// but PeerJobs beside it. Then [Warn] has no need of its group.
func (l Look) IsQuiet() bool { return l.isQuiet }

// LookAt looks at a PeerJob that was expanded without errors. It looks at one alone, so
// that all can be looked at side by side.
func LookAt(e *expansion.Expansion) Look {
	// Neighbors of the names in its texts only leave less to say, but for how many peers a
	// gang of Kueue has, and for objects that kustomize renamed.
	look := Look{hasRoles: e.Group().HasRoles(), isQuiet: len(e.Source.Names()) == 1, counts: map[string]bool{}}
	var report results.Report
	for _, p := range peersOf(e) {
		look.names = append(look.names, p.names())
		maps.Copy(look.counts, countedIn(p.Group.Template()))
		look.isQuiet = look.isQuiet && rules.KueueGroup(p.Group.Template()) == ""
		p.warnOfAll(&neighbors{}, nil, nil, &report)
	}
	look.isQuiet = look.isQuiet && len(report.Results()) == 0
	return look
}

// Warn reports the objects of the list that would get in the way of the peers. The looks
// are those at each of the PeerJobs.
func Warn(expansions []*expansion.Expansion, looks []Look, objects []*krmlist.Object, report *results.Report) {
	var words, jobs []string
	counts := map[string]bool{}
	for i, e := range expansions {
		maps.Copy(counts, looks[i].counts)
		if looks[i].hasRoles {
			jobs = append(jobs, e.Source.Names()...) // what is taken for the name of a Job
		}
		for _, names := range looks[i].names {
			words, jobs = append(words, names.Words()...), append(append(jobs, names.Job), names.EarlierJobs...)
		}
	}
	var named []*krmlist.Object
	for _, o := range objects {
		if slices.Contains(rules.NamedKinds, o.Kind) {
			named = append(named, o)
		}
	}
	all := findNeighbors(expansions, objects, words, jobs, counts)
	for i, e := range expansions {
		near := all[neighborhoodOf(e.Source)]
		near.serviceNames[looks[i].names[0].Service]++
		if looks[i].hasRoles {
			near.groups[looks[i].names[0].Service] = true
		}
		for _, names := range looks[i].names {
			near.jobNames[names.Job]++
		}
	}
	for i, e := range expansions {
		near := all[neighborhoodOf(e.Source)]
		if looks[i].isQuiet && near.isEmpty() && !near.countsFor(looks[i]) {
			continue
		}
		for _, p := range peersOf(e) {
			p.warnOfAll(near, named, expansions, report)
		}
	}
}

// warnOfAll reports everything that would get in the way of the peers. The expansions are
// those of all PeerJobs.
func (e peers) warnOfAll(near *neighbors, named []*krmlist.Object, expansions []*expansion.Expansion, report *results.Report) {
	e.warnOfNames(near, report)
	e.warnOfReferences(near, report)
	e.warnOfGroups(near, report)
	e.warnOfNamed(named, report)
	e.warnOfGangs(near, expansions, report)
	e.warnOfCounts(near, report)
	for _, service := range near.services {
		e.warnOfService(service, report)
	}
	e.warnOfNetworkPolicies(near.policies, report)
	e.warnOfResources(near, expansions, report)
}

// peers are those of one PeerJob, or of one of its roles.
type peers struct {
	*expansion.Expansion
	// Role is the role and its Job, and Group the group of it.
	expansion.Role
	Group *peerjob.Group
	// said are the warnings of it. A container of spec.runner has the resources of the
	// container that it is for, and what is said of one need not be said of the other.
	said map[diag.Warning]bool
}

// peersOf are the peers of a PeerJob, for each of its roles.
func peersOf(e *expansion.Expansion) []peers {
	var all []peers
	said := map[diag.Warning]bool{}
	for _, role := range e.Roles() {
		all = append(all, peers{e, role, role.Group, said})
	}
	return all
}

// roles are the peers of all roles of the PeerJob.
func (e peers) roles() []peers { return peersOf(e.Expansion) }

// isFirst reports whether the peers are those of the first role: what is the same for all
// roles is said once.
func (e peers) isFirst() bool { return e.Group == e.Group.All()[0] }

// neighborhood is where objects can be in each other's way.
type neighborhood struct{ pkg, namespace string }

func neighborhoodOf(o *krmlist.Object) neighborhood { return neighborhood{o.Package, o.Namespace} }

// neighbor is an object of the list as the API type that it says it is.
type neighbor[T any] struct {
	*krmlist.Object
	typed T
}

// neighbors are the objects of one neighborhood that may be in the way.
type neighbors struct {
	// serviceNames and jobNames count the Services and the Jobs of a name, those of the
	// PeerJobs and others.
	serviceNames, jobNames map[string]int
	// groups are the groups of the PeerJobs with roles.
	groups   map[string]bool
	services []neighbor[corev1.Service]
	policies []neighbor[networkingv1.NetworkPolicy]
	limits   []neighbor[corev1.LimitRange]
	quotas   []neighbor[corev1.ResourceQuota]
	// naming are objects with texts that may name a peer.
	naming []naming
	// counting are ConfigMaps that may say how many peers there are, by the names that they
	// have and had.
	counting map[string][]neighbor[corev1.ConfigMap]
	// gangs are objects that say how many Pods must be placed together: PodGroups,
	// Workloads and ComputeDomains.
	gangs []neighbor[gang]
	// workloads are objects with Pods of their own.
	workloads []*krmlist.Object
	// references are objects that name Jobs or Services.
	references []referrer
}

func newNeighbors() *neighbors {
	return &neighbors{serviceNames: map[string]int{}, jobNames: map[string]int{}, groups: map[string]bool{}, counting: map[string][]neighbor[corev1.ConfigMap]{}}
}

// isEmpty reports whether there is none but names, and workloads, which are not in the way
// by themselves.
func (n *neighbors) isEmpty() bool {
	return len(n.services)+len(n.policies)+len(n.limits)+len(n.quotas)+len(n.naming)+len(n.gangs)+len(n.references) == 0
}

// countsFor reports whether one of the ConfigMaps may say how many peers a PeerJob has.
func (n *neighbors) countsFor(look Look) bool {
	for name := range look.counts {
		if len(n.counting[name]) > 0 {
			return true
		}
	}
	return false
}

// referrer is an object that names Jobs or Services.
type referrer struct {
	*krmlist.Object
	found []reference
}

// findNeighbors reads the objects in the neighborhoods of PeerJobs that may be in the way,
// each once. It reads the texts of those that have one of the words, and of objects that
// select Pods those that have the name of a Job, or the label of a group. Of ConfigMaps it
// also reads those with the names counts.
func findNeighbors(expansions []*expansion.Expansion, objects []*krmlist.Object, words, jobs []string, counts map[string]bool) map[neighborhood]*neighbors {
	all := map[neighborhood]*neighbors{}
	for _, e := range expansions {
		if here := neighborhoodOf(e.Source); all[here] == nil {
			all[here] = newNeighbors()
		}
	}
	named, selecting := newWordFinder(words), newWordFinder(jobs)
	for _, o := range objects {
		near := all[neighborhoodOf(o)]
		if near == nil || kinds.IsOwned(o.APIVersion, o.Kind, o.Annotations) {
			continue
		}
		switch {
		case o.Kind == "Service" && o.Group() == "":
			near.services = appendNeighbor(near.services, o)
			near.serviceNames[o.Name]++
		case o.Kind == "NetworkPolicy" && o.Group() == networkingv1.GroupName:
			near.policies = appendNeighbor(near.policies, o)
		case o.Kind == "LimitRange" && o.Group() == "":
			near.limits = appendNeighbor(near.limits, o)
		case o.Kind == "ResourceQuota" && o.Group() == "":
			near.quotas = appendNeighbor(near.quotas, o)
		case o.Kind == "ConfigMap" && o.Group() == "" && isNamedIn(o, counts):
			for _, read := range appendNeighbor[corev1.ConfigMap](nil, o) {
				for _, name := range o.Names() {
					near.counting[name] = append(near.counting[name], read)
				}
			}
		case o.Kind == "PodGroup", o.Kind == "ComputeDomain", isWorkload(o):
			near.gangs = appendNeighbor(near.gangs, o)
		case slices.Contains(workloadKinds, o.Kind):
			near.workloads = append(near.workloads, o)
			if o.Kind == "Job" {
				near.jobNames[o.Name]++
			}
		}
		// The words of a Secret may be in base64.
		if len(words) > 0 && o.Group() != v1alpha1.Group && (isSecret(o) || named.in(o)) {
			if texts := textsOf(o); len(texts) > 0 {
				near.naming = append(near.naming, naming{o, texts})
			}
		}
		if o.Mentions(v1alpha1.GroupLabel) || o.Mentions(v1alpha1.NameLabel) && selecting.in(o) || slices.Contains(routeKinds, o.Kind) {
			if references := referencesIn(o); len(references) > 0 {
				near.references = append(near.references, referrer{o, references})
			}
		}
	}
	return all
}

// appendNeighbor adds an object to a list if it can be read as what it says it
// is. What is wrong with it otherwise is not for us to say.
func appendNeighbor[T any](list []neighbor[T], o *krmlist.Object) []neighbor[T] {
	n := neighbor[T]{Object: o}
	if !yamlnode.IsModest(o.Node()) {
		return list
	}
	plain, err := yamlnode.Plain(o.Node())
	if err != nil {
		return list
	}
	data, err := json.Marshal(plain)
	if err != nil || json.Unmarshal(data, &n.typed) != nil {
		return list
	}
	return append(list, n)
}

// newLabels is the first minor version in which Pods have the label
// batch.kubernetes.io/job-name.
const newLabels = 27

// hasNewLabels reports whether the Pods have the label batch.kubernetes.io/job-name.
func (e peers) hasNewLabels() bool {
	minor, asked := peerjob.Minor(e.Group.PeerJob.Spec.KubernetesVersion)
	return !asked || minor >= newLabels
}

// podLabels are the labels of the Pods, with those of the Job controller.
func (e peers) podLabels() labels.Set {
	set := labels.Set{}
	if e.hasNewLabels() {
		set[batchv1.JobNameLabel] = e.Group.JobName
	}
	set[v1alpha1.NameLabel] = e.Group.JobName
	return labels.Merge(labels.Merge(set, e.Group.SelectorLabels()), e.Group.Template().Labels)
}

// warnOfService finds a Service that would send its traffic to the peers. One that
// selects by the name of the Job, or of the group, alone does so on purpose.
func (e peers) warnOfService(service neighbor[corev1.Service], report *results.Report) {
	selector := service.typed.Spec.Selector
	hasOther := false
	for key := range selector {
		hasOther = hasOther || !namesPeers(key)
	}
	if hasOther && labels.SelectorFromSet(selector).Matches(e.podLabels()) {
		e.warn(report, e.labelsPath(), "%v%s selects the peers, too, and would send them its traffic; choose labels that its selector does not match",
			service, inFileOf(service.Object))
	}
}

// labelsPath is the field of the labels of the Pods.
func (e peers) labelsPath() string {
	return e.Group.TemplatePath().Child("metadata", "labels").String()
}

func (e peers) warn(report *results.Report, path, format string, args ...any) {
	w := diag.Warning{Field: path, Message: fmt.Sprintf(format, args...)}
	if !e.said[w] {
		e.said[w] = true
		report.AddWarnings(e.Source, []diag.Warning{w})
	}
}

// inFileOf returns the file of a neighbor, if it is known.
func inFileOf(o *krmlist.Object) string {
	if o.ShownFile == "" {
		return ""
	}
	return " in " + o.ShownFile
}
