// SPDX-License-Identifier: Apache-2.0

// Package protocol answers: what does a peer of a Job say to the others, so
// that all start together and leave together, what does it believe of what it
// hears, and what does it do then?
//
// A [Node] is one peer. It is a state machine: time, messages and results go
// in as arguments, and what to send comes out. docs/runner-protocol.md
// describes the protocol, with a drawing, and docs/runner-threats.md whom it withstands.
//
//	message.go   what goes over the wire, and what is refused of it
//	trust.go     what makes a message believed: processes, seals, transcripts
//	timing.go    how often and how long, as a function of the number of peers
//	peer.go      the part of every peer: its phase, and when it reports
//	place.go     who counts, if several processes answer under one name
//	leader.go    the part of index 0: who is where, who may go
//	summary.go   who is missing, in words
//	until.go     whose end counts
//	roles.go     roles: who waits for whom, who decides when the group is done
//	node.go      both parts together: what the edges drive
//
//	policy.go         what the group does when a peer fails; how it ends
//	policy_peer.go    a failure policy at every peer: attempts, leases, the end
//	policy_leader.go  a failure policy at index 0: what has failed, what follows
//
// # Rules
//
//   - A state counts only from the process that signed it, and only if the peer's
//     name led to that process: index 0 calls every new process back by its name. A
//     report of anybody else leads to a call, and to nothing more.
//   - A go counts only from the process that index 0's name leads to now.
//   - Nobody takes the place of a process that is there, whatever its name leads to: it is
//     asked where it last answered. Another one counts when it says that it ends, or when
//     it is not there any more.
//   - Index 0 keeps no state that it can't learn again.
//   - Memory is one record of fixed size per peer, at index 0 alone.
//   - Every wait has an end.
//   - No clock of another node is read or compared.
//
// # A failure policy
//
// Index 0 decides which attempt the group is in. A peer that hears of a later one
// stops its command, and says that it has by reporting the later attempt. Index 0
// starts that one when every peer has come to it, and every command has stopped of which
// it knows otherwise. Never do two attempts run at once:
//
//   - A command of a peer runs on a lease. Every report that index 0 takes renews it,
//     from when the report was sent. A peer without a lease stops its command.
//   - Index 0 gives no leases in an attempt in which it misses a peer. So a group of
//     which a part can't be reached stops as a whole, on both sides.
//   - Index 0 takes a lost process for stopped a lease, and the time to stop a command,
//     after it last heard of it. A new index 0 does so with processes that it never knew:
//     its peers say how long ago the former one may have heard of them.
//   - A peer follows one process of index 0 and never goes back. A process that a peer
//     has left stops.
//
// A new index 0 learns from the peers which attempt they are in, and how many restarts
// were used up. Whatever attempt they have come to may have been started, so it goes on
// with the next. The group has succeeded when every peer has ended with 0 in one
// attempt. Nobody leaves before every peer knows of that, so that a new index 0 hears of
// it, too.
//
// If nobody is left who was there, attempts count from 1 again; the Job's own limits
// bound how often. If index 0 does not come back, and a peer does not know how the group
// has ended, it gives up after the time for the start.
//
// model_test.go searches all histories of small groups for a violation, and
// seeded_test.go holds the search to 36 mistakes.
//
// # Roles
//
// A group with roles has a Job for each of them. Its peers are numbered over all of them,
// and rank 0 is what index 0 is in a group without. Index 0 learns from the peers for
// what their roles wait.
//
//   - All peers come first. Then each of them starts when what its role waits for has
//     come: every command of a role runs, or the role is Complete.
//   - A role is Complete when every command has ended with 0 in one attempt, and another
//     one waits for that. It is final. Nothing follows from it before everybody knows:
//     then the others start, and its peers leave. They do not run again. Whoever knows knows in
//     which attempt, too: commands have run in it, although nobody need meet those who ran them.
//   - The group has succeeded when every command of the success roles has ended with 0 in
//     one attempt. It is a verdict, with and without a failure policy. Who serves is told
//     to stop, and ends with 0. Nobody leaves before everybody knows.
//   - The run of a group is the Job of rank 0. Before a peer starts it follows any; then it
//     follows no other, and rank 0 believes no process of another Job under any role.
//
// # Never
//
// It never reads a clock and never opens a connection: time is what the caller
// says it is, as a time.Duration since any fixed moment. It makes no random number
// of its own, and no key.
package protocol
