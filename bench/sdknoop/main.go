// SPDX-License-Identifier: Apache-2.0

// Command sdknoop is the least that a KRM function written with kpt's SDK can
// do: it reads a ResourceList and writes it again.
package main

import (
	"os"

	"github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"
)

func main() {
	nothing := fn.ResourceListProcessorFunc(func(*fn.ResourceList) (bool, error) { return true, nil })
	if fn.AsMain(nothing) != nil {
		os.Exit(1) // it has said why
	}
}
