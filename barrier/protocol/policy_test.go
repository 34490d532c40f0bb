// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestSimulation_restart has a peer that fails, in groups of several sizes: how long it
// takes, beyond the back-off, until all run again.
func TestSimulation_restart(t *testing.T) {
	for _, c := range []struct {
		size int32
		most time.Duration
	}{{3, time.Second}, {50, 3 * time.Second}, {1000, 3 * time.Second}} {
		for _, failing := range []int32{0, c.size - 1}[c.size/1000:] {
			w := newWorld(worldConfig{
				size: c.size, latency: 5 * time.Millisecond,
				policy: Policy{Action: RestartPeerJob, MaxRestarts: 3, Backoff: time.Second, Grace: 10 * time.Second},
			}, 1)
			for i := range c.size {
				w.start(i, 0)
			}
			w.run(time.Minute)
			failed := w.now
			w.pods[failing][0].exit(3)
			w.run(failed + 30*time.Second)
			var last time.Duration
			for i, pods := range w.pods {
				if len(pods) != 1 || pods[0].command != 2 {
					t.Fatalf("%d peers: index %d is in attempt %d", c.size, i, pods[0].command)
				}
				last = max(last, pods[0].openedAt)
			}
			took := last - failed - time.Second
			if took > c.most {
				t.Errorf("%d peers, index %d fails: all run again after %v beyond the back-off, want %v", c.size, failing, took, c.most)
			}
			t.Logf("%d peers, index %d fails: all run again %.2f s after the back-off", c.size, failing, took.Seconds())
		}
	}
}

// pair is a group with a policy on a perfect network.
func pair(size int32, policy Policy) *world {
	w := newWorld(worldConfig{size: size, endTimeout: time.Hour, latency: time.Millisecond, policy: policy}, 1)
	for i := range size {
		w.start(i, 0)
	}
	w.run(time.Minute)
	return w
}

// told is a SIGTERM from outside. The command goes on for now.
func (p *simPod) told() {
	p.node.Terminate(p.world.now)
	p.step()
}

// state says where each peer is.
func (w *world) state() (all []string) {
	for _, pods := range w.pods {
		p := pods[len(pods)-1]
		text := fmt.Sprintf("attempt %d", p.command)
		if p.left {
			text = p.outcome.String()
		}
		all = append(all, text)
	}
	return all
}

func (w *world) want(t *testing.T, want ...string) {
	t.Helper()
	for i, got := range w.state() {
		if got != want[i] {
			t.Errorf("index %d: %s, want %s", i, got, want[i])
		}
	}
}

// freeze stops a process for a while, which does not know: for it, time jumps. Nobody gets an
// answer from it meanwhile.
func (w *world) freeze(index int32, d time.Duration) {
	p := w.pods[index][0]
	p.gone = true
	w.after(d, func() {
		p.gone = false
		p.step()
	})
}

// TestPolicy has the policies, and what each does about a failure, a spared code, and a
// Pod that is told to end.
func TestPolicy(t *testing.T) {
	const failed = "the group has failed"
	restart := Policy{Action: RestartPeerJob, MaxRestarts: 1, Grace: time.Second}
	fail := Policy{Action: FailPeerJob, Grace: time.Second}
	fatal := func(p Policy) Policy {
		p.Fatal = func(code int32) bool { return code == 9 }
		return p
	}
	spares := func(p Policy) Policy {
		p.Spares = func(code int32) bool { return code == 42 }
		return p
	}
	for name, c := range map[string]struct {
		policy Policy
		do     func(*world)
		want   []string
	}{
		"FailPeerJob":          {fail, func(w *world) { w.pods[1][0].exit(3) }, []string{failed, failed, failed}},
		"FailPeerJob, index 0": {fail, func(w *world) { w.pods[0][0].exit(3) }, []string{failed, failed, failed}},
		"FailPeerJob, a spared code": {
			spares(fail), func(w *world) { w.pods[1][0].exit(42) }, []string{"attempt 1", "the command failed, so the Job can replace this Pod at once", "attempt 1"},
		},
		"FailPeerJob, told to end, not replaced": {
			fail, func(w *world) { w.pods[1][0].told(); w.pods[1][0].exit(143) },
			[]string{"attempt 1", "the Pod must end", "attempt 1"},
		},
		"FailPeerJob, told to end and replaced": {
			fail, func(w *world) {
				w.pods[1][0].told()
				w.pods[1][0].exit(143)
				w.after(time.Second, func() { w.start(1, 0) })
			},
			[]string{failed, failed, failed},
		},
		"FailPeerJob, told to end and replaced, the others run on": {
			Policy{Action: FailPeerJob, OnDisruption: ContinueOnDisruption}, func(w *world) {
				w.pods[1][0].told()
				w.pods[1][0].exit(143)
				w.after(time.Second, func() { w.start(1, 0) })
			},
			[]string{"attempt 1", "attempt 1", "attempt 1"},
		},
		"RestartPeerJob": {restart, func(w *world) { w.pods[1][0].exit(3) }, []string{"attempt 2", "attempt 2", "attempt 2"}},
		"RestartPeerJob, two at once": {
			restart, func(w *world) { w.pods[1][0].exit(3); w.pods[2][0].exit(4) }, []string{"attempt 2", "attempt 2", "attempt 2"},
		},
		"RestartPeerJob, others at the end": {
			restart, func(w *world) {
				w.pods[0][0].exit(0)
				w.pods[1][0].exit(0)
				w.after(time.Second, func() { w.pods[2][0].exit(3) })
			},
			[]string{"attempt 2", "attempt 2", "attempt 2"},
		},
		"RestartPeerJob, used up": {
			restart, func(w *world) {
				w.pods[1][0].exit(3)
				w.after(10*time.Second, func() { w.pods[2][0].exit(4) })
			},
			[]string{failed, failed, failed},
		},
		"RestartPeerJob, told to end: no restart is used up": {
			Policy{Action: RestartPeerJob, Grace: time.Second}, func(w *world) {
				w.pods[1][0].told()
				w.pods[1][0].exit(143)
				w.after(time.Second, func() { w.start(1, 0) })
			},
			[]string{"attempt 2", "attempt 2", "attempt 2"},
		},
		"RestartPeerJob, told to end, and that fails the group": {
			Policy{Action: RestartPeerJob, MaxRestarts: 1, Grace: time.Second, OnDisruption: FailOnDisruption}, func(w *world) {
				w.pods[1][0].told()
				w.pods[1][0].exit(143)
				w.after(time.Second, func() { w.start(1, 0) })
			},
			[]string{failed, failed, failed},
		},
		"RestartPeerJob, index 0 is told to end, and that fails the group": {
			Policy{Action: RestartPeerJob, MaxRestarts: 1, Grace: time.Second, OnDisruption: FailOnDisruption}, func(w *world) {
				w.pods[0][0].told()
				w.after(time.Second, func() { w.pods[0][0].exit(143) })
				w.after(2*time.Second, func() { w.start(0, 0) })
			},
			[]string{failed, failed, failed},
		},
		"RestartPeerJob, told to end in the back-off, and replaced": {
			Policy{Action: RestartPeerJob, MaxRestarts: 1, Backoff: 20 * time.Second, Grace: time.Second}, func(w *world) {
				w.pods[2][0].exit(3)
				w.after(5*time.Second, w.pods[1][0].told)
				w.after(16*time.Second, func() { w.start(1, 0) })
			},
			[]string{"attempt 2", "attempt 2", "attempt 2"},
		},
		"RestartPeerJob, told to end while it stops for the next attempt, and replaced": {
			restart, func(w *world) {
				w.pods[1][0].stuck = true
				w.pods[2][0].exit(3)
				w.after(500*time.Millisecond, func() { w.pods[1][0].told(); w.pods[1][0].exit(143) })
				w.after(11*time.Second, func() { w.start(1, 0) })
			},
			[]string{"attempt 2", "attempt 2", "attempt 2"},
		},
		"FailPeerJob, index 0 is frozen for a while": {
			fail, func(w *world) { w.freeze(0, 25*time.Second) }, []string{"attempt 1", "attempt 1", "attempt 1"},
		},
		"FailPeerJob, index 0 is frozen, and a peer fails meanwhile": {
			fail, func(w *world) {
				w.freeze(0, 10*time.Second)
				w.after(5*time.Second, func() { w.pods[1][0].exit(3) })
			}, []string{failed, failed, failed},
		},
		"RestartPeerJob, index 0 is frozen for longer than a lease": {
			restart, func(w *world) { w.freeze(0, 25*time.Second) }, []string{"attempt 2", "attempt 2", "attempt 2"},
		},
		"FailPeerJob, frozen for too long": {
			fail, func(w *world) { w.freeze(1, 25*time.Second) }, []string{failed, "attempt 1", failed}, // the Job stops it
		},
		"RestartPeerJob, killed and replaced": {
			restart, func(w *world) {
				w.pods[1][0].kill()
				w.after(10*time.Second, func() { w.start(1, 0) })
			},
			[]string{"attempt 2", "attempt 2", "attempt 2"},
		},
		"RestartPeerJob, index 0 killed and replaced": {
			restart, func(w *world) {
				w.pods[0][0].kill()
				w.after(10*time.Second, func() { w.start(0, 0) })
			},
			[]string{"attempt 2", "attempt 2", "attempt 2"},
		},
		"RestartPeerJob, a fatal code": {
			fatal(restart), func(w *world) { w.pods[1][0].exit(9) }, []string{failed, failed, failed},
		},
		"RestartPeerJob, a fatal code, and another one before": {
			fatal(restart), func(w *world) {
				w.pods[1][0].exit(3)
				w.after(20*time.Millisecond, func() { w.pods[2][0].exit(9) })
			}, []string{failed, failed, failed},
		},
		"RestartPeerJob, a code that is not fatal": {
			fatal(restart), func(w *world) { w.pods[1][0].exit(3) }, []string{"attempt 2", "attempt 2", "attempt 2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := pair(3, c.policy)
			w.want(t, "attempt 1", "attempt 1", "attempt 1")
			c.do(w)
			w.run(2 * time.Minute)
			w.want(t, c.want...)
		})
	}
}

// TestPolicy_rulesOfRoles has roles whose Jobs have different rules: those of the Job of the
// peer that has ended count, and not those of rank 0.
func TestPolicy_rulesOfRoles(t *testing.T) {
	none := Policy{Action: RestartPeerJob, MaxRestarts: 1, Grace: time.Second}
	rules := none
	rules.Spares = func(code int32) bool { return code == 42 }
	rules.Fatal = func(code int32) bool { return code == 9 }
	for _, c := range []struct {
		name          string
		rank, code    int32
		failed        bool
		attempt       int32
		first, second Policy
	}{
		{"spared there", 1, 42, false, 1, none, rules},
		{"spared elsewhere", 1, 42, false, 2, rules, none},
		{"fatal there", 1, 9, true, 1, none, rules},
		{"fatal elsewhere", 1, 9, false, 2, rules, none},
		{"fatal at rank 0", 0, 9, true, 1, rules, none},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(worldConfig{
				size: 3, endTimeout: time.Hour, latency: time.Millisecond, roles: []Role{{"a", 1}, {"b", 2}}, waits: make([]roleWaits, 2),
				policy: none, policies: []Policy{c.first, c.second},
			}, 1)
			for i := range int32(3) {
				w.start(i, 0)
			}
			w.run(time.Minute)
			w.pods[c.rank][0].exit(c.code)
			w.run(2 * time.Minute)
			other := w.pods[2][0]
			if failed := other.outcome == GroupFailed; failed != c.failed || other.node.Attempt() != c.attempt {
				t.Errorf("failed %v, attempt %d; want %v, %d: %v", failed, other.node.Attempt(), c.failed, c.attempt, other.outcome)
			}
		})
	}
}

// TestPolicy_first has a group that fails: the peer that failed first leaves last of those
// that are no index 0, with its own code, and everybody knows who it was.
func TestPolicy_first(t *testing.T) {
	w := pair(4, Policy{Action: FailPeerJob})
	w.pods[2][0].exit(3)
	w.run(2 * time.Minute)
	first := w.pods[2][0]
	for i, pods := range w.pods {
		p := pods[0]
		if verdict := p.node.Verdict(); verdict != (Verdict{Failed, 1, 2, 3}) {
			t.Errorf("index %d: %+v", i, verdict)
		}
		if i != 0 && i != 2 && p.leftAt > first.leftAt {
			t.Errorf("index %d left at %v, after the first to fail at %v", i, p.leftAt, first.leftAt)
		}
	}
	if first.node.peer.code != 3 {
		t.Errorf("code %d", first.node.peer.code)
	}
}

// TestPolicy_afterSuccess has a success policy, and a peer that fails when the one that decides has
// ended well: in the same moment, or while another one that waits at the end has yet to hear of it.
func TestPolicy_afterSuccess(t *testing.T) {
	for _, action := range []Action{FailPeerJob, RestartPeerJob} {
		for decides := range int32(2) {
			for _, pause := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond, 60 * time.Millisecond, 100 * time.Millisecond} {
				w := newWorld(worldConfig{
					size: 3, endTimeout: time.Hour, latency: time.Millisecond, until: []Until{{Indexes: []Range{{decides, decides}}}},
					policy: Policy{Action: action, MaxRestarts: 3, Grace: time.Second},
				}, 1)
				for i := range int32(3) {
					w.start(i, 0)
				}
				w.run(time.Minute)
				w.pods[2][0].exit(0)
				w.run(w.now + time.Second)
				good, bad := w.pods[decides][0], w.pods[1-decides][0]
				good.exit(0)
				w.after(pause, func() { bad.exit(1) })
				w.run(w.now + 2*time.Minute)
				if !good.left || good.node.ExitCode() != 0 {
					t.Errorf("action %d, index %d fails %v after the other one has ended: that exits with %d: %s", action, bad.index, pause, good.node.ExitCode(), good.outcome)
				}
				if bad.command > 1 {
					t.Errorf("action %d, index %d fails %v after the other one has ended: attempt %d has started", action, bad.index, pause, bad.command)
				}
				// Another code would count against backoffLimit, or maxRestarts: the Job looks for
				// failures first. Only a peer that index 0 has left before can't know.
				if code := bad.node.ExitCode(); !bad.left || code != 0 && bad.outcome != LeaderGone {
					t.Errorf("action %d, index %d fails %v after the other one has ended: left %t, with %d: %v", action, bad.index, pause, bad.left, code, bad.outcome)
				}
			}
		}
	}
}

// jobFailsWith reports whether the Job of a peer fails when a Pod of it exits with a code, as
// the rules say that peerjob writes (FailureRules in internal/peerjob).
func jobFailsWith(c Config, code int32) bool {
	switch {
	case c.Policy.Action == RestartPeerJob:
		return code == CodeGroupFailed
	case len(c.Until) > 0, c.serves(c.Index):
		return code == CodeTimedOut || code == CodeGroupFailed
	}
	return code != 0 && code != CodeTerminated
}

// TestSimulation_jobsFail has groups of which some peers have ended with 0 when another one fails
// for good, and the commands of the others take long to stop. Every Job that has not succeeded
// must fail, before it would replace a Pod. Who failed first ends with its own code, if its Job
// knows from another of its peers.
func TestSimulation_jobsFail(t *testing.T) {
	const (
		grace = 30 * time.Second
		stop  = 20 * time.Second
		// replace is how long a Job waits before it replaces a Pod.
		replace = 10 * time.Second
	)
	all := []Until{{}}
	for name, c := range map[string]worldConfig{
		"one Job":                       {size: 3},
		"one Job of two":                {size: 2},
		"one Job, success policy":       {size: 3, until: all},
		"roles":                         {roles: []Role{{"a", 1}, {"b", 2}}},
		"roles, the first has two":      {roles: []Role{{"a", 2}, {"b", 2}}},
		"roles, a launcher and workers": {roles: []Role{{"launcher", 1}, {"worker", 3}}, success: 1 << 0},
		"roles, workers and a launcher": {roles: []Role{{"worker", 2}, {"launcher", 2}}, success: 1 << 1},
	} {
		for _, role := range c.roles {
			c.size += role.Size
		}
		c.waits, c.latency, c.endTimeout = make([]roleWaits, len(c.roles)), time.Millisecond, 5*time.Second
		for _, action := range []Action{FailPeerJob, RestartPeerJob} {
			c.policy = Policy{Action: action, Grace: grace}
			for variant := range 2 {
				// The peers that have ended with 0 are told to end, too: they leave, as they do
				// without a barrier at the end.
				told := action == RestartPeerJob && variant == 1
				c.noStart, c.noEnd = action == FailPeerJob && variant == 1, action == FailPeerJob && variant == 1
				for _, code := range []int32{3, CodeTimedOut, CodeTerminated} {
					for first := range c.size {
						for done := range 1 << c.size {
							if done>>first&1 != 0 || told && done&1 != 0 {
								continue // index 0 does not leave with 0 when it is told to end
							}
							if most := done|1<<first == 1<<c.size-1; code != 3 && done != 0 && !most {
								continue // what code it is matters no more
							}
							at := fmt.Sprintf("%s, action %d, variant %d: index %d fails with %d, and those of %b have ended", name, action, variant, first, code, done)
							failJobs(t, at, c, first, code, done, told, stop, replace)
						}
					}
				}
			}
		}
	}
}

func failJobs(t *testing.T, at string, c worldConfig, first, code int32, done int, told bool, stop, replace time.Duration) {
	t.Helper()
	w := newWorld(c, 1)
	for i := range c.size {
		w.start(i, 0)
	}
	w.run(5 * time.Second)
	has := func(i int32) bool { return done>>i&1 != 0 }
	for i := range c.size {
		if has(i) {
			w.pods[i][0].exit(0)
		}
	}
	w.run(w.now + 20*time.Second) // longer than the time for the end
	for i := range c.size {
		if p := w.pods[i][0]; has(i) && told && !p.left {
			p.told()
		}
	}
	w.run(w.now + time.Second)
	p := w.pods[first][0]
	if p.left || p.command == 0 {
		return // the success roles are done
	}
	for i := range c.size {
		if other := w.pods[i][0]; i != first && !other.left && other.command != 0 {
			other.stuck = true
			w.after(stop, func() { other.exit(143) })
		}
	}
	p.exit(code)
	w.run(w.now + time.Minute)
	if !p.left {
		t.Errorf("%s: it has not left", at)
		return
	}
	told76, config := false, p.node.config // by another Pod of its Job
	for role := range max(1, len(c.roles)) {
		fails, succeeds, latest := false, true, time.Duration(0)
		for i := range c.size {
			other := w.pods[i][0]
			if config.role(i) != role {
				continue
			}
			if !other.left {
				// It runs on until the Job is done, which stops it.
				succeeds = false
				if len(c.roles) > 0 || len(c.until) > 0 {
					t.Errorf("%s: index %d has not left", at, i)
				}
				continue
			}
			exit := other.node.ExitCode()
			succeeds = succeeds && exit == 0
			if jobFailsWith(other.node.config, exit) {
				if !fails || other.leftAt < latest {
					latest = other.leftAt
				}
				fails = true
			}
			told76 = told76 || i != first && config.role(first) == role && exit == CodeGroupFailed
			if exit != 0 && exit != CodeGroupFailed && i != first {
				t.Errorf("%s: index %d exits with %d: %v", at, i, exit, other.outcome)
			}
		}
		if fails == succeeds {
			t.Errorf("%s: the Job of role %d: fails %t, succeeds %t", at, role, fails, succeeds)
		}
		if config.role(first) == role && latest > p.leftAt+replace {
			t.Errorf("%s: its Pod is replaced before its Job fails, %v after it", at, latest-p.leftAt)
		}
	}
	exit, want := p.node.ExitCode(), int32(CodeGroupFailed)
	if p.node.Verdict().Kind == Open && code != CodeTerminated || p.node.Verdict().Kind == Failed && told76 {
		want = code
	}
	if exit != want {
		t.Errorf("%s: it exits with %d, want %d: %v", at, exit, want, p.outcome)
	}
}

// TestPolicy_witnessDisrupted has a peer that fails first while the only other one of its Job is
// told to end. A Job ignores a Pod that is disrupted, so nobody else says that the group has failed.
func TestPolicy_witnessDisrupted(t *testing.T) {
	for first := range int32(2) {
		w := pair(2, Policy{Action: RestartPeerJob, Grace: 10 * time.Second})
		other := w.pods[1-first][0]
		other.stuck = true
		w.pods[first][0].exit(3)
		w.after(100*time.Millisecond, other.told)
		w.after(time.Second, func() { other.exit(143) })
		w.run(w.now + time.Minute)
		if got := w.pods[first][0].node.ExitCode(); got != CodeGroupFailed {
			t.Errorf("index %d fails first, and the other one is told to end: exit code %d", first, got)
		}
	}
}

// TestPolicy_toldFirst has a peer that has failed first, and waits for another one to stop, when it
// is told to end: it leaves.
func TestPolicy_toldFirst(t *testing.T) {
	for first := range int32(2) {
		w := newWorld(worldConfig{
			size: 4, latency: time.Millisecond, roles: []Role{{"a", 2}, {"b", 2}}, waits: make([]roleWaits, 2), policy: Policy{Action: FailPeerJob, Grace: 30 * time.Second},
		}, 1)
		for i := range int32(4) {
			w.start(i, 0)
		}
		w.run(10 * time.Second)
		p, other := w.pods[2*first][0], w.pods[2*first+1][0]
		other.stuck = true
		p.exit(3)
		w.run(w.now + 5*time.Second)
		if p.left {
			t.Fatalf("rank %d has left, and the other one still stops", p.index)
		}
		p.told()
		w.run(w.now + 2*time.Second)
		if !p.left {
			t.Errorf("rank %d has not left", p.index)
		}
	}
}

// TestPolicy_toldLeader has a rank 0 that waits for a peer of another Job, which has failed first and
// waits for another one to stop, when it is told to end: it leaves. Nobody can say then that the Job
// knows, so who failed first does.
func TestPolicy_toldLeader(t *testing.T) {
	w := newWorld(worldConfig{
		size: 3, latency: time.Millisecond, roles: []Role{{"a", 1}, {"b", 2}}, waits: make([]roleWaits, 2), policy: Policy{Action: FailPeerJob, Grace: 30 * time.Second},
	}, 1)
	for i := range int32(3) {
		w.start(i, 0)
	}
	w.run(10 * time.Second)
	leader, first, other := w.pods[0][0], w.pods[1][0], w.pods[2][0]
	other.stuck = true
	w.after(20*time.Second, func() { other.exit(143) })
	first.exit(3)
	w.run(w.now + 5*time.Second)
	if leader.left || first.left {
		t.Fatalf("rank 0 has left: %t, who failed first: %t", leader.left, first.left)
	}
	leader.told()
	w.run(w.now + 5*time.Second)
	if !leader.left || !first.left || first.node.ExitCode() != CodeGroupFailed {
		t.Errorf("rank 0 has left: %t, who failed first: %t, with %d", leader.left, first.left, first.node.ExitCode())
	}
}

// TestPolicy_toldWhenDone has an index 0 whose command has ended with 0, and which stays to tell the
// others of a failure. It is told to end meanwhile, and is complete. A peer that fails later has
// nobody who tells the others, so its Job must.
func TestPolicy_toldWhenDone(t *testing.T) {
	for name, tt := range map[string]struct {
		config worldConfig
		// told says that index 0 is told to end, and not killed.
		told bool
		want int32
	}{
		"told to end, success policy":          {worldConfig{size: 3, until: []Until{{Indexes: []Range{{1, 1}}}}}, true, CodeGroupFailed},
		"told to end, success policy, barrier": {worldConfig{size: 3, until: []Until{{Indexes: []Range{{1, 1}}}}, endTimeout: 20 * time.Second}, true, CodeGroupFailed},
		"told to end, roles":                   {worldConfig{size: 3, roles: []Role{{"a", 1}, {"b", 2}}, waits: make([]roleWaits, 2)}, true, CodeGroupFailed},
		"told to end, a role that serves":      {worldConfig{size: 3, roles: []Role{{"a", 1}, {"b", 1}, {"c", 1}}, waits: make([]roleWaits, 3), success: 1<<0 | 1<<1}, true, CodeGroupFailed},
		// It may have been killed because the Job has succeeded.
		"killed, success policy": {worldConfig{size: 3, until: []Until{{Indexes: []Range{{1, 1}}}}}, false, 3},
	} {
		c := tt.config
		c.latency, c.noStart, c.noEnd, c.policy = time.Millisecond, true, c.endTimeout == 0, Policy{Action: FailPeerJob, Grace: 30 * time.Second}
		w := newWorld(c, 1)
		for i := range c.size {
			w.start(i, 0)
		}
		w.run(time.Minute)
		first, last := w.pods[0][0], w.pods[2][0]
		first.exit(0)
		w.run(w.now + 10*time.Second)
		if first.left {
			t.Fatalf("%s: index 0 has left: %v", name, first.outcome)
		}
		if tt.told {
			first.told()
		} else {
			first.kill()
		}
		w.run(w.now + 15*time.Second)
		if tt.told && (!first.left || first.node.ExitCode() != 0) {
			t.Errorf("%s: index 0 has left: %t, with %d", name, first.left, first.node.ExitCode())
		}
		w.run(w.now + time.Minute)
		last.exit(3)
		w.run(w.now + time.Minute)
		if code := last.node.ExitCode(); !last.left || code != tt.want {
			t.Errorf("%s: the peer that fails later has left: %t, with %d, want %d: %v", name, last.left, code, tt.want, last.outcome)
		}
	}
}

// TestPolicy_successStays has an index 0 that is done long before the Job can succeed, with
// FailPeerJob and without barriers: it stays until then, and not for a peer that does not come.
func TestPolicy_successStays(t *testing.T) {
	for _, late := range []string{"succeeds", "is away"} {
		w := newWorld(worldConfig{
			size: 3, latency: time.Millisecond, noStart: true, noEnd: true, until: []Until{{Indexes: []Range{{2, 2}}}}, policy: Policy{Action: FailPeerJob},
		}, 1)
		for i := range int32(3) {
			if i < 2 || late == "succeeds" {
				w.start(i, 0)
			}
		}
		w.run(10 * time.Second)
		first := w.pods[0][0]
		first.exit(0)
		w.pods[1][0].exit(0)
		w.run(comeTimeout - time.Minute)
		if first.left {
			t.Fatalf("index 2 %s: index 0 has left at %v: %v", late, first.leftAt, first.outcome)
		}
		if late == "succeeds" {
			w.pods[2][0].exit(0)
			w.run(w.now + time.Second)
		} else {
			w.run(comeTimeout + time.Minute)
		}
		if !first.left || first.node.ExitCode() != 0 {
			t.Errorf("index 2 %s: index 0: left %t, code %d: %v", late, first.left, first.node.ExitCode(), first.outcome)
		}
	}
}

// TestPolicy_leaderKnows has an index 0 that comes when nothing more is tried: it knows why,
// too, whenever it looks.
func TestPolicy_leaderKnows(t *testing.T) {
	for delay := range 60 {
		w := pair(3, Policy{Action: RestartPeerJob, Grace: time.Second})
		w.pods[0][0].kill()
		w.after(time.Second+time.Duration(delay)*10*time.Millisecond, func() { w.start(0, 0) })
		w.run(w.now + 2*time.Minute)
		leader := w.pods[0][1].node
		if got, want := leader.Failure(), leader.config.Name(0)+" was lost in attempt 1"; got != want {
			t.Errorf("after %d ms, index 0 says %q, want %q", 10*delay, got, want)
		}
	}
}

func TestPolicy_backoff(t *testing.T) {
	p := Policy{Backoff: time.Second}
	for restart, want := range map[int32]time.Duration{1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 1000: time.Minute} {
		if got := p.backoff(restart); got != want {
			t.Errorf("restart %d: %v, want %v", restart, got, want)
		}
	}
	if got := (Policy{}).backoff(5); got != 0 {
		t.Errorf("without a back-off: %v", got)
	}
}

// TestNode_exitCode has the exit codes of peers that have left. The Job's
// podFailurePolicy depends on them.
func TestNode_exitCode(t *testing.T) {
	restart := Policy{Action: RestartPeerJob, Spares: func(code int32) bool { return code == 42 }}
	fail := Policy{Action: FailPeerJob}
	failed := Verdict{Failed, 2, 1, 3}
	for name, c := range map[string]struct {
		policy      Policy
		size        int32
		outcome     Outcome
		code        int32
		terminating bool
		verdict     Verdict
		want        int32
	}{
		"success":                           {restart, 3, Together, 0, false, Verdict{Kind: Succeeded}, 0},
		"failed first, and witnessed":       {restart, 3, GroupFailed, 3, false, failed, 3},
		"failed first, and nobody says so":  {restart, 3, GroupFailed, 3, false, failed, CodeGroupFailed},
		"failed first, told to end":         {restart, 3, Interrupted, 3, true, failed, CodeGroupFailed},
		"failed first, alone":               {restart, 1, GroupFailed, 3, false, Verdict{Failed, 2, 0, 3}, CodeGroupFailed},
		"knows, and must leave":             {restart, 3, Interrupted, 0, true, failed, CodeGroupFailed},
		"failed too, with another code":     {restart, 3, GroupFailed, 4, false, failed, CodeGroupFailed},
		"had ended with 0":                  {restart, 3, GroupFailed, 0, false, failed, CodeGroupFailed},
		"a lost lease was the first":        {restart, 3, GroupFailed, 143, false, Verdict{Failed, 2, 1, Lost}, CodeGroupFailed},
		"a peer was missing":                {restart, 3, StartTimedOut, 0, false, Verdict{}, CodeTimedOut},
		"index 0 did not come back":         {restart, 3, Abandoned, 0, false, Verdict{}, CodeTimedOut},
		"told to end":                       {restart, 3, Interrupted, 1, true, Verdict{}, CodeTerminated},
		"told to end, and ended with 0":     {restart, 3, TimedOut, 0, true, Verdict{}, 0},
		"told to end with 0, a lost lease":  {restart, 3, TimedOut, 0, true, Verdict{}, CodeTerminated},
		"a lost lease, and all have ended":  {restart, 3, Together, 0, true, Verdict{Kind: Succeeded}, 0},
		"told to end, with a spared code":   {restart, 3, Interrupted, 42, true, Verdict{}, 42},
		"another Pod has its index":         {restart, 3, Superseded, 0, false, Verdict{}, CodeTerminated},
		"a spared code":                     {restart, 3, CommandFailed, 42, false, Verdict{}, 42},
		"no policy":                         {Policy{}, 3, CommandFailed, 4, true, Verdict{}, 4},
		"no policy, and a peer was missing": {Policy{}, 3, StartTimedOut, 0, false, Verdict{}, CodeTimedOut},
		"143, and nobody told it to end":    {fail, 3, LeaderGone, 143, false, Verdict{}, CodeGroupFailed},
		"143, and it was told to end":       {fail, 3, Interrupted, 143, true, Verdict{}, CodeTerminated},
		"another code, and index 0 is gone": {fail, 3, LeaderGone, 3, false, Verdict{}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			index := min(1, c.size-1)
			n := NewNode(Config{Job: "uid", Index: index, Size: c.size, Start: true, End: true, Policy: c.policy}, Process{1}, rand.New(middle{}), 0)
			p := n.peer
			p.attempt, p.phase, p.outcome, p.code, p.terminating, p.verdict = 2, Left, c.outcome, c.code, c.terminating, c.verdict
			p.leaseLost, p.witnessed = strings.Contains(name, "a lost lease"), strings.Contains(name, "witnessed")
			if got := n.ExitCode(); got != c.want {
				t.Errorf("%d, want %d", got, c.want)
			}
		})
	}
}

// TestNode_unheard has a peer that fails, and does not reach an index 0 that was told to end.
func TestNode_unheard(t *testing.T) {
	only := func(i int32) []Until { return []Until{{Indexes: []Range{{i, i}}}} }
	for name, tt := range map[string]struct {
		until      []Until
		leaderEnds bool
		failures   int
		code, want int32
	}{
		"it was told to end":               {only(1), true, 2, 3, CodeGroupFailed},
		"it was not":                       {only(1), false, 2, 3, 3},
		"it is reached":                    {only(1), true, 0, 3, 3},
		"the Job may have succeeded":       {only(0), true, 2, 3, 3},
		"the command has ended well":       {only(1), true, 2, 0, 0},
		"a command that exits with 143":    {only(1), true, 2, 143, CodeGroupFailed},
		"all of them, which index 0 is of": {nil, true, 2, 3, CodeGroupFailed},
	} {
		n := NewNode(Config{Job: "uid", Index: 2, Size: 3, Until: tt.until, Policy: failing}, Process{1}, rand.New(middle{}), 0)
		p := n.peer
		p.phase, p.outcome, p.code, p.leaderEnds, p.failures = Left, LeaderGone, tt.code, tt.leaderEnds, tt.failures
		if got := n.ExitCode(); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

// An index 0 that has ended with 0 and must leave is not complete: the group goes on.
func TestNode_leaveBeforeTheOthers(t *testing.T) {
	w := pair(3, Policy{Action: RestartPeerJob, MaxRestarts: 1})
	w.pods[0][0].exit(0)
	node := w.pods[0][0].node
	node.Terminate(w.now)
	node.Leave(w.now)
	if got := node.ExitCode(); got != CodeTerminated {
		t.Errorf("exit code %d, want %d", got, CodeTerminated)
	}
}

// What a person sees of the policy.
func TestNode_status(t *testing.T) {
	w := pair(3, Policy{Action: RestartPeerJob, MaxRestarts: 1})
	page := func(index int) string { return w.pods[index][0].node.Status(w.now) }
	has := func(index int, lines ...string) {
		t.Helper()
		for _, line := range lines {
			if !strings.Contains(page(index), line+"\n") {
				t.Errorf("the page of index %d has no %q:\n%s", index, line, page(index))
			}
		}
	}
	has(2, "attempt   1", "restarts  0 of 1", "verdict   none yet")
	if strings.Contains(page(2), "because") {
		t.Errorf("a reason without a restart:\n%s", page(2))
	}
	w.pods[1][0].exit(3)
	w.run(w.now + 20*time.Second)
	has(2, "attempt   2", "restarts  1 of 1", "because   "+w.pods[1][0].node.config.Name(1)+" failed with code 3 in attempt 1", "verdict   none yet")
	w.pods[1][0].exit(4)
	w.run(w.now + 20*time.Second)
	has(2, "verdict   the group has failed: "+w.pods[1][0].node.config.Name(1)+" failed with code 4 in attempt 2")
}

// TestNode_survivor has a new index 0, and a peer that still follows the former one and comes
// to later attempts with it: the new one goes on behind them.
func TestNode_survivor(t *testing.T) {
	n := NewNode(modelConfig(2), Process{8}, rand.New(rand.NewPCG(1, 0)), 0)
	n.Answered(0, 0, []Identity{n.Identity(0)}, Unasked)
	says := func(attempt int32, leader Process) State {
		return State{Job: "uid", Index: 1, Process: Process{9}, Attempt: attempt, Phase: Starting, Leader: leader, Silence: 1}
	}
	n.Answered(0, 1, []Identity{Identity(says(3, Process{7}))}, Unasked)
	for _, tt := range []struct {
		attempt int32
		leader  Process
		want    int32
	}{
		{3, Process{7}, 4},
		{4, Process{7}, 5}, // moved by the former one
		{5, Process{8}, 5}, // by this one
		{7, Process{8}, 8}, // by the former one, just before it followed this one
	} {
		if _, err := n.Receive(0, Report(says(tt.attempt, tt.leader))); err != nil || n.leader.attempt != tt.want {
			t.Errorf("attempt %d with %v: comes to attempt %d, want %d; %v", tt.attempt, tt.leader, n.leader.attempt, tt.want, err)
		}
	}
}

// TestPolicy_lostBeforeStart has an index 0 whose Pod ends while the group waits, for its
// first start or for the next one: no restart is used up by that, however often.
func TestPolicy_lostBeforeStart(t *testing.T) {
	policy := Policy{Action: RestartPeerJob, MaxRestarts: 1, Backoff: 20 * time.Second, Grace: time.Second}
	for name, end := range map[string]func(*simPod){
		"killed":      (*simPod).kill,
		"told to end": (*simPod).told,
	} {
		for _, attempt := range []int32{1, 2} {
			t.Run(fmt.Sprintf("%s before attempt %d", name, attempt), func(t *testing.T) {
				w := newWorld(worldConfig{size: 3, latency: time.Millisecond, policy: policy}, 1)
				var used int32
				if attempt == 1 {
					w.start(0, 0)
					w.start(1, 0) // and not yet index 2
				} else {
					w = pair(3, policy)
					used = 1
					w.pods[2][0].exit(3)
				}
				w.run(w.now + 5*time.Second)
				for range 3 {
					pods := w.pods[0]
					end(pods[len(pods)-1])
					w.after(2*time.Second, func() { w.start(0, 0) })
					w.run(w.now + 5*time.Second)
				}
				if attempt == 1 {
					w.start(2, 0)
				}
				w.run(w.now + 2*time.Minute)
				for i, pods := range w.pods {
					p := pods[len(pods)-1]
					if p.command == 0 || p.node.Restarts() != used {
						t.Errorf("index %d runs attempt %d after %d restarts, want %d: %s", i, p.command, p.node.Restarts(), used, p.node.Failure())
					}
				}
				if got, want := w.pods[1][0].node.peer.cause.text(w.pods[1][0].node.config.Name), "before the start of attempt"; !strings.Contains(got, want) {
					t.Errorf("index 1 says %q, want %q", got, want)
				}
			})
		}
	}
}

// TestPolicy_startTime has times for the start that are shorter than what has to pass before
// the next attempt can start. They do not run meanwhile, and run after that.
func TestPolicy_startTime(t *testing.T) {
	const limit = 5 * time.Second
	restart := func(grace, backoff time.Duration) Policy {
		return Policy{Action: RestartPeerJob, MaxRestarts: 3, Grace: grace, Backoff: backoff}
	}
	for name, c := range map[string]struct {
		policy Policy
		do     func(*world)
		// attempt is the one that runs in the end, 0 if all have given up: at the earliest and
		// at the latest so long after it began.
		attempt     int32
		least, most time.Duration
	}{
		"a pause that is longer": {
			restart(time.Second, 30*time.Second), func(w *world) { w.pods[1][0].exit(3) }, 2, 30 * time.Second, 32 * time.Second,
		},
		"a Pod is lost, and its command may still run": {
			restart(30*time.Second, 0), func(w *world) {
				w.pods[1][0].kill()
				w.after(4*time.Second, func() { w.start(1, 0) })
			}, 2, 40 * time.Second, 50 * time.Second,
		},
		"index 0 is lost, and commands may still run that it never knew": {
			restart(30*time.Second, 0), func(w *world) {
				w.pods[0][0].kill()
				w.pods[1][0].kill()
				w.after(4*time.Second, func() { w.start(0, 0) })
				w.after(6*time.Second, func() { w.start(1, 0) })
			}, 2, 40 * time.Second, 70 * time.Second,
		},
		"a command takes long to stop": {
			restart(30*time.Second, 0), func(w *world) {
				w.pods[2][0].stuck = true
				w.pods[1][0].exit(3)
				w.after(25*time.Second, func() { w.pods[2][0].exit(143) })
			}, 2, 25 * time.Second, 27 * time.Second,
		},
		"a command can't be stopped": {
			restart(30*time.Second, 0), func(w *world) {
				w.pods[2][0].stuck = true
				w.pods[1][0].exit(3)
			}, 0, 46 * time.Second, 60 * time.Second,
		},
		"a Pod is lost, and no other one comes": {
			restart(time.Second, 0), func(w *world) { w.pods[1][0].kill() }, 0, 15 * time.Second, 40 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(worldConfig{size: 3, startTimeout: limit, latency: time.Millisecond, policy: c.policy}, 1)
			for i := range int32(3) {
				w.start(i, 0)
			}
			w.run(time.Minute)
			began := w.now
			c.do(w)
			w.run(began + 3*time.Minute)
			for i, pods := range w.pods {
				p := pods[len(pods)-1]
				at := p.openedAt
				switch {
				case c.attempt == 0 && (p.abrupt || p.stuck):
					continue // gone, or still stopping
				case c.attempt == 0 && p.outcome != StartTimedOut:
					t.Errorf("index %d: %v, and attempt %d", i, p.outcome, p.command)
				case c.attempt == 0:
					at = p.leftAt
				case p.command != c.attempt:
					t.Errorf("index %d: attempt %d, want %d: %v", i, p.command, c.attempt, p.outcome)
				}
				if took := at - began; took < c.least || took > c.most {
					t.Errorf("index %d: after %v, want %v to %v", i, took, c.least, c.most)
				}
			}
		})
	}
}

// TestPolicy_leaderFailsAtOnce has a new index 0 that knows at once, from one peer, that the
// group has failed. It meets everybody first, who may know better, and tells them all: at once, or
// when they give up the one that they know.
func TestPolicy_leaderFailsAtOnce(t *testing.T) {
	for _, c := range []struct {
		size    int32
		refused bool
		most    time.Duration
	}{{3, true, time.Second}, {50, true, 3 * time.Second}, {1000, true, 5 * time.Second}, {50, false, 17 * time.Second}} {
		w := newWorld(worldConfig{size: c.size, latency: 5 * time.Millisecond, policy: Policy{Action: RestartPeerJob, Grace: time.Second}}, 1)
		w.refused = c.refused
		for i := range c.size {
			w.start(i, 0)
		}
		w.run(time.Minute)
		w.pods[0][0].kill()
		var came time.Duration
		w.after(time.Second, func() { w.start(0, 0); came = w.now })
		w.run(w.now + 2*time.Minute)
		var last time.Duration
		for i, pods := range w.pods {
			p := pods[len(pods)-1]
			if p.outcome != GroupFailed || p.node.Failure() != "train-0.svc was lost in attempt 1" {
				t.Fatalf("%d peers: index %d: %v, %q", c.size, i, p.outcome, p.node.Failure())
			}
			last = max(last, p.leftAt-came)
		}
		t.Logf("%d peers, refused %v: all have left %.2f s after the new index 0 came", c.size, c.refused, last.Seconds())
		if last > c.most {
			t.Errorf("%d peers: all have left %v after the new index 0 came, want %v", c.size, last, c.most)
		}
	}
}

// TestPolicy_leaderWaits has a new index 0 that runs its command at once, hears that the group has
// failed, and waits for those whom it has yet to meet. It looks no more often than it must meanwhile.
func TestPolicy_leaderWaits(t *testing.T) {
	w := newWorld(worldConfig{size: 3, latency: time.Millisecond, noStart: true, noEnd: true, policy: Policy{Action: FailPeerJob, Grace: time.Second}}, 1)
	for i := range int32(3) {
		w.start(i, 0)
	}
	w.run(10 * time.Second)
	w.pods[0][0].kill()
	w.pods[2][0].kill()
	w.after(time.Second, func() { w.start(0, 0) })
	w.run(w.now + 2*time.Second)
	steps := 0
	for until := w.now + 30*time.Second; len(w.events) > 0 && w.events[0].at <= until && steps < 100_000; steps++ {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
	}
	leader := w.pods[0][1]
	if !leader.left || leader.outcome != GroupFailed || steps > 5000 {
		t.Errorf("after %d steps: left %t, %v", steps, leader.left, leader.outcome)
	}
}

// TestNode_charge has a new index 0, and what the others say of the one that was lost:
// it uses up a restart if one of them had started in the last attempt, and once.
func TestNode_charge(t *testing.T) {
	former := Process{7}
	for name, c := range map[string]struct {
		says []State
		// attempt is to which the group comes, and restarts how many are used up then.
		attempt, restarts int32
	}{
		"nobody had started":                 {[]State{{Attempt: 1, Phase: Starting}, {Attempt: 1, Phase: Starting}}, 2, 0},
		"all had":                            {[]State{{Attempt: 1, Phase: Running}, {Attempt: 1, Phase: Running}}, 2, 1},
		"one had, who is heard first":        {[]State{{Attempt: 1, Phase: Running}, {Attempt: 1, Phase: Starting}}, 2, 1},
		"one had, who is heard last":         {[]State{{Attempt: 1, Phase: Starting}, {Attempt: 1, Phase: Running}}, 2, 1},
		"one had ended":                      {[]State{{Attempt: 1, Phase: Starting}, {Attempt: 1, Phase: Ended}}, 2, 1},
		"one had, and index 0 was told":      {[]State{{Attempt: 1, Phase: Running, LeaderEnds: true}, {Attempt: 1, Phase: Starting, LeaderEnds: true}}, 2, 0},
		"all stop already for the next one":  {[]State{{Attempt: 1, Phase: Running, Next: 2, Restarts: 1}, {Attempt: 1, Phase: Running, Next: 2, Restarts: 1}}, 3, 1},
		"one has stopped for the next one":   {[]State{{Attempt: 1, Phase: Running, Next: 2, Restarts: 1}, {Attempt: 2, Phase: Starting, Restarts: 1}}, 3, 1},
		"one has yet to hear of the next":    {[]State{{Attempt: 1, Phase: Running}, {Attempt: 2, Phase: Starting, Restarts: 1}}, 3, 1},
		"one has yet to hear, and the other": {[]State{{Attempt: 2, Phase: Starting, Restarts: 1}, {Attempt: 1, Phase: Running}}, 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			config := modelConfig(3)
			config.Policy.MaxRestarts = 5
			n := NewNode(config, Process{8}, rand.New(rand.NewPCG(1, 0)), 0)
			n.Answered(0, 0, []Identity{n.Identity(0)}, Unasked)
			for range 2 { // whatever is said again changes nothing
				for i, s := range c.says {
					s.Job, s.Index, s.Process, s.Leader, s.Silence = "uid", int32(i)+1, Process{byte(20 + i)}, former, 1
					n.Answered(0, s.Index, []Identity{Identity(s)}, Unasked)
				}
			}
			if l := n.leader; l.attempt != c.attempt || l.restarts != c.restarts || l.verdict.Kind != Open {
				t.Errorf("attempt %d after %d restarts, %v; want attempt %d after %d", l.attempt, l.restarts, l.verdict.Kind, c.attempt, c.restarts)
			}
		})
	}
}

// TestNode_stale has a peer that has followed this index 0, and what it said before that,
// which comes late: the answer to a call waits for other addresses of the name. Nobody has
// come in the place of this index 0 then, and somebody has when the peer follows a third.
func TestNode_stale(t *testing.T) {
	n := NewNode(modelConfig(2), Process{8}, rand.New(rand.NewPCG(1, 0)), 0)
	says := func(leader Process) State {
		return State{Job: "uid", Index: 1, Process: Process{9}, Attempt: 1, Phase: Running, Leader: leader, Silence: 1}
	}
	for _, tt := range []struct {
		leader  Process
		deposed bool
	}{{Process{}, false}, {Process{7}, false}, {Process{8}, false}, {Process{7}, false}, {Process{}, false}, {Process{8}, false}, {Process{6}, true}} {
		n.Answered(0, 1, []Identity{Identity(says(tt.leader))}, Unasked)
		if n.leader.deposed != tt.deposed {
			t.Errorf("a peer follows %v: deposed %v, want %v", tt.leader[0], n.leader.deposed, tt.deposed)
		}
	}
}

// TestNode_lateReplacement has an index 0 that waits, in the end, for one that has heard of the
// success and does not leave: it is lost. Its replacement comes and has to hear, too.
func TestNode_lateReplacement(t *testing.T) {
	n := NewNode(modelConfig(2), Process{8}, rand.New(rand.NewPCG(1, 0)), 0)
	now, replaced := time.Duration(0), false
	says := func(process byte, phase Phase, verdict Verdict) State {
		return State{Job: "uid", Index: 1, Process: Process{process}, Attempt: 1, Phase: phase, Verdict: verdict}
	}
	step := func() Actions {
		now += 100 * time.Millisecond
		a := n.Step(now)
		for _, index := range a.Calls {
			switch {
			case index == 0:
				n.Answered(now, 0, []Identity{n.Identity(now)}, Unasked)
			case replaced:
				n.Answered(now, 1, []Identity{Identity(says(10, Starting, Verdict{}))}, Gone)
			default:
				n.Answered(now, 1, []Identity{Identity(says(9, n.Phase(), n.Verdict()))}, Unasked)
			}
			a = n.Step(now) // at once, as the edges do
		}
		return a
	}
	receive := func(state State) Reply {
		t.Helper()
		reply, err := n.Receive(now, Report(state))
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	n.Answered(now, 0, []Identity{n.Identity(now)}, Unasked)
	n.Answered(now, 1, []Identity{Identity(says(9, Starting, Verdict{}))}, Unasked)
	for range 20 {
		receive(func() State { s := says(9, Starting, Verdict{}); s.Leader = Process{8}; return s }())
		step()
	}
	if n.Phase() != Running {
		t.Fatalf("%v: %s", n.Phase(), n.Waiting(now))
	}
	n.End(now, 0)
	for range 20 {
		receive(func() State { s := says(9, Ended, n.Verdict()); s.Leader = Process{8}; return s }())
		if a := step(); a.Leave {
			t.Fatal("leaves before the other has")
		}
	}
	if n.Verdict().Kind != Succeeded {
		t.Fatalf("verdict %v", n.Verdict())
	}
	replaced = true
	receive(says(10, Starting, Verdict{})) // from an unknown process: it is called
	for n.Process(1) != (Process{10}) {
		if a := step(); a.Leave {
			t.Fatal("leaves before the other has")
		}
	}
	if a := step(); a.Leave {
		t.Fatal("leaves before the replacement has heard")
	}
	if reply := receive(says(10, Starting, Verdict{})); reply.Verdict.Kind != Succeeded {
		t.Errorf("the replacement hears %+v", reply)
	}
	receive(says(10, Left, n.Verdict()))
	for range 20 {
		if a := step(); a.Leave {
			return
		}
	}
	t.Errorf("does not leave: %s", n.Waiting(now))
}

// TestNode_unconfirmed has an index 0 whose go does not count, because its name leads
// elsewhere. It has heard the peer all the same, which another index 0 must know.
func TestNode_unconfirmed(t *testing.T) {
	c := modelConfig(2)
	c.Index = 1
	n := NewNode(c, Process{9}, rand.New(rand.NewPCG(1, 0)), 0)
	reply := Reply{Job: "uid", Process: Process{8}, Attempt: 1, Known: true}
	n.Hear(time.Second, n.LastReport(time.Second), []Heard{{reply, true}}, Unasked)
	const later = 10 * time.Second
	reply.Go = true
	if counts := n.Hear(later, n.LastReport(later), []Heard{{reply, false}}, There); counts >= 0 {
		t.Error("a go counts that the name does not lead to")
	}
	if silence := n.LastReport(later).Silence; silence > 1 {
		t.Errorf("the peer says that index 0 last heard of it %d ms ago", silence)
	}
}
