// SPDX-License-Identifier: Apache-2.0

// Package fn is the KRM function: it reads the PeerJobs of a ResourceList and
// puts what each stands for, a Service and a Job, beside it.
//
// It is the only package which knows what a ResourceList is, and the map to
// the others:
//
//	cmd/peerjob    the command: flags, files, streams, exit codes; beside it
//	               collector, when garbage is collected
//	fn             lists in, lists out: what is expanded, where it goes, what is
//	               reported (this package)
//	api/v1alpha1         the PeerJob: types, constants, defaults
//	internal/decode      a YAML node -> a PeerJob, or every error in it
//	internal/values      what templates see, and what a field renders to
//	internal/render      a text with Go templates -> what it says, within bounds
//	internal/peerjob     what a PeerJob means: groups of peers, names, validation
//	internal/rules       rules about any Service and Job; no PeerJob
//	internal/expand      a group of peers -> the objects it stands for; never refuses
//	internal/origin      from which field of a PeerJob a field of an object came
//	internal/framework   one table: what torchrun, MPI, Dask and the like read
//	internal/kinds       one table: the kinds of objects that peerjob makes
//	internal/admission   would the API server take them? Kubernetes' own validation
//	internal/manifest    a typed object -> clean YAML
//	internal/diag        errors and warnings, and their order
//	internal/krmlist     the items of a ResourceList, found without parsing them
//	internal/parallel    the same for each of many, on all cores
//	internal/yamlnode    what a YAML node says, and nothing where it is another
//	internal/apitype     the fields of an API type, by their JSON names
//	internal/spell       which known name was probably meant
//
// Beside it, for the Pods of a PeerJob with spec.barrier; internal/expand knows of the
// protocol what a startup probe asks, and nothing else of either is known to fn:
//
//	barrier           the sidecar: clock, connections, names, logs
//	barrier/protocol  what the peers say to each other; pure
//
// # The way of the data
//
//	stdin -> ResourceList -> decode (render) -> default -> validate -> expand -> admit
//	      -> encode -> merge -> ResourceList -> stdout
//
// docs/architecture.md has the path of one PeerJob, function by function.
//
// Imports go one way: cmd -> fn -> {decode, values, admission} -> expand ->
// framework -> peerjob -> rules, and {cmd -> barrier, expand} -> barrier/protocol.
// A test (arch_test.go) holds them to it. What lies below fn takes values and returns
// values: no files, no streams, no environment, no clock.
//
// # Rules
//
//   - Nothing of the user's is lost or changed. An item that is neither a
//     PeerJob nor marked as made by peerjob goes out as it came in, byte by
//     byte; on any error all of them do. Only a list which internal/krmlist
//     declines, such as one in JSON or with an anchor for two items, is parsed
//     and written as a whole, as kyaml writes it.
//   - Twice is the same as once.
//   - A ResourceList with items is written whatever happens, and nothing else
//     ever is on stdout. Findings are in its results and, a line each, on
//     stderr.
//
// # Never
//
// It never decides what a PeerJob means (peerjob), which objects it stands for
// (expand) or whether a server would take them (admission).
package fn
