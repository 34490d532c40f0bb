// SPDX-License-Identifier: Apache-2.0

package render

import (
	"maps"
	"slices"
	"strings"
	"text/template/parse"
)

// Reads are what a template reads, whether or not its conditions hold.
type Reads struct {
	// Values are the keys of .Values, such as "image.tag", sorted. "" stands for all
	// values: the template reads .Values as a whole.
	Values []string
	// Snippets are the snippets that it includes, sorted. "" stands for any: the name
	// is not in the template.
	Snippets []string
}

// ReadsOf returns what a template reads. A text that can't be parsed reads nothing.
func ReadsOf(text string) Reads {
	if !IsTemplate(text) || len(text) > MaxText || shapeOf(text).nesting > maxNesting {
		return Reads{}
	}
	tree := parse.New(treeName)
	tree.Mode = parse.SkipFuncCheck
	tree, err := tree.Parse(text, "", "", map[string]*parse.Tree{})
	if err != nil || tree.Root == nil {
		return Reads{}
	}
	r := walker{values: map[string]bool{}, snippets: map[string]bool{}}
	r.node(tree.Root)
	return Reads{slices.Sorted(maps.Keys(r.values)), slices.Sorted(maps.Keys(r.snippets))}
}

// ValuesRead returns Reads.Values of a template.
func ValuesRead(text string) []string { return ReadsOf(text).Values }

// walker collects what the nodes of a template read.
type walker struct{ values, snippets map[string]bool }

func (r *walker) node(node parse.Node) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			r.node(child)
		}
	case *parse.ActionNode:
		r.node(n.Pipe)
	case *parse.TemplateNode:
		r.node(n.Pipe)
	case *parse.IfNode:
		r.branch(&n.BranchNode)
	case *parse.RangeNode:
		r.branch(&n.BranchNode)
	case *parse.WithNode:
		r.branch(&n.BranchNode)
	case *parse.PipeNode:
		if n == nil {
			return
		}
		for _, command := range n.Cmds {
			r.command(command)
		}
	case *parse.ChainNode:
		r.node(n.Node)
		r.chain(n.Field)
	case *parse.FieldNode:
		r.chain(n.Ident)
	case *parse.VariableNode:
		r.chain(n.Ident[1:])
	case *parse.IdentifierNode:
		if n.Ident == "include" {
			r.snippets[""] = true
		}
	case *parse.StringNode:
		if n.Text == "Values" { // as in index $ "Values"
			r.values[""] = true
		}
	}
}

func (r *walker) branch(branch *parse.BranchNode) {
	r.node(branch.Pipe)
	r.node(branch.List)
	r.node(branch.ElseList)
}

// command reads a call of a function. The names in index .Values "a", get .Values "a",
// hasKey .Values "a" and include "a" are known.
func (r *walker) command(command *parse.CommandNode) {
	args := command.Args
	if name, ok := args[0].(*parse.IdentifierNode); ok && len(args) > 2 {
		switch name.Ident {
		case "index", "get", "hasKey":
			names := valuesChain(args[1])
			if names == nil {
				break
			}
			for _, arg := range args[2:] {
				text, ok := arg.(*parse.StringNode)
				if !ok {
					break
				}
				names, args = append(names, text.Text), args[1:]
			}
			r.values[strings.Join(names[1:], ".")] = true
			args = args[2:]
		case "include":
			if text, ok := args[1].(*parse.StringNode); ok {
				r.snippets[text.Text] = true
				args = args[2:]
			}
		}
	}
	for _, arg := range args {
		r.node(arg)
	}
}

// valuesChain returns the names of .Values.a.b and $.Values.a.b from Values on, nil for
// anything else.
func valuesChain(node parse.Node) []string {
	var names []string
	switch n := node.(type) {
	case *parse.FieldNode:
		names = n.Ident
	case *parse.VariableNode:
		names = n.Ident[1:]
	}
	if at := slices.Index(names, "Values"); at >= 0 {
		return slices.Clone(names[at:])
	}
	return nil
}

func (r *walker) chain(names []string) {
	if at := slices.Index(names, "Values"); at >= 0 {
		r.values[strings.Join(names[at+1:], ".")] = true
	}
}
