// SPDX-License-Identifier: Apache-2.0

// Package framework answers: what does a framework of distributed computing
// read, and how does a Pod of an Indexed Job give it that?
//
// It is one table (table.go): an [Entry] for each framework says which
// variables it reads, which ports it opens, which file lists its hosts, and
// what its leader and its workers run. The rest of the package puts an entry
// into a Job ([Apply], [Ports], [ConfigMap]) and refuses what can't go
// together ([Validate]). docs/frameworks.md and "peerjob frameworks" are
// written from the same table. docs/adding-a-framework.md says how to add one.
//
// # Rules
//
//   - No name is baked in: a value is built from the peers' variables, which
//     the kubelet expands, or by a shell that reads them, so that a tool that
//     renames the Job or the Service afterwards breaks nothing. What stands in a
//     file is put right when the leader starts.
//   - A variable, a port, a volume or a path that the framework needs is the
//     framework's alone: what the user set under its name is an error that
//     names both. A [Variable] with Yields set is a mere default.
//   - In a PeerJob with roles, the roles that run it are named, or follow from their names
//     and numbers of peers, never from their order; else it is an error (roles.go). Another
//     role gets nothing of it.
//   - A group that would never end, because a program of the framework serves in a role, is
//     an error that says what to write.
//   - A contract is what the framework's own source or documentation says that
//     it reads, and the entry names the place.
//
// # Never
//
// It makes no keys, starts no process, and knows nothing of YAML.
package framework

//go:generate go run ../../hack/frameworks -out ../../docs/frameworks.md
