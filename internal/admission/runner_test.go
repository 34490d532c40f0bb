// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCheck_runner has what the API server refuses of what a runner adds, on the field
// of the PeerJob that it comes from, and that the user's own keep their places.
func TestCheck_runner(t *testing.T) {
	const head = "metadata: {name: train}\nspec:\n  peers: 3\n"
	const both = head + "  barrier: {start: Enabled, end: Enabled}\n  runner: {image: x"
	const smallest = "}\n  template: {spec: {containers: [{name: w, image: x, command: [a]}]}}\n"
	const label = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`
	tests := map[string]struct {
		give string
		want []string
	}{
		"valid":             {both + smallest, nil},
		"every field":       {both + ", imagePullPolicy: Never, keySecretName: k, port: 1024, container: w, resources: {limits: {cpu: 1}}" + smallest, nil},
		"an image volume":   {both + ", delivery: ImageVolume, imagePullPolicy: Never, keySecretName: k" + smallest, nil},
		"with all policies": {both + "}\n  backoffLimitPerIndex: 1\n  suspend: true\n  activeDeadlineSeconds: 100\n  successPolicy: {rules: [{succeededIndexes: '0,2', succeededCount: 1}]}\n  podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {containerName: w, operator: In, values: [75]}}]}\n  template: {spec: {containers: [{name: w, image: x, command: [a]}]}}\n", nil},
		"its resources": {
			both + ", resources: {requests: {cpu: 2}, limits: {cpu: 1}}" + smallest,
			[]string{`spec.runner.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`},
		},
		"its resources, and a device": {
			both + ", resources: {claims: [{name: gpu}]}" + smallest,
			[]string{`spec.runner.resources.claims[0]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims which is empty`},
		},
		"the resources of its container": {
			both + "}\n  template: {spec: {containers: [{name: w, image: x, command: [a], resources: {requests: {cpu: 2}, limits: {cpu: 1}}}]}}\n",
			[]string{`spec.template.spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`},
		},
		"a pull policy": {
			both + ", imagePullPolicy: Sometimes" + smallest,
			[]string{`spec.runner.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"`},
		},
		"a pull policy of the image volume": {
			both + ", imagePullPolicy: Sometimes, delivery: ImageVolume" + smallest,
			[]string{`spec.runner: Not found: "peerjob-runner"`, `spec.runner.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"`},
		},
		"no image, in a volume": {
			head + "  barrier: {start: Enabled}\n  runner: {delivery: ImageVolume" + smallest,
			[]string{`spec.runner: Not found: "peerjob-runner"`, `spec.runner.image: Required value`},
		},
		"the user's own init containers, behind it": {
			both + "}\n  template: {spec: {initContainers: [{name: a, image: x}, {name: a, image: x, env: [{name: '', value: x}]}, {name: A, image: x}], containers: [{name: w, image: x}]}}\n",
			[]string{
				`spec.template.spec.initContainers[1].name: Duplicate value: "a"`,
				`spec.template.spec.initContainers[1].env[0].name: Required value`,
				`spec.template.spec.initContainers[2].name: Invalid value: "A": ` + label,
			},
		},
		"the user's own init containers, with an image volume": {
			both + ", delivery: ImageVolume}\n  template: {spec: {initContainers: [{name: A, image: x}], containers: [{name: w, image: x}]}}\n",
			[]string{`spec.template.spec.initContainers[0].name: Invalid value: "A": ` + label},
		},
		"what the user has in the container": {
			both + "}\n  peerEnv: Disabled\n  template: {spec: {volumes: [{name: A, emptyDir: {}}], containers: [{name: w, image: x, command: [a], env: [{name: ''}], volumeMounts: [{name: B, mountPath: /b}], ports: [{containerPort: 0}]}]}}\n",
			[]string{
				`spec.template.spec.volumes[0].name: Invalid value: "A": ` + label,
				`spec.template.spec.containers[0].ports[0].containerPort: Required value`,
				`spec.template.spec.containers[0].env[0].name: Required value`,
				`spec.template.spec.containers[0].volumeMounts[0].name: Not found: "B"`,
			},
		},
		"a container of its name": {
			both + "}\n  template: {spec: {containers: [{name: peerjob-runner-install, image: x}]}}\n",
			[]string{`spec.template.spec.containers[0].name: Duplicate value: "peerjob-runner-install"`},
		},
		"a volume of its name": {
			both + "}\n  template: {spec: {volumes: [{name: peerjob-runner, emptyDir: {}}], containers: [{name: w, image: x}]}}\n",
			[]string{`spec.runner: Duplicate value: "peerjob-runner"`},
		},
		"a mount where it is": {
			both + "}\n  template: {spec: {volumes: [{name: v, emptyDir: {}}], containers: [{name: w, image: x, volumeMounts: [{name: v, mountPath: /peerjob}]}]}}\n",
			[]string{`spec.runner: Invalid value: "/peerjob": must be unique`},
		},
		"Windows": {
			both + "}\n  template: {spec: {os: {name: windows}, containers: [{name: w, image: x}]}}\n",
			[]string{`spec.runner: Forbidden: cannot be set for a windows pod`},
		},
		"the host network": {
			both + "}\n  template: {spec: {hostNetwork: true, containers: [{name: w, image: x, ports: [{name: peerjob-runner, containerPort: 9}]}]}}\n",
			[]string{`spec.runner.port: Duplicate value: "peerjob-runner"`},
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
