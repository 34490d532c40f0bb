// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"reflect"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	podapi "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/batch"
	batchinternal "k8s.io/kubernetes/pkg/apis/batch/v1"
	batchvalidation "k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/kubernetes/pkg/capabilities"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// Verdict returns what the newest server would refuse of an object that somebody wrote,
// or what it would warn of if it refuses nothing, on the fields of that object. The
// object must have its apiVersion and kind, and may be a CronJob, too.
func Verdict(object kinds.Object) (errs field.ErrorList, warnings []diag.Warning) {
	object = generated(object)
	capabilities.Setup(true, 0) // as in judge
	asServer(v1alpha1.NewestMinor, func() {
		refused, warned := checkObject(object)
		errs, warnings = onPeerJob(refused, object, nil), warningsOnPeerJob(warned, nil)
	})
	return errs, warnings
}

// VerdictSince returns the same as Verdict for an object that is for all servers from a
// version on, such as "1.30". What only later ones refuse is a warning. tooNew is what a
// server of that version does not have, or refuses and later ones take. Of a version that
// peerjob does not know, tooNew is empty.
func VerdictSince(version string, object kinds.Object) (errs field.ErrorList, warnings []diag.Warning, tooNew field.ErrorList) {
	errs, warnings = Verdict(object)
	minor, asked := peerjob.Minor(version)
	if !asked {
		return errs, warnings, nil
	}
	objects := []origin.Object{{Object: generated(object)}}
	if len(errs) > 0 {
		var later []diag.Warning
		errs, later = refusedLater(minor, errs, objects)
		warnings = append(warnings, later...)
	}
	oldest := "the oldest server is " + version
	said := map[string]refusal{} // of two features of one field, the later one
	visitFeatures(reflect.ValueOf(object).Elem(), "", func(f Feature, path string) {
		first, ever := f.First()
		err := forbidden(path, fmt.Sprintf("%sneeds Kubernetes 1.%d, and %s%s", f.what(), first, oldest, f.Instead))
		if !ever {
			first = v1alpha1.NewestMinor + 1
			err = forbidden(path, fmt.Sprintf("needs the feature gate %s, which is off by default in every version up to 1.%d", f.Gate, v1alpha1.NewestMinor))
		}
		known, again := said[path]
		switch {
		case f.empty || f.Kept || minor >= first:
		case !again:
			said[path] = refusal{first, len(tooNew)}
			tooNew = append(tooNew, err)
		case first > known.first:
			said[path] = refusal{first, known.at}
			tooNew[known.at] = err
		}
	})
	return errs, warnings, append(tooNew, refusedByOlder(version, oldest, tooNew, objects)...)
}

// generated is an object with a name as the server makes it of generateName.
// See names.SimpleNameGenerator in k8s.io/apiserver/pkg/storage/names.
func generated(object kinds.Object) kinds.Object {
	if object.GetName() == "" && object.GetGenerateName() != "" {
		object = object.DeepCopyObject().(kinds.Object)
		object.SetName(object.GetGenerateName() + "abcde")
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
