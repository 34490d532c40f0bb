// SPDX-License-Identifier: Apache-2.0

// Package peerjob answers: what does a PeerJob mean?
//
// A PeerJob stands for groups of peers. A [Group] is what one Job runs: it has the
// number of peers, the Pod template, and every name that follows from them. A PeerJob
// has one group, or one for each of its roles ([Group.All]).
//
// # Rules
//
//   - A derived name is defined once, as a method of a group (names.go), or in
//     internal/rules where Kubernetes derives it. Validation and expansion call the
//     same method, so that peerjob writes what it checked.
//   - [Validate] refuses what keeps the peers from finding each other, or what
//     peerjob itself can't do. Rules about any Service and Job are in
//     internal/rules, and Kubernetes' own in internal/admission.
//   - An error has the path that the user wrote, and the user's own value.
//
// # Never
//
// It never reads YAML, makes no object, and changes no PeerJob.
package peerjob
