// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1alpha3 "k8s.io/api/scheduling/v1alpha3"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/decode"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// agreements says where a Service and a Job do not agree, so that the Pods
// would not find each other. It is written from the Kubernetes documentation,
// without a word from package peerjob: it is the oracle.
func agreements(svc *corev1.Service, job *batchv1.Job, name string, peers int32) []string {
	var broken []string
	check := func(ok bool, format string, args ...any) {
		if !ok {
			broken = append(broken, fmt.Sprintf(format, args...))
		}
	}
	pod := job.Spec.Template
	check(job.Name == name, "the Job is named %q", job.Name)
	check(svc.Spec.ClusterIP == "None", "the Service is not headless")
	check(pod.Spec.Subdomain == svc.Name, "subdomain %q, Service %q", pod.Spec.Subdomain, svc.Name)
	check(svc.Namespace == job.Namespace, "namespaces %q and %q", svc.Namespace, job.Namespace)
	// The Job controller adds these labels to every Pod.
	podLabels := labels.Merge(pod.Labels, labels.Set{"job-name": job.Name, "batch.kubernetes.io/job-name": job.Name})
	check(len(svc.Spec.Selector) > 0 && labels.SelectorFromSet(svc.Spec.Selector).Matches(podLabels), "the Service does not select the Pods")
	check(job.Spec.CompletionMode != nil && *job.Spec.CompletionMode == "Indexed", "the Job is not Indexed")
	check(job.Spec.Completions != nil && *job.Spec.Completions == peers, "completions %v", job.Spec.Completions)
	check(job.Spec.Parallelism != nil && *job.Spec.Parallelism == peers, "parallelism %v", job.Spec.Parallelism)
	check(pod.Spec.Hostname == "", "a host name is set, which every Pod would have")
	for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for _, c := range containers {
			env := resolve(c.Env, job, pod.Annotations)
			for variable, want := range map[string]string{
				"PEERJOB_SIZE":   strconv.Itoa(int(peers)),
				"PEERJOB_LEADER": job.Name + "-0." + svc.Name,
				"PEERJOB_SELF":   job.Name + "-1." + svc.Name,
			} {
				if got, found := env[variable]; found {
					check(got == want, "%s is %q in container %q, want %q", variable, got, c.Name, want)
				}
			}
		}
	}
	return broken
}

// resolve computes the environment as the kubelet does for the Pod with index
// 1: "$(NAME)" sees only what stands before it.
func resolve(vars []corev1.EnvVar, job *batchv1.Job, annotations map[string]string) map[string]string {
	env := map[string]string{}
	for _, v := range vars {
		value := v.Value
		if v.ValueFrom != nil && v.ValueFrom.FieldRef != nil {
			switch v.ValueFrom.FieldRef.FieldPath {
			case "metadata.annotations['batch.kubernetes.io/job-completion-index']":
				value = "1"
			case "metadata.labels['job-name']":
				value = job.Name
			case "metadata.namespace":
				value = job.Namespace
			case "metadata.annotations['peerjob.dev/service']":
				value = annotations["peerjob.dev/service"]
			}
		}
		for name, known := range env {
			value = strings.ReplaceAll(value, "$("+name+")", known)
		}
		env[v.Name] = value
	}
	return env
}

func read(t testing.TB, text string) *v1alpha1.PeerJob {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	pj, errs := decode.PeerJob(document.Content[0], nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	v1alpha1.Default(pj, v1alpha1.Settings{})
	return pj
}

// pair returns the Service and the Job of a PeerJob.
func pair(pj *v1alpha1.PeerJob) (*corev1.Service, *batchv1.Job) {
	objects := Group(peerjob.NewGroup(pj, ""))
	return objects[0].Object.(*corev1.Service), objects[len(objects)-1].Object.(*batchv1.Job)
}

const full = `
metadata:
  name: train
  namespace: ml
  labels: {team: a, config.kubernetes.io/x: y}
  annotations: {note: n, config.kubernetes.io/path: p, peerjob.dev/owner: other}
spec:
  peers: 4
  service:
    name: hub
    labels: {team: b, svc: only}
    annotations: {svc: only, config.kubernetes.io/depends-on: x}
    publishNotReadyAddresses: false
    ipFamilyPolicy: PreferDualStack
    ipFamilies: [IPv6, IPv4]
    ports: [{name: a, port: 1}]
  suspend: true
  backoffLimit: 1
  backoffLimitPerIndex: 2
  maxFailedIndexes: 3
  activeDeadlineSeconds: 4
  ttlSecondsAfterFinished: 5
  podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]}
  successPolicy: {rules: [{succeededIndexes: "0"}]}
  podReplacementPolicy: Failed
  managedBy: example.com/controller
  template:
    metadata: {labels: {pod: only}, annotations: {pod: only, config.kubernetes.io/path: p}}
    spec:
      restartPolicy: OnFailure
      enableServiceLinks: true
      initContainers: [{name: i, image: x, env: [{name: I, value: i}]}]
      containers: [{name: w, image: x, env: [{name: W, value: w}], ports: [{containerPort: 9}]}, {name: v, image: y}]
`

// TestGroup_scheduling has the gang, which is the Job's own.
func TestGroup_scheduling(t *testing.T) {
	const text = "metadata: {name: a}\nspec: {peers: 2, scheduling: {schedulingPolicy: {gang: {minCount: 2}}}, template: {spec: {containers: [{name: w, image: x}]}}}"
	_, job := pair(read(t, text))
	want := &batchv1.JobSchedulingConfiguration{SchedulingPolicy: &schedulingv1alpha3.WorkloadPodGroupSchedulingPolicy{
		Gang: &schedulingv1alpha3.WorkloadPodGroupGangSchedulingPolicy{MinCount: new(int32(2))}}}
	if diff := cmp.Diff(want, job.Spec.Scheduling); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGroup(t *testing.T) {
	pj := read(t, full)
	before := read(t, full)
	svc, job := pair(pj)
	if broken := agreements(svc, job, "train", 4); len(broken) > 0 {
		t.Error(broken)
	}
	if diff := cmp.Diff(before, pj); diff != "" {
		t.Errorf("the PeerJob was changed (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"team": "b", "svc": "only"}, svc.Labels); diff != "" {
		t.Errorf("labels of the Service (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"note": "n", "svc": "only", "config.kubernetes.io/depends-on": "x", "peerjob.dev/owner": "train"}, svc.Annotations); diff != "" {
		t.Errorf("annotations of the Service (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"note": "n", "peerjob.dev/owner": "train"}, job.Annotations); diff != "" {
		t.Errorf("annotations of the Job (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"pod": "only", "peerjob.dev/service": "hub"}, job.Spec.Template.Annotations); diff != "" {
		t.Errorf("annotations of the Pods (-want +got):\n%s", diff)
	}
	if svc.Spec.PublishNotReadyAddresses || len(svc.Spec.Ports) != 1 || svc.Spec.Ports[0].Port != 1 || *svc.Spec.IPFamilyPolicy != "PreferDualStack" {
		t.Errorf("the Service is not as the PeerJob says: %+v", svc.Spec)
	}
	spec := job.Spec
	spec.Template = corev1.PodTemplateSpec{}
	want := batchv1.JobSpec{
		Completions: new(int32(4)), Parallelism: new(int32(4)), CompletionMode: new(batchv1.IndexedCompletion),
		Suspend: new(true), BackoffLimit: new(int32(1)), BackoffLimitPerIndex: new(int32(2)), MaxFailedIndexes: new(int32(3)),
		ActiveDeadlineSeconds: new(int64(4)), TTLSecondsAfterFinished: new(int32(5)),
		PodFailurePolicy:     &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{Action: "Ignore", OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: "DisruptionTarget"}}}}},
		SuccessPolicy:        &batchv1.SuccessPolicy{Rules: []batchv1.SuccessPolicyRule{{SucceededIndexes: new("0")}}},
		PodReplacementPolicy: new(batchv1.Failed), ManagedBy: new("example.com/controller"),
	}
	if diff := cmp.Diff(want, spec); diff != "" {
		t.Errorf("the Job (-want +got):\n%s", diff)
	}
	pod := job.Spec.Template.Spec
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		var names []string
		for _, v := range c.Env {
			names = append(names, v.Name)
		}
		first := "JOB_COMPLETION_INDEX PEERJOB_NAME PEERJOB_NAMESPACE PEERJOB_SERVICE PEERJOB_SIZE PEERJOB_LEADER PEERJOB_SELF"
		if got := strings.Join(names, " "); !strings.HasPrefix(got, first) {
			t.Errorf("container %s: environment %s", c.Name, got)
		}
	}
}

func TestGroup_withoutPeerEnv(t *testing.T) {
	_, job := pair(read(t, "metadata: {name: train}\nspec: {peers: 2, peerEnv: Disabled, template: {spec: {containers: [{name: w, image: x}]}}}"))
	if n := len(job.Spec.Template.Spec.Containers[0].Env); n != 0 {
		t.Errorf("%d variables", n)
	}
	if job.Spec.Template.Annotations != nil {
		t.Errorf("annotations %v, which nothing reads", job.Spec.Template.Annotations)
	}
}

// FuzzGroup holds expansion to its two promises: it never panics on what can
// be decoded, and what validation lets through agrees.
func FuzzGroup(f *testing.F) {
	f.Add(full)
	f.Add("metadata: {name: a}\nspec: {peers: 100000}")
	f.Add("metadata: {name: a}\nspec: {peers: 0, service: {name: B}, template: {spec: {subdomain: x, containers: [{}]}}}")
	f.Add("metadata: {name: a}\nspec: {peers: 3, framework: {type: OpenMPI, port: 1, processesPerPeer: 2, containers: [w], leader: {command: [a], args: [b]}, sshSecretName: k}, template: {spec: {containers: [{name: w, command: [c]}, {name: v}]}}}")
	f.Add("metadata: {name: a}\nspec: {framework: {type: Torchrun, elastic: {}}}")
	f.Add("metadata: {name: a}\nspec: {peers: -1, framework: {type: TPU}}")
	f.Add("metadata: {name: a}\nspec: {peers: 2, barrier: {start: Enabled, end: Enabled}, runner: {image: x, delivery: ImageVolume, keySecretName: k, container: w}, peerEnv: Disabled, template: {spec: {hostNetwork: true, containers: [{name: w, command: [c]}, {name: v}]}}}")
	f.Add("metadata: {name: a}\nspec: {barrier: {end: Enabled}, runner: {container: w}, template: {spec: {containers: [{name: w}, {name: w, livenessProbe: {}, lifecycle: {preStop: {}}}]}}}")
	f.Add(roles)
	f.Add("metadata: {name: a}\nspec: {roles: [{}, {name: b, peers: -1, dependsOn: [{}, {name: b}]}], successRoles: [c], networkPolicy: {}, files: [{path: /x, containers: [d]}]}")
	f.Fuzz(func(t *testing.T, text string) {
		var document yaml.Node
		if yaml.Unmarshal([]byte(text), &document) != nil || len(document.Content) == 0 || strings.Contains(text, "&") {
			return
		}
		pj, errs := decode.PeerJob(document.Content[0], nil)
		v1alpha1.Default(pj, v1alpha1.Settings{})
		group := peerjob.NewGroup(pj, "")
		objects := Group(group)
		if len(errs) > 0 || len(peerjob.Validate(peerjob.NewGroup(pj, ""), nil)) > 0 {
			return
		}
		if group.HasRoles() {
			if broken := roleAgreements(group, objects); len(broken) > 0 {
				t.Errorf("%s:\n%s", text, strings.Join(broken, "\n"))
			}
			return
		}
		svc, job := pair(pj)
		if broken := agreements(svc, job, job.Name, *pj.Spec.Peers); len(broken) > 0 {
			t.Errorf("%s:\n%s", text, strings.Join(broken, "\n"))
		}
	})
}
