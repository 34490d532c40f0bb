// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestNode_meetsAll has a new index 0 whose restarts are used up. It does not fail the group before
// it has met everybody: one of them knows that the group has succeeded.
func TestNode_meetsAll(t *testing.T) {
	success := Verdict{Kind: Succeeded, Attempt: 1}
	for name, tt := range map[string]struct {
		// last is what the last peer knows, and comes whether it does.
		last  Verdict
		comes bool
		want  VerdictKind
	}{
		"one of them knows better":     {success, true, Succeeded},
		"nobody knows":                 {Verdict{}, true, Failed},
		"the last one does not answer": {Verdict{}, false, Failed},
	} {
		c := modelConfig(3)
		c.Policy.MaxRestarts, c.Policy.Replacement = 0, true
		n := NewNode(c, Process{8}, rand.New(rand.NewPCG(1, 0)), 0)
		answers := func(index int32, verdict Verdict) {
			n.Answered(time.Second, index, []Identity{{
				Job: c.Job, Index: index, Process: Process{byte(index) + 1}, Attempt: 1, Phase: Ended, Leader: Process{7}, Silence: 1, Verdict: verdict,
			}}, Unasked)
		}
		n.Answered(time.Second, 0, []Identity{n.Identity(time.Second)}, Unasked)
		answers(1, Verdict{})
		n.Step(time.Second)
		n.Step(2 * time.Second)
		if got := n.leader.verdict.Kind; got != Open {
			t.Errorf("%s: the verdict is %v before all were met", name, got)
		}
		end := 3 * time.Second
		if tt.comes {
			answers(2, tt.last)
		} else {
			end = c.StartTimeout
		}
		n.Step(end)
		if got := n.leader.verdict.Kind; got != tt.want {
			t.Errorf("%s: the verdict is %v, want %v", name, got, tt.want)
		}
	}
}

// TestNode_comesAfterTheEnd has a peer that comes when the group has succeeded. It stays until
// everybody knows that, like any other.
func TestNode_comesAfterTheEnd(t *testing.T) {
	c := modelConfig(3)
	c.Index = 1
	n := NewNode(c, Process{2}, rand.New(rand.NewPCG(1, 0)), 0)
	reply := Reply{Job: c.Job, Process: Process{1}, Attempt: 1, Known: true, Verdict: Verdict{Kind: Succeeded, Attempt: 1}}
	n.Replied(time.Second, n.LastReport(time.Second), reply)
	if n.Step(time.Second).Leave {
		t.Error("it leaves before everybody knows")
	}
	reply.Go = true
	n.Replied(2*time.Second, n.LastReport(2*time.Second), reply)
	if !n.Step(2*time.Second).Leave || n.Outcome() != Together || n.ExitCode() != 0 {
		t.Errorf("it is told to leave: %v, code %d", n.Outcome(), n.ExitCode())
	}
}

// TestNode_countsLateSurvivors has a new index 0 that meets a peer first which has not started the
// attempt that another one runs. It goes on with the next one, and is lost before it meets the other.
// Whoever comes after it still counts the attempt, in whatever order it meets the two.
func TestNode_countsLateSurvivors(t *testing.T) {
	waits := func(attempt, restarts int32) State {
		return State{Attempt: attempt, Phase: Starting, Restarts: restarts}
	}
	runs := func(attempt, restarts int32) State {
		return State{Attempt: attempt, Phase: Running, Restarts: restarts}
	}
	for name, tt := range map[string]struct {
		first, last State
		// attempt is the one that comes next, restarts how many are used up then.
		attempt, restarts int32
		want              Verdict
	}{
		"a restart is left":                 {waits(2, 0), runs(1, 0), 3, 1, Verdict{}},
		"a restart is left, two lost":       {waits(5, 0), runs(1, 0), 6, 1, Verdict{}},
		"it was counted before":             {waits(3, 1), runs(2, 0), 4, 1, Verdict{}},
		"no restart is left":                {waits(3, 1), runs(2, 1), 4, 1, Verdict{Failed, 2, 0, Lost}},
		"no command had started":            {waits(3, 1), waits(2, 1), 4, 1, Verdict{}},
		"the command has ended":             {waits(3, 1), State{Attempt: 2, Phase: Ended, Restarts: 1}, 4, 1, Verdict{Failed, 2, 0, Lost}},
		"the command stops, and is counted": {waits(3, 1), State{Attempt: 2, Next: 3, Phase: Running, Restarts: 1}, 4, 1, Verdict{}},
		"index 0 was told to end":           {waits(3, 1), State{Attempt: 2, Phase: Running, Restarts: 1, LeaderEnds: true}, 4, 1, Verdict{}},
	} {
		for _, order := range [][2]State{{tt.first, tt.last}, {tt.last, tt.first}} {
			c := modelConfig(3)
			c.Policy.Replacement = true
			n := NewNode(c, Process{8}, rand.New(rand.NewPCG(1, 0)), 0)
			n.Answered(time.Second, 0, []Identity{n.Identity(time.Second)}, Unasked)
			for i, s := range order {
				s.Job, s.Index, s.Process, s.Leader, s.Silence = c.Job, int32(i+1), Process{byte(i) + 2}, Process{7}, 1
				n.Answered(time.Second, s.Index, []Identity{Identity(s)}, Unasked)
				reply, err := n.Receive(time.Second, Report(s))
				if err != nil || !reply.Known {
					t.Fatalf("%s: index %d is not heard: %v", name, s.Index, err)
				}
				if n.leader.doomed.Kind != Open && reply.Attempt > s.Attempt {
					t.Errorf("%s: index %d goes on with attempt %d, so that another index 0 can't find that the restarts are used up", name, s.Index, reply.Attempt)
				}
			}
			n.Step(time.Second)
			if l := n.leader; l.attempt != tt.attempt || l.restarts != tt.restarts || l.verdict != tt.want {
				t.Errorf("%s: attempt %d after %d restarts, verdict %v; want attempt %d after %d, verdict %v", name, l.attempt, l.restarts, l.verdict, tt.attempt, tt.restarts, tt.want)
			}
		}
	}
}

// TestNode_countsComplete has a new rank 0 that can't reach a peer whose role is Complete. Nobody
// waits for it, and what it has run counts all the same, because the last peer knows in which
// attempt that was.
func TestNode_countsComplete(t *testing.T) {
	knows := func(attempt, next, in, restarts int32) State {
		return State{Attempt: attempt, Next: next, Phase: Starting, Complete: 1 << 1, CompleteIn: in, Restarts: restarts}
	}
	for name, tt := range map[string]struct {
		state State
		// attempt is the one that comes next, restarts how many are used up then.
		attempt, restarts int32
		want              Verdict
	}{
		"it has run the last attempt":                          {knows(1, 0, 1, 0), 2, 1, Verdict{}},
		"that was counted before":                              {knows(2, 0, 1, 1), 3, 1, Verdict{}},
		"that was counted, and the peer stops":                 {knows(1, 2, 1, 1), 3, 1, Verdict{}},
		"no restart is left":                                   {knows(2, 0, 2, 1), 2, 1, Verdict{Failed, 2, 0, Lost}},
		"no restart is left, and the peer has come since":      {knows(1, 0, 2, 1), 2, 1, Verdict{Failed, 2, 0, Lost}},
		"the peer has come since, and goes on with the others": {knows(3, 0, 2, 1), 4, 1, Verdict{}},
	} {
		n, train := completeGroup(t)
		met(t, n, train, tt.state)
		n.Step(time.Second)
		if l := n.leader; tt.want.Kind == Open && (l.attempt != tt.attempt || l.restarts != tt.restarts) || l.doomed != tt.want {
			t.Errorf("%s: attempt %d after %d restarts, doomed %v; want attempt %d after %d, %v", name, l.attempt, l.restarts, l.doomed, tt.attempt, tt.restarts, tt.want)
		}
	}
}

// TestNode_restsLate has a new rank 0 that reaches a peer whose role is Complete only when the next
// attempt runs. It goes on, unless another rank 0 is ahead.
func TestNode_restsLate(t *testing.T) {
	for name, tt := range map[string]struct {
		rests   State
		attempt int32
	}{
		"it has ended":                     {State{Attempt: 1, Phase: Ended}, 2},
		"it was told of the next attempt":  {State{Attempt: 1, Next: 2, Phase: Ended, Restarts: 1}, 2},
		"it has come to the next attempt":  {State{Attempt: 2, Phase: Starting, Restarts: 1}, 2},
		"it knows that its role is so far": {State{Attempt: 1, Phase: Ended, Complete: 1 << 1, CompleteIn: 1}, 2},
		"the other rank 0 is ahead":        {State{Attempt: 1, Next: 3, Phase: Starting, Restarts: 1}, 4},
	} {
		n, train := completeGroup(t)
		met(t, n, train, State{Attempt: 1, Phase: Starting, Complete: 1 << 1, CompleteIn: 1})
		l := n.leader
		l.opened = l.attempt
		met(t, n, 1, tt.rests)
		if l.attempt != tt.attempt || l.restarts != 1 || l.doomed.Kind != Open {
			t.Errorf("%s: attempt %d after %d restarts, doomed %v; want attempt %d after 1", name, l.attempt, l.restarts, l.doomed, tt.attempt)
		}
	}
}

// TestModel_complete has a rank 0 that is lost together with a peer whose role is Complete. The attempt
// that both have run is counted, so that the group starts once more, and not twice.
func TestModel_complete(t *testing.T) {
	m := roleGroups[0].model(restarts(1))
	train := m.procs[2]
	m.until(t, func() bool { return train.node.peer.complete != 0 })
	m.do(choice{fault: parted, who: 0b011})
	m.do(choice{fault: lost, who: 1})
	m.until(t, func() bool { return train.command == 2 })
	m.do(choice{fault: fails, who: train.id})
	m.until(t, func() bool { return !train.alive })
	if m.broken != "" || train.node.Verdict().Kind != Failed || m.highest != 2 {
		t.Errorf("verdict %v after attempt %d, %s\n%s", train.node.Verdict(), m.highest, m.broken, m.history())
	}
}

// TestModel_leadsInVain has a rank 0 whose role is Complete, and which leads a peer that does not come to
// the next attempt: it was told to end when its command had ended with 0, and its Job makes no new Pod. Rank
// 0 gives up like one that waits to start.
func TestModel_leadsInVain(t *testing.T) {
	m := roleGroups[1].model(restarts(1))
	lead, train := m.procs[0], m.procs[1]
	m.until(t, func() bool { return train.command == 1 })
	m.do(choice{fault: parted, who: 0b01})
	m.end(train, 0)
	m.do(choice{fault: disrupted, who: train.id})
	m.until(t, func() bool { return lead.node.leader.attempt == 2 })
	began := m.now
	m.until(t, func() bool { return !lead.alive })
	if got := lead.node.ExitCode(); got != CodeTimedOut || m.now < began+m.config.StartTimeout {
		t.Errorf("rank 0 leaves with %d, %v after it has lost the other one: %v", got, m.now-began, lead.outcome)
	}
}

// until goes on until something is true.
func (m *model) until(t *testing.T, is func() bool) {
	t.Helper()
	for end := m.now + 3*time.Minute; !is() && m.broken == ""; {
		if m.now >= end {
			t.Fatalf("it does not come so far:\n%s", m.history())
		}
		if p := m.pending(false); p != nil {
			m.exchange(p, false, false)
		} else {
			m.advance(end)
		}
	}
}

// completeGroup is a new rank 0 of a group of three roles. The last peer waits for the role of the
// second one to be Complete.
func completeGroup(t *testing.T) (n *Node, last int32) {
	t.Helper()
	c := modelConfig(3)
	c.Roles, c.Policy.Replacement = roleGroups[0].roles, true
	n = NewNode(c, Process{8}, rand.New(rand.NewPCG(1, 0)), 0)
	n.Answered(time.Second, 0, []Identity{n.Identity(time.Second)}, Unasked)
	return n, 2
}

// met lets rank 0 meet a peer that has followed another one.
func met(t *testing.T, n *Node, index int32, s State) {
	t.Helper()
	s.Job, s.Group, s.Index, s.Process, s.Leader, s.Silence = "of-the-role", n.config.Job, index, Process{byte(index) + 2}, Process{7}, 1
	n.Answered(time.Second, index, []Identity{Identity(s)}, Unasked)
}

// TestNode_followedTwo has a new rank 0 whose peers have followed two others before it: a peer that
// follows one of them may be cut off, in the place of the one that followed the other. It has as long
// to stop as if this rank 0 had met only one.
func TestNode_followedTwo(t *testing.T) {
	lease := margin(Lease(3))
	for name, tt := range map[string]struct {
		leaders [2]byte
		silence [2]time.Duration
		// want is when every stranger has stopped, after the answers of the peers.
		want time.Duration
	}{
		"one":                       {[2]byte{7, 7}, [2]time.Duration{10 * time.Second, 4 * time.Second}, -10 * time.Second},
		"two":                       {[2]byte{7, 6}, [2]time.Duration{10 * time.Second, 4 * time.Second}, lease - 4*time.Second},
		"two, the first heard last": {[2]byte{7, 6}, [2]time.Duration{time.Second, 4 * time.Second}, lease - time.Second},
	} {
		c := modelConfig(3)
		c.Policy.Replacement = true
		n := NewNode(c, Process{8}, rand.New(rand.NewPCG(1, 0)), 0)
		now := time.Minute
		n.Answered(now, 0, []Identity{n.Identity(now)}, Unasked)
		for i, leader := range tt.leaders {
			s := State{Job: "uid", Index: int32(i) + 1, Process: Process{byte(i) + 2}, Attempt: 1, Phase: Starting, Leader: Process{leader}, Silence: tt.silence[i].Milliseconds()}
			n.Answered(now, s.Index, []Identity{Identity(s)}, Unasked)
		}
		if got, want := n.leader.strangersStop()-now, n.leader.wait()+tt.want; got != want {
			t.Errorf("%s: strangers stop after %v, want %v", name, got, want)
		}
	}
}
