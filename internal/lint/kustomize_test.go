// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const peerJob = `apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata: {name: train}
spec: {peers: 2, template: {spec: {containers: [{name: w, image: x}]}}}
`

const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"

// TestFiles_kustomizations lints folders with kustomizations: what is a patch, and which
// layers do not do what they say.
func TestFiles_kustomizations(t *testing.T) {
	jobPatch := "patches:\n- target: {kind: Job, name: train}\n  patch: '[{op: add, path: /spec/suspend, value: true}]'\n"
	listPatch := "patches:\n- patch: |\n    apiVersion: peerjob.dev/v1alpha1\n    kind: PeerJob\n    metadata: {name: train}\n    spec: {template: {spec: {containers: [{name: w, image: y}]}}}\n"
	for name, test := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"a patch of a Job is no Job": {
			map[string]string{
				"base/kustomization.yaml": "resources: [pair.yaml]\n", "base/pair.yaml": right,
				"prod/kustomization.yaml": "resources: [../base]\npatches: [{path: job.yaml}]\n",
				"prod/job.yaml":           "apiVersion: batch/v1\nkind: Job\nmetadata: {name: train}\nspec: {completions: 8, template: {spec: {subdomain: x, containers: [{name: w, env: [{name: A, value: b}]}]}}}\n",
			}, nil,
		},
		"a patch of a Service is no Service": {
			map[string]string{
				"kustomization.yaml": "resources: [pair.yaml]\npatchesStrategicMerge:\n- service.yaml\n", "pair.yaml": right,
				"service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: hub}\nspec: {ports: [{port: 80}]}\n",
			}, []string{"kustomization.yaml:1:1 note skipped"},
		},
		"labels that kustomize gives to selectors": {
			map[string]string{
				"kustomization.yaml": "resources: [pair.yaml]\ncommonLabels: {app: train}\n",
				"pair.yaml":          strings.Replace(right, "  selector:\n    job-name: train\n", "", 1),
			}, nil,
		},
		"labels of the newer kind": {
			map[string]string{
				"kustomization.yaml": "resources: [pair.yaml]\nlabels: [{pairs: {app: train}, includeTemplates: true}]\n",
				"pair.yaml":          strings.Replace(right, "job-name: train\n", "app: train\n", 1),
			}, nil,
		},
		"labels that kustomize gives to nobody": {
			map[string]string{
				"kustomization.yaml": "resources: [pair.yaml]\nlabels: [{pairs: {app: train}}]\n",
				"pair.yaml":          strings.Replace(right, "job-name: train\n", "app: train\n", 1),
			}, []string{"pair.yaml:9:10 error selector-mismatch"},
		},
		"a patch in the layer of the Job": {
			map[string]string{
				"kustomization.yaml": "resources: [pair.yaml]\npatches: [{target: {kind: Job}, patch: '[{op: replace, path: /spec/parallelism, value: 4}]'}]\n",
				"pair.yaml":          strings.Replace(right, "parallelism: 4", "parallelism: 1", 1),
			}, []string{"kustomization.yaml:1:1 note skipped"},
		},
		"a prefix for a pair": {
			map[string]string{"kustomization.yaml": "resources: [pair.yaml]\nnamePrefix: dev-\n", "pair.yaml": right},
			[]string{"kustomization.yaml:2:13 error name-prefix"},
		},
		"a prefix over a pair and the PodGroup that its Pods name": {
			map[string]string{
				"kustomization.yaml": "resources: [pair.yaml, group.yaml]\nnamePrefix: dev-\n",
				"pair.yaml":          strings.Replace(right, "  template:\n", "  template:\n    metadata: {labels: {scheduling.x-k8s.io/pod-group: gang}}\n", 1),
				"group.yaml":         "apiVersion: scheduling.x-k8s.io/v1alpha1\nkind: PodGroup\nmetadata: {name: gang}\n---\napiVersion: scheduling.x-k8s.io/v1alpha1\nkind: PodGroup\nmetadata: {name: other}\n",
			},
			[]string{"kustomization.yaml:2:13 error name-prefix", "kustomization.yaml:2:13 error name-prefix"},
		},
		"a prefix in a layer above": {
			map[string]string{"a/kustomization.yaml": "nameSuffix: -x\nresources: [../b]\n", "b/kustomization.yaml": "resources: [pair.yaml]\n", "b/pair.yaml": right},
			[]string{"a/kustomization.yaml:1:13 error name-prefix"},
		},
		"a prefix, and replacements": {
			map[string]string{"kustomization.yaml": "resources: [pair.yaml]\nnamePrefix: dev-\nreplacements: [{path: r.yaml}]\n", "pair.yaml": strings.Replace(right, "subdomain: hub", "subdomain: x", 1)},
			[]string{"kustomization.yaml:1:1 note skipped"},
		},
		"a prefix, and a configuration": {
			map[string]string{"kustomization.yaml": "resources: [pair.yaml]\nnamePrefix: dev-\nconfigurations: [c.yaml]\n", "pair.yaml": right}, nil,
		},
		"a prefix for a Job alone": {
			map[string]string{"kustomization.yaml": "resources: [job.yaml]\nnamePrefix: dev-\n", "job.yaml": strings.SplitN(right, "---\n", 2)[1], "service.yaml": strings.SplitN(right, "---\n", 2)[0]}, nil,
		},

		"numbers that kustomize changes": {
			map[string]string{
				"kustomization.yaml": "resources: [peerjob.yaml]\npatches:\n- patch: |-\n    apiVersion: peerjob.dev/v1alpha1\n    kind: PeerJob\n    metadata: {name: train}\n    spec: {values: {lr: 1e-5}}\n",
				"peerjob.yaml":       "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: train}\nspec:\n  values:\n    tag: 1.10\n    mode: [0755]\n    kept: [1, -5, 0.5, 12.25, \"1.10\", 2024-01-02, true, 1.2.3]\n    big: 12345678901234567890\n",
			},
			[]string{"kustomization.yaml:3:3 warning kustomize-number", "peerjob.yaml:6:10 warning kustomize-number", "peerjob.yaml:7:12 warning kustomize-number", "peerjob.yaml:9:10 warning kustomize-number"},
		},
		"the same numbers without kustomize": {
			map[string]string{"peerjob.yaml": "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: train}\nspec: {values: {tag: 1.10}}\n"}, nil,
		},
		"a patch for a Job that is a PeerJob now": {
			map[string]string{"kustomization.yaml": "resources: [peerjob.yaml]\n" + jobPatch, "peerjob.yaml": peerJob},
			[]string{"kustomization.yaml:3:11 warning patch-target"},
		},
		"the same in a layer above": {
			map[string]string{"a/kustomization.yaml": "resources: [../b]\n" + jobPatch, "b/kustomization.yaml": "resources: [peerjob.yaml]\n", "b/peerjob.yaml": peerJob},
			[]string{"a/kustomization.yaml:3:11 warning patch-target"},
		},
		"a patch for the Job of a role": {
			map[string]string{
				"kustomization.yaml": "resources: [peerjob.yaml]\n" + strings.Replace(jobPatch, "name: train", "name: train-worker", 1),
				"peerjob.yaml":       "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: train}\nspec: {roles: [{name: head, peers: 1}, {name: worker, peers: 2}]}\n",
			},
			[]string{"kustomization.yaml:3:11 warning patch-target"},
		},
		"a patch without a target": {
			map[string]string{"kustomization.yaml": "resources: [peerjob.yaml]\npatches: [{path: p.yaml}]\n", "peerjob.yaml": peerJob, "p.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata: {name: train}\nspec: {suspend: true}\n"},
			[]string{"kustomization.yaml:2:11 warning patch-target"},
		},
		"a patch for a Job that is there": {
			map[string]string{"kustomization.yaml": "resources: [peerjob.yaml, job.yaml]\n" + jobPatch, "peerjob.yaml": peerJob, "job.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata: {name: train}\n"}, nil,
		},
		"a patch for another Job": {
			map[string]string{"kustomization.yaml": "resources: [peerjob.yaml]\n" + strings.Replace(jobPatch, "name: train", "name: other", 1), "peerjob.yaml": peerJob}, nil,
		},
		"a patch for Jobs that a layer below expands": {
			map[string]string{"a/kustomization.yaml": "resources: [../b]\n" + jobPatch, "b/kustomization.yaml": "resources: [peerjob.yaml]\ntransformers: [peerjob.yaml]\n", "b/peerjob.yaml": peerJob}, nil,
		},
		"a patch beside a resource that is elsewhere": {
			map[string]string{"kustomization.yaml": "resources: [peerjob.yaml, 'https://example.com/x']\n" + jobPatch, "peerjob.yaml": peerJob}, nil,
		},
		"a patch beside a foreign object": {
			map[string]string{"kustomization.yaml": "resources: [peerjob.yaml, web.yaml]\n" + jobPatch, "peerjob.yaml": peerJob, "web.yaml": deployment},
			[]string{"kustomization.yaml:3:11 warning patch-target"},
		},

		"a patch of lists without the Component": {
			map[string]string{"kustomization.yaml": "resources: [peerjob.yaml]\n" + listPatch, "peerjob.yaml": peerJob},
			[]string{"kustomization.yaml:3:3 warning component-missing"},
		},
		"a patch of lists with the Component": {
			map[string]string{"kustomization.yaml": "resources: [peerjob.yaml]\ncomponents: ['https://github.com/peerjob/peerjob//kustomize?ref=v0.1.0']\n" + listPatch, "peerjob.yaml": peerJob}, nil,
		},
		"a patch of lists with the Component in the base": {
			map[string]string{
				"a/kustomization.yaml": "resources: [../b]\n" + listPatch, "b/kustomization.yaml": "resources: [peerjob.yaml]\ncomponents: [../c]\n", "b/peerjob.yaml": peerJob,
				"c/kustomization.yaml": "kind: Component\nconfigurations: [x.yaml]\n",
			}, nil,
		},
		"a patch of single fields": {
			map[string]string{"kustomization.yaml": "resources: [peerjob.yaml]\npatches:\n- patch: '{apiVersion: peerjob.dev/v1alpha1, kind: PeerJob, metadata: {name: train}, spec: {peers: 8}}'\n", "peerjob.yaml": peerJob}, nil,
		},
		"replicas without the Component": {
			map[string]string{"kustomization.yaml": "resources: [peerjob.yaml]\nreplicas:\n- name: train\n  count: 8\n", "peerjob.yaml": peerJob},
			[]string{"kustomization.yaml:3:9 warning component-missing"},
		},
		"a layer of itself": {
			map[string]string{"kustomization.yaml": "resources: [., peerjob.yaml]\n" + jobPatch, "peerjob.yaml": peerJob},
			[]string{"kustomization.yaml:3:11 warning patch-target"},
		},
		"no kustomization": {
			map[string]string{"kustomization.yaml": "patches: x\nresources: {}\ncomponents: [[]]\nreplicas: [a]\nlabels: [b]\n", "peerjob.yaml": peerJob}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var files []File
			for name, content := range test.files {
				files = append(files, File{Name: name, Content: []byte(content)})
			}
			slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
			findings := Files(files, Options{})
			if diff := cmp.Diff(test.want, short(findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s%s", diff, said(findings))
			}
		})
	}
}
