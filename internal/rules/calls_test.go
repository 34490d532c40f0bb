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
	for name, tt := range map[string]struct {
		command, args []string
		want          []string // "<program> <args> (<field of the program>)"
	}{
		"nothing":              {nil, nil, nil},
		"words":                {[]string{"/usr/bin/a", "b"}, []string{"c"}, []string{"a b c (c.command[0])"}},
		"args":                 {nil, []string{"a", "b"}, []string{"a b (c.args[0])"}},
		"starters":             {[]string{"/usr/bin/env", "A=b", "tini"}, []string{"--", "a"}, []string{"a (c.args[1])"}},
		"a script":             {[]string{"/bin/sh", "-ec"}, []string{"a 'b' &\nif ! /c/d; then exec e \\\n  f; fi # g"}, []string{"a b & (c.args[0])", "d (c.args[0])", "e f (c.args[0])", "fi (c.args[0])"}},
		"a script of no shell": {[]string{"a", "-c", "import b\nc d"}, nil, []string{"a -c import b\nc d (c.command[0])"}},
		"a shell with a file":  {[]string{"bash", "a.sh"}, nil, []string{"bash a.sh (c.command[0])"}},
		"an empty word":        {[]string{""}, nil, []string{". (c.command[0])"}},
		"an empty script":      {[]string{"sh", "-c", " "}, nil, nil},
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
