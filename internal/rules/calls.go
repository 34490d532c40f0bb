// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// Call is one program that a container starts, with its arguments.
type Call struct {
	// Program is the program without its folder, and Args are the words behind it.
	Program string
	Args    []string

	texts []Text // of the program and of each argument, or the script that has all of them
}

// Path is the field of an argument, and of the program for -1.
func (c Call) Path(arg int) *field.Path {
	return c.texts[min(arg+1, len(c.texts)-1)].Path()
}

// Calls returns the programs that a container starts, in their order: the one of its command
// and args, or those of its script if that is a shell.
func Calls(container *corev1.Container, path *field.Path) []Call {
	texts := slices.DeleteFunc(Texts(container, path), func(text Text) bool { return text.Variable != "" })
	words := make([]string, len(texts))
	for i, text := range texts {
		words[i] = text.Value
	}
	if len(words) == 0 {
		return nil
	}
	words = started(words)
	texts = texts[len(texts)-len(words):]
	at := slices.IndexFunc(texts, func(text Text) bool { return text.Script })
	if at < 0 || !IsShell(words[0]) {
		return []Call{call(words, texts)}
	}
	var all []Call
	for _, command := range commands(texts[at].Value) {
		words := started(strings.Fields(command))
		for i := range words {
			words[i] = strings.Trim(words[i], `"'`)
		}
		all = append(all, call(words, texts[at:at+1]))
	}
	return all
}

func call(words []string, texts []Text) Call { return Call{path.Base(words[0]), words[1:], texts} }

// IsShell reports whether a program is a shell.
func IsShell(program string) bool {
	return slices.Contains([]string{"sh", "bash", "ash", "dash", "ksh", "zsh"}, path.Base(program))
}

// commands are the commands of a script, without comments, in their order.
func commands(script string) []string {
	var all []string
	script = strings.ReplaceAll(withoutComments(script), "\\\n", " ")
	for _, line := range strings.Split(script, "\n") {
		for _, command := range commandEnd.Split(line, -1) {
			if command = strings.TrimSpace(command); command != "" {
				all = append(all, command)
			}
		}
	}
	return all
}

// ScriptPrograms returns the files with an absolute path that a script starts as programs,
// each once. What is no script starts none.
func ScriptPrograms(text Text) []string {
	if !text.Script || text.Variable != "" {
		return nil
	}
	var programs []string
	for _, command := range commands(text.Value) {
		if program := strings.Trim(started(strings.Fields(command))[0], `"'`); path.IsAbs(program) && !slices.Contains(programs, program) {
			programs = append(programs, program)
		}
	}
	return programs
}

// started are the words of a command without those before its program.
func started(words []string) []string {
	for len(words) > 1 && (slices.Contains(starters, path.Base(words[0])) || assignment.MatchString(words[0])) {
		words = words[1:]
	}
	return words
}

// starters are words before a command that start it.
var starters = []string{"exec", "time", "nohup", "env", "if", "!", "while", "until", "(", "{", "tini", "dumb-init", "--"}

// assignment matches a variable that a script sets for one command.
var assignment = lazyregexp.New(`^[A-Za-z_]\w*=\S*$`)
