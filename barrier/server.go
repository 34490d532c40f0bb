// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/net/netutil"

	"github.com/peerjob/peerjob/barrier/protocol"
)

const (
	// maxConnections is how many connections are served at a time. More wait in
	// the backlog of the kernel.
	maxConnections = 256
	// requestTimeout is how long a request may take to arrive, and an answer to
	// be taken.
	requestTimeout = 5 * time.Second
	// gateHold is how long the gate's question is held.
	gateHold = 5 * time.Second
	// maxHeld is how many questions of startup probes are held at a time; more are
	// answered at once. The kubelet asks one at a time, and again after a second.
	maxHeld = 4
	// maxHeader is how large the head of a request may be, in bytes; net/http
	// adds 4 KiB to it.
	maxHeader = 1 << 10
)

// server is an http.Server on a listener with few connections.
type server struct{ http.Server }

func newServer(s *sidecar) *server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /report", s.serveReport)
	mux.HandleFunc("GET /peer", s.servePeer)
	mux.HandleFunc("GET /start", s.serveStart)
	mux.HandleFunc("GET "+protocol.StartupPath, s.serveStartup)
	mux.HandleFunc("GET /status", s.serveStatus)
	return &server{http.Server{
		Handler:           mux,
		ReadHeaderTimeout: requestTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       requestTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // what strangers send is no news
	}}
}

func (s *server) Serve(listener net.Listener) error {
	s.SetKeepAlivesEnabled(false)
	return s.Server.Serve(netutil.LimitListener(listener, maxConnections))
}

// serveReport is for peers that report to index 0.
func (s *sidecar) serveReport(w http.ResponseWriter, r *http.Request) {
	report, err := protocol.ReadReport(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var reply protocol.Reply
	s.change(func(now time.Duration) { reply, err = s.node.Receive(now, report) })
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	writeJSON(w, reply)
}

// servePeer is for index 0, which calls its peers back, and calls them when they
// may go.
func (s *sidecar) servePeer(w http.ResponseWriter, _ *http.Request) {
	var identity protocol.Identity
	s.change(func(now time.Duration) {
		identity = s.node.Identity()
		s.node.Called(now)
	})
	writeJSON(w, identity)
}

// serveStart is for the gate of the same Pod, which is held until its
// containers may start.
func (s *sidecar) serveStart(w http.ResponseWriter, r *http.Request) {
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || !from.Addr().Unmap().IsLoopback() {
		http.Error(w, "only for the gate of the same Pod", http.StatusForbidden)
		return
	}
	s.change(func(time.Duration) { s.node.Gate() })
	s.hold(w, r, gateHold)
}

// serveStartup is for the kubelet's startup probe, which is held like the gate's
// question. The kubelet asks from an address of the node's.
func (s *sidecar) serveStartup(w http.ResponseWriter, r *http.Request) {
	s.change(func(time.Duration) { s.node.Probe() })
	most := protocol.StartupHoldSeconds * time.Second
	if s.held.Add(1) > maxHeld {
		most = 0
	}
	defer s.held.Add(-1)
	s.hold(w, r, most)
}

// hold answers when the Pod's containers may start, or after a while that they
// may not.
func (s *sidecar) hold(w http.ResponseWriter, r *http.Request, most time.Duration) {
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(most + requestTimeout)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-s.open:
	case <-timer.C:
	case <-s.left:
	case <-r.Context().Done():
	}
	if isClosed(s.open) {
		io.WriteString(w, "go\n")
		return
	}
	s.mu.Lock()
	waiting := s.node.Waiting(s.now())
	s.mu.Unlock()
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprintln(w, waiting)
}

// serveStatus is for people.
func (s *sidecar) serveStatus(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	status := s.node.Status(s.now())
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, status)
}

func writeJSON(w http.ResponseWriter, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, string(data)+"\n")
}
