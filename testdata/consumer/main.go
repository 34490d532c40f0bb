// SPDX-License-Identifier: Apache-2.0

// Command consumer makes a PeerJob in Go, checks it and prints its objects.
package main

import (
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/fn"
	"github.com/peerjob/peerjob/schema"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "consumer:", err)
		os.Exit(1)
	}
}

func run() error {
	peers := int32(3)
	job := v1alpha1.PeerJob{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.Kind},
		ObjectMeta: metav1.ObjectMeta{Name: "solve", Namespace: "team"},
		Spec: v1alpha1.PeerJobSpec{
			Peers:   &peers,
			PeerEnv: v1alpha1.Disabled,
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{
				{Name: "solver", Image: "example.com/solver:1.0", Command: []string{"solve"}},
			}}},
		},
	}
	text, err := yaml.Marshal(job)
	if err != nil {
		return err
	}
	files := []fn.File{{Name: "solve", Content: text}}
	if err := fn.Check(files, os.Stderr, os.Stderr, fn.CheckOptions{}); err != nil {
		return err
	}
	if len(schema.JSON()) == 0 {
		return fmt.Errorf("there is no schema")
	}
	return fn.Expand(files, os.Stdout, os.Stderr, fn.ExpandOptions{})
}
