// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/rules"
)

// This file has what the user's commands start twice, or in contradiction to spec.framework.

// warnCalls finds programs in the commands of a role that do what the framework's script
// does, or are told something else than spec.framework says.
func (s setup) warnCalls() []diag.Warning {
	var w []diag.Warning
	s.eachContainer(func(container *corev1.Container, path *field.Path) {
		own := rules.Calls(container, path)
		switch {
		case s.Type == "Torchrun":
			w = append(w, s.warnTorchrun(own)...)
		case s.Leader == nil:
		case s.leads():
			w = append(w, s.warnLeader(own)...)
		default:
			w = append(w, s.warnWorker(own)...)
		}
	})
	if lead := s.spec.Leader; s.Leader != nil && !s.hasLeaderRole() && lead != nil {
		container := &corev1.Container{Command: lead.Command, Args: lead.Args}
		w = append(w, s.warnLeader(rules.Calls(container, peerjob.FrameworkPath.Child("leader")))...)
	}
	return w
}

// warnLeader finds the framework's server, started again, and more processes than the hosts
// have slots.
func (s setup) warnLeader(calls []rules.Call) []diag.Warning {
	var w []diag.Warning
	for _, call := range calls {
		at := slices.IndexFunc(s.Leader.Twice, func(text string) bool { return does(call, text) })
		if at < 0 {
			continue
		}
		cure := "remove it, and leave only your program"
		if s.leads() && len(calls) == 1 {
			cure = "leave out command and args, or write your program there"
		}
		w = append(w, diag.Warn(call.Path(-1), "runs %q, which spec.framework (%s) has already run in this container; %s", s.Leader.Twice[at], s.Type, cure))
	}
	return append(w, s.warnSlots(calls)...)
}

// warnWorker finds a server of its own in a worker.
func (s setup) warnWorker(calls []rules.Call) []diag.Warning {
	var w []diag.Warning
	for _, call := range calls {
		at := slices.IndexFunc(s.Leader.Another, func(text string) bool { return does(call, text) })
		switch {
		case at >= 0:
			w = append(w, diag.Warn(call.Path(-1), "runs %q in each of these Pods, and the leader of %s (spec.framework) runs it already; leave out command and args, and its worker runs here", s.Leader.Another[at], s.Type))
		case s.SSH && startsSSH(call) && !slices.ContainsFunc(call.Args, func(arg string) bool { return strings.Contains(arg, runDirectory) }):
			w = append(w, diag.Warn(call.Path(-1), "runs sshd without the port and the keys with which the leader of %s calls it (spec.framework); leave out command and args, and the right one runs here", s.Type))
		}
	}
	return w
}

// does reports whether a call is that of a program with a first argument, and with flags
// anywhere behind it. A call that only asks for a version or for help does nothing.
func does(call rules.Call, text string) bool {
	words := strings.Fields(text)
	switch {
	case call.Program != words[0], slices.ContainsFunc(call.Args, func(arg string) bool { return arg == "--version" || arg == "--help" }):
		return false
	case len(words) == 1:
		return true
	}
	return len(call.Args) > 0 && call.Args[0] == words[1] && !slices.ContainsFunc(words[2:], func(flag string) bool { return !slices.Contains(call.Args, flag) })
}

// startsSSH reports whether a call starts a server of ssh, and does not only check its
// configuration.
func startsSSH(call rules.Call) bool {
	if call.Program == "service" {
		return len(call.Args) > 1 && (call.Args[0] == "ssh" || call.Args[0] == "sshd") && call.Args[1] != "stop"
	}
	return call.Program == "sshd" && !slices.Contains(call.Args, "-t") && !slices.Contains(call.Args, "-T")
}

// MPIStarters are the programs that start the processes of MPI.
var MPIStarters = []string{"mpirun", "mpiexec.hydra", "mpiexec", "orterun"}

// The flags of the programs that start MPI. Those of others are not looked at: what stands
// behind one may be its value, or the program with flags of its own.
var (
	mpiNumber = []string{"-n", "--n", "-np", "--np"}
	// mpiValues are how many values follow a flag.
	mpiValues = map[string]int{
		"--allow-run-as-root": 0, "--tag-output": 0, "-tag-output": 0, "--report-bindings": 0, "-report-bindings": 0, "-v": 0, "-q": 0, "--quiet": 0, "-l": 0, "-prepend-rank": 0,
		"-x": 1, "--bind-to": 1, "-bind-to": 1, "-wdir": 1, "--wdir": 1, "--prefix": 1, "-genvlist": 1, "-envlist": 1,
		"--mca": 2, "-mca": 2, "-env": 2, "-genv": 2,
	}
)

// warnSlots finds more MPI processes than slots, where that fails. Fewer are common.
func (s setup) warnSlots(calls []rules.Call) []diag.Warning {
	if !s.StrictSlots {
		return nil
	}
	slots, peers := int64(0), int64(0)
	for _, host := range s.hostSetups() {
		each := int64(1)
		if processes, _ := host.processesPerPeer(); processes != nil {
			each = int64(processes.IntVal)
		}
		peers += int64(host.group.Peers())
		slots += int64(host.group.Peers()) * each
	}
	var w []diag.Warning
	for _, call := range calls {
		if at, number := mpiProcesses(call); number > slots {
			w = append(w, diag.Warn(call.Path(at), "starts %d processes, and there are %s (spec.framework): %s of %s, whose mpirun starts no more than that; start %d at most, or change processesPerPeer or the number of peers",
				number, diag.Count(slots, "slot"), diag.Count(peers, "host"), s.Type, slots))
		}
	}
	return w
}

// mpiProcesses is the number of processes that a call of mpirun starts on the hosts of the
// group, and the place of the argument with it; 0 if it is not sure.
func mpiProcesses(call rules.Call) (at int, number int64) {
	if !slices.Contains(MPIStarters, call.Program) || slices.Contains(call.Args, ":") {
		return 0, 0
	}
	for i := 0; i < len(call.Args); i++ {
		arg := call.Args[i]
		if slices.Contains(mpiNumber, arg) {
			if number != 0 || i+1 == len(call.Args) {
				return 0, 0
			}
			n, err := strconv.ParseInt(call.Args[i+1], 10, 32)
			if err != nil {
				return 0, 0
			}
			i++
			at, number = i, n
			continue
		}
		values, known := mpiValues[arg]
		switch {
		case !strings.HasPrefix(arg, "-"):
			return at, number // the program
		case !known:
			return 0, 0 // it may place the processes on its own
		}
		i += values
	}
	return at, number
}

func isNumber(value string) bool {
	_, err := strconv.Atoi(value)
	return err == nil
}

// programOf is the number of words before the program that torchrun starts, which has flags
// of its own. With "python -m", the first two words are the module torchrun.
func programOf(args []string, module bool) int {
	first := 0
	if module {
		first = slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "torch.distributed.") }) + 1
	}
	for i := first; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "-m", arg == "--module", arg == "--no-python", arg == "--no_python", strings.HasSuffix(arg, ".py"):
			return i
		case !strings.HasPrefix(arg, "-") && (i == first || !strings.HasPrefix(args[i-1], "-") || strings.Contains(args[i-1], "=")):
			return i // no value of a flag
		}
	}
	return len(args)
}

var (
	torchrunFlag  = lazyregexp.New(`^--?(nnodes|nproc[-_]per[-_]node|node[-_]rank|max[-_]restarts)(?:=(.*))?$`)
	torchrunValue = lazyregexp.New(`^(\d+(?::\d+)?|gpu|cpu|auto)$`)
)

// warnTorchrun finds flags of torchrun that take the place of what spec.framework sets. The
// plain number of peers in a group that is not elastic is for package rules.
func (s setup) warnTorchrun(calls []rules.Call) []diag.Warning {
	var w []diag.Warning
	for _, call := range calls {
		module := strings.HasPrefix(call.Program, "python") && slices.ContainsFunc(call.Args, func(arg string) bool { return arg == "torch.distributed.run" || arg == "torch.distributed.launch" })
		if call.Program != "torchrun" && !module {
			continue
		}
		if slices.Contains(call.Args, "--standalone") {
			continue // in this Pod alone
		}
		for i, arg := range call.Args[:programOf(call.Args, module)] {
			match := torchrunFlag.FindStringSubmatch(arg)
			if match == nil {
				continue
			}
			value := match[2]
			if !strings.Contains(arg, "=") && i+1 < len(call.Args) {
				i++
				value = call.Args[i]
			}
			value = strings.Trim(value, `"'`)
			if !torchrunValue.MatchString(value) {
				continue
			}
			switch strings.ReplaceAll(match[1], "_", "-") {
			case "node-rank":
				// A script with several calls may choose one of them by the index.
				if s.spec.Elastic == nil && s.group.Peers() > 1 && len(calls) == 1 {
					w = append(w, diag.Warn(call.Path(i), "--%s is %s in every peer; remove the flag: torchrun reads the rank from PET_NODE_RANK", match[1], value))
				}
				continue
			case "max-restarts":
				if s.spec.Elastic == nil && s.group.Restarts() && value != "0" {
					w = append(w, diag.Warn(call.Path(i), "--%s is %s, so torchrun restarts its processes in this peer alone before spec.failurePolicy restarts all peers; remove the flag", match[1], value))
				}
				continue
			case "nproc-per-node":
				// A word may be as many.
				if processes, path := s.processesPerPeer(); processes != nil && processes.String() != value && isNumber(value) {
					w = append(w, diag.Warn(call.Path(i), "--%s is %s, and takes the place of %s, which is %s; remove the flag, or set processesPerPeer to %[2]s", match[1], value, path, processes))
				}
				continue
			}
			least, most, isRange := strings.Cut(value, ":")
			switch {
			case s.spec.Elastic == nil && isRange && !(least == most && most == s.peers()):
				w = append(w, diag.Warn(call.Path(i), "--nnodes is %s, but the group always has %s peers; remove the flag, or set spec.framework.elastic", value, s.peers()))
			case s.spec.Elastic != nil && (isRange || value == s.peers()) && !s.nnodesAre(least, most):
				w = append(w, diag.Warn(call.Path(i), "--nnodes is %s, and takes the place of %s, by spec.framework.elastic; leave it out", value, s.least()+s.peers()))
			}
		}
	}
	return w
}

// nnodesAre reports whether a number of nodes, or a range with a most, is that of
// spec.framework.elastic.
func (s setup) nnodesAre(least, most string) bool {
	if most == "" {
		most = least
	}
	return least+":"+most == s.least()+s.peers()
}
