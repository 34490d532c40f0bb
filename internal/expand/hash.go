// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"

	"github.com/peerjob/peerjob/internal/manifest"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// Hash returns the hash for the names of what a group expands to. The group
// must have a name without a hash. The hash is of the fields that can't be changed
// in a Job that exists, with the server's defaults (defaulted), so that two Jobs that
// differ in one of them never have one name, and a default that is written out changes
// no name. The Jobs of all roles have one hash.
// See ValidateJobSpecUpdate in k8s.io/kubernetes/pkg/apis/batch/validation.
func Hash(objects []origin.Object, defaulted func(*batchv1.Job) *batchv1.Job) (string, error) {
	var all []byte
	for _, object := range objects {
		job, ok := object.Object.(*batchv1.Job)
		if !ok {
			continue
		}
		text, err := immutable(&defaulted(job).Spec)
		if err != nil {
			return "", err
		}
		if len(all) > 0 {
			all = append(all, "---\n"...)
		}
		all = append(all, text...)
	}
	if len(all) == 0 {
		return "", fmt.Errorf("%d objects, and no Job to take the hash of", len(objects))
	}
	return peerjob.Hash(all), nil
}

// immutable returns the fields of a Job that can't be changed, as text.
func immutable(spec *batchv1.JobSpec) ([]byte, error) {
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
		return nil, err
	}
	return manifest.Bytes(node)
}
