// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// errTooLarge says that a list is too large to be written out.
var errTooLarge = errors.New("its YAML aliases stand for more than can be written out; write the values")

// maxCopies bounds how many nodes aliases may be replaced by in one list.
const maxCopies = 1 << 20

// settleAliases makes every alias of the nodes, group by group in the order in
// which they are written, follow its anchor. One whose anchor is gone, or comes later, is
// replaced by a copy of what it stands for: nothing would read it otherwise.
func settleAliases(groups ...[]*yaml.Node) error {
	s := settler{defined: map[*yaml.Node]bool{}}
	for _, nodes := range groups {
		for i := range nodes {
			nodes[i] = s.settle(nodes[i])
		}
	}
	if s.copies > maxCopies {
		return errTooLarge
	}
	return nil
}

type settler struct {
	// defined are the nodes with an anchor that stand before.
	defined map[*yaml.Node]bool
	copies  int
}

// settle returns the node, or what must stand in its place.
func (s *settler) settle(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		if s.defined[node.Alias] {
			return node
		}
		return s.copy(node.Alias)
	}
	if node.Anchor != "" {
		s.defined[node] = true
	}
	for i := range node.Content {
		node.Content[i] = s.settle(node.Content[i])
	}
	return node
}

// copy returns a copy without anchors and aliases.
func (s *settler) copy(node *yaml.Node) *yaml.Node {
	if s.copies++; s.copies > maxCopies {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	own := *node
	own.Anchor = ""
	own.Content = make([]*yaml.Node, len(node.Content))
	for i, child := range node.Content {
		own.Content[i] = s.copy(child)
	}
	return &own
}

// refuseCycles refuses an anchor that contains an alias of itself: nothing
// which follows aliases would come to an end. The parser lets them through.
func refuseCycles(node *yaml.Node, open map[*yaml.Node]bool) error {
	if node.Kind == yaml.AliasNode && open[node.Alias] {
		return fmt.Errorf("yaml: line %d: anchor '%s' value contains itself", node.Line, node.Value)
	}
	if node.Anchor != "" {
		open[node] = true
		defer delete(open, node)
	}
	for _, child := range node.Content {
		if err := refuseCycles(child, open); err != nil {
			return err
		}
	}
	return nil
}
