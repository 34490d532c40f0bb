// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

// FuzzServer sends whatever the fuzzer finds to index 0, as the first bytes of a
// connection or after a hello that it takes. It answers with a message or not at
// all, and what it knows of its peers stays.
func FuzzServer(f *testing.F) {
	config := protocol.Config{Job: "uid", Size: 2, Start: true, End: true, Name: func(int32) string { return "nobody" }}
	var hello bytes.Buffer
	forger, err := protocol.NewKeys(seed(7), nil)
	if err != nil {
		f.Fatal(err)
	}
	e := &exchange{conn: writeOnly{Writer: &hello}, keys: forger}
	if err := e.send(protocol.HelloKind, protocol.Hello{Job: "uid", Purpose: protocol.ToReport, Nonce: protocol.Nonce{1}}); err != nil {
		f.Fatal(err)
	}
	said := hello.Len()
	if err := e.send(protocol.ReportKind, protocol.Report{Job: "uid", Index: 1, Process: forger.Process(), Attempt: 1, Phase: protocol.Ended}); err != nil {
		f.Fatal(err)
	}
	f.Add(hello.Bytes()[said:], true)
	f.Add(hello.Bytes(), false)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), false)
	f.Add([]byte{1, 0xff, 0xff}, false)
	greeting := bytes.Clone(hello.Bytes()[:said])
	f.Fuzz(func(t *testing.T, data []byte, greets bool) {
		keys, err := protocol.NewKeys(seed(1), nil)
		if err != nil {
			t.Fatal(err)
		}
		g := &Group{options: Options{Config: config}, keys: keys, changed: make(chan struct{}, 1), began: time.Now()}
		g.node = protocol.NewNode(config, keys.Process(), rand.New(rand.NewPCG(1, 1)), 0)
		before := g.heard(0) + g.heard(1)
		near, far := net.Pipe()
		var both sync.WaitGroup
		both.Go(func() {
			defer far.Close()
			newServer(g).exchange(far)
		})
		both.Go(func() {
			defer near.Close()
			// Whether it takes all of it is its own business.
			if greets {
				_, _ = near.Write(greeting)
			}
			_, _ = near.Write(data)
		})
		answer, _ := io.ReadAll(near)
		both.Wait()
		if len(answer) > 2*(headSize+protocol.MaxMessage+protocol.SealSize) {
			t.Errorf("an answer of %d bytes", len(answer))
		}
		if after := g.heard(0) + g.heard(1); after != before || g.node.Phase() != protocol.Starting {
			t.Errorf("%s became %s", before, after)
		}
	})
}

// writeOnly is a connection that only takes bytes.
type writeOnly struct {
	net.Conn
	io.Writer
}

func (w writeOnly) Write(p []byte) (int, error) { return w.Writer.Write(p) }

// TestWire_largest has a report and a hello with the longest of everything: they are read.
func TestWire_largest(t *testing.T) {
	process := protocol.Process(bytes.Repeat([]byte{0xff}, 32))
	job := strings.Repeat("x", 64)
	state := protocol.State{
		Job: job, Index: math.MaxInt32, Process: process, Attempt: 1 << 20, Phase: protocol.Starting, Code: 255, Terminating: true, GaveUp: true,
		LeaseLost: true, Leader: process, LeaderEnds: true, Silence: 366 * 24 * 3600 * 1000, FormerSilence: 366 * 24 * 3600 * 1000, Restarts: 1 << 20,
		Verdict: protocol.Verdict{Kind: protocol.Succeeded, Attempt: 1 << 20, Index: math.MaxInt32, Code: 255},
		Group:   job, Started: true, AfterStarted: 0xffff, AfterComplete: 0xffff, Complete: 0xffff, CompleteIn: 1 << 20,
	}
	for _, message := range []any{protocol.Report(state), protocol.Identity(state)} {
		data, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) >= maxHello {
			t.Errorf("%d bytes, and %d are read", len(data), maxHello)
		}
		if _, err := protocol.ReadReport(data); err != nil {
			t.Errorf("%s: %v", data, err)
		}
	}
}
