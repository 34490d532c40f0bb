// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package sandbox

import (
	"context"
	"fmt"
	"runtime"
)

// Enter does nothing: only Linux has namespaces.
func Enter() (isInside, over bool, code int) { return false, false, 0 }

// Possible says that this is not Linux.
func Possible() error { return fmt.Errorf("%w: it is %s, not linux", ErrImpossible, runtime.GOOS) }

// Run is never called, because it is not possible.
func Run(context.Context, func(string)) (int, error) { return 1, Possible() }
