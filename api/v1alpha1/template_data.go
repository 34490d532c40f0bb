// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"errors"
)

// TemplateField is a name that templates may use.
type TemplateField struct {
	// Name is how a template writes it, after the dot.
	Name string
	// Doc says what it is.
	Doc string
	// Example is its value for the PeerJob of the documentation.
	Example string
}

// TemplateFields are the names in the data of a template, in their order.
func TemplateFields() []TemplateField {
	return []TemplateField{
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
func PeerFields() []TemplateField {
	return []TemplateField{
		{"Index", "The completion index, from 0.", "1"},
		{"Hostname", "The host name of the Pod.", "train-1"},
		{"Host", "The name under which the peers of the same namespace reach it.", "train-1.train"},
		{"FQDN", "The fully qualified name, for Pods of other namespaces and for certificates; needs metadata.namespace.", "train-1.train.team-a.svc.cluster.local"},
	}
}

func namesOf(fields []TemplateField) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

var templateFieldNames, peerFieldNames = namesOf(TemplateFields()), namesOf(PeerFields())

// TemplateData is what the templates of a PeerJob see. Names which the PeerJob
// does not have yet are errors where a template asks for them.
type TemplateData struct {
	pj     *PeerJob
	values map[string]any
	peers  []TemplatePeer
	// naming says that the template which asks decides the names.
	naming bool
	// usesNames says that a template asked for a name that follows from the
	// Job's.
	usesNames bool
}

// NewTemplateData returns the data of a PeerJob that [Default] has seen.
func NewTemplateData(pj *PeerJob, values map[string]any) *TemplateData {
	return &TemplateData{pj: pj, values: values}
}

// Naming says whether what is rendered next is spec.service.name, from which
// the names of the peers follow.
func (d *TemplateData) Naming(naming bool) { d.naming = naming }

// UsesNames reports whether a template asked for a name that follows from the
// Job's.
func (d *TemplateData) UsesNames() bool { return d.usesNames }

// Fields are the names that templates may use.
func (d *TemplateData) Fields() []string { return templateFieldNames }

// Field is the value of a name.
func (d *TemplateData) Field(name string) (any, error) {
	switch name {
	case "Name":
		return d.pj.Name, nil
	case "Namespace":
		if d.pj.Namespace == "" {
			return nil, nil
		}
		return d.pj.Namespace, nil
	case "Size":
		return int(d.pj.Peers()), nil
	case "ClusterDomain":
		return d.pj.Spec.ClusterDomain, nil
	case "Values":
		return d.values, nil
	}
	if d.naming {
		return nil, errors.New("." + name + " follows from spec.service.name, which this template decides; use .Name")
	}
	switch name {
	case "Service":
		return d.pj.ServiceName(), nil
	case "Leader":
		d.usesNames = true
		return d.pj.PeerName(0), nil
	case "Peers":
		d.usesNames = true
		if d.peers == nil {
			d.peers = peersOf(d.pj)
		}
		return d.peers, nil
	}
	return nil, errors.New("." + name + " is not known")
}

// TemplatePeer is one peer, as templates see it.
type TemplatePeer struct {
	Index    int
	Hostname string
	Host     string
	FQDN     string `json:",omitempty"`
}

func peersOf(pj *PeerJob) []TemplatePeer {
	peers := make([]TemplatePeer, min(max(pj.Peers(), 0), MaxPeers))
	job, service, domain := pj.JobName(), "."+pj.ServiceName(), ""
	if pj.Namespace != "" {
		domain = "." + pj.SearchDomain(pj.Namespace)
	}
	for i := range peers {
		hostname := hostname(job, int32(i))
		peers[i] = TemplatePeer{Index: i, Hostname: hostname, Host: hostname + service}
		if domain != "" {
			peers[i].FQDN = hostname + service + domain
		}
	}
	return peers
}

// Fields are the names that templates may use.
func (p TemplatePeer) Fields() []string { return peerFieldNames }

// Field is the value of a name.
func (p TemplatePeer) Field(name string) (any, error) {
	switch name {
	case "Index":
		return p.Index, nil
	case "Hostname":
		return p.Hostname, nil
	case "Host":
		return p.Host, nil
	}
	if p.FQDN == "" {
		return nil, errors.New(".FQDN is not known without metadata.namespace; set it, or use .Host")
	}
	return p.FQDN, nil
}
