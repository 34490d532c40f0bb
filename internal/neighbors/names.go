// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/rules"
)

// names are the names of the peers, and those that they had in inner layers of
// kustomize or without the hash.
func (e peers) names() rules.PeerNames {
	names := rules.PeerNames{
		Job: e.Group.JobName, Service: e.Group.ServiceName(), Peers: e.Group.Peers(),
		EarlierJobs: e.jobNames(e.Group), EarlierServices: e.Source.Names(), Namespace: e.Source.Namespace,
		Groups: append([]string{e.Group.PeerJob.Name}, e.Source.Names()...),
	}
	if e.Group.HasRoles() {
		names.NameVariable, _, names.LeaderVariable = v1alpha1.RoleEnvNames(e.Group.RoleName())
		for _, sibling := range e.Group.All() {
			if sibling != e.Group {
				names.Siblings = append(append(names.Siblings, sibling.JobName), e.jobNames(sibling)...)
			}
		}
	}
	if own := e.Group.PeerJob.Spec.Service.Name; own != "" {
		names.EarlierServices = []string{own}
		// The Component gives it the same prefixes and suffixes as the PeerJob.
		prefixes, suffixes := e.Source.Layers()
		for i := max(len(prefixes), len(suffixes)) - 1; i >= 0; i-- {
			if i < len(prefixes) {
				own = strings.TrimPrefix(own, prefixes[i])
			}
			if i < len(suffixes) {
				own = strings.TrimSuffix(own, suffixes[i])
			}
			names.EarlierServices = append(names.EarlierServices, own)
		}
	}
	return names
}

// jobNames are the names that the Job of a role had, or has, without the hash.
func (e peers) jobNames(role *peerjob.Group) []string {
	if !role.HasRoles() {
		return e.Source.Names()
	}
	var names []string
	for _, name := range e.Source.Names() {
		names = append(names, name+"-"+role.RoleName())
	}
	return names
}

// warnOfNames finds names of peers, in the strings of the PeerJob and of other objects,
// that lead to none: those of an inner layer, and those of peers that are not there.
func (e peers) warnOfNames(near *neighbors, report *results.Report) {
	names := e.names()
	names.IsOther = func(service string) bool { return e.isOtherService(service, near) }
	names.IsWorkload = func(name string) bool { return e.isOtherWorkload(name, near) }
	report.AddWarnings(e.Source, rules.PeerNamesIn(e.Group.Template(), names, e.Group.HasPeerEnv(), e.Group.TemplatePath()))
	for _, sibling := range e.roles() {
		if sibling.Group != e.Group {
			of := sibling.names()
			of.IsOther, of.IsWorkload, of.Sibling = names.IsOther, names.IsWorkload, true
			report.AddWarnings(e.Source, rules.PeerNamesIn(e.Group.Template(), of, e.Group.HasPeerEnv(), e.Group.TemplatePath()))
			report.AddWarnings(e.Source, rules.SelfSelectors(e.Group.Template(), of, func(job string) bool { return e.isOtherJob(job, near) }, e.Group.TemplatePath()))
		}
	}
	report.AddWarnings(e.Source, rules.SelfSelectors(e.Group.Template(), names, func(job string) bool { return e.isOtherJob(job, near) }, e.Group.TemplatePath()))
	report.AddWarnings(e.Source, diag.Few(e.namesElsewhere(names)))
	e.warnOfTexts(names, near, report)
}

// namesElsewhere finds such names in the texts of a PeerJob that are outside of the Pod
// template.
func (e peers) namesElsewhere(names rules.PeerNames) (w []diag.Warning) {
	for i, file := range e.Group.PeerJob.Spec.Files {
		w = append(w, names.In(rules.Text{Value: file.Content, Script: true}.At(peerjob.FilesPath.Index(i).Child("content")), func(stale rules.StaleName) string {
			if stale.Missing {
				return names.Cure(stale, false)
			}
			return "; write a template, such as {{ .Service }}, {{ .Leader }} or {{ (index .Peers 1).Host }}"
		})...)
	}
	framework := e.Group.PeerJob.Spec.Framework
	if framework == nil || framework.Leader == nil {
		return w
	}
	leader := &corev1.Container{Command: framework.Leader.Command, Args: framework.Leader.Args}
	for _, text := range rules.Texts(leader, field.NewPath("spec", "framework", "leader")) {
		w = append(w, names.In(text, func(stale rules.StaleName) string { return names.Cure(stale, e.Group.HasPeerEnv()) })...)
	}
	return w
}

// inOtherVariant reports whether kustomize made two objects in different variants of one
// base: their layers agree from the outermost on, and then have other prefixes or
// suffixes. An object of an outer layer has fewer of them.
func inOtherVariant(a, b *krmlist.Object) bool {
	differ := func(a, b []string) bool {
		n := min(len(a), len(b))
		return !slices.Equal(a[len(a)-n:], b[len(b)-n:])
	}
	prefixes, suffixes := a.Layers()
	otherPrefixes, otherSuffixes := b.Layers()
	return differ(prefixes, otherPrefixes) || differ(suffixes, otherSuffixes)
}

// isOtherService reports whether another Service of this neighborhood has a name: a host
// name under it is not for peerjob to judge.
func (e peers) isOtherService(name string, near *neighbors) bool {
	return isOther(near.serviceNames[name], name == e.Group.ServiceName())
}

// isOtherJob reports whether another Job of this neighborhood has a name.
func (e peers) isOtherJob(name string, near *neighbors) bool {
	return isOther(near.jobNames[name], name == e.Group.JobName)
}

// isOtherWorkload reports whether something else of this neighborhood has Pods of a name.
func (e peers) isOtherWorkload(name string, near *neighbors) bool {
	return e.isOtherJob(name, near) || slices.ContainsFunc(near.workloads, func(o *krmlist.Object) bool { return o.Kind != "Job" && o.Name == name })
}

// isOther reports whether objects of a name are more than the PeerJob's own.
func isOther(objects int, own bool) bool { return objects > 1 || objects == 1 && !own }
