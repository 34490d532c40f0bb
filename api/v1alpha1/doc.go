// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 answers one question: how does a PeerJob look?
//
// It holds the API type ([PeerJob]), the constants of the API and the values a
// user may leave out ([Default]). Other modules may import it.
//
// # Rules
//
//   - A field that means the same as a field of batch/v1 or core/v1 has its
//     name, its Go type and its unit.
//
// # Never
//
// It never reads YAML (internal/decode), and never decides what a PeerJob means
// or whether it is valid (internal/peerjob). It imports nothing of this module.
package v1alpha1

//go:generate go run ../../hack/reference -types types*.go -out ../../docs/reference.md
//go:generate go run ../../hack/schema -out ../../schema
//go:generate go run ../../hack/validation -cases ../../testdata/validation.yaml -out ../../docs/validation.md
//go:generate go run ../../hack/templating -out ../../docs/templating.md
