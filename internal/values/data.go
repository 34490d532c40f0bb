// SPDX-License-Identifier: Apache-2.0

package values

import (
	"errors"

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
		{"Size", "spec.peers, the number of peers.", "3"},
		{"ClusterDomain", "spec.clusterDomain, the DNS domain of the cluster.", "cluster.local"},
		{"Leader", "The name of the peer with index 0, as .Host of a peer.", "train-0.train"},
		{"Peers", "The peers, in the order of their indexes.", ""},
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

func namesOf(fields []Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

var templateFieldNames, peerFieldNames = namesOf(Fields()), namesOf(PeerFields())

// Data is what the templates of a PeerJob see. A name that it does not have is an
// error where a template asks for it.
type Data struct {
	group  *peerjob.Group
	values map[string]any
	stage  stage
}

// stage says what is not decided yet when a template is rendered. The zero stage
// has everything.
type stage int

const (
	// namingStage is for spec.service.name, which decides the names of the peers.
	namingStage stage = iota + 1
	// countingStage is for spec.peers, which decides everything but the values.
	countingStage
)

// NewData returns the data of a group of a PeerJob that v1alpha1.Default has seen.
func NewData(g *peerjob.Group, values map[string]any) *Data {
	return &Data{group: g, values: values}
}

// Values are the values that templates find in .Values.
func (d *Data) Values() map[string]any { return d.values }

// Fields are the names that templates may use.
func (d *Data) Fields() []string { return templateFieldNames }

// Field is the value of a name.
func (d *Data) Field(name string) (any, error) {
	if d.stage == countingStage && name != "Values" {
		return nil, errors.New("." + name + " is not known here; spec.peers may use .Values alone")
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
		return int(d.group.Peers()), nil
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
		return d.group.PeerName(0), nil
	case "Peers":
		return peersOf(d.group), nil
	}
	return nil, errors.New("." + name + " is not known")
}

// Peers are the peers, as templates see them. Their names are made when a
// template asks for them.
type Peers struct {
	n int
	// job is the Job's name; service and domain follow a host name, with their dots.
	job, service, domain string
}

func peersOf(g *peerjob.Group) *Peers {
	peers := &Peers{n: int(min(max(g.Peers(), 0), v1alpha1.MaxPeers)), job: g.JobName, service: "." + g.ServiceName()}
	if namespace := g.PeerJob.Namespace; namespace != "" {
		peers.domain = "." + g.SearchDomain(namespace)
	}
	return peers
}

// Len is how many peers there are.
func (p *Peers) Len() int { return p.n }

// At is the peer with an index.
func (p *Peers) At(index int) any { return Peer{p, index} }

// Peer is one peer, as templates see it.
type Peer struct {
	all   *Peers
	index int
}

// Fields are the names that templates may use.
func (p Peer) Fields() []string { return peerFieldNames }

// Field is the value of a name.
func (p Peer) Field(name string) (any, error) {
	if name == "Index" {
		return p.index, nil
	}
	hostname := rules.Hostname(p.all.job, int32(p.index))
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
