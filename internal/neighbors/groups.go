// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/rules"
	"github.com/peerjob/peerjob/internal/spell"
)

// warnOfGroups finds selectors that are meant for all roles of the PeerJob and select no Pod,
// in other objects and in its own Pod templates.
func (e peers) warnOfGroups(near *neighbors, report *results.Report) {
	if !e.isFirst() {
		return
	}
	for _, n := range near.references {
		if n.Object == e.Source || inOtherVariant(e.Source, n.Object) {
			continue
		}
		var w []diag.Warning
		for _, r := range n.found {
			if r.key == "" || r.key == v1alpha1.GroupLabel && e.renamesIn(n.Kind, r) && slices.ContainsFunc(r.names, e.wasGroup) {
				continue
			}
			w = append(w, e.missing(near, r.path, r.key, r.operator, r.names, e.groupCure(n.Kind, r))...)
		}
		report.AddWarnings(n.Object, diag.Few(w))
	}
	for _, role := range e.roles() {
		var w []diag.Warning
		rules.EachSelector(&role.Group.Template().Spec, role.Group.PodPath(), func(key string, operator metav1.LabelSelectorOperator, values []string, at *field.Path) {
			w = append(w, e.missing(near, at, key, operator, values, e.groupCure("", reference{in: at, key: key}))...)
		})
		report.AddWarnings(e.Source, diag.Few(w))
	}
}

// missing finds values of the labels of a group that no Pod of it has: the name of the Job
// that a PeerJob without roles has, and an earlier or a misspelled name of the group.
func (e peers) missing(near *neighbors, at *field.Path, key string, operator metav1.LabelSelectorOperator, values []string, cure string) (w []diag.Warning) {
	verb, effect := "selects", "it selects none of them"
	switch operator {
	case metav1.LabelSelectorOpIn:
	case metav1.LabelSelectorOpNotIn:
		verb, effect = "leaves out", "it leaves out none of them"
	default:
		return nil
	}
	warn := func(value, what, why, cure string) {
		w = append(w, diag.Warn(at, "%s the Pods of the %s %s, and %s: %s; %s", verb, what, value, why, effect, cure))
	}
	pj, group, hasRoles := e.Group.PeerJob.Name, e.Group.ServiceName(), e.Group.HasRoles()
	for _, value := range values {
		switch {
		case rules.IsJobNameLabel(key):
			if hasRoles && wasNamed(value, "", e.Source.Names()) && !e.isOtherJob(value, near) && !slices.ContainsFunc(e.Group.All(), func(role *peerjob.Group) bool { return role.JobName == value }) {
				warn(value, "Job", "the PeerJob "+pj+" has roles, so "+jobsOf(e.Group), cure)
			}
		case key != v1alpha1.GroupLabel || near.groups[value]:
		case !hasRoles:
			if value == group || wasNamed(value, "", e.Source.Names()) {
				warn(value, "group", "the PeerJob "+pj+" has no roles, so its Pods do not have this label", cure)
			}
		case e.wasGroup(value):
			warn(value, "group", "the group of the PeerJob "+pj+" is "+group+", the name of its Service", cure)
		case spell.Slip(value, []string{group}) != "":
			warn(value, "group", "there is none", fmt.Sprintf("did you mean %q?", group))
		}
	}
	return w
}

// groupCure says how to select the Pods of all roles.
func (e peers) groupCure(kind string, r reference) string {
	label := v1alpha1.GroupLabel + ": " + e.Group.ServiceName()
	if !e.Group.HasRoles() {
		label = v1alpha1.NameLabel + ": " + e.Group.JobName
	}
	switch {
	case e.isHashed(): // another one after the next change
		return "select a label of spec.template.metadata.labels instead"
	case r.key == v1alpha1.GroupLabel && len(e.Source.Names()) > 1 && !e.hasComponent() && e.isRenamable(kind, r):
		return "list peerjob's Component under components:, or write " + label
	}
	return "write " + label
}

// wasGroup reports whether a name was that of the group, or is taken for it.
func (e peers) wasGroup(name string) bool {
	return wasNamed(name, e.Group.ServiceName(), append(e.names().EarlierServices, e.Source.Names()...))
}

// jobsOf says which Jobs a PeerJob with roles has.
func jobsOf(group *peerjob.Group) string {
	var names []string
	for _, role := range group.All() {
		names = append(names, role.JobName)
	}
	if len(names) == 1 {
		return "its Job is " + names[0]
	}
	if len(names) > 4 {
		names = append(names[:3], fmt.Sprintf("%d more", len(names)-3))
	}
	return "its Jobs are " + diag.Listed(names, "and")
}

// wasNamed reports whether a name is one of some earlier names, or one of them with another
// hash than that of today.
func wasNamed(name, today string, earlier []string) bool {
	return name != today && slices.ContainsFunc(earlier, func(one string) bool {
		hash, found := strings.CutPrefix(name, one+"-")
		return name == one || found && peerjob.IsHash(hash)
	})
}
