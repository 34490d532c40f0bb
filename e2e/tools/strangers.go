// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

const (
	port = "7450"
	// idle is how many connections are held open to index 0, more than it serves, and
	// fewIdle to each other peer.
	idle    = 1100
	fewIdle = 100
	// Pauses keep the strangers from using up the machine's CPU, which is no matter of
	// the protocol.
	idlePause = 2 * time.Second
	pause     = 100 * time.Millisecond
)

// counts is what was done, and what came of it.
type counts struct {
	held, garbage, forged, called, relayed, replayed, answered atomic.Int64
	// waits and goes are replies to a report that was not the stranger's to make.
	waits, goes atomic.Int64
}

func (c *counts) print() {
	fmt.Printf("held %d, garbage %d, forged %d, called %d, relayed %d, replayed %d, answered %d; replies: wait %d, go %d\n",
		c.held.Load(), c.garbage.Load(), c.forged.Load(), c.called.Load(), c.relayed.Load(), c.replayed.Load(), c.answered.Load(), c.waits.Load(), c.goes.Load())
}

// stranger knows a Job as every Pod of its namespace can.
type stranger struct {
	job, name, service string
	size               int32
	keys               protocol.Keys
	counts
}

// strangers does everything at once, until it is killed.
func strangers(job, size, name, service string) {
	n, err := strconv.ParseInt(size, 10, 32)
	check(err)
	keys, err := protocol.NewKeys(rand.Reader, nil)
	check(err)
	s := &stranger{job: job, name: name, service: service, size: int32(n), keys: keys}
	for index := range s.size {
		connections := fewIdle
		if index == 0 {
			connections = idle
		}
		for range connections {
			go forever(idlePause, func() { s.hold(index) })
		}
		go forever(pause, func() { s.talkGarbage(index) })
		go forever(pause, func() { s.call(index) })
		go forever(pause, func() { s.relay(index) })
		go forever(pause, func() { s.replay(index) })
		for phase := protocol.Starting; phase <= protocol.Left; phase++ {
			go forever(pause, func() { s.forge(index, phase) })
		}
	}
	go serve(s.job, func(int32) int32 { return 0 }, s.keys, &s.answered)
	for range time.Tick(time.Second) {
		s.print()
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "tools:", err)
		os.Exit(1)
	}
}

func forever(pause time.Duration, do func()) {
	for {
		do()
		time.Sleep(pause)
	}
}

// dial connects to a peer under its name.
func (s *stranger) dial(index int32) (*exchange, error) {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(fmt.Sprintf("%s-%d.%s", s.name, index, s.service), port), 2*time.Second)
	if err != nil {
		time.Sleep(500 * time.Millisecond) // it is not there, or its backlog is full
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return &exchange{conn: conn, keys: s.keys}, nil
}

// hold opens a connection and says the beginning of something.
func (s *stranger) hold(index int32) {
	e, err := s.dial(index)
	if err != nil {
		return
	}
	defer e.conn.Close()
	s.held.Add(1)
	_, _ = e.conn.Write([]byte{byte(protocol.HelloKind), 0, 200})
	_, _ = io.Copy(io.Discard, e.conn) // until the peer closes it
}

func (s *stranger) talkGarbage(index int32) {
	e, err := s.dial(index)
	if err != nil {
		return
	}
	defer e.conn.Close()
	s.garbage.Add(1)
	_, _ = io.CopyN(e.conn, rand.Reader, 64<<10)
}

func (s *stranger) hello(index int32, purpose protocol.Purpose) protocol.Hello {
	return protocol.Hello{Job: s.job, Index: index, Purpose: purpose, Nonce: nonce()}
}

func nonce() (n protocol.Nonce) {
	rand.Read(n[:])
	return n
}

// challenged begins a report to index 0, and returns the challenge.
func (s *stranger) challenged() (*exchange, []byte, error) {
	e, err := s.dial(0)
	if err != nil {
		return nil, nil, err
	}
	err = e.send(protocol.HelloKind, s.hello(0, protocol.ToReport))
	var challenge []byte
	if err == nil {
		challenge, _, err = e.receive(protocol.ChallengeKind)
	}
	if err != nil {
		e.conn.Close()
		return nil, nil, err
	}
	return e, challenge, nil
}

// forge reports to index 0 as a process of another peer.
func (s *stranger) forge(index int32, phase protocol.Phase) {
	e, _, err := s.challenged()
	if err != nil {
		return
	}
	defer e.conn.Close()
	s.forged.Add(1)
	report := protocol.Report{Job: s.job, Index: index, Process: s.keys.Process(), Attempt: 1, Phase: phase}
	if e.send(protocol.ReportKind, report) != nil {
		return
	}
	s.read(e)
}

// read counts a reply.
func (s *stranger) read(e *exchange) {
	body, _, err := e.receive(protocol.ReplyKind)
	if err != nil {
		return
	}
	reply, err := protocol.ReadReply(body)
	switch {
	case err != nil:
	case reply.Go:
		s.goes.Add(1)
	default:
		s.waits.Add(1)
	}
}

// call asks a peer who it is, as only index 0 has reason to.
func (s *stranger) call(index int32) {
	if _, _, err := s.identity(index, nonce()); err == nil {
		s.called.Add(1)
	}
}

// identity has a peer sign who it is, over a number of the stranger's choice.
func (s *stranger) identity(index int32, n protocol.Nonce) (body []byte, seal protocol.Seal, err error) {
	e, err := s.dial(index)
	if err != nil {
		return nil, seal, err
	}
	defer e.conn.Close()
	hello := s.hello(index, protocol.ToCall)
	hello.Nonce = n
	if err := e.send(protocol.HelloKind, hello); err != nil {
		return nil, seal, err
	}
	return e.receive(protocol.IdentityKind)
}

// relay has a peer sign the number that index 0 has chosen, and passes that on as a
// report.
func (s *stranger) relay(index int32) {
	e, body, err := s.challenged()
	if err != nil {
		return
	}
	defer e.conn.Close()
	challenge, err := protocol.ReadChallenge(body)
	if err != nil {
		return
	}
	identity, seal, err := s.identity(index, challenge.Nonce)
	if err != nil {
		return
	}
	s.relayed.Add(1)
	if e.write(protocol.ReportKind, identity, seal) == nil {
		s.read(e)
	}
}

// replay says again what a peer has said of itself a while ago, as its report and as
// its answer.
func (s *stranger) replay(index int32) {
	identity, seal, err := s.identity(index, nonce())
	if err != nil {
		return
	}
	time.Sleep(time.Second)
	e, _, err := s.challenged()
	if err != nil {
		return
	}
	defer e.conn.Close()
	s.replayed.Add(1)
	if e.write(protocol.ReportKind, identity, seal) == nil {
		s.read(e)
	}
}
