// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/internal/admission"
	"github.com/peerjob/peerjob/internal/expand"
)

// TestCheck_pod has Jobs that the server takes, and whose Pods it would refuse.
func TestCheck_pod(t *testing.T) {
	const pod = "spec.template.spec."
	tests := map[string]struct {
		template string
		want     []string
	}{
		"valid": {"spec: {containers: [{name: w, image: x}]}", nil},
		"a node and a scheduling gate": {
			"spec: {nodeName: n, schedulingGates: [{name: a.b/c}], containers: [{name: w, image: x}]}",
			[]string{pod + "nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"},
		},
		"white space around images": {
			"spec: {initContainers: [{name: i, image: ' y'}], containers: [{name: w, image: 'x '}]}",
			[]string{
				pod + `initContainers[0].image: Invalid value: " y": must not have leading or trailing whitespace`,
				pod + `containers[0].image: Invalid value: "x ": must not have leading or trailing whitespace`,
			},
		},
		"no image": {
			"spec: {containers: [{name: w}]}",
			[]string{pod + "containers[0].image: Required value"},
		},
		"one port of the host, twice": {
			// The server gives a Pod on the host network the host's ports; a Pod
			// template it leaves as it is.
			"spec: {hostNetwork: true, containers: [{name: v, image: x, ports: [{containerPort: 80}]}, {name: w, image: x, ports: [{containerPort: 80}]}]}",
			[]string{pod + `containers[1].ports[0].hostPort: Duplicate value: "TCP//80"`},
		},
		"matchLabelKeys of a label in the selector": {
			"metadata: {labels: {a: b}}\n    spec: {affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: z, labelSelector: {matchLabels: {a: b}}, matchLabelKeys: [a]}]}}, containers: [{name: w, image: x}]}",
			[]string{pod + `affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys[0]: Invalid value: "a": exists in both matchLabelKeys and labelSelector`},
		},
		"overhead without a RuntimeClass": {
			"spec: {overhead: {cpu: 1}, containers: [{name: w, image: x}]}",
			[]string{pod + "overhead: Forbidden: a Pod may only have the overhead that its RuntimeClass defines; leave it out, and set runtimeClassName"},
		},
		"overhead with a RuntimeClass": {
			"spec: {runtimeClassName: kata, overhead: {cpu: 1}, containers: [{name: w, image: x}]}", nil,
		},
		"a finalizer": {
			"metadata: {finalizers: [a]}\n    spec: {containers: [{name: w, image: x}]}",
			[]string{`spec.template.metadata.finalizers[0]: Invalid value: "a": name is neither a standard finalizer name nor is it fully qualified`},
		},
		"a seccomp profile against its annotation": {
			"metadata: {annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}}\n    spec: {securityContext: {seccompProfile: {type: RuntimeDefault}}, containers: [{name: w, image: x}]}",
			[]string{pod + "securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match"},
		},
		"a token without a service account": {
			// The server sets the service account "default".
			"spec: {volumes: [{name: v, projected: {sources: [{serviceAccountToken: {path: a}}]}}], containers: [{name: w, image: x}]}", nil,
		},
		"what the Job is refused for, once": {
			"spec: {containers: [{name: w, image: x, ports: [{containerPort: 0}]}]}",
			[]string{pod + "containers[0].ports[0].containerPort: Required value"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := check(t, "metadata: {name: train}\nspec:\n  peers: 3\n  service: {ports: []}\n  peerEnv: Disabled\n  template:\n    "+tt.template+"\n")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestAdmit_priority has what the server refuses of a Pod unless the cluster has
// a PriorityClass that fits.
func TestAdmit_priority(t *testing.T) {
	for spec, want := range map[string]string{
		"priority: 0":              "",
		"priority: 5":              "spec.template.spec.priority: no Pod is made unless its PriorityClass has this value; leave it out, and set priorityClassName",
		"preemptionPolicy: Never":  "spec.template.spec.preemptionPolicy: no Pod is made unless its PriorityClass has this policy; leave it out, and set priorityClassName",
		"priorityClassName: batch": "",
		"priorityClassName: batch, preemptionPolicy: Never": "",
	} {
		g := read(t, "metadata: {name: a}\nspec: {peers: 1, template: {spec: {"+spec+", containers: [{name: w, image: x}]}}}")
		errs, warnings := admission.Admit(g, expand.Group(g))
		got := ""
		for _, w := range warnings {
			got += w.Field + ": " + w.Message
		}
		if len(errs) > 0 || got != want {
			t.Errorf("%s: refused %v, warned %q, want %q", spec, errs, got, want)
		}
	}
}
