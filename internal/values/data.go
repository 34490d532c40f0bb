// SPDX-License-Identifier: Apache-2.0

package values

import (
	"errors"
	"sort"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/rules"
)

// Field is a name that templates may use.
type Field struct {
	// Name is how a template writes it, after the dot.
	Name string
	// Doc says what it is.
	Doc string
	// Example is its value for the PeerJob of the documentation.
	Example string
}

// Fields are the names in the data of a template, in their order.
func Fields() []Field {
	return []Field{
		{"Name", "metadata.name.", "train"},
		{"Namespace", "metadata.namespace; null when it is not set.", "team-a"},
		{"Service", "The name of the headless Service.", "train"},
		{"Size", "spec.peers, the number of peers; in a PeerJob with roles that of the role, and outside of the roles that of all together.", "3"},
		{"ClusterDomain", "spec.clusterDomain, the DNS domain of the cluster.", "cluster.local"},
		{"Leader", "The name of the peer with index 0, as .Host of a peer; of the first role if there are several.", "train-0.train"},
		{"Peers", "The peers, in the order of their indexes; in a PeerJob with roles those of the role, and outside of the roles all, in the order of the roles.", ""},
		{"Role", "The name of the role, in a field of a role; null elsewhere.", ""},
		{"Roles", "The roles, in their order; empty without roles.", ""},
		{"Values", "The values: spec.values over those of spec.valuesFrom.", ""},
	}
}

// PeerFields are the names in each element of .Peers, in their order.
func PeerFields() []Field {
	return []Field{
		{"Index", "The completion index, from 0.", "1"},
		{"Hostname", "The host name of the Pod.", "train-1"},
		{"Host", "The name under which the peers of the same namespace reach it.", "train-1.train"},
		{"FQDN", "The fully qualified name, for Pods of other namespaces and for certificates; needs metadata.namespace.", "train-1.train.team-a.svc.cluster.local"},
	}
}

// RoleFields are the names in each element of .Roles, in their order.
func RoleFields() []Field {
	return []Field{
		{"Name", "The name of the role.", "worker"},
		{"Job", "The name of its Job.", "train-worker"},
		{"Size", "Its number of peers.", "4"},
		{"Leader", "The name of its peer with index 0, as .Host of a peer.", "train-worker-0.train"},
		{"Peers", "Its peers, in the order of their indexes.", ""},
	}
}

func namesOf(fields []Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

var templateFieldNames, peerFieldNames, roleFieldNames = namesOf(Fields()), namesOf(PeerFields()), namesOf(RoleFields())

// Data is what the templates of a PeerJob see. A name that it does not have is an
// error where a template asks for it.
type Data struct {
	group  *peerjob.Group
	values map[string]any
	stage  stage
	// whole is whether the template is outside of the roles of a PeerJob with some.
	whole bool
}

// stage says what is not decided yet when a template is rendered. The zero stage
// has everything.
type stage int

const (
	// namingStage is for spec.service.name, which decides the names of the peers.
	namingStage stage = iota + 1
	// countingStage is for numbers of peers, which decide everything but the values.
	countingStage
)

// NewData returns the data of a PeerJob that v1alpha1.Default has seen, for its fields
// outside of roles.
func NewData(g *peerjob.Group, values map[string]any) *Data {
	return &Data{group: g, values: values, whole: g.HasRoles()}
}

// forRole returns the data for the fields of a role.
func (d *Data) forRole(g *peerjob.Group) *Data {
	return &Data{group: g, values: d.values}
}

// Values are the values that templates find in .Values.
func (d *Data) Values() map[string]any { return d.values }

// Fields are the names that templates may use.
func (d *Data) Fields() []string { return templateFieldNames }

// Field is the value of a name.
func (d *Data) Field(name string) (any, error) {
	if d.stage == countingStage && name != "Values" {
		return nil, errors.New("." + name + " is not known here; the number of peers may use .Values alone")
	}
	switch name {
	case "Name":
		return d.group.PeerJob.Name, nil
	case "Namespace":
		if d.group.PeerJob.Namespace == "" {
			return nil, nil
		}
		return d.group.PeerJob.Namespace, nil
	case "Size":
		if d.whole {
			return int(d.group.Total()), nil
		}
		return int(d.group.Peers()), nil
	case "Role":
		if d.whole || !d.group.HasRoles() {
			return nil, nil
		}
		return d.group.RoleName(), nil
	case "ClusterDomain":
		return d.group.PeerJob.Spec.ClusterDomain, nil
	case "Values":
		return d.values, nil
	}
	if d.stage == namingStage {
		return nil, errors.New("." + name + " follows from spec.service.name, which this template decides; use .Name")
	}
	switch name {
	case "Service":
		return d.group.ServiceName(), nil
	case "Leader":
		return d.group.LeaderName(), nil
	case "Peers":
		if d.whole {
			return peersOf(d.group.All()...), nil
		}
		return peersOf(d.group), nil
	case "Roles":
		return &Roles{d.group}, nil
	}
	return nil, errors.New("." + name + " is not known")
}

// WhyNull says why a name has no value here, and what to write instead.
func (d *Data) WhyNull(name string) string {
	switch {
	case name == "Namespace":
		return `is null, because metadata.namespace is not set; set it, or write | default ""`
	case name != "Role":
		return ""
	case !d.group.HasRoles():
		return "is null, because the PeerJob has no roles; it is the name of the role, in the fields of spec.roles[]"
	}
	return "is null, because this field belongs to all roles; it is the name of the role in the fields of spec.roles[], and here .Roles has all of them"
}

// Peers are peers, as templates see them. Their names are made when a template asks for
// them.
type Peers struct {
	n int
	// jobs are the names of the Jobs, and ends the number of peers up to the end of each.
	jobs []string
	ends []int
	// service and domain follow a host name, with their dots.
	service, domain string
}

func peersOf(groups ...*peerjob.Group) *Peers {
	first := groups[0]
	peers := &Peers{service: "." + first.ServiceName()}
	for _, g := range groups {
		peers.n += int(min(max(g.Peers(), 0), v1alpha1.MaxPeers))
		peers.jobs, peers.ends = append(peers.jobs, g.JobName), append(peers.ends, peers.n)
	}
	if namespace := first.PeerJob.Namespace; namespace != "" {
		peers.domain = "." + first.SearchDomain(namespace)
	}
	return peers
}

// Len is how many peers there are.
func (p *Peers) Len() int { return p.n }

// At is the peer with an index.
func (p *Peers) At(index int) any {
	job := sort.SearchInts(p.ends, index+1)
	if job > 0 {
		index -= p.ends[job-1]
	}
	return Peer{p, p.jobs[job], index}
}

// Peer is one peer, as templates see it.
type Peer struct {
	all   *Peers
	job   string
	index int
}

// Fields are the names that templates may use.
func (p Peer) Fields() []string { return peerFieldNames }

// Field is the value of a name.
func (p Peer) Field(name string) (any, error) {
	if name == "Index" {
		return p.index, nil
	}
	hostname := rules.Hostname(p.job, int32(p.index))
	switch name {
	case "Hostname":
		return hostname, nil
	case "Host":
		return hostname + p.all.service, nil
	}
	if p.all.domain == "" {
		return nil, errors.New(".FQDN is not known without metadata.namespace; set it, or use .Host")
	}
	return hostname + p.all.service + p.all.domain, nil
}

// Roles are the roles of a PeerJob, as templates see them.
type Roles struct{ group *peerjob.Group }

// Len is how many roles there are.
func (r *Roles) Len() int {
	if !r.group.HasRoles() {
		return 0
	}
	return len(r.group.All())
}

// At is the role at a place.
func (r *Roles) At(index int) any { return Role{r.group.All()[index]} }

// Role is one role, as templates see it.
type Role struct{ group *peerjob.Group }

// Fields are the names that templates may use.
func (r Role) Fields() []string { return roleFieldNames }

// Field is the value of a name.
func (r Role) Field(name string) (any, error) {
	switch name {
	case "Name":
		return r.group.RoleName(), nil
	case "Job":
		return r.group.JobName, nil
	case "Size":
		return int(r.group.Peers()), nil
	case "Leader":
		return r.group.PeerName(0), nil
	}
	return peersOf(r.group), nil
}
