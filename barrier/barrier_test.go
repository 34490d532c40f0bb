// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

// port is the port of the runner in tests.
const port = 7450

// soon is an upper bound of what the barrier needs when nothing is in its way:
// to open after the last peer came, and to let all leave after the last one's end.
const soon = 3 * time.Second

// job is a Job on a network in memory: peer i has the address 10.77.0.(i+1).
type job struct {
	t       *testing.T
	network *memory
	config  protocol.Config
	key     []byte
}

func newJob(t *testing.T, size int32) *job {
	t.Helper()
	return &job{
		t: t, network: newMemory(),
		config: protocol.Config{
			Job: "uid", Size: size, Start: true, End: true, StartTimeout: time.Hour, EndTimeout: time.Hour,
			Name: func(i int32) string { return fmt.Sprintf("train-%d.svc", i) },
		},
	}
}

// pod is one peer.
type pod struct {
	memoryPod
	t     *testing.T
	group *Group

	mu  sync.Mutex
	log []string
}

// address is the one of a peer.
func address(index int32) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 77, byte(index / 250), byte(index%250 + 1)})
}

// start starts a peer, and publishes its name.
func (j *job) start(index int32) *pod {
	j.t.Helper()
	return j.startAt(index, address(index))
}

func (j *job) startAt(index int32, at netip.Addr) *pod {
	j.t.Helper()
	config := j.config
	config.Index = index
	p := &pod{memoryPod: memoryPod{j.network, at}, t: j.t}
	j.network.name(config.Name(index), at)
	var err error
	if p.group, err = join(j.t.Context(), Options{Config: config, Port: port, Key: j.key, Log: p.say}, p.memoryPod); err != nil {
		j.t.Fatal(err)
	}
	return p
}

func (p *pod) say(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, line)
}

func (p *pod) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.log, "\n")
}

// lastLine is the last line of the log.
func (p *pod) lastLine() string {
	logged := p.logged()
	return logged[strings.LastIndex(logged, "\n")+1:]
}

func (j *job) startAll() (pods []*pod) {
	j.t.Helper()
	for i := range j.config.Size {
		pods = append(pods, j.start(i))
	}
	return pods
}

// opened waits until every peer has started.
func opened(t *testing.T, pods ...*pod) {
	t.Helper()
	for i, p := range pods {
		if _, err := p.group.WaitStart(t.Context()); err != nil {
			t.Fatalf("peer %d: %v\n%s", i, err, p.logged())
		}
	}
}

// left waits until a peer that has ended may leave, and lets it. It returns how long
// that took.
func (p *pod) left() (time.Duration, error) {
	began := time.Now()
	_, err := p.group.WaitEnd(p.t.Context())
	took := time.Since(began)
	if err := p.group.Close(); err != nil {
		p.t.Error(err)
	}
	return took, err
}

// waits reports whether a peer waits, once everybody waits.
func (p *pod) waits() bool {
	synctest.Wait()
	phase := p.group.node.Phase()
	return phase == protocol.Starting || phase == protocol.Ended
}

// TestGroup has 20 peers. The last one comes late, and ends late.
func TestGroup(t *testing.T) {
	for name, key := range map[string][]byte{"without a key": nil, "with a key": []byte("0123456789abcdef")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const size, late = 20, time.Minute
				j := newJob(t, size)
				j.key = key
				var pods []*pod
				for i := range int32(size - 1) {
					pods = append(pods, j.start(i))
				}
				time.Sleep(late)
				for i, p := range pods {
					if !p.waits() {
						t.Fatalf("peer %d started without the last peer", i)
					}
					if got, want := p.group.Waiting(), "1 of 20 peers: train-19.svc (never heard of)"; got != want {
						t.Errorf("peer %d waits for %q, want %q", i, got, want)
					}
				}
				began := time.Now()
				pods = append(pods, j.start(size-1))
				opened(t, pods...)
				if took := time.Since(began); took > soon {
					t.Errorf("started %v after the last peer came", took)
				}

				for _, p := range pods[:size-1] {
					p.group.Ended(0)
				}
				time.Sleep(late)
				for i, p := range pods[:size-1] {
					if !p.waits() {
						t.Fatalf("peer %d left before the last one's end", i)
					}
					if got, want := p.group.Waiting(), "1 of 20 peers: train-19.svc (running)"; got != want {
						t.Errorf("peer %d waits for %q, want %q", i, got, want)
					}
				}
				began = time.Now()
				pods[size-1].group.Ended(0)
				for i, p := range slices.Backward(pods) {
					if _, err := p.left(); err != nil {
						t.Errorf("peer %d: %v", i, err)
					}
				}
				if took := time.Since(began); took > soon {
					t.Errorf("all had left %v after the last peer's end", took)
				}
			})
		})
	}
}

// TestGroup_missing has a peer that never comes. Everyone names it at the same time,
// although the peers came one after the other.
func TestGroup_missing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 4)
		j.config.StartTimeout = 10 * time.Minute
		pods := []*pod{j.start(0)}
		began := time.Now()
		for i := range int32(2) {
			time.Sleep(time.Minute)
			pods = append(pods, j.start(i+1))
		}
		for i, p := range slices.Backward(pods) {
			_, err := p.group.WaitStart(t.Context())
			var timeout *StartTimeoutError
			if want := "start: timed out after 10m0s; waited for 1 of 4 peers: train-3.svc (never heard of)"; !errors.As(err, &timeout) || err.Error() != want {
				t.Errorf("peer %d: %v, want %s", i, err, want)
			}
			if took := time.Since(began); took > j.config.StartTimeout+soon {
				t.Errorf("peer %d gave up after %v", i, took)
			}
			_ = p.group.Close()
		}
		if log := pods[0].logged(); !strings.Contains(log, "train-1.svc gave up") || strings.Contains(log, "ended with code") {
			t.Errorf("index 0:\n%s", log)
		}
	})
}

// TestGroup_lostAtStart has a peer that is lost while all wait for the start: its
// replacement has the whole time to come.
func TestGroup_lostAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 4)
		j.config.StartTimeout = 2 * time.Minute
		pods := []*pod{j.start(0), j.start(1), j.start(2)}
		time.Sleep(100 * time.Second)
		pods[2].group.Terminating()
		if _, err := pods[2].group.WaitStart(t.Context()); !errors.As(err, new(*LeftError)) {
			t.Errorf("a peer that was told to end: %v", err)
		}
		_ = pods[2].group.Close()
		time.Sleep(100 * time.Second)
		for i, p := range pods[:2] {
			if !p.waits() || p.group.node.Phase() != protocol.Starting {
				t.Fatalf("peer %d gave up while a replacement was to come:\n%s", i, p.logged())
			}
		}
		pods = append(pods[:2], j.start(2), j.start(3))
		opened(t, pods...)
	})
}

// TestGroup_endTimeout has a peer that does not end in time.
func TestGroup_endTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		j.config.EndTimeout = 10 * time.Minute
		pods := j.startAll()
		opened(t, pods...)
		pods[1].group.Ended(0)
		took, err := pods[1].left()
		if want := "end: timed out after 10m0s; waited for 1 of 2 peers: train-0.svc (running)"; err == nil || err.Error() != want || took < j.config.EndTimeout || took > j.config.EndTimeout+soon {
			t.Errorf("%v after %v, want %q", err, took, want)
		}
		pods[0].group.Ended(0)
		if took, err := pods[0].left(); err != nil || took > soon {
			t.Errorf("index 0 left after %v: %v", took, err)
		}
	})
}

// TestGroup_leaderGone has an index 0 that does not answer any more. The other
// peer leaves before its time is over, and says why.
func TestGroup_leaderGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		pods := j.startAll()
		opened(t, pods...)
		pods[0].unplug()
		pods[1].group.Ended(0)
		took, err := pods[1].left()
		if want := "end: index 0 is gone; waited for index 0, train-0.svc: dial tcp 10.77.0.1:7450: connection refused"; err == nil || err.Error() != want || took > time.Minute {
			t.Errorf("%v after %v, want %q", err, took, want)
		}
		_ = pods[0].group.Close()
	})
}

// TestGroup_twoAddresses has a name that still leads to an old Pod, too.
func TestGroup_twoAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		pods := j.startAll()
		gone := netip.MustParseAddr("10.77.0.99")
		for i, p := range pods {
			j.network.name(j.config.Name(int32(i)), gone, p.address)
		}
		opened(t, pods...)
		for _, p := range pods {
			p.group.Ended(0)
		}
		for i, p := range slices.Backward(pods) {
			if _, err := p.left(); err != nil {
				t.Errorf("peer %d: %v", i, err)
			}
		}
	})
}

// TestGroup_replaced has an old Pod and its replacement in DNS at the same time. The
// one that was told to end does not count, whatever the order of their addresses.
func TestGroup_replaced(t *testing.T) {
	for index := range int32(2) {
		t.Run(fmt.Sprintf("index %d", index), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJob(t, 2)
				pods := j.startAll()
				opened(t, pods...)
				old := pods[index]
				old.group.Terminating()
				other := netip.MustParseAddr("10.77.0.98")
				pods[index] = j.startAt(index, other)
				j.network.name(j.config.Name(index), old.address, other)
				old.group.Ended(143)
				if took, err := old.left(); err != nil || took > time.Minute {
					t.Errorf("the old Pod left after %v: %v", took, err)
				}
				opened(t, pods[index])
				for _, p := range pods {
					p.group.Ended(0)
				}
				for i, p := range slices.Backward(pods) {
					if _, err := p.left(); err != nil {
						t.Errorf("peer %d: %v\n%s", i, err, p.logged())
					}
				}
			})
		})
	}
}

// TestGroup_failed has a peer whose command fails: it leaves at once, and its
// replacement finds the others, who stay for it.
func TestGroup_failed(t *testing.T) {
	for index := range int32(2) {
		t.Run(fmt.Sprintf("index %d", index), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJob(t, 2)
				pods := j.startAll()
				opened(t, pods...)
				pods[index].group.Ended(3)
				if took, err := pods[index].left(); err != nil || took > time.Second {
					t.Errorf("the peer that failed left after %v: %v", took, err)
				}
				pods[1-index].group.Ended(0)
				time.Sleep(10 * time.Second)
				pods[index] = j.start(index)
				opened(t, pods[index])
				pods[index].group.Ended(0)
				for i, p := range pods {
					if took, err := p.left(); err != nil || took > time.Minute {
						t.Errorf("peer %d left after %v: %v\n%s", i, took, err, p.logged())
					}
				}
			})
		})
	}
}

// TestGroup_suspended has a Job whose Pods are all told to end, and commands that end
// with different codes: nobody waits for replacements.
func TestGroup_suspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 3)
		pods := j.startAll()
		opened(t, pods...)
		for _, p := range pods {
			p.group.Terminating()
		}
		pods[0].group.Ended(0)
		pods[1].group.Ended(143)
		pods[2].group.Ended(0)
		for _, i := range []int{1, 2, 0} {
			if took, err := pods[i].left(); err != nil || took > 2*time.Second {
				t.Errorf("peer %d left after %v: %v\n%s", i, took, err, pods[i].logged())
			}
		}
	})
}

// TestGroup_suspendedLate has a Job whose Pods are all told to end, and a command that
// takes longer for it than the others: it waits for nobody, and no log looks like trouble.
func TestGroup_suspendedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 3)
		pods := j.startAll()
		opened(t, pods...)
		for _, p := range pods {
			p.group.Terminating()
		}
		for i, p := range pods {
			if i == 2 {
				time.Sleep(4 * time.Second)
				p.group.Ended(0)
			} else {
				p.group.Ended(143)
			}
			if took, err := p.left(); err != nil || took > time.Second {
				t.Errorf("peer %d left after %v: %v\n%s", i, took, err, p.logged())
			}
			if got, want := p.lastLine(), "leaving: this Pod was told to end"; got != want {
				t.Errorf("peer %d: %s, want %s", i, got, want)
			}
		}
	})
}

// TestGroup_drained has one Pod that is told to end. Its replacement finds the others,
// who have ended in the meantime, or comes too late for them.
func TestGroup_drained(t *testing.T) {
	for name, replaced := range map[string]bool{"replaced": true, "not replaced": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJob(t, 3)
				j.config.EndTimeout = time.Minute
				pods := j.startAll()
				opened(t, pods...)
				pods[1].group.Terminating()
				pods[1].group.Ended(143)
				if took, err := pods[1].left(); err != nil || took > time.Second {
					t.Errorf("the drained peer left after %v: %v", took, err)
				}
				pods[0].group.Ended(0)
				pods[2].group.Ended(0)
				time.Sleep(30 * time.Second)
				if !pods[0].waits() || !pods[2].waits() {
					t.Fatalf("the others did not wait:\n%s", pods[0].logged())
				}
				if !replaced {
					for _, p := range []*pod{pods[2], pods[0]} {
						want := "end: timed out after 1m0s; waited for 1 of 3 peers: train-1.svc (was told to end; its new Pod has not come)"
						if _, err := p.left(); err == nil || err.Error() != want {
							t.Errorf("%v, want %s", err, want)
						}
					}
					return
				}
				pods[1] = j.start(1)
				opened(t, pods[1])
				pods[1].group.Ended(0)
				for i, p := range slices.Backward(pods) {
					if took, err := p.left(); err != nil || took > soon {
						t.Errorf("peer %d left after %v: %v\n%s", i, took, err, p.logged())
					}
				}
			})
		})
	}
}

// TestGroup_drainedThenSuspended has a Pod that was drained, one that has ended before,
// and then a Job that is told to end as a whole.
func TestGroup_drainedThenSuspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 3)
		pods := j.startAll()
		opened(t, pods...)
		pods[2].group.Ended(0)
		pods[1].group.Terminating()
		pods[1].group.Ended(143)
		_, _ = pods[1].left()
		time.Sleep(10 * time.Second)
		if !pods[2].waits() {
			t.Fatalf("index 2 did not wait:\n%s", pods[2].logged())
		}
		pods[0].group.Terminating()
		pods[2].group.Terminating()
		pods[0].group.Ended(0)
		for _, i := range []int{2, 0} {
			if took, err := pods[i].left(); err != nil || took > soon {
				t.Errorf("peer %d left after %v: %v\n%s", i, took, err, pods[i].logged())
			}
		}
	})
}

// TestGroup_failedLog has commands that fail: every index says the same, and index 0 does
// not say that it stays.
func TestGroup_failedLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 3)
		j.config.EndTimeout = time.Minute
		pods := j.startAll()
		opened(t, pods...)
		pods[1].group.Ended(3)
		_, _ = pods[1].left()
		pods[2].group.Ended(0)
		_, err := pods[2].left()
		want := "end: timed out after 1m0s; waited for 2 of 3 peers: train-0.svc (running), train-1.svc (failed with code 3; its new Pod has not come)"
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		pods[0].group.Ended(1)
		_, _ = pods[0].left()
		for i, p := range pods[:2] {
			if got, want := p.lastLine(), "leaving: the command failed, so the Job can replace this Pod at once"; got != want {
				t.Errorf("peer %d: %s, want %s", i, got, want)
			}
			if strings.Contains(p.logged(), "end: staying") {
				t.Errorf("peer %d:\n%s", i, p.logged())
			}
		}
	})
}

// TestGroup_log holds the log to one line for each event.
func TestGroup_log(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		pods := []*pod{j.start(0)}
		time.Sleep(5 * time.Second)
		pods = append(pods, j.start(1))
		opened(t, pods...)
		time.Sleep(time.Minute)
		pods[1].group.Ended(0)
		time.Sleep(time.Second)
		pods[0].group.Ended(0)
		for _, p := range slices.Backward(pods) {
			if _, err := p.left(); err != nil {
				t.Error(err)
			}
		}
		want := []string{`peer 0 of 2, train-0.svc: waiting for every peer, at most 1h0m0s
train-0.svc is there
train-1.svc is there
start: every peer is there, after Ns
train-1.svc ended with code 0
train-0.svc ended with code 0
end: staying until every peer has ended, at most 1h0m0s
leaving: every peer has ended`, `peer 1 of 2, train-1.svc: waiting for every peer, at most 1h0m0s
start: every peer is there, after Ns
end: staying until every peer has ended, at most 1h0m0s
leaving: every peer has ended`}
		for i, p := range pods {
			var lines []string
			for line := range strings.Lines(p.logged()) {
				if before, _, found := strings.Cut(line, ", after "); found {
					line = before + ", after Ns\n"
				}
				lines = append(lines, line)
			}
			if got := strings.Join(lines, ""); got != want[i] {
				t.Errorf("peer %d:\n%s\nwant\n%s", i, got, want[i])
			}
		}
	})
}

// TestGroup_stopped has a Pod that is told to end while it waits.
func TestGroup_stopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		p := j.start(0)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		_, err := p.group.WaitStart(ctx)
		if want := "start: stopped while waiting for 1 of 2 peers: train-1.svc (never heard of): context canceled"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		_ = p.group.Close()
	})
}

// TestStatus has a person who looks, in the Pod and from elsewhere.
func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		j.key = []byte("0123456789abcdef")
		p := j.start(0)
		time.Sleep(time.Minute)
		text, err := status(t.Context(), port, p.memoryPod)
		want := `peer      0 of 2, train-0.svc
phase     starting
gives up  in 59m0s
there     1 of 2
done      0 of 2
waits for 1 of 2 peers: train-1.svc (never heard of)
`
		if err != nil || text != want {
			t.Errorf("%v\n%s\nwant\n%s", err, text, want)
		}
		c := &client{network: j.stranger(), port: port, run: func() string { return "" }}
		e, done, err := c.open(t.Context(), p.address, 0, protocol.ToShow)
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		body, _, err := e.receive(protocol.PageKind, protocol.MaxMessage)
		if err != nil || !strings.Contains(string(body), "only from within the Pod") {
			t.Errorf("%s: %v", body, err)
		}
		_ = p.group.Close()
	})
}

// TestJoin_refused has options that are no peer's, and a port that is taken.
func TestJoin_refused(t *testing.T) {
	j := newJob(t, 2)
	at := memoryPod{j.network, address(0)}
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"no UID":    {func(o *Options) { o.Config.Job = "" }, "the unique ID of the Job is empty: runs could not be told apart"},
		"index":     {func(o *Options) { o.Config.Index = 2 }, "index 2: must be from 0 to 1"},
		"no peers":  {func(o *Options) { o.Config.Size = 0 }, "0 peers: must be 1 or more"},
		"short key": {func(o *Options) { o.Key = []byte("secret") }, "the key has 6 bytes, and must have 16 or more"},
		"empty key": {func(o *Options) { o.Key = []byte{} }, "the key has 0 bytes, and must have 16 or more"},
	} {
		options := Options{Config: j.config, Port: port}
		c.change(&options)
		if _, err := join(t.Context(), options, at); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	listener, err := at.Listen(port)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, err = join(t.Context(), Options{Config: j.config, Port: port}, at)
	if want := "listen tcp 10.77.0.1:7450: address already in use"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestJoin_sockets has one peer on real sockets and with the machine's resolver.
func TestJoin_sockets(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	free := netip.MustParseAddrPort(listener.Addr().String()).Port()
	listener.Close()
	g, err := Join(t.Context(), Options{
		Config: protocol.Config{Job: "uid", Size: 1, Start: true, End: true, EndTimeout: time.Hour, Name: func(int32) string { return "localhost" }},
		Port:   free, Key: []byte("0123456789abcdef"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.WaitStart(t.Context()); err != nil {
		t.Error(err)
	}
	if status, err := Status(t.Context(), free); err != nil || !strings.HasPrefix(status, "peer      0 of 1, localhost\nphase     running\n") {
		t.Errorf("%v\n%s", err, status)
	}
	g.Ended(0)
	if _, err := g.WaitEnd(t.Context()); err != nil {
		t.Error(err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Status(t.Context(), free); err == nil || !strings.HasPrefix(err.Error(), "no peerjob-runner listens on port ") {
		t.Errorf("after the end: %v", err)
	}
}
