// SPDX-License-Identifier: Apache-2.0

// Package sandbox answers: what do these programs do as the Pods of a cluster
// of one machine?
//
// Each Pod has a network namespace on a bridge, with an address and a host name
// of its own; each container in it a process and a mount namespace, over the
// machine's files: what it writes stays its own, and goes with it.
//
// # Rules
//
//   - The kernel cleans up. Bridge, addresses, mounts and files live in
//     namespaces without a name; those live as long as a process in them; and
//     each of those dies with the one that started it (PR_SET_PDEATHSIG and
//     process namespaces). So nothing is left after a failure, an interrupt or a
//     kill, and two runs at once never meet.
//   - A container gets the environment, the files and the arguments that its
//     Pod says, and nothing else of the one who started it.
//
// # Never
//
// It never knows what a Job is (package pod), nor what an exit means.
package sandbox
