// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// peerJobWith is the PeerJob train of four peers, with more of its container and of its Pod.
func peerJobWith(container, pod string) string {
	return peerJobOf("", "", "", container) + pod
}

const tooFew = "PeerJob train: spec.peers: 4 peers need more pods than ResourceQuota q has, 3, and not all would be made"

// TestWarn_scopes has quotas of three Pods for some Pods: whether they count the peers is
// from the tables of https://kubernetes.io/docs/concepts/policy/resource-quotas/#quota-scopes.
func TestWarn_scopes(t *testing.T) {
	const (
		requests = ", resources: {requests: {cpu: 1}}"
		limits   = ", resources: {limits: {memory: 1Gi}}"
		deadline = "      activeDeadlineSeconds: 60\n"
		high     = "      priorityClassName: high\n"
	)
	for name, tt := range map[string]struct {
		container, pod, scopes string
		counts                 bool
	}{
		"Terminating, with a deadline of the Pod":   {"", deadline, "scopes: [Terminating]", true},
		"Terminating, without":                      {"", "", "scopes: [Terminating]", false},
		"NotTerminating":                            {"", "", "scopes: [NotTerminating]", true},
		"NotTerminating, with a deadline":           {"", deadline, "scopes: [NotTerminating]", false},
		"BestEffort":                                {"", "", "scopes: [BestEffort]", true},
		"BestEffort, with a request":                {requests, "", "scopes: [BestEffort]", false},
		"BestEffort, with a limit":                  {limits, "", "scopes: [BestEffort]", false},
		"BestEffort, with resources of the Pod":     {"", "      resources: {requests: {cpu: 1}}\n", "scopes: [BestEffort]", false},
		"BestEffort, with a device":                 {", resources: {limits: {nvidia.com/gpu: 1}}", "", "scopes: [BestEffort]", true},
		"NotBestEffort":                             {requests, "", "scopes: [NotBestEffort]", true},
		"NotBestEffort, without":                    {"", "", "scopes: [NotBestEffort]", false},
		"both of two":                               {requests, "", "scopes: [NotBestEffort, NotTerminating]", true},
		"one of two":                                {requests, "", "scopes: [NotBestEffort, Terminating]", false},
		"the class":                                 {"", high, "scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [low, high]}]}", true},
		"another class":                             {"", high, "scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [low]}]}", false},
		"not another class":                         {"", high, "scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: NotIn, values: [low]}]}", true},
		"not the class":                             {"", high, "scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: NotIn, values: [high]}]}", false},
		"any class":                                 {"", high, "scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: Exists}]}", true},
		"any class, as a scope":                     {"", high, "scopes: [PriorityClass]", true},
		"no class":                                  {"", high, "scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: DoesNotExist}]}", false},
		"a class that the cluster may give":         {"", "", "scopes: [PriorityClass]", false},
		"a class that the cluster may give, or not": {"", "", "scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: DoesNotExist}]}", false},
		"an affinity to another namespace":          {"", "      affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: t, namespaces: [other]}]}}\n", "scopes: [CrossNamespacePodAffinity]", true},
		"a preferred affinity to any namespace":     {"", "      affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: t, namespaceSelector: {}}}]}}\n", "scopes: [CrossNamespacePodAffinity]", true},
		"an affinity to this namespace":             {"", "      affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: t}]}}\n", "scopes: [CrossNamespacePodAffinity]", false},
		"no affinity to another namespace":          {"", "", "scopes: [CrossNamespacePodAffinity]", false},
		"a scope that peerjob does not know":        {"", "", "scopes: [New]", false},
		"a scope that peerjob does not know, and one that does not match": {"", "", "scopes: [New, Terminating]", false},
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			if tt.counts {
				want = []string{tooFew}
			}
			got := warn(t, peerJobWith(tt.container, tt.pod)+"---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: 3}, "+tt.scopes+"}}\n")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWarn_podLevel has resources of the Pod as a whole, and claims of its volumes.
func TestWarn_podLevel(t *testing.T) {
	const claim = "      volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 2Gi}}}}}}]\n"
	limitRange := func(limits string) string {
		return "---\n{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [" + limits + "]}}\n"
	}
	quota := func(spec string) string {
		return "---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {" + spec + "}}\n"
	}
	for name, tt := range map[string]struct {
		list string
		want []string
	}{
		"a Pod that does not fit": {
			peerJobWith("", "      resources: {limits: {cpu: 4}}\n") + limitRange("{type: Pod, max: {cpu: 2}}"),
			[]string{"spec.template.spec: limits.cpu of the whole Pod, 4, is more than LimitRange l allows a Pod, 2, and no Pod would be made"},
		},
		"a Pod that fits": {peerJobWith("", "      resources: {limits: {cpu: 4}}\n") + limitRange("{type: Pod, max: {cpu: 4}, min: {cpu: 4}}"), nil},
		"requests from the limits of the Pod": {
			peerJobWith("", "      resources: {limits: {cpu: 4}}\n") + quota("hard: {requests.cpu: 15}"),
			[]string{"spec.peers: 4 peers need more requests.cpu than ResourceQuota q has, 15, and not all would be made"},
		},
		"requests from the containers": {peerJobWith(", resources: {requests: {cpu: 1}}", "      resources: {limits: {cpu: 4}}\n") + quota("hard: {requests.cpu: 4}"), nil},
		"a default limit that is more than the Pod has": {
			peerJobWith("", "      resources: {limits: {memory: 1Gi}}\n") + limitRange("{type: Container, default: {memory: 2Gi, cpu: 1}, defaultRequest: {memory: 1Gi}}"),
			[]string{"spec.template.spec.resources.limits[memory]: 1Gi is less than the limit that LimitRange l gives a container without one, 2Gi, and no Pod would be made; write a limit for the container w"},
		},
		"default requests that are more than the Pod has": {
			peerJobWith("", "      resources: {requests: {cpu: 1}}\n") + limitRange("{type: Container, defaultRequest: {cpu: 2}}"),
			[]string{"spec.template.spec.resources.requests[cpu]: 1 is less than the containers request with the defaults of LimitRange l, 2, and no Pod would be made; write requests for the containers"},
		},
		"a claim that is too large": {
			peerJobWith("", claim) + limitRange("{type: PersistentVolumeClaim, max: {storage: 1Gi}}"),
			[]string{"spec.template.spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: 2Gi is more than LimitRange l allows a claim, 1Gi: no claim would be made, and no Pod would start"},
		},
		"a claim that is too small": {
			peerJobWith("", claim) + limitRange("{type: PersistentVolumeClaim, min: {storage: 3Gi}}"),
			[]string{"spec.template.spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: 2Gi is less than LimitRange l wants of a claim, 3Gi: no claim would be made, and no Pod would start"},
		},
		"a claim that fits": {peerJobWith("", claim) + limitRange("{type: PersistentVolumeClaim, min: {storage: 2Gi}, max: {storage: 2Gi}}, {type: Container, max: {ephemeral-storage: 1}, default: {ephemeral-storage: 1}}"), nil},
		"no claim":          {peerJobWith("", "      volumes: [{name: v, emptyDir: {}}]\n") + limitRange("{type: PersistentVolumeClaim, min: {storage: 2Gi}}"), nil},
		"claims of the class": {
			peerJobWith("", claim) + quota("hard: {fast.storageclass.storage.k8s.io/requests.storage: 7Gi, fast.storageclass.storage.k8s.io/persistentvolumeclaims: 4}"),
			[]string{"spec.peers: 4 peers need more fast.storageclass.storage.k8s.io/requests.storage than ResourceQuota q has, 7Gi, and not all would be made"},
		},
		"claims of another class":      {peerJobWith("", claim) + quota("hard: {slow.storageclass.storage.k8s.io/requests.storage: 1Gi}"), nil},
		"claims, and a quota of Pods":  {peerJobWith("", claim) + quota("hard: {persistentvolumeclaims: 1}, scopes: [NotTerminating]"), nil},
		"objects, and a quota of Pods": {peerJobWith("", "") + quota("hard: {count/jobs.batch: 0}, scopes: [NotTerminating]"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, line := range warn(t, tt.list) {
				got = append(got, strings.TrimPrefix(line, "PeerJob train: "))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
