// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// TestFiles_dumps compares with what a real cluster said: each file of testdata is what
// "kubectl get jobs,pods,services,endpointslices,networkpolicies,events -o yaml" printed
// for a Job that was broken as the name of the file says.
func TestFiles_dumps(t *testing.T) {
	dumps, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(dumps) == 0 {
		t.Fatal(err, len(dumps))
	}
	var got bytes.Buffer
	for _, dump := range dumps {
		content, err := os.ReadFile(dump)
		if err != nil {
			t.Fatal(err)
		}
		d := Files([]File{{Name: dump, Content: content}}, Options{})
		fmt.Fprintf(&got, "== %s\n", filepath.Base(dump))
		if err := d.WriteText(&got); err != nil {
			t.Fatal(err)
		}
		if err := d.WriteSummary(&got); err != nil {
			t.Fatal(err)
		}
	}
	const golden = "testdata/want.txt"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("-want +got; UPDATE=1 writes %s:\n%s", golden, diff)
	}
}

// TestFiles_json holds a list in JSON to the same findings as one in YAML.
func TestFiles_json(t *testing.T) {
	const text = `{"apiVersion": "v1", "kind": "List", "items": [
{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a", "namespace": "n"}, "spec": {"suspend": true, "completions": 2, "parallelism": 2, "completionMode": "Indexed", "template": {"spec": {"restartPolicy": "Never", "subdomain": "a", "containers": [{"name": "c", "image": "i"}]}}}},
{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "n"}, "spec": {"clusterIP": "None", "publishNotReadyAddresses": true, "selector": {"job-name": "a"}}}]}`
	d := Files([]File{{Name: "x", Content: []byte(text)}}, Options{})
	var out bytes.Buffer
	if err := d.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var read Diagnosis
	if err := json.Unmarshal(out.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if len(read.Groups) != 1 || len(read.Findings) != 1 || read.Findings[0].ID != jobSuspended {
		t.Errorf("got %s", out.String())
	}
}

const (
	goodService = `{apiVersion: v1, kind: Service, metadata: {name: hub, namespace: ml, uid: s}, spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {job-name: train}}}`
	readyOnly   = `{apiVersion: v1, kind: Service, metadata: {name: hub, namespace: ml, uid: s}, spec: {clusterIP: None, selector: {job-name: train}}}`
)

// jobWith is a Job "train" of two peers, with further fields of its spec, its template's
// spec and its status.
func jobWith(spec, pod, status string) string {
	return fmt.Sprintf(`{apiVersion: batch/v1, kind: Job, metadata: {name: train, namespace: ml, uid: j}, spec: {completions: 2, parallelism: 2, completionMode: Indexed%s,
  template: {metadata: {labels: {app: x}}, spec: {subdomain: hub, restartPolicy: Never, containers: [{name: w, image: i, ports: [{containerPort: 7000}]}]%s}}}, status: {active: 2%s}}`, spec, pod, status)
}

// podWith is the Pod of an index, with more of its metadata, and its status.
func podWith(index int, metadata, spec, status string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: train-%[1]d-x, namespace: ml, uid: p%[1]d, labels: {job-name: train, app: x}, annotations: {batch.kubernetes.io/job-completion-index: "%[1]d"},
  ownerReferences: [{apiVersion: batch/v1, kind: Job, name: train, uid: j}]%[2]s}, spec: {hostname: train-%[1]d, subdomain: hub, containers: [{name: w, image: i%[3]s}]}, status: {%[4]s}}`, index, metadata, spec, status)
}

func running(index int) string {
	return podWith(index, "", "", fmt.Sprintf(`phase: Running, podIP: 10.0.0.%d, podIPs: [{ip: 10.0.0.%[1]d}], conditions: [{type: PodScheduled, status: "True"}, {type: Ready, status: "True"}], containerStatuses: [{name: w, state: {running: {}}}]`, index+1))
}

func slice(endpoints string) string {
	return `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: hub-x, namespace: ml, labels: {kubernetes.io/service-name: hub}}, endpoints: [` + endpoints + `]}`
}

func endpoint(index int) string {
	return fmt.Sprintf(`{addresses: [10.0.0.%d], hostname: train-%d, conditions: {ready: true}}`, index+1, index)
}

func policy(spec string) string {
	return `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny, namespace: ml}, spec: {` + spec + `}}`
}

func eventOf(kind, name, reason, message string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: Event, metadata: {name: %s-%s, namespace: ml}, involvedObject: {kind: %s, namespace: ml, name: %s}, reason: %s, message: %q}`, name, strings.ToLower(reason), kind, name, reason, message)
}

// TestWithoutPod names the indexes without a Pod.
func TestWithoutPod(t *testing.T) {
	for _, tt := range []struct {
		size              int32
		pods              []int32
		completed, failed string
		most              int
		want              string
	}{
		{4, []int32{0, 1, 3}, "", "", 1, "index 2"},
		{4, []int32{3}, "0", "", 2, "indexes 1, 2"},
		{9, []int32{1, 8}, "3,5-6", "2", 3, "indexes 0, 4, 7"},
		{9, []int32{1, 8}, "3,5-6", "2", 2, "indexes 0, 4"},
		{2_000_000_000, []int32{1}, "", "", 1_000, "indexes 0, 2-1000"},
		{5, []int32{9}, "2-8,x", "", 1, "index 0"},
		{30, []int32{1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21}, "", "", 30, "indexes 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, …"},
	} {
		mode := batchv1.IndexedCompletion
		g := &group{size: tt.size, stands: map[int32]*corev1.Pod{}, job: &batchv1.Job{Spec: batchv1.JobSpec{CompletionMode: &mode}, Status: batchv1.JobStatus{CompletedIndexes: tt.completed, FailedIndexes: &tt.failed}}}
		for _, index := range tt.pods {
			g.stands[index] = &corev1.Pod{}
		}
		if got := named(g.withoutPod(), tt.most); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestFiles(t *testing.T) {
	job := jobWith("", "", "")
	pair := []string{goodService, job, running(0), running(1)}
	with := func(more ...string) []string { return append(append([]string{}, pair...), more...) }
	const pending = `phase: Pending, conditions: [{type: PodScheduled, status: "True"}]`
	on := `, nodeName: n`
	waiting := func(reason, message string) string {
		return fmt.Sprintf(`phase: Pending, containerStatuses: [{name: w, state: {waiting: {reason: %s, message: %q}}}]`, reason, message)
	}
	// Every want is "id: a part of the text".
	tests := map[string]struct {
		objects []string
		want    []string
	}{
		"nothing is wrong":              {pair, nil},
		"nothing":                       {[]string{`{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}`}, []string{"no-group: kubectl get"}},
		"a plain Job is no group":       {[]string{`{apiVersion: batch/v1, kind: Job, metadata: {name: x}, spec: {template: {spec: {containers: [{name: c, image: i}]}}}, status: {conditions: [{type: Failed, status: "True"}]}}`}, []string{"no-group: "}},
		"an Indexed Job without peers":  {[]string{strings.Replace(job, "subdomain: hub, ", "", 1), podWith(0, "", "", "phase: Succeeded"), running(1)}, []string{"no-group: "}},
		"a part at a time":              {[]string{goodService, strings.Replace(strings.Replace(job, "completions: 2", "completions: 9", 1), "active: 2", "active: 2, succeeded: 4", 1), running(0), running(1), eventOf("Job", "train", "FailedCreate", "exceeded quota")}, []string{"parallelism: "}},
		"an index without a Pod":        {[]string{goodService, strings.Replace(job, "active: 2", "active: 1", 1), running(0)}, []string{"pods-missing: has no Pod for 1 of its 2 peers (index 1), and no event says why"}},
		"an index that a quota refuses": {[]string{goodService, strings.Replace(job, "active: 2", "active: 1", 1), running(1), eventOf("Job", "train", "FailedCreate", `Error creating: pods "train-0-" is forbidden: exceeded quota`)}, []string{`pods-missing: has no Pod for 1 of its 2 peers (index 0): Error creating: pods "train-0-" is forbidden: exceeded quota`}},
		"one that a webhook refused before the latest Pod": {[]string{goodService, strings.Replace(job, "active: 2", "active: 1", 1), podWith(1, `, creationTimestamp: "2026-01-02T00:00:00Z"`, "", "phase: Running"),
			strings.Replace(eventOf("Job", "train", "FailedCreate", `admission webhook "x" denied the request`), "reason:", `lastTimestamp: "2026-01-01T00:00:00Z", reason:`, 1)},
			[]string{"pods-missing: an admission webhook refuses the Pods"}},
		"an index that is done, without its Pod": {[]string{goodService, strings.Replace(job, "active: 2", `active: 1, succeeded: 1, completedIndexes: "1"`, 1), running(0)}, nil},
		"suspended by its JobSet":                {[]string{goodService, strings.Replace(jobWith(", suspend: true", "", ""), "uid: j", "uid: j, ownerReferences: [{apiVersion: jobset.x-k8s.io/v1alpha2, kind: JobSet, name: set, uid: x, controller: true}]", 1)}, []string{"job-suspended: it belongs to the JobSet set"}},
		"what is no YAML":                        {with("a: ["), []string{"unreadable: x: "}},
		"another controller":                     {[]string{goodService, jobWith(", managedBy: kueue.x-k8s.io/multikueue", "", ""), running(0), running(1)}, []string{"job-elsewhere: kueue.x-k8s.io/multikueue"}},
		"parallelism 0":                          {[]string{goodService, strings.Replace(job, "parallelism: 2", "parallelism: 0", 1)}, []string{"job-paused: write parallelism: 2"}},
		"suspended by Kueue":                     {[]string{goodService, strings.Replace(jobWith(", suspend: true", "", ""), "uid: j", "uid: j, labels: {kueue.x-k8s.io/queue-name: team}", 1)}, []string{"job-suspended: Kueue has not admitted it to the queue team"}},
		"failed":                                 {[]string{goodService, jobWith("", "", `, conditions: [{type: Failed, status: "True", reason: DeadlineExceeded, message: too long}]`)}, []string{"job-failed: has failed: DeadlineExceeded: too long"}},
		"complete, and all else gone":            {[]string{jobWith("", "", `, conditions: [{type: Complete, status: "True", lastTransitionTime: "2026-01-02T03:04:05Z"}]`)}, []string{"job-finished: is complete since 2026-01-02 03:04:05Z"}},
		"no Pods in the input":                   {[]string{goodService, job}, []string{"input-incomplete: has 2 Pods, and the input has no Pods"}},
		"a Job of a file":                        {[]string{goodService, strings.Replace(strings.Replace(job, "active: 2", "active: 0", 1), "uid: j", "generation: 1", 1)}, []string{"input-incomplete: peerjob lint checks files"}},
		"no Services in the input":               {[]string{job, running(0), running(1), slice(endpoint(0))}, []string{"input-incomplete: no Services"}},
		"not all Pods in the input":              {[]string{goodService, job, running(0)}, []string{"input-incomplete: has 2 Pods, and the input has 1"}},
		"no Pods, and nobody says why":           {[]string{goodService, strings.Replace(job, "active: 2", "active: 0", 1)}, []string{"pods-missing: no event says why"}},
		"no ServiceAccount":                      {[]string{goodService, strings.Replace(job, "active: 2", "active: 0", 1), eventOf("Job", "train", "FailedCreate", `Error creating: pods "train-0-" is forbidden: error looking up service account ml/x: serviceaccount "x" not found`)}, []string{"pods-missing: create the ServiceAccount"}},
		"an old event of a whole group":          {with(eventOf("Job", "train", "FailedCreate", "exceeded quota")), nil},
		"Pods of an earlier Job":                 {[]string{goodService, job, running(0), running(1), strings.ReplaceAll(strings.ReplaceAll(podWith(0, "", "", "phase: Failed"), "uid: j", "uid: old"), "train-0-x", "train-0-old")}, nil},
		"taints and too little":                  {[]string{goodService, job, running(0), podWith(1, "", "", `phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "0/2 nodes are available: 1 Insufficient nvidia.com/gpu, 1 node(s) had untolerated taint {a: b}."}]`)}, []string{"unschedulable: enough nvidia.com/gpu, or request less; add a toleration"}},
		"gates":                                  {[]string{goodService, job, running(0), strings.Replace(podWith(1, "", "", "phase: Pending"), "subdomain: hub", "subdomain: hub, schedulingGates: [{name: kueue.x-k8s.io/topology}]", 1)}, []string{"scheduling-gated: kueue.x-k8s.io/topology"}},
		"nobody schedules":                       {[]string{goodService, job, running(0), strings.Replace(podWith(1, "", "", "phase: Pending"), "subdomain: hub", "subdomain: hub, schedulerName: volcano", 1)}, []string{"not-scheduled: scheduler volcano"}},
		"no such key":                            {[]string{goodService, job, running(0), strings.Replace(podWith(1, "", "", waiting("CreateContainerConfigError", "couldn't find key a in ConfigMap ml/c")), "subdomain: hub", "subdomain: hub"+on, 1)}, []string{"container-config: add the key"}},
		"no such command":                        {[]string{goodService, job, running(0), strings.Replace(podWith(1, "", "", waiting("RunContainerError", "exec: not found")), "subdomain: hub", "subdomain: hub"+on, 1)}, []string{"container-create: exec: not found"}},
		"no network":                             {[]string{goodService, job, running(0), strings.Replace(podWith(1, "", "", waiting("ContainerCreating", "")), "subdomain: hub", "subdomain: hub"+on, 1), eventOf("Pod", "train-1-x", "FailedCreatePodSandBox", "plugin type=\"bridge\" failed")}, []string{"sandbox: network plugin of the node"}},
		"it starts":                              {[]string{goodService, job, running(0), strings.Replace(podWith(1, "", "", pending), "subdomain: hub", "subdomain: hub"+on, 1)}, nil},
		"a crash":                                {[]string{goodService, job, running(0), podWith(1, "", "", `phase: Running, podIP: 10.0.0.2, containerStatuses: [{name: w, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, message: boom}}}]`)}, []string{"crash-loop: has ended 4 times; container w ended with exit code 1: boom"}},
		"restarted":                              {[]string{goodService, job, running(0), podWith(1, "", "", `phase: Running, podIP: 10.0.0.2, conditions: [{type: Ready, status: "True"}], containerStatuses: [{name: w, restartCount: 1, state: {running: {}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}}]`)}, []string{"restarted: exit code 137 (OOMKilled)"}},
		"the start barrier gave up":              {[]string{goodService, job, running(0), podWith(1, "", "", `phase: Failed, containerStatuses: [{name: w, state: {terminated: {exitCode: 75, message: "peerjob-runner: start: timed out after 10m0s"}}}]`)}, []string{"peer-failed: not every peer came within spec.barrier.startTimeoutSeconds"}},
		"preempted, and replaced":                {[]string{goodService, job, running(0), running(1), strings.ReplaceAll(podWith(1, "", "", `phase: Failed, conditions: [{type: DisruptionTarget, status: "True", reason: PreemptionByScheduler, message: bye}]`), "train-1-x", "train-1-old")}, []string{"peer-failed: its index has another Pod now, which is Running"}},
		"a node is lost":                         {[]string{goodService, job, running(0), podWith(1, `, deletionTimestamp: "2026-01-02T03:04:05Z"`, "", `phase: Running, conditions: [{type: DisruptionTarget, status: "True", reason: DeletionByTaintManager, message: bye}]`)}, []string{"node-lost: out-of-service"}},
		"deleted":                                {[]string{goodService, job, running(0), podWith(1, `, deletionTimestamp: "2026-01-02T03:04:05Z"`, "", `phase: Running`)}, []string{"pod-deleting: is being deleted"}},
		"the init container waits":               {[]string{readyOnly, job, running(0), podWith(1, "", "", `phase: Pending, podIP: 10.0.0.2, conditions: [{type: PodScheduled, status: "True"}, {type: Initialized, status: "False", message: "containers with incomplete status: [wait]"}], initContainerStatuses: [{name: wait, state: {running: {}}}]`)}, []string{"not-published: containers with incomplete status: [wait]", "publish-not-ready: "}},
		"a peer ended":                           {[]string{goodService, job, running(0), podWith(1, "", "", `phase: Succeeded`)}, []string{"peer-ended: 1 of 2 peers"}},
		"a peer ended with the barrier":          {[]string{goodService, job, running(0), podWith(1, "", `, command: [/x/peerjob-runner, run, --port=7450, --end-timeout=60s, --, x]`, `phase: Succeeded`)}, nil},
		"the Service is being deleted":           {[]string{strings.Replace(goodService, "uid: s", `uid: s, deletionTimestamp: "2026-01-02T03:04:05Z"`, 1), job, running(0), running(1)}, []string{"service-deleting: "}},
		"labels were changed":                    {[]string{goodService, job, running(0), strings.Replace(running(1), "{job-name: train, app: x}", "{job-name: debug, app: x}", 1)}, []string{"pod-labels: (job-name=train)"}},
		"the slice has all":                      {with(slice(endpoint(0) + ", " + endpoint(1))), nil},
		"two Pods have one address":              {with(slice(`{addresses: [10.0.0.9], hostname: train-0, targetRef: {kind: Pod, name: train-0-x}}, {addresses: [10.0.0.9], hostname: train-1, targetRef: {kind: Pod, name: train-1-x}}`)), nil},
		"the slice lacks one":                    {with(slice(endpoint(0))), []string{"endpoint-missing: Pod ml/train-1-x (index 1) is not in the EndpointSlices of the Service hub"}},
		"the slice lacks a host name":            {with(slice(endpoint(0) + ", {addresses: [10.0.0.2]}")), []string{"endpoint-missing: has no host name"}},
		"no slice":                               {with(strings.Replace(slice(""), "name: hub}", "name: other}", 1)), []string{"endpoint-missing: has no EndpointSlice"}},
		"policy: none of the Pods":               {with(policy(`podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress]`)), nil},
		"policy: ingress alone":                  {with(policy(`podSelector: {}`)), []string{"peers-blocked: no rule of ingress"}},
		"policy: from each other":                {with(policy(`podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {job-name: train}}}]}]`)), nil},
		"policy: from others":                    {with(policy(`podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: db}}}, {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: web}}}]}]`)), []string{"peers-blocked: "}},
		"policy: a second one allows":            {with(policy(`podSelector: {}`), strings.Replace(policy(`podSelector: {}, ingress: [{}]`), "deny", "allow", 1)), nil},
		"policy: another namespace's":            {with(strings.Replace(policy(`podSelector: {}`), "namespace: ml", "namespace: web", 1)), nil},
		"policy: maybe":                          {with(policy(`podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}]}]`)), nil},
		"policy: surely not":                     {with(policy(`podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}]}]`), `{apiVersion: v1, kind: Namespace, metadata: {name: ml, labels: {team: b}}}`), []string{"peers-blocked: "}},
		"policy: addresses":                      {with(policy(`podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]`)), nil},
		"policy: other addresses":                {with(policy(`podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/24]}}]}]`)), []string{"peers-blocked: "}},
		"policy: another port":                   {with(policy(`podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 22}, {port: 8000, endPort: 9000}]}]`)), []string{"port-blocked: 7000/TCP"}},
		"policy: a range of ports":               {with(policy(`podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 6000, endPort: 7000}]}]`)), nil},
		"policy: no DNS":                         {with(policy(`podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]`)), []string{"dns-blocked: kube-system"}},
		"policy: DNS":                            {with(policy(`podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}, {to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{port: 53, protocol: UDP}]}]`)), nil},
		"policy: DNS of OpenShift":               {with(policy(`podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}, {to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: openshift-dns}}}]}]`)), nil},
		"policy: DNS at an address":              {with(policy(`podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}, {to: [{ipBlock: {cidr: 169.254.20.10/32}}], ports: [{port: 53, protocol: UDP}]}]`)), nil},
		"policy: another namespace":              {with(policy(`podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}, {to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: web}}}]}]`)), []string{"dns-blocked: "}},
		"policy: on the host network":            {[]string{goodService, jobWith("", ", hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet", ""), running(0), running(1), policy(`podSelector: {}`)}, []string{"host-network: "}},
		"another Service than meant":             {[]string{strings.Replace(goodService, "job-name: train", "job-name: trian", 1), job, running(0), running(1), slice("")}, []string{"selector-mismatch: kubectl edit service hub"}},
		"the template is immutable":              {[]string{goodService, strings.Replace(job, "subdomain: hub", "subdomain: hup", 1), running(0), running(1)}, []string{"subdomain-mismatch: delete the Job and create it again"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := Files([]File{{Name: "x", Content: []byte(strings.Join(test.objects, "\n---\n"))}}, Options{})
			var out bytes.Buffer
			if err := d.WriteText(&out); err != nil {
				t.Fatal(err)
			}
			for i, want := range test.want {
				id, part, _ := strings.Cut(want, ": ")
				if i >= len(d.Findings) || d.Findings[i].ID != id || !strings.Contains(out.String(), part) {
					t.Errorf("want %s, got\n%s", want, out.String())
				}
			}
			// The race at the end and the like are findings of lint, with tests of their own.
			if len(d.Findings) != len(test.want) {
				t.Errorf("%d findings, want %d:\n%s", len(d.Findings), len(test.want), out.String())
			}
		})
	}
}

// TestCatalog holds the page to the catalog.
func TestCatalog(t *testing.T) {
	page, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range Catalog() {
		if row := fmt.Sprintf("| `%s` | %s |", rule.ID, rule.About); !strings.Contains(string(page), row) {
			t.Errorf("docs/doctor.md does not have\n%s", row)
		}
	}
}

// FuzzFiles has no input that stops doctor.
func FuzzFiles(f *testing.F) {
	for _, text := range []string{
		goodService, jobWith("", "", ""), running(0), slice(endpoint(0)), policy("podSelector: {}"), eventOf("Pod", "train-0-x", "Failed", "x"),
		strings.Join([]string{goodService, jobWith("", "", ""), running(0), slice(endpoint(1)), policy("podSelector: {}, egress: [{}]")}, "\n---\n"),
		`{"kind": "List", "apiVersion": "v1", "items": [{"kind": "Job", "apiVersion": "batch/v1"}, {"kind": "Pod", "apiVersion": "v1"}, 1, null, []]}`,
		"kind: List\nitems: &a [*a]\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		d := Files([]File{{Name: "x", Content: content}}, Options{})
		var text, out bytes.Buffer
		if err := d.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		if err := d.WriteJSON(&out); err != nil || !json.Valid(out.Bytes()) {
			t.Fatalf("%v\n%s", err, out.String())
		}
		if lines := strings.Count(text.String(), "\n"); lines > 2*len(d.Findings) {
			t.Errorf("%d lines for %d findings", lines, len(d.Findings))
		}
	})
}

// TestFiles_rolePolicies has policies between the roles of one PeerJob, which are behind one
// Service.
func TestFiles_rolePolicies(t *testing.T) {
	const service = `{apiVersion: v1, kind: Service, metadata: {name: hub, namespace: ml, uid: s}, spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {peerjob.dev/group: hub}}}`
	job := func(role string, peers, port int, pod string) string {
		return fmt.Sprintf(`{apiVersion: batch/v1, kind: Job, metadata: {name: train-%[1]s, namespace: ml, uid: %[1]s}, spec: {completions: %[2]d, parallelism: %[2]d, completionMode: Indexed,
  template: {metadata: {labels: {peerjob.dev/group: hub, role: %[1]s}}, spec: {subdomain: hub, restartPolicy: Never, containers: [{name: w, image: i, command: [x, train-worker-0.hub], ports: [{containerPort: %[3]d}]}]%[4]s}}}, status: {active: %[2]d}}`, role, peers, port, pod)
	}
	of := func(role string) string { return "podSelector: {matchLabels: {role: " + role + "}}" }
	const (
		holds = "; this holds if the network plugin enforces policies"
		cure  = " | add a rule to ingress: from: [{podSelector: {matchLabels: {peerjob.dev/group: hub}}}]"
	)
	onHost := ", hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet"
	for name, tt := range map[string]struct {
		launcher, policy string
		want             []string
	}{
		"from workers alone": {"", of("worker") + ", ingress: [{from: [{" + of("worker") + "}]}]", []string{
			"keeps the peers of the Job train-launcher from reaching those of the Job train-worker: it selects the peers of train-worker, and no rule of ingress has the others" + holds + cure}},
		"from the launcher alone": {"", of("worker") + ", ingress: [{from: [{" + of("launcher") + "}]}]", []string{
			"keeps the peers of the Job train-worker from each other: it selects them, and no rule of ingress has them" + holds + cure}},
		"to the launcher alone": {"", of("worker") + ", policyTypes: [Egress], egress: [{to: [{" + of("launcher") + "}]}, {to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}]}, {to: [{" + of("worker") + "}], ports: [{port: 1}]}]", []string{
			"lets the peers of the Job train-worker reach each other, but not at 7000/TCP, where their containers listen (egress) | add a rule to egress: to: [{podSelector: {matchLabels: {peerjob.dev/group: hub}}}], without ports or with these"}},
		"from the launcher at another port": {"", of("worker") + ", ingress: [{from: [{" + of("worker") + "}]}, {from: [{" + of("launcher") + "}], ports: [{port: 22}]}]", []string{
			"lets the peers of the Job train-launcher reach those of the Job train-worker, but not at 7000/TCP, where their containers listen (ingress)" + cure + ", without ports or with these"}},
		"from the group":                {"", "podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {peerjob.dev/group: hub}}}]}]", nil},
		"of the launcher, from workers": {"", of("launcher") + ", ingress: [{from: [{" + of("worker") + "}]}]", nil},
		"a launcher on the host":        {onHost, of("worker") + ", ingress: [{from: [{" + of("worker") + "}]}]", nil},
	} {
		t.Run(name, func(t *testing.T) {
			all := strings.Join([]string{service, job("launcher", 1, 8000, tt.launcher), job("worker", 2, 7000, ""), policy(tt.policy)}, "\n---\n")
			var got []string
			for _, f := range Files([]File{{Name: "x", Content: []byte(all)}}, Options{}).Findings {
				if f.ID == peersBlocked || f.ID == portBlocked {
					got = append(got, f.Is+" | "+f.Do)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
