// SPDX-License-Identifier: Apache-2.0

package expansion

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/render"
	"github.com/peerjob/peerjob/internal/spell"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// Unread is a value that no template reads.
type Unread struct {
	// Key is where the value is, such as "image.tga".
	Key string
	// Nearest is the key that was probably meant, "" if none is like it.
	Nearest string
	// File is the values file that has the value, and ConfigMap the ConfigMap, with the
	// entry DataKey. Without both, the value is assigned on the command line.
	File      string
	ConfigMap *krmlist.Object
	DataKey   string
	// More is how many more values of the command line are unread, and not named.
	More int
}

// Hint asks for the key that was probably meant.
func (u Unread) Hint() string {
	hint := ""
	if u.Nearest != "" {
		hint = "; did you mean " + u.Nearest + "?"
	}
	return hint + diag.AndMore(u.More)
}

// reads are what the templates of PeerJobs read.
type reads struct {
	// values are the keys of .Values; "" stands for all.
	values []string
	// snippets are the snippets that are included; "" stands for any.
	snippets []string
}

// reads returns what the templates of the PeerJob read, its snippets and values among
// them: tpl renders values.
func (e *Expansion) reads() reads {
	var all reads
	texts := slices.Collect(maps.Values(e.renderer.Snippets()))
	for _, r := range e.renderer.Rendered {
		texts = append(texts, r.Template)
	}
	for _, text := range append(texts, textsOf(e.renderer.Data.Values())...) {
		read := render.ReadsOf(text)
		all.values = append(all.values, read.Values...)
		all.snippets = append(all.snippets, read.Snippets...)
	}
	return all.sorted()
}

// sorted sorts what is read, each once: has looks for it there.
func (r reads) sorted() reads {
	slices.Sort(r.values)
	return reads{slices.Compact(r.values), r.snippets}
}

// has reports whether a template reads a value, all of it or a part.
func (r reads) has(key string) bool {
	below := key + "."
	i, _ := slices.BinarySearch(r.values, below)
	return r.whole(key) || i < len(r.values) && strings.HasPrefix(r.values[i], below)
}

// whole reports whether a template reads all of a value: it names the value, or one that
// the value is in.
func (r reads) whole(key string) bool {
	found := func(name string) bool {
		_, found := slices.BinarySearch(r.values, name)
		return found
	}
	if found("") || found(key) {
		return true
	}
	for i := range len(key) {
		if key[i] == '.' && found(key[:i]) {
			return true
		}
	}
	return false
}

// at returns the keys that templates read at the level of a prefix, which is "" or ends
// with a dot.
func (r reads) at(prefix string) []string {
	var names []string
	for _, name := range r.values {
		if rest, found := strings.CutPrefix(name, prefix); found && rest != "" {
			first, _, _ := strings.Cut(rest, ".")
			names = append(names, first)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// free returns the keys that templates read at the level of a prefix, and that the map of
// that level does not set.
func (r reads) free(prefix string, level map[string]any) []string {
	return slices.DeleteFunc(r.at(prefix), func(name string) bool { _, found := level[name]; return found })
}

// unread calls a function for each key of some values that no template reads, and the
// key of the same level that was probably meant: one that is read, and not set here. Of
// what is in an unread value it says nothing.
func (r reads) unread(all map[string]any, prefix []string, visit func(path []string, nearest string)) {
	dotted := ""
	if len(prefix) > 0 {
		dotted = strings.Join(prefix, ".") + "."
	}
	free := sync.OnceValue(func() []string { return r.free(dotted, all) })
	for _, key := range slices.Sorted(maps.Keys(all)) {
		path := append(slices.Clone(prefix), key)
		switch inner, isMap := all[key].(map[string]any); {
		case !r.has(dotted + key):
			if all[key] == nil {
				continue // it removes a key of another source
			}
			visit(path, spell.Nearest(key, free()))
		case isMap && !r.whole(dotted+key):
			r.unread(inner, path, visit)
		}
	}
}

// warnUnread warns of what only the PeerJob has and its templates don't use: keys of
// spec.values and snippets. An anchor has its aliases as readers.
func (e *Expansion) warnUnread(own map[string]any, snippets map[string]string) []diag.Warning {
	if len(own) == 0 && len(snippets) == 0 {
		return nil
	}
	var warnings []diag.Warning
	more := 0
	read, values := e.reads(), field.NewPath("spec", "values")
	anchored := map[string]bool{}
	findAnchors(yamlnode.Get(yamlnode.Get(e.Source.Node(), "spec"), "values"), "", anchored)
	read.unread(own, nil, func(path []string, nearest string) {
		switch {
		case anchored["."+strings.Join(path, ".")]:
			return
		case len(warnings) == diag.Fewest:
			more++
			return
		}
		at := values
		for _, key := range path {
			at = at.Child(key)
		}
		cure := "remove it, or read it with {{ " + readerOf(path) + " }}"
		if nearest != "" {
			cure = "did you mean " + nearest + "?"
		}
		warnings = append(warnings, diag.Warn(at, "no template reads this value; %s", cure))
	})
	if more > 0 {
		warnings[len(warnings)-1].Message += diag.AndMore(more)
	}
	if slices.Contains(read.snippets, "") {
		return warnings
	}
	for _, name := range slices.Sorted(maps.Keys(snippets)) {
		if !slices.Contains(read.snippets, name) {
			warnings = append(warnings, diag.Warn(field.NewPath("spec", "snippets").Key(name), "no template includes this snippet; remove it, or write {{ include %q . }}", name))
		}
	}
	return warnings
}

// readerOf is how a template reads the value at a path.
func readerOf(path []string) string {
	text := ".Values"
	for i, key := range path {
		if !isName(key) {
			text = "index " + text
			for _, key := range path[i:] {
				text += " " + strconv.Quote(key)
			}
			return text
		}
		text += "." + key
	}
	return text
}

// isName reports whether a key can follow a dot in a template.
func isName(key string) bool {
	for i, r := range key {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return key != ""
}

// findAnchors notes the paths of the values that an alias can stand for, all or in part,
// and reports whether the node is one. A path has a dot before each key.
func findAnchors(node *yaml.Node, path string, anchored map[string]bool) bool {
	if node == nil {
		return false
	}
	found := node.Anchor != ""
	for i, inner := range node.Content {
		at := path
		if node.Kind == yaml.MappingNode && i%2 == 1 {
			at += "." + node.Content[i-1].Value
		}
		found = findAnchors(inner, at, anchored) || found
	}
	if found {
		anchored[path] = true
	}
	return found
}

// UnreadValues returns values that no template of the PeerJobs reads: all that are
// assigned, and those of files and ConfigMaps that look like a slip. A shared file
// rightly has keys for others.
func UnreadValues(expansions []*Expansion, sources *Sources) []Unread {
	var all reads
	users := map[valuesKey]reads{}
	var used []valuesKey
	if len(sources.files) == 0 && len(sources.assignments) == 0 && len(sources.read) == 0 {
		return nil
	}
	for _, e := range expansions {
		if !e.HasTemplates() {
			continue
		}
		read := e.reads()
		all.values = append(all.values, read.values...)
		for _, from := range e.from {
			if _, found := users[from]; !found {
				used = append(used, from)
			}
			users[from] = reads{values: append(slices.Clip(users[from].values), read.values...)}
		}
	}
	all = all.sorted()
	for from, by := range users {
		users[from] = by.sorted()
	}
	var unread []Unread
	slips := func(from map[string]any, by reads, about Unread) {
		all.unread(from, nil, func(path []string, _ string) {
			// A key near to one that only others read is no slip.
			slip := by.slip(from, path)
			if slip == "" {
				return
			}
			about.Key = strings.Join(path, ".")
			about.Nearest = strings.Join(append(slices.Clone(path[:len(path)-1]), slip), ".")
			unread = append(unread, about)
		})
	}
	for _, from := range used {
		slips(sources.read[from], users[from], Unread{ConfigMap: from.configMap, DataKey: from.key})
	}
	for _, file := range sources.files {
		slips(file.Values, all, Unread{File: file.Name})
	}
	named := 0
	var keys []string
	for _, a := range sources.assignments {
		keys = append(keys, a.Leaves()...)
	}
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		if !all.has(key) && named < diag.Fewest {
			named++
			unread = append(unread, Unread{Key: key, Nearest: spell.Nearest(key, all.values)})
		} else if !all.has(key) {
			unread[len(unread)-1].More++
		}
	}
	return unread
}

// slip returns the key that a path in some values was probably meant for, "" if it may
// well be a key for others: a short word is soon like another one.
func (r reads) slip(from map[string]any, path []string) string {
	prefix := ""
	level := from
	for _, key := range path[:len(path)-1] {
		prefix += key + "."
		level, _ = level[key].(map[string]any)
	}
	return spell.Slip(path[len(path)-1], r.free(prefix, level))
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
