// SPDX-License-Identifier: Apache-2.0

// Package e2e answers: do the peers of a PeerJob find each other, in real Pods?
//
// # Rules
//
//   - Each test renders with the real kustomize and the peerjob of this
//     repository, applies what comes out, and judges by what the Pods did: their
//     logs, their ends, the Job's conditions. It never looks into peerjob.
//   - Each test has a namespace of its own, and deletes it.
//   - The tests know nothing of the cluster they run on: the one that package node
//     starts, or the user's own.
//
// # Packages
//
//	sandbox   namespaces of Linux, in which the test runs itself again
//	node      a Kubernetes cluster of one node, from modules and Debian packages
//	images    container images from files of this machine
//	render    kustomize with peerjob
//	cluster   apply, wait, read logs, run programs in Pods
//	tools     what strangers run in Pods
//
// They do not know each other; the tests put them together.
package e2e
