// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// A PeerJob in Go, as YAML: what fn.Expand and the command read.
func ExamplePeerJob() {
	job := v1alpha1.PeerJob{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.Kind},
		ObjectMeta: metav1.ObjectMeta{Name: "train"},
		Spec: v1alpha1.PeerJobSpec{
			Peers:   new(int32(4)),
			Barrier: v1alpha1.PeerBarrier{Start: v1alpha1.Enabled},
		},
	}
	text, err := yaml.Marshal(job.Spec.Barrier)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%s %s of %s, %d peers\n%s", job.Kind, job.Name, job.APIVersion, *job.Spec.Peers, text)
	// Output:
	// PeerJob train of peerjob.dev/v1alpha1, 4 peers
	// start: Enabled
}

// Default fills in what the user may leave out.
func ExampleDefault() {
	job := v1alpha1.PeerJob{Spec: v1alpha1.PeerJobSpec{
		Barrier:  v1alpha1.PeerBarrier{Start: v1alpha1.Enabled},
		Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{HostNetwork: true}},
	}}
	v1alpha1.Default(&job, v1alpha1.Settings{RunnerImage: "registry.example.com/runner:1.0"})
	fmt.Println(job.Spec.ClusterDomain, job.Spec.PeerEnv, *job.Spec.Barrier.StartTimeoutSeconds, job.Spec.Runner.Image)
	fmt.Println(job.Spec.Template.Spec.RestartPolicy, job.Spec.Template.Spec.DNSPolicy)
	// Output:
	// cluster.local Enabled 600 registry.example.com/runner:1.0
	// Never ClusterFirstWithHostNet
}
