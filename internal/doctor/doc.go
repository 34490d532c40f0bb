// SPDX-License-Identifier: Apache-2.0

// Package doctor answers: why do the peers of a Job in a cluster not find each other?
//
// # The way of an input
//
//	input.go     reads what "kubectl get -o yaml" or "-o json" writes
//	group.go     finds the Jobs whose Pods are peers, their Pods and their Service
//	job.go       the state of a Job: suspended, failed, without Pods
//	pods.go      the state of Pods: Pending and why, failed, ended, not ready
//	inside.go    what several peers see together, from the reports of peerjob-runner doctor
//	network.go   what DNS and the network have: EndpointSlices and NetworkPolicies
//	finding.go   what was found, and in which order
//	write.go     writes findings as text and JSON
//
// # Rules
//
//   - What is wrong with the objects as they were written is a finding of internal/lint,
//     which does not mind what the server adds. Here is what only the state tells.
//   - Every finding names the object, says what is so, and what to do.
//   - What keeps peers apart now is an error. What may be meant, or passes, is a warning.
//   - Many Pods with one trouble are one finding.
//   - What the input does not have is not missing in the cluster. A finding that depends
//     on a kind of object needs at least one of them in the input.
//   - A Job that is complete has no troubles.
//
// # Never
//
// It never asks a cluster, and never looks at a clock.
package doctor
