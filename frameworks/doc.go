// SPDX-License-Identifier: Apache-2.0

// Package frameworks answers: do the real programs find each other, when they
// are run as an expanded PeerJob says?
//
//	frameworks            the examples of examples/frameworks, with torchrun,
//	                      mpirun, Dask and XGBoost from Debian's packages: what
//	                      they computed is right (the tests of this package)
//	frameworks/pod        a Job -> what runs in the Pod of each index
//	frameworks/sandbox    Pods -> processes in namespaces, on one machine
//
// The tests run with "make frameworks-real", as root on Linux; what is not
// there is a skip that says what is missing, and in CI a failure. See
// docs/frameworks-proof.md for what was run and what it does not show.
//
// # Rules
//
//   - The PeerJob is the example's own, the bytes that a user copies; peerjob
//     expands it; the programs are the real ones.
//   - What the example leaves to its image (a program by its plain name, an ssh
//     configuration, a setting for a bug of one version) is in the test's image,
//     in sight, and nothing else is added.
//   - The result is checked: the sum that the peers computed, not only the exit
//     code.
//
// # Never
//
// It never stands in for a cluster: no scheduler, no DNS, no retries, no
// NetworkPolicy, no probes.
package frameworks
