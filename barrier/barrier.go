// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

const (
	// MaxMessage is how much of a termination message Kubernetes keeps, in bytes.
	MaxMessage = 4096
	// logInterval is how often a peer that waits says for whom.
	logInterval = 10 * time.Second
	// farewell is how long a peer tries to say that it leaves.
	farewell = time.Second
)

// Options are what the sidecar is told.
type Options struct {
	// Config says which peer this is and what it waits for.
	Config protocol.Config
	// Port is the port of the barrier, the same in every peer.
	Port uint16
	// Log is where to say what happens.
	Log *slog.Logger
	// Message is the file for the termination message; "" for none.
	Message string
}

// sidecar is a protocol.Node with its edges.
type sidecar struct {
	options Options
	log     *slog.Logger
	began   time.Time
	client  *client

	mu   sync.Mutex // guards node
	node *protocol.Node
	// changed wakes the loop after something happened to the node.
	changed chan struct{}
	// open is closed when the Pod's containers may start, left when the process is
	// about to end.
	open, left chan struct{}
	// held counts the startup probes that wait for either.
	held atomic.Int32
}

// Run is the sidecar: it takes part until terminated is done, which is the end
// of the Pod's containers, and then until the barrier at the end lets it go. An
// error is one of its own making, such as a port that is taken.
func Run(terminated context.Context, options Options) error {
	return run(terminated, options, podNetwork{})
}

func run(terminated context.Context, options Options, network network) error {
	listener, err := network.Listen(options.Port)
	if err != nil {
		return err
	}
	s := &sidecar{
		options: options, log: options.Log, began: time.Now(), client: newClient(options, network),
		changed: make(chan struct{}, 1), open: make(chan struct{}), left: make(chan struct{}),
	}
	var id protocol.ID
	rand.Read(id[:])
	random := mathrand.New(mathrand.NewPCG(mathrand.Uint64(), mathrand.Uint64()))
	s.node = protocol.NewNode(options.Config, id, s.began.UnixMilli(), random, s.now())
	server := newServer(s)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("peers can't reach this Pod any more", "error", err)
		}
	}()
	s.log.Info("listening", "address", listener.Addr().String(), "start", options.Config.Start, "end", options.Config.End)
	s.loop(terminated)
	close(s.left)
	s.leave()
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	// No reply is cut short. What is still open after that is no peer's.
	if err := server.Shutdown(ctx); err != nil {
		s.log.Info("closing open connections", "error", err)
	}
	return server.Close()
}

func (s *sidecar) now() time.Duration { return time.Since(s.began) }

// loop drives the node until it leaves.
func (s *sidecar) loop(terminated context.Context) {
	stop := terminated.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var phase protocol.Phase
	var said time.Duration
	for {
		s.mu.Lock()
		now := s.now()
		actions := s.node.Step(now)
		before := phase
		phase = s.node.Phase()
		opened := before != phase && s.node.Open()
		waiting := ""
		waits := phase == protocol.Starting || phase == protocol.Ended
		if waits && (before != phase || now-said >= logInterval) {
			waiting, said = s.node.Waiting(now), now
		}
		s.mu.Unlock()
		if opened && !isClosed(s.open) {
			close(s.open)
		}
		switch {
		case before != phase && waiting == "":
			s.log.Info("phase", "phase", phase)
		case before != phase:
			s.log.Info("phase", "phase", phase, "waiting", waiting)
		case waiting != "":
			s.log.Info("waiting", "phase", phase, "waiting", waiting)
		}
		if actions.Leave {
			return
		}
		if actions.Report != nil {
			go s.report(*actions.Report)
		}
		for _, index := range actions.Calls {
			go s.call(index)
		}
		timer.Reset(actions.Next - now)
		select {
		case <-timer.C:
		case <-s.changed:
		case <-stop:
			stop = nil
			s.change(func(now time.Duration) { s.node.Terminate(now) })
		}
	}
}

// change does something to the node and wakes the loop.
func (s *sidecar) change(do func(now time.Duration)) {
	s.mu.Lock()
	do(s.now())
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// report sends a report to index 0.
func (s *sidecar) report(report protocol.Report) {
	ctx, cancel := context.WithTimeout(context.Background(), protocol.CallTimeout)
	defer cancel()
	reply, err := s.client.report(ctx, report)
	s.change(func(now time.Duration) {
		if err != nil {
			s.node.Failed(now, err.Error())
			return
		}
		s.node.Replied(now, report, reply)
	})
}

// call calls a peer by its name.
func (s *sidecar) call(index int32) {
	ctx, cancel := context.WithTimeout(context.Background(), protocol.CallTimeout)
	defer cancel()
	identity, problem := s.client.call(ctx, index)
	s.change(func(now time.Duration) {
		if problem != 0 {
			s.node.Unanswered(now, index, problem)
			return
		}
		s.node.Answered(now, index, identity)
	})
}

// leave says goodbye: to index 0, in the log, and in the termination message
// where something is to be known.
func (s *sidecar) leave() {
	s.mu.Lock()
	outcome, last, waiting := s.node.Outcome(), s.node.LastReport(), s.node.Waiting(s.now())
	s.mu.Unlock()
	if last.Index != 0 && outcome != protocol.LeaderGone {
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		if _, err := s.client.report(ctx, last); err != nil {
			s.log.Warn("index 0 does not know that this peer leaves", "error", err)
		}
	}
	switch outcome {
	case protocol.TimedOut:
		text := fmt.Sprintf("end: timed out after %s", s.options.Config.EndTimeout)
		if waiting != "" {
			text += "; waited for " + waiting
		}
		s.log.Warn("leaving", "reason", outcome.String(), "waiting", waiting)
		s.writeMessage(text)
	case protocol.LeaderGone:
		s.log.Warn("leaving", "reason", outcome.String(), "waiting", waiting)
		s.writeMessage("end: " + waiting)
	default:
		s.log.Info("leaving", "reason", outcome.String())
	}
}

func (s *sidecar) writeMessage(text string) {
	if err := WriteMessage(s.options.Message, text); err != nil {
		s.log.Warn("termination message", "error", err)
	}
}

// WriteMessage writes a termination message of at most [MaxMessage] bytes; no
// file is no message.
func WriteMessage(file, text string) error {
	if file == "" {
		return nil
	}
	// Kubernetes makes the file. Where there is none, nobody reads it.
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_TRUNC, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, protocol.Printable(text, MaxMessage-1)+"\n")
	return errors.Join(err, f.Close())
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
