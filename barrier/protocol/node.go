// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Config is what a peer is told when it starts.
type Config struct {
	// Job is the unique ID of the Job.
	Job string
	// Index is the completion index of the peer, Size the number of peers.
	Index, Size int32
	// Start says that the containers wait until every peer is there, End that
	// the Pod stays until every peer is at its end.
	Start, End bool
	// EndTimeout is how long it stays at most.
	EndTimeout time.Duration
	// Until are the ways in which the Job may have succeeded without all its
	// peers; none: all must be at their end.
	Until []Until
	// Name is the name under which a peer is reached.
	Name func(index int32) string
}

// Errors of [Node.Receive].
var (
	ErrNotLeader = errors.New("this is not index 0")
	ErrOtherJob  = errors.New("a report of another Job")
	ErrIndex     = errors.New("no such index in this Job")
)

// Node is one peer. It is not safe for concurrent use.
type Node struct {
	config Config
	id     ID
	born   int64
	peer   *peer
	leader *leader // nil but at index 0
	tick   time.Duration
}

// NewNode is a peer that begins now. The ID must be secret and never used
// before, born is the time in milliseconds since 1970.
func NewNode(config Config, id ID, born int64, random *rand.Rand, now time.Duration) *Node {
	n := &Node{config: config, id: id, born: born, peer: newPeer(config, random, now)}
	if config.Index == 0 {
		n.leader = newLeader(config)
	}
	return n
}

// Actions are what a [Node] wants done.
type Actions struct {
	// Report is to be sent to index 0, and its outcome given to [Node.Replied] or
	// [Node.Failed]; nil for none.
	Report *Report
	// Calls are the peers to be called by their names, and the outcome of each
	// given to [Node.Answered] or [Node.Unanswered].
	Calls []int32
	// Next is when to come back, if nothing else happens before.
	Next time.Duration
	// Leave says that the process is to end now.
	Leave bool
}

// Step returns what is to be done now. It must be called again after every
// other method, and at [Actions].Next.
func (n *Node) Step(now time.Duration) Actions {
	var a Actions
	n.peer.expire(now)
	if n.leader != nil {
		a.Calls = n.lead(now)
	}
	if now >= n.peer.due && !n.peer.sent && n.config.Index != 0 {
		a.Report = n.report()
		n.peer.sent, n.peer.reported = true, now
	}
	a.Leave = n.peer.phase == Left
	a.Next = n.next(now)
	return a
}

// lead does what index 0 does beside what every peer does. It reports to
// itself, and is called back by its name like everyone.
func (n *Node) lead(now time.Duration) (calls []int32) {
	if now >= n.peer.due && n.peer.phase != Left {
		phase := n.peer.phase
		n.peer.reported = now
		n.peer.replied(now, phase, n.leader.report(now, *n.report()))
	}
	if n.leader.busy && now >= n.tick {
		calls = n.leader.tick(now)
		n.tick = now + tickInterval(n.config.Size)
	}
	if n.peer.phase == Ended && (n.leader.over || !n.config.End) && n.leader.drained(now) {
		n.peer.leave(now, Together)
	}
	return calls
}

func (n *Node) next(now time.Duration) time.Duration {
	next := n.peer.due
	if n.peer.sent {
		next = now + maxRetry
	}
	if n.peer.phase == Ended {
		next = min(next, n.peer.deadline())
		if n.peer.failures > 1 && n.config.Index != 0 {
			next = min(next, n.peer.abandoned())
		}
	}
	if n.leader != nil && n.leader.busy {
		next = min(next, n.tick)
	}
	return max(next, now)
}

func (n *Node) report() *Report {
	return &Report{Job: n.config.Job, Index: n.config.Index, ID: n.id, Born: n.born, Phase: n.peer.phase}
}

// Replied takes the reply of index 0 to a report.
func (n *Node) Replied(now time.Duration, to Report, reply Reply) {
	if reply.Job != n.config.Job {
		n.Failed(now, "someone of another Job answers under the name of index 0")
		return
	}
	n.peer.replied(now, to.Phase, reply)
}

// Failed takes the reason why a report did not reach index 0.
func (n *Node) Failed(now time.Duration, reason string) { n.peer.failed(now, reason) }

// Answered takes what the process said which answered under a peer's name.
func (n *Node) Answered(now time.Duration, index int32, identity Identity) {
	if n.leader == nil || index < 0 || index >= n.config.Size {
		return
	}
	n.leader.answered(now, index, identity)
	if index == 0 && n.peer.phase == Ended && n.leader.records[0].proof != n.id.Proof() {
		n.peer.leave(now, Superseded)
	}
}

// Unanswered takes a call which reached nobody who counts.
func (n *Node) Unanswered(now time.Duration, index int32, problem Problem) {
	if n.leader != nil && index >= 0 && index < n.config.Size {
		n.leader.unanswered(now, index, problem)
	}
}

// Receive takes a report, and returns the reply to it.
func (n *Node) Receive(now time.Duration, report Report) (Reply, error) {
	switch {
	case n.leader == nil || n.peer.phase == Left:
		return Reply{}, ErrNotLeader
	case report.Job != n.config.Job:
		return Reply{}, ErrOtherJob
	case report.Index < 0 || report.Index >= n.config.Size:
		return Reply{}, ErrIndex
	}
	return n.leader.report(now, report), nil
}

// Called notes that someone has asked who this is. A peer that waits reports
// then, because index 0 asks when it has news for it.
func (n *Node) Called(now time.Duration) { n.peer.called(now) }

// Identity is what the peer says to whoever calls it.
func (n *Node) Identity() Identity {
	return Identity{Job: n.config.Job, Index: n.config.Index, Proof: n.id.Proof(), Born: n.born, Phase: n.peer.phase}
}

// Gate notes that the Pod's containers have not started yet.
func (n *Node) Gate() { n.peer.gated = true }

// Probe notes that the kubelet's startup probe asks: the Pod's containers have
// not started yet, or this process has taken the place of one that crashed.
func (n *Node) Probe() { n.peer.probed = true }

// Open reports whether the Pod's containers may start.
func (n *Node) Open() bool { return n.peer.opened }

// Terminate notes that the Pod's containers have ended.
func (n *Node) Terminate(now time.Duration) {
	n.peer.terminate(now)
	if n.leader != nil {
		// Index 0 does not wait for itself.
		n.leader.summary.due = now
	}
}

// Phase is how far the peer is.
func (n *Node) Phase() Phase { return n.peer.phase }

// Outcome is why the peer has left, and LastReport what it is to say then, once.
func (n *Node) Outcome() Outcome { return n.peer.outcome }

// LastReport is what a peer that leaves says to index 0.
func (n *Node) LastReport() Report { return *n.report() }

// Waiting says for whom or for what the peer waits, "" when it does not know.
func (n *Node) Waiting(now time.Duration) string {
	switch {
	case n.leader != nil:
		return n.leader.summary.text(now, n.leader)
	case n.peer.problem != "":
		return fmt.Sprintf("index 0, %s: %s", n.config.Name(0), n.peer.problem)
	}
	return n.peer.waiting
}

// Status is a page about the peer, and about all of them at index 0.
func (n *Node) Status(now time.Duration) string {
	var page strings.Builder
	line := func(name string, value any) { fmt.Fprintf(&page, "%-9s %v\n", name, value) }
	line("peer", fmt.Sprintf("%d of %d, %s", n.config.Index, n.config.Size, n.config.Name(n.config.Index)))
	line("phase", n.peer.phase)
	if n.peer.phase == Ended {
		line("leaves in", (n.peer.deadline() - now).Round(time.Second))
	}
	if n.leader != nil {
		line("there", fmt.Sprintf("%d of %d", n.leader.there, n.config.Size))
		line("done", fmt.Sprintf("%d of %d", n.leader.done, n.config.Size))
	}
	if waiting := n.Waiting(now); waiting != "" && n.peer.phase != Running {
		line("waits for", waiting)
	}
	return page.String()
}
