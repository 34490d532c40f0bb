// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Process is the public half of one process's key pair: its name. Who can sign
// with the other half is that process, whatever address or name it has. No two
// processes have the same, so a container that starts again is another one.
type Process [ed25519.PublicKeySize]byte

// Nonce is a random number that one side of a connection chooses, so that what
// was said on another connection can't be said again on this one.
type Nonce [16]byte

// String is the beginning of the process's name, for a log.
func (p Process) String() string { return hex.EncodeToString(p[:4]) }

// MarshalText writes the process in hexadecimal digits.
func (p Process) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(p[:])), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (p *Process) UnmarshalText(text []byte) error { return readHex(p[:], text) }

// MarshalText writes the nonce in hexadecimal digits.
func (n Nonce) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(n[:])), nil }

// UnmarshalText reads 32 hexadecimal digits.
func (n *Nonce) UnmarshalText(text []byte) error { return readHex(n[:], text) }

func readHex(to, text []byte) error {
	if len(text) != hex.EncodedLen(len(to)) {
		return fmt.Errorf("must be %d hexadecimal digits", hex.EncodedLen(len(to)))
	}
	_, err := hex.Decode(to, text)
	return err
}

// Keys are what a process signs with.
type Keys struct {
	process Process
	private ed25519.PrivateKey
	group   []byte
}

// NewKeys makes the keys of a process from a source of secret random bytes.
// The group's key is what all peers share, or empty.
func NewKeys(secret io.Reader, group []byte) (Keys, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(secret, seed); err != nil {
		return Keys{}, err
	}
	k := Keys{private: ed25519.NewKeyFromSeed(seed), group: group}
	copy(k.process[:], k.private[ed25519.SeedSize:])
	return k, nil
}

// Process is the process that has the keys.
func (k Keys) Process() Process { return k.process }

// Kind is what a message is. A message that was signed as one kind is no message
// of another.
type Kind uint8

// The kinds of messages.
const (
	HelloKind Kind = iota + 1
	ChallengeKind
	ReportKind
	ReplyKind
	IdentityKind
	PageKind
)

// signed reports whether a process signs its messages of this kind. What comes
// before both sides have chosen a number proves nothing, and a page is read by
// people of the same Pod.
func (k Kind) signed() bool { return k == ReportKind || k == ReplyKind || k == IdentityKind }

// Seal is what proves who sent a message: the signature of its process, and a
// code that only who has the group's key can make.
type Seal struct {
	Signature [ed25519.SignatureSize]byte
	Code      [sha256.Size]byte
}

// SealSize is the size of a seal on the wire, in bytes.
const SealSize = ed25519.SignatureSize + sha256.Size

// Transcript is all that was said on one connection, by both sides. Each side
// keeps its own. A seal is made over all of it: so it holds for the numbers which
// both sides chose, the Job, the index that was meant, the direction and the
// place in the exchange, and for nothing else.
type Transcript struct{ sum [sha256.Size]byte }

// errSeal says nothing about the cause, because its reader is a stranger.
var errSeal = errors.New("the message is not sealed by who it says")

// Seal adds a message of the sender's own to the transcript, and seals it.
func (t *Transcript) Seal(k Keys, kind Kind, body []byte) Seal {
	t.add(kind, body)
	var s Seal
	if kind.signed() {
		copy(s.Signature[:], ed25519.Sign(k.private, t.sum[:]))
	}
	if len(k.group) > 0 {
		s.Code = t.code(k)
	}
	return s
}

// Open adds a message of the other side's to the transcript. It is an error if
// the message does not have the code of the group's key, where there is one.
func (t *Transcript) Open(k Keys, kind Kind, body []byte, s Seal) error {
	t.add(kind, body)
	if len(k.group) == 0 {
		return nil
	}
	if code := t.code(k); !hmac.Equal(s.Code[:], code[:]) {
		return errSeal
	}
	return nil
}

// Verify is an error if the last message that was opened is not signed by the
// process, or is of a kind that nobody signs.
func (t *Transcript) Verify(kind Kind, by Process, s Seal) error {
	if !kind.signed() || !ed25519.Verify(by[:], t.sum[:], s.Signature[:]) {
		return errSeal
	}
	return nil
}

func (t *Transcript) add(kind Kind, body []byte) {
	// The length of a body is not said: a sum is taken of each body alone.
	inner := sha256.Sum256(body)
	h := sha256.New()
	h.Write([]byte("peerjob.dev/runner/v1\x00"))
	h.Write(t.sum[:])
	h.Write([]byte{byte(kind)})
	h.Write(inner[:])
	h.Sum(t.sum[:0])
}

func (t *Transcript) code(k Keys) (code [sha256.Size]byte) {
	h := hmac.New(sha256.New, k.group)
	h.Write(t.sum[:])
	h.Sum(code[:0])
	return code
}
