// SPDX-License-Identifier: Apache-2.0

// Package protocol answers: what does a peer of a Job say to the others, so
// that all start together and leave together, what does it believe of what it
// hears, and what does it do then?
//
// A [Node] is one peer. It is a state machine: time, messages and results go
// in as arguments, and what to send comes out. docs/runner.md describes the
// protocol, with a drawing, and docs/runner-threats.md whom it withstands.
//
//	message.go   what goes over the wire, and what is refused of it
//	trust.go     what makes a message believed: processes, seals, transcripts
//	timing.go    how often and how long, as a function of the number of peers
//	peer.go      the part of every peer: its phase, and when it reports
//	leader.go    the part of index 0: who is where, who may go
//	summary.go   who is missing, in words
//	until.go     whose end counts
//	node.go      both parts together: what the edges drive
//
// # Rules
//
//   - A state counts only from the process that signed it, and only if the peer's
//     name led to that process: index 0 calls every new process back by its name. A
//     report of anybody else leads to a call, and to nothing more.
//   - A go counts only from the process that index 0's name leads to now.
//   - Index 0 keeps no state that it can't learn again.
//   - Memory is one record of fixed size per peer, at index 0 alone.
//   - Every wait has an end.
//   - No clock of another node is read or compared.
//
// # The place for a failure policy
//
// Every [State] and [Reply] has the attempt that it is about, and a State the exit
// code of the command and whether the Pod was told to end. Today there is one
// attempt. A failure policy goes into leader.decide, which then also says which
// attempt comes next, and into peer.replied, where a reply of a later attempt
// ends the command of this one. A lease is the age of peer.heard at the peer, and
// of record.heard at index 0.
//
// # Never
//
// It never reads a clock and never opens a connection: time is what the caller
// says it is, as a time.Duration since any fixed moment. It makes no random number
// of its own, and no key.
package protocol
