// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/capabilities"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
)

// Verdict returns what the newest server would refuse of an object that somebody wrote,
// or what it would warn of if it refuses nothing, on the fields of that object. The
// object must have its apiVersion and kind.
func Verdict(object runtime.Object) (errs field.ErrorList, warnings []diag.Warning) {
	capabilities.Setup(true, 0) // as in judge
	asServer(v1alpha1.NewestMinor, func() {
		refused, warned := checkObject(object)
		errs, warnings = onPeerJob(refused, object, nil), warningsOnPeerJob(warned, nil)
	})
	return errs, warnings
}
