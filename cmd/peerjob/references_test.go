// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// nameReferences are references in a Pod template to the object "target" of a kind.
// Those that kustomize does not rename in a Job, with the Component, stay in a PeerJob, too.
var nameReferences = []struct {
	name, template string
	// stays is whether kustomize leaves the name of a Job's as it is.
	stays bool
}{
	{"ConfigMap in env", `spec: {containers: [{name: w, env: [{name: A, valueFrom: {configMapKeyRef: {name: target, key: a}}}]}]}`, false},
	{"ConfigMap in env of an init container", `spec: {initContainers: [{name: i, env: [{name: A, valueFrom: {configMapKeyRef: {name: target, key: a}}}]}]}`, false},
	{"ConfigMap in envFrom", `spec: {containers: [{name: w, envFrom: [{configMapRef: {name: target}}]}]}`, false},
	{"ConfigMap in envFrom of an init container", `spec: {initContainers: [{name: i, envFrom: [{configMapRef: {name: target}}]}]}`, false},
	{"ConfigMap in a volume", `spec: {volumes: [{name: v, configMap: {name: target}}]}`, false},
	{"ConfigMap in a projected volume", `spec: {volumes: [{name: v, projected: {sources: [{configMap: {name: target}}]}}]}`, false},
	{"Secret in env", `spec: {containers: [{name: w, env: [{name: A, valueFrom: {secretKeyRef: {name: target, key: a}}}]}]}`, false},
	{"Secret in env of an init container", `spec: {initContainers: [{name: i, env: [{name: A, valueFrom: {secretKeyRef: {name: target, key: a}}}]}]}`, false},
	{"Secret in envFrom", `spec: {containers: [{name: w, envFrom: [{secretRef: {name: target}}]}]}`, false},
	{"Secret in envFrom of an init container", `spec: {initContainers: [{name: i, envFrom: [{secretRef: {name: target}}]}]}`, false},
	{"Secret in a volume", `spec: {volumes: [{name: v, secret: {secretName: target}}]}`, false},
	{"Secret in a projected volume", `spec: {volumes: [{name: v, projected: {sources: [{secret: {name: target}}]}}]}`, false},
	{"Secret of a registry", `spec: {imagePullSecrets: [{name: target}]}`, false},
	{"ServiceAccount", `spec: {serviceAccountName: target}`, false},
	{"ServiceAccount by its old name", `spec: {serviceAccount: target}`, false},
	{"PersistentVolumeClaim", `spec: {volumes: [{name: v, persistentVolumeClaim: {claimName: target}}]}`, false},
	{"PriorityClass", `spec: {priorityClassName: target}`, false},
	{"Secret of a CSI volume", `spec: {volumes: [{name: v, csi: {driver: x, nodePublishSecretRef: {name: target}}}]}`, false},
	{"Secret of a Ceph volume", `spec: {volumes: [{name: v, cephfs: {monitors: [m], secretRef: {name: target}}}]}`, false},
	{"RuntimeClass", `spec: {runtimeClassName: target}`, false},
	{"ResourceClaimTemplate", `spec: {resourceClaims: [{name: c, resourceClaimTemplateName: target}]}`, false},
	{"ResourceClaim", `spec: {resourceClaims: [{name: c, resourceClaimName: target}]}`, false},
	{"Secret of an Azure volume", `spec: {volumes: [{name: v, azureFile: {shareName: s, secretName: target}}]}`, false},
	{"Secret of an RBD volume", `spec: {volumes: [{name: v, rbd: {monitors: [m], image: i, secretRef: {name: target}}}]}`, false},
	{"Secret of an iSCSI volume", `spec: {volumes: [{name: v, iscsi: {targetPortal: p, iqn: i, lun: 0, secretRef: {name: target}}}]}`, false},
	{"Secret of a volume of a plugin", `spec: {volumes: [{name: v, flexVolume: {driver: d, secretRef: {name: target}}}]}`, false},
	{"SecretProviderClass", `spec: {volumes: [{name: v, csi: {driver: x, volumeAttributes: {secretProviderClass: target}}}]}`, false},
	{"PodGroup of the scheduler plugins", `metadata: {labels: {scheduling.x-k8s.io/pod-group: target}}`, false},
	{"PodGroup of the scheduler plugins, before", `metadata: {labels: {pod-group.scheduling.sigs.k8s.io: target}}`, false},
	{"PodGroup of the scheduler plugins, before that", `metadata: {labels: {pod-group.scheduling.sigs.k8s.io/name: target}}`, false},
	{"PodGroup of Volcano", `metadata: {annotations: {scheduling.k8s.io/group-name: target}}`, false},
	{"PodGroup of Volcano, by its own key", `metadata: {annotations: {scheduling.volcano.sh/group-name: target}}`, false},
	{"PodGroup of Kubernetes", `spec: {schedulingGroup: {podGroupName: target}}`, false},
	{"Queue of Volcano", `metadata: {annotations: {scheduling.volcano.sh/queue-name: target}}`, false},
	{"network", `metadata: {annotations: {k8s.v1.cni.cncf.io/networks: target}}`, false},
	{"networks", `metadata: {annotations: {k8s.v1.cni.cncf.io/networks: "target, other"}}`, true},
	{"source of a claim", `spec: {volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {dataSource: {kind: PersistentVolumeClaim, name: target}}}}}]}`, true},
	{"StorageClass of a claim", `spec: {volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: target}}}}]}`, false},
	{"ConfigMap in env of an ephemeral container", `spec: {ephemeralContainers: [{name: e, envFrom: [{configMapRef: {name: target}}]}]}`, true},
}

// TestNameReferences holds the names in a PeerJob's Pod template, after a namePrefix of
// the real kustomize, to those in a Job's. All are built at once.
func TestNameReferences(t *testing.T) {
	dir := kustomizeFolder(t)
	kinds := map[string]string{"Job": "batch/v1", "PeerJob": "peerjob.dev/v1alpha1"}
	const ofRole = "-of-a-role"
	var objects []any
	for _, target := range []struct{ apiVersion, kind string }{
		{"v1", "ConfigMap"}, {"v1", "Secret"}, {"v1", "ServiceAccount"}, {"v1", "PersistentVolumeClaim"}, {"scheduling.k8s.io/v1", "PriorityClass"},
		{"node.k8s.io/v1", "RuntimeClass"}, {"resource.k8s.io/v1", "ResourceClaimTemplate"}, {"storage.k8s.io/v1", "StorageClass"},
		{"resource.k8s.io/v1", "ResourceClaim"}, {"secrets-store.csi.x-k8s.io/v1", "SecretProviderClass"}, {"scheduling.x-k8s.io/v1alpha1", "PodGroup"},
		{"scheduling.volcano.sh/v1beta1", "Queue"}, {"k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition"},
	} {
		objects = append(objects, map[string]any{"apiVersion": target.apiVersion, "kind": target.kind, "metadata": map[string]any{"name": "target"}})
	}
	for i, tt := range nameReferences {
		for kind, apiVersion := range kinds {
			header := map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": fmt.Sprintf("case-%d", i)}}
			objects = append(objects, withTemplate(t, header, tt.template))
		}
		header := map[string]any{"apiVersion": kinds["PeerJob"], "kind": "PeerJob", "metadata": map[string]any{"name": fmt.Sprintf("case-%d", i) + ofRole}}
		template := withTemplate(t, map[string]any{}, tt.template)["spec"].(map[string]any)["template"]
		header["spec"] = map[string]any{"roles": []any{map[string]any{"name": "first"}, map[string]any{"name": "second", "template": template}}}
		objects = append(objects, header)
	}
	writeYAML(t, filepath.Join(dir, "objects.yaml"), objects...)
	writeYAML(t, filepath.Join(dir, "kustomization.yaml"), map[string]any{
		"namePrefix": "dev-", "resources": []string{"objects.yaml"}, "components": []string{"kustomize"},
	})
	templates := map[string]any{} // by kind and name
	for _, object := range build(t, dir) {
		if spec, ok := object["spec"].(map[string]any); ok {
			templates[object["kind"].(string)+" "+nameOf(object)] = spec["template"]
			if roles, ok := spec["roles"].([]any); ok {
				templates[object["kind"].(string)+" "+nameOf(object)] = roles[1].(map[string]any)["template"]
			}
		}
	}
	for i, tt := range nameReferences {
		want, got := templates[fmt.Sprintf("Job dev-case-%d", i)], templates[fmt.Sprintf("PeerJob dev-case-%d", i)]
		if want == nil || got == nil {
			t.Fatalf("%s: an object is missing", tt.name)
		}
		if renamed := strings.Contains(toYAML(t, want), "dev-target"); renamed == tt.stays {
			t.Errorf("%s: kustomize renames that of a Job: %t", tt.name, renamed)
		}
		if diff := cmp.Diff(want, templates[fmt.Sprintf("PeerJob dev-case-%d", i)+ofRole]); diff != "" {
			t.Errorf("%s: the names in the Job and in the role of a PeerJob (-Job +role):\n%s", tt.name, diff)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the names in the Job and in the PeerJob (-Job +PeerJob):\n%s", tt.name, diff)
		}
	}
}

// jobReferences are fields of other objects with the name of a Job or of a PeerJob, and
// those that name one of another kind.
var jobReferences = []struct {
	name, object string
	// stays is whether kustomize leaves the name as it is.
	stays bool
}{
	{"Service", `{apiVersion: v1, kind: Service, spec: {selector: {job-name: target}}}`, false},
	{"Service by the label of today", `{apiVersion: v1, kind: Service, spec: {selector: {batch.kubernetes.io/job-name: target}}}`, false},
	{"Service by another label", `{apiVersion: v1, kind: Service, spec: {selector: {app: target}}}`, true},
	{"NetworkPolicy", `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, spec: {podSelector: {matchLabels: {job-name: target}}}}`, false},
	{"NetworkPolicy for what comes in", `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, spec: {ingress: [{from: [{podSelector: {matchLabels: {batch.kubernetes.io/job-name: target}}}]}]}}`, false},
	{"NetworkPolicy for what goes out", `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, spec: {egress: [{to: [{podSelector: {matchLabels: {job-name: target}}}]}]}}`, false},
	{"NetworkPolicy by an expression", `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, spec: {podSelector: {matchExpressions: [{key: job-name, operator: In, values: [target]}]}}}`, true},
	{"PodDisruptionBudget", `{apiVersion: policy/v1, kind: PodDisruptionBudget, spec: {selector: {matchLabels: {job-name: target}}}}`, false},
	{"PodMonitor", `{apiVersion: monitoring.coreos.com/v1, kind: PodMonitor, spec: {selector: {matchLabels: {job-name: target}}}}`, false},
	{"Workload", `{apiVersion: scheduling.k8s.io/v1beta1, kind: Workload, spec: {controllerRef: {apiGroup: batch, kind: Job, name: target}}}`, false},
}

// TestJobReferences holds what selects Pods by the name of their Job to that name, after a
// namePrefix of the real kustomize: for a Job, and for a PeerJob, whose Job a function makes.
func TestJobReferences(t *testing.T) {
	for kind, apiVersion := range map[string]string{"Job": "batch/v1", "PeerJob": "peerjob.dev/v1alpha1"} {
		t.Run(kind, func(t *testing.T) {
			dir := kustomizeFolder(t)
			objects := []any{map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": "target"}}}
			for i, tt := range jobReferences {
				object := map[string]any{}
				if err := yaml.Unmarshal([]byte(tt.object), &object); err != nil {
					t.Fatal(err)
				}
				object["metadata"] = map[string]any{"name": fmt.Sprintf("case-%d", i)}
				objects = append(objects, object)
			}
			writeYAML(t, filepath.Join(dir, "objects.yaml"), objects...)
			writeYAML(t, filepath.Join(dir, "kustomization.yaml"), map[string]any{
				"namePrefix": "dev-", "resources": []string{"objects.yaml"}, "components": []string{"kustomize"},
			})
			built := map[string]string{}
			for _, object := range build(t, dir) {
				built[nameOf(object)] = toYAML(t, object["spec"])
			}
			for i, tt := range jobReferences {
				got := built[fmt.Sprintf("dev-case-%d", i)]
				if !strings.Contains(got, "target") || strings.Contains(got, "dev-target") == tt.stays {
					t.Errorf("%s: it stays: %t\n%s", tt.name, tt.stays, got)
				}
			}
		})
	}
}
