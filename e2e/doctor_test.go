// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/e2e/cluster"
)

// pair is what a PeerJob expands to, before a test breaks it.
type pair struct {
	service *corev1.Service // nil: there is none
	job     *batchv1.Job
	policy  *networkingv1.NetworkPolicy
}

func (p *pair) pod() *corev1.PodSpec { return &p.job.Spec.Template.Spec }

// TestDoctor breaks a group in ten ways, and has both doctors say how: "peerjob doctor"
// from what the server says, and where the Pods run, "peerjob-runner doctor" in one of them.
func TestDoctor(t *testing.T) {
	t.Parallel()
	const wait = "sleep 600\n"
	tests := []struct {
		name   string
		script string
		plain  bool // without the barrier, and so without the runner
		breaks func(p *pair)
		// outside is the id of a finding and a part of its text, "" if nothing is wrong.
		outside, part string
		// inside is what the runner says, "" if no Pod runs or it can't know.
		inside string
	}{
		{
			name: "nothing", script: wait, breaks: func(*pair) {},
			inside: "3 of 3 peers resolve and are reachable\n",
		},
		{
			name: "no Service", script: wait, breaks: func(p *pair) { p.service = nil },
			outside: "service-missing", part: "there is no Service job", inside: "error: DNS does not have the Service job.",
		},
		{
			name: "another selector", script: wait,
			breaks:  func(p *pair) { p.service.Spec.Selector = map[string]string{"job-name": "jbo"} },
			outside: "selector-mismatch", part: "have job-name: job", inside: "error: DNS does not have the Service job.",
		},
		{
			name: "not headless", script: wait, breaks: func(p *pair) { p.service.Spec.ClusterIP = "" },
			outside: "service-not-headless", part: "must be None", inside: "it is not headless",
		},
		{
			name: "no subdomain", script: "getent hosts job-0.job\n" + wait, breaks: func(p *pair) { p.pod().Subdomain = "" },
			outside: "subdomain-missing", part: "write subdomain: job", inside: "error: /etc/hosts has no full name for this Pod",
		},
		{
			// The node's network enforces no policies, so only the policy itself tells.
			name: "a NetworkPolicy", script: wait,
			breaks: func(p *pair) {
				p.policy = &networkingv1.NetworkPolicy{
					ObjectMeta: metav1.ObjectMeta{Name: "deny"},
					Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}},
				}
			},
			outside: "peers-blocked", part: "no rule of ingress has them",
		},
		{
			name: "no such node", script: wait, breaks: func(p *pair) { p.pod().NodeSelector = map[string]string{"gpu": "h100"} },
			outside: "unschedulable", part: "nodeSelector gpu=h100",
		},
		{
			name: "no such image", script: wait, breaks: func(p *pair) { p.pod().Containers[0].Image = "e2e.peerjob.invalid/none:1" },
			outside: "image-pull", part: "e2e.peerjob.invalid/none:1",
		},
		{
			name: "never ready, and not published", script: wait,
			breaks: func(p *pair) {
				p.service.Spec.PublishNotReadyAddresses = false
				p.pod().Containers[0].ReadinessProbe = &corev1.Probe{
					ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"bash", "-c", "exit 1"}}}, PeriodSeconds: 1,
				}
			},
			outside: "not-published", part: "DNS has no name for it", inside: "error: ",
		},
		{
			name: "a peer ended", script: "((JOB_COMPLETION_INDEX == 2)) && exit\n" + wait, plain: true, breaks: func(*pair) {},
			outside: "peer-ended", part: "(index 2) has ended while 2 of 3 peers have not",
		},
		{
			name: "suspended", script: wait, breaks: func(p *pair) { p.job.Spec.Suspend = new(true) },
			outside: "job-suspended", part: "is suspended, and has no Pods",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			spec := []string{"barrier: {start: Enabled, startTimeoutSeconds: 0}"}
			if test.plain {
				spec = nil
			}
			ns := newNamespace(t, nil)
			p := pairOf(t, build(t, ns, peers(3, test.script, spec...).Layer))
			test.breaks(p)
			p.create(t, ns)
			if test.outside == "" || test.inside != "" {
				if _, err := kubernetes.WaitForPods(within(t, patience), ns, p.job.Name, allRunning(3)); err != nil {
					t.Fatal(err)
				}
			}
			doctorSays(t, ns, test.outside, test.part)
			if test.inside != "" {
				runnerSays(t, ns, p.job.Name, test.inside)
			}
		})
	}
}

// TestDoctor_debug runs "peerjob-runner doctor" in a debug container of a Pod without the
// runner, as "kubectl debug" does: it has no variables, and the Pod's network and files.
func TestDoctor_debug(t *testing.T) {
	t.Parallel()
	job := apply(t, peers(3, "sleep 600\n").Layer)
	pods, err := kubernetes.WaitForPods(within(t, patience), job.Namespace, job.Name, allRunning(3))
	if err != nil {
		t.Fatal(err)
	}
	pod := &pods[slices.IndexFunc(pods, func(pod corev1.Pod) bool { return cluster.Index(&pod) == "1" })]
	v, err := version()
	if err != nil {
		t.Fatal(err)
	}
	pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{
		Name: "doctor", Image: "ghcr.io/peerjob/runner:" + v, Command: []string{"/peerjob-runner", "doctor"}, TerminationMessagePolicy: corev1.TerminationMessageReadFile,
	}}}
	if _, err := kubernetes.CoreV1().Pods(pod.Namespace).UpdateEphemeralContainers(interrupted, pod.Name, pod, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	last, err := kubernetes.WaitForPod(within(t, patience), pod.Namespace, pod.Name, func(pod *corev1.Pod) bool {
		return len(pod.Status.EphemeralContainerStatuses) == 1 && pod.Status.EphemeralContainerStatuses[0].State.Terminated != nil
	})
	if err != nil {
		t.Fatal(err)
	}
	log, err := kubernetes.Logs(interrupted, pod, "doctor")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("peerjob-runner doctor:\n%s", log)
	if code := last.Status.EphemeralContainerStatuses[0].State.Terminated.ExitCode; code != 0 || !strings.Contains(log, "3 of 3 peers resolve and are reachable\n") || !strings.Contains(log, "index 1 of 3 peers, in job."+job.Namespace) {
		t.Errorf("exit code %d:\n%s", code, log)
	}
}

// pairOf is the Service and the Job of a manifest.
func pairOf(t *testing.T, manifest []byte) *pair {
	t.Helper()
	p := &pair{job: jobOf(t, manifest)}
	for document := range strings.SplitSeq(string(manifest), "\n---\n") {
		service := &corev1.Service{}
		if err := yaml.Unmarshal([]byte(document), service); err == nil && service.Kind == "Service" {
			p.service = service
		}
	}
	if p.service == nil {
		t.Fatalf("no Service in\n%s", manifest)
	}
	return p
}

func (p *pair) create(t *testing.T, ns string) {
	t.Helper()
	if p.service != nil {
		if _, err := kubernetes.CoreV1().Services(ns).Create(interrupted, p.service, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if p.policy != nil {
		if _, err := kubernetes.NetworkingV1().NetworkPolicies(ns).Create(interrupted, p.policy, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := kubernetes.BatchV1().Jobs(ns).Create(interrupted, p.job, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// doctorSays waits until "peerjob doctor" has a finding with an id and a text, or, with
// "", until it has none.
func doctorSays(t *testing.T, ns, id, part string) {
	t.Helper()
	ctx := within(t, patience)
	for {
		dump, err := kubernetes.Dump(interrupted, ns)
		if err != nil {
			t.Fatal(err)
		}
		var read struct {
			Groups   []any
			Findings []struct{ ID, Severity string }
		}
		if err := json.Unmarshal(peerjobDoctor(t, dump, "-o", "json"), &read); err != nil {
			t.Fatal(err)
		}
		text := string(peerjobDoctor(t, dump))
		found := false
		for _, f := range read.Findings {
			found = found || f.ID == id
		}
		if id == "" && len(read.Findings) == 0 && len(read.Groups) == 1 || found && strings.Contains(text, part) {
			t.Logf("peerjob doctor:\n%s", text)
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("peerjob doctor does not say %q [%s], but\n%s", part, id, text)
		case <-time.After(time.Second):
		}
	}
}

// peerjobDoctor is what "peerjob doctor" prints of a dump.
func peerjobDoctor(t *testing.T, dump []byte, flags ...string) []byte {
	t.Helper()
	command := exec.CommandContext(interrupted, filepath.Join(kustomize.Bin, "peerjob"), append([]string{"doctor", "-"}, flags...)...)
	command.Stdin = bytes.NewReader(dump)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if code := command.ProcessState.ExitCode(); err != nil && code != 1 {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return out
}

// runnerSays waits until "peerjob-runner doctor" in the Pod of index 1 says a text. DNS
// may be a little late.
func runnerSays(t *testing.T, ns, job, want string) {
	t.Helper()
	pods, err := kubernetes.Pods(interrupted, ns, job)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(pods, func(pod corev1.Pod) bool { return cluster.Index(&pod) == "1" })
	if at < 0 {
		t.Fatalf("no Pod of index 1 among %d", len(pods))
	}
	ctx := within(t, time.Minute)
	for {
		out, err := kubernetes.Exec(interrupted, &pods[at], "peer", "/peerjob/peerjob-runner", "doctor")
		if strings.Contains(out, want) && (err == nil) == !strings.Contains(out, "\nerror: ") {
			t.Logf("peerjob-runner doctor:\n%s", out)
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("peerjob-runner doctor does not say %q, but (%v)\n%s", want, err, fmt.Sprint(out))
		case <-time.After(time.Second):
		}
	}
}
