// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"fmt"
	"slices"
	"time"
)

// policyPeer is what a peer needs for a failure policy.
type policyPeer struct {
	// next is the attempt that comes after this one, once the command has stopped.
	next int32
	// stopping says that the command is to stop; leaseLost why it is: index 0 could
	// not be reached.
	stopping, leaseLost bool
	// contact is when the report was sent whose reply last renewed the lease. spoke is
	// when the process of index 0 that the peer follows may last have heard of it, and
	// spokeFormer when those that it followed before may have.
	contact, spoke, spokeFormer time.Duration
	// former are processes of index 0 that it does not follow any more, the latest
	// first.
	former []Process
	// leaderEnds says that the one it follows was told to end.
	leaderEnds bool
	restarts   int32
	// told is when the Pod was told to end.
	told time.Duration
	// cause is why the attempt before has ended.
	cause Cause
	// events are for the log.
	events []string
	// verdict is how the group ends, and knows since when the peer knows that.
	verdict Verdict
	knows   time.Duration
	// witnessed says that the Job fails whatever this peer ends with: see [Reply].
	witnessed bool
}

// maxFormer is how many former processes of index 0 a peer remembers.
const maxFormer = 16

// follow reports whether the peer takes a reply of this process of index 0. It never
// goes back to one that it has left: another one may wait for the leases that this one
// has given, and this one must not give more.
func (p *peer) follow(now time.Duration, reply Reply) bool {
	if slices.Contains(p.former, reply.Process) {
		return false
	}
	if reply.Known && reply.Process != p.leader {
		if p.leader != (Process{}) {
			p.former = append([]Process{p.leader}, p.former[:min(len(p.former), maxFormer-1)]...)
			p.spokeFormer = p.spoke
		}
	}
	if reply.Known {
		p.leaderEnds, p.spoke = reply.Terminating, now
	}
	return true
}

// silence is how long ago something was, in milliseconds, at least one.
func silence(now, since time.Duration) int64 {
	return max(1, min((now-since).Milliseconds(), maxSilence))
}

// obey does what a reply says about attempts and the end of the group. It reports
// whether that settles what the reply is about.
func (p *peer) obey(now time.Duration, to Report, reply Reply) bool {
	if !reply.Known {
		return !reply.Superseded
	}
	if reply.Complete.Has(p.config.role(p.config.Index)) && p.phase == Starting && p.group == "" && p.config.Policy.restarts() && !p.config.Policy.Replacement {
		// This is the first Pod of its index: what is Complete is so in an earlier run.
		return true
	}
	p.restarts = max(p.restarts, reply.Restarts)
	p.complete |= reply.Complete
	p.completeIn = max(p.completeIn, reply.CompleteIn)
	p.owed = p.owed || reply.Owed
	p.witnessed = p.witnessed || reply.Witnessed
	p.hear(reply)
	if reply.Verdict.Kind != Open && p.verdict.Kind == Open {
		// Index 0 is to know at once that it was heard.
		p.verdict, p.knows, p.confirmed, p.due = reply.Verdict, now, false, now
	}
	if p.complete != to.Complete {
		// This, too.
		p.confirmed, p.due = false, now
	}
	switch {
	case p.verdict.Kind != Open:
		return p.obeyVerdict(now, reply.Go)
	case p.isComplete() && p.phase != Running:
		p.obeyComplete(now, reply)
		return true
	case reply.Attempt < p.attempt:
		return true // an index 0 that has yet to hear how far the group is
	case reply.Attempt > p.attempt:
		p.advance(now, reply.Attempt)
		return true
	case p.phase == Running && to.Attempt == p.attempt:
		p.contact = p.reported
	}
	return false
}

// hear notes for the log why an attempt has ended, or the group.
func (p *peer) hear(reply Reply) {
	policy := p.config.Policy
	switch {
	case reply.Verdict.Kind == Failed && p.verdict.Kind == Open:
		after := ""
		if policy.restarts() {
			after = fmt.Sprintf(", after %d of %d restarts", p.restarts, policy.MaxRestarts)
		}
		p.say("%s%s: the group has failed", reply.Verdict.text(p.config.Label), after)
	case reply.Verdict.Kind == Succeeded && p.verdict.Kind == Open && p.config.serves(p.config.Index):
		p.say("%s, every command has ended with 0: the group is done, and this peer ends with 0", p.config.deciders())
	case p.verdict.Kind == Open && reply.Verdict.Kind == Open && reply.Attempt > max(p.next, p.attempt) && reply.Cause.Attempt > 0:
		p.cause = reply.Cause
		how := ", and no restart is used up"
		if !reply.Cause.Disruption && !reply.Cause.Unstarted {
			how = fmt.Sprintf(", restart %d of %d, in %s", p.restarts, policy.MaxRestarts, policy.backoff(p.restarts))
		}
		p.say("%s; the group starts again as attempt %d%s", reply.Cause.text(p.config.Label), reply.Attempt, how)
	}
}

func (p *peer) say(format string, args ...any) {
	p.events = append(p.events, fmt.Sprintf(format, args...))
}

// advance goes on to a later attempt, once this one's command has stopped.
func (p *peer) advance(now time.Duration, attempt int32) {
	p.next = max(p.next, attempt)
	if p.phase == Running {
		p.stopping = true
		return
	}
	p.restart(now)
}

// restart waits for the start of the next attempt.
func (p *peer) restart(now time.Duration) {
	p.attempt, p.code, p.stopping, p.leaseLost, p.began = p.next, 0, false, false, now
	p.enter(now, Starting)
	if p.terminating {
		p.code = CodeTerminated
		p.leave(now, NeverStarted)
	}
}

// obeyVerdict does what the end of the group asks for. It reports whether there is
// nothing more to be done for the reply.
func (p *peer) obeyVerdict(now time.Duration, leave bool) bool {
	switch {
	case p.verdict.Kind == Succeeded && p.phase == Starting:
		// It came after the end, and has nothing to do. It stays for those who have not heard it all.
		p.ended = now
		p.enter(now, Ended)
	case p.verdict.Kind == Succeeded && p.phase == Running:
		p.stopping = p.stopping || p.config.serves(p.config.Index)
	case p.verdict.Kind == Succeeded:
		p.excuse()
		if p.phase == Ended && leave && p.config.Index != 0 {
			p.leave(now, Together)
		}
	case p.phase == Running:
		p.stopping = true
	case p.config.Index == 0:
		// It leaves when the others have heard.
	case p.phase == Starting:
		p.leave(now, GroupFailed)
	case p.phase == Ended:
		// Who failed first ends last, so that the others have heard why, and the Job.
		if !p.first() || leave || p.terminating || now >= p.lastWord() {
			p.witnessed = p.witnessed && leave // index 0 may have been killed before it has ended so
			p.leave(now, GroupFailed)
		}
	}
	return true
}

// lastWord is when a peer that failed first leaves, whatever index 0 says.
func (p *peer) lastWord() time.Duration {
	if p.failures > 1 {
		return p.knows + farewell // nobody is left who could say that the Job knows
	}
	return p.knows + p.config.lastWord()
}

// first reports whether this peer has failed first.
func (p *peer) first() bool {
	return p.verdict.Index == p.config.Index && p.verdict.Attempt == p.attempt && p.code != 0 && p.verdict.Code == p.code
}

// stopped takes the end of a command. It reports whether another attempt, or the end of
// the group, is what follows.
func (p *peer) stopped(now time.Duration) bool {
	stopping := p.stopping
	p.stopping = false
	switch {
	case p.verdict.Kind == Failed && stopping && p.config.Index != 0:
		p.leave(now, GroupFailed)
		return true
	case p.verdict.Kind == Succeeded && stopping:
		p.excuse()
	case p.verdict.Kind == Open && p.next > p.attempt:
		p.restart(now)
		return true
	case p.terminating && p.code != 0 && p.config.Policy.Action != EachForItself:
		// Its replacement can come the sooner.
		p.leave(now, Interrupted)
		return true
	}
	return false
}

// fails reports whether the end of a command with this code is a failure of the
// group, which index 0 must hear of.
func (p *peer) fails(code int32) bool {
	policy := p.config.Policy
	return policy.Action != EachForItself && code != 0 && !p.terminating && !policy.spares(code)
}

// fatal reports whether the command has ended with a code with which the group must not start
// again.
func (p *peer) fatal() bool {
	policy := p.config.Policy
	return policy.restarts() && policy.Fatal != nil && !p.leaseLost && p.fails(p.code) && policy.Fatal(p.code)
}

// leaseEnds is when a command that runs must be stopped, because index 0 may take it
// for stopped some time later.
func (p *peer) leaseEnds() time.Duration {
	if p.config.Index == 0 || p.stopping || p.verdict.Kind != Open {
		return never
	}
	if p.config.Policy.restarts() {
		return p.contact + Lease(p.config.Size)
	}
	return never
}

// loseLease stops a command that may run no longer.
func (p *peer) loseLease(now time.Duration) {
	if !p.stopping {
		p.say("%s, has not answered for %s: stopping the command", p.config.lead(), (now - p.contact).Round(time.Second))
	}
	p.stopping, p.leaseLost = true, true
}
