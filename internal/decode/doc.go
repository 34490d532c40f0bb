// SPDX-License-Identifier: Apache-2.0

// Package decode answers: which PeerJob does a YAML node hold?
//
// # Rules
//
//   - Decoding is strict. An unknown field, a duplicate key and a value of the
//     wrong type are errors, on the path that the user wrote, all of them in one
//     run.
//   - The values are read as the API server reads them, by its own decoder
//     (sigs.k8s.io/json). This package adds the paths, all of the errors, and what
//     to write instead.
//   - A template renders one value. It never adds a key or an element.
//
// # Never
//
// It never decides whether a PeerJob makes sense, and it never makes a renderer:
// whoever calls it has one.
package decode
