// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/peerjob/peerjob/internal/runner/doctor"
)

// queryTimeout is how long a nameserver may take.
const queryTimeout = 2 * time.Second

// resolver asks nameservers. Go's own resolver tells neither for how long an answer may
// be cached, nor a missing name from a name without addresses.
type resolver struct {
	servers []string
	port    uint16
	timeout time.Duration
}

// lookup asks one nameserver after another until one answers.
func (r *resolver) lookup(ctx context.Context, name string) doctor.Answer {
	var answer doctor.Answer
	for _, server := range r.servers {
		if answer = r.ask(ctx, server, name); answer.Code != doctor.NoAnswer && answer.Code != doctor.ServerFailed {
			break
		}
	}
	return answer
}

// ask asks a nameserver for the addresses of a name: for IPv4, and if there are none, for
// IPv6. A packet can be lost, so it asks twice.
func (r *resolver) ask(ctx context.Context, server, name string) doctor.Answer {
	var answer doctor.Answer
	for range 2 {
		answer = r.query(ctx, server, name, dnsmessage.TypeA)
		if answer.Code != doctor.NoAnswer {
			break
		}
	}
	if answer.Code == doctor.NoAddress {
		if six := r.query(ctx, server, name, dnsmessage.TypeAAAA); six.Code == doctor.Found {
			return six
		}
	}
	return answer
}

func (r *resolver) query(ctx context.Context, server, name string, kind dnsmessage.Type) doctor.Answer {
	began := time.Now()
	answer := doctor.Answer{Server: server}
	message, err := r.exchange(ctx, server, name, kind)
	answer.Took = time.Since(began)
	switch {
	case err != nil && ctx.Err() != nil && answer.Took < r.timeout/2:
		return doctor.Answer{Server: server} // there was no time
	case err != nil:
		answer.Code, answer.Problem = doctor.NoAnswer, plainNetworkError(err)
		return answer
	}
	readAnswer(&answer, message)
	return answer
}

// plainNetworkError is an error of the network without addresses, which the report has.
func plainNetworkError(err error) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		return operation.Err.Error()
	}
	return err.Error()
}

// readAnswer reads the answer to a question.
func readAnswer(answer *doctor.Answer, message *dnsmessage.Message) {
	least := uint32(1<<32 - 1)
	for _, record := range message.Answers {
		switch body := record.Body.(type) {
		case *dnsmessage.AResource:
			answer.Addresses = append(answer.Addresses, netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			answer.Addresses = append(answer.Addresses, netip.AddrFrom16(body.AAAA))
		}
		least = min(least, record.Header.TTL)
	}
	switch {
	case message.RCode == dnsmessage.RCodeSuccess && len(answer.Addresses) > 0:
		answer.Code, answer.TTL = doctor.Found, time.Duration(least)*time.Second
		return
	case message.RCode == dnsmessage.RCodeSuccess:
		answer.Code = doctor.NoAddress
	case message.RCode == dnsmessage.RCodeNameError:
		answer.Code = doctor.NoName
	default:
		answer.Code, answer.Problem = doctor.ServerFailed, strings.TrimPrefix(message.RCode.String(), "RCode")
		return
	}
	// A negative answer may be cached for the lesser of the record's TTL, which a cache
	// counts down, and its minimum (RFC 2308).
	for _, record := range message.Authorities {
		if soa, ok := record.Body.(*dnsmessage.SOAResource); ok {
			answer.TTL = time.Duration(min(record.Header.TTL, soa.MinTTL)) * time.Second
			answer.Cached = record.Header.TTL < soa.MinTTL
		}
	}
}

// exchange asks over UDP, and over TCP if the answer has no room there.
func (r *resolver) exchange(ctx context.Context, server, name string, kind dnsmessage.Type) (*dnsmessage.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	full, err := dnsmessage.NewName(name + ".")
	if err != nil {
		return nil, fmt.Errorf("the name %s: %w", name, err)
	}
	question := dnsmessage.Question{Name: full, Type: kind, Class: dnsmessage.ClassINET}
	id := uint16(rand.Uint32())
	request := dnsmessage.Message{Header: dnsmessage.Header{ID: id, RecursionDesired: true}, Questions: []dnsmessage.Question{question}}
	packed, err := request.Pack()
	if err != nil {
		return nil, err
	}
	for _, network := range []string{"udp", "tcp"} {
		message, err := r.over(ctx, network, server, packed, func(m *dnsmessage.Message) bool {
			return m.ID == id && m.Response && len(m.Questions) == 1 && m.Questions[0].Type == kind && strings.EqualFold(m.Questions[0].Name.String(), full.String())
		})
		if err != nil || !message.Truncated || network == "tcp" {
			return message, err
		}
	}
	return nil, errors.New("no answer")
}

// over sends a packed question and waits for the message that answers it.
func (r *resolver) over(ctx context.Context, network, server string, packed []byte, answers func(*dnsmessage.Message) bool) (*dnsmessage.Message, error) {
	connection, err := new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(server, strconv.Itoa(int(r.port))))
	if err != nil {
		return nil, err
	}
	defer func() { _ = connection.Close() }() // nothing is left to send
	if deadline, set := ctx.Deadline(); set {
		if err := connection.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	if network == "tcp" {
		packed = append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...)
	}
	if _, err := connection.Write(packed); err != nil {
		return nil, err
	}
	buffer := make([]byte, 1<<16)
	for {
		n := 0
		if network == "tcp" {
			if _, err := io.ReadFull(connection, buffer[:2]); err != nil {
				return nil, err
			}
			n = int(binary.BigEndian.Uint16(buffer))
			_, err = io.ReadFull(connection, buffer[:n])
		} else {
			n, err = connection.Read(buffer)
		}
		if err != nil {
			return nil, err
		}
		message := &dnsmessage.Message{}
		// Anybody can send a packet here: what is no answer to the question is not read.
		if err := message.Unpack(buffer[:n]); err == nil && answers(message) {
			return message, nil
		}
	}
}
