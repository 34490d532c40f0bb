// SPDX-License-Identifier: Apache-2.0

// Package merge answers: where in the list does each object of a PeerJob go, and
// what becomes of those that were made before?
//
// # Rules
//
//   - An object that is in the list already is updated where it is. It keeps its
//     file, its index and its comments, and its bytes when nothing has changed.
//   - A new object follows its PeerJob, or the object before it in the order of
//     internal/kinds. On disk it goes to <name>.peerjob.yaml beside its PeerJob.
//   - An object that its PeerJob no longer makes is stale, and is removed.
//   - An object whose PeerJob is not in the list is an orphan. It is removed only
//     with prune, because the PeerJob may be where this run can't see it.
//   - Everything else stays as it is.
//
// # Never
//
// It never changes an object that peerjob did not make, except that it marks
// PeerJobs as local configuration.
package merge

import (
	"path"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// Merge puts the objects of the PeerJobs into the list. With prune, orphans are
// removed.
func Merge(objects []*krmlist.Object, expansions []*expansion.Expansion, prune bool, report *results.Report) []*krmlist.Object {
	wanted := map[krmlist.Identity]*krmlist.Object{}
	makers := map[krmlist.Identity]*expansion.Expansion{}
	for _, e := range expansions {
		for _, child := range e.Children {
			wanted[child.Identity()], makers[child.Identity()] = child, e
		}
	}
	placed := map[krmlist.Identity]*krmlist.Object{}
	remaining := make([]*krmlist.Object, 0, len(objects)+2*len(expansions))
	for _, o := range objects {
		if !kinds.IsOwned(o.APIVersion, o.Kind, o.Annotations) {
			remaining = append(remaining, o)
			continue
		}
		child, found := wanted[o.Identity()]
		switch {
		case found && placed[o.Identity()] == nil:
			warnOfTakeover(o, makers[o.Identity()], report)
			o = update(o, child, report)
			placed[o.Identity()] = o
			remaining = append(remaining, o)
		case found:
			report.Infof(o, "removed: duplicate object; the first one stays")
		case keepOrphan(o, expansions, prune, report):
			remaining = append(remaining, o)
		}
	}
	taken := &positions{objects: remaining}
	// A new child comes behind the one before it, so that they stay in the order
	// in which they are applied.
	followers := map[*krmlist.Object][]*krmlist.Object{}
	for _, e := range expansions {
		behind := e.Source
		for _, child := range e.Children {
			if there := placed[child.Identity()]; there != nil {
				behind = there
				continue
			}
			child.FollowLayers(e.Source)
			taken.give(child, e.Source)
			followers[behind] = append(followers[behind], child)
		}
	}
	out := make([]*krmlist.Object, 0, cap(remaining))
	for _, o := range remaining {
		out = append(out, o)
		out = append(out, followers[o]...)
	}
	for _, e := range expansions {
		if e.InList {
			keepLocal(e.Source)
		} else {
			out = append(out, followers[e.Source]...)
		}
	}
	return out
}

// keepLocal marks a PeerJob as configuration that stays out of the cluster.
// Every value but "false" counts.
func keepLocal(o *krmlist.Object) {
	if value, found := o.Annotations[v1alpha1.LocalConfigAnnotation]; !found || value == "false" {
		o.Annotate(v1alpha1.LocalConfigAnnotation, "true")
	}
}

// warnOfTakeover says when an object that another PeerJob made is overwritten.
func warnOfTakeover(o *krmlist.Object, maker *expansion.Expansion, report *results.Report) {
	if owner := o.Annotations[v1alpha1.OwnerAnnotation]; !slices.Contains(maker.Source.Names(), owner) {
		report.Warningf(o, "overwritten: PeerJob %s made it, and %v makes it now; if both are meant, give one another name", owner, maker.Source)
	}
}

// keepOrphan decides what becomes of an object that peerjob made and that no PeerJob
// in the list makes now. If its PeerJob is in the list, the object is stale and is
// removed. If not, this run may not see the PeerJob.
func keepOrphan(o *krmlist.Object, expansions []*expansion.Expansion, prune bool, report *results.Report) bool {
	owner := o.Annotations[v1alpha1.OwnerAnnotation]
	for _, e := range expansions {
		if madeBefore(e, o, owner) {
			report.Infof(o, "removed: PeerJob %s no longer makes it", e.Source.Name)
			return false
		}
	}
	if prune {
		report.Infof(o, "removed: PeerJob %s, which made it, is gone, and prune is set", owner)
		return false
	}
	where := "in the list"
	if o.Package != "" {
		where = "in its package"
	}
	report.Warningf(o, `kept, but PeerJob %s, which made it, is not %s; delete it, or set prune: "true" in the function's ConfigMap`, owner, where)
	return true
}

// madeBefore reports whether an earlier run on this PeerJob made the object.
func madeBefore(e *expansion.Expansion, o *krmlist.Object, owner string) bool {
	if !slices.Contains(e.Source.Names(), owner) || o.Package != e.Source.Package {
		return false
	}
	return o.Namespace == e.Source.Namespace || o.File != "" && o.File == childFile(e.Source)
}

// childFile is the file for the new children of a PeerJob: beside its own.
func childFile(source *krmlist.Object) string {
	if source.File == "" {
		return ""
	}
	return path.Join(path.Dir(source.File), source.Name+".peerjob.yaml")
}

// file is a file of a kpt package.
type file struct{ packagePath, path string }

// positions are the indexes that objects take in each file.
type positions struct {
	objects []*krmlist.Object
	// taken is nil until a child needs a position.
	taken map[file]map[int]bool
}

// in returns the indexes that are taken in a file.
func (p *positions) in(in file) map[int]bool {
	if p.taken == nil {
		p.taken = map[file]map[int]bool{}
		for _, o := range p.objects {
			p.in(file{o.Annotations[krmlist.PackagePathAnnotation], o.File})[o.Index] = true
		}
	}
	if p.taken[in] == nil {
		p.taken[in] = map[int]bool{}
	}
	return p.taken[in]
}

// give gives a new child a position in a file when its PeerJob came from a file.
// A tool that writes files would choose another file otherwise, or refuse two
// objects in one position.
func (p *positions) give(child, source *krmlist.Object) {
	packagePath, inPackage := source.Annotations[krmlist.PackagePathAnnotation]
	child.File = childFile(source)
	if child.File == "" || source.Annotations[krmlist.PathAnnotation]+source.Annotations[krmlist.LegacyPathAnnotation] == "" {
		return
	}
	taken := p.in(file{packagePath, child.File})
	for taken[child.Index] {
		child.Index++
	}
	taken[child.Index] = true
	index := strconv.Itoa(child.Index)
	child.Annotate(krmlist.LegacyIndexAnnotation, index)
	child.Annotate(krmlist.LegacyPathAnnotation, child.File)
	child.Annotate(krmlist.IndexAnnotation, index)
	child.Annotate(krmlist.PathAnnotation, child.File)
	if inPackage {
		child.Annotate(krmlist.PackagePathAnnotation, packagePath)
	}
}

// update returns the existing object when it says what the child says, and
// else the child, in the existing object's place and with its comments where
// nothing changed.
func update(existing, child *krmlist.Object, report *results.Report) *krmlist.Object {
	yamlnode.EachEntry(yamlnode.Get(yamlnode.Get(existing.Node(), "metadata"), "annotations"), func(key string, _ *yaml.Node) {
		if IsForeignKey(key) {
			child.Annotate(key, existing.Annotations[key])
		}
	})
	if equal(existing.Node(), child.Node()) {
		return existing
	}
	warnOfImmutable(existing, child, report)
	child.Replace(existing, reuse(existing.Node(), child.Node()))
	return child
}

// IsForeignKey reports whether an annotation belongs to kustomize or kpt.
func IsForeignKey(key string) bool {
	return v1alpha1.IsReservedKey(key) && key != v1alpha1.OwnerAnnotation
}

// equal reports whether two nodes say the same, however they are written.
func equal(a, b *yaml.Node) bool {
	a, b = yamlnode.Resolve(a), yamlnode.Resolve(b)
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case yaml.ScalarNode:
		return a.Value == b.Value && a.ShortTag() == b.ShortTag()
	case yaml.SequenceNode:
		return slices.EqualFunc(a.Content, b.Content, equal)
	case yaml.MappingNode:
		if len(a.Content) != len(b.Content) {
			return false
		}
		// A key may stand twice in what a user wrote.
		for i := 0; i+1 < len(a.Content); i += 2 {
			other := yamlnode.Get(b, a.Content[i].Value)
			if other == nil || !equal(a.Content[i+1], other) || yamlnode.Get(a, b.Content[i].Value) == nil {
				return false
			}
		}
	}
	return true
}

// reuseInside puts the nodes of old into next wherever both say the same,
// and the comments of old on what has changed.
func reuseInside(old, next *yaml.Node) {
	switch {
	case old.Kind == yaml.MappingNode && next.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(next.Content); i += 2 {
			for j := 0; j+1 < len(old.Content); j += 2 {
				if old.Content[j].Value == next.Content[i].Value {
					next.Content[i] = old.Content[j]
					next.Content[i+1] = reuse(old.Content[j+1], next.Content[i+1])
					break
				}
			}
		}
	case old.Kind == yaml.SequenceNode && next.Kind == yaml.SequenceNode:
		for i, item := range next.Content {
			if before := counterpart(old, item, i); before != nil {
				next.Content[i] = reuse(before, item)
			}
		}
	}
}

// reuse returns old when it says what next says, and else next with what it has
// in common with old.
func reuse(old, next *yaml.Node) *yaml.Node {
	if old.Kind == yaml.AliasNode {
		return next
	}
	if equal(old, next) {
		return old
	}
	next.HeadComment, next.LineComment, next.FootComment = old.HeadComment, old.LineComment, old.FootComment
	reuseInside(old, next)
	return next
}

// counterpart finds what a list element was before: the one of its name where
// elements have names, else the one in its place.
func counterpart(list, item *yaml.Node, index int) *yaml.Node {
	if name := yamlnode.Text(yamlnode.Get(item, "name")); name != "" {
		for _, other := range list.Content {
			if yamlnode.Text(yamlnode.Get(other, "name")) == name {
				return other
			}
		}
		return nil
	}
	if index < len(list.Content) {
		return list.Content[index]
	}
	return nil
}
