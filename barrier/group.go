// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

const (
	// logInterval is how often a peer that waits says for whom.
	logInterval = 10 * time.Second
	// farewell is how long a peer tries to say that it leaves.
	farewell = time.Second
	// bidInterval is how often [Group.Bid] looks.
	bidInterval = 5 * time.Millisecond
	// MinKey is the shortest key of a group, in bytes.
	MinKey = 16
)

// Options are what a peer is told.
type Options struct {
	// Config says which peer this is and what it waits for.
	Config protocol.Config
	// Port is the port of the runner, the same in every peer.
	Port uint16
	// Key is the key that all peers of the group share, at least [MinKey] bytes. With
	// nil, who can answer under a peer's name can speak for it.
	Key []byte
	// Log takes the lines of the log, one for each event, without a line end, one at a
	// time. Nil for none.
	Log func(line string)
}

// StartTimeoutError says that not every peer came in time.
type StartTimeoutError struct {
	// After is how long the peer waited, counted anew from when a peer was lost.
	After time.Duration
	// Missing are the peers that are missing, in words.
	Missing string
}

func (e *StartTimeoutError) Error() string {
	return fmt.Sprintf("start: timed out after %s; waited for %s", e.After, orUnknown(e.Missing))
}

// LeftError says that a peer has left, and its command is not to start.
type LeftError struct {
	// Outcome is why it left.
	Outcome protocol.Outcome
}

func (e *LeftError) Error() string { return fmt.Sprintf("start: %s", e.Outcome) }

// EndError says that a peer left before the others had ended.
type EndError struct {
	// Outcome is why it left.
	Outcome protocol.Outcome
	// After is how long it stayed, and Waiting for whom, in words.
	After   time.Duration
	Waiting string
}

func (e *EndError) Error() string {
	if e.Outcome == protocol.TimedOut {
		return fmt.Sprintf("end: timed out after %s; waited for %s", e.After, orUnknown(e.Waiting))
	}
	return fmt.Sprintf("end: %s; waited for %s", e.Outcome, orUnknown(e.Waiting))
}

func orUnknown(waiting string) string {
	if waiting == "" {
		return "the other peers"
	}
	return waiting
}

// Group is one peer's part in its group. Its user calls, in this order,
//
//   - [Group.WaitStart], and starts the command of the attempt that it returns,
//   - [Group.Started] when the command runs,
//   - [Group.Ended] when the command has ended, which it stops when [Group.MustStop] says so,
//   - [Group.WaitEnd], and all of that again if there is another attempt,
//   - [Group.Close], and exits with [Group.ExitCode].
type Group struct {
	options  Options
	keys     protocol.Keys
	began    time.Time
	client   *client
	server   *server
	listener net.Listener

	mu   sync.Mutex // guards what follows
	node *protocol.Node
	// ended is when the command ended.
	ended time.Duration
	// given is the attempt that WaitStart returned last, and stopping is closed when its
	// command must stop.
	given    int32
	stopping chan struct{}
	// at is where the node is, as the log has said. When it changes, moved is closed, and
	// another channel takes its place.
	at    position
	moved chan struct{}
	// changed wakes the loop after something happened to the node, and finished is closed
	// when the loop has ended.
	changed, finished chan struct{}
	// calls are the reports and calls that are on their way; stop ends them.
	calls  sync.WaitGroup
	ctx    context.Context
	stop   context.CancelFunc
	closer sync.Once
	// logging is held while a line is written.
	logging sync.Mutex
	failure error
}

// Join listens on the port and takes part in the group until [Group.Close]. It is an
// error if the options are no peer's, or if the port is taken. When the context is done,
// the peer leaves as with Close, but says no goodbye.
func Join(ctx context.Context, options Options) (*Group, error) {
	return join(ctx, options, podNetwork{})
}

func join(ctx context.Context, options Options, network network) (*Group, error) {
	if err := options.Config.Validate(); err != nil {
		return nil, err
	}
	if options.Key != nil && len(options.Key) < MinKey {
		return nil, fmt.Errorf("the key has %d bytes, and must have %d or more", len(options.Key), MinKey)
	}
	if options.Log == nil {
		options.Log = func(string) {}
	}
	keys, err := protocol.NewKeys(rand.Reader, options.Key)
	if err != nil {
		return nil, err
	}
	listener, err := network.Listen(options.Port)
	if err != nil {
		return nil, err
	}
	g := &Group{
		options: options, keys: keys, began: time.Now(), client: newClient(options, keys, network), listener: listener,
		changed: make(chan struct{}, 1), moved: make(chan struct{}), finished: make(chan struct{}),
	}
	g.ctx, g.stop = context.WithCancel(ctx)
	g.node = protocol.NewNode(options.Config, keys.Process(), mathrand.New(mathrand.NewPCG(mathrand.Uint64(), mathrand.Uint64())), g.now())
	g.client.run = g.run
	g.server = newServer(g)
	go func() {
		if err := g.server.serve(listener); err != nil {
			g.say(fmt.Sprintf("peers can't reach this Pod any more: %v", err))
		}
	}()
	go g.loop()
	context.AfterFunc(g.ctx, func() {
		_ = listener.Close() // Close has closed it, or nobody asks
		g.server.close()
	})
	return g, nil
}

// run is the unique ID of the Job of index 0, as far as this peer knows.
func (g *Group) run() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.node.Run()
}

func (g *Group) now() time.Duration { return time.Since(g.began) }

// WaitStart waits until the command may start, and returns the attempt, from 1. Without a
// failure policy there is one. It returns a [*StartTimeoutError] if not every peer came
// in time, a [*LeftError] if the peer has left, and an error of the context if that is
// done before.
func (g *Group) WaitStart(ctx context.Context) (attempt int, err error) {
	given := false
	err = g.await(ctx, func() bool {
		if g.at.phase == protocol.Running && g.at.attempt > g.given {
			g.given, g.stopping, given = g.at.attempt, make(chan struct{}), true
		}
		return given || g.at.phase == protocol.Left
	})
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case given:
		return int(g.given), nil
	case err != nil:
		return 0, fmt.Errorf("start: stopped while waiting for %s: %w", orUnknown(g.node.Waiting(g.now())), err)
	case g.node.Outcome() == protocol.StartTimedOut:
		return 0, &StartTimeoutError{After: g.options.Config.StartTimeout, Missing: g.node.Waiting(g.now())}
	}
	return 0, &LeftError{g.node.Outcome()}
}

// Started notes that the command of the attempt runs. With roles, it must be called: others
// may wait for that.
func (g *Group) Started() { g.change(func(now time.Duration) { g.node.Started(now) }) }

// MustStop is closed when the command of the attempt must stop: another attempt follows,
// the group has failed, the success roles are done, or index 0 can't be reached. [Group.Ended] must be called all the
// same, and not before the command and all that it has started have ended.
func (g *Group) MustStop() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stopping
}

// await waits until something is true, which is asked with the group's lock.
func (g *Group) await(ctx context.Context, isTrue func() bool) error {
	for {
		g.mu.Lock()
		done, moved := isTrue(), g.moved
		if done {
			g.wake() // the loop is to see what it must stop
		}
		g.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Terminating notes that the Pod was told to end, by a SIGTERM. The others hear of
// it at once. A peer that has not started leaves.
func (g *Group) Terminating() { g.change(func(now time.Duration) { g.node.Terminate(now) }) }

// Bid waits until the others know that this peer was told to end, where that matters: it
// is index 0, and would count as lost. See [Group.Terminating].
func (g *Group) Bid(ctx context.Context) {
	for {
		g.mu.Lock()
		done := g.node.Bidden(g.now())
		g.mu.Unlock()
		if done {
			return
		}
		select {
		case <-time.After(bidInterval):
		case <-ctx.Done():
			return
		}
	}
}

// Ended notes that the command has ended, with this exit code.
func (g *Group) Ended(code int) {
	g.change(func(now time.Duration) {
		g.ended = now
		g.node.End(now, int32(code))
	})
}

// WaitEnd waits, after [Group.Ended], until this peer may leave, or until its command is
// to run again, which it reports. Then [Group.WaitStart] follows. It returns an
// [*EndError] if the peer leaves before the others have ended, and an error of the
// context if that is done before.
func (g *Group) WaitEnd(ctx context.Context) (again bool, err error) {
	err = g.await(ctx, func() bool {
		again = g.at.phase != protocol.Left && g.at.attempt > g.given
		return again || g.at.phase == protocol.Left
	})
	g.mu.Lock()
	defer g.mu.Unlock()
	switch outcome := g.node.Outcome(); {
	case err != nil:
		return false, fmt.Errorf("end: stopped while waiting for %s: %w", orUnknown(g.node.Waiting(g.now())), err)
	case again:
		return true, nil
	case outcome == protocol.TimedOut, outcome == protocol.LeaderGone, outcome == protocol.Interrupted, outcome == protocol.Abandoned:
		return false, &EndError{Outcome: outcome, After: (g.now() - g.ended).Round(time.Second), Waiting: g.node.Waiting(g.now())}
	}
	return false, nil
}

// ExitCode is the exit code of a peer that has left: see [protocol.Node.ExitCode].
func (g *Group) ExitCode() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return int(g.node.ExitCode())
}

// Excused reports whether this peer ends with 0 whatever its command ended with, because
// the success roles are done, or the Job has succeeded.
func (g *Group) Excused() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.node.Excused()
}

// Failure says who has failed first, with which code, in which attempt, and whether that
// is this peer. It is "" if the group has not failed.
func (g *Group) Failure() (who string, here bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.node.Failure(), g.node.FailedFirst()
}

// Waiting says for whom or for what the peer waits, "" when it does not know.
func (g *Group) Waiting() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.node.Waiting(g.now())
}

// Status is a page about the peer, and about all of them at index 0.
func (g *Group) Status() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.node.Status(g.now())
}

// Close says goodbye to index 0, for a second at most, and ends everything that the
// peer does. It may be called at any time, and again.
func (g *Group) Close() error {
	g.closer.Do(func() {
		g.change(func(now time.Duration) { g.node.Leave(now) })
		<-g.finished
		g.goodbye()
		g.failure = g.listener.Close()
		g.stop()
		g.calls.Wait()
		g.server.close()
	})
	return g.failure
}

// goodbye tells index 0 that this peer leaves.
func (g *Group) goodbye() {
	g.mu.Lock()
	outcome, last, reaches, leader := g.node.Outcome(), g.node.LastReport(g.now()), g.node.Reaches(), g.node.Leader()
	settled := g.node.Verdict().Kind != protocol.Open
	g.mu.Unlock()
	if last.Index == 0 || outcome == protocol.LeaderGone || outcome == protocol.Abandoned {
		return
	}
	ctx, cancel := context.WithTimeout(g.ctx, farewell)
	defer cancel()
	if _, _, err := g.client.report(ctx, last, leader, false); err != nil {
		if last.Terminating || !reaches || settled {
			return // index 0 is likely to end, too, or the log has said so
		}
		g.say(fmt.Sprintf("%s does not know that this peer leaves: %v", g.options.Config.First(), err))
	}
}

// loop drives the node until it leaves.
func (g *Group) loop() {
	defer close(g.finished)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var say teller
	for {
		g.mu.Lock()
		now := g.now()
		actions := g.node.Step(now)
		lines := append(actions.Events, say.lines(g, now)...)
		g.mu.Unlock()
		// What the log says of a start comes before what the command says.
		for _, line := range lines {
			g.say(line)
		}
		g.publish()
		if actions.Leave {
			return
		}
		if actions.Report != nil {
			g.calls.Go(func() { g.report(*actions.Report, actions.Anew) })
		}
		for _, index := range actions.Calls {
			g.calls.Go(func() { g.call(index) })
		}
		timer.Reset(actions.Next - now)
		select {
		case <-timer.C:
		case <-g.changed:
		case <-g.ctx.Done():
			g.change(func(now time.Duration) { g.node.Leave(now) })
		}
	}
}

// say writes a line to the log.
func (g *Group) say(line string) {
	g.logging.Lock()
	defer g.logging.Unlock()
	g.options.Log(line)
}

// change does something to the node and wakes the loop.
func (g *Group) change(do func(now time.Duration)) {
	g.mu.Lock()
	do(g.now())
	g.mu.Unlock()
	g.wake()
}

// wake wakes the loop.
func (g *Group) wake() {
	select {
	case g.changed <- struct{}{}:
	default:
	}
}

// position is what the callers of a group wait for.
type position struct {
	phase   protocol.Phase
	attempt int32
}

// publish wakes who waits, if the node has moved, and says when the command must stop.
func (g *Group) publish() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := (position{g.node.Phase(), g.node.Attempt()}); now != g.at {
		g.at = now
		close(g.moved)
		g.moved = make(chan struct{})
	}
	if g.given == g.node.Attempt() && g.node.Phase() == protocol.Running && !g.node.Runs() && !isClosed(g.stopping) {
		close(g.stopping)
	}
}

// report sends a report to index 0.
func (g *Group) report(report protocol.Report, anew bool) {
	ctx, cancel := context.WithTimeout(g.ctx, protocol.CallTimeout)
	defer cancel()
	g.mu.Lock()
	leader := g.node.Leader()
	g.mu.Unlock()
	replies, old, err := g.client.report(ctx, report, leader, anew)
	heard := make([]protocol.Heard, len(replies))
	for i, r := range replies {
		heard[i] = protocol.Heard{Reply: r.value, Named: r.named}
	}
	g.change(func(now time.Duration) {
		if err != nil {
			g.node.Failed(now, err.Error(), !errors.As(err, new(notSentError)))
			return
		}
		if counts := g.node.Hear(now, report, heard, old); counts >= 0 {
			g.client.follow(replies[counts])
		}
	})
}

// call calls a peer by its name.
func (g *Group) call(index int32) {
	ctx, cancel := context.WithTimeout(g.ctx, protocol.CallTimeout)
	defer cancel()
	g.mu.Lock()
	known := g.node.Process(index)
	g.mu.Unlock()
	answers, old, problem := g.client.call(ctx, index, known)
	identities := make([]protocol.Identity, len(answers))
	for i, a := range answers {
		identities[i] = a.value
	}
	g.change(func(now time.Duration) {
		if problem != 0 {
			g.node.Unanswered(now, index, problem)
			return
		}
		g.node.Answered(now, index, identities, old)
		g.client.keep(index, g.node.Process(index), answers)
	})
}

// teller says what happens to a peer, in lines for a log.
type teller struct {
	at    position
	since time.Duration
	said  time.Duration
}

// lines are what is to be said now. It is called with the group's lock.
func (t *teller) lines(g *Group, now time.Duration) (lines []string) {
	phase := g.node.Phase()
	waiting := g.node.Waiting(now)
	if at := (position{phase, g.node.Attempt()}); at != t.at {
		lines = append(lines, t.entered(g, now, phase)...)
		t.at, t.since, t.said = at, now, now
		return lines
	}
	if (phase == protocol.Starting || phase == protocol.Ended) && now-t.said >= logInterval {
		t.said = now
		what := map[protocol.Phase]string{protocol.Starting: "start", protocol.Ended: "end"}[phase]
		lines = append(lines, fmt.Sprintf("%s: waiting for %s", what, orUnknown(waiting)))
	}
	return lines
}

// entered says which phase the peer has come to.
func (t *teller) entered(g *Group, now time.Duration, phase protocol.Phase) []string {
	c := g.options.Config
	switch phase {
	case protocol.Starting:
		limit := "without a time limit"
		if c.StartTimeout > 0 {
			limit = fmt.Sprintf("at most %s", c.StartTimeout)
		}
		if g.node.Attempt() > 1 {
			return []string{fmt.Sprintf("attempt %d: waiting for every peer, %s", g.node.Attempt(), limit)}
		}
		return []string{fmt.Sprintf("peer %d of %d, %s: waiting for every peer, %s", c.Index, c.Size, self(c), limit)}
	case protocol.Running:
		what := ""
		if c.Policy.Action == protocol.RestartPeerJob {
			what = fmt.Sprintf("; attempt %d starts", g.node.Attempt())
		}
		if t.at.phase == protocol.Starting {
			met := ""
			if m := c.Met(); m != "" {
				met = ", " + m
			}
			return []string{fmt.Sprintf("start: every peer is there%s, after %s%s", met, (now - t.since).Round(time.Millisecond), what)}
		}
		return []string{fmt.Sprintf("peer %d of %d, %s%s", c.Index, c.Size, self(c), what)}
	case protocol.Ended:
		switch {
		case !g.node.Stays():
		case g.node.Verdict().Kind == protocol.Succeeded && len(c.Roles) > 0:
			return []string{"end: staying until every peer knows that the group is done"}
		case g.node.Verdict().Kind == protocol.Failed:
			// It was stopped, and leaves.
		case g.node.Fails():
			return []string{"end: the command failed; telling the others"}
		case c.Policy.Action == protocol.RestartPeerJob:
			return []string{"end: staying until every peer has ended, and starting again if one fails"}
		case g.node.Tells() && len(c.Until) > 0:
			return []string{"end: staying until the Job has succeeded, and telling the others if one fails"}
		case g.node.Tells():
			return []string{"end: staying until every peer has ended, and telling the others if one fails"}
		case g.node.Owed():
			return []string{"end: staying until its role is Complete"}
		case g.node.MustStay() && c.Success != 0:
			return []string{"end: staying until the group is done"}
		case g.node.MustStay():
			return []string{"end: staying until the others have started"}
		default:
			return []string{fmt.Sprintf("end: staying until every peer has ended, at most %s", c.EndTimeout)}
		}
	case protocol.Left:
		switch outcome := g.node.Outcome(); outcome {
		case protocol.StartTimedOut:
			return []string{(&StartTimeoutError{c.StartTimeout, g.node.Waiting(now)}).Error()}
		case protocol.GroupFailed:
			return nil // the line before says so
		case protocol.TimedOut, protocol.LeaderGone, protocol.Interrupted, protocol.Abandoned:
			return []string{(&EndError{outcome, (now - t.since).Round(time.Second), g.node.Waiting(now)}).Error()}
		default:
			return []string{fmt.Sprintf("leaving: %s", outcome)}
		}
	}
	return nil
}

// self is what a log calls the peer itself first: with roles, also by its name in DNS.
func self(c protocol.Config) string {
	if len(c.Roles) == 0 {
		return c.Name(c.Index)
	}
	return fmt.Sprintf("%s (%s)", c.Label(c.Index), c.Name(c.Index))
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
