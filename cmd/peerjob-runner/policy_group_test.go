// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// policyScript does on the network what stdin says: start a peer on a machine, or signal
// it. The runner is process 1, as in a container. A file env<i> has what the peer is told
// besides.
const policyScript = networkScript + `
mount -t proc proc /proc
while read what i more; do
  case $what in
  start)
    (
      code=0
      export JOB_COMPLETION_INDEX=$i PEERJOB_INDEX_IGNORED_FAILURES=$more
      if [ -e env$i ]; then . ./env$i; fi
      sh -c 'echo $$ > $0; exec "$@"' pid$i ip netns exec p$i unshare --pid --fork --mount-proc "$1" run --port=7450 --termination-message=message$i $2 $flags -- $3 >> out$i 2>> log$i || code=$?
      echo "peer $i: $code"
    ) &
    ;;
  signal) kill -$more $(cat /proc/$(cat pid$i)/task/*/children) || : ;;
  cut) ip link set v$i down ;;
  mend) ip link set v$i up ;;
  status) ip netns exec p$i "$1" status --port=7450 > status$i; echo "status $i" ;;
  esac
done`

// policyGroup is three real runners with a failure policy, or more with roles.
type policyGroup struct {
	size   int
	t      *testing.T
	folder string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	lines  chan string
}

// newPolicyGroup makes the network. Peers have these flags, and run a script whose
// first argument is the attempt.
func newPolicyGroup(t *testing.T, flags, script string) *policyGroup {
	t.Helper()
	return newGroup(t, 3, flags, script, map[string]string{
		"hosts": "127.0.0.1 localhost\n10.77.0.10 train-0.svc\n10.77.0.11 train-1.svc\n10.77.0.12 train-2.svc\n",
	})
}

// newGroup makes a network of so many machines, and a folder with these files.
func newGroup(t *testing.T, size int, flags, script string, files map[string]string) *policyGroup {
	t.Helper()
	for _, tool := range []string{"ip", "unshare"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s, to make a network of Pods: %v", tool, err)
		}
	}
	g := &policyGroup{t: t, size: size, folder: t.TempDir(), lines: make(chan string, 100)}
	files["command"] = script
	machines := ""
	for i := range size {
		machines += fmt.Sprintf(" %d", i)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(g.folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g.cmd = exec.CommandContext(t.Context(), "sh", "-c", policyScript, "sh", built, flags, "sh command $(PEERJOB_ATTEMPT)")
	g.cmd.Dir, g.cmd.SysProcAttr = g.folder, ownNamespaces()
	g.cmd.Env = append(os.Environ(), "machines="+machines)
	var stderr strings.Builder
	g.cmd.Stderr = &stderr
	var err error
	if g.stdin, err = g.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := g.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Start(); errors.Is(err, syscall.EPERM) {
		t.Skipf("no namespaces here: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(g.lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			g.lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() {
		_ = g.stdin.Close()
		_ = g.cmd.Wait()
		if t.Failed() || testing.Verbose() {
			t.Logf("stderr: %s\n%s", stderr.String(), logs(g.folder))
		}
	})
	return g
}

// do has the script do something.
func (g *policyGroup) do(format string, args ...any) {
	_, _ = fmt.Fprintf(g.stdin, format+"\n", args...)
}

func (g *policyGroup) startAll() {
	for i := range g.size {
		g.do("start %d", i)
	}
}

// line waits for a line of the script.
func (g *policyGroup) line() string {
	g.t.Helper()
	select {
	case line := <-g.lines:
		return line
	case <-time.After(2 * time.Minute):
		g.t.Fatal("the script says nothing")
	}
	return ""
}

// ended waits for the ends of all peers. It returns their exit codes, and which was the
// last.
func (g *policyGroup) ended() (codes []string, last int) {
	g.t.Helper()
	codes = make([]string, g.size)
	for range codes {
		index, code, found := strings.Cut(strings.TrimPrefix(g.line(), "peer "), ": ")
		var err error
		if last, err = strconv.Atoi(index); err != nil || !found {
			g.t.Fatalf("the script says %q", index)
		}
		codes[last] = code
	}
	return codes, last
}

func (g *policyGroup) read(file string, index int) string {
	return read(g.t, filepath.Join(g.folder, file+strconv.Itoa(index)))
}

// until waits until a file of a peer has a text.
func (g *policyGroup) until(file string, index int, text string) {
	g.t.Helper()
	name := filepath.Join(g.folder, file+strconv.Itoa(index))
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		content, _ := os.ReadFile(name)
		if strings.Contains(string(content), text) {
			return
		}
		if time.Since(began) > 40*time.Second {
			g.t.Fatalf("no %q in %s:\n%s", text, name, content)
		}
	}
}

func (g *policyGroup) wantCodes(codes []string, want ...string) {
	g.t.Helper()
	if !slices.Equal(codes, want) {
		g.t.Errorf("exit codes %q, want %q", codes, want)
	}
}

// wantLine requires that the logs of all peers have a line, once.
func (g *policyGroup) wantLine(line string) {
	g.t.Helper()
	for i := range 3 {
		if n := strings.Count(g.read("log", i), "peerjob-runner: "+line+"\n"); n != 1 {
			g.t.Errorf("the log of peer %d has %d times %q", i, n, line)
		}
	}
}

func (g *policyGroup) wantMessage(index int, want string) {
	g.t.Helper()
	if got := g.read("message", index); got != "peerjob-runner: "+want+"\n" {
		g.t.Errorf("the termination message of peer %d is %q, want %q", index, got, want)
	}
}

const (
	restartFlags = "--on-failure=RestartPeerJob --backoff=1s --start-timeout=60s --end-timeout=0s --max-restarts="
	failFlags    = "--on-failure=FailPeerJob --start-timeout=60s --end-timeout=20s"
	// noOverlap says "overlap" if a command of another attempt runs. It takes a while to
	// end.
	noOverlap = `
attempt=$1
test $attempt = $PEERJOB_ATTEMPT || echo "the variable has $PEERJOB_ATTEMPT"
ls run-* 2>/dev/null | grep -v "^run-$attempt-" && echo overlap
touch run-$attempt-$JOB_COMPLETION_INDEX
end() { sleep 0.2; rm run-$attempt-$JOB_COMPLETION_INDEX; exit $1; }
trap 'end 1' TERM
echo "attempt $attempt $(date +%s.%N)"
now() { sleep $1 & wait $!; }
`
)

// started returns when an attempt started, in seconds, in each peer, and requires that
// attempts started in order.
func (g *policyGroup) started(attempts int) (last float64) {
	g.t.Helper()
	for i := range 3 {
		lines := strings.Split(strings.TrimSpace(g.read("out", i)), "\n")
		if len(lines) != attempts {
			g.t.Errorf("output of peer %d:\n%s\nwant %d attempts", i, strings.Join(lines, "\n"), attempts)
			continue
		}
		for a, line := range lines {
			var attempt int
			var at float64
			if _, err := fmt.Sscanf(line, "attempt %d %f", &attempt, &at); err != nil || attempt != a+1 {
				g.t.Errorf("peer %d: %q, want attempt %d", i, line, a+1)
			}
			last = max(last, at)
		}
	}
	return last
}

// TestPolicy_restart has a peer that fails in the middle of its work: all run again, once
// everything of the attempt before has ended.
func TestPolicy_restart(t *testing.T) {
	t.Parallel()
	g := newPolicyGroup(t, restartFlags+"3", noOverlap+`
if [ $attempt$JOB_COMPLETION_INDEX = 11 ]; then now 1; date +%s.%N > failed0; end 3; fi
test $attempt = 1 && now 1000
now 2
end 0`)
	g.startAll()
	g.until("out", 0, "attempt 2")
	g.do("status 0")
	if got := g.line(); got != "status 0" {
		t.Fatal(got)
	}
	page := g.read("status", 0)
	for _, want := range []string{"attempt   2\n", "restarts  1 of 3\n", "because   train-1.svc failed with code 3 in attempt 1\n", "verdict   none yet\n"} {
		if !strings.Contains(page, want) {
			t.Errorf("the status has no %q:\n%s", want, page)
		}
	}
	codes, _ := g.ended()
	g.wantCodes(codes, "0", "0", "0")
	g.wantLine("train-1.svc failed with code 3 in attempt 1; the group starts again as attempt 2, restart 1 of 3, in 1s")
	failed, err := strconv.ParseFloat(strings.TrimSpace(g.read("failed", 0)), 64)
	if err != nil {
		t.Fatal(err)
	}
	took := g.started(2) - failed - 1 - 0.2 - 0.2 // the back-off, and two ends of 0.2 s
	t.Logf("all run again %.2f s after the back-off and the ends of the commands", took)
	if took > 3 {
		t.Errorf("%.2f s after the back-off and the ends of the commands", took)
	}
}

// TestPolicy_usedUp has a peer that fails in each attempt.
func TestPolicy_usedUp(t *testing.T) {
	t.Parallel()
	g := newPolicyGroup(t, restartFlags+"2", noOverlap+`
if [ $JOB_COMPLETION_INDEX = 1 ]; then now 0.3; end 3; fi
now 1000`)
	g.startAll()
	codes, _ := g.ended()
	g.wantCodes(codes, "76", "3", "76")
	g.started(3)
	const why = "train-1.svc failed with code 3 in attempt 3"
	g.wantLine("train-1.svc failed with code 3 in attempt 2; the group starts again as attempt 3, restart 2 of 2, in 2s")
	g.wantLine(why + ", after 2 of 2 restarts: the group has failed")
	g.wantMessage(0, why+": the group has failed (exit code 76)")
	g.wantMessage(1, why+", first of all: the group has failed (exit code 3)")
	g.wantMessage(2, why+": the group has failed (exit code 76)")
}

// TestPolicy_fail has an index 0 that fails, and a peer that does not heed SIGTERM.
func TestPolicy_fail(t *testing.T) {
	t.Parallel()
	g := newPolicyGroup(t, failFlags+" --grace-period=1s", `
test $JOB_COMPLETION_INDEX = 2 && trap '' TERM
echo started
if [ $JOB_COMPLETION_INDEX = 0 ]; then sleep 0.3; exit 3; fi
sleep 1000; sleep 1000`)
	g.startAll()
	codes, _ := g.ended()
	g.wantCodes(codes, "3", "76", "76")
	g.wantLine("train-0.svc failed with code 3 in attempt 1: the group has failed")
	g.wantMessage(0, "train-0.svc failed with code 3 in attempt 1, first of all: the group has failed (exit code 3)")
	for i, want := range map[int]string{1: "the command was killed by SIGTERM", 2: "the command was killed by SIGKILL"} {
		if log := g.read("log", i); !strings.Contains(log, want) || !strings.Contains(log, "stopping the command with SIGTERM, and SIGKILL after 1s") {
			t.Errorf("the log of peer %d has no %q", i, want)
		}
	}
}

// TestPolicy_successPolicy has peers that are done before the one that decides, which fails: index 0
// has stayed, and says so with 76.
func TestPolicy_successPolicy(t *testing.T) {
	t.Parallel()
	g := newPolicyGroup(t, "--on-failure=FailPeerJob --start-timeout=60s --until=2", `
test $JOB_COMPLETION_INDEX = 2 || exit 0
sleep 2; exit 3`)
	g.startAll()
	codes, _ := g.ended()
	g.wantCodes(codes, "76", "0", "3")
	g.wantMessage(0, "train-2.svc failed with code 3 in attempt 1: the group has failed (exit code 76)")
	if log := g.read("log", 0); !strings.Contains(log, "end: staying until the Job has succeeded, and telling the others if one fails\n") {
		t.Errorf("the log of index 0:\n%s", log)
	}
}

// TestPolicy_toldWhenDone has an index 0 that is told to end when its command has ended with 0. A peer that
// fails after that says so to the Job, because nobody tells the others.
func TestPolicy_toldWhenDone(t *testing.T) {
	t.Parallel()
	g := newPolicyGroup(t, "--on-failure=FailPeerJob --start-timeout=60s --until=2", `
if [ $JOB_COMPLETION_INDEX = 1 ]; then until test -e left; do sleep 0.1; done; exit 3; fi
if [ $JOB_COMPLETION_INDEX = 2 ]; then trap 'exit 1' TERM; sleep 1000 & wait $!; fi`)
	g.startAll()
	g.until("log", 0, "end: staying until the Job has succeeded")
	g.do("signal 0 TERM")
	if line := g.line(); line != "peer 0: 0" {
		t.Errorf("%q, want that index 0 ends with 0", line)
	}
	if err := os.WriteFile(filepath.Join(g.folder, "left"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if line := g.line(); line != "peer 1: 76" {
		t.Errorf("%q, want that index 1 fails the Job", line)
	}
	const want = "the command failed with code 3, and index 0 was told to end and can't tell the others: the Job fails (exit code 76)\n"
	if message := g.read("message", 1); !strings.HasSuffix(message, want) {
		t.Errorf("the termination message of index 1:\n%s", message)
	}
	g.do("signal 2 TERM")
	if line := g.line(); line != "peer 2: 143" {
		t.Errorf("%q, want that index 2 is told to end", line)
	}
}

// TestPolicy_ownTermination has a command that ends with 143 although nobody has told its Pod to end,
// when index 0 is gone.
func TestPolicy_ownTermination(t *testing.T) {
	t.Parallel()
	g := newPolicyGroup(t, "--on-failure=FailPeerJob --start-timeout=60s", `
test $JOB_COMPLETION_INDEX = 1 || exit 0
sleep 1; exit 143`)
	g.startAll()
	codes, _ := g.ended()
	g.wantCodes(codes, "0", "76", "0")
	if log := g.read("log", 1); !strings.Contains(log, "exit code 76 in place of 143, that of the command: the Job would take it for a Pod that was told to end\n") {
		t.Errorf("the log of index 1:\n%s", log)
	}
}

// TestPolicy_cannotRun has a peer without the command.
func TestPolicy_cannotRun(t *testing.T) {
	t.Parallel()
	g := newPolicyGroup(t, failFlags, `test $JOB_COMPLETION_INDEX = 1 && exec /nonexistent; sleep 1000`)
	g.startAll()
	codes, _ := g.ended()
	g.wantCodes(codes, "76", "127", "76")
	g.wantLine("train-1.svc failed with code 127 in attempt 1: the group has failed")
}

// TestPolicy_spared has a peer whose code the Job's rules ignore: the others run on.
func TestPolicy_spared(t *testing.T) {
	t.Parallel()
	g := newPolicyGroup(t, failFlags+" --exit-code-rule=Ignore:In:42 --exit-code-rule=FailJob:NotIn:7", `
test $JOB_COMPLETION_INDEX = 1 && exit 42
test $JOB_COMPLETION_INDEX = 2 && { sleep 1; exit 9; }
sleep 1000`)
	g.startAll()
	codes, last := g.ended()
	g.wantCodes(codes, "76", "42", "9")
	if last == 1 {
		t.Error("a peer whose code is spared ended last")
	}
	if log := g.read("log", 0); !strings.Contains(log, "train-2.svc failed with code 9 in attempt 1: the group has failed\n") || !strings.Contains(log, "train-1.svc ended with code 42\n") {
		t.Error("index 0 does not say who ended how")
	}
}

// TestPolicy_told has a Pod that is told to end, and replaced: no restart is used up.
func TestPolicy_told(t *testing.T) {
	t.Parallel()
	g := newPolicyGroup(t, restartFlags+"0", noOverlap+`
test $attempt = 1 && now 1000
end 0`)
	g.startAll()
	for i := range 3 {
		g.until("out", i, "attempt 1")
	}
	g.do("signal 1 TERM")
	if got := g.line(); got != "peer 1: 143" {
		t.Errorf("%s, want 143", got)
	}
	g.do("start 1 1")
	codes, _ := g.ended()
	g.wantCodes(codes, "0", "0", "0")
	g.started(2)
	for i := range 3 {
		if log := g.read("log", i); !strings.Contains(log, "train-1.svc was told to end in attempt 1; the group starts again as attempt 2, and no restart is used up\n") {
			t.Errorf("the log of peer %d does not say why", i)
		}
	}
}

// TestPolicy_toldAndDeaf has a Pod that is told to end, whose command does not heed that. It
// ends before the kubelet would kill it, with the code of one that was told to end.
func TestPolicy_toldAndDeaf(t *testing.T) {
	t.Parallel()
	g := newPolicyGroup(t, restartFlags+"0 --grace-period=8s", `
echo attempt $1
test $1$JOB_COMPLETION_INDEX = 11 && { trap '' TERM; sleep 1000; sleep 1000; }
test $1 = 1 && exec sleep 1000
exit 0`)
	g.startAll()
	for i := range 3 {
		g.until("out", i, "attempt 1")
	}
	began := time.Now()
	g.do("signal 1 TERM")
	if got := g.line(); got != "peer 1: 143" {
		t.Errorf("%s, want 143", got)
	}
	if took := time.Since(began); took < 5*time.Second || took > 8*time.Second {
		t.Errorf("ended %v after it was told to, want between 6 and 8 s", took)
	}
	g.do("start 1 1")
	codes, _ := g.ended()
	g.wantCodes(codes, "0", "0", "0")
}

// TestPolicy_toldLeader has an index 0 that is told to end, whose command ends at once of that,
// and its replacement: no restart is used up.
func TestPolicy_toldLeader(t *testing.T) {
	t.Parallel()
	g := newPolicyGroup(t, restartFlags+"0 --grace-period=5s", `
echo attempt $1
test $1 = 1 && exec sleep 1000
exit 0`)
	g.startAll()
	for i := range 3 {
		g.until("out", i, "attempt 1")
	}
	g.do("signal 0 TERM")
	if got := g.line(); got != "peer 0: 143" {
		t.Errorf("%s, want 143", got)
	}
	g.do("start 0 1")
	codes, _ := g.ended()
	g.wantCodes(codes, "0", "0", "0")
	for i := range 3 {
		if log := g.read("log", i); !strings.Contains(log, "train-0.svc was told to end in attempt 1; the group starts again as attempt 2, and no restart is used up\n") {
			t.Errorf("the log of peer %d does not say why", i)
		}
	}
}

// TestPolicy_suspended has a Job whose Pods are all told to end.
func TestPolicy_suspended(t *testing.T) {
	t.Parallel()
	g := newPolicyGroup(t, restartFlags+"3", noOverlap+`
test $JOB_COMPLETION_INDEX = 2 && end 0
now 1000`)
	g.startAll()
	for i := range 2 {
		g.until("out", i, "attempt 1")
	}
	g.until("log", 2, "end: staying")
	for i := range 3 {
		g.do("signal %d TERM", i)
	}
	codes, _ := g.ended()
	g.wantCodes(codes, "143", "143", "0")
}

// TestPolicy_killedLeader has an index 0 that is killed with all that it has started, and
// its replacement, which knows nobody.
func TestPolicy_killedLeader(t *testing.T) {
	t.Parallel()
	g := newPolicyGroup(t, restartFlags+"1 --grace-period=2s", noOverlap+`
test $attempt = 1 && now 1000
end 0`)
	g.startAll()
	for i := range 3 {
		g.until("out", i, "attempt 1")
	}
	g.do("signal 0 KILL")
	if got := g.line(); !strings.HasPrefix(got, "peer 0: ") { // the code is that of unshare
		t.Errorf("%s, want the end of peer 0", got)
	}
	if err := os.Remove(filepath.Join(g.folder, "run-1-0")); err != nil {
		t.Error(err)
	}
	g.do("start 0 1")
	codes, _ := g.ended()
	g.wantCodes(codes, "0", "0", "0")
	g.started(2)
	for i := range 3 {
		if log := g.read("log", i); !strings.Contains(log, "train-0.svc was lost in attempt 1; the group starts again as attempt 2, restart 1 of 1, in 1s\n") {
			t.Errorf("the log of peer %d does not say why", i)
		}
	}
}

// touch makes a file for which a command waits.
func (g *policyGroup) touch(file string) {
	g.t.Helper()
	if err := os.WriteFile(filepath.Join(g.folder, file), nil, 0o600); err != nil {
		g.t.Fatal(err)
	}
}
