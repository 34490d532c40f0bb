// SPDX-License-Identifier: Apache-2.0

// Package pod answers: what runs in the Pod of one completion index of a Job, and
// which names, environment and files does it have?
//
// It computes what the Job controller, the kubelet and the cluster's DNS do with an
// expanded PeerJob. So a program can run without a cluster and see the same.
//
// # Rules
//
//   - If Kubernetes has code for something that can be imported, that code decides:
//     the kubelet's code expands "$(VAR)" and the downward API.
//   - A Pod gets a peer's short name only if the Pod's search domains let the
//     cluster's DNS resolve it.
//   - A field of a Job that this package does not know is an error. It is never
//     ignored silently.
//
// # Never
//
// It never starts anything (package sandbox does that), and it imports nothing of
// peerjob: it reads only the expanded YAML.
package pod
