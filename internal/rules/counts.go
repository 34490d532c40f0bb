// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// What a number counts: the peers, or the processes of all peers together.
type counted int

const (
	countsNothing counted = iota
	countsPeers
	countsProcesses
)

// countingVariables are variables whose value is a number of peers or processes in
// every program that reads them.
var countingVariables = map[string]counted{
	"NNODES": countsPeers, "PET_NNODES": countsPeers, "NUM_NODES": countsPeers, "NUM_MACHINES": countsPeers, "SLURM_NNODES": countsPeers,
	"SLURM_JOB_NUM_NODES": countsPeers, "PADDLE_NNODES": countsPeers, "NUM_REPLICAS": countsPeers, "NUM_HOSTS": countsPeers, "NODE_COUNT": countsPeers,
	"WORLD_SIZE": countsProcesses, "NUM_PROCESSES": countsProcesses, "JAX_NUM_PROCESSES": countsProcesses, "SLURM_NTASKS": countsProcesses,
}

// Counts reports whether the value of a variable is a number of peers or processes.
func Counts(variable string) bool { return whatCounts(variable) != countsNothing }

// whatCounts is what the value of a variable counts, whatever its case.
func whatCounts(variable string) counted { return countingVariables[strings.ToUpper(variable)] }

// countingFlag matches a flag that is followed by a number of peers or processes.
// "1:4" is a range, and no number.
var countingFlag = lazyregexp.New(`--(nnodes|num[_-]nodes|num[_-]machines|num[_-]processes)(?:=|\s+|$)["']?(\d*)(:?)`)

// ProcessesOfTheirOwn stands for a number of processes in each Pod that the program
// itself finds out.
const ProcessesOfTheirOwn int32 = -1

// countsIn finds numbers of peers in a container that contradict so many peers:
// "--nnodes=8" of four. A container that also has the right number is left alone, and so is
// the number 1: its peers may work on their own. perPeer is the number of processes in each
// Pod, 0 where nothing sets one, size what to write for the number of peers, and of whose
// they are: "" or such as " in all roles".
func countsIn(container *corev1.Container, peers int64, perPeer int32, size, of string, path *field.Path) []diag.Warning {
	var w []diag.Warning
	processes := processesOf(container, perPeer)
	type contradiction struct {
		at      *field.Path
		what    string
		number  int64
		counted counted
	}
	agrees := map[counted]bool{}
	var found []contradiction
	count := func(at *field.Path, what, text string, counted counted) {
		number, err := strconv.ParseInt(text, 10, 32)
		switch {
		case err != nil || number == 1:
		case number == peers || counted == countsProcesses && processes.agree(number, peers):
			agrees[counted] = true
		default:
			found = append(found, contradiction{at, what, number, counted})
		}
	}
	for _, text := range Texts(container, path) {
		if counted := whatCounts(text.Variable); counted != countsNothing {
			count(text.Path(), text.Variable+" is "+text.Value, strings.TrimSpace(text.Value), counted)
		}
		if !countingFlag.MatchString(text.Value) {
			continue
		}
		for _, match := range countingFlag.FindAllStringSubmatch(text.silent(), -1) {
			number := match[2]
			if number == "" && strings.HasSuffix(text.Value, "--"+match[1]) && text.Variable == "" {
				number = text.Next
			}
			counted := countsPeers
			if strings.HasPrefix(match[1], "num") && strings.HasSuffix(match[1], "processes") {
				counted = countsProcesses
			}
			if match[3] == "" {
				count(text.Path(), "--"+match[1]+" is "+number, number, counted)
			}
		}
	}
	for _, c := range found {
		if agrees[c.counted] {
			continue
		}
		cure, unit := size, diag.There(peers, "peer")+of
		if c.counted == countsProcesses && processes.most() > 1 {
			cure, unit = strconv.FormatInt(peers*processes.most(), 10), fmt.Sprintf("%s of %d processes%s", diag.There(peers, "peer"), processes.most(), of)
		}
		w = append(w, diag.Warn(c.at, "%s, and %s; write %s, or change the number of peers", c.what, unit, cure))
	}
	return w
}

// mostRoles is the largest number of roles whose sums are all looked at.
const mostRoles = 8

// CountsOfRoles finds numbers of peers that contradict the Job of one role of a group, or
// the only Job of one without roles: "--nnodes=8" of four peers. A number may also be that
// of another role, or of several roles together: some of them may compute, and others not.
// perPeer is the number of processes in each Pod, 0 where nothing sets one, and size what to
// write for the number of peers of the Job, which is its spec.completions.
func CountsOfRoles(template *corev1.PodTemplateSpec, job *batchv1.Job, perPeer int32, size string, roles []int32, path *field.Path) []diag.Warning {
	if len(roles) < 2 {
		roles = nil
	}
	return CountsOfContainers(template, job, perPeer, size, func(string) ([]int32, string) { return roles, " in all roles" }, path)
}

// CountsOfContainers is [CountsOfRoles] where the container with a name may have other
// roles in mind: rolesOf are their numbers of peers, and whose the peers are, such as
// " in all roles". No roles are the Job alone.
func CountsOfContainers(template *corev1.PodTemplateSpec, job *batchv1.Job, perPeer int32, size string, rolesOf func(container string) ([]int32, string), path *field.Path) []diag.Warning {
	own := int64(lastIndex(job)) + 1
	var w []diag.Warning
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		roles, of := rolesOf(container.Name)
		if len(roles) == 0 || len(roles) == 1 && int64(roles[0]) == own {
			w = append(w, countsIn(container, own, perPeer, size, "", path)...)
			return
		}
		sums := sumsOf(roles)
		total := int64(sums[len(sums)-1])
		wrong := countsIn(container, total, perPeer, strconv.FormatInt(total, 10), of, path)
		for _, peers := range sums {
			if len(wrong) == 0 {
				break
			}
			contradict := countsIn(container, int64(peers), perPeer, size, "", path)
			wrong = slices.DeleteFunc(wrong, func(one diag.Warning) bool {
				return !slices.ContainsFunc(contradict, func(other diag.Warning) bool { return other.Field == one.Field })
			})
		}
		w = append(w, wrong...)
	})
	return w
}

// sumsOf are the numbers of peers of any roles together: of many roles, only of each, and
// of all.
func sumsOf(roles []int32) []int32 {
	sums := map[int64]bool{}
	total := int64(0)
	for _, peers := range roles {
		total += int64(peers)
		if len(roles) <= mostRoles {
			for sum := range maps.Clone(sums) {
				sums[sum+int64(peers)] = true
			}
		}
		sums[int64(peers)] = true
	}
	sums[total] = true
	var all []int32
	for _, sum := range slices.Sorted(maps.Keys(sums)) {
		all = append(all, int32(min(sum, math.MaxInt32)))
	}
	return all
}

// processes are how many processes each Pod may have, as far as its container says.
type processes struct {
	known []int64
	// unknown is whether it has a number that can't be read here.
	unknown bool
}

func (p processes) most() int64 { return slices.Max(p.known) }

// agree reports whether so many processes may be those of all peers.
func (p processes) agree(all, peers int64) bool {
	return p.unknown && all%peers == 0 || slices.ContainsFunc(p.known, func(n int64) bool { return n*peers == all })
}

// perNode matches how programs are told how many processes to start in a Pod.
var perNode = lazyregexp.New(`(?i)(?:nproc|procs|processes|ntasks|gpus|num_gpus)[_-]?per[_-]?(?:node|host|machine)(?:=|\s+|$)["']?([^\s"';&|)]*)`)

// hasPer reports whether a text has the "per" of perNode, which is faster to look for.
func hasPer(text string) bool {
	for i := range len(text) - len("per") + 1 {
		if strings.EqualFold(text[i:i+len("per")], "per") {
			return true
		}
	}
	return false
}

// mentionsProcesses reports whether a string speaks of the number of processes.
func mentionsProcesses(text string) bool { return strings.Contains(strings.ToLower(text), "nproc") }

func processesOf(container *corev1.Container, perPeer int32) processes {
	p := processes{known: []int64{1}, unknown: perPeer == ProcessesOfTheirOwn}
	add := func(text string) {
		if n, err := strconv.ParseInt(text, 10, 32); err == nil && n > 0 {
			p.known = append(p.known, n)
		} else {
			p.unknown = true
		}
	}
	if perPeer > 0 {
		p.known = append(p.known, int64(perPeer))
	}
	if gpus := GPUs(container); gpus > 1 {
		p.known = append(p.known, gpus)
	}
	for _, text := range Texts(container, nil) {
		if !hasPer(text.Variable) && !hasPer(text.Value) {
			continue
		}
		if match := perNode.FindStringSubmatch(text.Variable + "=" + text.silent()); match != nil {
			if match[1] == "" {
				match[1] = text.Next
			}
			add(match[1])
		}
	}
	return p
}

// GPUs returns the number of GPUs of a container.
func GPUs(container *corev1.Container) int64 {
	n := int64(0)
	for _, name := range []corev1.ResourceName{"nvidia.com/gpu", "amd.com/gpu"} {
		quantity, found := container.Resources.Limits[name]
		if !found {
			quantity = container.Resources.Requests[name]
		}
		n += quantity.Value()
	}
	return n
}

// torchrun matches a call of torchrun.
var torchrun = lazyregexp.New(`\btorchrun\b|torch\.distributed\.(?:run|launch)\b`)

// GPUProcesses finds containers in which torchrun starts another number of processes
// than there are GPUs. perPeer is the number of processes that the field at perPeerPath
// sets, 0 where it sets none; runsTorchrun tells which containers run torchrun, whatever
// their command is.
func GPUProcesses(template *corev1.PodTemplateSpec, runsTorchrun func(container string) bool, perPeer int32, perPeerPath, path *field.Path) []diag.Warning {
	var w []diag.Warning
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		gpus := GPUs(container)
		texts := Texts(container, path)
		framework := runsTorchrun(container.Name)
		if gpus == 0 || framework && perPeer == ProcessesOfTheirOwn || !framework && !slices.ContainsFunc(texts, func(t Text) bool { return torchrun.MatchString(t.Value) && torchrun.MatchString(t.silent()) }) {
			return
		}
		said := false
		for _, text := range texts {
			said = said || mentionsProcesses(text.Value) || mentionsProcesses(text.Variable)
			match := perNode.FindStringSubmatch(text.Variable + "=" + text.silent())
			if match == nil {
				continue
			}
			if match[1] == "" {
				match[1] = text.Next
			}
			if n, err := strconv.ParseInt(match[1], 10, 32); err == nil && contradicts(n, gpus) {
				w = append(w, diag.Warn(text.Path(), "starts %d processes, and the container has %d GPUs; write %d, or change the limit", n, gpus, gpus))
			}
		}
		switch {
		case framework && perPeer > 0 && !said:
			if contradicts(int64(perPeer), gpus) {
				w = append(w, diag.Warn(perPeerPath, "%d processes start in each Pod, and the container %s has %d GPUs; write %d, or change the limit", perPeer, container.Name, gpus, gpus))
			}
		case said || perPeer > 0 || gpus == 1 || len(container.EnvFrom) > 0 || slices.ContainsFunc(container.Env, func(v corev1.EnvVar) bool { return mentionsProcesses(v.Name) }):
		case framework:
			w = append(w, diag.Warn(perPeerPath, "torchrun starts one process in each Pod, and the container %s has %d GPUs: %d are idle; set it to %d", container.Name, gpus, gpus-1, gpus))
		default:
			w = append(w, diag.Warn(path.Child("resources", "limits"), "torchrun starts one process in each Pod, and there are %d GPUs: %d are idle; write --nproc-per-node=%d", gpus, gpus-1, gpus))
		}
	})
	return w
}

// contradicts reports whether so many processes are not meant for so many GPUs. One
// process may use all of them.
func contradicts(processes, gpus int64) bool { return processes > 1 && processes != gpus }
