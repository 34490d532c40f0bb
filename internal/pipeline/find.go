// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/merge"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

func isPeerJob(o *krmlist.Object) bool {
	return o.Group() == v1alpha1.Group && o.Kind == v1alpha1.Kind
}

// findPeerJobs finds what is to be expanded: every PeerJob among the objects,
// and the functionConfig if it is one and not among them. kustomize passes a
// generator its own configuration as an item, and with kpt's configPath the PeerJob
// is in both places, too: each must be expanded once.
func findPeerJobs(objects []*krmlist.Object, functionConfig *krmlist.Object, report *results.Report) ([]*expansion.Expansion, settings) {
	var expansions []*expansion.Expansion
	for _, o := range objects {
		switch {
		case isPeerJob(o):
			expansions = append(expansions, &expansion.Expansion{Source: o, InList: true})
		case o.Ambiguous != "":
			report.Errorf(o, "%s: duplicate key; programs differ in which of the two they read; keep one", o.Ambiguous)
		case o.Group() == v1alpha1.Group:
			report.AddErrors(o, field.ErrorList{field.NotSupported(field.NewPath("kind"), o.Kind, []string{v1alpha1.Kind})})
		case o.Kind == v1alpha1.Kind && (o.Group() == "" || strings.Contains(o.Group(), "peerjob")):
			report.AddErrors(o, field.ErrorList{field.NotSupported(field.NewPath("apiVersion"), o.APIVersion, []string{v1alpha1.APIVersion})})
		case o.Kind == "" && mergesPeerJob(o.Node()):
			report.Errorf(o, `"<<" merges the kind %s, which is read only where it is written; write apiVersion and kind`, v1alpha1.Kind)
		case strings.HasSuffix(o.Kind, "List"):
			refuseHidden(o, o.Node(), field.NewPath("items"), report)
		case o.Kind == "":
			refuseLoose(o, o.Node(), nil, report)
		}
	}
	if functionConfig == nil || !isPeerJob(functionConfig) {
		s, errs := readSettings(functionConfig)
		report.AddErrors(functionConfig, errs)
		return expansions, s
	}
	var namesakes []*expansion.Expansion
	for _, e := range expansions {
		if e.Source.Name == functionConfig.Name && e.Source.Namespace == functionConfig.Namespace {
			namesakes = append(namesakes, e)
		}
	}
	switch {
	case len(namesakes) == 0:
		expansions = append(expansions, &expansion.Expansion{Source: functionConfig})
	case !slices.ContainsFunc(namesakes, func(e *expansion.Expansion) bool { return sameObject(e.Source.Node(), functionConfig.Node()) }):
		report.Errorf(functionConfig, "differs from the PeerJob of the same name in %s; keep one of them, or give them different names",
			whereOf(namesakes[0].Source))
	}
	return expansions, settings{mode: modeExpand}
}

// mergesPeerJob reports whether an object without a kind of its own would have that
// of a PeerJob through "<<".
func mergesPeerJob(node *yaml.Node) bool {
	if yamlnode.MergeKey(node) == nil {
		return false
	}
	value, err := yamlnode.Plain(node)
	object, isMap := value.(map[string]any)
	return err == nil && isMap && object["kind"] == v1alpha1.Kind
}

// sameObject reports whether two nodes are copies of one object: the same but
// for the annotations of kustomize and kpt. One that can't be read is left to
// Decode, which says why.
func sameObject(a, b *yaml.Node) bool {
	var left, right map[string]any
	if a.Decode(&left) != nil || b.Decode(&right) != nil {
		return true
	}
	for _, o := range []map[string]any{left, right} {
		metadata, _ := o["metadata"].(map[string]any)
		annotations, _ := metadata["annotations"].(map[string]any)
		maps.DeleteFunc(annotations, func(key string, _ any) bool { return merge.IsForeignKey(key) })
		if len(annotations) == 0 {
			delete(metadata, "annotations")
		}
	}
	return reflect.DeepEqual(left, right)
}

// refuseHidden refuses a list with a PeerJob in it: kustomize and kpt would
// lose the list, and nothing would be expanded.
func refuseHidden(list *krmlist.Object, node *yaml.Node, path *field.Path, report *results.Report) {
	items := yamlnode.Resolve(yamlnode.Get(node, "items"))
	if items == nil || items.Kind != yaml.SequenceNode {
		return
	}
	for i, item := range items.Content {
		inner := krmlist.NewParsed(item)
		if isPeerJob(inner) {
			report.AddErrors(list, field.ErrorList{field.Forbidden(path.Index(i), inList(inner))})
		} else if item.Kind != yaml.AliasNode && strings.HasSuffix(inner.Kind, "List") {
			refuseHidden(list, item, path.Index(i).Child("items"), report)
		}
	}
}

// inList is what is wrong with a PeerJob in a list of objects.
func inList(o *krmlist.Object) string {
	return fmt.Sprintf("a PeerJob in a list is not expanded; write %q as a document of its own", o.Name)
}

// asStream is how programs that print JSON write each object as a document.
const asStream = "; Jsonnet does that with jsonnet -y, and CUE with yaml.MarshalStream"

// refuseLoose refuses a document that is no object and has PeerJobs in it, in lists and
// in maps: what a program prints that was not told to write a stream. Nothing would be
// expanded.
func refuseLoose(o *krmlist.Object, node *yaml.Node, path *field.Path, report *results.Report) {
	switch node.Kind {
	case yaml.SequenceNode:
		for i, item := range node.Content {
			if inner := peerJobOf(item); inner != nil {
				report.AddErrors(o, field.ErrorList{field.Forbidden(path.Index(i), inList(inner)+asStream)})
			} else {
				refuseLoose(o, item, path.Index(i), report)
			}
		}
	case yaml.MappingNode:
		yamlnode.EachEntry(node, func(key string, value *yaml.Node) {
			at := path.Child(key)
			if strings.ContainsAny(key, ".[]") {
				at = path.Key(key)
			}
			if inner := peerJobOf(value); inner != nil {
				report.AddErrors(o, field.ErrorList{field.Forbidden(at, fmt.Sprintf("a PeerJob in a map is not expanded; write %q as a document of its own", inner.Name)+asStream)})
			} else {
				refuseLoose(o, value, at, report)
			}
		})
	}
}

// peerJobOf returns the PeerJob that a node is, nil if it is none. An alias is none: what
// it stands for is in the document, too.
func peerJobOf(node *yaml.Node) *krmlist.Object {
	if node.Kind != yaml.MappingNode || yamlnode.Text(yamlnode.Get(node, "kind")) != v1alpha1.Kind {
		return nil
	}
	if o := krmlist.NewParsed(node); isPeerJob(o) {
		return o
	}
	return nil
}
