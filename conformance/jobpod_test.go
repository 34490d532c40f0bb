// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPodOf(t *testing.T) {
	const job = `{
		"metadata": {"name": "train", "uid": "u"},
		"spec": {"completions": 12, "template": {
			"metadata": {"labels": {"job-name": "train"}},
			"spec": {
				"initContainers": [{"name": "i", "env": [{"name": "JOB_COMPLETION_INDEX", "value": "x"}]}],
				"containers": [{"name": "w", "new": 9223372036854775807}]
			}
		}}
	}`
	const want = `{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": {
			"generateName": "train-11-",
			"labels": {"job-name": "train", "batch.kubernetes.io/job-completion-index": "11"},
			"annotations": {"batch.kubernetes.io/job-completion-index": "11"},
			"finalizers": ["batch.kubernetes.io/job-tracking"],
			"ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "train", "uid": "u", "controller": true, "blockOwnerDeletion": true}]
		},
		"spec": {
			"hostname": "train-11",
			"serviceAccountName": "default",
			"initContainers": [{"name": "i", "env": [{"name": "JOB_COMPLETION_INDEX", "value": "x"}]}],
			"containers": [{"name": "w", "new": 9223372036854775807, "env": [
				{"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-completion-index']"}}}
			]}]
		}
	}`
	pod, err := podOf([]byte(job))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	got, gotErr := decodeJSON(data)
	wanted, wantErr := decodeJSON([]byte(want))
	if gotErr != nil || wantErr != nil {
		t.Fatal(gotErr, wantErr)
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPodOf_noJob(t *testing.T) {
	for _, job := range []string{"", "{}", `{"metadata": {"name": "a"}}`, `{"metadata": {"name": "a"}, "spec": {"template": {"spec": {}}}}`} {
		if pod, err := podOf([]byte(job)); err == nil {
			t.Errorf("%s: %v", job, pod)
		}
	}
}

func TestGenerateName(t *testing.T) {
	for _, test := range []struct{ job, index, want string }{
		{"a", "0", "a-0-"},
		{"l00000000000000000000000000000000000000000000000000000000z", "100", "l0000000000000000000000000000000000000000000000000000-100-"},
	} {
		if got := generateName(test.job, test.index); got != test.want || len(got) > 58 {
			t.Errorf("%s: got %s", test.job, got)
		}
	}
}
