// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// wrapped expands a PeerJob with a runner: more fields of its spec, and those of its Pods.
func wrapped(t testing.TB, spec, pod string) (*corev1.Service, *batchv1.Job) {
	t.Helper()
	return pair(read(t, "metadata: {name: train}\nspec:\n  peers: 4\n"+spec+"\n  template: {spec: {"+pod+"}}\n"))
}

// TestGroup_runnerCommand has what stands before the user's command, and that the user's
// own words stay as they are.
func TestGroup_runnerCommand(t *testing.T) {
	const one = "containers: [{name: w, image: y, command: [a, -b, --, $(C)], args: [d, --port=1]}]"
	const user = " -- a -b -- $(C) | d --port=1"
	tests := map[string]struct{ spec, pod, want string }{
		"off":                       {"  barrier: {startTimeoutSeconds: 9}\n  runner: {image: x, port: 9000}", one, "a -b -- $(C) | d --port=1"},
		"start":                     {"  barrier: {start: Enabled}", one, "/peerjob/peerjob-runner run --port=7450 --start-timeout=600s" + user},
		"start, without a limit":    {"  barrier: {start: Enabled, startTimeoutSeconds: 0}", one, "/peerjob/peerjob-runner run --port=7450 --start-timeout=0s" + user},
		"end":                       {"  barrier: {end: Enabled, startTimeoutSeconds: 7}", one, "/peerjob/peerjob-runner run --port=7450 --end-timeout=30s" + user},
		"both, with other settings": {"  barrier: {start: Enabled, end: Enabled, startTimeoutSeconds: 7, endTimeoutSeconds: 90}\n  runner: {port: 8000}", one, "/peerjob/peerjob-runner run --port=8000 --start-timeout=7s --end-timeout=90s" + user},
		"a success policy": {"  barrier: {end: Enabled}\n  successPolicy: {rules: [{succeededIndexes: '0'}, {succeededIndexes: '1-3', succeededCount: 2}, {succeededCount: 3}]}", one,
			"/peerjob/peerjob-runner run --port=7450 --end-timeout=30s --until=0 --until=1-3:2 --until=:3" + user},
		"a success policy matters to the end alone": {"  barrier: {start: Enabled}\n  successPolicy: {rules: [{succeededIndexes: '0'}]}", "terminationGracePeriodSeconds: 5, " + one, "/peerjob/peerjob-runner run --port=7450 --start-timeout=600s" + user},
		"a grace period":                    {"  barrier: {end: Enabled}", "terminationGracePeriodSeconds: 300, " + one, "/peerjob/peerjob-runner run --port=7450 --end-timeout=30s --grace-period=300s" + user},
		"the termination message":           {"  barrier: {start: Enabled}", "containers: [{name: w, image: y, command: [a], terminationMessagePath: /dev/$(A)/$$}]", "/peerjob/peerjob-runner run --port=7450 --start-timeout=600s --termination-message=/dev/$$(A)/$$$$ -- a | "},
		"a key":                             {"  barrier: {start: Enabled}\n  runner: {keySecretName: k}", one, "/peerjob/peerjob-runner run --port=7450 --start-timeout=600s --key-file=/peerjob-key/key" + user},
		"by an image volume":                {"  barrier: {start: Enabled}\n  runner: {delivery: ImageVolume}", one, "/peerjob/peerjob-runner run --port=7450 --start-timeout=600s" + user},
		"a container that is named":         {"  barrier: {start: Enabled}\n  runner: {container: w}", "containers: [{name: w, image: y, command: [a]}, {name: v, image: y, command: [b]}]", "/peerjob/peerjob-runner run --port=7450 --start-timeout=600s -- a | "},
		"a container that is not known":     {"  barrier: {start: Enabled}", "containers: [{name: w, image: y, command: [a]}, {name: v, image: y, command: [b]}]", "a | "},
		"FailPeerJob, and a success policy": {"  failurePolicy: {action: FailPeerJob}\n  successPolicy: {rules: [{succeededIndexes: '1'}]}", one, "/peerjob/peerjob-runner run --port=7450 --until=1 --on-failure=FailPeerJob --grace-period=30s" + user},
		"FailPeerJob, without barriers":     {"  failurePolicy: {action: FailPeerJob}", one, "/peerjob/peerjob-runner run --port=7450 --on-failure=FailPeerJob --grace-period=30s" + user},
		"FailPeerJob, with them": {"  failurePolicy: {action: FailPeerJob, onDisruption: Continue}\n  barrier: {start: Enabled, end: Enabled}\n  successPolicy: {rules: [{succeededIndexes: '0'}]}", "terminationGracePeriodSeconds: 7, " + one,
			"/peerjob/peerjob-runner run --port=7450 --start-timeout=600s --end-timeout=30s --until=0 --on-failure=FailPeerJob --on-disruption=Continue --grace-period=7s" + user},
		"RestartPeerJob": {"  failurePolicy: {action: RestartPeerJob, maxRestarts: 3}\n  runner: {keySecretName: k}", one,
			"/peerjob/peerjob-runner run --port=7450 --start-timeout=600s --end-timeout=0s --on-failure=RestartPeerJob --max-restarts=3 --backoff=1s --grace-period=30s --key-file=/peerjob-key/key" + user},
		"RestartPeerJob, with other settings": {"  failurePolicy: {action: RestartPeerJob, maxRestarts: 0, backoffSeconds: 0, onDisruption: Restart}\n  barrier: {startTimeoutSeconds: 0}", one,
			"/peerjob/peerjob-runner run --port=7450 --start-timeout=0s --end-timeout=0s --on-failure=RestartPeerJob --max-restarts=0 --backoff=0s --on-disruption=Restart --grace-period=30s" + user},
		"rules of the user's": {"  failurePolicy: {action: FailPeerJob}\n  podFailurePolicy: {rules: [{action: Count, onExitCodes: {operator: In, values: [3, 4]}}, {action: Ignore, onPodConditions: [{type: A}]}, {action: FailJob, onExitCodes: {containerName: s, operator: In, values: [5]}}, {action: Ignore, onExitCodes: {containerName: w, operator: NotIn, values: [0, 76]}}]}", one,
			"/peerjob/peerjob-runner run --port=7450 --on-failure=FailPeerJob --exit-code-rule=Count:In:3,4 --exit-code-rule=Ignore:NotIn:0,76 --grace-period=30s" + user},
		"rules without a policy": {"  barrier: {start: Enabled}\n  podFailurePolicy: {rules: [{action: Count, onExitCodes: {operator: In, values: [3]}}]}", one, "/peerjob/peerjob-runner run --port=7450 --start-timeout=600s" + user},
		"a policy that is refused": {"  failurePolicy: {action: RestartPeerJob}\n  barrier: {start: Disabled, end: Disabled}", one,
			"/peerjob/peerjob-runner run --port=7450 --on-failure=RestartPeerJob --max-restarts=0 --backoff=1s --grace-period=30s" + user},
		"a stop signal":                       {"  barrier: {start: Enabled}", "containers: [{name: w, image: y, command: [a], lifecycle: {stopSignal: SIGRTMIN+3}}]", "/peerjob/peerjob-runner run --port=7450 --start-timeout=600s --stop-signal=SIGRTMIN+3 -- a | "},
		"the default stop signal":             {"  barrier: {start: Enabled}", "containers: [{name: w, image: y, command: [a], lifecycle: {stopSignal: SIGTERM}}]", "/peerjob/peerjob-runner run --port=7450 --start-timeout=600s -- a | "},
		"a framework that writes the command": {"  barrier: {end: Enabled}\n  framework: {type: Dask, leader: {command: [a]}}", "containers: [{name: w, image: y}]", "/peerjob/peerjob-runner run --port=7450 --end-timeout=30s --until=0 -- /bin/sh -c SCRIPT peerjob | a"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, job := wrapped(t, tt.spec, tt.pod)
			container := job.Spec.Template.Spec.Containers[0]
			for i, word := range container.Command {
				if strings.Contains(word, "\n") {
					container.Command[i] = "SCRIPT"
				}
			}
			got := strings.Join(container.Command, " ") + " | " + strings.Join(container.Args, " ")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestGroup_runner has what the runner adds to the Pods and the Service, and that it
// changes nothing else.
func TestGroup_runner(t *testing.T) {
	const pod = "terminationGracePeriodSeconds: 7, initContainers: [{name: i, image: x}], volumes: [{name: v, emptyDir: {}}], " +
		"containers: [{name: w, image: y, command: [a], ports: [{containerPort: 9}], volumeMounts: [{name: v, mountPath: /v}], env: [{name: A, value: b}]}, {name: z, image: y}]"
	const named = "\n  runner: {container: w, image: 'runner:v1'"
	install := corev1.Container{
		Name: "peerjob-runner-install", Image: "runner:v1", Args: []string{"install", "/peerjob"},
		VolumeMounts: []corev1.VolumeMount{{Name: "peerjob-runner", MountPath: "/peerjob"}},
	}
	pulled := *install.DeepCopy()
	pulled.ImagePullPolicy = "Always"
	mount := corev1.VolumeMount{Name: "peerjob-runner", MountPath: "/peerjob", ReadOnly: true}
	tests := map[string]struct {
		spec    string
		install []corev1.Container
		volumes string
		mounts  []corev1.VolumeMount
		ports   []int32
	}{
		"an init container": {"  barrier: {start: Enabled}" + named + "}", []corev1.Container{install}, "v emptyDir, peerjob-runner emptyDir", []corev1.VolumeMount{mount}, []int32{9, 7450}},
		"a pull policy":     {"  barrier: {end: Enabled}" + named + ", imagePullPolicy: Always, port: 9000}", []corev1.Container{pulled}, "v emptyDir, peerjob-runner emptyDir", []corev1.VolumeMount{mount}, []int32{9, 9000}},
		"an image volume": {"  barrier: {end: Enabled}" + named + ", delivery: ImageVolume, imagePullPolicy: Always}", nil,
			"v emptyDir, peerjob-runner image runner:v1 Always", []corev1.VolumeMount{mount}, []int32{9, 7450}},
		"a key": {"  barrier: {end: Enabled}" + named + ", delivery: ImageVolume, keySecretName: k}", nil, "v emptyDir, peerjob-runner image runner:v1 , peerjob-runner-key secret k key",
			[]corev1.VolumeMount{mount, {Name: "peerjob-runner-key", MountPath: "/peerjob-key", ReadOnly: true}}, []int32{9, 7450}},
		"ports of the user's": {"  barrier: {start: Enabled}\n  service: {ports: [{port: 1}]}" + named + "}", []corev1.Container{install}, "v emptyDir, peerjob-runner emptyDir", []corev1.VolumeMount{mount}, []int32{1}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			svc, job := wrapped(t, tt.spec, pod)
			if broken := agreements(svc, job, "train", 4); len(broken) > 0 {
				t.Error(broken)
			}
			got := &job.Spec.Template.Spec
			added := got.InitContainers[:len(got.InitContainers)-1]
			for i := range added {
				added[i].SecurityContext = nil // has a test of its own
			}
			if diff := cmp.Diff(tt.install, append([]corev1.Container(nil), added...)); diff != "" {
				t.Errorf("init containers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.volumes, volumesOf(got)); diff != "" {
				t.Errorf("volumes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.mounts, got.Containers[0].VolumeMounts[1:]); diff != "" {
				t.Errorf("mounts (-want +got):\n%s", diff)
			}
			var ports []int32
			for _, port := range svc.Spec.Ports {
				ports = append(ports, port.Port)
			}
			if diff := cmp.Diff(tt.ports, ports); diff != "" {
				t.Errorf("ports (-want +got):\n%s", diff)
			}
			// Without all that, it is the Pod without a runner.
			_, plain := wrapped(t, strings.ReplaceAll(tt.spec, "Enabled", "Disabled"), pod)
			want := &plain.Spec.Template.Spec
			got.InitContainers = got.InitContainers[len(added):]
			got.Volumes = got.Volumes[:1]
			w := &got.Containers[0]
			w.Command = w.Command[len(w.Command)-1:]
			w.VolumeMounts = w.VolumeMounts[:1]
			uid := len(w.Env) - 2
			if w.Env[uid].Name != "PEERJOB_UID" {
				t.Errorf("variable %d is %s, want PEERJOB_UID", uid, w.Env[uid].Name)
			}
			w.Env = append(w.Env[:uid], w.Env[uid+1:]...)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("something else was changed (-want +got):\n%s", diff)
			}
		})
	}
}

// volumesOf are the volumes of a Pod, in short.
func volumesOf(pod *corev1.PodSpec) string {
	var all []string
	for _, v := range pod.Volumes {
		text := v.Name
		if v.EmptyDir != nil {
			text += " emptyDir"
		}
		if v.Image != nil {
			text += " image " + v.Image.Reference + " " + string(v.Image.PullPolicy)
		}
		if v.Secret != nil {
			text += " secret " + v.Secret.SecretName
			for _, item := range v.Secret.Items {
				text += " " + item.Key
			}
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// TestGroup_runnerEnv has the variables that the runner reads, whatever the user's
// containers have.
func TestGroup_runnerEnv(t *testing.T) {
	want := map[string]string{"JOB_COMPLETION_INDEX": "1", "PEERJOB_NAME": "train", "PEERJOB_SERVICE": "train", "PEERJOB_SIZE": "4", "PEERJOB_UID": ""}
	for _, tt := range []struct {
		spec, container string
		others          []string
	}{
		{"", "", []string{"PEERJOB_NAMESPACE", "PEERJOB_LEADER", "PEERJOB_SELF"}},
		{"\n  peerEnv: Disabled", "", nil},
		// What says the same is taken for it.
		{"\n  peerEnv: Disabled", ", env: [{name: A, value: b}, {name: PEERJOB_SIZE, value: '4'}, {name: PEERJOB_UID, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: \"metadata.labels['controller-uid']\"}}}]", []string{"A"}},
	} {
		_, job := wrapped(t, "  barrier: {end: Enabled}"+tt.spec, "initContainers: [{name: i, image: x}], containers: [{name: w, image: x, command: [a]"+tt.container+"}]")
		template := &job.Spec.Template
		env := resolve(template.Spec.Containers[0].Env, job, template.Annotations)
		if len(env) != len(template.Spec.Containers[0].Env) {
			t.Errorf("a variable is set twice: %v", template.Spec.Containers[0].Env)
		}
		for _, name := range tt.others {
			if _, found := env[name]; !found {
				t.Errorf("%s: there is no variable %s", tt.spec, name)
			}
			delete(env, name)
		}
		if diff := cmp.Diff(want, env); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.spec, diff)
		}
		if n := len(template.Spec.InitContainers[1].Env); n > 0 && tt.others == nil {
			t.Errorf("the init container has %d variables", n)
		}
	}
}

// TestGroup_ownUID has a variable of the user's that says what peerjob's says: a program
// in the image may read it.
func TestGroup_ownUID(t *testing.T) {
	_, job := pair(read(t, "metadata: {name: train}\nspec: {peers: 2, template: {spec: {containers: [{name: w, image: x, env: [{name: PEERJOB_UID, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['controller-uid']\"}}}]}]}}}"))
	count := 0
	for _, v := range job.Spec.Template.Spec.Containers[0].Env {
		if v.Name == "PEERJOB_UID" {
			count++
		}
	}
	if count != 1 {
		t.Errorf("PEERJOB_UID is set %d times, want once", count)
	}
}

// TestGroup_runnerPort has the port of the node on the host network, so that the
// scheduler keeps two peers apart.
func TestGroup_runnerPort(t *testing.T) {
	const container = "containers: [{name: w, image: y, command: [a], ports: [{containerPort: 9}]}]"
	for network, want := range map[string][]corev1.ContainerPort{
		"hostNetwork: true, ":  {{ContainerPort: 9}, {Name: "peerjob-runner", ContainerPort: 7450}},
		"hostNetwork: false, ": {{ContainerPort: 9}},
	} {
		_, job := wrapped(t, "  barrier: {start: Enabled}", network+container)
		if diff := cmp.Diff(want, job.Spec.Template.Spec.Containers[0].Ports); diff != "" {
			t.Errorf("%s (-want +got):\n%s", network, diff)
		}
	}
}

// TestGroup_runnerResources holds the QoS class of a Pod, and what it asks for, to those
// without a runner. See https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/.
func TestGroup_runnerResources(t *testing.T) {
	for give, want := range map[string]string{
		"":                                "{}",
		"{}":                              "{}",
		"{limits: {cpu: 1, memory: 1Gi}}": "{limits: {cpu: 1, memory: 1Gi}}",
		"{requests: {cpu: 1, example.com/gpu: 1, hugepages-2Mi: 2Mi, ephemeral-storage: 1Gi}, limits: {example.com/gpu: 1, hugepages-2Mi: 2Mi}}": "{requests: {cpu: 1, ephemeral-storage: 1Gi}}",
	} {
		resources := func(text string) corev1.ResourceRequirements {
			_, job := wrapped(t, "", "containers: [{name: w, resources: "+text+"}]")
			return job.Spec.Template.Spec.Containers[0].Resources
		}
		_, job := wrapped(t, "  barrier: {start: Enabled}", "containers: [{name: w, image: y, command: [a], resources: "+give+"}]")
		if diff := cmp.Diff(resources(want), job.Spec.Template.Spec.InitContainers[0].Resources); diff != "" {
			t.Errorf("%s (-want +got):\n%s", give, diff)
		}
		_, job = wrapped(t, "  barrier: {start: Enabled}\n  runner: {resources: {requests: {cpu: 10m}}}", "containers: [{name: w, image: y, command: [a], resources: "+give+"}]")
		if diff := cmp.Diff(resources("{requests: {cpu: 10m}}"), job.Spec.Template.Spec.InitContainers[0].Resources); diff != "" {
			t.Errorf("%s, and its own (-want +got):\n%s", give, diff)
		}
	}
}

// TestGroup_runnerRestricted holds the init container to the Pod Security Standard
// "restricted", written down from its page.
func TestGroup_runnerRestricted(t *testing.T) {
	_, job := wrapped(t, "  barrier: {start: Enabled, end: Enabled}", "containers: [{name: w, image: x, command: [a]}]")
	c := job.Spec.Template.Spec.InitContainers[0]
	s := c.SecurityContext
	if *s.AllowPrivilegeEscalation || !*s.RunAsNonRoot || *s.RunAsUser == 0 || s.SeccompProfile.Type != "RuntimeDefault" ||
		len(s.Capabilities.Add) > 0 || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" || s.Privileged != nil || !*s.ReadOnlyRootFilesystem {
		t.Errorf("%s: %+v", c.Name, s)
	}
}
