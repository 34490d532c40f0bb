// SPDX-License-Identifier: Apache-2.0

package lint

// Retarget is a place in a kustomization that is about a Service or a Job, and must be
// about the PeerJob that stands for them.
type Retarget struct {
	File string
	Line int
	// Text is what to write.
	Text string
}

// Retargets returns the places in kustomizations to change.
func (f *Found) Retargets() []Retarget { return nil }
