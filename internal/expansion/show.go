// SPDX-License-Identifier: Apache-2.0

package expansion

import (
	"bytes"

	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/peerjob/peerjob/internal/manifest"
	"github.com/peerjob/peerjob/internal/values"
)

// shownPeers is how many peers are shown of all that templates see.
const shownPeers = 3

// WriteValues writes, for every PeerJob with templates, the merged values, what
// else its templates see, and what each rendered; of one with errors, what is known.
func WriteValues(out *bytes.Buffer, expansions []*Expansion) error {
	first := true
	for _, e := range expansions {
		document := ordered("peerJob", e.Source.String())
		switch {
		case e.HasTemplates():
			templates := []any{}
			for _, r := range e.renderer.Rendered {
				templates = append(templates, ordered("field", r.Field, "template", r.Template, "renders", r.Text))
			}
			document = append(document, ordered("values", e.renderer.Data.Values(), "data", shownData(e.renderer.Data), "templates", templates)...)
		case e.values != nil:
			document = append(document, entry{"values", e.values})
		default:
			continue
		}
		node, err := nodeOf(document)
		if err != nil {
			return err
		}
		if !first {
			out.WriteString("---\n")
		}
		first = false
		text, err := manifest.Bytes(node)
		if err != nil {
			return err
		}
		out.Write(text)
	}
	if first {
		out.WriteString("# no PeerJob has spec.templating: Enabled\n")
	}
	return nil
}

// shownData is what templates see beside the values, of very many peers only
// the first.
func shownData(data *values.Data) entries {
	var all entries
	for _, name := range data.Fields() {
		if name == "Values" {
			continue
		}
		value, err := data.Field(name)
		if roles, ok := value.(*values.Roles); err != nil || name == "Role" || ok && roles.Len() == 0 {
			continue // it has none
		} else if ok {
			shown := []any{}
			for i := range roles.Len() {
				role := roles.At(i).(values.Role)
				var inner entries
				for _, name := range role.Fields() {
					if value, err := role.Field(name); err == nil && name != "Peers" {
						inner = append(inner, entry{name, value})
					}
				}
				shown = append(shown, inner)
			}
			value = shown
		}
		if peers, ok := value.(*values.Peers); ok {
			shown := []any{}
			for i := range min(peers.Len(), shownPeers) {
				peer := peers.At(i).(values.Peer)
				var inner entries
				for _, name := range peer.Fields() {
					if value, err := peer.Field(name); err == nil {
						inner = append(inner, entry{name, value})
					}
				}
				shown = append(shown, inner)
			}
			if peers.Len() > shownPeers {
				shown = append(shown, "...")
			}
			value = shown
		}
		all = append(all, entry{name, value})
	}
	return all
}

// entries are the entries of a map, in their order.
type entries []entry

type entry struct {
	key   string
	value any
}

// ordered returns keys and values in turn as entries.
func ordered(pairs ...any) entries {
	var all entries
	for i := 0; i+1 < len(pairs); i += 2 {
		all = append(all, entry{pairs[i].(string), pairs[i+1]})
	}
	return all
}

// nodeOf returns a value as YAML; entries keep their order.
func nodeOf(value any) (*yaml.Node, error) {
	switch value := value.(type) {
	case entries:
		node := &yaml.Node{Kind: yaml.MappingNode}
		for _, e := range value {
			inner, err := nodeOf(e.value)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, kyaml.NewStringRNode(e.key).YNode(), inner)
		}
		return node, nil
	case []any:
		node := &yaml.Node{Kind: yaml.SequenceNode}
		for _, element := range value {
			inner, err := nodeOf(element)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, inner)
		}
		return node, nil
	case string:
		return manifest.Text(value), nil
	}
	node := &yaml.Node{}
	return node, node.Encode(value)
}
