// SPDX-License-Identifier: Apache-2.0

package protocol

import "time"

// record is what index 0 knows of one peer.
type record struct {
	// proof belongs to the process which the peer's name led to; all zero until
	// one has answered.
	proof Proof
	// born is when that process began.
	born int64
	// heard is when it last reported or answered.
	heard time.Duration
	// claimed is when someone last reported under this index whom the name did
	// not lead to: a new process, perhaps, whose name is not published yet.
	claimed time.Duration
	// due is when it may next be called.
	due time.Duration
	// phase is how far it is.
	phase Phase
	// wanted says that it is to be called: because of such a report, or because it
	// may go.
	wanted bool
	// calling says that a call is on its way.
	calling bool
	// granted says that all were there when it waited to start.
	granted bool
	// fails counts the calls in a row that reached nobody, at most 255.
	fails uint8
	// problem is why the last call failed.
	problem Problem
}

// known reports whether a process has answered under the peer's name.
func (r *record) known() bool { return r.proof != Proof{} }

// maxCalls is how many calls are on their way at most.
const maxCalls = 64

// Problem is why a call reached nobody who counts.
type Problem uint8

const (
	// NoName: the peer's name does not resolve.
	NoName Problem = iota + 1
	// NoAnswer: the name resolves, and nobody answers there.
	NoAnswer
	// WrongAnswer: someone else answers there.
	WrongAnswer
)

// leader is the part of index 0: it counts.
type leader struct {
	config  Config
	records []record
	// open says that every peer is there; over that the end has come. Both are
	// found anew in each tick.
	open, over bool
	// began says that containers of some peer have started. It is believed of anyone,
	// because a Pod may only stay for it that need not.
	began bool
	// busy says that someone waits, so that ticks are needed; starting, that
	// someone waits to start.
	busy, starting bool
	// there and done count the peers that can be reached, and those at their end.
	there, done int32
	// calls is how many calls are on their way, and turn is the record from which
	// on the next is looked for.
	calls   int
	turn    int32
	summary summary
}

func newLeader(config Config) *leader {
	return &leader{config: config, records: make([]record, config.Size), starting: config.Start}
}

// report takes a report, whose index is one of the Job's.
func (l *leader) report(now time.Duration, report Report) Reply {
	r := &l.records[report.Index]
	l.busy = true
	l.began = l.began || report.Phase == Running || report.Phase == Ended
	reply := Reply{Job: l.config.Job, Began: l.began}
	if !r.known() || report.ID.Proof() != r.proof {
		// Not the one whom the name leads to, as far as is known: a new one, or one
		// that was replaced.
		reply.Superseded = l.fresh(now, r) && report.Born < r.born
		if !reply.Superseded {
			r.wanted, r.claimed = true, now
		}
		reply.Waiting = l.summary.text(now, l)
		return reply
	}
	r.heard, r.fails = now, 0
	r.phase = max(r.phase, report.Phase)
	switch report.Phase {
	case Starting:
		reply.Go = r.granted
	case Ended:
		reply.Go = l.over
	}
	if reply.Go || report.Phase == Left {
		// It need not be called. Another process under its index reports.
		r.wanted = false
	} else if report.Phase != Running {
		reply.Waiting = l.summary.text(now, l)
	}
	return reply
}

// answered takes what the process said which answered under a peer's name.
func (l *leader) answered(now time.Duration, index int32, identity Identity) {
	if identity.Job != l.config.Job || identity.Index != index {
		l.unanswered(now, index, WrongAnswer)
		return
	}
	l.called(index)
	r := &l.records[index]
	if identity.Proof != r.proof {
		if r.known() && identity.Born < r.born && r.phase != Left && !l.silent(now, r) {
			// The name still leads to an elder one, too.
			r.wanted, r.due = false, now+callGap
			return
		}
		*r = record{proof: identity.Proof, born: identity.Born}
		l.busy = true
	}
	r.heard, r.due = now, now+callGap
	r.phase = max(r.phase, identity.Phase)
	r.wanted, r.fails, r.problem = false, 0, 0
}

// unanswered takes a call that reached nobody who counts.
func (l *leader) unanswered(now time.Duration, index int32, problem Problem) {
	l.called(index)
	r := &l.records[index]
	// A name that is not published yet may be soon; who is there otherwise reports
	// again.
	r.wanted = problem == NoName && r.claimed > 0 && now-r.claimed < 2*WaitInterval(l.config.Size)
	r.problem = problem
	if r.fails < 255 {
		r.fails++
	}
	r.due = now + min(longer(callGap, int(r.fails)), maxRetry)
}

// called notes the end of a call.
func (l *leader) called(index int32) {
	if r := &l.records[index]; r.calling {
		r.calling = false
		l.calls--
	}
}

// fresh reports whether the process of a record is thought to be there.
func (l *leader) fresh(now time.Duration, r *record) bool {
	return r.known() && r.phase != Left && now-r.heard < GoneAfter(l.config.Size)
}

// silent reports whether a process has missed a report.
func (l *leader) silent(now time.Duration, r *record) bool {
	return now-r.heard > Heartbeat(l.config.Size)*3/2
}

// isDone reports whether nobody need wait for a peer any more: it is at its
// end, or it was there and is gone, and nobody has come in its place. One which
// was never heard of is not done: it may yet come.
func (l *leader) isDone(now time.Duration, r *record) bool {
	if !r.known() {
		return false
	}
	gone := !l.fresh(now, r) && r.fails > 1 && now-r.claimed >= GoneAfter(l.config.Size)
	return r.phase >= Ended || gone
}

// tick looks at every record, opens what is to be opened, and returns whom to
// call.
func (l *leader) tick(now time.Duration) []int32 {
	wasOpen, wasOver, wasStarting := l.open, l.over, l.starting
	waiting, starting := l.count(now)
	l.decide(now)
	calls := l.nextCalls(now, waiting)
	l.busy, l.starting = waiting, starting && !l.open || l.starting && l.there == 0
	if l.open != wasOpen || l.over != wasOver || l.starting != wasStarting {
		// What everyone waits for is something else now.
		l.summary.due = now
	}
	return calls
}

// count counts the peers that are there and those that are done. It reports whether a
// peer waits for the others, and whether one waits to start.
func (l *leader) count(now time.Duration) (waiting, starting bool) {
	l.there, l.done = 0, 0
	for i := range l.records {
		r := &l.records[i]
		if l.fresh(now, r) {
			l.there++
			starting = starting || r.phase == Starting && !r.granted
			waiting = waiting || starting || r.phase == Ended
		}
		if l.isDone(now, r) {
			l.done++
		}
		waiting = waiting || r.wanted
	}
	return waiting, starting
}

// nextCalls returns the peers to call now. Every record gets its turn, however many want
// a call.
func (l *leader) nextCalls(now time.Duration, waiting bool) (calls []int32) {
	for range l.records {
		if l.calls >= maxCalls {
			break
		}
		i := l.turn
		l.turn = (l.turn + 1) % l.config.Size
		if r := &l.records[i]; l.wantsCall(now, i, r, waiting) {
			r.calling = true
			l.calls++
			calls = append(calls, i)
		}
	}
	return calls
}

// wantsCall reports whether the peer of a record is to be called: because it asked for a
// call, because it is silent while others wait, or because it is an index 0 at its end
// that may have been replaced, which no report says.
func (l *leader) wantsCall(now time.Duration, index int32, r *record, waiting bool) bool {
	if r.calling {
		return false
	}
	silent := waiting && r.known() && r.phase != Left && l.silent(now, r)
	again := index == 0 && r.phase == Ended && now >= r.due+Heartbeat(l.config.Size)
	return (r.wanted || silent) && now >= r.due || again
}

// decide finds out whether all may start, or leave, and wants those to be called
// who wait for it.
func (l *leader) decide(now time.Duration) {
	wasOver := l.over
	l.open, l.over = l.there == l.config.Size, l.isOver(now)
	l.began = l.began || l.open
	nowOver := l.over && !wasOver
	if !l.open && !nowOver {
		return
	}
	for i := range l.records {
		r := &l.records[i]
		if l.open && !r.granted {
			r.granted = true
			r.wanted = r.wanted || r.phase == Starting
		}
		if nowOver && r.phase == Ended {
			r.wanted = true
		}
	}
}

// isOver reports whether nobody need stay any more.
func (l *leader) isOver(now time.Duration) bool {
	if len(l.config.Until) == 0 {
		return l.done == l.config.Size
	}
	for _, until := range l.config.Until {
		if until.met(l.config.Size, func(i int32) bool { return l.isDone(now, &l.records[i]) }) {
			return true
		}
	}
	return false
}

// drained reports whether every other peer that may go has heard of it, so
// that index 0 can leave.
func (l *leader) drained(now time.Duration) bool {
	for i := range l.records {
		r := &l.records[i]
		if i == 0 || !r.known() || now-r.heard > linger(l.config.Size) {
			continue
		}
		if r.phase == Starting && r.granted || r.phase == Ended && l.config.End {
			return false
		}
	}
	return true
}
