// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"strings"
	"testing"
)

// TestFiles mounts files from an immutable ConfigMap that is named by what is in it.
func TestFiles(t *testing.T) {
	const pj = `apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata: {name: train}
spec:
  peers: 2
  templating: Enabled
  values: {port: 8050}
  files: FILES
  template:
    spec:
      initContainers: [{name: prepare, image: x}]
      containers: [{name: w, image: x}, {name: logs, image: x, volumeMounts: [{name: own, mountPath: /own}, {name: own, mountPath: /slash/}, {name: own, mountPath: /deep/er}]}]
      volumes: [{name: own, emptyDir: {}}]
`
	const broker = `[{path: /etc/flux/broker.toml, content: "{{ range .Peers }}{{ .Host }}:{{ $.Values.port }}\n{{ end }}"}]`
	const mount = "- name: peerjob-files readOnly: true mountPath: /etc/flux/broker.toml subPath: 0-broker.toml"
	oneLine := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	nameOf := func(output string) string {
		_, after, _ := strings.Cut(output, "name: train-files-")
		return "train-files-" + strings.Fields(after)[0]
	}
	expand := func(t *testing.T, files string) string {
		t.Helper()
		stdout, stderr, failed := run(t, list(strings.Replace(pj, "FILES", files, 1)))
		if failed {
			t.Fatal(stderr)
		}
		if again, _, _ := run(t, stdout); again != stdout {
			t.Errorf("second run:\n%s", again)
		}
		return oneLine(stdout)
	}
	output := expand(t, broker)
	for _, want := range []string{
		"immutable: true data: 0-broker.toml: | train-0.train:8050 train-1.train:8050",
		"- name: own mountPath: /deep/er " + mount,
		"- name: peerjob-files configMap: name: " + nameOf(output),
	} {
		if !strings.Contains(output, want) {
			t.Errorf("want %s in\n%s", want, output)
		}
	}
	if strings.Count(output, mount) != 2 {
		t.Errorf("the init container has the file:\n%s", output)
	}
	if other := expand(t, strings.Replace(broker, "8050", "8051", 1)); nameOf(other) != nameOf(output) {
		t.Error("the name changes with what is not in the file")
	}
	if other := expand(t, strings.Replace(broker, "\\n", "\\n\\n", 1)); nameOf(other) == nameOf(output) {
		t.Error("the name does not change with the content")
	}
	if other := expand(t, strings.Replace(broker, "}]", ", containers: [prepare]}]", 1)); strings.Count(other, mount) != 1 || strings.Index(other, mount) > strings.Index(other, " containers: - name: w") {
		t.Errorf("want the file in the init container alone:\n%s", other)
	}

	big := `"{{ repeat 262144 \"x\" }}"`
	for files, want := range map[string]string{
		`[{content: a}]`:                               "spec.files[0].path: Required value: where the containers find the file",
		`[{path: a/b}]`:                                `spec.files[0].path: Invalid value: "a/b": must be an absolute path`,
		`[{path: /a/../b}]`:                            `spec.files[0].path: Invalid value: "/a/../b": must be an absolute path`,
		`[{path: /a}, {path: /a}]`:                     `spec.files[1].path: Duplicate value: "/a"`,
		`[{path: /own/x}, {path: /own/x/}]`:            `spec.files[1].path: Invalid value: "/own/x/": must be an absolute path`,
		`[{path: /slash}]`:                             `spec.files[0].path: Invalid value: "/slash": must not be where the container logs mounts the volume own (/slash/); choose another path`,
		`[{path: /deep}]`:                              `spec.files[0].path: Invalid value: "/deep": must not be above /deep/er, where the container logs mounts the volume own: a file has no folders`,
		`[{path: /proc/x}]`:                            `spec.files[0].path: Invalid value: "/proc/x": must not be in /proc or /sys, where no file can be made: the container would never start; choose another path`,
		`[{path: /sys}]`:                               `spec.files[0].path: Invalid value: "/sys": must not be in /proc or /sys`,
		`[{path: "/a\0"}]`:                             `must not contain a NUL byte`,
		`[{path: /` + strings.Repeat("x", 256) + `}]`:  `spec.files[0].path: Too long: Linux has no file name of more than 255 bytes, and no path of more than 4095; choose a shorter one`,
		`[{path: ` + strings.Repeat("/x", 2048) + `}]`: `spec.files[0].path: Too long`,
		`[{path: /own}]`:                               `spec.files[0].path: Invalid value: "/own": must be unique`,
		`[{path: /a, containers: [x]}]`:                `spec.files[0].containers[0]: Unsupported value: "x": supported values: "prepare", "w", "logs"`,
		`[{path: /a, content: "{{ .Nope }}"}]`:         `spec.files[0].content: Invalid value: "{{ .Nope }}": template: line 1, column 4: . has no "Nope"`,
		`[{path: /a, contnet: a}]`:                     `spec.files[0].contnet: Forbidden: unknown field; did you mean "content"?`,
		"[" + strings.Repeat("{path: /a, content: "+big+"},", 5) + "]": "spec.files: Too long",
	} {
		for i := 0; strings.Contains(files, "content: "+big) && strings.Contains(files, "/a,"); i++ {
			files = strings.Replace(files, "/a,", "/f"+string(rune('0'+i))+",", 1)
		}
		_, stderr, failed := run(t, list(strings.Replace(pj, "FILES", files, 1)))
		if !failed || !strings.Contains(stderr, want) {
			t.Errorf("%.80s: got %s\nwant %s", files, stderr, want)
		}
	}
}

// TestUID sets PEERJOB_UID in the containers that use it, before what uses it.
func TestUID(t *testing.T) {
	const pj = `apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata: {name: train}
spec:
  peers: 2
  template:
    spec:
      containers:
      - {name: w, image: x, env: [{name: RUN, value: "run-$(PEERJOB_UID)"}]}
      - {name: plain, image: x}
      - {name: own, image: x, args: [$(PEERJOB_UID)], env: [{name: PEERJOB_UID, value: a}]}
`
	stdout, stderr, failed := run(t, list(pj))
	if failed || strings.Contains(stderr, "PEERJOB_UID") {
		t.Fatal(stderr)
	}
	output := strings.Join(strings.Fields(stdout), " ")
	const want = "- name: PEERJOB_UID valueFrom: fieldRef: fieldPath: metadata.labels['controller-uid'] - name: RUN value: run-$(PEERJOB_UID)"
	if !strings.Contains(output, want) || strings.Count(output, "controller-uid") != 1 {
		t.Errorf("want once %s in\n%s", want, stdout)
	}
}

// TestFiles_warned has files that the runtime probably can't make.
func TestFiles_warned(t *testing.T) {
	const pj = `apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata: {name: train}
spec:
  peers: 2
  files: FILES
  template:
    spec:
      initContainers: [{name: i, image: x}]
      containers: [{name: w, image: x, volumeMounts: [{name: c, mountPath: /etc/app/}, {name: e, mountPath: /data}, {name: p, mountPath: /sets, readOnly: true}]}]
      volumes: [{name: c, configMap: {name: c}}, {name: e, emptyDir: {}}, {name: p, persistentVolumeClaim: {claimName: p}}]
`
	const readOnly = "PeerJob train: spec.files[0].path: the container w mounts the volume "
	for files, want := range map[string]string{
		"[{path: /etc/app/a.toml}]":                       readOnly + "c read-only at /etc/app/: it never starts unless the volume has a file a.toml, over which this one goes; choose a path outside of it",
		"[{path: /sets/a/b}]":                             readOnly + "p read-only at /sets: it never starts unless the volume has a file a/b",
		"[{path: /etc/app/a.toml, containers: [i]}]":      "",
		"[{path: /etc/application.toml}]":                 "",
		"[{path: /data/a}]":                               "",
		"[{path: /dev/foo}]":                              "spec.files[0].path: /dev/foo is among the devices",
		"[{path: /dev/shm/foo}]":                          "",
		"[{path: /etc/resolv.conf}, {path: /etc/hosts2}]": "spec.files[0].path: it takes the place of what the kubelet writes",
		"[{path: /etc/hosts}]":                            "spec.files[0].path: it takes the place of what the kubelet writes, with localhost",
	} {
		_, stderr, failed := run(t, list(strings.Replace(pj, "FILES", files, 1)))
		if failed || want == "" && stderr != "" || strings.Count(stderr, "\n") > 1 || !strings.Contains(stderr, want) {
			t.Errorf("%s: %s\nwant %s", files, stderr, want)
		}
	}
}
