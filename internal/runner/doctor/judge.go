// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Code is how DNS answered.
type Code int

const (
	// NotAsked is a name that there was no time for.
	NotAsked Code = iota
	// Found is one with addresses.
	Found
	// NoAddress is a name that DNS has, without addresses.
	NoAddress
	// NoName is a name that DNS does not have (NXDOMAIN).
	NoName
	// ServerFailed is any other answer.
	ServerFailed
	// NoAnswer is none in time.
	NoAnswer
)

// Answer is what DNS says of a name.
type Answer struct {
	Code      Code
	Addresses []netip.Addr
	// TTL is how long the answer may be cached from now on. Negative answers have one, too.
	TTL time.Duration
	// Cached is whether a negative answer came from a cache.
	Cached bool
	// Server is who answered, and Took how long that took.
	Server string
	Took   time.Duration
	// Problem is what went wrong, for ServerFailed and NoAnswer.
	Problem string
}

// Connection is what came of a connection to a port.
type Connection int

const (
	// NotTried is a port that nobody connected to.
	NotTried Connection = iota
	// Open is a port on which a program listens.
	Open
	// Refused is one on which no program listens. The Pod is reachable.
	Refused
	// TimedOut is one that does not answer.
	TimedOut
	// Unreachable is one that the network leads nowhere.
	Unreachable
)

// Peer is what is known of one peer.
type Peer struct {
	Index      int32
	Answer     Answer
	Connection Connection
	Took       time.Duration
}

// Observation is all that the command saw.
type Observation struct {
	Self   Self
	Resolv Resolv
	// Servers are what each nameserver says of the Service.
	Servers []Answer
	// Service is what DNS says of the Service.
	Service Answer
	Peers   []Peer
	// SizeGuessed is whether the number of peers is only what DNS has.
	SizeGuessed bool
	// Port is the port that was tried, and PortGiven whether the user named it.
	Port      uint16
	PortGiven bool
	// Limit is the time that there was in all.
	Limit time.Duration
}

// Finding is one thing that is wrong.
type Finding struct {
	// IsError is whether it keeps peers apart.
	IsError bool
	// Is says what is so, and Do what to do.
	Is, Do string
}

// Judge says what is wrong, the cause before the effect.
func (o *Observation) Judge() []Finding {
	j := &judge{Observation: o}
	j.resolver()
	if j.servers() {
		j.service()
		j.own()
		j.names()
	}
	j.ports()
	return j.findings
}

type judge struct {
	*Observation
	findings []Finding
	// noService is whether the missing names were explained by the Service.
	noService bool
}

func (j *judge) error(do, is string, arguments ...any) {
	j.findings = append(j.findings, Finding{true, fmt.Sprintf(is, arguments...), do})
}

func (j *judge) warn(do, is string, arguments ...any) {
	j.findings = append(j.findings, Finding{false, fmt.Sprintf(is, arguments...), do})
}

// dots is how many dots the name of a peer has.
const dots = 1

func (j *judge) resolver() {
	s := &j.Self
	if len(j.Resolv.Nameservers) == 0 {
		j.error("leave dnsPolicy out, or write ClusterFirst; with None, set dnsConfig.nameservers", "/etc/resolv.conf names no nameserver")
	}
	if want := s.Namespace + ".svc." + s.Domain; !slices.Contains(j.Resolv.Search, want) {
		j.error("leave dnsPolicy out, or write ClusterFirst (on the host network ClusterFirstWithHostNet); with None, add it to dnsConfig.searches",
			"the search list of /etc/resolv.conf lacks %s, so the short names of peers (%s) do not resolve", want, s.ShortName(0))
	} else if j.Resolv.Ndots <= dots {
		j.warn("write ndots:2 or more into dnsConfig.options, or use full names",
			"ndots is %d: programs with musl (Alpine) do not use the search list for a name with a dot, such as %s", j.Resolv.Ndots, s.ShortName(0))
	}
	hostname, _, _ := strings.Cut(s.Hostname, ".")
	if want := fmt.Sprintf("%s-%d", s.Job, s.Index); s.Index >= 0 && hostname != want {
		j.warn("leave hostname, hostNetwork and hostnameOverride out, if peers are to call this Pod by its host name", "the host name is %s, and the peer's is %s", hostname, want)
	}
	if s.InHosts && s.FullName == "" {
		j.error(fmt.Sprintf("write subdomain: %s into the template of the Job, and create the Job again", s.Service),
			"/etc/hosts has no full name for this Pod: it has no subdomain, so DNS has no name for it")
	} else if service, _, _ := strings.Cut(strings.TrimPrefix(s.FullName, hostname+"."), "."); s.FullName != "" && service != s.Service {
		j.error(fmt.Sprintf("write subdomain: %s into the template of the Job, and create the Job again", s.Service), "the subdomain of this Pod is %s, and PEERJOB_SERVICE is %s", service, s.Service)
	}
}

// servers judges the nameservers. It reports false if none of them answers.
func (j *judge) servers() bool {
	answered := false
	for _, a := range j.Servers {
		switch a.Code {
		case NoAnswer:
			j.error("see whether a NetworkPolicy keeps this Pod from port 53 (UDP and TCP), and whether the Pods of DNS run: kubectl get pods -n kube-system -l k8s-app=kube-dns",
				"the nameserver %s does not answer: %s", a.Server, a.Problem)
		case ServerFailed:
			j.error("see the log of DNS: kubectl logs -n kube-system -l k8s-app=kube-dns", "the nameserver %s fails: %s", a.Server, a.Problem)
			answered = true
		case NotAsked:
		default:
			answered = true
		}
	}
	return answered
}

func (j *judge) service() {
	name, s := j.Self.ServiceName(), &j.Self
	missing := 0
	isPeer := false
	for _, peer := range j.Peers {
		if peer.Answer.Code == NoName || peer.Answer.Code == NoAddress {
			missing++
		}
		for _, address := range j.Service.Addresses {
			isPeer = isPeer || slices.Contains(peer.Answer.Addresses, address) || slices.Contains(s.Addresses, address)
		}
	}
	all := missing == len(j.Peers) && missing > 0
	switch {
	case j.Service.Code == NoName:
		j.noService = all
		j.error(fmt.Sprintf("see whether it is there, and whether it has clusterIP: None, selector job-name: %s and publishNotReadyAddresses: true: kubectl get service %s -n %s -o yaml", s.Job, s.Service, s.Namespace),
			"DNS does not have the Service %s%s: there is none of this name, or it selects no Pod, or none that is ready", name, negative(j.Service))
	case j.Service.Code == NoAddress:
		j.noService = all
		j.error(fmt.Sprintf("see what it selects (kubectl get service %s -n %s -o yaml), and write publishNotReadyAddresses: true", s.Service, s.Namespace),
			"the Service %s has no addresses: it selects no Pod, or no Pod that is ready", name)
	case j.Service.Code == Found && missing == 0 && !isPeer && len(j.Service.Addresses) <= 2 && j.anyFound():
		// CoreDNS answers so, and the specification of DNS for Kubernetes does not ask for it.
		j.warn(fmt.Sprintf("delete the Service %s and create it again with clusterIP: None", s.Service),
			"the Service %s has the address %s of its own: it is not headless; this DNS server has names of its Pods all the same, and others do not", name, list(j.Service.Addresses))
	case j.Service.Code == Found && all && !isPeer && len(j.Service.Addresses) <= 2:
		j.noService = true
		j.error(fmt.Sprintf("delete the Service %s and create it again with clusterIP: None", s.Service),
			"the Service %s has the address %s of its own, and DNS has no names of Pods for it: it is not headless", name, list(j.Service.Addresses))
	case j.Service.Code == Found && all:
		j.noService = true
		j.error(fmt.Sprintf("write subdomain: %s into the template of the Job, and create the Job again", s.Service),
			"DNS has the Service %s with %d addresses, and no peer's name: the Pods have another subdomain, or none", name, len(j.Service.Addresses))
	}
}

// anyFound reports whether DNS has a peer.
func (j *judge) anyFound() bool {
	return slices.ContainsFunc(j.Peers, func(peer Peer) bool { return peer.Answer.Code == Found })
}

func (j *judge) own() {
	s := &j.Self
	for _, peer := range j.Peers {
		if peer.Index != s.Index || peer.Answer.Code != Found || len(s.Addresses) == 0 {
			continue
		}
		if !slices.ContainsFunc(peer.Answer.Addresses, func(address netip.Addr) bool { return slices.Contains(s.Addresses, address) }) {
			j.error("wait until DNS has the new address; if it stays so, another Pod has this index: kubectl get pods -o wide",
				"DNS has the address %s for this peer, and its own is %s: an earlier Pod of this index had it%s", list(peer.Answer.Addresses), list(s.Addresses), until(peer.Answer))
		}
	}
}

func (j *judge) names() {
	var missing, empty, failed, silent, late []int32
	var example Answer
	addresses := map[netip.Addr][]int32{}
	for _, peer := range j.Peers {
		switch peer.Answer.Code {
		case NoName:
			missing = append(missing, peer.Index)
			if example.Code == NotAsked || peer.Answer.Cached && !example.Cached {
				example = peer.Answer
			}
		case NoAddress:
			empty = append(empty, peer.Index)
		case ServerFailed:
			failed = append(failed, peer.Index)
		case NoAnswer:
			silent = append(silent, peer.Index)
		case NotAsked:
			late = append(late, peer.Index)
		case Found:
			for _, address := range peer.Answer.Addresses {
				addresses[address] = append(addresses[address], peer.Index)
			}
		}
	}
	missing = append(missing, empty...)
	slices.Sort(missing)
	if len(missing) > 0 && !j.noService {
		if j.SizeGuessed && !slices.Contains(missing, j.Self.Index) {
			j.warn("name the number of peers with --peers", "DNS does not have %s; PEERJOB_SIZE is not set, and they may not exist", j.peers(missing))
		} else {
			j.error("such a Pod has not started, has ended, or is not ready and the Service does not publish it; peerjob doctor says which, from outside",
				"DNS does not have %s%s", j.peers(missing), negative(example))
		}
	}
	if len(failed) > 0 {
		j.error("see the log of DNS: kubectl logs -n kube-system -l k8s-app=kube-dns", "DNS fails for %s", j.peers(failed))
	}
	if len(silent) > 0 {
		j.error("DNS may have too much to do; try again, and see whether packets are lost", "DNS does not answer for %s", j.peers(silent))
	}
	if len(late) > 0 {
		j.warn("give more time with --timeout", "there was no time within %v to look at %s", j.Limit, j.peers(late))
	}
	for _, indexes := range addresses {
		if len(indexes) > 1 && !slices.ContainsFunc(j.findings, func(f Finding) bool { return strings.Contains(f.Is, "have one address") }) {
			slices.Sort(indexes)
			j.warn("on the host network, give each peer a node of its own (podAntiAffinity) or other ports; else wait until DNS has the new addresses", "%s have one address", j.peers(indexes))
		}
	}
}

func (j *judge) ports() {
	by := map[Connection][]int32{}
	ownOpen := false
	for _, peer := range j.Peers {
		by[peer.Connection] = append(by[peer.Connection], peer.Index)
		ownOpen = ownOpen || peer.Index == j.Self.Index && peer.Connection == Open
	}
	add := j.warn
	if j.PortGiven || ownOpen {
		add = j.error
	}
	if silent := by[TimedOut]; len(silent) > 0 {
		add("see whether a NetworkPolicy keeps peers apart, or the network between the nodes is broken; a Pod that has just ended does not answer either", "no answer at port %d of %s", j.Port, j.peers(silent))
	}
	if nowhere := by[Unreachable]; len(nowhere) > 0 {
		add("see to the network plugin: the address leads nowhere", "the network does not reach %s", j.peers(nowhere))
	}
	if refused := by[Refused]; len(refused) > 0 && (j.PortGiven || ownOpen) {
		j.error("see whether the program has started there, and listens on the Pod's address and not on localhost", "nothing listens at port %d of %s", j.Port, j.peers(refused))
	}
}

// negative says for how long a negative answer holds.
func negative(a Answer) string {
	switch {
	case a.TTL <= 0:
		return ""
	case a.Cached:
		return fmt.Sprintf(" (this answer is from a cache, and holds for %v more)", a.TTL)
	}
	return fmt.Sprintf(" (this answer may be cached for %v)", a.TTL)
}

func until(a Answer) string {
	if a.TTL <= 0 {
		return ""
	}
	return fmt.Sprintf(" (this answer may be cached for %v)", a.TTL)
}

func list(addresses []netip.Addr) string {
	texts := make([]string, len(addresses))
	for i, address := range addresses {
		texts[i] = address.String()
	}
	return strings.Join(texts, ", ")
}

// manyRanges is how many ranges of peers a finding names.
const manyRanges = 10

// peers names peers: "2 of 10 peers: 3, 5-9".
func (j *judge) peers(indexes []int32) string {
	return fmt.Sprintf("%d of %s (%s)", len(indexes), peers(len(j.Peers)), Ranges(indexes))
}

// Ranges writes sorted indexes as "3, 5-9", the first ten of them.
func Ranges(indexes []int32) string {
	var ranges []string
	for i := 0; i < len(indexes); {
		end := i
		for end+1 < len(indexes) && indexes[end+1] == indexes[end]+1 {
			end++
		}
		if len(ranges) == manyRanges {
			ranges = append(ranges, "…")
			break
		}
		switch {
		case end == i:
			ranges = append(ranges, fmt.Sprint(indexes[i]))
		default:
			ranges = append(ranges, fmt.Sprintf("%d-%d", indexes[i], indexes[end]))
		}
		i = end + 1
	}
	return strings.Join(ranges, ", ")
}
