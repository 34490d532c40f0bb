// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// Row is one line of a contract, for people.
type Row struct {
	// Name is the variable, Value what it is in a PeerJob of three peers named
	// train, and Meaning what it is for.
	Name, Value, Meaning string
	// Elastic is whether it is there only with spec.framework.elastic.
	Elastic bool
	// Yields is whether the user's own takes its place.
	Yields bool
}

// sample is the PeerJob that the contract is shown for.
func (e *Entry) sample(elastic bool) setup {
	pj := &v1alpha1.PeerJob{}
	pj.Name = "train"
	pj.Spec.Peers = new(int32(3))
	pj.Spec.ClusterDomain = v1alpha1.DefaultClusterDomain
	pj.Spec.Framework = &v1alpha1.Framework{Type: e.Type}
	if e.Processes != "" {
		pj.Spec.Framework.ProcessesPerPeer = new(intstr.FromInt32(2))
	}
	if elastic {
		pj.Spec.Framework.Elastic = &v1alpha1.FrameworkElastic{MinPeers: new(int32(2)), MaxRestarts: new(int32(5))}
	}
	group := peerjob.NewGroup(pj, "")
	return setup{e, group, pj.Spec.Framework, []*peerjob.Group{group}, 0}
}

// Contract returns the variables as they are for three peers, with two
// processes each where there can be several.
func (e *Entry) Contract() []Row {
	rows := make([]Row, 0, len(e.Variables))
	for _, v := range e.Variables {
		row := Row{Name: v.Name, Value: v.value(e.sample(false)), Meaning: v.Meaning, Yields: v.Yields}
		if row.Value == "" {
			row.Value, row.Elastic = v.value(e.sample(true)), true
		}
		rows = append(rows, row)
	}
	return rows
}

// WithRoles says which roles of a PeerJob with several run the framework, in one or two
// sentences.
func (e *Entry) WithRoles() string {
	switch {
	case len(e.Tasks) > 0:
		var names []string
		for _, task := range e.Tasks {
			name := task.Name
			switch {
			case task.One && task.Outside:
				name += " (one peer, not in the list of all peers)"
			case task.One:
				name += " (one peer)"
			}
			names = append(names, name)
		}
		return "Those with the names of its tasks: " + diag.Listed(names, "and") + "."
	case e.Leader != nil && e.SSH:
		return "By default the role with one peer leads, wherever it stands, and with framework.roles the first. It runs its container's command, and is no host unless its processesPerPeer is 1 or more. The others are the hosts."
	case e.Leader != nil:
		return "By default the role with one peer leads, wherever it stands, and with framework.roles the first. It runs its container's command beside the server, or without a command the server alone. The others run their command, or the framework's worker."
	case e.OneRole != "":
		return "One: " + e.OneRole + "."
	}
	text := "The roles in `framework.roles` run it, with ranks in that order. Peer 0 of the first role is the rendezvous."
	sample := e.sample(false)
	for _, v := range e.Variables {
		if v.value(sample) == index {
			text += " In every later role with several peers, a shell computes `" + v.Name + "`, so the container needs `command`."
			break
		}
	}
	return text
}

// Servers are the commands of the server, with its port: beside the command of a leader, and
// in a leader's role without a command. They are "" for a framework whose leader needs one.
func (e *Entry) Servers() (beside, alone string) {
	if e.Leader == nil || e.Leader.Server == "" {
		return "", ""
	}
	s := e.sample(false)
	return strings.TrimSpace(s.fill(e.Leader.Before)), s.fill(e.Leader.Server)
}

// Line is a line of the file with all peers, "" where there is none.
func (e *Entry) Line() string {
	if e.Hostfile == nil {
		return ""
	}
	s := e.sample(false)
	return e.Hostfile.line(s.group.PeerName(0), s)
}
