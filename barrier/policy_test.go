// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

// stopTime is how long a command takes to stop.
const stopTime = 300 * time.Millisecond

// commands are the commands of a group with a failure policy. They know what is true.
type commands struct {
	t  *testing.T
	mu sync.Mutex
	// running counts the commands that run, by attempt.
	running map[int]int
	// started are the starts, by attempt.
	started map[int][]time.Time
}

// worker is a peer with its command.
type worker struct {
	*pod
	index int32
	all   *commands
	// work is how long the command of an attempt runs, and the code it ends with.
	work func(attempt int) (time.Duration, int)
	// attempts are those that have started.
	attempts []int
	// code is the exit code of the peer, once done is closed.
	code int
	err  error
	done chan struct{}
	// killed ends the peer without a word when it is closed.
	killed chan struct{}
	told   chan struct{}
}

// policyJob is a Job with a failure policy.
type policyJob struct {
	*job
	commands *commands
}

func newPolicyJob(t *testing.T, size int32, policy protocol.Policy) *policyJob {
	t.Helper()
	j := &policyJob{newJob(t, size), &commands{t: t, running: map[int]int{}, started: map[int][]time.Time{}}}
	policy.Grace = 10 * time.Second
	j.config.Policy = policy
	j.config.StartTimeout = 5 * time.Minute
	return j
}

// work starts a peer whose command does this.
func (j *policyJob) work(index int32, work func(attempt int) (time.Duration, int)) *worker {
	j.t.Helper()
	w := &worker{
		pod: j.start(index), index: index, all: j.commands, work: work,
		done: make(chan struct{}), killed: make(chan struct{}), told: make(chan struct{}),
	}
	go w.run()
	return w
}

// run does what the runner does.
func (w *worker) run() {
	defer close(w.done)
	for again := true; again; {
		attempt, err := w.group.WaitStart(w.t.Context())
		if err != nil {
			w.err = err
			break
		}
		w.attempts = append(w.attempts, attempt)
		code, alive := w.runCommand(attempt)
		if !alive {
			return
		}
		w.group.Ended(code)
		if again, w.err = w.group.WaitEnd(w.t.Context()); w.err != nil {
			break
		}
	}
	if err := w.group.Close(); err != nil {
		w.t.Error(err)
	}
	w.code = w.group.ExitCode()
}

// runCommand runs the command. It reports whether the peer still lives.
func (w *worker) runCommand(attempt int) (code int, alive bool) {
	w.all.start(attempt)
	defer w.all.end(attempt)
	d, code := w.work(attempt)
	select {
	case <-time.After(d):
		return code, true
	case <-w.group.MustStop():
		time.Sleep(stopTime)
		return 143, true
	case <-w.told:
		w.group.Terminating()
		time.Sleep(stopTime)
		return 1, true
	case <-w.killed:
		return 0, false
	}
}

// kill ends a peer without a word.
func (w *worker) kill() {
	w.unplug()
	w.group.stop()
	close(w.killed)
	<-w.done
}

func (c *commands) start(attempt int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for other, n := range c.running {
		if other != attempt && n > 0 {
			c.t.Errorf("attempt %d starts while %d commands of attempt %d run", attempt, n, other)
		}
	}
	c.running[attempt]++
	c.started[attempt] = append(c.started[attempt], time.Now())
}

func (c *commands) end(attempt int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running[attempt]--
}

// lastStart is when the last command of an attempt started.
func (c *commands) lastStart(attempt int) (last time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range c.started[attempt] {
		if at.After(last) {
			last = at
		}
	}
	return last
}

// want requires the attempts of a peer in order, and how it has left.
func (w *worker) want(code int, attempts ...int) {
	w.t.Helper()
	<-w.done
	if w.code != code || fmt.Sprint(w.attempts) != fmt.Sprint(attempts) {
		w.t.Errorf("peer %d: exit code %d, attempts %v, error %v, want %d and %v\n%s", w.index, w.code, w.attempts, w.err, code, attempts, w.logged())
	}
}

// says requires a line in the log, once.
func (w *worker) says(line string) {
	w.t.Helper()
	if n := strings.Count("\n"+w.logged()+"\n", "\n"+line+"\n"); n != 1 {
		w.t.Errorf("peer %d says %d times %q:\n%s", w.index, n, line, w.logged())
	}
}

// always is a command that runs so long in every attempt.
func always(d time.Duration, code int) func(int) (time.Duration, int) {
	return func(int) (time.Duration, int) { return d, code }
}

// failsUntil is a command that fails in the attempts before one, and then succeeds.
func failsUntil(last int) func(int) (time.Duration, int) {
	return func(attempt int) (time.Duration, int) {
		if attempt < last {
			return time.Minute, 3
		}
		return time.Minute, 0
	}
}

var restart = protocol.Policy{Action: protocol.RestartPeerJob, MaxRestarts: 2, Backoff: time.Second}

// TestPolicy_restart has a peer that fails, twice: all run again in order, soon, and
// never two attempts at once.
func TestPolicy_restart(t *testing.T) {
	for _, failing := range []int32{0, 2} {
		t.Run(fmt.Sprintf("index %d", failing), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newPolicyJob(t, 3, restart)
				var all []*worker
				for i := range int32(3) {
					work := always(2*time.Minute, 0)
					if i == failing {
						work = failsUntil(3)
					}
					all = append(all, j.work(i, work))
				}
				for _, w := range all {
					w.want(0, 1, 2, 3)
					for a, pause := range map[int]string{1: "1s", 2: "2s"} {
						w.says(fmt.Sprintf("train-%d.svc failed with code 3 in attempt %d; the group starts again as attempt %d, restart %d of 2, in %s", failing, a, a+1, a, pause))
					}
				}
				for a, pause := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second} {
					failed := j.commands.lastStart(a).Add(time.Minute)
					if took := j.commands.lastStart(a+1).Sub(failed) - pause; took > time.Second {
						t.Errorf("attempt %d started %v after the back-off", a+1, took)
					}
				}
			})
		})
	}
}

// TestPolicy_usedUp has a peer that fails in every attempt.
func TestPolicy_usedUp(t *testing.T) {
	for _, failing := range []int32{0, 1} {
		t.Run(fmt.Sprintf("index %d", failing), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newPolicyJob(t, 3, restart)
				var all []*worker
				for i := range int32(3) {
					work := always(time.Hour, 0)
					if i == failing {
						work = always(time.Minute, 3)
					}
					all = append(all, j.work(i, work))
				}
				for _, w := range all {
					code := protocol.CodeGroupFailed
					if w.index == failing {
						code = 3
					}
					w.want(code, 1, 2, 3)
					w.says(fmt.Sprintf("train-%d.svc failed with code 3 in attempt 3, after 2 of 2 restarts: the group has failed", failing))
					if who, here := w.group.Failure(); here != (w.index == failing) || who != fmt.Sprintf("train-%d.svc failed with code 3 in attempt 3", failing) {
						t.Errorf("peer %d: %s, %t", w.index, who, here)
					}
				}
			})
		})
	}
}

// TestPolicy_alone has a group of one peer. It tells the Job to try no more.
func TestPolicy_alone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newPolicyJob(t, 1, restart)
		w := j.work(0, always(time.Minute, 3))
		w.want(protocol.CodeGroupFailed, 1, 2, 3)
	})
}

// TestPolicy_fail has a group that fails at once, without barriers.
func TestPolicy_fail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newPolicyJob(t, 3, protocol.Policy{Action: protocol.FailPeerJob})
		j.config.Start, j.config.End = false, false
		began := time.Now()
		all := []*worker{j.work(0, always(time.Hour, 0)), j.work(1, always(time.Minute, 7)), j.work(2, always(time.Hour, 0))}
		all[0].want(protocol.CodeGroupFailed, 1)
		all[1].want(7, 1)
		all[2].want(protocol.CodeGroupFailed, 1)
		if took := time.Since(began) - time.Minute; took > 10*time.Second {
			t.Errorf("all had left %v after the failure", took)
		}
	})
}

// TestPolicy_told has Pods that are told to end: a drain of one, whose replacement
// starts with the others, and then a suspension.
func TestPolicy_told(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newPolicyJob(t, 3, protocol.Policy{Action: protocol.RestartPeerJob, MaxRestarts: 0})
		var all []*worker
		for i := range int32(3) {
			all = append(all, j.work(i, always(time.Hour, 0)))
		}
		time.Sleep(time.Minute)
		close(all[1].told)
		all[1].want(protocol.CodeTerminated, 1)
		time.Sleep(2 * time.Second)
		j.config.Policy.Replacement = true
		all[1] = j.work(1, always(time.Hour, 0))
		time.Sleep(time.Minute)
		all[0].says("train-1.svc was told to end in attempt 1; the group starts again as attempt 2, and no restart is used up")
		for _, w := range all {
			close(w.told)
		}
		all[0].want(protocol.CodeTerminated, 1, 2)
		all[1].want(protocol.CodeTerminated, 2)
		all[2].want(protocol.CodeTerminated, 1, 2)
	})
}

// TestPolicy_toldWhileWaiting has a peer that is told to end before its command runs.
func TestPolicy_toldWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newPolicyJob(t, 2, restart)
		w := j.work(1, always(time.Hour, 0))
		time.Sleep(time.Minute)
		w.group.Terminating()
		w.want(protocol.CodeTerminated)
	})
}

// TestPolicy_killed has a peer that is killed without a word, index 0 among them, and its
// replacement.
func TestPolicy_killed(t *testing.T) {
	for index := range int32(2) {
		t.Run(fmt.Sprintf("index %d", index), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newPolicyJob(t, 3, restart)
				work := always(3*time.Minute, 0)
				var all []*worker
				for i := range int32(3) {
					all = append(all, j.work(i, work))
				}
				time.Sleep(time.Minute)
				all[index].kill()
				time.Sleep(2 * time.Second)
				j.config.Policy.Replacement = true
				all[index] = j.work(index, work)
				time.Sleep(10 * time.Second)
				if got, want := all[2].group.Waiting(), "all commands of the attempt before to have stopped"; got != want {
					t.Errorf("waits for %q, want %q", got, want)
				}
				for i, w := range all {
					if int32(i) == index {
						w.want(0, 2)
						continue
					}
					w.want(0, 1, 2)
					w.says(fmt.Sprintf("train-%d.svc was lost in attempt 1; the group starts again as attempt 2, restart 1 of 2, in 1s", index))
				}
			})
		})
	}
}

// TestPolicy_abandoned has an index 0 that does not come back: the others stop their
// commands, and give up.
func TestPolicy_abandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newPolicyJob(t, 2, restart)
		leader := j.work(0, always(time.Hour, 0))
		running, ended := j.work(1, always(time.Hour, 0)), time.Now()
		time.Sleep(time.Minute)
		leader.kill()
		running.want(protocol.CodeTimedOut, 1)
		var failure *EndError
		if !errors.As(running.err, &failure) || failure.Outcome != protocol.Abandoned {
			t.Errorf("%v after %v", running.err, time.Since(ended))
		}
	})
}

// TestPolicy_startTimesOut has a peer that is lost and not replaced.
func TestPolicy_startTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newPolicyJob(t, 3, restart)
		all := []*worker{j.work(0, always(time.Hour, 0)), j.work(1, always(time.Hour, 0)), j.work(2, always(time.Hour, 0))}
		time.Sleep(time.Minute)
		all[1].kill()
		for _, i := range []int{0, 2} {
			all[i].want(protocol.CodeTimedOut, 1)
			if !errors.As(all[i].err, new(*StartTimeoutError)) {
				t.Errorf("peer %d: %v", i, all[i].err)
			}
		}
	})
}
