// SPDX-License-Identifier: Apache-2.0

package pod

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Objects are the objects of one namespace: a Job, and what it refers to.
type Objects struct {
	Job        *batchv1.Job
	Services   map[string]*corev1.Service
	ConfigMaps map[string]*corev1.ConfigMap
	Secrets    map[string]*corev1.Secret
}

// Decode reads the documents that were to be applied: one Job, with Services,
// ConfigMaps and Secrets. An unknown field, another kind or a second Job is an
// error.
func Decode(documents []byte) (*Objects, error) {
	o := &Objects{
		Services:   map[string]*corev1.Service{},
		ConfigMaps: map[string]*corev1.ConfigMap{},
		Secrets:    map[string]*corev1.Secret{},
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(documents)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := o.add(document); err != nil {
			return nil, err
		}
	}
	if o.Job == nil {
		return nil, errors.New("no Job")
	}
	return o, nil
}

func (o *Objects) add(document []byte) error {
	var meta metav1.TypeMeta
	if err := yaml.Unmarshal(document, &meta); err != nil {
		return err
	}
	switch meta.APIVersion + " " + meta.Kind {
	case " ":
		return nil // an empty document
	case "batch/v1 Job":
		if o.Job != nil {
			return errors.New("a second Job")
		}
		o.Job = &batchv1.Job{}
		return yaml.UnmarshalStrict(document, o.Job)
	case "v1 Service":
		return addNamed(document, o.Services, func(s *corev1.Service) string { return s.Name })
	case "v1 ConfigMap":
		return addNamed(document, o.ConfigMaps, func(c *corev1.ConfigMap) string { return c.Name })
	case "v1 Secret":
		return addNamed(document, o.Secrets, func(s *corev1.Secret) string { return s.Name })
	}
	return fmt.Errorf("a %s of %s: not known here", meta.Kind, meta.APIVersion)
}

func addNamed[T any](document []byte, to map[string]*T, name func(*T) string) error {
	object := new(T)
	if err := yaml.UnmarshalStrict(document, object); err != nil {
		return err
	}
	to[name(object)] = object
	return nil
}

// Namespace is where the objects are applied: the namespace of the Job, or
// "default".
func (o *Objects) Namespace() string {
	if o.Job.Namespace != "" {
		return o.Job.Namespace
	}
	return metav1.NamespaceDefault
}

// Size is the number of Pods that run at the same time, one for each index.
func (o *Objects) Size() int32 {
	if o.Job.Spec.Completions == nil {
		return 0
	}
	return *o.Job.Spec.Completions
}
