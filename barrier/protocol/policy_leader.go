// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"encoding/binary"
	"slices"
	"time"
)

// policyRecord is what index 0 knows of one peer for a failure policy.
type policyRecord struct {
	// mine says that the peer follows this process of index 0; survivor that it
	// followed another one before, which has not heard of it since then.
	mine, survivor bool
	since          time.Duration
	// followed stands for the other process that it followed last, 0 for none.
	followed uint64
	// gave is the last attempt in which it may start, as index 0 has told it or would.
	gave int32
	// leaseLost says that its command was stopped because index 0 could not be
	// reached.
	leaseLost bool
	// spared says that its exit code fails nobody else.
	spared bool
	// verdict says that it knows how the group ends, bidden that it knows that this index
	// 0 was told to end.
	verdict, bidden bool
}

// policyLeader is what index 0 needs for a failure policy.
type policyLeader struct {
	// attempt is the one that the group is in or comes to, opened the last one that
	// this process has opened, restarts how many were used up.
	attempt, opened, restarts int32
	// notBefore is when the next attempt may start at the earliest, ordered when all were
	// last told to come to it, and paused says that it can't start yet, whoever is there.
	notBefore, ordered time.Duration
	paused             bool
	// unopened is since when nothing but a missing peer keeps the next attempt from starting.
	unopened time.Duration
	// stops is when every command has stopped that nobody has confirmed to have, of
	// processes that this one knew.
	stops time.Duration
	// replacement says that this Pod replaces another one, which may have let commands start;
	// no command starts without an index 0. born is when this process began.
	replacement bool
	born        time.Duration
	// survivors is how many peers followed another process of index 0.
	survivors int32
	// why is why the attempt before has ended.
	why Cause
	// cause is a failure that is to be judged in the next tick, and fatal, heard at fatalAt,
	// one with which the group must not start again.
	cause   *cause
	fatal   Verdict
	fatalAt time.Duration
	// doomed is how the group fails because another index 0 was lost. It counts when every peer
	// has been met: one of them may know that the group has succeeded.
	doomed Verdict
	// verdict is how the group ends, judged when, and dismissed when who failed first may leave,
	// 0 before that.
	verdict           Verdict
	judged, dismissed time.Duration
	// deposed says that a peer follows another process of index 0 now.
	deposed bool
}

// cause is why an attempt ends.
type cause struct {
	index, code int32
	disruption  bool
}

// margin is how much longer than a lease index 0 waits: clocks do not run equally
// fast.
func margin(lease time.Duration) time.Duration { return lease + lease/10 }

// wait is how long a command may run on of which nothing is heard.
func (l *leader) wait() time.Duration {
	return margin(Lease(l.config.Size)) + l.config.Policy.Grace
}

// learnPolicy takes what the state of the process of a record says about attempts and
// about other processes of index 0.
func (l *leader) learnPolicy(now time.Duration, index int32, state State) {
	r := &l.records[index]
	if state.Verdict.Kind != Open && l.verdict.Kind == Open {
		l.conclude(now, state.Verdict)
	}
	switch {
	case state.Leader == l.process:
		r.mine = true // until it follows another, which ends this one
	case r.mine && (state.Leader == Process{} || standsFor(state.Leader) == r.followed):
		// Nobody goes back: this was said before what is known, or by one that followed
		// nobody yet.
	case r.mine:
		// It has followed this process, and does not any more.
		l.deposed = true
		l.say("another process has become %s", l.config.First())
		return
	case state.Leader != Process{} && !r.survivor:
		r.survivor = true
		l.survivors++
		l.inherit(now, index, state)
	case state.Leader != Process{} && l.config.Policy.restarts():
		// It still follows the other one, and may have come further with it.
		l.inherit(now, index, state)
	}
	if !r.mine {
		r.followed = standsFor(state.Leader)
	}
	if r.mine && state.Attempt > l.attempt && l.config.Policy.restarts() {
		// It had come to that one before it followed this index 0.
		l.attempt, l.notBefore, l.ordered = state.Attempt+1, max(l.notBefore, now), now
	}
	if r.survivor {
		quiet := state.FormerSilence
		if !r.mine {
			quiet = state.Silence
		}
		r.since = max(r.since, now-time.Duration(quiet)*time.Millisecond)
	}
	l.restarts = max(l.restarts, state.Restarts)
	if state.Attempt > r.attempt {
		r.leaseLost, r.verdict = false, false
	}
	if state.Fatal && l.fatal.Kind == Open {
		// Also if another failure has been faster.
		l.fatal, l.fatalAt = Verdict{Failed, state.Attempt, index, state.Code}, now
	}
	r.leaseLost = r.leaseLost || state.LeaseLost
	r.verdict = r.verdict || state.Verdict.Kind != Open
}

// standsFor stands for a process, in a record of fixed size; 0 for none. A process is a key
// that nobody chooses.
func standsFor(p Process) uint64 { return binary.BigEndian.Uint64(p[:]) }

// inherit takes over from another process of index 0. Whatever attempt a peer has come
// to with that one, it may have been opened, and index 0 was lost in it. That uses up a
// restart only if a command has started in it, as far as anybody knows who is left. Who has
// started one may be met last, after those who wait for a later attempt. One whose role is Complete
// may never be met: whoever knows that it is, knows in which attempt it has run.
func (l *leader) inherit(now time.Duration, index int32, state State) {
	policy := l.config.Policy
	if l.verdict.Kind != Open || policy.Action == EachForItself {
		return
	}
	began := (state.Phase == Running || state.Phase == Ended) && state.Next <= state.Attempt
	if !policy.restarts() {
		if began {
			l.opened = l.attempt
			if !state.LeaderEnds || policy.onDisruption() == FailOnDisruption {
				l.cause = &cause{0, Lost, state.LeaderEnds}
			}
		}
		return
	}
	last := max(state.Attempt, state.Next, state.CompleteIn)
	began = began || state.CompleteIn == last
	if last <= l.opened && l.opened == l.attempt && l.isComplete(index) && state.Phase != Running {
		// Nobody has waited for it, and it runs nothing: the attempt that runs goes on.
		return
	}
	if began && state.LeaderEnds && policy.onDisruption() == FailOnDisruption {
		l.doomed = Verdict{Failed, last, 0, Lost}
		return
	}
	// All who run an attempt know of as many restarts before it. So its end counts once.
	charges := began && !state.LeaderEnds && state.Restarts >= l.restarts
	if charges && state.Restarts >= policy.MaxRestarts {
		// Nobody comes to the next attempt before that is settled: see report.
		l.restarts, l.doomed = policy.MaxRestarts, Verdict{Failed, last, 0, Lost}
		return
	}
	if last >= l.attempt {
		l.attempt = last + 1
		l.why = Cause{last, 0, Lost, state.LeaderEnds, !began}
		l.notBefore, l.ordered = max(l.notBefore, now), now
	}
	l.restarts = max(l.restarts, state.Restarts)
	if charges {
		l.restarts = state.Restarts + 1
		l.why = Cause{last, 0, Lost, false, false}
	}
}

// replaced notes that another process has come under an index.
func (l *leader) replaced(now time.Duration, index int32, _ Identity) {
	r := &l.records[index]
	if !r.known() {
		return
	}
	if !l.hasStopped(r) {
		l.stops = max(l.stops, r.heard+l.wait())
	}
	if l.opened < l.attempt || l.verdict.Kind != Open {
		return
	}
	switch {
	case r.terminating && l.config.Policy.onDisruption() == ContinueOnDisruption:
	case r.phase >= Ended && !r.terminating && r.spared:
	default:
		l.cause = &cause{index, Lost, r.terminating}
	}
}

// hasStopped reports whether the process of a record runs no command of an attempt that
// was opened, by its own word.
func (l *leader) hasStopped(r *record) bool {
	switch {
	case r.phase >= Ended:
		return r.attempt >= r.gave
	case r.phase == Starting:
		return r.attempt > r.gave && (r.mine || !r.survivor)
	}
	return false
}

// judge finds out whether an attempt has failed, and what follows; or whether the group has
// succeeded.
func (l *leader) judge(now time.Duration) {
	if l.verdict.Kind != Open {
		return
	}
	if l.doomed.Kind != Open {
		if l.hasMetAll(now) {
			l.conclude(now, l.doomed)
		}
		return
	}
	succeeded := l.succeeded()
	decided := l.config.Policy.restarts() || l.config.Success != 0
	if decided && l.config.hasRoles() && succeeded {
		// Whoever serves may fail because those whom it served have ended.
		l.conclude(now, Verdict{Kind: Succeeded, Attempt: l.attempt})
		return
	}
	if l.fatal.Kind == Failed && !(succeeded && len(l.config.Until) > 0) && !(l.config.serves(l.fatal.Index) && now < l.fatalAt+servedWait) {
		l.conclude(now, l.fatal)
		return
	}
	if l.opened == l.attempt && l.config.Policy.Action != EachForItself && !(succeeded && len(l.config.Until) > 0) {
		// Once those that count have succeeded, the others may end as they like: a worker
		// whose leader is gone often fails in the same moment.
		for i := range l.records {
			if l.cause != nil {
				break
			}
			l.cause = l.failed(now, int32(i))
		}
		if l.cause != nil {
			l.fail(now, *l.cause)
			l.cause = nil
			return
		}
	}
	if decided && succeeded {
		l.conclude(now, Verdict{Kind: Succeeded, Attempt: l.attempt})
	}
}

// hasMetAll reports whether every peer has answered this index 0, or has had the time to.
func (l *leader) hasMetAll(now time.Duration) bool {
	if now >= l.born+l.config.patience() {
		return true
	}
	for i := range l.records {
		if !l.records[i].known() && !l.isAway(int32(i)) {
			return false
		}
	}
	return true
}

// failed is why a peer ends the attempt that runs; nil if it does not.
func (l *leader) failed(now time.Duration, index int32) *cause {
	r := &l.records[index]
	policy := l.config.Policy
	switch {
	case !r.known() || l.isAway(index):
		return nil
	case l.isAtRest(index) && r.phase < Left && l.expired(now, r):
		// It would have been missed by the others, too: see strangersStop.
		return &cause{index, Lost, false}
	case r.attempt < l.attempt && r.phase != Left:
		// A replacement that has yet to come to this attempt. Whether it ends the
		// attempt was settled when it came.
		return nil
	case r.terminating && r.code == 0 && r.phase >= Ended:
		return nil // it had ended well
	case r.terminating && (r.phase >= Ended || l.expired(now, r)):
		if policy.onDisruption() == RestartOnDisruption {
			return &cause{index, Lost, true}
		}
		return nil // judged when the replacement comes
	case r.leaseLost:
		return &cause{index, Lost, false}
	case r.phase >= Ended && r.code != 0 && l.patient(now, index):
		return nil
	case r.phase >= Ended && r.code != 0 && !r.spared:
		return &cause{index, int32(r.code), false}
	case r.phase < Left && l.expired(now, r):
		return &cause{index, Lost, false}
	}
	return nil
}

// expired reports whether the lease of a peer has run out. Index 0 gives it no
// other then: so a command that index 0 does not hear of is stopped, and so is one that
// only another index 0 hears of. Where there are no leases, because nothing starts again, the
// peer must not answer either: an index 0 that was frozen for a while has heard of nobody.
func (l *leader) expired(now time.Duration, r *record) bool {
	if !l.config.Policy.restarts() {
		return l.isGone(now, r)
	}
	return now-r.heard >= Lease(l.config.Size)
}

// fail ends the attempt that runs.
func (l *leader) fail(now time.Duration, c cause) {
	policy := l.config.Policy
	what := Verdict{Failed, l.attempt, c.index, c.code}
	switch {
	case !policy.restarts():
		l.conclude(now, what)
		return
	case c.disruption && policy.onDisruption() == FailOnDisruption, !l.canRestart():
		l.conclude(now, what)
		return
	case c.disruption:
		l.notBefore = now
	case l.restarts >= policy.MaxRestarts:
		l.conclude(now, what)
		return
	default:
		l.restarts++
		l.notBefore = now + policy.backoff(l.restarts)
	}
	l.why = Cause{l.attempt, c.index, c.code, c.disruption, false}
	l.attempt++
	l.ordered, l.over = now, false
	for i := range l.records {
		r := &l.records[i]
		r.granted, r.freed = false, false
	}
	l.tell()
}

// canRestart reports whether every index has a process that can run again, or can get
// one: an index that is complete has none.
func (l *leader) canRestart() bool {
	for i := range l.records {
		if r := &l.records[i]; !l.isAtRest(int32(i)) && r.phase == Left && r.code == 0 && r.attempt > 0 && !r.gaveUp && !r.leaseLost && !r.terminating {
			return false
		}
	}
	return true
}

// conclude settles how the group ends.
func (l *leader) conclude(now time.Duration, verdict Verdict) {
	l.verdict, l.judged = verdict, now
	l.tell()
}

// tell wants every peer to be called, so that it asks.
func (l *leader) tell() {
	l.busy = true
	for i := range l.records {
		if r := &l.records[i]; i > 0 && r.known() && r.phase != Left {
			r.wanted = true
		}
	}
}

// hasNews reports whether a peer does not know how the group ends, or in which attempt it is.
func (l *leader) hasNews(r *record) bool {
	return l.config.isJoint() && r.phase < Left && (l.verdict.Kind != Open && !r.verdict || r.attempt < l.attempt)
}

// succeeded reports whether all that count have ended with 0 in this attempt.
func (l *leader) succeeded() bool {
	done := func(i int32) bool {
		r := &l.records[i]
		if l.isAtRest(i) || !l.config.decides(i) {
			return true
		}
		return r.known() && r.phase >= Ended && r.code == 0 && r.attempt == l.attempt && !r.leaseLost && !r.gaveUp
	}
	untils := l.config.Until
	if len(untils) == 0 {
		untils = []Until{{}}
	}
	for _, until := range untils {
		if until.met(l.config.Size, done) {
			return true
		}
	}
	return false
}

// confirmed reports whether everybody who waits at the end knows that the group has
// succeeded. Nobody leaves before: else a new index 0 could hear of nobody who knows,
// and start the others again.
func (l *leader) confirmed(now time.Duration) bool {
	switch {
	case l.verdict.Kind != Succeeded:
		return false
	case now >= l.judged+l.config.farewells():
		return true
	}
	for i := range l.records {
		// Of a peer that is not known, nobody can say that it has heard.
		r := &l.records[i]
		if !l.config.Policy.restarts() && l.isGone(now, r) || !r.known() && l.isComplete(int32(i)) {
			continue
		}
		if i > 0 && r.phase != Left && !r.verdict {
			return false
		}
	}
	return true
}

// mayStart reports whether nothing but a missing peer keeps the next attempt from
// starting: every peer has come to it and follows this index 0, and every command of an
// attempt before has stopped.
func (l *leader) mayStart(now time.Duration) bool {
	if l.config.Policy.Action == EachForItself {
		return true
	}
	if l.verdict.Kind != Open || l.doomed.Kind != Open || l.deposed || now < l.notBefore || now < l.stops {
		return false
	}
	if l.opened == l.attempt {
		return true
	}
	for i := range l.records {
		r := &l.records[i]
		if l.isAway(int32(i)) || l.isAtRest(int32(i)) && r.mine {
			continue
		}
		if r.attempt != l.attempt || r.phase != Starting && l.config.Policy.restarts() || !r.mine || r.terminating {
			return false
		}
	}
	return !l.config.Policy.restarts() || now >= l.strangersStop()
}

// pauses reports whether the next attempt can't start yet, whoever is there: the pause
// before a restart is not over, or a command of the attempt before may still run. The time
// for the start does not run meanwhile. Nobody waits forever for a command that can't be
// killed: it has as long as one of which nothing is heard.
func (l *leader) pauses(now time.Duration) bool {
	switch {
	case l.config.Policy.Action == EachForItself || l.verdict.Kind != Open || l.deposed:
		return false
	case now < l.notBefore || now < l.stops:
		return true
	case !l.config.Policy.restarts() || l.opened == l.attempt:
		return false
	case now < l.strangersStop():
		return true
	case now >= l.ordered+l.wait():
		return false
	}
	for i := range l.records {
		if r := &l.records[i]; l.fresh(now, r) && r.phase == Running && r.attempt < l.attempt {
			return true
		}
	}
	return false
}

// strangersStop is when every command has stopped of processes that this one never
// knew. They may follow another process of index 0, which stops them when it misses one
// of its peers. There may be several of those, each with its own peers.
func (l *leader) strangersStop() time.Duration {
	if l.survivors == 0 && !l.replacement {
		return 0
	}
	lease := margin(Lease(l.config.Size))
	// Whoever followed one that was there before this one began has stopped then.
	before := l.born + lease + l.wait()
	type follow struct {
		// leader is the other index 0, peers how many followed it last, and missed when it misses
		// the first of them at the latest, and stops its own command.
		leader uint64
		peers  int32
		missed time.Duration
	}
	var follows []follow
	for i := range l.records {
		r := &l.records[i]
		if !r.survivor {
			continue
		}
		at := slices.IndexFunc(follows, func(f follow) bool { return f.leader == r.followed })
		if at < 0 {
			at, follows = len(follows), append(follows, follow{leader: r.followed, missed: never})
		}
		follows[at].peers++
		if !l.isComplete(int32(i)) { // it need not miss one whose role is Complete
			follows[at].missed = min(follows[at].missed, r.since+l.wait())
		}
	}
	if len(follows) == 0 {
		return before
	}
	stop := time.Duration(0)
	for _, f := range follows {
		if f.missed == never {
			f.missed = before // it was lost since
		}
		if f.peers < l.config.Size-1 {
			f.missed += lease // and so do those who got their last lease then
		}
		stop = max(stop, f.missed)
	}
	return stop
}

// heardAll reports whether everybody knows that the group has failed, so that
// index 0 can leave; or has had the time to. An index 0 that has just come waits longer for
// those whom it has yet to meet, or who have yet to give up the one that they know. And any
// waits for those of the other Jobs while they may be there: nobody else tells them, as the
// own Job, which fails, stops its Pods.
func (l *leader) heardAll(now time.Duration) bool {
	if l.heardAllBut(0) {
		return true
	}
	for i := range l.records {
		r := &l.records[i]
		unmet := l.seeks(int32(i)) || r.survivor && !r.mine && l.fresh(now, r)
		if unmet && now < l.born+GoneAfter(l.config.Size)+maxRetry {
			return false
		}
		elsewhere := l.config.role(int32(i)) != l.config.role(0) && l.fresh(now, r) && !r.verdict
		if elsewhere && now < l.judged+GoneAfter(l.config.Size)+maxRetry {
			return false
		}
	}
	return now >= l.judged+farewell
}

// heardAllBut reports whether everybody but one peer knows how the group ends.
func (l *leader) heardAllBut(index int32) bool {
	for i := range l.records {
		r := &l.records[i]
		if i == 0 || int32(i) == index || r.known() && (r.phase == Left || r.verdict) || l.isAway(int32(i)) {
			continue
		}
		return false
	}
	return true
}

// isFirst reports whether a peer has failed first, and has yet to leave.
func (l *leader) isFirst(index int32) bool {
	r := &l.records[index]
	return l.verdict.Kind == Failed && l.verdict.Index == index && r.phase == Ended && r.attempt == l.verdict.Attempt && int32(r.code) == l.verdict.Code
}

// witnesses reports whether another peer of the same Job has ended with CodeGroupFailed, and
// whether one will: it knows that the group has failed. Index 0 ends so as soon as all have heard,
// and counts like one that has when its command has stopped. One that is told to end is none:
// a Job ignores the code of a Pod that was disrupted.
func (l *leader) witnesses(now time.Duration, index int32) (ended, coming bool) {
	role := l.config.role(index)
	for i := range l.records {
		r := &l.records[i]
		switch {
		case int32(i) == index || l.config.role(int32(i)) != role || r.terminating:
		case i == 0 && (!r.known() || r.phase == Running):
			coming = true
		case i == 0:
			ended = true
		case !r.verdict:
		case r.phase == Left:
			ended = true
		default:
			coming = coming || l.fresh(now, r)
		}
	}
	return ended, coming
}

// dismisses reports whether the peer that failed first may leave. All others have heard, or
// have had the time to. And another peer of its Job has ended with CodeGroupFailed, or none
// will: with the code of a command alone, the Job could take the Pod for one to replace.
func (l *leader) dismisses(now time.Duration, index int32) bool {
	if l.records[index].terminating || now >= l.judged+l.config.lastWord() {
		return true
	}
	if now < l.judged+farewell && !l.heardAllBut(index) {
		return false
	}
	ended, coming := l.witnesses(now, index)
	return ended || !coming
}

// dismiss wants the peer that failed first to be called when it may leave.
func (l *leader) dismiss(now time.Duration) {
	first := l.verdict.Index
	if l.dismissed > 0 || first == 0 || !l.isFirst(first) || !l.dismisses(now, first) {
		return
	}
	l.dismissed = now
	l.records[first].wanted = true
}

// holdsFirst reports whether the peer that failed first keeps index 0: it is index 0 itself,
// and may not leave yet, or it has yet to hear that it may.
func (l *leader) holdsFirst(now time.Duration) bool {
	first := l.verdict.Index
	switch {
	case !l.isFirst(first):
		return false
	case first == 0:
		return !l.dismisses(now, first)
	}
	return l.fresh(now, &l.records[first]) && (l.dismissed == 0 || now < l.dismissed+farewell)
}

// seeks reports whether index 0 calls a peer by its name although nothing was heard of it: the
// group has failed, and the peer may run, or knows better.
func (l *leader) seeks(index int32) bool {
	return (l.verdict.Kind == Failed || l.doomed.Kind == Failed) && index > 0 && !l.records[index].known() && !l.isAway(index)
}
