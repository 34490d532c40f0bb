// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const noDNS = "PeerJob train: spec.template.metadata.labels: NetworkPolicy p keeps the peers from DNS: no policy in the list allows them traffic to port 53 of UDP, and no name of a peer resolves; add a rule for it, such as {ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]}"

// TestWarn_policies has policies, and what they keep the peers from. What gets through is
// from https://kubernetes.io/docs/concepts/services-networking/network-policies/.
func TestWarn_policies(t *testing.T) {
	const (
		field  = "PeerJob train: spec.template.metadata.labels: NetworkPolicy p "
		apart  = field + "keeps the peers apart: no policy in the list allows them traffic "
		cure   = " each other; add a rule for the label job-name: train"
		dns    = "{ports: [{port: 53, protocol: UDP}]}"
		peers  = "{from: [{podSelector: {matchLabels: {job-name: train}}}]"
		toward = "{to: [{podSelector: {matchLabels: {job-name: train}}}]"
	)
	closed := func(port, name, direction string) string {
		return field + "closes the port " + port + " (" + name + ") between the peers: no policy in the list allows it for " + direction + "; add port: " + port + " to the rule for the peers"
	}
	policy := func(spec string) string {
		return "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}, " + spec + "}}\n"
	}
	second := func(spec string) string {
		return strings.NewReplacer("name: p", "name: q", "podSelector: {},", "podSelector: {matchLabels: {app: train}},").Replace(policy(spec))
	}
	ingress := func(ports string) string { return policy("ingress: [" + peers + ports + "}]") }
	egress := func(rules string) string {
		return policy("policyTypes: [Egress], egress: [" + toward + "}, " + rules + "]")
	}
	barrier := peerJobOf("", "\n  barrier: {start: Enabled}\n  runner: {image: r}", "", ", command: [x]")
	otherPort := peerJobOf("", "\n  barrier: {start: Enabled}\n  runner: {image: r, port: 7500}", "", ", command: [x]")
	torchrun := peerJobOf("", "\n  framework: {type: Torchrun}", "", ", command: [torchrun, a.py]")
	older := peerJobOf("", "\n  kubernetesVersion: '1.26'", "", "")
	renamedTrain := renamed(strings.Replace(train, "{name: train}", "{name: train }", 1))
	one := strings.Replace(train, "peers: 4", "peers: 1", 1)
	inNamespace := func(list string) string {
		return strings.ReplaceAll(strings.Replace(list, "name: train}", "name: train, namespace: ml}", 1), "name: p}", "name: p, namespace: ml}")
	}
	for name, tt := range map[string]struct {
		list string
		want []string
	}{
		// DNS
		"out to the peers alone":                   {train + egress("{to: [{podSelector: {matchLabels: {app: db}}}]}"), []string{noDNS}},
		"DNS over TCP alone":                       {train + egress("{ports: [{port: 53}]}"), []string{noDNS}},
		"DNS over UDP":                             {train + egress(dns), nil},
		"DNS in a range":                           {train + egress("{ports: [{port: 50, endPort: 60, protocol: UDP}]}"), nil},
		"DNS outside of a range":                   {train + egress("{ports: [{port: 54, endPort: 60, protocol: UDP}]}"), []string{noDNS}},
		"DNS by the name of the port":              {train + egress("{ports: [{port: dns, protocol: UDP}]}"), nil},
		"all of UDP":                               {train + egress("{ports: [{protocol: UDP}]}"), nil},
		"other ports":                              {train + egress("{ports: [{port: 443}, {port: 443, protocol: UDP}]}"), []string{noDNS}},
		"out to all":                               {train + egress("{}"), nil},
		"out to addresses":                         {train + egress("{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}"), nil},
		"out to all namespaces":                    {train + egress("{to: [{namespaceSelector: {}}]}"), nil},
		"out to kube-system":                       {train + egress("{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]}"), nil},
		"out to a namespace by a label of its own": {train + egress("{to: [{namespaceSelector: {matchLabels: {team: infra}}}]}"), nil},
		"out to another namespace":                 {train + egress("{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: db}}}]}"), []string{noDNS}},
		"out to others than kube-system":           {train + egress("{to: [{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [db, web]}]}}]}"), []string{noDNS}},
		"DNS in another namespace":                 {train + egress("{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: dns}}}], ports: [{port: 53, protocol: UDP}]}"), nil},
		"a DNS server beside":                      {train + egress("{to: [{podSelector: {matchLabels: {app: coredns}}}]}"), nil},
		"DNS of another policy":                    {train + policy("policyTypes: [Egress], egress: ["+toward+"}]") + second("policyTypes: [Egress], egress: ["+dns+"]"), nil},
		"out to DNS alone":                         {train + policy("policyTypes: [Egress], egress: ["+dns+"]"), []string{apart + "to" + cure}},
		"nothing":                                  {train + policy("policyTypes: [Egress]"), []string{apart + "to" + cure, noDNS}},

		// Ports
		"a barrier, and other ports":            {barrier + ingress(", ports: [{port: 29500}]"), []string{closed("7450", "spec.runner.port", "Ingress")}},
		"a barrier, and its port":               {barrier + ingress(", ports: [{port: 7450}]"), nil},
		"a barrier, and a name":                 {barrier + ingress(", ports: [{port: http}]"), []string{closed("7450", "spec.runner.port", "Ingress")}},
		"a barrier, and its number in UDP":      {barrier + ingress(", ports: [{port: 7450, protocol: UDP}]"), []string{closed("7450", "spec.runner.port", "Ingress")}},
		"a barrier, and all ports":              {barrier + ingress(""), nil},
		"a barrier, and its port for others":    {barrier + policy("ingress: ["+peers+", ports: [{port: 1}]}, {from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 7450}]}]"), []string{closed("7450", "spec.runner.port", "Ingress")}},
		"a barrier, its port in another policy": {barrier + ingress(", ports: [{port: 1}]") + second("ingress: [{ports: [{port: 7450}]}]"), nil},
		"a barrier on another port":             {otherPort + ingress(", ports: [{port: 7450}]"), []string{closed("7500", "spec.runner.port", "Ingress")}},
		"out to the port":                       {barrier + policy("policyTypes: [Egress], egress: ["+toward+", ports: [{port: 1}]}, "+dns+"]"), []string{closed("7450", "spec.runner.port", "Egress")}},
		"a framework, and other ports":          {torchrun + ingress(", ports: [{port: 7450}]"), []string{closed("29500", "spec.framework", "Ingress")}},
		"a framework, and its port":             {torchrun + ingress(", ports: [{port: 29000, endPort: 30000}]"), nil},
		"a framework, and its port by a name":   {strings.Replace(torchrun, "command:", "ports: [{name: tcp-rendezvous, containerPort: 29500}], command:", 1) + ingress(", ports: [{port: tcp-rendezvous}]"), nil},
		"no barrier":                            {train + ingress(", ports: [{port: 1}]"), nil},

		// Names
		"a Job with a hash in its name": {
			peerJobOf("", "\n  nameSuffixHash: Enabled", "", "") + policy(""),
			[]string{apart + "from each other; add a rule for a label of spec.template.metadata.labels"},
		},
		"a Job by its earlier name, with the Component": {withComponent(renamedTrain) + ingress(""), nil},
		"a Job by its earlier name, without the Component": {
			renamedTrain + ingress(""),
			[]string{
				"NetworkPolicy p: spec.ingress[0].from[0].podSelector.matchLabels[job-name]: selects the Pods of the Job train, and the Job is dev-train now: it selects none of them; list peerjob's Component under components:, or write dev-train",
				strings.ReplaceAll(apart+"from"+cure, "train", "dev-train"),
			},
		},

		// Whom a policy is for
		"one peer":            {one + policy("policyTypes: [Ingress, Egress]"), nil},
		"on the host network": {strings.Replace(train, "    spec:\n", "    spec:\n      hostNetwork: true\n      dnsPolicy: ClusterFirstWithHostNet\n", 1) + policy("policyTypes: [Ingress, Egress]"), nil},
		"another namespace by its name": {
			inNamespace(train + policy("ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: web}}}]}]")),
			[]string{strings.ReplaceAll(strings.Replace(apart+"from"+cure, "PeerJob train", "PeerJob ml/train", 1), "NetworkPolicy p", "NetworkPolicy ml/p")},
		},
		"this namespace by its name":    {inNamespace(train + policy("ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ml}}, podSelector: {matchLabels: {app: train}}}]}]")), nil},
		"a namespace that is not known": {train + policy("ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: web}}}]}]"), nil},
		"a label of today":              {train + policy("ingress: [{from: [{podSelector: {matchLabels: {batch.kubernetes.io/job-name: train}}}]}]"), nil},
		"a label that older Pods lack":  {older + policy("ingress: [{from: [{podSelector: {matchLabels: {job-name: train}}}]}]"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, warn(t, tt.list)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
