// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestCalls(t *testing.T) {
	type test struct {
		command, args []string
		want          []string // "<program> <args> (<field of the program>)"
	}
	script := func(text string, want ...string) test {
		tt := test{command: []string{"sh", "-c", text}}
		for _, one := range want {
			tt.want = append(tt.want, one+" (c.command[2])")
		}
		return tt
	}
	for name, tt := range map[string]test{
		"nothing":                         {nil, nil, nil},
		"words":                           {[]string{"/usr/bin/a", "b"}, []string{"c"}, []string{"a b c (c.command[0])"}},
		"args":                            {nil, []string{"a", "b"}, []string{"a b (c.args[0])"}},
		"starters":                        {[]string{"/usr/bin/env", "A=b", "tini"}, []string{"--", "a"}, []string{"a (c.args[1])"}},
		"a script":                        {[]string{"/bin/sh", "-ec"}, []string{"a 'b' &\nif ! /c/d; then exec e \\\n  f; fi # g"}, []string{"a b (c.args[0])", "d (c.args[0])", "e f (c.args[0])"}},
		"programs that start another one": {[]string{"timeout", "-k", "5", "--signal=KILL", "60", "nice", "-n", "5", "stdbuf", "-oL", "env", "-u", "X", "A=b c", "numactl", "-N", "0", "a"}, []string{"b"}, []string{"a b (c.command[17])"}},
		"a shell behind such a program":   {[]string{"timeout", "60", "bash", "-o", "pipefail", "-c", "a; b"}, nil, []string{"a (c.command[6])", "b (c.command[6])"}},
		"one that starts nothing":         {[]string{"timeout", "60"}, nil, []string{"timeout 60 (c.command[0])"}},
		"in a script":                     script("A=b timeout 60 exec -a x env B='c d' nice a \"b c\" $D \"${E}\"f g\\ h", "a b c $D ${E}f g h"),
		"quoted":                          script("echo \"a b; c\" 'd && e'; x", "echo a b; c d && e", "x"),
		"a heredoc":                       script("cat <<EOF\na b\nEOF\ncat >run.sh <<-'EOF' && sh run.sh\n\tc d\n\tEOF\ne", "cat", "cat", "sh run.sh", "e"),
		"a heredoc with a call":           script("cat <<EOF\n$(a b)\nEOF", "cat", "a b"),
		"scripts in a script":             script("sh -c 'a; bash -ec \"b c\"'; eval d e; eval; nohup sh -c f &", "a", "b c", "d e", "eval", "f"),
		"branches and functions":          script("f() { a; }; for i in 1 2; do b $i; done; case $x in y) c;; *) d | e;; esac; while ! g; do h; done; (j) & { k; }; time l", "a", "b $i", "c", "d", "e", "g", "h", "j", "k", "l"),
		"a value by a call":               script("A=$(a b) c \"$(d)\" `e`", "c $(d) `e`", "a b", "d", "e"),
		"until a mistake":                 script("a b\nif c", "a b"),
		"a script of any length":          script("a\n" + strings.Repeat("# comment\n", 5000)),
		"a script of no shell":            {[]string{"a", "-c", "import b\nc d"}, nil, []string{"a -c import b\nc d (c.command[0])"}},
		"a shell with a file":             {[]string{"bash", "a.sh"}, nil, []string{"bash a.sh (c.command[0])"}},
		"an empty word":                   {[]string{""}, nil, []string{". (c.command[0])"}},
		"an empty script":                 {[]string{"sh", "-c", " "}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, call := range Calls(&corev1.Container{Command: tt.command, Args: tt.args}, field.NewPath("c")) {
				got = append(got, strings.Join(append([]string{call.Program}, call.Args...), " ")+" ("+call.Path(-1).String()+")")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestCalls_hostile has scripts that nest deeper than any stack should.
func TestCalls_hostile(t *testing.T) {
	for _, part := range []string{"(", "$(", "`", "{ ", "if ", "a=\"$(", "((", "[[ ( ", "eval eval ", "! ", "case a in a) ", "<<a ", "${", "$((", "sh -c \"", "a|", "a&&"} {
		for _, n := range []int{maxScript, 2 * maxScript} {
			text := Text{Script: true, Value: strings.Repeat(part, n/len(part))}
			scriptCalls(text.Value, 0)
			text.Value = "echo " + text.Value
			text.silent()
		}
	}
}

// TestSilent blanks what a script only shows, and nothing that something else reads.
func TestSilent(t *testing.T) {
	for script, want := range map[string]string{
		"echo \"a --b\" c; d e":        "echo          ; d e",
		"cat <<EOF\na b\nEOF\nc":       "cat <<EOF\n   \n   \nc",
		"cat >x <<EOF\na b\nEOF\nc":    "cat >x <<EOF\na b\nEOF\nc",
		"echo a b > x; echo c >&2":     "echo a b > x; echo   >&2",
		"echo a b | sh | cat c":        "echo a b | sh | cat  ",
		"x $(echo a b) <(echo c)":      "x $(echo a b) <(echo c)",
		"{ echo a; } > x; (echo b)":    "{ echo a; } > x; (echo  )",
		"if a; then printf '%s' b; fi": "if a; then printf       ; fi",
		"echoes a b":                   "echoes a b",
	} {
		if got := (Text{Script: true, Value: script}).silent(); got != want {
			t.Errorf("%q is %q, want %q", script, got, want)
		}
		if got := (Text{Value: script}).silent(); got != script {
			t.Errorf("%q, no script, is %q", script, got)
		}
	}
}
