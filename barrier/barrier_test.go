// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

// port is the port of the barrier in tests.
const port = 7450

// soon is an upper bound of what the barrier needs when nothing is in its way:
// to open after the last peer came, and to let all leave after the last one's end.
const soon = 10 * time.Second

var quiet = slog.New(slog.DiscardHandler)

// job is a Job on a network in memory: peer i has the address 10.77.0.(i+1).
type job struct {
	t       *testing.T
	network *memory
	config  protocol.Config
}

func newJob(t *testing.T, size int32) *job {
	t.Helper()
	return &job{
		t: t, network: newMemory(),
		config: protocol.Config{
			Job: "uid", Size: size, Start: true, End: true, EndTimeout: time.Hour,
			Name: func(i int32) string { return fmt.Sprintf("train-%d.svc", i) },
		},
	}
}

// pod is one running sidecar.
type pod struct {
	memoryPod
	t       *testing.T
	end     context.CancelFunc
	done    chan error
	message string
}

// start starts the sidecar of a peer, and publishes its name.
func (j *job) start(index int32) *pod {
	j.t.Helper()
	config := j.config
	config.Index = index
	ctx, end := context.WithCancel(j.t.Context())
	p := &pod{
		memoryPod: memoryPod{j.network, netip.AddrFrom4([4]byte{10, 77, 0, byte(index + 1)})},
		t:         j.t, end: end, done: make(chan error, 1), message: filepath.Join(j.t.TempDir(), "message"),
	}
	if err := os.WriteFile(p.message, nil, 0o666); err != nil {
		j.t.Fatal(err)
	}
	j.network.name(config.Name(index), p.address)
	go func() {
		err := run(ctx, Options{Config: config, Port: port, Log: quiet, Message: p.message}, p.memoryPod)
		j.network.name(config.Name(index))
		p.done <- err
	}()
	return p
}

func (j *job) startAll() (pods []*pod) {
	j.t.Helper()
	for i := range j.config.Size {
		pods = append(pods, j.start(i))
	}
	return pods
}

// stop ends the containers of a Pod and waits until its sidecar has left. It
// returns how long that took, and the termination message.
func (p *pod) stop() (time.Duration, string) {
	p.t.Helper()
	began := time.Now()
	p.end()
	if err := <-p.done; err != nil {
		p.t.Error(err)
	}
	message, err := os.ReadFile(p.message)
	if err != nil {
		p.t.Error(err)
	}
	return time.Since(began), string(message)
}

// gate waits as the Pod's init container does.
func (p *pod) gate(timeout time.Duration) <-chan error {
	opened := make(chan error, 1)
	go func() { opened <- wait(p.t.Context(), p.memoryPod, port, timeout, quiet) }()
	return opened
}

// send sends a request to a sidecar from a Pod, and returns the code and the
// text of the answer; 0 for none.
func send(from memoryPod, to netip.Addr, method, path, body string) (int, string) {
	request, err := http.NewRequest(method, "http://"+netip.AddrPortFrom(to, port).String()+path, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	response, err := (&http.Client{Transport: newTransport(from)}).Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

// node is the network of the node, where the kubelet is.
func (j *job) node() memoryPod {
	return memoryPod{j.network, netip.MustParseAddr("10.77.1.1")}
}

// ask asks a sidecar as the kubelet does. It returns the code to come.
func (j *job) ask(p *pod, path string) <-chan int {
	code := make(chan int, 1)
	go func() {
		c, _ := send(j.node(), p.address, http.MethodGet, path, "")
		code <- c
	}()
	return code
}

func (j *job) wantStatus(p *pod, want string) {
	j.t.Helper()
	if code, status := send(j.node(), p.address, http.MethodGet, "/status", ""); code != http.StatusOK || !strings.Contains(status, want) {
		j.t.Errorf("code %d, and the status does not say %q:\n%s", code, want, status)
	}
}

// wantNothing checks that nothing is in a channel once everybody waits.
func wantNothing[T any](t *testing.T, c <-chan T, what string) {
	t.Helper()
	synctest.Wait()
	select {
	case got := <-c:
		t.Fatalf("%s: %v", what, got)
	default:
	}
}

// TestRun has 20 peers. The last one comes late, and ends late.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, late = 20, time.Minute
		j := newJob(t, size)
		var pods []*pod
		var gates []<-chan error
		for i := range int32(size - 1) {
			pods = append(pods, j.start(i))
			gates = append(gates, pods[i].gate(time.Hour))
		}
		time.Sleep(late)
		for i := range gates {
			wantNothing(t, gates[i], "a gate opened without the last peer")
		}
		for _, p := range pods {
			j.wantStatus(p, "waits for 1 of 20 peers: train-19.svc (never heard of)")
		}
		last := j.start(size - 1)
		pods, gates = append(pods, last), append(gates, last.gate(time.Hour))
		began := time.Now()
		for i := range gates {
			if err := <-gates[i]; err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); took > soon {
			t.Errorf("opened %v after the last peer came", took)
		}

		for _, p := range pods[:size-1] {
			p.end()
		}
		time.Sleep(late)
		for _, p := range pods {
			wantNothing(t, p.done, "a peer left before the last one's end")
		}
		for _, p := range pods[:size-1] {
			j.wantStatus(p, "waits for 1 of 20 peers: train-19.svc (running)")
		}
		began = time.Now()
		last.end()
		for i, p := range pods {
			if _, message := p.stop(); message != "" {
				t.Errorf("peer %d: message %q", i, message)
			}
		}
		if took := time.Since(began); took > soon {
			t.Errorf("all had left %v after the last peer's end", took)
		}
	})
}

// TestRun_missing has a peer that never comes. The gates name it, and the
// sidecars leave at once, because no container has started.
func TestRun_missing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 3)
		pods := []*pod{j.start(0), j.start(1)}
		for _, p := range pods {
			err := <-p.gate(10 * time.Minute)
			if want := "start: timed out after 10m0s; waited for 1 of 3 peers: train-2.svc (never heard of)"; !errors.Is(err, ErrTimedOut) || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
		for i, p := range pods {
			if took, message := p.stop(); took > soon || message != "" {
				t.Errorf("peer %d left after %v with the message %q", i, took, message)
			}
		}
	})
}

// TestRun_endTimeout has a peer that does not end in time.
func TestRun_endTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		j.config.EndTimeout = 10 * time.Minute
		pods := j.startAll()
		for _, p := range pods {
			if err := <-p.gate(time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		took, message := pods[1].stop()
		if want := "end: timed out after 10m0s; waited for 1 of 2 peers: train-0.svc (running)\n"; message != want || took < j.config.EndTimeout || took > j.config.EndTimeout+soon {
			t.Errorf("message %q after %v, want %q", message, took, want)
		}
		if took, message := pods[0].stop(); took > soon || message != "" {
			t.Errorf("index 0 left after %v with the message %q", took, message)
		}
	})
}

// TestRun_leaderGone has an index 0 that does not answer any more. The other
// peer leaves before its time is over, and says why.
func TestRun_leaderGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		pods := j.startAll()
		for _, p := range pods {
			if err := <-p.gate(time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		pods[0].unplug()
		took, message := pods[1].stop()
		if want := "end: index 0, train-0.svc: Post \"http://10.77.0.1:7450/report\": dial tcp 10.77.0.1:7450: connection refused\n"; message != want || took > time.Minute {
			t.Errorf("message %q after %v, want %q", message, took, want)
		}
		pods[0].stop()
	})
}

// TestRun_twoAddresses has a name that still leads to an old Pod, too.
func TestRun_twoAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		pods := j.startAll()
		gone := netip.MustParseAddr("10.77.0.99")
		for i, p := range pods {
			j.network.name(j.config.Name(int32(i)), gone, p.address)
		}
		for _, p := range pods {
			if err := <-p.gate(time.Minute); err != nil {
				t.Error(err)
			}
		}
		pods[1].end()
		for _, p := range pods {
			p.stop()
		}
	})
}

// TestRun_portTaken has a container of the same Pod on the barrier's port.
func TestRun_portTaken(t *testing.T) {
	j := newJob(t, 2)
	p := memoryPod{j.network, netip.MustParseAddr("10.77.0.1")}
	listener, err := p.Listen(port)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	err = run(t.Context(), Options{Config: j.config, Port: port, Log: quiet}, p)
	if want := "listen tcp 10.77.0.1:7450: address already in use"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// holdProbes probes a sidecar until a probe is answered at once. It returns the
// others, which are held.
func (j *job) holdProbes(p *pod) (held []<-chan int) {
	j.t.Helper()
	for range 2 * maxHeld {
		code := j.ask(p, protocol.StartupPath)
		synctest.Wait()
		select {
		case c := <-code:
			if c != http.StatusServiceUnavailable {
				j.t.Fatalf("probe %d: code %d, want 503", len(held), c)
			}
			return held
		default:
			held = append(held, code)
		}
	}
	j.t.Fatalf("%d probes are held", len(held))
	return nil
}

// TestRun_startup has a kubelet that probes a sidecar. A probe is held for longer
// than a request may take, and no more than a few are held.
func TestRun_startup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		p := j.start(0)
		synctest.Wait()
		held := j.holdProbes(p)
		if len(held) != maxHeld {
			t.Errorf("%d probes are held, want %d", len(held), maxHeld)
		}
		time.Sleep(2 * requestTimeout)
		for _, code := range held {
			wantNothing(t, code, "a probe was answered before the last peer came")
		}
		j.wantStatus(p, "1 of 2 peers: train-1.svc (never heard of)")
		other := j.start(1)
		for _, code := range held {
			if c := <-code; c != http.StatusOK {
				t.Errorf("code %d, want 200", c)
			}
		}
		if c := <-j.ask(p, protocol.StartupPath); c != http.StatusOK {
			t.Errorf("asked again: code %d, want 200", c)
		}
		other.end()
		p.stop()
		other.stop()
	})
}

// TestRun_startupUnanswered has a probe that is held to its end.
func TestRun_startupUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		p := j.start(0)
		synctest.Wait()
		began := time.Now()
		if c := <-j.ask(p, protocol.StartupPath); c != http.StatusServiceUnavailable || time.Since(began) != protocol.StartupHoldSeconds*time.Second {
			t.Errorf("code %d after %v, want 503 after %d s", c, time.Since(began), protocol.StartupHoldSeconds)
		}
		p.stop()
	})
}

// TestRun_startupStopped has a Pod that is deleted while its kubelet asks. It
// leaves at once.
func TestRun_startupStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		p := j.start(0)
		synctest.Wait()
		held := j.holdProbes(p)
		if took, message := p.stop(); took > farewell || message != "" {
			t.Errorf("left after %v with the message %q", took, message)
		}
		for _, code := range held {
			if c := <-code; c != http.StatusServiceUnavailable {
				t.Errorf("code %d, want 503", c)
			}
		}
	})
}

// TestRun_strangers sends a sidecar what it must not take.
func TestRun_strangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		p := j.start(0)
		synctest.Wait()
		for _, c := range []struct {
			method, path, body string
			want               int
			text               string
		}{
			{"POST", "/report", "", http.StatusBadRequest, "unexpected end of JSON input"},
			{"POST", "/report", strings.Repeat("x", protocol.MaxMessage+1), http.StatusBadRequest, "more than 4096 bytes"},
			{"POST", "/report", `{"job":"uid","index":2,"id":"00000000000000000000000000000000","phase":"starting"}`, http.StatusConflict, "no such index in this Job"},
			{"POST", "/report", `{"job":"other","index":1,"id":"00000000000000000000000000000000","phase":"starting"}`, http.StatusConflict, "a report of another Job"},
			{"POST", "/report", `{"job":"uid","index":1,"id":"00000000000000000000000000000000","phase":"starting"}`, http.StatusOK, `"waiting":`},
			{"GET", "/report", "", http.StatusMethodNotAllowed, ""},
			{"GET", "/elsewhere", "", http.StatusNotFound, ""},
			{"GET", "/start", "", http.StatusForbidden, "only for the gate of the same Pod"},
		} {
			if code, text := send(j.node(), p.address, c.method, c.path, c.body); code != c.want || !strings.Contains(text, c.text) {
				t.Errorf("%s %s %.80s: %d %s, want %d %s", c.method, c.path, c.body, code, text, c.want, c.text)
			}
		}
		p.stop()
	})
}

// TestRun_slowStranger opens every connection that a sidecar serves, and sends
// nothing. The sidecar closes them, and peers are heard again.
func TestRun_slowStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		p := j.start(0)
		synctest.Wait()
		at := netip.AddrPortFrom(p.address, port).String()
		for range maxConnections {
			conn, err := j.node().Dial(t.Context(), "tcp", at)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
		}
		status := j.ask(p, "/status")
		wantNothing(t, status, "a connection above the limit is served")
		time.Sleep(requestTimeout)
		synctest.Wait()
		if c := <-status; c != http.StatusOK {
			t.Errorf("code %d, want 200", c)
		}
		p.stop()
	})
}

// TestWait_stopped has a Pod that is deleted while its gate waits.
func TestWait_stopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 2)
		p := j.start(0)
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- wait(ctx, p.memoryPod, port, time.Hour, quiet) }()
		time.Sleep(time.Minute)
		cancel()
		err := <-stopped
		if want := "start: the Pod was stopped while it waited for 1 of 2 peers: train-1.svc (never heard of): context canceled"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		p.stop()
	})
}

// TestWait_late has a sidecar that listens only after its gate has asked.
func TestWait_late(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, 1)
		p := &pod{t: t, memoryPod: memoryPod{j.network, netip.MustParseAddr("10.77.0.1")}}
		opened := p.gate(time.Hour)
		time.Sleep(time.Minute)
		wantNothing(t, opened, "the gate opened without a sidecar")
		p = j.start(0)
		if err := <-opened; err != nil {
			t.Error(err)
		}
		p.stop()
	})
}

// TestRun_sockets has one peer on real sockets and with the machine's resolver.
func TestRun_sockets(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	free := netip.MustParseAddrPort(listener.Addr().String()).Port()
	listener.Close()
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Options{
			Config: protocol.Config{Job: "uid", Size: 1, Start: true, End: true, EndTimeout: time.Hour, Name: func(int32) string { return "localhost" }},
			Port:   free, Log: quiet,
		})
	}()
	if err := Wait(t.Context(), free, time.Hour, quiet); err != nil {
		t.Error(err)
	}
	if status, err := Status(t.Context(), free); err != nil || !strings.HasPrefix(status, "peer      0 of 1, localhost\nphase     running\n") {
		t.Errorf("%v\n%s", err, status)
	}
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
