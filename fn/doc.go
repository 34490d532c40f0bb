// SPDX-License-Identifier: Apache-2.0

// Package fn is the KRM function as a library: lists in, lists out.
//
// [Run] reads a ResourceList, puts the objects of each PeerJob beside it, and writes a
// ResourceList. [Expand] does the same with the documents of files. Both take bytes
// and return bytes: they read no file, no environment and no clock, and ask no
// cluster.
//
// # Rules
//
//   - No other object is lost or changed. An item that is neither a PeerJob nor made
//     by peerjob keeps its bytes. After an error, every item keeps its bytes. A list
//     of another form than kustomize and kpt write is parsed, and written as a whole, as
//     kyaml writes it: JSON, items in brackets, one YAML anchor for several items, and
//     whatever else internal/krmlist/scan is not sure of.
//   - Output is deterministic and idempotent.
//   - Run writes a ResourceList with items whatever happens, and nothing else to
//     stdout. Findings are in its results, and on stderr as one line each.
//
// # Never
//
// Package fn never decides what a PeerJob means. docs/architecture.md has the map of
// the packages below it and the path of one PeerJob through them.
package fn
