// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"fmt"
	"time"
)

// record is what index 0 knows of one peer.
type record struct {
	// process is the one that the peer's name led to; all zero until one has
	// answered.
	process Process
	// heard is when it last reported or answered.
	heard time.Duration
	// claimed is when somebody last reported under this index whom the name did not
	// lead to: a new process, perhaps, whose name is not published yet. Nothing
	// follows from it but a call.
	claimed time.Duration
	// due is when it may next be called, and asked when it last was.
	due, asked time.Duration
	// attempt is the attempt that it is in, phase how far it is, and code its exit
	// code once it has ended.
	attempt int32
	phase   Phase
	code    uint8
	// terminating says that its Pod was told to end, gaveUp that it left because
	// the time for the start was over.
	terminating, gaveUp bool
	// wanted says that it is to be called: because of such a report, or because it
	// may go.
	wanted bool
	// calling says that a call is on its way.
	calling bool
	// granted says that all were there when it waited to start, in this attempt.
	granted bool
	// lost says that it was counted as lost, contested that the log has said that
	// somebody else answers under its name.
	lost, contested bool
	// fails counts the calls in a row that reached nobody, at most 255; strangers
	// the calls for reports that were not the peer's, at most maxStrangers.
	fails, strangers uint8
	// problem is why the last call failed.
	problem Problem

	policyRecord
	roleRecord
}

// known reports whether a process has answered under the peer's name.
func (r *record) known() bool { return r.process != Process{} }

const (
	// maxCalls is how many calls are on their way at most.
	maxCalls = 64
	// maxStrangers is how often the pause between two calls to a peer doubles when
	// calls find that somebody else has reported under its index: up to 2 seconds.
	maxStrangers = 3
)

// Problem is why a call reached nobody who counts.
type Problem uint8

const (
	// NoName: the peer's name does not resolve.
	NoName Problem = iota + 1
	// NoAnswer: the name resolves, and nobody answers there.
	NoAnswer
	// WrongAnswer: somebody else answers there.
	WrongAnswer
)

// leader is the part of index 0: it counts.
type leader struct {
	config  Config
	process Process
	records []record
	// open says that every peer is there; over that the end has come. Both are
	// found anew in each tick.
	open, over bool
	// gaveUp says that the time for the start is over.
	gaveUp bool
	// busy says that someone waits, so that ticks are needed; starting, that
	// someone waits to start.
	busy, starting bool
	// there and done count the peers that can be reached, and those at their end;
	// ending those that were told to end and did, or are gone, so that no replacement
	// comes; lost those that were lost.
	there, done, ending int32
	lost                uint32
	// calls is how many calls are on their way, and turn is the record from which
	// on the next is looked for.
	calls   int
	turn    int32
	summary summary
	// events are for the log.
	events []string

	policyLeader
	roleLeader
}

func newLeader(config Config, process Process, now time.Duration) *leader {
	l := &leader{config: config, process: process, records: make([]record, config.Size), starting: config.Start}
	l.attempt, l.replacement, l.mixed = 1, config.Policy.Replacement, -1
	l.learnNeeds(config.role(config.Index), config.AfterStarted, config.AfterComplete)
	l.born = now
	if !config.Start {
		l.opened = 1
	}
	return l
}

// report takes a report that its process has signed, whose index is one of the
// Job's.
func (l *leader) report(now time.Duration, report Report) Reply {
	r := &l.records[report.Index]
	l.busy = true
	reply := Reply{Job: l.config.Job, Process: l.process, Attempt: l.attempt, Lost: l.lost}
	if !r.known() || report.Process != r.process {
		// Not the one whom the name leads to, as far as is known: a new one, or one that
		// was replaced, or a stranger.
		reply.Superseded = l.fresh(now, r) && report.Terminating
		if !reply.Superseded {
			r.wanted, r.claimed = true, now
		}
		reply.Waiting = l.summary.text(now, l)
		return reply
	}
	r.heard, r.fails = now, 0
	l.learn(now, report.Index, State(report))
	reply.Known, reply.Restarts, reply.Cause, reply.Verdict = true, l.restarts, l.why, l.verdict
	reply.Complete, reply.CompleteIn, reply.Owed = l.complete, l.completeIn, l.isOwed(l.config.role(report.Index))
	if l.doomed.Kind != Open && l.verdict.Kind == Open {
		// Nobody goes on: another index 0 in this one's place must find the same.
		reply.Attempt = 1
	}
	switch {
	case r.phase == Ended && l.verdict.Kind == Succeeded:
		reply.Go = l.over
	case r.phase == Ended && l.verdict.Kind == Failed:
		reply.Go = l.dismisses(now, report.Index)
		reply.Witnessed, _ = l.witnesses(now, report.Index)
	case l.isComplete(report.Index) && l.verdict.Kind == Open && r.phase != Running:
		reply.Go = l.settled.Has(l.config.role(report.Index)) || r.phase == Ended && l.over
	case r.attempt != l.attempt || l.deposed:
		// It is to come to the attempt of the others first.
	case r.phase == Starting:
		free := l.isFree(report.Index)
		reply.Go, reply.GaveUp = r.granted && free && l.verdict.Kind == Open, l.gaveUp && !r.granted
		reply.Held = l.paused || r.granted && !free && !l.stuck.Has(l.config.role(report.Index))
	case r.phase == Ended:
		reply.Go = l.over
	}
	if reply.Go || report.Phase == Left {
		// It need not be called. Another process under its index reports.
		r.wanted = false
	} else if r.phase == Starting && r.granted && !l.isFree(report.Index) {
		reply.Waiting = l.heldBy(now, report.Index)
	} else if report.Phase != Running {
		reply.Waiting = l.summary.text(now, l)
	}
	return reply
}

// learn takes the state of the process of a record.
func (l *leader) learn(now time.Duration, index int32, state State) {
	r := &l.records[index]
	if l.config.isJoint() {
		l.learnPolicy(now, index, state)
	}
	if l.config.hasRoles() {
		l.learnRole(index, state)
	}
	if state.Attempt > r.attempt && r.attempt > 0 {
		r.phase, r.code, r.spared, r.granted = 0, 0, false, false
		r.started, r.freed = false, false
	}
	if state.Attempt < r.attempt {
		return // said before what is known
	}
	if state.Phase >= Ended && r.phase < Ended {
		r.code, r.spared, r.failedAt = uint8(state.Code), state.Spared, now
		if l.verdict.Kind == Failed || l.fails(state) {
			// It was told to stop, or what follows is said with who it was.
		} else if state.GaveUp {
			l.say("%s gave up", l.config.Label(index))
		} else if state.Code != 0 || l.config.Size <= shownPeers {
			l.say("%s ended with code %d", l.config.Label(index), state.Code)
		}
	}
	r.attempt = state.Attempt
	r.phase = max(r.phase, state.Phase)
	r.terminating = r.terminating || state.Terminating
	r.gaveUp = r.gaveUp || state.GaveUp
	r.started = r.started || state.Started
}

// fails reports whether a state is a failure of the group.
func (l *leader) fails(state State) bool {
	policy := l.config.Policy
	return policy.Action != EachForItself && state.Code != 0 && !state.Terminating && !state.GaveUp && !state.Spared
}

// answered takes what the processes said that answered under a peer's name, and what
// came of asking the one that is known.
func (l *leader) answered(now time.Duration, index int32, identities []Identity, old Presence) {
	r := &l.records[index]
	known := r.process
	if index == 0 && !r.known() {
		known = l.process
	}
	identity, found := l.choose(index, known, identities)
	others := false
	for _, i := range identities {
		if found && i.Process == r.process {
			// The one that is known has the first word, also about its own end.
			r.terminating = r.terminating || i.Terminating
			old = There
		}
		others = others || i.Process != identity.Process && i.Index == index && !l.isForeign(State(i)) && !i.ends()
	}
	switch {
	case !found, index == 0 && !r.known() && identity.Process != l.process:
		// Index 0 is there itself, whoever else answers under its name.
		l.unanswered(now, index, WrongAnswer)
		return
	case identity.Process != r.process && old != There && l.holds(now, r, old):
		l.kept(now, index)
		return
	}
	l.called(index)
	isNew := identity.Process != r.process
	if isNew {
		l.replace(now, index, identity)
	} else if others {
		l.contest(index)
	} else if r.claimed > 0 {
		// Somebody else has reported, whom the name does not lead to.
		if r.strangers == 0 {
			l.say("somebody reports as %s who can't be reached under that name, and is not believed", l.config.Label(index))
		}
		r.strangers = min(r.strangers+1, maxStrangers)
	}
	r.heard, r.due = now, now+callGap<<r.strangers
	r.claimed, r.wanted, r.fails, r.problem = 0, false, 0, 0
	l.learn(now, index, State(identity))
	// It may have reported because of this call before the answer came, and was not known.
	r.wanted = isNew && index > 0 && l.hasNews(r)
}

// replace takes another process for the one of a record.
func (l *leader) replace(now time.Duration, index int32, identity Identity) {
	r := &l.records[index]
	l.lose(index)
	if l.config.Policy.Action != EachForItself {
		l.replaced(now, index, identity)
	}
	switch {
	case r.known():
		l.say("%s: another process has taken its place", l.config.Label(index))
	case l.config.Size <= shownPeers:
		l.say("%s is there", l.config.Label(index))
	}
	*r = record{process: identity.Process, asked: r.asked}
	r.run = runOf(identity.Job)
	l.busy = true
}

// choose finds the process that counts, of those that answer under a peer's name.
func (l *leader) choose(index int32, known Process, identities []Identity) (best Identity, found bool) {
	for _, i := range identities {
		if i.Index != index || l.isForeign(State(i)) {
			continue
		}
		if !found || before(i.Process, i.ends(), best.Process, best.ends(), known) {
			best, found = i, true
		}
	}
	return best, found
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

// isGone reports whether a peer was there, is not any more, and nobody has come in
// its place. A report whose sender can't be reached does not keep it.
func (l *leader) isGone(now time.Duration, r *record) bool {
	return r.known() && r.phase != Left && !l.fresh(now, r) && r.fails > 1
}

// failed reports whether the peer's command failed. Its Job makes it anew, or fails.
func (r *record) failed() bool { return r.phase >= Ended && r.code != 0 }

// isDone reports whether nobody need wait for a peer any more: it is at its end,
// or gone. One that was never heard of is not done, and neither is one that failed: it
// may yet come.
func (l *leader) isDone(now time.Duration, r *record) bool {
	return r.known() && r.phase >= Ended && !r.failed() || l.isGone(now, r)
}

// isEnding reports whether a peer is as each is when the whole Job ends: it was told to
// end, and its command has ended, whatever its code. Or it has left before, with success,
// or is gone. One that failed by itself is not: its replacement may come.
func (l *leader) isEnding(now time.Duration, r *record) bool {
	return r.phase >= Ended && r.terminating || r.phase == Left && !r.failed() || l.isGone(now, r)
}

// lose counts a peer as lost, once, if a replacement can be expected: one that gave
// up is not lost, or everybody would wait as long again.
func (l *leader) lose(index int32) {
	if r := &l.records[index]; r.known() && !r.lost && !r.gaveUp {
		r.lost = true
		l.lost++
	}
}

// giveUp ends the wait for the start, and wants those to be called who wait for it.
func (l *leader) giveUp(time.Duration) {
	if l.gaveUp {
		return
	}
	l.gaveUp, l.busy = true, true
	for i := range l.records {
		if r := &l.records[i]; i > 0 && r.known() && r.phase == Starting {
			r.wanted = true
		}
	}
}

// told reports whether every peer that waits for the start has heard that the time
// is over.
func (l *leader) told() bool {
	for i := range l.records {
		if r := &l.records[i]; i > 0 && r.known() && r.phase == Starting {
			return false
		}
	}
	return true
}

// tick looks at every record, opens what is to be opened, and returns whom to
// call.
func (l *leader) tick(now time.Duration) []int32 {
	wasOpen, wasOver, wasStarting, wasLost := l.open, l.over, l.starting, l.lost
	waiting, starting := l.count(now)
	l.settleRoles(now)
	if l.config.isJoint() {
		l.judge(now)
		l.dismiss(now)
		waiting = true
	}
	l.decide(now)
	l.paused = l.pauses(now)
	if l.opened == l.attempt || l.paused || l.lost != wasLost || l.verdict.Kind != Open || l.doomed.Kind != Open {
		l.unopened = now
	}
	l.free()
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
	l.there, l.done, l.ending = 0, 0, 0
	for i := range l.records {
		r := &l.records[i]
		if l.isAway(int32(i)) {
			l.there++
			l.done++
			l.ending++
			waiting = waiting || r.wanted
			continue
		}
		if l.fresh(now, r) {
			l.there++
			starting = starting || r.phase == Starting && !r.granted
			waiting = waiting || starting || r.phase == Ended
		} else if r.known() && !r.lost && (r.phase == Left && (r.terminating || r.failed()) || l.isGone(now, r)) {
			l.lose(int32(i))
			if r.phase != Left {
				l.say("%s is gone: not heard of for %s", l.config.Label(int32(i)), (now - r.heard).Round(time.Second))
			}
		}
		if l.isDone(now, r) {
			l.done++
		}
		if l.isEnding(now, r) {
			l.ending++
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
			r.calling, r.asked = true, now
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
	return (r.wanted || silent || l.seeks(index)) && now >= r.due || again
}

// decide finds out whether all may start, or leave, and wants those to be called
// who wait for it.
func (l *leader) decide(now time.Duration) {
	wasOver := l.over
	l.open, l.over = l.there == l.config.Size && !l.gaveUp && l.mixed < 0 && l.mayStart(now), l.isOver(now)
	if l.open {
		l.opened = max(l.opened, l.attempt)
	}
	nowOver := l.over && !wasOver
	if !l.open && !nowOver {
		return
	}
	for i := range l.records {
		r := &l.records[i]
		if l.open && !r.granted {
			r.granted, r.gave = true, l.attempt
			r.wanted = r.wanted || r.phase == Starting && l.verdict.Kind == Open // also to hear for what it waits
		}
		if nowOver && r.phase == Ended {
			r.wanted = true
		}
	}
}

// isOver reports whether nobody need stay any more: every peer is done, or every peer
// was told to end, so that no replacement comes. If only some were told, by a drain,
// their replacements need the others.
func (l *leader) isOver(now time.Duration) bool {
	switch {
	case l.config.Policy.restarts() || l.config.Success != 0 && l.verdict.Kind == Succeeded:
		return l.confirmed(now)
	case l.verdict.Kind == Failed:
		return false
	case l.ending == l.config.Size:
		return true
	}
	if len(l.config.Until) == 0 {
		return l.done == l.config.Size || l.config.failsJobs() && l.awaitsNobody(now)
	}
	for _, until := range l.config.Until {
		if until.met(l.config.Size, func(i int32) bool { return l.isDone(now, &l.records[i]) }) {
			return true
		}
	}
	return l.config.failsJobs() && l.awaitsNobody(now)
}

// drained reports whether every other peer that may go has heard of it, so
// that index 0 can leave.
func (l *leader) drained(now time.Duration) bool {
	for i := range l.records {
		r := &l.records[i]
		if i == 0 || !r.known() || now-r.heard > l.linger() {
			continue
		}
		switch {
		case l.verdict.Kind == Succeeded && r.phase == Starting && !r.verdict,
			r.phase == Starting && r.granted && l.isFree(int32(i)),
			r.phase == Ended && (l.config.End || l.config.hasRoles()) && l.over,
			r.phase == Running && l.verdict.Kind == Succeeded && l.config.serves(int32(i)):
			return false
		}
	}
	return true
}

// linger is how long index 0 stays for a peer of which nothing is heard.
func (l *leader) linger() time.Duration {
	if l.config.Policy.restarts() {
		// It may be lost, and its replacement is to learn how the group has ended.
		return 2 * Lease(l.config.Size)
	}
	return linger(l.config.Size)
}

func (l *leader) say(format string, args ...any) {
	l.events = append(l.events, fmt.Sprintf(format, args...))
}
