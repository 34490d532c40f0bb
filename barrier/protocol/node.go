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
	// Job is the unique ID of the Job; see [Config.Validate].
	Job string
	// Index is the completion index of the peer, Size the number of peers. With roles, both
	// are over all roles: the index is the peer's rank.
	Index, Size int32
	// Start says that the command waits until every peer is there, End that the Pod
	// stays until every peer is at its end.
	Start, End bool
	// StartTimeout is how long a peer waits for the start, 0 for no limit. The time
	// begins again when a peer is lost, and when the next attempt can start at last.
	StartTimeout time.Duration
	// EndTimeout is how long a peer at its end stays at most.
	EndTimeout time.Duration
	// Until are the ways in which the Job may have succeeded without all its
	// peers; none: all must be at their end.
	Until []Until
	// Name is the name under which a peer is reached.
	Name func(index int32) string
	// Policy is what the group does when a peer fails.
	Policy Policy
	// Roles are the roles of the group in their order; empty if it has none.
	Roles []Role
	// AfterStarted are the roles all of whose commands must run before this peer's command
	// starts, and AfterComplete those all of whose commands must have ended with 0.
	AfterStarted, AfterComplete RoleSet
	// Success are the roles that decide: when every command of theirs has ended with 0, the
	// group is done, and the peers of all others are told to end. Empty: all decide.
	Success RoleSet
}

// Validate is an error if the configuration is no peer's.
func (c Config) Validate() error {
	switch {
	case c.Job == "":
		return errors.New("the unique ID of the Job is empty: runs could not be told apart")
	case len(c.Job) > maxJob:
		return fmt.Errorf("the unique ID of the Job has more than %d bytes", maxJob)
	case c.Size < 1:
		return fmt.Errorf("%d peers: must be 1 or more", c.Size)
	case c.Index < 0 || c.Index >= c.Size:
		return fmt.Errorf("index %d: must be from 0 to %d", c.Index, c.Size-1)
	case c.StartTimeout < 0 || c.EndTimeout < 0:
		return errors.New("a timeout is negative")
	case c.Name == nil:
		return errors.New("the peers have no names")
	}
	return errors.Join(c.validateRoles(), c.Policy.validate(c))
}

// Errors of [Node.Greet] and [Node.Receive].
var (
	ErrNotLeader = errors.New("this is not index 0")
	ErrOtherJob  = errors.New("this is a peer of another Job")
	ErrIndex     = errors.New("no such index here")
)

// Node is one peer. It is not safe for concurrent use.
type Node struct {
	config  Config
	process Process
	peer    *peer
	leader  *leader // nil but at index 0
	tick    time.Duration
}

// NewNode is a peer that begins now, as this process. The configuration must be
// valid.
func NewNode(config Config, process Process, random *rand.Rand, now time.Duration) *Node {
	n := &Node{config: config, process: process, peer: newPeer(config, random, now)}
	if config.Index == 0 {
		n.peer.group = config.Job
		n.leader = newLeader(config, process, now)
		n.peer.leader = process
	}
	return n
}

// Actions are what a [Node] wants done.
type Actions struct {
	// Report is to be sent to index 0, and its outcome given to [Node.Hear] or
	// [Node.Failed]; nil for none.
	Report *Report
	// Anew says that index 0 has called, so that the reply may be a go: its name is
	// to be resolved for this report. A go from an address that was resolved before is
	// not to be believed.
	Anew bool
	// Calls are the peers to be called by their names, and the outcome of each
	// given to [Node.Answered] or [Node.Unanswered].
	Calls []int32
	// Events are what a log is to say, a line each.
	Events []string
	// Next is when to come back, if nothing else happens before.
	Next time.Duration
	// Leave says that the peer is to say goodbye and end.
	Leave bool
}

// Step returns what is to be done now. It must be called again after every
// other method, and at [Actions].Next.
func (n *Node) Step(now time.Duration) Actions {
	var a Actions
	n.peer.expire(now)
	if n.leader != nil {
		a.Calls = n.lead(now)
		a.Events, n.leader.events = n.leader.events, nil
	}
	a.Events, n.peer.events = append(a.Events, n.peer.events...), nil
	if now >= n.peer.due && !n.peer.sent && n.config.Index != 0 {
		a.Report, a.Anew = n.report(now), n.peer.news
		if n.peer.news {
			n.peer.vain++
		}
		n.peer.sent, n.peer.news, n.peer.reported = true, false, now
	}
	a.Leave = n.peer.phase == Left
	a.Next = n.next(now)
	return a
}

// lead does what index 0 does beside what every peer does. It reports to
// itself, and is called back by its name like everyone.
func (n *Node) lead(now time.Duration) (calls []int32) {
	if now >= n.peer.due && n.peer.phase != Left {
		report := *n.report(now)
		n.peer.reported = now
		n.peer.replied(now, report, n.leader.report(now, report))
	}
	if n.leader.deposed {
		n.abdicate(now)
		return nil
	}
	n.peer.needed = n.leader.holding
	if n.leader.busy && now >= n.tick {
		calls = n.leader.tick(now)
		n.tick = now + tickInterval(n.config.Size)
		if n.leader.attempt > max(n.peer.attempt, n.peer.next) || n.leader.verdict.Kind != n.peer.verdict.Kind {
			n.peer.due = now
		}
	}
	switch {
	case n.leader.verdict.Kind == Failed && (n.peer.phase == Ended || n.peer.phase == Starting) && n.leader.heardAll(now) && (n.peer.terminating || !n.leader.holdsFirst(now)):
		n.hearVerdict(now)
		n.peer.leave(now, GroupFailed)
	case n.leader.verdict.Kind == Failed:
	case now >= n.startDeadline():
		n.leader.giveUp(now)
		if n.leader.told() || now >= n.startDeadline()+farewell {
			n.peer.leave(now, StartTimedOut)
		}
	case n.peer.phase == Ended && (n.leader.over || !n.peer.stays()) && n.leader.drained(now):
		if n.peer.stays() {
			n.peer.leave(now, Together)
		} else {
			n.peer.leave(now, n.peer.unasked())
		}
	}
	return calls
}

// startDeadline is when an index 0 that waits for the start gives up. One whose role is Complete
// waits for the start of the others.
func (n *Node) startDeadline() time.Duration {
	switch p := n.peer; {
	case p.phase == Starting:
		return p.startDeadline()
	case p.phase == Ended && p.isComplete() && p.config.Policy.restarts() && p.config.StartTimeout > 0:
		return n.leader.unopened + p.config.StartTimeout
	}
	return never
}

// hearVerdict tells the peer of an index 0 how the group has failed. The others can have
// heard it before, and index 0 leaves then.
func (n *Node) hearVerdict(now time.Duration) {
	p, l := n.peer, n.leader
	p.witnessed, _ = l.witnesses(now, 0)
	p.restarts = max(p.restarts, l.restarts)
	p.hear(Reply{Verdict: l.verdict})
	p.verdict = l.verdict
}

// abdicate ends an index 0 in whose place another one has come: its command stops.
func (n *Node) abdicate(now time.Duration) {
	if n.peer.phase == Running {
		n.peer.stopping = true
		return
	}
	if n.peer.phase != Left {
		n.peer.leave(now, Superseded)
	}
}

func (n *Node) next(now time.Duration) time.Duration {
	next := n.peer.due
	if n.peer.sent {
		next = now + maxRetry
	}
	switch n.peer.phase {
	case Starting:
		if deadline := n.peer.startDeadline(); deadline > now {
			next = min(next, deadline)
		}
	case Running:
		next = min(next, n.peer.leaseEnds())
	case Ended:
		switch {
		case n.peer.verdict.Kind != Failed:
			next = min(next, n.peer.deadline())
		case n.config.Index != 0:
			next = min(next, n.peer.lastWord())
		}
		if n.peer.failures > 1 && n.config.Index != 0 && n.peer.verdict.Kind != Failed {
			next = min(next, n.peer.abandoned())
		}
	}
	if n.leader != nil && n.leader.busy {
		next = min(next, n.tick)
	}
	return max(next, now)
}

func (n *Node) state(now time.Duration) State {
	p := n.peer
	s := State{
		Job: n.config.Job, Index: n.config.Index, Process: n.process,
		Attempt: p.attempt, Phase: p.phase, Code: p.code, Terminating: p.terminating, GaveUp: p.outcome == StartTimedOut,
		LeaseLost: p.leaseLost, Restarts: p.restarts, Verdict: p.verdict,
	}
	if policy := p.config.Policy; p.phase >= Ended && policy.Action != EachForItself {
		s.Spared, s.Fatal = policy.spares(p.code), p.fatal()
	}
	if p.next > p.attempt {
		s.Next = p.next
	}
	if n.config.isJoint() && p.leader != (Process{}) {
		s.Leader, s.LeaderEnds, s.Silence = p.leader, p.leaderEnds, silence(now, p.spoke)
		if len(p.former) > 0 {
			s.FormerSilence = silence(now, p.spokeFormer)
		}
	}
	if n.config.hasRoles() {
		s.Group, s.Started, s.Complete, s.CompleteIn = p.group, p.started, p.complete, p.completeIn
		s.AfterStarted, s.AfterComplete = n.config.AfterStarted, n.config.AfterComplete
	}
	return s
}

func (n *Node) report(now time.Duration) *Report {
	report := Report(n.state(now))
	return &report
}

// Replied takes the reply of index 0 to a report, once it is clear that it counts: see
// [Node.Hear]. Its process must have signed it.
func (n *Node) Replied(now time.Duration, to Report, reply Reply) {
	if !n.leads(reply.Job) {
		n.Failed(now, "somebody of another Job answers under the name of "+n.config.First(), true)
		return
	}
	n.peer.replied(now, to, reply)
}

// Failed takes the reason why there is no reply to a report. Sent says that index 0 may
// have heard it all the same.
func (n *Node) Failed(now time.Duration, reason string, sent bool) {
	if sent {
		n.peer.spoke = now
	}
	n.peer.failed(now, reason)
}

// Answered takes what the processes said that answered under a peer's name, one
// for each address that was asked. Each must have signed what it said. Old is what came
// of asking [Node.Process].
func (n *Node) Answered(now time.Duration, index int32, identities []Identity, old Presence) {
	if n.leader == nil || index < 0 || index >= n.config.Size {
		return
	}
	n.leader.answered(now, index, identities, old)
	if self := &n.leader.records[0]; index == 0 && n.peer.phase == Ended && self.known() && self.process != n.process {
		n.peer.leave(now, Superseded)
	}
}

// Unanswered takes the outcome of a call that reached nobody who counts.
func (n *Node) Unanswered(now time.Duration, index int32, problem Problem) {
	if n.leader == nil || index < 0 || index >= n.config.Size {
		return
	}
	n.leader.unanswered(now, index, problem)
}

// Greet is an error if a connection is not for this peer. It believes nothing:
// the hello may be a stranger's.
func (n *Node) Greet(hello Hello) error {
	switch {
	case hello.Purpose == ToShow:
		return nil
	case !n.leads(hello.Job) && (hello.Job != "" || n.leader == nil || !n.config.hasRoles()):
		return ErrOtherJob
	case hello.Index != n.config.Index:
		return ErrIndex
	case hello.Purpose == ToReport && n.leader == nil:
		return ErrNotLeader
	}
	return nil
}

// Receive takes a report and returns what index 0 says to it. The process that
// reports must have signed it.
func (n *Node) Receive(now time.Duration, report Report) (Reply, error) {
	switch {
	case n.leader == nil:
		return Reply{}, ErrNotLeader
	case report.Index < 0 || report.Index >= n.config.Size:
		return Reply{}, ErrIndex
	case n.leader.isForeign(State(report)):
		return Reply{}, ErrOtherJob
	}
	reply := n.leader.report(now, report)
	reply.Terminating = n.peer.terminating
	if reply.Known && reply.Terminating {
		n.leader.records[report.Index].bidden = true
	}
	if n.leader.deposed {
		return Reply{}, ErrNotLeader
	}
	return reply, nil
}

// Identity is what the peer says to whoever calls it.
func (n *Node) Identity(now time.Duration) Identity { return Identity(n.state(now)) }

// Called notes that somebody has called this peer: index 0 perhaps, which has news. From
// is the process that says it calls.
func (n *Node) Called(now time.Duration, from Process) {
	if from == n.peer.leader {
		n.peer.spoke = now
	}
	n.peer.called(now)
}

// Attempt is the attempt that the peer is in, from 1.
func (n *Node) Attempt() int32 { return n.peer.attempt }

// Runs reports whether the command of this attempt is to run. If it runs and must not,
// it is to be stopped, and [Node.End] to be called when it has.
func (n *Node) Runs() bool { return n.peer.phase == Running && !n.peer.stopping }

// Restarts is how many restarts of the group have been used up, as far as the peer knows.
func (n *Node) Restarts() int32 { return n.peer.restarts }

// Failure says who has failed first, and with which code in which attempt; "" if the
// group has not failed, as far as the peer knows.
func (n *Node) Failure() string {
	if n.peer.verdict.Kind != Failed {
		return ""
	}
	return n.peer.verdict.text(n.config.Label)
}

// FailedFirst reports whether the group has failed because of this peer's command.
func (n *Node) FailedFirst() bool { return n.peer.verdict.Kind == Failed && n.peer.first() }

// Verdict is how the group ends, as far as the peer knows.
func (n *Node) Verdict() Verdict { return n.peer.verdict }

// End notes that the command has ended, with this exit code.
func (n *Node) End(now time.Duration, code int32) {
	n.peer.end(now, code)
	if n.leader != nil {
		// Index 0 does not wait for itself.
		n.leader.summary.due = now
	}
}

// Terminate notes that the Pod was told to end. A peer that has not started leaves
// at once. Any other goes on, until its command ends.
func (n *Node) Terminate(now time.Duration) {
	if n.leader != nil && n.leader.verdict.Kind == Failed && n.peer.phase == Starting && !n.peer.terminating {
		// It leaves when the others have heard: see lead.
		n.peer.terminating, n.peer.told = true, now
		return
	}
	n.peer.terminate(now)
	if n.leader != nil && n.config.Policy.Action != EachForItself {
		// If it ends before they hear of it, it counts as lost.
		n.leader.tell()
	}
}

// Bidden reports whether everybody who is there knows that this index 0 was told to end:
// what follows from its end is no failure then. It is true of every other peer.
func (n *Node) Bidden(now time.Duration) bool {
	if n.leader == nil || n.config.Policy.Action == EachForItself || !n.peer.terminating || n.leader.verdict.Kind != Open {
		return true
	}
	for i := range n.leader.records {
		if r := &n.leader.records[i]; i > 0 && n.leader.fresh(now, r) && !r.bidden {
			return false
		}
	}
	return true
}

// Leave makes the peer leave now, whatever the others do.
func (n *Node) Leave(now time.Duration) {
	p := n.peer
	if p.phase == Left {
		return
	}
	if p.phase == Ended && p.config.Policy.restarts() && p.verdict.Kind != Succeeded && (p.config.Index == 0 || !p.terminating && !p.isComplete()) {
		// The group goes on, and needs another Pod in its place: see expire.
		p.code = CodeTerminated
	}
	p.leave(now, Interrupted)
}

// Phase is how far the peer is.
func (n *Node) Phase() Phase { return n.peer.phase }

// Stays reports whether the peer waits for the others after its command has ended.
func (n *Node) Stays() bool { return n.peer.stays() }

// Fails reports whether the end of the command is a failure of the group.
func (n *Node) Fails() bool { return n.peer.phase == Ended && n.peer.fails(n.peer.code) }

// Reaches reports whether index 0 took the last report, as far as is known.
func (n *Node) Reaches() bool { return n.peer.failures == 0 }

// Outcome is why the peer has left.
func (n *Node) Outcome() Outcome { return n.peer.outcome }

// LastReport is what a peer that leaves says to index 0, once.
func (n *Node) LastReport(now time.Duration) Report { return *n.report(now) }

// Waiting says for whom or for what the peer waits, "" when it does not know.
func (n *Node) Waiting(now time.Duration) string {
	if n.leader != nil && n.config.hasRoles() && n.peer.phase == Starting && n.peer.held && n.leader.records[0].granted {
		return n.leader.heldBy(now, 0)
	}
	if n.leader != nil {
		return n.leader.summary.text(now, n.leader)
	}
	if n.peer.problem == "" {
		return n.peer.waiting
	}
	text := fmt.Sprintf("%s: %s", n.config.lead(), n.peer.problem)
	if n.peer.waiting != "" {
		text += "; before that, for " + n.peer.waiting
	}
	return text
}

// Known says what index 0 knows of one peer, for its own status and for tests.
func (n *Node) Known(index int32) string {
	if n.leader == nil || index < 0 || index >= n.config.Size {
		return ""
	}
	r := &n.leader.records[index]
	return fmt.Sprintf("process %s, attempt %d, %s, heard of at %s", r.process, r.attempt, r.phase, r.heard)
}

// Status is a page about the peer, and about all of them at index 0.
func (n *Node) Status(now time.Duration) string {
	var page strings.Builder
	line := func(name string, value any) { fmt.Fprintf(&page, "%-9s %v\n", name, value) }
	line("peer", fmt.Sprintf("%d of %d, %s", n.config.Index, n.config.Size, n.config.Label(n.config.Index)))
	if c := n.config; c.hasRoles() {
		role := c.Roles[c.role(c.Index)]
		line("role", fmt.Sprintf("%s, index %s of %d", role.Name, strings.TrimPrefix(c.Label(c.Index), role.Name+"-"), role.Size))
	}
	line("phase", n.peer.phase)
	if policy := n.config.Policy; policy.Action != EachForItself {
		line("attempt", n.peer.attempt)
		if policy.restarts() {
			line("restarts", fmt.Sprintf("%d of %d", n.peer.restarts, policy.MaxRestarts))
		}
		if n.peer.cause.Attempt > 0 {
			line("because", n.peer.cause.text(n.config.Label))
		}
		switch n.peer.verdict.Kind {
		case Open:
			line("verdict", "none yet")
		case Succeeded:
			line("verdict", "the group has succeeded")
		case Failed:
			line("verdict", "the group has failed: "+n.Failure())
		}
		if n.peer.stopping {
			line("stopping", "the command")
		}
	}
	if n.peer.terminating {
		line("told", "to end, by a signal from outside")
	}
	switch n.peer.phase {
	case Starting:
		if deadline := n.peer.startDeadline(); deadline < never {
			line("gives up", "in "+(deadline-now).Round(time.Second).String())
		}
	case Ended:
		line("code", n.peer.code)
		if deadline := n.peer.deadline(); deadline < never {
			line("leaves", "in "+(deadline-now).Round(time.Second).String()+" at most")
		}
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
