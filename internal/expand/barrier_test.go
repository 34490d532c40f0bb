// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/barrier/protocol"
)

// TestGroup_barrier has what a barrier adds to the Pods, and that the user's
// containers stay as they are.
func TestGroup_barrier(t *testing.T) {
	const text = "metadata: {name: train}\nspec:\n  peers: 4\n  BARRIER\n  template: {spec: {initContainers: [{name: i, image: x}], containers: [{name: w, image: y, ports: [{containerPort: 9}]}]}}"
	tests := map[string]struct {
		barrier string
		// containers are the init containers with their arguments, and what holds up
		// those after them.
		containers []string
		grace      *int64
		ports      []int32
	}{
		"off": {"barrier: {port: 9000, startTimeoutSeconds: 9, endTimeoutSeconds: 100}", []string{"i"}, nil, []int32{9}},
		"start, without a limit": {
			"barrier: {start: Enabled, startTimeoutSeconds: 0}",
			[]string{"peerjob-barrier barrier --port=7450 --start; until http://:7450/startup", "i"}, nil, []int32{9, 7450},
		},
		"start": {
			"barrier: {start: Enabled}",
			[]string{"peerjob-barrier barrier --port=7450 --start", "peerjob-barrier-start barrier wait --port=7450 --timeout=600s", "i"}, nil, []int32{9, 7450},
		},
		"both, without a limit": {
			"barrier: {start: Enabled, end: Enabled, startTimeoutSeconds: 0, port: 8000}",
			[]string{"peerjob-barrier barrier --port=8000 --start --end-timeout=30s; until http://:8000/startup", "i"}, new(int64(35)), []int32{9, 8000},
		},
		"the end has no start's time": {
			"barrier: {end: Enabled, startTimeoutSeconds: 7}",
			[]string{"peerjob-barrier barrier --port=7450 --end-timeout=30s", "i"}, new(int64(35)), []int32{9, 7450},
		},
		"end": {
			"barrier: {end: Enabled}",
			[]string{"peerjob-barrier barrier --port=7450 --end-timeout=30s", "i"}, new(int64(35)), []int32{9, 7450},
		},
		"both, with other times": {
			"barrier: {start: Enabled, end: Enabled, startTimeoutSeconds: 7, endTimeoutSeconds: 90, port: 8000}",
			[]string{"peerjob-barrier barrier --port=8000 --start --end-timeout=90s", "peerjob-barrier-start barrier wait --port=8000 --timeout=7s", "i"}, new(int64(95)), []int32{9, 8000},
		},
		"a short end needs no more time than the server gives": {
			"barrier: {end: Enabled, endTimeoutSeconds: 25}",
			[]string{"peerjob-barrier barrier --port=7450 --end-timeout=25s", "i"}, nil, []int32{9, 7450},
		},
		"a success policy": {
			"barrier: {end: Enabled}\n  successPolicy: {rules: [{succeededIndexes: '0'}, {succeededIndexes: '1-3', succeededCount: 2}, {succeededCount: 3}]}",
			[]string{"peerjob-barrier barrier --port=7450 --end-timeout=30s --until=0 --until=1-3:2 --until=:3", "i"}, new(int64(35)), []int32{9, 7450},
		},
		"without the variables in the user's containers": {
			"barrier: {end: Enabled}\n  peerEnv: Disabled",
			[]string{"peerjob-barrier barrier --port=7450 --end-timeout=30s", "i"}, new(int64(35)), []int32{9, 7450},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			pj := read(t, strings.Replace(text, "BARRIER", tt.barrier, 1))
			pj.Spec.Barrier.Image = "peerjob:v1"
			svc, job := pair(pj)
			if broken := agreements(svc, job, "train", 4); len(broken) > 0 {
				t.Error(broken)
			}
			pod := job.Spec.Template.Spec
			var containers []string
			for _, c := range pod.InitContainers {
				text := strings.TrimSpace(c.Name + " " + strings.Join(c.Args, " "))
				if probe := c.StartupProbe; probe != nil {
					text += fmt.Sprintf("; until http://:%s%s", probe.HTTPGet.Port.String(), probe.HTTPGet.Path)
					if probe.TimeoutSeconds <= protocol.StartupHoldSeconds {
						t.Errorf("the kubelet waits for %d s, and the sidecar answers after %d s", probe.TimeoutSeconds, protocol.StartupHoldSeconds)
					}
					if years := int64(probe.FailureThreshold) * int64(probe.PeriodSeconds) / (365 * 24 * 60 * 60); years < 50 {
						t.Errorf("the sidecar is started again after %d years", years)
					}
				}
				containers = append(containers, text)
			}
			if diff := cmp.Diff(tt.containers, containers); diff != "" {
				t.Errorf("init containers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.grace, pod.TerminationGracePeriodSeconds); diff != "" {
				t.Errorf("grace period (-want +got):\n%s", diff)
			}
			var ports []int32
			for _, port := range svc.Spec.Ports {
				ports = append(ports, port.Port)
			}
			if diff := cmp.Diff(tt.ports, ports); diff != "" {
				t.Errorf("ports (-want +got):\n%s", diff)
			}
			if w := pod.Containers[0]; w.Image != "y" || w.Command != nil || w.Args != nil || w.Lifecycle != nil {
				t.Errorf("the user's container was changed: %+v", w)
			}
			if len(pod.InitContainers) > 1 {
				sidecar := pod.InitContainers[0]
				env := resolve(sidecar.Env, job, job.Spec.Template.Annotations)
				want := map[string]string{"JOB_COMPLETION_INDEX": "1", "PEERJOB_NAME": "train", "PEERJOB_SERVICE": "train", "PEERJOB_SIZE": "4", "PEERJOB_UID": ""}
				if diff := cmp.Diff(want, env); diff != "" {
					t.Errorf("the sidecar's environment (-want +got):\n%s", diff)
				}
				if *sidecar.RestartPolicy != corev1.ContainerRestartPolicyAlways {
					t.Errorf("the sidecar's restartPolicy: %s", *sidecar.RestartPolicy)
				}
			}
		})
	}
}

// TestGroup_barrierRestricted holds the added containers to the Pod Security
// Standard "restricted", written down from its page.
func TestGroup_barrierRestricted(t *testing.T) {
	pj := read(t, "metadata: {name: train}\nspec: {peers: 4, barrier: {start: Enabled, end: Enabled, image: x}, template: {spec: {containers: [{name: w, image: x}]}}}")
	_, job := pair(pj)
	for _, c := range job.Spec.Template.Spec.InitContainers {
		s := c.SecurityContext
		if *s.AllowPrivilegeEscalation || !*s.RunAsNonRoot || *s.RunAsUser == 0 || s.SeccompProfile.Type != "RuntimeDefault" ||
			len(s.Capabilities.Add) > 0 || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" || s.Privileged != nil || !*s.ReadOnlyRootFilesystem {
			t.Errorf("%s: %+v", c.Name, s)
		}
		if len(c.VolumeMounts) > 0 {
			t.Errorf("%s mounts %v", c.Name, c.VolumeMounts)
		}
	}
}
