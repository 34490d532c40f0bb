// SPDX-License-Identifier: Apache-2.0

// Package process answers one question: what does process 1 of a container do for the
// command that it runs? To the command, to its users and to Kubernetes, it must make no
// difference that the command is no longer process 1.
//
// A [Supervisor] starts the command as its child:
//
//   - The child has its own process group, which is the foreground group if there is a
//     controlling terminal. It inherits everything else: file descriptors, environment,
//     working directory, limits, credentials. Its signal mask is empty and its signals
//     have their default action, as in a container.
//   - Every signal that can be caught goes on to the child, with its value, and to no
//     other process: a container runtime signals process 1 alone. A worker of the
//     command would otherwise get a signal that it does not handle, or get one twice.
//   - Zombies are reaped, as process 1 and, with a shared process namespace, as a
//     subreaper. A single goroutine waits for all children, so no status is lost.
//   - The child's end is the end of all its descendants, as the end of process 1 is.
//   - The exit code is the child's, or 128+n after signal n, which is what container
//     runtimes report.
//
// It can run several commands, one after the other, and stop one: the group of peers starts
// again as a whole, in one process.
//
// One thing differs on purpose. The kernel drops a signal that process 1 does not
// handle, so that "sleep" as process 1 runs on until the kubelet kills it. A child gets
// the default action of the signal, and ends.
//
// The package decides nothing about the group of peers, writes no log and never exits
// the process. It works on Linux for amd64 and arm64, whose signal handler is in
// assembly.
package process
