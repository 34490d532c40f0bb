// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"path"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// merge puts what the PeerJobs stand for into the list:
//
//   - a child that is there already is replaced where it stands, and keeps its
//     bytes when nothing changed;
//   - a new child comes behind its PeerJob, or behind the child before it;
//   - what a PeerJob made before and no longer makes is removed;
//   - everything else stays as it is.
func merge(objects []*object, expansions []*expansion, c config, report *results) []*object {
	wanted := map[identity]*object{}
	for _, e := range expansions {
		for _, child := range e.children {
			wanted[child.identity()] = child
		}
	}
	placed := map[identity]*object{}
	kept := make([]*object, 0, len(objects)+2*len(expansions))
	for _, o := range objects {
		child, found := wanted[o.identity()]
		switch {
		case !o.isOwned():
			kept = append(kept, o)
		case found && placed[o.identity()] == nil:
			o = update(o, child, report)
			placed[o.identity()] = o
			kept = append(kept, o)
		case found:
			report.infof(o, "removed: it is there twice, and the first one is kept")
		case keepOrphan(o, expansions, c, report):
			kept = append(kept, o)
		}
	}
	places := takenPlaces(kept)
	// A new child comes behind the one before it, so that they stay in the order
	// in which they are applied.
	followers := map[*object][]*object{}
	for _, e := range expansions {
		behind := e.source
		for _, child := range e.children {
			if there := placed[child.identity()]; there != nil {
				behind = there
				continue
			}
			places.give(child, e.source)
			followers[behind] = append(followers[behind], child)
		}
	}
	out := make([]*object, 0, cap(kept))
	for _, o := range kept {
		out = append(out, o)
		out = append(out, followers[o]...)
	}
	for _, e := range expansions {
		if e.inList {
			keepLocal(e.source)
		} else {
			out = append(out, followers[e.source]...)
		}
	}
	return out
}

// keepLocal marks a PeerJob as configuration that stays out of the cluster.
// Every value but "false" counts.
func keepLocal(o *object) {
	if value, found := o.annotations[v1alpha1.LocalConfigAnnotation]; !found || value == "false" {
		o.setAnnotation(v1alpha1.LocalConfigAnnotation, "true")
	}
}

// keepOrphan decides what becomes of an object which peerjob made and which no
// PeerJob in the list makes now. It is removed when its PeerJob is there and
// makes something else; otherwise the PeerJob may just be out of sight.
func keepOrphan(o *object, expansions []*expansion, c config, report *results) bool {
	owner := o.annotations[v1alpha1.OwnerAnnotation]
	for _, e := range expansions {
		if e.madeBefore(o, owner) {
			report.infof(o, "removed: PeerJob %s no longer makes it", e.source.name)
			return false
		}
	}
	if c.prune {
		report.infof(o, "removed: PeerJob %s, which made it, is gone, and prune is set", owner)
		return false
	}
	where := "in the list"
	if o.pkg != "" {
		where = "in its package"
	}
	report.warningf(o, `kept, but PeerJob %s, which made it, is not %s; delete it, or set prune: "true" in the function's ConfigMap`, owner, where)
	return true
}

// madeBefore reports whether an earlier run on this PeerJob made the object.
func (e *expansion) madeBefore(o *object, owner string) bool {
	if !slices.Contains(e.source.names(), owner) || o.pkg != e.source.pkg {
		return false
	}
	return o.namespace == e.source.namespace || o.file != "" && o.file == childFile(e.source)
}

// childFile is the file for the new children of a PeerJob: beside its own.
func childFile(source *object) string {
	if source.file == "" {
		return ""
	}
	return path.Join(path.Dir(source.file), source.name+".peerjob.yaml")
}

// places are the places in files which objects have: in each file of each
// package, the indexes.
type places map[[2]string]map[int]bool

func takenPlaces(objects []*object) places {
	taken := places{}
	for _, o := range objects {
		taken.take(o.annotations[packagePathAnnotation], o.file, o.index)
	}
	return taken
}

func (p places) take(pkg, file string, index int) {
	key := [2]string{pkg, file}
	if p[key] == nil {
		p[key] = map[int]bool{}
	}
	p[key][index] = true
}

// give places a new child in a file, when its PeerJob has come from one: an
// orchestrator that writes files would put it somewhere else otherwise, or
// refuse two objects with one place.
func (p places) give(child, source *object) {
	packagePath, inPackage := source.annotations[packagePathAnnotation]
	child.file = childFile(source)
	if child.file == "" || source.annotations[pathAnnotation]+source.annotations[legacyPathAnnotation] == "" {
		return
	}
	for p[[2]string{packagePath, child.file}][child.index] {
		child.index++
	}
	p.take(packagePath, child.file, child.index)
	index := strconv.Itoa(child.index)
	child.setAnnotation(legacyIndexAnnotation, index)
	child.setAnnotation(legacyPathAnnotation, child.file)
	child.setAnnotation(indexAnnotation, index)
	child.setAnnotation(pathAnnotation, child.file)
	if inPackage {
		child.setAnnotation(packagePathAnnotation, packagePath)
	}
}

// update returns the existing object when it says what the child says, and
// else the child, in the existing object's place and with its comments where
// nothing changed.
func update(existing, child *object, report *results) *object {
	eachEntry(yamlnode.Get(yamlnode.Get(existing.node(), "metadata"), "annotations"), func(key string, _ *yaml.Node) {
		if isForeignKey(key) {
			child.setAnnotation(key, existing.annotations[key])
		}
	})
	if equal(existing.node(), child.node()) {
		return existing
	}
	warnOfImmutable(existing, child, report)
	child.tree, child.item = kept(existing.node(), child.node()), existing.item
	child.pkg, child.file, child.index, child.annotations = existing.pkg, existing.file, existing.index, existing.annotations
	return child
}

// isForeignKey reports whether an annotation belongs to an orchestrator.
func isForeignKey(key string) bool {
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

// keepUnchanged puts the nodes of old into next wherever both say the same,
// and the comments of old on what has changed.
func keepUnchanged(old, next *yaml.Node) {
	switch {
	case old.Kind == yaml.MappingNode && next.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(next.Content); i += 2 {
			for j := 0; j+1 < len(old.Content); j += 2 {
				if old.Content[j].Value == next.Content[i].Value {
					next.Content[i] = old.Content[j]
					next.Content[i+1] = kept(old.Content[j+1], next.Content[i+1])
					break
				}
			}
		}
	case old.Kind == yaml.SequenceNode && next.Kind == yaml.SequenceNode:
		for i, item := range next.Content {
			if before := counterpart(old, item, i); before != nil {
				next.Content[i] = kept(before, item)
			}
		}
	}
}

// kept returns old when it says what next says, and else next with what it has
// in common with old.
func kept(old, next *yaml.Node) *yaml.Node {
	if old.Kind == yaml.AliasNode {
		return next
	}
	if equal(old, next) {
		return old
	}
	next.HeadComment, next.LineComment, next.FootComment = old.HeadComment, old.LineComment, old.FootComment
	keepUnchanged(old, next)
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
