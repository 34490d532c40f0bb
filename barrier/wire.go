// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/peerjob/peerjob/barrier/protocol"
)

const (
	// headSize is the head of a message: its kind, and the length of its body.
	headSize = 1 + 2
	// maxHello is the largest body that is read of somebody who may be a stranger, in
	// bytes.
	maxHello = 1 << 10
)

// exchange is one connection: a question of one side, and what follows from it. Every
// message is a head, a JSON object, and a seal. There is no second question: a peer
// is called seldom, and index 0 would otherwise hold a connection for each of them.
type exchange struct {
	conn       net.Conn
	keys       protocol.Keys
	transcript protocol.Transcript
}

// send sends one message.
func (e *exchange) send(kind protocol.Kind, value any) error {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	body := encoded.Bytes()
	if len(body) > protocol.MaxMessage {
		return fmt.Errorf("a message of %d bytes", len(body))
	}
	seal := e.transcript.Seal(e.keys, kind, body)
	message := make([]byte, headSize, headSize+len(body)+protocol.SealSize)
	message[0] = byte(kind)
	binary.BigEndian.PutUint16(message[1:], uint16(len(body)))
	message = append(message, body...)
	message = append(message, seal.Signature[:]...)
	message = append(message, seal.Code[:]...)
	_, err := e.conn.Write(message)
	return err
}

// receive reads one message of a kind, whose body has at most so many bytes, and
// checks the code of the group's key. Whose signature it has is for the caller to
// say. An error of the other side is one here.
func (e *exchange) receive(kind protocol.Kind, most int) (body []byte, seal protocol.Seal, err error) {
	got, body, seal, err := e.read(most)
	switch {
	case err != nil:
		return nil, seal, err
	case got == protocol.PageKind && kind != protocol.PageKind:
		// The other side refuses, and says why. The text is shown and has no effect.
		page, err := protocol.ReadPage(body)
		if err != nil {
			return nil, seal, err
		}
		return nil, seal, fmt.Errorf("refused: %s", protocol.Printable(page.Text, maxHello))
	case got != kind:
		return nil, seal, fmt.Errorf("a message of kind %d instead of %d", got, kind)
	}
	return body, seal, e.transcript.Open(e.keys, kind, body, seal)
}

func (e *exchange) read(most int) (kind protocol.Kind, body []byte, seal protocol.Seal, err error) {
	var head [headSize]byte
	if _, err := io.ReadFull(e.conn, head[:]); err != nil {
		return 0, nil, seal, unexpected(err)
	}
	length := int(binary.BigEndian.Uint16(head[1:]))
	if length > most {
		return 0, nil, seal, fmt.Errorf("a message of %d bytes, and %d are read", length, most)
	}
	rest := make([]byte, length+protocol.SealSize)
	if _, err := io.ReadFull(e.conn, rest); err != nil {
		return 0, nil, seal, unexpected(err)
	}
	copy(seal.Signature[:], rest[length:])
	copy(seal.Code[:], rest[length+len(seal.Signature):])
	return protocol.Kind(head[0]), rest[:length], seal, nil
}

// unexpected says what an end of the stream means.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the connection was closed without an answer")
	}
	return err
}
