// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	clusterResolv = "search ml.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"
	podHosts      = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\nfe00::0\tip6-localnet\n10.1.0.7\ttrain-1.hub.ml.svc.cluster.local\ttrain-1\n"
)

var address = netip.MustParseAddr

func TestParseResolv(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want Resolv
	}{
		"of a Pod":        {clusterResolv, Resolv{[]string{"10.96.0.10"}, []string{"ml.svc.cluster.local", "svc.cluster.local", "cluster.local"}, 5}},
		"empty":           {"", Resolv{Ndots: 1}},
		"comments":        {"; x\n# nameserver 1.1.1.1\nnameserver 9.9.9.9 # y\n", Resolv{Nameservers: []string{"9.9.9.9"}, Ndots: 1}},
		"the last counts": {"domain a.\nsearch b. c\noptions timeout:1 ndots:99\noptions ndots:-1\nnameserver\n", Resolv{Search: []string{"b", "c"}, Ndots: 15}},
	}
	for name, test := range tests {
		if diff := cmp.Diff(test.want, ParseResolv(test.text)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	whole := Self{
		Hostname: "train-1", Job: "train", Service: "hub", Namespace: "ml", Domain: "cluster.local", Index: 1,
		FullName: "train-1.hub.ml.svc.cluster.local", InHosts: true, Addresses: []netip.Addr{address("10.1.0.7")},
	}
	variables := map[string]string{"PEERJOB_NAME": "train", "PEERJOB_SERVICE": "hub", "PEERJOB_NAMESPACE": "ml", "PEERJOB_SIZE": "4", "JOB_COMPLETION_INDEX": "1"}
	sized := whole
	sized.Size = 4
	tests := map[string]struct {
		hostname, hosts, resolv string
		variables               map[string]string
		want                    Self
		unknown                 string
	}{
		"kubectl debug":       {"train-1", podHosts, clusterResolv, nil, whole, ""},
		"a container":         {"train-1", podHosts, clusterResolv, variables, sized, ""},
		"of another domain":   {"train-1", strings.ReplaceAll(podHosts, "cluster.local", "k8s.example"), "", nil, Self{Hostname: "train-1", Job: "train", Service: "hub", Namespace: "ml", Domain: "k8s.example", Index: 1, FullName: "train-1.hub.ml.svc.k8s.example", InHosts: true, Addresses: whole.Addresses}, ""},
		"setHostnameAsFQDN":   {"train-1.hub.ml.svc.cluster.local", podHosts, clusterResolv, nil, func() Self { s := whole; s.Hostname = "train-1.hub.ml.svc.cluster.local"; return s }(), ""},
		"no subdomain":        {"train-1", "10.1.0.7\ttrain-1\n", clusterResolv, nil, Self{Hostname: "train-1", Job: "train", Namespace: "ml", Domain: "cluster.local", Index: 1, InHosts: true, Addresses: whole.Addresses}, "the Pod has no subdomain"},
		"on the host network": {"node-7.example", "10.1.0.7 node-7.example node-7\n", clusterResolv, variables, Self{Hostname: "node-7.example", Job: "train", Service: "hub", Namespace: "ml", Domain: "cluster.local", Index: 1, Size: 4, InHosts: true, Addresses: whole.Addresses}, ""},
		"no peer":             {"web", "", clusterResolv, nil, Self{Hostname: "web", Namespace: "ml", Domain: "cluster.local", Index: -1}, "no Pod of an Indexed Job"},
		"no namespace":        {"a-0", "", "", map[string]string{"PEERJOB_SERVICE": "a"}, Self{Hostname: "a-0", Job: "a", Service: "a", Domain: "cluster.local"}, "--namespace"},
	}
	for name, test := range tests {
		got := Identify(test.hostname, test.hosts, func(name string) string { return test.variables[name] }, ParseResolv(test.resolv), nil)
		if diff := cmp.Diff(test.want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if unknown := got.Unknown(); !strings.Contains(unknown, test.unknown) || (unknown == "") != (test.unknown == "") {
			t.Errorf("%s: %q is unknown, want %q", name, unknown, test.unknown)
		}
	}
}

// observed is a group of four peers, seen from peer 1, in which all is well, changed.
func observed(change func(o *Observation)) *Observation {
	o := &Observation{Resolv: ParseResolv(clusterResolv), Port: 7450, Limit: 10 * time.Second}
	o.Self = Identify("train-1", podHosts, func(string) string { return "" }, o.Resolv, nil)
	o.Service = Answer{Code: Found, Server: "10.96.0.10", Addresses: []netip.Addr{address("10.1.0.6"), address("10.1.0.7"), address("10.1.0.8"), address("10.1.0.9")}}
	o.Servers = []Answer{o.Service}
	for i := range 4 {
		o.Peers = append(o.Peers, Peer{Index: int32(i), Answer: Answer{Code: Found, Addresses: []netip.Addr{o.Service.Addresses[i]}}, Connection: Refused})
	}
	change(o)
	return o
}

func TestJudge(t *testing.T) {
	t.Parallel()
	all := func(o *Observation, answer Answer) {
		for i := range o.Peers {
			o.Peers[i].Answer, o.Peers[i].Connection = answer, NotTried
		}
	}
	tests := map[string]struct {
		change func(*Observation)
		want   []string // a part of each finding, with a "!" before an error
	}{
		"all is well":            {func(*Observation) {}, nil},
		"the runner is there":    {func(o *Observation) { o.Peers[1].Connection = Open }, []string{"!nothing listens at port 7450 of 3 of 4 peers (0, 2-3)"}},
		"the port is given":      {func(o *Observation) { o.Port, o.PortGiven = 22, true }, []string{"!nothing listens at port 22 of 4 of 4 peers (0-3)"}},
		"ports that are silent":  {func(o *Observation) { o.Peers[0].Connection = TimedOut }, []string{"no answer at port 7450 of 1 of 4 peers (0)"}},
		"no way to a peer":       {func(o *Observation) { o.Peers[3].Connection = Unreachable }, []string{"the network does not reach 1 of 4 peers (3)"}},
		"a peer is missing":      {func(o *Observation) { o.Peers[2].Answer = Answer{Code: NoName, TTL: 5 * time.Second} }, []string{"!DNS does not have 1 of 4 peers (2) (this answer may be cached for 5s)"}},
		"a cached answer":        {func(o *Observation) { o.Peers[2].Answer = Answer{Code: NoName, TTL: 3 * time.Second, Cached: true} }, []string{"!(this answer is from a cache, and holds for 3s more)"}},
		"a peer that may not be": {func(o *Observation) { o.Peers[3].Answer, o.SizeGuessed = Answer{Code: NoName}, true }, []string{"they may not exist"}},
		"no Service": {func(o *Observation) {
			o.Service = Answer{Code: NoName, TTL: 5 * time.Second}
			all(o, Answer{Code: NoName})
		}, []string{"!DNS does not have the Service hub.ml.svc.cluster.local (this answer may be cached for 5s): there is none"}},
		"an empty Service": {func(o *Observation) { o.Service = Answer{Code: NoAddress}; all(o, Answer{Code: NoName}) }, []string{"!has no addresses: it selects no Pod"}},
		"not headless": {func(o *Observation) {
			o.Service.Addresses = []netip.Addr{address("10.96.3.4")}
			all(o, Answer{Code: NoName})
		}, []string{"!the address 10.96.3.4 of its own"}},
		"not headless, with CoreDNS": {func(o *Observation) { o.Service.Addresses = []netip.Addr{address("10.96.3.4")} }, []string{"it is not headless; this DNS server has names"}},
		"no names":                   {func(o *Observation) { all(o, Answer{Code: NoName}) }, []string{"!no peer's name: the Pods have another subdomain"}},
		"DNS is silent":              {func(o *Observation) { o.Servers[0].Code = NoAnswer; all(o, Answer{}) }, []string{"!the nameserver 10.96.0.10 does not answer"}},
		"DNS fails":                  {func(o *Observation) { o.Peers[0].Answer.Code, o.Peers[1].Answer.Code = ServerFailed, NoAnswer }, []string{"!DNS fails for 1 of 4 peers (0)", "!DNS does not answer for 1 of 4 peers (1)"}},
		"no time":                    {func(o *Observation) { o.Peers[3] = Peer{Index: 3} }, []string{"there was no time within 10s to look at 1 of 4 peers (3)"}},
		"an earlier Pod's address":   {func(o *Observation) { o.Peers[1].Answer.Addresses = []netip.Addr{address("10.1.0.70")} }, []string{"!DNS has the address 10.1.0.70 for this peer, and its own is 10.1.0.7"}},
		"two peers, one address":     {func(o *Observation) { o.Peers[0].Answer.Addresses = o.Peers[2].Answer.Addresses }, []string{"2 of 4 peers (0, 2) have one address"}},
		"dnsPolicy Default":          {func(o *Observation) { o.Resolv.Search = []string{"example.com"} }, []string{"!lacks ml.svc.cluster.local"}},
		"no nameserver":              {func(o *Observation) { o.Resolv.Nameservers, o.Servers = nil, nil }, []string{"!names no nameserver"}},
		"musl":                       {func(o *Observation) { o.Resolv.Ndots = 1 }, []string{"musl"}},
		"no subdomain":               {func(o *Observation) { o.Self.FullName = "" }, []string{"!/etc/hosts has no full name for this Pod"}},
		"another subdomain":          {func(o *Observation) { o.Self.Service = "hup"; o.Self.FullName = "train-1.hub.ml.svc.cluster.local" }, []string{"!the subdomain of this Pod is hub, and PEERJOB_SERVICE is hup"}},
		"a host name of the node":    {func(o *Observation) { o.Self.Hostname, o.Self.InHosts, o.Self.FullName = "node-7", false, "" }, []string{"the host name is node-7, and the peer's is train-1"}},
		"a name and IPv6 as an answer": {func(o *Observation) {
			o.Self.Addresses = append(o.Self.Addresses, address("fd00::7"))
			o.Peers[1].Answer.Addresses = []netip.Addr{address("fd00::7")}
		}, nil},
	}
	for name, test := range tests {
		o := observed(test.change)
		findings := o.Judge()
		if len(findings) != len(test.want) {
			t.Errorf("%s: %d findings, want %d:\n%s", name, len(findings), len(test.want), o.Text(findings))
			continue
		}
		for i, want := range test.want {
			part, isError := strings.CutPrefix(want, "!")
			if f := findings[i]; f.IsError != isError || !strings.Contains(f.Is, part) || f.Do == "" {
				t.Errorf("%s: got %+v, want %q", name, f, want)
			}
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	o := observed(func(o *Observation) {
		o.Peers[0].Connection, o.Peers[0].Took = Open, 3*time.Millisecond
		o.Peers[2].Answer, o.Peers[2].Connection = Answer{Code: NoName}, NotTried
	})
	const want = `this peer    index 1 of 4 peers, in hub.ml.svc.cluster.local
host name    train-1
own name     train-1.hub.ml.svc.cluster.local, 10.1.0.7
nameserver   10.96.0.10 answers in under 1 ms
search list  ml.svc.cluster.local svc.cluster.local cluster.local; ndots 5
Service      4 addresses, under 1 ms

peer   DNS                                      port 7450
0      10.1.0.6, under 1 ms                     open, 3 ms
1      10.1.0.7, under 1 ms                     reachable, nothing listens
2      no such name                             -
3      10.1.0.9, under 1 ms                     reachable, nothing listens

3 of 4 peers resolve and are reachable
error: DNS does not have 1 of 4 peers (2)
    such a Pod has not started, has ended, or is not ready and the Service does not publish it; peerjob doctor says which, from outside
`
	if diff := cmp.Diff(want, o.Text(o.Judge())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Of many peers the report has the first ones, and counts the others.
func TestText_isShort(t *testing.T) {
	t.Parallel()
	o := observed(func(o *Observation) {
		o.Peers = nil
		for i := range 10_000 {
			peer := Peer{Index: int32(i), Answer: Answer{Code: Found, Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 2, byte(i >> 8), byte(i)})}}, Connection: Refused}
			if i%2 == 1 {
				peer = Peer{Index: int32(i), Answer: Answer{Code: NoName}}
			}
			o.Peers = append(o.Peers, peer)
		}
	})
	text := o.Text(o.Judge())
	if lines := strings.Count(text, "\n"); lines > 60 || len(text) > 6000 {
		t.Errorf("%d lines, %d bytes:\n%s", lines, len(text), text)
	}
	for _, want := range []string{"and 9960 more", "5000 of 10000 peers resolve", "DNS does not have 5000 of 10000 peers (1, 3, 5, 7, 9, 11, 13, 15, 17, 19, …)"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
