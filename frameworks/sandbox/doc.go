// SPDX-License-Identifier: Apache-2.0

// Package sandbox answers: what do these programs do as the Pods of a cluster with
// one machine?
//
// Each Pod has a network namespace on a bridge, with its own address and host name.
// Each container has its own process and mount namespaces over the machine's files.
// Only that container sees what it writes, and the files end with it.
//
// # Rules
//
//   - The kernel cleans up. Bridge, addresses, mounts and files are in namespaces
//     without a name. Such a namespace exists as long as a process in it, and each
//     process ends with its parent (PR_SET_PDEATHSIG and process namespaces). So
//     nothing is left after a failure, an interrupt or a kill, and two runs at once
//     don't affect each other.
//   - A container gets the environment, the files and the arguments of its Pod, and
//     nothing else from its parent process.
//
// # Never
//
// It never knows what a Job is or what an exit means (package pod does).
package sandbox
