// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWarnOfNeighbors(t *testing.T) {
	train := "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: train, namespace: ml}\nspec:\n  peers: 4\n  template:\n    metadata: {labels: {app: x, tier: batch}}\n" +
		"    spec: {containers: [{name: w, image: x, resources: {limits: {cpu: 2, memory: 1Gi}, requests: {cpu: 1}}}]}\n"
	policy := func(spec string) string {
		return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: ml}\nspec: " + spec
	}
	core := func(kind, spec string) string {
		return "apiVersion: v1\nkind: " + kind + "\nmetadata: {name: n, namespace: ml}\nspec: " + spec
	}
	const apart = "PeerJob ml/train: spec.template.metadata.labels: NetworkPolicy ml/p keeps the peers apart: no policy in the list allows them traffic "
	const cure = " each other; add a rule for the label job-name: train"
	tests := map[string]struct {
		neighbors []string
		want      []string
	}{
		"a Service that selects the peers": {
			[]string{core("Service", "{selector: {app: x}, ports: [{port: 1}]}")},
			[]string{"PeerJob ml/train: spec.template.metadata.labels: Service ml/n selects the peers, too, and would send them its traffic; choose labels that its selector does not match"},
		},
		"a Service that selects less":            {[]string{core("Service", "{selector: {app: x, tier: web}}")}, nil},
		"a Service without a selector":           {[]string{core("Service", "{ports: [{port: 1}]}")}, nil},
		"a Service of another namespace":         {[]string{strings.Replace(core("Service", "{selector: {app: x}}"), "namespace: ml", "namespace: other", 1), "apiVersion: v1\nkind: Service\nmetadata: {name: n}\nspec: {selector: {app: x}}"}, nil},
		"a Service that can't be read":           {[]string{core("Service", "[]")}, nil},
		"a policy that allows nothing":           {[]string{policy("{podSelector: {}}")}, []string{apart + "from" + cure}},
		"a policy that allows nothing at all":    {[]string{policy("{podSelector: {}, policyTypes: [Ingress, Egress]}")}, []string{apart + "from" + cure, apart + "to" + cure}},
		"a policy for others":                    {[]string{policy("{podSelector: {matchLabels: {app: y}}}")}, nil},
		"a policy that lets others in":           {[]string{policy("{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: y}}}]}]}")}, []string{apart + "from" + cure}},
		"a policy that lets the peers in":        {[]string{policy("{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {job-name: train}}}]}]}")}, nil},
		"a policy that lets everyone in":         {[]string{policy("{podSelector: {}, ingress: [{}]}")}, nil},
		"a policy for addresses":                 {[]string{policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}")}, nil},
		"a policy for namespaces":                {[]string{policy("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}")}, nil},
		"one policy shuts, another opens":        {[]string{policy("{podSelector: {}}"), strings.Replace(policy("{podSelector: {matchLabels: {app: x}}, ingress: [{from: [{podSelector: {}}]}]}"), "name: p", "name: q", 1)}, nil},
		"a policy that lets nothing but DNS out": {[]string{policy("{podSelector: {}, ingress: [{}], egress: [{to: [{podSelector: {matchLabels: {k8s-app: dns}}}]}]}")}, []string{apart + "to" + cure}},
		"a limit that is too low": {
			[]string{core("LimitRange", "{limits: [{type: Container, max: {cpu: 1, memory: 2Gi}, min: {cpu: 1500m}}, {type: Pod, max: {cpu: 1}}]}")},
			[]string{
				"PeerJob ml/train: spec.template.spec.containers[0].resources.limits[cpu]: 2 is more than LimitRange ml/n allows a container, 1, and no Pod would be made",
				"PeerJob ml/train: spec.template.spec.containers[0].resources.requests[cpu]: 1 is less than LimitRange ml/n wants of a container, 1500m, and no Pod would be made",
			},
		},
		"a quota that is too small": {
			[]string{core("ResourceQuota", "{hard: {pods: 3, requests.cpu: 4, limits.cpu: 7, requests.memory: 3Gi, requests.storage: 1}}")},
			[]string{
				"PeerJob ml/train: spec.peers: 4 peers need more limits.cpu than ResourceQuota ml/n has, 7, and not all would be made",
				"PeerJob ml/train: spec.peers: 4 peers need more pods than ResourceQuota ml/n has, 3, and not all would be made",
				"PeerJob ml/train: spec.peers: 4 peers need more requests.memory than ResourceQuota ml/n has, 3Gi, and not all would be made",
			},
		},
		"a quota that is large enough": {[]string{core("ResourceQuota", "{hard: {pods: 4, cpu: 4, limits.cpu: 8, memory: 4Gi}}")}, nil},
		"a quota with scopes":          {[]string{core("ResourceQuota", "{hard: {pods: 1}, scopes: [BestEffort]}")}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, stderr, failed := run(t, list(append(tt.neighbors, train)...))
			if failed {
				t.Fatal(stderr)
			}
			var want strings.Builder
			for _, line := range tt.want {
				want.WriteString("peerjob: warning: " + line + "\n")
			}
			if diff := cmp.Diff(want.String(), stderr); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWarnOfNeighbors_barrier has the sidecar of a barrier in the sums.
func TestWarnOfNeighbors_barrier(t *testing.T) {
	const neighbors = "apiVersion: v1\nkind: LimitRange\nmetadata: {name: n}\nspec: {limits: [{type: Container, max: {memory: 32Mi}}]}"
	const quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: n}\nspec: {hard: {requests.cpu: 4}}"
	_, stderr, failed := run(t, list(neighbors, quota,
		"apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: train}\nspec:\n  peers: 4\n  barrier: {end: Enabled, image: x}\n  template: {spec: {containers: [{name: w, image: x, resources: {requests: {cpu: 1}}}]}}"))
	want := "peerjob: warning: PeerJob train: spec.barrier.resources.limits[memory]: 64Mi is more than LimitRange n allows a container, 32Mi, and no Pod would be made\n" +
		"peerjob: warning: PeerJob train: spec.peers: 4 peers need more requests.cpu than ResourceQuota n has, 4, and not all would be made\n"
	if diff := cmp.Diff(want, stderr); diff != "" || failed {
		t.Errorf("stderr (-want +got):\n%s", diff)
	}
}
