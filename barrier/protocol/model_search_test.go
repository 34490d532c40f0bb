// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// budget is what may go wrong.
type budget struct {
	// failures are commands that end with 3, and processes that are killed; disruptions
	// are Pods that are told to end from outside.
	failures, disruptions int
	// lost are Pods on the lost side of a partition that are replaced while they run.
	lost, partitions int
	// slow are processes whose messages are held for some seconds, losses replies that
	// are lost.
	slow, losses int
	// strangers are names under which a stranger answers from then on, besides the
	// peer and before it. Nobody is killed or told to end then.
	strangers int
}

func (b budget) total() int {
	return b.failures + b.disruptions + b.lost + b.partitions + b.slow + b.losses + b.strangers
}

func (b budget) String() string {
	var parts []string
	for _, part := range []struct {
		count int
		what  string
	}{{b.failures, "failures"}, {b.disruptions, "disruptions"}, {b.lost, "lost Pods"}, {b.partitions, "partitions"}, {b.slow, "slow"}, {b.losses, "lost replies"}, {b.strangers, "strangers"}} {
		if part.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.count, part.what))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// choice is one thing that can go wrong now.
type choice struct {
	name string
	do   func(*model)
	left budget
}

// choices are the things that can go wrong now.
func (m *model) choices(b budget) (all []choice) {
	size := m.config.Size
	add := func(left budget, name string, do func(*model)) { all = append(all, choice{name, do, left}) }
	for _, p := range m.procs {
		id := p.id
		if !p.alive {
			continue
		}
		if b.failures > 0 {
			left := b
			left.failures--
			if p.command != 0 && !p.stops {
				add(left, fmt.Sprintf("%d/%d exits with 3", p.index, id), func(m *model) { m.end(m.byID(id), 3) })
			}
			add(left, fmt.Sprintf("%d/%d is killed", p.index, id), func(m *model) { m.kill(m.byID(id)) })
		}
		if b.disruptions > 0 && !p.lost && p.side == 0 && !p.node.peer.terminating {
			left := b
			left.disruptions--
			add(left, fmt.Sprintf("%d/%d is told to end", p.index, id), func(m *model) {
				m.disruptions++
				m.terminate(m.byID(id))
			})
		}
		if b.lost > 0 && m.partition && p.side == 1 && !p.lost && !m.jobFailed {
			left := b
			left.lost--
			add(left, fmt.Sprintf("%d/%d is lost", p.index, id), func(m *model) {
				p := m.byID(id)
				p.lost = true
				p.replaceAt = m.now + time.Second
			})
		}
		if b.slow > 0 && p.slow <= m.now {
			left := b
			left.slow--
			add(left, fmt.Sprintf("%d/%d is slow", p.index, id), func(m *model) { m.byID(id).slow = m.now + CallTimeout })
		}
		if b.losses > 0 && p.report != nil {
			left := b
			left.losses--
			add(left, fmt.Sprintf("a reply to %d/%d is lost", p.index, id), func(m *model) { m.exchange(m.byID(id), true) })
		}
	}
	for index := range size {
		if b.strangers > 0 && !m.strange[index] && m.met(index) {
			left := b
			left.strangers--
			add(left, fmt.Sprintf("a stranger answers as index %d", index), func(m *model) { m.strange[index] = true })
		}
	}
	if m.partition {
		add(b, "heal", func(m *model) { m.partition = false })
	} else if b.partitions > 0 {
		left := b
		left.partitions--
		for mask := 1; mask < 1<<size-1; mask++ {
			add(left, fmt.Sprintf("partition %b", mask), func(m *model) {
				m.partition = true
				for _, p := range m.procs {
					p.side = 0
					if mask&(1<<p.index) != 0 {
						p.side = 1
					}
				}
			})
		}
	}
	return all
}

// met reports whether all who need to know the process of an index do.
func (m *model) met(index int32) bool {
	if p := m.current(index); !p.alive {
		return false
	}
	known := m.current(index).node.process
	if index > 0 {
		return m.current(0).node.Process(index) == known
	}
	for _, p := range m.procs {
		if p.alive && p.index > 0 && p.node.Leader() != known {
			return false
		}
	}
	return true
}

// proceed lets the group go on until its abstract state is another, or for a while.
// It reports whether there is anything left to do.
func (m *model) proceed(last bool, most time.Duration) bool {
	before, end := m.abstract(), m.now+most
	for m.broken == "" && m.now < end {
		if m.ended() {
			return false
		}
		if p := m.pending(last); p != nil {
			m.exchange(p, false)
		} else {
			m.advance(end)
		}
		if m.abstract() != before {
			return true
		}
	}
	return true
}

// search tries all choices in a budget.
type search struct {
	seen   map[uint64]struct{}
	seed   maphash.Seed
	states int
	runs   int
	most   int
	limit  int
}

// coarse is how exactly a search tells times apart: what differs by less is the same
// state.
const coarse = 2 * time.Second

// key tells states apart.
func (s *search) key(m *model, b budget) uint64 {
	c := make(code, 0, 256)
	ago := func(times ...time.Duration) {
		for _, t := range times {
			c.number(int64((t - m.now) / coarse))
		}
	}
	left := func(times ...time.Duration) {
		for _, t := range times {
			c.number(int64(max(t-m.now, 0) / time.Second))
		}
	}
	c.number(int64(b.failures), int64(b.disruptions), int64(b.lost), int64(b.partitions), int64(b.slow), int64(b.losses), int64(b.strangers))
	for _, p := range m.procs {
		left(p.replaceAt, p.slow)
		if !p.alive {
			continue
		}
		q := p.node.peer
		ago(p.until, p.killed, q.contact, q.spoke, q.spokeFormer)
		c.number(int64(q.restarts), int64(q.next))
		c.truth(p.report != nil, p.anew)
		if l := p.node.leader; l != nil {
			left(l.notBefore, l.stops)
			c.number(int64(l.restarts))
			left(l.judged)
			for i := range l.records {
				ago(l.records[i].heard, l.records[i].since)
				c.number(int64(l.records[i].gave))
				c.truth(l.records[i].survivor, l.records[i].verdict, l.records[i].leaseLost)
			}
		}
	}
	var h maphash.Hash
	h.SetSeed(s.seed)
	h.WriteString(m.abstract())
	h.Write(c)
	return h.Sum64()
}

// settled reports whether a group that settles has been there before.
func (s *search) settled(m *model) bool {
	key := s.key(m, budget{failures: -1})
	if _, found := s.seen[key]; found {
		return true
	}
	s.seen[key] = struct{}{}
	return false
}

// explore returns a model that is broken, or nil.
func (s *search) explore(m *model, b budget, depth int) *model {
	if m.broken != "" {
		return m
	}
	if s.states >= s.limit {
		return nil
	}
	key := s.key(m, b)
	if _, found := s.seen[key]; found {
		return nil
	}
	s.seen[key] = struct{}{}
	s.states++
	s.most = max(s.most, depth)
	if b.total() == 0 || m.now > modelHorizon {
		// Nothing more goes wrong: everybody must come to an end.
		end := m.clone()
		s.runs++
		if end.settle(modelSettle, s.settled); end.broken != "" {
			return end
		}
		if m.partition && m.now > modelHorizon {
			worn := m.clone()
			s.runs++
			worn.wear()
			if worn.settle(modelSettle, s.settled); worn.broken != "" {
				return worn
			}
		}
		if b.total() == 0 && !m.partition || m.now > modelHorizon {
			return nil
		}
	}
	for _, c := range m.choices(b) {
		next := m.clone()
		next.say("choice: %s", c.name)
		next.path = append(next.path, c.name)
		c.do(next)
		if broken := s.explore(next, c.left, depth+1); broken != nil {
			return broken
		}
	}
	next := m.clone()
	next.path = append(next.path, fmt.Sprint(depth%2 == 1))
	if next.proceed(depth%2 == 1, 4*time.Second) || next.broken != "" {
		return s.explore(next, b, depth+1)
	}
	end := m.clone()
	s.runs++
	if end.settle(modelSettle, s.settled); end.broken != "" {
		return end
	}
	return nil
}

func modelConfig(size int32) Config {
	return Config{
		Job: "uid", Size: size, Start: true, End: true, StartTimeout: 2 * time.Minute, Name: func(i int32) string { return fmt.Sprintf("p%d", i) },
		Policy: Policy{Action: RestartPeerJob, MaxRestarts: 1, Backoff: time.Second, Grace: 2 * time.Second},
	}
}

// modelRuns are the searches: the peers, and what may go wrong.
var modelRuns = []struct {
	size   int32
	budget budget
	level  int
}{
	{2, budget{failures: 1}, 0},
	{2, budget{failures: 2}, 0},
	{2, budget{partitions: 1}, 0},
	{2, budget{lost: 1, partitions: 1}, 0},
	{2, budget{failures: 1, disruptions: 1}, 0},
	{3, budget{failures: 1}, 0},
	{3, budget{disruptions: 1}, 0},
	{3, budget{lost: 1, partitions: 1}, 1},
	{3, budget{failures: 2}, 1},
	{2, budget{slow: 2, strangers: 1}, 0},
	{2, budget{slow: 1, losses: 1, strangers: 2}, 0},
	{3, budget{slow: 1, losses: 1, strangers: 1}, 0},
	{2, budget{failures: 1, lost: 1, partitions: 1}, 2},
	{2, budget{failures: 2, lost: 1, partitions: 1}, 2},
	{2, budget{failures: 1, slow: 1, losses: 1}, 2},
	{3, budget{failures: 1, lost: 1, partitions: 1}, 2},
	{3, budget{failures: 2, lost: 1, partitions: 1}, 2},
}

// modelLevel is how much is searched: 0 in every run of the tests, 1 to find the
// seeded mistakes, 2 by hand.
func modelLevel() int {
	level, _ := strconv.Atoi(os.Getenv("PEERJOB_MODEL")) // nothing is 0
	return level
}

// TestModel searches all histories of two and three peers in which little goes wrong.
// Never two attempts at once; one verdict; and nobody waits forever.
func TestModel(t *testing.T) {
	for _, run := range modelRuns {
		if run.level > modelLevel() {
			continue
		}
		t.Run(fmt.Sprintf("%d peers, %s", run.size, run.budget), func(t *testing.T) {
			searchAll(t, newModel(modelConfig(run.size)), run.budget)
		})
	}
}

// roleGroup is a group with roles whose histories are searched.
type roleGroup struct {
	name    string
	roles   []Role
	waits   []roleWaits
	success RoleSet
}

var roleGroups = []roleGroup{
	{"a role that waits for one that is Complete", []Role{{"lead", 1}, {"data", 1}, {"train", 1}}, []roleWaits{{}, {}, {complete: 1 << 1}}, 0},
	{"a leader that is Complete", []Role{{"data", 1}, {"train", 1}}, []roleWaits{{}, {complete: 1 << 0}}, 0},
	{"a launcher, and a worker that serves", []Role{{"launcher", 1}, {"worker", 1}}, []roleWaits{{}, {started: 1 << 0}}, 1 << 0},
	{"a worker that serves and leads", []Role{{"worker", 1}, {"launcher", 1}}, []roleWaits{{}, {started: 1 << 0}}, 1 << 1},
	{"all of that", []Role{{"worker", 1}, {"data", 1}, {"launcher", 1}}, []roleWaits{{complete: 1 << 1}, {}, {started: 1 << 0, complete: 1 << 1}}, 1 << 2},
}

// model is the group, in which nothing has happened yet, with so many restarts.
func (g roleGroup) model(restarts int32) *model {
	size := int32(0)
	for _, role := range g.roles {
		size += role.Size
	}
	config := modelConfig(size)
	config.Roles, config.Success, config.Policy.MaxRestarts = g.roles, g.success, restarts
	return newModel(config, g.waits...)
}

// TestModel_roles searches all histories of groups with roles. A role starts when those for
// which it waits have come so far, one that is Complete never runs again, and who serves
// ends with 0 when the others are done.
func TestModel_roles(t *testing.T) {
	for _, g := range roleGroups {
		for _, run := range []struct {
			budget budget
			level  int
		}{
			{budget{}, 0},
			{budget{failures: 1}, 0},
			{budget{disruptions: 1}, 0},
			{budget{slow: 1, losses: 1}, 1},
			{budget{lost: 1, partitions: 1}, len(g.roles) - 1}, // 2 with three roles
			{budget{failures: 2}, 2},
			{budget{failures: 1, lost: 1, partitions: 1}, 2},
		} {
			if run.level > modelLevel() {
				continue
			}
			t.Run(fmt.Sprintf("%s, %s", g.name, run.budget), func(t *testing.T) {
				searchAll(t, g.model(1), run.budget)
			})
		}
	}
}

// searchAll searches all histories of a group in which so much goes wrong.
func searchAll(t *testing.T, m *model, b budget) {
	t.Helper()
	began := time.Now()
	s := &search{seen: map[uint64]struct{}{}, seed: maphash.MakeSeed(), limit: mostStates}
	broken := s.explore(m, b, 0)
	t.Logf("%d states, %d runs to the end, %d steps at most, %.1f s", s.states, s.runs, s.most, time.Since(began).Seconds())
	if s.states >= s.limit {
		t.Logf("stopped after %d states: the search is not exhaustive", s.limit)
	}
	if broken != nil {
		t.Fatalf("violated: %s\n%s", broken.broken, strings.Join(broken.log, "\n"))
	}
}

// mostStates is how many states a search looks at, so that it ends.
const mostStates = 10_000_000

// TestModel_random follows random histories in which much goes wrong.
func TestModel_random(t *testing.T) {
	runs := []int{100, 1000, 20000}[min(modelLevel(), 2)]
	ends := map[string]int{}
	for seed := range uint64(runs) {
		random := rand.New(rand.NewPCG(seed, 1))
		config := modelConfig(2 + int32(random.IntN(3)))
		config.Policy.MaxRestarts = 5 // for the Pods that replace others
		m := newModel(config)
		if seed%2 == 1 {
			g := roleGroups[random.IntN(len(roleGroups))]
			g.roles = slices.Clone(g.roles)
			for i := range g.roles {
				g.roles[i].Size = 1 + random.Int32N(2)
			}
			m = g.model(5)
		}
		b := budget{failures: random.IntN(4), disruptions: random.IntN(2), lost: 1, partitions: random.IntN(2), slow: random.IntN(4), losses: random.IntN(4)}
		for m.broken == "" && m.now < modelHorizon {
			if all := m.choices(b); len(all) > 0 && random.IntN(12) == 0 {
				c := all[random.IntN(len(all))]
				m.say("choice: %s", c.name)
				c.do(m)
				b = c.left
			}
			if !m.proceed(random.IntN(2) == 0, time.Duration(1+random.IntN(8))*time.Second) {
				break
			}
		}
		if m.broken == "" {
			m.settle(modelSettle, func(*model) bool { return false })
		}
		if m.broken != "" {
			t.Fatalf("seed %d: violated: %s\n%s", seed, m.broken, strings.Join(m.log, "\n"))
		}
		ends[fmt.Sprintf("succeeded %v, failed %v, attempt %d", m.succeeded, m.failed, m.highest)]++
	}
	t.Logf("%d histories: %v", runs, ends)
}
