// SPDX-License-Identifier: Apache-2.0

// Package fn is the KRM function: it reads the PeerJobs of a ResourceList and
// puts the Service and the Job of each beside it.
//
// It is the only package which knows what a ResourceList is, and the map to
// the others:
//
//	cmd/peerjob    the command: flags, files, streams, exit codes
//	fn             lists in, lists out: what is expanded, where it goes, what is
//	               reported (this package)
//	fn/v1alpha1    the PeerJob: types, strict decoding, defaults, validation, and
//	               every derived name
//	fn/expand      a PeerJob -> its Service and its Job; never refuses
//	fn/admission   would the API server take them? Kubernetes' own validation
//	fn/manifest    a typed object -> clean YAML
//
// Beside it, for the Pods of a PeerJob with spec.barrier, and unknown to fn:
//
//	barrier           the sidecar: clock, connections, names, logs
//	barrier/protocol  what the peers say to each other; pure
//
// # The way of the data
//
//	stdin -> ResourceList -> decode -> default -> validate -> expand -> admit
//	      -> encode -> merge -> ResourceList -> stdout
//
// Imports go one way: cmd -> fn -> {expand, manifest, admission} -> v1alpha1, and
// cmd -> barrier -> barrier/protocol. A test (arch_test.go) holds them to it. What
// lies below fn takes values and returns values: no files, no streams, no
// environment, no clock.
//
// # Rules
//
//   - Nothing of the user's is lost or changed. An item that is neither a
//     PeerJob nor marked as made by peerjob goes out as it came in; on any error
//     all of them do.
//   - Twice is the same as once.
//   - A ResourceList with items is written whatever happens, and nothing else
//     ever is on stdout. Findings are in its results and, a line each, on
//     stderr.
//
// # Never
//
// It never decides what a PeerJob means (v1alpha1), which objects it stands for
// (expand) or whether a server would take them (admission).
package fn
