// SPDX-License-Identifier: Apache-2.0

// Package protocol answers: what does a peer of a Job say to the others, so
// that all start together and leave together, and what does it do with what it
// hears?
//
// A [Node] is one peer. It is a state machine: time, messages and results go
// in as arguments, and what to send comes out. docs/barrier.md describes the
// protocol, with a drawing.
//
//	message.go   what goes over the wire, and what is refused of it
//	timing.go    how often and how long, as a function of the number of peers
//	peer.go      the part of every peer: its phase, and when it reports
//	leader.go    the part of index 0: who is where, who may go
//	summary.go   who is missing, in words
//	until.go     whose end counts
//	node.go      both parts together: what the edges drive
//
// # Rules
//
//   - A report counts only from the process which the peer's name leads to:
//     index 0 calls every peer back by its name before it believes anything.
//   - Nothing is kept which a restarted index 0 could not learn again.
//   - Memory is one record of fixed size per peer, at index 0 alone.
//   - Every wait has an end.
//
// # Never
//
// It never reads a clock and never opens a connection: time is what the caller
// says it is, as a time.Duration since any fixed moment.
package protocol
