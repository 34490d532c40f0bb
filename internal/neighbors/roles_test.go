// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// withRoles is the PeerJob train with one launcher and two workers, with more of its spec and
// of the Pods of the launcher.
func withRoles(spec, launcher string) string {
	return `
apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata: {name: train}
spec:` + spec + `
  roles:
  - name: launcher
    peers: 1
    template:
      metadata: {labels: {app: launcher}}
      spec:
        containers:
        - {name: w, image: x, command: [x]}
` + launcher + `
  - name: worker
    peers: 2
    template:
      metadata: {labels: {app: worker}}
      spec:
        containers:
        - {name: w, image: x, command: [x]}
`
}

// layered is a PeerJob whose name kustomize has made dev-train.
func layered(peerJob string) string {
	return strings.Replace(peerJob, "{name: train", "{name: dev-train, annotations: {internal.config.kubernetes.io/previousNames: train, internal.config.kubernetes.io/prefixes: dev-}", 1)
}

// TestWarn_rolePolicies has policies between the roles of one PeerJob.
func TestWarn_rolePolicies(t *testing.T) {
	roles := withRoles("", "")
	policy := func(spec string) string {
		return "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {" + spec + "}}\n"
	}
	of := func(role string) string { return "podSelector: {matchLabels: {app: " + role + "}}" }
	const (
		launcher = "PeerJob train: spec.roles[0].template.metadata.labels: NetworkPolicy p "
		worker   = "PeerJob train: spec.roles[1].template.metadata.labels: NetworkPolicy p "
		cure     = ": no policy in the list allows it; add a rule for the label peerjob.dev/group: train"
		dns      = "{ports: [{port: 53, protocol: UDP}]}"
		onHost   = "        hostNetwork: true\n        dnsPolicy: ClusterFirstWithHostNet\n"
	)
	barrier := withRoles("\n  barrier: {start: Enabled}\n  runner: {image: r}", "")
	for name, tt := range map[string]struct {
		list string
		want []string
	}{
		"lets workers in, and not the launcher": {
			roles + policy("podSelector: {}, ingress: [{from: [{"+of("worker")+"}]}]"),
			[]string{worker + "keeps the role worker from traffic of the role launcher" + cure},
		},
		"holds for the workers, and lets in the launcher": {
			roles + policy(of("worker")+", ingress: [{from: [{"+of("launcher")+"}]}]"),
			[]string{worker + "keeps the role worker from traffic of the role worker" + cure},
		},
		"lets nobody in": {
			roles + policy("podSelector: {}"),
			[]string{
				launcher + "keeps the role launcher from traffic of the role worker" + cure,
				worker + "keeps the role worker from traffic of the roles launcher and worker" + cure,
			},
		},
		"lets the launcher out to DNS alone": {
			roles + policy(of("launcher")+", policyTypes: [Egress], egress: ["+dns+", {to: [{"+of("launcher")+"}]}]"),
			[]string{launcher + "keeps the role launcher from traffic to the role worker" + cure},
		},
		"lets in the group":                 {roles + policy("podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {peerjob.dev/group: train}}}]}]"), nil},
		"lets in both":                      {roles + policy("podSelector: {}, ingress: [{from: [{"+of("worker")+"}, {"+of("launcher")+"}]}]"), nil},
		"of one launcher lets in workers":   {roles + policy(of("launcher")+", ingress: [{from: [{"+of("worker")+"}]}]"), nil},
		"beside the policy of the PeerJob":  {withRoles("\n  networkPolicy: {ingress: PeersOnly}", "") + policy("podSelector: {}, ingress: [{from: [{"+of("worker")+"}]}]"), nil},
		"of a launcher on the host network": {withRoles("", onHost) + policy(of("launcher")), nil},
		"a launcher on the host network":    {withRoles("", onHost) + policy(of("worker")+", ingress: [{from: [{"+of("worker")+"}]}]"), nil},
		"with a hash": {
			withRoles("\n  nameSuffixHash: Enabled", "") + policy(of("launcher")),
			[]string{launcher + "keeps the role launcher from traffic of the role worker: no policy in the list allows it; add a rule for a label of spec.template.metadata.labels"},
		},
		"closes the port of the runner for the launcher": {
			barrier + policy(of("worker")+", ingress: [{from: [{"+of("worker")+"}]}, {from: [{"+of("launcher")+"}], ports: [{port: 22}]}]"),
			[]string{worker + "closes the port 7450 (spec.runner.port) from the role launcher to the role worker: no policy in the list allows it for Ingress; add port: 7450 to the rule for the peers"},
		},
		"by the earlier name of the group, with the Component": {
			withComponent(layered(roles)) + policy("podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {peerjob.dev/group: train}}}]}]"), nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, warn(t, tt.list)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWarn_groups has selectors that are meant for all roles, or for one.
func TestWarn_groups(t *testing.T) {
	roles := withRoles("", "")
	object := func(kind, spec string) string {
		version := map[string]string{"Service": "v1", "PodDisruptionBudget": "policy/v1", "CiliumNetworkPolicy": "cilium.io/v2"}[kind]
		return "---\n{apiVersion: " + version + ", kind: " + kind + ", metadata: {name: p}, spec: {" + spec + "}}\n"
	}
	budget := func(selector string) string { return object("PodDisruptionBudget", "selector: {"+selector+"}") }
	const (
		at    = "PodDisruptionBudget p: spec.selector.matchLabels"
		short = "selects the Pods of the Job train, and the PeerJob train has roles, so its Jobs are train-launcher and train-worker: it selects none of them; write peerjob.dev/group: train"
	)
	affinity := func(selector string) string {
		return withRoles("", "        affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, labelSelector: {"+selector+"}}]}}\n")
	}
	const inAffinity = "spec.roles[0].template.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector"
	job := "---\n{apiVersion: batch/v1, kind: Job, metadata: {name: train}, spec: {template: {spec: {}}}}\n"
	hashed := withRoles("\n  nameSuffixHash: Enabled", "")
	for name, tt := range map[string]struct {
		list string
		want []string
	}{
		"the Job of the short form, in a budget":    {roles + budget("matchLabels: {job-name: train}"), []string{at + "[job-name]: " + short}},
		"the Job of the short form, in a Service":   {roles + object("Service", "selector: {batch.kubernetes.io/job-name: train}"), []string{"Service p: spec.selector[batch.kubernetes.io/job-name]: " + short}},
		"the Job of the short form, in a policy":    {roles + object("CiliumNetworkPolicy", "endpointSelector: {matchLabels: {k8s:job-name: train}}"), []string{"CiliumNetworkPolicy p: spec.endpointSelector.matchLabels[k8s:job-name]: " + short}},
		"the Job of the short form, in an affinity": {affinity("matchLabels: {job-name: train}"), []string{"PeerJob train: " + inAffinity + ".matchLabels[job-name]: " + short}},
		"the Job of the short form, left out": {
			roles + budget("matchExpressions: [{key: job-name, operator: NotIn, values: [train]}]"),
			[]string{"PodDisruptionBudget p: spec.selector.matchExpressions[0].values: leaves out the Pods of the Job train, and the PeerJob train has roles, so its Jobs are train-launcher and train-worker: it leaves out none of them; write peerjob.dev/group: train"},
		},
		"the Job of the short form, by its earlier name": {
			layered(roles) + budget("matchLabels: {job-name: train}"),
			[]string{at + "[job-name]: " + strings.NewReplacer("PeerJob train", "PeerJob dev-train", "train-l", "dev-train-l", "train-w", "dev-train-w", "group: train", "group: dev-train").Replace(short)},
		},
		"the Job of a role":      {roles + budget("matchLabels: {job-name: train-worker}"), nil},
		"a Job beside":           {roles + job + budget("matchLabels: {job-name: train}"), nil},
		"the group":              {roles + budget("matchLabels: {peerjob.dev/group: train}"), nil},
		"a Service of the group": {roles + object("Service", "selector: {peerjob.dev/group: train}"), nil},
		"another group":          {roles + budget("matchLabels: {peerjob.dev/group: evaluate}"), nil},
		"a misspelled group":     {roles + budget("matchLabels: {peerjob.dev/group: trian}"), []string{at + `[peerjob.dev/group]: selects the Pods of the group trian, and there is none: it selects none of them; did you mean "train"?`}},
		"the group by the PeerJob, and not Service": {withRoles("\n  service: {name: hub}", "") + budget("matchLabels: {peerjob.dev/group: train}"), []string{at + "[peerjob.dev/group]: selects the Pods of the group train, and the group of the PeerJob train is hub, the name of its Service: it selects none of them; write peerjob.dev/group: hub"}},
		"the group by its earlier name":             {layered(roles) + budget("matchLabels: {peerjob.dev/group: train}"), []string{at + "[peerjob.dev/group]: selects the Pods of the group train, and the group of the PeerJob dev-train is dev-train, the name of its Service: it selects none of them; list peerjob's Component under components:, or write peerjob.dev/group: dev-train"}},
		"the group by its earlier name, renamed":    {withComponent(layered(roles)) + budget("matchLabels: {peerjob.dev/group: train}"), nil},
		"the group of a PeerJob without roles":      {train + budget("matchLabels: {peerjob.dev/group: train}"), []string{at + "[peerjob.dev/group]: selects the Pods of the group train, and the PeerJob train has no roles, so its Pods do not have this label: it selects none of them; write job-name: train"}},
		"the group, in an affinity":                 {affinity("matchLabels: {peerjob.dev/group: train}"), nil},
		"a sibling by its earlier name, in an affinity": {
			layered(affinity("matchLabels: {job-name: train-worker}")),
			[]string{"PeerJob dev-train: " + inAffinity + ".matchLabels[job-name]: selects the Pods of the Job train-worker, and the Job is dev-train-worker now: it matches none of them; select a label of the template of that role instead"},
		},
		"a route to the Service by its earlier name, said once": {
			layered(roles) + "---\n{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: p}, spec: {defaultBackend: {service: {name: train}}}}\n",
			[]string{"Ingress p: spec.defaultBackend.service.name: sends traffic to the Service train, and it is dev-train now: nothing answers; list peerjob's Component under components:, or write dev-train"},
		},
		"a route to the Service by its earlier name, renamed": {
			withComponent(layered(roles)) + "---\n{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: p}, spec: {defaultBackend: {service: {name: train}}}}\n", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, warn(t, tt.list)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, label := range []string{"peerjob.dev/group: train", "peerjob.dev/group: train-0123456789", "job-name: train", "job-name: train-0123456789"} {
		got := warn(t, hashed+budget("matchLabels: {"+label+"}"))
		if len(got) != 1 || !strings.HasSuffix(got[0], "it selects none of them; select a label of spec.template.metadata.labels instead") {
			t.Errorf("%s: %q", label, got)
		}
	}
	if got := warn(t, peerJobOf("", "\n  nameSuffixHash: Enabled", "", "")+budget("matchLabels: {job-name: train-0123456789}")); len(got) != 1 {
		t.Errorf("another hash, without roles: %q", got)
	}
}
