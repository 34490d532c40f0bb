// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// rich is a PeerJob with everything that peerjob adds something to.
const rich = `
metadata: {name: train, labels: {a: b}}
spec:
  peers: 3
  service: {labels: {svc: s}}
  job: {annotations: {job: j}}
  files: [{path: /etc/one, content: a}, {path: /etc/two, content: b, containers: [w, i]}]
  framework: {type: DeepSpeed, containers: [w]}
  template:
    spec:
      volumes: [{name: mine, emptyDir: {}}]
      initContainers: [{name: i, image: x, env: [{name: A}]}]
      containers:
      - name: w
        image: x
        ports: [{containerPort: 80}]
        volumeMounts: [{name: mine, mountPath: /mine}]
        env: [{name: PEERJOB_SIZE, value: "3"}, {name: B}, {name: C}]
      - {name: other, image: x, args: ["$(PEERJOB_UID)"]}
`

// objectsOf are the objects of a PeerJob by their kind; "Files" and "Peers" are the
// ConfigMaps.
func objectsOf(t *testing.T, text string) map[string]origin.Object {
	t.Helper()
	all := map[string]origin.Object{}
	for _, object := range Group(peerjob.NewGroup(read(t, text), "")) {
		kind := object.GetObjectKind().GroupVersionKind().Kind
		switch {
		case strings.Contains(object.GetName(), "-files-"):
			kind = "Files"
		case strings.Contains(object.GetName(), "-peers-"):
			kind = "Peers"
		}
		all[kind] = object
	}
	return all
}

// TestGroup_origins says for fields of the objects which field of the PeerJob a person has
// to change when the server refuses them.
func TestGroup_origins(t *testing.T) {
	objects := objectsOf(t, rich)
	for object, want := range map[string]string{
		"Service metadata.name":                  "metadata.name",
		"Service metadata.labels[a]":             "metadata.labels[a]",
		"Service metadata.labels[svc]":           "spec.service.labels[svc]",
		"Service spec.selector[job-name]":        "metadata.name",
		"Service spec.ports[0].port":             "spec.template.spec.containers[0].ports[0].containerPort",
		"Service spec.ports[1].port":             "spec.framework",
		"Service spec.ipFamilies":                "spec.service.ipFamilies",
		"Files data":                             "spec.files",
		"Peers data":                             "spec.framework",
		"Job metadata.annotations[job]":          "spec.job.annotations[job]",
		"Job spec.completions":                   "spec.peers",
		"Job spec.parallelism":                   "spec.peers",
		"Job spec.backoffLimit":                  "spec.backoffLimit",
		"Job spec.template.spec.subdomain":       "metadata.name",
		"Job spec.template.spec.restartPolicy":   "spec.template.spec.restartPolicy",
		"Job spec.template.spec.volumes[0].name": "spec.template.spec.volumes[0].name",
		"Job spec.template.spec.volumes[1].name": "spec.framework",
		"Job spec.template.spec.volumes[2].name": "spec.files",
		// The peers' seven variables, then the framework's two, then the user's.
		"Job spec.template.spec.containers[0].env[0].name":  "spec.peerEnv",
		"Job spec.template.spec.containers[0].env[6].name":  "spec.peerEnv",
		"Job spec.template.spec.containers[0].env[7].name":  "spec.framework",
		"Job spec.template.spec.containers[0].env[8].name":  "spec.framework",
		"Job spec.template.spec.containers[0].env[9].name":  "spec.template.spec.containers[0].env[1].name",
		"Job spec.template.spec.containers[0].env[10].name": "spec.template.spec.containers[0].env[2].name",
		// The container that speaks of PEERJOB_UID has one more.
		"Job spec.template.spec.containers[1].env[7].name":               "spec.peerEnv",
		"Job spec.template.spec.initContainers[0].env[6].name":           "spec.peerEnv",
		"Job spec.template.spec.initContainers[0].env[7].name":           "spec.template.spec.initContainers[0].env[0].name",
		"Job spec.template.spec.initContainers[0].image":                 "spec.template.spec.initContainers[0].image",
		"Job spec.template.spec.containers[0].volumeMounts[0].mountPath": "spec.template.spec.containers[0].volumeMounts[0].mountPath",
		"Job spec.template.spec.containers[0].volumeMounts[1].mountPath": "spec.framework",
		"Job spec.template.spec.containers[0].volumeMounts[2].mountPath": "spec.files[0].path",
		"Job spec.template.spec.containers[0].volumeMounts[3].mountPath": "spec.files[1].path",
		"Job spec.template.spec.containers[1].volumeMounts[0].mountPath": "spec.files[0].path",
		"Job spec.template.spec.initContainers[0].volumeMounts[0].name":  "spec.files[1].path",
	} {
		kind, path, _ := strings.Cut(object, " ")
		if got := objects[kind].Origins.Of(path, nil); got != want {
			t.Errorf("%s comes from %s, want %s", object, got, want)
		}
	}
	hub := objectsOf(t, strings.Replace(rich, "service: {", "service: {name: hub, ports: [{port: 1}], ", 1))
	for object, want := range map[string]string{
		"Service metadata.name": "spec.service.name", "Service spec.ports[0].port": "spec.service.ports[0].port", "Service spec.ports[1].port": "spec.framework",
		"Job spec.template.spec.subdomain": "spec.service.name", "Job metadata.name": "metadata.name",
	} {
		kind, path, _ := strings.Cut(object, " ")
		if got := hub[kind].Origins.Of(path, nil); got != want {
			t.Errorf("with a name of its own, %s comes from %s, want %s", object, got, want)
		}
	}
}

// TestGroup_files has where the files are: in every container that gets them, read-only.
func TestGroup_files(t *testing.T) {
	objects := objectsOf(t, rich)
	files := objects["Files"].Object.(*corev1.ConfigMap)
	if diff := cmp.Diff(map[string]string{"0-one": "a", "1-two": "b"}, files.Data); diff != "" || files.Immutable == nil || !*files.Immutable || files.Annotations["peerjob.dev/owner"] != "train" {
		t.Errorf("the ConfigMap is %+v\n%s", files, diff)
	}
	_, job := pair(read(t, rich))
	pod := &job.Spec.Template.Spec
	want := map[string]string{"i": "/etc/two=1-two", "w": "/etc/one=0-one /etc/two=1-two", "other": "/etc/one=0-one"}
	got := map[string]string{}
	for _, containers := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
		for _, c := range containers {
			var mounts []string
			for _, m := range c.VolumeMounts {
				if m.Name == filesVolume {
					mounts = append(mounts, m.MountPath+"="+m.SubPath)
					if !m.ReadOnly {
						t.Errorf("%s can write %s", c.Name, m.MountPath)
					}
				}
			}
			got[c.Name] = strings.Join(mounts, " ")
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mounts (-want +got):\n%s", diff)
	}
	if last := pod.Volumes[len(pod.Volumes)-1]; last.ConfigMap == nil || last.ConfigMap.Name != files.Name {
		t.Errorf("the volume is %+v, and the ConfigMap %s", last, files.Name)
	}
}
