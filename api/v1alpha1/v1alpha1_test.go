// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// TestDefault has a PeerJob that leaves out all that can be left out. docs/reference.md
// has the same defaults.
func TestDefault(t *testing.T) {
	pj := &PeerJob{}
	Default(pj, Settings{})
	want := PeerJobSpec{
		Service:        PeerService{PublishNotReadyAddresses: new(true)},
		PeerEnv:        "Enabled",
		NameSuffixHash: "Disabled",
		Templating:     "Disabled",
		ClusterDomain:  "cluster.local",
		Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, EnableServiceLinks: new(false),
		}},
	}
	if diff := cmp.Diff(want, pj.Spec); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDefault_more has fields whose defaults depend on others.
func TestDefault_more(t *testing.T) {
	settings := Settings{ClusterDomain: "example.org", KubernetesVersion: "1.30", RunnerImage: "example.com/runner:v1"}
	pj := &PeerJob{}
	pj.Spec.Barrier.End = Enabled
	pj.Spec.ValuesFrom = []ValuesSource{{}, {ConfigMapRef: &ConfigMapKey{Name: "a"}}, {ConfigMapRef: &ConfigMapKey{Name: "b", Key: "k"}}}
	pj.Spec.Template.Spec.HostNetwork = true
	Default(pj, settings)
	want := PeerBarrier{
		Start: "Disabled", End: "Enabled", EndTimeoutSeconds: new(int32(30)),
	}
	if diff := cmp.Diff(want, pj.Spec.Barrier); diff != "" {
		t.Errorf("barrier (-want +got):\n%s", diff)
	}
	runner := PeerRunner{Delivery: "InitContainer", Image: "example.com/runner:v1", Port: new(int32(7450))}
	if diff := cmp.Diff(runner, pj.Spec.Runner); diff != "" {
		t.Errorf("runner (-want +got):\n%s", diff)
	}
	if spec := pj.Spec; spec.ClusterDomain != "example.org" || spec.KubernetesVersion != "1.30" || spec.Template.Spec.DNSPolicy != "ClusterFirstWithHostNet" {
		t.Errorf("%q, %q, %q", spec.ClusterDomain, spec.KubernetesVersion, spec.Template.Spec.DNSPolicy)
	}
	if from := pj.Spec.ValuesFrom; from[1].ConfigMapRef.Key != "values.yaml" || from[2].ConfigMapRef.Key != "k" {
		t.Errorf("keys %q and %q", from[1].ConfigMapRef.Key, from[2].ConfigMapRef.Key)
	}
}

// TestDefault_barrier has what the user wrote of a barrier that is off.
func TestDefault_barrier(t *testing.T) {
	pj := &PeerJob{}
	pj.Spec.Barrier.StartTimeoutSeconds = new(int32(9))
	Default(pj, Settings{RunnerImage: "example.com/runner:v1"})
	want := PeerBarrier{Start: "Disabled", End: "Disabled", StartTimeoutSeconds: new(int32(9))}
	if diff := cmp.Diff(want, pj.Spec.Barrier); diff != "" {
		t.Errorf("barrier (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(PeerRunner{}, pj.Spec.Runner); diff != "" {
		t.Errorf("runner (-want +got):\n%s", diff)
	}
}

// TestDefault_failurePolicy has what a failure policy changes: the runner is there, and a
// group that restarts has both barriers, and no timeout at the end.
func TestDefault_failurePolicy(t *testing.T) {
	for _, tt := range []struct {
		policy, want   PeerFailurePolicy
		barrier, after PeerBarrier
	}{
		{PeerFailurePolicy{Action: FailPeerJob}, PeerFailurePolicy{Action: FailPeerJob}, PeerBarrier{}, PeerBarrier{}},
		{PeerFailurePolicy{}, PeerFailurePolicy{}, PeerBarrier{}, PeerBarrier{}},
		{PeerFailurePolicy{Action: FailPeerJob}, PeerFailurePolicy{Action: FailPeerJob}, PeerBarrier{End: Enabled}, PeerBarrier{Start: Disabled, End: Enabled, EndTimeoutSeconds: new(int32(30))}},
		{
			PeerFailurePolicy{Action: RestartPeerJob, MaxRestarts: new(int32(3))}, PeerFailurePolicy{Action: RestartPeerJob, MaxRestarts: new(int32(3)), BackoffSeconds: new(int32(1))},
			PeerBarrier{}, PeerBarrier{Start: Enabled, End: Enabled, StartTimeoutSeconds: new(int32(600))},
		},
		{
			PeerFailurePolicy{Action: RestartPeerJob, BackoffSeconds: new(int32(0)), OnDisruption: FailOnDisruption}, PeerFailurePolicy{Action: RestartPeerJob, BackoffSeconds: new(int32(0)), OnDisruption: FailOnDisruption},
			PeerBarrier{Start: Disabled, EndTimeoutSeconds: new(int32(9))}, PeerBarrier{Start: Disabled, End: Enabled, EndTimeoutSeconds: new(int32(9))},
		},
	} {
		pj := &PeerJob{Spec: PeerJobSpec{FailurePolicy: &tt.policy, Barrier: tt.barrier}}
		Default(pj, Settings{RunnerImage: "example.com/runner:v1"})
		if diff := cmp.Diff(&tt.want, pj.Spec.FailurePolicy); diff != "" {
			t.Errorf("policy (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(tt.after, pj.Spec.Barrier); diff != "" {
			t.Errorf("%s: barrier (-want +got):\n%s", tt.policy.Action, diff)
		}
		if pj.Spec.Runner.Image != "example.com/runner:v1" {
			t.Errorf("%s: the runner is %+v", tt.policy.Action, pj.Spec.Runner)
		}
	}
}

// TestDefault_kept has a PeerJob that sets everything: no default and no setting
// changes it, and the defaults of a PeerJob that has them change nothing either.
func TestDefault_kept(t *testing.T) {
	settings := Settings{ClusterDomain: "example.org", KubernetesVersion: "1.30", RunnerImage: "example.com/runner:v1"}
	own := func() *PeerJob {
		return &PeerJob{Spec: PeerJobSpec{
			Service: PeerService{PublishNotReadyAddresses: new(false)},
			PeerEnv: Disabled, NameSuffixHash: Enabled, Templating: Enabled,
			Barrier: PeerBarrier{
				Start: Enabled, End: Disabled, StartTimeoutSeconds: new(int32(0)), EndTimeoutSeconds: new(int32(1)),
			},
			Runner: PeerRunner{
				Delivery: ImageVolumeDelivery, Image: "own", ImagePullPolicy: corev1.PullNever, Resources: &corev1.ResourceRequirements{},
				Port: new(int32(0)), Container: "w", KeySecretName: "k",
			},
			ClusterDomain: "own.local", KubernetesVersion: "1.29",
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyOnFailure, EnableServiceLinks: new(true), HostNetwork: true, DNSPolicy: corev1.DNSNone,
			}},
		}}
	}
	defaulted := func() *PeerJob {
		pj := &PeerJob{}
		pj.Spec.Barrier.Start = Enabled
		Default(pj, settings)
		return pj
	}
	for name, make := range map[string]func() *PeerJob{"its own": own, "defaults": defaulted} {
		want, pj := make(), make()
		Default(pj, settings)
		if diff := cmp.Diff(want, pj); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestBarrierEnabled(t *testing.T) {
	for _, tt := range []struct {
		barrier PeerBarrier
		want    bool
	}{
		{PeerBarrier{}, false},
		{PeerBarrier{Start: Disabled, End: Disabled}, false},
		{PeerBarrier{Start: Enabled}, true},
		{PeerBarrier{Start: Disabled, End: Enabled}, true},
	} {
		if got := tt.barrier.Enabled(); got != tt.want {
			t.Errorf("%+v: %v, want %v", tt.barrier, got, tt.want)
		}
	}
}

// TestKeys has keys of labels and annotations of orchestrators, of peerjob and of
// others.
func TestKeys(t *testing.T) {
	for key, want := range map[string]struct{ reserved, own bool }{
		"app":                                      {},
		"app.kubernetes.io/name":                   {},
		"example.com/peerjob.dev":                  {},
		"notpeerjob.dev/owner":                     {},
		"notconfig.kubernetes.io/index":            {},
		"config.kubernetes.io":                     {},
		"peerjob.dev":                              {},
		"config.kubernetes.io/local-config":        {reserved: true},
		"config.kubernetes.io/depends-on":          {reserved: true},
		"internal.config.kubernetes.io/path":       {reserved: true},
		"config.k8s.io/id":                         {reserved: true},
		"internal.config.k8s.io/x":                 {reserved: true},
		"kustomize.config.k8s.io/behavior":         {reserved: true},
		"internal.kpt.dev/upstream-identifier":     {reserved: true},
		"peerjob.dev/owner":                        {reserved: true, own: true},
		"internal.peerjob.dev/anything":            {reserved: true, own: true},
		"internal.config.kubernetes.io/a/b":        {reserved: true},
		"client.lifecycle.config.k8s.io/mutation":  {},
		"cli-utils.sigs.k8s.io/inventory-id":       {},
		"apply.config.kubernetes.io/anything-more": {reserved: true},
	} {
		if got := IsReservedKey(key); got != want.reserved {
			t.Errorf("IsReservedKey(%q) = %v", key, got)
		}
		if got := IsOwnKey(key); got != want.own {
			t.Errorf("IsOwnKey(%q) = %v", key, got)
		}
	}
}

// TestPeerEnvNames holds the variables to their order: the value of each may use
// those before it.
func TestPeerEnvNames(t *testing.T) {
	want := []string{"JOB_COMPLETION_INDEX", "PEERJOB_NAME", "PEERJOB_NAMESPACE", "PEERJOB_SERVICE", "PEERJOB_SIZE", "PEERJOB_LEADER", "PEERJOB_SELF"}
	if diff := cmp.Diff(want, PeerEnvNames()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
