// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// Text is a string of a container in which the kubelet expands "$(NAME)": an element
// of command or args, or the value of a variable.
type Text struct {
	// Value is the string.
	Value string
	// Variable is the name of the variable, "" for command and args.
	Variable string
	// Script is whether the string is a program for a shell, in which "$(NAME)" is
	// also how a shell calls a command.
	Script bool
	// Next is the element behind one of command or args, "" at the end, and Previous the
	// one before it, "" at the beginning.
	Next, Previous string

	// parent is the field of the container, and list and index are where the string is in
	// it: most texts are read, and few of them are ever named. Without a list, parent is the
	// field of the string itself.
	parent *field.Path
	list   string
	index  int
}

// At returns the text with its field.
func (t Text) At(path *field.Path) Text {
	t.parent, t.list = path, ""
	return t
}

// Path returns the field of the string.
func (t Text) Path() *field.Path {
	switch t.list {
	case "":
		return t.parent
	case envList:
		return t.parent.Child(envList).Index(t.index).Child("value")
	}
	return t.parent.Child(t.list).Index(t.index)
}

// envList is the list of the variables of a container.
const envList = "env"

// Texts returns the strings of a container: command, args, then the variables.
func Texts(container *corev1.Container, path *field.Path) []Text {
	words := slices.Concat(container.Command, container.Args)
	texts := make([]Text, 0, len(words)+len(container.Env))
	for i, word := range words {
		text := Text{Value: word, Script: isScript(words, i), parent: path, list: "command", index: i}
		if i >= len(container.Command) {
			text.list, text.index = "args", i-len(container.Command)
		}
		if i+1 < len(words) {
			text.Next = words[i+1]
		}
		if i > 0 {
			text.Previous = words[i-1]
		}
		texts = append(texts, text)
	}
	for i, variable := range container.Env {
		if variable.ValueFrom == nil {
			texts = append(texts, Text{Value: variable.Value, Variable: variable.Name, parent: path, list: envList, index: i})
		}
	}
	return texts
}

var (
	// shellFlag matches the flag of a shell that a script follows, such as "-c" or "-ec".
	shellFlag = lazyregexp.New(`^-[a-zA-Z]*c$`)
	// severalLines matches a text that goes on after its first line.
	severalLines = lazyregexp.New(`\n.*\S`)
)

// isScript reports whether a word is the script of a "-c", or of several lines.
func isScript(words []string, i int) bool {
	return i > 0 && strings.HasPrefix(words[i-1], "-") && shellFlag.MatchString(words[i-1]) ||
		strings.Contains(words[i], "\n") && severalLines.MatchString(words[i])
}
