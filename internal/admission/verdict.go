// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"reflect"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	podapi "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/batch"
	batchinternal "k8s.io/kubernetes/pkg/apis/batch/v1"
	batchvalidation "k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/kubernetes/pkg/capabilities"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
)

// Verdict returns what the newest server would refuse of an object that somebody wrote,
// or what it would warn of if it refuses nothing, on the fields of that object. The
// object must have its apiVersion and kind.
func Verdict(object runtime.Object) (errs field.ErrorList, warnings []diag.Warning) {
	object = generated(object)
	capabilities.Setup(true, 0) // as in judge
	asServer(v1alpha1.NewestMinor, func() {
		var refused field.ErrorList
		var warned []string
		if cron, ok := object.(*batchv1.CronJob); ok {
			refused, warned = checkCronJob(cron)
		} else {
			refused, warned = checkObject(object)
		}
		errs, warnings = onPeerJob(refused, object, nil), warningsOnPeerJob(warned, nil)
	})
	return errs, warnings
}

// generated is an object with a name as the server makes it of generateName.
// See names.SimpleNameGenerator in k8s.io/apiserver/pkg/storage/names.
func generated(object runtime.Object) runtime.Object {
	if named, ok := object.(metav1.Object); ok && named.GetName() == "" && named.GetGenerateName() != "" {
		object = object.DeepCopyObject()
		object.(metav1.Object).SetName(named.GetGenerateName() + "abcde")
	}
	return object
}

// checkCronJob judges a CronJob, and a Job as it makes them.
func checkCronJob(object *batchv1.CronJob) (field.ErrorList, []string) {
	object = object.DeepCopy()
	dropEmpty(reflect.ValueOf(object).Elem())
	if object.Namespace == "" {
		object.Namespace = anyNamespace
	}
	job := &batchv1.Job{ObjectMeta: *object.Spec.JobTemplate.ObjectMeta.DeepCopy(), Spec: *object.Spec.JobTemplate.Spec.DeepCopy()}
	job.Name, job.Namespace = "job", object.Namespace
	batchinternal.SetObjectDefaults_CronJob(object)
	cron := &batch.CronJob{}
	if err := batchinternal.Convert_v1_CronJob_To_batch_CronJob(object, cron, nil); err != nil {
		return field.ErrorList{field.InternalError(field.NewPath("spec"), err)}, nil
	}
	errs := batchvalidation.ValidateCronJobCreate(cron, podapi.GetValidationOptionsFromPodTemplate(&cron.Spec.JobTemplate.Spec.Template, nil))
	const above = "spec.jobTemplate."
	ofJob, warned := checkJob(job)
	for _, err := range ofJob {
		err.Field = above + err.Field
	}
	for i, warning := range warned {
		if strings.HasPrefix(warning, "spec.") {
			warned[i] = above + warning
		}
	}
	errs = diag.Append(errs, ofJob)
	if len(errs) > 0 {
		return errs, nil
	}
	return nil, warned
}
