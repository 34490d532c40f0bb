// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// patchedTemplate is the Pod template that every patch of TestPatches changes.
const patchedTemplate = `
metadata:
  labels: {app: train, tier: batch}
  annotations: {note: base}
  finalizers: [example.com/one]
spec:
  restartPolicy: Never
  serviceAccountName: trainer
  nodeSelector: {disk: ssd, zone: a}
  tolerations:
  - {key: gpu, operator: Exists, effect: NoSchedule}
  - {key: spot, operator: Exists}
  imagePullSecrets: [{name: registry}, {name: mirror}]
  hostAliases:
  - {ip: 10.0.0.1, hostnames: [one.example.com]}
  - {ip: 10.0.0.2, hostnames: [two.example.com]}
  topologySpreadConstraints:
  - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}
  securityContext: {runAsUser: 1000, supplementalGroups: [1, 2], sysctls: [{name: net.core.somaxconn, value: "1024"}]}
  dnsConfig: {searches: [a.example.com], options: [{name: ndots, value: "2"}]}
  affinity:
    nodeAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
      - {weight: 1, preference: {matchExpressions: [{key: a, operator: Exists}]}}
  readinessGates: [{conditionType: example.com/ready}]
  initContainers:
  - name: fetch
    image: example.com/fetch:1
    args: [--from=here]
    env: [{name: URL, value: http://here}, {name: TRIES, value: "3"}]
    volumeMounts: [{name: data, mountPath: /data}]
  - name: unpack
    image: example.com/unpack:1
  containers:
  - name: worker
    image: example.com/train:1
    command: [python, train.py]
    args: [--epochs=1, --lr=0.1]
    workingDir: /src
    env:
    - {name: LEVEL, value: info}
    - {name: TOKEN, valueFrom: {secretKeyRef: {name: token, key: value}}}
    - {name: SEED, value: "1"}
    envFrom: [{configMapRef: {name: settings}}]
    ports:
    - {name: rendezvous, containerPort: 29500}
    - {name: metrics, containerPort: 9090, protocol: TCP}
    resources: {limits: {memory: 1Gi, nvidia.com/gpu: 1}, requests: {cpu: 1}}
    volumeMounts:
    - {name: data, mountPath: /data}
    - {name: shm, mountPath: /dev/shm}
    volumeDevices: [{name: block, devicePath: /dev/xvda}]
    readinessProbe: {httpGet: {path: /ready, port: 9090, httpHeaders: [{name: A, value: b}]}, periodSeconds: 5}
    lifecycle: {preStop: {exec: {command: [sleep, "1"]}}}
    securityContext: {capabilities: {drop: [ALL]}}
  - name: log
    image: example.com/log:1
    args: [--follow]
  ephemeralContainers: [{name: debug, image: example.com/debug:1}]
  volumes:
  - {name: data, persistentVolumeClaim: {claimName: data}}
  - {name: shm, emptyDir: {medium: Memory}}
  - {name: block, persistentVolumeClaim: {claimName: block}}
  - name: all
    projected:
      sources:
      - configMap: {name: settings, items: [{key: a, path: a}]}
`

// templatePatches are patches of a Pod template: a strategic-merge patch of the
// template, or a JSON patch where it starts with "- ".
var templatePatches = []struct{ name, patch string }{
	{"image of one container", `spec: {containers: [{name: worker, image: "example.com/train:2"}]}`},
	{"image of both containers", `spec: {containers: [{name: log, image: "example.com/log:2"}, {name: worker, image: "example.com/train:2"}]}`},
	{"one variable changed", `spec: {containers: [{name: worker, env: [{name: LEVEL, value: debug}]}]}`},
	{"one variable added", `spec: {containers: [{name: worker, env: [{name: NEW, value: "1"}]}]}`},
	{"variable from a Secret becomes a value", `spec: {containers: [{name: worker, env: [{name: TOKEN, value: none, valueFrom: null}]}]}`},
	{"variable removed", `spec: {containers: [{name: worker, env: [{name: SEED, $patch: delete}]}]}`},
	{"environment replaced", `spec: {containers: [{name: worker, env: [{$patch: replace}, {name: ONLY, value: "1"}]}]}`},
	{"variable added to a container without any", `spec: {containers: [{name: log, env: [{name: LEVEL, value: debug}]}]}`},
	{"envFrom replaced", `spec: {containers: [{name: worker, envFrom: [{secretRef: {name: other}}]}]}`},
	{"command and args replaced", `spec: {containers: [{name: worker, command: [torchrun], args: [train.py]}]}`},
	{"command removed", `spec: {containers: [{name: worker, command: null}]}`},
	{"port changed by its number", `spec: {containers: [{name: worker, ports: [{containerPort: 9090, name: prometheus, protocol: TCP}]}]}`},
	{"port added", `spec: {containers: [{name: worker, ports: [{containerPort: 8080, name: http, protocol: TCP}]}]}`},
	{"same port over UDP", `spec: {containers: [{name: worker, ports: [{containerPort: 9090, name: udp, protocol: UDP}]}]}`},
	{"port removed", `spec: {containers: [{name: worker, ports: [{containerPort: 9090, protocol: TCP, $patch: delete}]}]}`},
	{"limit changed", `spec: {containers: [{name: worker, resources: {limits: {memory: 2Gi}}}]}`},
	{"limit removed", `spec: {containers: [{name: worker, resources: {limits: {nvidia.com/gpu: null}}}]}`},
	{"mount changed by its path", `spec: {containers: [{name: worker, volumeMounts: [{mountPath: /data, name: data, readOnly: true}]}]}`},
	{"mount added", `spec: {containers: [{name: worker, volumeMounts: [{mountPath: /all, name: all}]}]}`},
	{"mount removed", `spec: {containers: [{name: worker, volumeMounts: [{mountPath: /dev/shm, $patch: delete}]}]}`},
	{"device changed by its path", `spec: {containers: [{name: worker, volumeDevices: [{devicePath: /dev/xvda, name: other}]}]}`},
	{"probe changed", `spec: {containers: [{name: worker, readinessProbe: {periodSeconds: 1}}]}`},
	{"probe header replaced", `spec: {containers: [{name: worker, readinessProbe: {httpGet: {httpHeaders: [{name: B, value: c}]}}}]}`},
	{"probe of another kind", `spec: {containers: [{name: worker, readinessProbe: {httpGet: null, tcpSocket: {port: 9090}}}]}`},
	{"capabilities replaced", `spec: {containers: [{name: worker, securityContext: {capabilities: {add: [IPC_LOCK]}}}]}`},
	{"lifecycle removed", `spec: {containers: [{name: worker, lifecycle: {$patch: delete}}]}`},
	{"container added", `spec: {containers: [{name: sidecar, image: "example.com/sidecar:1"}]}`},
	{"container removed", `spec: {containers: [{name: log, $patch: delete}]}`},
	{"containers replaced", `spec: {containers: [{$patch: replace}, {name: only, image: "example.com/only:1"}]}`},
	{"order of containers", `spec: {$setElementOrder/containers: [{name: log}, {name: worker}], containers: [{name: worker, image: "example.com/train:2"}]}`},
	{"order of variables", `spec: {containers: [{name: worker, $setElementOrder/env: [{name: SEED}, {name: LEVEL}, {name: TOKEN}], env: [{name: LEVEL, value: debug}]}]}`},
	{"one init container changed", `spec: {initContainers: [{name: fetch, image: "example.com/fetch:2", env: [{name: TRIES, value: "5"}]}]}`},
	{"init container added", `spec: {initContainers: [{name: chown, image: "example.com/chown:1"}]}`},
	{"init container removed", `spec: {initContainers: [{name: unpack, $patch: delete}]}`},
	{"ephemeral container changed", `spec: {ephemeralContainers: [{name: debug, image: "example.com/debug:2"}]}`},
	{"volume added", `spec: {volumes: [{name: cache, emptyDir: {}}]}`},
	{"volume of another source", `spec: {volumes: [{name: data, persistentVolumeClaim: null, emptyDir: {}}]}`},
	{"volumes replaced", `spec: {volumes: [{$patch: replace}, {name: only, hostPath: {path: /data}}]}`},
	{"volume removed", `spec: {volumes: [{name: shm, $patch: delete}]}`},
	{"volume source keeps its other fields", `spec: {volumes: [{name: shm, emptyDir: {sizeLimit: 1Gi}}]}`},
	{"projected sources replaced", `spec: {volumes: [{name: all, projected: {sources: [{secret: {name: token}}]}}]}`},
	{"tolerations replaced", `spec: {tolerations: [{key: only, operator: Exists}]}`},
	{"tolerations emptied", `spec: {tolerations: []}`},
	{"node selector merged", `spec: {nodeSelector: {zone: b, arch: arm64}}`},
	{"node selector entry removed", `spec: {nodeSelector: {disk: null}}`},
	{"node selector replaced", `spec: {nodeSelector: {$patch: replace, arch: arm64}}`},
	{"pull secret added", `spec: {imagePullSecrets: [{name: third}]}`},
	{"pull secret removed", `spec: {imagePullSecrets: [{name: mirror, $patch: delete}]}`},
	{"host alias changed by its address", `spec: {hostAliases: [{ip: 10.0.0.2, hostnames: [other.example.com]}]}`},
	{"spread constraint added", `spec: {topologySpreadConstraints: [{maxSkew: 2, topologyKey: host, whenUnsatisfiable: DoNotSchedule}]}`},
	{"spread constraint changed by its key", `spec: {topologySpreadConstraints: [{maxSkew: 5, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]}`},
	{"security context merged", `spec: {securityContext: {fsGroup: 5, supplementalGroups: [3], sysctls: [{name: net.ipv4.tcp_syncookies, value: "1"}]}}`},
	{"DNS replaced", `spec: {dnsConfig: {searches: [b.example.com], options: [{name: timeout, value: "1"}]}}`},
	{"affinity replaced", `spec: {affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 9, preference: {matchExpressions: [{key: b, operator: Exists}]}}]}}}`},
	{"affinity of Pods added", `spec: {affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: host}]}}}`},
	{"readiness gates replaced", `spec: {readinessGates: [{conditionType: example.com/other}]}`},
	{"scalars", `spec: {restartPolicy: OnFailure, priorityClassName: high, serviceAccountName: null, hostNetwork: true}`},
	{"a field of today's servers", `spec: {resourceClaims: [{name: gpu, resourceClaimTemplateName: gpu}], schedulingGates: [{name: example.com/gate}]}`},
	{"labels and annotations", `metadata: {labels: {tier: null, team: a}, annotations: {note: changed, more: "1"}}`},
	{"finalizers merged", `metadata: {finalizers: [example.com/two]}`},
	{"everything at once", `{metadata: {labels: {team: a}}, spec: {tolerations: [{key: only}], volumes: [{name: cache, emptyDir: {}}], initContainers: [{name: fetch, args: [--from=there]}], containers: [{name: worker, env: [{name: LEVEL, value: debug}], ports: [{containerPort: 8080}], volumeMounts: [{mountPath: /cache, name: cache}]}, {name: log, $patch: delete}]}}`},
	{"JSON patch of a field", `- {op: replace, path: /spec/template/spec/containers/0/image, value: "example.com/train:3"}`},
	{"JSON patch of a list", `- {op: add, path: /spec/template/spec/containers/0/args/-, value: --more}`},
	{"JSON patch that removes", `- {op: remove, path: /spec/template/spec/tolerations/0}`},
}

// TestPatches holds patches of a PeerJob's Pod template to what the real kustomize
// makes of the same patches of a Job. All are built at once.
func TestPatches(t *testing.T) {
	dir := kustomizeFolder(t)
	kinds := map[string]string{"Job": "batch/v1", "PeerJob": "peerjob.dev/v1alpha1"}
	var folders []string
	for i, tt := range templatePatches {
		name := fmt.Sprintf("case-%d", i)
		folders = append(folders, name)
		var objects, patches []any
		for _, kind := range []string{"Job", "PeerJob"} {
			header := map[string]any{"apiVersion": kinds[kind], "kind": kind, "metadata": map[string]any{"name": name}}
			objects = append(objects, withTemplate(t, header, patchedTemplate))
			if strings.HasPrefix(tt.patch, "- ") {
				patches = append(patches, map[string]any{"target": map[string]any{"kind": kind}, "patch": tt.patch})
			} else {
				patches = append(patches, map[string]any{"patch": toYAML(t, withTemplate(t, header, tt.patch))})
			}
		}
		writeYAML(t, filepath.Join(dir, name, "objects.yaml"), objects...)
		writeYAML(t, filepath.Join(dir, name, "kustomization.yaml"), map[string]any{
			"resources": []string{"objects.yaml"}, "components": []string{"../kustomize"}, "patches": patches,
		})
	}
	writeYAML(t, filepath.Join(dir, "kustomization.yaml"), map[string]any{"resources": folders})

	templates := map[string]any{} // by kind and name
	for _, object := range build(t, dir) {
		templates[object["kind"].(string)+" "+nameOf(object)] = object["spec"].(map[string]any)["template"]
	}
	var base any
	if err := yaml.Unmarshal([]byte(patchedTemplate), &base); err != nil {
		t.Fatal(err)
	}
	for i, tt := range templatePatches {
		want, got := templates["Job "+folders[i]], templates["PeerJob "+folders[i]]
		if want == nil || got == nil {
			t.Fatalf("%s: an object is missing", tt.name)
		}
		if cmp.Equal(want, base) {
			t.Errorf("%s: the patch changes nothing", tt.name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: a patch of the Job and of the PeerJob (-Job +PeerJob):\n%s", tt.name, diff)
		}
	}
}

// TestPatches_otherKinds holds the Component to leaving the patches of other kinds
// as they are: built in or not, and in a layer that has no PeerJob.
func TestPatches_otherKinds(t *testing.T) {
	const objects = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec: {template: {spec: {containers: [{name: one, image: x, env: [{name: A, value: a}]}, {name: two, image: x}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {ports: [{port: 80, name: http}, {port: 443, name: https}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: a}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: one, image: x}, {name: two, image: x}]}}}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: a}
secrets: [{name: one}, {name: two}]
`
	const foreign = `
apiVersion: example.com/v1
kind: Trainer
metadata: {name: a}
spec: {containers: [{name: one, image: x}, {name: two, image: x}], template: {spec: {containers: [{name: one, image: x}, {name: two, image: x}]}}}
`
	patches := []any{
		patchOf(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template: {spec: {containers: [{name: one, env: [{name: B, value: b}]}]}}}}`),
		patchOf(`{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 443, name: tls}]}}`),
		patchOf(`{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: two, image: "y"}]}}}}}}`),
		patchOf(`{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}, secrets: [{name: three}]}`),
	}
	foreignPatch := patchOf(`{apiVersion: example.com/v1, kind: Trainer, metadata: {name: a}, spec: {containers: [{name: two, image: "y"}], template: {spec: {containers: [{name: two, image: "y"}]}}}}`)

	for name, layer := range map[string]struct {
		objects string
		patches []any
	}{
		"built in":     {objects, patches},
		"not built in": {objects + "---" + foreign, append(patches[:len(patches):len(patches)], foreignPatch)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := kustomizeFolder(t)
			built := map[string][]map[string]any{}
			for folder, components := range map[string][]string{"plain": nil, "component": {"../kustomize", "../kustomize"}} {
				writeFile(t, filepath.Join(dir, folder, "objects.yaml"), layer.objects)
				writeYAML(t, filepath.Join(dir, folder, "kustomization.yaml"), map[string]any{
					"resources": []string{"objects.yaml"}, "components": components, "patches": layer.patches,
				})
				built[folder] = build(t, filepath.Join(dir, folder))
			}
			if diff := cmp.Diff(built["plain"], built["component"]); diff != "" {
				t.Errorf("without and with the Component (-without +with):\n%s", diff)
			}
		})
	}
}

// TestPatches_servicePorts holds a patch of spec.service.ports to one of a Service.
func TestPatches_servicePorts(t *testing.T) {
	dir := kustomizeFolder(t)
	writeFile(t, filepath.Join(dir, "objects.yaml"), `
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {ports: [{port: 80, name: http}, {port: 443, name: https}]}
---
apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata: {name: a}
spec: {service: {ports: [{port: 80, name: http}, {port: 443, name: https}]}}
`)
	writeYAML(t, filepath.Join(dir, "kustomization.yaml"), map[string]any{
		"resources": []string{"objects.yaml"}, "components": []string{"kustomize"}, "patches": []any{
			patchOf(`{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 443, name: tls}, {port: 9000, name: more}]}}`),
			patchOf(`{apiVersion: peerjob.dev/v1alpha1, kind: PeerJob, metadata: {name: a}, spec: {service: {ports: [{port: 443, name: tls}, {port: 9000, name: more}]}}}`),
		},
	})
	ports := map[string]any{}
	for _, object := range build(t, dir) {
		spec := object["spec"].(map[string]any)
		if object["kind"] == "PeerJob" {
			spec = spec["service"].(map[string]any)
		}
		ports[object["kind"].(string)] = spec["ports"]
	}
	if diff := cmp.Diff(ports["Service"], ports["PeerJob"]); diff != "" {
		t.Errorf("a patch of the Service and of the PeerJob (-Service +PeerJob):\n%s", diff)
	}
	if got := len(ports["Service"].([]any)); got != 3 {
		t.Errorf("the patched Service has %d ports, want 3", got)
	}
}

// kustomizeFolder returns a folder with the Component in it, and skips the test
// where kustomize can't be built.
func kustomizeFolder(t *testing.T) string {
	t.Helper()
	needsTool(t, "kustomize")
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "kustomize"), os.DirFS(filepath.Join(repository(t), "kustomize"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// build runs the real kustomize and returns the objects that it prints.
func build(t *testing.T, dir string) []map[string]any {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.Command(filepath.Join(repository(t), "bin", "tools", "kustomize"), "build", dir)
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
	}
	var objects []map[string]any
	for _, document := range strings.Split(string(stdout), "\n---\n") {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		objects = append(objects, object)
	}
	return objects
}

// withTemplate returns an object with this header and this Pod template.
func withTemplate(t *testing.T, header map[string]any, template string) map[string]any {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(template), &value); err != nil {
		t.Fatalf("%v\n%s", err, template)
	}
	object := map[string]any{"spec": map[string]any{"template": value}}
	for key, v := range header {
		object[key] = v
	}
	return object
}

func nameOf(object map[string]any) string {
	return object["metadata"].(map[string]any)["name"].(string)
}

func patchOf(text string) map[string]any { return map[string]any{"patch": text} }

func toYAML(t *testing.T, object any) string {
	t.Helper()
	text, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// writeYAML writes documents to a file.
func writeYAML(t *testing.T, path string, documents ...any) {
	t.Helper()
	var text []string
	for _, document := range documents {
		text = append(text, toYAML(t, document))
	}
	writeFile(t, path, strings.Join(text, "---\n"))
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
