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

// helmPluginVariable is the variable in which Helm gives a plugin its name, and
// helmPluginName the name of that which is the command "helm peerjob".
const (
	helmPluginVariable = "HELM_PLUGIN_NAME"
	helmPluginName     = "peerjob"
)

// asPlugin makes the command what its name says, or Helm: kubectl's plugin, the completion of
// that, or Helm's plugin. It returns the arguments of the command.
func asPlugin(root *cobra.Command, program string, args []string, getenv func(string) string) []string {
	display := "kubectl peerjob"
	switch strings.TrimSuffix(filepath.Base(program), ".exe") {
	case completionName:
		args = append([]string{cobra.ShellCompRequestCmd}, args...)
	case pluginName:
	default:
		if getenv(helmPluginVariable) != helmPluginName {
			return args
		}
		display = "helm peerjob"
	}
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: display}
	rewriteExamples(root, display)
	return args
}

// calls match the calls of this program in an example.
var calls = lazyregexp.New(`(?m)(^  |\| )peerjob `)

func rewriteExamples(command *cobra.Command, display string) {
	command.Example = calls.ReplaceAllString(command.Example, "${1}"+display+" ")
	for _, child := range command.Commands() {
		rewriteExamples(child, display)
	}
}
