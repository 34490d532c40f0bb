// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"mvdan.cc/sh/v3/syntax"

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
	for _, words := range scriptCalls(texts[at].Value, 0) {
		all = append(all, call(words, texts[at:at+1]))
	}
	return all
}

func call(words []string, texts []Text) Call { return Call{path.Base(words[0]), words[1:], texts} }

// IsShell reports whether a program is a shell.
func IsShell(program string) bool {
	return slices.Contains([]string{"sh", "bash", "ash", "dash", "ksh", "zsh"}, path.Base(program))
}

// ScriptPrograms returns the files with an absolute path that a script starts as programs,
// each once. What is no script starts none.
func ScriptPrograms(text Text) []string {
	if !text.Script || text.Variable != "" {
		return nil
	}
	var programs []string
	for _, words := range scriptCalls(text.Value, 0) {
		if program := words[0]; path.IsAbs(program) && !slices.Contains(programs, program) {
			programs = append(programs, program)
		}
	}
	return programs
}

const (
	// maxScript is longer than any script that people write into a command, in bytes. The
	// parser nests as deep as a script does.
	maxScript = 16 << 10
	// maxScripts bounds how deep scripts stand in scripts.
	maxScripts = 4
)

// scriptCalls are the words of the programs that a script starts, in their order, without
// those before each program. What stands in quotes or in a heredoc is no program, and what
// stands behind a mistake is not read.
func scriptCalls(script string, depth int) [][]string {
	if len(script) > maxScript {
		return nil
	}
	var all [][]string
	walkScript(script, func(node syntax.Node) bool {
		simple, ok := node.(*syntax.CallExpr)
		if !ok || len(simple.Args) == 0 {
			return true
		}
		words := make([]string, len(simple.Args))
		for i, arg := range simple.Args {
			words[i] = wordText(arg.Parts, script)
		}
		words = started(words)
		if inner, found := innerScript(words); found && depth < maxScripts {
			all = append(all, scriptCalls(inner, depth+1)...)
		} else {
			all = append(all, words)
		}
		return true
	})
	return all
}

// walkScript visits the statements of a script and what is in them, as [syntax.Walk] does. It
// ends at a mistake: a shell runs what stands before it.
func walkScript(script string, visit func(syntax.Node) bool) {
	for statement, err := range syntax.NewParser().StmtsSeq(strings.NewReader(script)) {
		if err != nil {
			return
		}
		syntax.Walk(statement, visit)
	}
}

// innerScript returns the script that a command of a script runs: that of a shell, or of
// eval.
func innerScript(words []string) (string, bool) {
	if path.Base(words[0]) == "eval" {
		return strings.Join(words[1:], " "), len(words) > 1
	}
	if !IsShell(words[0]) {
		return "", false
	}
	for i := 1; i+1 < len(words) && strings.HasPrefix(words[i], "-"); i++ {
		switch {
		case shellFlag.MatchString(words[i]):
			return words[i+1], true
		case strings.HasSuffix(words[i], "o"):
			i++ // -o pipefail
		}
	}
	return "", false
}

// speakers are commands that only show their words, or a heredoc.
var speakers = []string{"echo", "printf", "cat", "logger", ":"}

// silent is a script with spaces in the place of what it only shows: the words of an echo and
// the heredoc of a cat, whose output goes nowhere else. A text that is no script stays as it
// is.
func (t Text) silent() string {
	script := t.Value
	if !t.Script || t.Variable != "" || len(script) > maxScript || !spoken.MatchString(script) {
		return script
	}
	out := []byte(script)
	blank := func(node syntax.Node) {
		for i := node.Pos().Offset(); i < node.End().Offset(); i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	var visit func(node syntax.Node) bool
	visit = func(node syntax.Node) bool {
		switch node := node.(type) {
		case *syntax.CmdSubst, *syntax.ProcSubst:
			return false // somebody reads its output
		case *syntax.BinaryCmd:
			if node.Op == syntax.Pipe || node.Op == syntax.PipeAll {
				syntax.Walk(node.Y, visit)
				return false
			}
		case *syntax.Stmt:
			simple, ok := node.Cmd.(*syntax.CallExpr)
			if !ok || len(simple.Args) == 0 || !slices.Contains(speakers, wordText(simple.Args[0].Parts, script)) || writesFile(node) {
				break
			}
			for _, arg := range simple.Args[1:] {
				blank(arg)
			}
			for _, redirect := range node.Redirs {
				if redirect.Hdoc != nil {
					blank(redirect.Hdoc)
				}
			}
		}
		// What writes a file writes all that is in it.
		statement, ok := node.(*syntax.Stmt)
		return !ok || !writesFile(statement)
	}
	walkScript(script, visit)
	return string(out)
}

// spoken matches a script in which [Text.silent] may find something.
var spoken = lazyregexp.New(`\b(?:echo|printf|cat|logger)\b|(?:^|\s):\s`)

// writesFile reports whether the output of a statement goes into a file.
func writesFile(statement *syntax.Stmt) bool {
	return slices.ContainsFunc(statement.Redirs, func(redirect *syntax.Redirect) bool {
		switch redirect.Op {
		case syntax.RdrIn, syntax.Hdoc, syntax.DashHdoc, syntax.WordHdoc, syntax.DplIn, syntax.DplOut:
			return false
		}
		return true
	})
}

// wordText is a word of a script as a program gets it, with what only a shell can put in as
// it was written.
func wordText(parts []syntax.WordPart, script string) string {
	var text strings.Builder
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			for i := 0; i < len(part.Value); i++ {
				if part.Value[i] == '\\' && i+1 < len(part.Value) {
					if i++; part.Value[i] == '\n' {
						continue
					}
				}
				text.WriteByte(part.Value[i])
			}
		case *syntax.SglQuoted:
			text.WriteString(part.Value)
		case *syntax.DblQuoted:
			text.WriteString(wordText(part.Parts, script))
		default:
			text.WriteString(script[part.Pos().Offset():part.End().Offset()])
		}
	}
	return text.String()
}

// started are the words of a command without those before its program.
func started(words []string) []string {
	for len(words) > 1 {
		starter, known := starters[path.Base(words[0])]
		switch {
		case known:
			left := starter.behind(words)
			if len(left) == 0 {
				return words // it starts nothing
			}
			words = left
		case assignment.MatchString(words[0]):
			words = words[1:]
		default:
			return words
		}
	}
	return words
}

// starter is a program that starts the one whose words follow its own.
type starter struct {
	// values are its flags with a value in the next word.
	values []string
	// words are how many words stand between the flags and the program.
	words int
}

// starters are the programs before a command that start it. "--" ends the flags of one that
// is not here.
var starters = map[string]starter{
	"--": {}, "exec": {values: []string{"-a"}}, "command": {}, "builtin": {}, "nohup": {}, "setsid": {}, "unbuffer": {}, "catatonit": {},
	"tini": {values: []string{"-p", "-e"}}, "dumb-init": {values: []string{"-r", "--rewrite"}},
	"time":    {values: []string{"-f", "--format", "-o", "--output"}},
	"env":     {values: []string{"-u", "--unset", "-C", "--chdir"}},
	"nice":    {values: []string{"-n", "--adjustment"}},
	"ionice":  {values: []string{"-c", "--class", "-n", "--classdata"}},
	"timeout": {values: []string{"-k", "--kill-after", "-s", "--signal"}, words: 1},
	"stdbuf":  {values: []string{"-i", "--input", "-o", "--output", "-e", "--error"}},
	"chrt":    {values: []string{"-T", "-P", "-D"}, words: 1},
	"taskset": {words: 1},
	"numactl": {values: []string{"-i", "--interleave", "-m", "--membind", "-N", "--cpunodebind", "-C", "--physcpubind", "-p", "--preferred"}},
	"sudo":    {values: []string{"-u", "--user", "-g", "--group"}},
	"gosu":    {words: 1}, "su-exec": {words: 1},
}

// behind are the words of the program that a starter starts, none if there is none.
func (s starter) behind(words []string) []string {
	at := 1
	for at < len(words) && len(words[at]) > 1 && strings.HasPrefix(words[at], "-") {
		flag := words[at]
		if at++; flag == "--" {
			break
		}
		if slices.Contains(s.values, flag) {
			at++
		}
	}
	return words[min(at+s.words, len(words)):]
}

// assignment matches a variable that env sets for a program.
var assignment = lazyregexp.New(`^[A-Za-z_]\w*=`)
