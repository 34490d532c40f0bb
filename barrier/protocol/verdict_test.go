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
