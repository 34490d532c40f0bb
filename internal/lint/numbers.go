// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"path"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// keptNumber matches a number that kustomize writes as it reads it.
var keptNumber = lazyregexp.New(`^(?:0|-?[1-9]\d{0,14}|-?(?:0|[1-9]\d{0,5})\.\d{0,9}[1-9])$`)

// checkNumbers finds numbers in the values of the PeerJobs that a layer lists, and of its
// patches of them, to which kustomize gives another form before any function reads them:
// "1.10" is 1.1 then.
func (l *linter) checkNumbers(layer *layer, k *kustomizations) {
	for _, resource := range layer.resources {
		for _, d := range k.byFile[path.Join(layer.dir, resource)] {
			if !d.is(v1alpha1.Group, v1alpha1.Kind) {
				continue
			}
			for _, number := range numbersIn(yamlnode.Get(yamlnode.Get(d.root(), "spec"), "values"), nil) {
				l.add(d, changedNumber("spec.values", number), number, "", edit{})
			}
		}
	}
	for _, patch := range layer.patches {
		if patch.kind != v1alpha1.Kind || patch.body == nil || patch.body.Kind != yaml.MappingNode {
			continue
		}
		for _, number := range numbersIn(yamlnode.Get(yamlnode.Get(patch.body, "spec"), "values"), nil) {
			l.add(layer.doc, changedNumber("patches", number), patch.at, "", edit{})
		}
	}
}

func changedNumber(in string, number *yaml.Node) Finding {
	return Finding{ID: changedByKustomize, Severity: Warning, Field: in, Message: fmt.Sprintf(
		"%s gets another form from kustomize, before peerjob reads it, as 1.10 becomes 1.1; write %q, in quotes, or put the values into a file for a configMapGenerator", number.Value, number.Value)}
}

// numbersIn collects the numbers below a node whose form kustomize does not keep.
func numbersIn(node *yaml.Node, found []*yaml.Node) []*yaml.Node {
	if node == nil || node.Kind == yaml.AliasNode || len(found) > mostNumbers {
		return found
	}
	if tag := node.ShortTag(); node.Kind == yaml.ScalarNode {
		if (tag == "!!int" || tag == "!!float") && !keptNumber.MatchString(node.Value) {
			found = append(found, node)
		}
		return found
	}
	for i, inner := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 {
			continue // a key
		}
		found = numbersIn(inner, found)
	}
	return found
}

// mostNumbers is how many numbers of one PeerJob are named.
const mostNumbers = 9
