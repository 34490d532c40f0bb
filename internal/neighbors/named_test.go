// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/internal/rules"
)

// renamed is what kustomize makes of an object under the prefix dev-.
func renamed(object string) string {
	name := strings.Fields(strings.SplitAfter(object, "name: ")[1])[0]
	name = strings.TrimRight(name, ",}")
	return strings.Replace(object, "{name: "+name, "{name: dev-"+name+", annotations: {internal.config.kubernetes.io/previousNames: "+name+", internal.config.kubernetes.io/prefixes: dev-}", 1)
}

const component = "internal.config.kubernetes.io/prefixes: dev-, peerjob.dev/component: dev-}"

func withComponent(list string) string {
	return strings.Replace(list, "internal.config.kubernetes.io/prefixes: dev-}", component, 1)
}

// TestWarn_named has objects that a Pod names and that kustomize has renamed.
func TestWarn_named(t *testing.T) {
	const claim = "      volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], storageClassName: target, resources: {requests: {storage: 1Gi}}}}}}]\n"
	for name, tt := range map[string]struct {
		kind, template, pod string
		field               string
		// part is whether the Component does not help.
		part bool
	}{
		"a PodGroup":                     {"PodGroup", ", annotations: {scheduling.k8s.io/group-name: target}", "", "metadata.annotations[scheduling.k8s.io/group-name]", false},
		"a PodGroup of a field":          {"PodGroup", "", "      schedulingGroup: {podGroupName: target}\n", "spec.schedulingGroup.podGroupName", false},
		"a Queue":                        {"Queue", ", annotations: {scheduling.volcano.sh/queue-name: target}", "", "metadata.annotations[scheduling.volcano.sh/queue-name]", false},
		"a ResourceClaimTemplate":        {"ResourceClaimTemplate", "", "      resourceClaims: [{name: c, resourceClaimTemplateName: target}]\n", "spec.resourceClaims[0].resourceClaimTemplateName", false},
		"a ResourceClaim":                {"ResourceClaim", "", "      resourceClaims: [{name: c, resourceClaimName: target}]\n", "spec.resourceClaims[0].resourceClaimName", false},
		"a RuntimeClass":                 {"RuntimeClass", "", "      runtimeClassName: target\n", "spec.runtimeClassName", false},
		"a StorageClass":                 {"StorageClass", "", claim, "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.storageClassName", false},
		"a source of a claim":            {"PersistentVolumeClaim", "", strings.Replace(claim, "storageClassName: target", "dataSource: {kind: PersistentVolumeClaim, name: target}", 1), "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.dataSource.name", true},
		"a SecretProviderClass":          {"SecretProviderClass", "", "      volumes: [{name: v, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: target}}}]\n", "spec.volumes[0].csi.volumeAttributes[secretProviderClass]", false},
		"a network":                      {"NetworkAttachmentDefinition", ", annotations: {k8s.v1.cni.cncf.io/networks: target}", "", "metadata.annotations[k8s.v1.cni.cncf.io/networks]", false},
		"a network of two":               {"NetworkAttachmentDefinition", ", annotations: {k8s.v1.cni.cncf.io/networks: 'other/target, x, target@eth1'}", "", "metadata.annotations[k8s.v1.cni.cncf.io/networks]", true},
		"a network, as JSON":             {"NetworkAttachmentDefinition", `, annotations: {k8s.v1.cni.cncf.io/networks: '[{"name": "target"}, {"name": "x", "namespace": "target"}]'}`, "", "metadata.annotations[k8s.v1.cni.cncf.io/networks]", true},
		"a network of another namespace": {"NetworkAttachmentDefinition", ", annotations: {k8s.v1.cni.cncf.io/networks: other/target}", "", "", true},
		"a PriorityClass, which kustomize renames by itself": {"PriorityClass", "", "      priorityClassName: target\n", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			train := strings.Replace(peerJobOf("", "", tt.template, "")+tt.pod, "{name: train}", "{name: train }", 1)
			train = renamed(train)
			target := "---\n{apiVersion: example.com/v1, kind: " + tt.kind + ", metadata: {name: target}}\n"
			var want []string
			if tt.field != "" {
				cure := "write dev-target"
				if !tt.part {
					cure = "list peerjob's Component under components:, or " + cure
				}
				want = []string{"spec.template." + tt.field + ": names the " + tt.kind + " target, and it is dev-target now: kustomize renames it there and not here; " + cure}
			}
			said := func(list string) (lines []string) {
				for _, line := range warn(t, list) {
					lines = append(lines, strings.TrimPrefix(line, "PeerJob dev-train: "))
				}
				return lines
			}
			if diff := cmp.Diff(want, said(train+renamed(target))); diff != "" {
				t.Errorf("without the Component (-want +got):\n%s", diff)
			}
			if !tt.part {
				want = nil
			}
			if diff := cmp.Diff(want, said(withComponent(train)+renamed(target))); diff != "" {
				t.Errorf("with the Component (-want +got):\n%s", diff)
			}
			for what, list := range map[string]string{
				"one that was not renamed":           train + target,
				"one that is there, too":             train + renamed(target) + target,
				"one of another variant":             train + strings.Replace(renamed(target), "prefixes: dev-", "prefixes: prod-", 1),
				"one of another kind":                train + strings.Replace(renamed(target), "kind: "+tt.kind, "kind: Widget", 1),
				"a PeerJob that was renamed nowhere": strings.Replace(train, "internal.config.kubernetes.io/previousNames: train, ", "", 1) + renamed(target),
			} {
				if got := said(list); len(got) > 0 {
					t.Errorf("%s: %q", what, got)
				}
			}
		})
	}
}

// TestWarn_queues has the queue of a Job for Kueue, on the PeerJob and on the Job alone.
func TestWarn_queues(t *testing.T) {
	queue := renamed("---\n{apiVersion: kueue.x-k8s.io/v1beta1, kind: LocalQueue, metadata: {name: target}}\n")
	for list, field := range map[string]string{
		strings.Replace(peerJobOf(", labels: {kueue.x-k8s.io/queue-name: target}", "", "", ""), "name: train,", "name: train ,", 1):            "metadata.labels[kueue.x-k8s.io/queue-name]",
		strings.Replace(peerJobOf("", "\n  job: {labels: {kueue.x-k8s.io/queue-name: target}}", "", ""), "{name: train}", "{name: train }", 1): "spec.job.labels[kueue.x-k8s.io/queue-name]",
	} {
		list = renamed(list)
		want := []string{"PeerJob dev-train: " + field + ": names the LocalQueue target, and it is dev-target now: kustomize renames it there and not here; list peerjob's Component under components:, or write dev-target"}
		if diff := cmp.Diff(want, warn(t, list+queue)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := warn(t, withComponent(list)+queue); len(got) > 0 {
			t.Errorf("with the Component: %q", got)
		}
	}
}

// TestWarn_references has objects that name the Job or its Service, which kustomize has
// renamed or which has a hash.
func TestWarn_references(t *testing.T) {
	const (
		instead   = "select a label of spec.template.metadata.labels instead"
		ofYourOwn = "write a Service of your own that selects a label of spec.template.metadata.labels"
		list      = "list peerjob's Component under components:, or write dev-train"
		write     = "write dev-train, or "
	)
	object := func(kind, spec string) string {
		return "{apiVersion: example.com/v1, kind: " + kind + ", metadata: {name: o}, spec: {" + spec + "}}\n"
	}
	core := func(kind, spec string) string {
		return strings.Replace(object(kind, spec), "example.com/v1", "v1", 1)
	}
	for name, tt := range map[string]struct {
		object, field string
		// does and fails are what the object does by the earlier name, and what fails.
		does, fails string
		// helps is whether the Component does.
		helps bool
	}{
		"a Service":                     {core("Service", "selector: {job-name: train}"), "spec.selector[job-name]", "selects the Pods of", "selects", true},
		"a Service by the new label":    {core("Service", "selector: {batch.kubernetes.io/job-name: train}"), "spec.selector[batch.kubernetes.io/job-name]", "selects the Pods of", "selects", true},
		"a PodDisruptionBudget":         {object("PodDisruptionBudget", "selector: {matchLabels: {job-name: train}}"), "spec.selector.matchLabels[job-name]", "selects the Pods of", "selects", true},
		"a PodMonitor":                  {object("PodMonitor", "selector: {matchLabels: {job-name: train}}"), "spec.selector.matchLabels[job-name]", "selects the Pods of", "selects", true},
		"an expression":                 {object("PodDisruptionBudget", "selector: {matchExpressions: [{key: a, operator: Exists}, {key: job-name, operator: In, values: [x, train]}]}"), "spec.selector.matchExpressions[1].values", "selects the Pods of", "selects", false},
		"an expression that leaves out": {object("PodMonitor", "selector: {matchExpressions: [{key: job-name, operator: NotIn, values: [train]}]}"), "spec.selector.matchExpressions[0].values", "leaves out the Pods of", "leaves out", false},
		"a policy of Cilium":            {object("CiliumNetworkPolicy", "endpointSelector: {matchLabels: {'k8s:job-name': train}}"), "spec.endpointSelector.matchLabels[k8s:job-name]", "selects the Pods of", "selects", false},
		"an affinity of a Deployment":   {object("Deployment", "template: {spec: {affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: t, labelSelector: {matchLabels: {job-name: train}}}]}}}}"), "spec.template.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchLabels[job-name]", "selects the Pods of", "selects", false},
		"an Ingress":                    {object("Ingress", "rules: [{http: {paths: [{backend: {service: {name: train}}}]}}]"), "spec.rules[0].http.paths[0].backend.service.name", "", "", true},
		"the default of an Ingress":     {object("Ingress", "defaultBackend: {service: {name: train}}"), "spec.defaultBackend.service.name", "", "", true},
		"a route":                       {object("HTTPRoute", "rules: [{backendRefs: [{name: other}, {name: train, kind: Service}]}]"), "spec.rules[0].backendRefs[1].name", "", "", true},
		"a route that kustomize leaves": {object("UDPRoute", "rules: [{backendRefs: [{name: train}]}]"), "spec.rules[0].backendRefs[0].name", "", "", false},
		"labels, which select nothing":  {object("Deployment", "template: {metadata: {labels: {job-name: train}}}"), "", "", "", false},
		"another Job":                   {core("Service", "selector: {job-name: other}"), "", "", "", false},
		"the Job of today":              {object("PodMonitor", "selector: {matchExpressions: [{key: job-name, operator: In, values: [train, TODAY]}]}"), "", "", "", false},
		"another namespace":             {object("PodMonitor", "namespaceSelector: {matchNames: [other]}, selector: {matchLabels: {job-name: train}}"), "", "", "", false},
		"a route to another namespace":  {object("HTTPRoute", "rules: [{backendRefs: [{name: train, namespace: other}]}]"), "", "", "", false},
		"a route to another kind":       {object("HTTPRoute", "rules: [{backendRefs: [{name: train, kind: Backend}]}]"), "", "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			said := func(list, today string) (lines []string) {
				for _, line := range warn(t, strings.ReplaceAll(list, "TODAY", today)) {
					_, line, _ = strings.Cut(line, ": ")
					lines = append(lines, line)
				}
				return lines
			}
			want := func(today, cure string) []string {
				switch {
				case tt.field == "":
					return nil
				case tt.does == "":
					return []string{tt.field + ": sends traffic to the Service train, and it is " + today + " now: nothing answers; " + cure}
				}
				return []string{tt.field + ": " + tt.does + " the Job train, and the Job is " + today + " now: it " + tt.fails + " none of them; " + cure}
			}
			other := instead
			if tt.does == "" {
				other = ofYourOwn
			}
			train := renamed(strings.Replace(train, "{name: train}", "{name: train }", 1))
			object := "---\n" + renamed(tt.object)
			cure := write + other
			if tt.helps {
				cure = list
			}
			if diff := cmp.Diff(want("dev-train", cure), said(train+object, "dev-train")); diff != "" {
				t.Errorf("without the Component (-want +got):\n%s", diff)
			}
			expected := want("dev-train", write+other)
			if tt.helps {
				expected = nil
			}
			if diff := cmp.Diff(expected, said(withComponent(train)+object, "dev-train")); diff != "" {
				t.Errorf("with the Component (-want +got):\n%s", diff)
			}
			hashed := peerJobOf("", "\n  nameSuffixHash: Enabled", "", "")
			today := "train-" + hashOf(t, hashed)
			if diff := cmp.Diff(want(today, other), said(hashed+"---\n"+tt.object, today)); diff != "" {
				t.Errorf("with a hash (-want +got):\n%s", diff)
			}
			for what, list := range map[string]string{
				"of another variant":            train + strings.Replace(object, "prefixes: dev-", "prefixes: prod-", 1),
				"of a PeerJob with that name":   peerJobOf("", "", "", "") + "---\n" + tt.object,
				"of another Job with that name": train + object + "---\n{apiVersion: batch/v1, kind: Job, metadata: {name: train}}\n---\n{apiVersion: v1, kind: Service, metadata: {name: train}}\n",
			} {
				if got := said(list, "dev-train"); len(got) > 0 {
					t.Errorf("%s: %q", what, got)
				}
			}
		})
	}
}

// hashOf is the hash in the name of the Job of a PeerJob.
func hashOf(t *testing.T, list string) string {
	t.Helper()
	line := warn(t, list+"---\n{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selector: {job-name: train}}}\n")[0]
	_, rest, _ := strings.Cut(line, "the Job is train-")
	hash, _, _ := strings.Cut(rest, " ")
	return hash
}

// TestWarn_oldLabel has a server whose Pods lack the label of today.
func TestWarn_oldLabel(t *testing.T) {
	service := "---\n{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: o}, spec: {selector: {matchLabels: {batch.kubernetes.io/job-name: train}}}}\n"
	older := func(version string) string { return peerJobOf("", "\n  kubernetesVersion: '"+version+"'", "", "") }
	want := []string{`PodDisruptionBudget o: spec.selector.matchLabels[batch.kubernetes.io/job-name]: selects by batch.kubernetes.io/job-name, and the Pods have that label from Kubernetes 1.27 on, and spec.kubernetesVersion is "1.26": it selects none of them; write job-name`}
	if diff := cmp.Diff(want, warn(t, older("1.26")+service)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, list := range []string{older("1.27") + service, train + service, older("1.26") + strings.Replace(service, "batch.kubernetes.io/", "", 1)} {
		if got := warn(t, list); len(got) > 0 {
			t.Errorf("%q", got)
		}
	}
}

// TestRenames holds what the function takes for the work of the Component to what its
// configuration says.
func TestRenames(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "kustomize", "configuration.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var configuration struct {
		NameReference []struct {
			Kind       string `yaml:"kind"`
			FieldSpecs []struct {
				Kind string `yaml:"kind"`
				Path string `yaml:"path"`
			} `yaml:"fieldSpecs"`
		} `yaml:"nameReference"`
	}
	if err := yaml.Unmarshal(data, &configuration); err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	known := map[string]bool{}
	for _, reference := range configuration.NameReference {
		for _, spec := range reference.FieldSpecs {
			if spec.Kind == "PeerJob" {
				known[reference.Kind] = true
			}
			path := spec.Path
			for _, label := range []string{`/batch.kubernetes.io\/job-name`, "/job-name", `/peerjob.dev\/group`} {
				path = strings.TrimSuffix(path, label)
			}
			path = strings.ReplaceAll(path, "/", ".")
			if reference.Kind == "PeerJob" && spec.Kind != "Workload" && !slices.Contains(got[spec.Kind], path) {
				got[spec.Kind] = append(got[spec.Kind], path)
			}
		}
	}
	if diff := cmp.Diff(got, renames); diff != "" {
		t.Errorf("(-configuration +renames):\n%s", diff)
	}
	for _, kind := range rules.NamedKinds {
		if !known[kind] && kind != "VolumeSnapshot" {
			t.Errorf("the Component renames no %s in a PeerJob", kind)
		}
	}
}
