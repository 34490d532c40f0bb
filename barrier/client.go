// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
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
	// run is the unique ID of the Job of index 0, as far as the peer knows.
	run  func() string
	port uint16
	name func(int32) string

	mu sync.Mutex
	// leader is where the index 0 replied whose reply last counted; the zero address for
	// nowhere. Pinned says that it is asked there first, and silent what came of that if
	// no time was left to ask others.
	leader netip.Addr
	pinned bool
	silent protocol.Presence
	// places are where the peers answered that index 0 knows, by index.
	places []netip.Addr
}

func newClient(options Options, keys protocol.Keys, network network) *client {
	c := &client{network: network, keys: keys, run: func() string { return options.Config.Job }, port: options.Port, name: options.Config.Name}
	if options.Config.Index == 0 {
		c.places = make([]netip.Addr, options.Config.Size)
	}
	return c
}

// report sends a report to index 0, of which the peer knows a process. A reply from
// where that one replied before counts if it has signed it, and if nobody starts or
// leaves because of it. For everything else the name is resolved now, and the one that
// is known is asked, too, wherever its name leads.
func (c *client) report(ctx context.Context, report protocol.Report, known protocol.Process, anew bool) ([]answer[protocol.Reply], protocol.Presence, error) {
	var sent atomic.Bool
	replies, old, err := c.tell(ctx, report, known, anew, &sent)
	if err != nil && !sent.Load() {
		err = notSentError{err}
	}
	return replies, old, err
}

// notSentError says that nobody can have heard a report.
type notSentError struct{ error }

func (e notSentError) Unwrap() error { return e.error }

func (c *client) tell(ctx context.Context, report protocol.Report, known protocol.Process, anew bool, sent *atomic.Bool) ([]answer[protocol.Reply], protocol.Presence, error) {
	c.mu.Lock()
	leader, pinned, silent := c.leader, c.pinned, c.silent
	c.silent = protocol.Unasked
	c.mu.Unlock()
	one := func(ctx context.Context, address netip.Addr) (protocol.Reply, error) {
		return c.reportTo(ctx, address, report, sent)
	}
	if pinned && !anew {
		reply, err := one(ctx, leader)
		if err == nil && reply.Process == known && !reply.Terminating && !reply.Acts() {
			return []answer[protocol.Reply]{{address: leader, value: reply}}, protocol.There, nil
		}
		if ctx.Err() != nil {
			c.mu.Lock()
			c.pinned, c.silent = false, presence(err)
			c.mu.Unlock()
			return nil, protocol.Unasked, err
		}
	}
	// A time-out that has just been is not waited for again.
	replies, place, err := ask(ctx, c, 0, leader, silent == protocol.Unasked, one)
	old := place.presence(known, func(r protocol.Reply) protocol.Process { return r.Process })
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.pinned = false
	}
	if old == protocol.Unasked {
		old = silent
	}
	return replies, old, err
}

// follow notes whose reply counts.
func (c *client) follow(reply answer[protocol.Reply]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leader, c.pinned, c.silent = reply.address, true, protocol.Unasked
}

// call asks whoever answers under a peer's name who it is, and the process that is
// known where it last answered. Every address of the name is asked.
func (c *client) call(ctx context.Context, index int32, known protocol.Process) ([]answer[protocol.Identity], protocol.Presence, protocol.Problem) {
	c.mu.Lock()
	at := c.places[index]
	c.mu.Unlock()
	found, place, err := ask(ctx, c, index, at, true, func(ctx context.Context, address netip.Addr) (protocol.Identity, error) {
		return c.callTo(ctx, address, index)
	})
	switch {
	case errors.Is(err, errNoName):
		return nil, protocol.Unasked, protocol.NoName
	case err != nil:
		return nil, protocol.Unasked, protocol.NoAnswer
	}
	return found, place.presence(known, func(i protocol.Identity) protocol.Process { return i.Process }), 0
}

// keep notes where the process answered that counts under an index.
func (c *client) keep(index int32, process protocol.Process, answers []answer[protocol.Identity]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range answers {
		if a.value.Process == process {
			c.places[index] = a.address
			return
		}
	}
}

// errNoName is a name that does not resolve.
var errNoName = errors.New("the name does not resolve")

// answer is what came from one address.
type answer[T any] struct {
	address netip.Addr
	// named says that the name leads there.
	named bool
	value T
	err   error
}

// presence is what an answer, from where a process last answered, says about it.
func (a *answer[T]) presence(known protocol.Process, process func(T) protocol.Process) protocol.Presence {
	switch {
	case a == nil:
		return protocol.Unasked
	case a.err != nil:
		return presence(a.err)
	case process(a.value) != known:
		return protocol.Gone
	}
	return protocol.There
}

// presence is what an error says, of an exchange with a process where it last answered.
func presence(err error) protocol.Presence {
	operation := (*net.OpError)(nil)
	switch {
	case !errors.As(err, &operation) || operation.Op != "dial":
		return protocol.Mute
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return protocol.Gone
	}
	return protocol.Silent
}

// ask resolves a peer's name, asks every address at once, and the place where a known
// process last answered, and returns the answers. It is an error if there is none. It
// also returns what came of the place, nil if nothing did in time. If it is patient, it
// waits for the place as long as the context lasts.
func ask[T any](ctx context.Context, c *client, index int32, place netip.Addr, patient bool, one func(context.Context, netip.Addr) (T, error)) (answers []answer[T], at *answer[T], err error) {
	addresses, err := c.network.Lookup(ctx, c.name(index))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errNoName, err)
	}
	if len(addresses) == 0 {
		return nil, nil, errNoName
	}
	asked := slices.Clone(addresses[:min(len(addresses), maxAddresses)])
	if place.IsValid() && !slices.Contains(asked, place) {
		asked = append(asked, place)
	}
	others, cancel := context.WithCancel(ctx)
	defer cancel()
	all := make(chan answer[T], len(asked))
	for _, address := range asked {
		wait := others
		if address == place && patient {
			wait = ctx
		}
		go func() {
			value, err := one(wait, address)
			all <- answer[T]{address, slices.Contains(addresses, address), value, err}
		}()
	}
	var failure error
	for range asked {
		a := <-all
		if a.address == place && (a.err == nil || patient || others.Err() == nil) {
			at = &a
		}
		if a.err != nil {
			failure = a.err
			continue
		}
		answers = append(answers, a)
		// An address that leads nowhere any more does not hold up the others.
		defer time.AfterFunc(otherAddresses, cancel).Stop()
	}
	if len(answers) == 0 {
		return nil, at, failure
	}
	return answers, at, nil
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
	if err := e.send(protocol.HelloKind, protocol.Hello{Job: c.run(), Index: index, Purpose: purpose, Nonce: nonce(), From: c.keys.Process(), To: plain(address)}); err != nil {
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
	c := &client{network: network, port: port, run: func() string { return "" }}
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
