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
	"sync"
	"testing"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

// network is a Job on real sockets: peer i has the address 127.77.0.(i+1), and
// a name which can be taken away.
type network struct {
	t      *testing.T
	port   uint16
	config protocol.Config

	mu    sync.Mutex
	names map[string]netip.Addr
}

func newNetwork(t *testing.T, size int32) *network {
	t.Helper()
	// A port that is free now, for all addresses.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := netip.MustParseAddrPort(listener.Addr().String()).Port()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	other, err := net.Listen("tcp", "127.77.0.1:0")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skipf("this machine has one loopback address only: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	return &network{
		t: t, port: port, names: map[string]netip.Addr{},
		config: protocol.Config{
			Job: "uid", Size: size, Start: true, End: true, EndTimeout: 20 * time.Second,
			Name: func(i int32) string { return fmt.Sprintf("train-%d.svc", i) },
		},
	}
}

func (n *network) lookup(_ context.Context, name string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	address, found := n.names[name]
	if !found {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return []netip.Addr{address}, nil
}

// pod is one running sidecar.
type pod struct {
	address netip.Addr
	end     context.CancelFunc
	done    chan error
	message string
}

// start starts the sidecar of a peer, and gives it its name.
func (n *network) start(index int32) *pod {
	n.t.Helper()
	config := n.config
	config.Index = index
	address := netip.AddrFrom4([4]byte{127, 77, 0, byte(index + 1)})
	p := &pod{address: address, done: make(chan error, 1), message: filepath.Join(n.t.TempDir(), "message")}
	if err := os.WriteFile(p.message, nil, 0o666); err != nil {
		n.t.Fatal(err)
	}
	n.mu.Lock()
	n.names[config.Name(index)] = address
	n.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	p.end = cancel
	go func() {
		err := Run(ctx, Options{
			Config: config, Address: address.String(), Port: n.port, Lookup: n.lookup,
			Log: slog.New(slog.DiscardHandler), Message: p.message,
		})
		n.mu.Lock()
		delete(n.names, config.Name(index))
		n.mu.Unlock()
		p.done <- err
	}()
	n.t.Cleanup(cancel)
	return p
}

// gate asks the sidecar of a pod whether its containers may start.
func (n *network) gate(p *pod, timeout time.Duration) error {
	return wait(n.t.Context(), p.address.String(), n.port, timeout, slog.New(slog.DiscardHandler))
}

// get asks a sidecar, and returns the code and the text of its answer; 0 for
// none.
func (n *network) get(p *pod, path string) (int, string) {
	response, err := http.Get("http://" + netip.AddrPortFrom(p.address, n.port).String() + path)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

// waitForStatus waits until the status page of a pod says something.
func (n *network) waitForStatus(p *pod, want string) {
	n.t.Helper()
	status := ""
	for range 200 {
		if _, status = n.get(p, "/status"); strings.Contains(status, want) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	n.t.Errorf("the status never says %q:\n%s", want, status)
}

// TestRun has 20 peers on real sockets: the last one comes late, and one ends
// late.
func TestRun(t *testing.T) {
	const size = 20
	n := newNetwork(t, size)
	var pods []*pod
	for i := range int32(size - 1) {
		pods = append(pods, n.start(i))
	}
	opened := make(chan error, size)
	for _, p := range pods {
		go func() { opened <- n.gate(p, 20*time.Second) }()
	}
	select {
	case err := <-opened:
		t.Fatalf("a gate opened without the last peer: %v", err)
	case <-time.After(2500 * time.Millisecond):
	}
	n.waitForStatus(pods[3], "1 of 20 peers: train-19.svc (never heard of)")
	last := n.start(size - 1)
	began := time.Now()
	pods = append(pods, last)
	go func() { opened <- n.gate(last, 20*time.Second) }()
	for range size {
		if err := <-opened; err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("opened %v after the last peer came", time.Since(began).Round(time.Millisecond))

	// All but one end; nobody leaves.
	for _, p := range pods[:size-1] {
		p.end()
	}
	select {
	case err := <-pods[0].done:
		t.Fatalf("index 0 left before the last peer's end: %v", err)
	case err := <-pods[1].done:
		t.Fatalf("index 1 left before the last peer's end: %v", err)
	case <-time.After(1500 * time.Millisecond):
	}
	n.waitForStatus(pods[0], "1 of 20 peers: train-19.svc (running)")
	last.end()
	began = time.Now()
	for i, p := range pods {
		if err := <-p.done; err != nil {
			t.Errorf("peer %d: %v", i, err)
		}
		if message, err := os.ReadFile(p.message); err != nil || len(message) > 0 {
			t.Errorf("peer %d: message %q, %v", i, message, err)
		}
	}
	t.Logf("all had left %v after the last peer's end", time.Since(began).Round(time.Millisecond))
}

// TestRun_timeouts has a peer that never comes: the gates name it, and so do
// the sidecars at the end.
func TestRun_timeouts(t *testing.T) {
	n := newNetwork(t, 3)
	n.config.EndTimeout = 10 * time.Second
	pods := []*pod{n.start(0), n.start(1)}
	for _, p := range pods {
		err := n.gate(p, 4*time.Second)
		if !errors.Is(err, ErrTimedOut) || !strings.Contains(err.Error(), "1 of 3 peers: train-2.svc (never heard of)") {
			t.Errorf("%v", err)
		}
	}
	// The containers never started, so there is nothing to stay for.
	began := time.Now()
	for _, p := range pods {
		p.end()
		if err := <-p.done; err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(began); took > n.config.EndTimeout {
		t.Errorf("left after %v", took)
	}
}

// ask asks a sidecar for a path, and returns the code to come.
func (n *network) ask(p *pod, path string) <-chan int {
	code := make(chan int, 1)
	go func() {
		c, _ := n.get(p, path)
		code <- c
	}()
	return code
}

// probe asks as the kubelet's startup probe does.
func (n *network) probe(p *pod) <-chan int { return n.ask(p, protocol.StartupPath) }

// holdProbes asks until a probe is not held, and returns those that are.
func (n *network) holdProbes(p *pod) (held []<-chan int) {
	n.t.Helper()
	for range 2 * maxHeld {
		code := n.probe(p)
		select {
		case c := <-code:
			if c != http.StatusServiceUnavailable {
				n.t.Fatalf("probe %d: code %d, want 503", len(held), c)
			}
			return held
		case <-time.After(time.Second):
			held = append(held, code)
		}
	}
	n.t.Fatalf("%d probes are held", len(held))
	return nil
}

// TestRun_startup has a kubelet which probes a sidecar: a question is held for
// longer than others may take, and no more than a few are.
func TestRun_startup(t *testing.T) {
	n := newNetwork(t, 2)
	p := n.start(0)
	n.waitForStatus(p, "1 of 2 peers: train-1.svc (never heard of)")
	held := n.holdProbes(p)
	if len(held) != maxHeld {
		t.Errorf("%d probes are held, want %d", len(held), maxHeld)
	}
	select {
	case code := <-n.ask(p, "/start"):
		t.Errorf("the gate is answered %d at once", code)
	case <-time.After(time.Second):
	}
	select {
	case code := <-held[0]:
		t.Fatalf("answered %d before the last peer came", code)
	case <-time.After(requestTimeout + time.Second):
	}
	n.start(1)
	for _, code := range held {
		if c := <-code; c != http.StatusOK {
			t.Errorf("code %d, want 200", c)
		}
	}
	if c := <-n.probe(p); c != http.StatusOK {
		t.Errorf("asked again: code %d, want 200", c)
	}
}

// TestRun_startupStopped has a Pod that is deleted while its kubelet asks: it
// leaves at once.
func TestRun_startupStopped(t *testing.T) {
	n := newNetwork(t, 2)
	p := n.start(0)
	n.waitForStatus(p, "1 of 2 peers: train-1.svc (never heard of)")
	held := n.holdProbes(p)
	began := time.Now()
	p.end()
	if err := <-p.done; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > farewell {
		t.Errorf("left after %v", took)
	}
	for _, code := range held {
		if c := <-code; c != http.StatusServiceUnavailable {
			t.Errorf("code %d, want 503", c)
		}
	}
}

// TestRun_endTimeout has a peer that does not end in time.
func TestRun_endTimeout(t *testing.T) {
	n := newNetwork(t, 2)
	n.config.EndTimeout = time.Second
	pods := []*pod{n.start(0), n.start(1)}
	for _, p := range pods {
		if err := n.gate(p, 20*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	pods[1].end()
	if err := <-pods[1].done; err != nil {
		t.Error(err)
	}
	message, err := os.ReadFile(pods[1].message)
	if want := "end: timed out after 1s; waited for 1 of 2 peers: train-0.svc (running)\n"; err != nil || string(message) != want {
		t.Errorf("message %q, %v", message, err)
	}
}

func TestRun_strangers(t *testing.T) {
	n := newNetwork(t, 2)
	p := n.start(0)
	url := "http://" + netip.AddrPortFrom(p.address, n.port).String()
	n.waitForStatus(p, "starting")
	for _, c := range []struct {
		body string
		want int
	}{
		{"", http.StatusBadRequest},
		{strings.Repeat("x", 1<<20), http.StatusBadRequest},
		{`{"job":"uid","index":2,"id":"00000000000000000000000000000000","phase":"starting"}`, http.StatusConflict},
		{`{"job":"other","index":1,"id":"00000000000000000000000000000000","phase":"starting"}`, http.StatusConflict},
		{`{"job":"uid","index":1,"id":"00000000000000000000000000000000","phase":"starting"}`, http.StatusOK},
	} {
		response, err := http.Post(url+"/report", "application/json", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != c.want {
			t.Errorf("%.80s: %s", c.body, response.Status)
		}
	}
	if code, _ := n.get(p, "/elsewhere"); code != http.StatusNotFound {
		t.Errorf("code %d", code)
	}
}
