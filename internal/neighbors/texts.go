// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"encoding/base64"
	"slices"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/rules"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// naming is an object with texts that may name a peer.
type naming struct {
	*krmlist.Object
	texts []text
}

// text is a text of an object, scanned once for all PeerJobs.
type text struct {
	rules.Text
	mentions rules.Mentions
}

// lastApplied is where kubectl keeps the whole object once more.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

func isSecret(o *krmlist.Object) bool { return o.Kind == "Secret" && o.Group() == "" }

// isData reports whether an object is made of texts for the programs in containers.
func isData(o *krmlist.Object) bool {
	return isSecret(o) || o.Kind == "ConfigMap" && o.Group() == ""
}

// textsOf finds the texts of an object that may name a peer, or its Service. Of its
// metadata it reads the annotations that are not a tool's.
func textsOf(o *krmlist.Object) []text {
	f := &textFinder{isSecret: isSecret(o)}
	yamlnode.EachEntry(o.Node(), func(key string, value *yaml.Node) {
		switch key {
		case "apiVersion", "kind", "status":
		case "metadata":
			f.annotations(yamlnode.Get(value, "annotations"))
		case "data", "stringData":
			if !isData(o) {
				f.walk(value, field.NewPath(key), key)
				return
			}
			yamlnode.EachEntry(value, func(name string, value *yaml.Node) {
				content := yamlnode.Text(value)
				if f.isSecret && key == "data" {
					content = decoded(content)
				}
				f.add(content, field.NewPath(key).Key(name), rules.Text{Variable: name})
			})
		default:
			f.walk(value, field.NewPath(key), key)
		}
	})
	return f.found
}

// textFinder collects the texts of an object.
type textFinder struct {
	isSecret bool
	seen     int
	found    []text
}

// decoded returns a text out of base64, "" for what is no text.
func decoded(value string) string {
	data, err := base64.StdEncoding.DecodeString(value)
	if err != nil || !utf8.Valid(data) {
		return ""
	}
	return string(data)
}

func (f *textFinder) add(value string, path *field.Path, context rules.Text) {
	if mentions := rules.FindMentions(rules.Text{Value: value, Variable: context.Variable, Previous: context.Previous}); len(mentions) > 0 || rules.MayNameOperators(value) {
		context.Value = value
		f.found = append(f.found, text{context.At(path), mentions})
	}
}

func (f *textFinder) annotations(node *yaml.Node) {
	yamlnode.EachEntry(node, func(key string, value *yaml.Node) {
		if key != lastApplied && !v1alpha1.IsReservedKey(key) && !v1alpha1.IsOwnKey(key) {
			f.add(yamlnode.Text(value), field.NewPath("metadata", "annotations").Key(key), under(key))
		}
	})
}

// under is what is before a text under a key: a key says as little of what its text is for
// as a flag does.
func under(key string) rules.Text { return rules.Text{Previous: "--" + key} }

// walk reads every text below a key.
func (f *textFinder) walk(node *yaml.Node, path *field.Path, key string) {
	node = yamlnode.Resolve(node)
	if f.seen++; node == nil || f.seen > most {
		return
	}
	switch node.Kind {
	case yaml.ScalarNode:
		f.add(node.Value, path, under(key))
	case yaml.SequenceNode:
		isCommand := slices.Contains(wordLists, key)
		for i, element := range node.Content {
			if word := yamlnode.Text(element); !isCommand || word == "" {
				f.walk(element, path.Index(i), key)
			} else if i == 0 {
				f.add(word, path.Index(i), rules.Text{})
			} else {
				f.add(word, path.Index(i), rules.Text{Previous: yamlnode.Text(node.Content[i-1])})
			}
		}
	case yaml.MappingNode:
		variable := yamlnode.Text(yamlnode.Get(node, "name"))
		yamlnode.EachEntry(node, func(key string, value *yaml.Node) {
			if text := yamlnode.Text(value); key == "value" && variable != "" && text != "" {
				f.add(text, path.Child(key), rules.Text{Variable: variable})
				return
			}
			f.walk(value, child(path, key), key)
		})
	}
}

// wordLists are fields with the words of a command.
var wordLists = []string{"command", "args"}

// warnOfTexts finds names of peers in other objects that lead to none.
func (e peers) warnOfTexts(names rules.PeerNames, near *neighbors, report *results.Report) {
	used := rules.ConfigMaps(&e.Group.Template().Spec)
	for _, o := range near.naming {
		if inOtherVariant(e.Source, o.Object) {
			continue
		}
		cure := func(stale rules.StaleName) string {
			if stale.Missing || !isData(o.Object) {
				return names.Cure(stale, false)
			}
			return "; write that, or let the container use " + names.References(stale)
		}
		var w []diag.Warning
		for _, text := range o.texts {
			all := names.StaleIn(text.mentions)
			for _, stale := range all {
				w = append(w, diag.Warn(text.Path(), "%s%s", names.Explain(stale), cure(stale)))
			}
			// Of others, only what the Pods read is for the peers.
			if o.Kind == "ConfigMap" && used[o.Name] {
				text.Script = true
				w = append(w, names.Misaddressed(text.Text, all, func(rules.StaleName) string { return names.Cure(rules.StaleName{}, false) })...)
			}
		}
		report.AddWarnings(o.Object, diag.Few(w))
	}
}
