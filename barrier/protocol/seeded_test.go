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
	{"no lease: a command that has lost index 0 runs on", []change{{
		"policy_peer.go", "		return p.contact + Lease(p.config.Size)\n", "		return never\n",
	}}},
	{"a go without the confirmation that every command has stopped", []change{{
		"policy_leader.go", "if r.attempt != l.attempt || r.phase != Starting && l.config.Policy.restarts() || !r.mine || r.terminating {", "if !r.mine || r.terminating {",
	}}},
	{"the attempt is not learned from the survivors", []change{{
		"policy_leader.go", "	l.attempt = state.Attempt + 1\n", "",
	}}},
	{"losing index 0 is success", []change{{
		"peer.go", "if p.config.Policy.restarts() && p.verdict.Kind != Succeeded {", "if false {",
	}}},
	{"the lease of a lost process is not waited for", []change{{
		"policy_leader.go", "		l.stops = max(l.stops, r.heard+l.wait())\n", "",
	}}},
	{"a new index 0 does not wait for processes that it never knew", []change{{
		"policy_leader.go", "	return !l.config.Policy.restarts() || now >= l.strangersStop()\n", "	return true\n",
	}}},
	{"index 0 renews leases although it misses a peer", []change{{
		"policy_leader.go", "	return now-r.heard >= Lease(l.config.Size)\n", "	return false\n",
	}}},
	{"a peer leaves with success before everybody knows of it", []change{{
		"policy_leader.go", "i > 0 && r.phase != Left && !r.verdict {", "i < 0 && r.verdict {",
	}}},
	{"a new index 0 forgets that its loss used up a restart", []change{{
		"policy_leader.go", "		used++\n", "",
	}}},
	{"a go of the attempt before counts in the next one", []change{
		{"policy_leader.go", "		r.granted = false\n", "		_ = r\n"},
		{"leader.go", "		r.phase, r.code, r.granted = 0, 0, false\n", "		r.phase, r.code = 0, 0\n"},
	}},
	{"a command that is told of the end of the group runs on", []change{{
		"policy_peer.go", "	case p.phase == Running:\n		p.stopping = true\n	case p.config.Index == 0:", "	case p.phase == Running:\n	case p.config.Index == 0:",
	}}},
	{"a replacement joins an attempt that runs", []change{{
		"policy_leader.go", "		l.cause = &cause{index, Lost, r.terminating}\n", "",
	}}},
	{"a lease counts from the reply, not from the report", []change{{
		"peer.go", "		p.contact = p.reported\n", "		p.contact = now + 2*CallTimeout\n",
	}}},
	{"a new index 0 does not learn the verdict", []change{{
		"policy_leader.go", "	if state.Verdict.Kind != Open && l.verdict.Kind == Open {\n		l.conclude(now, state.Verdict)\n	}\n", "",
	}}},
	{"a stranger who answers first takes the place of a slow peer", []change{{
		"place.go", "	case !l.fresh(now, r) || r.terminating:\n", "	case true:\n",
	}}},
	{"a stranger who answers first takes the place of a slow index 0", []change{{
		"place.go", "	case p.elected == Process{} || p.electedEnds || old == Gone:\n", "	case true:\n",
	}}},
	{"restarts are not counted", []change{{
		"policy_leader.go", "		l.restarts++\n", "",
	}}},
}

// change is one place of the source.
type change struct{ file, old, new string }

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
				if n := strings.Count(string(source), c.old); n != 1 {
					t.Fatalf("%s has what is changed %d times", c.file, n)
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
			command := exec.Command("go", "test", "-vet=off", "-count=1", "-overlay="+list, "-run=^TestModel(_random)?$", ".")
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
