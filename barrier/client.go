// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

// maxAddresses is how many addresses of one name are tried: an index has two
// for as long as its old Pod and its new one overlap, and each may have two families.
const maxAddresses = 4

// client calls other peers.
type client struct {
	network network
	keys    protocol.Keys
	job     string
	port    uint16
	name    func(int32) string

	mu sync.Mutex
	// leader is where index 0 last replied, and process which process did; the zero
	// address for nowhere.
	leader  netip.Addr
	process protocol.Process
}

func newClient(options Options, keys protocol.Keys, network network) *client {
	return &client{network: network, keys: keys, job: options.Config.Job, port: options.Port, name: options.Config.Name}
}

// report sends a report to index 0. A reply from the address that was resolved
// before counts if the same process has signed it, and if nobody starts or leaves
// because of it. For everything else the name is resolved now.
func (c *client) report(ctx context.Context, report protocol.Report, anew bool) (protocol.Reply, error) {
	var sent atomic.Bool
	reply, err := c.tell(ctx, report, anew, &sent)
	if err != nil && !sent.Load() {
		err = notSentError{err}
	}
	return reply, err
}

// notSentError says that nobody can have heard a report.
type notSentError struct{ error }

func (e notSentError) Unwrap() error { return e.error }

func (c *client) tell(ctx context.Context, report protocol.Report, anew bool, sent *atomic.Bool) (protocol.Reply, error) {
	c.mu.Lock()
	leader, process := c.leader, c.process
	c.mu.Unlock()
	if leader.IsValid() && !anew {
		reply, err := c.reportTo(ctx, leader, report, sent)
		if err == nil && reply.Process == process && !reply.Terminating && !reply.Acts() {
			return reply, nil
		}
	}
	replies, err := ask(ctx, c, 0, func(ctx context.Context, address netip.Addr) (protocol.Reply, error) {
		return c.reportTo(ctx, address, report, sent)
	})
	if err != nil {
		c.mu.Lock()
		c.leader = netip.Addr{}
		c.mu.Unlock()
		return protocol.Reply{}, err
	}
	best := replies[0]
	for _, r := range replies[1:] {
		if r.value.Before(best.value, process) {
			best = r
		}
	}
	c.mu.Lock()
	c.leader, c.process = best.address, best.value.Process
	c.mu.Unlock()
	return best.value, nil
}

// call asks whoever answers under a peer's name who it is. Every address of the
// name is asked.
func (c *client) call(ctx context.Context, index int32) ([]protocol.Identity, protocol.Problem) {
	found, err := ask(ctx, c, index, func(ctx context.Context, address netip.Addr) (protocol.Identity, error) {
		return c.callTo(ctx, address, index)
	})
	switch {
	case errors.Is(err, errNoName):
		return nil, protocol.NoName
	case err != nil:
		return nil, protocol.NoAnswer
	}
	identities := make([]protocol.Identity, len(found))
	for i := range found {
		identities[i] = found[i].value
	}
	return identities, 0
}

// errNoName is a name that does not resolve.
var errNoName = errors.New("the name does not resolve")

// answer is what came from one address.
type answer[T any] struct {
	address netip.Addr
	value   T
	err     error
}

// ask resolves a peer's name, asks every address at once, and returns the answers. It
// is an error if there is none.
func ask[T any](ctx context.Context, c *client, index int32, one func(context.Context, netip.Addr) (T, error)) ([]answer[T], error) {
	addresses, err := c.network.Lookup(ctx, c.name(index))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoName, err)
	}
	if len(addresses) == 0 {
		return nil, errNoName
	}
	addresses = addresses[:min(len(addresses), maxAddresses)]
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	all := make(chan answer[T], len(addresses))
	for _, address := range addresses {
		go func() {
			value, err := one(ctx, address)
			all <- answer[T]{address, value, err}
		}()
	}
	var answers []answer[T]
	var failure error
	for range addresses {
		a := <-all
		if a.err != nil {
			failure = a.err
			continue
		}
		answers = append(answers, a)
		// An address that leads nowhere any more does not hold up the others.
		defer time.AfterFunc(otherAddresses, cancel).Stop()
	}
	if len(answers) == 0 {
		return nil, failure
	}
	return answers, nil
}

// otherAddresses is how long the other addresses of a name are waited for when one
// has answered.
const otherAddresses = 250 * time.Millisecond

// reportTo sends a report to an address, and notes that it was sent.
func (c *client) reportTo(ctx context.Context, address netip.Addr, report protocol.Report, sent *atomic.Bool) (protocol.Reply, error) {
	e, done, err := c.open(ctx, address, 0, protocol.ToReport)
	if err != nil {
		return protocol.Reply{}, err
	}
	defer done()
	challenge, _, err := e.receive(protocol.ChallengeKind, maxHello)
	if err == nil {
		_, err = protocol.ReadChallenge(challenge)
	}
	if err != nil {
		return protocol.Reply{}, err
	}
	sent.Store(true)
	if err := e.send(protocol.ReportKind, report); err != nil {
		return protocol.Reply{}, err
	}
	body, seal, err := e.receive(protocol.ReplyKind, protocol.MaxMessage)
	if err != nil {
		return protocol.Reply{}, err
	}
	reply, err := protocol.ReadReply(body)
	if err != nil {
		return protocol.Reply{}, err
	}
	return reply, e.transcript.Verify(protocol.ReplyKind, reply.Process, seal)
}

func (c *client) callTo(ctx context.Context, address netip.Addr, index int32) (protocol.Identity, error) {
	e, done, err := c.open(ctx, address, index, protocol.ToCall)
	if err != nil {
		return protocol.Identity{}, err
	}
	defer done()
	body, seal, err := e.receive(protocol.IdentityKind, maxHello)
	if err != nil {
		return protocol.Identity{}, err
	}
	identity, err := protocol.ReadIdentity(body)
	if err != nil {
		return protocol.Identity{}, err
	}
	return identity, e.transcript.Verify(protocol.IdentityKind, identity.Process, seal)
}

// open connects to a peer and says why. The exchange ends with the context.
func (c *client) open(ctx context.Context, address netip.Addr, index int32, purpose protocol.Purpose) (e *exchange, done func(), err error) {
	conn, err := c.network.Dial(ctx, "tcp", netip.AddrPortFrom(address.Unmap(), c.port).String())
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // in the past: whatever waits, ends
	done = func() {
		stop()
		conn.Close()
	}
	e = &exchange{conn: conn, keys: c.keys}
	if err := e.send(protocol.HelloKind, protocol.Hello{Job: c.job, Index: index, Purpose: purpose, Nonce: nonce(), From: c.keys.Process()}); err != nil {
		done()
		return nil, nil, err
	}
	return e, done, nil
}

// nonce is a number that nobody has chosen before.
func nonce() (n protocol.Nonce) {
	rand.Read(n[:]) // never fails
	return n
}

// Status is the page that the runner of the same Pod has about itself, from its
// port on loopback.
func Status(ctx context.Context, port uint16) (string, error) {
	return status(ctx, port, podNetwork{})
}

func status(ctx context.Context, port uint16, network network) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, protocol.CallTimeout)
	defer cancel()
	c := &client{network: network, port: port}
	var failure error
	for _, address := range []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()} {
		e, done, err := c.open(ctx, address, 0, protocol.ToShow)
		if err != nil {
			failure = errors.Join(failure, err)
			continue
		}
		defer done()
		body, _, err := e.receive(protocol.PageKind, protocol.MaxMessage)
		if err != nil {
			return "", err
		}
		page, err := protocol.ReadPage(body)
		return page.Text, err
	}
	return "", fmt.Errorf("no peerjob-runner listens on port %d of this Pod: %w", port, failure)
}
