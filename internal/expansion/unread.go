// SPDX-License-Identifier: Apache-2.0

package expansion

import (
	"maps"
	"slices"
	"strings"

	"github.com/peerjob/peerjob/internal/render"
	"github.com/peerjob/peerjob/internal/spell"
	"github.com/peerjob/peerjob/internal/values"
)

// Unread is a value that no template reads.
type Unread struct {
	// Key is where the value is, such as "image.tga".
	Key string
	// Nearest is the key that was probably meant, "" where none is like it.
	Nearest string
}

// UnreadValues returns those of the assigned values that no template of the PeerJobs
// reads, by their keys.
func UnreadValues(expansions []*Expansion, assignments []values.Assignment) []Unread {
	var read []string
	for _, e := range expansions {
		if !e.HasTemplates() {
			continue
		}
		texts := slices.Collect(maps.Values(e.Group.PeerJob.Spec.Snippets))
		for _, r := range e.renderer.Rendered {
			texts = append(texts, r.Template)
		}
		for _, text := range append(texts, textsOf(e.renderer.Data.Values())...) { // tpl renders values
			read = append(read, render.ValuesRead(text)...)
		}
	}
	var unread []Unread
	var keys []string
	for _, a := range assignments {
		keys = append(keys, a.Leaves()...)
	}
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		isRead := func(name string) bool {
			return name == "" || strings.HasPrefix(key+".", name+".") || strings.HasPrefix(name, key+".")
		}
		if !slices.ContainsFunc(read, isRead) {
			unread = append(unread, Unread{key, spell.Nearest(key, read)})
		}
	}
	return unread
}

// textsOf returns the strings in a value.
func textsOf(value any) []string {
	var texts []string
	switch value := value.(type) {
	case string:
		texts = append(texts, value)
	case []any:
		for _, element := range value {
			texts = append(texts, textsOf(element)...)
		}
	case map[string]any:
		for _, element := range value {
			texts = append(texts, textsOf(element)...)
		}
	}
	return texts
}
