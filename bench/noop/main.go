// SPDX-License-Identifier: Apache-2.0

// Command noop is the least that a KRM function written with kyaml can do: it
// reads a ResourceList and writes it again, as the functions made with kyaml's
// framework do around their own work.
package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/kustomize/kyaml/kio"
)

func main() {
	list := &kio.ByteReadWriter{Reader: os.Stdin, Writer: os.Stdout, KeepReaderAnnotations: true}
	err := kio.Pipeline{Inputs: []kio.Reader{list}, Outputs: []kio.Writer{list}}.Execute()
	if err != nil {
		fmt.Fprintf(os.Stderr, "noop: %v\n", err)
		os.Exit(1)
	}
}
