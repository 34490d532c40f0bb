// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"

	"github.com/peerjob/peerjob/internal/manifest"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// Hash returns the hash for the Job's name of what a group expands to. The group
// must have a name without a hash. The hash is of the fields that can't be changed
// in a Job that exists, with the server's defaults (defaulted), so that two Jobs that
// differ in one of them never have one name, and a default that is written out changes
// no name.
// See ValidateJobSpecUpdate in k8s.io/kubernetes/pkg/apis/batch/validation.
func Hash(objects []origin.Object, defaulted func(*batchv1.Job) *batchv1.Job) (string, error) {
	for _, object := range objects {
		if job, ok := object.Object.(*batchv1.Job); ok {
			return hashOf(&defaulted(job).Spec)
		}
	}
	return "", fmt.Errorf("%d objects, and no Job to take the hash of", len(objects))
}

func hashOf(spec *batchv1.JobSpec) (string, error) {
	node, err := manifest.Encode(&batchv1.JobSpec{
		// Servers before 1.27 refuse to change the completions.
		Completions:          spec.Completions,
		CompletionMode:       spec.CompletionMode,
		BackoffLimitPerIndex: spec.BackoffLimitPerIndex,
		PodFailurePolicy:     spec.PodFailurePolicy,
		SuccessPolicy:        spec.SuccessPolicy,
		ManagedBy:            spec.ManagedBy,
		Scheduling:           spec.Scheduling,
		Template:             spec.Template,
	})
	if err != nil {
		return "", err
	}
	text, err := manifest.Bytes(node)
	if err != nil {
		return "", err
	}
	return peerjob.Hash(text), nil
}
