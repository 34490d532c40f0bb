// SPDX-License-Identifier: Apache-2.0

package protocol

// What the manifests of the sidecar still say. They go with the last of them.
const (
	// StartupPath is what a startup probe asked the sidecar for.
	StartupPath = "/startup"
	// StartupHoldSeconds is how long the sidecar held that question.
	StartupHoldSeconds = 50
)
