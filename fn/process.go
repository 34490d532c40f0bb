// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/fn/admission"
	"github.com/peerjob/peerjob/fn/expand"
	"github.com/peerjob/peerjob/fn/manifest"
	"github.com/peerjob/peerjob/fn/v1alpha1"
)

// expansion is one PeerJob and the objects that it stands for.
type expansion struct {
	// source is the PeerJob as it was read. Its node is changed only after every
	// check has passed.
	source *object
	// inList says that source is an item; a functionConfig is none.
	inList bool
	pj     *v1alpha1.PeerJob
	// children are the Service and the Job, in this order: a lookup before the
	// Service exists is cached as a failure for up to 30 seconds.
	children []*object
}

// process runs the function on a list of objects: it returns the list with
// every PeerJob expanded, or the very same list when anything is wrong.
func process(objects []*object, functionConfig *yaml.Node, report *results) []*object {
	findPackages(objects)
	expansions, config := findPeerJobs(objects, functionConfig, report)
	refuseSelectors(objects, report)
	refuseLossyMode(objects, config, report)
	refuseSharedMetadata(expansions, objects, report)
	for _, e := range expansions {
		errs, warnings := e.expand(config.defaults)
		report.addErrors(e.source, errs)
		report.addWarnings(e.source, warnings)
	}
	refuseConflicts(expansions, objects, report)
	if report.failed() {
		return objects
	}
	warnOfNeighbors(expansions, objects, report)
	switch config.mode {
	case modeValidate:
		return objects
	case modeKustomizeValidator:
		return nil
	}
	return merge(objects, expansions, config, report)
}

// findPeerJobs finds what is to be expanded: every PeerJob among the objects,
// and the functionConfig if it is one and not among them. kustomize passes a
// generator its own configuration as an item, and a configPath of kpt is in
// both places, too: each must be expanded once.
func findPeerJobs(objects []*object, functionConfig *yaml.Node, report *results) ([]*expansion, config) {
	var expansions []*expansion
	for _, o := range objects {
		switch {
		case o.isPeerJob():
			expansions = append(expansions, &expansion{source: o, inList: true})
		case o.group() == v1alpha1.Group:
			report.addErrors(o, field.ErrorList{field.NotSupported(field.NewPath("kind"), o.kind, []string{v1alpha1.Kind})})
		case strings.HasSuffix(o.kind, "List"):
			refuseHidden(o, report)
		}
	}
	var configObject *object
	if functionConfig != nil {
		configObject = newObject(functionConfig)
	}
	if configObject == nil || !configObject.isPeerJob() {
		c, errs := readConfig(configObject)
		report.addErrors(configObject, errs)
		return expansions, c
	}
	same := slices.IndexFunc(expansions, func(e *expansion) bool {
		return e.source.name == configObject.name && e.source.namespace == configObject.namespace
	})
	switch {
	case same < 0:
		expansions = append(expansions, &expansion{source: configObject})
	case !sameObject(expansions[same].source.node, configObject.node):
		report.errorf(configObject, "differs from the PeerJob of the same name in %s; keep one of them, or give them different names",
			whereOf(expansions[same].source))
	}
	return expansions, config{mode: modeExpand}
}

// sameObject reports whether two nodes are copies of one object: the same but
// for the annotations of orchestrators. One that can't be read is left to
// Decode, which says why.
func sameObject(a, b *yaml.Node) bool {
	var left, right map[string]any
	if a.Decode(&left) != nil || b.Decode(&right) != nil {
		return true
	}
	for _, o := range []map[string]any{left, right} {
		metadata, _ := o["metadata"].(map[string]any)
		annotations, _ := metadata["annotations"].(map[string]any)
		maps.DeleteFunc(annotations, func(key string, _ any) bool { return isForeignKey(key) })
		if len(annotations) == 0 {
			delete(metadata, "annotations")
		}
	}
	return reflect.DeepEqual(left, right)
}

// refuseHidden refuses a list with a PeerJob in it: kustomize and kpt would
// lose the list, and nothing would be expanded.
func refuseHidden(list *object, report *results) {
	items := resolve(get(list.node, "items"))
	if items == nil || items.Kind != yaml.SequenceNode {
		return
	}
	for i, item := range items.Content {
		if inner := newObject(item); inner.isPeerJob() {
			report.addErrors(list, field.ErrorList{field.Forbidden(field.NewPath("items").Index(i), fmt.Sprintf(
				"a PeerJob in a list is not expanded; write %q as a document of its own", inner.name))})
		}
	}
}

// refuseSharedMetadata refuses a PeerJob whose annotations are, through a YAML
// anchor, those of another object too: the mark that keeps the PeerJob out of
// the cluster would keep the other one out, and nobody would be told.
func refuseSharedMetadata(expansions []*expansion, objects []*object, report *results) {
	for _, e := range expansions {
		metadata := get(e.source.node, "metadata")
		for _, node := range []*yaml.Node{metadata, get(metadata, "annotations")} {
			if node == nil || node.Anchor == "" {
				continue
			}
			for _, o := range objects {
				if o != e.source && refersTo(o.node, node) {
					report.errorf(e.source, "%v uses its metadata through the YAML anchor &%s; write it out in both", o, node.Anchor)
				}
			}
		}
	}
}

// refersTo reports whether an alias below node stands for target.
func refersTo(node, target *yaml.Node) bool {
	if node.Kind == yaml.AliasNode {
		return node.Alias == target
	}
	return slices.ContainsFunc(node.Content, func(child *yaml.Node) bool { return refersTo(child, target) })
}

// refuseLossyMode refuses the mode which writes no items to anyone but
// kustomize: the others would delete what is missing.
func refuseLossyMode(objects []*object, c config, report *results) {
	byKustomize := func(o *object) bool { _, found := o.annotations[kustomizeIDAnnotation]; return found }
	if c.mode == modeKustomizeValidator && !slices.ContainsFunc(objects, byKustomize) {
		report.errorf(nil, "mode %s is for the validators: of kustomize alone, because it writes no objects; set mode to %s", c.mode, modeValidate)
	}
}

// selectorSuffix ends the annotation which kpt puts on the items of a
// function with selectors, in all versions of kpt.
const selectorSuffix = "/kpt-resource-id"

// refuseSelectors refuses a kpt function with selectors: it does not see what
// it made before, and would make it once more on every render.
func refuseSelectors(objects []*object, report *results) {
	for _, o := range objects {
		for key := range o.annotations {
			if strings.HasSuffix(key, selectorSuffix) {
				report.errorf(nil, "the function was run with selectors, which hide the objects it made before, so that each render would add them again; remove selectors and exclude from the function in the Kptfile")
				return
			}
		}
	}
}

// expand checks the PeerJob and makes its children. Every check runs, whatever
// the one before found, so that a user sees all errors at once. Warnings are
// for a PeerJob without errors.
func (e *expansion) expand(defaults v1alpha1.Settings) (field.ErrorList, []v1alpha1.Warning) {
	if e.source.apiVersion != v1alpha1.APIVersion {
		return field.ErrorList{field.NotSupported(field.NewPath("apiVersion"), e.source.apiVersion, []string{v1alpha1.APIVersion})}, nil
	}
	pj, errs := v1alpha1.Decode(e.source.node)
	e.pj = pj
	v1alpha1.Default(pj, defaults)
	errs = v1alpha1.AppendErrors(errs, v1alpha1.Validate(pj))
	service, job := expand.PeerJob(pj)
	refused, warnings := admission.Admit(pj, service, job)
	errs = v1alpha1.AppendErrors(errs, refused)
	tooNew, dropped := admission.CheckVersion(pj)
	errs = v1alpha1.AppendErrors(errs, tooNew)
	if len(errs) > 0 {
		return v1alpha1.SortErrors(errs), nil
	}
	for _, child := range []any{service, job} {
		node, err := manifest.Encode(child)
		if err != nil {
			return field.ErrorList{field.InternalError(field.NewPath("spec"), err)}, nil
		}
		e.children = append(e.children, e.newChild(node))
	}
	return nil, v1alpha1.SortWarnings(slices.Concat(v1alpha1.Warn(pj), warnings, dropped))
}

// newChild is an object that the PeerJob stands for, in the PeerJob's package.
func (e *expansion) newChild(node *yaml.Node) *object {
	child := newObject(node)
	child.pkg = e.source.pkg
	return child
}

// refuseConflicts refuses what can't be side by side in one cluster, or could
// not be told apart on the next run.
func refuseConflicts(expansions []*expansion, objects []*object, report *results) {
	taken := map[identity]*object{}
	for _, o := range objects {
		if !o.isOwned() && !o.isPeerJob() {
			taken[o.identity()] = o
		}
	}
	peerJobs := map[identity]*object{}
	makers := map[identity]*expansion{}
	for _, e := range expansions {
		if e.source.name == "" {
			continue
		}
		if other, found := peerJobs[e.source.identity()]; found {
			report.addErrors(e.source, field.ErrorList{duplicate("metadata.name", e.source.name,
				fmt.Sprintf("%s has a PeerJob of this name too; rename one of them", whereOf(other)))})
			continue
		}
		peerJobs[e.source.identity()] = e.source
		for _, child := range e.children {
			path := "metadata.name"
			if child.kind == "Service" && e.pj.Spec.Service.Name != "" {
				path = "spec.service.name"
			}
			if maker, found := makers[child.identity()]; found {
				report.addErrors(e.source, field.ErrorList{duplicate(path, child.name,
					fmt.Sprintf("%v makes a %v of this name too; give each its own spec.service.name", maker.source, child.kind))})
				continue
			}
			makers[child.identity()] = e
			if other, found := taken[child.identity()]; found {
				report.addErrors(e.source, field.ErrorList{duplicate(path, child.name, fmt.Sprintf(
					"%s has a %s of this name which peerjob did not make, and it is never overwritten; remove it, or rename the PeerJob%s",
					whereOf(other), child.kind, orServiceName(child.kind)))})
			}
		}
	}
}

func orServiceName(kind string) string {
	if kind == "Service" {
		return " or set spec.service.name"
	}
	return ""
}

func duplicate(path, value, detail string) *field.Error {
	return &field.Error{Type: field.ErrorTypeDuplicate, Field: path, BadValue: value, Detail: detail}
}

// whereOf says where an object stands, for a message about another one.
func whereOf(o *object) string {
	if o.file != "" {
		return o.file
	}
	return "the list"
}
