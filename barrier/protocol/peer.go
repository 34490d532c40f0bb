// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// peer is the part of every peer: how far it is, and when it reports.
type peer struct {
	config  Config
	random  *rand.Rand
	attempt int32
	phase   Phase
	// due is when the next report is to be sent, and reported when the last one
	// was; sent says that it is on its way, and again that the peer was called
	// since.
	due, reported time.Duration
	sent, again   bool
	// news says that somebody has called, index 0 perhaps, so that its reply may be a
	// go; vain counts such reports in a row that brought none.
	news bool
	vain int
	// leader is the process of index 0 that last replied, and lost how many peers it
	// had lost then; missed says that index 0 itself is lost.
	leader Process
	lost   uint32
	missed bool
	// elected is the process of index 0 whose reply last counted, and electedEnds that
	// it was told to end.
	elected     Process
	electedEnds bool
	// heard is when index 0 last replied, and failures counts the reports since
	// then which it did not take.
	heard    time.Duration
	failures int
	// problem is why the last report failed, waiting for whom everyone waits.
	problem, waiting string
	// began is when the time for the start began, and ended when the command ended.
	began, ended time.Duration
	// code is the exit code of the command, once it has ended.
	code int32
	// terminating says that the Pod was told to end.
	terminating bool
	// confirmed says that index 0 knows of the present phase.
	confirmed bool
	// outcome is why the peer has left.
	outcome Outcome

	policyPeer
	rolePeer
}

func newPeer(config Config, random *rand.Rand, now time.Duration) *peer {
	p := &peer{config: config, random: random, attempt: 1, phase: Starting, began: now, heard: now}
	p.contact, p.spoke = now, now
	if !config.Start {
		p.phase = Running
	}
	p.due = now + PublishDelay + p.spread()
	// No call makes the first report come sooner.
	p.reported = p.due - reportGap
	return p
}

// spread is a random pause before a report which many peers may want to send in
// the same moment: none where they are few.
func (p *peer) spread() time.Duration {
	return time.Duration(p.random.Float64() * float64(retryInterval(p.config.Size)-retryInterval(1)))
}

// interval is the mean time to the next report.
func (p *peer) interval() time.Duration {
	if p.failures > 0 {
		// Never longer than a peer that is heard.
		return min(longer(retryInterval(p.config.Size), p.failures), max(maxRetry, WaitInterval(p.config.Size)))
	}
	if p.phase == Running && p.confirmed {
		return Heartbeat(p.config.Size)
	}
	return WaitInterval(p.config.Size)
}

// schedule sets when the next report is due, give or take a fifth.
func (p *peer) schedule(now time.Duration) {
	p.due = now + time.Duration(float64(p.interval())*(0.8+0.4*p.random.Float64()))
	if p.again {
		// What is known now may not have been when index 0 replied.
		p.called(now)
	}
}

// called makes a peer that waits report soon: index 0 calls when it has news.
func (p *peer) called(now time.Duration) {
	if p.phase == Left || p.phase == Running && !p.config.isJoint() {
		return
	}
	p.news = true
	if p.again = p.sent; !p.sent {
		p.due = min(p.due, max(now, p.reported+p.gap()))
	}
}

// gap is the shortest pause between two reports of a peer that is called. It grows
// with each call that brings nothing, up to the time after which the peer would
// report anyway: then whoever calls all the time changes little.
func (p *peer) gap() time.Duration {
	return min(reportGap<<min(p.vain, 16), WaitInterval(p.config.Size))
}

// enter changes the phase, which index 0 is to know at once.
func (p *peer) enter(now time.Duration, phase Phase) {
	p.phase, p.confirmed, p.again, p.waiting = phase, false, false, ""
	p.due, p.vain = now, 0
	p.held, p.started = false, false
}

// replied takes the reply to a report.
func (p *peer) replied(now time.Duration, to Report, reply Reply) {
	if p.config.isJoint() && !p.follow(now, reply) {
		p.failed(now, "a former "+p.config.First()+" answers")
		return
	}
	p.heard, p.failures, p.sent, p.problem = now, 0, false, ""
	p.elected, p.electedEnds = reply.Process, reply.Terminating
	p.met(now, reply)
	if reply.Known && p.group == "" && (p.phase != Starting || reply.Go) {
		p.group = reply.Job
	}
	if to.Phase != p.phase || to.Terminating != p.terminating {
		// What was asked is not what is asked now.
		p.due = now
		return
	}
	p.confirmed, p.waiting = true, reply.Waiting
	p.schedule(now)
	if p.started != to.Started {
		p.confirmed, p.due = false, now
	}
	if p.config.isJoint() && p.obey(now, to, reply) {
		return
	}
	p.hold(now, reply.Held)
	switch {
	case reply.Attempt != p.attempt || to.Attempt != p.attempt:
		// What was asked is not what is asked now.
	case p.phase == Starting && reply.Go:
		p.enter(now, Running)
		p.contact = p.reported
	case p.phase == Starting && reply.GaveUp && p.config.Index != 0:
		p.leave(now, StartTimedOut)
	case p.phase == Ended && reply.Superseded:
		p.leave(now, Superseded)
	case p.phase == Ended && reply.Go && p.config.Index != 0:
		p.leave(now, Together)
	}
}

// met notes which process of index 0 has replied. The time for the start begins
// again when a peer was lost, index 0 included: its replacement needs time to come.
func (p *peer) met(now time.Duration, reply Reply) {
	if p.config.isJoint() && !reply.Known {
		return
	}
	known := p.leader != Process{}
	if known && (p.leader != reply.Process || p.lost != reply.Lost) {
		p.began = now
	}
	p.leader, p.lost, p.missed = reply.Process, reply.Lost, false
}

// failed takes the reason why a report did not reach index 0.
func (p *peer) failed(now time.Duration, reason string) {
	p.failures++
	p.sent, p.problem = false, Printable(reason, maxText)
	if known := p.leader != (Process{}); known && !p.missed && now-p.heard >= GoneAfter(p.config.Size) {
		p.missed, p.began, p.held = true, now, false
		if !p.terminating && p.config.Index != 0 {
			p.group = "" // another Job may take the place of that of rank 0
		}
	}
	p.schedule(now)
}

// unconfirmed takes a reply of the index 0 that is known, from where its name does not
// lead: it is there, and what it says does not count.
func (p *peer) unconfirmed(now time.Duration, reason string) {
	p.heard, p.failures, p.sent, p.problem = now, 0, false, Printable(reason, maxText)
	p.spoke = now // it has heard of the peer
	p.schedule(now)
}

// end takes the end of the command, which may never have started.
func (p *peer) end(now time.Duration, code int32) {
	switch p.phase {
	case Starting:
		p.leave(now, NeverStarted)
	case Running:
		p.ended, p.code = now, code
		if p.config.isJoint() && p.stopped(now) {
			return
		}
		if !p.stays() && p.config.Index != 0 {
			p.leave(now, p.unasked())
			return
		}
		p.enter(now, Ended)
	}
}

// stays reports whether a peer whose command has ended waits for the others. One that
// failed does not: the Job makes it anew, and the sooner the better. But index 0 must
// hear of a failure of the group.
func (p *peer) stays() bool {
	return (p.config.End || p.mustStay()) && p.code == 0 || p.fails(p.code) || p.lingers()
}

// unasked is why a peer leaves that does not stay for the others.
func (p *peer) unasked() Outcome {
	switch {
	case p.terminating && p.code != 0:
		return Terminated
	case p.code != 0:
		return CommandFailed
	}
	return NotAsked
}

// terminate takes the order to end that comes from outside.
func (p *peer) terminate(now time.Duration) {
	if p.terminating || p.phase == Left {
		return
	}
	p.terminating, p.told = true, now
	if p.phase == Starting {
		p.code = CodeTerminated
		p.leave(now, NeverStarted)
		return
	}
	// Index 0 is to know at once: another process may take the index over.
	p.confirmed, p.due = false, now
}

// expire leaves when there is nothing more to wait for.
func (p *peer) expire(now time.Duration) {
	switch {
	case p.phase == Starting && now >= p.startDeadline() && p.config.Index != 0:
		p.leave(now, StartTimedOut)
	case p.phase == Running && now >= p.leaseEnds():
		p.loseLease(now)
	case p.phase != Ended:
	case p.verdict.Kind == Failed:
		p.obeyVerdict(now, false)
	case p.lingers() && !p.fails(p.code) && now >= p.ended+farewell:
		p.leave(now, CommandFailed)
	case now >= p.deadline() && p.config.Policy.restarts() && p.config.Index == 0:
		// It was told to end, before all have ended. A group whose index 0 is complete
		// could not go on: another Pod must come in its place.
		p.code = CodeTerminated
		p.leave(now, Interrupted)
	case now >= p.deadline():
		p.leave(now, TimedOut)
	case p.terminating && p.config.Index != 0 && p.failures > 1 && p.config.Policy.Action == EachForItself:
		// The whole Job was told to end, most likely, and nobody can say who is left.
		p.leave(now, Terminated)
	case p.config.Index != 0 && p.failures > 1 && now >= p.abandoned():
		if p.config.Policy.restarts() && p.verdict.Kind != Succeeded {
			// Losing index 0 is never success.
			p.leave(now, Abandoned)
			return
		}
		p.leave(now, LeaderGone)
	}
}

// startDeadline is when a peer that waits for the start gives up.
func (p *peer) startDeadline() time.Duration {
	if p.config.StartTimeout == 0 || p.held {
		return never
	}
	return p.began + p.config.StartTimeout
}

// abandoned is when an index 0 that does not reply counts as gone.
func (p *peer) abandoned() time.Duration {
	switch {
	case p.config.Policy.restarts(), p.mustStay() && p.verdict.Kind == Open && p.config.Start:
		return p.heard + p.config.patience()
	case p.mustStay() && p.verdict.Kind == Open:
		return p.heard + max(p.config.EndTimeout, GoneAfter(p.config.Size))
	}
	if len(p.config.Until) > 0 {
		return p.heard + leftWithLeader
	}
	return p.heard + GoneAfter(p.config.Size)
}

// deadline is when a peer at its end leaves, whatever the others do.
func (p *peer) deadline() time.Duration {
	if !p.stays() {
		// Only index 0: it stays for those who have not heard yet that all are there.
		return p.ended + linger(p.config.Size)
	}
	switch {
	case p.lingers() && !p.fails(p.code):
		return p.ended + farewell
	case !p.config.Policy.restarts() && p.fails(p.code):
		return p.ended + max(p.config.EndTimeout, linger(p.config.Size))
	case !p.config.Policy.restarts() && p.verdict.Kind == Succeeded:
		// Rank 0 also waits for the commands that are told to end.
		return max(p.ended, p.knows) + max(p.config.EndTimeout, linger(p.config.Size)) + p.config.Policy.Grace
	case !p.config.Policy.restarts() && p.mustStay() && !p.terminating:
		return never
	case p.config.Policy.Action == FailPeerJob && p.mustStay() && p.config.Index == 0:
		// The others are to hear that nobody tells them of a failure any more.
		return max(p.ended+p.config.EndTimeout, p.told+farewell)
	case !p.config.Policy.restarts():
	case !p.terminating:
		// Who has ended must be able to run again.
		return never
	case p.config.Index == 0:
		return p.told + p.config.Policy.Grace
	default:
		// What it did is done.
		return p.told
	}
	return p.ended + p.config.EndTimeout
}

func (p *peer) leave(now time.Duration, outcome Outcome) {
	if outcome == Together && p.fails(p.code) {
		p.excuse() // the Job has succeeded, or the group would have failed
	}
	p.phase, p.outcome, p.due = Left, outcome, now
}

// Outcome is why a peer has left.
type Outcome uint8

const (
	// Together: every peer is at its end, or gone.
	Together Outcome = iota + 1
	// TimedOut: the time for the end is over.
	TimedOut
	// LeaderGone: index 0 can't be reached any more.
	LeaderGone
	// Superseded: another process has the index and the name.
	Superseded
	// NeverStarted: the Pod ended before its command started.
	NeverStarted
	// NotAsked: nobody asked for a barrier at the end.
	NotAsked
	// CommandFailed: the command failed, and the Job replaces the Pod the sooner.
	CommandFailed
	// Terminated: the Pod was told to end, and its command failed or index 0 is gone.
	Terminated
	// StartTimedOut: the time for the start is over.
	StartTimedOut
	// Interrupted: the Pod must end, whether or not the others have ended.
	Interrupted
	// GroupFailed: a peer has failed, and with it the group.
	GroupFailed
	// Abandoned: index 0 did not come back, and nobody knows how the group ends.
	Abandoned
	// RoleComplete: the peer's role is Complete, and every peer knows.
	RoleComplete
)

func (o Outcome) String() string {
	switch o {
	case Together:
		return "every peer has ended"
	case TimedOut:
		return "the time for the end is over"
	case LeaderGone:
		return "index 0 is gone"
	case Superseded:
		return "another Pod has taken this index over"
	case NeverStarted:
		return "the command never started"
	case NotAsked:
		return "nothing to wait for at the end"
	case CommandFailed:
		return "the command failed, so the Job can replace this Pod at once"
	case Terminated:
		return "this Pod was told to end"
	case StartTimedOut:
		return "the time for the start is over"
	case Interrupted:
		return "the Pod must end"
	case Abandoned:
		return "index 0 did not come back"
	case GroupFailed:
		return "the group has failed"
	case RoleComplete:
		return "its role is Complete"
	}
	return fmt.Sprintf("outcome %d", uint8(o))
}
