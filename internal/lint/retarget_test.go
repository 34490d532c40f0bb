// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const pairFile = `apiVersion: v1
kind: Service
metadata: {name: hub}
spec: {clusterIP: None, selector: {job-name: train}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: train}
spec:
  completions: 2
  parallelism: 2
  completionMode: Indexed
  template: {spec: {subdomain: hub, restartPolicy: Never, containers: [{name: w, image: x}]}}
`

func TestRetargets(t *testing.T) {
	const target = "write group: peerjob.dev, version: v1alpha1, kind: PeerJob, name: train in its target"
	for name, test := range map[string]struct {
		kustomization string
		want          []string
	}{
		"JSON 6902": {
			"resources: [../base]\npatches:\n- target: {kind: Job, name: train}\n  patch: '[{op: replace, path: /spec/parallelism, value: 3}, {op: remove, path: /spec/template/spec/subdomain}, {op: add, path: /metadata/annotations/a~1b, value: c}]'\n",
			[]string{"3: patch of the Job train: " + target + "; spec.parallelism becomes spec.peers; remove spec.template.spec.subdomain, which peerjob sets"},
		},
		"a part of the object": {
			"resources: [../base]\npatches:\n- patch: |\n    apiVersion: batch/v1\n    kind: Job\n    metadata: {name: train}\n    spec: {backoffLimit: 1, completions: 4}\n",
			[]string{"3: patch of the Job train: write apiVersion: peerjob.dev/v1alpha1, kind: PeerJob, name: train in it; spec.completions becomes spec.peers"},
		},
		"a file": {
			"resources: [../base]\npatches:\n- {path: gone.yaml, target: {kind: Job, name: tr.*}}\n",
			[]string{"3: patch of the Job train: " + target + "; its file is not in the input"},
		},
		"the Service": {
			"resources: [../base]\npatchesJson6902:\n- target: {version: v1, kind: Service, name: hub}\n  patch: '[{op: add, path: /spec/ports/0/port, value: 80}]'\n",
			[]string{"3: patch of the Service hub: " + target + "; spec.ports.0.port becomes spec.service.ports.0.port"},
		},
		"replacements": {
			"resources: [../base]\nreplacements:\n- source: {kind: ConfigMap, name: a}\n  targets:\n  - select: {kind: Job, name: train}\n    fieldPaths: [spec.parallelism]\n",
			[]string{"5: replacements: the Job train: write group: peerjob.dev, kind: PeerJob; its fields have the same paths, but for spec.peers"},
		},
		"another Job":  {"resources: [../base]\npatches:\n- {target: {kind: Job, name: other}, patch: '[]'}\n", nil},
		"another kind": {"resources: [../base]\npatches:\n- {target: {kind: Deployment}, patch: '[]'}\n", nil},
		"another base": {"resources: [../other]\npatches:\n- {target: {kind: Job}, patch: '[]'}\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			found := Pairs([]File{
				{Name: "base/pair.yaml", Content: []byte(pairFile)},
				{Name: "base/kustomization.yaml", Content: []byte("resources: [pair.yaml]\n")},
				{Name: "over/kustomization.yaml", Content: []byte(test.kustomization)},
			}, Options{})
			if len(found.Pairs) != 1 || found.Pairs[0].Service == nil {
				t.Fatalf("%+v", found)
			}
			var got []string
			for _, r := range found.Retargets() {
				if r.File == "over/kustomization.yaml" {
					got = append(got, fmt.Sprintf("%d: %s", r.Line, r.Text))
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
