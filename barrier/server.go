// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"container/list"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

const (
	// maxConnections is how many connections are served at a time. A new one drops
	// the oldest, so a connection has its place for as long as it takes strangers to
	// open so many. A peer needs two round trips.
	maxConnections = 1024
	// fewConnections is how many are served at least, and how many fewer when the
	// process has no file descriptor left for another.
	fewConnections = 64
	// acceptPause is how long the server waits then.
	acceptPause = 10 * time.Millisecond
)

// server serves a peer's port.
type server struct {
	group *Group

	mu sync.Mutex
	// waiting are the connections that wait for their answer, the oldest first.
	waiting *list.List
	// most is how many there are at most.
	most    int
	closed  bool
	serving sync.WaitGroup
}

func newServer(g *Group) *server {
	return &server{group: g, waiting: list.New(), most: maxConnections}
}

// serve accepts connections until the listener is closed.
func (s *server) serve(listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			if temporary := (interface{ Temporary() bool })(nil); !errors.As(err, &temporary) || !temporary.Temporary() {
				return err
			}
			s.shrink()
			time.Sleep(acceptPause)
		default:
			s.admit(conn)
		}
	}
}

// admit serves a connection. If there are too many, the one that has waited longest
// goes.
func (s *server) admit(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		conn.Close()
		return
	}
	s.drop(s.most - 1)
	place := s.waiting.PushBack(conn)
	s.serving.Add(1)
	go func() {
		defer s.serving.Done()
		defer conn.Close()
		defer s.forget(place)
		s.exchange(conn)
	}()
}

// drop closes the connections that have waited longest, until there are so many.
func (s *server) drop(left int) {
	for s.waiting.Len() > left {
		oldest := s.waiting.Front()
		s.waiting.Remove(oldest)
		oldest.Value.(net.Conn).Close()
	}
}

// shrink serves fewer connections from now on, so that file descriptors are left: the
// limit of the process is lower than this server's.
func (s *server) shrink() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most = max(min(s.most, s.waiting.Len())-fewConnections, fewConnections)
	s.drop(s.most)
}

func (s *server) forget(place *list.Element) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting.Remove(place) // nothing, if it was dropped
}

// close closes every connection that waits, and waits until none is served.
func (s *server) close() {
	s.mu.Lock()
	s.closed = true
	for place := s.waiting.Front(); place != nil; place = place.Next() {
		place.Value.(net.Conn).Close()
	}
	s.mu.Unlock()
	s.serving.Wait()
}

// exchange answers one question. An error ends the connection and is nobody's news:
// what strangers send must not fill a log.
func (s *server) exchange(conn net.Conn) {
	if conn.SetDeadline(time.Now().Add(protocol.CallTimeout)) != nil {
		return
	}
	e := &exchange{conn: conn, keys: s.group.keys}
	hello, err := s.greet(e)
	if err != nil {
		_ = e.send(protocol.PageKind, protocol.Page{Text: err.Error()}) // the other side may be gone
		return
	}
	switch hello.Purpose {
	case protocol.ToReport:
		err = s.hear(e)
	case protocol.ToCall:
		var identity protocol.Identity
		s.group.change(func(now time.Duration) {
			identity = s.group.node.Identity(now)
			s.group.node.Called(now, hello.From)
		})
		err = e.send(protocol.IdentityKind, identity)
	case protocol.ToShow:
		err = e.send(protocol.PageKind, protocol.Page{Text: s.group.Status()})
	}
	if err != nil {
		_ = e.send(protocol.PageKind, protocol.Page{Text: err.Error()})
	}
}

// greet reads the first message of a connection.
func (s *server) greet(e *exchange) (protocol.Hello, error) {
	kind, body, seal, err := e.read(maxHello)
	if err != nil {
		return protocol.Hello{}, err
	}
	if kind != protocol.HelloKind {
		return protocol.Hello{}, errors.New("this is a port of peerjob-runner")
	}
	hello, err := protocol.ReadHello(body)
	if err != nil {
		return protocol.Hello{}, err
	}
	// Who asks from within the Pod needs no key.
	sealed := e.transcript.Open(e.keys, protocol.HelloKind, body, seal)
	if hello.Purpose == protocol.ToShow {
		if !isLoopback(e.conn) {
			return protocol.Hello{}, errors.New("only from within the Pod")
		}
		return hello, nil
	}
	if sealed != nil {
		return protocol.Hello{}, sealed
	}
	if s.group.options.Key != nil && !s.has(hello.To, e.conn) {
		return protocol.Hello{}, fmt.Errorf("called at %s, which is no address of this Pod", hello.To)
	}
	s.group.mu.Lock()
	defer s.group.mu.Unlock()
	return hello, s.group.node.Greet(hello)
}

// has reports whether an address is one of this Pod's. A service mesh that takes
// connections for the Pod brings them in from its loopback.
func (s *server) has(address netip.Addr, conn net.Conn) bool {
	if local, err := netip.ParseAddrPort(conn.LocalAddr().String()); err == nil && plain(local.Addr()) == address {
		return true
	}
	own, err := s.group.client.network.Addresses()
	return err == nil && slices.Contains(own, address)
}

// hear hears a report of whoever can sign it for this connection.
func (s *server) hear(e *exchange) error {
	if err := e.send(protocol.ChallengeKind, protocol.Challenge{Nonce: nonce()}); err != nil {
		return err
	}
	body, seal, err := e.receive(protocol.ReportKind, maxHello)
	if err != nil {
		return err
	}
	report, err := protocol.ReadReport(body)
	if err != nil {
		return err
	}
	if err := e.transcript.Verify(protocol.ReportKind, report.Process, seal); err != nil {
		return err
	}
	var reply protocol.Reply
	s.group.change(func(now time.Duration) { reply, err = s.group.node.Receive(now, report) })
	if err != nil {
		return err
	}
	return e.send(protocol.ReplyKind, reply)
}

func isLoopback(conn net.Conn) bool {
	from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	return err == nil && from.Addr().Unmap().IsLoopback()
}
