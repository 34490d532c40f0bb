// SPDX-License-Identifier: Apache-2.0

// Package barrier runs one peer of a PeerJob's barrier: the sidecar which keeps
// a Pod's containers from starting before every peer is there, and the Pod in DNS
// until every peer is done, and the gate which gives up when a peer does not come.
//
// What is said and decided is in package protocol, which is pure. Here are its
// edges: the clock, connections, names, logs and the termination message.
//
//	barrier.go   the sidecar: drives a protocol.Node
//	server.go    what it listens to: its peers, the kubelet's probe, the gate
//	client.go    whom it calls
//	gate.go      the gate, and "peerjob barrier status"
//	network.go   the Pod's network: listening, dialling, names
//
// # Rules
//
//   - Nothing that is read is trusted: messages are bounded in size and time,
//     connections in number.
//   - It listens on one port, and asks nobody but the DNS server and its peers.
//   - The sidecar exits with 0 when it was told to stop, whatever happened: an
//     exit code of a sidecar's must not meet a rule of a podFailurePolicy.
//
// # Never
//
// It never talks to the Kubernetes API, and never writes a file but the
// termination message.
package barrier
