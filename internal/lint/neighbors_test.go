// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFiles_neighbors finds what is beside a pair and in its way.
func TestFiles_neighbors(t *testing.T) {
	policy := func(spec string) string {
		return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny}\nspec: " + spec + "\n"
	}
	grouped := []string{"  template:\n", "  template:\n    metadata: {labels: {scheduling.x-k8s.io/pod-group: gang}}\n"}
	gang := func(size string) string {
		return "apiVersion: scheduling.x-k8s.io/v1alpha1\nkind: PodGroup\nmetadata: {name: gang}\nspec: {minMember: " + size + "}\n"
	}
	const (
		other = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {metadata: {labels: {scheduling.x-k8s.io/pod-group: gang}}}}\n"
	)
	prefixed := []string{"  name: train", "  name: dev-train", "    job-name: train", "    job-name: dev-train", "train-0.hub", "dev-train-0.hub"}
	for name, test := range map[string]struct {
		changes []string
		beside  string
		want    []string
	}{
		"a policy for others":       {nil, policy("{podSelector: {matchLabels: {app: web}}}"), nil},
		"a policy for all":          {nil, policy("{podSelector: {}, policyTypes: [Ingress]}"), []string{"f.yaml:19:3 warning network-policy"}},
		"one that lets peers in":    {nil, policy("{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {job-name: train}}}]}]}"), nil},
		"one that blocks DNS":       {nil, policy("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]}"), []string{"f.yaml:19:3 warning network-policy"}},
		"a policy elsewhere":        {nil, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: other}\nspec: {podSelector: {}}\n", nil},
		"an earlier name":           {prefixed, policy("{podSelector: {matchLabels: {job-name: train}}}"), []string{"f.yaml:31:46 warning selector-mismatch"}},
		"that of another Job":       {prefixed, policy("{podSelector: {matchLabels: {job-name: train}}}") + "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: train}\nspec: {template: {spec: {containers: [{name: a, image: x}]}}}\n", nil},
		"a gang":                    {grouped, gang("4"), nil},
		"a gang that is too large":  {grouped, gang("5"), []string{"f.yaml:16:16 warning gang-size"}},
		"a gang of others, too":     {grouped, gang("5") + other, nil},
		"a gang of a PeerJob, too":  {grouped, gang("5") + "---\napiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: p}\n", nil},
		"a quota":                   {nil, "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: few}\nspec: {hard: {pods: '4'}}\n", nil},
		"a quota that is too small": {nil, "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: few}\nspec: {hard: {pods: '3'}}\n", []string{"f.yaml:16:16 warning resource-limits"}},
		"a limit": {[]string{"        image: example.com/w:1.0\n", "        image: example.com/w:1.0\n        resources: {requests: {cpu: 4}, limits: {cpu: 4}}\n"},
			"apiVersion: v1\nkind: LimitRange\nmetadata: {name: small}\nspec: {limits: [{type: Container, max: {cpu: 2}}]}\n", []string{"f.yaml:26:55 warning resource-limits"}},
		"not a number":                         {nil, "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: few}\nspec: {hard: [a]}\n", nil},
		"not a pair":                           {[]string{"subdomain: hub", "hostname: x", "    job-name: train", "    app: other", "[w, --leader=train-0.hub]", "[w]"}, policy("{podSelector: {}}"), nil},
		"a pair that no PeerJob can stand for": {[]string{"      subdomain: hub\n", "      subdomain: hub\n      hostname: x\n"}, policy("{podSelector: {}}"), []string{"f.yaml:22:17 error pod-hostname"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := with(t, test.changes...) + "---\n" + test.beside
			got := Files([]File{{Name: "f.yaml", Content: []byte(text)}}, Options{})
			if diff := cmp.Diff(test.want, short(got)); diff != "" {
				t.Errorf("(-want +got):\n%s%s", diff, said(got))
			}
		})
	}
}
