// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/decode"
)

// group reads a PeerJob with a runner: more fields of its spec, and those of its Pods.
func group(t *testing.T, spec, pod string) *Group {
	t.Helper()
	text := "metadata: {name: train}\nspec:\n  peers: 3\n" + spec + "\n  template: {spec: {" + pod + "}}\n"
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	pj, errs := decode.PeerJob(document.Content[0], nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	v1alpha1.Default(pj, v1alpha1.Settings{RunnerImage: "runner:v1"})
	return NewGroup(pj, "")
}

const (
	startBarrier = "  barrier: {start: Enabled}"
	endBarrier   = "  barrier: {end: Enabled}"
	bothBarriers = "  barrier: {start: Enabled, end: Enabled}"
	one          = "containers: [{name: w, image: x, command: [a]}]"
)

// byVolume is the delivery without an init container.
const byVolume = "\n  runner: {delivery: ImageVolume}"

// affinity is a Pod whose nodes must have a label.
func affinity(expression string) string {
	return "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [" + expression + "]}]}}}, " + one
}

// with is a container with more fields.
func with(fields string) string {
	return "containers: [{name: w, image: x, command: [a], " + fields + "}]"
}

// TestValidate_runner has every field of a container and of a Pod that can stand in the
// way of a runner, and some that can't.
func TestValidate_runner(t *testing.T) {
	const container = "spec.template.spec.containers[0]."
	tests := map[string]struct {
		spec, pod string
		// want are the beginnings of the errors, or parts of them behind "...".
		want []string
	}{
		"valid":                               {bothBarriers, one, nil},
		"off":                                 {"  barrier: {start: Disabled, startTimeoutSeconds: 0}", "containers: [{name: w, image: x}, {name: v, image: x}]", nil},
		"a port out of range":                 {startBarrier + "\n  runner: {port: 80}", one, []string{"spec.runner.port: Invalid value: 80: must be between 1024 and 65535"}},
		"wrong, and off":                      {"  runner: {port: 0, delivery: Image}", one, []string{"spec.runner.port: Invalid value: 0: ", `spec.runner.delivery: Unsupported value: "Image": supported values: "InitContainer", "ImageVolume"`}},
		"resources without an init container": {startBarrier + "\n  runner: {delivery: ImageVolume, resources: {}}", one, []string{"spec.runner.resources: Forbidden: "}},
		"the name of a Secret":                {startBarrier + "\n  runner: {keySecretName: A_b}", one, []string{`spec.runner.keySecretName: Invalid value: "A_b": `}},

		"an image with a space":    {startBarrier + "\n  runner: {image: 'x '}", one, []string{`spec.runner.image: Invalid value: "x ": must not begin or end with a space`}},
		"the image of peerjob":     {startBarrier + "\n  runner: {image: 'ghcr.io/peerjob/peerjob:v1'}", one, []string{`...is the image of peerjob`}},
		"by its digest":            {startBarrier + "\n  runner: {image: 'localhost:5000/peerjob/peerjob@sha256:00'}", one, []string{`...is the image of peerjob`}},
		"an image of another name": {startBarrier + "\n  runner: {image: 'localhost:5000/my-peerjob/peerjob'}", one, nil},

		"several containers":             {startBarrier, "containers: [{name: w, image: x, command: [a]}, {name: v, image: x}]", []string{`spec.runner.container: Required value: the Pod has several containers; name the one whose command the runner starts, of w and v`}},
		"the one that is named":          {startBarrier + "\n  runner: {container: v}", "containers: [{name: w, image: x}, {name: v, image: x, command: [a]}]", nil},
		"a name like another":            {startBarrier + "\n  runner: {container: workr}", "containers: [{name: worker, image: x}, {name: v, image: x}]", []string{`spec.runner.container: Unsupported value: "workr": supported values: "worker", "v"`}},
		"an init container":              {startBarrier + "\n  runner: {container: i}", "initContainers: [{name: i, image: x}], " + one, []string{`spec.runner.container: Invalid value: "i": is an init container`}},
		"sidecars do not count":          {startBarrier, "initContainers: [{name: i, image: x, restartPolicy: Always}], " + one, nil},
		"no container":                   {startBarrier, "containers: []", nil},
		"a wrong name and one container": {startBarrier + "\n  runner: {container: v}", one, []string{"spec.runner.container: Unsupported value: "}},

		"no command":           {startBarrier, "containers: [{name: w, image: 'example.com/x:1'}]", []string{container + `command: Required value: ... "crane config example.com/x:1" or "docker inspect example.com/x:1" shows its Entrypoint and Cmd: write the Entrypoint as command, and the Cmd as args`}},
		"args alone":           {endBarrier, "containers: [{name: w, image: x, args: [a]}]", []string{container + "command: Required value: ...shows its Entrypoint: write that"}},
		"an empty command":     {endBarrier, "containers: [{name: w, image: x, command: []}]", []string{container + "command: Required value"}},
		"of another container": {startBarrier + "\n  runner: {container: v}", "containers: [{name: w, image: x, args: [b]}, {name: v, image: x, command: [a]}]", nil},

		"postStart with start":        {startBarrier + byVolume, with("lifecycle: {postStart: {exec: {command: [a]}}}"), []string{container + "lifecycle.postStart: Forbidden: ...set spec.runner.delivery to InitContainer"}},
		"postStart, by a container":   {startBarrier, with("lifecycle: {postStart: {exec: {command: [a]}}}"), nil},
		"postStart, and one of yours": {startBarrier + byVolume, "initContainers: [{name: i, image: x}], " + with("lifecycle: {postStart: {exec: {command: [a]}}}"), nil},
		"postStart, on the host":      {startBarrier + byVolume, "hostNetwork: true, " + with("lifecycle: {postStart: {exec: {command: [a]}}}"), nil},
		"postStart that asks it":      {startBarrier, with("lifecycle: {postStart: {httpGet: {port: 80}}}"), []string{container + "lifecycle.postStart.httpGet: Forbidden: "}},
		"postStart that asks others":  {startBarrier, with("lifecycle: {postStart: {httpGet: {port: 80, host: example.com}}}"), nil},
		"postStart, a sleep":          {startBarrier + byVolume, with("lifecycle: {postStart: {exec: {command: [sh, -c, sleep 5]}}}"), nil},
		"postStart that sleeps":       {startBarrier, with("lifecycle: {postStart: {sleep: {seconds: 1}}}"), nil},
		"postStart with the end":      {endBarrier, with("lifecycle: {postStart: {exec: {command: [a]}}}"), nil},
		"preStop and a stop signal":   {bothBarriers, with("lifecycle: {preStop: {exec: {command: [a]}}, stopSignal: SIGINT}"), nil},
		"postStart of another":        {startBarrier + "\n  runner: {container: w}", "containers: [{name: w, image: x, command: [a]}, {name: v, image: x, lifecycle: {postStart: {exec: {command: [a]}}}}]", nil},
		"a short grace period":        {endBarrier, "terminationGracePeriodSeconds: 1, " + one, nil},
		"restartPolicy OnFailure":     {bothBarriers, "restartPolicy: OnFailure, " + one, nil},
		"stdin, a tty and much else":  {bothBarriers, with("stdin: true, stdinOnce: true, tty: true, workingDir: /src, terminationMessagePolicy: FallbackToLogsOnError, securityContext: {readOnlyRootFilesystem: true, privileged: true}, envFrom: [{configMapRef: {name: a}}]"), nil},

		"a startup probe that is too short":     {startBarrier, with("startupProbe: {httpGet: {port: 80}}"), []string{container + "startupProbe.failureThreshold: Required value: the probe can kill a peer after 20 s, while it waits for the others (spec.barrier.startTimeoutSeconds is 600); set it to at least 61"}},
		"a startup probe that is one too short": {startBarrier, with("startupProbe: {exec: {command: [a]}, failureThreshold: 60}"), []string{container + "startupProbe.failureThreshold: Invalid value: 60: the probe can kill a peer after 590 s, "}},
		"a startup probe that is long enough":   {startBarrier, with("startupProbe: {exec: {command: [a]}, failureThreshold: 61}, livenessProbe: {exec: {command: [a]}}"), nil},
		"a delay that is long enough":           {startBarrier, with("livenessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 580}"), nil},
		"a liveness probe":                      {startBarrier, with("livenessProbe: {httpGet: {port: 80}, periodSeconds: 7}"), []string{container + "startupProbe: Required value: the livenessProbe can kill a peer after 14 s, ...add a startupProbe of the same kind, with periodSeconds 7 and a failureThreshold of at least 87: the livenessProbe waits for it"}},
		"a short wait":                          {"  barrier: {start: Enabled, startTimeoutSeconds: 20}", with("livenessProbe: {httpGet: {port: 80}}"), nil},
		"a wait without limit":                  {"  barrier: {start: Enabled, startTimeoutSeconds: 0}", with("startupProbe: {httpGet: {port: 80}, failureThreshold: 10000}"), []string{container + "startupProbe.failureThreshold: Invalid value: 10000: the probe can kill a peer after 99990 s, ...: no number is enough"}},
		"a liveness probe, without limit":       {"  barrier: {start: Enabled, startTimeoutSeconds: 0}", with("livenessProbe: {httpGet: {port: 80}}"), []string{container + "livenessProbe.failureThreshold: Required value: the probe can kill a peer after 20 s, ...remove the probe"}},
		"a container that restarts of itself":   {endBarrier, with("restartPolicy: OnFailure, livenessProbe: {httpGet: {port: 80}}"), []string{container + "livenessProbe.failureThreshold: "}},
		"a container that does not":             {endBarrier, "restartPolicy: OnFailure, " + with("restartPolicy: Never, livenessProbe: {httpGet: {port: 80}}"), nil},
		"a probe that never gives up":           {"  barrier: {start: Enabled, startTimeoutSeconds: 0}", with("startupProbe: {httpGet: {port: 80}, failureThreshold: 2147483647}"), nil},
		"a readiness probe":                     {bothBarriers, with("readinessProbe: {httpGet: {port: 80}}"), nil},
		"probes with the end alone":             {endBarrier, with("startupProbe: {httpGet: {port: 80}}, livenessProbe: {httpGet: {port: 80}}"), nil},
		"a command that would run again":        {endBarrier, "restartPolicy: OnFailure, " + with("livenessProbe: {httpGet: {port: 80}}"), []string{container + "livenessProbe.failureThreshold: Required value: the kubelet can run a command again ...at least 4"}},
		"a command that would not":              {endBarrier, "restartPolicy: OnFailure, " + with("livenessProbe: {httpGet: {port: 80}, failureThreshold: 4}"), nil},
		"a probe of the runner":                 {startBarrier, with("livenessProbe: {tcpSocket: {port: 7450}}"), nil},
		"a probe of another host":               {startBarrier, with("livenessProbe: {httpGet: {port: 80, host: example.com}}"), nil},
		"a probe of this host":                  {startBarrier, with("livenessProbe: {httpGet: {port: 80, host: localhost}}"), []string{container + "startupProbe: Required"}},
		"a probe of a sidecar":                  {startBarrier, "initContainers: [{name: s, image: x, restartPolicy: Always, ports: [{containerPort: 80}]}], " + with("livenessProbe: {grpc: {port: 80}}"), nil},
		"a probe of its own port":               {startBarrier, "initContainers: [{name: s, image: x, restartPolicy: Always, ports: [{containerPort: 80}]}], " + with("ports: [{containerPort: 80}], livenessProbe: {tcpSocket: {port: 80}}"), []string{container + "startupProbe: Required"}},
		"a probe of another container":          {startBarrier + "\n  runner: {container: w}", "containers: [{name: w, image: x, command: [a]}, {name: v, image: x, livenessProbe: {httpGet: {port: 80}}}]", nil},

		"a container of its name":              {startBarrier, "initContainers: [{name: peerjob-runner-install, image: x}], " + one, []string{`spec.template.spec.initContainers[0].name: Invalid value: "peerjob-runner-install": is a container of spec.runner; choose another name`}},
		"a container of its name, not there":   {startBarrier + "\n  runner: {delivery: ImageVolume}", "initContainers: [{name: peerjob-runner-install, image: x}], " + one, nil},
		"its port":                             {startBarrier, with("ports: [{containerPort: 7450}]"), []string{`spec.runner.port: Invalid value: 7450: is a port of container "w", too; choose another`}},
		"the port of a sidecar":                {startBarrier + "\n  runner: {port: 9000}", "initContainers: [{name: s, image: x, restartPolicy: Always, ports: [{containerPort: 9000}]}], " + one, []string{`spec.runner.port: Invalid value: 9000: is a port of container "s", too`}},
		"the same number over UDP":             {startBarrier, with("ports: [{containerPort: 7450, protocol: UDP}]"), nil},
		"its volume":                           {startBarrier, "volumes: [{name: peerjob-runner-key, emptyDir: {}}, {name: peerjob-runner, emptyDir: {}}], " + one, []string{`spec.template.spec.volumes[1].name: Invalid value: "peerjob-runner": is a volume of spec.runner; choose another name`}},
		"the volume of the key":                {startBarrier + "\n  runner: {keySecretName: k}", "volumes: [{name: peerjob-runner-key, emptyDir: {}}], " + one, []string{`spec.template.spec.volumes[0].name: Invalid value: "peerjob-runner-key": `}},
		"mounts where it is":                   {startBarrier, with("volumeMounts: [{name: v, mountPath: /peerjob/}, {name: v, mountPath: /peerjob/a}, {name: v, mountPath: peerjob}, {name: v, mountPath: /peerjob-key}, {name: v, mountPath: /peerjobs}]"), []string{container + `volumeMounts[0].mountPath: Invalid value: "/peerjob/": is where spec.runner mounts what it needs, /peerjob; choose another path`, container + "volumeMounts[1].mountPath: ", container + "volumeMounts[2].mountPath: "}},
		"a mount where the key is":             {startBarrier + "\n  runner: {keySecretName: k}", with("volumeMounts: [{name: v, mountPath: /peerjob-key/..//peerjob-key}]"), []string{container + `volumeMounts[0].mountPath: `}},
		"a device":                             {startBarrier, with("volumeDevices: [{name: v, devicePath: /peerjob}]"), []string{container + `volumeDevices[0].devicePath: `}},
		"a file":                               {startBarrier + "\n  files: [{path: /peerjob/a, content: a}]", one, []string{`spec.files[0].path: Invalid value: "/peerjob/a": `}},
		"the working directory":                {startBarrier, with("workingDir: /peerjob"), []string{container + "workingDir: "}},
		"the termination message":              {startBarrier, with("terminationMessagePath: /peerjob/log"), []string{container + "terminationMessagePath: "}},
		"a program":                            {startBarrier, "containers: [{name: w, image: x, command: [/peerjob/train]}]", []string{container + "command[0]: "}},
		"mounts of another container":          {startBarrier + "\n  runner: {container: w}", "containers: [{name: w, image: x, command: [a]}, {name: v, image: x, volumeMounts: [{name: v, mountPath: /peerjob}]}]", nil},
		"Windows":                              {startBarrier, "os: {name: windows}, nodeSelector: {kubernetes.io/os: windows}, " + one, []string{`spec.template.spec.os.name: Invalid value: "windows": the runner of spec.barrier is a program for Linux`, `spec.template.spec.nodeSelector[kubernetes.io/os]: Invalid value: "windows": `}},
		"Linux":                                {startBarrier, "os: {name: linux}, nodeSelector: {kubernetes.io/os: linux, a: windows}, " + one, nil},
		"Windows by affinity":                  {startBarrier, "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/os, operator: In, values: [windows]}]}]}}}, " + one, []string{`spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution: Forbidden: wants other nodes: the runner of spec.barrier is a program for Linux`}},
		"Windows or Linux by affinity":         {startBarrier, "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/os, operator: In, values: [windows]}]}, {matchExpressions: [{key: a, operator: Exists}]}]}}}, " + one, nil},
		"not Linux":                            {startBarrier, affinity("{key: kubernetes.io/os, operator: NotIn, values: [linux]}"), []string{`spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution: Forbidden: wants other nodes: the runner of spec.barrier is a program for Linux`}},
		"not Windows":                          {startBarrier, affinity("{key: kubernetes.io/os, operator: NotIn, values: [windows]}"), nil},
		"another architecture":                 {startBarrier, "nodeSelector: {kubernetes.io/arch: s390x}, " + one, []string{`spec.template.spec.nodeSelector[kubernetes.io/arch]: Invalid value: "s390x": the runner of spec.barrier is a program for amd64 and arm64; remove spec.barrier, or let the Pods run on one of these`}},
		"its architecture":                     {startBarrier, "nodeSelector: {kubernetes.io/arch: arm64, beta.kubernetes.io/arch: amd64}, " + one, nil},
		"another architecture by affinity":     {startBarrier, affinity("{key: kubernetes.io/arch, operator: In, values: [ppc64le, s390x]}"), []string{`spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution: Forbidden: ...a program for amd64 and arm64`}},
		"neither architecture":                 {startBarrier, affinity("{key: kubernetes.io/arch, operator: NotIn, values: [amd64, arm64]}"), []string{`...a program for amd64 and arm64`}},
		"one architecture of two":              {startBarrier, affinity("{key: kubernetes.io/arch, operator: NotIn, values: [arm64]}"), nil},
		"several architectures":                {startBarrier, affinity("{key: kubernetes.io/arch, operator: In, values: [s390x, amd64]}"), nil},
		"a process of a Windows host":          {startBarrier, "securityContext: {windowsOptions: {hostProcess: true}}, " + one, []string{"spec.template.spec.securityContext.windowsOptions.hostProcess: Invalid value: true: "}},
		"a container port of its name":         {startBarrier, with("ports: [{name: peerjob-runner, containerPort: 80}]"), []string{container + `ports[0].name: Invalid value: "peerjob-runner": is the name of the runner's port; choose another name`}},
		"a Service port of its name":           {startBarrier + "\n  service: {ports: [{name: peerjob-runner, port: 80}]}", one, []string{`spec.service.ports[0].name: Invalid value: "peerjob-runner": is the name of the runner's port, 7450; choose another name`}},
		"its own port in the Service":          {startBarrier + "\n  service: {ports: [{name: peerjob-runner, port: 7450}]}", one, nil},
		"a rule for the gate of earlier times": {startBarrier + "\n  podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {containerName: peerjob-barrier-start, operator: In, values: [75]}}]}", one, []string{`spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "peerjob-barrier-start": ...exits with 75 if a peer does not come; write "w"`}},
		"a container of that name":             {startBarrier + "\n  podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {containerName: peerjob-barrier, operator: In, values: [75]}}]}", "containers: [{name: peerjob-barrier, image: x, command: [a]}]", nil},

		"no names":                                {endBarrier + "\n  service: {publishNotReadyAddresses: false}", one, []string{"spec.service.publishNotReadyAddresses: Invalid value: false: must be true with spec.barrier"}},
		"a variable of the peers":                 {startBarrier, with("env: [{name: PEERJOB_NAME, value: a}, {name: PEERJOB_LEADER, value: a}, {name: PEERJOB_UID, value: a}]"), []string{container + `env[0].name: Invalid value: "PEERJOB_NAME": is set by peerjob, and read by the runner of spec.barrier; remove it`, container + `env[1].name: Invalid value: "PEERJOB_LEADER": is set by peerjob; remove it, or set spec.peerEnv to Disabled`, container + `env[2].name: `}},
		"a variable of the peers, without them":   {startBarrier + "\n  peerEnv: Disabled", with("env: [{name: PEERJOB_SIZE, value: '4'}, {name: PEERJOB_LEADER, value: a}]"), []string{container + `env[0].name: Invalid value: "PEERJOB_SIZE": is set by peerjob, and read by the runner`}},
		"the very variable of the peers":          {startBarrier + "\n  peerEnv: Disabled", with("env: [{name: PEERJOB_SIZE, value: '3'}, {name: JOB_COMPLETION_INDEX, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['batch.kubernetes.io/job-completion-index']\"}}}]"), nil},
		"a variable where the runner is not":      {startBarrier + "\n  peerEnv: Disabled\n  runner: {container: w}", "containers: [{name: w, image: x, command: [a]}, {name: v, image: x, env: [{name: PEERJOB_SIZE, value: a}]}]", nil},
		"a variable where the runner is not, too": {startBarrier + "\n  runner: {container: w}", "containers: [{name: w, image: x, command: [a]}, {name: v, image: x, env: [{name: PEERJOB_UID, value: a}]}]", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			errs := Validate(group(t, tt.spec, tt.pod), nil)
			if len(errs) != len(tt.want) {
				t.Fatalf("%d errors, want %d: %v", len(errs), len(tt.want), errs)
			}
			for i, err := range errs {
				start, rest, _ := strings.Cut(tt.want[i], "...")
				if got := err.Error(); !strings.HasPrefix(got, start) || !strings.Contains(got, rest) {
					t.Errorf("error %d is\n%s\nwant\n%s", i, got, tt.want[i])
				}
			}
		})
	}
}

// TestValidate_runnerCommand has a framework that writes the command.
func TestValidate_runnerCommand(t *testing.T) {
	brought := func(*Group) Brought {
		return Brought{Command: func(container string) bool { return container == "w" }}
	}
	if errs := Validate(group(t, startBarrier, "containers: [{name: w, image: x}]"), brought); len(errs) > 0 {
		t.Error(errs)
	}
}

// TestWarn_runner has what is probably not meant.
func TestWarn_runner(t *testing.T) {
	const initPath, container = "spec.template.spec.initContainers[0].", "spec.template.spec.containers[0]."
	waits := func(fields string) string {
		return "initContainers: [{name: i, image: x, " + fields + "}], " + one
	}
	tests := map[string]struct {
		spec, pod string
		// want are the fields of the warnings.
		want []string
	}{
		"nothing":                         {bothBarriers, waits("command: [prepare]"), nil},
		"a runner without a barrier":      {"  runner: {image: x}", one, []string{"spec.runner"}},
		"with one that is off":            {"  runner: {image: x}\n  barrier: {start: Disabled}", one, nil},
		"the leader":                      {startBarrier, waits("command: [sh, -c, 'until nc -z $PEERJOB_LEADER 80; do sleep 1; done']"), []string{initPath + "command[2]"}},
		"the leader, in an argument":      {startBarrier, waits("command: [wait, a], args: ['--for=$(PEERJOB_LEADER)', '$(PEERJOB_LEADER)']"), []string{initPath + "args[0]"}},
		"a peer":                          {startBarrier, waits(`command: [sh, -c, 'ping "$PEERJOB_NAME-1.$PEERJOB_SERVICE"']`), []string{initPath + "command[2]"}},
		"each peer":                       {startBarrier, waits(`command: [sh, -c, 'for i in 0 1 2; do ping "${PEERJOB_NAME}-$i.$PEERJOB_SERVICE"; done']`), []string{initPath + "command[2]"}},
		"a peer by its name":              {startBarrier, waits("command: [ping, train-2.train]"), []string{initPath + "command[1]"}},
		"a peer in a variable":            {startBarrier, waits("env: [{name: A, value: $(PEERJOB_LEADER)}]"), []string{initPath + "env[0].value"}},
		"itself":                          {startBarrier, waits(`command: [sh, -c, 'ping $PEERJOB_SELF; ping $PEERJOB_NAME-$JOB_COMPLETION_INDEX.$PEERJOB_SERVICE; ping train-$(JOB_COMPLETION_INDEX).train']`), nil},
		"what is like a peer":             {startBarrier, waits("command: [cat, /data/train-2.train, train-2.train.log, train-2.other, PEERJOB_LEADERS]"), nil},
		"a peer, with the end alone":      {endBarrier, waits("command: [ping, train-2.train]"), nil},
		"a sidecar":                       {startBarrier, waits("restartPolicy: Always, command: [ping, train-2.train]"), nil},
		"resources that cost a class":     {startBarrier + "\n  runner: {resources: {limits: {memory: 64Mi}}}", with("resources: {limits: {cpu: 1, memory: 1Gi}}"), []string{"spec.runner.resources"}},
		"resources that keep it":          {startBarrier + "\n  runner: {resources: {limits: {cpu: 10m, memory: 64Mi}}}", with("resources: {limits: {cpu: 1, memory: 1Gi}}"), nil},
		"resources of a Burstable Pod":    {startBarrier + "\n  runner: {resources: {limits: {memory: 64Mi}}}", with("resources: {requests: {cpu: 500m}, limits: {cpu: 1, memory: 1Gi}}"), nil},
		"a class that the Pod sets":       {startBarrier + "\n  runner: {resources: {}}", "resources: {limits: {cpu: 2, memory: 2Gi}}, " + with("resources: {limits: {cpu: 1, memory: 1Gi}}"), nil},
		"preStop, with the end":           {endBarrier, with("lifecycle: {preStop: {exec: {command: [/drain]}}}"), []string{container + "lifecycle.preStop"}},
		"preStop that asks":               {endBarrier, with("lifecycle: {preStop: {httpGet: {port: 80}}}"), []string{container + "lifecycle.preStop"}},
		"preStop that sleeps":             {endBarrier, with("lifecycle: {preStop: {exec: {command: [/bin/sh, -c, sleep 10]}}}"), nil},
		"preStop, with the start":         {startBarrier, with("lifecycle: {preStop: {exec: {command: [/drain]}}}"), nil},
		"postStart that asks once":        {startBarrier, with("lifecycle: {postStart: {exec: {command: [sh, -c, 'curl -X POST localhost:80/warm-up']}}}"), []string{container + "lifecycle.postStart"}},
		"postStart that asks again":       {startBarrier, with("lifecycle: {postStart: {exec: {command: [sh, -c, 'until curl localhost:80; do sleep 1; done']}}}"), nil},
		"postStart that asks nobody":      {startBarrier, with("lifecycle: {postStart: {exec: {command: [sh, -c, 'mkdir -p /data/$HOSTNAME']}}}"), nil},
		"little memory":                   {startBarrier, with("resources: {limits: {memory: 8Mi}}"), []string{container + "resources.limits[memory]"}},
		"enough memory":                   {startBarrier, with("resources: {limits: {memory: 16Mi}}"), nil},
		"little memory to install":        {startBarrier + "\n  runner: {resources: {limits: {memory: 4M}}}", one, []string{"spec.runner.resources.limits[memory]"}},
		"a small disk":                    {startBarrier, with("resources: {limits: {ephemeral-storage: 10Mi}}"), []string{container + "resources.limits[ephemeral-storage]"}},
		"a small disk, by a volume":       {startBarrier + byVolume, with("resources: {limits: {ephemeral-storage: 10Mi}}"), nil},
		"a disk for all containers":       {startBarrier + "\n  runner: {container: w}", "containers: [{name: w, image: x, command: [a], resources: {limits: {ephemeral-storage: 10Mi}}}, {name: v, image: x, resources: {limits: {ephemeral-storage: 10Mi}}}]", nil},
		"options of Windows":              {startBarrier, with("securityContext: {windowsOptions: {runAsUserName: a}}"), []string{container + "securityContext.windowsOptions"}},
		"s6-overlay":                      {startBarrier, "containers: [{name: w, image: x, command: [/init, train]}]", []string{container + "command[0]"}},
		"systemd":                         {startBarrier, "containers: [{name: w, image: x, command: [/usr/lib/systemd/systemd]}]", []string{container + "command[0]"}},
		"tini":                            {startBarrier, "containers: [{name: w, image: x, command: [/usr/bin/tini, --, train]}]", []string{container + "command[0]"}},
		"tini as a subreaper":             {startBarrier, "containers: [{name: w, image: x, command: [tini, -s, --], args: [train]}]", nil},
		"dumb-init":                       {startBarrier, "containers: [{name: w, image: x, command: [dumb-init, train]}]", nil},
		"a variable of the runner's, set": {startBarrier + "\n  peerEnv: Disabled", with("args: [$(PEERJOB_UID)]"), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := group(t, tt.spec, tt.pod)
			if errs := Validate(g, nil); len(errs) > 0 {
				t.Fatal(errs)
			}
			var got []string
			for _, w := range Warn(g, nil) {
				got = append(got, w.Field)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\n%v", diff, Warn(g, nil))
			}
		})
	}
}

// TestRunnerGraceSeconds has all that decides how long a container has after SIGTERM.
func TestRunnerGraceSeconds(t *testing.T) {
	for _, tt := range []struct {
		pod  string
		want *int64
	}{
		{one, nil},
		{"terminationGracePeriodSeconds: 30, " + one, nil},
		{"terminationGracePeriodSeconds: 300, " + one, new(int64(300))},
		{"terminationGracePeriodSeconds: 0, " + one, new(int64(0))},
		{with("livenessProbe: {terminationGracePeriodSeconds: 5}, startupProbe: {terminationGracePeriodSeconds: 60}"), new(int64(5))},
		{"terminationGracePeriodSeconds: 20, " + with("lifecycle: {preStop: {sleep: {seconds: 15}}}"), new(int64(5))},
		{"terminationGracePeriodSeconds: 20, " + with("lifecycle: {preStop: {sleep: {seconds: 25}}}"), new(int64(0))},
		{"terminationGracePeriodSeconds: 20, " + with("lifecycle: {preStop: {exec: {command: [sleep, 5s]}}}"), new(int64(15))},
		{"terminationGracePeriodSeconds: 20, " + with("lifecycle: {preStop: {exec: {command: [sh, -c, sleep 5; drain]}}}"), new(int64(20))},
		{"terminationGracePeriodSeconds: 40, " + with("lifecycle: {preStop: {sleep: {seconds: 10}}}"), nil},
	} {
		if diff := cmp.Diff(tt.want, group(t, endBarrier, tt.pod).RunnerGraceSeconds()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.pod, diff)
		}
	}
}
