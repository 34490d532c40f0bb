// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxMessage is the largest message that is read, in bytes.
	MaxMessage = 8 << 10
	// maxJob is the longest unique ID of a Job that is taken, in bytes.
	maxJob = 64
	// maxText is the longest text in a message, in bytes.
	maxText = 2 << 10
	// maxAttempt is the highest attempt that is taken.
	maxAttempt = 1 << 20
	// maxSilence is the longest silence that is taken, in milliseconds: a year.
	maxSilence = 366 * 24 * 3600 * 1000
)

// Phase is how far a peer is. Within one attempt of one process it only ever
// rises.
type Phase uint8

const (
	// Starting: the peer waits for every peer to be there.
	Starting Phase = iota + 1
	// Running: its command runs.
	Running
	// Ended: its command has ended; the peer stays for the others.
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

// Purpose is why somebody connects to a peer.
type Purpose string

const (
	// ToReport: a peer reports to index 0. A [Challenge], a [Report] and a [Reply]
	// follow.
	ToReport Purpose = "report"
	// ToCall: index 0 calls a peer by its name. An [Identity] follows.
	ToCall Purpose = "call"
	// ToShow: a person asks from within the Pod. A [Page] follows.
	ToShow Purpose = "status"
)

// Hello is the first message on every connection.
type Hello struct {
	// Job is the unique ID of the Job, so that Jobs of one name, one after the
	// other, are told apart. It is no secret.
	Job string `json:"job"`
	// Index is the completion index of the peer that is meant.
	Index int32 `json:"index"`
	// Purpose is why the sender connects.
	Purpose Purpose `json:"purpose"`
	// Nonce is what the sender chose for this connection alone.
	Nonce Nonce `json:"nonce"`
	// From is the process that says it calls. A peer that is called believes no more of
	// it than that index 0 may have heard of it just now.
	From Process `json:"from,omitzero"`
	// To is the address that the sender has connected to. With a key, a peer that does
	// not have it refuses: somebody passes the connection on, from where the name should
	// not lead any more.
	To netip.Addr `json:"to,omitzero"`
}

// Challenge is what index 0 answers before it hears a report.
type Challenge struct {
	// Nonce is what index 0 chose for this connection alone.
	Nonce Nonce `json:"nonce"`
}

// State is what a peer says about itself, in a [Report] or an [Identity].
type State struct {
	// Job is the unique ID of the Job.
	Job string `json:"job"`
	// Index is the completion index of the peer.
	Index int32 `json:"index"`
	// Process is the process that speaks. It has signed the message.
	Process Process `json:"process"`
	// Attempt is the attempt that the peer is in, from 1.
	Attempt int32 `json:"attempt"`
	// Phase is how far it is.
	Phase Phase `json:"phase"`
	// Code is the exit code of its command, once it has ended.
	Code int32 `json:"code,omitempty"`
	// Terminating is true when the Pod was told to end: a SIGTERM from outside.
	Terminating bool `json:"terminating,omitempty"`
	// GaveUp is true when the peer leaves because the time for the start is over.
	GaveUp bool `json:"gaveUp,omitempty"`

	// What follows is for a failure policy alone.

	// Spared is true when the Job's podFailurePolicy ignores or counts Code, and Fatal when it
	// fails the Job with it, whatever restarts are left.
	Spared bool `json:"spared,omitempty"`
	Fatal  bool `json:"fatal,omitempty"`
	// LeaseLost is true when the command was stopped because index 0 could not be
	// reached.
	LeaseLost bool `json:"leaseLost,omitempty"`
	// Leader is the process of index 0 that the peer follows: the one that last
	// replied and had called it back. All zero for none.
	Leader Process `json:"leader,omitzero"`
	// LeaderEnds is true when that process was told to end.
	LeaderEnds bool `json:"leaderEnds,omitempty"`
	// Silence is how long ago, in milliseconds, that process may last have heard of the
	// peer, and FormerSilence the same of those that the peer followed before; 0 if
	// there was none.
	Silence       int64 `json:"silence,omitempty"`
	FormerSilence int64 `json:"formerSilence,omitempty"`
	// Restarts is how many restarts of the group have been used up.
	Restarts int32 `json:"restarts,omitempty"`
	// Next is the attempt to which the peer comes when its command has stopped; 0 if it
	// stays in this one.
	Next int32 `json:"next,omitempty"`
	// Verdict is how the group ends, as far as the peer knows.
	Verdict Verdict `json:"verdict,omitzero"`

	// What follows is for roles alone. There, an index is a rank: the place of the peer
	// among those of all roles.

	// Group is the unique ID of the Job of rank 0 with which the peer has started, "" for
	// none.
	Group string `json:"group,omitempty"`
	// Started is true when the command of this attempt runs, or did.
	Started bool `json:"started,omitempty"`
	// AfterStarted and AfterComplete are the roles for which the peer's role waits.
	AfterStarted  RoleSet `json:"afterStarted,omitempty"`
	AfterComplete RoleSet `json:"afterComplete,omitempty"`
	// Complete are the roles of which the peer knows that they are Complete, and CompleteIn is
	// the attempt in which the last of them has become so; 0 for none.
	Complete   RoleSet `json:"complete,omitempty"`
	CompleteIn int32   `json:"completeIn,omitempty"`
}

// Report is what a peer says to index 0.
type Report State

// Identity is what a peer says to whoever calls it by its name.
type Identity State

// ends reports whether the process was told to end, or leaves.
func (i Identity) ends() bool { return i.Terminating || i.Phase == Left }

// Reply is what index 0 says to a peer that reports.
type Reply struct {
	// Job is the unique ID of the Job.
	Job string `json:"job"`
	// Process is the process of index 0. It has signed the message.
	Process Process `json:"process"`
	// Attempt is the attempt that the reply is about, from 1.
	Attempt int32 `json:"attempt"`
	// Go is true when what the peer waits for has come.
	Go bool `json:"go,omitempty"`
	// GaveUp is true when the time for the start is over.
	GaveUp bool `json:"gaveUp,omitempty"`
	// Superseded is true when another process has the peer's index and name.
	Superseded bool `json:"superseded,omitempty"`
	// Terminating is true when the Pod of index 0 was told to end.
	Terminating bool `json:"terminating,omitempty"`
	// Lost counts the peers that index 0 has lost while it waited for the start.
	Lost uint32 `json:"lost,omitempty"`
	// Waiting says for whom everyone waits, in words.
	Waiting string `json:"waiting,omitempty"`

	// What follows is for a failure policy, and Held for roles, too.

	// Known is true when index 0 has called the peer back: then the peer follows it.
	Known bool `json:"known,omitempty"`
	// Held is true while the time for the start does not run: the next attempt can't start
	// yet, whoever is there; or, with roles, every peer is there, and the peer waits for
	// other roles.
	Held bool `json:"held,omitempty"`
	// Restarts is how many restarts of the group have been used up.
	Restarts int32 `json:"restarts,omitempty"`
	// Cause is why the attempt before has ended, if there was one.
	Cause Cause `json:"cause,omitzero"`
	// Verdict is how the group ends, once it is known.
	Verdict Verdict `json:"verdict,omitzero"`
	// Witnessed is true when another peer of the same Job has ended with [CodeGroupFailed], or
	// is index 0, which does so next: the Job fails, whatever this peer ends with.
	Witnessed bool `json:"witnessed,omitempty"`

	// What follows is for roles alone.

	// Owed is true when others wait for the peer's role to be Complete.
	Owed bool `json:"owed,omitempty"`
	// Complete are the roles that are Complete, so that they do not run again, and CompleteIn is
	// the attempt in which the last of them has become so; 0 for none.
	Complete   RoleSet `json:"complete,omitempty"`
	CompleteIn int32   `json:"completeIn,omitempty"`
}

// Acts reports whether a peer starts or leaves because of the reply. Then it is
// believed only if index 0's name was resolved for it.
func (r Reply) Acts() bool {
	return r.Go || r.GaveUp || r.Superseded || r.Verdict.Kind != Open
}

// Before reports whether a reply counts rather than another one, both of processes
// that answer under index 0's name, if the peer knows one process already.
func (r Reply) Before(other Reply, known Process) bool {
	return before(r.Process, r.Terminating, other.Process, other.Terminating, known)
}

// before reports whether a process counts rather than another one that answers
// under the same name, because an old Pod and its replacement are both in DNS for a
// while. The process that is known counts for as long as it is there ([Presence]) and was not
// told to end: Kubernetes makes a replacement only for a Pod that has ended or was
// told to. The order of the processes settles what is left, for everyone alike. No
// clock does.
func before(one Process, oneEnds bool, other Process, otherEnds bool, known Process) bool {
	switch {
	case oneEnds != otherEnds:
		return otherEnds
	case one == known || other == known:
		return one == known && other != known
	}
	return bytes.Compare(one[:], other[:]) < 0
}

// Page is what a person reads.
type Page struct {
	Text string `json:"text"`
}

// ReadHello reads the first message of a connection. Whether it is for this
// Job and this peer is for the [Node] to say.
func ReadHello(data []byte) (Hello, error) {
	var hello Hello
	if err := read(data, &hello); err != nil {
		return Hello{}, err
	}
	switch {
	case len(hello.Job) > maxJob:
		return Hello{}, errors.New("job: too long")
	case hello.Index < 0:
		return Hello{}, errors.New("index: must be 0 or more")
	case hello.Purpose != ToReport && hello.Purpose != ToCall && hello.Purpose != ToShow:
		return Hello{}, errors.New("purpose: must be report, call or status")
	case hello.Nonce == Nonce{}:
		return Hello{}, errors.New("nonce: must be set")
	}
	return hello, nil
}

// ReadChallenge reads a challenge.
func ReadChallenge(data []byte) (Challenge, error) {
	var challenge Challenge
	if err := read(data, &challenge); err != nil {
		return Challenge{}, err
	}
	if challenge.Nonce == (Nonce{}) {
		return Challenge{}, errors.New("nonce: must be set")
	}
	return challenge, nil
}

// ReadReport reads a report and refuses one that no peer sends. Whether the
// index is one of this Job's is for the [Node] to say, which knows the Job.
func ReadReport(data []byte) (Report, error) {
	state, err := readState(data)
	return Report(state), err
}

// ReadIdentity reads an identity and refuses one that no peer has.
func ReadIdentity(data []byte) (Identity, error) {
	state, err := readState(data)
	return Identity(state), err
}

// ReadReply reads a reply, and makes its text safe to show.
func ReadReply(data []byte) (Reply, error) {
	var reply Reply
	if err := read(data, &reply); err != nil {
		return Reply{}, err
	}
	switch {
	case len(reply.Job) > maxJob:
		return Reply{}, errors.New("job: too long")
	case reply.Process == Process{}:
		return Reply{}, errors.New("process: must be set")
	case reply.Attempt < 1 || reply.Attempt > maxAttempt:
		return Reply{}, fmt.Errorf("attempt: must be from 1 to %d", maxAttempt)
	case reply.Restarts < 0 || reply.Restarts > maxAttempt:
		return Reply{}, errors.New("restarts: out of bounds")
	case reply.CompleteIn < 0 || reply.CompleteIn > maxAttempt:
		return Reply{}, fmt.Errorf("completeIn: must be from 0 to %d", maxAttempt)
	}
	reply.Waiting = Printable(reply.Waiting, maxText)
	return reply, errors.Join(reply.Cause.check(), reply.Verdict.check())
}

// ReadPage reads a page. Its lines stay, and each is made safe to show.
func ReadPage(data []byte) (Page, error) {
	var page Page
	if err := read(data, &page); err != nil {
		return Page{}, err
	}
	lines := strings.Split(page.Text, "\n")
	for i := range lines {
		lines[i] = Printable(lines[i], maxText)
	}
	return Page{strings.Join(lines, "\n")}, nil
}

func readState(data []byte) (State, error) {
	var state State
	if err := read(data, &state); err != nil {
		return State{}, err
	}
	switch {
	case len(state.Job) > maxJob, len(state.Group) > maxJob:
		return State{}, errors.New("job: too long")
	case state.Index < 0:
		return State{}, errors.New("index: must be 0 or more")
	case state.Process == Process{}:
		return State{}, errors.New("process: must be set") // all zero stands for nobody
	case state.Attempt < 1 || state.Attempt > maxAttempt:
		return State{}, fmt.Errorf("attempt: must be from 1 to %d", maxAttempt)
	case state.Phase == 0:
		return State{}, errors.New("phase: must be set")
	case state.Code < 0 || state.Code > 255:
		return State{}, errors.New("code: must be from 0 to 255")
	case state.Next < 0 || state.Next > maxAttempt:
		return State{}, fmt.Errorf("next: must be from 0 to %d", maxAttempt)
	case state.CompleteIn < 0 || state.CompleteIn > maxAttempt:
		return State{}, fmt.Errorf("completeIn: must be from 0 to %d", maxAttempt)
	case state.Restarts < 0 || state.Restarts > maxAttempt || state.Silence < 0 || state.Silence > maxSilence || state.FormerSilence < 0 || state.FormerSilence > maxSilence:
		return State{}, errors.New("restarts or silence: out of bounds")
	}
	return state, state.Verdict.check()
}

// read reads one JSON value of at most MaxMessage bytes. A member that is not
// known is refused: a message says what its sender means, or is none.
func read(data []byte, into any) error {
	if len(data) > MaxMessage {
		return fmt.Errorf("more than %d bytes", MaxMessage)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
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
