// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"slices"
	"strconv"
	"strings"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// Entry is one framework: what it reads, and where that is written down.
type Entry struct {
	// Type is the value of spec.framework.type.
	Type string
	// About says what is wired, in one sentence.
	About string
	// Sources are the places where the contract can be read: in the framework's
	// own source or documentation.
	Sources []string
	// Ports are opened by the framework. The first one is spec.framework.port.
	Ports []Port
	// Variables are what the framework reads, in their order.
	Variables []Variable
	// Processes says what spec.framework.processesPerPeer sets; "" where the
	// framework starts one process in a Pod.
	Processes string
	// CountsProcesses are the words that it takes for processesPerPeer instead of a
	// number.
	CountsProcesses []string
	// Elastic is whether spec.framework.elastic is known to it.
	Elastic bool
	// Hostfile is the file with all hosts; nil where it reads none.
	Hostfile *Hostfile
	// Leader is what index 0 and the others run; nil where all run the same.
	Leader *Leader
	// Tasks are the names by which it knows roles; none for a framework that knows none.
	Tasks []Task
	// OneRole says why no more than one role can run it; "" where several can.
	OneRole string
	// SameProcesses is whether all roles must have the same processesPerPeer.
	SameProcesses bool
	// SSH is whether the leader starts the other processes through ssh.
	SSH bool
	// StrictSlots is whether the program that does so ends at once if it is to start more
	// processes than there are slots. Others go round the hosts once more.
	StrictSlots bool
	// Notes are what a user should know, a sentence or two each.
	Notes []string
}

// Port is a TCP port of a framework.
type Port struct {
	// Name is the port's name in the Service. It begins with "tcp-", which
	// service meshes read as the protocol.
	Name string
	// Number is the default.
	Number int32
	// Meaning says who listens on it.
	Meaning string
}

// Variable is one variable of a contract.
type Variable struct {
	Name, Meaning string
	// Yields is whether one of the user's takes its place; else that is refused.
	Yields bool
	// value is the value; "" leaves the variable out.
	value func(s setup) string
}

// Task is a role that a framework knows by its name.
type Task struct {
	// Name is the name of the role.
	Name string
	// Also are other words for it, which the framework does not know.
	Also []string
	// One is whether it has one peer at most.
	One bool
	// Outside is whether its peers are not in the list of all peers.
	Outside bool
	// Serves is whether its programs are meant to serve until they are stopped.
	Serves bool
}

// Hostfile is a file with a line for each peer.
type Hostfile struct {
	// Directory is where the ConfigMap is mounted, and File the file in it.
	Directory, File string
	// line is the line of a host.
	line func(host string, s setup) string
}

// Path is where the framework, or the shell that starts it, finds the file.
func (h *Hostfile) Path() string { return h.Directory + "/" + h.File }

// Leader is what the peers of a framework with a leader run, as lines for a
// POSIX shell. {port} and {processes} stand for the settings, and {rename} for the
// arguments of a sed that puts the names of today into the hostfile.
type Leader struct {
	// Prepare is run by every peer first.
	Prepare string
	// Computes is run next by a leader that is one of the hosts.
	Computes string
	// Before is run by index 0 before the user's own command.
	Before string
	// Server is what a leader with a role of its own runs if its container has no command;
	// "" where it needs one.
	Server string
	// Worker is what the other peers run, as long as the Job does, unless the
	// container has a command.
	Worker string
	// Twice are programs, with some of their arguments, that do once more what Before does
	// if the leader's command starts them, and Another are those that do it for themselves
	// if a worker's command does.
	Twice, Another []string
}

// Find returns the entry of a type.
func Find(name string) (*Entry, bool) {
	for i := range table {
		if table[i].Type == name {
			return &table[i], true
		}
	}
	return nil, false
}

// Entries returns all frameworks, by name.
func Entries() []Entry {
	return slices.SortedFunc(slices.Values(table), func(a, b Entry) int { return strings.Compare(strings.ToLower(a.Type), strings.ToLower(b.Type)) })
}

// Types are the names of all frameworks.
func Types() []string {
	var names []string
	for _, entry := range Entries() {
		names = append(names, entry.Type)
	}
	return names
}

// setup is an entry, set up for one group.
type setup struct {
	*Entry
	group *peerjob.Group
	spec  *v1alpha1.Framework
	// roles are the groups that run the framework, in the order of their ranks, and at is
	// the place of group among them.
	roles []*peerjob.Group
	at    int
}

// setupOf returns false for a group without a framework, with one that is not known, and
// for a role that does not run it.
func setupOf(g *peerjob.Group) (setup, bool) {
	for _, s := range setupsOf(g) {
		if s.group.Role == g.Role {
			return s, true
		}
	}
	return setup{}, false
}

// port is the main port.
func (s setup) port() string {
	return strconv.Itoa(int(s.portNumber()))
}

func (s setup) portNumber() int32 {
	if s.spec.Port != nil {
		return *s.spec.Port
	}
	return s.Ports[0].Number
}

// peers is the number of peers that run the framework.
func (s setup) peers() string { return strconv.FormatInt(s.total(), 10) }

// processes is the number of processes in a Pod, 1 by default.
func (s setup) processes() string {
	processes, _ := s.processesPerPeer()
	if processes == nil {
		return "1"
	}
	return processes.String()
}

// all is a list of all peers, with commas between them: each is the peer's name
// between two texts.
func (s setup) all(before, after string) string {
	lists := make([]string, len(s.roles))
	for i, role := range s.roles {
		lists[i] = peersOf(role, before, after)
	}
	return strings.Join(lists, ",")
}

// peersOf is such a list of the peers of one role.
func peersOf(role *peerjob.Group, before, after string) string {
	var list strings.Builder
	prefix, service := before+nameOf(role)+"-", "."+reference(v1alpha1.EnvService)+after
	// More peers than there can be are refused, and not listed before.
	count := min(max(role.Peers(), 0), v1alpha1.MaxPeers)
	list.Grow(int(count) * (len(prefix) + len(service) + 6))
	for i := range count {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteString(prefix)
		list.WriteString(strconv.Itoa(int(i)))
		list.WriteString(service)
	}
	return list.String()
}

// reference is a variable as the kubelet expands it.
func reference(name string) string { return "$(" + name + ")" }

var index = reference(v1alpha1.EnvIndex)

// fixed is a value that is the same for every PeerJob.
func fixed(value string) func(setup) string {
	return func(setup) string { return value }
}

func peers(s setup) string { return s.peers() }

func port(s setup) string { return s.port() }

// leaderAt is the address of the leader, with its port, after a scheme.
func leaderAt(scheme string) func(setup) string {
	return func(s setup) string { return scheme + leader(s) + ":" + s.port() }
}

// leaderInFull is the fully qualified name of the leader, with its port. It is
// what a Pod has in its own /etc/hosts, and so what a program gets that asks
// for the canonical name of its own host.
func leaderInFull(s setup) string {
	return leader(s) + "." + s.group.SearchDomain(reference(v1alpha1.EnvNamespace)) + ":" + s.port()
}
