// SPDX-License-Identifier: Apache-2.0

// Package generate answers: which PeerJobs could a person write, right and
// wrong?
//
// # Rules
//
//   - A PeerJob is a tree of plain values, grown from one seed: the same seed
//     grows the same tree, always.
//   - Most of what grows is valid, in every field of the API and in most ways
//     to fill it. A value goes wrong with a small chance of its own, so that a
//     PeerJob has few faults: the first of many would hide the others.
//   - What no rule of the grammar thought of comes from mutations: a field
//     that the API has and the PeerJob had not, a value moved, doubled or left
//     out (mutate.go, schema.go).
//
// # Never
//
// It never knows what is right: it says neither to peerjob nor to the server
// what to expect.
package generate
