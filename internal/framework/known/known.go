// SPDX-License-Identifier: Apache-2.0

// Package known answers: which framework was probably meant by a name?
//
// # Rules
//
//   - A type in other letters is that type.
//   - The beginning or the end of types means these: MPI is OpenMPI, IntelMPI or MPICH.
//   - Otherwise it is the type that is most like the name.
//
// # Never
//
// It never knows what a framework is: package framework does, and a test there holds
// the names of both together.
package known

import (
	"fmt"
	"slices"
	"strings"

	"github.com/peerjob/peerjob/internal/spell"
)

var types = []string{
	"Dask", "DeepSpeed", "IntelMPI", "JAX", "MPICH", "OpenMPI", "PyTorch", "Ray", "Spark", "TensorFlow", "Torchrun", "TPU", "XGBoost",
}

// Types are the types of spec.framework.
func Types() []string { return slices.Clone(types) }

// Meant returns the types that were probably meant by a name: those that begin or end
// with it, such as Torchrun and PyTorch for torch, or else the one that is most like it.
func Meant(text string) []string {
	word := strings.ToLower(text)
	var meant []string
	for _, name := range types {
		switch lower := strings.ToLower(name); {
		case lower == word:
			return []string{name}
		case len(word) > 1 && (strings.HasPrefix(lower, word) || strings.HasSuffix(lower, word)):
			meant = append(meant, name)
		}
	}
	if nearest := spell.Nearest(text, types); len(meant) == 0 && nearest != "" {
		return []string{nearest}
	}
	return meant
}

// DidYouMean says which type to write instead of an unknown one, "" if none is like it.
func DidYouMean(name string) string {
	switch meant := Meant(name); len(meant) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("; did you mean %q?", meant[0])
	default:
		return "; write one of " + strings.Join(meant, ", ")
	}
}
