// SPDX-License-Identifier: Apache-2.0

// Package barrier makes one process of a Pod a peer of its PeerJob's group: the
// runner, which starts its command when every peer is there, and stays until
// every peer has ended.
//
// What is said, believed and decided is in package protocol, which is pure. Here
// are its edges: the clock, connections, names, and lines for a log.
//
//	group.go     what the runner calls; drives a protocol.Node
//	server.go    what a peer listens to, and how it bears strangers
//	client.go    whom it calls
//	wire.go      messages on a connection
//	network.go   the Pod's network: listening, dialling, names
//
// # Rules
//
//   - Nothing that is read is trusted: messages are bounded in size, exchanges in
//     time, connections in number. None of these bounds counts by address, because
//     all peers have one behind a mesh or a NAT.
//   - A connection that waits takes nobody's place: a new one drops the oldest.
//   - It listens on one port, and asks nobody but the DNS server and its peers.
//   - A go is believed only after index 0's name was resolved for it.
//
// # Never
//
// It never talks to the Kubernetes API, never writes a file, and never ends the
// process.
package barrier
