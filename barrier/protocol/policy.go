// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Action is what the group does when a peer fails.
type Action uint8

const (
	// EachForItself: nothing, as a Job does.
	EachForItself Action = iota
	// FailPeerJob: all stop, and the Job fails.
	FailPeerJob
	// RestartPeerJob: all stop and start again in their Pods, as the next attempt.
	RestartPeerJob
)

// Disruption is what the group does about a peer whose Pod was told to end from
// outside, and was replaced. Nobody has failed, so no restart is used up.
type Disruption uint8

const (
	// DefaultDisruption is RestartOnDisruption with RestartPeerJob, FailOnDisruption with
	// FailPeerJob.
	DefaultDisruption Disruption = iota
	// RestartOnDisruption: all start again, when the Pod has ended.
	RestartOnDisruption
	// FailOnDisruption: the group fails, when the replacement has come. Not before:
	// a Job that is suspended or deleted replaces nobody, and does not fail.
	FailOnDisruption
	// ContinueOnDisruption: the others run on, and the replacement joins them.
	ContinueOnDisruption
)

// Policy is what the group does when a peer fails.
type Policy struct {
	// Action is what it does.
	Action Action
	// MaxRestarts is how often the group starts again, with RestartPeerJob.
	MaxRestarts int32
	// Backoff is the pause before the first restart. It doubles with each one, up to
	// maxBackoff.
	Backoff time.Duration
	// OnDisruption is what it does about a Pod that was told to end.
	OnDisruption Disruption
	// Grace is how long it takes at most, from the order to stop a command until it
	// is killed.
	Grace time.Duration
	// Spares reports whether an exit code other than 0 is no failure of the group,
	// because the Job's podFailurePolicy ignores or counts it. Nil for none.
	Spares func(code int32) bool
	// Fatal reports whether an exit code other than 0 fails the group although it could
	// start again, because the Job's podFailurePolicy fails the Job with it. Nil for none.
	Fatal func(code int32) bool
	// Replacement says that this Pod replaces another of its index.
	Replacement bool
}

// maxBackoff is the longest pause before a restart.
const maxBackoff = time.Minute

func (p Policy) validate(c Config) error {
	switch {
	case p.Action > RestartPeerJob || p.OnDisruption > ContinueOnDisruption:
		return errors.New("an action that does not exist")
	case p.Action == EachForItself:
		return nil
	case p.Grace < 0 || p.Backoff < 0 || p.MaxRestarts < 0:
		return errors.New("a limit of the failure policy is negative")
	case p.Action == RestartPeerJob && !c.Start:
		return errors.New("RestartPeerJob needs a barrier at the start")
	case p.Action == RestartPeerJob && !c.End:
		return errors.New("RestartPeerJob needs a barrier at the end: who has ended must be able to run again")
	case p.Action == FailPeerJob && p.OnDisruption == RestartOnDisruption:
		return errors.New("only RestartPeerJob restarts")
	}
	return nil
}

// restarts reports whether the group has more than one attempt.
func (p Policy) restarts() bool { return p.Action == RestartPeerJob }

func (p Policy) onDisruption() Disruption {
	switch {
	case p.OnDisruption != DefaultDisruption:
		return p.OnDisruption
	case p.restarts():
		return RestartOnDisruption
	}
	return FailOnDisruption
}

// backoff is the pause before a restart, from 1.
func (p Policy) backoff(restart int32) time.Duration {
	pause := p.Backoff
	for i := int32(1); i < restart && pause < maxBackoff; i++ {
		pause *= 2
	}
	return min(pause, maxBackoff)
}

// patience is how long a group that can restart waits, in the end, for a peer that
// can't be reached: as long as for the start.
func (c Config) patience() time.Duration {
	if c.StartTimeout == 0 {
		return never / 2 // a sum of it and a time is no overflow
	}
	return c.StartTimeout
}

// farewells is how long the group waits, in the end, until every peer knows that it has
// succeeded.
func (c Config) farewells() time.Duration {
	if c.Policy.restarts() {
		return c.patience()
	}
	return max(c.EndTimeout, linger(c.Size))
}

// lastWord is how long the peer that failed first stays at most, until another one of its Job
// has ended: its command has the grace to stop.
func (c Config) lastWord() time.Duration { return farewell + c.Policy.Grace }

// Lease is how long a command may run that has no contact with index 0. Index 0
// waits so long, and a tenth longer, until it takes a command for stopped that nobody
// has confirmed to be. Durations are measured at both ends; no clock is compared.
func Lease(size int32) time.Duration { return GoneAfter(size) }

// Lost is the code of a failure that has none: the peer was lost.
const Lost = -1

// Verdict is how the group ends. There is one, and it is final.
type Verdict struct {
	// Kind is how it ends.
	Kind VerdictKind `json:"kind,omitempty"`
	// Attempt is the attempt that decided it.
	Attempt int32 `json:"attempt,omitempty"`
	// Index is the peer that failed first, and Code its exit code, or [Lost].
	Index int32 `json:"index,omitempty"`
	Code  int32 `json:"code,omitempty"`
}

// VerdictKind is how a group ends.
type VerdictKind uint8

const (
	// Open: it has not ended.
	Open VerdictKind = iota
	// Succeeded: all that count have ended with 0.
	Succeeded
	// Failed: a peer has failed, and nothing more is tried.
	Failed
)

var verdictNames = map[VerdictKind]string{Open: "", Succeeded: "succeeded", Failed: "failed"}

func (k VerdictKind) String() string { return verdictNames[k] }

// MarshalText writes the kind as a word.
func (k VerdictKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads one of the words.
func (k *VerdictKind) UnmarshalText(text []byte) error {
	for kind, name := range verdictNames {
		if name == string(text) {
			*k = kind
			return nil
		}
	}
	return errors.New("verdict: must be succeeded or failed")
}

func (v Verdict) check() error {
	if v.Attempt < 0 || v.Attempt > maxAttempt || v.Index < 0 || v.Code < Lost || v.Code > math.MaxUint8 {
		return errors.New("verdict: out of bounds")
	}
	return nil
}

// text says who failed first.
func (v Verdict) text(name func(int32) string) string {
	return Cause{Attempt: v.Attempt, Index: v.Index, Code: v.Code}.text(name)
}

// Cause is why an attempt has ended, and another one follows. Nothing but what a log
// says depends on it.
type Cause struct {
	// Attempt is the attempt that has ended, from 1.
	Attempt int32 `json:"attempt,omitempty"`
	// Index is the peer because of which it has, and Code the exit code of its command,
	// or [Lost].
	Index int32 `json:"index,omitempty"`
	Code  int32 `json:"code,omitempty"`
	// Disruption is true when that peer's Pod was told to end.
	Disruption bool `json:"disruption,omitempty"`
	// Unstarted is true when no command had started in the attempt.
	Unstarted bool `json:"unstarted,omitempty"`
}

func (c Cause) check() error {
	if c.Attempt < 0 || c.Attempt > maxAttempt || c.Index < 0 || c.Code < Lost || c.Code > math.MaxUint8 {
		return errors.New("cause: out of bounds")
	}
	return nil
}

// text says who failed first, in words: "train-1.svc failed with code 3 in attempt 2".
func (c Cause) text(name func(int32) string) string {
	what := fmt.Sprintf("failed with code %d", c.Code)
	switch {
	case c.Disruption:
		what = "was told to end"
	case c.Code == Lost:
		what = "was lost"
	}
	when := "in"
	if c.Unstarted {
		when = "before the start of"
	}
	return fmt.Sprintf("%s %s %s attempt %d", name(c.Index), what, when, c.Attempt)
}

// The exit codes of a peer that do not come from its command.
const (
	// CodeTimedOut: a peer did not come in time.
	CodeTimedOut = 75
	// CodeGroupFailed: another peer has failed, and the group with it.
	CodeGroupFailed = 76
	// CodeTerminated: the Pod was told to end, by SIGTERM.
	CodeTerminated = 128 + 15
)

// ExitCode is the exit code of a peer that has left. With a failure policy the Job's
// podFailurePolicy depends on it: of the codes with which a peer of a failed group ends, it
// knows CodeGroupFailed alone. So one of each Job must end with that.
func (n *Node) ExitCode() int32 {
	p := n.peer
	policy := p.config.Policy
	gaveUp := p.outcome == StartTimedOut || p.outcome == Abandoned
	switch {
	case p.excused:
		return 0
	case policy.Action == EachForItself && !gaveUp:
		return p.code
	case p.outcome == Superseded && policy.Action != EachForItself:
		return CodeTerminated // what it did does not count
	case p.verdict.Kind == Failed && p.first() && p.witnessed:
		return p.code
	case p.verdict.Kind == Failed:
		return CodeGroupFailed
	case gaveUp:
		return CodeTimedOut
	case p.terminating && p.leaseLost && p.verdict.Kind != Succeeded:
		// Nobody counts its end, and the group may be in another attempt: it is not complete.
		return CodeTerminated
	case p.terminating && p.code != 0 && !policy.spares(p.code):
		// Whatever a command makes of the signal, it has not failed.
		return CodeTerminated
	case p.isUnheard():
		// Nobody is left who tells the others: the Job does, when it fails.
		return CodeGroupFailed
	case p.code == CodeTerminated && p.fails(p.code) && p.failsAlone():
		// The Job would take it for a Pod that was told to end.
		return CodeGroupFailed
	}
	return p.code
}

// isUnheard reports whether the group fails with this peer, and index 0 has not heard of it: it
// was told to end, and is gone. If its command had ended with 0, no other comes in its place. But
// if the Job succeeds with index 0 alone, it may have succeeded.
func (p *peer) isUnheard() bool {
	first := func(until Until) bool {
		return until.met(p.config.Size, func(i int32) bool { return i == 0 })
	}
	return p.config.Policy.Action == FailPeerJob && p.verdict.Kind == Open && p.fails(p.code) &&
		p.leaderEnds && p.failures > 1 && !slices.ContainsFunc(p.config.Until, first)
}

// failsAlone reports whether the Job fails with the code of any command, although nobody else
// hears of it. It does not with a success policy, and not in a role that is told to end: those
// whom the peer served may be done.
func (p *peer) failsAlone() bool {
	return p.config.Policy.Action == FailPeerJob && len(p.config.Until) == 0 && !p.config.serves(p.config.Index)
}

// spares reports whether an exit code fails nobody else.
func (p Policy) spares(code int32) bool {
	return p.Spares != nil && code != 0 && p.Spares(code)
}
