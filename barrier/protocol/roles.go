// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// MaxRoles is how many roles a group has at most.
const MaxRoles = 16

// Role is one kind of peers: those of one Job of the group.
type Role struct {
	// Name is unique in the group.
	Name string
	// Size is the number of its peers.
	Size int32
}

// RoleSet is a set of roles, by their places in [Config.Roles].
type RoleSet uint16

// With is the set and one more role.
func (s RoleSet) With(role int) RoleSet { return s | 1<<role }

// Has reports whether a role is in the set.
func (s RoleSet) Has(role int) bool { return s&(1<<role) != 0 }

// in reports whether every role of the set is in another one.
func (s RoleSet) in(other RoleSet) bool { return s&^other == 0 }

// validateRoles is an error if the roles are no group's.
func (c Config) validateRoles() error {
	if !c.hasRoles() {
		if c.AfterStarted|c.AfterComplete|c.Success != 0 {
			return errors.New("a dependency or a success role, and no roles")
		}
		return nil
	}
	if len(c.Roles) > MaxRoles {
		return fmt.Errorf("%d roles, and %d are the most", len(c.Roles), MaxRoles)
	}
	size, all := int64(0), RoleSet(0)
	for i, role := range c.Roles {
		switch {
		case role.Name == "":
			return errors.New("a role has no name")
		case role.Size < 1:
			return fmt.Errorf("role %s: %d peers: must be 1 or more", role.Name, role.Size)
		case slices.ContainsFunc(c.Roles[:i], func(r Role) bool { return r.Name == role.Name }):
			return fmt.Errorf("two roles have the name %s", role.Name)
		}
		size, all = size+int64(role.Size), all.With(i)
	}
	own := c.role(c.Index)
	switch {
	case size != int64(c.Size):
		return fmt.Errorf("%d peers, and those of the roles are %d", c.Size, size)
	case !(c.AfterStarted | c.AfterComplete | c.Success).in(all):
		return errors.New("a role that does not exist")
	case (c.AfterStarted | c.AfterComplete).Has(own):
		return fmt.Errorf("role %s waits for itself", c.Roles[own].Name)
	case (c.AfterStarted|c.AfterComplete) != 0 && !c.Start:
		return errors.New("a role that waits for another needs a barrier at the start")
	case len(c.Until) > 0:
		return errors.New("the rules of a successPolicy are for the indexes of one Job; a group with roles has success roles")
	}
	return nil
}

func (c Config) hasRoles() bool { return len(c.Roles) > 0 }

// isJoint reports whether index 0 decides more for the group than when all may start
// and leave: with a failure policy, and with roles.
func (c Config) isJoint() bool { return c.Policy.Action != EachForItself || c.hasRoles() }

// failsJobs reports whether nobody but rank 0 can tell all Jobs of the group that a peer has
// failed. A Job that fails stops its own Pods, and no other's. And a Job with a success policy
// fails with the code of no command. With success roles, and where the group restarts, rank 0
// stays for other reasons, too.
func (c Config) failsJobs() bool {
	return c.Policy.Action == FailPeerJob && (len(c.Roles) > 1 && c.Success == 0 || len(c.Until) > 0 && c.Size > 1)
}

// role is the place of the role of a peer, 0 without roles.
func (c Config) role(index int32) int {
	for i, role := range c.Roles {
		if index < role.Size {
			return i
		}
		index -= role.Size
	}
	return 0
}

// decides reports whether the group is not done before this peer's command has ended
// with 0.
func (c Config) decides(index int32) bool { return c.Success == 0 || c.Success.Has(c.role(index)) }

// serves reports whether a peer is told to end when the success roles are done.
func (c Config) serves(index int32) bool { return c.hasRoles() && !c.decides(index) }

// Label is what people call a peer: its name in DNS, or with roles its role and its
// index there, such as "worker-2".
func (c Config) Label(index int32) string {
	if !c.hasRoles() {
		return c.Name(index)
	}
	rest := index
	for _, role := range c.Roles {
		if rest < role.Size {
			return fmt.Sprintf("%s-%d", role.Name, rest)
		}
		rest -= role.Size
	}
	return fmt.Sprintf("rank %d", index)
}

// lead is what people call the peer that leads the group.
func (c Config) lead() string {
	if c.hasRoles() {
		return "rank 0, " + c.Label(0)
	}
	return "index 0, " + c.Name(0)
}

// First is what people call index 0, in short.
func (c Config) First() string {
	if c.hasRoles() {
		return "rank 0"
	}
	return "index 0"
}

// names are the names of some roles, for people.
func (c Config) names(set RoleSet) string {
	var names []string
	for i, role := range c.Roles {
		if set.Has(i) {
			names = append(names, role.Name)
		}
	}
	return and(names)
}

// and joins words as in a sentence.
func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// Met says that what the peer's role waits for has come, in words: "data is Complete". It is
// "" for a role that waits for none.
func (c Config) Met() string {
	var parts []string
	for i, role := range c.Roles {
		if c.AfterComplete.Has(i) {
			parts = append(parts, role.Name+" is Complete")
		} else if c.AfterStarted.Has(i) {
			parts = append(parts, role.Name+" has started")
		}
	}
	return and(parts)
}

// deciders names the success roles, for people.
func (c Config) deciders() string {
	if bits.OnesCount16(uint16(c.Success)) == 1 {
		return "in role " + c.names(c.Success)
	}
	return "in the roles " + c.names(c.Success)
}

// leads reports whether index 0 of a Job may lead this peer's group. Each role is a Job of
// its own, so the run of a group is named by the Job of rank 0. A peer stays with the one
// with which it has started.
func (n *Node) leads(job string) bool {
	switch {
	case !n.config.hasRoles(), n.config.role(n.config.Index) == 0:
		return job == n.config.Job
	case n.peer.group != "":
		return job == n.peer.group
	}
	return job != ""
}

// Run is the unique ID of the Job of index 0, as far as the peer knows, for a [Hello].
func (n *Node) Run() string {
	if !n.config.hasRoles() || n.config.role(n.config.Index) == 0 {
		return n.config.Job
	}
	return n.peer.group
}

// Started notes that the command of this attempt runs.
func (n *Node) Started(now time.Duration) {
	p := n.peer
	if p.config.hasRoles() && p.phase == Running && !p.started {
		// Other roles may wait for that.
		p.started, p.confirmed, p.due = true, false, now
	}
}

// MustStay reports whether the peer stays at its end whatever the barrier there says: it leads
// peers that wait for other roles, or the success roles are not done.
func (n *Node) MustStay() bool { return n.peer.mustStay() }

// Tells reports whether the peer stays at its end until every peer has ended, or the Job has
// succeeded, because it tells the others if one fails.
func (n *Node) Tells() bool { return n.config.Index == 0 && n.config.failsJobs() }

// Owed reports whether others wait for the peer's role to be Complete.
func (n *Node) Owed() bool { return n.peer.owed && !n.peer.isComplete() }

// Excused reports whether the peer ends with 0 whatever its command ended with, because the
// success roles are done, or the Job has succeeded.
func (n *Node) Excused() bool { return n.peer.excused }

// rolePeer is what a peer needs for roles.
type rolePeer struct {
	// started says that the command of this attempt runs, or did.
	started bool
	// held says that the time for the start does not run: every peer is there, and the
	// peer's dependencies keep it; or the next attempt can't start yet.
	held bool
	// complete are the roles that are Complete, and completeIn the attempt in which the last of
	// them has become so, as index 0 has said.
	complete   RoleSet
	completeIn int32
	// group is the Job of index 0 with which the peer has started; "" before.
	group string
	// excused says that the command was stopped because the success roles are done, or failed
	// after the Job had succeeded.
	excused bool
	// owed says that others wait for the peer's role to be Complete, and needed, at rank 0,
	// that a peer is held.
	owed, needed bool
}

// isComplete reports whether the role of the peer is Complete, so that its command does
// not run again.
func (p *peer) isComplete() bool { return p.complete.Has(p.config.role(p.config.Index)) }

// obeyComplete does what is left to do for a peer whose role is Complete: it leaves when
// everybody knows that it is. Rank 0 stays, because it leads the group.
func (p *peer) obeyComplete(now time.Duration, reply Reply) {
	p.next = max(p.next, reply.Attempt)
	switch {
	case p.config.Index == 0 && p.phase == Starting:
		p.ended = now
		p.enter(now, Ended)
	case p.config.Index != 0 && reply.Go && reply.Complete.Has(p.config.role(p.config.Index)):
		p.leave(now, RoleComplete)
	}
}

// excuse makes a peer whose end does not count end with 0, because the group has succeeded: one
// that serves, or that fails after the Job has succeeded. The Job looks for Pods that have failed
// before it looks for success.
func (p *peer) excuse() {
	if p.config.serves(p.config.Index) || len(p.config.Until) > 0 && p.fails(p.code) {
		p.code, p.excused = 0, true
	}
}

// lingers reports whether a peer that serves, and has failed by itself, waits whether it
// hears that the success roles are done: whoever serves often fails because those whom it
// served have ended. Where a failure is the group's, index 0 waits: see patient.
func (p *peer) lingers() bool {
	return p.config.Index != 0 && p.config.serves(p.config.Index) && p.code != 0 && !p.terminating && p.verdict.Kind == Open
}

// hold notes whether the time for the start does not run, as index 0 has said. It begins
// after that.
func (p *peer) hold(now time.Duration, held bool) {
	if p.held && !held {
		p.began = now
	}
	p.held = held
}

// mustStay reports whether the peer stays at its end whatever the barrier there says: rank 0
// tells those who wait for other roles, or who serve, or when a peer of another Job fails, and
// must have heard of those whose end decides.
func (p *peer) mustStay() bool {
	return p.needed || p.config.Index == 0 && p.config.failsJobs() || p.owed && !p.isComplete() || p.config.Success != 0 && (p.config.Index == 0 || p.config.decides(p.config.Index))
}

// roleRecord is what index 0 knows of one peer for roles.
type roleRecord struct {
	// run stands for the Job of the process.
	run uint64
	// started says that its command runs, in its attempt, freed that its dependencies keep
	// it no more, and released that it may leave, because its role is Complete.
	started, freed, released bool
	// complete are the roles of which it knows that they are Complete.
	complete RoleSet
	// failedAt is when index 0 heard that its command has failed.
	failedAt time.Duration
}

// roleLeader is what index 0 needs for roles.
type roleLeader struct {
	// afterStarted and afterComplete are for which roles each role waits.
	afterStarted, afterComplete [MaxRoles]RoleSet
	// complete are the roles that are Complete: every command has ended with 0, and others
	// wait for that. It is final. settled are those of which everybody knows that, so that
	// something can follow from it.
	complete, settled RoleSet
	// completeIn is the attempt in which the last of them has become Complete. Commands have run
	// in it, also if those who ran them can't be met any more.
	completeIn int32
	// running are the roles of which every command runs, or has.
	running RoleSet
	// stuck are the roles that wait for each other, and holding says that a peer is held.
	stuck   RoleSet
	holding bool
	// runs stand for the Jobs of the roles in this run, and present for those of the processes
	// that are there; 0 if that is not known. mixed is a role with processes of two Jobs, of
	// which one ends; -1 for none.
	runs, present [MaxRoles]uint64
	mixed         int
	// held says for what each role waits, in words.
	held [MaxRoles]summary
}

// runOf stands for the unique ID of a Job, in a record of fixed size. It is never 0.
func runOf(job string) uint64 {
	sum := sha256.Sum256([]byte(job))
	return binary.BigEndian.Uint64(sum[:]) | 1
}

// isForeign reports whether a process is of another run of the group.
func (l *leader) isForeign(state State) bool {
	c := l.config
	role := c.role(state.Index)
	switch {
	case !c.hasRoles() || role == 0:
		return state.Job != c.Job
	case state.Group != "":
		return state.Group != c.Job
	case l.runs[role] != 0:
		return l.runs[role] != runOf(state.Job)
	}
	if l.records[state.Index].process == state.Process {
		return false // it came before that was known
	}
	// Somebody who comes when all is done, and whom nobody knows, is of the next run. With
	// RestartPeerJob, a peer knows itself whether it is a replacement: see obey.
	return !c.Policy.restarts() && (l.complete.Has(role) || l.verdict.Kind == Succeeded)
}

// learnRole takes what the state of the process of a record says about roles.
func (l *leader) learnRole(index int32, state State) {
	role := l.config.role(index)
	l.learnNeeds(role, state.AfterStarted, state.AfterComplete)
	l.complete |= state.Complete
	l.completeIn = max(l.completeIn, state.CompleteIn)
	r := &l.records[index]
	r.complete |= state.Complete
	if state.Group == l.config.Job && l.runs[role] == 0 {
		l.runs[role] = r.run
	}
}

// learnNeeds takes for which other roles a role waits, as its own peers say.
func (l *leader) learnNeeds(role int, started, complete RoleSet) {
	l.afterStarted[role] |= started
	l.afterComplete[role] |= complete
}

// isComplete reports whether the role of a peer is Complete.
func (l *leader) isComplete(index int32) bool {
	return l.complete != 0 && l.complete.Has(l.config.role(index))
}

// isAtRest reports whether a peer has nothing more to do: its role is Complete, and it runs
// nothing. It is missed like any other until it has left.
func (l *leader) isAtRest(index int32) bool {
	r := &l.records[index]
	return l.isComplete(index) && (!r.known() || r.phase != Running)
}

// isAway reports whether a peer has nothing more to do and is not there any more, as far as
// is known: nobody waits for it, or misses it.
func (l *leader) isAway(index int32) bool {
	r := &l.records[index]
	return l.isComplete(index) && (!r.known() || r.phase == Left)
}

// servedWait is how long the failure of a peer that serves is none of the group's: those whom
// it served may have ended, and that is not known yet.
const servedWait = 500 * time.Millisecond

// patient reports whether index 0 waits until it takes the end of a peer for a failure.
func (l *leader) patient(now time.Duration, index int32) bool {
	return l.config.serves(index) && now < l.records[index].failedAt+servedWait
}

// comeTimeout is how long rank 0 stays, in a group whose Jobs fail together, for a peer that is
// not there: one that has never come, without a barrier at the start, or that has failed without
// failing the group. Its Job may be suspended, or may have failed for another reason.
const comeTimeout = 10 * time.Minute

// awaitsNobody reports whether every peer has ended, or does not come.
func (l *leader) awaitsNobody(now time.Duration) bool {
	for i := range l.records {
		r := &l.records[i]
		if !l.isDone(now, r) && !l.isAway(int32(i)) && (l.fresh(now, r) || now < max(l.born, r.heard)+comeTimeout) {
			return false
		}
	}
	return true
}

// isOwed reports whether others wait for a role to be Complete.
func (l *leader) isOwed(role int) bool {
	needed := RoleSet(0)
	for i := range l.config.Roles {
		needed |= l.afterComplete[i]
	}
	return needed.Has(role) && !l.complete.Has(role)
}

// isFree reports whether the dependencies of a peer do not keep it.
func (l *leader) isFree(index int32) bool {
	if !l.config.hasRoles() {
		return true
	}
	role := l.config.role(index)
	return l.afterStarted[role].in(l.running) && l.afterComplete[role].in(l.settled)
}

// settleRoles finds out how far the roles are.
func (l *leader) settleRoles(now time.Duration) {
	if !l.config.hasRoles() {
		return
	}
	running, ended, resting, known := ^RoleSet(0), ^RoleSet(0), ^RoleSet(0), ^RoleSet(0)
	l.present, l.mixed, l.holding = [MaxRoles]uint64{}, -1, false
	for i := range l.records {
		r, role := &l.records[i], l.config.role(int32(i))
		one := RoleSet(0).With(role)
		isEnded := r.known() && r.phase >= Ended && r.code == 0 && r.attempt == l.attempt && !r.leaseLost && !r.gaveUp
		if !isEnded {
			ended &^= one
		}
		if !isEnded && !(r.known() && r.started && r.attempt == l.attempt) {
			running &^= one
		}
		if r.known() && r.phase == Running {
			resting &^= one
		}
		switch {
		case i == 0 || r.known() && r.phase == Left || !l.config.Policy.restarts() && l.isGone(now, r):
		case r.known():
			known &= r.complete
		case !l.complete.Has(role):
			known = 0 // who comes may be one who knows nothing
		}
		l.holding = l.holding || r.phase == Starting && r.granted && !l.isFree(int32(i))
		if r.known() && r.phase != Left {
			if l.present[role] != 0 && l.present[role] != r.run {
				l.mixed = role
			}
			l.present[role] = r.run
		}
	}
	needed, every := RoleSet(0), RoleSet(0)
	for i := range l.config.Roles {
		needed |= l.afterComplete[i]
		every = every.With(i)
	}
	if l.verdict.Kind == Open && !l.deposed {
		if fresh := needed & ended &^ l.complete; fresh != 0 {
			l.complete |= fresh
			l.completeIn = l.attempt
			for i, role := range l.config.Roles {
				if fresh.Has(i) {
					l.say("role %s is Complete", role.Name)
				}
			}
			l.tell()
		}
	}
	l.running = (running | l.complete) & every
	l.settled = l.complete & known & resting
	can := RoleSet(0)
	for range l.config.Roles {
		for i := range l.config.Roles {
			if (l.afterStarted[i] | l.afterComplete[i]).in(can) {
				can = can.With(i)
			}
		}
	}
	l.stuck = every &^ can
}

// free wants those to be called who may start or leave now that roles have come so far.
func (l *leader) free() {
	if !l.config.hasRoles() {
		return
	}
	if l.open {
		for i := range l.config.Roles {
			if l.runs[i] == 0 {
				l.runs[i] = l.present[i]
			}
		}
	}
	for i := range l.records {
		r := &l.records[i]
		switch {
		case !r.released && i > 0 && r.known() && r.phase != Running && r.phase != Left && l.settled.Has(l.config.role(int32(i))):
			r.released, r.wanted = true, true
		case r.granted && !r.freed && r.phase == Starting && l.isFree(int32(i)):
			r.freed, r.wanted = true, true
		}
	}
}

// heldBy says for which other roles a peer waits, in words.
func (l *leader) heldBy(now time.Duration, index int32) string {
	role := l.config.role(index)
	s := &l.held[role]
	if now < s.due {
		return s.said
	}
	var parts []string
	for i, other := range l.config.Roles {
		what := ""
		var isMissing func(*record) bool
		switch {
		case l.afterComplete[role].Has(i) && !l.settled.Has(i):
			what = "to be Complete"
			isMissing = func(r *record) bool { return !r.known() || r.phase < Ended || r.code != 0 }
		case l.afterStarted[role].Has(i) && !l.running.Has(i):
			what = "to start"
			isMissing = func(r *record) bool { return !r.started }
		default:
			continue
		}
		text := fmt.Sprintf("role %s %s", other.Name, what)
		var missing []string
		more := 0
		for peer := range l.records {
			if l.config.role(int32(peer)) != i || l.isAtRest(int32(peer)) || !isMissing(&l.records[peer]) {
				continue
			}
			if len(missing) < shownPeers/2 {
				missing = append(missing, fmt.Sprintf("%s (%s)", l.config.Label(int32(peer)), l.state(now, int32(peer))))
			} else {
				more++
			}
		}
		if len(missing) > 0 {
			text += ": " + strings.Join(missing, ", ")
		}
		if more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		parts = append(parts, text)
	}
	if both := l.stuck; both.Has(role) && bits.OnesCount16(uint16(both)) > 1 {
		parts = append(parts, fmt.Sprintf("the roles %s wait for each other", l.config.names(both)))
	}
	s.due, s.said = now+summaryAge, Printable(strings.Join(parts, "; "), maxText)
	return s.said
}
