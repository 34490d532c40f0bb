// SPDX-License-Identifier: Apache-2.0

// Package sandbox runs this program again in namespaces of its own, where it can
// be a Kubernetes node: network, mounts and process ids are its own.
//
// # Rules
//
//   - What runs inside can't be seen from outside, so that two runs never clash.
//   - When the program ends, however it ends, the kernel ends every process
//     inside and undoes every mount: the first process of a process id namespace
//     takes all the others with it.
//   - /run, /var/lib and /var/log are empty inside and gone afterwards.
//   - Nothing leaves the machine: inside there is no network but loopback and what
//     the program makes itself.
package sandbox

import "errors"

// ErrImpossible is why there can be no sandbox here.
var ErrImpossible = errors.New("no sandbox for a node on this machine")
