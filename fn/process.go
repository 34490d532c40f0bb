// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/parallel"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// process runs the function on a list of objects: it returns the list with
// every PeerJob expanded, or the very same list when anything is wrong, and
// what it found to expand.
//
// The overrides are values for templates, over those of every PeerJob.
func process(objects []*object, functionConfig *yaml.Node, options Options, overrides map[string]any, report *results) ([]*object, []*expansion) {
	findPackages(objects)
	nameFiles(objects)
	expansions, config := findPeerJobs(objects, functionConfig, report)
	config.defaults.BarrierImage = cmp.Or(config.defaults.BarrierImage, options.BarrierImage)
	refuseSelectors(objects, report)
	refuseLossyMode(objects, config, report)
	sources := newValueSources(objects, overrides)
	verdicts := make([]verdict, len(expansions))
	parallel.For(len(expansions), sharedExpansions, func(i int) {
		verdicts[i].errs, verdicts[i].warnings = expansions[i].expand(config.defaults, sources)
	})
	for i, v := range verdicts {
		report.addErrors(expansions[i].source, v.errs)
		report.addWarnings(expansions[i].source, v.warnings)
	}
	refuseConflicts(expansions, objects, report)
	if report.failed() {
		return objects, expansions
	}
	warnOfNeighbors(expansions, objects, report)
	switch config.mode {
	case modeValidate:
		return objects, expansions
	case modeKustomizeValidator:
		return nil, expansions
	}
	warnOfOverrides(expansions, overrides, report)
	return merge(objects, expansions, config, report), expansions
}

// verdict is what was found in one PeerJob.
type verdict struct {
	errs     field.ErrorList
	warnings []diag.Warning
}

// sharedExpansions is how many PeerJobs a core takes at a time.
const sharedExpansions = 8

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
		case o.kind == v1alpha1.Kind && (o.group() == "" || strings.Contains(o.group(), "peerjob")):
			report.addErrors(o, field.ErrorList{field.NotSupported(field.NewPath("apiVersion"), o.apiVersion, []string{v1alpha1.APIVersion})})
		case strings.HasSuffix(o.kind, "List"):
			refuseHidden(o, o.node(), field.NewPath("items"), report)
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
	var namesakes []*expansion
	for _, e := range expansions {
		if e.source.name == configObject.name && e.source.namespace == configObject.namespace {
			namesakes = append(namesakes, e)
		}
	}
	switch {
	case len(namesakes) == 0:
		expansions = append(expansions, &expansion{source: configObject})
	case !slices.ContainsFunc(namesakes, func(e *expansion) bool { return sameObject(e.source.node(), configObject.node()) }):
		report.errorf(configObject, "differs from the PeerJob of the same name in %s; keep one of them, or give them different names",
			whereOf(namesakes[0].source))
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
func refuseHidden(list *object, node *yaml.Node, path *field.Path, report *results) {
	items := yamlnode.Resolve(yamlnode.Get(node, "items"))
	if items == nil || items.Kind != yaml.SequenceNode {
		return
	}
	for i, item := range items.Content {
		inner := newObject(item)
		if inner.isPeerJob() {
			report.addErrors(list, field.ErrorList{field.Forbidden(path.Index(i), fmt.Sprintf(
				"a PeerJob in a list is not expanded; write %q as a document of its own", inner.name))})
		} else if item.Kind != yaml.AliasNode && strings.HasSuffix(inner.kind, "List") {
			refuseHidden(list, item, path.Index(i).Child("items"), report)
		}
	}
}

// refuseLossyMode refuses the mode which writes no items to anyone but
// kustomize: the others would delete what is missing.
func refuseLossyMode(objects []*object, c config, report *results) {
	if c.mode == modeKustomizeValidator && !slices.ContainsFunc(objects, (*object).inKustomize) {
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

// refuseConflicts refuses what can't be side by side in one cluster, or could
// not be told apart on the next run.
func refuseConflicts(expansions []*expansion, objects []*object, report *results) {
	taken := map[identity]*object{}
	for _, o := range objects {
		if !o.isOwned() {
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
			kind, _ := kinds.Of(child.apiVersion, child.kind)
			path := kind.NamePath(e.group.PeerJob)
			if maker, found := makers[child.identity()]; found {
				report.addErrors(e.source, field.ErrorList{duplicate(path, child.name,
					fmt.Sprintf("%v makes a %v of this name too; give each its own spec.service.name", maker.source, child.kind))})
				continue
			}
			makers[child.identity()] = e
			if other, found := taken[child.identity()]; found {
				report.addErrors(e.source, field.ErrorList{duplicate(path, child.name, fmt.Sprintf(
					"%s has a %s of this name which peerjob did not make, and it is never overwritten; remove it, or rename the PeerJob%s",
					whereOf(other), child.kind, orNameField(kind)))})
			}
		}
	}
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

// whereOf says where an object stands, for a message about another one.
func whereOf(o *object) string {
	if o.shownFile != "" {
		return o.shownFile
	}
	return "the list"
}
