// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/results"
)

// refuseLossyMode refuses the mode that writes no items, unless kustomize runs the
// function: kpt would delete the missing items.
func refuseLossyMode(objects []*krmlist.Object, s settings, report *results.Report) {
	if s.mode == modeKustomizeValidator && !slices.ContainsFunc(objects, (*krmlist.Object).InKustomize) {
		report.Errorf(nil, "mode %s is for the validators: of kustomize alone, because it writes no objects; set mode to %s", s.mode, modeValidate)
	}
}

// selectorSuffix ends the annotation that every version of kpt puts on the items of a
// function with selectors.
const selectorSuffix = "/kpt-resource-id"

// refuseSelectors refuses a kpt function with selectors: it does not see what
// it made before, and would make it once more on every render.
func refuseSelectors(objects []*krmlist.Object, report *results.Report) {
	for _, o := range objects {
		for key := range o.Annotations {
			if strings.HasSuffix(key, selectorSuffix) {
				report.Errorf(nil, "the function was run with selectors, which hide the objects it made before, so that each render would add them again; remove selectors and exclude from the function in the Kptfile")
				return
			}
		}
	}
}

// refuseConflicts refuses what can't be side by side in one cluster, or could
// not be told apart on the next run.
func refuseConflicts(expansions []*expansion.Expansion, objects []*krmlist.Object, report *results.Report) {
	identityOf := (*krmlist.Object).Identity
	if slices.ContainsFunc(objects, (*krmlist.Object).InKustomize) {
		identityOf = (*krmlist.Object).DefaultIdentity
	}
	taken := map[krmlist.Identity]*krmlist.Object{}
	for _, o := range objects {
		if isLikeMade(o) {
			taken[identityOf(o)] = o
		}
	}
	peerJobs := map[krmlist.Identity]*krmlist.Object{}
	makers := map[krmlist.Identity]*expansion.Expansion{}
	for _, e := range expansions {
		if e.Source.Name == "" {
			continue
		}
		if other, found := peerJobs[identityOf(e.Source)]; found {
			report.AddErrors(e.Source, field.ErrorList{duplicate("metadata.name", e.Source.Name,
				fmt.Sprintf("%s has a PeerJob of this name too; rename one of them", whereOf(other)))})
			continue
		}
		peerJobs[identityOf(e.Source)] = e.Source
		for _, child := range e.Children {
			kind, _ := kinds.Of(child.APIVersion, child.Kind)
			refuse := func(format string, args ...any) {
				path := kind.NamePath(e.Group().PeerJob)
				report.AddErrors(e.Source, field.ErrorList{duplicate(path, child.Name, fmt.Sprintf(format, args...))})
			}
			if maker, found := makers[identityOf(child)]; found {
				if maker == e {
					continue // two roles of one name, which is an error already
				}
				cure := "rename one of them"
				switch {
				case kind.NameField != "":
					cure = "give each its own " + kind.NameField
				case e.Group().HasRoles() || maker.Group().HasRoles():
					cure = "rename one of them, or the role: the Job of a role is <metadata.name>-<role>"
				}
				refuse("%v makes a %v of this name too; %s", maker.Source, child.Kind, cure)
				continue
			}
			makers[identityOf(child)] = e
			if other, found := taken[identityOf(child)]; found {
				refuse("%s has a %s of this name that peerjob did not make, and peerjob never overwrites it; remove it, or rename the PeerJob%s",
					whereOf(other), child.Kind, orNameField(kind))
			}
		}
	}
}

// isLikeMade reports whether an object is of a kind that peerjob makes, and peerjob did not
// make it. Only such an object can be in the way of one that peerjob makes, and most are not.
func isLikeMade(o *krmlist.Object) bool {
	_, known := kinds.Of(o.APIVersion, o.Kind)
	return known && !kinds.IsOwned(o.APIVersion, o.Kind, o.Annotations)
}

// warnOfNamespaces finds two objects with one name, one of which has no namespace and one
// the namespace default: in most clusters they are the same. They are two PeerJobs, or an
// object that a PeerJob becomes and another one.
func warnOfNamespaces(expansions []*expansion.Expansion, objects []*krmlist.Object, report *results.Report) {
	inDefault := map[krmlist.Identity]*krmlist.Object{}
	for _, e := range expansions {
		if e.Source.Namespace == "default" {
			inDefault[e.Source.Identity()] = e.Source
		}
	}
	made := map[krmlist.Identity]child{}
	for _, e := range expansions {
		if other, found := inDefault[e.Source.DefaultIdentity()]; found && e.Source.Namespace == "" {
			report.AddWarnings(e.Source, []diag.Warning{diag.Warn(namespacePath,
				"%v has this name too, and without a namespace kubectl may apply both to default, where the second replaces the first; write the namespace", other)})
			continue // so are the objects of both
		}
		for _, o := range e.Children {
			if o.Namespace != "" && o.Namespace != "default" {
				continue
			}
			if other, found := made[o.DefaultIdentity()]; found {
				other.warnOfSame(o, report)
			}
			made[o.DefaultIdentity()] = child{o, e}
		}
	}
	for _, o := range objects {
		if !isLikeMade(o) {
			continue
		}
		if c, found := made[o.DefaultIdentity()]; found {
			c.warnOfSame(o, report)
		}
	}
}

// child is an object that a PeerJob becomes.
type child struct {
	*krmlist.Object
	of *expansion.Expansion
}

// namespacePath is the namespace of any object.
var namespacePath = field.NewPath("metadata", "namespace")

// warnOfSame warns of another object that is the same as a child in the namespace default,
// and has another namespace.
func (c child) warnOfSame(other *krmlist.Object, report *results.Report) {
	if other.Namespace == c.Namespace {
		return
	}
	report.AddWarnings(c.of.Source, []diag.Warning{diag.Warn(namespacePath,
		"becomes the %v, and %v%s is the same object where kubectl's namespace is default: the second replaces the first; write the namespace of both, or rename one of them", c, other, inFile(other))})
}

// inFile is the file of an object, for a message about another one, if it is known.
func inFile(o *krmlist.Object) string {
	if o.ShownFile == "" {
		return ""
	}
	return " in " + o.ShownFile
}

func orNameField(kind kinds.Kind) string {
	if kind.NameField == "" {
		return ""
	}
	return " or set " + kind.NameField
}

func duplicate(path, value, detail string) *field.Error {
	return &field.Error{Type: field.ErrorTypeDuplicate, Field: path, BadValue: value, Detail: detail}
}

// whereOf returns where an object is, for a message about another one.
func whereOf(o *krmlist.Object) string {
	if o.ShownFile != "" {
		return o.ShownFile
	}
	return "the list"
}
