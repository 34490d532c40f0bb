// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/peerjob/peerjob/barrier/protocol"
	"github.com/peerjob/peerjob/internal/runner/doctor"
)

// fakeDNS is a nameserver in this process, on UDP and TCP.
type fakeDNS struct {
	port uint16
	// names are the addresses of names. What is not there does not exist; one without
	// addresses has none of the type asked for.
	names map[string][]string
	// failing are names for which it says SERVFAIL, and silent are those it does not
	// answer. forged are answers to other questions before the right one.
	failing, silent map[string]bool
	forged          bool
	// soa and minimum are the times of negative answers.
	soa, minimum uint32

	mu    sync.Mutex
	asked map[string]int
}

func (f *fakeDNS) start(t *testing.T) *fakeDNS {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.port = uint16(listener.Addr().(*net.TCPAddr).Port)
	packets, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", f.port))
	if err != nil {
		t.Fatal(err)
	}
	f.asked = map[string]int{}
	t.Cleanup(func() { _, _ = listener.Close(), packets.Close() })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			if answer := f.answer(buffer[:n], 512); answer != nil {
				if f.forged {
					_, _ = packets.WriteTo([]byte("nonsense"), from)
					other := append([]byte{answer[0] + 1}, answer[1:]...)
					_, _ = packets.WriteTo(other, from)
				}
				_, _ = packets.WriteTo(answer, from)
			}
		}
	}()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			var length [2]byte
			if _, err := io.ReadFull(connection, length[:]); err == nil {
				question := make([]byte, binary.BigEndian.Uint16(length[:]))
				if _, err := io.ReadFull(connection, question); err == nil {
					answer := f.answer(question, 1<<16)
					_, _ = connection.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
				}
			}
			_ = connection.Close()
		}
	}()
	return f
}

// answer answers a packed question within so many bytes, or with nil not at all.
func (f *fakeDNS) answer(packed []byte, room int) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(packed); err != nil || len(m.Questions) != 1 {
		return nil
	}
	question := m.Questions[0]
	name := strings.TrimSuffix(question.Name.String(), ".")
	f.mu.Lock()
	f.asked[name]++
	f.mu.Unlock()
	if f.silent[name] {
		return nil
	}
	m.Response, m.Authoritative = true, true
	addresses, found := f.names[name]
	for _, text := range addresses {
		address := netip.MustParseAddr(text)
		header := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 30}
		switch {
		case address.Is4() && question.Type == dnsmessage.TypeA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: address.As4()}})
		case address.Is6() && question.Type == dnsmessage.TypeAAAA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: address.As16()}})
		}
	}
	switch {
	case f.failing[name]:
		m.RCode = dnsmessage.RCodeServerFailure
	case !found:
		m.RCode = dnsmessage.RCodeNameError
	}
	if len(m.Answers) == 0 {
		zone := dnsmessage.MustNewName("cluster.local.")
		m.Authorities = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: zone, Class: dnsmessage.ClassINET, TTL: f.soa},
			Body:   &dnsmessage.SOAResource{NS: zone, MBox: zone, MinTTL: f.minimum},
		}}
	}
	answer, err := m.Pack()
	if err == nil && len(answer) > room {
		m.Truncated, m.Answers = true, nil
		answer, err = m.Pack()
	}
	if err != nil {
		return nil
	}
	return answer
}

const hub = "hub.ml.svc.cluster.local"

// placeOf is the Pod of peer 1, whose nameserver is the fake one.
func placeOf(t *testing.T, f *fakeDNS, variables map[string]string) *place {
	t.Helper()
	folder := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return &place{
		hostname: "train-1", dnsPort: f.port, limit: 5 * time.Second, perQuery: 300 * time.Millisecond, perTry: 300 * time.Millisecond,
		hostsFile:  write("hosts", "127.0.0.2\tignored\n127.0.0.1\tlocalhost\n10.1.0.7\ttrain-1."+hub+"\ttrain-1\n"),
		resolvFile: write("resolv.conf", "search ml.svc.cluster.local svc.cluster.local\nnameserver 127.0.0.1\noptions ndots:5\n"),
		getenv:     func(name string) string { return variables[name] },
		addresses:  []netip.Addr{netip.MustParseAddr("127.0.1.1")},
		port:       listenOn(t, "127.0.1.1"),
	}
}

// listenOn listens on an address, and returns the port.
func listenOn(t *testing.T, address string) uint16 {
	t.Helper()
	listener, err := net.Listen("tcp", address+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return uint16(listener.Addr().(*net.TCPAddr).Port)
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	names := map[string][]string{
		hub: {"127.0.1.0", "127.0.1.1", "127.0.1.2"}, "train-0." + hub: {"127.0.1.0"}, "train-1." + hub: {"127.0.1.1"}, "train-2." + hub: {"127.0.1.2"},
	}
	f := (&fakeDNS{names: names, soa: 3, minimum: 5, forged: true}).start(t)
	p := placeOf(t, f, map[string]string{"PEERJOB_SIZE": "4"})
	o, err := p.observe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := o.Text(o.Judge())
	for _, want := range []string{
		"this peer    index 1 of 4 peers, in hub.ml.svc.cluster.local\n",
		"nameserver   127.0.0.1 answers in ",
		"Service      3 addresses, ",
		"\n0      127.0.1.0, ", "reachable, nothing listens\n",
		"\n1      127.0.1.1, ", "open, ",
		"\n3      no such name ",
		"error: DNS does not have 1 of 4 peers (3) (this answer is from a cache, and holds for 3s more)\n",
		"error: nothing listens at port ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// The report for peerjob doctor says the same.
func TestDoctor_json(t *testing.T) {
	t.Parallel()
	f := (&fakeDNS{names: map[string][]string{hub: {"127.0.1.1"}, "train-1." + hub: {"127.0.1.1"}}, soa: 3, minimum: 5}).start(t)
	o, err := placeOf(t, f, map[string]string{"PEERJOB_SIZE": "2"}).observe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := o.JSON(o.Judge())
	if err != nil {
		t.Fatal(err)
	}
	var report doctor.Report
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		t.Fatal(err)
	}
	if report.Kind != doctor.ReportKind || report.Job != "train" || report.Index != 1 || len(report.Peers) != 2 || len(report.Findings) == 0 ||
		report.Peers[0].DNS.Code != "no-name" || report.Peers[0].DNS.TTLSeconds != 3 || report.Peers[1].DNS.Code != "found" || report.Findings[0].Severity != "error" {
		t.Errorf("got %s", text)
	}
	var out, problem strings.Builder
	if code := doctorCommand([]string{"-o", "yaml"}, &out, &problem); code == 0 || !strings.Contains(problem.String(), "must be text or json") {
		t.Errorf("-o yaml: %d, %s", code, problem.String())
	}
}

// Without variables, it looks for as many peers as DNS has, with the last one missing.
func TestDoctor_inADebugContainer(t *testing.T) {
	t.Parallel()
	f := (&fakeDNS{names: map[string][]string{hub: {"127.0.1.1", "127.0.1.0"}, "train-0." + hub: {"127.0.1.0"}, "train-1." + hub: {"127.0.1.1"}}}).start(t)
	o, err := placeOf(t, f, nil).observe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Peers) != 2 || !o.SizeGuessed {
		t.Errorf("%d peers, guessed %t", len(o.Peers), o.SizeGuessed)
	}
	for _, peer := range o.Peers {
		if peer.Answer.Code != doctor.Found {
			t.Errorf("peer %d: %+v", peer.Index, peer.Answer)
		}
	}
}

// The many addresses of a Service come over TCP, and those of IPv6 after those of IPv4.
func TestResolver(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 1000 {
		many = append(many, fmt.Sprintf("10.3.%d.%d", i>>8, i&255))
	}
	f := (&fakeDNS{
		names: map[string][]string{"many.x": many, "six.x": {"fd00::1"}, "none.x": {}, "fails.x": nil}, soa: 30, minimum: 30,
		failing: map[string]bool{"fails.x": true}, silent: map[string]bool{"silent.x": true},
	}).start(t)
	r := &resolver{servers: []string{"127.0.0.1"}, port: f.port, timeout: 300 * time.Millisecond}
	tests := map[string]struct {
		code      doctor.Code
		addresses int
		ttl       time.Duration
	}{
		"many.x":                 {doctor.Found, 1000, 30 * time.Second},
		"six.x":                  {doctor.Found, 1, 30 * time.Second},
		"none.x":                 {doctor.NoAddress, 0, 30 * time.Second},
		"gone.x":                 {doctor.NoName, 0, 30 * time.Second},
		"fails.x":                {doctor.ServerFailed, 0, 0},
		"silent.x":               {doctor.NoAnswer, 0, 0},
		strings.Repeat("a", 300): {doctor.NoAnswer, 0, 0},
	}
	for name, test := range tests {
		got := r.lookup(t.Context(), name)
		if got.Code != test.code || len(got.Addresses) != test.addresses || got.TTL != test.ttl || got.Cached {
			t.Errorf("%s: got %d with %d addresses for %v, %q, want %+v", name, got.Code, len(got.Addresses), got.TTL, got.Problem, test)
		}
	}
}

// A nameserver that is silent does not hold doctor up, however many peers there are.
func TestDoctor_isBounded(t *testing.T) {
	t.Parallel()
	silent := map[string]bool{}
	names := map[string][]string{hub: {"127.0.1.1"}}
	for i := range 10_000 {
		silent[fmt.Sprintf("train-%d.%s", i, hub)] = true
	}
	f := (&fakeDNS{names: names, silent: silent}).start(t)
	p := placeOf(t, f, nil)
	p.peers, p.limit = 10_000, time.Second
	began := time.Now()
	o, err := p.observe(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %v, at most a little more than 1s", took)
	}
	if text := o.Text(o.Judge()); !strings.Contains(text, "there was no time within 1s to look at ") {
		t.Errorf("got\n%s", text)
	}
}

func TestDoctor_noNameserverAnswers(t *testing.T) {
	t.Parallel()
	f := (&fakeDNS{silent: map[string]bool{hub: true}}).start(t)
	o, err := placeOf(t, f, map[string]string{"PEERJOB_SIZE": "4"}).observe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if text := o.Text(o.Judge()); !strings.Contains(text, "error: the nameserver 127.0.0.1 does not answer: no answer in time\n") || strings.Count(text, "error: ") != 1 {
		t.Errorf("got\n%s", text)
	}
}

// TestDoctor_roles has a role whose second peer DNS does not have, beside this Pod's own.
func TestDoctor_roles(t *testing.T) {
	t.Parallel()
	f := (&fakeDNS{names: map[string][]string{
		hub: {"127.0.1.1", "127.0.1.2"}, "train-0." + hub: {"127.0.1.2"}, "train-1." + hub: {"127.0.1.1"}, "x-head-0." + hub: {"127.0.1.3"},
	}}).start(t)
	p := placeOf(t, f, map[string]string{
		"PEERJOB_ROLE": "train", "PEERJOB_NAME": "train", "PEERJOB_SIZE": "2", "JOB_COMPLETION_INDEX": "1",
		"PEERJOB_TRAIN_NAME": "train", "PEERJOB_HEAD_NAME": "x-head",
	})
	p.roles = []protocol.Role{{Name: "head", Size: 2}, {Name: "train", Size: 2}}
	text, healthy, err := p.report(t.Context())
	if err != nil || healthy {
		t.Errorf("healthy %t, %v", healthy, err)
	}
	for _, want := range []string{
		"role         train\nthis peer    index 1 of 2 peers, in " + hub + "\n",
		"\nrole head, x-head-0.hub to x-head-1.hub\npeer       DNS",
		"\nhead-0     127.0.1.3, ", "\nhead-1     no such name ", "\ntrain-1     127.0.1.1, ",
		"error: nothing listens at port ",
		"error: DNS does not have 1 of 2 peers (1)\n",
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("not once: %s", want)
		}
	}
	if strings.Count(text, "error: ") != 2 || strings.Contains(text, "warning: ") {
		t.Error("another finding")
	}
	if t.Failed() {
		t.Log(text)
	}
}
