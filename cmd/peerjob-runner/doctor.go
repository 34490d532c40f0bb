// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/peerjob/peerjob/internal/runner/doctor"
)

const doctorUsage = `Usage: peerjob-runner doctor [FLAGS]

doctor says whether this Pod finds its peers: whether their names resolve and to
what, whether their ports answer, and what is wrong with the DNS settings. It
needs no variables, so a container of "kubectl debug" can run it, too. The exit
code is 1 if something keeps peers apart.`

const (
	// doctorLimit is the default of --timeout.
	doctorLimit = 10 * time.Second
	// manyAtOnce is how many peers are looked at at the same time.
	manyAtOnce = 64
	// connectTimeout is how long a connection may take.
	connectTimeout = 2 * time.Second
	// mostPeers is the most that a Job may have.
	mostPeers = 100_000
)

// place is where doctor looks.
type place struct {
	hostname                string
	hostsFile, resolvFile   string
	getenv                  func(string) string
	addresses               []netip.Addr
	dnsPort                 uint16
	port                    uint16
	portGiven               bool
	peers                   int32
	namespace               string
	limit, perQuery, perTry time.Duration
}

// doctorCommand looks for the peers of this Pod. It is for people, who call it with
// "kubectl exec" or "kubectl debug".
func doctorCommand(args []string, stdout, stderr io.Writer) int {
	p := place{port: defaultPort, limit: doctorLimit, perQuery: queryTimeout, perTry: connectTimeout, dnsPort: 53, hostsFile: "/etc/hosts", resolvFile: "/etc/resolv.conf", getenv: os.Getenv}
	flags := newFlags("doctor")
	port := uint16(0)
	portFlag(flags, &port)
	flags.Lookup("port").Usage = "the `port` of the peers to connect to (default 7450, that of the runners)"
	flags.Func("peers", "the `number` of peers, if PEERJOB_SIZE is not set", func(text string) error {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 1 || n > mostPeers {
			return fmt.Errorf("must be from 1 to %d", mostPeers)
		}
		p.peers = int32(n)
		return nil
	})
	flags.StringVar(&p.namespace, "namespace", "", "the `namespace` of the peers, if the Pod does not tell")
	flags.Func("timeout", "end after this `time` (default 10s)", func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < time.Second {
			return errors.New("must be a duration of 1s or more, such as 10s")
		}
		p.limit = d
		return nil
	})
	asJSON := false
	flags.Func("o", "how to write: `text` (default), or json, which peerjob doctor reads", func(text string) error {
		if asJSON = text == "json"; !asJSON && text != "text" {
			return errors.New("must be text or json")
		}
		return nil
	})
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return print(stdout, stderr, help(doctorUsage, flags))
	case err != nil:
		return wrongUsage(stderr, "%v", err)
	case flags.NArg() > 0:
		return wrongUsage(stderr, "doctor takes no arguments, only flags")
	}
	if port != 0 {
		p.port, p.portGiven = port, true
	}
	if p.hostname, err = os.Hostname(); err != nil {
		_, _ = fmt.Fprintf(stderr, "peerjob-runner: %v\n", err)
		return exitFailed
	}
	p.addresses = ownAddresses()
	o, err := p.observe(context.Background())
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "peerjob-runner: %v\n", err)
		return exitFailed
	}
	findings := o.Judge()
	text := o.Text
	if asJSON {
		if json, err := o.JSON(findings); err == nil { // nothing in it can't be encoded
			text = func([]doctor.Finding) string { return json }
		}
	}
	if code := print(stdout, stderr, text(findings)); code != 0 {
		return code
	}
	for _, f := range findings {
		if f.IsError {
			return exitFailed
		}
	}
	return 0
}

// ownAddresses are the addresses of the Pod, as far as its interfaces have them.
func ownAddresses() []netip.Addr {
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return nil // /etc/hosts has one, too
	}
	var all []netip.Addr
	for _, i := range interfaces {
		if prefix, err := netip.ParsePrefix(i.String()); err == nil {
			if address := prefix.Addr().Unmap(); !address.IsLoopback() && !address.IsLinkLocalUnicast() {
				all = append(all, address)
			}
		}
	}
	return all
}

// observe looks at all that doctor judges by.
func (p *place) observe(ctx context.Context) (*doctor.Observation, error) {
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	hosts, err := os.ReadFile(p.hostsFile)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	config, err := os.ReadFile(p.resolvFile)
	if err != nil {
		return nil, err
	}
	o := &doctor.Observation{Resolv: doctor.ParseResolv(string(config)), Port: p.port, PortGiven: p.portGiven, Limit: p.limit}
	o.Self = doctor.Identify(p.hostname, string(hosts), p.getenv, o.Resolv, p.addresses)
	if p.namespace != "" {
		o.Self.Namespace = p.namespace
	}
	if unknown := o.Self.Unknown(); unknown != "" {
		return nil, errors.New(unknown)
	}
	dns := &resolver{port: p.dnsPort, timeout: p.perQuery}
	// The usual three are asked at the same time: one that is silent takes seconds.
	o.Servers = make([]doctor.Answer, len(o.Resolv.Nameservers))
	together(len(o.Servers), func(i int) { o.Servers[i] = dns.ask(ctx, o.Resolv.Nameservers[i], o.Self.ServiceName()) })
	for i, a := range o.Servers {
		if a.Code != doctor.NoAnswer {
			dns.servers = append(dns.servers, o.Resolv.Nameservers[i])
			if o.Service.Code == doctor.NotAsked || o.Service.Code == doctor.ServerFailed {
				o.Service = a
			}
		}
	}
	size := o.Self.Size
	if p.peers > 0 {
		size = p.peers
	} else if size == 0 {
		o.SizeGuessed = true
		size = max(int32(min(len(o.Service.Addresses), mostPeers)), o.Self.Index+1, 1)
	}
	o.Peers = make([]doctor.Peer, min(size, mostPeers))
	for i := range o.Peers {
		o.Peers[i].Index = int32(i)
	}
	if len(dns.servers) == 0 {
		return o, nil
	}
	together(len(o.Peers), func(i int) {
		peer := &o.Peers[i]
		if ctx.Err() != nil {
			return
		}
		if peer.Answer = dns.lookup(ctx, o.Self.PeerName(peer.Index)); peer.Answer.Code == doctor.Found && ctx.Err() == nil {
			peer.Connection, peer.Took = p.connect(ctx, peer.Answer.Addresses[0])
		}
	})
	return o, nil
}

// together calls do for every number below n, many at the same time.
func together(n int, do func(i int)) {
	var group sync.WaitGroup
	next := make(chan int)
	for range min(n, manyAtOnce) {
		group.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
}

// connect connects to the port of a peer, and says nothing there.
func (p *place) connect(ctx context.Context, address netip.Addr) (doctor.Connection, time.Duration) {
	limited, cancel := context.WithTimeout(ctx, p.perTry)
	defer cancel()
	began := time.Now()
	connection, err := new(net.Dialer).DialContext(limited, "tcp", netip.AddrPortFrom(address, p.port).String())
	took := time.Since(began)
	switch {
	case err == nil:
		_ = connection.Close() // nothing was sent
		return doctor.Open, took
	case errors.Is(err, syscall.ECONNREFUSED):
		return doctor.Refused, took
	case ctx.Err() != nil:
		return doctor.NotTried, took
	case limited.Err() != nil, errors.Is(err, syscall.ETIMEDOUT):
		return doctor.TimedOut, took
	}
	return doctor.Unreachable, took
}
