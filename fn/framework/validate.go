// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/fn/v1alpha1"
)

// Validate refuses what a framework can't work with. It wants a PeerJob that
// v1alpha1.Default has seen.
func Validate(pj *v1alpha1.PeerJob) field.ErrorList {
	return nil
}
