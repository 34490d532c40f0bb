// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 answers one question: what does a PeerJob mean?
//
// It holds the API type ([PeerJob]), the way from YAML to that type
// ([Decode]), the values a user may leave out ([Default]), what is refused
// ([Validate]) and every name which follows from a PeerJob (names.go).
//
// # Rules
//
//   - A field that means the same as a field of batch/v1 or core/v1 has its
//     name, its Go type and its unit.
//   - A derived name is defined once, as a method in names.go. Validation and
//     expansion call the same method, so that what was checked is what is
//     written.
//   - Errors are field errors of apimachinery, on the path which the user
//     wrote, with the user's own value, all of them in one list. Decode and
//     Validate are the only places of this package which refuse.
//   - What Kubernetes' own validation refuses is not written here a second
//     time: package admission asks Kubernetes. Here stand only the rules which
//     follow from the peers finding each other by name.
//
// # Never
//
// It never reads a clock, the environment, a file or the network, it knows
// nothing of ResourceLists or orchestrators, and it imports of this module only
// package spell.
package v1alpha1

//go:generate go run ../../hack/reference -types types*.go -out ../../docs/reference.md
//go:generate go run ../../hack/validation -cases ../../testdata/validation.yaml -out ../../docs/validation.md
//go:generate go run ../../hack/templating -out ../../docs/templating.md
