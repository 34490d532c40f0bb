// SPDX-License-Identifier: Apache-2.0

// Package frameworks answers: do the real programs find each other if they run as
// an expanded PeerJob says?
//
//	frameworks            the examples of examples/frameworks, with torchrun,
//	                      mpirun, Dask and XGBoost from Debian's packages: what
//	                      they computed is right (the tests of this package)
//	frameworks/pod        a Job -> what runs in the Pod of each index
//	frameworks/sandbox    Pods -> processes in namespaces, on one machine
//
// The tests run with "make frameworks-real", as root on Linux. If a program is
// missing, a test skips and names it; in CI it fails. docs/frameworks-proof.md says
// what was run and what that does not show, and README.md why e2e also runs two
// frameworks.
//
// # Rules
//
//   - The PeerJob is the example's own file, as users copy it. peerjob expands it,
//     and the programs are the real ones.
//   - An example relies on some things in its image: a program by its plain name, an
//     ssh configuration, a setting for a bug of one version. The test lists them in
//     its table and adds nothing else.
//   - The tests check the sum that the peers computed, not only the exit code.
//
// # Never
//
// It never replaces a cluster: it has no scheduler, no DNS, no retries, no
// NetworkPolicy and no probes.
package frameworks
