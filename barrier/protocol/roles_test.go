// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// threeRoles are data, which ends, workers, which serve, and a launcher. First is the role
// that leads the group.
func threeRoles(first string) worldConfig {
	c := worldConfig{latency: 10 * time.Millisecond, publish: time.Second, endTimeout: 30 * time.Second}
	switch first {
	case "data":
		c.roles = []Role{{"data", 2}, {"worker", 4}, {"launcher", 1}}
		c.waits = []roleWaits{{}, {complete: 1 << 0}, {started: 1 << 1, complete: 1 << 0}}
		c.success = 1 << 2
	case "worker":
		c.roles = []Role{{"worker", 4}, {"launcher", 1}, {"data", 2}}
		c.waits = []roleWaits{{complete: 1 << 2}, {started: 1 << 0, complete: 1 << 2}, {}}
		c.success = 1 << 1
	case "launcher":
		c.roles = []Role{{"launcher", 1}, {"worker", 4}, {"data", 2}}
		c.waits = []roleWaits{{started: 1 << 1, complete: 1 << 2}, {complete: 1 << 2}, {}}
		c.success = 1 << 0
	}
	c.size = 7
	return c
}

// work is how long the command of a peer of a role takes.
func (c worldConfig) workOf(index int32) time.Duration {
	switch (Config{Roles: c.roles}).role(index) {
	case roleNamed(c, "data"):
		return 20 * time.Second
	case roleNamed(c, "launcher"):
		return 40 * time.Second
	}
	return 0 // serves
}

func roleNamed(c worldConfig, name string) int {
	for i, role := range c.roles {
		if role.Name == name {
			return i
		}
	}
	return -1
}

// peersOf are the ranks of a role.
func (c worldConfig) peersOf(name string) (ranks []int32) {
	for rank := range c.size {
		if (Config{Roles: c.roles}).role(rank) == roleNamed(c, name) {
			ranks = append(ranks, rank)
		}
	}
	return ranks
}

// TestSimulation_roles has data, workers and a launcher on a network that loses messages,
// without a failure policy. Pods are killed and replaced. Each role starts when it may, the
// workers are told when the launcher has ended, and all end with 0.
func TestSimulation_roles(t *testing.T) {
	for _, first := range []string{"data", "worker", "launcher"} {
		for seed := range uint64(60) {
			config := threeRoles(first)
			faulty := seed%2 == 1
			if faulty {
				config.loss, config.twice = 0.05, 0.05
			}
			w := newWorld(config, seed)
			for rank := range config.size {
				w.after(w.upTo(5*time.Second), func() { w.start(rank, config.workOf(rank)) })
			}
			if faulty {
				// A worker is killed while it waits, or while it serves, and replaced.
				at := 10*time.Second + w.upTo(30*time.Second)
				victim := config.peersOf("worker")[w.random.IntN(4)]
				w.after(at, func() { w.pods[victim][0].kill() })
				w.after(at+4*time.Second, func() { w.start(victim, 0) })
			}
			w.run(10 * time.Minute)
			report(t, w)
			launcher := w.pods[config.peersOf("launcher")[0]][0]
			if !launcher.ended {
				t.Fatalf("%s first, seed %d: the launcher waits for %s", first, seed, launcher.node.Waiting(w.now))
			}
			for rank, pods := range w.pods {
				p := pods[len(pods)-1]
				if !p.left || p.node.ExitCode() != 0 {
					t.Fatalf("%s first, seed %d: %s: left %t, %v, code %d, waits for %s", first, seed, p.node.config.Label(int32(rank)), p.left, p.outcome, p.node.ExitCode(), p.node.Waiting(w.now))
				}
				if soon := p.toldAt - launcher.endedAt; p.toldAt > 0 && !faulty && soon > time.Second {
					t.Errorf("%s first, seed %d: %s is told %v after the end of the launcher", first, seed, p.node.config.Label(int32(rank)), soon)
				}
			}
			for _, rank := range config.peersOf("data") {
				if p := w.pods[rank][0]; rank > 0 && (p.outcome != RoleComplete || p.leftAt > launcher.openedAt+10*time.Second) {
					t.Errorf("%s first, seed %d: the data is Complete, and a peer leaves at %v: %v; the launcher starts at %v", first, seed, p.leftAt, p.outcome, launcher.openedAt)
				}
			}
		}
	}
}

// TestSimulation_rolesLeaderReplaced has a worker that leads, and is killed before the
// launcher ends. The launcher stays until the new one has told the others, for longer than
// the time for the end.
func TestSimulation_rolesLeaderReplaced(t *testing.T) {
	for seed := range uint64(20) {
		config := threeRoles("worker")
		w := newWorld(config, seed)
		for rank := range config.size {
			w.start(rank, config.workOf(rank))
		}
		w.run(40 * time.Second)
		launcher := w.pods[4][0]
		w.after(launcher.openedAt+35*time.Second-w.now, func() { w.pods[0][0].kill() })
		w.after(launcher.openedAt+100*time.Second-w.now, func() { w.start(0, 0) })
		w.run(launcher.openedAt + 95*time.Second)
		if !launcher.ended || launcher.left {
			t.Fatalf("seed %d: the launcher has left: %v, and nobody told the workers", seed, launcher.outcome)
		}
		w.run(launcher.openedAt + 110*time.Second)
		report(t, w)
		for rank, pods := range w.pods {
			if p := pods[len(pods)-1]; !p.left || p.node.ExitCode() != 0 {
				t.Errorf("seed %d: rank %d: left %t, %v, code %d", seed, rank, p.left, p.outcome, p.node.ExitCode())
			}
		}
	}
}

// TestSimulation_rolesPolicy has the same roles with a failure policy: a worker fails, and
// all but the data run again, or fail.
func TestSimulation_rolesPolicy(t *testing.T) {
	for _, first := range []string{"data", "worker", "launcher"} {
		for _, action := range []Action{FailPeerJob, RestartPeerJob} {
			config := threeRoles(first)
			config.policy = Policy{Action: action, MaxRestarts: 3, Backoff: time.Second, Grace: time.Second}
			w := newWorld(config, 1)
			for rank := range config.size {
				w.start(rank, 0)
			}
			all := func(name string, do func(*simPod)) {
				for _, rank := range config.peersOf(name) {
					do(w.pods[rank][0])
				}
			}
			is := func(name string, attempt int32) {
				t.Helper()
				all(name, func(p *simPod) {
					if p.command != attempt {
						t.Fatalf("%s first, policy %d: %s runs attempt %d, want %d; waits for %s", first, action, p.node.config.Label(p.index), p.command, attempt, p.node.Waiting(w.now))
					}
				})
			}
			w.run(time.Minute)
			is("data", 1)
			is("worker", 0)
			is("launcher", 0)
			w.pods[config.peersOf("data")[0]][0].exit(0)
			w.run(2 * time.Minute)
			is("worker", 0)
			w.pods[config.peersOf("data")[1]][0].exit(0)
			w.run(3 * time.Minute)
			is("data", 0)
			is("worker", 1)
			is("launcher", 1)
			w.pods[config.peersOf("worker")[1]][0].exit(3)
			w.run(4 * time.Minute)
			if action == FailPeerJob {
				all("worker", func(p *simPod) {
					if !p.left || p.outcome != GroupFailed {
						t.Errorf("%s first: %s: %v", first, p.node.config.Label(p.index), p.outcome)
					}
				})
				continue
			}
			is("data", 0)
			is("worker", 2)
			is("launcher", 2)
			ended := w.now
			all("launcher", func(p *simPod) { p.exit(0) })
			w.run(ended + 10*time.Second)
			for rank, pods := range w.pods {
				p := pods[0]
				if !p.left || p.node.ExitCode() != 0 || p.toldAt-ended > time.Second {
					t.Errorf("%s first: rank %d: left %t, %v, code %d, told after %v", first, rank, p.left, p.outcome, p.node.ExitCode(), p.toldAt-ended)
				}
			}
		}
	}
}

// TestSimulation_rolesMany has a launcher and 1,000 workers: how long it takes until all are
// told.
func TestSimulation_rolesMany(t *testing.T) {
	w := newWorld(worldConfig{
		size: 1001, latency: 5 * time.Millisecond, endTimeout: 30 * time.Second,
		roles: []Role{{"launcher", 1}, {"worker", 1000}}, waits: []roleWaits{{started: 1 << 1}, {}}, success: 1 << 0,
	}, 1)
	for rank := range int32(1001) {
		w.start(rank, time.Duration(max(0, 1-rank))*time.Minute)
	}
	w.run(10 * time.Minute)
	report(t, w)
	ended, last := w.pods[0][0].endedAt, time.Duration(0)
	for rank, pods := range w.pods {
		if !pods[0].left || pods[0].node.ExitCode() != 0 {
			t.Fatalf("rank %d: left %t, %v", rank, pods[0].left, pods[0].outcome)
		}
		last = max(last, pods[0].toldAt)
	}
	if last-ended > 2500*time.Millisecond {
		t.Errorf("the last worker is told %v after the launcher's end", last-ended)
	}
	t.Logf("the last of 1,000 workers is told %.2f s after the launcher's end", (last - ended).Seconds())
}

// TestSimulation_rolesHeld has data that takes longer than the time for the start, and a
// peer that is lost meanwhile: that its replacement does not come is what ends the wait.
func TestSimulation_rolesHeld(t *testing.T) {
	for _, lost := range []bool{false, true} {
		config := threeRoles("launcher")
		w := newWorld(config, 1)
		for rank := range config.size {
			work := config.workOf(rank)
			if rank >= 5 {
				work = 3 * startTimeout
			}
			w.start(rank, work)
		}
		if lost {
			w.after(startTimeout, func() { w.pods[0][0].kill() })
		}
		w.run(2*startTimeout + time.Minute)
		for _, rank := range config.peersOf("worker") {
			p := w.pods[rank][0]
			if p.left != lost || lost && p.outcome != StartTimedOut {
				t.Errorf("lost %t: rank %d: left %t, %v", lost, rank, p.left, p.outcome)
			}
		}
	}
}

// TestSimulation_rolesStuck has two roles that wait for each other: the time for the start
// ends that, and everybody says why.
func TestSimulation_rolesStuck(t *testing.T) {
	w := newWorld(worldConfig{
		size: 2, latency: time.Millisecond, roles: []Role{{"a", 1}, {"b", 1}}, waits: []roleWaits{{started: 1 << 1}, {complete: 1 << 0}},
	}, 1)
	w.start(0, time.Second)
	w.start(1, time.Second)
	w.run(time.Minute)
	if got, want := w.pods[1][0].node.Waiting(w.now), "role a to be Complete: a-0 (waiting for other roles); the roles a and b wait for each other"; got != want {
		t.Errorf("waits for %q, want %q", got, want)
	}
	w.run(2 * startTimeout)
	for rank := range 2 {
		if p := w.pods[rank][0]; p.outcome != StartTimedOut {
			t.Errorf("rank %d: %v", rank, p.outcome)
		}
	}
}

func rolesConfig() Config {
	return Config{
		Job: "uid", Index: 3, Size: 5, Start: true, Name: func(i int32) string { return fmt.Sprintf("x-%d", i) },
		Roles: []Role{{"launcher", 1}, {"worker", 4}},
	}
}

func TestConfig_roles(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"fine":                {func(*Config) {}, ""},
		"a dependency":        {func(c *Config) { c.AfterStarted = 1 << 0 }, ""},
		"no roles":            {func(c *Config) { c.Roles, c.Success = nil, 1 }, "a dependency or a success role, and no roles"},
		"too many":            {func(c *Config) { c.Roles = make([]Role, 17) }, "17 roles, and 16 are the most"},
		"no name":             {func(c *Config) { c.Roles = []Role{{"", 5}} }, "a role has no name"},
		"nobody":              {func(c *Config) { c.Roles = []Role{{"a", 5}, {"b", 0}} }, "role b: 0 peers: must be 1 or more"},
		"two of a name":       {func(c *Config) { c.Roles = []Role{{"a", 2}, {"a", 3}} }, "two roles have the name a"},
		"another size":        {func(c *Config) { c.Size = 6 }, "6 peers, and those of the roles are 5"},
		"no such role":        {func(c *Config) { c.Success = 1 << 2 }, "a role that does not exist"},
		"waits for itself":    {func(c *Config) { c.AfterComplete = 1 << 1 }, "role worker waits for itself"},
		"waits without start": {func(c *Config) { c.AfterComplete, c.Start = 1<<0, false }, "a role that waits for another needs a barrier at the start"},
		"rules for indexes":   {func(c *Config) { c.Until = []Until{{}} }, "the rules of a successPolicy are for the indexes of one Job; a group with roles has success roles"},
	} {
		c := rolesConfig()
		tt.change(&c)
		got := ""
		if err := c.Validate(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	c := rolesConfig()
	for rank, want := range []string{"launcher-0", "worker-0", "worker-1", "worker-2", "worker-3", "rank 5"} {
		if got := c.Label(int32(rank)); got != want {
			t.Errorf("rank %d is %s, want %s", rank, got, want)
		}
	}
	for set, want := range map[RoleSet]string{0: "", 1: "launcher", 3: "launcher and worker"} {
		if got := c.names(set); got != want {
			t.Errorf("%b: %q, want %q", set, got, want)
		}
	}
	c.AfterStarted, c.AfterComplete = 1<<1, 1<<0
	if got, want := c.Met(), "launcher is Complete and worker has started"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestRuns tells two runs of a group apart, although each role is a Job of its own and no
// peer knows the others' before it has met them.
func TestRuns(t *testing.T) {
	worker := func(group string) *Node {
		c := rolesConfig()
		c.Job = "worker-uid"
		n := NewNode(c, Process{9}, rand.New(rand.NewPCG(1, 0)), 0)
		n.peer.group = group
		return n
	}
	for _, tt := range []struct {
		group, leader string
		want          bool
	}{
		{"", "launcher-uid", true},
		{"", "", false},
		{"launcher-uid", "launcher-uid", true},
		{"launcher-uid", "another", false},
	} {
		n := worker(tt.group)
		err := n.Greet(Hello{Job: tt.leader, Index: 3, Purpose: ToCall, Nonce: Nonce{1}})
		if (err == nil) != tt.want {
			t.Errorf("of %q, called by %q: %v", tt.group, tt.leader, err)
		}
		counts := n.Hear(0, n.LastReport(0), []Heard{{Reply{Job: tt.leader, Process: Process{8}, Attempt: 1}, true}}, Unasked)
		if (counts == 0) != tt.want {
			t.Errorf("of %q, a reply of %q counts: %d", tt.group, tt.leader, counts)
		}
	}
	c := rolesConfig()
	c.Job, c.Index = "launcher-uid", 0
	leader := NewNode(c, Process{8}, rand.New(rand.NewPCG(1, 0)), 0)
	leader.leader.runs[1] = runOf("worker-uid")
	for _, tt := range []struct {
		job, group string
		index      int32
		want       bool
	}{
		{"worker-uid", "", 3, true},
		{"worker-uid", "launcher-uid", 3, true},
		{"worker-uid", "another", 3, false},
		{"another", "", 3, false},
		{"launcher-uid", "", 0, true},
		{"another", "", 0, false},
	} {
		_, err := leader.Receive(0, Report{Job: tt.job, Group: tt.group, Index: tt.index, Process: Process{9}, Attempt: 1, Phase: Starting})
		if (err == nil) != tt.want {
			t.Errorf("%+v: %v", tt, err)
		}
	}
	for hello, want := range map[string]bool{"": true, "launcher-uid": true, "another": false} {
		if err := leader.Greet(Hello{Job: hello, Purpose: ToReport, Nonce: Nonce{1}}); (err == nil) != want {
			t.Errorf("a hello of %q: %v", hello, err)
		}
	}
}

// TestSimulation_rolesRuns has the Pods of an earlier run of the group, which leave soon,
// when those of the next one come. Nobody of one run starts with one of the other.
func TestSimulation_rolesRuns(t *testing.T) {
	for seed := range uint64(50) {
		config := threeRoles("launcher")
		w := newWorld(config, seed)
		for rank := range config.size {
			w.start(rank, config.workOf(rank))
		}
		w.run(45 * time.Second) // all run
		w.config.run = "-next"
		for rank := range config.size {
			w.after(w.upTo(4*time.Second), func() { w.pods[rank][0].terminate() })
			w.after(w.upTo(4*time.Second), func() { w.start(rank, config.workOf(rank)) })
		}
		w.run(45*time.Second + startTimeout/2)
		for rank, pods := range w.pods {
			old, p := pods[0], pods[len(pods)-1]
			if !old.left {
				t.Errorf("seed %d: rank %d of the earlier run has not left", seed, rank)
			}
			if !p.left || p.node.ExitCode() != 0 || !p.opened {
				t.Errorf("seed %d: rank %d: opened %t, left %t, %v, waits for %s", seed, rank, p.opened, p.left, p.outcome, p.node.Waiting(w.now))
			}
		}
		for _, rank := range config.peersOf("data") {
			if w.pods[rank][1].openedAt < 45*time.Second {
				t.Errorf("seed %d: rank %d", seed, rank)
			}
		}
	}
}

// TestWire_roles requires that a group without roles says what it said before there were
// any, so that runners of two versions understand each other.
func TestWire_roles(t *testing.T) {
	c := Config{Job: "uid", Index: 0, Size: 2, Start: true, End: true, Name: func(i int32) string { return fmt.Sprint(i) }}
	n := NewNode(c, Process{1}, rand.New(rand.NewPCG(1, 0)), 0)
	n.Started(0)
	reply, err := n.Receive(0, Report{Job: "uid", Index: 1, Process: Process{2}, Attempt: 1, Phase: Starting})
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range []any{n.LastReport(0), n.Identity(0), reply} {
		data, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range []string{"group", "started", "afterStarted", "afterComplete", "complete", "held", "owed"} {
			if strings.Contains(string(data), `"`+member+`"`) {
				t.Errorf("%s has the member %s", data, member)
			}
		}
	}
}

// TestSimulation_rolesServed has workers that fail by themselves when the launcher ends,
// because it has ended, a little before it is known, or after. That fails nobody.
func TestSimulation_rolesServed(t *testing.T) {
	for _, action := range []Action{EachForItself, FailPeerJob, RestartPeerJob} {
		for _, first := range []string{"worker", "launcher"} {
			for seed := range uint64(30) {
				config := threeRoles(first)
				config.policy = Policy{Action: action, MaxRestarts: 3, Grace: time.Second}
				w := newWorld(config, seed)
				for rank := range config.size {
					w.start(rank, time.Duration(1-min(1, action))*config.workOf(rank))
				}
				launcher := w.pods[config.peersOf("launcher")[0]][0]
				if action != EachForItself {
					w.run(30 * time.Second)
					for _, rank := range config.peersOf("data") {
						w.pods[rank][0].exit(0)
					}
					w.run(time.Minute)
				} else {
					for !launcher.opened {
						w.run(w.now + time.Second)
					}
					w.run(launcher.openedAt + 39*time.Second)
				}
				fail := func(p *simPod) {
					if action != EachForItself {
						p.exit(1)
					} else if !p.gone && !p.ended {
						p.ended, p.endedAt = true, w.now
						p.node.End(w.now, 1)
						p.step()
					}
				}
				end := w.now + time.Second
				if action != EachForItself {
					w.after(time.Second, func() { launcher.exit(0) })
				} else {
					end = launcher.openedAt + 40*time.Second
				}
				for _, rank := range config.peersOf("worker") {
					if rank == 0 && action == EachForItself {
						continue // who leads does not wait: it comes back, and hears it
					}
					p := w.pods[rank][0]
					w.after(end-w.now-100*time.Millisecond+w.upTo(time.Second), func() { fail(p) })
				}
				w.run(end + time.Minute)
				for rank, pods := range w.pods {
					if p := pods[0]; !p.left || p.node.ExitCode() != 0 {
						t.Errorf("policy %d, %s first, seed %d: %s: left %t, %v, code %d", action, first, seed, p.node.config.Label(int32(rank)), p.left, p.outcome, p.node.ExitCode())
					}
				}
				if launcher.node.peer.attempt != 1 {
					t.Errorf("policy %d, %s first, seed %d: attempt %d", action, first, seed, launcher.node.peer.attempt)
				}
			}
		}
	}
}

// TestSimulation_rolesFailJobs has a first role that is done long before the others, without
// success roles, and FailPeerJob: rank 0 stays until all have ended, and when a peer fails, those
// of the other Jobs hear of it.
func TestSimulation_rolesFailJobs(t *testing.T) {
	for name, c := range map[string]worldConfig{
		"barriers":             {endTimeout: 5 * time.Second},
		"no barrier":           {noStart: true, noEnd: true},
		"start only":           {noEnd: true},
		"nobody waits":         {endTimeout: 5 * time.Second, waits: []roleWaits{{}, {}, {}}},
		"nobody waits, no end": {noStart: true, noEnd: true, waits: []roleWaits{{}, {}, {}}},
	} {
		for _, code := range []int32{0, 3} {
			c.size, c.latency, c.publish = 4, 10*time.Millisecond, time.Second
			c.roles = []Role{{"a", 1}, {"b", 1}, {"c", 2}}
			if c.waits == nil {
				c.waits = []roleWaits{{}, {complete: 1 << 0}, {}}
			}
			c.policy = Policy{Action: FailPeerJob, Grace: time.Second}
			w := newWorld(c, 1)
			for rank := range c.size {
				w.start(rank, 0)
			}
			w.run(time.Minute)
			a, b := w.pods[0][0], w.pods[1][0]
			a.exit(0)
			w.run(time.Hour)
			if a.left {
				t.Errorf("%s: rank 0 has left at %v: %v", name, a.leftAt, a.outcome)
			}
			if b.command != 1 {
				t.Fatalf("%s: b-0 does not run, and waits for %s", name, b.node.Waiting(w.now))
			}
			b.exit(code)
			if code == 0 {
				w.run(2 * time.Hour)
				if a.left {
					t.Errorf("%s: rank 0 has left at %v, and c runs", name, a.leftAt)
				}
				w.pods[2][0].exit(0)
				w.pods[3][0].exit(0)
			}
			ended := w.now
			w.run(w.now + 10*time.Second)
			want := []int32{0, 0, 0, 0}
			if code != 0 {
				want = []int32{CodeGroupFailed, CodeGroupFailed, CodeGroupFailed, CodeGroupFailed} // b-0 has no other in its Job
			}
			for rank, pods := range w.pods {
				p := pods[0]
				if !p.left || p.node.ExitCode() != want[rank] || code != 0 && rank > 1 && p.toldAt-ended > time.Second {
					t.Errorf("%s, b-0 exits with %d: rank %d: left %t, %v, code %d, want %d; told after %v", name, code, rank, p.left, p.outcome, p.node.ExitCode(), want[rank], p.toldAt-ended)
				}
			}
		}
	}
}

// TestSimulation_rolesFailLater has a group that fails while peers of another Job do not answer. Nobody
// but rank 0 tells them, so it stays for those that may yet: else they would run forever.
func TestSimulation_rolesFailLater(t *testing.T) {
	for _, action := range []Action{FailPeerJob, RestartPeerJob} {
		for _, c := range []struct {
			frozen, most time.Duration
			told         bool
		}{{5 * time.Second, 8 * time.Second, true}, {8 * time.Second, 12 * time.Second, true}, {time.Hour, GoneAfter(3) + 5*time.Second, false}} {
			w := newWorld(worldConfig{
				size: 3, latency: time.Millisecond, endTimeout: time.Hour, roles: []Role{{"launcher", 1}, {"worker", 2}}, waits: make([]roleWaits, 2), success: 1 << 0,
				policy: Policy{Action: action, Grace: time.Second},
			}, 1)
			for rank := range int32(3) {
				w.start(rank, 0)
			}
			w.run(10 * time.Second)
			launcher := w.pods[0][0]
			w.freeze(1, c.frozen)
			w.freeze(2, c.frozen)
			launcher.exit(3)
			ended := w.now
			w.run(w.now + time.Minute)
			if took := launcher.leftAt - ended; !launcher.left || took > c.most {
				t.Errorf("action %d, frozen for %v: the launcher: left %t, after %v, want %v", action, c.frozen, launcher.left, took, c.most)
			}
			for _, pods := range w.pods[1:] {
				if p := pods[0]; c.told && (!p.left || p.node.ExitCode() != CodeGroupFailed) {
					t.Errorf("action %d, frozen for %v: %s: left %t, code %d: %v", action, c.frozen, p.node.config.Label(p.index), p.left, p.node.ExitCode(), p.outcome)
				}
			}
		}
	}
}

// TestSimulation_rolesFailJobsAway has a peer that is never there, without a barrier at the start:
// rank 0 does not stay forever, and it stays for one that comes late.
func TestSimulation_rolesFailJobsAway(t *testing.T) {
	for _, late := range []bool{false, true} {
		w := newWorld(worldConfig{
			size: 2, latency: 10 * time.Millisecond, noStart: true, noEnd: true,
			roles: []Role{{"a", 1}, {"b", 1}}, waits: []roleWaits{{}, {}}, policy: Policy{Action: FailPeerJob},
		}, 1)
		a := w.start(0, 0)
		w.after(time.Minute, func() { a.exit(0) })
		if late {
			w.after(comeTimeout-time.Minute, func() { w.start(1, 0) })
		}
		w.run(comeTimeout - time.Second)
		if a.left {
			t.Fatalf("late %t: rank 0 has left at %v: %v", late, a.leftAt, a.outcome)
		}
		w.run(comeTimeout + time.Hour)
		if a.left == late {
			t.Errorf("late %t: rank 0 has left: %t, %v", late, a.left, a.outcome)
		}
		if late {
			w.pods[1][0].exit(0)
			w.run(w.now + 10*time.Second)
			if !a.left || a.outcome != Together {
				t.Errorf("rank 0 has left: %t, %v", a.left, a.outcome)
			}
		}
	}
}
