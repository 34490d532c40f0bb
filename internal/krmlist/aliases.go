// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"errors"

	"go.yaml.in/yaml/v3"
)

// ErrTooLarge says that the aliases of a list stand for too much to write out.
var ErrTooLarge = errors.New("its YAML aliases expand to more than peerjob can write; write the values")

// maxCopies bounds how many nodes aliases may be replaced by in one list.
const maxCopies = 1 << 20

// settleAliases makes every alias follow its anchor in the order in which the
// nodes are written, group by group. An alias whose anchor is gone or comes later
// is replaced by a copy of what it stands for: no reader would accept it.
func settleAliases(groups ...[]*yaml.Node) error {
	s := settler{defined: map[*yaml.Node]bool{}}
	for _, nodes := range groups {
		for i := range nodes {
			nodes[i] = s.settle(nodes[i])
		}
	}
	if s.copies > maxCopies {
		return ErrTooLarge
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
