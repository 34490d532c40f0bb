// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/results"
)

// warn returns what is said of the PeerJobs in a list, a line each.
func warn(t *testing.T, list string) []string {
	t.Helper()
	objects, errs := krmlist.ReadFile("f.yaml", []byte(list))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, o := range objects {
		o.File = ""
		o.Package = krmlist.NewParsed(o.Node()).Package
	}
	krmlist.Locate(objects)
	var expansions []*expansion.Expansion
	for _, o := range objects {
		if o.Kind == "PeerJob" {
			e := &expansion.Expansion{Source: o, InList: true}
			if errs, _ := e.Expand(v1alpha1.Settings{}, expansion.NewSources(objects, nil, nil)); len(errs) > 0 {
				t.Fatal(errs)
			}
			expansions = append(expansions, e)
		}
	}
	looks, attentive := make([]Look, len(expansions)), make([]Look, len(expansions))
	for i, e := range expansions {
		looks[i] = LookAt(e)
		attentive[i] = looks[i]
		attentive[i].isQuiet = false
	}
	var report, whole results.Report
	Warn(expansions, looks, objects, &report)
	var out, said strings.Builder
	report.Write(&out)
	Warn(expansions, attentive, objects, &whole)
	if whole.Write(&said); out.String() != said.String() {
		t.Errorf("a quiet PeerJob has something to say:\n%s", cmp.Diff(said.String(), out.String()))
	}
	var lines []string
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.TrimSuffix(strings.TrimPrefix(line, "peerjob: warning: "), "\n"))
	}
	return lines
}

// peerJobOf is the PeerJob train of four peers, with more metadata and more of its spec.
func peerJobOf(metadata, spec, template, container string) string {
	return `
apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata: {name: train` + metadata + `}
spec:
  peers: 4` + spec + `
  template:
    metadata: {labels: {app: train}` + template + `}
    spec:
      containers:
      - {name: w, image: x` + container + `}
`
}

var train = peerJobOf("", "", "", "")

// TestWarn_silent has neighbors that are in nobody's way.
func TestWarn_silent(t *testing.T) {
	for name, list := range map[string]string{
		"none":                                train,
		"a Service of other Pods":             train + "---\n{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}}}\n",
		"a Service without a selector":        train + "---\n{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {}}\n",
		"a Service of index 0 alone":          train + "---\n{apiVersion: v1, kind: Service, metadata: {name: main}, spec: {clusterIP: None, selector: {job-name: train, batch.kubernetes.io/job-completion-index: '0'}}}\n",
		"a Service of another group":          train + "---\n{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: web}, spec: {selector: {app: train}}}\n",
		"a Service of another namespace":      train + "---\n{apiVersion: v1, kind: Service, metadata: {name: web, namespace: n}, spec: {selector: {app: train}}}\n",
		"a Service that peerjob made":         train + "---\n{apiVersion: v1, kind: Service, metadata: {name: train, annotations: {peerjob.dev/owner: train}}, spec: {selector: {app: train}}}\n",
		"a Service that can't be read":        train + "---\n{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: [app]}}\n",
		"a number that takes minutes to read": train + "---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: 1e99999999}}}\n",
		"a policy of other Pods":              train + "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {matchLabels: {app: web}}}}\n",
		"a policy that lets the peers in":     train + "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {job-name: train}}}]}]}}\n",
		"a policy that another one completes": train + "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}}}\n" +
			"---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: allow}, spec: {podSelector: {matchLabels: {app: train}}, ingress: [{from: [{podSelector: {}}]}]}}\n",
		"a policy of an address range":     train + "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}}\n",
		"a policy of other namespaces":     train + "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}}\n",
		"a policy for nobody's traffic":    train + "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}, policyTypes: [], egress: [{}], ingress: [{}]}}\n",
		"limits that fit":                  peerJobOf("", "", "", ", resources: {requests: {cpu: 1}, limits: {cpu: 2}}") + "---\n{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, max: {cpu: 2}, min: {cpu: 1}}, {type: PersistentVolumeClaim, max: {storage: 1}}]}}\n",
		"a ratio that is just allowed":     peerJobOf("", "", "", ", resources: {requests: {cpu: 1}, limits: {cpu: 2}}") + "---\n{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, maxLimitRequestRatio: {cpu: 2}}]}}\n",
		"a quota that fits":                peerJobOf("", "", "", ", resources: {requests: {cpu: 1}, limits: {cpu: 1}}") + "---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: 4, requests.cpu: 4, limits.cpu: 4, services: 9}}}\n",
		"a quota of some Pods":             train + "---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: 1}, scopes: [NotBestEffort]}}\n",
		"a gang of as many":                peerJobOf("", "", ", annotations: {scheduling.k8s.io/group-name: g}", "") + "---\n{apiVersion: scheduling.volcano.sh/v1beta1, kind: PodGroup, metadata: {name: g}, spec: {minMember: 4}}\n",
		"an elastic gang":                  peerJobOf("", "", ", annotations: {scheduling.k8s.io/group-name: g}", "") + "---\n{apiVersion: scheduling.volcano.sh/v1beta1, kind: PodGroup, metadata: {name: g}, spec: {minMember: 2}}\n",
		"a Service by the Job's name":      train + "---\n{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {batch.kubernetes.io/job-name: train}}}\n",
		"a quota beyond an int64 of milli": peerJobOf("", "", "", ", resources: {requests: {memory: 3Pi}}") + "---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {requests.memory: 7Ei}}}\n",
		"a ConfigMap of another variant": strings.Replace(peerJobOf(", annotations: {internal.config.kubernetes.io/previousNames: train, internal.config.kubernetes.io/prefixes: 'a-,top-'}", "", "", ""), "name: train,", "name: top-a-train,", 1) +
			"---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: top-b-c, annotations: {internal.config.kubernetes.io/prefixes: 'b-,top-'}}, data: {hosts: train-3.train}}\n",
		"a gang of others":               train + "---\n{apiVersion: scheduling.volcano.sh/v1beta1, kind: PodGroup, metadata: {name: g}, spec: {minMember: 9}}\n",
		"a gang with another workload":   peerJobOf("", "", ", annotations: {scheduling.k8s.io/group-name: g}", "") + "---\n{apiVersion: scheduling.volcano.sh/v1beta1, kind: PodGroup, metadata: {name: g}, spec: {minMember: 9}}\n---\n{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {template: {metadata: {annotations: {scheduling.k8s.io/group-name: g}}}}}\n",
		"a gang of two PeerJobs":         peerJobOf("", "", ", annotations: {scheduling.k8s.io/group-name: g}", "") + "---" + strings.Replace(peerJobOf("", "", ", annotations: {scheduling.k8s.io/group-name: g}", ""), "name: train", "name: other", 1) + "---\n{apiVersion: scheduling.volcano.sh/v1beta1, kind: PodGroup, metadata: {name: g}, spec: {minMember: 8}}\n",
		"peers by their names":           peerJobOf("", "", "", ", args: [train-3.train]") + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {hosts: 'train-0.train train-3.train'}}\n",
		"a StatefulSet's Pod":            train + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {hosts: 'train-9.db'}}\n",
		"a ConfigMap that no Pod reads":  train + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {hosts: 'train-0.tran:80'}}\n",
		"a Service for one Pod":          peerJobOf("", "", "", ", args: [--leader=train-master-0]") + "---\n{apiVersion: v1, kind: Service, metadata: {name: train-master-0}, spec: {clusterIP: None, selector: {app: web}}}\n",
		"a StatefulSet called so":        peerJobOf("", "", "", ", args: [--leader=train-worker-0.default.svc]") + "---\n{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: train-worker}, spec: {}}\n",
		"names like those of Kubeflow":   peerJobOf("", "", "", ", args: [--out, train-worker-0, train-worker-1.log, --tag=train-master-0, --leader=train-db-0, --join=my-train-worker-0, --peers=train-worker-0.example.com]"),
		"another Service of the list":    peerJobOf("", "", "", ", args: ['cache-0.train-cache:80']") + "---\n{apiVersion: v1, kind: Service, metadata: {name: train-cache}, spec: {clusterIP: None}}\n",
		"peers of another PeerJob":       train + "---" + strings.Replace(train, "name: train", "name: other", 1) + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {hosts: 'other-0.other train-0.train'}}\n",
		"a ConfigMap of another package": train + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c, annotations: {internal.config.kubernetes.io/package-path: p}}, data: {hosts: 'train-9.train'}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got := warn(t, list); len(got) > 0 {
				t.Errorf("%s", strings.Join(got, "\n"))
			}
		})
	}
}

// TestWarn has neighbors that are in the way, and the whole text of each warning.
func TestWarn(t *testing.T) {
	const gang = ", annotations: {scheduling.k8s.io/group-name: g}"
	for name, test := range map[string]struct {
		list string
		want []string
	}{
		"a Service that selects the peers by their labels": {
			train + "---\n{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: train}}}\n",
			[]string{"PeerJob train: spec.template.metadata.labels: Service web selects the peers, too, and would send them its traffic; choose labels that its selector does not match"},
		},
		"a container without a request, and the install container of the runner, said once": {
			peerJobOf("", "\n  barrier: {start: Enabled}\n  runner: {image: r}", "", ", command: [x]") + "---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {requests.cpu: 9}}}\n",
			[]string{"PeerJob train: spec.template.spec.containers[0].resources: ResourceQuota q counts requests.cpu, and the container says none: no Pod would be made unless a LimitRange sets it; write requests.cpu"},
		},
		"a host name of a job of Kubeflow, in a ConfigMap": {
			peerJobOf("", "", "", ", envFrom: [{configMapRef: {name: c}}]") + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {MASTER_ADDR: train-master-0, hosts: train-worker-0.default.svc}}\n",
			[]string{"ConfigMap c: data[MASTER_ADDR]: names train-master-0, as the operator of Kubeflow called a Pod, and DNS has no such name; write train-0.train",
				"ConfigMap c: data[hosts]: names train-worker-0.default.svc, as the operator of Kubeflow called a Pod, and DNS has no such name; the peers are train-<index>.train, and there are 4 peers, from index 0 to 3"},
		},
		"a policy that lets nobody in": {
			train + "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}}}\n",
			[]string{"PeerJob train: spec.template.metadata.labels: NetworkPolicy p keeps the peers apart: no policy in the list allows them traffic from each other; add a rule for the label job-name: train"},
		},
		"a policy that lets others in": {
			train + "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {matchExpressions: [{key: app, operator: In, values: [train]}]}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}}\n",
			[]string{"PeerJob train: spec.template.metadata.labels: NetworkPolicy p keeps the peers apart: no policy in the list allows them traffic from each other; add a rule for the label job-name: train"},
		},
		"a policy that lets nobody out": {
			train + "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}, policyTypes: [Egress]}}\n",
			[]string{"PeerJob train: spec.template.metadata.labels: NetworkPolicy p keeps the peers apart: no policy in the list allows them traffic to each other; add a rule for the label job-name: train", noDNS},
		},
		"a policy with rules for what goes out, without policyTypes": {
			train + "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}, ingress: [{}], egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]}}\n",
			[]string{"PeerJob train: spec.template.metadata.labels: NetworkPolicy p keeps the peers apart: no policy in the list allows them traffic to each other; add a rule for the label job-name: train", noDNS},
		},
		"a container above the maximum": {
			peerJobOf("", "", "", ", resources: {limits: {cpu: 3}}") + "---\n{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, max: {cpu: 2}}]}}\n",
			[]string{"PeerJob train: spec.template.spec.containers[0].resources.limits[cpu]: 3 is more than LimitRange l allows a container, 2, and no Pod would be made"},
		},
		"a container below the minimum, by its limit": {
			peerJobOf("", "", "", ", resources: {requests: {memory: 1Mi}, limits: {memory: 1Gi}}") + "---\n{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, min: {memory: 64Mi}}]}}\n",
			[]string{"PeerJob train: spec.template.spec.containers[0].resources.requests[memory]: 1Mi is less than LimitRange l wants of a container, 64Mi, and no Pod would be made"},
		},
		"a quota of fewer Pods": {
			train + "---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {count/pods: 3}}}\n",
			[]string{"PeerJob train: spec.peers: 4 peers need more count/pods than ResourceQuota q has, 3, and not all would be made"},
		},
		"a quota of less memory": {
			peerJobOf("", "", "", ", resources: {requests: {memory: 2Gi}}") + "---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {requests.memory: 7Gi}}}\n",
			[]string{"PeerJob train: spec.peers: 4 peers need more requests.memory than ResourceQuota q has, 7Gi, and not all would be made"},
		},
		"a quota that counts what no Pod takes, and fewer claims": {
			strings.Replace(train, "    spec:\n", "    spec:\n      volumes:\n"+
				"      - {name: tmp, emptyDir: {}}\n"+
				"      - {name: data, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}}}}}\n", 1) +
				"---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {count/widgets: 0, persistentvolumeclaims: 3, requests.storage: 7Gi}}}\n",
			[]string{
				"PeerJob train: spec.peers: 4 peers need more persistentvolumeclaims than ResourceQuota q has, 3, and not all would be made",
				"PeerJob train: spec.peers: 4 peers need more requests.storage than ResourceQuota q has, 7Gi, and not all would be made",
			},
		},
		"a quota of fewer objects, said once": {
			strings.Replace(train, "name: train}", "name: far, namespace: n}", 1) + "---" + train + "---" + strings.Replace(train, "name: train}", "name: other}", 1) +
				"---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {count/jobs.batch: 1, services: 2}}}\n",
			[]string{"PeerJob train: ResourceQuota q allows 1 object of the kind Job, and the PeerJobs make 2: not all would be made"},
		},
		"a ratio without a request": {
			peerJobOf("", "", "", ", resources: {requests: {cpu: 0}, limits: {cpu: 2}}") + "---\n{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, maxLimitRequestRatio: {cpu: 2}}]}}\n",
			[]string{"PeerJob train: spec.template.spec.containers[0].resources.limits[cpu]: LimitRange l limits the ratio of limit and request of cpu, and there is not both: no Pod would be made; write both"},
		},
		"a ratio without a limit": {
			peerJobOf("", "", "", ", resources: {requests: {cpu: 2}}") + "---\n{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, maxLimitRequestRatio: {cpu: 2}}]}}\n",
			[]string{"PeerJob train: spec.template.spec.containers[0].resources.limits[cpu]: LimitRange l limits the ratio of limit and request of cpu, and there is not both: no Pod would be made; write both"},
		},
		"a ratio above the allowed": {
			peerJobOf("", "", "", ", resources: {requests: {cpu: 1}, limits: {cpu: 3}}") + "---\n{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, maxLimitRequestRatio: {cpu: 2}}]}}\n",
			[]string{"PeerJob train: spec.template.spec.containers[0].resources.limits[cpu]: 3 is more than 2 times the request, 1, which LimitRange l allows, and no Pod would be made"},
		},
		"a gang of more": {
			peerJobOf("", "", gang, "") + "---\n{apiVersion: scheduling.volcano.sh/v1beta1, kind: PodGroup, metadata: {name: g}, spec: {minMember: 5}}\n",
			[]string{"PeerJob train: spec.peers: PodGroup g waits for 5 Pods (minMember), and there are 4 peers: none would start; write 4 there, or change the number of peers"},
		},
		"a gang of more, of Kubernetes itself": {
			peerJobOf("", "", gang, "") + "---\n{apiVersion: scheduling.k8s.io/v1alpha2, kind: PodGroup, metadata: {name: g}, spec: {schedulingPolicy: {gang: {minCount: 5}}}}\n",
			[]string{"PeerJob train: spec.peers: PodGroup g waits for 5 Pods (minCount), and there are 4 peers: none would start; write 4 there, or change the number of peers"},
		},
		"a peer that is not there": {
			train + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {hosts: 'train-3.train train-4.train'}}\n",
			[]string{"ConfigMap c: data[hosts]: names the peer train-4.train, and there are 4 peers, from index 0 to 3; name one of them, or change the number of peers"},
		},
		"a peer beside the only one": {
			strings.Replace(train, "peers: 4", "peers: 1", 1) + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {hosts: 'train-1.train'}}\n",
			[]string{"ConfigMap c: data[hosts]: names the peer train-1.train, and there is 1 peer, with index 0; name that one, or change the number of peers"},
		},
		"a quota of no Pod, for one peer": {
			strings.Replace(train, "peers: 4", "peers: 1", 1) + "---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {count/pods: 0}}}\n",
			[]string{"PeerJob train: spec.peers: 1 peer needs more count/pods than ResourceQuota q has, 0, and it would not be made"},
		},
		"a gang of more than the only one": {
			strings.Replace(peerJobOf("", "", gang, ""), "peers: 4", "peers: 1", 1) + "---\n{apiVersion: scheduling.volcano.sh/v1beta1, kind: PodGroup, metadata: {name: g}, spec: {minMember: 2}}\n",
			[]string{"PeerJob train: spec.peers: PodGroup g waits for 2 Pods (minMember), and there is 1 peer: none would start; write 1 there, or change the number of peers"},
		},
		"a host that the Service does not have": {
			train + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {b: 'x', a: 'worker-0.train slots=8'}}\n",
			[]string{"ConfigMap c: data[a]: names worker-0.train, and the Service train has no such host; if a peer is meant, its name is train-0.train; write that, or let the container use $(PEERJOB_LEADER)"},
		},
		"a peer under another Service, where the Pods read it": {
			peerJobOf("", "", "", ", envFrom: [{configMapRef: {name: c}}]") + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {hosts: 'train-0.tran:80 train-1.train'}}\n",
			[]string{"ConfigMap c: data[hosts]: names the peer train-0.tran under tran, and the Service of the peers is train; write train-0.train"},
		},
		"a peer under another Service, beside another workload": {
			peerJobOf("", "", "", ", args: ['train-0.tran:80', 'db-0.train:80']") + "---\n{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: other}}\n",
			[]string{
				"PeerJob train: spec.template.spec.containers[0].args[0]: names the peer train-0.tran under tran, and the Service of the peers is train; write $(PEERJOB_LEADER)",
				"PeerJob train: spec.template.spec.containers[0].args[1]: names db-0.train, and the Service train has no such host; if a peer is meant, its name is train-0.train; write $(PEERJOB_LEADER)",
			},
		},
		"names of before kustomize renamed the PeerJob": {
			strings.Replace(peerJobOf(", annotations: {internal.config.kubernetes.io/previousNames: train, internal.config.kubernetes.io/prefixes: dev-}", "\n  service: {name: dev-hub}", "", ", args: [train-0.hub, train-1.dev-hub, dev-train-2.hub]"), "name: train,", "name: dev-train,", 1) +
				"---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {hosts: train-3.hub}}\n",
			[]string{
				"PeerJob dev-train: spec.template.spec.containers[0].args[0]: names the peer train-0.hub by an earlier name; its name is now dev-train-0.dev-hub; write $(PEERJOB_LEADER)",
				"PeerJob dev-train: spec.template.spec.containers[0].args[1]: names the peer train-1.dev-hub by an earlier name; its name is now dev-train-1.dev-hub; write $(PEERJOB_NAME)-1.$(PEERJOB_SERVICE)",
				"PeerJob dev-train: spec.template.spec.containers[0].args[2]: names the peer dev-train-2.hub by an earlier name; its name is now dev-train-2.dev-hub; write $(PEERJOB_NAME)-2.$(PEERJOB_SERVICE)",
				"ConfigMap c: data[hosts]: names the peer train-3.hub by an earlier name; its name is now dev-train-3.dev-hub; write that, or let the container use $(PEERJOB_NAME)-3.$(PEERJOB_SERVICE)",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, warn(t, test.list)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWarn_computeDomain has the domain that a claim of the Pods belongs to.
func TestWarn_computeDomain(t *testing.T) {
	list := strings.Replace(train, "    spec:\n", "    spec:\n      resourceClaims: [{name: c, resourceClaimTemplateName: channel}]\n", 1) +
		"---\n{apiVersion: resource.nvidia.com/v1beta1, kind: ComputeDomain, metadata: {name: d}, spec: {numNodes: 18, channel: {resourceClaimTemplate: {name: channel}}}}\n"
	want := []string{"PeerJob train: spec.peers: ComputeDomain d waits for 18 Pods (numNodes), and there are 4 peers: none would start; write 4 there, or change the number of peers"}
	if diff := cmp.Diff(want, warn(t, list)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := warn(t, strings.Replace(list, "resourceClaimTemplateName: channel", "resourceClaimTemplateName: other", 1)); len(got) > 0 {
		t.Errorf("a domain of others: %q", got)
	}
}

// TestWarn_gangs has what says in other ways how many Pods must be placed together.
func TestWarn_gangs(t *testing.T) {
	object := func(apiVersion, kind, name, spec string) string {
		return "---\n{apiVersion: " + apiVersion + ", kind: " + kind + ", metadata: {name: " + name + "}, spec: {" + spec + "}}\n"
	}
	other := func(list string) string { return "---" + strings.Replace(list, "name: train", "name: other", 1) }
	const task = ", annotations: {scheduling.k8s.io/group-name: g, volcano.sh/task-spec: worker}"
	kueue := func(total string) string {
		return strings.Replace(peerJobOf("", "", ", annotations: {kueue.x-k8s.io/pod-group-total-count: '"+total+"'}", ""), "{app: train}", "{app: train, kueue.x-k8s.io/pod-group-name: g}", 1)
	}
	renamed := strings.Replace(peerJobOf(", annotations: {internal.config.kubernetes.io/previousNames: train, internal.config.kubernetes.io/prefixes: dev-}", "", ", annotations: {scheduling.k8s.io/group-name: g}", ""), "name: train,", "name: dev-train,", 1)
	group := func(prefix string) string {
		return "---\n{apiVersion: scheduling.x-k8s.io/v1alpha1, kind: PodGroup, metadata: {name: " + prefix + "g, annotations: {internal.config.kubernetes.io/previousNames: g, internal.config.kubernetes.io/prefixes: " + prefix + "}}, spec: {minMember: 5}}\n"
	}
	for name, test := range map[string]struct {
		list string
		want []string
	}{
		"a Workload of the Job": {
			train + object("scheduling.k8s.io/v1alpha1", "Workload", "w", "controllerRef: {apiGroup: batch, kind: Job, name: train}, podGroups: [{name: g, policy: {gang: {minCount: 5}}}]"),
			[]string{"PeerJob train: spec.peers: Workload w waits for 5 Pods (minCount), and there are 4 peers: none would start; write 4 there, or change the number of peers"},
		},
		"a Workload of the Job, of a later version": {
			train + object("scheduling.k8s.io/v1beta1", "Workload", "w", "controllerRef: {apiGroup: batch, kind: Job, name: train}, podGroupTemplates: [{name: g, schedulingPolicy: {gang: {minCount: 5}}}]"),
			[]string{"PeerJob train: spec.peers: Workload w waits for 5 Pods (minCount), and there are 4 peers: none would start; write 4 there, or change the number of peers"},
		},
		"an elastic Workload":       {train + object("scheduling.k8s.io/v1alpha1", "Workload", "w", "controllerRef: {apiGroup: batch, kind: Job, name: train}, podGroups: [{name: g, policy: {gang: {minCount: 3}}}]"), nil},
		"a Workload of another Job": {train + object("scheduling.k8s.io/v1alpha1", "Workload", "w", "controllerRef: {apiGroup: batch, kind: Job, name: other}, podGroups: [{name: g, policy: {gang: {minCount: 5}}}]"), nil},
		"a Workload of Kueue":       {train + object("kueue.x-k8s.io/v1beta1", "Workload", "w", "controllerRef: {apiGroup: batch, kind: Job, name: train}, podGroups: [{name: g, policy: {gang: {minCount: 5}}}]"), nil},
		"a task of Volcano": {
			peerJobOf("", "", task, "") + object("scheduling.volcano.sh/v1beta1", "PodGroup", "g", "minMember: 1, minTaskMember: {worker: 5}"),
			[]string{"PeerJob train: spec.peers: PodGroup g waits for 5 Pods (minTaskMember), and there are 4 peers: none would start; write 4 there, or change the number of peers"},
		},
		"another task of Volcano": {peerJobOf("", "", task, "") + object("scheduling.volcano.sh/v1beta1", "PodGroup", "g", "minMember: 1, minTaskMember: {master: 5, worker: 4}"), nil},
		"a group of Kueue with more": {
			kueue("5"),
			[]string{"PeerJob train: spec.template.metadata.annotations[kueue.x-k8s.io/pod-group-total-count]: the group g has 5 Pods for Kueue, and there are 4 peers: the group never has as many, and none would start; write 4, or change the number of peers"},
		},
		"a group of Kueue with fewer": {
			kueue("3"),
			[]string{"PeerJob train: spec.template.metadata.annotations[kueue.x-k8s.io/pod-group-total-count]: the group g has 3 Pods for Kueue, and there are 4 peers: Kueue removes those that are too many; write 4, or change the number of peers"},
		},
		"a group of Kueue with as many":          {kueue("4"), nil},
		"a group of Kueue of two PeerJobs":       {kueue("8") + other(kueue("8")), nil},
		"a group of Kueue with another workload": {kueue("5") + "---\n{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {kueue.x-k8s.io/pod-group-name: g}}}\n", nil},
		"a total without a group":                {peerJobOf("", "", ", annotations: {kueue.x-k8s.io/pod-group-total-count: '5'}", ""), nil},
		"a gang by its earlier name": {
			renamed + group("dev-"),
			[]string{
				"PeerJob dev-train: spec.template.metadata.annotations[scheduling.k8s.io/group-name]: names the PodGroup g, and it is dev-g now: kustomize renames it there and not here; list peerjob's Component under components:, or write dev-g",
				"PeerJob dev-train: spec.peers: PodGroup dev-g waits for 5 Pods (minMember), and there are 4 peers: none would start; write 4 there, or change the number of peers"},
		},
		"the gang of another variant": {renamed + group("prod-"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, warn(t, test.list)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
