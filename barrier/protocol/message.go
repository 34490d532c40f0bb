// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// StartupPath is what a startup probe asks the sidecar for: 200 when every
	// peer is there, 503 when not.
	StartupPath = "/startup"
	// StartupHoldSeconds is how long that question is held. Each that ends without
	// a yes is an event of the Pod.
	StartupHoldSeconds = 50
)

const (
	// MaxMessage is the largest message that is read, in bytes.
	MaxMessage = 4 << 10
	// maxJob is the longest unique ID of a Job that is taken, in bytes.
	maxJob = 64
	// maxText is the longest text in a message, in bytes.
	maxText = 2 << 10
)

// Phase is how far a peer is. Within one process it only ever rises.
type Phase uint8

const (
	// Starting: waits for every peer to be there.
	Starting Phase = iota + 1
	// Running: its containers run, or may.
	Running
	// Ended: its containers have ended; it stays for the others.
	Ended
	// Left: it has left, or is about to.
	Left
)

var phaseNames = map[Phase]string{Starting: "starting", Running: "running", Ended: "ended", Left: "left"}

func (p Phase) String() string { return phaseNames[p] }

// MarshalText writes the phase as a word.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads one of the four words.
func (p *Phase) UnmarshalText(text []byte) error {
	for phase, name := range phaseNames {
		if name == string(text) {
			*p = phase
			return nil
		}
	}
	return errors.New("phase: must be starting, running, ended or left")
}

// ID is the secret of one process: who knows it speaks for that process.
type ID [16]byte

// Proof can be made from an ID alone, and does not tell it. A process shows it
// to whoever calls.
type Proof [16]byte

// Proof is what proves that an ID belongs to the process which was called.
func (id ID) Proof() Proof {
	sum := sha256.Sum256(id[:])
	return Proof(sum[:16])
}

// MarshalText writes the ID in hexadecimal digits.
func (id ID) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(id[:])), nil }

// UnmarshalText reads 32 hexadecimal digits.
func (id *ID) UnmarshalText(text []byte) error { return readHex(id[:], text) }

// MarshalText writes the proof in hexadecimal digits.
func (p Proof) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(p[:])), nil }

// UnmarshalText reads 32 hexadecimal digits.
func (p *Proof) UnmarshalText(text []byte) error { return readHex(p[:], text) }

func readHex(to, text []byte) error {
	if len(text) != hex.EncodedLen(len(to)) {
		return fmt.Errorf("must be %d hexadecimal digits", hex.EncodedLen(len(to)))
	}
	_, err := hex.Decode(to, text)
	return err
}

// Report is what a peer says to index 0.
type Report struct {
	// Job is the unique ID of the Job, so that Jobs of one name, one after the
	// other, are told apart.
	Job string `json:"job"`
	// Index is the completion index of the peer.
	Index int32 `json:"index"`
	// ID is the secret of the process which reports.
	ID ID `json:"id"`
	// Born is when the process began, as in [Identity].
	Born int64 `json:"born"`
	// Phase is how far it is.
	Phase Phase `json:"phase"`
}

// Identity is what a peer says to whoever calls it by its name.
type Identity struct {
	// Job is the unique ID of the Job.
	Job string `json:"job"`
	// Index is the completion index of the peer.
	Index int32 `json:"index"`
	// Proof belongs to the ID with which the process reports.
	Proof Proof `json:"proof"`
	// Born is when the process began, in milliseconds since 1970 by the clock of
	// its node: of two processes of one index the younger one counts.
	Born int64 `json:"born"`
	// Phase is how far it is.
	Phase Phase `json:"phase"`
}

// Reply is what index 0 says to a peer that reports.
type Reply struct {
	// Job is the unique ID of the Job.
	Job string `json:"job"`
	// Go is true when what the peer waits for has come.
	Go bool `json:"go"`
	// Superseded is true when a younger process has the peer's index and name.
	Superseded bool `json:"superseded,omitempty"`
	// Began is true when containers of some peer have started.
	Began bool `json:"began,omitempty"`
	// Waiting says for whom everyone waits, in words.
	Waiting string `json:"waiting,omitempty"`
}

// ReadReport reads a report and refuses one that no peer sends. Whether the
// index is one of this Job's is for the [Node] to say, which knows the Job.
func ReadReport(r io.Reader) (Report, error) {
	var report Report
	if err := read(r, &report); err != nil {
		return Report{}, err
	}
	return report, check(report.Job, report.Index, report.Phase)
}

// ReadIdentity reads an identity and refuses one that no peer has.
func ReadIdentity(r io.Reader) (Identity, error) {
	var identity Identity
	if err := read(r, &identity); err != nil {
		return Identity{}, err
	}
	return identity, check(identity.Job, identity.Index, identity.Phase)
}

// ReadReply reads a reply, and makes its text safe to show.
func ReadReply(r io.Reader) (Reply, error) {
	var reply Reply
	if err := read(r, &reply); err != nil {
		return Reply{}, err
	}
	if len(reply.Job) > maxJob {
		return Reply{}, errors.New("job: too long")
	}
	reply.Waiting = Printable(reply.Waiting, maxText)
	return reply, nil
}

func check(job string, index int32, phase Phase) error {
	switch {
	case len(job) > maxJob:
		return errors.New("job: too long")
	case index < 0:
		return errors.New("index: must be 0 or more")
	case phase == 0:
		return errors.New("phase: must be set")
	}
	return nil
}

// read reads one JSON value of at most MaxMessage bytes.
func read(r io.Reader, into any) error {
	data, err := io.ReadAll(io.LimitReader(r, MaxMessage+1))
	if err != nil {
		return err
	}
	if len(data) > MaxMessage {
		return fmt.Errorf("more than %d bytes", MaxMessage)
	}
	return json.Unmarshal(bytes.TrimSpace(data), into)
}

// Printable is a text of at most so many bytes, on one line, without what a
// terminal or a log would act on.
func Printable(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if len(text) <= most {
		return text
	}
	const cut = "..."
	end := max(most-len(cut), 0)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + cut
}
