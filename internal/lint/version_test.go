// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFiles_kubernetesVersion holds a pair to the oldest server that it is for.
func TestFiles_kubernetesVersion(t *testing.T) {
	index := command("[w, --leader=train-0.hub]\n        env: [{name: I, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['batch.kubernetes.io/job-completion-index']\"}}}]")
	for name, test := range map[string]struct {
		changes []string
		version string
		want    []string
	}{
		"no version":                  {index, "", nil},
		"right":                       {nil, "1.22", nil},
		"the newest":                  {index, "1.37", nil},
		"a version that nobody knows": {index, "1.99", nil},
		"a label of the Pods":         {index, "1.27", []string{"f.yaml:27:59 error kubernetes-version"}},
		"a label of the Pods, later":  {index, "1.28", nil},
		"a selector":                  {[]string{"    job-name: train", "    batch.kubernetes.io/job-name: train"}, "1.26", []string{"f.yaml:8:3 error kubernetes-version"}},
		"a selector, later":           {[]string{"    job-name: train", "    batch.kubernetes.io/job-name: train"}, "1.27", nil},
		"a field of the Job":          {[]string{"  parallelism: 4\n", "  parallelism: 4\n  backoffLimitPerIndex: 1\n"}, "1.28", []string{"f.yaml:18:25 error kubernetes-version"}},
		"one that is off everywhere":  {[]string{"      subdomain: hub", "      subdomain: hub\n      evictionResponders: [{name: example.com/a, priority: 1}]"}, "1.30", []string{"f.yaml:22:7 error kubernetes-version"}},
		"a name of a Service":         {[]string{"  name: hub", "  name: 1hub", "subdomain: hub", "subdomain: 1hub", "train-0.hub", "train-0.1hub"}, "1.30", []string{"f.yaml:4:9 error kubernetes-version"}},
		"two features of one field":   {[]string{"      containers:\n", "      initContainers: [{name: a, image: x, restartPolicy: Always}]\n      containers:\n"}, "1.25", []string{"f.yaml:23:59 error kubernetes-version"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Files([]File{{Name: "f.yaml", Content: []byte(with(t, test.changes...))}}, Options{KubernetesVersion: test.version})
			if diff := cmp.Diff(test.want, short(got)); diff != "" {
				t.Errorf("(-want +got):\n%s%s", diff, said(got))
			}
		})
	}
}
