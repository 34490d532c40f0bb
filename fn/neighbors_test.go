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
	const noDNS = "PeerJob ml/train: spec.template.metadata.labels: NetworkPolicy ml/p keeps the peers from DNS: no policy in the list allows them traffic to port 53 of UDP, and no name of a peer resolves; add a rule for it, such as {ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]}"
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
		"a policy that allows nothing at all":    {[]string{policy("{podSelector: {}, policyTypes: [Ingress, Egress]}")}, []string{apart + "from" + cure, apart + "to" + cure, noDNS}},
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
				"PeerJob ml/train: spec.template.spec: limits.cpu of the whole Pod, 2, is more than LimitRange ml/n allows a Pod, 1, and no Pod would be made",
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
		"a limit from a default": {
			[]string{core("LimitRange", "{limits: [{type: Container, default: {memory: 512Mi}, defaultRequest: {cpu: 100m}}]}")}, nil,
		},
		"a ratio": {
			[]string{core("LimitRange", "{limits: [{type: Container, maxLimitRequestRatio: {cpu: 1500m, memory: 1}}]}")},
			[]string{"PeerJob ml/train: spec.template.spec.containers[0].resources.limits[cpu]: 2 is more than 1500m times the request, 1, which LimitRange ml/n allows, and no Pod would be made"},
		},
		"a ratio of nothing": {
			[]string{core("LimitRange", "{limits: [{type: Pod, maxLimitRequestRatio: {ephemeral-storage: 2}, min: {ephemeral-storage: 1}, max: {ephemeral-storage: 1}}]}")},
			[]string{
				"PeerJob ml/train: spec.template.spec: LimitRange ml/n allows a Pod at most 1 of ephemeral-storage, and there is no limit: no Pod would be made; write one",
				"PeerJob ml/train: spec.template.spec: LimitRange ml/n wants of a Pod at least 1 of ephemeral-storage, and there is no request: no Pod would be made; write one",
				"PeerJob ml/train: spec.template.spec: LimitRange ml/n limits the ratio of limit and request of ephemeral-storage, and there is not both: no Pod would be made; write both",
			},
		},
		"a quota of what no container says": {
			[]string{core("ResourceQuota", "{hard: {requests.cpu: 40, limits.cpu: 80, ephemeral-storage: 1}}")}, nil,
		},
		"a quota of devices and objects": {
			[]string{core("ResourceQuota", "{hard: {requests.nvidia.com/gpu: 3, nvidia.com/gpu: 3, count/jobs.batch: 0, services: 1, count/pods: 4, count/configmaps: 0}}")},
			[]string{"PeerJob ml/train: ResourceQuota ml/n allows 0 objects of the kind Job, and the PeerJobs make 1: not all would be made"},
		},
		"a quota with scopes": {[]string{core("ResourceQuota", "{hard: {pods: 1}, scopes: [BestEffort]}")}, nil},
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

// TestWarnOfNeighbors_runner has the init container that brings the runner, which counts
// for limits, and not in the sums of what runs.
func TestWarnOfNeighbors_runner(t *testing.T) {
	const neighbors = "apiVersion: v1\nkind: LimitRange\nmetadata: {name: n}\nspec: {limits: [{type: Container, max: {memory: 32Mi}}]}"
	const quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: n}\nspec: {hard: {requests.cpu: 3}}"
	_, stderr, failed := run(t, list(neighbors, quota,
		"apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: train}\nspec:\n  peers: 4\n  barrier: {end: Enabled}\n  runner: {image: x, resources: {requests: {cpu: 2}, limits: {memory: 64Mi}}}\n  template: {spec: {containers: [{name: w, image: x, command: [a], resources: {requests: {cpu: 1}}}]}}"))
	want := "peerjob: warning: PeerJob train: spec.runner.resources.limits[memory]: 64Mi is more than LimitRange n allows a container, 32Mi, and no Pod would be made\n" +
		"peerjob: warning: PeerJob train: spec.peers: 4 peers need more requests.cpu than ResourceQuota n has, 3, and not all would be made\n"
	if diff := cmp.Diff(want, stderr); diff != "" || failed {
		t.Errorf("stderr (-want +got):\n%s", diff)
	}
}

// TestWarnOfNeighbors_resources has containers with other resources, and several
// PeerJobs.
func TestWarnOfNeighbors_resources(t *testing.T) {
	const job = `apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata: {name: NAME}
spec:
  peers: 4
  template: {spec: POD}
---
`
	const pod = `{containers: [{name: w, image: x, resources: RESOURCES}]}`
	const gpus = `{limits: {nvidia.com/gpu: 8}}`
	const quota, limits = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: n}\nspec: {hard: ", "apiVersion: v1\nkind: LimitRange\nmetadata: {name: n}\nspec: {limits: ["
	const train = "PeerJob train: spec.template.spec.containers[0].resources"
	for name, tt := range map[string]struct {
		pod, resources, neighbor string
		want                     []string
	}{
		"too few GPUs": {pod, gpus, quota + "{requests.nvidia.com/gpu: 31}}", []string{"PeerJob train: spec.peers: 4 peers need more requests.nvidia.com/gpu than ResourceQuota n has, 31, and not all would be made"}},
		"enough GPUs":  {pod, gpus, quota + "{requests.nvidia.com/gpu: 32}}", nil},
		"no resources": {pod, `{}`, quota + "{cpu: 32, limits.memory: 1Gi}}", []string{
			train + ": ResourceQuota n counts cpu, and the container says none: no Pod would be made unless a LimitRange sets it; write requests.cpu",
			train + ": ResourceQuota n counts limits.memory, and the container says none: no Pod would be made unless a LimitRange sets it; write limits.memory",
		}},
		"resources of the LimitRange": {pod, `{}`, quota + "{cpu: 32, limits.memory: 1Gi}}\n---\n" + limits + "{type: Container, default: {cpu: 1, memory: 1Mi}}]}", nil},
		"resources of the Pod":        {`{resources: {limits: {cpu: 1, memory: 1Mi}}, containers: [{name: w, image: x}]}`, `{}`, quota + "{cpu: 32}}", nil},
		"a large init container":      {`{initContainers: [{name: i, image: x, resources: {limits: {cpu: 9}}}], containers: [{name: w, image: x, resources: {limits: {cpu: 1}}}]}`, `{}`, quota + "{cpu: 32}}", []string{"PeerJob train: spec.peers: 4 peers need more cpu than ResourceQuota n has, 32, and not all would be made"}},
		"a request above the default": {pod, `{requests: {cpu: 2}}`, limits + "{type: Container, max: {cpu: 1}}]}", []string{train + ".requests[cpu]: 2 is more than the limit that LimitRange n gives a container without one, 1, and no Pod would be made; write a limit, or request less"}},
		"a limit of a default":        {pod, `{}`, limits + "{type: Container, max: {cpu: 1}, min: {cpu: 1m}}]}", nil},
		"claims":                      {`{containers: [{name: w, image: x}], volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}]}`, `{}`, quota + "{persistentvolumeclaims: 3, requests.storage: 4Gi}}", []string{"PeerJob train: spec.peers: 4 peers need more persistentvolumeclaims than ResourceQuota n has, 3, and not all would be made"}},
		"two Jobs":                    {pod, `{}`, strings.Replace(job, "NAME", "other", 1) + quota + "{count/jobs.batch: 1, services: 2}}", []string{"PeerJob train: ResourceQuota n allows 1 object of the kind Job, and the PeerJobs make 2: not all would be made"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(strings.ReplaceAll(strings.Replace(job, "NAME", "train", 1)+tt.neighbor, "POD", tt.pod), "RESOURCES", tt.resources, -1)
			_, stderr, failed := run(t, list(strings.Split(text, "---\n")...))
			if failed {
				t.Fatal(stderr)
			}
			want := ""
			for _, line := range tt.want {
				want += "peerjob: warning: " + line + "\n"
			}
			if diff := cmp.Diff(want, stderr); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}
