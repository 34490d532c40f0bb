// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// setCommand makes a container run the leader's command on index 0 and the
// worker's elsewhere. All Pods of a Job have one template, so a shell has to
// choose. What the user wrote is never part of its script: it stands in args,
// where the kubelet expands "$(NAME)" and no quote can break anything.
func (s setup) setCommand(container *corev1.Container) {
	own := slices.Concat(s.spec.Leader.Command, s.spec.Leader.Args)
	worker := slices.Concat(container.Command, container.Args)
	container.Command = []string{"/bin/sh", "-c", s.script(len(own), len(worker)), "peerjob"}
	container.Args = slices.Concat(own, worker)
}

// script is the shell script for a leader's and a worker's command of so many
// words; without a worker's there is the framework's own.
func (s setup) script(leader, worker int) string {
	var b strings.Builder
	b.WriteString("set -eu\n")
	b.WriteString(s.Leader.Prepare)
	b.WriteString(`if [ "$` + v1alpha1.EnvIndex + `" != 0 ]; then` + "\n")
	if worker > 0 {
		b.WriteString("  exec " + words(leader+1, worker) + "\n")
	} else {
		b.WriteString(strings.ReplaceAll(serve, "{worker}", s.Leader.Worker))
	}
	b.WriteString("fi\n")
	b.WriteString(s.Leader.Before)
	if worker > 0 {
		b.WriteString("exec " + words(1, leader) + "\n")
	} else {
		b.WriteString(`exec "$@"` + "\n")
	}
	return strings.NewReplacer("{port}", s.port(), "{processes}", s.processes()).Replace(b.String())
}

// serve runs a worker as long as the Job runs. A worker may end before its
// time: the leader is not there yet, or has failed and is started again. What
// would fail then is the worker's Pod, for nothing, or succeed, and never come
// back. So it is started again, unless there is no such program.
const serve = `  child=
  trap 'kill "$child" 2> /dev/null; exit 143' TERM INT
  while :; do
    {worker} & child=$!
    code=0; wait "$child" || code=$?
    [ "$code" != 126 ] && [ "$code" != 127 ] || exit "$code"
    echo "peerjob: the worker ended with code $code, and is started again" >&2
    sleep 1 & child=$!; wait "$child"
  done
`

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
