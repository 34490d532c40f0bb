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
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
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
	hostname              string
	hostsFile, resolvFile string
	getenv                func(string) string
	addresses             []netip.Addr
	dnsPort               uint16
	port                  uint16
	portGiven             bool
	peers                 int32
	namespace             string
	// roles are the roles of the group, none if it has none or nobody says.
	roles                   []protocol.Role
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
	if options := runnerOptions("/proc"); options != nil && p.peers == 0 {
		p.roles = options.roles.all
	}
	report := p.report
	if asJSON {
		report = p.reportJSON
	}
	text, healthy, err := report(context.Background())
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "peerjob-runner: %v\n", err)
		return exitFailed
	}
	if code := print(stdout, stderr, text); code != 0 {
		return code
	}
	if !healthy {
		return exitFailed
	}
	return 0
}

// report looks at the peers of this Pod's Job, and at those of the other roles. Healthy says
// that nothing keeps peers apart.
func (p *place) report(ctx context.Context) (text string, healthy bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.limit) // for all roles together
	defer cancel()
	o, err := p.observe(ctx)
	if err != nil {
		return "", false, err
	}
	findings := o.Judge()
	text, healthy = o.Text(findings), !hasError(findings)
	own := p.getenv("PEERJOB_ROLE")
	if len(p.roles) > 0 && own != "" {
		text = fmt.Sprintf("%-12s %s\n", "role", own) + withLabels(text, own)
	}
	for _, role := range p.roles {
		if role.Name == own || own == "" {
			continue
		}
		other := *p
		other.getenv = func(name string) string {
			switch name {
			case "PEERJOB_NAME":
				return p.getenv(nameVariable(role.Name))
			case "PEERJOB_SIZE":
				return strconv.Itoa(int(role.Size))
			case "JOB_COMPLETION_INDEX":
				return strconv.Itoa(mostPeers) // none of them is this one
			}
			return p.getenv(name)
		}
		o, err := other.observe(ctx)
		if err != nil {
			return "", false, err
		}
		findings := ofPeers(o)
		healthy = healthy && !hasError(findings)
		_, table, _ := strings.Cut(o.Text(findings), "\n\n")
		text += fmt.Sprintf("\nrole %s, %s to %s\n%s", role.Name, o.Self.ShortName(0), o.Self.ShortName(role.Size-1), withLabels(table, role.Name))
	}
	return text, healthy, nil
}

// reportJSON looks at the peers of this Pod's Job alone: "peerjob doctor" reads a report of
// each Pod.
func (p *place) reportJSON(ctx context.Context) (text string, healthy bool, err error) {
	o, err := p.observe(ctx)
	if err != nil {
		return "", false, err
	}
	findings := o.Judge()
	text, err = o.JSON(findings)
	return text, !hasError(findings), err
}

// withLabels calls the peers in the rows of a table by their role and index.
func withLabels(text, role string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(line, " ")
		if _, err := strconv.Atoi(word); err == nil {
			word = role + "-" + word
		} else if word != "peer" {
			out.WriteString(line)
			continue
		}
		fmt.Fprintf(&out, "%-*s %s", len(role)+len("-99999"), word, strings.TrimLeft(rest, " "))
	}
	return out.String()
}

// ofPeers are the findings about the peers of another role. All others are said with those
// of this Pod's own.
func ofPeers(o *doctor.Observation) []doctor.Finding {
	alone := *o
	alone.Peers = nil
	common := alone.Judge()
	return slices.DeleteFunc(o.Judge(), func(f doctor.Finding) bool {
		return slices.Contains(common, f) || strings.HasPrefix(f.Is, "the host name ")
	})
}

func hasError(findings []doctor.Finding) bool {
	return slices.ContainsFunc(findings, func(f doctor.Finding) bool { return f.IsError })
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
