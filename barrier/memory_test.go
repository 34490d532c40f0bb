// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"context"
	"maps"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// memory is a network of Pods in memory. Its connections carry no packets, so
// that a test in a synctest bubble waits for nothing but the fake clock.
type memory struct {
	mu        sync.Mutex
	names     map[string][]netip.Addr
	listeners map[netip.AddrPort]*memoryListener
	// dialled counts connections to an address; gone are addresses that reach nobody.
	dialled map[netip.Addr]int
	gone    map[netip.Addr]bool
	// delays are how long a connection to an address takes; longer than anybody waits, if
	// nothing comes back from it.
	delays map[netip.Addr]time.Duration
}

func newMemory() *memory {
	return &memory{names: map[string][]netip.Addr{}, listeners: map[netip.AddrPort]*memoryListener{}, dialled: map[netip.Addr]int{}, gone: map[netip.Addr]bool{}, delays: map[netip.Addr]time.Duration{}}
}

// name makes a name lead to these addresses, or to none.
func (m *memory) name(name string, addresses ...netip.Addr) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.names[name] = addresses
}

// dials counts the connections to an address.
func (m *memory) dials(to netip.Addr) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dialled[to]
}

// cut takes an address off the network: it reaches nobody.
func (m *memory) cut(address netip.Addr) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone[address] = true
}

// delay makes each connection to an address take so long.
func (m *memory) delay(to netip.Addr, by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.delays[to] = by
}

// memoryPod is the network that the Pod with this address sees.
type memoryPod struct {
	*memory
	address netip.Addr
}

func (p memoryPod) Listen(port uint16) (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := netip.AddrPortFrom(p.address, port)
	if p.listeners[at] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(at), Err: syscall.EADDRINUSE}
	}
	l := &memoryListener{memory: p.memory, at: at, dialled: make(chan net.Conn), closed: make(chan struct{})}
	p.listeners[at] = l
	return l, nil
}

// unplug refuses every connection to the Pod from now on.
func (p memoryPod) unplug() {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.listeners, func(at netip.AddrPort, _ *memoryListener) bool { return at.Addr() == p.address })
}

// Dial connects at once, or is refused at once, unless the address has a delay.
func (p memoryPod) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	from := p.address
	if to.Addr().IsLoopback() {
		from, to = to.Addr(), netip.AddrPortFrom(p.address, to.Port())
	}
	p.mu.Lock()
	delay := p.delays[to.Addr()]
	p.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(to), Err: ctx.Err()}
	}
	p.mu.Lock()
	l := p.listeners[to]
	p.dialled[to.Addr()]++
	cut := p.gone[p.address]
	p.mu.Unlock()
	refused := &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(to), Err: syscall.ECONNREFUSED}
	if l == nil || cut {
		return nil, refused
	}
	near, far := net.Pipe()
	select {
	case l.dialled <- memoryConn{far, netip.AddrPortFrom(from, 40000)}:
		return near, nil
	case <-l.closed:
		return nil, refused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p memoryPod) Lookup(_ context.Context, name string) ([]netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.names[name]) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return p.names[name], nil
}

func (p memoryPod) Addresses() ([]netip.Addr, error) { return []netip.Addr{p.address}, nil }

type memoryListener struct {
	memory  *memory
	at      netip.AddrPort
	dialled chan net.Conn
	closed  chan struct{}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.dialled:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.memory.mu.Lock()
	defer l.memory.mu.Unlock()
	if !isClosed(l.closed) {
		close(l.closed)
		delete(l.memory.listeners, l.at)
	}
	return nil
}

func (l *memoryListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }

// memoryConn is a connection that says where it comes from.
type memoryConn struct {
	net.Conn
	from netip.AddrPort
}

func (c memoryConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.from) }
