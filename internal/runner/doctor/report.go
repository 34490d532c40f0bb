// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"encoding/json"
	"time"
)

// The kind of a [Report], by which "peerjob doctor" finds it among other objects.
const (
	ReportAPIVersion = "peerjob.dev/v1alpha1"
	ReportKind       = "DoctorReport"
)

// Report is what one peer sees, for "peerjob doctor", which reads those of several peers
// together. It is written as JSON.
type Report struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Metadata has the namespace of the peers, and the host name of this one as its name.
	Metadata ReportMetadata `json:"metadata"`
	// Job and Service are the names of the Job and its Service.
	Job     string `json:"job"`
	Service string `json:"service"`
	// Index is the index of this peer, -1 if that is not known.
	Index int32 `json:"index"`
	// Addresses are those of this Pod.
	Addresses []string `json:"addresses,omitempty"`
	// Nameservers are what each nameserver says of the Service.
	Nameservers []ReportAnswer `json:"nameservers,omitempty"`
	// Port is the port that was tried, and Peers are what was seen of each peer.
	Port  int32        `json:"port"`
	Peers []ReportPeer `json:"peers"`
	// Findings are what is wrong, the cause before the effect.
	Findings []ReportFinding `json:"findings"`
}

// ReportMetadata says which Pod wrote a report.
type ReportMetadata struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

// ReportAnswer is what DNS says of a name.
type ReportAnswer struct {
	// Server is who answered; "" in the answer for a peer.
	Server string `json:"server,omitempty"`
	// Code is one of found, no-address, no-name, server-failed, no-answer and not-asked.
	Code      string   `json:"code"`
	Addresses []string `json:"addresses,omitempty"`
	// TTLSeconds is for how long the answer may be cached, and Cached whether a negative
	// one came from a cache.
	TTLSeconds int64 `json:"ttlSeconds,omitempty"`
	Cached     bool  `json:"cached,omitempty"`
	// Milliseconds is how long the answer took.
	Milliseconds int64  `json:"milliseconds,omitempty"`
	Problem      string `json:"problem,omitempty"`
}

// ReportPeer is what was seen of one peer.
type ReportPeer struct {
	Index int32        `json:"index"`
	DNS   ReportAnswer `json:"dns"`
	// Connection is one of open, refused, timed-out, unreachable and not-tried.
	Connection string `json:"connection"`
}

// ReportFinding is one thing that is wrong.
type ReportFinding struct {
	// Severity is error or warning.
	Severity string `json:"severity"`
	Is       string `json:"is"`
	Do       string `json:"do"`
}

// The codes of answers and connections in a [Report].
var (
	codes       = map[Code]string{NotAsked: "not-asked", Found: "found", NoAddress: "no-address", NoName: "no-name", ServerFailed: "server-failed", NoAnswer: "no-answer"}
	connections = map[Connection]string{NotTried: "not-tried", Open: "open", Refused: "refused", TimedOut: "timed-out", Unreachable: "unreachable"}
)

// String is the name of a code in a [Report].
func (c Code) String() string { return codes[c] }

// String is the name of what came of a connection in a [Report].
func (c Connection) String() string { return connections[c] }

func (a *Answer) report() ReportAnswer {
	r := ReportAnswer{Server: a.Server, Code: a.Code.String(), Cached: a.Cached, TTLSeconds: int64(a.TTL / time.Second), Milliseconds: a.Took.Milliseconds(), Problem: a.Problem}
	for _, address := range a.Addresses {
		r.Addresses = append(r.Addresses, address.String())
	}
	return r
}

// JSON is the report for "peerjob doctor".
func (o *Observation) JSON(findings []Finding) (string, error) {
	s := &o.Self
	r := Report{
		APIVersion: ReportAPIVersion, Kind: ReportKind, Metadata: ReportMetadata{s.Hostname, s.Namespace},
		Job: s.Job, Service: s.Service, Index: s.Index, Port: int32(o.Port), Peers: []ReportPeer{}, Findings: []ReportFinding{},
	}
	for _, address := range s.Addresses {
		r.Addresses = append(r.Addresses, address.String())
	}
	for i := range o.Servers {
		r.Nameservers = append(r.Nameservers, o.Servers[i].report())
	}
	for i := range o.Peers {
		peer := &o.Peers[i]
		answer := peer.Answer.report()
		answer.Server = ""
		r.Peers = append(r.Peers, ReportPeer{peer.Index, answer, peer.Connection.String()})
	}
	for _, f := range findings {
		severity := "warning"
		if f.IsError {
			severity = "error"
		}
		r.Findings = append(r.Findings, ReportFinding{severity, f.Is, f.Do})
	}
	out, err := json.MarshalIndent(r, "", "  ")
	return string(out) + "\n", err
}
