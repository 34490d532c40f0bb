// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
	// quits are commands that serve, and end with 0 by themselves.
	quits int
}

func (b budget) total() int {
	return b.failures + b.disruptions + b.lost + b.partitions + b.slow + b.losses + b.strangers + b.quits
}

func (b budget) String() string {
	var parts []string
	for _, part := range []struct {
		count int
		what  string
	}{{b.failures, "failures"}, {b.disruptions, "disruptions"}, {b.lost, "lost Pods"}, {b.partitions, "partitions"}, {b.slow, "slow"}, {b.losses, "lost replies"}, {b.strangers, "strangers"}, {b.quits, "quits"}} {
		if part.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.count, part.what))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// fault is one kind of thing that can go wrong.
type fault uint8

const (
	fails fault = iota
	quits
	killed
	disrupted
	lost
	slowed
	replyLost
	contested
	healed
	parted
)

// choice is one thing that can go wrong now: to a process, an index, or the peers of a mask.
type choice struct {
	fault fault
	who   int
	left  budget
}

// do makes it go wrong.
func (m *model) do(c choice) {
	var p *proc
	if c.fault < contested {
		p = m.byID(c.who)
	}
	m.cut = m.cut || slices.Contains([]fault{slowed, replyLost, parted}, c.fault)
	name := func(format string) { m.say("choice: "+format, p.index, p.id) }
	switch c.fault {
	case fails:
		name("%d/%d exits with 3")
		m.end(p, 3)
	case quits:
		name("%d/%d exits with 0")
		m.end(p, 0)
	case killed:
		name("%d/%d is killed")
		m.kill(p)
	case disrupted:
		name("%d/%d is told to end")
		m.disruptions++
		m.terminate(p)
	case lost:
		name("%d/%d is lost")
		p.lost = true
		p.replaceAt = m.now + time.Second
	case slowed:
		name("%d/%d is slow")
		p.slow = m.now + CallTimeout
	case replyLost:
		name("a reply to %d/%d is lost")
		m.exchange(p, true, false)
	case contested:
		m.say("choice: a stranger answers as index %d", c.who)
		m.strange[c.who] = true
	case healed:
		m.say("choice: heal")
		m.heal()
	case parted:
		m.say("choice: partition %b", c.who)
		m.partition, m.parted = true, m.now
		for _, p := range m.procs {
			p.side = 0
			if c.who&(1<<p.index) != 0 {
				p.side = 1
			}
		}
	}
}

// choices are the things that can go wrong now.
func (m *model) choices(b budget) (all []choice) {
	size := m.config.Size
	add := func(left budget, fault fault, who int) { all = append(all, choice{fault, who, left}) }
	for _, p := range m.procs {
		if !p.alive {
			continue
		}
		if b.failures > 0 {
			left := b
			left.failures--
			if p.command != 0 && !p.stops {
				add(left, fails, p.id)
			}
			add(left, killed, p.id)
		}
		if b.quits > 0 && p.command != 0 && !p.stops && p.until == never {
			left := b
			left.quits--
			add(left, quits, p.id)
		}
		if b.disruptions > 0 && !p.lost && p.side == 0 && !p.node.peer.terminating {
			left := b
			left.disruptions--
			add(left, disrupted, p.id)
		}
		if b.lost > 0 && m.partition && p.side == 1 && !p.lost && !m.jobsFailed.Has(m.config.role(p.index)) {
			left := b
			left.lost--
			add(left, lost, p.id)
		}
		if b.slow > 0 && p.slow <= m.now {
			left := b
			left.slow--
			add(left, slowed, p.id)
		}
		if b.losses > 0 && p.report != nil {
			left := b
			left.losses--
			add(left, replyLost, p.id)
		}
	}
	for index := range size {
		if b.strangers > 0 && !m.strange[index] && m.met(index) {
			left := b
			left.strangers--
			add(left, contested, int(index))
		}
	}
	if m.partition {
		add(b, healed, 0)
	} else if b.partitions > 0 {
		left := b
		left.partitions--
		for mask := 1; mask < 1<<size-1; mask++ {
			add(left, parted, mask)
		}
	}
	for i := range all {
		all[i].left = all[i].left.within(m.partition && all[i].fault != healed || all[i].fault == parted)
	}
	return all
}

// within is what can still go wrong of a budget: no Pod is lost without a partition. So two
// budgets that come to the same are the same state.
func (b budget) within(partition bool) budget {
	if b.partitions == 0 && !partition {
		b.lost = 0
	}
	return b
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
			m.exchange(p, false, last)
		} else {
			m.advance(end)
		}
		if m.abstract() != before {
			return true
		}
	}
	return true
}

// search tries all choices in a budget, and what follows from each of them: what is due next,
// or the message of one process or of another, if several have one to send at the same time.
type search struct {
	seen  seen
	keys  keyer
	limit int
	// whole leaves nothing out of what is tried.
	whole bool
	// states counts those that were told apart, steps what was tried in them, and ends the
	// histories that were followed from where nothing more goes wrong. most is the length
	// of the longest.
	states, steps, ends, most int
	// progress is told of every million states.
	progress func()
	// cut counts the histories that did not come to an end in modelLongest.
	cut int
	// outcomes are how groups ended, if that is asked for.
	outcomes map[string]bool
}

// What a search does with a state: it tries what can go wrong, lets the group come to its
// end, or leaves its links down until nobody waits for them any more.
const (
	trying byte = iota
	settling
	wearing
)

func newSearch() *search {
	return &search{limit: mostStates, keys: keyer{coarse: coarse}, progress: func() {}}
}

// isNew reports whether a search has not been at a state.
func (s *search) isNew(m *model, b budget, mode byte) bool {
	return s.seen.add(s.keys.key(m, b, mode))
}

// settle heals all links, and lets a group come to its end, up to where another has been.
func (s *search) settle(m *model) *model {
	s.ends++
	before := func(m *model) bool { return !s.isNew(m, budget{}, settling) }
	most := modelSettle
	if m.config.Policy.Action == FailPeerJob {
		most += comeTimeout
	}
	if m.settle(most, before); m.broken != "" {
		return m
	}
	if s.outcomes != nil && m.ended() && !m.long { // who gives up first is a matter of moments
		s.outcomes[m.outcome()] = true
	}
	return nil
}

// explore returns a model that is broken, or nil. The model is its own to change.
// Waits says that it has only waited.
func (s *search) explore(m *model, b budget, depth int, waits bool) *model {
	for {
		if m.broken != "" {
			return m
		}
		if m.now > modelLongest {
			s.cut++
			return nil
		}
		if s.states >= s.limit {
			return nil
		}
		if !s.isNew(m, b, trying) {
			if waits && m.partition && b.total() == 0 && s.isNew(m, b, wearing) {
				// This goes round and round, until nobody waits for the links any more.
				if m.wear(func(m *model) bool { return !s.isNew(m, b, wearing) }) {
					return nil
				}
				return s.settle(m)
			}
			return nil
		}
		if s.states++; s.states%1_000_000 == 0 {
			s.progress()
		}
		s.most = max(s.most, depth)
		if b.total() == 0 {
			// Nothing more goes wrong: everybody must come to an end, now that links are back.
			if !m.partition {
				s.steps++
				return s.settle(m)
			}
			if broken := s.settle(m.clone()); broken != nil {
				return broken
			}
		}
		for _, c := range m.choices(b) {
			if c.fault == healed && b.total() == 0 && !s.whole {
				continue // links come back, and nothing goes wrong any more: settle has followed that
			}
			next := m.clone()
			next.do(c)
			s.steps++
			if broken := s.explore(next, c.left, depth+1, false); broken != nil {
				return broken
			}
		}
		if m.contended() {
			next := m.clone()
			s.steps++
			if broken := s.proceed(next, b, true, depth); broken != nil {
				return broken
			}
		}
		s.steps++
		if !m.proceed(false, 4*time.Second) && m.broken == "" {
			return s.settle(m)
		}
		depth, waits = depth+1, true
	}
}

// proceed goes on to the next state.
func (s *search) proceed(m *model, b budget, last bool, depth int) *model {
	if !m.proceed(last, 4*time.Second) && m.broken == "" {
		return s.settle(m)
	}
	return s.explore(m, b, depth+1, true)
}

// contended reports whether several messages can be the next.
func (m *model) contended() bool {
	first := m.pending(false)
	return first != nil && (m.pending(true) != first || len(first.calls) > 1)
}

// outcome is how a group has ended: what each index ended with at last, and the verdict.
func (m *model) outcome() string {
	var peers []string
	for i := range m.config.Size {
		end := "killed"
		for _, p := range m.procs {
			if p.index != i || p.lost {
				continue
			}
			switch {
			case p.outcome == 0:
				end = "killed"
			case p.node.Verdict().Kind == Failed:
				end = "failed" // who failed first may end with its own code, or with 76, which is a matter of moments
			default:
				end = fmt.Sprint(p.node.ExitCode())
			}
		}
		peers = append(peers, end)
	}
	for i := int32(1); i < m.config.Size; i++ {
		for j := i + 1; j < m.config.Size; j++ {
			if m.config.role(i) == m.config.role(j) && peers[j] < peers[i] {
				peers[i], peers[j] = peers[j], peers[i] // they are alike
			}
		}
	}
	return fmt.Sprintf("%s; succeeded %v, failed %v, Jobs failed %b", strings.Join(peers, ", "), m.succeeded, m.failed, m.jobsFailed)
}

func modelConfig(size int32) Config {
	return Config{
		Job: "uid", Size: size, Start: true, End: true, StartTimeout: 2 * time.Minute, Name: func(i int32) string { return fmt.Sprintf("p%d", i) },
		Policy: restarts(1),
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
	{3, budget{failures: 1, partitions: 1}, 2},
	{3, budget{failures: 2, partitions: 1}, 2},
	{3, budget{failures: 1, lost: 1, partitions: 1}, 2},
	{3, budget{failures: 2, lost: 1, partitions: 1}, 3},
}

// modelLevel is how much is searched: 0 in every run of the tests, 1 to find the
// seeded mistakes, 2 by hand, and 3 what does not end well or soon: see docs/runner-protocol.md.
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

// model is the group, in which nothing has happened yet.
func (g roleGroup) model(policy Policy) *model {
	size := int32(0)
	for _, role := range g.roles {
		size += role.Size
	}
	config := modelConfig(size)
	config.Roles, config.Success, config.Policy = g.roles, g.success, policy
	return newModel(config, g.waits...)
}

// restarts is a policy with so many restarts.
func restarts(most int32) Policy {
	return Policy{Action: RestartPeerJob, MaxRestarts: most, Backoff: time.Second, Grace: 2 * time.Second}
}

// failing is a policy without restarts.
var failing = Policy{Action: FailPeerJob, Grace: 2 * time.Second}

// failGroups are groups with FailPeerJob. A Job of several peers whose commands serve, or which
// has a successPolicy, fails with 75 and 76 alone.
var failGroups = append([]roleGroup{
	{"a launcher, and two workers that serve", []Role{{"launcher", 1}, {"worker", 2}}, []roleWaits{{}, {started: 1 << 0}}, 1 << 0},
	{"two workers that serve and lead", []Role{{"worker", 2}, {"launcher", 1}}, []roleWaits{{}, {started: 1 << 0}}, 1 << 1},
	{"two roles that decide", []Role{{"a", 2}, {"b", 1}}, []roleWaits{{}, {}}, 0},
}, roleGroups...)

// TestModel_failRoles searches all histories of groups with roles and FailPeerJob. When the
// group has failed, every Job of it fails, because of the code of one of its own Pods, or is
// complete.
func TestModel_failRoles(t *testing.T) {
	for _, g := range failGroups {
		all := []bounds{
			{budget{}, 0},
			{budget{failures: 1}, 0},
			{budget{failures: 1, quits: 1}, 0},
			{budget{disruptions: 1}, 0},
			{budget{failures: 1, disruptions: 1}, 1},
			{budget{failures: 2}, 1},
			{budget{failures: 2, quits: 1}, 1},
			{budget{failures: 1, slow: 1, losses: 1}, 1},
			{budget{partitions: 1}, 0},
			{budget{failures: 1, partitions: 1}, 2},
			{budget{disruptions: 1, partitions: 1}, 2},
			{budget{failures: 1, disruptions: 1, quits: 1}, 2},
		}
		if !g.serves() {
			all = slices.DeleteFunc(all, func(run bounds) bool { return run.budget.quits > 0 })
		}
		searchEach(t, g.name, func() *model { return g.model(failing) }, all)
	}
}

// TestModel_failUntil searches all histories of Jobs with FailPeerJob that succeed with one of their
// peers.
func TestModel_failUntil(t *testing.T) {
	for decides := range int32(2) {
		for size := int32(2); size <= 3; size++ {
			config := modelConfig(size)
			config.Policy, config.Until = failing, []Until{{Indexes: []Range{{decides, decides}}}}
			searchEach(t, fmt.Sprintf("index %d of %d decides", decides, size), func() *model { return newModel(config) }, []bounds{
				{budget{}, 0},
				{budget{failures: 1}, 0},
				{budget{disruptions: 1}, 0},
				{budget{failures: 1, disruptions: 1}, 1},
				{budget{failures: 2}, 1},
				{budget{failures: 1, slow: 1, losses: 1}, 1},
				{budget{partitions: 1}, 1},
				{budget{failures: 1, partitions: 1}, 2},
			})
		}
	}
}

// serves reports whether a role of the group has more than one peer, and is told to end.
func (g roleGroup) serves() bool {
	for i, role := range g.roles {
		if g.success != 0 && !g.success.Has(i) && role.Size > 1 {
			return true
		}
	}
	return false
}

// TestModel_roles searches all histories of groups with roles. A role starts when those for
// which it waits have come so far, one that is Complete never runs again, and who serves
// ends with 0 when the others are done.
func TestModel_roles(t *testing.T) {
	for _, g := range roleGroups {
		searchEach(t, g.name, func() *model { return g.model(restarts(1)) }, []bounds{
			{budget{}, 0},
			{budget{failures: 1}, 0},
			{budget{disruptions: 1}, 0},
			{budget{slow: 1, losses: 1}, 1},
			{budget{lost: 1, partitions: 1}, 1},
			{budget{failures: 2}, 1},
			{budget{failures: 1, disruptions: 1}, 1},
			{budget{disruptions: 1, partitions: 1}, 1},
			{budget{failures: 1, partitions: 1}, 2},
			{budget{failures: 1, lost: 1, partitions: 1}, 2},
		})
	}
}

// bounds are how much goes wrong in a search, and the level from which it runs.
type bounds struct {
	budget budget
	level  int
}

// searchEach searches all histories of a group, within each of the bounds of this level.
func searchEach(t *testing.T, name string, group func() *model, all []bounds) {
	t.Helper()
	for _, run := range all {
		if run.level <= modelLevel() {
			t.Run(name+", "+run.budget.String(), func(t *testing.T) { searchAll(t, group(), run.budget) })
		}
	}
}

// searchAll searches all histories of a group in which so much goes wrong.
func searchAll(t *testing.T, m *model, b budget) *search {
	t.Helper()
	began := time.Now()
	s := newSearch()
	s.progress = func() { t.Logf("%d states, %d keys, %.0f s", s.states, s.seen.count, time.Since(began).Seconds()) }
	m.pace = modelPace
	broken := s.explore(m, b.within(false), 0, false)
	how := "searched to the end"
	switch {
	case broken != nil:
		how = "stopped at a violation"
	case s.cut > 0:
		how = fmt.Sprintf("%d histories cut off after %v", s.cut, modelLongest)
	}
	if s.states >= s.limit {
		how = "stopped: the search is not exhaustive"
	}
	t.Logf("%d states, %d steps, %d runs to the end, %d steps at most, %.1f s, %s", s.states, s.steps, s.ends, s.most, time.Since(began).Seconds(), how)
	if broken != nil {
		t.Fatalf("violated: %s\n%s", broken.broken, broken.history())
	}
	return s
}

// TestModel_lost searches all histories of 3 peers that go on from the first attempt when a peer and
// index 0 have been cut off, and the peer's Pod is lost. A new index 0 may have met peers of several
// others before it, and none of them the Pod that runs on.
func TestModel_lost(t *testing.T) {
	if modelLevel() < 2 {
		t.Skip("set PEERJOB_MODEL=2 for these searches; they take 15 s")
	}
	for _, peer := range []int32{1, 2} {
		t.Run(fmt.Sprintf("index %d", peer), func(t *testing.T) {
			m := newModel(modelConfig(3))
			m.until(t, func() bool { return m.procs[0].command == 1 && m.procs[peer].command == 1 })
			m.do(choice{fault: parted, who: 1 | 1<<peer})
			m.do(choice{fault: lost, who: m.procs[peer].id})
			searchAll(t, m, budget{failures: 2})
		})
	}
}

// TestModel_reduced holds what a search leaves out to one that leaves nothing out: no peers are
// alike, no process is forgotten, what nothing reads counts, and links come back at any moment. Both
// must end in the same ways.
func TestModel_reduced(t *testing.T) {
	for _, run := range []struct {
		name   string
		model  func() *model
		budget budget
		level  int
	}{
		{"2 peers", func() *model { return newModel(modelConfig(2)) }, budget{failures: 1}, 0},
		{"2 peers", func() *model { return newModel(modelConfig(2)) }, budget{disruptions: 1}, 0},
		{"2 peers", func() *model { return newModel(modelConfig(2)) }, budget{partitions: 1}, 0},
		{"3 peers", func() *model { return newModel(modelConfig(3)) }, budget{failures: 1}, 0},
		{"3 peers", func() *model { return newModel(modelConfig(3)) }, budget{disruptions: 1}, 0},
		{"all of that", func() *model { return roleGroups[len(roleGroups)-1].model(restarts(1)) }, budget{failures: 1}, 0},
		{"FailPeerJob", func() *model { return failGroups[0].model(failing) }, budget{failures: 1}, 0},
		{"2 peers", func() *model { return newModel(modelConfig(2)) }, budget{failures: 2}, 1},
		{"3 peers", func() *model { return newModel(modelConfig(3)) }, budget{failures: 2}, 1},
		{"2 peers", func() *model { return newModel(modelConfig(2)) }, budget{lost: 1, partitions: 1}, 1},
		{"2 peers", func() *model { return newModel(modelConfig(2)) }, budget{failures: 1, disruptions: 1}, 1},
		{"3 peers", func() *model { return newModel(modelConfig(3)) }, budget{lost: 1, partitions: 1}, 2},
		{"FailPeerJob", func() *model { return failGroups[0].model(failing) }, budget{failures: 1, disruptions: 1}, 1},
	} {
		if run.level > modelLevel() {
			continue
		}
		t.Run(fmt.Sprintf("%s, %s", run.name, run.budget), func(t *testing.T) {
			outcomes := func(exact bool) []string {
				s, m := newSearch(), run.model()
				s.outcomes = map[string]bool{}
				m.pace, s.keys.exact, s.whole = modelPace, exact, exact
				if broken := s.explore(m, run.budget, 0, false); broken != nil {
					t.Fatalf("violated: %s\n%s", broken.broken, broken.history())
				}
				t.Logf("%d states", s.states)
				return slices.Sorted(maps.Keys(s.outcomes))
			}
			whole, reduced := outcomes(true), outcomes(false)
			if diff := cmp.Diff(whole, reduced); diff != "" {
				t.Errorf("the search ends in other ways than the whole one (-whole +reduced):\n%s", diff)
			}
			t.Logf("both end in %d ways", len(whole))
		})
	}
}

// mostStates is how many states a search looks at, so that it ends.
const mostStates = 100_000_000

// modelLongest is how long a history is that a search follows: longer than any that ends. One that
// does not end comes back to where it was, long before.
const modelLongest = 10 * time.Minute

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
			m = g.model(restarts(5))
		}
		b := budget{failures: random.IntN(4), disruptions: random.IntN(2), lost: 1, partitions: random.IntN(2), slow: random.IntN(4), losses: random.IntN(4)}
		for m.broken == "" && m.now < modelHorizon {
			if all := m.choices(b); len(all) > 0 && random.IntN(12) == 0 {
				c := all[random.IntN(len(all))]
				m.do(c)
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
			t.Fatalf("seed %d: violated: %s\n%s", seed, m.broken, m.history())
		}
		ends[fmt.Sprintf("succeeded %v, failed %v, attempt %d", m.succeeded, m.failed, m.highest)]++
	}
	t.Logf("%d histories: %v", runs, ends)
}
