// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

// stranger is the network of somebody who is no peer.
func (j *job) stranger() memoryPod {
	return memoryPod{j.network, netip.MustParseAddr("10.77.200.1")}
}

// forger is a stranger who speaks the protocol, with keys of his own.
func (j *job) forger(group []byte) *client {
	keys, err := protocol.NewKeys(seed(7), group)
	if err != nil {
		j.t.Fatal(err)
	}
	return newClient(Options{Config: j.config, Port: port}, keys, j.stranger())
}

// seed is a source of bytes that is no secret.
type seed byte

func (s seed) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s)
	}
	return len(p), nil
}

// hold opens a connection to a peer, sends something, and holds it until it is closed
// or the test ends.
func (j *job) hold(to *pod, send []byte) {
	conn, err := j.stranger().Dial(j.t.Context(), "tcp", netip.AddrPortFrom(to.address, port).String())
	if err != nil {
		return // the peer has left
	}
	defer conn.Close()
	defer context.AfterFunc(j.t.Context(), func() { conn.Close() })()
	if len(send) > 0 {
		if _, err := conn.Write(send); err != nil {
			return
		}
	}
	_, _ = io.Copy(io.Discard, conn)
}

// TestStrangers_idle has connections without end that say nothing, or not
// enough. Peers start and end as if there were none.
func TestStrangers_idle(t *testing.T) {
	for name, said := range map[string][]byte{
		"nothing": nil, "a head": {1, 0, 200},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJob(t, 3)
				leader := j.start(0)
				ctx, stop := context.WithCancel(t.Context())
				var strangers sync.WaitGroup
				for range 2 * maxConnections {
					strangers.Go(func() {
						for ctx.Err() == nil {
							j.hold(leader, said)
							time.Sleep(time.Second)
						}
					})
				}
				time.Sleep(time.Second)
				began := time.Now()
				pods := []*pod{leader, j.start(1), j.start(2)}
				opened(t, pods...)
				if took := time.Since(began); took > soon {
					t.Errorf("started after %v", took)
				}
				pods[1].group.Ended(0)
				time.Sleep(2 * protocol.GoneAfter(3))
				if !pods[1].waits() {
					t.Errorf("a peer left while two others run:\n%s", pods[1].logged())
				}
				pods[2].group.Ended(0)
				pods[0].group.Ended(0)
				for i, p := range []*pod{pods[1], pods[2], pods[0]} {
					if _, err := p.left(); err != nil {
						t.Errorf("peer %d: %v", i, err)
					}
				}
				stop()
				strangers.Wait()
			})
		})
	}
}

// exhausted is a listener of a process that has no file descriptor left, for so many
// connections.
type exhausted struct {
	net.Listener
	failures int
}

func (e *exhausted) Accept() (net.Conn, error) {
	if e.failures > 0 {
		e.failures--
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	}
	return e.Listener.Accept()
}

// TestServer_shrink has a process whose limit of file descriptors is lower than the
// server's of connections. The server drops those that wait, and goes on.
func TestServer_shrink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		p := j.start(0)
		for range 500 {
			go j.hold(p, nil)
		}
		synctest.Wait()
		p.group.server.shrink()
		if got := p.group.server.waiting.Len(); got != 500-fewConnections {
			t.Errorf("%d connections are left of 500", got)
		}
		listener, err := p.Listen(port + 1)
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error)
		go func() { served <- p.group.server.serve(&exhausted{listener, 100}) }()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		p.group.server.mu.Lock()
		got := p.group.server.most
		p.group.server.mu.Unlock()
		if got != fewConnections {
			t.Errorf("%d connections at most, want %d", got, fewConnections)
		}
		c := j.forger(nil)
		c.port = port + 1
		if _, err := c.callTo(t.Context(), p.address, 0); err != nil {
			t.Errorf("a call: %v", err)
		}
		listener.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
		_ = p.group.Close()
	})
}

// TestStrangers_thousand has 1,000 peers that come in the same moment.
func TestStrangers_thousand(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 1000)
		began := time.Now()
		pods := j.startAll()
		opened(t, pods...)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("started after %v", took)
		}
		for _, p := range pods {
			_ = p.group.Close()
		}
	})
}

// forged is a report of a process that is no peer's.
func (c *client) forged(index int32, phase protocol.Phase) protocol.Report {
	return protocol.Report{Job: "uid", Index: index, Process: c.keys.Process(), Attempt: 1, Phase: phase}
}

// TestStrangers_report has forged reports for every index, all the time. Nobody
// starts, leaves or stays because of them, and index 0 calls nobody more often than
// it may.
func TestStrangers_report(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 3)
		forger := j.forger(nil)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		pods := []*pod{j.start(0), j.start(1)}
		var strangers sync.WaitGroup
		flood := func() {
			for ctx.Err() == nil {
				for index := range int32(3) {
					for phase := protocol.Starting; phase <= protocol.Left; phase++ {
						// What comes of it is not the forger's to know.
						_, _ = forger.reportTo(ctx, address(0), forger.forged(index, phase), new(atomic.Bool))
						time.Sleep(20 * time.Millisecond)
					}
				}
			}
		}
		strangers.Go(flood)
		time.Sleep(time.Minute)
		for i, p := range pods {
			if !p.waits() {
				t.Fatalf("peer %d started without peer 2", i)
			}
		}
		before := j.network.dials(address(1))
		time.Sleep(time.Minute)
		if calls := j.network.dials(address(1)) - before; calls > 60 {
			t.Errorf("index 0 called a peer %d times in a minute", calls)
		}
		pods = append(pods, j.start(2))
		opened(t, pods...)

		pods[0].group.Ended(0)
		pods[1].group.Ended(0)
		time.Sleep(time.Minute)
		if !pods[0].waits() || !pods[1].waits() {
			t.Fatal("a peer left while one runs")
		}
		// Peer 2 is gone, and nobody else can say that it is there.
		pods[2].unplug()
		j.network.name(j.config.Name(2))
		j.network.cut(pods[2].address)
		for i, p := range []*pod{pods[1], pods[0]} {
			if took, err := p.left(); err != nil || took > protocol.GoneAfter(3)+protocol.Heartbeat(3)+linger {
				t.Errorf("%d left after %v: %v", i, took, err)
			}
		}
		stop()
		strangers.Wait()
		_ = pods[2].group.Close()
	})
}

// linger is how long index 0 stays for a peer that can't be reached.
const linger = 13 * time.Second

// TestStrangers_leader has somebody who gets index 0's address when its Pod is gone.
// He is not believed, because index 0's name does not lead to him.
func TestStrangers_leader(t *testing.T) {
	for name, leads := range map[string]bool{"no name": false, "another address": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJob(t, 3)
				pods := []*pod{j.start(0), j.start(1)}
				time.Sleep(10 * time.Second)
				pods[0].unplug()
				_ = pods[0].group.Close()
				j.network.name(j.config.Name(0))
				if leads {
					j.network.name(j.config.Name(0), netip.MustParseAddr("10.77.0.99"))
				}
				rogue := j.rogue(address(0))
				time.Sleep(time.Minute)
				if !pods[1].waits() {
					t.Fatalf("a peer started on the word of a stranger:\n%s", pods[1].logged())
				}
				if rogue.heard() == 0 {
					t.Error("nobody asked the stranger, so the test shows nothing")
				}
				_ = pods[1].group.Close()
			})
		})
	}
}

// rogue answers every report with a go, and every call as a peer that has ended, sealed
// with keys of his own.
type rogue struct {
	mu             sync.Mutex
	reports, calls int
}

func (r *rogue) heard() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reports + r.calls
}

func (j *job) rogue(at netip.Addr) *rogue {
	listener, err := memoryPod{j.network, at}.Listen(port)
	if err != nil {
		j.t.Fatal(err)
	}
	r := &rogue{}
	keys := j.forger(nil).keys
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go r.answer(&exchange{conn: conn, keys: keys})
		}
	}()
	context.AfterFunc(j.t.Context(), func() { listener.Close() })
	return r
}

func (r *rogue) answer(e *exchange) {
	defer e.conn.Close()
	body, _, err := e.receive(protocol.HelloKind, maxHello)
	if err != nil {
		return
	}
	if hello, err := protocol.ReadHello(body); err != nil || hello.Purpose == protocol.ToCall {
		r.mu.Lock()
		r.calls++
		r.mu.Unlock()
		identity := protocol.Identity{Job: "uid", Index: hello.Index, Process: e.keys.Process(), Attempt: 1, Phase: protocol.Ended}
		_ = e.send(protocol.IdentityKind, identity) // index 0 may be gone
		return
	}
	if e.send(protocol.ChallengeKind, protocol.Challenge{Nonce: nonce()}) != nil {
		return
	}
	if _, _, err := e.receive(protocol.ReportKind, maxHello); err != nil {
		return
	}
	r.mu.Lock()
	r.reports++
	r.mu.Unlock()
	_ = e.send(protocol.ReplyKind, protocol.Reply{Job: "uid", Process: e.keys.Process(), Attempt: 1, Go: true}) // the peer may be gone
}

// TestStrangers_first has somebody who answers under the names of peers that are known,
// sooner than they do, or in their place. All start when the last peer has come, and
// leave when the last one has ended.
func TestStrangers_first(t *testing.T) {
	for name, others := range map[string]func(known netip.Addr) []netip.Addr{
		"a second address": func(known netip.Addr) []netip.Addr { return []netip.Addr{address(99), known} },
		"a crowd": func(known netip.Addr) []netip.Addr {
			return []netip.Addr{address(99), address(98), address(97), address(96), address(95), known}
		},
		"another address": func(netip.Addr) []netip.Addr { return []netip.Addr{address(99)} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJob(t, 3)
				pods := []*pod{j.start(0), j.start(1)}
				time.Sleep(10 * time.Second)
				rogue := j.rogue(address(99))
				for i := range int32(2) {
					j.network.name(j.config.Name(i), others(address(i))...)
					j.network.delay(address(i), time.Second)
				}
				time.Sleep(time.Minute)
				for i, p := range pods {
					if !p.waits() {
						t.Fatalf("peer %d started on the word of a stranger:\n%s", i, p.logged())
					}
				}
				// Whoever has never heard of index 0 can't tell it from a stranger.
				j.network.name(j.config.Name(0), address(0))
				began := time.Now()
				pods = append(pods, j.start(2))
				opened(t, pods...)
				if took := time.Since(began); took > 2*soon {
					t.Errorf("started after %v", took)
				}
				j.network.name(j.config.Name(0), others(address(0))...)
				pods[0].group.Ended(0)
				pods[1].group.Ended(0)
				time.Sleep(time.Minute)
				if !pods[0].waits() || !pods[1].waits() {
					t.Fatalf("a peer left while one runs:\n%s", pods[0].logged())
				}
				// Nor can index 0 tell him from the next Pod of a peer that has left.
				j.network.name(j.config.Name(1), address(1))
				pods[2].group.Ended(0)
				time.Sleep(2 * soon)
				if name == "another address" {
					// What index 0 says from where its name does not lead does not count.
					if !pods[1].waits() {
						t.Fatalf("peer 1 left:\n%s", pods[1].logged())
					}
					j.network.name(j.config.Name(0), address(0))
				}
				for i, p := range slices.Backward(pods) {
					if took, err := p.left(); err != nil || took > linger {
						t.Errorf("peer %d left after %v: %v\n%s", i, took, err, p.logged())
					}
				}
				if rogue.heard() == 0 {
					t.Error("nobody asked the stranger, so the test shows nothing")
				}
			})
		})
	}
}

// TestGroup_killed has a Pod that ends without a word while all wait for the start. Its
// replacement, at another address, counts as soon as it is clear that it is gone.
func TestGroup_killed(t *testing.T) {
	for name, refuses := range map[string]bool{"its address refuses": true, "nothing comes back": false} {
		for index := range int32(2) {
			t.Run(fmt.Sprintf("%s, index %d", name, index), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					j := newJob(t, 3)
					pods := []*pod{j.start(0), j.start(1)}
					time.Sleep(10 * time.Second)
					old := pods[index]
					most := soon
					old.unplug()
					j.network.cut(old.address)
					if !refuses {
						j.network.delay(old.address, time.Hour)
						most = 12 * time.Second
					}
					began := time.Now()
					time.Sleep(2 * time.Second)
					pods[index] = j.startAt(index, address(50))
					pods = append(pods, j.start(2))
					opened(t, pods...)
					if took := time.Since(began); took > most+2*time.Second {
						t.Errorf("started after %v", took)
					}
					for _, p := range append(pods, old) {
						_ = p.group.Close()
					}
				})
			})
		}
	}
}

// relay passes on what two sides say, and keeps what the first one said.
type relay struct {
	mu   sync.Mutex
	said [][]byte
}

func (r *relay) between(near, far net.Conn) {
	var both sync.WaitGroup
	both.Go(func() {
		defer far.Close()
		buffer := make([]byte, 1<<12)
		for {
			n, err := near.Read(buffer)
			if n > 0 {
				r.mu.Lock()
				r.said = append(r.said, append([]byte(nil), buffer[:n]...))
				r.mu.Unlock()
				if _, err := far.Write(buffer[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	both.Go(func() {
		defer near.Close()
		_, _ = io.Copy(near, far) // the end of either side is the end of both
	})
	both.Wait()
}

// TestStrangers_replay has somebody on the path who keeps what a peer reported, and
// says it again when the peer is gone. It does not count: index 0 has chosen another
// number.
func TestStrangers_replay(t *testing.T) {
	for name, key := range map[string][]byte{"without a key": nil, "with a key": []byte("0123456789abcdef")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJob(t, 2)
				j.key = key
				pods := j.startAll()
				opened(t, pods...)
				peer, leader := pods[1], pods[0]
				// The peer says its report to index 0, through somebody who listens.
				near, between := net.Pipe()
				far, err := j.stranger().Dial(t.Context(), "tcp", netip.AddrPortFrom(leader.address, port).String())
				if err != nil {
					t.Fatal(err)
				}
				r := &relay{}
				go r.between(between, far)
				c := newClient(peer.group.options, peer.group.keys, through{peer.memoryPod, near})
				peer.group.mu.Lock()
				report := peer.group.node.LastReport(peer.group.now())
				peer.group.mu.Unlock()
				if _, err := c.reportTo(t.Context(), leader.address, report, new(atomic.Bool)); err != nil {
					t.Fatal(err)
				}
				before := leader.group.heard(1)
				time.Sleep(time.Second)
				// Its Pod is gone.
				j.network.cut(peer.address)
				again, err := j.stranger().Dial(t.Context(), "tcp", netip.AddrPortFrom(leader.address, port).String())
				if err != nil {
					t.Fatal(err)
				}
				go func() { _, _ = io.Copy(io.Discard, again) }()
				for _, message := range r.said {
					if _, err := again.Write(message); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				if len(r.said) < 2 || leader.group.heard(1) != before {
					t.Errorf("%d messages said again count", len(r.said))
				}
				again.Close()
				_ = peer.group.Close()
				_ = leader.group.Close()
			})
		})
	}
}

// TestStrangers_relay has somebody at the address that a peer's name leads to, who passes
// every connection on to the peer, which has another address now. With a key, the peer
// does not count as reached.
func TestStrangers_relay(t *testing.T) {
	for index := range int32(2) {
		t.Run(fmt.Sprintf("index %d", index), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJob(t, 2)
				j.key = []byte("0123456789abcdef")
				pods := j.startAll()
				at := memoryPod{j.network, address(99)}
				listener, err := at.Listen(port)
				if err != nil {
					t.Fatal(err)
				}
				passed := 0
				go func() {
					for {
						near, err := listener.Accept()
						if err != nil {
							return
						}
						far, err := at.Dial(t.Context(), "tcp", netip.AddrPortFrom(address(index), port).String())
						if err != nil {
							near.Close()
							continue
						}
						passed++
						go new(relay).between(near, far)
					}
				}()
				j.network.name(j.config.Name(index), at.address)
				time.Sleep(time.Minute)
				for i, p := range pods {
					if !p.waits() {
						t.Errorf("peer %d started, and the name of index %d leads elsewhere:\n%s", i, index, p.logged())
					}
				}
				if passed == 0 {
					t.Error("nobody asked the stranger, so the test shows nothing")
				}
				j.network.name(j.config.Name(index), address(index))
				opened(t, pods...)
				listener.Close()
				for _, p := range pods {
					_ = p.group.Close()
				}
			})
		})
	}
}

// through dials into one connection.
type through struct {
	memoryPod
	conn net.Conn
}

func (t through) Dial(context.Context, string, string) (net.Conn, error) { return t.conn, nil }

// heard is what index 0 says about a peer.
func (g *Group) heard(index int32) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.node.Known(index)
}

// TestStrangers_noKey has peers with a key, and somebody without it under the name of
// one of them, and under that of index 0. He is nobody.
func TestStrangers_noKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		j.key = []byte("0123456789abcdef")
		leader := j.start(0)
		j.key = nil
		rogue := j.start(1)
		time.Sleep(time.Minute)
		if !leader.waits() || !rogue.waits() {
			t.Fatalf("a peer without the key counts:\n%s", leader.logged())
		}
		if got, want := rogue.group.Waiting(), "index 0, train-0.svc: refused: the message is not sealed by who it says"; got != want {
			t.Errorf("it waits for %q, want %q", got, want)
		}
		if got, want := leader.group.Waiting(), "1 of 2 peers: train-1.svc (never heard of)"; got != want {
			t.Errorf("index 0 waits for %q, want %q", got, want)
		}
		_ = rogue.group.Close()
		_ = leader.group.Close()
	})
}
