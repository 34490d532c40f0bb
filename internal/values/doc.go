// SPDX-License-Identifier: Apache-2.0

// Package values answers: what do the templates of a PeerJob see, and what does a
// field render to?
//
// # Rules
//
//   - Templates see names and values ([Data]), and nothing else. A name that is
//     not known where a template asks for it is an error that says why.
//   - spec.service.name is rendered first, because the names of the peers follow
//     from it. It sees only what it can't decide.
//   - Values are merged as Helm merges them.
//
// # Never
//
// It never looks for a source of values, and never reads a PeerJob.
package values
