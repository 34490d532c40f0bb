// SPDX-License-Identifier: Apache-2.0

// Package lint answers: what is wrong with the Services and Jobs that people wrote by
// hand, so that their peers do not find each other?
//
// # The way of an input
//
//	input.go      splits files into documents, without parsing what is foreign
//	kustomize.go  reads kustomizations: which files are patches, what layers lack
//	pairs.go      finds the Jobs whose Pods mean to find each other, and their Services
//	neighbors.go  asks internal/neighbors what else is in the way of pairs
//	checks.go     asks internal/rules and internal/admission about each pair
//	fix.go        turns findings into edits of bytes
//	write.go      writes findings as text, JSON, SARIF or GitHub's commands
//
// # Rules
//
//   - What is no pair is none of its business: it says nothing of it.
//   - Every finding has an id of the catalog (catalog.go), and a line.
//   - What never works is an error. What may be meant is a warning.
//   - A rule is in internal/rules or internal/neighbors, and the API server's own in
//     internal/admission. Here is only which Service belongs to which Job.
//   - A fix changes the bytes that it must change, and no others. It is made only if
//     there is one right value, and what it claims to mend is gone afterwards.
//
// # Never
//
// It never reads a file or writes one, and never asks a cluster.
package lint
