// SPDX-License-Identifier: Apache-2.0

package render

import (
	"maps"
	"slices"
	"strings"
	"text/template/parse"
)

// ValuesRead returns the keys of .Values that a template names, such as "image.tag",
// sorted. "" stands for all values: the template reads .Values as a whole. A key
// counts wherever it is named, whether or not its condition holds. A text that is no
// template names none.
func ValuesRead(text string) []string {
	if !IsTemplate(text) {
		return nil
	}
	tree := parse.New(treeName)
	tree.Mode = parse.SkipFuncCheck
	tree, err := tree.Parse(text, "", "", map[string]*parse.Tree{})
	if err != nil || tree.Root == nil {
		return nil
	}
	read := map[string]bool{}
	readsOf(tree.Root, read)
	return slices.Sorted(maps.Keys(read))
}

// readsOf adds the keys of .Values that a node of a template names.
func readsOf(node parse.Node, read map[string]bool) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			readsOf(child, read)
		}
	case *parse.ActionNode:
		readsOf(n.Pipe, read)
	case *parse.TemplateNode:
		readsOf(n.Pipe, read)
	case *parse.IfNode:
		readsOfBranch(&n.BranchNode, read)
	case *parse.RangeNode:
		readsOfBranch(&n.BranchNode, read)
	case *parse.WithNode:
		readsOfBranch(&n.BranchNode, read)
	case *parse.PipeNode:
		if n == nil {
			return
		}
		for _, command := range n.Cmds {
			readsOf(command, read)
		}
	case *parse.CommandNode:
		for _, argument := range n.Args {
			readsOf(argument, read)
		}
	case *parse.ChainNode:
		readsOf(n.Node, read)
	case *parse.FieldNode:
		readsOfChain(n.Ident, read)
	case *parse.VariableNode:
		readsOfChain(n.Ident[1:], read)
	}
}

func readsOfBranch(branch *parse.BranchNode, read map[string]bool) {
	readsOf(branch.Pipe, read)
	readsOf(branch.List, read)
	readsOf(branch.ElseList, read)
}

func readsOfChain(names []string, read map[string]bool) {
	if len(names) > 0 && names[0] == "Values" {
		read[strings.Join(names[1:], ".")] = true
	}
}
