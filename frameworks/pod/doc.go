// SPDX-License-Identifier: Apache-2.0

// Package pod answers: what runs in the Pod of one completion index of a Job,
// with which names, environment and files?
//
// It does on paper what the Job controller, the kubelet and the cluster's DNS
// do with an expanded PeerJob, so that a program can be run without a cluster
// and see the same.
//
// # Rules
//
//   - Where Kubernetes' own code can be had, it decides: "$(VAR)" and the
//     downward API are expanded by the code of the kubelet.
//   - A peer's short name is given only where the Pod's search domains let the
//     cluster's DNS find it.
//   - What a Job may say and this package does not know is an error, never left
//     out in silence.
//
// # Never
//
// It never starts anything (package sandbox) and imports nothing of peerjob:
// the expanded YAML is all it knows.
package pod
