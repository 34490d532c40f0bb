// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// model is a group with a failure policy, whose every step is somebody's choice: a
// search tries all of them, a simulation one at random. It can be copied. It knows
// what is true, and checks it after every step.
type model struct {
	config Config
	now    time.Duration
	// procs are all processes that there ever were, a Pod's and its replacement's.
	procs []*proc
	// partition says that processes of side 1 and of side 0 do not reach each other.
	partition bool
	// jobsFailed are the roles whose Jobs have failed, so that none of their peers is
	// replaced: role 0 in a group without roles.
	jobsFailed RoleSet
	// cut says that messages did not arrive, and unheard that a group with FailPeerJob has
	// ended without a peer that nobody could tell, so that the peer need not come to its end:
	// see isHeard.
	cut, unheard bool
	// highest is the highest attempt that was started, and started the processes that
	// had come to it then.
	highest int32
	started []int
	// ran are the indexes that have run the highest attempt, and runners their processes.
	ran     []int32
	runners []int
	// opened are the attempts that an index 0 has let start, and spent counts those that
	// somebody had run who was still there when the next one started.
	opened uint64
	spent  int32
	// witnesses are the processes that had met index 0 when the first one left with
	// success.
	witnesses []int
	// succeeded and failed say that somebody has left so.
	succeeded, failed bool
	nextID            int
	disruptions       int
	// strange are the indexes under whose names a stranger answers, first.
	strange  []bool
	complete bool
	settled  time.Duration
	// long says that links were down for as long as anybody waits, and parted since when they
	// are. Each side may come to its own end then.
	long   bool
	parted time.Duration
	broken string
	// log is what happened last, for whom reads a violation.
	log *note
	// pace is how often index 0 looks at its records, if not as often as it may.
	pace time.Duration
	// waits is for what each role waits.
	waits []roleWaits
	// zero says of each index that its command has ended with 0, and not started since;
	// zeros are the attempts in which it has, and begun the last one that it has started.
	zero  []bool
	zeros []uint64
	begun []int32
	// final are the roles that are Complete because something has followed from it, and
	// knew the processes that must have known then.
	final RoleSet
	knew  [MaxRoles][]int
}

// note is one thing that happened, and before are those that happened before it. A history
// is written only if somebody reads it.
type note struct {
	before *note
	at     time.Duration
	format string
	args   []any
}

// history is what happened, a line each.
func (m *model) history() string {
	var lines []string
	for n := m.log; n != nil; n = n.before {
		lines = append(lines, fmt.Sprintf("%v: ", n.at)+fmt.Sprintf(n.format, n.args...))
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}

// proc is one process of a Pod.
type proc struct {
	id    int
	index int32
	node  *Node
	// alive says that it runs; side where, lost that its Pod was replaced although
	// it runs on.
	alive, lost bool
	side        int
	// command is the attempt whose command runs, 0 for none; until when it ends by
	// itself, and killed when it is killed if it is to stop.
	command       int32
	until, killed time.Duration
	stops         bool
	// pinned is the process of index 0 whose address it has, -1 for none.
	pinned int
	// next is its alarm, and report and calls what it wants to send.
	next   time.Duration
	report *Report
	anew   bool
	calls  []int32
	// replaceAt is when a replacement comes for it; 0 for none.
	replaceAt time.Duration
	// reapAt is when it is told to end, because its Pod was deleted and its node is back; 0 if
	// not.
	reapAt time.Duration
	// outcome is why it has left by itself, and complete says that it has left with 0, so
	// that its index is complete.
	outcome  Outcome
	complete bool
	// leaving says that it has yet to end, once its last report is on its way.
	leaving bool
	// found are the processes whose commands ran when it came, with FailPeerJob. It must not
	// join them.
	found []int
	// roleComplete says that it has left because its role is Complete.
	roleComplete bool
	// slow says that nothing it sends arrives, until then.
	slow time.Duration
}

// middle is a source of randomness that always gives the middle.
type middle struct{}

func (middle) Uint64() uint64 { return 1 << 63 }

const (
	// modelWork is how long a command takes that is left alone.
	modelWork = 30 * time.Second
	// modelHorizon is until when something can go wrong, and modelSettle how long after
	// that everybody must have come to an end.
	modelHorizon = time.Minute
	modelSettle  = 6 * time.Minute
	// modelWear is how long links are down in the end, in some histories.
	modelWear = 5 * time.Minute
	// modelPace is how often index 0 looks at its records in a search. What it finds some
	// tenths of a second later leads to the same states. It must be less than the margin of a
	// lease.
	modelPace = 250 * time.Millisecond
	// modelParted is for how long a partition must not lead to two ends.
	modelParted = 100 * time.Second
	// modelReplace is how long Kubernetes takes to replace a Pod.
	modelReplace = 6 * time.Second
	// modelReap is how long a node that is back takes to end a Pod that was deleted meanwhile.
	modelReap = 4 * time.Second
)

// roleWaits is for which roles a role waits.
type roleWaits struct{ started, complete RoleSet }

// newModel makes a group. With roles, each of them waits for others.
func newModel(config Config, waits ...roleWaits) *model {
	m := &model{
		config: config, strange: make([]bool, config.Size), waits: waits,
		zero: make([]bool, config.Size), zeros: make([]uint64, config.Size), begun: make([]int32, config.Size),
	}
	for i := range config.Size {
		m.spawn(i, false)
	}
	return m
}

// spawn starts a Pod.
func (m *model) spawn(index int32, replacement bool) {
	config := m.config
	config.Index, config.Policy.Replacement = index, replacement
	if config.hasRoles() {
		role := config.role(index)
		config.Job += "-" + config.Roles[role].Name // each role is a Job
		config.AfterStarted, config.AfterComplete = m.waits[role].started, m.waits[role].complete
	}
	m.nextID++
	p := &proc{id: m.nextID, index: index, alive: true, pinned: -1, next: m.now}
	if config.Policy.Action == FailPeerJob {
		for _, other := range m.procs {
			if other.alive && other.command != 0 {
				p.found = append(p.found, other.id)
			}
		}
	}
	p.node = NewNode(config, Process{byte(m.nextID)}, rand.New(middle{}), m.now)
	m.procs = append(m.procs, p)
}

func (m *model) say(format string, args ...any) {
	m.log = &note{m.log, m.now, format, args}
}

func (m *model) violate(format string, args ...any) {
	if m.broken == "" {
		m.broken = fmt.Sprintf(format, args...)
	}
}

// clone copies the model.
func (m *model) clone() *model {
	c := *m
	c.procs = make([]*proc, len(m.procs))
	for i, p := range m.procs {
		if !p.alive && p.replaceAt == 0 {
			c.procs[i] = p // nothing happens to it any more
			continue
		}
		q := *p
		if p.alive {
			q.node = p.node.clone()
			q.calls = slices.Clone(p.calls)
		}
		c.procs[i] = &q
	}
	c.started, c.ran, c.witnesses = slices.Clone(m.started), slices.Clone(m.ran), slices.Clone(m.witnesses)
	c.runners, c.strange = slices.Clone(m.runners), slices.Clone(m.strange)
	c.zero, c.zeros, c.begun = slices.Clone(m.zero), slices.Clone(m.zeros), slices.Clone(m.begun)
	for i := range c.knew {
		c.knew[i] = slices.Clone(m.knew[i])
	}
	return &c
}

// quiet sets when index 0 next says in words for whom everybody waits. A search does not read
// that.
func (l *leader) quiet(due time.Duration) {
	l.summary.due = due
	if l.config.hasRoles() {
		for i := range l.held {
			l.held[i].due = due
		}
	}
}

// waiting is for whom a process waits, in words.
func (m *model) waiting(p *proc) string {
	if l := p.node.leader; l != nil {
		l.quiet(0)
	}
	return p.node.Waiting(m.now)
}

func (n *Node) clone() *Node {
	c := *n
	peer := *n.peer
	peer.former = slices.Clone(n.peer.former)
	peer.events = slices.Clone(n.peer.events)
	c.peer = &peer
	if n.leader != nil {
		leader := *n.leader
		leader.records = slices.Clone(n.leader.records)
		leader.events = slices.Clone(n.leader.events)
		if n.leader.cause != nil {
			reason := *n.leader.cause
			leader.cause = &reason
		}
		c.leader = &leader
	}
	return &c
}

// current is the latest process of an index.
func (m *model) current(index int32) *proc {
	for _, p := range slices.Backward(m.procs) {
		if p.index == index && !p.lost {
			return p
		}
	}
	return nil
}

func (m *model) reaches(a, b *proc) bool { return b.alive && (!m.partition || a.side == b.side) }

// resolve is whom a name leads to, for somebody: the latest process, or on the lost
// side of a partition what was there before.
func (m *model) resolve(from *proc, index int32) []*proc {
	for _, p := range slices.Backward(m.procs) {
		if p.index != index || !p.alive {
			continue
		}
		if p.lost && (!m.partition || from.side == 0) {
			continue // DNS does not have it any more
		}
		if m.partition && from.side == 1 && p.side == 0 {
			for _, old := range m.procs {
				if old.index == index && old.alive && old.side == 1 {
					return []*proc{old}
				}
			}
		}
		if m.reaches(from, p) {
			return []*proc{p}
		}
		return nil
	}
	return nil
}

// heal brings all links back. The Pods that were lost are told to end some time later.
func (m *model) heal() {
	m.partition = false
	for _, p := range m.procs {
		if p.side = 0; p.alive && p.lost {
			p.reapAt = m.now + modelReap
		}
	}
}

// reap is the end of a Pod that was lost.
func (m *model) reap(p *proc) {
	m.say("%d/%d is reaped", p.index, p.id)
	m.disruptions++ // it was told to end
	p.reapAt = 0
	m.terminate(p)
}

// step lets a process do what is due.
func (m *model) step(p *proc) {
	if !p.alive {
		return
	}
	for range 10 {
		actions := p.node.Step(m.now)
		if actions.Report != nil {
			p.report, p.anew = actions.Report, actions.Anew
		}
		p.calls = append(p.calls, actions.Calls...)
		p.next = actions.Next
		if n := p.node; m.pace > 0 && n.leader != nil && n.tick == m.now+tickInterval(m.config.Size) {
			n.tick = m.now + m.pace
			p.next = n.next(m.now)
			n.leader.quiet(never)
		}
		m.follow(p)
		if actions.Leave {
			m.leave(p)
			return
		}
		if actions.Next > m.now {
			return
		}
	}
	p.next = m.now + time.Millisecond
}

// follow starts and stops the command of a process as its node wants it.
func (m *model) follow(p *proc) {
	runs := p.node.Runs()
	switch {
	case runs && p.command == 0:
		p.command, p.until, p.stops = p.node.Attempt(), m.now+modelWork, false
		if m.config.serves(p.index) && !slices.ContainsFunc(m.waits, func(w roleWaits) bool { return w.complete.Has(m.config.role(p.index)) }) {
			p.until = never // it serves until it is told to end
		}
		m.say("%d/%d starts attempt %d", p.index, p.id, p.command)
		m.checkStart(p)
		m.checkRoles(p)
		p.node.Started(m.now)
	case !runs && p.command != 0 && !p.stops:
		p.stops, p.killed = true, m.now+m.config.Policy.Grace
		m.say("%d/%d stops attempt %d", p.index, p.id, p.command)
	}
	if p.command != 0 && !p.stops && p.node.Verdict().Kind == Failed {
		m.violate("the command of index %d runs on although the group has failed", p.index)
	}
	if l := p.node.leader; l != nil && l.opened > 0 {
		m.opened |= 1 << l.opened
	}
	if n := int32(bits.OnesCount64(m.opened)); p.node.Verdict().Kind == Failed && n <= m.config.Policy.MaxRestarts && !slices.ContainsFunc(m.procs, func(p *proc) bool { return p.complete }) {
		m.violate("index %d believes that the group has failed, and it has run %d times of %d", p.index, n, 1+m.config.Policy.MaxRestarts)
	}
	if verdict := p.node.Verdict(); m.config.hasRoles() && verdict.Kind == Succeeded {
		if p.command != 0 && !p.stops && m.config.serves(p.index) {
			m.violate("the command of index %d runs on although the success roles are done", p.index)
		}
		for i, zeros := range m.zeros {
			if m.config.decides(int32(i)) && zeros&(1<<verdict.Attempt) == 0 && !m.final.Has(m.config.role(int32(i))) {
				m.violate("index %d believes that the group has succeeded in attempt %d, and index %d has not", p.index, verdict.Attempt, i)
			}
		}
	}
}

// checkStart holds a start to the truth.
func (m *model) checkStart(p *proc) {
	for _, other := range m.procs {
		if other == p || !other.alive || other.command == 0 {
			continue
		}
		if other.command != p.command {
			m.violate("attempt %d of index %d starts while attempt %d of index %d runs", p.command, p.index, other.command, other.index)
		}
		if other.index == p.index && (m.config.Policy.restarts() || !other.lost) {
			m.violate("attempt %d of index %d starts twice", p.command, p.index)
		}
	}
	if m.succeeded {
		m.violate("attempt %d of index %d starts after the group has succeeded", p.command, p.index)
	}
	if p.command <= m.highest && (p.command < m.highest || slices.Contains(m.ran, p.index)) {
		for _, other := range m.procs {
			if m.config.Policy.restarts() && (other.alive && !other.lost && other != p && slices.Contains(m.started, other.id) || slices.Contains(m.started, p.id)) ||
				other.alive && !other.lost && other.command != 0 && slices.Contains(p.found, other.id) {
				m.violate("attempt %d of index %d starts after attempt %d, which somebody knows that is still there", p.command, p.index, m.highest)
			}
		}
		m.highest, m.spent, m.runners = 0, 0, nil
	}
	if p.command > m.highest {
		if slices.ContainsFunc(m.runners, func(id int) bool { return m.byID(id).alive && !m.byID(id).lost }) {
			m.spent++
		}
		m.highest, m.started, m.ran, m.runners = p.command, nil, nil, nil
		for _, other := range m.procs {
			if other.alive && other.node.Attempt() == p.command && other.node.peer.leader == p.node.peer.leader {
				m.started = append(m.started, other.id)
			}
		}
		if most := m.config.Policy.MaxRestarts + int32(m.disruptions); m.spent > most {
			m.violate("attempt %d starts after %d that have run, and %d are the most", m.highest, m.spent, most)
		}
	}
	m.ran, m.runners = append(m.ran, p.index), append(m.runners, p.id)
}

// checkRoles holds a start to what its role waits for.
func (m *model) checkRoles(p *proc) {
	if !m.config.hasRoles() {
		return
	}
	role := m.config.role(p.index)
	for i := range m.config.Size {
		other := m.config.role(i)
		if m.waits[role].complete.Has(other) && !m.zero[i] {
			m.violate("index %d starts before index %d has ended with 0", p.index, i)
		}
		if m.waits[role].started.Has(other) && m.begun[i] != p.command && !m.zero[i] {
			m.violate("attempt %d of index %d starts before index %d has started", p.command, p.index, i)
		}
	}
	if m.knownFinal(role) {
		m.violate("index %d runs again, and its role is Complete", p.index)
	}
	for other := range m.config.Roles {
		if m.waits[role].complete.Has(other) {
			m.finish(p, other)
		}
	}
	m.zero[p.index], m.begun[p.index] = false, p.command
}

// finish notes that a role is Complete for good, because a process starts or leaves for it.
// All who follow the same index 0 must know.
func (m *model) finish(by *proc, role int) {
	if m.knownFinal(role) {
		return
	}
	m.final, m.knew[role] = m.final.With(role), nil
	for _, p := range m.procs {
		if p.alive && p.node.peer.leader == by.node.peer.leader {
			m.knew[role] = append(m.knew[role], p.id)
		}
	}
}

// knownFinal reports whether a role is Complete for good, and somebody is left who knows.
func (m *model) knownFinal(role int) bool {
	return m.final.Has(role) && slices.ContainsFunc(m.knew[role], func(id int) bool { return m.byID(id).alive && !m.byID(id).lost })
}

// end is the end of a command.
func (m *model) end(p *proc, code int32) {
	m.say("%d/%d ends attempt %d with %d", p.index, p.id, p.command, code)
	if code == 0 {
		m.zero[p.index] = true
		m.zeros[p.index] |= 1 << p.command
	}
	p.command, p.stops = 0, false
	p.node.End(m.now, code)
	m.step(p)
}

// leave is the end of a process by itself.
func (m *model) leave(p *proc) {
	outcome := p.node.Outcome()
	m.say("%d/%d leaves: %v, code %d", p.index, p.id, outcome, p.node.ExitCode())
	last := p.node.LastReport(m.now)
	p.alive, p.report, p.calls, p.outcome, p.leaving = false, nil, nil, outcome, true
	if p.command != 0 {
		m.violate("index %d leaves while its command runs", p.index)
	}
	switch {
	case p.lost:
		// Nobody hears of it, and Kubernetes does not count it.
	case outcome == RoleComplete:
		role := m.config.role(p.index)
		for i := range m.config.Size {
			if m.config.role(i) == role && !m.zero[i] {
				m.violate("index %d leaves because its role is Complete, and index %d has not ended with 0", p.index, i)
			}
		}
		p.roleComplete = true
		m.finish(p, role)
	case outcome == Together:
		m.succeeded = true
		if m.config.Policy.Action == FailPeerJob && m.partition {
			m.unheard = true // without leases, nobody waits for those who are cut off
		}
		if code := p.node.ExitCode(); code != 0 && !(p.node.peer.terminating && len(m.config.Until) > 0) { // Kubernetes does not count a Pod that was disrupted
			m.violate("the group has succeeded, and index %d leaves with code %d", p.index, code)
		}
		if m.witnesses == nil {
			for _, other := range m.procs {
				if m.isWitness(p, other) {
					m.witnesses = append(m.witnesses, other.id)
				}
			}
		}
		if m.failed && !m.unheard && !m.long {
			m.violate("index %d leaves with success after another with failure", p.index)
		}
	case outcome == GroupFailed:
		m.failed = true
		if m.succeeded && !m.unheard && !m.long {
			m.violate("index %d leaves with failure after another with success", p.index)
		}
		m.failJobs(p)
	case outcome == StartTimedOut || outcome == Abandoned:
		for _, other := range m.procs {
			m.complete = m.complete || !other.alive && other.complete && !(other.roleComplete && m.knownFinal(m.config.role(other.index)))
		}
		if m.config.Policy.Action == FailPeerJob && m.jobsFailed != 0 {
			m.complete = true // a Job that has failed replaces nobody, and its peers were killed before they could say so
		}
		if !m.complete && !m.long && m.settled > 0 && m.now > m.settled+time.Minute {
			m.violate("index %d gives up waiting for %s", p.index, m.waiting(p))
		}
		if slices.Contains(m.witnesses, p.id) && !m.long {
			m.violate("index %d gives up after the group has succeeded, and was there", p.index)
		}
		m.failJobs(p)
	case p.node.peer.terminating && p.index != 0:
		// What it did is done, and its index is complete.
	case p.node.peer.code == 0 && p.node.Verdict().Kind != Succeeded && m.config.Policy.restarts() && outcome != Superseded:
		m.violate("index %d leaves with code 0, and the group has not succeeded: %v", p.index, outcome)
	}
	if p.index != 0 {
		for _, leader := range m.resolve(p, 0) {
			if _, err := leader.node.Receive(m.now, last); err == nil {
				m.step(leader)
			}
		}
	}
	p.complete = p.node.ExitCode() == 0 && p.node.peer.code == 0 && outcome != StartTimedOut && outcome != Abandoned && outcome != NeverStarted && outcome != Superseded && outcome != GroupFailed
	if m.config.Policy.Action == FailPeerJob && p.index == 0 && p.node.peer.terminating && (p.complete || m.cut) {
		m.unheard = true // nobody tells the others in its place, if it has not reached them
	}
	p.leaving = false
	m.gone(p, p.node.ExitCode())
}

// isWitness reports whether a process must have heard that the group has succeeded when the
// first one leaves: it has met others.
func (m *model) isWitness(first, p *proc) bool {
	switch {
	case !p.alive || p.node.peer.leader == Process{}:
		return false
	case p.node.leader != nil:
		// A rank 0 that has met nobody but peers that the others can't know of is like these.
		return slices.ContainsFunc(p.node.leader.records[1:], func(r record) bool {
			other := m.running(r.process)
			return r.known() && (other == nil || m.isWitness(first, other))
		})
	case m.isDone(p.index):
		// If it is cut off from when its role is Complete, a new index 0 can't know that it is
		// there, and does not wait for it.
		return slices.ContainsFunc(m.procs, func(leader *proc) bool {
			return leader.node.process == first.node.peer.leader && leader.node.Process(p.index) == p.node.process
		})
	}
	return true
}

// isDone reports whether the role of an index is Complete.
func (m *model) isDone(index int32) bool {
	role := m.config.role(index)
	for i := range m.config.Size {
		if m.config.role(i) == role && !m.zero[i] {
			return false
		}
	}
	return slices.ContainsFunc(m.waits, func(w roleWaits) bool { return w.complete.Has(role) })
}

// gone is what the Job does when a Pod has ended with a code.
func (m *model) gone(p *proc, code int32) {
	role := m.config.role(p.index)
	if p.lost {
		return // it was replaced already
	}
	if m.config.Policy.Action == FailPeerJob && !p.node.peer.terminating && m.failsJob(p.index, code) {
		m.unheard = m.unheard || !m.isHeard(p)
		m.failJob(role)
	}
	m.unheard = m.unheard || p.complete && p.index == 0 && !m.isHeard(p)
	if p.complete || m.jobsFailed.Has(role) {
		m.checkJob(p, code)
		return
	}
	m.checkJob(p, code)
	p.replaceAt = m.now + modelReplace
}

// failsJob reports whether a code matches the rule that FailPeerJob writes into the Job of a
// peer: see FailureRules in internal/peerjob. A Pod that was disrupted matches no rule but the
// one that ignores it.
func (m *model) failsJob(index, code int32) bool {
	if m.config.serves(index) || len(m.config.Until) > 0 && m.config.Size > 1 {
		return code == CodeTimedOut || code == CodeGroupFailed
	}
	return code != 0 && code != CodeTerminated
}

// failJobs is the end of a group that a process reports as failed, or which it gives up. With
// FailPeerJob, each Job goes by the codes of its own Pods: see gone.
func (m *model) failJobs(by *proc) {
	if m.config.Policy.Action == FailPeerJob {
		return
	}
	for role := range max(1, len(m.config.Roles)) {
		m.failJob(role)
	}
}

// isHeard reports whether somebody tells the others, under FailPeerJob, that a process has
// ended with which the group ends. Nobody does if rank 0 is killed. It waits only so long for
// peers that it does not reach. And it does not know whom it has never met: it takes such a Job
// for one that is suspended.
func (m *model) isHeard(p *proc) bool {
	if p.index == 0 {
		return p.outcome != 0 && !m.cut
	}
	return slices.ContainsFunc(m.procs, func(leader *proc) bool {
		return leader.alive && leader.node.Process(p.index) == p.node.process
	})
}

// failJob is the end of a failed Job: its Pods are told to end, and nobody is replaced.
func (m *model) failJob(role int) {
	if m.jobsFailed.Has(role) {
		return
	}
	m.say("the Job of role %d fails", role)
	m.jobsFailed = m.jobsFailed.With(role)
	for _, p := range m.procs {
		if m.config.role(p.index) != role {
			continue
		}
		p.replaceAt = 0
		if p.alive && !p.lost {
			m.terminate(p)
		}
	}
}

// checkJob holds the end of a peer of a group that has failed to what its Job makes of it. The
// last peer of a role that knows takes the Job with it, or all of the role's are complete.
// Nobody replaces a peer of a group that has failed.
func (m *model) checkJob(p *proc, code int32) {
	role := m.config.role(p.index)
	if m.config.Policy.Action != FailPeerJob || p.node.Verdict().Kind != Failed || p.node.peer.terminating || p.outcome == 0 || m.jobsFailed.Has(role) {
		return
	}
	if code == 0 {
		m.violate("index %d leaves with code 0, and knows that the group has failed", p.index)
	}
	for _, other := range m.procs {
		if (other.alive || other.leaving) && !other.lost && m.config.role(other.index) == role {
			return // it takes the Job with it, or is the next that is looked at
		}
	}
	m.violate("the group has failed, and the Job of index %d has not: the last Pod of its role that knows ends with code %d, which matches no rule", p.index, code)
}

// terminate is a SIGTERM from outside. The command ends of it.
func (m *model) terminate(p *proc) {
	p.node.Terminate(m.now)
	if p.command != 0 && !p.stops {
		p.stops, p.killed = true, m.now+m.config.Policy.Grace
	}
	m.step(p)
}

// kill is the sudden end of a process.
func (m *model) kill(p *proc) {
	m.say("%d/%d is killed", p.index, p.id)
	p.alive, p.command, p.report, p.calls = false, 0, nil, nil
	if l := p.node.leader; l != nil && l.verdict.Kind == Failed && m.config.Policy.Action == FailPeerJob {
		m.unheard = true // those whom it has told have left, and a new rank 0 knows nothing of it
	}
	m.gone(p, 137)
}

// exchange does one thing that a process wants to send: a report, or the first or the last of its
// calls.
func (m *model) exchange(p *proc, lost, last bool) {
	if p.report != nil {
		report, anew := *p.report, p.anew
		p.report = nil
		m.send(p, report, anew, lost)
		return
	}
	if len(p.calls) > 0 {
		at := 0
		if last {
			at = len(p.calls) - 1
		}
		index := p.calls[at]
		p.calls = slices.Delete(p.calls, at, at+1)
		m.call(p, index)
	}
}

func (m *model) send(p *proc, report Report, anew, lost bool) {
	sent := false
	if p.pinned >= 0 && !anew {
		leader := m.byID(p.pinned)
		if m.reaches(p, leader) && !m.mute(leader) {
			sent = true
			reply, err := leader.node.Receive(m.now, report)
			m.step(leader)
			if err == nil && !reply.Terminating && !reply.Acts() && !lost {
				m.hear(p, report, []Heard{{reply, false}}, []*proc{leader}, There)
				return
			}
		}
	}
	leaders := m.resolve(p, 0)
	named := len(leaders)
	if old := m.running(p.node.Leader()); old != nil && named > 0 && old != leaders[0] && m.reaches(p, old) {
		leaders = append(leaders, old)
	}
	var replies []Heard
	var from []*proc
	if m.stranger(0) {
		replies, from = append(replies, Heard{strangeReply(report), true}), append(from, nil)
	}
	for i, leader := range leaders {
		if m.mute(leader) {
			continue
		}
		reply, err := leader.node.Receive(m.now, report)
		m.step(leader)
		switch {
		case lost && i == 0:
			sent = true
		case err == nil:
			replies, from = append(replies, Heard{reply, i < named}), append(from, leader)
		}
	}
	if !p.alive {
		return
	}
	if len(replies) > 0 {
		m.hear(p, report, replies, from, m.presence(p, p.node.Leader()))
		return
	}
	p.pinned = -1
	p.node.Failed(m.now, "nobody", sent)
	m.step(p)
}

func (m *model) hear(p *proc, report Report, replies []Heard, from []*proc, old Presence) {
	if !p.alive {
		return
	}
	if i := p.node.Hear(m.now, report, replies, old); i < 0 {
		p.pinned = -1
	} else if from[i] == nil {
		m.violate("index %d believes a stranger, and the index 0 that it knows is there", p.index)
	} else {
		p.pinned = from[i].id
	}
	m.step(p)
}

// strangeProcess is who answers under the name of an index and is no peer.
func strangeProcess(index int32) Process { return Process{byte(index), 0xee} }

// strangeReply is what a stranger says to a report: that the group has failed.
func strangeReply(report Report) Reply {
	return Reply{Job: report.Job, Process: strangeProcess(0), Attempt: report.Attempt, Known: true, Go: true, Verdict: Verdict{Failed, report.Attempt, 0, 3}}
}

// stranger reports whether a stranger answers under the name of an index, too. He who
// answers when the peer is gone can't be told from its replacement.
func (m *model) stranger(index int32) bool { return m.strange[index] && m.current(index).alive }

// mute reports whether a process is slower to answer than a stranger is, and than
// anybody waits.
func (m *model) mute(p *proc) bool { return m.strange[p.index] && p.slow > m.now }

// running is who has a process, if it runs.
func (m *model) running(process Process) *proc {
	for _, p := range m.procs {
		if p.alive && p.node.process == process {
			return p
		}
	}
	return nil
}

// presence is what comes of asking a process where it last answered.
func (m *model) presence(from *proc, process Process) Presence {
	p := m.running(process)
	switch {
	case process == Process{}:
		return Unasked
	case p == nil:
		return Gone
	case !m.reaches(from, p):
		return Silent
	case m.mute(p):
		return Mute
	}
	return There
}

func (m *model) byID(id int) *proc { return m.procs[id-1] }

func (m *model) call(p *proc, index int32) {
	there := m.resolve(p, index)
	if len(there) > 0 {
		// The one that is known is asked where it was, too.
		if old := m.running(p.node.Process(index)); old != nil && old != there[0] && m.reaches(p, old) {
			there = append(there, old)
		}
	}
	var identities []Identity
	if m.stranger(index) {
		identities = append(identities, Identity{Job: m.config.Job, Index: index, Process: strangeProcess(index), Attempt: p.node.Attempt(), Phase: Ended, Code: 3})
	}
	for _, other := range there {
		if m.mute(other) {
			continue
		}
		identities = append(identities, other.node.Identity(m.now))
		other.node.Called(m.now, p.node.process)
		m.step(other)
	}
	if !p.alive {
		return
	}
	if len(identities) == 0 {
		p.node.Unanswered(m.now, index, NoAnswer)
	} else {
		p.node.Answered(m.now, index, identities, m.presence(p, p.node.Process(index)))
	}
	if p.node.Process(index) == strangeProcess(index) {
		m.violate("a stranger has taken the place of index %d, which is there", index)
	}
	m.step(p)
}

// pending is a process that wants to send something; nil for none.
func (m *model) pending(last bool) *proc {
	var found *proc
	for _, p := range m.procs {
		if p.alive && (p.report != nil || len(p.calls) > 0) && m.now >= p.slow {
			if found = p; !last {
				return p
			}
		}
	}
	return found
}

// advance lets time pass until something happens, at most until a moment. It does all
// that is due. It reports whether anything is left to wait for.
func (m *model) advance(until time.Duration) bool {
	next := until
	for _, p := range m.procs {
		if p.replaceAt > 0 {
			next = min(next, p.replaceAt)
		}
		if !p.alive {
			continue
		}
		next = min(next, p.next)
		if p.reapAt > 0 {
			next = min(next, p.reapAt)
		}
		if p.command != 0 && p.stops {
			next = min(next, p.killed)
		} else if p.command != 0 {
			next = min(next, p.until)
		}
		if p.slow > m.now {
			next = min(next, p.slow)
		}
	}
	m.now = max(m.now, next)
	m.long = m.long || m.partition && m.now-m.parted >= modelParted
	for _, p := range slices.Clone(m.procs) {
		switch {
		case p.replaceAt > 0 && p.replaceAt <= m.now:
			p.replaceAt = 0
			if m.current(p.index) == p || p.lost {
				m.say("%d is replaced", p.index)
				m.spawn(p.index, true)
			}
		case !p.alive:
		case p.reapAt > 0 && p.reapAt <= m.now:
			m.reap(p)
		case p.command != 0 && p.stops && p.killed <= m.now:
			m.end(p, 143)
		case p.command != 0 && !p.stops && p.until <= m.now:
			m.end(p, 0)
		case p.next <= m.now:
			m.step(p)
		}
	}
	return m.now < until
}

// abstract stands for the state without times: what a choice can depend on.
func (m *model) abstract() uint64 {
	h := mix(uint64(m.jobsFailed)<<8|uint64(m.highest), bit(m.partition, 0))
	for i, strange := range m.strange {
		h += bit(strange, i+32)
	}
	for _, p := range m.procs {
		if !p.alive {
			continue
		}
		q := p.node.peer
		h = mix(h, uint64(p.id)|uint64(p.side)<<8|uint64(p.command)<<16|uint64(p.pinned+1)<<24|uint64(q.attempt)<<32|uint64(q.phase)<<40|uint64(q.verdict.Kind)<<44|uint64(q.leader[0])<<48|uint64(len(q.former))<<56)
		h = mix(h, uint64(q.complete)|bit(p.lost, 16)|bit(p.stops, 17)|bit(q.leaseLost, 18)|bit(q.terminating, 19)|bit(q.held, 20)|bit(q.started, 21))
		l := p.node.leader
		if l == nil {
			continue
		}
		h = mix(h, uint64(l.attempt)|uint64(l.opened)<<8|uint64(l.verdict.Kind)<<16|uint64(l.survivors)<<20|bit(l.deposed, 24)|uint64(l.complete)<<32|uint64(l.settled)<<48)
		h += uint64(l.running) << 16
		for i := range l.records {
			r := &l.records[i]
			h = mix(h, uint64(r.process[0])|uint64(r.attempt)<<8|uint64(r.phase)<<16|uint64(r.complete)<<24|bit(r.granted, 40)|bit(r.mine, 41)|bit(r.started, 42))
		}
	}
	return h
}

// ended reports whether nobody is left who waits for anything.
func (m *model) ended() bool {
	for _, p := range m.procs {
		if p.alive || p.replaceAt > 0 {
			return false
		}
	}
	return true
}

// wear lets time pass with the links as they are, for longer than anybody waits. It reports
// whether it was told that it was there before.
func (m *model) wear(before func(*model) bool) bool {
	m.long = true
	abstract := m.abstract()
	for end := m.now + modelWear; m.broken == "" && !m.ended() && m.now < end; {
		if p := m.pending(false); p != nil {
			m.exchange(p, false, false)
		} else {
			m.advance(end)
		}
		if next := m.abstract(); next != abstract {
			if abstract = next; before(m) {
				return true
			}
		}
	}
	return false
}

// settle heals all links, reaps who was lost, and lets time pass. It is a violation if
// somebody waits after that. It ends early when it is told that it was there before.
func (m *model) settle(most time.Duration, before func(*model) bool) {
	m.settled = m.now
	m.heal()
	end := m.now + most
	for _, p := range m.procs {
		if !p.alive {
			continue
		}
		p.slow, p.node.peer.began = 0, m.now
		if l := p.node.leader; l != nil {
			l.unopened = m.now
		}
		if p.lost {
			m.reap(p)
		}
	}
	abstract := uint64(0)
	for m.broken == "" && !m.ended() && m.now < end {
		if next := m.abstract(); next != abstract {
			if abstract = next; before(m) {
				return
			}
		}
		if p := m.pending(false); p != nil {
			m.exchange(p, false, false)
			continue
		}
		m.advance(end)
	}
	if m.broken == "" && !m.ended() && !m.unheard {
		waits := ""
		for _, p := range m.procs {
			if p.alive {
				waits += fmt.Sprintf("; %d/%d in attempt %d, %v, verdict %v, waits for %s", p.index, p.id, p.node.Attempt(), p.node.Phase(), p.node.Verdict().Kind, m.waiting(p))
			}
		}
		m.violate("somebody waits forever%s", waits)
	}
}
