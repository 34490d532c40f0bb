// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// TestSimulation_thousand has 1,000 peers which come within a minute and end
// within another, and says what they cost.
func TestSimulation_thousand(t *testing.T) {
	const size = 1000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w := newWorld(worldConfig{size: size, endTimeout: 5 * time.Minute, latency: 20 * time.Millisecond, publish: 2 * time.Second}, 1)
	var lastStart time.Duration
	for i := range int32(size) {
		at := w.upTo(time.Minute)
		lastStart = max(lastStart, at)
		w.after(at, func() { w.start(i, 5*time.Minute+w.upTo(time.Minute)) })
	}
	w.run(2 * time.Minute)
	runtime.GC()
	runtime.ReadMemStats(&after)
	starting := w.messages["starting"]
	w.run(time.Hour)
	firstOpen, lastOpen, lastEnd, lastLeft := time.Hour, time.Duration(0), time.Duration(0), time.Duration(0)
	for i, pods := range w.pods {
		p := pods[0]
		if p.outcome != Together {
			t.Fatalf("index %d: %v", i, p.outcome)
		}
		firstOpen, lastOpen = min(firstOpen, p.openedAt), max(lastOpen, p.openedAt)
		lastEnd, lastLeft = max(lastEnd, p.endedAt), max(lastLeft, p.leftAt)
	}
	report(t, w)
	if d := lastOpen - lastStart; d > 8*time.Second {
		t.Errorf("the last peer came at %v, and all had started at %v", lastStart, lastOpen)
	}
	if d := lastLeft - lastEnd; d > 4*time.Second {
		t.Errorf("the last peer ended at %v, and all had left at %v", lastEnd, lastLeft)
	}
	minutes := (lastEnd - firstOpen).Minutes()
	t.Logf("%d peers: all started %.1f s after the last came, within %.1f s; all left %.1f s after the last ended",
		size, (lastOpen - lastStart).Seconds(), (lastOpen - firstOpen).Seconds(), (lastLeft - lastEnd).Seconds())
	t.Logf("messages of a peer: %.1f while it waits to start (half a minute in the mean), %.1f a minute while it runs, %.1f while it stays at the end (half a minute in the mean), %.1f calls by index 0",
		float64(starting)/size, float64(w.messages["running"])/size/minutes, float64(w.messages["ended"]+w.messages["left"])/size, float64(w.messages["call"])/size)
	t.Logf("memory: %d bytes a peer at index 0; %d KiB for all 1,000 peers with their simulated network",
		unsafe.Sizeof(record{}), (after.HeapAlloc-before.HeapAlloc)>>10)
}

// TestSimulation_few has three peers: they are called as soon as they may go,
// and do not wait until they would have asked again.
func TestSimulation_few(t *testing.T) {
	const latency = 5 * time.Millisecond
	for seed := range uint64(200) {
		w := newWorld(worldConfig{size: 3, endTimeout: 30 * time.Second, latency: latency, publish: 500 * time.Millisecond}, seed)
		for i := range int32(3) {
			w.after(w.upTo(3*time.Second), func() { w.start(i, 2*time.Second) })
		}
		w.run(time.Hour)
		firstOpen, lastOpen, lastEnd, lastLeft := time.Hour, time.Duration(0), time.Duration(0), time.Duration(0)
		for _, pods := range w.pods {
			firstOpen, lastOpen = min(firstOpen, pods[0].openedAt), max(lastOpen, pods[0].openedAt)
			lastEnd, lastLeft = max(lastEnd, pods[0].endedAt), max(lastLeft, pods[0].leftAt)
		}
		// Index 0 looks every so often, and a call and a report go there and back.
		soon := 2*tickInterval(3) + reportGap + 4*latency
		if d := lastOpen - firstOpen; d > callGap+soon {
			t.Errorf("seed %d: started within %v", seed, d)
		}
		if d := lastLeft - lastEnd; d > soon {
			t.Errorf("seed %d: left %v after the last end", seed, d)
		}
	}
}

// TestNode_called has a stranger who calls a peer that waits a thousand times a
// second: it reports a few times more at first, and then as often as without him.
func TestNode_called(t *testing.T) {
	config := Config{Job: "uid", Index: 1, Size: 3, Start: true, Name: func(i int32) string { return fmt.Sprint(i) }}
	n := NewNode(config, Process{1}, rand.New(rand.NewPCG(1, 0)), 0)
	reports := 0
	for now := time.Duration(0); now < PublishDelay+time.Minute; now += time.Millisecond {
		n.Called(now, Process{9})
		if report := n.Step(now).Report; report != nil {
			reports++
			if now < PublishDelay {
				t.Fatalf("reports after %v, when its name may not be published", now)
			}
			n.Called(now, Process{9})
			n.Replied(now, *report, Reply{Job: "uid", Attempt: 1})
		}
	}
	if reports < 50 || reports > 80 {
		t.Errorf("%d reports in a minute", reports)
	}
}

// TestNode_calledMeanwhile has a peer that is called while its report is on its
// way: whatever becomes of that, it reports again.
func TestNode_calledMeanwhile(t *testing.T) {
	// So many peers that one waits ten seconds between two reports.
	config := Config{Job: "uid", Index: 1, Size: 10_000, Start: true, Name: func(i int32) string { return fmt.Sprint(i) }}
	for name, arrive := range map[string]func(*Node, time.Duration, Report){
		"replied": func(n *Node, now time.Duration, r Report) { n.Replied(now, r, Reply{Job: "uid", Attempt: 1}) },
		"failed":  func(n *Node, now time.Duration, _ Report) { n.Failed(now, "refused", false) },
	} {
		n := NewNode(config, Process{1}, rand.New(rand.NewPCG(1, 0)), 0)
		const now = time.Minute
		report := n.Step(now).Report
		if report == nil {
			t.Fatal("no report after a minute")
		}
		n.Called(now, Process{9})
		arrive(n, now, *report)
		if n.Step(now+reportGap).Report == nil {
			t.Errorf("%s: no report %v after the call", name, reportGap)
		}
	}
}

func report(t *testing.T, w *world) {
	t.Helper()
	for i, text := range w.broken {
		if i == 5 {
			t.Errorf("and %d more", len(w.broken)-i)
			break
		}
		t.Error(text)
	}
}

// TestSimulation_strangersFirst has strangers who answer under the names of all peers, as
// soon as these are known. From time to time, a peer is so slow that nobody else
// answers. All start when the last one has come, and leave when the last one has ended.
func TestSimulation_strangersFirst(t *testing.T) {
	const comes, runs = 30 * time.Second, time.Minute
	for seed := range uint64(100) {
		w := newWorld(worldConfig{size: 3, endTimeout: time.Hour, latency: 20 * time.Millisecond}, seed)
		w.start(0, runs)
		w.start(1, runs)
		w.after(comes, func() { w.start(2, 2*runs) })
		w.after(5*time.Second, func() { w.strange[0], w.strange[1] = true, true })
		w.after(comes+2*time.Second, func() { w.strange[2] = true })
		for at := 6 * time.Second; at < 4*time.Minute; at += 8 * time.Second {
			index := int32(w.random.IntN(3))
			if at > comes-5*time.Second && at < comes+5*time.Second {
				continue // the last one is to become known
			}
			w.after(at, func() { w.slow[index] = true })
			w.after(at+w.upTo(6*time.Second), func() { w.slow[index] = false })
		}
		w.run(comes)
		for i, pods := range w.pods[:2] {
			if pods[0].opened || pods[0].left {
				t.Fatalf("seed %d: index %d has not waited for index 2", seed, i)
			}
		}
		w.run(comes + 10*time.Second)
		for i, pods := range w.pods {
			if !pods[0].opened {
				t.Fatalf("seed %d: index %d has not started: waits for %s", seed, i, pods[0].node.Waiting(w.now))
			}
		}
		w.run(comes + 2*runs)
		for i, pods := range w.pods {
			if pods[0].left {
				t.Fatalf("seed %d: index %d has left while index 2 runs: %v", seed, i, pods[0].outcome)
			}
		}
		w.run(comes + 2*runs + 30*time.Second)
		report(t, w)
		for i, pods := range w.pods {
			if p := pods[0]; !p.left || p.outcome != Together {
				t.Errorf("seed %d: index %d: left %v: %v, waits for %s", seed, i, p.left, p.outcome, p.node.Waiting(w.now))
			}
		}
	}
}

// TestSimulation_replaced has a Pod that ends without a word. Nothing comes back from
// its address. Its replacement starts as soon as that is clear.
func TestSimulation_replaced(t *testing.T) {
	for index := range int32(3) {
		for seed := range uint64(100) {
			w := newWorld(worldConfig{size: 3, endTimeout: time.Hour, latency: 20 * time.Millisecond}, seed)
			w.silent = true
			for i := range int32(3) {
				w.start(i, time.Hour)
			}
			killed := 30*time.Second + w.upTo(10*time.Second)
			comes := killed + 2*time.Second + w.upTo(3*time.Second)
			w.after(killed, func() { w.pods[index][0].kill() })
			w.after(comes, func() { w.start(index, time.Hour) })
			w.run(comes + time.Minute)
			report(t, w)
			p := w.pods[index][1]
			if most := max(killed+silentAfter(3)+2*time.Second, comes+2*time.Second) + maxRetry; !p.opened || p.openedAt > most {
				t.Errorf("seed %d: index %d was killed at %v, its replacement came at %v, and started at %v: waits for %s", seed, index, killed, comes, p.openedAt, p.node.Waiting(w.now))
			}
		}
	}
}

// TestSimulation_faults lets all go wrong that may, in many small worlds.
func TestSimulation_faults(t *testing.T) {
	outcomes := map[string]int{}
	for seed := range uint64(120) {
		w := newWorld(worldConfig{}, seed)
		w.config = worldConfig{
			size: 1 + int32(w.random.IntN(20)), endTimeout: 3 * time.Minute,
			loss: []float64{0, 0, 0.05, 0.2}[w.random.IntN(4)], twice: []float64{0, 0.3}[w.random.IntN(2)],
			latency: []time.Duration{time.Millisecond, 100 * time.Millisecond, time.Second}[w.random.IntN(3)],
			publish: []time.Duration{0, 2 * time.Second, 30 * time.Second}[w.random.IntN(3)],
		}
		w.pods = make([][]*simPod, w.config.size)
		var faults []string
		for i := range w.config.size {
			w.after(w.upTo(time.Minute), func() { w.start(i, w.upTo(time.Minute)) })
		}
		for range w.random.IntN(6) {
			at, index := w.upTo(3*time.Minute), int32(w.random.IntN(int(w.config.size)))
			if w.random.IntN(2) == 0 {
				index = 0
			}
			kind := []string{"kill", "delete", "noise"}[w.random.IntN(3)]
			faults = append(faults, fmt.Sprintf("%v: %s %d", at, kind, index))
			w.after(at, func() { w.fault(kind, index) })
		}
		w.run(time.Hour)
		if len(w.events) > 0 {
			t.Errorf("seed %d: not over after an hour", seed)
		}
		published, opened := time.Duration(0), time.Duration(0)
		for _, pods := range w.pods {
			published, opened = max(published, pods[0].publishedAt), max(opened, pods[0].openedAt)
		}
		if bound := PublishDelay + 2*maxRetry + 6*w.config.latency; len(faults) == 0 && w.config.loss == 0 && opened-published > bound {
			t.Errorf("seed %d: the last name was published at %v, and the last peer started at %v", seed, published, opened)
		}
		for i, pods := range w.pods {
			for _, p := range pods {
				outcomes[outcomeName(p)]++
				if p.left && p.leftAt-p.endedAt > w.config.endTimeout+time.Second {
					t.Errorf("seed %d: index %d stayed for %v", seed, i, p.leftAt-p.endedAt)
				}
				// Where nothing failed, nothing may end otherwise. Where messages are lost,
				// index 0 may leave while it can't be heard.
				unheard := p.outcome == LeaderGone && w.config.loss > 0
				if len(faults) == 0 && (p.outcome != Together && !unheard || p.leftAt-p.endedAt > time.Minute+2*GoneAfter(w.config.size)) {
					t.Errorf("seed %d: index %d: %v, %v after its end", seed, i, p.outcome, p.leftAt-p.endedAt)
				}
			}
		}
		if t.Failed() || len(w.broken) > 0 {
			report(t, w)
			t.Fatalf("seed %d: %+v, %s", seed, w.config, strings.Join(faults, "; "))
		}
	}
	t.Logf("how Pods left: %v", outcomes)
}

func outcomeName(p *simPod) string {
	if !p.left {
		return "killed"
	}
	return p.outcome.String()
}

// fault lets something go wrong now.
func (w *world) fault(kind string, index int32) {
	pods := w.pods[index]
	if kind == "noise" {
		w.noise()
		return
	}
	if len(pods) == 0 || pods[len(pods)-1].gone {
		return
	}
	p := pods[len(pods)-1]
	again := func() {
		if len(w.pods[index]) > 0 && w.pods[index][len(w.pods[index])-1] == p {
			w.start(index, w.upTo(time.Minute))
		}
	}
	switch kind {
	case "kill":
		p.kill()
		w.after(500*time.Millisecond+w.upTo(5*time.Second), again)
	case "delete":
		// The Job controller replaces it at once, and the old one stays for a while.
		p.terminate()
		w.after(500*time.Millisecond+w.upTo(time.Second), again)
	}
}

// noise is someone who sends reports of his own.
func (w *world) noise() {
	for range 200 {
		w.after(w.upTo(time.Minute), func() {
			leader := w.leader()
			if leader == nil {
				return
			}
			// A report that is refused is as good: the leader must not take harm.
			_, _ = leader.node.Receive(w.now, Report{
				Job: []string{"uid", "other"}[w.random.IntN(2)], Index: int32(w.random.IntN(30)) - 2, Process: w.process(),
				Attempt: 1 + int32(w.random.IntN(2)), Phase: Phase(1 + w.random.IntN(4)), Code: int32(w.random.IntN(256)),
				Terminating: w.random.IntN(2) == 0, GaveUp: w.random.IntN(2) == 0,
			})
			leader.step()
		})
	}
}

// TestSimulation_missing has a peer that never comes: nobody starts.
func TestSimulation_missing(t *testing.T) {
	w := newWorld(worldConfig{size: 5, endTimeout: time.Minute, latency: time.Millisecond}, 1)
	for i := range int32(4) {
		w.start(i, time.Minute)
	}
	w.run(startTimeout - time.Second)
	for i := range 4 {
		if p := w.pods[i][0]; p.opened {
			t.Errorf("index %d started", i)
		}
		if got, want := w.pods[i][0].node.Waiting(w.now), "1 of 5 peers: train-4.svc (never heard of)"; got != want {
			t.Errorf("index %d waits for %q, want %q", i, got, want)
		}
	}
}

// TestSimulation_giveUp has a peer that never comes, and others that came one after the
// other. Index 0 tells them all that the time is over before it leaves itself.
func TestSimulation_giveUp(t *testing.T) {
	for seed := range uint64(200) {
		w := newWorld(worldConfig{size: 4, endTimeout: time.Minute, latency: 20 * time.Millisecond, publish: 500 * time.Millisecond}, seed)
		for i := range int32(3) {
			w.after(time.Duration(i)*time.Minute, func() { w.start(i, time.Minute) })
		}
		w.run(startTimeout + 10*time.Second)
		leader := w.pods[0][0]
		for i := range 3 {
			if p := w.pods[i][0]; !p.left || p.outcome != StartTimedOut || p.leftAt > leader.leftAt {
				t.Fatalf("seed %d: index %d left at %v, %v; index 0 at %v", seed, i, p.leftAt, p.outcome, leader.leftAt)
			}
		}
	}
}

// TestSimulation_leftAtStart has a peer that never comes, and one whose gate
// gives up before the others': both are named.
func TestSimulation_leftAtStart(t *testing.T) {
	w := newWorld(worldConfig{size: 4, endTimeout: time.Minute, latency: time.Millisecond}, 1)
	for i := range int32(3) {
		w.start(i, time.Minute)
	}
	w.run(10 * time.Second)
	w.pods[2][0].terminate()
	w.run(15 * time.Second)
	for i := range 2 {
		got, want := w.pods[i][0].node.Waiting(w.now), "2 of 4 peers: train-2.svc (was told to end; its new Pod has not come), train-3.svc (never heard of)"
		if p := w.pods[i][0]; p.opened || got != want {
			t.Errorf("index %d waits for %q, want %q", i, got, want)
		}
	}
}

// TestSimulation_gone has a peer that is killed and never comes back: the
// others leave, and not sooner than they may.
func TestSimulation_gone(t *testing.T) {
	w := newWorld(worldConfig{size: 5, endTimeout: 10 * time.Minute, latency: time.Millisecond}, 1)
	for i := range int32(5) {
		w.start(i, time.Minute)
	}
	w.run(50 * time.Second)
	w.pods[3][0].kill()
	killed := w.now
	w.run(time.Hour)
	report(t, w)
	for _, i := range []int{0, 1, 2, 4} {
		p := w.pods[i][0]
		if p.outcome != Together || p.leftAt < killed+GoneAfter(5)-Heartbeat(5)*12/10 || p.leftAt > p.endedAt+GoneAfter(5)+Heartbeat(5) {
			t.Errorf("index %d ended at %v and left at %v: %v", i, p.endedAt, p.leftAt, p.outcome)
		}
	}
}

// TestSimulation_leaderGone has an index 0 that is killed and never comes back.
func TestSimulation_leaderGone(t *testing.T) {
	w := newWorld(worldConfig{size: 3, endTimeout: 10 * time.Minute, latency: time.Millisecond}, 1)
	for i := range int32(3) {
		w.start(i, time.Minute)
	}
	w.run(30 * time.Second)
	w.pods[0][0].kill()
	w.run(time.Hour)
	for _, i := range []int{1, 2} {
		p := w.pods[i][0]
		if p.outcome != LeaderGone || p.leftAt-p.endedAt > GoneAfter(3)+maxRetry {
			t.Errorf("index %d left %v after its end: %v", i, p.leftAt-p.endedAt, p.outcome)
		}
	}
}

// TestSimulation_leaderReplaced has an index 0 which is deleted and replaced at
// once, so that two overlap: the old one leaves when it finds the new one.
func TestSimulation_leaderReplaced(t *testing.T) {
	w := newWorld(worldConfig{size: 3, endTimeout: 10 * time.Minute, latency: time.Millisecond}, 1)
	for i := range int32(3) {
		w.start(i, 2*time.Minute)
	}
	w.run(30 * time.Second)
	w.fault("delete", 0)
	w.run(time.Hour)
	report(t, w)
	if old := w.pods[0][0]; old.outcome != Superseded || old.leftAt-old.endedAt > 3*Heartbeat(3) {
		t.Errorf("the old index 0 left %v after its end: %v", old.leftAt-old.endedAt, old.outcome)
	}
	for i, pods := range w.pods {
		if p := pods[len(pods)-1]; p.outcome != Together {
			t.Errorf("index %d: %v", i, p.outcome)
		}
	}
}

// TestSimulation_until has a Job which succeeds with index 0, and workers which
// serve until they are deleted.
func TestSimulation_until(t *testing.T) {
	until, err := ParseUntil("0")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(worldConfig{size: 4, endTimeout: 10 * time.Minute, latency: time.Millisecond, until: []Until{until}}, 1)
	for i := range int32(4) {
		work := time.Hour
		if i == 0 {
			work = time.Minute
		}
		w.start(i, work)
	}
	w.run(3 * time.Minute)
	leader := w.pods[0][0]
	if leader.outcome != Together || leader.leftAt-leader.endedAt > time.Second {
		t.Errorf("index 0 left %v after its end: %v", leader.leftAt-leader.endedAt, leader.outcome)
	}
	// The Job has succeeded, and its controller deletes the workers.
	for i := 1; i < 4; i++ {
		w.pods[i][0].terminate()
	}
	w.run(2 * time.Hour)
	for i := 1; i < 4; i++ {
		if p := w.pods[i][0]; !p.left || p.leftAt-p.endedAt > 2*leftWithLeader {
			t.Errorf("index %d left %v after its end: %v", i, p.leftAt-p.endedAt, p.outcome)
		}
	}
}

func TestUntil(t *testing.T) {
	done := func(indexes ...int32) func(int32) bool {
		return func(i int32) bool {
			for _, index := range indexes {
				if i == index {
					return true
				}
			}
			return false
		}
	}
	for _, c := range []struct {
		text string
		done func(int32) bool
		want bool
	}{
		{"0", done(0), true}, {"0", done(1), false},
		{"0,2-3", done(0, 2, 3), true}, {"0,2-3", done(0, 2), false},
		{"0,2-3:2", done(0, 3), true}, {":3", done(1, 2, 4), true}, {":3", done(1, 2), false},
		{"", done(0, 1, 2, 3, 4), true}, {"", done(0, 1, 2, 3), false},
	} {
		u, err := ParseUntil(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
		} else if got := u.met(5, c.done); got != c.want {
			t.Errorf("%q: %v", c.text, got)
		}
	}
	for text, want := range map[string]string{
		"a": `"a": "a" is no index`, "1-": `"1-": "" is no index`, "3-2": `"3-2": the indexes must rise`, "1,1": `"1,1": the indexes must rise`,
		"0:0": `"0:0": the count must be a number above 0`, "-1": `"-1": "" is no index`, "3000000000": `"3000000000": "3000000000" is no index`,
	} {
		if _, err := ParseUntil(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestRead_process refuses who has no process: all zero stands for nobody. As a key it is a point
// of low order, whose signature anybody can make.
func TestRead_process(t *testing.T) {
	report := func(p Process) any { return Report{Job: "uid", Process: p, Attempt: 1, Phase: Running} }
	reply := func(p Process) any { return Reply{Job: "uid", Process: p, Attempt: 1} }
	for _, tt := range []struct {
		name    string
		message func(Process) any
		read    func([]byte) error
	}{
		{"a report", report, func(data []byte) error { _, err := ReadReport(data); return err }},
		{"an identity", report, func(data []byte) error { _, err := ReadIdentity(data); return err }},
		{"a reply", reply, func(data []byte) error { _, err := ReadReply(data); return err }},
	} {
		for process, want := range map[Process]string{{}: "process: must be set", {1}: ""} {
			data, err := json.Marshal(tt.message(process))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := tt.read(data); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%s of process %v: %q, want %q", tt.name, process, got, want)
			}
		}
	}
}

func TestPrintable(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"a\nb\x1b[31m\x00", 100, "a b [31m "},
		{"äöü", 5, "ä..."}, {"äöü", 6, "äöü"}, {strings.Repeat("x", 10), 3, "..."}, {"\xff\xfe", 10, "  "},
	} {
		if got := Printable(c.text, c.most); got != c.want {
			t.Errorf("Printable(%q, %d) = %q, want %q", c.text, c.most, got, c.want)
		}
	}
}

// TestSource holds the package to its word: it reads no clock, and makes no
// chance of its own.
func TestSource(t *testing.T) {
	forbidden := regexp.MustCompile(`time\.(Now|Since|Until|After|AfterFunc|Sleep|Tick|NewT\w+)\(|rand\.(Int|Uint|Float|N|New|Perm|Shuffle)\w*\(`)
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), "_test.go") || !strings.HasSuffix(entry.Name(), ".go") {
			continue
		}
		read++
		source, err := os.ReadFile(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		if found := forbidden.Find(source); found != nil {
			t.Errorf("%s calls %s", entry.Name(), found)
		}
	}
	if read < 5 {
		t.Errorf("%d files", read)
	}
}

// BenchmarkLeader_report is what one report costs index 0.
func BenchmarkLeader_report(b *testing.B) {
	config := Config{Job: "uid", Size: 1000, Start: true, Name: func(i int32) string { return fmt.Sprint(i) }}
	l := newLeader(config, Process{1}, 0)
	for i := range l.records {
		l.answered(0, int32(i), []Identity{{Job: "uid", Index: int32(i), Process: Process{1}, Attempt: 1, Phase: Starting}}, There)
	}
	b.ReportAllocs()
	for i := range b.N {
		l.report(0, Report{Job: "uid", Index: int32(i % 1000), Process: Process{1}, Attempt: 1, Phase: Starting})
	}
}

// BenchmarkLeader_tick is what one look at 100,000 records costs.
func BenchmarkLeader_tick(b *testing.B) {
	config := Config{Job: "uid", Size: 100000, Start: true, Name: func(i int32) string { return fmt.Sprint(i) }}
	l := newLeader(config, Process{1}, 0)
	b.ReportAllocs()
	for range b.N {
		l.tick(0)
	}
}
