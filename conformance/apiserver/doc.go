// SPDX-License-Identifier: Apache-2.0

// Package apiserver answers: what does a real kube-apiserver say to a request
// to create an object?
//
// # Rules
//
//   - The server is the one that Kubernetes releases, with etcd behind it, both
//     built once from the modules below conformance/server and kept in the user's
//     cache. It runs as on most clusters: the default feature gates, privileged
//     containers allowed, both IP families, and the default admission plugins
//     except those that judge a Pod by other objects of the cluster.
//   - It listens on loopback alone and keeps its files in one directory, which
//     [Server.Stop] removes. A process does not outlive the test that started
//     it.
//   - It is asked to create with "dryRun=All" and "fieldValidation=Strict":
//     nothing is stored, and an unknown field is an error.
//
// # Never
//
// It never shares code with internal/admission, and it never asks a cluster that was
// there before.
package apiserver
