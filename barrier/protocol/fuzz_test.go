// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// again writes a message and reads it again.
func again[T any](t *testing.T, data []byte, message T, read func([]byte) (T, error)) {
	t.Helper()
	written, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	second, err := read(written)
	if diff := cmp.Diff(message, second, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" || err != nil {
		t.Errorf("%s reads as %s: %v %s", data, written, err, diff)
	}
}

// FuzzRead holds everything that is read from the wire to its bounds: it is refused, or
// what was read can be written and read again.
func FuzzRead(f *testing.F) {
	for _, seed := range []any{
		Hello{Job: "uid", Index: 1, Purpose: ToReport, Nonce: Nonce{1}, To: netip.MustParseAddr("10.1.2.3")},
		Challenge{Nonce: Nonce{2}},
		Report{Job: "uid", Index: 1, Process: Process{3}, Attempt: 1, Phase: Ended, Code: 3, Terminating: true},
		Report{Job: "uid", Process: Process{3}, Attempt: 2, Phase: Starting, Leader: Process{4}, Silence: 5, FormerSilence: 6, Restarts: 1, Verdict: Verdict{Succeeded, 1, 0, 0}},
		Report{Job: "uid", Process: Process{3}, Attempt: 1, Phase: Running, Group: "uid-0", Started: true, AfterStarted: 1, AfterComplete: 2, Complete: 0xffff, CompleteIn: 1},
		Reply{Job: "uid", Process: Process{4}, Attempt: 1, Known: true, Held: true, Owed: true, Complete: 0x8001, CompleteIn: 2},
		Reply{Job: "uid", Process: Process{4}, Attempt: 1, Go: true, Superseded: true, Lost: 2, Waiting: "a\nb"},
		Reply{Job: "uid", Process: Process{4}, Attempt: 2, Known: true, Restarts: 1, Verdict: Verdict{Failed, 2, 1, Lost}},
		Page{Text: "a\nb\x1b[31m"},
	} {
		data, err := json.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"job":"uid","index":-1}`))
	f.Add([]byte(`{"job":"uid","process":"` + strings.Repeat("0", 64) + `","attempt":1,"phase":"running","complete":65536}`))
	f.Add([]byte(strings.Repeat("[", 1000)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if hello, err := ReadHello(data); err == nil {
			again(t, data, hello, ReadHello)
		}
		if challenge, err := ReadChallenge(data); err == nil {
			again(t, data, challenge, ReadChallenge)
		}
		if report, err := ReadReport(data); err == nil {
			again(t, data, report, ReadReport)
		}
		if identity, err := ReadIdentity(data); err == nil {
			again(t, data, identity, ReadIdentity)
		}
		if page, err := ReadPage(data); err == nil {
			again(t, data, page, ReadPage)
			if strings.ContainsAny(page.Text, "\x1b\r\x00") {
				t.Errorf("%s: %q", data, page.Text)
			}
		}
		if reply, err := ReadReply(data); err == nil {
			again(t, data, reply, ReadReply)
			if len(reply.Job) > maxJob || len(reply.Waiting) > maxText || strings.ContainsAny(reply.Waiting, "\n\x1b") {
				t.Errorf("%s: %+v", data, reply)
			}
		}
	})
}

// dice reads random choices from the bytes of a fuzzer, zeros at their end.
type dice []byte

func (d *dice) roll(n int) int {
	if len(*d) == 0 {
		return 0
	}
	b := (*d)[0]
	*d = (*d)[1:]
	return int(b) % n
}

// FuzzNode_strangers has three peers, and somebody who says to them whatever the
// fuzzer finds, whenever it finds. He is no peer: he has the key of none, and no name
// leads to him. What is decided is what would be decided without him: all start when
// the last one has come, and leave when the last one has ended, or is gone.
func FuzzNode_strangers(f *testing.F) {
	f.Add([]byte{}, false)
	f.Add([]byte("\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x10\x11\x12\x13\x14"), true)
	f.Add([]byte(strings.Repeat("\x01\x01\x02\x03\x01\x00\x01\x00", 60)), true)
	f.Fuzz(strangersBarrier)
}

// TestNode_strangers has the strangers of both fuzzers say a lot at random.
func TestNode_strangers(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 2))
		data := make([]byte, 20_000)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		strangersBarrier(t, data, seed%2 == 0)
		strangersPolicy(t, data)
		strangersRoles(t, data)
	}
}

func strangersBarrier(t *testing.T, data []byte, dies bool) {
	const comes, ends, dead, over = 20 * time.Second, 90 * time.Second, 80 * time.Second, 5 * time.Minute
	w := newWorld(worldConfig{size: 3, endTimeout: time.Hour, latency: 10 * time.Millisecond, publish: time.Second}, 1)
	w.start(0, 30*time.Second)
	w.start(1, 30*time.Second)
	w.after(comes, func() { w.start(2, ends-comes-2*time.Second) })
	if dies {
		w.after(dead, func() { w.pods[2][0].kill() })
	}
	w.strangers(data, over)
	w.run(comes - time.Second)
	for i := range 2 {
		if w.pods[i][0].opened {
			t.Fatalf("index %d has started without index 2", i)
		}
	}
	w.run(comes + 10*time.Second)
	for i, pods := range w.pods {
		if !pods[0].opened {
			t.Fatalf("index %d has not started: waits for %s", i, pods[0].node.Waiting(w.now))
		}
	}
	w.run(dead - time.Second)
	for i, pods := range w.pods {
		if pods[0].left {
			t.Fatalf("index %d has left while index 2 runs: %v", i, pods[0].outcome)
		}
	}
	w.run(over)
	report(t, w)
	for i, pods := range w.pods {
		p := pods[0]
		if dies && i == 2 {
			continue
		}
		if !p.left || p.outcome != Together || p.leftAt > ends+GoneAfter(3)+linger(3) {
			t.Errorf("index %d: left at %v: %v", i, p.leftAt, p.outcome)
		}
	}
}

// FuzzNode_strangersPolicy has the same stranger, and three peers that restart as one
// when one of them fails. They do so once.
func FuzzNode_strangersPolicy(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte(strings.Repeat("\x01\x01\x02\x03\x01\x00\x01\x00", 60)))
	f.Fuzz(strangersPolicy)
}

// strangers lets a stranger do what the data says, until a time.
func (w *world) strangers(data []byte, until time.Duration) {
	choices := dice(data)
	for at := time.Duration(0); len(choices) > 0 && at < until; {
		at += time.Duration(choices.roll(256)) * 4 * time.Millisecond
		w.after(at, w.stranger(&choices))
	}
}

func strangersPolicy(t *testing.T, data []byte) {
	const fails, over = time.Minute, 2 * time.Minute
	w := newWorld(worldConfig{size: 3, latency: 10 * time.Millisecond, policy: Policy{Action: RestartPeerJob, MaxRestarts: 3, Grace: time.Second}}, 1)
	for i := range int32(3) {
		w.start(i, 0)
	}
	w.strangers(data, over)
	w.run(fails)
	w.want(t, "attempt 1", "attempt 1", "attempt 1")
	w.pods[1][0].exit(3)
	w.run(fails + 10*time.Second)
	w.want(t, "attempt 2", "attempt 2", "attempt 2")
	w.run(over)
	w.want(t, "attempt 2", "attempt 2", "attempt 2")
}

// FuzzNode_strangersRoles has the same stranger, and a launcher and two workers of which it
// waits for one to be Complete, and serves the other. All start and end in their order.
func FuzzNode_strangersRoles(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte(strings.Repeat("\x01\x01\x02\x03\x01\x00\x01\x00", 60)))
	f.Fuzz(strangersRoles)
}

func strangersRoles(t *testing.T, data []byte) {
	const first, second, over = time.Minute, 2 * time.Minute, 4 * time.Minute
	w := newWorld(worldConfig{
		size: 3, latency: 10 * time.Millisecond, policy: Policy{Action: RestartPeerJob, MaxRestarts: 3, Grace: time.Second},
		roles: []Role{{"launcher", 1}, {"data", 1}, {"worker", 1}}, waits: []roleWaits{{started: 1 << 2, complete: 1 << 1}, {}, {}}, success: 1 << 0,
	}, 1)
	for i := range int32(3) {
		w.start(i, 0)
	}
	w.strangers(data, over)
	w.run(first)
	w.want(t, "attempt 0", "attempt 1", "attempt 1")
	w.pods[1][0].exit(0)
	w.run(second)
	w.want(t, "attempt 1", RoleComplete.String(), "attempt 1")
	w.pods[0][0].exit(0)
	w.run(over)
	w.want(t, Together.String(), RoleComplete.String(), Together.String())
	if code := w.pods[2][0].node.ExitCode(); code != 0 {
		t.Errorf("the worker ends with %d", code)
	}
}

// stranger is one thing that somebody does who is no peer.
func (w *world) stranger(d *dice) func() {
	target := int32(d.roll(3))
	process := Process{byte(1 + d.roll(255)), 0xee}
	report := Report{
		Job: []string{"uid", "uid", "uid-data", "uid-launcher", "other", ""}[d.roll(6)], Index: int32(d.roll(5)) - 1, Process: process,
		Attempt: int32(1 + d.roll(3)), Phase: Phase(1 + d.roll(4)), Code: int32(d.roll(256)),
		Terminating: d.roll(2) == 1, GaveUp: d.roll(2) == 1, LeaseLost: d.roll(2) == 1, Restarts: int32(d.roll(5)),
		Verdict: Verdict{Kind: VerdictKind(d.roll(3)), Attempt: int32(d.roll(4)), Index: int32(d.roll(3))},
	}
	if d.roll(2) == 1 {
		report.Group, report.Started, report.Complete = []string{"", "uid-launcher", "uid"}[d.roll(3)], d.roll(2) == 1, RoleSet(d.roll(256))
		report.CompleteIn = int32(d.roll(4))
		report.AfterStarted, report.AfterComplete = RoleSet(d.roll(256)), RoleSet(d.roll(256))
	}
	if d.roll(2) == 1 {
		report.Leader, report.Silence = Process{byte(d.roll(256)), 0xee}, int64(d.roll(256))*100
	}
	kind := d.roll(3)
	return func() {
		if len(w.pods[target]) == 0 || w.pods[target][0].gone {
			return
		}
		p := w.pods[target][0]
		switch kind {
		case 0:
			_, _ = p.node.Receive(w.now, report) // what he hears is nobody's harm
		case 1:
			p.node.Called(w.now, process)
			p.node.Identity(w.now)
		case 2:
			_ = p.node.Greet(Hello{Job: report.Job, Index: report.Index, Purpose: ToReport, Nonce: Nonce{1}})
		}
		p.step()
	}
}
