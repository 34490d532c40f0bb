// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// setCommand makes a container run what its role runs of the framework: behind a script,
// or as it is. What the user wrote is never part of a script: it stands in args,
// where the kubelet expands "$(NAME)" and no quote can break anything.
func (s setup) setCommand(container *corev1.Container) {
	script, own := s.shell(container)
	if script == "" {
		return
	}
	container.Command = []string{"/bin/sh", "-c", s.fill(script), "peerjob"}
	container.Args = own
}

// shell is the script that a container runs, and the words of the user's that it gets; "" if
// they run as they are.
func (s setup) shell(container *corev1.Container) (script string, own []string) {
	own = slices.Concat(container.Command, container.Args)
	switch {
	case s.hasLeaderRole():
		script = s.roleScript(len(own) > 0)
	case s.Leader != nil && s.spec.Leader != nil:
		// All Pods of a Job have one template, so a shell has to choose.
		leader := slices.Concat(s.spec.Leader.Command, s.spec.Leader.Args)
		script = s.script(len(leader), len(own))
		own = slices.Concat(leader, own)
	case len(own) > 0:
		script = s.rankScript()
	}
	return script, own
}

const (
	// strict lets a script end with the first program that fails, and command runs what
	// the user wrote.
	strict  = "set -eu\n"
	command = "exec \"$@\"\n"
)

// fill puts the settings into a script.
func (s setup) fill(script string) string {
	return strings.NewReplacer("{port}", s.port(), "{processes}", s.processes(), "{rename}", s.rename()).Replace(script)
}

// roleScript is the shell script of a role of a framework whose leader has a role of its
// own; "" if the user's command runs as it is.
func (s setup) roleScript(own bool) string {
	script := s.Leader.Prepare
	switch {
	case s.leads() && own:
		if s.computes() {
			script += s.Leader.Computes
		}
		script += s.Leader.Before
	case s.leads():
		return strict + script + "exec " + s.Leader.Server + "\n"
	case !own:
		return strict + script + s.serve(stopAndWait)
	}
	if script == "" {
		return ""
	}
	return strict + script + command
}

// rankScript is the shell script that adds up a rank; "" if there is none to add up.
func (s setup) rankScript() string {
	script := ""
	for _, v := range s.computed() {
		script += "export " + v.Name + "=" + v.Value + "\n"
	}
	if script == "" {
		return ""
	}
	return script + command
}

// script is the shell script for a leader's and a worker's command of so many
// words; without a worker's there is the framework's own.
func (s setup) script(leader, worker int) string {
	var b strings.Builder
	b.WriteString(strict)
	b.WriteString(s.Leader.Prepare)
	b.WriteString(`if [ "$` + v1alpha1.EnvIndex + `" != 0 ]; then` + "\n")
	if worker > 0 {
		b.WriteString("  exec " + words(leader+1, worker) + "\n")
	} else {
		b.WriteString(indent(s.serve(stop)))
	}
	b.WriteString("fi\n")
	b.WriteString(s.Leader.Computes)
	b.WriteString(s.Leader.Before)
	if worker > 0 {
		b.WriteString("exec " + words(1, leader) + "\n")
	} else {
		b.WriteString(command)
	}
	return b.String()
}

// indent moves lines into a block.
func indent(lines string) string {
	return strings.ReplaceAll("\n"+strings.TrimSuffix(lines, "\n"), "\n", "\n  ")[1:] + "\n"
}

// serve runs a worker as long as the Job runs. A worker may end before its
// time: the leader is not there yet, or has failed and is started again. What
// would fail then is the worker's Pod, for nothing, or succeed, and never come
// back. So it is started again, unless there is no such program.
const serve = `trap '{stop}; exit 143' TERM INT
while :; do
  code=0
  {worker} & wait "$!" || code=$?
  [ "$code" != 126 ] && [ "$code" != 127 ] || exit "$code"
  echo "peerjob: the worker ended with code $code, and is started again" >&2
  sleep 1 & wait "$!"
done
`

// What a worker does when it is told to end. The end of the first process of a container
// is that of all; a worker behind the runner has its time to end well. A signal may come
// before the shell could keep $! in a variable of its own, so nothing does; there is none
// before the first worker.
const (
	stop        = `kill "${!:-}" 2> /dev/null || :`
	stopAndWait = `{ kill "${!:-}" && wait "$!"; } 2> /dev/null || :`
)

// serve is the script of a worker.
func (s setup) serve(stop string) string {
	return strings.NewReplacer("{worker}", s.Leader.Worker, "{stop}", stop).Replace(serve)
}

// words are count positional parameters of a shell, from the first one on.
func words(first, count int) string {
	list := make([]string, count)
	for i := range list {
		if number := first + i; number < 10 {
			list[i] = `"$` + strconv.Itoa(number) + `"`
		} else {
			list[i] = `"${` + strconv.Itoa(number) + `}"`
		}
	}
	return strings.Join(list, " ")
}
