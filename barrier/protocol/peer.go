// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// peer is the part of every peer: how far it is, and when it reports.
type peer struct {
	config Config
	random *rand.Rand
	phase  Phase
	// due is when the next report is to be sent, and reported when the last one
	// was; sent says that it is on its way, and again that the peer was called
	// since.
	due, reported time.Duration
	sent, again   bool
	// opened says that the Pod's containers may start. gated says that they have not
	// yet, and probed that they have not unless this process is not the Pod's first;
	// began says that those of some peer have.
	opened, gated, probed, began bool
	// heard is when index 0 last replied, and failures counts the reports since
	// then which it did not take.
	heard    time.Duration
	failures int
	// problem is why the last report failed, or for whom everyone waits.
	problem, waiting string
	// ended is when the containers ended.
	ended time.Duration
	// confirmed says that index 0 knows of the present phase.
	confirmed bool
	// outcome is why the peer has left.
	outcome Outcome
}

func newPeer(config Config, random *rand.Rand, now time.Duration) *peer {
	p := &peer{config: config, random: random, phase: Starting, heard: now}
	if !config.Start {
		p.phase, p.opened = Running, true
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
	if p.phase != Starting && p.phase != Ended {
		return
	}
	if p.again = p.sent; !p.sent {
		p.due = min(p.due, max(now, p.reported+reportGap))
	}
}

// enter changes the phase, which index 0 is to know at once.
func (p *peer) enter(now time.Duration, phase Phase) {
	p.phase, p.confirmed, p.again, p.waiting = phase, false, false, ""
	p.due = now
}

// replied takes the reply to a report of the given phase.
func (p *peer) replied(now time.Duration, phase Phase, reply Reply) {
	p.heard, p.failures, p.sent, p.problem = now, 0, false, ""
	p.began = p.began || reply.Began
	if phase != p.phase {
		// What was asked is not what is asked now.
		p.due = now
		return
	}
	p.confirmed, p.waiting = true, reply.Waiting
	p.schedule(now)
	switch {
	case phase == Starting && reply.Go:
		p.opened = true
		p.enter(now, Running)
	case phase == Ended && reply.Superseded:
		p.leave(now, Superseded)
	case phase == Ended && reply.Go && p.config.Index != 0:
		p.leave(now, Together)
	}
}

// failed takes a report that did not arrive.
func (p *peer) failed(now time.Duration, reason string) {
	p.failures++
	p.sent, p.problem = false, Printable(reason, maxText)
	p.schedule(now)
}

// terminate is the end of the Pod's containers.
func (p *peer) terminate(now time.Duration) {
	if p.phase >= Ended {
		return
	}
	p.ended = now
	switch {
	case p.phase == Starting && (p.gated || p.probed && !p.began):
		p.leave(now, NeverStarted)
	case !p.config.End && p.config.Index != 0:
		p.leave(now, NotAsked)
	default:
		// A leader which is gone is noticed from here on.
		p.heard = now
		p.enter(now, Ended)
		p.due += p.spread()
	}
}

// expire leaves when there is nothing more to wait for.
func (p *peer) expire(now time.Duration) {
	if p.phase != Ended {
		return
	}
	switch {
	case now >= p.deadline():
		p.leave(now, TimedOut)
	case p.config.Index != 0 && p.failures > 1 && now >= p.abandoned():
		p.leave(now, LeaderGone)
	}
}

// abandoned is when an index 0 that does not reply counts as gone.
func (p *peer) abandoned() time.Duration {
	if len(p.config.Until) > 0 {
		return p.heard + leftWithLeader
	}
	return p.heard + GoneAfter(p.config.Size)
}

// deadline is when the peer leaves whatever is.
func (p *peer) deadline() time.Duration {
	if !p.config.End {
		// Only index 0: it stays for those who have not heard yet that all are there.
		return p.ended + linger(p.config.Size)
	}
	return p.ended + p.config.EndTimeout
}

func (p *peer) leave(now time.Duration, outcome Outcome) {
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
	// Superseded: a younger process has the index and the name.
	Superseded
	// NeverStarted: the Pod ended before its containers started.
	NeverStarted
	// NotAsked: nobody asked for a barrier at the end.
	NotAsked
)

func (o Outcome) String() string {
	switch o {
	case Together:
		return "every peer is at its end"
	case TimedOut:
		return "timed out"
	case LeaderGone:
		return "index 0 is gone"
	case Superseded:
		return "another Pod has taken this index over"
	case NeverStarted:
		return "the containers never started"
	case NotAsked:
		return "nothing to wait for"
	}
	return fmt.Sprintf("outcome %d", uint8(o))
}
