// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/peerjob/peerjob/internal/lazyregexp"
)

const (
	// pluginName is the name under which kubectl finds this program as its command
	// "kubectl peerjob".
	pluginName = "kubectl-peerjob"
	// completionName is the name under which kubectl finds what completes that command.
	completionName = "kubectl_complete-peerjob"
)

// asPlugin makes the command what its name says: kubectl's plugin, or the completion of
// that. It returns the arguments of the command.
func asPlugin(root *cobra.Command, program string, args []string) []string {
	switch strings.TrimSuffix(filepath.Base(program), ".exe") {
	case completionName:
		args = append([]string{cobra.ShellCompRequestCmd}, args...)
	case pluginName:
	default:
		return args
	}
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl peerjob"}
	rewriteExamples(root)
	return args
}

// calls match the calls of this program in an example.
var calls = lazyregexp.New(`(?m)(^  |\| )peerjob `)

func rewriteExamples(command *cobra.Command) {
	command.Example = calls.ReplaceAllString(command.Example, "${1}kubectl peerjob ")
	for _, child := range command.Commands() {
		rewriteExamples(child)
	}
}
