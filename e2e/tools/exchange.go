// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"

	"github.com/peerjob/peerjob/barrier/protocol"
)

// exchange is one connection: heads of a kind and a length, bodies of JSON, and seals.
type exchange struct {
	conn       net.Conn
	keys       protocol.Keys
	transcript protocol.Transcript
}

func (e *exchange) send(kind protocol.Kind, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return e.write(kind, body, e.transcript.Seal(e.keys, kind, body))
}

// write sends a message with any seal.
func (e *exchange) write(kind protocol.Kind, body []byte, seal protocol.Seal) error {
	message := binary.BigEndian.AppendUint16([]byte{byte(kind)}, uint16(len(body)))
	message = append(message, body...)
	message = append(message, seal.Signature[:]...)
	message = append(message, seal.Code[:]...)
	_, err := e.conn.Write(message)
	return err
}

// receive reads a message of a kind, and believes everything.
func (e *exchange) receive(kind protocol.Kind) (body []byte, seal protocol.Seal, err error) {
	var head [3]byte
	if _, err := io.ReadFull(e.conn, head[:]); err != nil {
		return nil, seal, err
	}
	rest := make([]byte, int(binary.BigEndian.Uint16(head[1:]))+protocol.SealSize)
	if _, err := io.ReadFull(e.conn, rest); err != nil {
		return nil, seal, err
	}
	if got := protocol.Kind(head[0]); got != kind {
		return nil, seal, fmt.Errorf("kind %d in place of %d", got, kind)
	}
	body = rest[:len(rest)-protocol.SealSize]
	copy(seal.Signature[:], rest[len(body):])
	copy(seal.Code[:], rest[len(body)+len(seal.Signature):])
	_ = e.transcript.Open(e.keys, kind, body, seal) // of the key that only peers have
	return body, seal, nil
}
