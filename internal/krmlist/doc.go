// SPDX-License-Identifier: Apache-2.0

// Package krmlist answers: which objects are in a ResourceList or in files, and
// how are they written back?
//
// # Where things are
//
//	list.go       List, what kustomize and kpt send and get back, and Read
//	text.go       a List in text form: its items are found, not parsed
//	parsed.go     a List that was parsed as a whole
//	object.go     Object: what must be known of any object, and where it is
//	body.go       the YAML of an Object, in one of six forms
//	documents.go  the documents of files, and how they are written
//	closest.go    which of several objects a name means
//	aliases.go    YAML aliases whose anchor has moved
//	scan          where each item of a list begins and ends
//
// # Rules
//
//   - An object that nobody changes is written byte by byte as it was read. Only
//     a list that scan declines, such as one in JSON, is parsed as a whole and
//     written as kyaml writes it.
//   - An object is parsed when someone asks for its YAML, and not before. One that peerjob
//     made is kept as text (Object.Pack), and made again then.
//   - Whatever could be read is returned beside an error, so that nothing is lost.
//
// # Never
//
// It never knows what a PeerJob is, and never decides what goes into a list.
package krmlist
