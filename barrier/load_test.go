// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

// loopback is a network of real sockets on this machine: peer i has an address of
// 127.77.0.0/16, and its name is its address.
type loopback struct{ at netip.Addr }

func loopbackAddress(index int32) netip.Addr {
	return netip.AddrFrom4([4]byte{127, 77, byte(index / 250), byte(index%250 + 1)})
}

func (l loopback) Listen(port uint16) (net.Listener, error) {
	return net.Listen("tcp", netip.AddrPortFrom(l.at, port).String())
}

func (l loopback) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

func (l loopback) Lookup(_ context.Context, name string) ([]netip.Addr, error) {
	address, err := netip.ParseAddr(name)
	return []netip.Addr{address}, err
}

func (l loopback) Addresses() ([]netip.Addr, error) { return []netip.Addr{l.at}, nil }

const (
	// loadPort is the port of the peers of the load test.
	loadPort = 17450
	// loadSize is how many peers it has.
	loadSize = 1000
	// mostMemory is how much memory index 0 of so many may have, in KiB.
	mostMemory = 40 << 10
)

func loadPeer(t *testing.T, index int32) *Group {
	g, err := join(t.Context(), Options{Port: loadPort, Config: protocol.Config{
		Job: "uid", Index: index, Size: loadSize, Start: true, End: true, EndTimeout: time.Minute,
		Name: func(i int32) string { return loopbackAddress(i).String() },
	}}, loopback{loopbackAddress(index)})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestLoad_leader is the process of index 0 in TestLoad.
func TestLoad_leader(t *testing.T) {
	if os.Getenv("PEERJOB_LOAD") == "" {
		t.Skip("TestLoad runs it in a process of its own")
	}
	g := loadPeer(t, 0)
	if _, err := g.WaitStart(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.Ended(0)
	if _, err := g.WaitEnd(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = g.Close()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if text, found := strings.CutPrefix(line, "VmHWM:"); found {
			fmt.Printf("peak %s", strings.TrimSpace(text))
		}
	}
}

// TestLoad has 1,000 peers on real sockets that come in the same moment. Index 0 has a
// process of its own, which says how much memory it had at most.
func TestLoad(t *testing.T) {
	if os.Getenv("PEERJOB_LOAD") == "" {
		t.Skip("set PEERJOB_LOAD to measure 1,000 peers on real sockets; it takes all cores for seconds")
	}
	leader := exec.Command(os.Args[0], "-test.run=^TestLoad_leader$")
	var said bytes.Buffer
	leader.Stdout, leader.Stderr = &said, os.Stderr
	if err := leader.Start(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var peers []*Group
	for index := range int32(loadSize - 1) {
		peers = append(peers, loadPeer(t, index+1))
	}
	for _, g := range peers {
		if _, err := g.WaitStart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	started := time.Since(began)
	time.Sleep(10 * time.Second)
	began = time.Now()
	for _, g := range peers {
		g.Ended(0)
	}
	var all sync.WaitGroup
	for _, g := range peers {
		all.Go(func() {
			if _, err := g.WaitEnd(t.Context()); err != nil {
				t.Error(err)
			}
			_ = g.Close()
		})
	}
	all.Wait()
	if err := leader.Wait(); err != nil {
		t.Fatal(err)
	}
	var peak int
	if _, text, found := strings.Cut(said.String(), "peak "); !found {
		t.Fatalf("index 0 said %s", &said)
	} else if _, err := fmt.Sscanf(text, "%d kB", &peak); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d peers: started after %v, ended after %v; index 0 had %d KiB at most", loadSize, started, time.Since(began), peak)
	if peak > mostMemory {
		t.Errorf("index 0 had %d KiB, want %d at most", peak, mostMemory)
	}
}
