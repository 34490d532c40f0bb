// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// seededBugs are changes to this package, each of which is a mistake that somebody
// could make. The model must find every one of them.
var seededBugs = []struct {
	name    string
	changes []change
}{
	{name: "no lease: a command that has lost index 0 runs on", changes: []change{{
		"policy_peer.go", "		return p.contact + Lease(p.config.Size)\n", "		return never\n",
	}}},
	{name: "a go without the confirmation that every command has stopped", changes: []change{{
		"policy_leader.go", "if r.attempt != l.attempt || r.phase != Starting && l.config.Policy.restarts() || !r.mine || r.terminating {", "if !r.mine || r.terminating {",
	}}},
	{name: "the attempt is not learned from the survivors", changes: []change{{
		"policy_leader.go", "		l.attempt = last + 1\n", "",
	}}},
	{name: "losing index 0 is success", changes: []change{{
		"peer.go", "if p.config.Policy.restarts() && p.verdict.Kind != Succeeded {", "if false {",
	}}},
	{name: "the lease of a lost process is not waited for", changes: []change{{
		"policy_leader.go", "		l.stops = max(l.stops, r.heard+l.wait())\n", "",
	}}},
	{name: "a new index 0 does not wait for processes that it never knew", changes: []change{{
		"policy_leader.go", "	return !l.config.Policy.restarts() || now >= l.strangersStop()\n", "	return true\n",
	}}},
	{name: "index 0 renews leases although it misses a peer", changes: []change{{
		"policy_leader.go", "	return now-r.heard >= Lease(l.config.Size)\n", "	return false\n",
	}}},
	{name: "a peer leaves with success before everybody knows of it", changes: []change{{
		"policy_leader.go", "i > 0 && r.phase != Left && !r.verdict {", "i < 0 && r.verdict {",
	}}},
	{name: "a new index 0 forgets that its loss used up a restart", changes: []change{{
		"policy_leader.go", "		l.restarts = state.Restarts + 1\n", "",
	}}},
	{name: "the loss of index 0 uses up a restart although no command had started", changes: []change{{
		"policy_leader.go", "	charges := began && !state.LeaderEnds && ", "	charges := !state.LeaderEnds && ",
	}}},
	{name: "a go of the attempt before counts in the next one", changes: []change{
		{"policy_leader.go", "		r.granted, r.freed = false, false\n", "		_ = r\n"},
		{"leader.go", "		r.phase, r.code, r.spared, r.granted = 0, 0, false, false\n", "		r.phase, r.code, r.spared = 0, 0, false\n"},
	}},
	{name: "a command that is told of the end of the group runs on", changes: []change{{
		"policy_peer.go", "	case p.phase == Running:\n		p.stopping = true\n	case p.config.Index == 0:", "	case p.phase == Running:\n	case p.config.Index == 0:",
	}}},
	{name: "a replacement joins an attempt that runs", changes: []change{{
		"policy_leader.go", "		l.cause = &cause{index, Lost, r.terminating}\n", "",
	}}},
	{name: "a lease counts from the reply, not from the report", changes: []change{{
		"peer.go", "		p.contact = p.reported\n", "		p.contact = now + 2*CallTimeout\n",
	}}},
	{name: "a new index 0 does not learn the verdict", changes: []change{{
		"policy_leader.go", "	if state.Verdict.Kind != Open && l.verdict.Kind == Open {\n		l.conclude(now, state.Verdict)\n	}\n", "",
	}}},
	{name: "a stranger who answers first takes the place of a slow peer", changes: []change{{
		"place.go", "	case !l.fresh(now, r) || r.terminating:\n", "	case true:\n",
	}}},
	{name: "a stranger who answers first takes the place of a slow index 0", changes: []change{{
		"place.go", "	case p.elected == Process{} || p.electedEnds || old == Gone:\n", "	case true:\n",
	}}},
	{name: "restarts are not counted", changes: []change{{
		"policy_leader.go", "		l.restarts++\n", "",
	}}},
	{name: "the success roles are done before their commands have ended", changes: []change{{
		"policy_leader.go", "		if l.isAtRest(i) || !l.config.decides(i) {\n", "		if l.isAtRest(i) || !l.config.decides(i) || r.phase == Running {\n",
	}}},
	{name: "a role starts before the one for which it waits is Complete", changes: []change{{
		"roles.go", "l.afterStarted[role].in(l.running) && l.afterComplete[role].in(l.settled)", "l.afterStarted[role].in(l.running)",
	}}},
	{name: "a role starts before the commands of the one for which it waits run", changes: []change{{
		"roles.go", "l.afterStarted[role].in(l.running) && l.afterComplete[role].in(l.settled)", "l.afterComplete[role].in(l.settled)",
	}}},
	{name: "a role counts as Complete before everybody knows that it is", changes: []change{{
		"roles.go", "l.complete & known & resting", "l.complete & resting",
	}}},
	{name: "a role that is Complete runs again in a restart", changes: []change{{
		"policy_peer.go", "	case p.isComplete() && p.phase != Running:\n", "	case false:\n",
	}}},
	{name: "a new index 0 does not learn which roles are Complete", changes: []change{{
		"roles.go", "	l.complete |= state.Complete\n", "",
	}}},
	{name: "who serves is not told that the success roles are done", changes: []change{{
		"policy_peer.go", "		p.stopping = p.stopping || p.config.serves(p.config.Index)\n", "",
	}}},
	{name: "who serves ends with the code of the command that was stopped", changes: []change{{
		"roles.go", "		p.code, p.excused = 0, true\n", "",
	}}},
	{name: "index 0 does not miss a peer whose role is Complete", changes: []change{{
		"policy_leader.go", "	case l.isAtRest(index) && r.phase < Left && l.expired(now, r):\n", "	case l.isAtRest(index):\n		return nil\n	case false:\n",
	}}},
	{name: "FailPeerJob: who failed first ends with its own code, although nobody of its Job says that the group has failed", changes: []change{{
		"policy.go", "	case p.verdict.Kind == Failed && p.first() && p.witnessed:\n", "	case p.verdict.Kind == Failed && p.first():\n",
	}}},
	{name: "FailPeerJob: who is told that the group has failed ends with the code of its command", changes: []change{{
		"policy.go", "	case p.verdict.Kind == Failed:\n		return CodeGroupFailed\n", "	case p.verdict.Kind == Failed:\n		return p.code\n",
	}}},
	{name: "FailPeerJob: a peer whose Pod was disrupted counts as one with which its Job fails", changes: []change{{
		"policy_leader.go", "l.config.role(int32(i)) != role || r.terminating:\n", "l.config.role(int32(i)) != role:\n",
	}}},
	{name: "FailPeerJob: who failed first counts on a rank 0 that was killed", changes: []change{{
		"policy_peer.go", "			p.witnessed = p.witnessed && leave // index 0 may have been killed before it has ended so\n", "",
	}}},
	{name: "FailPeerJob: rank 0 leaves before the others know that the group has failed", changes: []change{{
		"policy_leader.go", "	return now >= l.judged+farewell\n", "	return true\n",
	}}},
	{name: "FailPeerJob: rank 0 does not tell the Jobs of the others", changes: []change{{
		"policy_leader.go", "	l.verdict, l.judged = verdict, now\n	l.tell()\n", "	l.verdict, l.judged = verdict, now\n	if l.config.Policy.restarts() {\n		l.tell()\n	} else {\n		l.verdict = Verdict{}\n	}\n",
	}}},
	{name: "FailPeerJob: a rank 0 that waits to start and is told to end does not tell how the group ends", changes: []change{{
		"node.go", "	if n.leader != nil && n.leader.verdict.Kind == Failed && n.peer.phase == Starting && !n.peer.terminating {\n", "	if false {\n",
	}}},
	{name: "FailPeerJob: rank 0 that serves leaves with the code of its command, because the others have left", changes: []change{{
		"peer.go", "	if outcome == Together && p.fails(p.code) {\n", "	if false {\n",
	}}},
	{name: "FailPeerJob: a new rank 0 takes a peer that it has met for one of the next run", changes: []change{{
		"roles.go", "	if l.records[state.Index].process == state.Process {\n		return false // it came before that was known\n	}\n", "",
	}}},
}

// change is one place of the source.
type change struct{ file, old, new string }

// TestSeededBugs holds each mistake to what the source has now.
func TestSeededBugs(t *testing.T) {
	for _, bug := range seededBugs {
		for _, c := range bug.changes {
			source, err := os.ReadFile(c.file)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(source), c.old); n != 1 {
				t.Errorf("%s: %s has what is changed %d times", bug.name, c.file, n)
			}
		}
	}
}

// TestModel_seeded builds this package with each of the mistakes, and requires that the
// model finds it.
func TestModel_seeded(t *testing.T) {
	if modelLevel() < 2 {
		t.Skip("set PEERJOB_MODEL=2 to build this package with each of the mistakes; it takes minutes")
	}
	for _, bug := range seededBugs {
		t.Run(bug.name, func(t *testing.T) {
			folder, err := filepath.Abs(".")
			if err != nil {
				t.Fatal(err)
			}
			replace := map[string]string{}
			for _, c := range bug.changes {
				source, err := os.ReadFile(c.file)
				if err != nil {
					t.Fatal(err)
				}
				changed := filepath.Join(t.TempDir(), c.file)
				if err := os.WriteFile(changed, []byte(strings.Replace(string(source), c.old, c.new, 1)), 0o666); err != nil {
					t.Fatal(err)
				}
				replace[filepath.Join(folder, c.file)] = changed
			}
			overlay, err := json.Marshal(map[string]any{"Replace": replace})
			if err != nil {
				t.Fatal(err)
			}
			list := filepath.Join(t.TempDir(), "overlay.json")
			if err := os.WriteFile(list, overlay, 0o666); err != nil {
				t.Fatal(err)
			}
			command := exec.Command("go", "test", "-vet=off", "-count=1", "-failfast", "-overlay="+list, "-run=^TestModel(_random|_roles|_failRoles|_failUntil)?$", ".")
			command.Env = append(os.Environ(), "PEERJOB_MODEL=1")
			out, err := command.CombinedOutput()
			_, violation, found := strings.Cut(string(out), "violated: ")
			if err == nil || !found {
				t.Fatalf("the model does not find it:\n%s", out)
			}
			line, _, _ := strings.Cut(violation, "\n")
			t.Log(line)
		})
	}
}
