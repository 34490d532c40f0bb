// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"reflect"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/kubernetes/pkg/apis/batch"
	batchinternal "k8s.io/kubernetes/pkg/apis/batch/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// Defaulted returns a Job with the defaults of the newest server, such as the
// dnsPolicy, and with both of two fields that mean the same (serviceAccount and
// serviceAccountName). Two Jobs whose difference is only that one of them writes a
// default out are equal then. It does not change the Job that it is given.
func Defaulted(job *batchv1.Job) *batchv1.Job {
	defaulted := job.DeepCopy()
	dropEmpty(reflect.ValueOf(defaulted).Elem())
	asServer(v1alpha1.NewestMinor, func() {
		batchinternal.SetObjectDefaults_Job(defaulted)
		internal, stored := &batch.Job{}, &batchv1.Job{}
		if batchinternal.Convert_v1_Job_To_batch_Job(defaulted, internal, nil) == nil &&
			batchinternal.Convert_batch_Job_To_v1_Job(internal, stored, nil) == nil {
			stored.TypeMeta = job.TypeMeta
			defaulted = stored
		}
	})
	return defaulted
}
