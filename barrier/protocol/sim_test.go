// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"cmp"
	"container/heap"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// world is a Job on a simulated network, with a clock of its own. It knows what
// is true, and the peers know only what they are told: it is the oracle.
type world struct {
	config worldConfig
	random *rand.Rand
	now    time.Duration
	events events
	order  int
	pods   [][]*simPod // by index, all Pods that there ever were
	// messages counts requests by what the sender was at.
	messages map[string]int
	broken   []string
	// strange are the indexes under whose names a stranger answers, too, and before the
	// peer. Slow says that the peer's answers do not come.
	strange, slow map[int32]bool
	// silent says that nothing comes back from where a Pod was that is gone, and refused
	// that a connection to there is.
	silent, refused bool
}

// startTimeout is how long a peer waits for the start.
const startTimeout = 10 * time.Minute

// worldConfig says what goes wrong.
type worldConfig struct {
	size int32
	// startTimeout is how long a peer waits for the start, if not [startTimeout].
	startTimeout, endTimeout time.Duration
	// noStart and noEnd say that there is no barrier at the start, or at the end.
	noStart, noEnd bool
	until          []Until
	// loss is the chance that one direction of an exchange is lost, twice that a
	// report arrives twice.
	loss, twice float64
	// latency is the longest of one direction.
	latency time.Duration
	// policy is what the group does when a peer fails; then commands run until they are
	// stopped or ended by the test.
	policy Policy
	// publish is how long after its start a Pod's name resolves, at most.
	publish time.Duration
	// policies are those of the roles, if they differ.
	policies []Policy
	// roles are the roles of the group, waits for which of them each waits, and success
	// those that decide.
	roles   []Role
	waits   []roleWaits
	success RoleSet
	// run names the run of the group.
	run string
}

// simPod is one Pod with its runner.
type simPod struct {
	world *world
	index int32
	node  *Node
	// timer tells the latest alarm from those before it.
	timer int
	work  time.Duration

	// command is the attempt whose command runs, with a failure policy.
	command int32

	published, gone     bool
	publishedAt         time.Duration
	opened, ended, left bool
	openedAt, endedAt   time.Duration
	leftAt              time.Duration
	outcome             Outcome
	abrupt              bool
	// toldAt is when the command was told to end by the group, and stuck says that it does
	// not end.
	toldAt time.Duration
	stuck  bool
}

type event struct {
	at    time.Duration
	order int
	do    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any     { last := (*e)[len(*e)-1]; *e = (*e)[:len(*e)-1]; return last }

func newWorld(config worldConfig, seed uint64) *world {
	return &world{
		config: config, random: rand.New(rand.NewPCG(seed, 0)),
		pods: make([][]*simPod, config.size), messages: map[string]int{},
		strange: map[int32]bool{}, slow: map[int32]bool{},
	}
}

func (w *world) after(d time.Duration, do func()) {
	w.order++
	heap.Push(&w.events, event{w.now + max(d, 0), w.order, do})
}

// run lets time pass until nothing happens any more, or until a moment.
func (w *world) run(until time.Duration) {
	for len(w.events) > 0 && w.events[0].at <= until {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
	}
}

// upTo is a random duration.
func (w *world) upTo(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return time.Duration(w.random.Int64N(int64(most)))
}

// start starts a Pod whose command has so much to do. With roles, one that has nothing to
// do serves until it is told to end.
func (w *world) start(index int32, work time.Duration) *simPod {
	p := &simPod{world: w, index: index, work: work}
	w.pods[index] = append(w.pods[index], p)
	w.after(w.upTo(w.config.publish), func() {
		if !p.gone {
			p.published, p.publishedAt = true, w.now
		}
	})
	config := Config{
		Job: "uid", Index: p.index, Size: w.config.size, Start: !w.config.noStart, End: !w.config.noEnd,
		StartTimeout: cmp.Or(w.config.startTimeout, startTimeout), EndTimeout: w.config.endTimeout, Until: w.config.until,
		Name: func(i int32) string { return fmt.Sprintf("train-%d.svc", i) }, Policy: w.config.policy,
	}
	if len(w.config.roles) > 0 {
		config.Roles, config.Success = w.config.roles, w.config.success
		role := config.role(index)
		if w.config.policies != nil {
			config.Policy = w.config.policies[role]
		}
		config.Job = "uid-" + config.Roles[role].Name + w.config.run
		config.AfterStarted, config.AfterComplete = w.config.waits[role].started, w.config.waits[role].complete
		config.Start = config.Start || config.AfterStarted|config.AfterComplete != 0
	}
	p.node = NewNode(config, w.process(), rand.New(rand.NewPCG(w.random.Uint64(), 0)), w.now)
	p.step()
	return p
}

// process is one that nobody else is.
func (w *world) process() (p Process) {
	for i := range p {
		p[i] = byte(w.random.Uint32())
	}
	return p
}

// kill is the sudden end of a Pod.
func (p *simPod) kill() { p.gone, p.published, p.abrupt = true, false, true }

// terminate is a SIGTERM from outside: the command ends of it.
func (p *simPod) terminate() {
	if p.gone || p.ended {
		return
	}
	p.node.Terminate(p.world.now)
	p.step()
	p.end()
}

// end is the end of the command.
func (p *simPod) end() {
	if p.gone || p.ended {
		return
	}
	p.ended, p.endedAt = true, p.world.now
	p.node.End(p.world.now, 0)
	p.step()
}

// alive is a function which does nothing once the process has ended.
func (p *simPod) alive(do func()) func() {
	return func() {
		if !p.gone {
			do()
		}
	}
}

// step does what the node wants done.
func (p *simPod) step() {
	w := p.world
	actions := p.node.Step(w.now)
	if w.config.policy.Action != EachForItself {
		p.follow()
	} else if (p.node.Phase() == Running || p.node.Phase() == Ended) && !p.opened {
		p.opened, p.openedAt = true, w.now
		w.checkStart(p)
		p.node.Started(w.now)
		if p.work > 0 || len(w.config.roles) == 0 {
			w.after(p.work, p.end)
		}
	} else if p.node.Phase() == Running && !p.node.Runs() && p.toldAt == 0 {
		p.toldAt = w.now
		w.after(w.upTo(time.Second), p.alive(func() {
			if !p.ended {
				p.ended, p.endedAt = true, w.now
				p.node.End(w.now, 143)
				p.step()
			}
		}))
	}
	if actions.Report != nil {
		p.send(*actions.Report)
	}
	for _, index := range actions.Calls {
		p.call(index)
	}
	if actions.Leave {
		p.left, p.leftAt, p.outcome = true, w.now, p.node.Outcome()
		w.checkEnd(p)
		last := p.node.LastReport(w.now)
		p.gone, p.published = true, false
		if p.outcome == StartTimedOut {
			p.endedAt = w.now
		}
		if p.index != 0 {
			w.message(&last)
			w.after(w.upTo(w.config.latency), func() {
				if leader := w.leader(); leader != nil && !w.lost() {
					_, _ = leader.node.Receive(w.now, last) // nobody is there for the reply
					leader.step()
				}
			})
		}
		return
	}
	p.timer++
	timer := p.timer
	w.after(actions.Next-w.now, p.alive(func() {
		if p.timer == timer {
			p.step()
		}
	}))
}

// follow starts and stops the command as the node of a group with a failure policy
// wants it. A command stops at once.
func (p *simPod) follow() {
	w := p.world
	switch runs := p.node.Runs(); {
	case runs && p.command == 0:
		p.command, p.openedAt = p.node.Attempt(), w.now
		p.node.Started(w.now)
	case !runs && p.command != 0 && p.node.Phase() == Running:
		p.toldAt = w.now
		if !p.stuck {
			w.after(0, p.alive(func() { p.exit(143) }))
		}
	}
}

// exit ends the command with a code.
func (p *simPod) exit(code int32) {
	if p.command != 0 {
		p.command = 0
		p.node.End(p.world.now, code)
		p.step()
	}
}

func (w *world) lost() bool { return w.random.Float64() < w.config.loss }

// message counts a message, and holds it to what the wire carries.
func (w *world) message(report *Report) {
	w.messages[report.Phase.String()]++
	data, err := json.Marshal(report)
	if err != nil {
		panic(err)
	}
	if read, err := ReadReport(data); err != nil || read != *report {
		w.broken = append(w.broken, fmt.Sprintf("%s reads as %+v: %v", data, read, err))
	}
}

// resolve finds the Pods that a name leads to.
func (w *world) resolve(index int32) (there []*simPod) {
	for _, p := range w.pods[index] {
		if p.published && !p.gone {
			there = append(there, p)
		}
	}
	return there
}

// leader is a Pod that index 0's name leads to; of several, any.
func (w *world) leader() *simPod {
	there := w.resolve(0)
	if len(there) == 0 {
		return nil
	}
	return there[w.random.IntN(len(there))]
}

// send sends a report to index 0, to every address of its name, and brings the
// reply that counts.
func (p *simPod) send(report Report) {
	w := p.world
	fail := func(d time.Duration, reason string) {
		w.after(d, p.alive(func() { p.node.Failed(w.now, reason, true); p.step() }))
	}
	leaders := w.resolve(0)
	if len(leaders) == 0 {
		w.message(&report)
		fail(w.upTo(w.config.latency), "no such host")
		return
	}
	var replies []Heard
	if w.strange[0] {
		replies = append(replies, Heard{strangeReply(report), true})
	}
	pending := len(leaders)
	done := func() {
		if pending--; pending > 0 {
			return
		}
		old := w.presence(0, p.node.Leader())
		if w.slow[0] && old == There {
			old = Mute
		} else if old == There && !slices.ContainsFunc(replies, func(r Heard) bool { return r.Process == p.node.Leader() }) {
			old = Silent // its answer is lost
		}
		if len(replies) == 0 {
			fail(CallTimeout, "no reply")
			return
		}
		p.node.Hear(w.now, report, replies, old)
		p.step()
	}
	for _, leader := range leaders {
		w.message(&report)
		if w.lost() {
			w.after(0, p.alive(done))
			continue
		}
		arrive := func() {
			if leader.gone {
				p.alive(done)()
				return
			}
			reply, err := leader.node.Receive(w.now, report)
			leader.step()
			if err != nil || w.lost() || w.slow[0] {
				p.alive(done)()
				return
			}
			w.after(w.upTo(w.config.latency), p.alive(func() {
				replies = append(replies, Heard{reply, true})
				done()
			}))
		}
		w.after(w.upTo(w.config.latency), arrive)
		if w.random.Float64() < w.config.twice {
			w.after(w.upTo(w.config.latency), leader.alive(func() {
				_, _ = leader.node.Receive(w.now, report) // the first one got the reply
				leader.step()
			}))
		}
	}
}

// call calls a peer by its name, at every address.
func (p *simPod) call(index int32) {
	w := p.world
	w.messages["call"]++
	there := w.resolve(index)
	if len(there) == 0 {
		w.after(w.upTo(w.config.latency), p.alive(func() { p.node.Unanswered(w.now, index, NoName); p.step() }))
		return
	}
	if w.lost() {
		w.after(CallTimeout, p.alive(func() { p.node.Unanswered(w.now, index, NoAnswer); p.step() }))
		return
	}
	var identities []Identity
	for _, other := range there {
		w.after(w.upTo(w.config.latency), other.alive(func() { other.node.Called(w.now, p.node.process); other.step() }))
		if !w.slow[index] {
			identities = append(identities, other.node.Identity(w.now))
		}
	}
	if w.strange[index] {
		identities = append(identities, Identity{Job: "uid", Index: index, Process: strangeProcess(index), Attempt: 1, Phase: Ended})
	}
	if len(identities) == 0 {
		w.after(CallTimeout, p.alive(func() { p.node.Unanswered(w.now, index, NoAnswer); p.step() }))
		return
	}
	w.after(w.upTo(w.config.latency), p.alive(func() { p.node.Answered(w.now, index, identities, w.presence(index, p.node.Process(index))); p.step() }))
}

// presence is what comes of asking a process where it was.
func (w *world) presence(index int32, process Process) Presence {
	for _, p := range w.pods[index] {
		if p.node.process != process {
			continue
		}
		if !p.gone && w.slow[index] {
			return Mute
		}
		if !p.gone {
			return There
		}
		if w.silent {
			return Silent
		}
		if w.refused {
			return Gone
		}
		return []Presence{Gone, Silent, Mute}[w.random.IntN(3)]
	}
	return Unasked
}

// checkStart holds a start to the truth: every peer's name must have led to it
// by now.
func (w *world) checkStart(p *simPod) {
	for i, pods := range w.pods {
		found := false
		for _, other := range pods {
			found = found || other.published || other.publishedAt > 0
		}
		if !found {
			w.broken = append(w.broken, fmt.Sprintf("%v: index %d starts, and index %d was never there", w.now, p.index, i))
		}
		w.checkWaits(p, int32(i))
	}
}

// checkWaits holds a start to what its role waits for.
func (w *world) checkWaits(p *simPod, other int32) {
	if len(w.config.roles) == 0 {
		return
	}
	c := p.node.config
	started, complete := false, false
	for _, pod := range w.pods[other] {
		started = started || pod.opened
		complete = complete || pod.ended && pod.toldAt == 0 && !pod.node.peer.terminating
	}
	if c.AfterStarted.Has(c.role(other)) && !started || c.AfterComplete.Has(c.role(other)) && !complete {
		w.broken = append(w.broken, fmt.Sprintf("%v: %s starts before %s has come so far", w.now, c.Label(p.index), c.Label(other)))
	}
}

// checkEnd holds a departure to the truth: every peer must be at its end, or
// gone for long enough.
func (w *world) checkEnd(p *simPod) {
	if p.outcome != Together || len(w.config.until) > 0 || w.config.success != 0 {
		return
	}
	for i, pods := range w.pods {
		if len(pods) == 0 {
			w.broken = append(w.broken, fmt.Sprintf("%v: index %d leaves, and index %d never came", w.now, p.index, i))
			continue
		}
		last := pods[len(pods)-1]
		// A Pod that is deleted ends like any other, and nobody can know that another
		// will follow, until it has come; and two that overlap may both be heard.
		replaced := false
		for _, old := range pods[:len(pods)-1] {
			replaced = replaced || old.ended && (!last.opened || !old.left || w.now-old.leftAt < 2*w.config.latency)
		}
		if !last.ended && !last.abrupt && !replaced {
			w.broken = append(w.broken, fmt.Sprintf("%v: index %d leaves, and index %d is not at its end", w.now, p.index, i))
		}
	}
}
