// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCheck_barrier has what the API server refuses of the containers that a
// barrier adds, on the field of the PeerJob that it comes from, and that the
// user's own keep their places.
func TestCheck_barrier(t *testing.T) {
	const head = "metadata: {name: train}\nspec:\n  peers: 3\n"
	const smallest = "  template: {spec: {containers: [{name: w, image: x}]}}\n"
	tests := map[string]struct {
		give string
		want []string
	}{
		"valid": {
			head + "  barrier: {start: Enabled, end: Enabled, image: x, endTimeoutSeconds: 100}\n" + smallest, nil,
		},
		"with all policies": {
			head + "  barrier: {start: Enabled, end: Enabled, image: x}\n  backoffLimitPerIndex: 1\n  suspend: true\n  activeDeadlineSeconds: 100\n  successPolicy: {rules: [{succeededIndexes: '0,2', succeededCount: 1}]}\n  podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {containerName: peerjob-barrier-start, operator: In, values: [75]}}]}\n" + smallest, nil,
		},
		"resources": {
			head + "  barrier: {start: Enabled, image: x, resources: {requests: {cpu: 2}, limits: {cpu: 1}}}\n" + smallest,
			[]string{`spec.barrier.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`},
		},
		"the user's own init containers, after one": {
			head + "  barrier: {start: Enabled, startTimeoutSeconds: 0, image: x}\n  template: {spec: {initContainers: [{name: a, image: x}, {name: a, image: x, env: [{name: '', value: x}]}], containers: [{name: w, image: x}]}}\n",
			[]string{
				`spec.template.spec.initContainers[1].name: Duplicate value: "a"`,
				`spec.template.spec.initContainers[1].env[0].name: Required value`,
			},
		},
		"the user's own init containers, after two": {
			head + "  barrier: {start: Enabled, image: x}\n  template: {spec: {initContainers: [{name: a, image: x}, {name: A, image: x}], containers: [{name: w, image: x}]}}\n",
			[]string{`spec.template.spec.initContainers[1].name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`},
		},
		"with the end alone there is no gate": {
			head + "  barrier: {end: Enabled, image: x}\n  template: {spec: {initContainers: [{name: A, image: x}], containers: [{name: w, image: x}]}}\n",
			[]string{`spec.template.spec.initContainers[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`},
		},
		"a name of the barrier's": {
			head + "  barrier: {start: Enabled, image: x}\n  template: {spec: {containers: [{name: peerjob-barrier, image: x}]}}\n",
			[]string{`spec.template.spec.containers[0].name: Duplicate value: "peerjob-barrier"`},
		},
		"Windows": {
			head + "  barrier: {end: Enabled, image: x}\n  template: {spec: {os: {name: windows}, containers: [{name: w, image: x}]}}\n",
			[]string{
				`spec.barrier: Forbidden: cannot be set for a windows pod`,
			},
		},
		"the host network": {
			head + "  barrier: {end: Enabled, image: x}\n  template: {spec: {hostNetwork: true, containers: [{name: w, image: x}]}}\n", nil,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, check(t, tt.give)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
