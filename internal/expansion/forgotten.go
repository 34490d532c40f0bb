// SPDX-License-Identifier: Apache-2.0

package expansion

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/decode"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

var (
	// ownTemplate matches templates that only peerjob and Helm have. Other programs
	// have "{{" too, in their formats: docker, podman, kubectl, Vault, Argo Workflows,
	// Jinja. Their words, such as .Name, .Size, .Service and .Peers, are not enough.
	ownTemplate = lazyregexp.New(`\{\{(?:[^}]*[\s(=,|])?-?\$?\.(?:Values\b|Leader\b|ClusterDomain\b|Release\.(?:Name|Namespace|Service)\b)[^}]*\}\}|\{\{-?\s*include\s+"`)
	// peersTemplate matches a loop over the peers, and peerName what only they have.
	peersTemplate = lazyregexp.New(`\{\{-?\s*range\b[^}]*\.Peers\b`)
	peerName      = lazyregexp.New(`\{\{[^}]*\.(?:Hostname|Host|FQDN)\b`)
	// valuesTemplate matches what only Helm, programs like it and peerjob have, and
	// valuesForeign what such a program has before it.
	valuesTemplate = lazyregexp.New(`\{\{(?:[^}]*[\s(=,|])?-?\$?\.Values\.\w[^}]*\}\}`)
	valuesForeign  = lazyregexp.New(`--template\b|\b(?:helm|gomplate|consul-template)\s`)
	// foreign matches what is before the template of another program.
	foreign = lazyregexp.New(`--format\b|--template\b|go-template|\b(?:docker|podman|nerdctl|helm|gomplate|consul-template)\s`)
)

// isForgotten reports whether a text has a template that was surely meant for peerjob.
func isForgotten(text string) bool {
	if valuesTemplate.MatchString(text) && !valuesForeign.MatchString(text) {
		return true
	}
	if !strings.Contains(text, "{{") || foreign.MatchString(text) {
		return false
	}
	return ownTemplate.MatchString(text) || peersTemplate.MatchString(text) && peerName.MatchString(text)
}

const enableTemplating = "to have templates rendered, set spec.templating to Enabled"

// warnForgotten warns of templates in a PeerJob that does not say whether it has some.
func warnForgotten(node *yaml.Node) []diag.Warning {
	if yamlnode.Get(yamlnode.Get(node, "spec"), "templating") != nil || !hasTemplates(node) {
		return nil
	}
	var found []diag.Warning
	decode.Texts(node, func(path *field.Path, text string) {
		if isForgotten(text) {
			found = append(found, diag.Warn(path, "%s", text))
		}
	})
	if len(found) == 0 {
		return nil
	}
	first := diag.SortWarnings(found)[0]
	line, _, _ := strings.Cut(strings.TrimSpace(first.Message[strings.Index(first.Message, "{{"):]), "\n")
	if end := strings.Index(line, "}}"); end >= 0 {
		line = line[:end+2]
	}
	others := ""
	switch more := len(found) - 1; {
	case more == 1:
		others = ", and 1 more field has one"
	case more > 1:
		others = fmt.Sprintf(", and %d more fields have some", more)
	}
	return []diag.Warning{{Field: first.Field, Message: fmt.Sprintf("the template %s is not rendered%s; %s, or to Disabled if another program reads it", line, others, enableTemplating)}}
}

// explainForgotten adds to errors about values with templates that they are not rendered.
func explainForgotten(errs field.ErrorList) {
	for _, err := range errs {
		if value, ok := err.BadValue.(string); ok && isForgotten(value) && !strings.Contains(err.Detail, "spec.templating") {
			err.Detail += "; " + enableTemplating
		}
	}
}

// hasTemplates reports whether any text has a "{{".
func hasTemplates(node *yaml.Node) bool {
	if node.Kind == yaml.ScalarNode {
		return strings.Contains(node.Value, "{{")
	}
	for _, inner := range node.Content {
		if hasTemplates(inner) {
			return true
		}
	}
	return false
}
