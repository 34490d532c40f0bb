// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

// roleGroup has the roles of a group of real runners, and the flags of the peers of each.
type roleGroup struct {
	name, flags string
	size        int
}

// newRoleGroup makes a network of Pods for roles. A peer's command runs a script whose
// arguments are its attempt and its rank.
func newRoleGroup(t *testing.T, flags, script string, roles ...roleGroup) *policyGroup {
	t.Helper()
	files := map[string]string{}
	hosts, names, common, rank := "127.0.0.1 localhost\n", "", "", 0
	for _, role := range roles {
		names += fmt.Sprintf("export %s=x-%s\n", nameVariable(role.name), role.name)
		common += fmt.Sprintf(" --role=%s:%d", role.name, role.size)
	}
	for _, role := range roles {
		for index := range role.size {
			hosts += fmt.Sprintf("10.77.0.1%d x-%s-%d.svc\n", rank, role.name, index)
			files[fmt.Sprintf("env%d", rank)] = names + fmt.Sprintf(
				"export JOB_COMPLETION_INDEX=%d PEERJOB_ROLE=%s PEERJOB_UID=uid-%[2]s PEERJOB_SIZE=%d\nflags='%s'\n", index, role.name, role.size, common+" "+role.flags)
			rank++
		}
	}
	files["hosts"] = hosts
	return newGroup(t, rank, flags, "set -- $1 $PEERJOB_RANK\n"+script, files)
}

const (
	// roleBarrier are the flags of a group without a failure policy.
	roleBarrier = "--start-timeout=60s --end-timeout=20s --grace-period=10s"
	// roleRestart are those of one that restarts.
	roleRestart = "--on-failure=RestartPeerJob --start-timeout=60s --end-timeout=0s --grace-period=10s --max-restarts="
	// says writes that the command has started, and when.
	says = `
now() { sleep $1 & wait $!; }
date +%s.%N > started$2
echo "attempt ${PEERJOB_ATTEMPT:-1} rank $2 of $PEERJOB_WORLD_SIZE"
`
)

// launcherAndWorkers is a launcher, and four workers that serve it.
func launcherAndWorkers(flags string) []roleGroup {
	return []roleGroup{{"launcher", flags + " --depends-on=worker:Started", 1}, {"worker", flags, 4}}
}

// seconds is the time in a file.
func (g *policyGroup) seconds(file string, index int) float64 {
	g.t.Helper()
	at, err := strconv.ParseFloat(strings.TrimSpace(g.read(file, index)), 64)
	if err != nil {
		g.t.Fatal(err)
	}
	return at
}

func (g *policyGroup) wantLog(index int, lines ...string) {
	g.t.Helper()
	log := g.read("log", index)
	for _, line := range lines {
		if strings.Count(log, line) != 1 {
			g.t.Errorf("the log of peer %d does not have once: %s", index, line)
		}
	}
}

// TestRoles_success has a launcher that ends. The workers, which would serve for ever, are
// told to end, and end with 0, with each failure policy and without one.
func TestRoles_success(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string]string{
		"without a policy": roleBarrier,
		"FailPeerJob":      roleBarrier + " --on-failure=FailPeerJob",
		"RestartPeerJob":   roleRestart + "3",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRoleGroup(t, flags, says+`
if [ $2 = 0 ]; then now 1; date +%s.%N > done0; exit 0; fi
trap 'date +%s.%N > told'$2'; exit 7' TERM
now 1000`, launcherAndWorkers("--success-role=launcher")...)
			g.startAll()
			g.until("out", 0, "attempt")
			g.do("status 0")
			if got := g.line(); got != "status 0" {
				t.Fatal(got)
			}
			if page := g.read("status", 0); !strings.Contains(page, "peer      0 of 5, launcher-0\n") || !strings.Contains(page, "role      launcher, index 0 of 1\n") {
				t.Errorf("the status:\n%s", page)
			}
			codes, _ := g.ended()
			ended := float64(time.Now().UnixNano()) / 1e9
			g.wantCodes(codes, "0", "0", "0", "0", "0")
			done := g.seconds("done", 0)
			for i := 1; i < 5; i++ {
				if took := g.seconds("told", i) - done; took > 2 {
					t.Errorf("worker-%d is told %.2f s after the launcher's end", i-1, took)
				}
				g.wantLog(i, "in role launcher, every command has ended with 0: the group is done, and this peer ends with 0\n", "exit code 0 in place of 7, that of the command: the group is done\n")
				if out := g.read("out", i); out != fmt.Sprintf("attempt 1 rank %d of 5\n", i) {
					t.Errorf("output of rank %d: %s", i, out)
				}
			}
			if ended-done > 3 {
				t.Errorf("all have ended %.2f s after the launcher", ended-done)
			}
			t.Logf("all have ended %.2f s after the launcher", ended-done)
			g.wantLog(0, "peer 0 of 5, launcher-0 (x-launcher-0.svc): waiting for every peer", "worker-3 is there\n")
		})
	}
}

// TestRoles_restart has a worker that fails: both roles run again, and never two attempts at
// once.
func TestRoles_restart(t *testing.T) {
	t.Parallel()
	g := newRoleGroup(t, roleRestart+"3", `
attempt=$1 rank=$2
ls run-* 2>/dev/null | grep -v "^run-$attempt-" && echo overlap
touch run-$attempt-$rank
end() { sleep 0.2; rm run-$attempt-$rank; exit $1; }
trap 'end 1' TERM`+says+`
if [ $1$2 = 13 ]; then now 1; end 3; fi
if [ $1$2 = 20 ]; then now 1; end 0; fi
now 1000`, launcherAndWorkers("--success-role=launcher")...)
	g.startAll()
	codes, _ := g.ended()
	g.wantCodes(codes, "0", "0", "0", "0", "0")
	for i := range 5 {
		if out, want := g.read("out", i), fmt.Sprintf("attempt 1 rank %d of 5\nattempt 2 rank %[1]d of 5\n", i); out != want {
			t.Errorf("output of rank %d:\n%s", i, out)
		}
		g.wantLog(i, "worker-2 failed with code 3 in attempt 1; the group starts again as attempt 2, restart 1 of 3, in 1s\n")
	}
}

// TestRoles_missing has a role that never comes: all name it.
func TestRoles_missing(t *testing.T) {
	t.Parallel()
	g := newRoleGroup(t, "--start-timeout=3s --end-timeout=20s", says, roleGroup{"launcher", "", 1}, roleGroup{"worker", "", 2})
	g.size = 1
	g.startAll()
	codes, _ := g.ended()
	g.wantCodes(codes, "75")
	g.wantMessage(0, "start: timed out after 3s; waited for 2 of 3 peers: worker-0 (never heard of), worker-1 (never heard of); the command did not run (exit code 75)")
}

// TestRoles_complete has a role that waits for one to be Complete. The peers of that one
// leave, and it does not run again in a restart.
func TestRoles_complete(t *testing.T) {
	t.Parallel()
	g := newRoleGroup(t, roleRestart+"3", says+`
if [ $2 = 1 ] || [ $2 = 2 ]; then now 1.$2; date +%s.%N > ended$2; exit 0; fi
if [ $1$2 = 10 ]; then until [ -e left ]; do now 0.1; done; exit 3; fi
until [ -e go ]; do now 0.1; done`, roleGroup{"train", "--depends-on=data:Complete", 1}, roleGroup{"data", "", 2})
	g.startAll()
	codes := []string{g.line(), g.line()}
	if slices.Sort(codes); !slices.Equal(codes, []string{"peer 1: 0", "peer 2: 0"}) {
		t.Fatalf("%q, want that the peers of the role that is Complete leave", codes)
	}
	g.until("out", 0, "attempt 1 rank 0 of 3")
	for _, i := range []int{1, 2} {
		if g.seconds("started", 0) < g.seconds("ended", i) {
			t.Errorf("train-0 has started before data-%d has ended", i-1)
		}
		g.wantLog(i, "leaving: its role is Complete\n")
	}
	g.touch("left")
	g.until("out", 0, "attempt 2 rank 0 of 3")
	g.touch("go")
	if got := g.line(); got != "peer 0: 0" {
		t.Error(got)
	}
	g.wantLog(0, "role data is Complete\n", "train-0 failed with code 3 in attempt 1")
	for _, i := range []int{1, 2} {
		if out := g.read("out", i); strings.Count(out, "attempt") != 1 {
			t.Errorf("data-%d has run again: %s", i-1, out)
		}
	}
}

// TestRoles_failsAll has a first role that is done before the others, and a failure of the second:
// rank 0 has stayed, and the third hears of it.
func TestRoles_failsAll(t *testing.T) {
	t.Parallel()
	g := newRoleGroup(t, "--start-timeout=60s --end-timeout=1s --on-failure=FailPeerJob --grace-period=10s", says+`
if [ $2 = 0 ]; then exit 0; fi
if [ $2 = 1 ]; then now 4; exit 3; fi
now 1000`, roleGroup{"a", "", 1}, roleGroup{"b", "--depends-on=a:Complete", 2}, roleGroup{"c", "", 1})
	g.startAll()
	codes, _ := g.ended()
	g.wantCodes(codes, "76", "3", "76", "76")
	g.wantLog(0, "end: staying until every peer has ended, and telling the others if one fails\n", "b-0 failed with code 3 in attempt 1: the group has failed\n")
}

// TestRoles_onlyPeer has roles of one peer, whose failure ends the group: nobody else in its Job
// says that with 76, as its Job needs to hear it.
func TestRoles_onlyPeer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ flags, failing string }{
		"a worker that is told to end": {"--start-timeout=60s --on-failure=FailPeerJob --grace-period=10s", "1"},
		"after the last restart":       {roleRestart + "0", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRoleGroup(t, tt.flags, says+`
if [ $2 = `+tt.failing+` ]; then now 1; exit 3; fi
now 1000`, roleGroup{"launcher", "--success-role=launcher", 1}, roleGroup{"worker", "--success-role=launcher", 1})
			g.startAll()
			codes, _ := g.ended()
			g.wantCodes(codes, "76", "76")
			failing := int(tt.failing[0] - '0')
			who := []string{"launcher-0", "worker-0"}[failing] + " failed with code 3 in attempt 1"
			for i := range 2 {
				if i == failing {
					g.wantLog(i, "exit code 76 in place of 3, that of the command: this peer failed first, and no other peer of its Job says so\n")
				} else if log := g.read("log", i); !strings.Contains(log, "exit code 76: another peer failed first\n") {
					t.Errorf("the log of %d:\n%s", i, log)
				}
				if message := g.read("message", i); !strings.Contains(message, who) || strings.Contains(message, ", first of all, and no other peer of its Job says so: ") != (i == failing) {
					t.Errorf("the message of %d: %s", i, message)
				}
			}
		})
	}
}

// TestRoles_lastPeer has a role of two peers, of which one has ended with 0 when the other one fails:
// that one says so with 76, because nobody else of its Job does.
func TestRoles_lastPeer(t *testing.T) {
	t.Parallel()
	g := newRoleGroup(t, "--start-timeout=60s --on-failure=FailPeerJob --grace-period=10s", says+`
if [ $2 = 1 ]; then exit 0; fi
if [ $2 = 2 ]; then now 2; exit 3; fi
now 1000`, roleGroup{"launcher", "--success-role=launcher", 1}, roleGroup{"worker", "--success-role=launcher", 2})
	g.startAll()
	codes, _ := g.ended()
	g.wantCodes(codes, "76", "0", "76")
	if message, want := g.read("message", 2), "worker-1 failed with code 3 in attempt 1, first of all, and no other peer of its Job says so: the group has failed (exit code 76)"; !strings.Contains(message, want) {
		t.Errorf("the message of worker-1: %s", message)
	}
}

// TestRoles_held has a role that waits for longer than the time for the start: that bounds
// the coming of the peers, not the work of another role.
func TestRoles_held(t *testing.T) {
	t.Parallel()
	g := newRoleGroup(t, "--start-timeout=2s --end-timeout=20s", says+`
test $2 = 0 && now 4
exit 0`, roleGroup{"data", "", 1}, roleGroup{"train", "--depends-on=data:Complete", 1})
	g.startAll()
	g.until("out", 0, "attempt 1 rank 0")
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		g.do("status 1")
		if got := g.line(); got != "status 1" {
			t.Fatal(got)
		}
		page := g.read("status", 1)
		if strings.Contains(page, "waits for role data to be Complete: data-0 (running)\n") && !strings.Contains(page, "gives up") {
			break
		}
		if time.Since(began) > 3*time.Second {
			t.Fatalf("the status:\n%s", page)
		}
	}
	codes, _ := g.ended()
	g.wantCodes(codes, "0", "0")
	g.wantLog(0, "end: staying until its role is Complete\n", "role data is Complete\n")
	g.wantLog(1, "start: every peer is there, data is Complete, after ")
}

func TestRoleOptions(t *testing.T) {
	t.Parallel()
	variables := map[string]string{
		"PEERJOB_ROLE": "big-worker", "PEERJOB_SERVICE": "svc", "PEERJOB_UID": "uid", "JOB_COMPLETION_INDEX": "2",
		"PEERJOB_HEAD_NAME": "x-head", "PEERJOB_BIG_WORKER_NAME": "y-big-worker",
	}
	flags := func(text string) (*roleOptions, error) {
		o := &runOptions{}
		if err := runFlags(o).Parse(strings.Fields(text)); err != nil {
			return nil, err
		}
		return &o.roles, o.roles.check(o)
	}
	o, err := flags("--port=1 --role=head:2 --role=big-worker:3 --depends-on=head:Complete --success-role=big-worker")
	if err != nil {
		t.Fatal(err)
	}
	c, err := o.peerConfig(func(name string) string { return variables[name] })
	if err != nil || c.Validate() == nil || c.Index != 4 || c.Size != 5 || c.Name(1) != "x-head-1.svc" || c.Name(4) != "y-big-worker-2.svc" || c.Label(4) != "big-worker-2" {
		t.Errorf("%+v, %v", c, err)
	}
	c.Start = true // which the dependency needs
	if err := c.Validate(); err != nil || c.AfterComplete != protocol.RoleSet(0).With(0) || c.Success != protocol.RoleSet(0).With(1) {
		t.Errorf("%+v, %v", c, err)
	}
	for name, want := range map[string]string{
		"PEERJOB_ROLE":            "PEERJOB_ROLE is not set; peerjob sets it in the containers of a PeerJob with roles",
		"PEERJOB_BIG_WORKER_NAME": "PEERJOB_BIG_WORKER_NAME is not set; peerjob sets it in the containers of a PeerJob with roles",
		"PEERJOB_ROLE=x":          `PEERJOB_ROLE is "x", and there is no --role=x:SIZE`,
		"JOB_COMPLETION_INDEX=3":  `JOB_COMPLETION_INDEX is "3", and must be from 0 to 2 in role big-worker`,
	} {
		changed, value, _ := strings.Cut(name, "=")
		_, err := o.peerConfig(func(name string) string {
			if name == changed {
				return value
			}
			return variables[name]
		})
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	for text, want := range map[string]string{
		"--role=x":                             `invalid value "x" for flag -role: must be NAME:SIZE with a size from 1 to 100000, such as worker:4`,
		"--role=x:0":                           `invalid value "x:0" for flag -role: must be NAME:SIZE with a size from 1 to 100000, such as worker:4`,
		"--role=:1":                            `invalid value ":1" for flag -role: must be NAME:SIZE with a size from 1 to 100000, such as worker:4`,
		"--role=x:1 --role=x:2":                "--role=x is there twice",
		"--role=x:100000 --role=y:1":           "the roles have 100001 peers; at most 100000 can be",
		"--depends-on=x":                       `invalid value "x" for flag -depends-on: must be NAME:Started or NAME:Complete`,
		"--depends-on=x:Started":               "--depends-on and --success-role need --role",
		"--success-role=x":                     "--depends-on and --success-role need --role",
		"--role=x:1 --success-role=y --port=1": "there is no --role=y:SIZE for a role that --depends-on or --success-role names",
		"--role=x:1 --success-role=x":          "--depends-on and --success-role need --port",
		"--role=x:1 --until=0:1":               "--until is for the indexes of one Job's successPolicy, and a group with --role has several Jobs; write --success-role=NAME in its place",
		strings.Repeat("--role=x:1 ", 2):       "--role=x is there twice",
		seventeenRoles():                       "17 roles; at most 16 can be",
		"--role=x:1 --role=y:1 --depends-on=z:Complete --port=1": "there is no --role=z:SIZE for a role that --depends-on or --success-role names",
	} {
		if _, err := flags(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func seventeenRoles() (flags string) {
	for i := range 17 {
		flags += fmt.Sprintf(" --role=r%d:1", i)
	}
	return flags
}
