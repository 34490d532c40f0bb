// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package render

import "time"

// threadTime is not known here: FuzzCost measures only memory.
func threadTime() time.Duration { return 0 }
