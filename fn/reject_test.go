// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRun_rejects has the message for each kind of bad input. In every case
// the items must go out as they came in, and nothing may be added.
func TestRun_rejects(t *testing.T) {
	const smallest = "  template: {spec: {containers: [{name: w, image: x}]}}\n"
	head := func(name string) string {
		return "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata:\n  name: " + name + "\nspec:\n"
	}
	pod := func(spec string) string { return head("train") + "  peers: 2\n  template: {spec: " + spec + "}\n" }
	tests := map[string]struct {
		items []string
		want  []string
	}{
		"unknown field": {
			items: []string{head("train") + "  peers: 2\n  backofLimit: 3\n" + smallest},
			want:  []string{`PeerJob train: spec.backofLimit: Forbidden: unknown field; did you mean "backoffLimit"?`},
		},
		"no role in a map": {
			items: []string{head("train") + "  roles: {}\n"},
			want:  []string{`PeerJob train: spec.roles: Invalid value: {...}: must be a list, such as [{name: worker, peers: 4, template: {...}}]`},
		},
		"one role, and no list": {
			items: []string{head("train") + "  roles: {name: worker, peers: 2, template: {}}\n"},
			want:  []string{`PeerJob train: spec.roles: Invalid value: {...}: must be a list; write "- " before "name", and indent the other keys`},
		},
		"roles by their names": {
			items: []string{head("train") + "  roles: {worker: {peers: 2}, head: {peers: 1}}\n"},
			want:  []string{`PeerJob train: spec.roles: Invalid value: {...}: must be a list; write each as an element with a name, such as - name: worker`},
		},
		"the names of roles": {
			items: []string{head("train") + "  roles: [worker]\n"},
			want:  []string{`PeerJob train: spec.roles[0]: Invalid value: "worker": must be a map, such as {name: worker, peers: 4, template: {...}}`},
		},
		"an empty role": {
			items: []string{head("train") + "  roles: [null]\n"},
			want:  []string{`PeerJob train: spec.roles[0]: Required value: the element is empty; remove it, or write {name: worker, peers: 4, template: {...}}`},
		},
		"containers by their names": {
			items: []string{pod("{containers: {w: {image: x}}}")},
			want:  []string{`PeerJob train: spec.template.spec.containers: Invalid value: {...}: must be a list; write each as an element with a name, such as - name: w`},
		},
		"no peers, and a long name": {
			items: []string{head(strings.Repeat("n", 62)) + "  peers: 0\n" + smallest},
			want: []string{
				"PeerJob " + strings.Repeat("n", 62) + `: metadata.name: Invalid value: "` + strings.Repeat("n", 62) + `": must be no more than 61 characters: the host name of the last one, "` + strings.Repeat("n", 62) + `-0", must be a DNS label of no more than 63 characters`,
				"PeerJob " + strings.Repeat("n", 62) + `: spec.peers: Invalid value: 0: must be between 1 and 100000`,
			},
		},
		"the role outside of the roles": {
			items: []string{head("train") + "  templating: Enabled\n  job: {labels: {a: '{{ .Role }}'}}\n  roles: [{name: w, peers: 1, template: {spec: {containers: [{name: w, image: x}]}}}]\n"},
			want:  []string{`PeerJob train: spec.job.labels[a]: Invalid value: "{{ .Role }}": template: line 1, column 4: .Role is null, because this field belongs to all roles; it is the name of the role in the fields of spec.roles[], and here .Roles has all of them`},
		},
		"a part of the role without roles": {
			items: []string{head("train") + "  templating: Enabled\n  peers: 2\n  template: {spec: {containers: [{name: w, image: '{{ $.Role.Name }}'}]}}\n"},
			want:  []string{`PeerJob train: spec.template.spec.containers[0].image: Invalid value: "{{ $.Role.Name }}": template: line 1, column 10: $.Role is null, because the PeerJob has no roles; it is the name of the role, in the fields of spec.roles[]`},
		},
		"a namespace that is not set": {
			items: []string{head("train") + "  templating: Enabled\n  peers: 2\n  template: {spec: {containers: [{name: w, image: '{{ .Namespace }}'}]}}\n"},
			want:  []string{`PeerJob train: spec.template.spec.containers[0].image: Invalid value: "{{ .Namespace }}": template: line 1, column 4: .Namespace is null, because metadata.namespace is not set; set it, or write | default ""`},
		},
		"labels of the Job controller, for all roles": {
			items: []string{head("train") + "  template: {metadata: {labels: {job-name: x}}}\n  roles: [{name: a, peers: 1, template: {spec: {containers: [{name: w, image: x}]}}}, {name: b, peers: 1, template: {spec: {containers: [{name: w, image: x}]}}}]\n"},
			want:  []string{`PeerJob train: spec.template.metadata.labels[job-name]: Forbidden: is set by the Job controller; leave it out`},
		},
		"unknown field in a list": {
			items: []string{pod("{containers: [{name: w, image: x}, {name: v, imgae: y}]}")},
			want:  []string{`PeerJob train: spec.template.spec.containers[1].imgae: Forbidden: unknown field; did you mean "image"?`},
		},
		"unknown field like no other": {
			items: []string{head("train") + "  peers: 2\n  zzzzzz: 3\n" + smallest},
			want:  []string{`PeerJob train: spec.zzzzzz: Forbidden: unknown field`},
		},
		"a field of the Pod in the wrong place": {
			items: []string{head("train") + "  peers: 2\n  nodeSelector: {a: b}\n" + smallest},
			want:  []string{`PeerJob train: spec.nodeSelector: Forbidden: unknown field; set spec.template.spec.nodeSelector`},
		},
		"a status": {
			items: []string{head("train") + "  peers: 2\n" + smallest + "status: {}"},
			want:  []string{`PeerJob train: status: Forbidden: unknown field`},
		},
		"a framework that is not there": {
			items: []string{head("train") + "  peers: 2\n  framework: {type: torchrun}\n" + smallest},
			want:  []string{`PeerJob train: spec.framework.type: Unsupported value: "torchrun": supported values: "Dask", "DeepSpeed", "IntelMPI", "JAX", "MPICH", "OpenMPI", "PyTorch", "Ray", "Spark", "TensorFlow", "Torchrun", "TPU", "XGBoost"; did you mean "Torchrun"?`},
		},
		"wrong types": {
			items: []string{head("train") + "  peers: [2]\n  suspend: 'yes'\n  service: x\n  template: {metadata: {labels: {a: 1, b: true}}, spec: {containers: {name: w}, terminationGracePeriodSeconds: soon, hostNetwork: 1}}\n"},
			want: []string{
				`PeerJob train: spec.peers: Invalid value: [...]: must be an integer`,
				`PeerJob train: spec.service: Invalid value: "x": must be a map; write {name: x}`,
				`PeerJob train: spec.suspend: Invalid value: "yes": must be true or false; write true, without quotes`,
				`PeerJob train: spec.template.metadata.labels[a]: Invalid value: 1: must be a string; write "1", with the quotes`,
				`PeerJob train: spec.template.metadata.labels[b]: Invalid value: true: must be a string; write "true", with the quotes`,
				`PeerJob train: spec.template.spec.containers: Invalid value: {...}: must be a list; write [{name: w}]`,
				`PeerJob train: spec.template.spec.terminationGracePeriodSeconds: Invalid value: "soon": must be an integer`,
				`PeerJob train: spec.template.spec.hostNetwork: Invalid value: 1: must be true or false`,
			},
		},
		"numbers out of range": {
			items: []string{head("train") + "  peers: 3000000000\n  activeDeadlineSeconds: 99999999999999999999\n" + smallest},
			want: []string{
				`PeerJob train: spec.peers: Invalid value: 3000000000: must be between 1 and 100000`,
				`PeerJob train: spec.activeDeadlineSeconds: Invalid value: 99999999999999999999: must be an integer`,
			},
		},
		"duplicate keys": {
			items: []string{head("train") + "  peers: 2\n  peers: 3\n  template: {spec: {containers: [{name: w, image: x, image: y}]}}\n"},
			want: []string{
				`PeerJob train: spec.peers: Duplicate value: "peers": duplicate key; keep one`,
				`PeerJob train: spec.template.spec.containers[0].image: Duplicate value: "image": duplicate key; keep one`,
			},
		},
		"no name": {
			items: []string{"apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nspec:\n  peers: 2\n" + smallest},
			want:  []string{`PeerJob: metadata.name: Required value: it names the Job, and the Pods' host names are <name>-<index>`},
		},
		"generateName": {
			items: []string{"apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {generateName: x-}\nspec:\n  peers: 2\n" + smallest},
			want: []string{
				`PeerJob: metadata.name: Required value: it names the Job, and the Pods' host names are <name>-<index>`,
				`PeerJob: metadata.generateName: Forbidden: a PeerJob never reaches the server, and peerjob copies only name, namespace, labels and annotations`,
			},
		},
		"peers 0":       {items: []string{head("train") + "  peers: 0\n" + smallest}, want: []string{`PeerJob train: spec.peers: Invalid value: 0: must be between 1 and 100000`}},
		"peers -1":      {items: []string{head("train") + "  peers: -1\n" + smallest}, want: []string{`PeerJob train: spec.peers: Invalid value: -1: must be between 1 and 100000`}},
		"peers 100001":  {items: []string{head("train") + "  peers: 100001\n" + smallest}, want: []string{`PeerJob train: spec.peers: Invalid value: 100001: must be between 1 and 100000`}},
		`peers "3"`:     {items: []string{head("train") + "  peers: \"3\"\n" + smallest}, want: []string{`PeerJob train: spec.peers: Invalid value: "3": must be an integer; write 3, without quotes`}},
		"peers 1.5":     {items: []string{head("train") + "  peers: 1.5\n" + smallest}, want: []string{`PeerJob train: spec.peers: Invalid value: 1.5: must be an integer`}},
		"peers missing": {items: []string{head("train") + smallest}, want: []string{`PeerJob train: spec.peers: Required value: the number of Pods, which all run at the same time`}},
		"peers null":    {items: []string{head("train") + "  peers: null\n" + smallest}, want: []string{`PeerJob train: spec.peers: Required value: the number of Pods, which all run at the same time`}},
		"no containers": {items: []string{pod("{containers: []}")}, want: []string{`PeerJob train: spec.template.spec.containers: Required value: what runs in each Pod: at least one, such as {name: main, image: IMAGE}`}},
		"no template":   {items: []string{head("train") + "  peers: 2\n"}, want: []string{`PeerJob train: spec.template.spec.containers: Required value: what runs in each Pod: at least one, such as {name: main, image: IMAGE}`}},
		"no spec": {
			items: []string{"apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: train}"},
			want: []string{
				`PeerJob train: spec.peers: Required value: the number of Pods, which all run at the same time`,
				`PeerJob train: spec.template.spec.containers: Required value: what runs in each Pod: at least one, such as {name: main, image: IMAGE}`,
			},
		},
		"a name too long for its peers": {
			items: []string{head(strings.Repeat("a", 62)) + "  peers: 10\n" + smallest, head(strings.Repeat("b", 60)) + "  peers: 1001\n" + smallest},
			want: []string{
				`PeerJob ` + strings.Repeat("a", 62) + `: metadata.name: Invalid value: "` + strings.Repeat("a", 62) + `": must be no more than 61 characters for 10 peers: the host name of the last one, "` + strings.Repeat("a", 62) + `-9", must be a DNS label of no more than 63 characters`,
				`PeerJob ` + strings.Repeat("b", 60) + `: metadata.name: Invalid value: "` + strings.Repeat("b", 60) + `": must be no more than 58 characters for 1001 peers: the host name of the last one, "` + strings.Repeat("b", 60) + `-1000", must be a DNS label of no more than 63 characters`,
			},
		},
		"dots in the name": {
			items: []string{head("train.v1") + "  peers: 2\n" + smallest},
			want:  []string{`PeerJob train.v1: metadata.name: Invalid value: "train.v1": must not contain dots, because the Pods' host names are <name>-<index>; write "train-v1"`},
		},
		"a name that can't be the Service's": {
			items: []string{head("3d") + "  peers: 2\n  kubernetesVersion: \"1.35\"\n" + smallest},
			want:  []string{`PeerJob 3d: metadata.name: Invalid value: "3d": the name of the Service begins with a digit, which needs Kubernetes 1.36, and spec.kubernetesVersion is "1.35"; choose another name, or set spec.service.name`},
		},
		"a bad Service name": {
			items: []string{head("train") + "  peers: 2\n  service: {name: Peers}\n" + smallest},
			want:  []string{`PeerJob train: spec.service.name: Invalid value: "Peers": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name', or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`},
		},
		"a version of Kubernetes": {
			items: []string{peerJob("a", "peers: 2\nkubernetesVersion: '1.20'"), peerJob("b", "peers: 2\nkubernetesVersion: 1.30"), peerJob("c", "peers: 2\nkubernetesVersion: v1.30.2"), peerJob("d", "peers: 2\nkubernetesVersion: '1.38'")},
			want: []string{
				`PeerJob a: spec.kubernetesVersion: Invalid value: "1.20": must be a minor version from "1.22" to "1.37", such as "1.34"`,
				`PeerJob b: spec.kubernetesVersion: Invalid value: 1.30: must be a string; write "1.30", with the quotes`,
				`PeerJob c: spec.kubernetesVersion: Invalid value: "v1.30.2": must be a minor version from "1.22" to "1.37", such as "1.34"`,
				`PeerJob d: spec.kubernetesVersion: Invalid value: "1.38": must be a minor version from "1.22" to "1.37", such as "1.34"`,
			},
		},
		"what a PeerJob decides itself": {
			items: []string{head("train") + "  peers: 2\n  completions: 2\n  parallelism: 2\n  completionMode: Indexed\n  selector: {}\n  manualSelector: true\n  service: {clusterIP: None, selector: {}}\n" + smallest},
			want: []string{
				`PeerJob train: spec.service.clusterIP: Forbidden: unknown field; the Service of a PeerJob is always headless`,
				`PeerJob train: spec.service.selector: Forbidden: unknown field; the Service of a PeerJob selects the Pods of its Job`,
				`PeerJob train: spec.completionMode: Forbidden: unknown field; the Job of a PeerJob is always Indexed, with spec.peers indexes`,
				`PeerJob train: spec.completions: Forbidden: unknown field; set spec.peers, which becomes the completions and the parallelism of the Job`,
				`PeerJob train: spec.manualSelector: Forbidden: unknown field; the server gives the Job its selector, set only spec.peers`,
				`PeerJob train: spec.parallelism: Forbidden: unknown field; set spec.peers, which becomes the completions and the parallelism of the Job`,
				`PeerJob train: spec.selector: Forbidden: unknown field; the server gives the Job its selector, set only spec.peers`,
			},
		},
		"two PeerJobs of one name": {
			items: []string{peerJob("train", "peers: 2"), peerJob("train", "peers: 3")},
			want:  []string{`PeerJob train: metadata.name: Duplicate value: "train": the list has a PeerJob of this name too; rename one of them`},
		},
		"two PeerJobs on one Service": {
			items: []string{peerJob("a", "peers: 2\nservice: {name: hub}"), peerJob("b", "peers: 2\nservice: {name: hub}"), peerJob("hub", "peers: 2")},
			want: []string{
				`PeerJob b: spec.service.name: Duplicate value: "hub": PeerJob a makes a Service of this name too; give each its own spec.service.name`,
				`PeerJob hub: metadata.name: Duplicate value: "hub": PeerJob a makes a Service of this name too; give each its own spec.service.name`,
			},
		},
		"a Service and a Job of the user's": {
			items: []string{peerJob("train", "peers: 2"), "apiVersion: v1\nkind: Service\nmetadata: {name: train}", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: train}"},
			want: []string{
				`PeerJob train: metadata.name: Duplicate value: "train": the list has a Service of this name that peerjob did not make, and peerjob never overwrites it; remove it, or rename the PeerJob or set spec.service.name`,
				`PeerJob train: metadata.name: Duplicate value: "train": the list has a Job of this name that peerjob did not make, and peerjob never overwrites it; remove it, or rename the PeerJob`,
			},
		},
		"in a v1 List": {
			items: []string{"apiVersion: v1\nkind: List\nitems:\n- kind: Secret\n- apiVersion: peerjob.dev/v1alpha1\n  kind: PeerJob\n  metadata: {name: train}"},
			want:  []string{`List: items[1]: Forbidden: a PeerJob in a list is not expanded; write "train" as a document of its own`},
		},
		"a PeerJobList": {
			items: []string{"apiVersion: peerjob.dev/v1alpha1\nkind: PeerJobList\nitems: []"},
			want:  []string{`PeerJobList: kind: Unsupported value: "PeerJobList": supported values: "PeerJob"`},
		},
		"another version": {
			items: []string{"apiVersion: peerjob.dev/v1\nkind: PeerJob\nmetadata: {name: train}"},
			want:  []string{`PeerJob train: apiVersion: Unsupported value: "peerjob.dev/v1": supported values: "peerjob.dev/v1alpha1"`},
		},
		"selectors of kpt": {
			items: []string{"apiVersion: v1\nkind: Secret\nmetadata: {name: x, annotations: {internal.config.k8s.io/kpt-resource-id: '1'}}"},
			want:  []string{`the function was run with selectors, which hide the objects it made before, so that each render would add them again; remove selectors and exclude from the function in the Kptfile`},
		},
		"the API server's own words": {
			items: []string{pod("{dnsPolicy: Sometimes, restartPolicy: Always, containers: [{name: w, image: x, env: [{name: A, value: b}, {name: '', value: b}], ports: [{name: a, containerPort: 1}, {name: a, containerPort: 70000}], resources: {limits: {cpu: 1x}}, volumeMounts: [{name: data, mountPath: /d}]}]}")},
			want: []string{
				`PeerJob train: spec.template.spec.containers[0].ports[1].name: Duplicate value: "a"`,
				`PeerJob train: spec.template.spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
				`PeerJob train: spec.template.spec.containers[0].env[1].name: Required value: the name of the variable`,
				`PeerJob train: spec.template.spec.containers[0].resources.limits[cpu]: Invalid value: "1x": must be a quantity, such as 500m, 2, 2G or 2Gi`,
				`PeerJob train: spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data": no volume has this name; add it to spec.template.spec.volumes`,
				`PeerJob train: spec.template.spec.restartPolicy: Unsupported value: "Always": supported values: "Never", "OnFailure"`,
				`PeerJob train: spec.template.spec.dnsPolicy: Unsupported value: "Sometimes": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"`,
			},
		},
		"a resource that has requests alone": {
			items: []string{pod("{containers: [{name: w, image: x, resources: {requests: {nvidia.com/gpu: 8}}}]}")},
			want:  []string{`PeerJob train: spec.template.spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources: an extended resource, such as nvidia.com/gpu, or hugepages; write it in limits, too, with the number of requests`},
		},
		"a quantity that takes minutes to read": {
			items: []string{pod("{containers: [{name: w, image: x, resources: {limits: {memory: 1e999999999}}}]}")},
			want:  []string{`PeerJob train: spec.template.spec.containers[0].resources.limits[memory]: Invalid value: "1e999999999": must be a quantity of a size that a machine can have`},
		},
		"a template's own labels and annotations": {
			items: []string{head("train") + "  peers: 2\n  template: {metadata: {labels: {a: -z}, annotations: {x y: z}}, spec: {containers: [{name: w, image: x}]}}\n"},
			want: []string{
				`PeerJob train: spec.template.metadata.labels[a]: Invalid value: "-z": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue', or 'my_value', or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
				`PeerJob train: spec.template.metadata.annotations: Invalid value: "x y": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName', or 'my.name', or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
			},
		},
		"a merge in metadata": {
			items: []string{"apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {<<: {name: train}, labels: {a: b}}\nspec:\n  peers: 2\n" + smallest},
			want:  []string{"PeerJob: metadata.<<: Forbidden: can't be merged into; write the values out"},
		},
		"a List in a List": {
			items: []string{"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - apiVersion: peerjob.dev/v1alpha1\n    kind: PeerJob\n    metadata: {name: train}"},
			want:  []string{`List: items[0].items[0]: Forbidden: a PeerJob in a list is not expanded; write "train" as a document of its own`},
		},
		"no API group, or a wrong one": {
			items: []string{"apiVersion: peerjob.dev\nkind: PeerJob\nmetadata: {name: a}", "kind: PeerJob\nmetadata: {name: b}", "apiVersion: peerjobs.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: c}"},
			want: []string{
				`PeerJob a: apiVersion: Unsupported value: "peerjob.dev": supported values: "peerjob.dev/v1alpha1"`,
				`PeerJob b: apiVersion: Unsupported value: "": supported values: "peerjob.dev/v1alpha1"`,
				`PeerJob c: apiVersion: Unsupported value: "peerjobs.dev/v1alpha1": supported values: "peerjob.dev/v1alpha1"`,
			},
		},
		"errors and a collision": {
			items: []string{peerJob("a", "peers: 0\nservice: {name: hub}"), peerJob("b", "peers: 2\nservice: {name: hub}")},
			want: []string{
				`PeerJob a: spec.peers: Invalid value: 0: must be between 1 and 100000`,
				`PeerJob b: spec.service.name: Duplicate value: "hub": PeerJob a makes a Service of this name too; give each its own spec.service.name`,
			},
		},
		"control characters in a name": {
			items: []string{"apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: \"a\\e[31mred\"}\nspec:\n  peers: 2\n" + smallest},
			want:  []string{"PeerJob a\ufffd[31mred: metadata.name: Invalid value: \"a\\x1b[31mred\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name', or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"},
		},
		"in a file": {
			items: []string{inFile("jobs/train.yaml", "/pkg", strings.Replace(peerJob("train", "peers: 0"), "name: train", "name: train\n  namespace: team-a", 1))},
			want:  []string{`jobs/train.yaml: PeerJob team-a/train: spec.peers: Invalid value: 0: must be between 1 and 100000`},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			input := list(tt.items...)
			stdout, stderr, failed := run(t, input)
			if !failed {
				t.Error("was not refused")
			}
			var want strings.Builder
			for _, line := range tt.want {
				want.WriteString("peerjob: " + line + "\n")
			}
			if diff := cmp.Diff(want.String(), stderr); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(input, withoutResults(stdout)); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			if got := strings.Count(stdout, "\n  severity: error\n"); got != len(tt.want) {
				t.Errorf("%d results, want %d:\n%s", got, len(tt.want), stdout)
			}
		})
	}
}

// TestRun_rejectsInput has input that is no ResourceList. A ResourceList must
// come out all the same, with whatever could be read in it.
func TestRun_rejectsInput(t *testing.T) {
	const empty = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n"
	tests := map[string]struct {
		input, want, items string
	}{
		"empty stdin":             {"", "stdin: is empty: a ResourceList is required", empty},
		"only a comment":          {"# nothing\n", "stdin: is empty: a ResourceList is required", empty},
		"only spaces":             {" \n\n", "stdin: is empty: a ResourceList is required", empty},
		"truncated":               {"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- apiVersion: \"v1", "stdin: yaml: line 4: found unexpected end of stream; line 4 has a quote without an end; write - apiVersion: \"v1\"", empty},
		"binary":                  {"\x7fELF\x02\x01\x01\x00\x00", "stdin: yaml: control characters are not allowed", empty},
		"text":                    {"hello", `stdin: holds no object: one ResourceList is required; to expand plain YAML, run "peerjob expand -"`, "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- hello\n"},
		"a plain PeerJob":         {"kind: PeerJob\nmetadata:\n  name: x\n", `stdin: holds a PeerJob: one ResourceList is required; to expand plain YAML, run "peerjob expand -"`, "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- kind: PeerJob\n  metadata:\n    name: x\n"},
		"two documents":           {"kind: A\n---\nkind: B\n", `stdin: holds 2 documents: one ResourceList is required; to expand plain YAML, run "peerjob expand -"`, "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- kind: A\n- kind: B\n"},
		"a List":                  {"apiVersion: v1\nkind: List\nitems: []\n", `stdin: holds a List: one ResourceList is required; to expand plain YAML, run "peerjob expand -"`, "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- apiVersion: v1\n  kind: List\n  items: []\n"},
		"items of a wrong type":   {"kind: ResourceList\nitems: text\n", "stdin: items: must be a list", empty},
		"an alias of itself":      {"kind: ResourceList\nitems: &a\n- *a\n", "stdin: yaml: line 3: anchor 'a' value contains itself", empty},
		"an alias without anchor": {"kind: ResourceList\nitems:\n- *nothing\n", "stdin: yaml: unknown anchor 'nothing' referenced", empty},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, failed := run(t, tt.input)
			if !failed {
				t.Error("was not refused")
			}
			if diff := cmp.Diff("peerjob: "+tt.want+"\n", stderr); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.items, withoutResults(stdout)); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRun_aliases has YAML anchors and aliases around what the function
// changes. The output must be readable, say what the input said, and be the
// same when it is run again.
func TestRun_aliases(t *testing.T) {
	spec := "\nspec: {peers: 2, template: {spec: {containers: [{name: w, image: x}]}}}"
	head := "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\n"
	tests := map[string]struct{ input, want string }{
		"annotations of another object, too": {
			list(head+"metadata: {name: train, annotations: &a {x: y}}"+spec, "kind: Secret\nmetadata: {name: x, annotations: *a}"),
			"- kind: Secret\n  metadata: {name: x, annotations: {x: y}}\n",
		},
		"an alias of another object's": {
			list("kind: Secret\nmetadata: {name: x, annotations: &a {x: y}}", head+"metadata: {name: train, annotations: *a}"+spec),
			"- kind: Secret\n  metadata: {name: x, annotations: &a {x: y}}\n",
		},
		"annotations of the Service, too": {
			list(head + "metadata: {name: train, annotations: &a {note: keep, config.kubernetes.io/index: '0'}}\nspec: {peers: 2, service: {annotations: *a}, template: {spec: {containers: [{name: w, image: x}]}}}"),
			"    annotations:\n      note: keep\n      peerjob.dev/owner: train\n",
		},
		"the mark itself": {
			list(head + "metadata: {name: train, annotations: {config.kubernetes.io/local-config: &f \"false\", x: *f}}" + spec),
			"annotations: {config.kubernetes.io/local-config: \"true\", x: \"false\"}}",
		},
		"an anchor in the functionConfig": {
			"functionConfig: &a {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\nkind: ResourceList\nitems: [*a]\n",
			"- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n",
		},
		"an anchor in a key that is left out": {
			"extra: &a {kind: A}\nkind: ResourceList\nitems: [*a]\n", "- {kind: A}\n",
		},
		"an anchor in a child that changed": {
			list(head+"metadata: {name: train, labels: {x: c}}"+spec,
				"apiVersion: batch/v1\nkind: Job\nmetadata: {name: train, labels: &l {x: b}, annotations: {peerjob.dev/owner: train}}\nspec: {template: {metadata: {labels: *l}}}"),
			"  kind: Job\n  metadata:\n    name: train\n    labels:\n      x: c\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, failed := run(t, tt.input)
			if failed {
				t.Fatal(stderr)
			}
			if !strings.Contains(stdout, tt.want) {
				t.Errorf("%q is not in it:\n%s", tt.want, stdout)
			}
			again, stderr, failed := run(t, stdout)
			if diff := cmp.Diff(withoutResults(stdout), withoutResults(again)); diff != "" || failed {
				t.Errorf("second run (-once +twice):\n%s\n%s", diff, stderr)
			}
		})
	}
}

// TestRun_deterministic has what Kubernetes finds in the order of a map.
func TestRun_deterministic(t *testing.T) {
	input := list("apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: t, labels: {a: -x, b: -y, c: -z, d: -q}}\nspec: {peers: 1, template: {metadata: {labels: {a: -1, b: -2, c: -3}}, spec: {nodeSelector: {a: -x, b: -y, c: -z, d: -q}, containers: [{name: w, image: x}]}}}")
	first, firstErrs, _ := run(t, input)
	for range 20 {
		if again, errs, _ := run(t, input); again != first || errs != firstErrs {
			t.Fatalf("(-first +again):\n%s", cmp.Diff(firstErrs, errs))
		}
	}
}

func TestRun_acceptsLists(t *testing.T) {
	const want = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n"
	for name, input := range map[string]string{
		"no items":   "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n",
		"null items": "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n",
		"no version": "kind: ResourceList\nitems: []\n",
		"as JSON":    `{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": []}`,
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, failed := run(t, input)
			if failed || stderr != "" {
				t.Errorf("failed: %v, stderr: %s", failed, stderr)
			}
			if diff := cmp.Diff(want, stdout); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRun_keepsEarlierResults(t *testing.T) {
	stdout, _, _ := run(t, list(peerJob("train", "peers: 0"))+"results:\n- message: from another function\n  severity: info\n")
	if !strings.Contains(stdout, "results:\n- message: from another function\n  severity: info\n- message: 'Invalid value: 0") {
		t.Error(stdout)
	}
}
