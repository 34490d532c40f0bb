// SPDX-License-Identifier: Apache-2.0

package rules

import "k8s.io/apimachinery/pkg/util/validation/field"

// QueueLabel names the LocalQueue of Kueue that a Job is for. Kueue suspends such a Job
// until there is room for it.
const QueueLabel = "kueue.x-k8s.io/queue-name"

// kueueMinParallelism lets Kueue start a Job with fewer Pods than it asks for.
const kueueMinParallelism = "kueue.x-k8s.io/job-min-parallelism"

// PartialAdmission refuses the partial admission of Kueue: the peers are told
// their number before. It reads the annotations of the metadata at the path, which the Job
// has. size is the field with the number of peers.
func PartialAdmission(annotations map[string]string, size string, metadata *field.Path) field.ErrorList {
	if value, found := annotations[kueueMinParallelism]; found {
		return field.ErrorList{field.Invalid(metadata.Child("annotations").Key(kueueMinParallelism), value,
			"Kueue would start fewer peers than "+size+", and the peers would wait for the others forever; remove it")}
	}
	return nil
}
