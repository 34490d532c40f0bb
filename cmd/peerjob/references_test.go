// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// nameReferences are references in a Pod template to the object "target" of a kind.
// Those that kustomize does not rename in a Job stay in a PeerJob, too.
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
	{"ServiceAccount by its old name", `spec: {serviceAccount: target}`, true},
	{"PersistentVolumeClaim", `spec: {volumes: [{name: v, persistentVolumeClaim: {claimName: target}}]}`, false},
	{"PriorityClass", `spec: {priorityClassName: target}`, false},
	{"Secret of a CSI volume", `spec: {volumes: [{name: v, csi: {driver: x, nodePublishSecretRef: {name: target}}}]}`, true},
	{"Secret of a Ceph volume", `spec: {volumes: [{name: v, cephfs: {monitors: [m], secretRef: {name: target}}}]}`, true},
	{"RuntimeClass", `spec: {runtimeClassName: target}`, true},
	{"ResourceClaimTemplate", `spec: {resourceClaims: [{name: c, resourceClaimTemplateName: target}]}`, true},
	{"source of a claim", `spec: {volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {dataSource: {kind: PersistentVolumeClaim, name: target}}}}}]}`, true},
	{"StorageClass of a claim", `spec: {volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: target}}}}]}`, true},
	{"ConfigMap in env of an ephemeral container", `spec: {ephemeralContainers: [{name: e, envFrom: [{configMapRef: {name: target}}]}]}`, true},
}

// TestNameReferences holds the names in a PeerJob's Pod template, after a namePrefix of
// the real kustomize, to those in a Job's. All are built at once.
func TestNameReferences(t *testing.T) {
	dir := kustomizeFolder(t)
	kinds := map[string]string{"Job": "batch/v1", "PeerJob": "peerjob.dev/v1alpha1"}
	var objects []any
	for _, target := range []struct{ apiVersion, kind string }{
		{"v1", "ConfigMap"}, {"v1", "Secret"}, {"v1", "ServiceAccount"}, {"v1", "PersistentVolumeClaim"}, {"scheduling.k8s.io/v1", "PriorityClass"},
		{"node.k8s.io/v1", "RuntimeClass"}, {"resource.k8s.io/v1", "ResourceClaimTemplate"}, {"storage.k8s.io/v1", "StorageClass"},
	} {
		objects = append(objects, map[string]any{"apiVersion": target.apiVersion, "kind": target.kind, "metadata": map[string]any{"name": "target"}})
	}
	for i, tt := range nameReferences {
		for kind, apiVersion := range kinds {
			header := map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": fmt.Sprintf("case-%d", i)}}
			objects = append(objects, withTemplate(t, header, tt.template))
		}
	}
	writeYAML(t, filepath.Join(dir, "objects.yaml"), objects...)
	writeYAML(t, filepath.Join(dir, "kustomization.yaml"), map[string]any{
		"namePrefix": "dev-", "resources": []string{"objects.yaml"}, "components": []string{"kustomize"},
	})
	templates := map[string]any{} // by kind and name
	for _, object := range build(t, dir) {
		if spec, ok := object["spec"].(map[string]any); ok {
			templates[object["kind"].(string)+" "+nameOf(object)] = spec["template"]
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
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the names in the Job and in the PeerJob (-Job +PeerJob):\n%s", tt.name, diff)
		}
	}
}
