// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// check judges one object as the API server does on create.
type check func(runtime.Object) (field.ErrorList, []string)

// checks has the check of every kind in internal/kinds; a test compares the two.
var checks = map[schema.GroupVersionKind]check{
	{Version: "v1", Kind: "Service"}:                                   typed(checkService),
	{Version: "v1", Kind: "ConfigMap"}:                                 typed(checkConfigMap),
	{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"}: typed(checkNetworkPolicy),
	{Group: "batch", Version: "v1", Kind: "Job"}:                       typed(checkJob),
}

// typed adapts a check of one Go type.
func typed[T runtime.Object](judge func(T) (field.ErrorList, []string)) check {
	return func(object runtime.Object) (field.ErrorList, []string) { return judge(object.(T)) }
}

// checkObject judges an object of any kind that has a check. An object without
// one is an error of peerjob: nobody would know whether a server takes it.
func checkObject(object runtime.Object) (field.ErrorList, []string) {
	if cron, ok := object.(*batchv1.CronJob); ok { // no kind of peerjob's, but one that lint asks about
		errs, warnings := checkCronJob(cron)
		return causes(errs, object), warnings
	}
	gvk := object.GetObjectKind().GroupVersionKind()
	judge, found := checks[gvk]
	if !found {
		return field.ErrorList{field.InternalError(field.NewPath("kind"), fmt.Errorf("peerjob has no admission check for %v", gvk))}, nil
	}
	errs, warnings := judge(object)
	return causes(errs, object), warnings
}
