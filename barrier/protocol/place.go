// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"fmt"
	"slices"
	"time"
)

// Presence is what came of asking the process that is known under a name, at the
// address where it last answered. Whoever answers under the name besides can take its
// place only if it is not there any more.
type Presence uint8

const (
	// Unasked: nobody is known, or nobody knows where.
	Unasked Presence = iota
	// There: it has answered.
	There
	// Mute: somebody takes connections there, and does not answer: the process may be
	// slow, or stopped, or a service mesh takes the connections for it.
	Mute
	// Silent: nothing came back.
	Silent
	// Gone: nobody listens there, or somebody else does.
	Gone
)

// silentAfter is how long nothing must have been heard of a process of which nothing
// comes back, for another one to count in its place. A process that runs has missed a
// report then.
func silentAfter(size int32) time.Duration {
	return min(Heartbeat(size)*13/10, 10*time.Second)
}

// holds reports whether the process of a record keeps its place, although somebody else
// answers under its name and it does not.
func (l *leader) holds(now time.Duration, r *record, old Presence) bool {
	switch {
	case !l.fresh(now, r) || r.terminating:
		return false
	case r.heard > r.asked:
		return true // it has reported since
	case old == Gone:
		return false
	case old == Silent:
		return now-r.heard < silentAfter(l.config.Size)
	}
	return true
}

// holds reports whether the process of index 0 that the peer knows keeps its place,
// although somebody else answers under its name and it does not.
func (p *peer) holds(now time.Duration, old Presence) bool {
	quiet := now - p.heard
	switch {
	case p.elected == Process{} || p.electedEnds || old == Gone:
		return false
	case old == Silent:
		return quiet < silentAfter(p.config.Size)
	case p.phase == Ended:
		// The peer leaves when index 0 counts as gone. Another one can be heard before that.
		return quiet < 2*Heartbeat(p.config.Size)
	}
	return quiet < GoneAfter(p.config.Size)
}

// Heard is a reply to a report.
type Heard struct {
	Reply
	// Named says that index 0's name was resolved for this report, and leads to where
	// the reply comes from.
	Named bool
}

// Hear takes all replies to a report, one for each address that was asked. Their
// processes must have signed them. Old is what came of asking [Node.Leader]. Hear
// returns which reply counts, -1 for none.
func (n *Node) Hear(now time.Duration, to Report, replies []Heard, old Presence) int {
	p := n.peer
	best, why := -1, "nobody answers under the name of "+n.config.First()
	for i, r := range replies {
		switch {
		case !n.leads(r.Job):
			why = "somebody of another Job answers under the name of " + n.config.First()
		case slices.Contains(p.former, r.Process):
			why = "a former " + n.config.First() + " answers"
		case !r.Named && r.Process != p.elected:
			why = "somebody else answers where " + n.config.First() + " was"
		case best < 0 || r.Before(replies[best].Reply, p.elected), r.Process == replies[best].Process && r.Named:
			best = i
		}
	}
	switch {
	case best < 0:
		n.Failed(now, why, true)
		return -1
	case replies[best].Process != p.elected && !slices.ContainsFunc(replies, func(r Heard) bool { return r.Process == p.elected }) && p.holds(now, old):
		n.Failed(now, "another process answers under its name, and the one that is known may still be there", true)
		return -1
	case replies[best].Acts() && !replies[best].Named:
		// It is there. But it may have been replaced without knowing.
		p.unconfirmed(now, "it answers where it was, and its name leads elsewhere")
		return -1
	}
	n.Replied(now, to, replies[best].Reply)
	return best
}

// Leader is the process of index 0 whose reply last counted; all zero for none.
func (n *Node) Leader() Process { return n.peer.elected }

// Process is the one that index 0 knows under an index; all zero for none.
func (n *Node) Process(index int32) Process {
	switch {
	case n.leader == nil || index < 0 || index >= n.config.Size:
		return Process{}
	case index == 0 && !n.leader.records[0].known():
		return n.process
	}
	return n.leader.records[index].process
}

// kept notes that a process has answered under a peer's name which does not count,
// because the one that is known may still be there.
func (l *leader) kept(now time.Duration, index int32) {
	l.unanswered(now, index, WrongAnswer)
	l.contest(index)
}

// contest says once that two processes answer under one name.
func (l *leader) contest(index int32) {
	if r := &l.records[index]; !r.contested {
		r.contested = true
		l.say("%s: another process answers under its name, and does not count while this one is there", l.config.Label(index))
	}
}

var presenceNames = map[Presence]string{Unasked: "unasked", There: "there", Mute: "mute", Silent: "silent", Gone: "gone"}

func (p Presence) String() string {
	if name, found := presenceNames[p]; found {
		return name
	}
	return fmt.Sprintf("presence %d", uint8(p))
}
