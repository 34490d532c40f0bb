// SPDX-License-Identifier: Apache-2.0

// Package conformance answers: does peerjob say what the API server says?
//
//	conformance            a verdict on each PeerJob, from both; how many there
//	                       are of which kind (this package)
//	conformance/generate   PeerJobs at random, right and wrong
//	conformance/apiserver  a real kube-apiserver and what it says
//	conformance/server     the modules that the servers are built from
//
// # Rules
//
//   - The server gets the bytes that peerjob writes, then a Pod of the Job, and is
//     the oracle: nothing here knows a rule of Kubernetes.
//   - Three counts must be zero: PeerJobs that peerjob accepts and the server
//     refuses; PeerJobs that internal/admission refuses in the server's name and the
//     server accepts; and PeerJobs in whose YAML the server reads a value that
//     peerjob did not mean, or drops a field, and peerjob did not warn.
//   - A finding says how to have it again: its seed, and the PeerJob with all
//     left out that does not matter.
//
// # Never
//
// It never judges peerjob's own rules, about peers that would not find each
// other: the server has no opinion on those. It counts and lists them.
package conformance
