// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// breakerScript prints its attempt and the time, five times a second. Files say for how long,
// and with which code it exits.
const breakerScript = `
attempt=$1
code=0
beats=25
test -e code-$attempt-$JOB_COMPLETION_INDEX && code=$(cat code-$attempt-$JOB_COMPLETION_INDEX)
test -e beats-$attempt-$JOB_COMPLETION_INDEX && beats=$(cat beats-$attempt-$JOB_COMPLETION_INDEX)
i=0
while [ $i -lt $beats ]; do
  echo "beat $attempt $(date +%s.%N)"
  sleep 0.2
  i=$((i+1))
done
echo "end $attempt $(date +%s.%N)"
exit $code
`

// TestBreaker breaks groups of three real runners at random: commands that fail, runners that
// are killed, frozen, or told to end, and machines that are cut off. It does what a Job does:
// it replaces peers, and ends all when the Job has failed. Attempts are in order in every log,
// no two run at once, and everybody comes to an end.
//
// PEERJOB_BREAK says how many groups, and PEERJOB_BREAK_FROM the first seed.
func TestBreaker(t *testing.T) {
	t.Parallel()
	count, _ := strconv.Atoi(os.Getenv("PEERJOB_BREAK"))      // nothing is 0
	first, _ := strconv.Atoi(os.Getenv("PEERJOB_BREAK_FROM")) // nothing is 0
	if count == 0 {
		t.Skip("set PEERJOB_BREAK=40 to break 40 groups of runners at random; it takes minutes")
	}
	for seed := first; seed < first+count; seed++ {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			newBreaker(t, uint64(seed)).run()
		})
	}
}

// deed is something that the script of a group is to do, and when.
type deed struct {
	at time.Duration
	do string
}

// breaker is a group, what is to happen to it, and what a Job knows of it.
type breaker struct {
	*policyGroup
	t     *testing.T
	began time.Time
	// most is maxRestarts, -1 with FailPeerJob.
	most int
	// deeds are still to come, in order.
	deeds []deed
	// alive are the peers that run, and done those that have ended with 0. failures counts the
	// Pods of each index that were replaced.
	alive, done [3]bool
	failures    [3]int
	// lost says that nobody was there for a while: then attempts count from 1 again.
	lost bool
	// failed is why the Job has failed.
	failed string
}

func newBreaker(t *testing.T, seed uint64) *breaker {
	random := rand.New(rand.NewPCG(seed, 7))
	b := &breaker{t: t, most: random.IntN(5) - 1}
	flags := restartFlags + strconv.Itoa(b.most)
	if b.most < 0 {
		flags = "--on-failure=FailPeerJob --start-timeout=60s --end-timeout=30s"
	}
	b.policyGroup = newPolicyGroup(t, flags+" --grace-period=3s", breakerScript)
	for attempt := 1; attempt <= 5; attempt++ {
		for i := range 3 {
			if random.IntN(6) == 0 {
				b.file("code", attempt, i, 1+random.IntN(5))
			}
			if random.IntN(2) == 0 {
				b.file("beats", attempt, i, 1+random.IntN(40))
			}
		}
	}
	upTo := func(most time.Duration) time.Duration { return time.Duration(random.Int64N(int64(most))) }
	for range 1 + random.IntN(4) {
		at, i := upTo(14*time.Second), random.IntN(3)
		switch random.IntN(6) {
		case 0, 1:
			b.plan(at, "signal %d KILL", i)
		case 2:
			b.plan(at, "signal %d STOP", i)
			b.plan(at+upTo(25*time.Second), "signal %d CONT", i)
		case 3:
			b.plan(at, "signal %d TERM", i)
		default:
			b.plan(at, "cut %d", i)
			b.plan(at+upTo(40*time.Second), "mend %d", i)
		}
	}
	return b
}

func (b *breaker) file(name string, attempt, index, number int) {
	b.t.Helper()
	file := filepath.Join(b.folder, fmt.Sprintf("%s-%d-%d", name, attempt, index))
	if err := os.WriteFile(file, []byte(strconv.Itoa(number)), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.t.Logf("%s of index %d in attempt %d: %d", name, index, attempt, number)
}

func (b *breaker) plan(at time.Duration, format string, args ...any) {
	b.deeds = append(b.deeds, deed{at, fmt.Sprintf(format, args...)})
	slices.SortStableFunc(b.deeds, func(a, b deed) int { return cmp.Compare(a.at, b.at) })
}

func (b *breaker) note(format string, args ...any) {
	b.t.Logf("%6.2f %s", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// run runs the group to its end, and looks at what it did.
func (b *breaker) run() {
	b.began, b.alive = time.Now(), [3]bool{true, true, true}
	b.startAll()
	deadline := time.After(5 * time.Minute)
	for !b.over() {
		wait := time.Hour
		if len(b.deeds) > 0 {
			wait = b.deeds[0].at - time.Since(b.began)
		}
		select {
		case line, open := <-b.lines:
			var index, code int
			if _, err := fmt.Sscanf(line, "peer %d: %d", &index, &code); err != nil || !open {
				b.t.Fatalf("the script says %q", line)
			}
			b.ended(index, code)
		case <-time.After(wait):
			b.act()
		case <-deadline:
			b.t.Errorf("somebody hangs: alive %v, done %v, failed %q", b.alive, b.done, b.failed)
			b.endAll("KILL")
			return
		}
	}
	b.check()
}

func (b *breaker) over() bool {
	for i := range 3 {
		if b.alive[i] || !b.done[i] && b.failed == "" {
			return false
		}
	}
	return true
}

// act does what is to be done next.
func (b *breaker) act() {
	next := b.deeds[0].do
	b.deeds = b.deeds[1:]
	var what string
	var index int
	if _, err := fmt.Sscanf(next, "%s %d", &what, &index); err != nil {
		b.t.Fatal(err)
	}
	switch what {
	case "signal":
		if !b.alive[index] {
			return
		}
	case "start":
		b.alive[index] = true
	}
	b.note("%s", next)
	b.do("%s", next)
}

// ended does what a Job does when a Pod has ended.
func (b *breaker) ended(index, code int) {
	b.alive[index] = false
	b.lost = b.lost || b.alive == [3]bool{}
	b.note("peer %d ends with %d", index, code)
	switch {
	case code == 0:
		b.done[index] = true
	case b.failed != "":
	case code == 76, b.most < 0 && code != 143:
		b.fail("peer %d ended with %d", index, code)
	case b.most >= 0 && b.failures[index] == b.most:
		b.fail("index %d has failed too often, at last with %d", index, code)
	default:
		b.failures[index]++
		b.plan(time.Since(b.began)+3*time.Second, "start %d 1", index)
	}
}

func (b *breaker) fail(format string, args ...any) {
	b.failed, b.deeds = fmt.Sprintf(format, args...), nil
	b.note("the Job fails: %s", b.failed)
	b.endAll("TERM")
}

func (b *breaker) endAll(signal string) {
	for i, alive := range b.alive {
		b.do("mend %d", i)
		if alive {
			b.do("signal %d CONT", i)
			b.do("signal %d %s", i, signal)
		}
	}
}

// check looks at the times of all attempts.
func (b *breaker) check() {
	type span struct{ first, last float64 }
	spans := map[int]span{}
	for i := range 3 {
		before := 0
		for line := range strings.Lines(b.read("out", i)) {
			var word string
			var attempt int
			var at float64
			if _, err := fmt.Sscanf(line, "%s %d %f", &word, &attempt, &at); err != nil {
				b.t.Errorf("peer %d says %q", i, line)
				continue
			}
			if attempt < before && !b.lost {
				b.t.Errorf("peer %d: attempt %d after %d", i, attempt, before)
			}
			before = attempt
			s, found := spans[attempt]
			if !found {
				s = span{at, at}
			}
			spans[attempt] = span{min(s.first, at), max(s.last, at)}
		}
	}
	var attempts []int
	for attempt := range spans {
		attempts = append(attempts, attempt)
	}
	slices.Sort(attempts)
	for k := 1; k < len(attempts) && !b.lost; k++ {
		if early := spans[attempts[k-1]].last - spans[attempts[k]].first; early > 0 {
			b.t.Errorf("attempt %d starts %.2f s before the end of attempt %d", attempts[k], early, attempts[k-1])
		}
	}
	b.note("attempts %v, at most %d restarts; failed: %q", attempts, b.most, b.failed)
}
