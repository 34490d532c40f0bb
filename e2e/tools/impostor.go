// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

// impostor answers everybody in the name of a peer, until it is killed.
func impostor(job, index string) {
	i, err := strconv.ParseInt(index, 10, 32)
	check(err)
	// It does not know the group's key, and has to guess one.
	keys, err := protocol.NewKeys(rand.Reader, []byte("0123456789abcdef"))
	check(err)
	var answered atomic.Int64
	go func() {
		for range time.Tick(time.Second) {
			fmt.Printf("answered %d\n", answered.Load())
		}
	}()
	serve(job, func(int32) int32 { return int32(i) }, keys, &answered)
}

// serve answers every report with a go, and every call with a running peer of the
// index that the function makes of the one that is called.
func serve(job string, index func(int32) int32, keys protocol.Keys, answered *atomic.Int64) {
	listener, err := net.Listen("tcp", ":"+port)
	check(err)
	for {
		conn, err := listener.Accept()
		check(err)
		go func() {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			if answer(&exchange{conn: conn, keys: keys}, job, index, keys) == nil {
				answered.Add(1)
			}
		}()
	}
}

func answer(e *exchange, job string, index func(int32) int32, keys protocol.Keys) error {
	body, _, err := e.receive(protocol.HelloKind)
	if err != nil {
		return err
	}
	hello, err := protocol.ReadHello(body)
	if err != nil {
		return err
	}
	if hello.Purpose == protocol.ToCall {
		return e.send(protocol.IdentityKind, protocol.Identity{Job: job, Index: index(hello.Index), Process: keys.Process(), Attempt: 1, Phase: protocol.Ended})
	}
	if err := e.send(protocol.ChallengeKind, protocol.Challenge{Nonce: nonce()}); err != nil {
		return err
	}
	// A peer without the right challenge's code says nothing more.
	if _, _, err := e.receive(protocol.ReportKind); err != nil {
		return e.send(protocol.ReplyKind, protocol.Reply{Job: job, Process: keys.Process(), Attempt: 1, Go: true})
	}
	return e.send(protocol.ReplyKind, protocol.Reply{Job: job, Process: keys.Process(), Attempt: 1, Go: true})
}
