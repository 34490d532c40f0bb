// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"time"
)

// coarse is how exactly a search tells times apart, if it is not told otherwise: what differs
// by less is the same state.
const coarse = 2 * time.Second

// keyer makes the keys of states. Two states with one key are the same to a search, which
// looks at what follows from one of them only.
//
// A key has what the peers, index 0 and the oracle remember that anything can still depend
// on, and leaves out the rest:
//
//   - Moments count as how long ago they were, or are to come, and not when. One that is
//     too long ago to matter counts as just so long ago.
//   - What nothing reads in a phase does not count: when a lease ends of a command that
//     does not run, or what index 0 last heard of a peer that has left.
//   - Processes are named by their index, and by who of it came first, among those who are
//     there or are remembered by somebody who is. How many there were before does not count.
//   - Peers of one role other than index 0 are the same to the protocol. Two states that are
//     one but for an exchange of such peers are the same. Whose message comes first is tried
//     both ways, also of the calls that index 0 makes in one tick. One thing is left that tells
//     such peers apart: of two that have failed when index 0 looks, the lower index is named. The
//     history in which it is the other one is that in which it failed a tick earlier, which
//     is less than coarse.
//
// All that is sound but for the moments: a history can be missed that differs from one that is
// followed by less than coarse. When the next report is due, how often one has failed in a row, and what is only for people
// does not count either.
type keyer struct {
	// exact counts what nothing reads, forgets no process and takes no peers for the same: for a
	// test that compares searches.
	exact bool
	// coarse is how exactly times are told apart.
	coarse time.Duration
	buffer []byte
	names  [256]byte
	marked [256]bool
}

// key is a hash of 64 bits of what tells a state apart. If it were random, two of n states
// would have one with a probability of n² / 2⁶⁵: less than 1 in 10,000 for 50 million.
func (k *keyer) key(m *model, b budget, mode byte) uint64 {
	least := uint64(0)
	m.eachOrder(!k.exact, func(order []int32) {
		k.buffer = k.buffer[:0]
		k.write(m, b, mode, order)
		if h := hashOf(k.buffer); least == 0 || h < least {
			least = h
		}
	})
	return max(least, 1)
}

// eachOrder calls a function with every order of the peers that leaves the state what it is: the
// place of each index.
func (m *model) eachOrder(all bool, do func([]int32)) {
	var identity [8]int32
	order := identity[:m.config.Size]
	for i := range order {
		order[i] = int32(i)
	}
	do(order)
	if !all {
		return
	}
	for i := int32(1); i < m.config.Size; i++ {
		for j := i + 1; j < m.config.Size; j++ {
			if m.config.role(i) != m.config.role(j) {
				continue
			}
			// Three peers have one exchange. Of more, the exchanges of two are enough to find
			// most of what is the same.
			order[i], order[j] = j, i
			do(order)
			order[i], order[j] = i, j
		}
	}
}

// hashOf folds eight bytes at a time in products of 128 bits.
func hashOf(data []byte) uint64 {
	const one, two = 0xa0761d6478bd642f, 0xe7037ed1a0b428db
	h := uint64(len(data)) ^ one
	for len(data) >= 8 {
		high, low := bits.Mul64(binary.LittleEndian.Uint64(data)^two, h)
		h = high ^ low ^ one
		data = data[8:]
	}
	var rest [8]byte
	copy(rest[:], data)
	high, low := bits.Mul64(binary.LittleEndian.Uint64(rest[:])^two, h^one)
	high, low = bits.Mul64(high^low^two, one)
	return high ^ low
}

func (k *keyer) number(numbers ...int32) {
	for _, n := range numbers {
		if n < 0 || n > 0x7f {
			k.buffer = append(k.buffer, 0x80|byte(n)&0x7f, byte(n>>7), byte(n>>15))
			continue
		}
		k.buffer = append(k.buffer, byte(n))
	}
}

func (k *keyer) truths(truths ...bool) {
	n := byte(0)
	for i, t := range truths {
		if t {
			n |= 1 << (i & 7)
		}
		if i&7 == 7 {
			k.buffer, n = append(k.buffer, n), 0
		}
	}
	k.buffer = append(k.buffer, n)
}

// ago writes how long ago something was, up to what matters.
func (k *keyer) ago(now, t, most time.Duration) {
	if k.exact {
		most = time.Hour
	}
	k.number(int32(min(max(now-t, 0), most) / k.coarse))
}

// left writes how long something is away.
func (k *keyer) left(now, t time.Duration) {
	if t == never {
		k.number(0x7f)
		return
	}
	k.number(int32((max(t-now, 0) + k.coarse - 1) / k.coarse))
}

// when writes what matters only sometimes.
func (k *keyer) when(matters bool, write func()) {
	if matters || k.exact {
		write()
		return
	}
	k.number(0)
}

func (k *keyer) mark(p Process) { k.marked[p[0]] = p[1] == 0 }

// name writes who a process is.
func (k *keyer) name(p Process) {
	n := k.names[p[0]]
	if p[1] != 0 {
		n = 0xff // a stranger
	}
	k.buffer = append(k.buffer, n)
}

// remember finds the names of the processes.
func (k *keyer) remember(m *model, order []int32) {
	k.marked = [256]bool{}
	for _, p := range m.procs {
		if !p.alive {
			k.marked[byte(p.id)] = k.marked[byte(p.id)] || k.exact || p.replaceAt > 0
			continue
		}
		k.marked[byte(p.id)] = true
		k.mark(p.node.peer.leader)
		k.mark(p.node.peer.elected)
		if l := p.node.leader; l != nil {
			for i := range l.records {
				k.mark(l.records[i].process)
				if l.records[i].survivor {
					k.mark(l.records[i].formerLeader())
				}
			}
		}
	}
	var count [8]byte
	k.names = [256]byte{}
	for _, p := range m.procs {
		if k.marked[byte(p.id)] {
			place := order[p.index]
			count[place]++
			k.names[byte(p.id)] = byte(place)<<4 | count[place]
		}
	}
}

// write writes what tells a state apart.
func (k *keyer) write(m *model, b budget, mode byte, order []int32) {
	k.remember(m, order)
	k.buffer = append(k.buffer, mode)
	k.number(int32(b.failures), int32(b.disruptions), int32(b.lost), int32(b.partitions), int32(b.slow), int32(b.losses), int32(b.strangers), int32(b.quits))
	k.oracle(m, order)
	for place := range m.config.Size {
		index := int32(slices.Index(order, place))
		for _, p := range m.procs {
			if p.index == index && (k.exact || p.alive || p.replaceAt > 0) {
				k.proc(m, p, mode, order)
			}
		}
		k.number(0x7e)
	}
}

// oracle writes what the model knows itself.
func (k *keyer) oracle(m *model, order []int32) {
	alive := func(id int) bool { p := m.byID(id); return p.alive && !p.lost }
	some := func(ids []int) {
		n := 0
		for _, id := range ids {
			if k.exact || alive(id) {
				n += 1 << (k.names[byte(id)] & 0x0f)
			}
		}
		k.number(int32(n))
	}
	places := func(has func(i int32) bool) {
		n := int32(0)
		for i := range m.config.Size {
			if has(i) {
				n |= 1 << order[i]
			}
		}
		k.number(n)
	}
	k.truths(m.partition, m.succeeded, m.failed, m.complete, m.witnesses == nil, m.long, m.unheard, m.cut && m.config.Policy.Action == FailPeerJob)
	k.number(int32(m.jobsFailed), m.highest, min(m.config.Policy.MaxRestarts+int32(m.disruptions)-m.spent, 9), int32(bits.OnesCount64(m.opened)))
	places(func(i int32) bool { return m.strange[i] })
	places(func(i int32) bool { return slices.Contains(m.ran, i) })
	places(func(i int32) bool {
		return slices.ContainsFunc(m.procs, func(p *proc) bool { return p.index == i && !p.alive && p.complete })
	})
	k.truths(slices.ContainsFunc(m.runners, alive))
	for _, ids := range [][]int{m.started, m.witnesses} {
		places(func(i int32) bool {
			return slices.ContainsFunc(ids, func(id int) bool { return m.byID(id).index == i && alive(id) })
		})
		some(ids)
	}
	if !m.config.hasRoles() {
		return
	}
	k.number(int32(m.final))
	places(func(i int32) bool { return m.zero[i] })
	places(func(i int32) bool {
		return slices.ContainsFunc(m.procs, func(p *proc) bool { return p.index == i && !p.alive && p.roleComplete })
	})
	for place := range m.config.Size {
		i := slices.Index(order, place)
		k.number(m.begun[i], int32(m.zeros[i]))
	}
	for role := range m.config.Roles {
		some(m.knew[role])
	}
}

// matters is how long ago something can have been and still matter: a lease of those who got
// theirs from a process that got its own then, and the time to stop.
func matters(size int32, grace time.Duration) time.Duration {
	return 2*margin(Lease(size)) + grace + coarse
}

// proc writes what a process remembers.
func (k *keyer) proc(m *model, p *proc, mode byte, order []int32) {
	now, most := m.now, matters(m.config.Size, m.config.Policy.Grace)
	if !p.alive {
		k.number(0x7d)
		k.left(now, p.replaceAt)
		return
	}
	q := p.node.peer
	k.name(p.node.process)
	k.truths(p.lost, p.stops, p.report != nil, p.anew, q.leaseLost, q.terminating, q.held, q.started,
		q.missed, q.witnessed, q.electedEnds, q.leaderEnds, q.stopping, q.owed, q.needed, q.excused, len(q.former) > 0, p.pinned >= 0, p.node.config.Policy.Replacement)
	k.number(p.command, q.attempt, q.next, q.restarts, int32(q.phase), int32(q.verdict.Kind), q.code, int32(q.complete), q.completeIn)
	k.when(m.partition, func() { k.number(int32(p.side)) })
	k.when(q.verdict.Kind == Failed, func() { k.number(order[q.verdict.Index], q.verdict.Code, q.verdict.Attempt) })
	if p.pinned >= 0 {
		k.name(m.byID(p.pinned).node.process)
	}
	calls := 0
	for _, i := range p.calls {
		calls |= 1 << order[i]
	}
	k.number(int32(calls))
	found := 0
	for _, id := range p.found {
		if other := m.byID(id); p.command == 0 && other.alive && other.command != 0 {
			found |= 1 << (k.names[byte(id)] & 0x0f)
		}
	}
	k.number(int32(found))
	k.name(q.leader)
	k.name(q.elected)
	former := 0
	for _, process := range q.former {
		if k.exact || m.byID(int(process[0])).alive {
			former |= 1 << (k.names[process[0]] & 0x0f)
		}
	}
	k.number(int32(former))
	k.when(p.replaceAt > 0, func() { k.left(now, p.replaceAt) })
	k.when(p.reapAt > 0, func() { k.left(now, p.reapAt) })
	k.when(p.slow > now, func() { k.left(now, p.slow) })
	k.when(p.command != 0 && !p.stops, func() { k.left(now, p.until) })
	k.when(p.command != 0 && p.stops, func() { k.left(now, p.killed) })
	k.when(q.phase == Running && p.index != 0, func() { k.ago(now, q.contact, Lease(m.config.Size)) })
	k.when(p.index != 0, func() { k.ago(now, q.spoke, most) })
	k.when(p.index != 0 && len(q.former) > 0, func() { k.ago(now, q.spokeFormer, most) })
	if mode == wearing {
		// Only after a long time does it matter how long somebody still waits.
		k.number(int32(min(max(q.startDeadline()-now, 0), modelWear)/(4*k.coarse)), int32(min(now-q.heard, modelWear)/(4*k.coarse)))
	}
	if l := p.node.leader; l != nil {
		k.leader(m, l, mode, order)
	}
}

// leader writes what an index 0 remembers.
func (k *keyer) leader(m *model, l *leader, mode byte, order []int32) {
	now, most := m.now, matters(m.config.Size, m.config.Policy.Grace)
	k.truths(l.deposed, l.open, l.over, l.gaveUp, l.replacement, l.paused, l.cause != nil, l.doomed.Kind != Open, l.dismissed > 0)
	k.number(l.attempt, l.opened, l.restarts, int32(l.verdict.Kind), l.survivors, int32(l.complete), l.completeIn, int32(l.settled), int32(l.running), int32(l.mixed))
	k.when(l.verdict.Kind == Failed, func() { k.number(order[l.verdict.Index], l.verdict.Code, l.verdict.Attempt) })
	if l.cause != nil {
		k.number(order[l.cause.index], l.cause.code)
		k.truths(l.cause.disruption)
	}
	k.left(now, l.notBefore)
	k.left(now, l.stops)
	k.when(mode == wearing, func() { k.number(int32(min(now-l.unopened, modelWear) / (4 * k.coarse))) })
	k.when(l.replacement, func() { k.ago(now, l.born, most) })
	k.when(l.verdict.Kind == Failed, func() { k.ago(now, l.judged, farewell) })
	for place := range m.config.Size {
		i := slices.Index(order, place)
		r := &l.records[i]
		k.name(r.process)
		if !r.known() && !k.exact {
			continue
		}
		k.number(r.attempt, int32(r.phase), int32(r.code), r.gave, int32(r.complete))
		k.truths(r.granted, r.mine, r.started, r.survivor, r.verdict, r.leaseLost, r.terminating, r.gaveUp,
			r.lost, r.bidden, r.freed, r.released, r.wanted)
		k.when(r.phase != Left || !l.hasStopped(r), func() { k.ago(now, r.heard, l.wait()) })
		k.when(r.survivor, func() {
			k.name(r.formerLeader())
			k.ago(now, r.since, most)
		})
	}
}

// formerLeader is the beginning of the process that a peer followed last.
func (r *record) formerLeader() (p Process) {
	binary.BigEndian.PutUint64(p[:], r.followed)
	return p
}

// seen is a set of keys.
type seen struct {
	slots []uint64
	count int
}

// add reports whether a key is new.
func (s *seen) add(key uint64) bool {
	if 4*s.count >= 3*len(s.slots) {
		old := s.slots
		s.slots, s.count = make([]uint64, max(1<<12, 2*len(old))), 0
		for _, k := range old {
			if k != 0 {
				s.add(k)
			}
		}
	}
	for i := key & uint64(len(s.slots)-1); ; i = (i + 1) & uint64(len(s.slots)-1) {
		switch s.slots[i] {
		case key:
			return false
		case 0:
			s.slots[i] = key
			s.count++
			return true
		}
	}
}

// mix folds a number into a hash.
func mix(h, n uint64) uint64 {
	high, low := bits.Mul64(n^0xe7037ed1a0b428db, h^0xa0761d6478bd642f)
	return high ^ low
}

// bit is a truth at a place of a number.
func bit(t bool, place int) uint64 {
	if t {
		return 1 << place
	}
	return 0
}
