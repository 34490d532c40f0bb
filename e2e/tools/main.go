// SPDX-License-Identifier: Apache-2.0

// Tools runs in Pods of the tests. "tools strangers" is a stranger in a PeerJob's
// namespace, who does all that docs/runner-threats.md says somebody may try without
// controlling the network. "tools impostor" answers under whatever name leads to it.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) == 6 && os.Args[1] == "strangers" {
		strangers(os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	}
	if len(os.Args) == 4 && os.Args[1] == "impostor" {
		impostor(os.Args[2], os.Args[3])
	}
	fmt.Fprintln(os.Stderr, "Usage: tools strangers JOB SIZE NAME SERVICE | tools impostor JOB INDEX")
	os.Exit(2)
}
