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
